/*
 * stage_learn.c - the sender of a frame is where it came from
 */
#include "packet/frame.h"
#include "switch/network.h"
#include "switch/stage.h"

bool stage_learn_used(const struct network *network, const struct network_port *port)
{
	(void)port;
	return network->mode == NETWORK_SWITCH;
}

enum stage_next stage_learn(const struct crossing *crossing, struct verdict *verdict)
{
	const struct packet *packet = crossing->packet;
	const struct fdb_location here = packet->in ? (struct fdb_location){ FDB_LOCAL, packet->in->id }
						    : (struct fdb_location){ FDB_PEER, packet->peer };
	const struct fdb_key source = { .network = packet->network->id,
		.vlan = verdict->vlan,
		.mac = frame_source(packet->frame) };

	verdict->learned = fdb_learn(crossing->fdb, &source, here, crossing->now);
	return STAGE_GO_ON;
}
