/*
 * packets.h - captured packets of weft, written byte by byte for the tests of measure/
 */
#ifndef TESTS_UNIT_MEASURE_PACKETS_H
#define TESTS_UNIT_MEASURE_PACKETS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "base/cursor.h"

struct packet {
	uint8_t bytes[70000];
	size_t len_bytes;
};

/* Sealed bytes that repeat in every test, and look random */
static inline uint8_t noise(uint32_t *state)
{
	*state = *state * 1664525U + 1013904223U;
	return (uint8_t)(*state >> 24);
}

static inline void packet_zeros(struct wr *w, size_t len_bytes)
{
	for (size_t i = 0; i < len_bytes; i++)
		wr_u8(w, 0);
}

/* GRE header and noise up to @len_bytes, at least 12 */
static inline void put_datagram(struct wr *w, uint16_t protocol, uint32_t session, uint8_t lane, uint32_t counter,
	size_t len_bytes)
{
	uint32_t state = counter ^ session;

	wr_u16(w, 0x3000);
	wr_u16(w, protocol);
	wr_u24(w, session);
	wr_u8(w, lane);
	wr_u32(w, counter);
	for (size_t i = 12; i < len_bytes; i++)
		wr_u8(w, noise(&state));
}

static inline void put_udp(struct wr *w, uint16_t src, uint16_t dst, const uint8_t *payload, size_t len_bytes)
{
	wr_u16(w, src);
	wr_u16(w, dst);
	wr_u16(w, (uint16_t)(8 + len_bytes));
	wr_u16(w, 0);
	wr_bytes(w, payload, len_bytes);
}

/* 192.0.2.@from -> 192.0.2.@to, @options_bytes of IPv4 options (a multiple of 4) */
static inline void put_ipv4(struct wr *w, uint8_t from, uint8_t to, size_t options_bytes, const uint8_t *payload,
	size_t len_bytes)
{
	wr_u8(w, (uint8_t)(0x45 + options_bytes / 4));
	wr_u8(w, 0);
	wr_u16(w, (uint16_t)(20 + options_bytes + 8 + len_bytes));
	wr_u16(w, 0);
	wr_u16(w, 0x4000); /* don't fragment */
	wr_u8(w, 64);
	wr_u8(w, 17);
	wr_u16(w, 0);
	wr_u32(w, 0xc0000200U + from);
	wr_u32(w, 0xc0000200U + to);
	packet_zeros(w, options_bytes);
	put_udp(w, 4754, 4754, payload, len_bytes);
}

static inline void put_ipv6(struct wr *w, uint8_t from, uint8_t to, bool extensions, const uint8_t *payload,
	size_t len_bytes)
{
	wr_u32(w, 0x60000000);
	wr_u16(w, (uint16_t)((extensions ? 24 : 0) + 8 + len_bytes));
	wr_u8(w, extensions ? 0 : 17);
	wr_u8(w, 64);
	wr_u64(w, 0x20010db800000000ULL);
	wr_u64(w, from);
	wr_u64(w, 0x20010db800000000ULL);
	wr_u64(w, to);
	if (extensions) { /* hop-by-hop of 8 bytes, destination options of 16 */
		wr_u64(w, 0x3c00010400000000ULL);
		wr_u64(w, 0x1101010c00000000ULL);
		wr_u64(w, 0);
	}
	put_udp(w, 4754, 4754, payload, len_bytes);
}

static inline void put_ethernet(struct wr *w, unsigned int tags, uint16_t ethertype)
{
	packet_zeros(w, 12);
	for (unsigned int i = 0; i < tags; i++) {
		wr_u16(w, i + 1 < tags ? 0x88a8 : 0x8100);
		wr_u16(w, (uint16_t)(100 + i));
	}
	wr_u16(w, ethertype);
}

/* A train, or with one segment a datagram: counters from @counter on, in Ethernet and IPv4.  @last_bytes: of the last one */
static inline void packet_train(struct packet *packet, uint32_t session, uint8_t lane, uint32_t counter,
	unsigned int segments, size_t segment_bytes, size_t last_bytes)
{
	static uint8_t payload[66000];
	struct wr train = wr_init(payload, sizeof(payload)), w = wr_init(packet->bytes, sizeof(packet->bytes));

	for (unsigned int i = 0; i < segments; i++)
		put_datagram(&train, 0x88b5, session, lane, counter + i, i + 1 < segments ? segment_bytes : last_bytes);
	put_ethernet(&w, 0, 0x0800);
	put_ipv4(&w, 1, 2, 0, payload, train.used_bytes);
	packet->len_bytes = w.used_bytes;
}

#endif /* TESTS_UNIT_MEASURE_PACKETS_H */
