/*
 * netlink.c - see netlink.h
 */
#include "base/netlink.h"

#include "base/link_decode.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <libmnl/libmnl.h>
#include <linux/if_ether.h>
#include <linux/if_link.h>
#include <linux/pkt_cls.h>
#include <linux/pkt_sched.h>
#include <linux/rtnetlink.h>
#include <linux/tc_act/tc_mirred.h>
#include <net/if.h>
#include <net/if_arp.h>

#define REQUEST_BYTES 1024U
#define REPLY_BYTES 32768U /* as iproute2: a link with all its attributes */

struct request {
	_Alignas(struct nlmsghdr) char bytes[REQUEST_BYTES];
	struct nlmsghdr *header;
};

struct nlmsghdr *netlink_begin(void *buffer, uint16_t type, uint16_t flags)
{
	struct nlmsghdr *header = mnl_nlmsg_put_header(buffer);

	header->nlmsg_type = type;
	header->nlmsg_flags = NLM_F_REQUEST | flags;
	header->nlmsg_seq = 1;
	return header;
}

static void request_init(struct request *request, uint16_t type, uint16_t flags, int index)
{
	struct ifinfomsg *info;

	request->header = netlink_begin(request->bytes, type, flags);
	info = mnl_nlmsg_put_extra_header(request->header, sizeof(*info));
	info->ifi_family = AF_UNSPEC;
	info->ifi_index = index;
}

int netlink_ask(const struct nlmsghdr *request, mnl_cb_t each, void *context)
{
	_Alignas(struct nlmsghdr) char reply[REPLY_BYTES];
	struct mnl_socket *socket = mnl_socket_open2(NETLINK_ROUTE, SOCK_CLOEXEC);
	int more = MNL_CB_OK, err = 0;
	ssize_t got;

	if (!socket)
		return -errno;
	if (mnl_socket_bind(socket, 0, MNL_SOCKET_AUTOPID) < 0 ||
		mnl_socket_sendto(socket, request, request->nlmsg_len) < 0)
		err = -errno;
	while (!err && more > MNL_CB_STOP) {
		got = mnl_socket_recvfrom(socket, reply, sizeof(reply));
		if (got < 0 && errno == EINTR)
			continue;
		more = got < 0 ? -1 : mnl_cb_run(reply, (size_t)got, 1, mnl_socket_get_portid(socket), each, context);
		if (more < 0)
			err = -errno;
	}
	mnl_socket_close(socket);
	return err;
}

int netlink_change(const struct nlmsghdr *request)
{
	return netlink_ask(request, NULL, NULL);
}

static int converse(const struct request *request, mnl_cb_t each, void *context)
{
	return netlink_ask(request->header, each, context);
}

static int change(const struct request *request)
{
	return netlink_change(request->header);
}

static int read_link(const struct nlmsghdr *header, void *context)
{
	if (header->nlmsg_type == RTM_NEWLINK)
		(void)link_decode(header, context);
	return MNL_CB_OK;
}

static int get(const struct request *request, struct netlink_link *out)
{
	int err = converse(request, read_link, out);

	return err ? err : out->index == 0 ? -ENODEV : 0;
}

int netlink_link_get(const char *name, struct netlink_link *out)
{
	struct request request;

	memset(out, 0, sizeof(*out));
	if (strlen(name) >= NETLINK_NAME_BYTES)
		return -ENODEV; /* no link can be called that */
	request_init(&request, RTM_GETLINK, NLM_F_ACK, 0);
	mnl_attr_put_strz(request.header, IFLA_IFNAME, name);
	return get(&request, out);
}

int netlink_link_get_by_index(int index, struct netlink_link *out)
{
	struct request request;

	memset(out, 0, sizeof(*out));
	if (index <= 0)
		return -ENODEV;
	request_init(&request, RTM_GETLINK, NLM_F_ACK, index);
	return get(&request, out);
}

bool netlink_link_is_bridge(const struct netlink_link *link)
{
	return strcmp(link->kind, "bridge") == 0;
}

int netlink_link_set_up(int index, bool up)
{
	struct request request;
	struct ifinfomsg *info;

	request_init(&request, RTM_NEWLINK, NLM_F_ACK, index);
	info = mnl_nlmsg_get_payload(request.header);
	info->ifi_change = IFF_UP;
	info->ifi_flags = up ? IFF_UP : 0;
	return change(&request);
}

