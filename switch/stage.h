/*
 * stage.h - the ordered stages of a decision
 *
 * Theory of operation.  A packet that came in by a port or from a peer goes through the ingress stages, which end in a verdict;
 * each way out that they choose goes through the egress stages first, which may deny it or say what becomes of its tag.  A
 * stage is one file, switch/stage_NAME.c, with two functions, and one row below:
 *
 *	stage_NAME_used()	whether there is anything for it to do on this network, at this port (NULL: for peers)
 *	stage_NAME()		its part of the decision
 *
 * When a network is built (network.c), each of its ports, and its peers together, get the list of the stages that they use, in
 * the order of the rows, so that a stage which nobody uses costs nothing.
 *
 * Decisions are kept for the run of a flow (overlay/datapath/decide.h).  A stage says by its row what of a packet it looks at,
 * and a network where a stage looks at more than such a run has in common decides about each packet anew.  So a stage that is
 * added, such as a filter by L4 ports, cannot be passed by.
 *
 * Stages decide and send nothing; any worker may run them, within an RCU reader's section for the network.
 */
#ifndef SWITCH_STAGE_H
#define SWITCH_STAGE_H

#include "base/clock.h"
#include "packet/packet.h"
#include "switch/fdb.h"
#include "switch/vlan.h"
#include "switch/verdict.h"

#include <stdbool.h>
#include <stdint.h>

struct network;
struct network_port;

/* What of a packet a stage looks at, as bits.  The network and where the packet came from may always be looked at */
enum stage_looks {
	STAGE_LOOKS_DESTINATION = 1U << 0, /* MAC */
	STAGE_LOOKS_SOURCE = 1U << 1,      /* MAC */
	STAGE_LOOKS_TAG = 1U << 2,         /* the outer one, and so the VLAN */
	STAGE_LOOKS_L3 = 1U << 3,          /* ethertype, addresses, protocol */
	STAGE_LOOKS_L4 = 1U << 4,          /* ports, flags */
	STAGE_LOOKS_ALL = 1U << 5, /* length, time, contents, how many there were: each packet is its own case */
};

/* What the packets of a run have in common */
#define STAGE_LOOKS_KEPT (STAGE_LOOKS_DESTINATION | STAGE_LOOKS_SOURCE | STAGE_LOOKS_TAG)

/*
 * In order: file's name, what it looks at
 *
 * member, a peer sends only where its host has a port.  wire, every frame to the other end.  source, no group address.
 * reserved, link-local control protocols by class.  admit, the port's VLANs.  learn, where the source is.  lookup, where the
 * destination is.  flood, to everybody.  nowhere, the end: always there.
 */
#define STAGES_INGRESS(X)                                    \
	X(member, 0)                                         \
	X(wire, 0)                                           \
	X(source, STAGE_LOOKS_SOURCE)                        \
	X(reserved, STAGE_LOOKS_DESTINATION)                 \
	X(admit, STAGE_LOOKS_TAG)                            \
	X(learn, STAGE_LOOKS_SOURCE | STAGE_LOOKS_TAG)       \
	X(lookup, STAGE_LOOKS_DESTINATION | STAGE_LOOKS_TAG) \
	X(flood, 0)                                          \
	X(nowhere, 0)

/*
 * reflect, not back to where it came from.  horizon, not from peer to peer.
 * leave, the port's VLANs, and the tag.  fit, on networks without fragments: not over the path's size.  It is asked for every
 * piece that a packet was cut to, once the path is known, and never as part of a decision that is kept.
 */
#define STAGES_EGRESS(X)          \
	X(reflect, 0)             \
	X(horizon, 0)             \
	X(leave, STAGE_LOOKS_TAG) \
	X(fit, 0)

enum stage_next {
	STAGE_GO_ON,
	STAGE_DONE, /* the verdict stands */
};

/* What an ingress stage decides about, and by */
struct crossing {
	const struct packet *packet; /* with its network, and its port or peer */
	struct fdb *fdb;
	struct instant now;
};

/* One way out */
struct egress {
	const struct network_port *port; /* NULL: to a peer */
	size_t room_bytes;               /* to a peer, what its path carries as one frame; 0: not yet known */
	enum vlan_action action;         /* out: VLAN_DENY where it must not */
	enum switch_result why;          /* out: with VLAN_DENY */
	uint32_t too_big_mtu;            /* out: what the sender is to be told, 0 for nothing */
};

typedef enum stage_next stage_ingress(const struct crossing *crossing, struct verdict *verdict);
typedef enum stage_next stage_egress(const struct crossing *crossing, uint16_t vlan, struct egress *egress);

#define X(name, looks)                                                                            \
	bool stage_##name##_used(const struct network *network, const struct network_port *port); \
	stage_ingress stage_##name;
STAGES_INGRESS(X)
#undef X
#define X(name, looks)                                                                            \
	bool stage_##name##_used(const struct network *network, const struct network_port *port); \
	stage_egress stage_##name;
STAGES_EGRESS(X)
#undef X

enum stage_number {
#define X(name, looks) STAGE_INGRESS_##name,
	STAGES_INGRESS(X)
#undef X
		STAGES_INGRESS_COUNT,
	STAGE_EGRESS_BEGIN = -1,
#define X(name, looks) STAGE_EGRESS_##name,
	STAGES_EGRESS(X)
#undef X
		STAGES_EGRESS_COUNT,
};

/* The stages that a port, or a network's peers together, use; constant once the network is built */
struct stage_list {
	uint8_t ingress_count; /* at least one; the last always says STAGE_DONE */
	uint8_t egress_count;
	uint32_t looks; /* of all of these, enum stage_looks */
	stage_ingress *ingress[STAGES_INGRESS_COUNT];
	stage_egress *egress[STAGES_EGRESS_COUNT];
};

/* For @port of @network, or with NULL for its peers */
void stage_list_build(struct stage_list *list, const struct network *network, const struct network_port *port);

#endif /* SWITCH_STAGE_H */
