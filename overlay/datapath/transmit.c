/*
 * transmit.c - packets out of a port: read in bursts, decided about, and given to where they go
 *
 * Neighbours: decide.c asks the switch, outputs.c carries its verdict out; packet/settle.h is for what is rare.
 */
#include "overlay/datapath/transmit.h"

#include "overlay/datapath/answer.h"
#include "overlay/datapath/burst.h"
#include "overlay/datapath/datapath.h"
#include "overlay/datapath/decide.h"
#include "overlay/datapath/dispatch.h"
#include "overlay/datapath/outputs.h"
#include "overlay/datapath/worker.h"
#include "switch/vlan.h"

#define TURN_PKTS 64U /* before other events get their turn */
#define TURN_BYTES (512U * 1024U)

/* Where the packets of a port come in; NULL where the port is on its way in or out */
static const struct network_port *entrance(const struct worker *worker, const struct vport *port,
	const struct network **network)
{
	*network = forwarding_network(worker->forwarding, port->network);
	return *network ? network_port_lookup(*network, port->slot) : NULL;
}

/*
 * Our TAP in a bridge may have a larger MTU than its network, so that the bridge keeps its own.  Devices elsewhere are no larger than
 * what is wanted, or their owner's.  As bridges do it, one tag is not counted.  Return: the longest frame that may come in
 */
static uint32_t longest(const struct vport *port, const struct network *network)
{
	return port->spec.kind == ATTACH_BRIDGE ? network->mtu_bytes + FRAME_ETHERNET_BYTES + FRAME_TAG_BYTES
						: UINT32_MAX;
}

/* Of a super-frame, what its segments will be */
static bool is_oversize(const struct packet *packet, uint32_t longest)
{
	return longest < (packet->offload.gso == OFFLOAD_GSO_NONE
					 ? packet->bytes
					 : (uint32_t)packet->info.payload_offset + packet->offload.gso_bytes);
}

/* As a router would say it */
static __attribute__((noinline)) void refuse_oversize(struct worker *worker, struct packet *packet)
{
	drops_count(&worker->drops, DROP_FRAME_OVERSIZE, 1);
	packet->vlan = vlan_policy_access(&packet->in->vlan);
	if (!packet->vlan)
		packet->vlan =
			vlan_form_id((struct vlan_form){ .tagged = packet->info.tagged, .tci = packet->info.tci });
	answer_too_big(worker, packet, packet->network->mtu_bytes);
}

/* What other ports could not take as it is */
static __attribute__((noinline)) void settle_packet(struct worker *worker, struct packet *packet)
{
	enum segment_result result = settle_begin(&worker->settler, packet);
	struct packet piece;

	if (result != SEGMENT_OK) {
		drops_count(&worker->drops, drop_segment(result), 1);
		return;
	}
	while (settle_next(&worker->settler, &piece))
		if (packet_parse(&piece))
			outputs_carry(worker, &piece, decide(worker, &piece));
}

static void transmit_packet(struct worker *worker, struct packet *packet, uint32_t longest)
{
	if (!packet_parse(packet))
		drops_count(&worker->drops, DROP_FRAME_SHORT, 1);
	else if (is_oversize(packet, longest))
		refuse_oversize(worker, packet);
	else if (settle_needed(packet))
		settle_packet(worker, packet);
	else
		outputs_carry(worker, packet, decide(worker, packet));
}

/* Return: their bytes */
static size_t transmit_burst(struct worker_port *wport, const struct network *network, const struct network_port *in)
{
	struct worker *worker = wport->worker;
	struct port_counters *counters = &worker->port_counters[wport->port->slot];
	struct packet_burst *burst = &worker->burst;
	const uint32_t limit = in ? longest(wport->port, network) : 0;
	size_t bytes = 0;

	for (unsigned int i = 0; i < burst->count; i++)
		bytes += burst->packets[i].bytes;
	counter_add(&counters->rx_frames, burst->count);
	counter_add(&counters->rx_bytes, bytes);
	if (!in)
		drops_count(&worker->drops, DROP_PORT_CLOSED, burst->count);
	for (unsigned int i = 0; in && i < burst->count; i++) {
		struct packet *packet = &burst->packets[i];

		packet->network = network;
		packet->in = in;
		packet->peer = 0;
		transmit_packet(worker, packet, limit);
	}
	return bytes;
}

/* Netlink tells of devices in our own namespace only.  Where the mailbox is full, the event comes again */
static void tell_gone(struct worker_port *wport)
{
	const struct mail mail = { .kind = MAIL_PORT_GONE, .port = wport->port->slot };

	if (worker_mail(wport->worker, &mail))
		event_del(wport->event);
}

void transmit_ready(evutil_socket_t fd, short what, void *arg)
{
	struct worker_port *wport = arg;
	struct worker *worker = wport->worker;
	const struct network *network;
	const struct network_port *in;
	enum tap_result result = TAP_OK;
	uint32_t packets = 0, drops = 0;
	size_t bytes = 0;

	(void)fd;
	(void)what;
	burst_begin(worker);
	in = entrance(worker, wport->port, &network);
	while (result != TAP_EMPTY && result != TAP_GONE && packets + drops < TURN_PKTS && bytes < TURN_BYTES) {
		const bool first_alone = packets == 0 && wport->lone;

		result = tap_rx_burst(wport->port->tap, worker->id, &worker->burst,
			first_alone ? 1 : TURN_PKTS - packets - drops);
		bytes += transmit_burst(wport, network, in);
		packets += worker->burst.count;
		if (first_alone)
			dispatch_flush(worker); /* as the last time: gone before we look whether there is more */
		if (result == TAP_GONE) {
			tell_gone(wport);
		} else if (result != TAP_OK && result != TAP_EMPTY) {
			drops_count(&worker->drops, drop_tap(result), 1);
			drops++;
		}
	}
	wport->lone = packets == 1;
	burst_end(worker);
}
