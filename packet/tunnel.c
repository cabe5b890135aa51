/*
 * tunnel.c - see tunnel.h
 */
#include "packet/tunnel.h"

#include "packet/csum.h"

#include <string.h>

enum {
	PROTOCOL_IPV4 = 4,
	PROTOCOL_IPV6 = 41,
	PROTOCOL_GRE = 47,
};

enum gre_flag {
	GRE_CHECKSUM = 0x8000,
	GRE_ROUTING = 0x4000,
	GRE_KEY = 0x2000,
	GRE_SEQUENCE = 0x1000,
	GRE_VERSION = 0x0007,
};

#define GRE_BYTES 4U
#define INNER_BACK_MAX 256U /* the innermost IP header begins at most this far in front of what it carries */

/* ---- finding ------------------------------------------------------------------------------------------------ */

/* What is looked for, and how far the walk is */
struct walk {
	const uint8_t *frame;
	uint32_t end, start;
	uint8_t protocol, ip_version;
	struct tunnel *out;
};

static bool add(struct walk *w, struct tunnel_layer layer)
{
	if (w->out->count == TUNNEL_LAYERS_MAX)
		return false;
	w->out->layers[w->out->count++] = layer;
	return true;
}

static bool add_ip(struct walk *w, const struct frame_info *info)
{
	return add(w,
		(struct tunnel_layer){
			.kind = info->ip_version == 4 ? TUNNEL_IPV4 : TUNNEL_IPV6,
			.offset = info->l3_offset,
		});
}

/* A whole IP packet that ends where the frame's does */
static bool read_ip(const struct walk *w, uint32_t at, struct frame_info *out)
{
	return frame_parse_ip(w->frame, w->end, at, out) && out->end_offset == w->end && out->l4_offset != 0 &&
		!out->ip_fragment;
}

static bool is_inner(const struct walk *w, const struct frame_info *info)
{
	return info->l4_offset == w->start && info->l4_protocol == w->protocol &&
		(w->ip_version == 0 || info->ip_version == w->ip_version);
}

/* Behind what does not say how long it is: back from the inner header */
static bool find_back(struct walk *w, uint32_t from)
{
	for (uint32_t back = FRAME_IPV4_BYTES; back <= INNER_BACK_MAX && from + back <= w->start; back += 4)
		if (read_ip(w, w->start - back, &w->out->inner) && is_inner(w, &w->out->inner))
			return true;
	return false;
}

/* The pseudo header's sum for a UDP header behind @info's; behind a source route only the field knows the destination */
static uint16_t udp_pseudo_sum(const struct walk *w, const struct frame_info *info, uint16_t field)
{
	if (!info->source_routed)
		return csum_fold(csum_pseudo(w->frame, info, 0));
	return csum_fold((uint64_t)field + (uint16_t)~htobe16((uint16_t)(info->end_offset - info->l4_offset)));
}

static bool take_udp(struct walk *w, const struct frame_info *info)
{
	struct tunnel_layer layer = { .kind = TUNNEL_UDP, .offset = info->l4_offset };
	uint16_t field;

	if (info->l4_offset + FRAME_UDP_BYTES > w->start)
		return false;
	memcpy(&field, w->frame + info->l4_offset + 6, sizeof(field));
	layer.checksum = field != 0;
	layer.pseudo_sum = udp_pseudo_sum(w, info, field);
	return add(w, layer) && find_back(w, info->l4_offset + FRAME_UDP_BYTES);
}

/* Return: where what it carries begins; 0 where it cannot be read.  @protocol: out, an ethertype */
static uint32_t take_gre(struct walk *w, uint32_t at, uint16_t *protocol)
{
	struct tunnel_layer layer = { .kind = TUNNEL_GRE, .offset = (uint16_t)at };
	uint32_t behind = at + GRE_BYTES;
	uint16_t flags;

	if (behind > w->start)
		return 0;
	flags = frame_get16(w->frame + at);
	*protocol = frame_get16(w->frame + at + 2);
	if (flags & (GRE_VERSION | GRE_ROUTING))
		return 0;
	layer.checksum = flags & GRE_CHECKSUM;
	behind += (flags & GRE_CHECKSUM ? 4U : 0) + (flags & GRE_KEY ? 4U : 0);
	if (flags & GRE_SEQUENCE) {
		layer.sequence_at = (uint16_t)behind;
		behind += 4;
	}
	return behind <= w->start && add(w, layer) ? behind : 0;
}

