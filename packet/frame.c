/*
 * frame.c - see frame.h
 */
#include "packet/frame.h"

#include <assert.h>

/* RFC 8200 4.1 and IANA's list of extension headers; more in a row than this are not followed */
#define MAX_EXTENSION_HEADERS 8U

enum {
	NEXT_HOP_BY_HOP = 0,
	NEXT_ROUTING = 43,
	NEXT_FRAGMENT = 44,
	NEXT_NONE = 59,
	NEXT_DESTINATION = 60,
};

enum {
	OPTION_END = 0,
	OPTION_NOP = 1,
	OPTION_LSRR = 131,
	OPTION_SSRR = 137,
};

/* Is there a source route among the IPv4 options?  Options that cannot be read count as one. */
static bool ipv4_source_routed(const uint8_t *at, const uint8_t *end)
{
	while (at < end && *at != OPTION_END) {
		if (*at == OPTION_NOP) {
			at++;
			continue;
		}
		if (*at == OPTION_LSRR || *at == OPTION_SSRR)
			return true;
		if (end - at < 2 || at[1] < 2 || at[1] > end - at)
			return true;
		at += at[1];
	}
	return false;
}

/* What follows the IP headers, at @offset.  Sets payload_offset where the packet is whole. */
static inline void parse_l4(const uint8_t *frame, struct frame_info *out, uint32_t offset, uint8_t protocol)
{
	uint32_t left_bytes = out->end_offset - offset;

	out->l4_offset = (uint16_t)offset;
	out->l4_protocol = protocol;
	if (out->ip_fragment)
		return;
	if (protocol == FRAME_PROTOCOL_TCP) {
		uint32_t header_bytes;

		if (left_bytes < FRAME_TCP_BYTES)
			return;
		header_bytes = (uint32_t)(frame[offset + 12] >> 4) * 4;
		if (header_bytes >= FRAME_TCP_BYTES && header_bytes <= left_bytes)
			out->payload_offset = (uint16_t)(offset + header_bytes);
	} else if (protocol == FRAME_PROTOCOL_UDP) {
		if (left_bytes >= FRAME_UDP_BYTES && frame_get16(frame + offset + 4) == left_bytes)
			out->payload_offset = (uint16_t)(offset + FRAME_UDP_BYTES);
	}
}

static inline void parse_ipv4(const uint8_t *frame, size_t len_bytes, struct frame_info *out)
{
	const uint8_t *ip = frame + out->l3_offset;
	uint32_t left_bytes = (uint32_t)len_bytes - out->l3_offset;
	uint32_t header_bytes, total_bytes;
	uint16_t fragment;

	if (left_bytes < FRAME_IPV4_BYTES || ip[0] >> 4 != 4)
		return;
	header_bytes = (uint32_t)(ip[0] & 0x0f) * 4;
	total_bytes = frame_get16(ip + 2);
	if (total_bytes == 0)
		total_bytes = left_bytes;
	if (header_bytes < FRAME_IPV4_BYTES || header_bytes > total_bytes || total_bytes > left_bytes)
		return;

	out->ip_version = 4;
	out->end_offset = out->l3_offset + total_bytes;
	fragment = frame_get16(ip + 6);
	out->ip_fragment = (fragment & 0x3fff) != 0; /* MF or an offset */
	if (header_bytes > FRAME_IPV4_BYTES) {
		out->ip_options = true;
		out->source_routed = ipv4_source_routed(ip + FRAME_IPV4_BYTES, ip + header_bytes);
	}
	if ((fragment & 0x1fff) == 0)
		parse_l4(frame, out, out->l3_offset + header_bytes, ip[9]);
}

static inline bool is_extension(uint8_t next)
{
	return next == NEXT_HOP_BY_HOP || next == NEXT_ROUTING || next == NEXT_FRAGMENT || next == NEXT_DESTINATION;
}

