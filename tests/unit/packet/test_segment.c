/*
 * test_segment.c - super-frames cut by segment.c and by the naive model; what is refused; what is left alone
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "tests/unit/packet/segment_scenario.h"

static void random_frames_match_the_model(void **state)
{
	uint64_t random = 11;

	(void)state;
	for (unsigned int round = 0; round < 20000; round++) {
		uint8_t bytes[16];
		struct script script = { bytes, sizeof(bytes) };

		model_random_fill(&random, bytes, sizeof(bytes));
		segment_scenario(&script);
	}
}

static void random_changes_of_frames_are_safe(void **state)
{
	uint64_t random = 12;

	(void)state;
	for (unsigned int round = 0; round < 50000; round++) {
		uint8_t bytes[400];
		struct model_packet p = {
			.tags = round % 2,
			.ip_version = round % 4 < 2 ? 4 : 6,
			.protocol = round % 3 ? FRAME_PROTOCOL_TCP : FRAME_PROTOCOL_UDP,
			.ip_option_bytes = round % 5 ? 0 : 8,
			.tcp_flags = FRAME_TCP_ACK,
			.payload_bytes = 200,
		};
		size_t used = 7 + model_build(&p, bytes + 7);
		struct script script = { bytes, used };

		model_random_fill(&random, bytes, 7);
		bytes[1] = bytes[3] = 0;
		for (unsigned int i = 0; i < round % 3; i++)
			bytes[7 + model_random(&random) % (used - 207)] = (uint8_t)model_random(&random);
		if (round % 7 == 0)
			script.left_bytes = 7 + model_random(&random) % (used - 7);
		segment_scenario_raw(&script);
	}
}

static uint8_t memory[SEGMENT_HEADROOM_BYTES + MODEL_MAX_FRAME_BYTES];
static uint8_t *const frame = memory + SEGMENT_HEADROOM_BYTES;

/* A 40,000-byte TCP super-frame of a guest with MTU 1500, timestamps on */
static size_t guest_frame(struct frame_info *info, struct offload *offload, uint8_t flags)
{
	const struct model_packet p = {
		.ip_version = 4,
		.protocol = FRAME_PROTOCOL_TCP,
		.tcp_option_bytes = 12,
		.ttl = 64,
		.ip_id = 0xfffe,
		.seq = 0xffffff00,
		.tcp_flags = FRAME_TCP_ACK | flags,
		.payload_bytes = 40000,
	};
	size_t bytes = model_build(&p, frame);

	assert_true(frame_parse(frame, bytes, info));
	*offload = (struct offload){
		.partial = true,
		.gso = OFFLOAD_GSO_TCP4,
		.gso_bytes = 1448,
		.csum_start = 34,
		.csum_offset = 16,
	};
	return bytes;
}

static void fits_the_path_and_not_the_guest(void **state)
{
	struct frame_info info;
	struct offload offload;
	struct segmenter s;
	struct packet segment = { 0 };
	size_t bytes = guest_frame(&info, &offload, FRAME_TCP_PSH | FRAME_TCP_CWR);
	uint32_t n = 0, sum = 0;

	(void)state;
	assert_int_equal(cut_begin(&s, as_packet(frame, bytes, &info, &offload), &offload, 8966), SEGMENT_OK);
	while (segment_next(&s, &segment)) {
		uint8_t flags = segment.frame[47];
		bool last = n == 4;

		assert_int_equal(segment.bytes, last ? 66 + 40000 - 4 * 8900 : 8966);
		assert_int_equal(segment.offload.gso_bytes, 1448);
		assert_true(segment.offload.partial);
		assert_int_equal(!!(flags & FRAME_TCP_CWR), n == 0);
		assert_int_equal(!!(flags & FRAME_TCP_PSH), last);
		assert_int_equal(frame_get16(segment.frame + 18), (uint16_t)(0xfffe + n));
		assert_int_equal(frame_get32(segment.frame + 38), 0xffffff00 + sum);
		sum += (uint32_t)segment.bytes - 66;
		n++;
	}
	assert_int_equal(n, 5);
	assert_int_equal(sum, 40000);
}

/* At most the guest's own size says nothing about it */
static void a_narrow_path_needs_no_g(void **state)
{
	struct frame_info info;
	struct offload offload;
	struct segmenter s;
	struct packet segment = { 0 };
	size_t bytes = guest_frame(&info, &offload, 0);
	uint32_t n = 0;

	(void)state;
	assert_int_equal(cut_begin(&s, as_packet(frame, bytes, &info, &offload), &offload, 1448 + 66), SEGMENT_OK);
	for (; segment_next(&s, &segment); n++)
		assert_int_equal(segment.offload.gso_bytes, 0);
	assert_int_equal(n, 28);
	assert_int_equal(cut_begin(&s, as_packet(frame, bytes, &info, &offload), &offload, 1449 + 66), SEGMENT_OK);
	assert_true(segment_next(&s, &segment));
	assert_int_equal(segment.offload.gso_bytes, 1448);
}

