/*
 * transmit.c - a frame's way from a port to the peers: read, decide, cut, hand to the peers' trains
 *
 * Top to bottom: transmit_ready() reads a burst of frames off one port's queue; each is looked up in the switch, and what
 * goes to a peer becomes records, which dispatch.c seals and sends at the burst's end.  A TCP super-frame is cut in
 * place and each piece sealed from the read buffer: the payload is touched once, by the cipher.
 */
#include "overlay/datapath/transmit.h"

#include "encap/record.h"
#include "overlay/datapath/datapath.h"
#include "overlay/datapath/deliver.h"
#include "overlay/datapath/dispatch.h"
#include "overlay/datapath/worker.h"
#include "packet/csum.h"
#include "packet/frame.h"
#include "packet/mss.h"
#include "packet/too_big.h"

#define BURST_FRAMES 64U
#define BURST_BYTES (512U * 1024U)

/* Answers to guests whose packets are too big (RFC 4443 section 2.4 (f)) */
static const struct ratelimit_rate too_big_rate = { .per_second = 100, .burst = 100 };

struct outbound {
	const struct network *network;
	const struct network_port *in;
	uint16_t vlan;
	uint8_t *frame;
	size_t bytes;
	struct frame_info info;
	struct offload offload;
};

/* What a router would say to the guest whose packet does not fit */
static void answer_too_big(struct worker *worker, const struct outbound *out, const uint8_t *frame, size_t bytes,
	size_t room)
{
	uint8_t memory[FRAME_HEADROOM_BYTES + TOO_BIG_MAX_BYTES], *answer = memory + FRAME_HEADROOM_BYTES;
	const struct offload nothing_left = { 0 };
	struct delivery delivery = { .network = out->network, .frame = answer, .vlan = out->vlan };
	struct frame_info info;

	if (!frame_parse(frame, bytes, &info) ||
		!ratelimit_bucket_take(&worker->too_big_load, too_big_rate, worker->now))
		return;
	delivery.frame_bytes = too_big_create(frame, bytes, &info, (uint32_t)(room - info.l2_bytes), answer);
	if (delivery.frame_bytes == 0 || !frame_parse(answer, delivery.frame_bytes, &info))
		return;
	delivery.info = &info;
	deliver_local(worker, out->in, &delivery, &nothing_left);
}

/* IPv6 promises 1280 bytes, so below that its packets are fragmented on every network */
static bool may_fragment(const struct outbound *out, size_t room)
{
	return !out->network->no_fragments ||
		(out->info.ip_version == 6 && room < out->info.l2_bytes + (size_t)TOO_BIG_IPV6_MIN_MTU);
}

static void fragments_to_peer(struct worker *worker, struct dispatch *dispatch, const struct outbound *out,
	uint8_t flags, uint8_t *frame, size_t bytes)
{
	size_t room = dispatch->train.limit_bytes - TRAIN_OVERHEAD_BYTES - RECORD_HEADER_BYTES - 2;
	struct peer *peer = dispatch->peer;
	struct fragmenter fragmenter;
	enum fragment_result result = fragment_begin(&fragmenter, frame, bytes, worker->fragment_id++, room);
	uint8_t *body;
	size_t body_bytes;

	if (result != FRAGMENT_OK) {
		drops_count(&worker->drops, drop_fragment(result), 1);
		return;
	}
	while (fragment_next(&fragmenter, &body, &body_bytes))
		dispatch_record(worker, peer, RECORD_FRAGMENT, flags, out->network->id, 0, body, body_bytes);
}

