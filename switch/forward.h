/*
 * forward.h - where a packet goes
 *
 * The rules of a learning switch, a hub and a wire, one stage after the other (stage.h has which, and in what order).  Decides
 * and sends nothing; any worker may call it, within an RCU reader's section for the network.
 */
#ifndef SWITCH_FORWARD_H
#define SWITCH_FORWARD_H

#include "switch/network.h"
#include "switch/stage.h"
#include "switch/verdict.h"

#include <stdbool.h>
#include <stdint.h>

/**
 * forward() - decide on a packet
 * @crossing:	its packet is parsed, and came in by a port of its network, or from an authenticated peer
 * @out:	written whole
 *
 * A peer that is not on the network teaches nothing.
 */
void forward(const struct crossing *crossing, struct verdict *out);

/* Return: whether forward() says the same of all packets that agree in STAGE_LOOKS_KEPT and in where they came from */
bool forward_is_kept(const struct packet *packet);

/**
 * forward_to_port() - whether the packet of VLAN @vlan may leave by @port, and in which form
 *
 * Return: VLAN_DENY where it must not
 */
enum vlan_action forward_to_port(const struct crossing *crossing, const struct network_port *port, uint16_t vlan)
	__attribute__((warn_unused_result));

/**
 * forward_piece() - whether a packet for a peer, or a piece of one, may go by a path
 * @crossing:	its packet is the piece, parsed
 * @room_bytes:	what the path carries as one frame
 * @out:	written whole: the drop to count, and the answer to be given; nothing where it may go, as fragments if need be
 */
void forward_piece(const struct crossing *crossing, size_t room_bytes, struct verdict *out);

/* ---- for the stages ---------------------------------------------------------------------------------------------- */

/* Add one way out where its egress stages let it; else @verdict says why not */
void forward_add(const struct crossing *crossing, struct output output, struct verdict *verdict);

static inline void forward_add_port(const struct crossing *crossing, const struct network_port *port,
	struct verdict *verdict)
{
	forward_add(crossing, (struct output){ .kind = OUTPUT_PORT, .port = port }, verdict);
}

static inline void forward_add_peer(const struct crossing *crossing, uint32_t peer, struct verdict *verdict)
{
	forward_add(crossing, (struct output){ .kind = OUTPUT_PEER, .number = peer }, verdict);
}

static inline void forward_add_peers(const struct crossing *crossing, struct verdict *verdict)
{
	forward_add(crossing, (struct output){ .kind = OUTPUT_PEERS }, verdict);
}

#endif /* SWITCH_FORWARD_H */
