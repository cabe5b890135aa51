/*
 * settle_scenario.h - super-frames as only a veth's sender leaves them, settled, and every frame that comes out compared
 *
 * The oracle knows nothing of settle.h, tunnel.h or csum.h: it writes each segment anew from what the guest wanted to send, header by
 * header, and sums every checksum word by word over all that it covers.  Shared by test_settle.c and fuzz_settle.c.
 */
#ifndef TESTS_UNIT_PACKET_SETTLE_SCENARIO_H
#define TESTS_UNIT_PACKET_SETTLE_SCENARIO_H

#include "packet/settle.h"
#include "tests/unit/encap/model.h"

#define STACK_MAX 6U
#define STACK_FRAME_MAX (PACKET_READ_MAX)

enum stack_kind {
	STACK_IPV4,
	STACK_IPV6,
	STACK_IPV6_OPTIONS, /* destination options with a tunnel encapsulation limit */
	STACK_UDP,          /* with a checksum */
	STACK_UDP_ZERO,
	STACK_VXLAN,    /* 8 bytes and an Ethernet header */
	STACK_GENEVE,   /* 8 bytes, 20 of options, an Ethernet header */
	STACK_ETHERNET, /* by itself, behind GRE */
	STACK_MPLS,
	STACK_GRE,
	STACK_GRE_ALL, /* checksum, key, sequence */
	STACK_TCP,
	STACK_UDP_INNER,
};

/* What a guest sends: headers from the outside in, behind Ethernet */
struct stack {
	uint8_t tags;
	uint8_t kinds[STACK_MAX];
	unsigned int count;
	uint16_t gso_bytes;
	uint32_t payload_bytes;
	uint8_t tcp_flags;
};

/* Where the n-th header stands in a frame that was built */
struct stack_places {
	uint32_t at[STACK_MAX + 1];
	uint32_t l4;
};

static inline bool stack_is_ip(uint8_t kind)
{
	return kind <= STACK_IPV6_OPTIONS;
}

/* What the header in front says of this one */
static inline uint8_t stack_protocol(uint8_t kind)
{
	static const uint8_t protocols[] = { 4, 41, 41, 17, 17, 0, 0, 0, 137, 47, 47, 6, 17 };

	return protocols[kind];
}

static inline uint16_t stack_ethertype(uint8_t kind)
{
	return kind == STACK_IPV4 ? 0x0800 : kind == STACK_MPLS ? 0x8847 : kind == STACK_ETHERNET ? 0x6558 : 0x86dd;
}

static inline size_t stack_ethernet(uint8_t *at, unsigned int tags, uint8_t next)
{
	size_t bytes = 12;

	memcpy(at, (uint8_t[]){ 0x52, 0x54, 0, 0, 0, 1, 0x52, 0x54, 0, 0, 0, 2 }, 12);
	for (unsigned int i = 0; i < tags; i++, bytes += 4) {
		frame_put16(at + bytes, 0x8100);
		frame_put16(at + bytes + 2, (uint16_t)(7 + i));
	}
	frame_put16(at + bytes, stack_ethertype(next));
	return bytes + 2;
}

