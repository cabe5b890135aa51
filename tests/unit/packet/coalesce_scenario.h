/*
 * coalesce_scenario.h - a burst of frames out of a script, joined by coalesce.c, then cut again naively and compared
 *
 * The promise that is checked: what the port gets, cut at its segment size packet by packet, is flow by flow what came
 * off the wire, in order, with right checksums; nothing is emitted that the port's caps do not cover.
 * Shared by test_coalesce.c (random scripts) and fuzz_coalesce.c (the fuzzer's).
 */
#ifndef TESTS_UNIT_ENCAP_COALESCE_SCENARIO_H
#define TESTS_UNIT_ENCAP_COALESCE_SCENARIO_H

#include "packet/coalesce.h"
#include "packet/csum.h"
#include "tests/unit/packet/as_packet.h"
#include "tests/unit/encap/model.h"

#define SCENARIO_FLOWS 12U
#define SCENARIO_FRAMES 160U
#define SCENARIO_LOGS 256U
#define SCENARIO_KEY_BYTES 64U
#define SCENARIO_PORT 40000U

/* Packets of one flow (tags, addresses, protocol, ports; or: not one), one behind the other */
struct scenario_log {
	uint8_t key[SCENARIO_KEY_BYTES];
	bool large; /* frames are larger than the guest's segments (G): compared as a stream */
	uint8_t *bytes;
	size_t used_bytes, room_bytes;
	unsigned int packets;
};

struct coalesce_scenario {
	struct coalescer coalescer;
	unsigned int caps;
	struct scenario_log want[SCENARIO_LOGS], got[SCENARIO_LOGS];
	unsigned int emitted;
	struct {
		struct model_packet packet;
		uint16_t mss;
		bool large;
	} flows[SCENARIO_FLOWS];
	uint8_t *held[SCENARIO_FRAMES];
	unsigned int n_held;
};

static inline void scenario_log_add(struct scenario_log *log, const uint8_t *bytes, size_t len_bytes)
{
	if (log->used_bytes + len_bytes >= log->room_bytes) {
		log->room_bytes = (log->used_bytes + len_bytes) * 2 + 1;
		log->bytes = realloc(log->bytes, log->room_bytes);
		MUST(log->bytes);
	}
	memcpy(log->bytes + log->used_bytes, bytes, len_bytes);
	log->used_bytes += len_bytes;
	log->packets++;
}

/* Return: the number of the flow's log, in @want and @got alike; 0 is for what is no flow */
static inline unsigned int scenario_log_of(struct coalesce_scenario *s, const uint8_t *frame,
	const struct frame_info *info)
{
	uint8_t key[SCENARIO_KEY_BYTES] = { 0 };
	size_t address_bytes = info->ip_version == 4 ? 8 : 32;
	unsigned int i = 1;

	if (info->payload_offset == 0)
		return 0;
	key[0] = info->ip_version;
	key[1] = info->l4_protocol;
	memcpy(key + 2, frame + 12, info->l3_offset - 12U);
	memcpy(key + 12, frame + info->l3_offset + (info->ip_version == 4 ? 12 : 8), address_bytes);
	memcpy(key + 12 + address_bytes, frame + info->l4_offset, 4);
	while (s->want[i].key[0] && memcmp(s->want[i].key, key, sizeof(key)) != 0)
		MUST(++i < SCENARIO_LOGS);
	memcpy(s->want[i].key, key, sizeof(key));
	return i;
}

/*
 * Note a whole packet.  With DF an IPv4 id says nothing (RFC 6864), and joining may change it.  A large flow is noted
 * as its payload, with the place of each FIN and PSH.
 */
static inline void scenario_note(struct coalesce_scenario *s, struct scenario_log *logs, uint8_t *packet, size_t bytes)
{
	struct frame_info info;
	unsigned int flow;

	MUST(frame_parse(packet, bytes, &info));
	flow = scenario_log_of(s, packet, &info);
	if (s->want[flow].large) {
		uint32_t place = frame_get32(packet + info.l4_offset + 4) + (info.end_offset - info.payload_offset);
		uint8_t flags = packet[info.l4_offset + 13] & (FRAME_TCP_FIN | FRAME_TCP_PSH);

		scenario_log_add(&logs[flow], packet + info.payload_offset, info.end_offset - info.payload_offset);
		if (flags) {
			scenario_log_add(&logs[flow], &flags, 1);
			scenario_log_add(&logs[flow], (const uint8_t *)&place, 4);
		}
		logs[flow].packets = 0;
		return;
	}
	if (info.ip_version == 4 && info.payload_offset && (packet[info.l3_offset + 6] & 0x40)) {
		bool ok = model_checksum_ok(packet, &info);

		frame_put16(packet + info.l3_offset + 4, 0);
		if (ok)
			model_finish(packet, &info);
	}
	scenario_log_add(&logs[flow], packet, bytes);
}

