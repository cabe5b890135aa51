/*
 * stage_flood.c - to everybody: groups, stations that are not known, and all that a hub gets
 */
#include "switch/forward.h"
#include "switch/network.h"
#include "switch/stage.h"

bool stage_flood_used(const struct network *network, const struct network_port *port)
{
	(void)port;
	return network->mode != NETWORK_WIRE;
}

/* Return: the network's one port but @in, NULL where there are more */
static const struct network_port *only_other(const struct network *network, const struct network_port *in)
{
	if (network->ports_count != 1U + !!in)
		return NULL;
	return in == &network->ports[0] ? &network->ports[1] : &network->ports[0];
}

enum stage_next stage_flood(const struct crossing *crossing, struct verdict *verdict)
{
	const struct network *network = crossing->packet->network;
	const struct network_port *in = crossing->packet->in, *only = only_other(network, in);
	uint32_t ports = network->ports_count - !!in, peers = in ? network->peers_count : 0;

	if (only) {
		forward_add_port(crossing, only, verdict);
		/* a port that does not carry the VLAN is passed over, which is a drop where there is nobody else */
		verdict->result = verdict->outputs_count || peers > 0 ? SWITCH_OK : SWITCH_DROP_VLAN_NOBODY;
	} else if (ports > 0) {
		verdict_add(verdict, (struct output){ .kind = OUTPUT_PORTS });
	}
	if (peers > 0)
		forward_add_peers(crossing, verdict);
	return ports + peers > 0 ? STAGE_DONE : STAGE_GO_ON;
}
