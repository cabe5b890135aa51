/*
 * test_privileges.c - what a process can do before and after, each in a child, since there is no way back
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <fcntl.h>
#include <net/if.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cap-ng.h>

#include "base/netlink.h"
#include "overlay/agent/privileges.h"
#include "tests/unit/netns.h"

/* Return: @check's answer, out of a process of its own */
static bool in_child(bool (*check)(void))
{
	pid_t pid = fork();
	int status;

	assert_true(pid >= 0);
	if (pid == 0)
		_exit(check() ? 0 : 1);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	return WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

static bool bridges_are_made(void)
{
	struct error error;
	int index;

	if (!privileges_reduce(&error) || netlink_bridge_create("br-test", "test", &index) != 0)
		return false;
	return netlink_link_delete(index) == 0;
}

static bool packet_sockets_are_opened(void)
{
	struct error error;

	return privileges_reduce(&error) && socket(AF_PACKET, SOCK_RAW, 0) >= 0;
}

static bool the_rest_is_gone(void)
{
	struct error error;

	if (!privileges_reduce(&error) || setuid(12345) == 0 || chown("/", 1, 1) == 0 || chroot("/") == 0)
		return false;
	return errno == EPERM;
}

/* Nor does a program get it that this process would start */
static bool it_is_gone_for_good(void)
{
	struct error error;

	return privileges_reduce(&error) && capng_have_capability(CAPNG_BOUNDING_SET, CAP_SYS_ADMIN) == 0 &&
		capng_have_capability(CAPNG_BOUNDING_SET, CAP_NET_ADMIN) == 1;
}

static bool without_the_power_it_says_so(void)
{
	struct error error = { "" };

	capng_clear(CAPNG_SELECT_BOTH);
	return capng_apply(CAPNG_SELECT_CAPS) == 0 && !privileges_reduce(&error) &&
		strstr(error.text, "run weftd as root");
}

static void what_is_kept(void **state)
{
	(void)state;
	assert_true(in_child(bridges_are_made));
	assert_true(in_child(packet_sockets_are_opened));
}

static void what_is_given_up(void **state)
{
	(void)state;
	assert_true(in_child(the_rest_is_gone));
	assert_true(in_child(it_is_gone_for_good));
}

static void what_is_missing(void **state)
{
	(void)state;
	assert_true(in_child(without_the_power_it_says_so));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_kept),
		cmocka_unit_test(what_is_given_up),
		cmocka_unit_test(what_is_missing),
	};

	netns_enter();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
