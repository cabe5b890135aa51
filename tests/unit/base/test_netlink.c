/*
 * test_netlink.c - links made and changed in a namespace of the test's own, with ip(8) as second opinion
 */
#include "base/netlink.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
#include <sys/socket.h>

#include <cmocka.h>

#include "tests/unit/netns.h"

#define WAIT_MS 5000

static struct netlink_link look(const char *name)
{
	struct netlink_link link;

	assert_int_equal(netlink_link_get(name, &link), 0);
	return link;
}

static void what_is_not_there_is_not_found(void **state)
{
	struct netlink_link link;

	(void)state;
	assert_int_equal(netlink_link_get("nothere", &link), -ENODEV);
	assert_int_equal(netlink_link_get("", &link), -ENODEV);
	assert_int_equal(netlink_link_get("a-name-far-too-long-for-a-device", &link), -ENODEV);
	assert_int_equal(netlink_link_get_by_index(0, &link), -ENODEV);
	assert_int_equal(netlink_link_get_by_index(-1, &link), -ENODEV);
	assert_int_equal(netlink_link_get_by_index(9999, &link), -ENODEV);
	assert_int_equal(netlink_link_delete(9999), -ENODEV);
	assert_int_equal(netlink_link_delete(0), -ENODEV);
	assert_int_equal(netlink_link_set_up(9999, true), -ENODEV);
	assert_int_equal(netlink_link_set_mtu(9999, 1500), -ENODEV);
}

static void a_bridge_is_made_whole(void **state)
{
	struct netlink_link link;
	int index = 0, again = 0;

	(void)state;
	assert_int_equal(netlink_bridge_create("br0", "weft", &index), 0);
	link = look("br0");
	assert_int_equal(link.index, index);
	assert_true(netlink_link_is_bridge(&link));
	assert_true(link.up);
	assert_string_equal(link.alias, "weft");
	assert_string_equal(link.name, "br0");
	assert_int_equal(link.master, 0);
	assert_int_equal(netlink_bridge_count_ports(index), 0);
	assert_int_equal(netns_run("ip -d link show br0 | grep -q 'mcast_snooping 0'"), 0);
	assert_int_equal(netns_run("ip -d link show br0 | grep -q 'addrgenmode none'"), 0);
	assert_int_equal(netlink_bridge_create("br0", "weft", &again), -EEXIST);
	assert_int_equal(netlink_bridge_create("a-name-far-too-long", "weft", &again), -EINVAL);
	assert_int_equal(again, 0);
	assert_int_equal(netlink_link_delete(index), 0);
	assert_int_equal(netlink_link_get("br0", &link), -ENODEV);
}

static void links_are_changed(void **state)
{
	struct mac mac = { { 0xfe, 0x54, 0, 1, 2, 3 } };
	struct netlink_link link;
	int index;

	(void)state;
	assert_int_equal(netns_run("ip link add v0 type veth peer name v1"), 0);
	link = look("v0");
	index = link.index;
	assert_string_equal(link.kind, "veth");
	assert_false(netlink_link_is_bridge(&link));
	assert_false(link.up || link.running);
	assert_int_equal(link.mtu_bytes, 1500);
	assert_int_equal(netlink_link_set_mtu(index, 9000), 0);
	assert_int_equal(netlink_link_set_mtu(index, 1), -EINVAL);
	assert_int_equal(netlink_link_set_mac(index, &mac), 0);
	assert_int_equal(netlink_link_set_tx_queue(index, 77), 0);
	assert_int_equal(netlink_link_set_quiet(index), 0);
	assert_int_equal(netlink_link_set_up(index, true), 0);
	assert_int_equal(netlink_link_get_by_index(index, &link), 0);
	assert_int_equal(link.mtu_bytes, 9000);
	assert_true(mac_equal(&link.mac, &mac));
	assert_true(link.up);
	assert_false(link.running); /* the other end is down */
	assert_int_equal(netns_run("ip link set v1 up"), 0);
	assert_true(look("v0").running);
	assert_int_equal(netns_run("ip -d link show v0 | grep -q 'addrgenmode none.*'"), 0);
	assert_int_equal(netns_run("ip link show v0 | grep -q 'qlen 77'"), 0);
	assert_int_equal(netlink_link_set_up(index, false), 0);
	assert_false(look("v0").up);
	assert_int_equal(netlink_link_delete(index), 0);
	assert_int_equal(netlink_link_get("v1", &link), -ENODEV);
}

static void ports_join_and_leave(void **state)
{
	int bridge, other;

	(void)state;
	assert_int_equal(netlink_bridge_create("br0", "weft", &bridge), 0);
	assert_int_equal(netlink_bridge_create("br1", "weft", &other), 0);
	assert_int_equal(netns_run("ip link add v0 type veth peer name v1"), 0);
	assert_int_equal(netlink_link_set_master(look("v0").index, bridge), 0);
	assert_int_equal(netlink_link_set_master(look("v1").index, bridge), 0);
	assert_int_equal(look("v0").master, bridge);
	assert_int_equal(netlink_bridge_count_ports(bridge), 2);
	assert_int_equal(netlink_link_set_master(look("v1").index, 0), 0);
	assert_int_equal(look("v1").master, 0);
	assert_int_equal(netlink_bridge_count_ports(bridge), 1);
	assert_int_equal(netlink_bridge_count_ports(other), 0);
	assert_true(netlink_link_set_master(look("v1").index, look("v0").index) < 0); /* no bridge */
	assert_int_equal(netlink_link_delete(look("v0").index), 0);
	assert_int_equal(netlink_link_delete(bridge), 0);
	assert_int_equal(netlink_link_delete(other), 0);
}

static void many_links_are_counted(void **state)
{
	int bridge;

	(void)state;
	assert_int_equal(netlink_bridge_create("br0", "weft", &bridge), 0);
	assert_int_equal(netns_run("for i in $(seq 100); do echo link add d$i type veth peer name e$i; "
				   "echo link set d$i master br0; done | ip -batch -"),
		0);
	assert_int_equal(netlink_bridge_count_ports(bridge), 100); /* a dump of several messages */
	assert_int_equal(netns_run("for i in $(seq 100); do echo link del d$i; done | ip -batch -"), 0);
	assert_int_equal(netlink_link_delete(bridge), 0);
}

static void queues_of_a_tap_are_seen(void **state)
{
	struct netlink_link link;

	(void)state;
	assert_int_equal(netns_run("ip tuntap add t0 mode tap multi_queue vnet_hdr"), 0);
	link = look("t0");
	assert_string_equal(link.kind, "tun");
	assert_int_equal(link.tun_queues, 0);
	assert_int_equal(netlink_link_delete(link.index), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_not_there_is_not_found),
		cmocka_unit_test(a_bridge_is_made_whole),
		cmocka_unit_test(links_are_changed),
		cmocka_unit_test(ports_join_and_leave),
		cmocka_unit_test(many_links_are_counted),
		cmocka_unit_test(queues_of_a_tap_are_seen),
	};

	netns_enter();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
