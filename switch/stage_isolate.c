/*
 * stage_isolate.c - isolated ports of this host do not hear each other
 */
#include "switch/network.h"
#include "switch/stage.h"

bool stage_isolate_used(const struct network *network, const struct network_port *port)
{
	(void)network;
	return port && port->isolated;
}

enum stage_next stage_isolate(const struct crossing *crossing, uint16_t vlan, struct egress *egress)
{
	(void)vlan;
	if (!crossing->packet->in || !crossing->packet->in->isolated)
		return STAGE_GO_ON;
	egress->action = VLAN_DENY;
	egress->why = SWITCH_DROP_ISOLATED;
	return STAGE_DONE;
}
