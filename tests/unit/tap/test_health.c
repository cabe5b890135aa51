/*
 * test_health.c - what a port can do, judged by views that are made here
 *
 *	br0 (2): vm0 (3), ours (4)      br1 (5): alone      eth1 (6), eth2 (7): interfaces
 */
#include "tap/health.h"

#include "lab/network_mode.h"

#include <arpa/inet.h>
#include <libmnl/libmnl.h>
#include <linux/if_bridge.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define LINKS 6

enum { BR0, VM0, OURS, BR1, ETH1, ETH2 };

static struct netlink_link links[LINKS];
static struct netlink_link *by_name[LINKS];
static struct tap_view view;
static struct attach spec;
static struct health_subject subject;
static struct error error;

static struct netlink_link link_of(int index, const char *name, const char *kind, int master)
{
	struct netlink_link link = { .index = index, .master = master, .mtu_bytes = 1500, .up = true, .running = true };

	strcpy(link.name, name);
	strcpy(link.kind, kind);
	if (master)
		link.bridge_port = (struct netlink_bridge_port){ .known = true, .state = BR_STATE_FORWARDING };
	if (strcmp(kind, "bridge") == 0)
		link.bridge.forward_delay_ms = 15000;
	return link;
}

static int set_up(void **state)
{
	(void)state;
	links[BR0] = link_of(2, "br0", "bridge", 0);
	links[VM0] = link_of(3, "vm0", "tun", 2);
	links[OURS] = link_of(4, "ours", "tun", 2);
	links[BR1] = link_of(5, "br1", "bridge", 0);
	links[ETH1] = link_of(6, "eth1", "veth", 0);
	links[ETH2] = link_of(7, "eth2", "", 0);
	strcpy(links[OURS].alias, "weft lab/port");
	memset(&spec, 0, sizeof(spec));
	spec.kind = ATTACH_BRIDGE;
	spec.mtu_bytes = 1500;
	strcpy(spec.target, "br0");
	strcpy(spec.device, "ours");
	subject = (struct health_subject){ .spec = &spec,
		.name = "ours",
		.index = 4,
		.name_now = "ours",
		.takes_frames = true };
	return 0;
}

static int compare(const void *left, const void *right)
{
	const struct netlink_link *const *a = left, *const *b = right;

	return strcmp((*a)->name, (*b)->name);
}

/* Indices are as above, in order: what is gone has none, and comes first */
static void show(void)
{
	int first = 0;

	for (int i = 0; i < LINKS; i++) {
		by_name[i] = &links[i];
		if (!links[i].index)
			assert_int_equal(i, first++); /* in this test only leading ones go */
	}
	qsort(by_name, LINKS, sizeof(by_name[0]), compare);
	view.links = (struct netlink_links){ .items = links, .by_name = by_name, .count = LINKS };
}

static enum tap_health tap_health(void)
{
	show();
	error.text[0] = '\0';
	return health_of_tap(&subject, &view, &error);
}

static enum tap_health interface_health(void)
{
	show();
	error.text[0] = '\0';
	return health_of_interface(&subject, &view, &error);
}

static void assert_said(const char *part)
{
	if (!strstr(error.text, part))
		fail_msg("\"%s\" does not say \"%s\"", error.text, part);
}

static void on_its_own(const char *name)
{
	spec.kind = ATTACH_TAP;
	strcpy(spec.target, name);
	links[OURS].master = 0;
}

static void as_interface(void)
{
	spec.kind = ATTACH_PACKET;
	strcpy(spec.target, "eth1");
	subject = (struct health_subject){ .spec = &spec, .name = "eth1", .index = 6 };
}

/* ---- our TAP ------------------------------------------------------------------------------------------------ */

static void all_is_well(void **state)
{
	(void)state;
	assert_int_equal(tap_health(), TAP_UP);
	assert_string_equal(error.text, "");
	assert_false(health_tap_elsewhere(&subject, &view));
	on_its_own("ours");
	assert_int_equal(tap_health(), TAP_UP);
}

static void the_device_was_deleted(void **state)
{
	(void)state;
	subject.name_now = NULL;
	assert_int_equal(tap_health(), TAP_LOST);
	assert_said("the device ours was deleted");
	assert_false(health_tap_elsewhere(&subject, &view));
}