/* Follow the extension headers from @offset.  A chain that is cut off or too long has no L4. */
static void parse_extensions(const uint8_t *frame, struct frame_info *out, uint32_t offset, uint8_t next)
{
	out->ip_options = true;
	for (unsigned int i = 0; is_extension(next); i++) {
		const uint8_t *at = frame + offset;
		uint32_t left_bytes = out->end_offset - offset, header_bytes;

		if (i == MAX_EXTENSION_HEADERS || left_bytes < 8)
			return;
		if (next == NEXT_FRAGMENT) {
			header_bytes = 8;
			out->ip_fragment = true;
			if (frame_get16(at + 2) >> 3 != 0)
				return;
		} else {
			header_bytes = ((uint32_t)at[1] + 1) * 8;
			if (header_bytes > left_bytes)
				return;
			if (next == NEXT_ROUTING && at[3] != 0)
				out->source_routed = true;
		}
		next = at[0];
		offset += header_bytes;
	}
	if (next != NEXT_NONE)
		parse_l4(frame, out, offset, next);
}

static inline void parse_ipv6(const uint8_t *frame, size_t len_bytes, struct frame_info *out)
{
	const uint8_t *ip = frame + out->l3_offset;
	uint32_t left_bytes = (uint32_t)len_bytes - out->l3_offset;
	uint32_t payload_bytes;

	if (left_bytes < FRAME_IPV6_BYTES || ip[0] >> 4 != 6)
		return;
	left_bytes -= FRAME_IPV6_BYTES;
	payload_bytes = frame_get16(ip + 4);
	if (payload_bytes == 0)
		payload_bytes = left_bytes;
	if (payload_bytes > left_bytes)
		return;

	out->ip_version = 6;
	out->end_offset = out->l3_offset + FRAME_IPV6_BYTES + payload_bytes;
	if (is_extension(ip[6]))
		parse_extensions(frame, out, out->l3_offset + FRAME_IPV6_BYTES, ip[6]);
	else if (ip[6] != NEXT_NONE)
		parse_l4(frame, out, out->l3_offset + FRAME_IPV6_BYTES, ip[6]);
}

bool frame_parse(const uint8_t *frame, size_t len_bytes, struct frame_info *out)
{
	struct frame_info info = { 0 };
	uint32_t l2_bytes = FRAME_ETHERNET_BYTES;

	if (len_bytes < FRAME_ETHERNET_BYTES || len_bytes > UINT32_MAX)
		return false;
	info.ethertype = frame_get16(frame + 12);
	for (unsigned int tags = 0; tags < FRAME_MAX_TAGS; tags++) {
		if (info.ethertype != FRAME_ETHERTYPE_8021Q && info.ethertype != FRAME_ETHERTYPE_8021AD)
			break;
		if (len_bytes < l2_bytes + FRAME_TAG_BYTES)
			return false;
		if (!info.tagged)
			info.tci = frame_get16(frame + l2_bytes);
		info.tagged = true;
		info.ethertype = frame_get16(frame + l2_bytes + 2);
		l2_bytes += FRAME_TAG_BYTES;
	}
	info.l2_bytes = (uint8_t)l2_bytes;
	info.l3_offset = (uint16_t)l2_bytes;
	info.end_offset = (uint32_t)len_bytes;
	if (info.ethertype == FRAME_ETHERTYPE_IPV4)
		parse_ipv4(frame, len_bytes, &info);
	else if (info.ethertype == FRAME_ETHERTYPE_IPV6)
		parse_ipv6(frame, len_bytes, &info);
	*out = info;
	return true;
}

bool frame_parse_ip(const uint8_t *frame, size_t len_bytes, uint32_t offset, struct frame_info *out)
{
	assert(offset <= 1024); /* so that the offsets behind it fit */
	*out = (struct frame_info){ .l3_offset = (uint16_t)offset, .end_offset = (uint32_t)len_bytes };
	if (offset >= len_bytes)
		return false;
	if (frame[offset] >> 4 == 4)
		parse_ipv4(frame, len_bytes, out);
	else
		parse_ipv6(frame, len_bytes, out);
	return out->ip_version != 0;
}
