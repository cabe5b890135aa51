/*
 * netns.c - see netns.h
 */
#include "base/netns.h"

#include "base/link_decode.h"

#include <errno.h>
#include <fcntl.h>
#include <libmnl/libmnl.h>
#include <linux/if_link.h>
#include <linux/magic.h>
#include <linux/net_namespace.h>
#include <linux/rtnetlink.h>
#include <linux/veth.h>
#include <net/if.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#define REQUEST_BYTES 1024U
#define NO_NUMBER (-1)
#define OWN_SPACE "/proc/self/ns/net"

struct request {
	_Alignas(struct nlmsghdr) char bytes[REQUEST_BYTES];
	struct nlmsghdr *header;
};

bool netns_name_ok(const char *name)
{
	if (!*name || strlen(name) >= NETNS_NAME_BYTES || strcmp(name, ".") == 0 || strcmp(name, "..") == 0)
		return false;
	for (const char *at = name; *at; at++)
		if (*at <= ' ' || *at >= 0x7f || strchr("/:%", *at))
			return false;
	return true;
}

int netns_open(const char *name)
{
	char path[sizeof(NETNS_FOLDER) + NETNS_NAME_BYTES];
	struct statfs kind;
	int fd;

	if (!netns_name_ok(name))
		return -EINVAL;
	snprintf(path, sizeof(path), NETNS_FOLDER "/%s", name);
	fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	if (fd < 0)
		return -errno;
	/* what is left of one after its mount is gone is an empty file */
	if (fstatfs(fd, &kind) == 0 && kind.f_type == NSFS_MAGIC)
		return fd;
	close(fd);
	return -EINVAL;
}

/* ---- its number -------------------------------------------------------------------------------------------- */

static void begin_number(struct request *request, uint16_t type, int space)
{
	struct rtgenmsg *general;

	request->header = netlink_begin(request->bytes, type, NLM_F_ACK);
	general = mnl_nlmsg_put_extra_header(request->header, sizeof(*general));
	general->rtgen_family = AF_UNSPEC;
	mnl_attr_put_u32(request->header, NETNSA_FD, (uint32_t)space);
}

static int read_attribute(const struct nlattr *attr, void *context)
{
	if (mnl_attr_get_type(attr) == NETNSA_NSID && mnl_attr_get_payload_len(attr) == sizeof(int32_t))
		*(int *)context = (int)mnl_attr_get_u32(attr);
	return MNL_CB_OK;
}

static int read_number(const struct nlmsghdr *header, void *context)
{
	if (header->nlmsg_type != RTM_NEWNSID)
		return MNL_CB_OK;
	return mnl_attr_parse(header, sizeof(struct rtgenmsg), read_attribute, context);
}

static int ask_number(int space, int *out)
{
	struct request request;

	*out = NO_NUMBER;
	begin_number(&request, RTM_GETNSID, space);
	return netlink_ask(request.header, read_number, out);
}

static bool is_ours(int space)
{
	struct stat ours, theirs;

	return stat(OWN_SPACE, &ours) == 0 && fstat(space, &theirs) == 0 && ours.st_ino == theirs.st_ino &&
		ours.st_dev == theirs.st_dev;
}

int netns_number(int space, int *out)
{
	struct request request;
	int err = ask_number(space, out);

	if (err || *out != NO_NUMBER || is_ours(space))
		return err;
	begin_number(&request, RTM_NEWNSID, space);
	mnl_attr_put_u32(request.header, NETNSA_NSID, (uint32_t)NO_NUMBER); /* whichever is free */
	err = netlink_change(request.header);
	return err && err != -EEXIST ? err : ask_number(space, out);
}

/* ---- links ------------------------------------------------------------------------------------------------- */

static void begin_link(struct request *request, uint16_t type, uint16_t flags, int index)
{
	struct ifinfomsg *info;

	request->header = netlink_begin(request->bytes, type, NLM_F_ACK | flags);
	info = mnl_nlmsg_put_extra_header(request->header, sizeof(*info));
	info->ifi_family = AF_UNSPEC;
	info->ifi_index = index;
}

