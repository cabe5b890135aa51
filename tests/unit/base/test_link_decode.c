/*
 * test_link_decode.c - what kernels say of a link, this one's and others'
 *
 * The messages are written by the kernel's formats (linux/if_link.h), as a Debian 12 kernel sends them for
 *
 *	ip link add br0 type bridge vlan_filtering 1 stp_state 1 group_fwd_mask 0x4000
 *	ip tuntap add wf1 mode tap multi_queue && ip link set wf1 master br0
 */
#include "base/link_decode.h"

#include <libmnl/libmnl.h>
#include <linux/if_link.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static _Alignas(struct nlmsghdr) char buffer[4096];

static struct nlmsghdr *begin(int index, unsigned int flags, const char *name)
{
	struct nlmsghdr *header = mnl_nlmsg_put_header(buffer);
	struct ifinfomsg *info;

	header->nlmsg_type = RTM_NEWLINK;
	info = mnl_nlmsg_put_extra_header(header, sizeof(*info));
	info->ifi_index = index;
	info->ifi_flags = flags;
	mnl_attr_put_strz(header, IFLA_IFNAME, name);
	return header;
}

static struct nlmsghdr *a_bridge(void)
{
	struct nlmsghdr *header = begin(7, IFF_UP | IFF_RUNNING, "br0");
	struct nlattr *info, *data;

	mnl_attr_put_u32(header, IFLA_MTU, 9000);
	mnl_attr_put_strz(header, IFLA_IFALIAS, "weft");
	info = mnl_attr_nest_start(header, IFLA_LINKINFO);
	mnl_attr_put_strz(header, IFLA_INFO_KIND, "bridge");
	data = mnl_attr_nest_start(header, IFLA_INFO_DATA);
	mnl_attr_put_u32(header, IFLA_BR_FORWARD_DELAY, 1500);
	mnl_attr_put_u32(header, IFLA_BR_STP_STATE, 1);
	mnl_attr_put_u16(header, IFLA_BR_GROUP_FWD_MASK, 0x4000);
	mnl_attr_put_u8(header, IFLA_BR_VLAN_FILTERING, 1);
	mnl_attr_put_u8(header, IFLA_BR_NF_CALL_IPTABLES, 1);
	mnl_attr_put_u8(header, IFLA_BR_NF_CALL_IP6TABLES, 0);
	mnl_attr_nest_end(header, data);
	mnl_attr_nest_end(header, info);
	return header;
}

static struct nlmsghdr *a_port(void)
{
	const uint8_t mac[] = { 0xfe, 1, 2, 3, 4, 5 };
	struct nlmsghdr *header = begin(8, IFF_UP, "wf1");
	struct nlattr *info, *data;

	mnl_attr_put_u32(header, IFLA_MTU, 1500);
	mnl_attr_put_u32(header, IFLA_MASTER, 7);
	mnl_attr_put(header, IFLA_ADDRESS, sizeof(mac), mac);
	mnl_attr_put_strz(header, IFLA_IFALIAS, "weft lab/port");
	info = mnl_attr_nest_start(header, IFLA_LINKINFO);
	mnl_attr_put_strz(header, IFLA_INFO_KIND, "tun");
	data = mnl_attr_nest_start(header, IFLA_INFO_DATA);
	mnl_attr_put_u32(header, IFLA_TUN_NUM_QUEUES, 2);
	mnl_attr_nest_end(header, data);
	mnl_attr_put_str(header, IFLA_INFO_SLAVE_KIND, "bridge");
	data = mnl_attr_nest_start(header, IFLA_INFO_SLAVE_DATA);
	mnl_attr_put_u8(header, IFLA_BRPORT_STATE, 2);
	mnl_attr_put_u16(header, IFLA_BRPORT_GROUP_FWD_MASK, 4);
	mnl_attr_nest_end(header, data);
	mnl_attr_nest_end(header, info);
	return header;
}

static void a_bridge_says_how_it_is_set(void **state)
{
	struct netlink_link link;

	(void)state;
	assert_true(link_decode(a_bridge(), &link));
	assert_int_equal(link.index, 7);
	assert_string_equal(link.name, "br0");
	assert_string_equal(link.alias, "weft");
	assert_int_equal(link.mtu_bytes, 9000);
	assert_true(link.up && link.running && netlink_link_is_bridge(&link));
	assert_true(link.bridge.stp && link.bridge.vlan_filtering && link.bridge.calls_iptables);
	assert_false(link.bridge.calls_ip6tables);
	assert_int_equal(link.bridge.forward_delay_ms, 15000);
	assert_int_equal(link.bridge.group_forward_mask, 0x4000);
	assert_false(link.bridge_port.known);
}

static void a_port_says_whose_it_is_and_how_far(void **state)
{
	struct netlink_link link;

	(void)state;
	assert_true(link_decode(a_port(), &link));
	assert_int_equal(link.master, 7);
	assert_true(link.up && !link.running);
	assert_int_equal(link.mac.bytes[0], 0xfe);
	assert_int_equal(link.tun_queues, 2);
	assert_true(link.bridge_port.known);
	assert_int_equal(link.bridge_port.state, 2);
	assert_int_equal(link.bridge_port.group_forward_mask, 4);
	assert_false(link.bridge.vlan_filtering);
}

/* Memory of exactly that length, for the sanitizers; the header says so too, or says more is there than fits its attributes */
static void every_length(void **state)
{
	struct nlmsghdr *(*const messages[])(void) = { a_bridge, a_port };

	(void)state;
	for (size_t i = 0; i < 2; i++) {
		const uint32_t whole = messages[i]()->nlmsg_len;

		for (uint32_t bytes = sizeof(struct nlmsghdr); bytes <= whole; bytes++) {
			struct nlmsghdr *copy = malloc(bytes);
			struct netlink_link link;

			memcpy(copy, messages[i](), bytes);
			copy->nlmsg_len = bytes;
			if (link_decode(copy, &link))
				assert_true(bytes >= MNL_NLMSG_HDRLEN + sizeof(struct ifinfomsg));
			free(copy);
		}
	}
}

static void other_messages_are_none(void **state)
{
	struct nlmsghdr *header = a_bridge();
	struct netlink_link link;

	(void)state;
	header->nlmsg_type = RTM_DELLINK;
	assert_false(link_decode(header, &link));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_bridge_says_how_it_is_set),
		cmocka_unit_test(a_port_says_whose_it_is_and_how_far),
		cmocka_unit_test(every_length),
		cmocka_unit_test(other_messages_are_none),
	};

	return cmocka_run_group_tests_name("link_decode", tests, NULL, NULL);
}
