/*
 * forward.h - where a frame goes
 *
 * The rules of a learning switch, a hub and a wire: learning, lookup, flooding, split horizon, reserved addresses
 * and VLANs.
 * Decides and sends nothing; any worker may call it, within an RCU reader's section for @network.
 *
 * A flood goes to every port of network->ports for which forward_egress() does not say VLAN_DENY, and where
 * verdict.to_peers says so to every peer of network->peers, once, in the form that vlan_egress_fabric() gives.
 */
#ifndef SWITCH_FORWARD_H
#define SWITCH_FORWARD_H

#include "base/addr.h"
#include "base/clock.h"
#include "switch/fdb.h"
#include "switch/network.h"
#include "switch/vlan.h"

/* name, counter as operators see it */
#define SWITCH_DROPS(X)                          \
	X(NOT_MEMBER, "switch-not-member")       \
	X(GROUP_SOURCE, "switch-group-source")   \
	X(RESERVED, "switch-reserved")           \
	X(VLAN_DENIED, "switch-vlan-denied")     \
	X(SELF, "switch-self")                   \
	X(ISOLATED, "switch-isolated")           \
	X(SPLIT_HORIZON, "switch-split-horizon") \
	X(NOWHERE, "switch-nowhere")

/*
 * NOT_MEMBER, a peer sent on a network that its host has no port on.  GROUP_SOURCE, the source is a group address.
 * RESERVED, 01-80-C2-00-00-0x that this switch does not pass.  VLAN_DENIED, by the port's policy.  SELF, the
 * destination is where the frame came from.  ISOLATED, from an isolated port to another.  SPLIT_HORIZON, from a peer for what
 * is behind a peer.  NOWHERE, nobody else is on the network.
 */
enum switch_result {
	SWITCH_OK,
#define X(name, text) SWITCH_DROP_##name,
	SWITCH_DROPS(X)
#undef X
		SWITCH_RESULTS
};

const char *switch_result_name(enum switch_result result);

enum verdict_kind {
	VERDICT_DROP,
	VERDICT_PORT,
	VERDICT_PEER,
	VERDICT_FLOOD,
};

/* A frame as far as forwarding looks at it */
struct forward_frame {
	struct mac destination;
	struct mac source;
	struct vlan_form form;
};

struct verdict {
	enum verdict_kind kind;
	enum switch_result result;       /* SWITCH_OK, or with VERDICT_DROP the drop to count */
	enum fdb_result learned;         /* an event to count (per network, where it is a move), or FDB_OK */
	uint16_t vlan;                   /* the frame's, for forward_egress() and vlan_egress_fabric() */
	bool unknown;                    /* VERDICT_FLOOD: because nothing was known, not because it is a group */
	bool to_peers;                   /* VERDICT_FLOOD: to the member peers as well */
	const struct network_port *port; /* VERDICT_PORT; borrowed from the network */
	uint32_t peer;                   /* VERDICT_PEER: slot */
};

/**
 * forward_from_port() - decide on a frame that a local port let in
 * @in:		one of @network's ports
 * @out:	written whole
 */
void forward_from_port(const struct network *network, struct fdb *fdb, const struct network_port *in,
	const struct forward_frame *frame, struct instant now, struct verdict *out);

/**
 * forward_from_peer() - decide on a frame that the authenticated peer @peer sent on @network
 *
 * A peer that is not on the network teaches nothing.
 */
void forward_from_peer(const struct network *network, struct fdb *fdb, uint32_t peer, const struct forward_frame *frame,
	struct instant now, struct verdict *out);

/**
 * forward_egress() - what to do to the frame so that it leaves by @to
 * @in:		the port it came from; NULL where a peer sent it
 *
 * Return: VLAN_DENY where it must not: @to is @in, both are isolated, or the VLAN is not @to's
 */
enum vlan_action forward_egress(const struct network_port *to, const struct network_port *in, uint16_t vlan,
	struct vlan_form form) __attribute__((warn_unused_result));

#endif /* SWITCH_FORWARD_H */
