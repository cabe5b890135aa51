/*
 * segment.c - see segment.h
 */
#include "packet/segment.h"

#include <assert.h>
#include <endian.h>
#include <string.h>

#include "packet/csum.h"

#define FLAGS_NEVER_CUT (FRAME_TCP_SYN | FRAME_TCP_RST | FRAME_TCP_URG)
#define MIN_CUT_BYTES 64U /* less payload than this in a datagram is no path */
#define MAX_IP_BYTES 65535U
#define NEXT_HOP_BY_HOP 0U
#define OPTION_JUMBO 0xc2U
#define JUMBO_BYTES 8U

/* What becomes of each segment's TCP or UDP checksum */
enum segment_checksum {
	CHECKSUM_WIRE,   /* nothing: P says that the field means nothing */
	CHECKSUM_PSEUDO, /* the pseudo header's sum */
	CHECKSUM_COMPLETE,
};

/* TCP's flags, of a frame whose payload_offset says that they are there */
static uint8_t tcp_flags(const uint8_t *frame, const struct frame_info *info)
{
	return frame[info->l4_offset + 13];
}

/* Do the words of a super-frame's offload fit each other and the frame? */
static enum segment_result check_gso(const uint8_t *frame, const struct frame_info *info, const struct offload *offload)
{
	uint8_t protocol = offload->gso == OFFLOAD_GSO_UDP ? FRAME_PROTOCOL_UDP : FRAME_PROTOCOL_TCP;
	uint32_t payload_bytes = info->end_offset - info->payload_offset;

	if (info->payload_offset == 0 || info->payload_offset > SEGMENT_MAX_HEADER_BYTES)
		return SEGMENT_DROP_HEADERS;
	if (offload->gso > OFFLOAD_GSO_UDP || info->l4_protocol != protocol || offload->gso_bytes == 0 ||
		(offload->gso == OFFLOAD_GSO_TCP4 && info->ip_version != 4) ||
		(offload->gso == OFFLOAD_GSO_TCP6 && info->ip_version != 6))
		return SEGMENT_DROP_OFFLOAD;
	if (!offload->partial || offload->csum_start != info->l4_offset ||
		offload->csum_offset != csum_field_offset(info))
		return SEGMENT_DROP_OFFLOAD;
	if (protocol == FRAME_PROTOCOL_TCP && (tcp_flags(frame, info) & FLAGS_NEVER_CUT))
		return SEGMENT_DROP_HEADERS;
	if (protocol == FRAME_PROTOCOL_TCP && offload->gso_bytes < SEGMENT_MIN_MSS)
		return SEGMENT_DROP_COUNT;
	if (protocol == FRAME_PROTOCOL_UDP && payload_bytes > SEGMENT_MAX_DATAGRAMS * offload->gso_bytes)
		return SEGMENT_DROP_COUNT;
	return SEGMENT_OK;
}

/*
 * The pseudo header's sum without its length.  Behind a source route only the sum that the guest left in the field
 * knows the destination: take its length out again.
 */
static uint16_t pseudo_sum(const uint8_t *frame, const struct frame_info *info)
{
	uint16_t field;

	if (!info->source_routed)
		return csum_fold(csum_pseudo(frame, info, 0));
	memcpy(&field, frame + info->l4_offset + csum_field_offset(info), sizeof(field));
	return csum_fold((uint64_t)field + (uint16_t)~htobe16((uint16_t)(info->end_offset - info->l4_offset)));
}

/* A hop-by-hop header that says nothing but that the packet is longer than its IPv6 header can tell (RFC 2675 section 2) */
static void leave_out_jumbo(struct segmenter *s)
{
	uint8_t *ip = s->header + s->l3_offset, *option = ip + FRAME_IPV6_BYTES;

	if (s->l4_offset < s->l3_offset + FRAME_IPV6_BYTES + JUMBO_BYTES || frame_get16(ip + 4) != 0 ||
		ip[6] != NEXT_HOP_BY_HOP || option[1] != 0 || option[2] != OPTION_JUMBO || option[3] != 4)
		return;
	ip[6] = option[0];
	s->jumbo_bytes = JUMBO_BYTES;
	s->header_bytes -= JUMBO_BYTES;
	s->l4_offset -= JUMBO_BYTES;
	memmove(option, option + JUMBO_BYTES, (size_t)(s->header + s->header_bytes - option));
}

