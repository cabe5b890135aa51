/*
 * model.h - packets built and cut the slow and obvious way, for tests and fuzzers to compare with
 *
 * Nothing here uses encap/: checksums are summed word by word, each segment is a copy of the whole header.
 */
#ifndef TESTS_UNIT_ENCAP_MODEL_H
#define TESTS_UNIT_ENCAP_MODEL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "packet/frame.h"

#define MODEL_MAX_FRAME_BYTES (22U + 65535U)

/* What must hold, in fuzzers too: a broken promise ends the process with its place */
#define MUST(condition)                                                                         \
	do {                                                                                    \
		if (!(condition)) {                                                             \
			fprintf(stderr, "%s:%d: not so: %s\n", __FILE__, __LINE__, #condition); \
			abort();                                                                \
		}                                                                               \
	} while (0)

/* Bytes that drive a test: random ones in a unit test, the fuzzer's own in a fuzzer; zeros behind the end */
struct script {
	const uint8_t *at;
	size_t left_bytes;
};

static inline uint8_t script_u8(struct script *s)
{
	if (s->left_bytes == 0)
		return 0;
	s->left_bytes--;
	return *s->at++;
}

static inline uint16_t script_u16(struct script *s)
{
	uint16_t high = script_u8(s);

	return (uint16_t)(high << 8 | script_u8(s));
}

static inline uint64_t model_random(uint64_t *state)
{
	*state ^= *state << 13;
	*state ^= *state >> 7;
	*state ^= *state << 17;
	return *state;
}

static inline void model_random_fill(uint64_t *state, uint8_t *out, size_t len_bytes)
{
	for (size_t i = 0; i < len_bytes; i++)
		out[i] = (uint8_t)(model_random(state) >> 24);
}

struct model_packet {
	uint8_t tags;
	uint8_t ip_version;
	uint8_t ip_option_bytes; /* IPv4: NOPs; IPv6: destination options; a multiple of 8 */
	uint8_t protocol;        /* TCP or UDP */
	uint8_t tcp_option_bytes;
	uint8_t tos, ttl;
	bool dont_fragment;
	uint8_t host; /* of the source address */
	uint16_t ip_id;
	uint16_t source_port;
	uint32_t seq, ack;
	uint8_t tcp_flags;
	uint16_t window;
	uint32_t payload_bytes;
};

static inline uint32_t model_sum(uint32_t sum, const uint8_t *at, size_t len_bytes)
{
	for (size_t i = 0; i < len_bytes; i++) {
		sum += i % 2 ? at[i] : (uint32_t)at[i] << 8;
		sum = (sum & 0xffff) + (sum >> 16);
	}
	return sum;
}

/* Compute the IPv4 header's and the TCP or UDP checksum of a whole packet, whatever was there */
static inline void model_finish(uint8_t *frame, const struct frame_info *info)
{
	uint8_t *ip = frame + info->l3_offset, *l4 = frame + info->l4_offset;
	uint8_t *field = l4 + (info->l4_protocol == FRAME_PROTOCOL_TCP ? 16 : 6);
	uint32_t l4_bytes = info->end_offset - info->l4_offset, sum = l4_bytes + info->l4_protocol;

	sum = (sum & 0xffff) + (sum >> 16);
	if (info->ip_version == 4) {
		frame_put16(ip + 10, 0);
		frame_put16(ip + 10, (uint16_t)~model_sum(0, ip, (ip[0] & 15U) * 4));
		sum = model_sum(sum, ip + 12, 8);
	} else {
		sum = model_sum(sum, ip + 8, 32);
	}
	frame_put16(field, 0);
	sum = ~model_sum(sum, l4, l4_bytes) & 0xffff;
	frame_put16(field, (uint16_t)(sum ? sum : 0xffff));
}

static inline bool model_checksum_ok(const uint8_t *frame, const struct frame_info *info)
{
	const uint8_t *ip = frame + info->l3_offset;
	uint32_t l4_bytes = info->end_offset - info->l4_offset, sum = l4_bytes + info->l4_protocol;

	sum = (sum & 0xffff) + (sum >> 16);
	sum = info->ip_version == 4 ? model_sum(sum, ip + 12, 8) : model_sum(sum, ip + 8, 32);
	if (info->ip_version == 4 && model_sum(0, ip, (ip[0] & 15U) * 4) != 0xffff)
		return false;
	return model_sum(sum, frame + info->l4_offset, l4_bytes) == 0xffff;
}

static inline size_t model_ip_header(const struct model_packet *p, uint8_t *ip, size_t l4_bytes)
{
	size_t header_bytes = (p->ip_version == 4 ? 20U : 40U) + p->ip_option_bytes;

	memset(ip, 0, header_bytes);
	if (p->ip_version == 4) {
		ip[0] = (uint8_t)(0x40 | header_bytes / 4);
		ip[1] = p->tos;
		frame_put16(ip + 2, (uint16_t)(header_bytes + l4_bytes));
		frame_put16(ip + 4, p->ip_id);
		ip[6] = p->dont_fragment ? 0x40 : 0;
		ip[8] = p->ttl;
		ip[9] = p->protocol;
		memcpy(ip + 12, (uint8_t[]){ 10, 0, 0, p->host, 10, 9, 8, 7 }, 8);
		memset(ip + 20, 1, p->ip_option_bytes);
		return header_bytes;
	}
	ip[0] = 0x60;
	ip[1] = p->tos;
	frame_put16(ip + 4, (uint16_t)(p->ip_option_bytes + l4_bytes));
	ip[6] = p->ip_option_bytes ? 60 : p->protocol;
	ip[7] = p->ttl;
	ip[8] = ip[24] = 0xfd;
	ip[23] = p->host;
	ip[39] = 9;
	if (p->ip_option_bytes) {
		ip[40] = p->protocol;
		ip[41] = (uint8_t)(p->ip_option_bytes / 8 - 1);
		ip[42] = 1; /* PadN */
		ip[43] = (uint8_t)(p->ip_option_bytes - 4);
	}
	return header_bytes;
}

static inline size_t model_l4_header(const struct model_packet *p, uint8_t *l4)
{
	size_t header_bytes = p->protocol == FRAME_PROTOCOL_TCP ? 20U + p->tcp_option_bytes : 8U;

	memset(l4, 0, header_bytes);
	frame_put16(l4, p->source_port);
	frame_put16(l4 + 2, 5201);
	if (p->protocol == FRAME_PROTOCOL_UDP) {
		frame_put16(l4 + 4, (uint16_t)(8 + p->payload_bytes));
		return header_bytes;
	}
	frame_put32(l4 + 4, p->seq);
	frame_put32(l4 + 8, p->ack);
	l4[12] = (uint8_t)(header_bytes / 4 << 4);
	l4[13] = p->tcp_flags;
	frame_put16(l4 + 14, p->window);
	memset(l4 + 20, 1, p->tcp_option_bytes);
	return header_bytes;
}

/* A right packet with right checksums, whose payload tells its place in the stream.  Return: its length */
static inline size_t model_build(const struct model_packet *p, uint8_t *frame)
{
	size_t l4_bytes = p->payload_bytes + (p->protocol == FRAME_PROTOCOL_TCP ? 20U + p->tcp_option_bytes : 8U);
	size_t at = 12;
	struct frame_info info;

	memcpy(frame, (uint8_t[]){ 0x52, 0x54, 0, 0, 0, 1, 0x52, 0x54, 0, 0, 0, p->host }, 12);
	for (unsigned int i = 0; i < p->tags; i++, at += 4) {
		frame_put16(frame + at, i == 0 && p->tags == 2 ? 0x88a8 : 0x8100);
		frame_put16(frame + at + 2, (uint16_t)(100 + i));
	}
	frame_put16(frame + at, p->ip_version == 4 ? 0x0800 : 0x86dd);
	at += 2;
	at += model_ip_header(p, frame + at, l4_bytes);
	at += model_l4_header(p, frame + at);
	for (uint32_t i = 0; i < p->payload_bytes; i++)
		frame[at + i] = (uint8_t)((p->seq + i) * 2654435761U >> 11);
	at += p->payload_bytes;
	MUST(frame_parse(frame, at, &info) && info.end_offset == at && info.payload_offset != 0);
	model_finish(frame, &info);
	return at;
}

/*
 * Segment number @index of a packet cut every @cut_bytes of its payload, with checksums.
 * Return: its length, 0 behind the last
 */
static inline size_t model_cut(const uint8_t *frame, const struct frame_info *info, uint32_t cut_bytes, uint32_t index,
	uint8_t *out)
{
	uint32_t payload_bytes = info->end_offset - info->payload_offset, done_bytes = index * cut_bytes;
	uint32_t left_bytes = payload_bytes - done_bytes, bytes = left_bytes < cut_bytes ? left_bytes : cut_bytes;
	struct frame_info cut = *info;
	uint8_t *ip = out + info->l3_offset, *l4 = out + info->l4_offset;

	if (index > 0 && done_bytes >= payload_bytes)
		return 0;
	memcpy(out, frame, info->payload_offset);
	memcpy(out + info->payload_offset, frame + info->payload_offset + done_bytes, bytes);
	cut.end_offset = info->payload_offset + bytes;
	if (info->ip_version == 4) {
		frame_put16(ip + 2, (uint16_t)(cut.end_offset - info->l3_offset));
		frame_put16(ip + 4, (uint16_t)(frame_get16(ip + 4) + index));
	} else {
		frame_put16(ip + 4, (uint16_t)(cut.end_offset - info->l3_offset - 40));
	}
	if (info->l4_protocol == FRAME_PROTOCOL_UDP) {
		frame_put16(l4 + 4, (uint16_t)(8 + bytes));
	} else {
		frame_put32(l4 + 4, frame_get32(l4 + 4) + done_bytes);
		if (done_bytes + bytes < payload_bytes)
			l4[13] &= (uint8_t) ~(FRAME_TCP_FIN | FRAME_TCP_PSH);
		if (index > 0)
			l4[13] &= (uint8_t)~FRAME_TCP_CWR;
	}
	model_finish(out, &cut);
	return cut.end_offset;
}

#endif /* TESTS_UNIT_ENCAP_MODEL_H */