static int set_u32(int index, uint16_t attribute, uint32_t value)
{
	struct request request;

	request_init(&request, RTM_NEWLINK, NLM_F_ACK, index);
	mnl_attr_put_u32(request.header, attribute, value);
	return change(&request);
}

int netlink_link_set_mtu(int index, uint32_t mtu_bytes)
{
	return set_u32(index, IFLA_MTU, mtu_bytes);
}

int netlink_link_set_tx_queue(int index, uint32_t len_pkts)
{
	return set_u32(index, IFLA_TXQLEN, len_pkts);
}

int netlink_link_set_master(int index, int bridge)
{
	return set_u32(index, IFLA_MASTER, (uint32_t)bridge);
}

int netlink_link_set_mac(int index, const struct mac *mac)
{
	struct request request;

	request_init(&request, RTM_NEWLINK, NLM_F_ACK, index);
	mnl_attr_put(request.header, IFLA_ADDRESS, MAC_BYTES, mac->bytes);
	return change(&request);
}

static void put_quiet(struct nlmsghdr *header)
{
	struct nlattr *families = mnl_attr_nest_start(header, IFLA_AF_SPEC);
	struct nlattr *inet6 = mnl_attr_nest_start(header, AF_INET6);

	mnl_attr_put_u8(header, IFLA_INET6_ADDR_GEN_MODE, IN6_ADDR_GEN_MODE_NONE);
	mnl_attr_nest_end(header, inet6);
	mnl_attr_nest_end(header, families);
}

int netlink_link_set_quiet(int index)
{
	struct request request;

	request_init(&request, RTM_NEWLINK, NLM_F_ACK, index);
	put_quiet(request.header);
	return change(&request);
}

int netlink_link_delete(int index)
{
	struct request request;

	if (index <= 0)
		return -ENODEV; /* 0 would leave the choice to the kernel */
	request_init(&request, RTM_DELLINK, NLM_F_ACK, index);
	return change(&request);
}

static int add_bridge(const char *name)
{
	struct nlattr *info, *data;
	struct request request;

	request_init(&request, RTM_NEWLINK, NLM_F_ACK | NLM_F_CREATE | NLM_F_EXCL, 0);
	mnl_attr_put_strz(request.header, IFLA_IFNAME, name);
	info = mnl_attr_nest_start(request.header, IFLA_LINKINFO);
	mnl_attr_put_strz(request.header, IFLA_INFO_KIND, "bridge");
	data = mnl_attr_nest_start(request.header, IFLA_INFO_DATA);
	mnl_attr_put_u8(request.header, IFLA_BR_MCAST_SNOOPING, 0);
	mnl_attr_nest_end(request.header, data);
	mnl_attr_nest_end(request.header, info);
	return change(&request);
}

int netlink_link_set_alias(int index, const char *alias)
{
	struct request request;

	request_init(&request, RTM_NEWLINK, NLM_F_ACK, index);
	mnl_attr_put_strz(request.header, IFLA_IFALIAS, alias);
	return change(&request);
}

int netlink_bridge_create(const char *name, const char *alias, int *index)
{
	struct netlink_link link;
	int err;

	if (strlen(name) >= NETLINK_NAME_BYTES || strlen(alias) >= NETLINK_ALIAS_BYTES)
		return -EINVAL;
	err = add_bridge(name);
	if (err)
		return err;
	err = netlink_link_get(name, &link);
	if (err)
		return err;
	err = netlink_link_set_alias(link.index, alias);
	if (!err) {
		/* without IPv6 in the kernel there is nothing to keep quiet */
		err = netlink_link_set_quiet(link.index);
		err = err == -EAFNOSUPPORT || err == -EOPNOTSUPP ? 0 : err;
	}
	if (!err)
		err = netlink_link_set_up(link.index, true);
	if (err) {
		(void)!netlink_link_delete(link.index);
		return err;
	}
	*index = link.index;
	return 0;
}

static int set_in_data(int index, uint16_t kind, uint16_t data, uint16_t attribute, uint16_t value)
{
	struct nlattr *info, *nest;
	struct request request;

	request_init(&request, RTM_NEWLINK, NLM_F_ACK, index);
	info = mnl_attr_nest_start(request.header, IFLA_LINKINFO);
	mnl_attr_put_strz(request.header, kind, "bridge");
	nest = mnl_attr_nest_start(request.header, data);
	mnl_attr_put_u16(request.header, attribute, value);
	mnl_attr_nest_end(request.header, nest);
	mnl_attr_nest_end(request.header, info);
	return change(&request);
}

