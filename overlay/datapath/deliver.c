/*
 * deliver.c - a frame's way out by a local port
 *
 * The last step of receive.c (frames off the wire) and of transmit.c (frames from another local port): tag as the
 * port wants it, joined or cut and with checksums as the port can take it, one write.  Counts what the port refuses.
 */
#include "overlay/datapath/deliver.h"

#include "overlay/datapath/datapath.h"
#include "overlay/datapath/worker.h"
#include "packet/csum.h"
#include "packet/frame.h"

#include <string.h>

#define EMIT_PIECES_MAX (COALESCE_MAX_SEGMENTS + 1U)

static struct worker_port *port_for(struct worker *worker, const struct network_port *to)
{
	struct worker_port *wport = worker->ports[to->id];

	if (wport)
		return wport;
	drops_count(&worker->drops, DROP_PORT_CLOSED, 1);
	return NULL;
}

/* @iov[0] is left free for the port */
static void write_pieces(struct worker_port *wport, struct iovec *iov, int count, size_t bytes,
	const struct offload *offload)
{
	struct worker *worker = wport->worker;
	struct port_counters *counters = &worker->port_counters[wport->port->slot];
	enum tap_result result = tap_queue_write(wport->port->tap, worker->id, offload, iov, count);

	if (result != TAP_OK) {
		drops_count(&worker->drops, result == TAP_GONE ? DROP_FROM_TAP_DOWN : drop_tap(result), 1);
		return;
	}
	counter_add(&counters->tx_frames, 1);
	counter_add(&counters->tx_bytes, bytes);
}

void deliver_emit(void *ctx, const struct iovec *iov, int n, size_t bytes, const struct offload *offload)
{
	struct iovec pieces[EMIT_PIECES_MAX];

	memcpy(pieces + 1, iov, (size_t)n * sizeof(*iov));
	write_pieces(ctx, pieces, n + 1, bytes, offload);
}

uint8_t *deliver_edit_tag(uint8_t *frame, size_t *bytes, enum vlan_action action, uint16_t vlan)
{
	switch (action) {
	case VLAN_PUSH:
		memmove(frame - VLAN_TAG_BYTES, frame, 2 * MAC_BYTES);
		frame -= VLAN_TAG_BYTES;
		*bytes += VLAN_TAG_BYTES;
		frame_put16(frame + 2 * MAC_BYTES, FRAME_ETHERTYPE_8021Q);
		frame_put16(frame + 2 * MAC_BYTES + 2, vlan);
		break;
	case VLAN_POP:
		memmove(frame + VLAN_TAG_BYTES, frame, 2 * MAC_BYTES);
		frame += VLAN_TAG_BYTES;
		*bytes -= VLAN_TAG_BYTES;
		break;
	case VLAN_SET:
		frame_put16(frame + 2 * MAC_BYTES + 2,
			(uint16_t)((frame_get16(frame + 2 * MAC_BYTES + 2) & 0xf000) | vlan));
		break;
	case VLAN_KEEP:
	case VLAN_DENY:
		break;
	}
	return frame;
}

static enum vlan_action egress(struct worker *worker, const struct network_port *to, const struct delivery *delivery)
{
	const struct vlan_form form = { .tagged = delivery->info->tagged, .tci = delivery->info->tci };
	enum vlan_action action = forward_egress(to, delivery->in, delivery->vlan, form);

	if (action == VLAN_DENY && !delivery->flooded)
		drops_count(&worker->drops, DROP_FROM_SWITCH_VLAN_DENIED, 1);
	return action;
}

static void join(struct worker *worker, struct worker_port *wport, uint8_t *frame, size_t bytes,
	const struct frame_info *info, bool partial, uint16_t gso_bytes)
{
	enum coalesce_result result = coalesce_add(&wport->coalescer, frame, bytes, info, partial, gso_bytes);

	if (result != COALESCE_OK)
		drops_count(&worker->drops, drop_coalesce(result), 1);
	if (!wport->dirty) {
		wport->dirty = true;
		worker->dirty_ports[worker->dirty_count++] = wport->port->slot;
	}
}

