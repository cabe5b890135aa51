/*
 * test_csum.c - RFC 1071's example, every length and alignment against the naive sum, partial checksums end to end
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "packet/csum.h"
#include "tests/unit/encap/model.h"

static uint16_t folded(const uint8_t *bytes, size_t len_bytes)
{
	uint16_t sum = csum_fold(csum_add(0, bytes, len_bytes));

	return frame_get16((const uint8_t *)&sum);
}

static void rfc_1071_example(void **state)
{
	const uint8_t bytes[] = { 0x00, 0x01, 0xf2, 0x03, 0xf4, 0xf5, 0xf6, 0xf7 };

	(void)state;
	assert_int_equal(folded(bytes, sizeof(bytes)), 0xddf2); /* section 3 */
}

static void every_length_and_alignment(void **state)
{
	uint8_t bytes[400];
	uint64_t random = 3;

	(void)state;
	for (unsigned int round = 0; round < 3; round++) {
		model_random_fill(&random, bytes, sizeof(bytes));
		if (round == 1)
			memset(bytes, 0xff, sizeof(bytes));
		if (round == 2)
			memset(bytes, 0, sizeof(bytes));
		for (size_t at = 0; at < 9; at++) {
			for (size_t n = 0; n + at <= sizeof(bytes); n++)
				assert_int_equal(folded(bytes + at, n), model_sum(0, bytes + at, n));
		}
	}
}

static void a_row_of_pieces_is_one_sum(void **state)
{
	uint8_t bytes[257];
	uint64_t random = 4;

	(void)state;
	model_random_fill(&random, bytes, sizeof(bytes));
	for (size_t cut = 0; cut < sizeof(bytes); cut += 2) {
		uint64_t sum = csum_add(csum_add(0, bytes, cut), bytes + cut, sizeof(bytes) - cut);

		assert_int_equal(csum_fold(sum), csum_fold(csum_add(0, bytes, sizeof(bytes))));
	}
	/* Carries out of the sum so far are kept */
	assert_int_equal(csum_fold(csum_add(UINT64_MAX, "\1\0\0\0\0\0\0\0", 8)),
		csum_fold(csum_add(0, "\1\0\0\0\0\0\0\0", 8)));
}

static struct model_packet any_packet(uint64_t *random)
{
	uint64_t r = model_random(random);

	return (struct model_packet){
		.tags = r % 3,
		.ip_version = r & 64 ? 4 : 6,
		.ip_option_bytes = r & 128 ? 8 : 0,
		.protocol = r & 256 ? FRAME_PROTOCOL_TCP : FRAME_PROTOCOL_UDP,
		.tcp_option_bytes = (r >> 9) % 11 * 4,
		.ttl = 64,
		.host = 1,
		.source_port = (uint16_t)(r >> 16),
		.seq = (uint32_t)(r >> 32),
		.tcp_flags = FRAME_TCP_ACK,
		.payload_bytes = (r >> 24) % 200,
	};
}

static void prepare_and_complete_give_the_checksum_back(void **state)
{
	uint64_t random = 5;

	(void)state;
	for (unsigned int round = 0; round < 50000; round++) {
		struct model_packet p = any_packet(&random);
		uint8_t frame[512], want[512];
		size_t bytes = model_build(&p, want);
		struct frame_info info;
		struct offload offload = { 0 };

		memcpy(frame, want, bytes);
		assert_true(frame_parse(frame, bytes, &info));
		assert_true(csum_verify(frame, &info));
		assert_false(csum_is_native(&info, &offload));
		memset(frame + info.l4_offset + csum_field_offset(&info), 0xa5, 2); /* what P leaves open */
		assert_true(csum_prepare(frame, &info, &offload));
		assert_true(csum_is_native(&info, &offload));
		assert_true(csum_complete(frame, bytes, &offload));
		assert_false(offload.partial);
		assert_memory_equal(frame, want, bytes);

		/* Some byte of the packet is not as it was (its addresses, ports, payload, or a sum) */
		frame[info.l4_offset + model_random(&random) % (bytes - info.l4_offset)] ^= 0x10;
		if (frame_parse(frame, bytes, &info) && info.payload_offset != 0)
			assert_false(csum_verify(frame, &info));
	}
}