/* The most payload behind @info's headers that an outermost IP header can tell the length of */
static uint32_t payload_room(const struct packet *packet, const struct frame_info *info)
{
	return MAX_IP_BYTES - (info->payload_offset - packet->info.l3_offset);
}

/* Keep the headers as the pattern for every segment's, with the words that differ summed apart.  @info: @packet's, or inner */
static void begin_cut(struct segmenter *s, const struct packet *packet, const struct frame_info *info,
	uint32_t cut_bytes, enum segment_checksum checksum)
{
	uint32_t room_bytes = payload_room(packet, info);

	s->cut_bytes = cut_bytes < room_bytes ? cut_bytes : room_bytes;
	s->payload_bytes = info->end_offset - info->payload_offset;
	s->header_bytes = info->payload_offset;
	s->l3_offset = info->l3_offset;
	s->l4_offset = info->l4_offset;
	s->jumbo_bytes = 0;
	s->ip_version = info->ip_version;
	s->l4_protocol = info->l4_protocol;
	s->checksum = (uint8_t)checksum;
	s->pseudo_sum = pseudo_sum(s->frame, info);
	memcpy(s->header, s->frame, s->header_bytes);
	if (s->ip_version == 6)
		leave_out_jumbo(s);
	if (s->ip_version == 4) {
		uint8_t *ip = s->header + s->l3_offset;

		s->ip_id = frame_get16(ip + 4);
		memset(ip + 2, 0, 4);
		memset(ip + 10, 0, 2);
		s->ip_sum = csum_fold(csum_add(0, ip, (size_t)(s->l4_offset - s->l3_offset)));
	}
	if (s->l4_protocol == FRAME_PROTOCOL_TCP)
		s->seq = frame_get32(s->header + s->l4_offset + 4);
}

static void begin(struct segmenter *s, uint8_t *frame, size_t len_bytes)
{
	s->frame = frame;
	s->saved_at = NULL;
	s->saved_bytes = 0;
	s->frame_bytes = (uint32_t)len_bytes;
	s->payload_bytes = 0;
	s->done_bytes = 0;
	s->cut_bytes = 0;
	s->seq = 0;
	s->ip_id = 0;
	s->ip_id_step = 1;
	s->index = 0;
	s->tunnel.count = 0;
	s->gso_bytes = 0;
	s->partial = false;
	s->done = false;
}

enum segment_result segment_begin(struct segmenter *s, struct packet *packet, size_t max_frame_bytes)
{
	uint8_t *frame = packet->frame;
	const size_t len_bytes = packet->bytes;
	const struct frame_info *info = &packet->info;
	struct offload *offload = &packet->offload;
	bool native = csum_is_native(info, offload), super = offload->gso != OFFLOAD_GSO_NONE;
	enum segment_checksum checksum = native ? CHECKSUM_WIRE : CHECKSUM_COMPLETE;
	enum segment_result result = super ? check_gso(frame, info, offload) : SEGMENT_OK;
	bool room = max_frame_bytes >= info->payload_offset + MIN_CUT_BYTES;
	uint32_t fill_bytes = room ? (uint32_t)max_frame_bytes - info->payload_offset : 0;

	assert(max_frame_bytes <= UINT32_MAX);
	if (result != SEGMENT_OK)
		return result;
	begin(s, frame, len_bytes);
	s->partial = native;
	if (!super) {
		if (native && info->l4_protocol == FRAME_PROTOCOL_TCP && len_bytes > max_frame_bytes && room &&
			info->payload_offset <= SEGMENT_MAX_HEADER_BYTES && !(tcp_flags(frame, info) & FLAGS_NEVER_CUT))
			begin_cut(s, packet, info, fill_bytes, checksum);
		else if (offload->partial && !native && !csum_complete(frame, len_bytes, offload))
			return SEGMENT_DROP_OFFLOAD;
		return SEGMENT_OK;
	}
	if (offload->gso == OFFLOAD_GSO_UDP) {
		begin_cut(s, packet, info, offload->gso_bytes, checksum);
		return SEGMENT_OK;
	}
	if (!room)
		return SEGMENT_DROP_ROOM;
	/* G means P too, so without P no segment may be larger than the guest's own */
	if (native)
		s->gso_bytes = offload->gso_bytes;
	else if (fill_bytes > offload->gso_bytes)
		fill_bytes = offload->gso_bytes;
	begin_cut(s, packet, info, fill_bytes, checksum);
	return SEGMENT_OK;
}

