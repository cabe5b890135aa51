/*
 * link_decode.c - see link_decode.h
 */
#include "base/link_decode.h"

#include <libmnl/libmnl.h>
#include <linux/if_link.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <string.h>

static void copy_text(char *out, size_t cap_bytes, const struct nlattr *attr)
{
	size_t len = strnlen(mnl_attr_get_str(attr), mnl_attr_get_payload_len(attr));

	if (len >= cap_bytes)
		len = cap_bytes - 1;
	memcpy(out, mnl_attr_get_str(attr), len);
	out[len] = '\0';
}

/* An integer of @bytes, where the attribute is that long; otherwise what it was */
static uint32_t number(const struct nlattr *attr, size_t bytes, uint32_t otherwise)
{
	if (mnl_attr_get_payload_len(attr) != bytes)
		return otherwise;
	switch (bytes) {
	case sizeof(uint8_t):
		return mnl_attr_get_u8(attr);
	case sizeof(uint16_t):
		return mnl_attr_get_u16(attr);
	default:
		return mnl_attr_get_u32(attr);
	}
}

static int read_tun(const struct nlattr *attr, void *context)
{
	struct netlink_link *link = context;

	if (mnl_attr_get_type(attr) == IFLA_TUN_NUM_QUEUES)
		link->tun_queues = number(attr, sizeof(uint32_t), 0);
	return MNL_CB_OK;
}

static int read_bridge(const struct nlattr *attr, void *context)
{
	struct netlink_bridge *bridge = context;

	switch (mnl_attr_get_type(attr)) {
	case IFLA_BR_STP_STATE:
		bridge->stp = number(attr, sizeof(uint32_t), 0) != 0;
		break;
	case IFLA_BR_FORWARD_DELAY:
		bridge->forward_delay_ms = number(attr, sizeof(uint32_t), 0) * 10;
		break;
	case IFLA_BR_GROUP_FWD_MASK:
		bridge->group_forward_mask = (uint16_t)number(attr, sizeof(uint16_t), 0);
		break;
	case IFLA_BR_VLAN_FILTERING:
		bridge->vlan_filtering = number(attr, sizeof(uint8_t), 0) != 0;
		break;
	case IFLA_BR_VLAN_DEFAULT_PVID:
		bridge->default_pvid = (uint16_t)number(attr, sizeof(uint16_t), 0);
		break;
	case IFLA_BR_NF_CALL_IPTABLES:
		bridge->calls_iptables = number(attr, sizeof(uint8_t), 0) != 0;
		break;
	case IFLA_BR_NF_CALL_IP6TABLES:
		bridge->calls_ip6tables = number(attr, sizeof(uint8_t), 0) != 0;
		break;
	default:
		break;
	}
	return MNL_CB_OK;
}

static int read_bridge_port(const struct nlattr *attr, void *context)
{
	struct netlink_bridge_port *port = context;

	switch (mnl_attr_get_type(attr)) {
	case IFLA_BRPORT_STATE:
		port->known = mnl_attr_get_payload_len(attr) == sizeof(uint8_t);
		port->state = (uint8_t)number(attr, sizeof(uint8_t), 0);
		break;
	case IFLA_BRPORT_GROUP_FWD_MASK:
		port->group_forward_mask = (uint16_t)number(attr, sizeof(uint16_t), 0);
		break;
	default:
		break;
	}
	return MNL_CB_OK;
}

static bool has_text(const struct nlattr *attr, const char *text)
{
	const size_t bytes = mnl_attr_get_payload_len(attr), wanted = strlen(text);

	return bytes >= wanted && bytes <= wanted + 1 && memcmp(mnl_attr_get_payload(attr), text, wanted) == 0;
}

struct kinds {
	struct netlink_link *link;
	bool in_bridge;
};

