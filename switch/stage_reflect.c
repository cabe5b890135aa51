/*
 * stage_reflect.c - a frame does not leave by the port that it came in by
 */
#include "switch/network.h"
#include "switch/stage.h"

bool stage_reflect_used(const struct network *network, const struct network_port *port)
{
	(void)network;
	return port;
}

enum stage_next stage_reflect(const struct crossing *crossing, uint16_t vlan, struct egress *egress)
{
	(void)vlan;
	if (egress->port != crossing->packet->in)
		return STAGE_GO_ON;
	egress->action = VLAN_DENY;
	egress->why = SWITCH_DROP_SELF;
	return STAGE_DONE;
}
