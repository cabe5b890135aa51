/*
 * test_netns_watch.c - namespaces that are made and deleted while somebody watches
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <poll.h>
#include <sys/mount.h>
#include <unistd.h>

#include "base/netns_watch.h"
#include "tests/unit/netns.h"

#define SPACE "weft-test-watch"

static bool hears(int watch)
{
	struct pollfd ready = { .fd = watch, .events = POLLIN };

	while (poll(&ready, 1, 5000) == 1)
		if (netns_watch_read(watch))
			return true;
	return false;
}

static void names_come_and_go(void **state)
{
	int watch = netns_watch_open();

	(void)state;
	assert_true(watch >= 0);
	assert_int_equal(netns_run("ip netns add " SPACE), 0);
	assert_true(hears(watch));
	(void)netns_watch_read(watch);
	assert_int_equal(netns_run("ip netns del " SPACE), 0);
	assert_true(hears(watch));
	close(watch);
}

/* In a /run of the test's own, where nobody has made a namespace yet */
static void the_folder_comes_later(void **state)
{
	int watch;

	(void)state;
	assert_int_equal(unshare(CLONE_NEWNS), 0);
	assert_int_equal(mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL), 0);
	assert_int_equal(mount("none", "/run", "tmpfs", 0, NULL), 0);
	watch = netns_watch_open();
	assert_true(watch >= 0);
	assert_int_equal(netns_run("mkdir /run/other && ip netns add " SPACE), 0);
	assert_true(hears(watch));
	assert_int_equal(netns_run("ip netns del " SPACE), 0);
	assert_true(hears(watch));
	close(watch);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(names_come_and_go),
		cmocka_unit_test(the_folder_comes_later),
	};

	netns_enter();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
