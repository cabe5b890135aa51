/*
 * netlink.h - links of this network namespace: look at them, make bridges, change them
 *
 * Each call opens a route socket, asks, waits for the kernel's answer and closes it: for control threads, never
 * per packet.  Everything acts in the calling thread's network namespace.  Neighbours: tap/ (attachments);
 * underlay/addresses.h, which hears of changes.  Addresses and routes are never changed here.
 */
#ifndef BASE_NETLINK_H
#define BASE_NETLINK_H

#include <stdbool.h>
#include <stdint.h>

#include "base/addr.h"

#define NETLINK_NAME_BYTES 16U /* IFNAMSIZ */
#define NETLINK_ALIAS_BYTES 256U

/* What a bridge is set to */
struct netlink_bridge {
	bool stp;                             /* the kernel's or a daemon's */
	bool vlan_filtering;                  /* false where the kernel has none */
	bool calls_iptables, calls_ip6tables; /* it alone; br_netfilter may do it for all */
	uint16_t group_forward_mask;          /* bit N: frames to 01-80-C2-00-00-0N are forwarded */
	uint16_t default_pvid;                /* VLAN of what comes in untagged by a port that says nothing; 0: none */
	uint32_t forward_delay_ms;
};

/* What a link is as a bridge's port */
struct netlink_bridge_port {
	bool known;                  /* it is one */
	uint8_t state;               /* BR_STATE_... */
	uint16_t group_forward_mask; /* of frames that come in by it */
};

struct netlink_link {
	int index;
	int master; /* index of the bridge (or bond) that it is a port of, 0 for none */
	int lower;  /* index of the link that it stands on (VLAN, macvlan), of this namespace; 0 for none */
	uint32_t mtu_bytes;
	bool loopback;
	bool up;        /* as the administrator wants it */
	bool running;   /* as it is: up and with a carrier */
	struct mac mac; /* zeros where it has no Ethernet address */
	char name[NETLINK_NAME_BYTES];
	char kind[NETLINK_NAME_BYTES];   /* "bridge", "tun", "veth"..., "" for hardware */
	char alias[NETLINK_ALIAS_BYTES]; /* free text on the device, "" for none */
	int peer;                        /* a veth's other end by its index, 0 for none */
	int peer_space;                  /* the number (netns.h) of the namespace that that is in, -1 for this one */
	uint32_t tun_queues;             /* "tun" with several queues: those that programs hold now */
	uint64_t rx_dropped_pkts;
	uint64_t tx_dropped_pkts;
	struct netlink_bridge bridge; /* where it is one */
	struct netlink_bridge_port bridge_port;
};

/* Return: 0, -ENODEV where there is no such link, or -errno */
int netlink_link_get(const char *name, struct netlink_link *out) __attribute__((warn_unused_result));
int netlink_link_get_by_index(int index, struct netlink_link *out) __attribute__((warn_unused_result));

bool netlink_link_is_bridge(const struct netlink_link *link);

/*
 * Each of these: 0, -ENODEV where the link is gone, -EPERM without CAP_NET_ADMIN, or the kernel's -errno
 * (-ERANGE or -EINVAL for an MTU that the device cannot do).
 */
int netlink_link_set_up(int index, bool up) __attribute__((warn_unused_result));
int netlink_link_set_mtu(int index, uint32_t mtu_bytes) __attribute__((warn_unused_result));
int netlink_link_set_mac(int index, const struct mac *mac) __attribute__((warn_unused_result));
/* At most NETLINK_ALIAS_BYTES - 1 */
int netlink_link_set_alias(int index, const char *alias) __attribute__((warn_unused_result));
int netlink_link_set_tx_queue(int index, uint32_t len_pkts) __attribute__((warn_unused_result));
/* Make @index a port of the bridge @bridge; 0 takes it out of the one that it is in */
int netlink_link_set_master(int index, int bridge) __attribute__((warn_unused_result));
/* No IPv6 link-local address by itself (addrgenmode none), so that the host does not speak on it unasked */
int netlink_link_set_quiet(int index) __attribute__((warn_unused_result));
int netlink_link_delete(int index) __attribute__((warn_unused_result));

/**
 * netlink_bridge_create() - a new bridge, up, that floods multicast (no snooping) and has no addresses
 * @alias:	text left on the device, so that its maker knows it again
 * @index:	out, only on success
 *
 * Return: 0, -EEXIST where a link of that name is there, or -errno
 */
int netlink_bridge_create(const char *name, const char *alias, int *index) __attribute__((warn_unused_result));

/**
 * netlink_redirect_add() - all that comes in on @from leaves by @to, and goes nowhere else (tc: clsact, u32, mirred)
 * @priority:	of the filter: one of that priority that is there already is replaced
 * @qdisc_made:	out: whether the qdisc was missing
 *
 * Return: 0, or -errno: -ENOENT or -EOPNOTSUPP where the kernel lacks a part of it
 */
int netlink_redirect_add(int from, int to, uint16_t priority, bool *qdisc_made) __attribute__((warn_unused_result));

/* @qdisc: take the qdisc away too.  Return: 0 or -errno, -ENOENT or -EINVAL where there was none */
int netlink_redirect_remove(int from, uint16_t priority, bool qdisc) __attribute__((warn_unused_result));

/* Return: how many ports the bridge @bridge has, or -errno */
int netlink_bridge_count_ports(int bridge) __attribute__((warn_unused_result));

struct nlmsghdr;

/* @buffer: aligned for a struct nlmsghdr, and large enough; @flags: besides NLM_F_REQUEST.  Return: the message begun there */
struct nlmsghdr *netlink_begin(void *buffer, uint16_t type, uint16_t flags);

/* Ask on a socket of its own and hand each answer to @each, a mnl_cb_t.  Return: 0 or -errno; -EINTR: what was listed has changed */
int netlink_ask(const struct nlmsghdr *request, int (*each)(const struct nlmsghdr *header, void *context),
	void *context) __attribute__((warn_unused_result));

/* The same for a change that has no answer but yes or no */
int netlink_change(const struct nlmsghdr *request) __attribute__((warn_unused_result));

/* Which reserved addresses a bridge forwards, or those frames of them that come in by one port */
int netlink_bridge_set_groups(int bridge, uint16_t mask) __attribute__((warn_unused_result));
int netlink_bridge_port_set_groups(int index, uint16_t mask) __attribute__((warn_unused_result));

#define NETLINK_LINKS_MAX 65536U

/* All links of this network namespace at one moment */
struct netlink_links {
	struct netlink_link *items;    /* sorted by index; without their counters */
	struct netlink_link **by_name; /* sorted */
	uint32_t count, room;
};

/* By one question, however many there are.  Return: 0, with @out to be ended by netlink_links_fini(), or -errno */
int netlink_links_get(struct netlink_links *out) __attribute__((warn_unused_result));

/* All zeros are fine */
void netlink_links_fini(struct netlink_links *links);

/* Return: borrowed from @links, NULL where there is none */
const struct netlink_link *netlink_links_at(const struct netlink_links *links, int index);
const struct netlink_link *netlink_links_named(const struct netlink_links *links, const char *name);

#endif /* BASE_NETLINK_H */