static void the_device_was_renamed(void **state)
{
	(void)state;
	strcpy(links[OURS].name, "theirs");
	subject.name_now = "theirs";
	assert_int_equal(tap_health(), TAP_LOST);
	assert_said("ours was renamed to theirs");
	on_its_own("ours");
	assert_int_equal(tap_health(), TAP_LOST);
}

static void the_device_was_set_down(void **state)
{
	(void)state;
	links[OURS].up = false;
	links[OURS].bridge_port.state = BR_STATE_DISABLED; /* as bridges do then */
	assert_int_equal(tap_health(), TAP_DOWN);
	assert_said("ip link set ours up");
}

static void it_is_not_in_its_bridge(void **state)
{
	(void)state;
	links[OURS].master = 0;
	assert_int_equal(tap_health(), TAP_LOST);
	assert_said("no longer in the bridge br0");
	links[OURS].master = 5; /* in another */
	assert_int_equal(tap_health(), TAP_LOST);
	links[OURS].master = 2;
	strcpy(links[BR0].name, "br-old"); /* that was renamed, and another made in its place */
	assert_int_equal(tap_health(), TAP_LOST);
	assert_said("the bridge br0 is gone");
	strcpy(links[BR1].name, "br0");
	assert_int_equal(tap_health(), TAP_LOST);
	assert_said("no longer in the bridge br0");
}

static void the_bridge_is_down(void **state)
{
	(void)state;
	links[BR0].up = false;
	assert_int_equal(tap_health(), TAP_DOWN);
	assert_said("ip link set br0 up");
	on_its_own("ours"); /* but put into a bridge by somebody */
	links[OURS].master = 2;
	assert_int_equal(tap_health(), TAP_DOWN);
}

static void spanning_tree_has_its_states(void **state)
{
	(void)state;
	links[OURS].bridge_port.state = BR_STATE_LISTENING;
	assert_int_equal(tap_health(), TAP_DOWN);
	assert_said("for up to 30 s");
	links[OURS].bridge_port.state = BR_STATE_LEARNING;
	assert_int_equal(tap_health(), TAP_DOWN);
	links[OURS].bridge_port.state = BR_STATE_BLOCKING;
	assert_int_equal(tap_health(), TAP_DOWN);
	assert_said("loop");
	links[OURS].bridge_port.state = BR_STATE_DISABLED;
	assert_int_equal(tap_health(), TAP_DOWN);
	assert_said("bridge link set dev ours state 3");
	links[OURS].bridge_port.state = BR_STATE_FORWARDING;
	assert_int_equal(tap_health(), TAP_UP);
	links[OURS].bridge_port = (struct netlink_bridge_port){ 0 }; /* a kernel that does not tell */
	assert_int_equal(tap_health(), TAP_UP);
}

static void the_mtu_is_too_small(void **state)
{
	(void)state;
	links[VM0].mtu_bytes = links[BR0].mtu_bytes = 1400;
	assert_int_equal(tap_health(), TAP_LIMITED);
	assert_said("ip link set vm0 mtu 1500");
	links[VM0].mtu_bytes = 1500;
	assert_int_equal(tap_health(), TAP_LIMITED);
	assert_said("ip link set br0 mtu 1500");
	links[BR0].mtu_bytes = 1500;
	assert_int_equal(tap_health(), TAP_UP);
	links[OURS].mtu_bytes = 1499;
	assert_int_equal(tap_health(), TAP_LIMITED);
	assert_said("ip link set ours mtu 1500");
	on_its_own("ours");
	assert_int_equal(tap_health(), TAP_LIMITED);
	spec.mtu_bytes = 1499;
	assert_int_equal(tap_health(), TAP_UP);
}

static void a_wire_s_end_may_have_any_mtu(void **state)
{
	(void)state;
	spec.any_mtu = true;
	spec.mtu_bytes = 9216;
	links[VM0].mtu_bytes = links[BR0].mtu_bytes = links[OURS].mtu_bytes = links[ETH1].mtu_bytes = 1500;
	assert_int_equal(tap_health(), TAP_UP);
	spec.any_mtu = false;
	assert_int_equal(tap_health(), TAP_LIMITED);
}

static void what_carries_nothing_is_told_first(void **state)
{
	(void)state;
	links[VM0].mtu_bytes = 1400;
	links[BR0].up = false;
	assert_int_equal(tap_health(), TAP_DOWN);
	links[OURS].master = 0;
	assert_int_equal(tap_health(), TAP_LOST);
}

