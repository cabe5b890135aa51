/*
 * verdict.h - what the switch says about a packet: where it goes, and in which form
 *
 * A set of outputs, in the order of their kinds: ports first, then answers, then peers, since a packet is changed in place for
 * peers.  Neighbours: the stages (stage.h) write it, overlay/ carries it out.
 */
#ifndef SWITCH_VERDICT_H
#define SWITCH_VERDICT_H

#include "switch/fdb.h"
#include "switch/vlan.h"

#include <assert.h>
#include <stdint.h>

struct network_port;

/* name, counter as operators see it, what it means and what to do (weft help drop) */
#define SWITCH_DROPS(X)                                                                                         \
	X(NOT_MEMBER, "switch-not-member",                                                                      \
		"A peer sent on a network that its host has no port on. For a moment after a change that is "   \
		"ordinary; if it goes on, that host has an old topology: see weft get hosts.")                  \
	X(GROUP_SOURCE, "switch-group-source",                                                                  \
		"A frame whose sender is a group address, which no station may use. Find the guest that sends " \
		"it (tcpdump -e on its port) and mend its MAC address.")                                        \
	X(RESERVED, "switch-reserved",                                                                          \
		"A link-local control frame (STP, pause, LACP, LLDP and others), which stops at a switch. "     \
		"Ordinary; a network that is to carry them has pass: in the lab file.")                         \
	X(VLAN_DENIED, "switch-vlan-denied",                                                                    \
		"A frame of a VLAN that its port does not carry, on the way in, or on the way to the one port " \
		"that it is for. Compare vlan: of the port (weft get ports) with the tags that the guest "      \
		"sends.")                                                                                       \
	X(VLAN_NOBODY, "switch-vlan-nobody",                                                                    \
		"A broadcast, multicast or unknown destination in a VLAN that no port at hand carries, and no " \
		"other host is to get. Ordinary where the ports of a network carry different VLANs; else "      \
		"compare vlan: in weft get ports.")                                                             \
	X(SELF, "switch-self",                                                                                  \
		"The destination is on the side that the frame came from, as a bridge that floods sends it. "   \
		"Ordinary; many at a steady rate mean a loop or a MAC address in use twice.")                   \
	X(SPLIT_HORIZON, "switch-split-horizon",                                                                \
		"A peer sent a frame for a station that this host knows behind another peer: it moved a "       \
		"moment ago. Ordinary for a moment after a move; else the MAC address is in use on two hosts "  \
		"(weft get macs).")                                                                             \
	X(NOWHERE, "switch-nowhere",                                                                            \
		"There is no other port on the network, here or on any host. Add one to the lab file, or "      \
		"ignore it until there is.")                                                                    \
	X(TOO_BIG, "frame-too-big",                                                                             \
		"A frame over the path's size, on a network with fragment: false; its sender was told by ICMP " \
		"where it speaks IP. Lower the guests' MTU to what weft status peers allows, or let the "       \
		"network fragment.")

/*
 * NOT_MEMBER, a peer sent on a network that its host has no port on.  GROUP_SOURCE, the source is a group address.
 * RESERVED, 01-80-C2-00-00-0x that this switch does not pass.  VLAN_DENIED, by the port's policy.  VLAN_NOBODY, by the policies of
 * all ports that a flood was for: where these are several, whoever carries the verdict out finds that.  SELF, the
 * destination is where the frame came from.  SPLIT_HORIZON, from a peer for what
 * is behind a peer.  NOWHERE, nobody else is on the network.  TOO_BIG, over the path's size, on a network without fragments.
 */
enum switch_result {
	SWITCH_OK,
#define X(name, text, why) SWITCH_DROP_##name,
	SWITCH_DROPS(X)
#undef X
		SWITCH_RESULTS
};

enum output_kind {
	OUTPUT_PORT,    /* @port */
	OUTPUT_PORTS,   /* every port of the network that forward_to_port() does not deny */
	OUTPUT_TOO_BIG, /* an answer to whoever sent it: as one IP packet, @number bytes would fit */
	OUTPUT_PEER,    /* @number, a slot */
	OUTPUT_PEERS,   /* every peer of the network */
};

struct output {
	uint8_t kind;   /* enum output_kind */
	uint8_t action; /* enum vlan_action: what becomes of the tag; of OUTPUT_PORTS it differs by port */
	uint32_t number;
	const struct network_port *port; /* borrowed from the network */
};

#define VERDICT_OUTPUTS_MAX 6U

struct verdict {
	enum switch_result result; /* SWITCH_OK, or the drop to count, beside whatever outputs there are */
	enum fdb_result learned;   /* an event to count (per network, where it is a move), or FDB_OK */
	uint16_t vlan;             /* the packet's */
	uint8_t outputs_count;
	struct output outputs[VERDICT_OUTPUTS_MAX];
};

/* Add to the set.  Past VERDICT_OUTPUTS_MAX is a mistake of the stages' */
static inline void verdict_add(struct verdict *verdict, struct output output)
{
	uint32_t at = verdict->outputs_count++;

	assert(at < VERDICT_OUTPUTS_MAX);
	for (; at > 0 && verdict->outputs[at - 1].kind > output.kind; at--)
		verdict->outputs[at] = verdict->outputs[at - 1];
	verdict->outputs[at] = output;
}

#endif /* SWITCH_VERDICT_H */