static inline void scenario_emit_one(struct coalesce_scenario *s, const struct packet *given)
{
	static uint8_t frame[MODEL_MAX_FRAME_BYTES], packet[MODEL_MAX_FRAME_BYTES];
	const struct offload *offload = &given->offload;
	struct offload left = *offload;
	const size_t bytes = given->bytes;
	const int n = flatten(given, frame, sizeof(frame));
	struct frame_info info;

	s->emitted++;
	MUST(n >= 1 && n <= (int)COALESCE_MAX_SEGMENTS && !given->from_wire);
	MUST(frame_parse(frame, bytes, &info));
	MUST(n == 1 || (given->pieces[1].iov_len > info.payload_offset && info.end_offset == bytes));
	MUST(!offload->partial || (s->caps & OFFLOAD_CAP_CSUM));
	if (offload->partial) {
		MUST(csum_is_native(&info, offload));
		MUST(csum_complete(frame, info.end_offset, &left));
		MUST(info.source_routed || info.ip_version == 6 || !csum_ipv4_header_ok(frame, &info) ||
			model_checksum_ok(frame, &info));
	}
	if (offload->gso == OFFLOAD_GSO_NONE) {
		MUST(n == 1);
		scenario_note(s, s->got, frame, bytes);
		return;
	}
	MUST(offload->partial && offload->header_bytes == info.payload_offset);
	MUST(offload->gso != OFFLOAD_GSO_TCP4 || (s->caps & OFFLOAD_CAP_TSO4));
	MUST(offload->gso != OFFLOAD_GSO_TCP6 || (s->caps & OFFLOAD_CAP_TSO6));
	MUST(offload->gso != OFFLOAD_GSO_UDP || (s->caps & OFFLOAD_CAP_USO));
	MUST(info.end_offset - info.payload_offset > offload->gso_bytes);
	if (info.l4_protocol == FRAME_PROTOCOL_TCP)
		MUST(offload->ecn == !!(frame[info.l4_offset + 13] & FRAME_TCP_CWR));
	for (uint32_t i = 0;; i++) {
		size_t cut = model_cut(frame, &info, offload->gso_bytes, i, packet);

		if (cut == 0)
			break;
		scenario_note(s, s->got, packet, cut);
	}
}

static inline void scenario_emit(void *ctx, struct packet *const packets[], unsigned int count)
{
	MUST(count > 0);
	for (unsigned int i = 0; i < count; i++)
		scenario_emit_one(ctx, packets[i]);
}

/* Hand a frame to the coalescer in a heap block of its own size, and note what must come out */
static inline void scenario_add(struct coalesce_scenario *s, const uint8_t *bytes, size_t len_bytes, bool partial,
	uint16_t gso_bytes)
{
	static uint8_t packet[MODEL_MAX_FRAME_BYTES];
	struct frame_info info;
	uint8_t *frame;

	if (s->n_held == SCENARIO_FRAMES)
		return;
	frame = malloc(len_bytes + 1);
	MUST(frame);
	s->held[s->n_held++] = frame;
	frame++; /* an odd address */
	memcpy(frame, bytes, len_bytes);
	memcpy(packet, bytes, len_bytes);
	if (!frame_parse(frame, len_bytes, &info))
		return;
	/* The model's packets have right IP headers; frames with a wrong one come as they are */
	partial = partial && (info.ip_version != 4 || csum_ipv4_header_ok(frame, &info));
	if (partial && info.payload_offset) {
		memset(frame + info.l4_offset + csum_field_offset(&info), 0x5c, 2); /* P leaves it open */
		model_finish(packet, &info);
	}
	if (join_add(&s->coalescer, as_packet(frame, len_bytes, &info, &(struct offload){ 0 }), partial, gso_bytes) ==
		COALESCE_OK)
		scenario_note(s, s->want, packet, partial ? info.end_offset : len_bytes); /* P: without padding */
}

static inline void scenario_flush(struct coalesce_scenario *s)
{
	coalesce_flush(&s->coalescer);
	MUST(s->coalescer.held == 0);
	while (s->n_held > 0)
		free(s->held[--s->n_held]);
}

static inline void scenario_make_large(struct coalesce_scenario *s, unsigned int flow)
{
	struct model_packet p = s->flows[flow].packet;
	uint8_t bytes[256];
	struct frame_info info;

	p.payload_bytes = 0;
	s->flows[flow].large = true;
	MUST(frame_parse(bytes, model_build(&p, bytes), &info));
	s->want[scenario_log_of(s, bytes, &info)].large = true;
}

