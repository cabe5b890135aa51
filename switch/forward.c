/*
 * forward.c - see forward.h
 */
#include "switch/forward.h"

static const struct stage_list *list_of(const struct network *network, const struct network_port *port)
{
	return port ? &port->stages : &network->peer_stages;
}

void forward(const struct crossing *crossing, struct verdict *out)
{
	const struct packet *packet = crossing->packet;
	const struct stage_list *list = list_of(packet->network, packet->in);
	const struct vlan_form form = { .tagged = packet->info.tagged, .tci = packet->info.tci };

	out->result = SWITCH_OK;
	out->learned = FDB_OK;
	out->vlan = vlan_form_id(form);
	out->outputs_count = 0;
	for (stage_ingress *const *stage = list->ingress; (*stage)(crossing, out) == STAGE_GO_ON; stage++)
		; /* the last one never lets it go on */
}

bool forward_is_kept(const struct packet *packet)
{
	return !(packet->network->looks & ~STAGE_LOOKS_KEPT);
}

static inline void run_egress(const struct crossing *crossing, uint16_t vlan, struct egress *egress)
{
	const struct stage_list *list = list_of(crossing->packet->network, egress->port);

	for (uint32_t i = 0; i < list->egress_count; i++)
		if (list->egress[i](crossing, vlan, egress) == STAGE_DONE)
			return;
}

enum vlan_action forward_to_port(const struct crossing *crossing, const struct network_port *port, uint16_t vlan)
{
	struct egress egress = { .port = port, .action = VLAN_KEEP };

	run_egress(crossing, vlan, &egress);
	return egress.action;
}

void forward_piece(const struct crossing *crossing, size_t room_bytes, struct verdict *out)
{
	struct egress egress = { .room_bytes = room_bytes, .action = VLAN_KEEP };

	*out = (struct verdict){ .vlan = crossing->packet->vlan };
	run_egress(crossing, out->vlan, &egress);
	if (egress.action != VLAN_DENY)
		return;
	out->result = egress.why;
	if (egress.too_big_mtu)
		verdict_add(out, (struct output){ .kind = OUTPUT_TOO_BIG, .number = egress.too_big_mtu });
}

void forward_add(const struct crossing *crossing, struct output output, struct verdict *verdict)
{
	struct egress egress = { .port = output.port, .action = VLAN_KEEP };

	run_egress(crossing, verdict->vlan, &egress);
	if (egress.action == VLAN_DENY) {
		verdict->result = egress.why;
		return;
	}
	output.action = (uint8_t)egress.action;
	verdict_add(verdict, output);
}