/* The kernel sends a kind before its data */
static int read_kind(const struct nlattr *attr, void *context)
{
	struct kinds *kinds = context;
	struct netlink_link *link = kinds->link;

	switch (mnl_attr_get_type(attr)) {
	case IFLA_INFO_KIND:
		copy_text(link->kind, sizeof(link->kind), attr);
		break;
	case IFLA_INFO_DATA:
		if (strcmp(link->kind, "tun") == 0)
			return mnl_attr_parse_nested(attr, read_tun, link);
		if (netlink_link_is_bridge(link))
			return mnl_attr_parse_nested(attr, read_bridge, &link->bridge);
		break;
	case IFLA_INFO_SLAVE_KIND:
		kinds->in_bridge = has_text(attr, "bridge");
		break;
	case IFLA_INFO_SLAVE_DATA:
		if (kinds->in_bridge)
			return mnl_attr_parse_nested(attr, read_bridge_port, &link->bridge_port);
		break;
	default:
		break;
	}
	return MNL_CB_OK;
}

static void read_counters(const struct nlattr *attr, struct netlink_link *link)
{
	struct rtnl_link_stats64 stats = { 0 };
	size_t len = mnl_attr_get_payload_len(attr);

	/* older and newer kernels send less and more of it */
	memcpy(&stats, mnl_attr_get_payload(attr), len < sizeof(stats) ? len : sizeof(stats));
	link->rx_dropped_pkts = stats.rx_dropped;
	link->tx_dropped_pkts = stats.tx_dropped;
}

static int read_attribute(const struct nlattr *attr, void *context)
{
	struct netlink_link *link = context;

	switch (mnl_attr_get_type(attr)) {
	case IFLA_IFNAME:
		copy_text(link->name, sizeof(link->name), attr);
		break;
	case IFLA_IFALIAS:
		copy_text(link->alias, sizeof(link->alias), attr);
		break;
	case IFLA_MTU:
		link->mtu_bytes = number(attr, sizeof(uint32_t), 0);
		break;
	case IFLA_MASTER:
		link->master = (int)number(attr, sizeof(uint32_t), 0);
		break;
	case IFLA_LINK:
		link->lower = link->peer = (int)number(attr, sizeof(uint32_t), 0);
		break;
	case IFLA_LINK_NETNSID:
		link->lower = 0; /* sent behind the other, and makes another namespace's of it */
		link->peer_space = (int)number(attr, sizeof(uint32_t), (uint32_t)-1);
		break;
	case IFLA_ADDRESS:
		if (mnl_attr_get_payload_len(attr) == MAC_BYTES)
			memcpy(link->mac.bytes, mnl_attr_get_payload(attr), MAC_BYTES);
		break;
	case IFLA_STATS64:
		read_counters(attr, link);
		break;
	case IFLA_LINKINFO:
		return mnl_attr_parse_nested(attr, read_kind, &(struct kinds){ .link = link });
	default:
		break;
	}
	return MNL_CB_OK;
}

bool link_decode(const struct nlmsghdr *header, struct netlink_link *out)
{
	const struct ifinfomsg *info = mnl_nlmsg_get_payload(header);

	memset(out, 0, sizeof(*out));
	/* attributes are padded, and so is what ends with one; libmnl takes the padding for granted */
	if (header->nlmsg_type != RTM_NEWLINK || header->nlmsg_len < MNL_NLMSG_HDRLEN + sizeof(*info) ||
		header->nlmsg_len % MNL_ALIGNTO)
		return false;
	out->peer_space = -1;
	out->index = info->ifi_index;
	out->up = info->ifi_flags & IFF_UP;
	out->running = out->up && (info->ifi_flags & IFF_RUNNING);
	out->loopback = info->ifi_flags & IFF_LOOPBACK;
	if (mnl_attr_parse(header, sizeof(*info), read_attribute, out) < MNL_CB_STOP)
		return false;
	if (strcmp(out->kind, "veth") == 0)
		out->lower = 0; /* its other end, which it does not stand on */
	return true;
}
