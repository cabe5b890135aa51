/*
 * test_tag.c - tags are pushed, popped and set in place, and everything else of the packet stays true
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "packet/csum.h"
#include "packet/tag.h"
#include "tests/unit/encap/model.h"

#define HEADROOM 8U

static uint8_t memory[HEADROOM + MODEL_MAX_FRAME_BYTES], before[MODEL_MAX_FRAME_BYTES];

static void make(struct packet *packet, uint8_t tags)
{
	const struct model_packet p = { .tags = tags,
		.ip_version = 4,
		.protocol = FRAME_PROTOCOL_TCP,
		.tcp_flags = FRAME_TCP_ACK,
		.payload_bytes = 333 };

	packet_init(packet, memory + HEADROOM, model_build(&p, memory + HEADROOM), HEADROOM);
	assert_true(packet_parse(packet));
	assert_true(csum_prepare(packet->frame, &packet->info, &packet->offload));
	packet->offload.header_bytes = packet->info.payload_offset;
	memcpy(before, packet->frame, packet->bytes);
}

/* The info is that of the frame as it is, and the checksum that was left undone is where it says */
static void assert_true_to_itself(struct packet *packet)
{
	struct packet again = *packet;
	struct offload offload = packet->offload;

	assert_true(packet_parse(&again));
	assert_memory_equal(&again.info, &packet->info, sizeof(again.info));
	assert_true(csum_is_native(&packet->info, &offload));
	assert_true(csum_complete(packet->frame, packet->bytes, &offload));
	assert_true(csum_verify(packet->frame, &packet->info));
	assert_true(csum_prepare(packet->frame, &packet->info, &packet->offload));
}

static void a_tag_comes_and_goes(void **state)
{
	(void)state;
	for (uint8_t tags = 0; tags < FRAME_MAX_TAGS; tags++) {
		struct packet packet;
		uint32_t bytes;

		make(&packet, tags);
		bytes = packet.bytes;
		assert_true(packet_tag_push(&packet, 77));
		assert_int_equal(packet.bytes, bytes + FRAME_TAG_BYTES);
		assert_int_equal(packet.headroom_bytes, HEADROOM - FRAME_TAG_BYTES);
		assert_true(packet.info.tagged && packet.info.tci == 77);
		assert_int_equal(packet.offload.header_bytes, 0); /* it was a hint about another frame */
		assert_true_to_itself(&packet);
		assert_memory_equal(packet.frame, before, 2 * MAC_BYTES);
		assert_true(packet_tag_pop(&packet));
		assert_int_equal(packet.headroom_bytes, HEADROOM);
		assert_true_to_itself(&packet);
		assert_int_equal(packet.bytes, bytes);
		assert_memory_equal(packet.frame, before, bytes);
	}
}

static void a_tag_keeps_its_priority(void **state)
{
	struct packet packet;

	(void)state;
	make(&packet, 1);
	frame_put16(packet.frame + 14, 0xe123);
	assert_true(packet_parse(&packet));
	assert_true(packet_tag_set(&packet, 0x456));
	assert_int_equal(frame_get16(packet.frame + 14), 0xe456);
	assert_true_to_itself(&packet);
}

static void what_cannot_be_is_refused(void **state)
{
	struct packet packet;

	(void)state;
	make(&packet, 0);
	assert_false(packet_tag_pop(&packet));
	assert_false(packet_tag_set(&packet, 5));
	packet.headroom_bytes = FRAME_TAG_BYTES - 1;
	assert_false(packet_tag_push(&packet, 5));
	assert_memory_equal(packet.frame, before, packet.bytes);
	make(&packet, 1);
	packet.bytes = 18; /* nothing behind the tag: without it, still a frame; with half of it, none */
	assert_true(packet_parse(&packet));
	assert_true(packet_tag_pop(&packet));
	assert_int_equal(packet.bytes, 14);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_tag_comes_and_goes),
		cmocka_unit_test(a_tag_keeps_its_priority),
		cmocka_unit_test(what_cannot_be_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