static void an_ordinary_frame_is_cut_only_if_it_must_and_may(void **state)
{
	struct model_packet p = {
		.ip_version = 6,
		.protocol = FRAME_PROTOCOL_TCP,
		.tcp_flags = FRAME_TCP_ACK,
		.payload_bytes = 1440,
	};
	const struct {
		uint8_t flags, protocol;
		bool partial;
		size_t max_frame_bytes;
		unsigned int segments;
	} cases[] = {
		{ 0, FRAME_PROTOCOL_TCP, true, 1514, 1 },
		{ 0, FRAME_PROTOCOL_TCP, true, 1513, 2 },
		{ 0, FRAME_PROTOCOL_TCP, false, 1513, 1 },
		{ FRAME_TCP_SYN, FRAME_PROTOCOL_TCP, true, 1513, 1 },
		{ FRAME_TCP_URG, FRAME_PROTOCOL_TCP, true, 1513, 1 },
		{ 0, FRAME_PROTOCOL_UDP, true, 1400, 1 },
		{ 0, FRAME_PROTOCOL_TCP, true, 100, 1 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct frame_info info;
		struct offload offload = { .partial = cases[i].partial, .csum_start = 54 };
		struct segmenter s;
		struct packet segment = { 0 };
		unsigned int n = 0;
		size_t bytes;

		p.protocol = cases[i].protocol;
		p.tcp_flags = FRAME_TCP_ACK | cases[i].flags;
		bytes = model_build(&p, frame);
		assert_true(frame_parse(frame, bytes, &info));
		offload.csum_offset = csum_field_offset(&info);
		assert_int_equal(cut_begin(&s, as_packet(frame, bytes, &info, &offload), &offload,
					 cases[i].max_frame_bytes),
			SEGMENT_OK);
		for (; segment_next(&s, &segment); n++) {
			assert_int_equal(segment.offload.partial, cases[i].partial);
			assert_int_equal(segment.offload.gso_bytes, 0);
		}
		assert_int_equal(n, cases[i].segments);
	}
}

static void lies_are_refused_by_name(void **state)
{
	struct frame_info info;
	struct offload offload, right;
	struct segmenter s;
	size_t bytes = guest_frame(&info, &right, 0);

	(void)state;
#define REFUSED(why, max, ...)                                                                           \
	do {                                                                                             \
		offload = right;                                                                         \
		__VA_ARGS__;                                                                             \
		assert_int_equal(cut_begin(&s, as_packet(frame, bytes, &info, &offload), &offload, max), \
			SEGMENT_DROP_##why);                                                             \
	} while (0)
	REFUSED(OFFLOAD, 1500, offload.gso = OFFLOAD_GSO_TCP6);
	REFUSED(OFFLOAD, 1500, offload.gso = OFFLOAD_GSO_UDP);
	REFUSED(OFFLOAD, 1500, offload.gso = 99);
	REFUSED(OFFLOAD, 1500, offload.gso_bytes = 0);
	REFUSED(OFFLOAD, 1500, offload.partial = false);
	REFUSED(OFFLOAD, 1500, offload.csum_start--);
	REFUSED(OFFLOAD, 1500, offload.csum_offset = 6);
	REFUSED(COUNT, 1500, offload.gso_bytes = SEGMENT_MIN_MSS - 1);
	REFUSED(ROOM, 66 + 63, (void)offload);
	bytes = guest_frame(&info, &right, FRAME_TCP_SYN);
	REFUSED(HEADERS, 1500, (void)offload);
	bytes = guest_frame(&info, &right, 0);
	frame[46] = 0x40; /* data offset of 16 */
	assert_true(frame_parse(frame, bytes, &info));
	REFUSED(HEADERS, 1500, (void)offload);
	frame[46] = 0x80;
	frame[20] = 0x20; /* more fragments */
	assert_true(frame_parse(frame, bytes, &info));
	REFUSED(HEADERS, 1500, (void)offload);
	/* A partial checksum outside of the frame, without GSO */
	frame[20] = 0;
	assert_true(frame_parse(frame, bytes, &info));
	REFUSED(OFFLOAD, 1500, offload.gso = OFFLOAD_GSO_NONE, offload.csum_start = 65000);
#undef REFUSED
}

static void too_many_datagrams_are_refused(void **state)
{
	struct model_packet p = { .ip_version = 4, .protocol = FRAME_PROTOCOL_UDP, .payload_bytes = 12800 };
	size_t bytes = model_build(&p, frame);
	struct frame_info info;
	struct offload offload = {
		.partial = true,
		.gso = OFFLOAD_GSO_UDP,
		.gso_bytes = 100,
		.csum_start = 34,
		.csum_offset = 6,
	};
	struct segmenter s;

	(void)state;
	assert_true(frame_parse(frame, bytes, &info));
	assert_int_equal(cut_begin(&s, as_packet(frame, bytes, &info, &offload), &offload, 1400), SEGMENT_OK);
	offload.gso_bytes = 99;
	assert_int_equal(cut_begin(&s, as_packet(frame, bytes, &info, &offload), &offload, 1400), SEGMENT_DROP_COUNT);
}

/* Behind a source route only the guest's own partial sum knows the destination (RFC 8200 8.1) */
static void a_source_routed_frame_is_cut_with_whole_checksums(void **state)
{
	struct model_packet p = {
		.ip_version = 6,
		.ip_option_bytes = 24,
		.protocol = FRAME_PROTOCOL_TCP,
		.tcp_flags = FRAME_TCP_ACK,
		.payload_bytes = 5000,
	};
	size_t bytes = model_build(&p, frame);
	uint8_t *routing = frame + 54, final[16] = { 0xfd, [15] = 0x77 };
	struct frame_info info, to_final;
	struct offload offload = {
		.partial = true,
		.gso = OFFLOAD_GSO_TCP6,
		.gso_bytes = 1000,
		.csum_start = 78,
		.csum_offset = 16,
	};
	struct segmenter s;
	struct packet segment = { 0 };
	uint32_t n = 0;

	(void)state;
	frame[20] = 43; /* a type 0 routing header for the destination options */
	routing[2] = 0;
	routing[3] = 1;
	memset(routing + 4, 0, 4);
	memcpy(routing + 8, final, 16);
	assert_true(frame_parse(frame, bytes, &info));
	assert_true(info.source_routed);
	{
		uint8_t at_end[54];
		uint16_t sum;

		memcpy(at_end, frame, sizeof(at_end));
		memcpy(at_end + 38, final, 16);
		sum = csum_fold(csum_pseudo(at_end, &info, (uint32_t)bytes - info.l4_offset));
		memcpy(frame + 78 + 16, &sum, 2);
	}
	assert_int_equal(cut_begin(&s, as_packet(frame, bytes, &info, &offload), &offload, 9000), SEGMENT_OK);
	for (; segment_next(&s, &segment); n++) {
		uint8_t at_end[2000];

		assert_false(segment.offload.partial);
		assert_int_equal(segment.offload.gso_bytes, 0);
		assert_int_equal(segment.bytes, info.payload_offset + 1000);
		memcpy(at_end, segment.frame, segment.bytes);
		memcpy(at_end + 38, final, 16);
		at_end[57] = 0; /* no segment left: it has arrived */
		assert_true(frame_parse(at_end, segment.bytes, &to_final));
		assert_true(csum_verify(at_end, &to_final) && !to_final.source_routed);
	}
	assert_int_equal(n, 5);
}

/* Some guests leave the super-frame's IP length 0 */
static void a_length_of_zero_is_the_frames(void **state)
{
	struct frame_info info;
	struct offload offload;
	struct segmenter s;
	struct packet segment = { 0 };
	size_t bytes = guest_frame(&info, &offload, 0);

	(void)state;
	frame_put16(frame + 16, 0);
	assert_true(frame_parse(frame, bytes, &info));
	assert_int_equal(cut_begin(&s, as_packet(frame, bytes, &info, &offload), &offload, 65000), SEGMENT_OK);
	assert_true(segment_next(&s, &segment));
	assert_int_equal(frame_get16(segment.frame + 16), 40052);
	assert_true(csum_ipv4_header_ok(segment.frame, &info));
	assert_false(segment_next(&s, &segment));
	assert_int_equal(frame_get16(frame + 16), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(random_frames_match_the_model),
		cmocka_unit_test(random_changes_of_frames_are_safe),
		cmocka_unit_test(fits_the_path_and_not_the_guest),
		cmocka_unit_test(a_narrow_path_needs_no_g),
		cmocka_unit_test(an_ordinary_frame_is_cut_only_if_it_must_and_may),
		cmocka_unit_test(lies_are_refused_by_name),
		cmocka_unit_test(too_many_datagrams_are_refused),
		cmocka_unit_test(a_source_routed_frame_is_cut_with_whole_checksums),
		cmocka_unit_test(a_length_of_zero_is_the_frames),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
