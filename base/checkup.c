/*
 * checkup.c - see checkup.h
 */
#include "base/checkup.h"

#include "base/netlink.h"

#include <arpa/inet.h>
#include <dirent.h>
#include <fcntl.h>
#include <ifaddrs.h>
#include <libmnl/libmnl.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>
#include <net/if.h>
#include <netdb.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/utsname.h>
#include <time.h>
#include <unistd.h>

/* ---- packet filters ---------------------------------------------------------------------------------------- */

static const char *family_name(uint8_t family)
{
	switch (family) {
	case NFPROTO_INET:
		return "inet";
	case NFPROTO_IPV4:
		return "ip";
	case NFPROTO_IPV6:
		return "ip6";
	default:
		return NULL;
	}
}

/* Of one nesting level, by type; those over @max are passed over */
struct attributes {
	const struct nlattr **table;
	uint16_t max;
};

static int note_attribute(const struct nlattr *attr, void *context)
{
	const struct attributes *attributes = context;

	if (mnl_attr_get_type(attr) <= attributes->max)
		attributes->table[mnl_attr_get_type(attr)] = attr;
	return MNL_CB_OK;
}

static bool is_text(const struct nlattr *attr)
{
	return attr && mnl_attr_validate(attr, MNL_TYPE_NUL_STRING) == 0;
}

static bool is_number(const struct nlattr *attr)
{
	return attr && mnl_attr_validate(attr, MNL_TYPE_U32) == 0;
}

/* Return: NULL where the chain is no base chain of those that we ask about */
static const char *hook_of(const struct nlattr *hook)
{
	const struct nlattr *found[NFTA_HOOK_MAX + 1] = { NULL };
	struct attributes attributes = { found, NFTA_HOOK_MAX };

	if (!hook || mnl_attr_parse_nested(hook, note_attribute, &attributes) < 0 ||
		!is_number(found[NFTA_HOOK_HOOKNUM]))
		return NULL;
	switch (ntohl(mnl_attr_get_u32(found[NFTA_HOOK_HOOKNUM]))) {
	case NF_INET_LOCAL_IN:
		return "input";
	case NF_INET_FORWARD:
		return "forward";
	default:
		return NULL;
	}
}

static int take_chain(const struct nlmsghdr *header, void *context)
{
	const struct nfgenmsg *message = mnl_nlmsg_get_payload(header);
	const struct nlattr *found[NFTA_CHAIN_MAX + 1] = { NULL };
	struct attributes attributes = { found, NFTA_CHAIN_MAX };
	const char *family, *hook;
	json_t *out = context, *chain;

	if (mnl_nlmsg_get_payload_len(header) < sizeof(*message) ||
		mnl_attr_parse(header, sizeof(*message), note_attribute, &attributes) < 0)
		return MNL_CB_OK;
	family = family_name(message->nfgen_family);
	hook = hook_of(found[NFTA_CHAIN_HOOK]);
	if (!family || !hook || !is_text(found[NFTA_CHAIN_TABLE]) || !is_text(found[NFTA_CHAIN_NAME]) ||
		json_array_size(out) >= CHECKUP_FILTERS_MAX)
		return MNL_CB_OK;
	chain = json_pack("{s:s, s:s, s:s, s:s}", "family", family, "table", mnl_attr_get_str(found[NFTA_CHAIN_TABLE]),
		"chain", mnl_attr_get_str(found[NFTA_CHAIN_NAME]), "hook", hook);
	if (is_number(found[NFTA_CHAIN_POLICY]))
		json_object_set_new(chain, "policy",
			json_string(ntohl(mnl_attr_get_u32(found[NFTA_CHAIN_POLICY])) == NF_DROP ? "drop" : "accept"));
	if (is_number(found[NFTA_CHAIN_USE]))
		json_object_set_new(chain, "uses", json_integer(ntohl(mnl_attr_get_u32(found[NFTA_CHAIN_USE]))));
	json_array_append_new(out, chain);
	return MNL_CB_OK;
}

/* Return: whether it could be asked */
static bool dump_chains(struct mnl_socket *socket, json_t *out)
{
	_Alignas(struct nlmsghdr) char buffer[8192]; /* what libmnl advises for dumps */
	struct nlmsghdr *header = netlink_begin(buffer, (NFNL_SUBSYS_NFTABLES << 8) | NFT_MSG_GETCHAIN, NLM_F_DUMP);
	struct nfgenmsg *message;
	ssize_t got;
	int more = MNL_CB_OK;

	message = mnl_nlmsg_put_extra_header(header, sizeof(*message));
	message->nfgen_family = AF_UNSPEC;
	message->version = NFNETLINK_V0;
	if (mnl_socket_sendto(socket, header, header->nlmsg_len) < 0)
		return false;
	while (more > MNL_CB_STOP) {
		got = mnl_socket_recvfrom(socket, buffer, sizeof(buffer));
		if (got <= 0)
			return false;
		more = mnl_cb_run(buffer, (size_t)got, 1, mnl_socket_get_portid(socket), take_chain, out);
	}
	return more == MNL_CB_STOP;
}

