/*
 * stage_horizon.c - what came from a peer never leaves to a peer: each sends to all the others itself
 */
#include "switch/network.h"
#include "switch/stage.h"

bool stage_horizon_used(const struct network *network, const struct network_port *port)
{
	(void)network;
	return !port;
}

enum stage_next stage_horizon(const struct crossing *crossing, uint16_t vlan, struct egress *egress)
{
	(void)vlan;
	if (crossing->packet->in)
		return STAGE_GO_ON;
	egress->action = VLAN_DENY;
	egress->why = SWITCH_DROP_SPLIT_HORIZON;
	return STAGE_DONE;
}
