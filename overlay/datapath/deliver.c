/*
 * deliver.c - a packet's way out by a local port
 *
 * The last step of packets off the wire and of packets from another local port: tag as the port wants it, joined or cut and with
 * checksums as the port can take it, one write.  Counts what the port refuses.
 */
#include "overlay/datapath/deliver.h"

#include "overlay/datapath/datapath.h"
#include "overlay/datapath/worker.h"
#include "packet/csum.h"
#include "packet/segment.h"
#include "switch/vlan.h"

static struct worker_port *port_for(struct worker *worker, const struct network_port *to)
{
	struct worker_port *wport = worker->ports[to->id];

	if (!wport)
		drops_count(&worker->drops, DROP_PORT_CLOSED, 1);
	return wport;
}

/* ---- writing ----------------------------------------------------------------------------------------------- */

void deliver_emit(void *ctx, struct packet *const packets[], unsigned int count)
{
	struct worker_port *wport = ctx;
	struct worker *worker = wport->worker;
	struct port_counters *counters = &worker->port_counters[wport->port->slot];

	for (unsigned int at = 0; at < count; at++) {
		enum tap_result why;
		unsigned int taken = tap_tx_burst(wport->port->tap, worker->id, packets + at, count - at, &why);

		counter_add(&counters->tx_frames, taken);
		for (; taken > 0; taken--)
			counter_add(&counters->tx_bytes, packets[at++]->bytes);
		if (at < count)
			drops_count(&worker->drops, drop_tap(why), 1);
	}
}

static void write_one(struct worker_port *wport, struct packet *packet)
{
	deliver_emit(wport, &packet, 1);
}

/* A super-frame for a port that takes none of its kind */
static void write_cut(struct worker_port *wport, struct packet *packet)
{
	struct worker *worker = wport->worker;
	struct packet piece = *packet;
	enum segment_result result =
		segment_begin_port(&worker->segmenter, packet, !(tap_port_caps(wport->port->tap) & OFFLOAD_CAP_CSUM));

	piece.offload = (struct offload){
		.csum_start = packet->offload.csum_start,
		.csum_offset = packet->offload.csum_offset,
	};
	if (result != SEGMENT_OK) {
		drops_count(&worker->drops, drop_segment(result), 1);
		return;
	}
	while (segment_next(&worker->segmenter, &piece))
		write_one(wport, &piece);
}

/* ---- memory ------------------------------------------------------------------------------------------------ */

struct packet *deliver_keep(struct worker *worker, const struct packet *packet)
{
	struct packet *copy = packet_pool_copy(&worker->pool, packet);

	if (!copy) {
		deliver_flush(worker);
		copy = packet_pool_copy(&worker->pool, packet);
	}
	return copy;
}

void deliver_kept(struct worker *worker, struct packet *copy)
{
	worker->kept[worker->kept_count++] = copy;
}

/* ---- one packet, one port ---------------------------------------------------------------------------------- */

static bool edit_tag(struct worker *worker, struct packet *packet, enum vlan_action action)
{
	if (vlan_apply(action, packet))
		return true;
	drops_count(&worker->drops, DROP_FRAME_SHORT, 1);
	return false;
}

/* Off the wire: into the row of its flow */
static void join(struct worker_port *wport, struct packet *packet, enum vlan_action action)
{
	struct worker *worker = wport->worker;
	enum coalesce_result result;

	if (!edit_tag(worker, packet, action))
		return;
	if (!wport->dirty) {
		wport->dirty = true;
		worker->dirty_ports[worker->dirty_count++] = wport->port->slot;
	}
	result = coalesce_add(&wport->coalescer, packet);
	if (result != COALESCE_OK)
		drops_count(&worker->drops, drop_coalesce(result), 1);
}

static unsigned int cap_for(uint8_t gso)
{
	switch (gso) {
	case OFFLOAD_GSO_TCP4:
		return OFFLOAD_CAP_TSO4;
	case OFFLOAD_GSO_TCP6:
		return OFFLOAD_CAP_TSO6;
	case OFFLOAD_GSO_UDP:
		return OFFLOAD_CAP_USO;
	default:
		return 0;
	}
}

/* What a packet from another port leaves undone that this one cannot do */
static unsigned int lacks(const struct worker_port *wport, const struct packet *packet)
{
	unsigned int needs = (packet->offload.partial ? OFFLOAD_CAP_CSUM : 0) | cap_for(packet->offload.gso);

	return needs & ~tap_port_caps(wport->port->tap);
}

/* From another port: in the form that this one wants */
static void convert(struct worker_port *wport, struct packet *packet, enum vlan_action action)
{
	struct worker *worker = wport->worker;
	unsigned int lacking = lacks(wport, packet);

	if (!edit_tag(worker, packet, action))
		return;
	if (lacking & ~(unsigned int)OFFLOAD_CAP_CSUM)
		write_cut(wport, packet);
	else if (lacking && !csum_complete(packet->frame, packet->bytes, &packet->offload))
		drops_count(&worker->drops, drop_segment(SEGMENT_DROP_OFFLOAD), 1);
	else
		write_one(wport, packet);
}

void deliver_alone(struct worker *worker, const struct network_port *to, struct packet *packet, enum vlan_action action)
{
	struct worker_port *wport = port_for(worker, to);

	if (!wport)
		return;
	if (packet->from_wire)
		join(wport, packet, action);
	else
		convert(wport, packet, action);
}

void deliver_shared(struct worker *worker, const struct network_port *to, struct packet *packet,
	enum vlan_action action)
{
	struct worker_port *wport = port_for(worker, to);
	struct packet *copy;

	if (!wport)
		return;
	if (!packet->from_wire && action == VLAN_KEEP && !lacks(wport, packet)) {
		write_one(wport, packet);
		return;
	}
	copy = deliver_keep(worker, packet);
	if (packet->from_wire) {
		join(wport, copy, action);
		deliver_kept(worker, copy);
	} else {
		convert(wport, copy, action);
		packet_pool_put(&worker->pool, copy);
	}
}

void deliver_flush(struct worker *worker)
{
	for (uint32_t i = 0; i < worker->dirty_count; i++) {
		struct worker_port *wport = worker->ports[worker->dirty_ports[i]];

		coalesce_flush(&wport->coalescer);
		wport->dirty = false;
	}
	worker->dirty_count = 0;
	while (worker->kept_count > 0)
		packet_pool_put(&worker->pool, worker->kept[--worker->kept_count]);
}
