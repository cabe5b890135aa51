/*
 * as_packet.h - frames that a test holds piece by piece, given as packets
 */
#ifndef TESTS_UNIT_PACKET_AS_PACKET_H
#define TESTS_UNIT_PACKET_AS_PACKET_H

#include "packet/coalesce.h"
#include "packet/packet.h"
#include "packet/segment.h"

#include <string.h>

static inline struct packet as_packet(uint8_t *frame, size_t bytes, const struct frame_info *info,
	const struct offload *offload)
{
	return (struct packet){ .frame = frame, .bytes = (uint32_t)bytes, .info = *info, .offload = *offload };
}

/* segment_begin(); @offload is the packet's */
static inline enum segment_result cut_begin(struct segmenter *s, struct packet packet, struct offload *offload,
	size_t max_frame_bytes)
{
	enum segment_result result = segment_begin(s, &packet, max_frame_bytes);

	*offload = packet.offload;
	return result;
}

/* coalesce_add() of a record with P and G */
static inline enum coalesce_result join_add(struct coalescer *c, struct packet packet, bool partial, uint16_t gso_bytes)
{
	packet.from_wire = true;
	packet.offload = (struct offload){ .partial = partial, .gso_bytes = gso_bytes };
	return coalesce_add(c, &packet);
}

/* A packet in however many pieces, in one run.  Return: how many there were */
static inline int flatten(const struct packet *packet, uint8_t *out, size_t cap_bytes)
{
	size_t used_bytes = 0;

	if (packet->bytes > cap_bytes)
		return 0;
	if (!packet->pieces) {
		memcpy(out, packet->frame, packet->bytes);
		return 1;
	}
	for (int i = 1; i < packet->pieces_count && used_bytes <= packet->bytes; i++) {
		memcpy(out + used_bytes, packet->pieces[i].iov_base, packet->pieces[i].iov_len);
		used_bytes += packet->pieces[i].iov_len;
	}
	return used_bytes == packet->bytes ? packet->pieces_count - 1 : 0;
}

#endif /* TESTS_UNIT_PACKET_AS_PACKET_H */
