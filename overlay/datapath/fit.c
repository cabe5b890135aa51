/*
 * fit.c - see fit.h
 */
#include "overlay/datapath/fit.h"

#include "encap/fragment.h"
#include "encap/record.h"
#include "overlay/datapath/answer.h"
#include "overlay/datapath/datapath.h"
#include "overlay/datapath/dispatch.h"
#include "overlay/datapath/worker.h"
#include "packet/csum.h"
#include "packet/mss.h"
#include "packet/segment.h"
#include "switch/forward.h"

static void fragments_to_peer(struct worker *worker, struct dispatch *dispatch, const struct packet *piece,
	uint8_t flags)
{
	const size_t room = dispatch->train.limit_bytes - TRAIN_OVERHEAD_BYTES - RECORD_HEADER_BYTES - 2;
	struct peer *peer = dispatch->peer;
	struct record record = { .type = RECORD_FRAGMENT, .network = piece->network->id };
	struct fragmenter fragmenter;
	enum fragment_result result =
		fragment_begin(&fragmenter, piece->frame, piece->bytes, worker->fragment_id++, room);

	if (result != FRAGMENT_OK) {
		drops_count(&worker->drops, drop_fragment(result), 1);
		return;
	}
	/* to its end, also where the session ends meanwhile: that puts the frame back, which others may want */
	while (fragment_next(&fragmenter, &record.body, &record.body_bytes)) {
		record.flags = flags;
		dispatch = dispatch_for(worker, peer);
		if (dispatch)
			dispatch_record(worker, dispatch, &record);
	}
}

/* What is over the path's size: may it go in fragments?  Where not, that is counted, and its sender told */
static bool may_go(struct worker *worker, const struct packet *piece, size_t room)
{
	const struct crossing crossing = { .packet = piece, .fdb = worker->datapath->fdb, .now = worker->now };
	struct verdict verdict;

	forward_piece(&crossing, room, &verdict);
	if (verdict.result == SWITCH_OK)
		return true;
	drops_count(&worker->drops, drop_switch(verdict.result), 1);
	for (uint32_t i = 0; i < verdict.outputs_count; i++)
		if (verdict.outputs[i].kind == OUTPUT_TOO_BIG)
			answer_too_big(worker, piece, verdict.outputs[i].number);
	return false;
}

/* @piece says in the wire's form what it leaves undone */
static void put_piece(struct worker *worker, struct dispatch *dispatch, const struct packet *piece)
{
	const uint8_t partial = piece->offload.partial ? RECORD_FLAG_PARTIAL : 0;
	struct record record = {
		.type = RECORD_FRAME,
		.flags = partial | (piece->offload.gso_bytes ? RECORD_FLAG_GSO : 0),
		.gso_bytes = piece->offload.gso_bytes,
		.network = piece->network->id,
		.body = piece->frame,
		.body_bytes = piece->bytes,
	};
	size_t room = dispatch->train.limit_bytes - TRAIN_OVERHEAD_BYTES - record_header_bytes(record.flags);

	if (piece->bytes <= room)
		dispatch_record(worker, dispatch, &record);
	else if (may_go(worker, piece, room))
		fragments_to_peer(worker, dispatch, piece, partial);
}

static void cut_to_peer(struct worker *worker, struct peer *peer, struct packet *packet, size_t room)
{
	struct packet piece = *packet;
	enum segment_result result;

	/* Segments above the guest's own size need two bytes more to say so */
	if (packet->offload.gso_bytes && packet->info.payload_offset + (size_t)packet->offload.gso_bytes < room)
		room -= 2;
	result = segment_begin(&worker->segmenter, packet, room);
	if (result != SEGMENT_OK) {
		drops_count(&worker->drops, drop_segment(result), 1);
		return;
	}
	while (segment_next(&worker->segmenter, &piece)) {
		struct dispatch *dispatch = dispatch_for(worker, peer);

		if (dispatch)
			put_piece(worker, dispatch, &piece);
	}
}

void fit_to_peer(struct worker *worker, struct peer *peer, struct packet *packet)
{
	struct dispatch *dispatch = dispatch_for(worker, peer);
	size_t room;

	if (!dispatch)
		return;
	room = dispatch->train.limit_bytes - TRAIN_OVERHEAD_BYTES - RECORD_HEADER_BYTES;
	if (packet->network->mode != NETWORK_WIRE) /* a wire passes frames as they are */
		(void)mss_clamp(packet->frame, &packet->info, packet->offload.partial, room);
	if (packet->offload.gso != OFFLOAD_GSO_NONE || packet->bytes > room) {
		cut_to_peer(worker, peer, packet, room);
		return;
	}
	if (packet->offload.partial && !csum_is_native(&packet->info, &packet->offload) &&
		!csum_complete(packet->frame, packet->bytes, &packet->offload)) {
		drops_count(&worker->drops, drop_segment(SEGMENT_DROP_OFFLOAD), 1);
		return;
	}
	packet->offload.gso_bytes = 0; /* whatever a port left there */
	put_piece(worker, dispatch, packet);
}
