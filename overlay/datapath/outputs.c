/*
 * outputs.c - see outputs.h
 *
 * Ports come first, since each takes the packet as it came, or a copy that is made for it.  Peers get it in trunk form, which is
 * made in place, once, and only where there is a peer to get it.
 */
#include "overlay/datapath/outputs.h"

#include "overlay/datapath/answer.h"
#include "overlay/datapath/datapath.h"
#include "overlay/datapath/deliver.h"
#include "overlay/datapath/fit.h"
#include "overlay/datapath/worker.h"
#include "switch/forward.h"

static void to_peer(struct worker *worker, uint32_t slot, struct packet *packet)
{
	const struct forwarding *forwarding = worker->forwarding;
	struct peer *peer = slot < forwarding->peers_capacity ? forwarding->peers[slot] : NULL;

	if (peer)
		fit_to_peer(worker, peer, packet);
	else
		drops_count(&worker->drops, DROP_PEER_GONE, 1);
}

/* Return: how many ports took it */
static uint32_t flood_ports(struct worker *worker, struct packet *packet)
{
	const struct network *network = packet->network;
	const struct crossing crossing = { .packet = packet, .fdb = worker->datapath->fdb, .now = worker->now };

	uint32_t taken = 0;

	for (uint32_t i = 0; i < network->ports_count; i++) {
		enum vlan_action action = forward_to_port(&crossing, &network->ports[i], packet->vlan);

		if (action == VLAN_DENY)
			continue;
		deliver_shared(worker, &network->ports[i], packet, action);
		taken++;
	}
	return taken;
}

static void flood_peers(struct worker *worker, struct packet *packet)
{
	const struct network *network = packet->network;

	for (uint32_t i = 0; i < network->peers_count; i++)
		to_peer(worker, network->peers[i], packet);
}

/* Give it, or change, its tag for the way between hosts.  Return: whether it still is a frame */
static bool to_trunk_form(struct worker *worker, struct packet *packet, enum vlan_action action)
{
	if (action == VLAN_KEEP || vlan_apply(action, packet))
		return true;
	drops_count(&worker->drops, DROP_FRAME_SHORT, 1);
	return false;
}

static void to_peers(struct worker *worker, const struct output *output, struct packet *packet)
{
	if (output->kind == OUTPUT_PEER)
		to_peer(worker, output->number, packet);
	else
		flood_peers(worker, packet);
}

/* Return: the first output that is not a port */
static uint32_t to_ports(struct worker *worker, const struct verdict *verdict, struct packet *packet)
{
	uint32_t i = 0;

	for (; i < verdict->outputs_count && verdict->outputs[i].kind <= OUTPUT_PORTS; i++) {
		const struct output *output = &verdict->outputs[i];

		if (output->kind == OUTPUT_PORTS) {
			if (flood_ports(worker, packet) == 0 && i + 1U == verdict->outputs_count)
				drops_count(&worker->drops, drop_switch(SWITCH_DROP_VLAN_NOBODY), 1);
		} else if (i + 1U == verdict->outputs_count)
			deliver_alone(worker, output->port, packet, (enum vlan_action)output->action);
		else
			deliver_shared(worker, output->port, packet, (enum vlan_action)output->action);
	}
	return i;
}

void outputs_carry(struct worker *worker, struct packet *packet, const struct verdict *verdict)
{
	uint32_t i = to_ports(worker, verdict, packet);

	if (verdict->result != SWITCH_OK)
		drops_count(&worker->drops, drop_switch(verdict->result), 1);
	for (; i < verdict->outputs_count && verdict->outputs[i].kind == OUTPUT_TOO_BIG; i++)
		answer_too_big(worker, packet, verdict->outputs[i].number);
	if (i == verdict->outputs_count || !to_trunk_form(worker, packet, (enum vlan_action)verdict->outputs[i].action))
		return;
	for (; i < verdict->outputs_count; i++)
		to_peers(worker, &verdict->outputs[i], packet);
}
