/*
 * csum.c - see csum.h
 */
#include "packet/csum.h"

#include <endian.h>
#include <string.h>

/* One's complement addition in 64 bits: the carry comes back in */
static inline uint64_t add_carry(uint64_t sum, uint64_t word)
{
	sum += word;
	return sum + (sum < word);
}

uint64_t csum_add(uint64_t sum, const void *bytes, size_t len_bytes)
{
	const uint8_t *at = bytes;
	uint64_t even = 0, odd = 0, tail = 0;

	for (; len_bytes >= 32; len_bytes -= 32, at += 32) {
		even = add_carry(add_carry(even, frame_word64(at)), frame_word64(at + 16));
		odd = add_carry(add_carry(odd, frame_word64(at + 8)), frame_word64(at + 24));
	}
	for (; len_bytes >= 8; len_bytes -= 8, at += 8)
		even = add_carry(even, frame_word64(at));
	if (len_bytes > 0)
		memcpy(&tail, at, len_bytes);
	return add_carry(add_carry(add_carry(sum, even), odd), tail);
}

/* A 16-bit number as it would be summed from the wire */
static inline uint64_t word16(uint32_t value)
{
	return htobe16((uint16_t)value);
}

/* Same for the low 32 bits */
static inline uint64_t word32(uint32_t value)
{
	return htobe32(value);
}

uint64_t csum_pseudo(const uint8_t *frame, const struct frame_info *info, uint32_t l4_bytes)
{
	uint64_t sum = word16(info->l4_protocol) + word32(l4_bytes);

	if (info->ip_version == 4)
		return csum_add(sum, frame + info->l3_offset + 12, 8);
	return csum_add(sum, frame + info->l3_offset + 8, 32);
}

bool csum_is_native(const struct frame_info *info, const struct offload *offload)
{
	return offload->partial && csum_can_be_partial(info) && offload->csum_start == info->l4_offset &&
		offload->csum_offset == csum_field_offset(info);
}

bool csum_complete(uint8_t *frame, size_t len_bytes, struct offload *offload)
{
	size_t start = offload->csum_start, field = start + offload->csum_offset;
	uint16_t sum;

	if (field + 2 > len_bytes)
		return false;
	sum = (uint16_t)~csum_fold(csum_add(0, frame + start, len_bytes - start));
	if (sum == 0)
		sum = 0xffff;
	memcpy(frame + field, &sum, sizeof(sum));
	offload->partial = false;
	return true;
}

/* Castagnoli's polynomial, reversed, four bits at a time */
static uint32_t crc32c_software(uint32_t crc, const uint8_t *at, size_t len_bytes)
{
	static const uint32_t nibble[16] = {
		0x00000000,
		0x105ec76f,
		0x20bd8ede,
		0x30e349b1,
		0x417b1dbc,
		0x5125dad3,
		0x61c69362,
		0x7198540d,
		0x82f63b78,
		0x92a8fc17,
		0xa24bb5a6,
		0xb21572c9,
		0xc38d26c4,
		0xd3d3e1ab,
		0xe330a81a,
		0xf36e6f75,
	};

	for (; len_bytes > 0; len_bytes--, at++) {
		crc ^= *at;
		crc = crc >> 4 ^ nibble[crc & 15];
		crc = crc >> 4 ^ nibble[crc & 15];
	}
	return crc;
}

#ifdef __x86_64__
__attribute__((target("sse4.2"))) static uint32_t crc32c_sse42(uint32_t crc, const uint8_t *at, size_t len_bytes)
{
	uint64_t wide = crc;

	for (; len_bytes >= 8; len_bytes -= 8, at += 8)
		wide = __builtin_ia32_crc32di(wide, frame_word64(at));
	for (crc = (uint32_t)wide; len_bytes > 0; len_bytes--, at++)
		crc = __builtin_ia32_crc32qi(crc, *at);
	return crc;
}
#endif

uint32_t csum_crc32c(const void *bytes, size_t len_bytes)
{
#ifdef __x86_64__
	if (__builtin_cpu_supports("sse4.2"))
		return htole32(~crc32c_sse42(0xffffffff, bytes, len_bytes));
#endif
	return htole32(~crc32c_software(0xffffffff, bytes, len_bytes));
}

bool csum_complete_sctp(uint8_t *frame, size_t end_bytes, struct offload *offload)
{
	size_t start = offload->csum_start, field = start + CSUM_SCTP_OFFSET;
	uint32_t crc;

	if (field + sizeof(crc) > end_bytes)
		return false;
	memset(frame + field, 0, sizeof(crc));
	crc = csum_crc32c(frame + start, end_bytes - start);
	memcpy(frame + field, &crc, sizeof(crc));
	offload->partial = false;
	return true;
}

bool csum_prepare(uint8_t *frame, const struct frame_info *info, struct offload *out)
{
	uint16_t sum;

	if (!csum_can_be_partial(info))
		return false;
	sum = csum_fold(csum_pseudo(frame, info, info->end_offset - info->l4_offset));
	out->partial = true;
	out->csum_start = info->l4_offset;
	out->csum_offset = csum_field_offset(info);
	memcpy(frame + info->l4_offset + out->csum_offset, &sum, sizeof(sum));
	return true;
}

static size_t ipv4_header_bytes(const uint8_t *ip)
{
	return (size_t)(ip[0] & 0x0f) * 4;
}

void csum_ipv4_header(uint8_t *frame, const struct frame_info *info)
{
	uint8_t *ip = frame + info->l3_offset;
	uint16_t sum;

	memset(ip + 10, 0, 2);
	sum = (uint16_t)~csum_fold(csum_add(0, ip, ipv4_header_bytes(ip)));
	memcpy(ip + 10, &sum, sizeof(sum));
}

bool csum_ipv4_header_ok(const uint8_t *frame, const struct frame_info *info)
{
	const uint8_t *ip = frame + info->l3_offset;

	return csum_fold(csum_add(0, ip, ipv4_header_bytes(ip))) == 0xffff;
}

bool csum_verify(const uint8_t *frame, const struct frame_info *info)
{
	uint32_t l4_bytes = info->end_offset - info->l4_offset;
	uint64_t sum;

	if (info->ip_version == 4 && !csum_ipv4_header_ok(frame, info))
		return false;
	if (info->payload_offset == 0 || info->source_routed)
		return true;
	if (info->l4_protocol == FRAME_PROTOCOL_UDP && frame_get16(frame + info->l4_offset + 6) == 0)
		return info->ip_version == 4;
	sum = csum_pseudo(frame, info, l4_bytes);
	return csum_fold(csum_add(sum, frame + info->l4_offset, l4_bytes)) == 0xffff;
}