static void padding_does_not_count(void **state)
{
	struct model_packet p = { .ip_version = 4, .protocol = FRAME_PROTOCOL_UDP, .ttl = 1, .payload_bytes = 5 };
	uint8_t frame[64] = { 0 }, want[64];
	size_t bytes = model_build(&p, want);
	struct frame_info info;
	struct offload offload = { 0 };

	(void)state;
	memset(want + bytes, 0x77, sizeof(want) - bytes);
	memcpy(frame, want, sizeof(frame));
	assert_true(frame_parse(frame, 60, &info));
	assert_true(csum_prepare(frame, &info, &offload));
	assert_true(csum_complete(frame, info.end_offset, &offload));
	assert_memory_equal(frame, want, sizeof(frame));
	assert_true(csum_verify(frame, &info));
}

/* RFC 768: a computed 0 is sent as 0xffff, 0 means none, which IPv6 does not know (RFC 8200 8.1) */
static void the_zero_of_udp(void **state)
{
	struct model_packet p = { .ip_version = 4, .protocol = FRAME_PROTOCOL_UDP, .ttl = 1, .payload_bytes = 2 };
	uint8_t frame[128];
	unsigned int seen = 0;

	(void)state;
	for (uint32_t port = 0; port <= 0xffff; port++) {
		struct offload offload = { 0 };
		struct frame_info info;
		size_t bytes;

		p.source_port = (uint16_t)port;
		bytes = model_build(&p, frame);
		assert_true(frame_parse(frame, bytes, &info));
		assert_true(csum_prepare(frame, &info, &offload));
		assert_true(csum_complete(frame, bytes, &offload));
		assert_int_not_equal(frame_get16(frame + info.l4_offset + 6), 0);
		seen += frame_get16(frame + info.l4_offset + 6) == 0xffff;
		assert_true(csum_verify(frame, &info));
		frame_put16(frame + info.l4_offset + 6, 0);
		assert_true(csum_verify(frame, &info));
	}
	assert_int_equal(seen, 1);
	p.ip_version = 6;
	{
		size_t bytes = model_build(&p, frame);
		struct frame_info info;

		assert_true(frame_parse(frame, bytes, &info));
		frame_put16(frame + info.l4_offset + 6, 0);
		assert_false(csum_verify(frame, &info));
	}
}

/* An inner checksum, as of a guest's own tunnel, is not the wire's, but can be completed */
static void a_foreign_checksum_is_completed_but_not_native(void **state)
{
	struct model_packet p = { .ip_version = 4, .protocol = FRAME_PROTOCOL_UDP, .ttl = 1, .payload_bytes = 100 };
	uint8_t frame[256];
	size_t bytes = model_build(&p, frame), start = 60;
	struct frame_info info;
	struct offload offload = { .partial = true, .csum_start = 60, .csum_offset = 16 };

	(void)state;
	assert_true(frame_parse(frame, bytes, &info));
	assert_false(csum_is_native(&info, &offload));
	assert_true(csum_complete(frame, bytes, &offload));
	frame_put16(frame + 76, (uint16_t)~frame_get16(frame + 76));
	{
		/* Field + rest must now sum to what the field was */
		uint8_t again[256];

		memcpy(again, frame, bytes);
		model_build(&p, again);
		assert_int_equal(model_sum(0, again + start, bytes - start), frame_get16(frame + 76));
	}

	for (uint32_t outside = 0; outside < 4; outside++) {
		offload = (struct offload){ .partial = true, .csum_start = (uint16_t)bytes, .csum_offset = 0 };
		offload.csum_start = (uint16_t)(bytes - (outside & 1));
		offload.csum_offset = outside & 2 ? 0xffff : 0;
		assert_false(csum_complete(frame, bytes, &offload));
		assert_true(offload.partial);
	}
}

static void not_every_frame_can_be_prepared(void **state)
{
	struct model_packet p = { .ip_version = 4, .protocol = FRAME_PROTOCOL_TCP, .ttl = 1, .payload_bytes = 100 };
	uint8_t frame[256], before[256];
	size_t bytes = model_build(&p, frame);
	struct frame_info info;
	struct offload offload = { .partial = false };

	(void)state;
	frame[14 + 6] = 0x20; /* a fragment */
	memcpy(before, frame, bytes);
	assert_true(frame_parse(frame, bytes, &info));
	assert_false(csum_prepare(frame, &info, &offload));
	assert_false(offload.partial);
	assert_memory_equal(frame, before, bytes);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(rfc_1071_example),
		cmocka_unit_test(every_length_and_alignment),
		cmocka_unit_test(a_row_of_pieces_is_one_sum),
		cmocka_unit_test(prepare_and_complete_give_the_checksum_back),
		cmocka_unit_test(padding_does_not_count),
		cmocka_unit_test(the_zero_of_udp),
		cmocka_unit_test(a_foreign_checksum_is_completed_but_not_native),
		cmocka_unit_test(not_every_frame_can_be_prepared),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