static void piece_to_peer(struct worker *worker, struct peer *peer, const struct outbound *out, uint8_t flags,
	uint16_t gso_bytes, uint8_t *frame, size_t bytes)
{
	struct dispatch *dispatch = dispatch_for(worker, peer);
	uint8_t gso_flag = gso_bytes ? RECORD_FLAG_GSO : 0;
	size_t room;

	if (!dispatch)
		return;
	room = dispatch->train.limit_bytes - TRAIN_OVERHEAD_BYTES - record_header_bytes(gso_flag);
	if (bytes > room && !may_fragment(out, room)) {
		drops_count(&worker->drops, DROP_FRAME_TOO_BIG, 1);
		answer_too_big(worker, out, frame, bytes, room);
	} else if (bytes > room) {
		fragments_to_peer(worker, dispatch, out, flags, frame, bytes);
	} else {
		dispatch_record(worker, peer, RECORD_FRAME, flags | gso_flag, out->network->id, gso_bytes, frame,
			bytes);
	}
}

static void cut_to_peer(struct worker *worker, struct peer *peer, struct outbound *out, size_t room)
{
	struct segment segment;
	enum segment_result result;

	/* Segments above the guest's own size need two bytes more to say so */
	if (out->offload.gso_bytes && out->info.payload_offset + (size_t)out->offload.gso_bytes < room)
		room -= 2;
	result = segment_begin(&worker->segmenter, out->frame, out->bytes, &out->info, &out->offload, room);
	if (result != SEGMENT_OK) {
		drops_count(&worker->drops, drop_segment(result), 1);
		return;
	}
	while (segment_next(&worker->segmenter, &segment))
		piece_to_peer(worker, peer, out, segment.partial ? RECORD_FLAG_PARTIAL : 0, segment.gso_bytes,
			segment.frame, segment.bytes);
}

static void frame_to_peer(struct worker *worker, struct peer *peer, struct outbound *out)
{
	struct dispatch *dispatch = dispatch_for(worker, peer);
	size_t room;

	if (!dispatch)
		return;
	room = dispatch->train.limit_bytes - TRAIN_OVERHEAD_BYTES - RECORD_HEADER_BYTES;
	if (out->network->mode != NETWORK_WIRE) /* a wire passes frames as they are */
		(void)mss_clamp(out->frame, &out->info, out->offload.partial, room);
	if (out->offload.gso != OFFLOAD_GSO_NONE || out->bytes > room) {
		cut_to_peer(worker, peer, out, room);
		return;
	}
	if (out->offload.partial && !csum_is_native(&out->info, &out->offload) &&
		!csum_complete(out->frame, out->bytes, &out->offload)) {
		drops_count(&worker->drops, DROP_FROM_SEGMENT_OFFLOAD, 1);
		return;
	}
	piece_to_peer(worker, peer, out, out->offload.partial ? RECORD_FLAG_PARTIAL : 0, 0, out->frame, out->bytes);
}

/* Between hosts a frame travels in trunk form: give it, or change, its tag.  Return: false where it is no frame then */
static bool to_trunk_form(struct outbound *out, uint16_t vlan)
{
	const struct vlan_form form = { .tagged = out->info.tagged, .tci = out->info.tci };
	enum vlan_action action = vlan_egress_fabric(vlan, form);

	if (action == VLAN_KEEP)
		return true;
	out->frame = deliver_edit_tag(out->frame, &out->bytes, action, vlan);
	if (out->offload.partial)
		out->offload.csum_start = (uint16_t)(out->offload.csum_start + vlan_grows_by(action));
	out->offload.header_bytes = 0; /* a hint, of the frame as it was */
	return frame_parse(out->frame, out->bytes, &out->info);
}

static struct peer *peer_at(const struct forwarding *forwarding, uint32_t slot)
{
	return slot < PEERS_MAX ? forwarding->peers[slot] : NULL;
}

static void flood(struct worker *worker, const struct forwarding *forwarding, const struct network_port *in,
	struct outbound *out, const struct verdict *verdict)
{
	const struct network *network = out->network;
	const struct delivery delivery = {
		.network = network,
		.in = in,
		.frame = out->frame,
		.frame_bytes = out->bytes,
		.info = &out->info,
		.vlan = verdict->vlan,
		.flooded = true,
	};

