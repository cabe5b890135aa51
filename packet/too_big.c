/*
 * too_big.c - see too_big.h
 */
#include "packet/too_big.h"

#include <stdbool.h>

#include "packet/csum.h"

#define IPV4_DF 0x4000U
#define IPV4_OFFSET_MASK 0x1fffU
#define ICMP_BYTES 8U
#define ICMP_UNREACHABLE 3U
#define ICMP_FRAGMENTATION_NEEDED 4U
#define ICMPV6_TOO_BIG 2U
#define ICMPV6_INFORMATIONAL 128U /* types from here on are no errors */
#define IPV4_ANSWER_MAX 576U      /* RFC 1812 section 4.3.2.3 */
#define IPV6_ANSWER_MAX 1280U     /* RFC 4443 section 2.4 (c) */
#define HOP_LIMIT 64U

static bool v4_answerable(const uint8_t *ip, const uint8_t *l4, const struct frame_info *info)
{
	static const uint8_t errors[] = { 3, 4, 5, 11, 12 };
	uint16_t fragment = frame_get16(ip + 6);

	if (!(fragment & IPV4_DF) || (fragment & IPV4_OFFSET_MASK))
		return false;
	if (ip[12] == 0 || ip[12] >= 224 || ip[16] >= 224) /* no source, or a group or broadcast */
		return false;
	if (!l4 || info->l4_protocol != FRAME_PROTOCOL_ICMP)
		return true;
	for (size_t i = 0; i < sizeof(errors); i++)
		if (l4[0] == errors[i])
			return false;
	return true;
}

static bool v6_answerable(const uint8_t *ip, const uint8_t *l4, const struct frame_info *info)
{
	uint8_t any = 0;

	for (int i = 0; i < 16; i++)
		any |= ip[8 + i];
	/* A group as destination is answered: path MTU discovery for multicast (RFC 4443 section 2.4 (e.3)) */
	if (!any || ip[8] == 0xff || (info->ip_fragment && !l4))
		return false;
	return !l4 || info->l4_protocol != FRAME_PROTOCOL_ICMPV6 || l4[0] >= ICMPV6_INFORMATIONAL;
}

/* Ethernet header and tags, turned round */
static void turn_round(const uint8_t *frame, const struct frame_info *info, uint8_t *out)
{
	memcpy(out, frame + MAC_BYTES, MAC_BYTES);
	memcpy(out + MAC_BYTES, frame, MAC_BYTES);
	out[MAC_BYTES] &= 0xfe; /* a source is no group */
	memcpy(out + 2 * MAC_BYTES, frame + 2 * MAC_BYTES, info->l2_bytes - 2 * MAC_BYTES);
}

static void put_checksum(uint8_t *at, uint64_t sum)
{
	uint16_t checksum = (uint16_t)~csum_fold(sum);

	memcpy(at, &checksum, sizeof(checksum));
}

static size_t answer_v4(const uint8_t *ip, size_t packet_bytes, uint32_t mtu_bytes, uint8_t *out)
{
	size_t quoted = packet_bytes, room = IPV4_ANSWER_MAX - FRAME_IPV4_BYTES - ICMP_BYTES;
	uint8_t *icmp = out + FRAME_IPV4_BYTES;

	if (quoted > room)
		quoted = room;
	memset(out, 0, FRAME_IPV4_BYTES + ICMP_BYTES);
	out[0] = 0x45;
	frame_put16(out + 2, (uint16_t)(FRAME_IPV4_BYTES + ICMP_BYTES + quoted));
	out[8] = HOP_LIMIT;
	out[9] = FRAME_PROTOCOL_ICMP;
	memcpy(out + 12, ip + 16, 4);
	memcpy(out + 16, ip + 12, 4);
	put_checksum(out + 10, csum_add(0, out, FRAME_IPV4_BYTES));
	icmp[0] = ICMP_UNREACHABLE;
	icmp[1] = ICMP_FRAGMENTATION_NEEDED;
	frame_put16(icmp + 6, mtu_bytes > 0xffff ? 0xffff : (uint16_t)mtu_bytes);
	memcpy(icmp + ICMP_BYTES, ip, quoted);
	put_checksum(icmp + 2, csum_add(0, icmp, ICMP_BYTES + quoted));
	return FRAME_IPV4_BYTES + ICMP_BYTES + quoted;
}

static size_t answer_v6(const uint8_t *ip, size_t packet_bytes, uint32_t mtu_bytes, uint8_t *out)
{
	size_t quoted = packet_bytes, room = IPV6_ANSWER_MAX - FRAME_IPV6_BYTES - ICMP_BYTES;
	uint8_t *icmp = out + FRAME_IPV6_BYTES, pseudo[8] = { 0 };
	bool group = ip[24] == 0xff;

	if (quoted > room)
		quoted = room;
	memset(out, 0, FRAME_IPV6_BYTES + ICMP_BYTES);
	out[0] = 0x60;
	frame_put16(out + 4, (uint16_t)(ICMP_BYTES + quoted));
	out[6] = FRAME_PROTOCOL_ICMPV6;
	out[7] = HOP_LIMIT;
	memcpy(out + 8, group ? ip + 8 : ip + 24, 16); /* a group sends nothing: then it is the guest's own address */
	memcpy(out + 24, ip + 8, 16);
	icmp[0] = ICMPV6_TOO_BIG;
	frame_put32(icmp + 4, mtu_bytes);
	memcpy(icmp + ICMP_BYTES, ip, quoted);
	frame_put32(pseudo, (uint32_t)(ICMP_BYTES + quoted));
	pseudo[7] = FRAME_PROTOCOL_ICMPV6;
	put_checksum(icmp + 2,
		csum_add(csum_add(csum_add(0, out + 8, 32), pseudo, sizeof(pseudo)), icmp, ICMP_BYTES + quoted));
	return FRAME_IPV6_BYTES + ICMP_BYTES + quoted;
}

size_t too_big_create(const uint8_t *frame, size_t len_bytes, const struct frame_info *info, uint32_t mtu_bytes,
	uint8_t out[TOO_BIG_MAX_BYTES])
{
	const uint8_t *ip = frame + info->l3_offset, *l4 = info->l4_offset ? frame + info->l4_offset : NULL;
	size_t packet_bytes = info->end_offset - info->l3_offset;

	if (info->l4_offset >= len_bytes || (frame[MAC_BYTES] & 1) || info->end_offset > len_bytes)
		return 0;
	if (info->ip_version == 4 && v4_answerable(ip, l4, info)) {
		turn_round(frame, info, out);
		return info->l2_bytes + answer_v4(ip, packet_bytes, mtu_bytes, out + info->l2_bytes);
	}
	if (info->ip_version == 6 && mtu_bytes >= TOO_BIG_IPV6_MIN_MTU && v6_answerable(ip, l4, info)) {
		turn_round(frame, info, out);
		return info->l2_bytes + answer_v6(ip, packet_bytes, mtu_bytes, out + info->l2_bytes);
	}
	return 0;
}