static inline void coalesce_scenario_init(struct coalesce_scenario *s, unsigned int caps, uint8_t shape)
{
	memset(s, 0, sizeof(*s));
	s->caps = caps;
	coalesce_init(&s->coalescer, caps, scenario_emit, s);
	for (unsigned int i = 0; i < SCENARIO_FLOWS; i++) {
		s->flows[i].packet = (struct model_packet){
			.tags = (shape + i) % 3,
			.ip_version = (i + shape) % 2 ? 4 : 6,
			.protocol = i % 5 == 4 ? FRAME_PROTOCOL_UDP : FRAME_PROTOCOL_TCP,
			.tcp_option_bytes = i % 3 ? 12 : 0,
			.ttl = 64,
			.dont_fragment = i % 4 < 2,
			.host = (uint8_t)(i / 2),
			.ip_id = 65530,
			.source_port = (uint16_t)(SCENARIO_PORT + i),
			.seq = 0xfffff000,
			.ack = 1,
			.window = 100,
			.tcp_flags = FRAME_TCP_ACK,
		};
		s->flows[i].mss = (uint16_t)(50 + 100 * i);
		if (i % 5 == 3)
			scenario_make_large(s, i);
	}
}

static inline void coalesce_scenario_fini(struct coalesce_scenario *s)
{
	scenario_flush(s);
	for (unsigned int i = 0; i < SCENARIO_LOGS; i++) {
		MUST(s->want[i].packets == s->got[i].packets);
		MUST(s->want[i].used_bytes == s->got[i].used_bytes);
		MUST(s->want[i].used_bytes == 0 ||
			memcmp(s->want[i].bytes, s->got[i].bytes, s->want[i].used_bytes) == 0);
		free(s->want[i].bytes);
		free(s->got[i].bytes);
	}
}

/* The next packet of a flow, and how it differs from what a well-behaved sender would send */
static inline void scenario_step(struct coalesce_scenario *s, struct script *script)
{
	static uint8_t bytes[MODEL_MAX_FRAME_BYTES];
	uint8_t op = script_u8(script), which = script_u8(script);
	unsigned int flow = which % SCENARIO_FLOWS;
	struct model_packet *next = &s->flows[flow].packet, p;
	uint16_t gso_bytes = 0;
	bool partial = true;
	size_t len_bytes, junk = 0;

	next->payload_bytes = s->flows[flow].mss;
	if (s->flows[flow].large) {
		gso_bytes = s->flows[flow].mss;
		next->payload_bytes = gso_bytes * 3U + 7;
	}
	p = *next;
	switch (op % 32) {
	case 16:
		p.payload_bytes = script_u8(script) * 2U;
		break;
	case 17:
		p.tcp_flags |= FRAME_TCP_PSH;
		break;
	case 18:
		p.tcp_flags |= script_u8(script);
		break;
	case 19:
		p.seq += 1000;
		break;
	case 20:
		next->window = p.window = script_u8(script);
		break;
	case 21:
		next->ack = p.ack = script_u8(script);
		break;
	case 22:
		p.tos = 2;
		break;
	case 23:
		p.ttl = script_u8(script) % 2 + 63;
		break;
	case 24:
		p.tcp_option_bytes = script_u8(script) % 11 * 4;
		break;
	case 25:
		partial = false;
		gso_bytes = 0;
		break;
	case 26:
		p.payload_bytes = 0;
		break;
	case 27:
		p.ip_option_bytes = 8;
		break;
	case 28:
		next->ip_id = p.ip_id = script_u16(script);
		break;
	case 29:
		junk = 1 + script_u8(script) % 40;
		break;
	case 30:
		scenario_flush(s);
		return;
	case 31:
		gso_bytes = script_u16(script) % 300;
		break;
	default:
		break;
	}
	len_bytes = model_build(&p, bytes);
	if (junk && junk < 7) {
		memset(bytes + len_bytes, 0, junk); /* Ethernet padding */
		len_bytes += junk;
	} else if (junk && !s->flows[flow].large) {
		bytes[12 + junk] ^= script_u8(script); /* some header byte */
		partial = script_u8(script) & 1;
	}
	if (!s->flows[flow].large)
		gso_bytes = 0;
	scenario_add(s, bytes, len_bytes, partial, gso_bytes);
	next->seq = p.seq + p.payload_bytes;
	if (!(op & 32) || !p.dont_fragment)
		next->ip_id++;
}

static inline void coalesce_scenario(struct script *script)
{
	static struct coalesce_scenario s;
	uint8_t caps = script_u8(script), shape = script_u8(script);

	coalesce_scenario_init(&s, caps & 16 ? 15 : caps & 15, shape);
	while (script->left_bytes > 0)
		scenario_step(&s, script);
	coalesce_scenario_fini(&s);
}

#endif /* TESTS_UNIT_ENCAP_COALESCE_SCENARIO_H */