	for (uint32_t i = 0; i < network->ports_count; i++)
		if (&network->ports[i] != in)
			deliver_local(worker, &network->ports[i], &delivery, &out->offload);
	for (uint32_t i = 0; verdict->to_peers && i < network->peers_count; i++) {
		struct peer *peer = peer_at(forwarding, network->peers[i]);

		if (peer)
			frame_to_peer(worker, peer, out);
	}
}

static void transmit_frame(struct worker *worker, const struct forwarding *forwarding, const struct vport *port,
	uint8_t *frame, size_t bytes, const struct offload *offload)
{
	struct outbound out = { .frame = frame, .bytes = bytes, .offload = *offload };
	const struct network_port *in;
	struct verdict verdict;
	struct peer *peer;

	out.network = forwarding_network(forwarding, port->network);
	in = out.network ? network_port_lookup(out.network, port->slot) : NULL;
	if (!in) {
		drops_count(&worker->drops, DROP_PORT_CLOSED, 1);
		return;
	}
	if (!frame_parse(frame, bytes, &out.info)) {
		drops_count(&worker->drops, DROP_FRAME_SHORT, 1);
		return;
	}
	verdict = *worker_decide(worker, out.network, in, 0, frame, &out.info);
	if (verdict.kind == VERDICT_DROP) {
		drops_count(&worker->drops, drop_switch(verdict.result), 1);
		return;
	}
	out.in = in;
	out.vlan = verdict.vlan;
	if (!to_trunk_form(&out, verdict.vlan)) {
		drops_count(&worker->drops, DROP_FRAME_SHORT, 1);
		return;
	}
	switch (verdict.kind) {
	case VERDICT_PEER:
		peer = peer_at(forwarding, verdict.peer);
		if (peer)
			frame_to_peer(worker, peer, &out);
		else
			drops_count(&worker->drops, DROP_NO_SESSION, 1);
		break;
	case VERDICT_PORT:
		deliver_local(worker, verdict.port,
			&(struct delivery){ .network = out.network,
				.in = in,
				.frame = out.frame,
				.frame_bytes = out.bytes,
				.info = &out.info,
				.vlan = verdict.vlan },
			&out.offload);
		break;
	case VERDICT_FLOOD:
		flood(worker, forwarding, in, &out, &verdict);
		break;
	case VERDICT_DROP:
		break;
	}
}

void transmit_ready(evutil_socket_t fd, short what, void *arg)
{
	struct worker_port *wport = arg;
	struct worker *worker = wport->worker;
	struct port_counters *counters = &worker->port_counters[wport->port->slot];
	uint8_t *frame = worker->frame_memory + FRAME_HEADROOM_BYTES;
	const struct forwarding *forwarding;
	size_t total_bytes = 0;
	uint32_t frames = 0;

	(void)fd;
	(void)what;
	forwarding = worker_burst_begin(worker);
	for (uint32_t i = 0; i < BURST_FRAMES && total_bytes < BURST_BYTES; i++) {
		struct offload offload;
		size_t bytes;
		enum tap_result result =
			tap_queue_read(wport->port->tap, worker->id, &offload, frame, TAP_READ_BYTES, &bytes);

		if (result == TAP_EMPTY)
			break;
		if (result == TAP_GONE) {
			event_del(wport->event); /* the control thread hears of it by netlink */
			break;
		}
		if (result != TAP_OK) {
			drops_count(&worker->drops, drop_tap(result), 1);
			continue;
		}
		counter_add(&counters->rx_frames, 1);
		counter_add(&counters->rx_bytes, bytes);
		total_bytes += bytes;
		transmit_frame(worker, forwarding, wport->port, frame, bytes, &offload);
		if (frames++ == 0 && wport->lone)
			dispatch_flush(worker); /* as the last time: gone before we look whether there is more */
	}
	wport->lone = frames == 1;
	worker_burst_end(worker);
}
