/*
 * settle.c - see settle.h
 */
#include "packet/settle.h"

#include "packet/tunnel.h"

/* SCTP, plain or in a tunnel: nothing else has a checksum there */
static bool is_sctp(struct settler *s, const struct packet *packet)
{
	const struct offload *offload = &packet->offload;

	return offload->csum_offset == CSUM_SCTP_OFFSET &&
		tunnel_find(packet->frame, &packet->info, offload->csum_start, FRAME_PROTOCOL_SCTP, 0,
			&s->segmenter.tunnel);
}

enum segment_result settle_begin(struct settler *s, struct packet *packet)
{
	struct offload *offload = &packet->offload;

	s->whole = packet;
	s->done = false;
	s->cut = offload->gso != OFFLOAD_GSO_NONE;
	if (!s->cut) {
		if (packet->bytes > PACKET_BYTES_MAX)
			return SEGMENT_DROP_OFFLOAD;
		if (is_sctp(s, packet) && !csum_complete_sctp(packet->frame, packet->info.end_offset, offload))
			return SEGMENT_DROP_OFFLOAD;
		return SEGMENT_OK;
	}
	if (csum_is_native(&packet->info, offload))
		return segment_begin_split(&s->segmenter, packet);
	return segment_begin_port(&s->segmenter, packet, true);
}

/* What a packet has in front of it: what was there, and the payload that has gone */
static uint32_t headroom(const struct packet *whole, const struct packet *piece)
{
	size_t bytes = whole->headroom_bytes + (size_t)(piece->frame - whole->frame);

	return bytes < PACKET_HEADROOM_BYTES ? (uint32_t)bytes : PACKET_HEADROOM_BYTES;
}

bool settle_next(struct settler *s, struct packet *out)
{
	const struct packet *whole = s->whole;
	const bool first = s->segmenter.index == 0;

	*out = *whole;
	if (!s->cut) {
		if (s->done)
			return false;
		s->done = true;
		return true;
	}
	if (!segment_next(&s->segmenter, out))
		return false;
	out->headroom_bytes = headroom(whole, out);
	out->flow_hash = 0;
	out->offload.header_bytes = 0;
	out->offload.ecn = whole->offload.ecn && first && out->offload.gso_bytes; /* CWR is the first's */
	if (out->offload.gso_bytes == 0)
		out->offload.gso = OFFLOAD_GSO_NONE;
	return true;
}