/* Is it a super-frame of an inner header?  Then s->tunnel says what is around that */
static bool in_tunnel(struct segmenter *s, const struct packet *packet)
{
	const struct offload *offload = &packet->offload;
	const bool udp = offload->gso == OFFLOAD_GSO_UDP;
	const uint8_t tcp_version = offload->gso == OFFLOAD_GSO_TCP4 ? 4 : 6;

	if (offload->gso == OFFLOAD_GSO_NONE || !offload->partial || offload->csum_start == packet->info.l4_offset)
		return false;
	if (tunnel_find(packet->frame, &packet->info, offload->csum_start,
		    udp ? FRAME_PROTOCOL_UDP : FRAME_PROTOCOL_TCP, udp ? 0 : tcp_version, &s->tunnel))
		return true;
	s->tunnel.count = 0;
	return false;
}

enum segment_result segment_begin_port(struct segmenter *s, struct packet *packet, bool complete)
{
	uint8_t *frame = packet->frame;
	const size_t len_bytes = packet->bytes;
	const struct frame_info *info = &packet->info;
	struct offload *offload = &packet->offload;
	enum segment_result result;

	begin(s, frame, len_bytes);
	if (in_tunnel(s, packet)) {
		info = &s->tunnel.inner;
		complete = true;
	}
	if (offload->gso == OFFLOAD_GSO_NONE) {
		if (offload->partial && complete && !csum_complete(frame, len_bytes, offload))
			return SEGMENT_DROP_OFFLOAD;
		s->partial = offload->partial;
		return SEGMENT_OK;
	}
	result = check_gso(frame, info, offload);
	if (result != SEGMENT_OK)
		return result;
	s->partial = !complete;
	begin_cut(s, packet, info, offload->gso_bytes, complete ? CHECKSUM_COMPLETE : CHECKSUM_PSEUDO);
	return SEGMENT_OK;
}

enum segment_result segment_begin_split(struct segmenter *s, struct packet *packet)
{
	const struct frame_info *info = &packet->info;
	const struct offload *offload = &packet->offload;
	enum segment_result result = check_gso(packet->frame, info, offload);
	uint32_t room_bytes;

	if (result != SEGMENT_OK)
		return result;
	begin(s, packet->frame, packet->bytes);
	s->partial = true;
	s->gso_bytes = offload->gso_bytes;
	room_bytes = payload_room(packet, info);
	if (room_bytes < offload->gso_bytes)
		return SEGMENT_DROP_OFFLOAD;
	begin_cut(s, packet, info, room_bytes - room_bytes % offload->gso_bytes, CHECKSUM_PSEUDO);
	s->ip_id_step = (uint16_t)(s->cut_bytes / offload->gso_bytes);
	return SEGMENT_OK;
}

/* Write what differs from segment to segment into a copy of the headers */
static void write_lengths(const struct segmenter *s, uint8_t *frame, uint32_t payload_bytes)
{
	uint32_t bytes = s->header_bytes + payload_bytes;
	uint8_t *ip = frame + s->l3_offset;

	if (s->ip_version == 4) {
		uint16_t sum;

		frame_put16(ip + 2, (uint16_t)(bytes - s->l3_offset));
		frame_put16(ip + 4, s->ip_id);
		sum = (uint16_t)~csum_fold(csum_add(s->ip_sum, ip + 2, 4));
		memcpy(ip + 10, &sum, sizeof(sum));
	} else {
		frame_put16(ip + 4, (uint16_t)(bytes - s->l3_offset - FRAME_IPV6_BYTES));
	}
	if (s->l4_protocol == FRAME_PROTOCOL_UDP)
		frame_put16(frame + s->l4_offset + 4, (uint16_t)(bytes - s->l4_offset));
}

