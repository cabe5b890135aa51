/*
 * stage_lookup.c - a frame for a station that is known goes there and nowhere else
 */
#include "packet/frame.h"
#include "switch/forward.h"
#include "switch/network.h"
#include "switch/stage.h"

bool stage_lookup_used(const struct network *network, const struct network_port *port)
{
	(void)port;
	return network->mode == NETWORK_SWITCH;
}

enum stage_next stage_lookup(const struct crossing *crossing, struct verdict *verdict)
{
	const struct packet *packet = crossing->packet;
	const struct network *network = packet->network;
	const struct fdb_key key = { .network = network->id,
		.vlan = verdict->vlan,
		.mac = frame_destination(packet->frame) };
	const struct network_port *to;
	struct fdb_location where;

	if (mac_is_group(&key.mac) || !fdb_lookup(crossing->fdb, &key, crossing->now, &where))
		return STAGE_GO_ON;
	if (where.kind == FDB_PEER && network_has_peer(network, where.id)) {
		forward_add_peer(crossing, where.id, verdict);
		return STAGE_DONE;
	}
	to = where.kind == FDB_LOCAL ? network_port_lookup(network, where.id) : NULL;
	if (!to) /* a port or peer that has left the network: as if nothing were known */
		return STAGE_GO_ON;
	forward_add_port(crossing, to, verdict);
	return STAGE_DONE;
}