/* One header without lengths and checksums.  @big: the packet is too long for its IPv6 header, and the innermost says so */
static inline size_t stack_header(const struct stack *stack, unsigned int i, uint8_t *at, uint32_t index, bool big)
{
	uint8_t kind = stack->kinds[i], next = i + 1 < stack->count ? stack->kinds[i + 1] : 0;
	size_t bytes;

	memset(at, 0, 80);
	switch ((enum stack_kind)kind) {
	case STACK_IPV4:
		memcpy(at,
			(uint8_t[]){ 0x45, 0, 0, 0, 0, 0, 0x40, 0, 64, stack_protocol(next), 0, 0, 10, 0, 0, 1, 10, 0,
				0, 2 },
			20);
		frame_put16(at + 4, (uint16_t)(0xfffe + i + index));
		return 20;
	case STACK_IPV6:
	case STACK_IPV6_OPTIONS:
		bytes = 40;
		at[0] = 0x60;
		at[6] = stack_protocol(next);
		at[7] = 64;
		at[8] = at[24] = 0xfd;
		at[23] = (uint8_t)(i + 1);
		at[39] = (uint8_t)(i + 2);
		if (kind == STACK_IPV6_OPTIONS) {
			memcpy(at + 40, (uint8_t[]){ at[6], 0, 4, 1, 4, 1, 1, 0 }, 8);
			at[6] = 60;
			bytes += 8;
		}
		if (big && kind == STACK_IPV6 && (next == STACK_TCP || next == STACK_UDP_INNER)) {
			memcpy(at + 40, (uint8_t[]){ at[6], 0, 0xc2, 4, 0, 1, 2, 3 }, 8);
			at[6] = 0;
			bytes += 8;
		}
		return bytes;
	case STACK_UDP:
	case STACK_UDP_ZERO:
	case STACK_UDP_INNER:
		frame_put16(at, 40000);
		frame_put16(at + 2, 4789);
		return 8;
	case STACK_VXLAN:
		at[0] = 8;
		at[6] = 7;
		return 8 + stack_ethernet(at + 8, 0, next);
	case STACK_GENEVE:
		at[0] = 5;
		frame_put16(at + 2, 0x6558);
		memset(at + 8, 0x45, 20); /* looks like IPv4 to who reads it as that */
		return 28 + stack_ethernet(at + 28, 0, next);
	case STACK_ETHERNET:
		return stack_ethernet(at, 1, next);
	case STACK_MPLS:
		at[2] = 1; /* bottom of stack */
		at[3] = 64;
		return 4;
	case STACK_GRE:
		frame_put16(at + 2, stack_ethertype(next));
		return 4;
	case STACK_GRE_ALL:
		frame_put16(at, 0xb000);
		frame_put16(at + 2, stack_ethertype(next));
		at[11] = 9;
		frame_put32(at + 12, 0xffffffff + index);
		return 16;
	case STACK_TCP:
		frame_put16(at, 1000);
		frame_put16(at + 2, 5201);
		frame_put32(at + 4, 0xfffffff0 + index * stack->gso_bytes);
		at[12] = 0x80;
		at[13] = stack->tcp_flags | FRAME_TCP_ACK;
		memset(at + 20, 1, 12);
		return 32;
	}
	return 0;
}

static inline uint32_t stack_pseudo(const uint8_t *ip, uint8_t protocol, uint32_t bytes)
{
	uint32_t sum = protocol + bytes;

	sum = (sum & 0xffff) + (sum >> 16);
	return ip[0] >> 4 == 4 ? model_sum(sum, ip + 12, 8) : model_sum(sum, ip + 8, 32);
}

static inline void stack_put_sum(uint8_t *field, uint32_t sum, bool udp)
{
	sum = ~sum & 0xffff;
	frame_put16(field, (uint16_t)(sum == 0 && udp ? 0xffff : sum));
}

/* Lengths and checksums of one header, of which @bytes are there to the frame's end; @super: as Linux leaves them */
static inline void stack_finish(const struct stack *stack, unsigned int i, uint8_t *frame,
	const struct stack_places *places, uint32_t end, bool super)
{
	uint8_t *at = frame + places->at[i], *ip = i > 0 ? frame + places->at[i - 1] : NULL;
	uint32_t bytes = end - places->at[i];
	uint16_t length = (uint16_t)(bytes > 65535 ? 0 : bytes);

	switch ((enum stack_kind)stack->kinds[i]) {
	case STACK_IPV4:
		frame_put16(at + 2, length);
		frame_put16(at + 10, 0);
		stack_put_sum(at + 10, model_sum(0, at, 20), false);
		break;
	case STACK_IPV6:
	case STACK_IPV6_OPTIONS:
		frame_put16(at + 4, (uint16_t)(bytes - 40 > 65535 ? 0 : bytes - 40));
		break;
	case STACK_UDP:
	case STACK_UDP_INNER:
		frame_put16(at + 4, length);
		if (super)
			frame_put16(at + 6, (uint16_t)stack_pseudo(ip, 17, bytes));
		else
			stack_put_sum(at + 6, model_sum(stack_pseudo(ip, 17, bytes), at, bytes), true);
		break;
	case STACK_UDP_ZERO:
		frame_put16(at + 4, length);
		break;
	case STACK_TCP:
		if (super)
			frame_put16(at + 16, (uint16_t)stack_pseudo(ip, 6, bytes));
		else
			stack_put_sum(at + 16, model_sum(stack_pseudo(ip, 6, bytes), at, bytes), true);
		break;
	case STACK_GRE_ALL:
		if (!super)
			stack_put_sum(at + 4, model_sum(0, at, bytes), false);
		break;
	default:
		break;
	}
}

/*
 * Segment @index of what the guest sends, whole, or (@super) all of it as Linux leaves it
 * Return: its length; 0: there is none of that number
 */
static inline uint32_t stack_build(const struct stack *stack, uint32_t index, bool super, uint8_t *out,
	struct stack_places *places)
{
	uint32_t done = super ? 0 : index * stack->gso_bytes, left = stack->payload_bytes - done;
	uint32_t bytes = super || left < stack->gso_bytes ? left : stack->gso_bytes;
	uint32_t at;