int netlink_bridge_set_groups(int bridge, uint16_t mask)
{
	return set_in_data(bridge, IFLA_INFO_KIND, IFLA_INFO_DATA, IFLA_BR_GROUP_FWD_MASK, mask);
}

int netlink_bridge_port_set_groups(int index, uint16_t mask)
{
	return set_in_data(index, IFLA_INFO_SLAVE_KIND, IFLA_INFO_SLAVE_DATA, IFLA_BRPORT_GROUP_FWD_MASK, mask);
}

struct port_count {
	int bridge;
	int ports;
};

static int count_port(const struct nlmsghdr *header, void *context)
{
	struct port_count *count = context;
	struct netlink_link link;

	if (header->nlmsg_type != RTM_NEWLINK)
		return MNL_CB_OK;
	(void)link_decode(header, &link);
	count->ports += link.master == count->bridge;
	return MNL_CB_OK;
}

int netlink_bridge_count_ports(int bridge)
{
	struct port_count count = { .bridge = bridge };
	struct request request;
	int err;

	request_init(&request, RTM_GETLINK, NLM_F_DUMP, 0);
	do {
		count.ports = 0;
		err = converse(&request, count_port, &count);
	} while (err == -EINTR); /* links came or went while the kernel listed them */
	return err ? err : count.ports;
}

/* ---- redirecting ---------------------------------------------------------------------------------------------- */

#define CLSACT_INGRESS TC_H_MAKE(TC_H_CLSACT, TC_H_MIN_INGRESS)

static void tc_request_init(struct request *request, uint16_t type, uint16_t flags, int index, uint32_t parent)
{
	struct tcmsg *message;

	request->header = netlink_begin(request->bytes, type, NLM_F_ACK | flags);
	message = mnl_nlmsg_put_extra_header(request->header, sizeof(*message));
	message->tcm_family = AF_UNSPEC;
	message->tcm_ifindex = index;
	message->tcm_parent = parent;
}

static int change_clsact(int index, uint16_t type, uint16_t flags)
{
	struct request request;
	struct tcmsg *message;

	tc_request_init(&request, type, flags, index, TC_H_CLSACT);
	message = mnl_nlmsg_get_payload(request.header);
	message->tcm_handle = TC_H_MAKE(TC_H_CLSACT, 0);
	mnl_attr_put_strz(request.header, TCA_KIND, "clsact");
	return change(&request);
}

static void put_redirect(struct nlmsghdr *header, int to)
{
	const struct tc_mirred mirred = {
		.action = TC_ACT_STOLEN,
		.eaction = TCA_EGRESS_REDIR,
		.ifindex = (uint32_t)to,
	};
	struct nlattr *actions = mnl_attr_nest_start(header, TCA_U32_ACT);
	struct nlattr *action = mnl_attr_nest_start(header, 1);
	struct nlattr *options;

	mnl_attr_put_strz(header, TCA_ACT_KIND, "mirred");
	options = mnl_attr_nest_start(header, TCA_ACT_OPTIONS);
	mnl_attr_put(header, TCA_MIRRED_PARMS, sizeof(mirred), &mirred);
	mnl_attr_nest_end(header, options);
	mnl_attr_nest_end(header, action);
	mnl_attr_nest_end(header, actions);
}

static void filter_request_init(struct request *request, uint16_t type, uint16_t flags, int index, uint16_t priority)
{
	struct tcmsg *message;

	tc_request_init(request, type, flags, index, CLSACT_INGRESS);
	message = mnl_nlmsg_get_payload(request->header);
	message->tcm_info = TC_H_MAKE((uint32_t)priority << 16, htons(ETH_P_ALL));
	mnl_attr_put_strz(request->header, TCA_KIND, "u32");
}