static void a_tap_may_live_elsewhere(void **state)
{
	(void)state;
	on_its_own("ours");
	subject.index = 99;
	subject.name_now = "eth0";
	assert_int_equal(tap_health(), TAP_UP);
	assert_true(health_tap_elsewhere(&subject, &view));
	subject.takes_frames = false;
	assert_int_equal(tap_health(), TAP_DOWN);
	assert_said("there, ip link set eth0 up");
	subject.index = 3; /* its number there is another device's here */
	assert_int_equal(tap_health(), TAP_DOWN);
	subject.takes_frames = true;
	assert_int_equal(tap_health(), TAP_UP);
	strcpy(links[ETH1].name, "eth0"); /* of the same name, even; but no TAP */
	subject.index = 6;
	assert_int_equal(tap_health(), TAP_UP);
	assert_true(health_tap_elsewhere(&subject, &view));
}

static void but_not_the_tap_of_a_bridge(void **state)
{
	(void)state;
	subject.index = 99;
	assert_int_equal(tap_health(), TAP_LOST);
	assert_said("out of the bridge br0");
}

/* ---- an interface ------------------------------------------------------------------------------------------- */

static void an_interface_is_well(void **state)
{
	(void)state;
	as_interface();
	assert_int_equal(interface_health(), TAP_UP);
	links[ETH1].up = false;
	assert_int_equal(interface_health(), TAP_DOWN);
	assert_said("ip link set eth1 up");
	links[ETH1].up = true;
	links[ETH1].mtu_bytes = 1300;
	assert_int_equal(interface_health(), TAP_LIMITED);
	assert_said("ip link set eth1 mtu 1500");
}

static void an_interface_is_its_name(void **state)
{
	(void)state;
	as_interface();
	strcpy(links[ETH1].name, "other0");
	assert_int_equal(interface_health(), TAP_LOST);
	assert_said("the interface eth1 was renamed to other0");
	strcpy(links[ETH2].name, "eth1");
	assert_int_equal(interface_health(), TAP_LOST);
	assert_said("another interface is called eth1 now; the one before is other0");
	subject.index = 99;
	assert_int_equal(interface_health(), TAP_LOST);
	assert_said("was deleted, or moved");
}

/* ---- filters, VLANs, reserved addresses ------------------------------------------------------------------------ */

/* A chain at the hook of forwarded frames, without rules: its policy is what there is */
static void add_chain(uint8_t family, uint32_t policy)
{
	_Alignas(struct nlmsghdr) char buffer[512];
	struct nlmsghdr *header = mnl_nlmsg_put_header(buffer);
	struct nfgenmsg *generic;
	struct nlattr *nest;

	header->nlmsg_type = NFNL_SUBSYS_NFTABLES << 8 | NFT_MSG_NEWCHAIN;
	generic = mnl_nlmsg_put_extra_header(header, sizeof(*generic));
	*generic = (struct nfgenmsg){ .nfgen_family = family };
	mnl_attr_put_strz(header, NFTA_CHAIN_TABLE, "filter");
	mnl_attr_put_strz(header, NFTA_CHAIN_NAME, "FORWARD");
	nest = mnl_attr_nest_start(header, NFTA_CHAIN_HOOK);
	mnl_attr_put_u32(header, NFTA_HOOK_HOOKNUM, htonl(NF_INET_FORWARD));
	mnl_attr_nest_end(header, nest);
	mnl_attr_put_u32(header, NFTA_CHAIN_POLICY, htonl(policy));
	assert_true(filter_rules_chain(&view.filter.rules, header));
}

static int no_filter(void **state)
{
	(void)state;
	filter_fini(&view.filter);
	view.filter = (struct filter){ 0 };
	view.vlans = (struct bridge_vlans_table){ 0 };
	return 0;
}

