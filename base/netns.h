/*
 * netns.h - links of other network namespaces, as far as one can reach them from one's own
 *
 * The kernel makes, shows and deletes links of another namespace for who has CAP_NET_ADMIN over it, without entering it, which
 * would take more.  It does not change them: what an end of a veth pair is to be, it has to be from its making on.  Each call as in
 * netlink.h: for control threads.
 */
#ifndef BASE_NETNS_H
#define BASE_NETNS_H

#include "base/netlink.h"

#include <stdbool.h>

#define NETNS_FOLDER "/run/netns" /* ip-netns(8)'s */
#define NETNS_NAME_BYTES 92U

/* Whether @name can name a namespace: a file's name without spaces and what would end a word, 1 to 91 characters */
bool netns_name_ok(const char *name);

/* Return: a descriptor, the caller's; -ENOENT where there is none of that name, -EINVAL where the file is none, or -errno */
int netns_open(const char *name) __attribute__((warn_unused_result));

/**
 * netns_number() - what the kernel calls that namespace in this one
 * @space:	netns_open()'s
 * @out:	as in struct netlink_link's peer_space; -1: it is this one
 *
 * Return: 0 or -errno
 */
int netns_number(int space, int *out) __attribute__((warn_unused_result));

/* As netlink_link_get() and netlink_link_get_by_index(), in the namespace of that number */
int netns_link_get(int number, const char *name, struct netlink_link *out) __attribute__((warn_unused_result));
int netns_link_get_by_index(int number, int index, struct netlink_link *out) __attribute__((warn_unused_result));

/**
 * netns_veth_create() - a veth pair: @outer, down, in this namespace, and @inner, up, in @space
 * @mac:	@inner's
 *
 * Return: 0, -EEXIST where one of both is there, or -errno
 */
int netns_veth_create(const char *outer, int space, const char *inner, const struct mac *mac, uint32_t mtu_bytes)
	__attribute__((warn_unused_result));

#endif /* BASE_NETNS_H */