/* Behind an outer IP header.  Return: where the next IP header is; 0: nothing more to walk, and @found says how it ended */
static uint32_t take_l4(struct walk *w, const struct frame_info *info, bool *found)
{
	uint32_t at = info->l4_offset;
	uint16_t protocol;

	switch (info->l4_protocol) {
	case PROTOCOL_IPV4:
	case PROTOCOL_IPV6:
		return at;
	case FRAME_PROTOCOL_UDP:
		*found = take_udp(w, info);
		return 0;
	case PROTOCOL_GRE:
		at = take_gre(w, at, &protocol);
		if (at && (protocol == FRAME_ETHERTYPE_IPV4 || protocol == FRAME_ETHERTYPE_IPV6))
			return at;
		break;
	default:
		break;
	}
	*found = at && find_back(w, at);
	return 0;
}

bool tunnel_find(const uint8_t *frame, const struct frame_info *outer, uint32_t start, uint8_t protocol,
	uint8_t ip_version, struct tunnel *out)
{
	struct walk w = { frame, outer->end_offset, start, protocol, ip_version, out };
	uint32_t at = outer->l3_offset;
	bool found = false;

	out->count = 0;
	if (start > TUNNEL_START_MAX || start >= w.end)
		return false;
	if (outer->ip_version == 0)
		return find_back(&w, at);
	while (at) {
		struct frame_info info;

		if (!read_ip(&w, at, &info))
			return false;
		out->inner = info;
		if (is_inner(&w, &info))
			return true;
		if (info.l4_offset >= start || !add_ip(&w, &info))
			return false;
		at = take_l4(&w, &info, &found);
	}
	return found;
}

/* ---- writing ------------------------------------------------------------------------------------------------ */

/* The checksum over all behind @at, where the field, @field_at, is zero: what is behind @start is known by its sum */
static uint16_t checksum(const uint8_t *frame, uint32_t at, uint32_t start, uint64_t sum, uint16_t inner_sum)
{
	if ((start - at) & 1)
		inner_sum = __builtin_bswap16(inner_sum);
	return (uint16_t)~csum_fold(csum_add(sum, frame + at, start - at) + inner_sum);
}

static void write_ipv4(uint8_t *ip, uint32_t bytes, uint32_t index)
{
	uint16_t sum;

	frame_put16(ip + 2, (uint16_t)bytes);
	frame_put16(ip + 4, (uint16_t)(frame_get16(ip + 4) + index));
	memset(ip + 10, 0, 2);
	sum = (uint16_t)~csum_fold(csum_add(0, ip, (size_t)(ip[0] & 0x0f) * 4));
	memcpy(ip + 10, &sum, sizeof(sum));
}

static void write_udp(const struct tunnel_layer *layer, uint8_t *frame, uint32_t bytes, uint32_t start,
	uint16_t inner_sum)
{
	uint8_t *udp = frame + layer->offset;
	uint16_t sum;

	frame_put16(udp + 4, (uint16_t)bytes);
	if (!layer->checksum)
		return;
	memset(udp + 6, 0, 2);
	sum = checksum(frame, layer->offset, start, (uint64_t)layer->pseudo_sum + htobe16((uint16_t)bytes), inner_sum);
	if (sum == 0)
		sum = 0xffff;
	memcpy(udp + 6, &sum, sizeof(sum));
}

static void write_gre(const struct tunnel_layer *layer, uint8_t *frame, uint32_t index, uint32_t start,
	uint16_t inner_sum)
{
	uint8_t *gre = frame + layer->offset;
	uint16_t sum;

	if (layer->sequence_at)
		frame_put32(frame + layer->sequence_at, frame_get32(frame + layer->sequence_at) + index);
	if (!layer->checksum)
		return;
	memset(gre + 4, 0, 4); /* and what is reserved beside it */
	sum = checksum(frame, layer->offset, start, 0, inner_sum);
	memcpy(gre + 4, &sum, sizeof(sum));
}

void tunnel_write(const struct tunnel *tunnel, uint8_t *frame, uint32_t bytes, uint32_t index, uint32_t start,
	uint16_t inner_sum)
{
	for (unsigned int i = tunnel->count; i-- > 0;) {
		const struct tunnel_layer *layer = &tunnel->layers[i];
		uint32_t layer_bytes = bytes - layer->offset;

		switch ((enum tunnel_kind)layer->kind) {
		case TUNNEL_IPV4:
			write_ipv4(frame + layer->offset, layer_bytes, index);
			break;
		case TUNNEL_IPV6:
			frame_put16(frame + layer->offset + 4, (uint16_t)(layer_bytes - FRAME_IPV6_BYTES));
			break;
		case TUNNEL_UDP:
			write_udp(layer, frame, layer_bytes, start, inner_sum);
			break;
		case TUNNEL_GRE:
			write_gre(layer, frame, index, start, inner_sum);
			break;
		}
	}
}
