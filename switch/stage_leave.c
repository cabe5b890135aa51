/*
 * stage_leave.c - whether a port carries the frame's VLAN, and what becomes of its tag there, or on the way to a peer; vlan.h
 * has the rules
 */
#include "switch/network.h"
#include "switch/stage.h"

bool stage_leave_used(const struct network *network, const struct network_port *port)
{
	return network->retags || (port && port->vlan.mode == VLAN_TRUNK_LIST);
}

enum stage_next stage_leave(const struct crossing *crossing, uint16_t vlan, struct egress *egress)
{
	const struct frame_info *info = &crossing->packet->info;
	const struct vlan_form form = { .tagged = info->tagged, .tci = info->tci };

	egress->action = egress->port ? vlan_egress(&egress->port->vlan, vlan, form) : vlan_egress_fabric(vlan, form);
	if (egress->action != VLAN_DENY)
		return STAGE_GO_ON;
	egress->why = SWITCH_DROP_VLAN_DENIED;
	return STAGE_DONE;
}