void deliver_joined(struct worker *worker, const struct network_port *to, const struct delivery *delivery, bool partial,
	uint16_t gso_bytes)
{
	struct worker_port *wport = port_for(worker, to);
	enum vlan_action action = egress(worker, to, delivery);
	size_t bytes = delivery->frame_bytes;
	struct frame_info info;
	uint8_t *frame;

	if (!wport || action == VLAN_DENY)
		return;
	if (action == VLAN_KEEP) {
		join(worker, wport, delivery->frame, bytes, delivery->info, partial, gso_bytes);
		return;
	}
	frame = deliver_edit_tag(delivery->frame, &bytes, action, delivery->vlan);
	if (frame_parse(frame, bytes, &info))
		join(worker, wport, frame, bytes, &info, partial, gso_bytes);
	else
		drops_count(&worker->drops, DROP_FRAME_SHORT, 1);
}

void deliver_copy(struct worker *worker, const struct network_port *to, const struct delivery *delivery, bool partial,
	uint16_t gso_bytes)
{
	struct delivery copy = *delivery;

	copy.frame = worker->copy_memory + FRAME_HEADROOM_BYTES;
	memcpy(copy.frame, delivery->frame, delivery->frame_bytes);
	deliver_joined(worker, to, &copy, partial, gso_bytes);
	deliver_flush(worker);
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

/* A super-frame for a port that takes none of its kind */
static void write_cut(struct worker_port *wport, uint8_t *frame, size_t bytes, const struct frame_info *info,
	struct offload *offload)
{
	struct worker *worker = wport->worker;
	bool complete = !(tap_port_caps(wport->port->tap) & OFFLOAD_CAP_CSUM);
	const struct offload each = {
		.partial = !complete,
		.csum_start = offload->csum_start,
		.csum_offset = offload->csum_offset,
	};
	struct segment segment;
	enum segment_result result = segment_begin_port(&worker->segmenter, frame, bytes, info, offload, complete);

	if (result != SEGMENT_OK) {
		drops_count(&worker->drops, drop_segment(result), 1);
		return;
	}
	while (segment_next(&worker->segmenter, &segment)) {
		struct iovec pieces[2] = { [1] = { .iov_base = segment.frame, .iov_len = segment.bytes } };

		write_pieces(wport, pieces, 2, segment.bytes, &each);
	}
}

void deliver_local(struct worker *worker, const struct network_port *to, const struct delivery *delivery,
	const struct offload *offload)
{
	struct worker_port *wport = port_for(worker, to);
	enum vlan_action action = egress(worker, to, delivery);
	uint8_t *frame = worker->copy_memory + FRAME_HEADROOM_BYTES;
	size_t bytes = delivery->frame_bytes;
	struct offload left = *offload;
	struct iovec pieces[2];
	struct frame_info info;
	unsigned int caps, needs;

	if (!wport || action == VLAN_DENY)
		return;
	caps = tap_port_caps(wport->port->tap);
	needs = (left.partial ? OFFLOAD_CAP_CSUM : 0) | cap_for(left.gso);
	if (action == VLAN_KEEP && (needs & ~caps) == 0) {
		pieces[1] = (struct iovec){ .iov_base = delivery->frame, .iov_len = bytes };
		write_pieces(wport, pieces, 2, bytes, &left);
		return;
	}
	memcpy(frame, delivery->frame, bytes); /* others may get it as it is */
	frame = deliver_edit_tag(frame, &bytes, action, delivery->vlan);
	if (left.partial)
		left.csum_start = (uint16_t)(left.csum_start + vlan_grows_by(action));
	left.header_bytes = 0;
	if (!frame_parse(frame, bytes, &info)) {
		drops_count(&worker->drops, DROP_FRAME_SHORT, 1);
		return;
	}
	if (cap_for(left.gso) & ~caps) {
		write_cut(wport, frame, bytes, &info, &left);
		return;
	}
	if (left.partial && !(caps & OFFLOAD_CAP_CSUM) && !csum_complete(frame, bytes, &left)) {
		drops_count(&worker->drops, DROP_FROM_SEGMENT_OFFLOAD, 1);
		return;
	}
	pieces[1] = (struct iovec){ .iov_base = frame, .iov_len = bytes };
	write_pieces(wport, pieces, 2, bytes, &left);
}

void deliver_flush(struct worker *worker)
{
	for (uint32_t i = 0; i < worker->dirty_count; i++) {
		struct worker_port *wport = worker->ports[worker->dirty_ports[i]];

		if (!wport)
			continue;
		coalesce_flush(&wport->coalescer);
		wport->dirty = false;
	}
	worker->dirty_count = 0;
}