static int add_filter(int from, int to, uint16_t priority)
{
	const struct tc_u32_sel selector = { .flags = TC_U32_TERMINAL, .nkeys = 1 };
	uint8_t all[sizeof(selector) + sizeof(struct tc_u32_key)] = { 0 }; /* a key without bits: of every packet */
	struct request request;
	struct nlattr *options;

	filter_request_init(&request, RTM_NEWTFILTER, NLM_F_CREATE | NLM_F_EXCL, from, priority);
	options = mnl_attr_nest_start(request.header, TCA_OPTIONS);
	memcpy(all, &selector, sizeof(selector));
	mnl_attr_put(request.header, TCA_U32_SEL, sizeof(all), all);
	put_redirect(request.header, to);
	mnl_attr_nest_end(request.header, options);
	return change(&request);
}

int netlink_redirect_add(int from, int to, uint16_t priority, bool *qdisc_made)
{
	int err = change_clsact(from, RTM_NEWQDISC, NLM_F_CREATE | NLM_F_EXCL);

	*qdisc_made = err == 0;
	if (err && err != -EEXIST)
		return err;
	(void)!netlink_redirect_remove(from, priority, false);
	return add_filter(from, to, priority);
}

int netlink_redirect_remove(int from, uint16_t priority, bool qdisc)
{
	struct request request;

	if (qdisc)
		return change_clsact(from, RTM_DELQDISC, 0);
	filter_request_init(&request, RTM_DELTFILTER, 0, from, priority);
	return change(&request);
}

/* ---- all of them --------------------------------------------------------------------------------------------- */

static bool grow(struct netlink_links *links)
{
	const uint32_t room = links->room ? 2 * links->room : 64;
	struct netlink_link *items;

	if (links->count < links->room)
		return true;
	if (links->count >= NETLINK_LINKS_MAX)
		return false;
	items = realloc(links->items, room * sizeof(*items));
	if (!items)
		return false;
	links->items = items;
	links->room = room;
	return true;
}

static int add_link(const struct nlmsghdr *header, void *context)
{
	struct netlink_links *links = context;

	if (header->nlmsg_type != RTM_NEWLINK)
		return MNL_CB_OK;
	if (!grow(links)) {
		errno = ENOMEM;
		return MNL_CB_ERROR;
	}
	links->count += link_decode(header, &links->items[links->count]);
	return MNL_CB_OK;
}

static int compare_indices(const void *left, const void *right)
{
	const struct netlink_link *a = left, *b = right;

	return a->index < b->index ? -1 : a->index > b->index;
}

static int compare_names(const void *left, const void *right)
{
	const struct netlink_link *const *a = left, *const *b = right;

	return strcmp((*a)->name, (*b)->name);
}

static int sort(struct netlink_links *links)
{
	if (!links->count)
		return 0;
	links->by_name = malloc(links->count * sizeof(*links->by_name));
	if (!links->by_name)
		return -ENOMEM;
	qsort(links->items, links->count, sizeof(*links->items), compare_indices);
	for (uint32_t i = 0; i < links->count; i++)
		links->by_name[i] = &links->items[i];
	qsort(links->by_name, links->count, sizeof(*links->by_name), compare_names);
	return 0;
}

int netlink_links_get(struct netlink_links *out)
{
	struct request request;
	int err;

	*out = (struct netlink_links){ 0 };
	request_init(&request, RTM_GETLINK, NLM_F_DUMP, 0);
	mnl_attr_put_u32(request.header, IFLA_EXT_MASK, RTEXT_FILTER_SKIP_STATS);
	do {
		out->count = 0;
		err = converse(&request, add_link, out);
	} while (err == -EINTR); /* links came or went while the kernel listed them */
	if (!err)
		err = sort(out);
	if (err)
		netlink_links_fini(out);
	return err;
}

void netlink_links_fini(struct netlink_links *links)
{
	free(links->items);
	free(links->by_name);
	*links = (struct netlink_links){ 0 };
}

const struct netlink_link *netlink_links_at(const struct netlink_links *links, int index)
{
	const struct netlink_link key = { .index = index };

	return links->count ? bsearch(&key, links->items, links->count, sizeof(key), compare_indices) : NULL;
}

const struct netlink_link *netlink_links_named(const struct netlink_links *links, const char *name)
{
	struct netlink_link key = { 0 };
	const struct netlink_link *pointer = &key;
	struct netlink_link **found;

	if (!links->count || strlen(name) >= sizeof(key.name))
		return NULL;
	memcpy(key.name, name, strlen(name));
	found = bsearch(&pointer, links->by_name, links->count, sizeof(pointer), compare_names);
	return found ? *found : NULL;
}
