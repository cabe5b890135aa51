/*
 * bridge_vlans.h - the VLANs of a bridge's ports, on bridges that filter by VLAN
 *
 * A codec for the kernel's messages, and calls that use it, as netlink.h's: for control threads.  A kernel without VLAN filtering
 * lists none and refuses changes with -EOPNOTSUPP.
 */
#ifndef BASE_BRIDGE_VLANS_H
#define BASE_BRIDGE_VLANS_H

#include <linux/netlink.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define BRIDGE_VLAN_MAX 4094U
#define BRIDGE_VLANS_WORDS (4096U / 64U)
#define BRIDGE_VLANS_MESSAGE_BYTES 1024U

/* Bits by VLAN, 1 to BRIDGE_VLAN_MAX */
struct bridge_vlans {
	uint64_t member[BRIDGE_VLANS_WORDS];
	uint64_t untagged[BRIDGE_VLANS_WORDS]; /* of those: leave the bridge without a tag */
	uint16_t pvid;                         /* of frames that come in without one; 0: they are dropped */
};

bool bridge_vlans_equal(const struct bridge_vlans *a, const struct bridge_vlans *b);
void bridge_vlans_add(struct bridge_vlans *vlans, uint16_t vlan, bool untagged);
bool bridge_vlans_has(const struct bridge_vlans *vlans, uint16_t vlan);

/* Read an RTM_NEWLINK of AF_BRIDGE.  Return: the port's index, 0 where it is none.  @out: none where it does not say */
int bridge_vlans_decode(const struct nlmsghdr *header, struct bridge_vlans *out);

/**
 * bridge_vlans_encode() - a request that adds or takes away VLANs of a port, in runs
 * @type:	RTM_SETLINK or RTM_DELLINK
 * @from:	the first VLAN to look at
 * @buffer:	BRIDGE_VLANS_MESSAGE_BYTES, aligned for a struct nlmsghdr
 *
 * Return: the VLAN to go on from with the next request; 0 where this one has the rest.  An empty request has no VLAN attribute
 */
uint16_t bridge_vlans_encode(uint16_t type, int index, const struct bridge_vlans *vlans, uint16_t from, void *buffer);

/* Of all ports of this namespace's bridges */
struct bridge_vlans_table {
	struct bridge_vlans_entry {
		int index;
		struct bridge_vlans vlans;
	} * entries;
	uint32_t count, room;
};

#define BRIDGE_VLANS_PORTS_MAX 8192U

/* By one question.  Return: 0, with @out to be ended by bridge_vlans_fini(), or -errno */
int bridge_vlans_get(struct bridge_vlans_table *out) __attribute__((warn_unused_result));

/* All zeros are fine */
void bridge_vlans_fini(struct bridge_vlans_table *table);

/* Return: borrowed, NULL where there is no such port */
const struct bridge_vlans *bridge_vlans_of(const struct bridge_vlans_table *table, int index);

/* Have the port @index be in @wanted and no other, where it is in @have.  Return: 0 or -errno */
int bridge_vlans_change(int index, const struct bridge_vlans *have, const struct bridge_vlans *wanted)
	__attribute__((warn_unused_result));

#endif /* BASE_BRIDGE_VLANS_H */
