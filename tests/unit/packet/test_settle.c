/*
 * test_settle.c - guests' tunnels and super-frames over 64 KiB cut, SCTP's checksum computed; each frame against a naive one
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "tests/unit/packet/settle_scenario.h"

#define STACKS_COUNT 17U

static void every_tunnel_is_cut_as_its_guest_would(void **state)
{
	(void)state;
	for (unsigned int number = 0; number < STACKS_COUNT; number++)
		for (uint8_t outer = STACK_IPV4; outer <= STACK_IPV6_OPTIONS; outer++) {
			struct stack stack;

			stack_of(number, outer, &stack);
			stack.tcp_flags = FRAME_TCP_PSH | FRAME_TCP_CWR;
			stack.gso_bytes = 1398;
			stack.payload_bytes = 20 * 1398 + 7;
			stack_settle(&stack);
			stack.gso_bytes = 1397; /* odd */
			stack_settle(&stack);
		}
}

static void over_64_kib_and_up_to_512(void **state)
{
	(void)state;
	for (unsigned int number = 0; number < STACKS_COUNT; number++)
		for (uint32_t bytes = 65400; bytes < 524000; bytes += bytes < 65700 ? 7 : 91111) {
			struct stack stack;

			stack_of(number, number % 2 ? STACK_IPV4 : STACK_IPV6, &stack);
			if (stack.kinds[stack.count - 1] == STACK_UDP_INNER)
				continue;
			stack.gso_bytes = 1448;
			stack.payload_bytes = bytes;
			stack_settle(&stack);
		}
}

/* A guest may ask for segments that no IP header could tell the length of: they are cut so that each can, and others have room */
static void segments_no_longer_than_an_ip_packet(void **state)
{
	static uint8_t memory[PACKET_HEADROOM_BYTES + STACK_FRAME_MAX];
	static struct settler settler;

	(void)state;
	for (unsigned int number = 1; number < STACKS_COUNT; number++) {
		struct packet packet, piece;
		struct stack_places places;
		struct stack stack;
		uint32_t bytes, payload_bytes = 0, headers_bytes;

		stack_of(number, number % 3, &stack);
		stack.gso_bytes = 65500;
		stack.payload_bytes = stack_gso(&stack) == OFFLOAD_GSO_UDP ? 65500 : 200000;
		(void)stack_build(&stack, 0, false, memory + PACKET_HEADROOM_BYTES, &places);
		headers_bytes = places.l4 + (stack_gso(&stack) == OFFLOAD_GSO_UDP ? 8 : 32);
		bytes = stack_build(&stack, 0, true, memory + PACKET_HEADROOM_BYTES, &places);
		packet_init(&packet, memory + PACKET_HEADROOM_BYTES, bytes, PACKET_HEADROOM_BYTES);
		packet.offload = (struct offload){
			.partial = true,
			.gso = stack_gso(&stack),
			.gso_bytes = stack.gso_bytes,
			.csum_start = (uint16_t)places.l4,
			.csum_offset = stack_gso(&stack) == OFFLOAD_GSO_UDP ? 6 : 16,
		};
		assert_true(packet_parse(&packet) && settle_needed(&packet));
		assert_int_equal(settle_begin(&settler, &packet), SEGMENT_OK);
		while (settle_next(&settler, &piece)) {
			assert_true(piece.bytes <= PACKET_BYTES_MAX && packet_parse(&piece));
			assert_true(piece.bytes - piece.info.l3_offset <= SETTLE_IP_BYTES_MAX);
			if (piece.info.ip_version)
				assert_int_equal(piece.info.end_offset, piece.bytes);
			payload_bytes += piece.bytes - headers_bytes;
		}
		assert_int_equal(payload_bytes, stack.payload_bytes);
	}
}

static void random_frames_match_the_oracle(void **state)
{
	uint64_t random = 21;

	(void)state;
	for (unsigned int round = 0; round < 3000; round++) {
		uint8_t bytes[8];
		struct script script = { bytes, sizeof(bytes) };

		model_random_fill(&random, bytes, sizeof(bytes));
		settle_scenario(&script);
	}
}

/* A right frame, cut off at each length, and with bytes changed */
static void truncated_and_changed_frames_are_safe(void **state)
{
	static uint8_t bytes[8 + STACK_FRAME_MAX];
	uint64_t random = 22;

	(void)state;
	for (unsigned int number = 0; number < STACKS_COUNT; number++) {
		struct stack stack;
		struct stack_places places;
		uint32_t length;

		stack_of(number, number % 3, &stack);
		stack.gso_bytes = 100;
		stack.payload_bytes = 300;
		length = stack_build(&stack, 0, true, bytes + 5, &places);
		frame_put16(bytes + 1, stack.gso_bytes);
		frame_put16(bytes + 3, (uint16_t)places.l4);
		for (uint32_t cut = 0; cut <= length; cut++)
			for (unsigned int how = 0; how < 5; how++) {
				struct script script = { bytes, 5 + cut };

				bytes[0] = (uint8_t)(16 + how + (how == 3 ? 64 : how == 0 ? 32 : 0));
				settle_scenario_raw(&script);
			}
		for (unsigned int round = 0; round < 3000; round++) {
			struct script script = { bytes, 5 + length };
			uint8_t *at = bytes + 5 + model_random(&random) % (places.l4 + 40), was = *at;

			*at = (uint8_t)model_random(&random);
			bytes[0] = (uint8_t)(16 + 1 + model_random(&random) % 2);
			settle_scenario_raw(&script);
			*at = was;
		}
	}
}