static void a_firewall_that_drops(void **state)
{
	(void)state;
	add_chain(NFPROTO_IPV6, NF_DROP);
	assert_int_equal(tap_health(), TAP_UP); /* bridged frames do not come by it */
	view.filter.calls_ip6tables = true;
	assert_int_equal(tap_health(), TAP_LIMITED);
	assert_said("sysctl net.bridge.bridge-nf-call-ip6tables=0");
	add_chain(NFPROTO_IPV4, NF_DROP);
	assert_int_equal(tap_health(), TAP_LIMITED);
	view.filter.calls_iptables = true;
	assert_int_equal(tap_health(), TAP_DOWN);
	assert_said("chain FORWARD of table ip filter");
	assert_said("iptables -I FORWARD -m physdev --physdev-is-bridged -j ACCEPT");
	view.filter.calls_iptables = view.filter.calls_ip6tables = false;
	assert_int_equal(tap_health(), TAP_UP);
	links[BR0].bridge.calls_iptables = true; /* this bridge alone */
	assert_int_equal(tap_health(), TAP_DOWN);
	links[BR0].bridge.calls_iptables = false;
	add_chain(NFPROTO_BRIDGE, NF_DROP);
	assert_int_equal(tap_health(), TAP_DOWN);
	assert_said("chain FORWARD of table bridge filter");
	on_its_own("ours");
	assert_int_equal(tap_health(), TAP_UP);
}

static void a_firewall_that_accepts_is_no_alarm(void **state)
{
	(void)state;
	add_chain(NFPROTO_IPV4, NF_ACCEPT);
	add_chain(NFPROTO_INET, NF_ACCEPT);
	view.filter.calls_iptables = view.filter.calls_ip6tables = true;
	assert_int_equal(tap_health(), TAP_UP);
}

static void reserved_addresses_that_the_network_passes(void **state)
{
	(void)state;
	spec.passes = NETWORK_PASS_LLDP;
	assert_int_equal(tap_health(), TAP_LIMITED);
	assert_said("ip link set br0 type bridge group_fwd_mask 0x4000");
	links[BR0].bridge.group_forward_mask = 0x4000;
	assert_int_equal(tap_health(), TAP_UP);
	spec.passes = NETWORK_PASS_LLDP | NETWORK_PASS_LACP; /* that one cannot be set for a bridge */
	assert_int_equal(tap_health(), TAP_LIMITED);
	assert_said("ip link set vm0 type bridge_slave group_fwd_mask 0x4");
	links[VM0].bridge_port.group_forward_mask = 4;
	assert_int_equal(tap_health(), TAP_UP);
	spec.passes = NETWORK_PASS_PAUSE; /* no bridge does */
	assert_int_equal(tap_health(), TAP_UP);
	spec.passes = NETWORK_PASS_STP; /* passes while the bridge does none */
	assert_int_equal(tap_health(), TAP_UP);
	links[BR0].bridge.stp = true;
	assert_int_equal(tap_health(), TAP_LIMITED);
	assert_said("group_fwd_mask 0x5");
	spec.passes = 0;
	assert_int_equal(tap_health(), TAP_UP);
	as_interface();
	spec.passes = UINT32_MAX;
	assert_int_equal(interface_health(), TAP_UP);
}

static void vlans_that_lead_nowhere(void **state)
{
	static struct bridge_vlans_entry entries[2] = { { .index = 3 }, { .index = 4 } };

	(void)state;
	memset(&entries[0].vlans, 0, sizeof(entries[0].vlans));
	bridge_vlans_add(&entries[0].vlans, 1, true);
	entries[0].index = 3;
	entries[1] = (struct bridge_vlans_entry){ .index = 4 };
	view.vlans = (struct bridge_vlans_table){ .entries = entries, .count = 2 };
	spec.vlan = (struct vlan_policy){ .mode = VLAN_ACCESS, .access = 10 };
	assert_int_equal(tap_health(), TAP_UP); /* it does not filter */
	links[BR0].bridge.vlan_filtering = true;
	links[BR0].bridge.default_pvid = 1;
	assert_int_equal(tap_health(), TAP_DOWN);
	assert_said("the bridge br0 filters by VLAN");
	bridge_vlans_add(&entries[0].vlans, 10, false);
	assert_int_equal(tap_health(), TAP_UP);
	spec.vlan = (struct vlan_policy){ .mode = VLAN_TRUNK_ALL };
	assert_int_equal(tap_health(), TAP_UP);
	spec.vlan = (struct vlan_policy){ .mode = VLAN_ACCESS, .access = 20 };
	assert_int_equal(tap_health(), TAP_DOWN);
	entries[1] = entries[0];
	entries[0] = (struct bridge_vlans_entry){ .index = 2 }; /* the host itself, by the bridge */
	bridge_vlans_add(&entries[0].vlans, 20, false);
	assert_int_equal(tap_health(), TAP_UP);
	entries[0].vlans = (struct bridge_vlans){ 0 };
	bridge_vlans_add(&entries[0].vlans, 1, true);
	assert_int_equal(tap_health(), TAP_DOWN);
	view.vlans.count = 1; /* nobody else is there yet */
	assert_int_equal(tap_health(), TAP_UP);
	view.vlans.count = 0;
	assert_int_equal(tap_health(), TAP_UP);
}

