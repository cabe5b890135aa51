/*
 * test_view.c - whether links look as they did, in a network namespace of the test's own
 */
#include "tap/view.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "tests/unit/netns.h"

static struct tap_view view;

/* Return: whether a look sees others than the last one */
static bool differs_after(const char *command)
{
	bool differs;

	assert_int_equal(netns_run("%s", command), 0);
	assert_int_equal(tap_view_take(&view), 0);
	differs = view.differs;
	view.differs = false;
	return differs;
}

static void what_ports_depend_on_is_seen(void **state)
{
	(void)state;
	assert_true(differs_after("true")); /* the first look */
	assert_true(differs_after("ip link add v0 type veth peer name v1"));
	assert_true(differs_after("ip link set v0 up"));
	assert_true(differs_after("ip link set v1 up")); /* and a carrier */
	assert_true(differs_after("ip link set v0 mtu 1400"));
	assert_true(differs_after("ip link set v1 down name v2"));
	assert_true(differs_after("ip link add br0 type bridge"));
	assert_true(differs_after("ip link set v0 master br0"));
	assert_true(differs_after("ip link del v0"));
}

/* As a port does that cannot be opened */
static void what_came_and_went_is_not(void **state)
{
	(void)state;
	(void)differs_after("true");
	assert_false(differs_after("true"));
	assert_false(differs_after("ip tuntap add t0 mode tap && ip link del t0"));
}

static int done(void **state)
{
	(void)state;
	tap_view_fini(&view);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_ports_depend_on_is_seen),
		cmocka_unit_test(what_came_and_went_is_not),
	};

	netns_enter();
	return cmocka_run_group_tests(tests, NULL, done);
}