static void write_tcp(const struct segmenter *s, uint8_t *frame, bool last)
{
	uint8_t *tcp = frame + s->l4_offset;

	frame_put32(tcp + 4, s->seq);
	if (s->done_bytes > 0)
		tcp[13] &= (uint8_t)~FRAME_TCP_CWR;
	if (!last)
		tcp[13] &= (uint8_t) ~(FRAME_TCP_FIN | FRAME_TCP_PSH);
}

static uint16_t checksum_offset(const struct segmenter *s)
{
	return s->l4_protocol == FRAME_PROTOCOL_TCP ? 16 : 6;
}

/* Return: the sum of the pseudo header, which is what the field holds of a partial checksum */
static uint16_t write_checksum(const struct segmenter *s, uint8_t *frame, size_t bytes)
{
	struct offload offload = {
		.partial = true,
		.csum_start = s->l4_offset,
		.csum_offset = checksum_offset(s),
	};
	uint16_t sum = csum_fold((uint64_t)s->pseudo_sum + htobe16((uint16_t)(bytes - s->l4_offset)));

	memcpy(frame + offload.csum_start + offload.csum_offset, &sum, sizeof(sum));
	if (s->checksum == CHECKSUM_COMPLETE && !csum_complete(frame, bytes, &offload))
		assert(!"the field was found by frame_parse()");
	return sum;
}

/* All that a segment's headers say of their own, in the pattern's copy at @at */
static void write_headers(const struct segmenter *s, uint8_t *at, uint32_t payload_bytes, struct packet *out)
{
	write_lengths(s, at, payload_bytes);
	if (s->l4_protocol == FRAME_PROTOCOL_TCP)
		write_tcp(s, at, s->done);
	if (s->checksum != CHECKSUM_WIRE) {
		uint16_t pseudo_sum = write_checksum(s, at, out->bytes);

		out->offload.csum_start = s->l4_offset;
		out->offload.csum_offset = checksum_offset(s);
		if (s->tunnel.count) /* what is whole sums up, with its pseudo header, to all ones */
			tunnel_write(&s->tunnel, at, out->bytes, s->index, s->l4_offset, (uint16_t)~pseudo_sum);
	}
}

/* Keep the frame's own bytes where the next headers, and the caller's in front of them, will stand */
static void save(struct segmenter *s, uint8_t *at)
{
	uint32_t front_bytes = s->done_bytes + s->jumbo_bytes;

	if (front_bytes > SEGMENT_HEADROOM_BYTES)
		front_bytes = SEGMENT_HEADROOM_BYTES;
	s->saved_at = at - front_bytes;
	s->saved_bytes = front_bytes + s->header_bytes;
	memcpy(s->saved, s->saved_at, s->saved_bytes);
}

bool segment_next(struct segmenter *s, struct packet *out)
{
	uint32_t payload_bytes = s->payload_bytes - s->done_bytes;
	uint8_t *at = s->frame + s->done_bytes;

	if (s->saved_at)
		memcpy(s->saved_at, s->saved, s->saved_bytes);
	s->saved_at = NULL;
	if (s->done)
		return false;
	out->frame = at;
	out->bytes = s->frame_bytes;
	out->offload.partial = s->partial;
	out->offload.gso_bytes = 0;
	if (s->cut_bytes == 0) {
		s->done = true;
		return true;
	}

	if (payload_bytes > s->cut_bytes)
		payload_bytes = s->cut_bytes;
	s->done = s->done_bytes + payload_bytes == s->payload_bytes;
	at += s->jumbo_bytes;
	save(s, at);
	memcpy(at, s->header, s->header_bytes);
	out->frame = at;
	out->bytes = s->header_bytes + payload_bytes;
	if (s->gso_bytes > 0 && payload_bytes > s->gso_bytes)
		out->offload.gso_bytes = s->gso_bytes;
	write_headers(s, at, payload_bytes, out);
	s->done_bytes += payload_bytes;
	s->seq += payload_bytes;
	s->ip_id = (uint16_t)(s->ip_id + s->ip_id_step);
	s->index++;
	return true;
}
