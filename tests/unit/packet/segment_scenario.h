/*
 * segment_scenario.h - one super-frame out of a script, cut by segment.c and by the naive model, packet by packet
 *
 * Shared by test_segment.c (random scripts) and fuzz_segment.c (the fuzzer's).
 */
#ifndef TESTS_UNIT_ENCAP_SEGMENT_SCENARIO_H
#define TESTS_UNIT_ENCAP_SEGMENT_SCENARIO_H

#include "packet/csum.h"
#include "packet/segment.h"
#include "tests/unit/encap/model.h"
#include "tests/unit/packet/as_packet.h"

/* A frame in a heap block with its headroom and not a byte more */
struct scenario_frame {
	uint8_t *block;
	uint8_t *frame;
	size_t bytes;
	uint8_t *original; /* a copy */
	struct frame_info info;
	struct offload offload;
};

static inline void scenario_frame_init(struct scenario_frame *f, const uint8_t *bytes, size_t len_bytes)
{
	f->block = malloc(SEGMENT_HEADROOM_BYTES + len_bytes);
	f->original = malloc(len_bytes + 1);
	MUST(f->block && f->original);
	f->frame = f->block + SEGMENT_HEADROOM_BYTES;
	f->bytes = len_bytes;
	memcpy(f->frame, bytes, len_bytes);
	memcpy(f->original, bytes, len_bytes);
}

static inline void scenario_frame_fini(struct scenario_frame *f)
{
	free(f->block);
	free(f->original);
}

/* Do what a segment left to be done */
static inline void scenario_complete(uint8_t *frame, size_t bytes, bool partial, const struct offload *port)
{
	struct frame_info info;
	struct offload offload = { 0 };

	MUST(frame_parse(frame, bytes, &info));
	if (!partial)
		return;
	if (port) { /* the pseudo header's sum must be there */
		offload = *port;
		offload.partial = true;
	} else {
		memset(frame + info.l4_offset + csum_field_offset(&info), 0xee, 2);
		MUST(csum_prepare(frame, &info, &offload));
	}
	MUST(csum_complete(frame, bytes, &offload));
}

/*
 * Take all segments and compare each with the model's cut every @cut_bytes.  @gso_bytes: what larger segments must say.
 * @port: where the checksum is, for a port's partial segments; NULL for the wire's
 */
static inline void scenario_compare(struct segmenter *s, const struct scenario_frame *f, uint32_t cut_bytes,
	uint16_t gso_bytes, const struct offload *port)
{
	static uint8_t want[MODEL_MAX_FRAME_BYTES], got[MODEL_MAX_FRAME_BYTES];
	struct packet segment = { 0 };
	uint32_t index = 0;

	while (segment_next(s, &segment)) {
		size_t bytes = model_cut(f->original, &f->info, cut_bytes, index++, want);
		uint32_t payload_bytes = (uint32_t)segment.bytes - f->info.payload_offset;

		MUST(segment.bytes == bytes);
		MUST(segment.frame >= f->frame && segment.frame + segment.bytes <= f->frame + f->bytes);
		MUST(segment.offload.gso_bytes == (gso_bytes > 0 && payload_bytes > gso_bytes ? gso_bytes : 0));
		memcpy(got, segment.frame, bytes);
		scenario_complete(got, bytes, segment.offload.partial, port);
		if (!f->info.source_routed)
			MUST(memcmp(got, want, bytes) == 0);
		memset(segment.frame - SEGMENT_HEADROOM_BYTES, 0xdd, SEGMENT_HEADROOM_BYTES); /* the caller's right */
	}
	MUST(model_cut(f->original, &f->info, cut_bytes, index, want) == 0);
	MUST(memcmp(f->frame, f->original, f->bytes) == 0);
}

/* From the port to the path: is it cut if it must be, where it must be, and is the frame left as it was? */
static inline void scenario_path(struct scenario_frame *f, size_t max_frame_bytes)
{
	struct segmenter s;
	struct packet segment = { 0 };
	struct offload offload = f->offload;
	bool native = csum_is_native(&f->info, &offload);
	bool tcp = f->info.l4_protocol == FRAME_PROTOCOL_TCP;
	uint32_t fill_bytes = (uint32_t)max_frame_bytes - f->info.payload_offset;

	if (cut_begin(&s, as_packet(f->frame, f->bytes, &f->info, &offload), &offload, max_frame_bytes) != SEGMENT_OK)
		return;
	if (s.cut_bytes == 0) {
		MUST(segment_next(&s, &segment));
		MUST(segment.frame == f->frame && segment.bytes == f->bytes && segment.offload.gso_bytes == 0);
		MUST(segment.offload.partial == native && offload.partial == native);
		MUST(!segment_next(&s, &segment));
		MUST(offload.partial != f->offload.partial || memcmp(f->frame, f->original, f->bytes) == 0);
		memcpy(f->frame, f->original, f->bytes);
		return;
	}
	if (f->offload.gso == OFFLOAD_GSO_NONE)
		MUST(tcp && native && f->bytes > max_frame_bytes);
	MUST(!tcp || max_frame_bytes >= f->info.payload_offset);
	if (!tcp)
		scenario_compare(&s, f, f->offload.gso_bytes, 0, NULL);
	else if (native)
		scenario_compare(&s, f, fill_bytes, f->offload.gso ? f->offload.gso_bytes : 0, NULL);
	else
		scenario_compare(&s, f, fill_bytes < f->offload.gso_bytes ? fill_bytes : f->offload.gso_bytes, 0, NULL);
}