static void add_filters(json_t *out)
{
	struct mnl_socket *socket = mnl_socket_open2(NETLINK_NETFILTER, SOCK_CLOEXEC);
	json_t *filters = json_array();
	bool good = socket && mnl_socket_bind(socket, 0, MNL_SOCKET_AUTOPID) == 0 && dump_chains(socket, filters);

	if (socket)
		mnl_socket_close(socket);
	json_object_set_new(out, "may_filter", json_boolean(good));
	json_object_set_new(out, "filters", filters);
}

/* ---- the rest ---------------------------------------------------------------------------------------------- */

static void add_addresses(json_t *out)
{
	json_t *addresses = json_array();
	struct ifaddrs *all = NULL;

	if (getifaddrs(&all) < 0)
		all = NULL;
	for (const struct ifaddrs *at = all; at && json_array_size(addresses) < CHECKUP_ADDRESSES_MAX;
		at = at->ifa_next) {
		char text[INET6_ADDRSTRLEN] = "";

		if (!at->ifa_addr || at->ifa_flags & IFF_LOOPBACK)
			continue;
		if (at->ifa_addr->sa_family == AF_INET)
			inet_ntop(AF_INET, &((const struct sockaddr_in *)(const void *)at->ifa_addr)->sin_addr, text,
				sizeof(text));
		else if (at->ifa_addr->sa_family == AF_INET6)
			inet_ntop(AF_INET6, &((const struct sockaddr_in6 *)(const void *)at->ifa_addr)->sin6_addr, text,
				sizeof(text));
		if (text[0])
			json_array_append_new(addresses, json_string(text));
	}
	if (all)
		freeifaddrs(all);
	json_object_set_new(out, "addresses", addresses);
}

static void add_sysctl(json_t *out, const char *name, const char *path)
{
	FILE *file = fopen(path, "re");
	int value;

	if (!file)
		return;
	if (fscanf(file, "%d", &value) == 1)
		json_object_set_new(out, name, json_integer(value));
	fclose(file);
}

static void add_descriptors(json_t *out)
{
	struct rlimit limit;
	DIR *folder = opendir("/proc/self/fd");
	int count = 0;

	if (getrlimit(RLIMIT_NOFILE, &limit) == 0)
		json_object_set_new(out, "nofile", json_integer((json_int_t)limit.rlim_cur));
	if (!folder)
		return;
	while (readdir(folder))
		count++;
	closedir(folder);
	json_object_set_new(out, "descriptors", json_integer(count - 3)); /* "." and "..", and this folder's own */
}

json_t *checkup_machine(void)
{
	json_t *out = json_object(), *sysctl = json_object();
	struct utsname name;
	int tun = open("/dev/net/tun", O_RDWR | O_CLOEXEC);

	if (tun >= 0)
		close(tun);
	json_object_set_new(out, "time", json_integer(time(NULL)));
	if (uname(&name) == 0)
		json_object_set_new(out, "kernel", json_string(name.release));
	json_object_set_new(out, "tun", json_boolean(tun >= 0));
	add_addresses(out);
	add_descriptors(out);
	add_filters(out);
	add_sysctl(sysctl, "net.bridge.bridge-nf-call-iptables", "/proc/sys/net/bridge/bridge-nf-call-iptables");
	add_sysctl(sysctl, "net.bridge.bridge-nf-call-ip6tables", "/proc/sys/net/bridge/bridge-nf-call-ip6tables");
	json_object_set_new(out, "sysctl", sysctl);
	return out;
}

json_t *checkup_resolve(const char *name)
{
	const struct addrinfo hints = { .ai_socktype = SOCK_STREAM };
	json_t *out = json_pack("{s:s}", "name", name), *addresses;
	struct addrinfo *all = NULL;
	int err = getaddrinfo(name, NULL, &hints, &all);

	if (err) {
		json_object_set_new(out, "error", json_string(gai_strerror(err)));
		return out;
	}
	addresses = json_array();
	for (const struct addrinfo *at = all; at && json_array_size(addresses) < CHECKUP_ADDRESSES_MAX;
		at = at->ai_next) {
		char text[NI_MAXHOST];

		if (getnameinfo(at->ai_addr, at->ai_addrlen, text, sizeof(text), NULL, 0, NI_NUMERICHOST) == 0)
			json_array_append_new(addresses, json_string(text));
	}
	freeaddrinfo(all);
	json_object_set_new(out, "addresses", addresses);
	return out;
}