	if (!super && done >= stack->payload_bytes)
		return 0;
	at = (uint32_t)stack_ethernet(out, stack->tags, stack->kinds[0]);
	for (unsigned int i = 0; i < stack->count; i++) {
		places->at[i] = at;
		at += (uint32_t)stack_header(stack, i, out + at, super ? 0 : index, super && bytes + 32 > 65535);
	}
	places->l4 = places->at[stack->count - 1];
	for (uint32_t i = 0; i < bytes; i++)
		out[at + i] = (uint8_t)((done + i) * 2654435761U >> 11);
	at += bytes;
	if (!super && stack->kinds[stack->count - 1] == STACK_TCP) {
		uint8_t *flags = out + places->l4 + 13;

		if (index > 0)
			*flags &= (uint8_t)~FRAME_TCP_CWR;
		if (left > bytes)
			*flags &= (uint8_t) ~(FRAME_TCP_PSH | FRAME_TCP_FIN);
	}
	for (unsigned int i = stack->count; i-- > 0;)
		stack_finish(stack, i, out, places, at, super);
	return at;
}

/* The next segment must be this one */
static inline void stack_compare(const struct stack *stack, uint32_t *index, const struct packet *segment)
{
	static uint8_t want[STACK_FRAME_MAX];
	struct stack_places places;
	uint32_t bytes = stack_build(stack, (*index)++, false, want, &places);

	MUST(segment->bytes == bytes && memcmp(segment->frame, want, bytes) == 0);
	MUST(!segment->offload.partial && segment->offload.gso == OFFLOAD_GSO_NONE && segment->offload.gso_bytes == 0);
}

/* A super-frame that came out, cut as a port would */
static inline void stack_compare_super(const struct stack *stack, uint32_t *index, struct packet *piece)
{
	static struct segmenter segmenter;
	struct packet segment = *piece;

	MUST(packet_parse(piece) && !settle_needed(piece));
	segment.offload = (struct offload){ 0 };
	MUST(segment_begin_port(&segmenter, piece, true) == SEGMENT_OK);
	while (segment_next(&segmenter, &segment))
		stack_compare(stack, index, &segment);
}

static inline uint8_t stack_gso(const struct stack *stack)
{
	if (stack->kinds[stack->count - 1] == STACK_UDP_INNER)
		return OFFLOAD_GSO_UDP;
	return stack->kinds[stack->count - 2] == STACK_IPV4 ? OFFLOAD_GSO_TCP4 : OFFLOAD_GSO_TCP6;
}

/* All of it in, all segments out, and where settle_needed() says no it is because anybody can cut it */
static inline void stack_settle(const struct stack *stack)
{
	static uint8_t memory[PACKET_HEADROOM_BYTES + STACK_FRAME_MAX];
	static struct settler settler;
	struct packet packet, piece;
	struct stack_places places;
	uint32_t bytes = stack_build(stack, 0, true, memory + PACKET_HEADROOM_BYTES, &places), index = 0;

	packet_init(&packet, memory + PACKET_HEADROOM_BYTES, bytes, PACKET_HEADROOM_BYTES);
	packet.offload = (struct offload){
		.partial = true,
		.gso = stack_gso(stack),
		.gso_bytes = stack->gso_bytes,
		.csum_start = (uint16_t)places.l4,
		.csum_offset = stack->kinds[stack->count - 1] == STACK_TCP ? 16 : 6,
	};
	MUST(packet_parse(&packet));
	if (!settle_needed(&packet)) {
		MUST(stack->count == 2 && bytes <= PACKET_BYTES_MAX);
		stack_compare_super(stack, &index, &packet);
	} else {
		MUST(settle_begin(&settler, &packet) == SEGMENT_OK);
		while (settle_next(&settler, &piece)) {
			MUST(piece.bytes <= PACKET_BYTES_MAX && piece.headroom_bytes >= 8);
			if (piece.offload.gso)
				stack_compare_super(stack, &index, &piece);
			else if (piece.offload.partial)
				stack_compare_super(stack, &index, &piece);
			else
				stack_compare(stack, &index, &piece);
			memset(piece.frame - 8, 0xdd, 8); /* the caller's right */
		}
	}
	MUST(index == (stack->payload_bytes + stack->gso_bytes - 1) / stack->gso_bytes);
}