/* The same to a port that takes no super-frames */
static inline void scenario_port(struct scenario_frame *f, bool complete)
{
	struct segmenter s;
	struct packet packet = as_packet(f->frame, f->bytes, &f->info, &f->offload);

	if (f->offload.gso == OFFLOAD_GSO_NONE)
		return;
	if (segment_begin_port(&s, &packet, complete) == SEGMENT_OK)
		scenario_compare(&s, f, f->offload.gso_bytes, 0, &f->offload);
}

/* Cut a right super-frame of every shape that a guest could send */
static inline void segment_scenario(struct script *script)
{
	static uint8_t bytes[MODEL_MAX_FRAME_BYTES];
	uint8_t shape = script_u8(script), sizes = script_u8(script);
	struct model_packet p = {
		.tags = shape % 3,
		.ip_version = shape & 4 ? 6 : 4,
		.ip_option_bytes = shape & 8 ? (shape & 16 ? 40 : 8) : 0,
		.protocol = shape & 32 ? FRAME_PROTOCOL_UDP : FRAME_PROTOCOL_TCP,
		.tcp_option_bytes = sizes % 11 * 4,
		.ttl = 64,
		.dont_fragment = shape & 64,
		.tcp_flags = script_u8(script),
		.ip_id = script_u16(script),
		.seq = (uint32_t)script_u16(script) << 16 | 0xfff0, /* wraps */
		.ack = 7,
		.window = 500,
		.payload_bytes = script_u16(script),
	};
	struct scenario_frame f;
	size_t max_frame_bytes = script_u16(script);
	size_t extra;

	if (!(sizes & 0x80))
		p.payload_bytes %= 9000;
	if (!(sizes & 0x40))
		p.tcp_flags &= (uint8_t) ~(FRAME_TCP_SYN | FRAME_TCP_RST | FRAME_TCP_URG);
	if (p.payload_bytes > 65535U - 160)
		p.payload_bytes = 65535U - 160;
	scenario_frame_init(&f, bytes, model_build(&p, bytes));
	MUST(frame_parse(f.frame, f.bytes, &f.info));
	f.offload = (struct offload){
		.gso = p.protocol == FRAME_PROTOCOL_UDP ? OFFLOAD_GSO_UDP
			: p.ip_version == 4             ? OFFLOAD_GSO_TCP4
							: OFFLOAD_GSO_TCP6,
		.gso_bytes = script_u16(script) % 4096,
		.partial = true,
		.csum_start = f.info.l4_offset,
		.csum_offset = csum_field_offset(&f.info),
	};
	extra = script_u8(script);
	if (extra % 8 == 7)
		f.offload.gso = OFFLOAD_GSO_NONE;
	if (extra % 16 == 14)
		f.offload.csum_start++;
	scenario_path(&f, max_frame_bytes);
	scenario_port(&f, false);
	scenario_port(&f, true);
	scenario_frame_fini(&f);
}

/* Bytes of the script as the frame itself, with an offload that may lie */
static inline void segment_scenario_raw(struct script *script)
{
	struct scenario_frame f;
	uint8_t how = script_u8(script);
	uint16_t gso_bytes = script_u16(script), max_frame_bytes = script_u16(script), start = script_u16(script);

	scenario_frame_init(&f, script->at, script->left_bytes);
	if (frame_parse(f.frame, f.bytes, &f.info)) {
		bool right = how & 8;

		f.offload = (struct offload){
			.gso = how % 5,
			.partial = how & 16,
			.gso_bytes = gso_bytes,
			.csum_start = right ? f.info.l4_offset : start % 256,
			.csum_offset = right ? csum_field_offset(&f.info) : start / 256,
		};
		scenario_path(&f, max_frame_bytes);
		scenario_port(&f, how & 32);
	}
	scenario_frame_fini(&f);
}

#endif /* TESTS_UNIT_ENCAP_SEGMENT_SCENARIO_H */
