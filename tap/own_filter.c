/*
 * own_filter.c - see own_filter.h
 */
#include "tap/own_filter.h"

#include "base/addr.h"

#include <linux/if_packet.h>
#include <string.h>

#define ETHERTYPE_AT 12U
#define IP_AT 14U
#define IPV4_PROTOCOL_AT (IP_AT + 9U)
#define IPV4_FRAGMENT_AT (IP_AT + 6U)
#define IPV4_OFFSET_BITS 0x1fffU
#define IPV4_SOURCE_AT (IP_AT + 12U)
#define IPV6_NEXT_AT (IP_AT + 6U)
#define IPV6_SOURCE_AT (IP_AT + 8U)
#define IPV6_UDP_AT (IP_AT + 40U)
#define UDP 17U
#define PASS 0xffffffffU
#define DROP 0U

struct program {
	struct sock_filter *code;
	uint16_t count;
};

static void put(struct program *p, uint16_t code, uint32_t k)
{
	p->code[p->count++] = (struct sock_filter)BPF_STMT(code, k);
}

/* Go on where the accumulator is @k, and elsewhere @skip instructions behind */
static void expect(struct program *p, uint32_t k, uint8_t skip)
{
	p->code[p->count++] = (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, k, 0, skip);
}

/* The same, or pass the frame */
static void expect_or_pass(struct program *p, uint32_t k)
{
	p->code[p->count++] = (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, k, 1, 0);
	put(p, BPF_RET | BPF_K, PASS);
}

static uint32_t word(const uint8_t *at)
{
	return (uint32_t)at[0] << 24 | (uint32_t)at[1] << 16 | (uint32_t)at[2] << 8 | at[3];
}

static bool is_v4(const uint8_t ip[IP_BYTES])
{
	static const uint8_t mapped[12] = { [10] = 0xff, [11] = 0xff };

	return memcmp(ip, mapped, sizeof(mapped)) == 0;
}

/* The frame's address at @at is own: drop */
static void drop_own(struct program *p, bool v4, uint32_t at, const uint8_t (*own)[IP_BYTES], size_t own_count)
{
	if (v4)
		put(p, BPF_LD | BPF_W | BPF_ABS, at);
	for (size_t i = 0; i < own_count; i++) {
		if (is_v4(own[i]) != v4)
			continue;
		for (uint8_t part = 0; !v4 && part < 3; part++) {
			put(p, BPF_LD | BPF_W | BPF_ABS, at + 4U * part);
			expect(p, word(own[i] + 4U * part), (uint8_t)(7 - 2 * part));
		}
		if (!v4)
			put(p, BPF_LD | BPF_W | BPF_ABS, at + 12);
		expect(p, word(own[i] + 12), 1);
		put(p, BPF_RET | BPF_K, DROP);
	}
}

/* Where the UDP port at @at is the fabric's, look at the address on its side */
static void look_at_side(struct program *p, bool v4, uint32_t port_at, uint16_t udp_port, uint32_t address_at,
	const uint8_t (*own)[IP_BYTES], size_t own_count)
{
	struct sock_filter *jump;
	uint16_t before;

	put(p, BPF_LD | BPF_H | (v4 ? BPF_IND : BPF_ABS), port_at);
	expect(p, udp_port, 1);
	put(p, BPF_JMP | BPF_JA, 1);
	jump = &p->code[p->count];
	put(p, BPF_JMP | BPF_JA, 0); /* over all addresses: further than a condition can jump */
	before = p->count;
	drop_own(p, v4, address_at, own, own_count);
	jump->k = p->count - before;
}

/* It has no ports; and a read behind the end of a short one would drop it */
static void pass_later_fragment(struct program *p)
{
	put(p, BPF_LD | BPF_H | BPF_ABS, IPV4_FRAGMENT_AT);
	p->code[p->count++] = (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JSET | BPF_K, IPV4_OFFSET_BITS, 0, 1);
	put(p, BPF_RET | BPF_K, PASS);
}

static void look_at_v4(struct program *p, uint16_t udp_port, const uint8_t (*own)[IP_BYTES], size_t own_count)
{
	put(p, BPF_LD | BPF_B | BPF_ABS, IPV4_PROTOCOL_AT);
	expect_or_pass(p, UDP);
	pass_later_fragment(p);
	put(p, BPF_LDX | BPF_B | BPF_MSH, IP_AT);
	look_at_side(p, true, IP_AT, udp_port, IPV4_SOURCE_AT, own, own_count);
	look_at_side(p, true, IP_AT + 2, udp_port, IPV4_SOURCE_AT + 4, own, own_count);
	put(p, BPF_RET | BPF_K, PASS);
}

static void look_at_v6(struct program *p, uint16_t udp_port, const uint8_t (*own)[IP_BYTES], size_t own_count)
{
	put(p, BPF_LD | BPF_B | BPF_ABS, IPV6_NEXT_AT);
	expect_or_pass(p, UDP);
	look_at_side(p, false, IPV6_UDP_AT, udp_port, IPV6_SOURCE_AT, own, own_count);
	look_at_side(p, false, IPV6_UDP_AT + 2, udp_port, IPV6_SOURCE_AT + 16, own, own_count);
	put(p, BPF_RET | BPF_K, PASS);
}

uint16_t own_filter_make(bool incoming, uint16_t udp_port, const uint8_t (*own)[IP_BYTES], size_t own_count,
	struct sock_filter *out)
{
	struct program p = { .code = out };
	struct sock_filter *to_v6;
	uint16_t before;

	if (own_count > OWN_FILTER_ADDRESSES_MAX)
		own_count = OWN_FILTER_ADDRESSES_MAX;
	if (incoming) {
		put(&p, BPF_LD | BPF_B | BPF_ABS, (uint32_t)(SKF_AD_OFF + SKF_AD_PKTTYPE));
		expect(&p, PACKET_OUTGOING, 1);
		put(&p, BPF_RET | BPF_K, DROP);
	}
	put(&p, BPF_LD | BPF_H | BPF_ABS, ETHERTYPE_AT);
	expect(&p, 0x0800, 1);
	put(&p, BPF_JMP | BPF_JA, 1);
	to_v6 = &p.code[p.count];
	put(&p, BPF_JMP | BPF_JA, 0);
	before = p.count;
	look_at_v4(&p, udp_port, own, own_count);
	to_v6->k = p.count - before;
	expect_or_pass(&p, 0x86dd);
	look_at_v6(&p, udp_port, own, own_count);
	return p.count;
}
