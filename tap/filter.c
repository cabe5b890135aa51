/*
 * filter.c - see filter.h
 */
#include "tap/filter.h"

#include "base/netlink.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <libmnl/libmnl.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>
#include <unistd.h>

#define REQUEST_BYTES 256U
#define REPLY_BYTES 32768U

/* The file is not there where br_netfilter is not */
static bool is_on(const char *path)
{
	char value = '0';
	int fd = open(path, O_RDONLY | O_CLOEXEC);

	if (fd < 0)
		return false;
	if (read(fd, &value, 1) != 1)
		value = '0';
	close(fd);
	return value != '0';
}

static void read_switches(struct filter *filter)
{
	filter->calls_iptables = is_on("/proc/sys/net/bridge/bridge-nf-call-iptables");
	filter->calls_ip6tables = is_on("/proc/sys/net/bridge/bridge-nf-call-ip6tables");
}

/* Ask, and hand each answer to @each.  Return: 0 or -errno */
static int ask(uint16_t message, uint16_t flags, mnl_cb_t each, void *context)
{
	_Alignas(struct nlmsghdr) char request[REQUEST_BYTES], reply[REPLY_BYTES];
	struct mnl_socket *socket = mnl_socket_open2(NETLINK_NETFILTER, SOCK_CLOEXEC);
	struct nlmsghdr *header = netlink_begin(request, (uint16_t)(NFNL_SUBSYS_NFTABLES << 8 | message), flags);
	struct nfgenmsg *generic;
	int more = MNL_CB_OK;
	ssize_t got;

	if (!socket)
		return -errno;
	generic = mnl_nlmsg_put_extra_header(header, sizeof(*generic));
	*generic = (struct nfgenmsg){ .nfgen_family = AF_UNSPEC, .version = NFNETLINK_V0 };
	if (mnl_socket_bind(socket, 0, MNL_SOCKET_AUTOPID) < 0 ||
		mnl_socket_sendto(socket, header, header->nlmsg_len) < 0)
		more = MNL_CB_ERROR;
	while (more > MNL_CB_STOP) {
		got = mnl_socket_recvfrom(socket, reply, sizeof(reply));
		if (got < 0 && errno == EINTR)
			continue;
		more = got < 0 ? MNL_CB_ERROR
			       : mnl_cb_run(reply, (size_t)got, 1, mnl_socket_get_portid(socket), each, context);
	}
	mnl_socket_close(socket);
	return more < 0 ? -errno : 0;
}

static int read_generation(const struct nlmsghdr *header, void *context)
{
	const struct nlattr *attr;
	uint32_t *generation = context;

	mnl_attr_for_each(attr, header, sizeof(struct nfgenmsg))
	{
		if (mnl_attr_get_type(attr) == NFTA_GEN_ID && mnl_attr_get_payload_len(attr) == sizeof(uint32_t))
			*generation = ntohl(mnl_attr_get_u32(attr));
	}
	return MNL_CB_OK;
}

/* Return: 0 where the kernel has no nf_tables */
static uint32_t generation_now(void)
{
	uint32_t generation = 0;

	return ask(NFT_MSG_GETGEN, NLM_F_ACK, read_generation, &generation) == 0 ? generation : 0;
}

static int add_chain(const struct nlmsghdr *header, void *context)
{
	return filter_rules_chain(context, header) ? MNL_CB_OK : MNL_CB_ERROR;
}

static int add_rule(const struct nlmsghdr *header, void *context)
{
	return filter_rules_rule(context, header) ? MNL_CB_OK : MNL_CB_ERROR;
}

/* Rules may change while they are listed: then another generation is seen at the next look, and they are read again */
void filter_take(struct filter *filter)
{
	*filter = (struct filter){ 0 };
	read_switches(filter);
	filter->generation = generation_now();
	if (!filter->generation)
		return;
	if (ask(NFT_MSG_GETCHAIN, NLM_F_DUMP, add_chain, &filter->rules) < 0 ||
		(filter_rules_forward(&filter->rules) &&
			ask(NFT_MSG_GETRULE, NLM_F_DUMP, add_rule, &filter->rules) < 0))
		filter_rules_fini(&filter->rules); /* half of them would tell lies */
}

bool filter_has_changed(const struct filter *filter)
{
	struct filter now = { 0 };

	read_switches(&now);
	return now.calls_iptables != filter->calls_iptables || now.calls_ip6tables != filter->calls_ip6tables ||
		generation_now() != filter->generation;
}

void filter_fini(struct filter *filter)
{
	filter_rules_fini(&filter->rules);
}