static int read_link(const struct nlmsghdr *header, void *context)
{
	(void)link_decode(header, context);
	return MNL_CB_OK;
}

static int get(struct request *request, int number, struct netlink_link *out)
{
	int err;

	*out = (struct netlink_link){ .index = 0 };
	if (number != NO_NUMBER)
		mnl_attr_put_u32(request->header, IFLA_TARGET_NETNSID, (uint32_t)number);
	err = netlink_ask(request->header, read_link, out);
	return err ? err : out->index == 0 ? -ENODEV : 0;
}

int netns_link_get(int number, const char *name, struct netlink_link *out)
{
	struct request request;

	if (strlen(name) >= NETLINK_NAME_BYTES)
		return -ENODEV;
	begin_link(&request, RTM_GETLINK, 0, 0);
	mnl_attr_put_strz(request.header, IFLA_IFNAME, name);
	return get(&request, number, out);
}

int netns_link_get_by_index(int number, int index, struct netlink_link *out)
{
	struct request request;

	if (index <= 0)
		return -ENODEV;
	begin_link(&request, RTM_GETLINK, 0, index);
	return get(&request, number, out);
}

/* Our end, as the other end of a pair whose first is being described */
static void put_peer(struct nlmsghdr *header, int ours, const char *outer, uint32_t mtu_bytes)
{
	struct nlattr *peer = mnl_attr_nest_start(header, VETH_INFO_PEER);
	struct ifinfomsg *info = mnl_nlmsg_put_extra_header(header, sizeof(*info));

	info->ifi_family = AF_UNSPEC;
	mnl_attr_put_strz(header, IFLA_IFNAME, outer);
	mnl_attr_put_u32(header, IFLA_MTU, mtu_bytes);
	mnl_attr_put_u32(header, IFLA_NET_NS_FD, (uint32_t)ours);
	mnl_attr_nest_end(header, peer);
}

/* The inner end is the first, since only that can be up from its making on: the kernel makes the peer before it */
static int create(int ours, const char *outer, int space, const char *inner, const struct mac *mac, uint32_t mtu_bytes)
{
	struct nlattr *kind, *data;
	struct request request;
	struct ifinfomsg *info;

	begin_link(&request, RTM_NEWLINK, NLM_F_CREATE | NLM_F_EXCL, 0);
	info = mnl_nlmsg_get_payload(request.header);
	info->ifi_flags = info->ifi_change = IFF_UP;
	mnl_attr_put_strz(request.header, IFLA_IFNAME, inner);
	mnl_attr_put(request.header, IFLA_ADDRESS, MAC_BYTES, mac->bytes);
	mnl_attr_put_u32(request.header, IFLA_MTU, mtu_bytes);
	mnl_attr_put_u32(request.header, IFLA_NET_NS_FD, (uint32_t)space);
	kind = mnl_attr_nest_start(request.header, IFLA_LINKINFO);
	mnl_attr_put_strz(request.header, IFLA_INFO_KIND, "veth");
	data = mnl_attr_nest_start(request.header, IFLA_INFO_DATA);
	put_peer(request.header, ours, outer, mtu_bytes);
	mnl_attr_nest_end(request.header, data);
	mnl_attr_nest_end(request.header, kind);
	return netlink_change(request.header);
}

int netns_veth_create(const char *outer, int space, const char *inner, const struct mac *mac, uint32_t mtu_bytes)
{
	int ours, err;

	if (strlen(outer) >= NETLINK_NAME_BYTES || strlen(inner) >= NETLINK_NAME_BYTES)
		return -EINVAL;
	ours = open(OWN_SPACE, O_RDONLY | O_CLOEXEC);
	if (ours < 0)
		return -errno;
	err = create(ours, outer, space, inner, mac, mtu_bytes);
	close(ours);
	return err;
}