/* Every tunnel that Linux makes, and some that it does not */
#define STACKS(X)                                                                               \
	X("TCP", STACK_TCP)                                                                     \
	X("IPIP", STACK_IPV4, STACK_TCP)                                                        \
	X("IPv6 in IP", STACK_IPV6, STACK_TCP)                                                  \
	X("IPv6 in IP, options", STACK_IPV6_OPTIONS, STACK_TCP)                                 \
	X("GRE", STACK_GRE, STACK_IPV4, STACK_TCP)                                              \
	X("GRE with IPv6", STACK_GRE_ALL, STACK_IPV6, STACK_TCP)                                \
	X("gretap", STACK_GRE, STACK_ETHERNET, STACK_IPV4, STACK_TCP)                           \
	X("gretap with a checksum", STACK_GRE_ALL, STACK_ETHERNET, STACK_IPV6, STACK_UDP_INNER) \
	X("MPLS in GRE", STACK_GRE_ALL, STACK_MPLS, STACK_IPV4, STACK_TCP)                      \
	X("MPLS", STACK_MPLS, STACK_IPV6, STACK_TCP)                                            \
	X("VXLAN", STACK_UDP_ZERO, STACK_VXLAN, STACK_IPV4, STACK_TCP)                          \
	X("VXLAN with a checksum", STACK_UDP, STACK_VXLAN, STACK_IPV6, STACK_TCP)               \
	X("VXLAN, UDP trains", STACK_UDP, STACK_VXLAN, STACK_IPV4, STACK_UDP_INNER)             \
	X("Geneve", STACK_UDP_ZERO, STACK_GENEVE, STACK_IPV4, STACK_TCP)                        \
	X("Geneve with a checksum", STACK_UDP, STACK_GENEVE, STACK_IPV6, STACK_UDP_INNER)       \
	X("FOU", STACK_UDP, STACK_IPV4, STACK_TCP)                                              \
	X("IP in IP in GRE", STACK_GRE_ALL, STACK_IPV6, STACK_IPV4, STACK_TCP)

static inline void stack_of(unsigned int number, uint8_t outer, struct stack *out)
{
	static const uint8_t stacks[][STACK_MAX] = {
#define X(name, ...) { __VA_ARGS__ },
		STACKS(X)
#undef X
	};
	const uint8_t *inner = stacks[number % (sizeof(stacks) / sizeof(stacks[0]))];

	memset(out, 0, sizeof(*out));
	out->kinds[out->count++] = outer;
	for (unsigned int i = 0; i < STACK_MAX - 1; i++) {
		out->kinds[out->count++] = inner[i];
		if (inner[i] == STACK_TCP || inner[i] == STACK_UDP_INNER)
			return;
	}
}

static inline void settle_scenario(struct script *script)
{
	struct stack stack;
	uint8_t number = script_u8(script), sizes = script_u8(script);

	stack_of(number, (uint8_t)(sizes % 3), &stack);
	stack.tags = sizes >> 2 & 1;
	stack.tcp_flags = script_u8(script) & (FRAME_TCP_PSH | FRAME_TCP_FIN | FRAME_TCP_ECE | FRAME_TCP_CWR);
	stack.gso_bytes = (uint16_t)(48 + script_u16(script) % 8900);
	stack.payload_bytes = 1U + script_u16(script) % (sizes & 8 ? 64000U : 9000U);
	if (sizes & 16 && sizes & 32 && stack.kinds[stack.count - 1] == STACK_TCP)
		stack.payload_bytes *= 8;
	if (stack.kinds[stack.count - 1] == STACK_UDP_INNER && stack.payload_bytes > 128U * stack.gso_bytes)
		stack.payload_bytes = 128U * stack.gso_bytes;
	stack_settle(&stack);
}

/* Any bytes as the frame, with an offload that may lie: nothing outside is touched, and what comes out is within bounds */
static inline void settle_scenario_raw(struct script *script)
{
	static struct settler settler;
	uint8_t how = script_u8(script);
	uint16_t gso_bytes = script_u16(script), start = script_u16(script);
	size_t bytes = script->left_bytes;
	uint8_t *block = malloc(PACKET_HEADROOM_BYTES + bytes);
	struct packet packet, piece;

	MUST(block);
	memcpy(block + PACKET_HEADROOM_BYTES, script->at, bytes);
	packet_init(&packet, block + PACKET_HEADROOM_BYTES, bytes, PACKET_HEADROOM_BYTES);
	packet.offload = (struct offload){
		.gso = how % 5,
		.partial = how & 16,
		.gso_bytes = gso_bytes,
		.csum_start = start % 512,
		.csum_offset = how & 32 ? 8
			: how & 64      ? 6
					: 16,
	};
	if (packet_parse(&packet) && settle_needed(&packet) && settle_begin(&settler, &packet) == SEGMENT_OK)
		while (settle_next(&settler, &piece)) {
			MUST(piece.frame >= packet.frame && piece.frame + piece.bytes <= packet.frame + packet.bytes);
			MUST(piece.bytes <= PACKET_BYTES_MAX);
			memset(piece.frame - piece.headroom_bytes, 0xdd, piece.headroom_bytes);
		}
	free(block);
}

#endif /* TESTS_UNIT_PACKET_SETTLE_SCENARIO_H */
