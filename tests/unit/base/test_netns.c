/*
 * test_netns.c - links of another network namespace, seen and made from one of the test's own
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "base/netns.h"
#include "tests/unit/netns.h"

#define SPACE "weft-test-netns"
static const struct mac mac = { { 2, 0, 0, 0, 0, 1 } };

static int make_space(void **state)
{
	(void)state;
	return netns_run("ip netns add " SPACE);
}

static int take_space(void **state)
{
	(void)state;
	return netns_run("ip netns del " SPACE);
}

static void names(void **state)
{
	char longest[NETNS_NAME_BYTES + 1];

	(void)state;
	assert_true(netns_name_ok("leaf1"));
	assert_true(netns_name_ok("clab-evpn.1_leaf"));
	assert_false(netns_name_ok(""));
	assert_false(netns_name_ok("."));
	assert_false(netns_name_ok(".."));
	assert_false(netns_name_ok("a/b"));
	assert_false(netns_name_ok("a b"));
	assert_false(netns_name_ok("a\x7f"));
	memset(longest, 'a', sizeof(longest));
	longest[NETNS_NAME_BYTES] = '\0';
	assert_false(netns_name_ok(longest));
	longest[NETNS_NAME_BYTES - 1] = '\0';
	assert_true(netns_name_ok(longest));
}

static void what_is_no_namespace(void **state)
{
	(void)state;
	assert_int_equal(netns_open("weft-test-nowhere"), -ENOENT);
	assert_int_equal(netns_open("../../etc/passwd"), -EINVAL);
	assert_int_equal(netns_run("mkdir -p " NETNS_FOLDER " && touch " NETNS_FOLDER "/weft-test-file"), 0);
	assert_int_equal(netns_open("weft-test-file"), -EINVAL);
	assert_int_equal(netns_run("rm " NETNS_FOLDER "/weft-test-file"), 0);
}

static void a_number_stays(void **state)
{
	int space = netns_open(SPACE), first = -2, second = -2, own;

	(void)state;
	assert_true(space >= 0);
	assert_int_equal(netns_number(space, &first), 0);
	assert_true(first >= 0);
	assert_int_equal(netns_number(space, &second), 0);
	assert_int_equal(first, second);
	close(space);
	assert_int_equal(netns_run("ip netns attach weft-test-own %d", getpid()), 0);
	own = netns_open("weft-test-own");
	assert_true(own >= 0);
	assert_int_equal(netns_number(own, &first), 0);
	assert_int_equal(first, -1);
	close(own);
	assert_int_equal(netns_run("ip netns del weft-test-own"), 0);
}

static void a_pair_reaches_into_it(void **state)
{
	int space = netns_open(SPACE), number;
	struct netlink_link outer, inner, again;

	(void)state;
	assert_true(space >= 0);
	assert_int_equal(netns_number(space, &number), 0);
	assert_int_equal(netns_link_get(number, "e1", &inner), -ENODEV);
	assert_int_equal(netns_veth_create("wfout", space, "e1", &mac, 1400), 0);
	assert_int_equal(netlink_link_get("wfout", &outer), 0);
	assert_false(outer.up);
	assert_int_equal(outer.mtu_bytes, 1400);
	assert_int_equal(outer.peer_space, number);
	assert_int_equal(netns_link_get(number, "e1", &inner), 0);
	assert_int_equal(inner.index, outer.peer);
	assert_true(inner.up);
	assert_int_equal(inner.mtu_bytes, 1400);
	assert_memory_equal(&inner.mac, &mac, sizeof(mac));
	assert_int_equal(netns_link_get_by_index(number, outer.peer, &again), 0);
	assert_string_equal(again.name, "e1");
	assert_int_equal(netns_veth_create("wfout", space, "e2", &mac, 1400), -EEXIST);
	assert_int_equal(netns_veth_create("wfoth", space, "e1", &mac, 1400), -EEXIST);
	assert_int_equal(netlink_link_get("wfoth", &again), -ENODEV);
	assert_int_equal(netlink_link_delete(outer.index), 0);
	assert_int_equal(netns_link_get(number, "e1", &inner), -ENODEV);
	close(space);
}

static void ends_of_one_namespace_have_no_number(void **state)
{
	struct netlink_link link, other;

	(void)state;
	assert_int_equal(netns_run("ip link add v0 type veth peer name v1"), 0);
	assert_int_equal(netlink_link_get("v0", &link), 0);
	assert_int_equal(netlink_link_get("v1", &other), 0);
	assert_int_equal(link.peer_space, -1);
	assert_int_equal(link.peer, other.index);
	assert_int_equal(netns_run("ip link del v0"), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(names),
		cmocka_unit_test(what_is_no_namespace),
		cmocka_unit_test_setup_teardown(a_number_stays, make_space, take_space),
		cmocka_unit_test_setup_teardown(a_pair_reaches_into_it, make_space, take_space),
		cmocka_unit_test(ends_of_one_namespace_have_no_number),
	};

	netns_enter();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
