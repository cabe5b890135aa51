/*
 * stage_wire.c - a wire has two ends, and every frame passes to the other as it is
 */
#include "switch/forward.h"
#include "switch/network.h"
#include "switch/stage.h"

bool stage_wire_used(const struct network *network, const struct network_port *port)
{
	(void)port;
	return network->mode == NETWORK_WIRE;
}

enum stage_next stage_wire(const struct crossing *crossing, struct verdict *verdict)
{
	const struct network *network = crossing->packet->network;
	const struct network_port *in = crossing->packet->in;

	for (uint32_t i = 0; i < network->ports_count; i++) {
		if (&network->ports[i] != in) {
			forward_add_port(crossing, &network->ports[i], verdict);
			return STAGE_DONE;
		}
	}
	if (!in || network->peers_count == 0)
		return STAGE_GO_ON;
	forward_add_peer(crossing, network->peers[0], verdict);
	return STAGE_DONE;
}
