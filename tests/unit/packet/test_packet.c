/*
 * test_packet.c - packets are kept in a bounded pool, and a flow's packets hash alike
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "packet/packet.h"
#include "tests/unit/encap/model.h"

#define SLOTS 5U

static uint8_t memory[PACKET_HEADROOM_BYTES + PACKET_BYTES_MAX];

static void a_copy_is_its_own(void **state)
{
	struct packet_pool pool;
	struct packet packet, *copy;
	uint8_t *frame = memory + PACKET_HEADROOM_BYTES;

	(void)state;
	assert_int_equal(packet_pool_init(&pool, 1), 0);
	for (size_t bytes = 14; bytes <= PACKET_BYTES_MAX; bytes += 1 + bytes / 3) {
		for (size_t i = 0; i < bytes; i++)
			frame[i] = (uint8_t)(bytes + i * 7);
		packet_init(&packet, frame, bytes, 3);
		packet.offload = (struct offload){ .partial = true, .csum_start = 34 };
		packet.vlan = 7;
		packet.peer = 9;
		copy = packet_pool_copy(&pool, &packet);
		assert_non_null(copy);
		memset(frame, 0, bytes);
		assert_int_equal(copy->bytes, bytes);
		assert_int_equal(copy->headroom_bytes, PACKET_HEADROOM_BYTES);
		memset(copy->frame - PACKET_HEADROOM_BYTES, 0xee, PACKET_HEADROOM_BYTES);
		for (size_t i = 0; i < bytes; i++)
			assert_int_equal(copy->frame[i], (uint8_t)(bytes + i * 7));
		assert_true(
			copy->offload.partial && copy->offload.csum_start == 34 && copy->vlan == 7 && copy->peer == 9);
		packet_pool_put(&pool, copy);
	}
	packet_pool_fini(&pool);
}

/* Random taking and giving back against a list: never more than there are, never one twice, the warmest first */
static void the_pool_is_bounded(void **state)
{
	struct packet_pool pool;
	struct packet packet, *taken[SLOTS];
	unsigned int count = 0;
	uint64_t random = 5;

	(void)state;
	assert_int_equal(packet_pool_init(&pool, SLOTS), 0);
	packet_init(&packet, memory + PACKET_HEADROOM_BYTES, 60, PACKET_HEADROOM_BYTES);
	for (int round = 0; round < 20000; round++) {
		assert_int_equal(pool.free_count, SLOTS - count);
		if (model_random(&random) % 2) {
			struct packet *copy = packet_pool_copy(&pool, &packet);

			assert_int_equal(!copy, count == SLOTS);
			for (unsigned int i = 0; copy && i < count; i++)
				assert_ptr_not_equal(copy, taken[i]);
			if (copy)
				taken[count++] = copy;
		} else if (count > 0) {
			unsigned int at = (unsigned int)(model_random(&random) % count);
			struct packet *back = taken[at], *again;

			packet_pool_put(&pool, back);
			again = packet_pool_copy(&pool, &packet);
			assert_ptr_equal(again, back);
			packet_pool_put(&pool, again);
			taken[at] = taken[--count];
		}
	}
	packet_pool_fini(&pool);
	packet_pool_fini(&pool); /* all zeros are fine */
}

static uint32_t hash_of(const struct model_packet *p)
{
	uint8_t *frame = memory + PACKET_HEADROOM_BYTES;
	struct packet packet;
	uint32_t hash;

	packet_init(&packet, frame, model_build(p, frame), PACKET_HEADROOM_BYTES);
	assert_true(packet_parse(&packet));
	hash = packet_flow_hash(&packet);
	assert_int_not_equal(hash, 0);
	memset(frame, 0, packet.bytes); /* it is remembered, and not read again */
	assert_int_equal(packet_flow_hash(&packet), hash);
	return hash;
}

static void a_flow_has_one_hash(void **state)
{
	(void)state;
	for (int version = 4; version <= 6; version += 2) {
		struct model_packet p = { .ip_version = (uint8_t)version,
			.protocol = FRAME_PROTOCOL_TCP,
			.tcp_flags = FRAME_TCP_ACK,
			.payload_bytes = 100 };
		const uint32_t first = hash_of(&p);

		p.seq = 1000;
		p.payload_bytes = 1400;
		p.ip_id = 7;
		assert_int_equal(hash_of(&p), first);
		p.tags = 1;
		assert_int_equal(hash_of(&p), first);
		p.source_port = 7;
		assert_int_not_equal(hash_of(&p), first);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_copy_is_its_own),
		cmocka_unit_test(the_pool_is_bounded),
		cmocka_unit_test(a_flow_has_one_hash),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
