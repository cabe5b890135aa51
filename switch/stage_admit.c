/*
 * stage_admit.c - which VLAN a frame is in, and whether it may come in by its port; vlan.h has the rules
 */
#include "switch/network.h"
#include "switch/stage.h"

bool stage_admit_used(const struct network *network, const struct network_port *port)
{
	(void)port;
	return network->mode == NETWORK_SWITCH; /* even a trunk of all VLANs refuses the reserved one */
}

enum stage_next stage_admit(const struct crossing *crossing, struct verdict *verdict)
{
	static const struct vlan_policy any = { .mode = VLAN_TRUNK_ALL };
	const struct packet *packet = crossing->packet;
	const struct vlan_form form = { .tagged = packet->info.tagged, .tci = packet->info.tci };

	if (vlan_admit(packet->in ? &packet->in->vlan : &any, form, &verdict->vlan))
		return STAGE_GO_ON;
	verdict->result = SWITCH_DROP_VLAN_DENIED;
	return STAGE_DONE;
}