static size_t sctp_frame(uint8_t *frame, uint8_t outer, struct packet *packet)
{
	static const uint8_t init[] = { 0x13, 0x88, 0x13, 0x89, 0, 0, 0, 0, 0xde, 0xad, 0xbe, 0xef, 1, 0, 0, 20, 1, 2,
		3, 4, 0, 1, 0, 0, 0, 10, 0, 10, 0, 0, 0, 1 };
	struct stack stack = { .kinds = { outer, STACK_TCP }, .count = 2 };
	size_t at = stack_ethernet(frame, 0, outer);
	struct stack_places places = { .at = { (uint32_t)at } };

	at += stack_header(&stack, 0, frame + at, 0, false);
	frame[places.at[0] + (outer == STACK_IPV4 ? 9 : outer == STACK_IPV6 ? 6 : 40)] = 132;
	memcpy(frame + at, init, sizeof(init));
	packet->offload.csum_start = (uint16_t)at;
	at += sizeof(init);
	stack_finish(&stack, 0, frame, &places, (uint32_t)at, false);
	return at;
}

/* Bit by bit, as RFC 9260 appendix A has it */
static uint32_t crc32c_of(const uint8_t *at, size_t bytes)
{
	uint32_t crc = 0xffffffff;

	for (size_t i = 0; i < bytes * 8; i++)
		crc = crc >> 1 ^ ((crc ^ at[i / 8] >> i % 8) & 1 ? 0x82f63b78 : 0);
	return ~crc;
}

static void sctp_gets_its_own_checksum(void **state)
{
	static struct settler settler;
	uint8_t frame[256];

	(void)state;
	for (uint8_t outer = STACK_IPV4; outer <= STACK_IPV6_OPTIONS; outer++) {
		struct packet packet = { 0 }, piece;
		size_t bytes = sctp_frame(frame, outer, &packet);
		uint32_t got, want;

		packet_init(&packet, frame, bytes + 2, 0); /* two bytes of padding, which do not count */
		packet.offload = (struct offload){
			.partial = true,
			.csum_start = packet.offload.csum_start,
			.csum_offset = 8,
		};
		frame[bytes] = frame[bytes + 1] = 0xaa;
		memset(frame + packet.offload.csum_start + 8, 0, 4);
		want = crc32c_of(frame + packet.offload.csum_start, bytes - packet.offload.csum_start);
		memset(frame + packet.offload.csum_start + 8, 0xee, 4); /* whatever is there */
		assert_true(packet_parse(&packet) && settle_needed(&packet));
		assert_int_equal(settle_begin(&settler, &packet), SEGMENT_OK);
		assert_true(settle_next(&settler, &piece));
		assert_false(piece.offload.partial);
		memcpy(&got, frame + packet.offload.csum_start + 8, 4);
		assert_int_equal(le32toh(got), want);
		assert_false(settle_next(&settler, &piece));
	}
}

/* RFC 9260 names no test vector; these are RFC 3720's, appendix B.4 */
static void crc32c_of_known_bytes(void **state)
{
	uint8_t bytes[32];

	(void)state;
	memset(bytes, 0, sizeof(bytes));
	assert_int_equal(le32toh(csum_crc32c(bytes, 32)), 0x8a9136aa);
	memset(bytes, 0xff, sizeof(bytes));
	assert_int_equal(le32toh(csum_crc32c(bytes, 32)), 0x62a8ab43);
	for (unsigned int i = 0; i < 32; i++)
		bytes[i] = (uint8_t)i;
	assert_int_equal(le32toh(csum_crc32c(bytes, 32)), 0x46dd794e);
	for (size_t bytes_count = 0; bytes_count <= 32; bytes_count++)
		assert_int_equal(le32toh(csum_crc32c(bytes, bytes_count)), crc32c_of(bytes, bytes_count));
}

/* The checksum of one inner packet needs nobody's help, and a frame over 64 KiB that is no super-frame has no way out */
static void what_is_left_alone(void **state)
{
	static uint8_t frame[PACKET_BYTES_MAX + 1];
	static struct settler settler;
	struct stack stack;
	struct stack_places places;
	struct packet packet, piece;
	uint32_t bytes;

	(void)state;
	stack_of(10, STACK_IPV4, &stack); /* VXLAN */
	stack.gso_bytes = stack.payload_bytes = 100;
	bytes = stack_build(&stack, 0, true, frame, &places);
	packet_init(&packet, frame, bytes, 0);
	packet.offload = (struct offload){ .partial = true, .csum_start = (uint16_t)places.l4, .csum_offset = 16 };
	assert_true(packet_parse(&packet) && settle_needed(&packet));
	assert_int_equal(settle_begin(&settler, &packet), SEGMENT_OK);
	assert_true(settle_next(&settler, &piece));
	assert_true(piece.offload.partial && piece.bytes == bytes && piece.frame == frame);
	assert_int_equal(piece.offload.csum_start, places.l4);
	assert_false(settle_next(&settler, &piece));
	packet.bytes = sizeof(frame);
	packet.offload.gso = OFFLOAD_GSO_NONE;
	assert_true(packet_parse(&packet) && settle_needed(&packet));
	assert_int_equal(settle_begin(&settler, &packet), SEGMENT_DROP_OFFLOAD);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_tunnel_is_cut_as_its_guest_would),
		cmocka_unit_test(over_64_kib_and_up_to_512),
		cmocka_unit_test(segments_no_longer_than_an_ip_packet),
		cmocka_unit_test(random_frames_match_the_oracle),
		cmocka_unit_test(truncated_and_changed_frames_are_safe),
		cmocka_unit_test(sctp_gets_its_own_checksum),
		cmocka_unit_test(crc32c_of_known_bytes),
		cmocka_unit_test(what_is_left_alone),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