/* ---- the MTU of a bridge ------------------------------------------------------------------------------------ */

static void a_bridge_keeps_its_mtu(void **state)
{
	(void)state;
	links[VM0].mtu_bytes = 9000;
	show();
	assert_int_equal(health_bridge_mtu(&view, 2, 1500, 1500), 9000);
	assert_int_equal(health_bridge_mtu(&view, 2, 9200, 1500), 9200);
	links[ETH1].master = 2; /* the smallest of the others' is what the bridge has */
	links[ETH1].mtu_bytes = 4000;
	assert_int_equal(health_bridge_mtu(&view, 2, 1500, 1500), 4000);
	strcpy(links[VM0].alias, "weft other/port"); /* ours do not count */
	links[ETH1].master = 0;
	assert_int_equal(health_bridge_mtu(&view, 2, 1500, 9000), 9000);
	assert_int_equal(health_bridge_mtu(&view, 2, 1500, 0), 1500);
	assert_int_equal(health_bridge_mtu(&view, 5, 1400, 1500), 1500);
}

/* ---- in any state ------------------------------------------------------------------------------------------- */

/* Whatever is told: other than up means a reason, up means none */
static void there_is_a_reason_or_none(void **state)
{
	unsigned int told[TAP_HEALTHS_COUNT] = { 0 };

	(void)state;
	for (unsigned int bits = 0; bits < 1U << 12; bits++) {
		enum tap_health health;

		set_up(state);
		spec.kind = bits & 1 ? ATTACH_TAP : ATTACH_BRIDGE;
		links[OURS].up = bits & 2;
		links[BR0].up = bits & 4;
		links[OURS].master = bits & 8 ? 2 : 0;
		links[OURS].bridge_port.known = bits & 16;
		links[OURS].bridge_port.state = (uint8_t)(bits >> 5 & 7);
		links[VM0].mtu_bytes = bits & 256 ? 1500 : 1280;
		subject.name_now = bits & 512 ? "ours" : NULL;
		subject.takes_frames = bits & 1024;
		subject.index = bits & 2048 ? 4 : 77;
		health = tap_health();
		told[health]++;
		assert_int_equal(health == TAP_UP, !error_is_set(&error));
	}
	for (int i = 0; i < TAP_HEALTHS_COUNT; i++)
		assert_true(told[i] > 0);
}

#define TEST(name) cmocka_unit_test_setup(name, set_up)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(all_is_well),
		TEST(the_device_was_deleted),
		TEST(the_device_was_renamed),
		TEST(the_device_was_set_down),
		TEST(it_is_not_in_its_bridge),
		TEST(the_bridge_is_down),
		TEST(spanning_tree_has_its_states),
		TEST(the_mtu_is_too_small),
		TEST(a_wire_s_end_may_have_any_mtu),
		TEST(what_carries_nothing_is_told_first),
		TEST(a_tap_may_live_elsewhere),
		TEST(but_not_the_tap_of_a_bridge),
		TEST(an_interface_is_well),
		TEST(an_interface_is_its_name),
		cmocka_unit_test_setup_teardown(a_firewall_that_drops, set_up, no_filter),
		cmocka_unit_test_setup_teardown(a_firewall_that_accepts_is_no_alarm, set_up, no_filter),
		cmocka_unit_test_setup_teardown(reserved_addresses_that_the_network_passes, set_up, no_filter),
		cmocka_unit_test_setup_teardown(vlans_that_lead_nowhere, set_up, no_filter),
		TEST(a_bridge_keeps_its_mtu),
		TEST(there_is_a_reason_or_none),
	};

	return cmocka_run_group_tests_name("health", tests, NULL, NULL);
}
