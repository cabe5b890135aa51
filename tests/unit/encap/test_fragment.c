/*
 * test_fragment.c - fragments in every order against a naive reassembler; limits, time and eviction
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "tests/unit/encap/fragment_scenario.h"

static uint8_t memory[FRAGMENT_HEADROOM_BYTES + FRAGMENT_MAX_FRAME_BYTES + 1];
static uint8_t *const frame = memory + FRAGMENT_HEADROOM_BYTES;
static uint8_t room[REASSEMBLY_MAX_SLOTS * FRAGMENT_MAX_FRAME_BYTES];
static struct reassembler reassembler;
static const struct instant start = { 1000000000 };

/* A fragmented frame, apart */
struct pieces {
	uint8_t body[FRAGMENT_MAX_COUNT][FRAGMENT_HEADER_BYTES + FRAGMENT_MAX_FRAME_BYTES];
	size_t bytes[FRAGMENT_MAX_COUNT];
	unsigned int n;
};

static struct pieces pieces;

static void cut(size_t len_bytes, uint32_t id, size_t max_body_bytes)
{
	struct fragmenter f;
	uint8_t *body;
	size_t body_bytes;

	pieces.n = 0;
	assert_int_equal(fragment_begin(&f, frame, len_bytes, id, max_body_bytes), FRAGMENT_OK);
	while (fragment_next(&f, &body, &body_bytes)) {
		memcpy(pieces.body[pieces.n], body, body_bytes);
		pieces.bytes[pieces.n++] = body_bytes;
	}
}

static enum fragment_result give(uint64_t source, unsigned int i, struct instant now, struct reassembled *out)
{
	return reassembly_add(&reassembler, source, 7, true, pieces.body[i], pieces.bytes[i], now, out);
}

static void setup(unsigned int n_slots)
{
	for (size_t i = 0; i < FRAGMENT_MAX_FRAME_BYTES; i++)
		frame[i] = (uint8_t)(i * 31 + (i >> 8));
	reassembly_init(&reassembler, room, n_slots);
}

static void random_scripts_match_the_model(void **state)
{
	uint64_t random = 41;

	(void)state;
	for (unsigned int round = 0; round < 1500; round++) {
		uint8_t bytes[400];
		struct script script = { bytes, sizeof(bytes) };

		model_random_fill(&random, bytes, sizeof(bytes));
		for (size_t i = 34; round % 2 && i < sizeof(bytes); i += 3) {
			bytes[i - 2] = (uint8_t)(bytes[i - 2] % (round % 16 + 1)); /* few frames, nothing wrong */
			bytes[i] = 0;
		}
		fragment_scenario(&script);
	}
}

static void every_size_comes_back_in_any_order(void **state)
{
	uint64_t random = 42;

	(void)state;
	setup(4);
	for (size_t len_bytes = 2; len_bytes <= FRAGMENT_MAX_FRAME_BYTES; len_bytes += 1 + len_bytes % 7) {
		size_t max_body_bytes = 4 + (len_bytes + 15) / 16 + model_random(&random) % 1400;
		unsigned int order[FRAGMENT_MAX_COUNT];
		struct reassembled out = { 0 };

		cut(len_bytes, (uint32_t)len_bytes, max_body_bytes);
		assert_in_range(pieces.n, 2, FRAGMENT_MAX_COUNT);
		for (unsigned int i = 0; i < pieces.n; i++)
			order[i] = i;
		for (unsigned int i = pieces.n - 1; i > 0; i--) {
			unsigned int k = (unsigned int)(model_random(&random) % (i + 1)), swap = order[i];

			order[i] = order[k];
			order[k] = swap;
		}
		for (unsigned int i = 0; i < pieces.n; i++) {
			assert_true(pieces.bytes[i] <= max_body_bytes || pieces.n == 2);
			assert_int_equal(give(9, order[i], start, &out),
				i + 1 < pieces.n ? FRAGMENT_HELD : FRAGMENT_OK);
		}
		assert_int_equal(out.bytes, len_bytes);
		assert_true(out.partial);
		assert_memory_equal(out.frame, frame, len_bytes);
	}
}

static void pieces_are_equal_and_the_header_is_as_drawn(void **state)
{
	(void)state;
	setup(1);
	cut(9238, 0x01abcdef, 1436);
	assert_int_equal(pieces.n, 7);
	for (unsigned int i = 0; i < 7; i++) {
		assert_int_equal(pieces.bytes[i], 4 + (i < 6 ? 1320 : 9238 - 6 * 1320));
		assert_memory_equal(pieces.body[i], ((uint8_t[]){ 0xab, 0xcd, 0xef, (uint8_t)(i << 4 | 6) }), 4);
	}
}

static void what_cannot_be_fragmented_is_refused(void **state)
{
	struct fragmenter f;

	(void)state;
	setup(1);
	assert_int_equal(fragment_begin(&f, frame, FRAGMENT_MAX_FRAME_BYTES, 0, 4 + 580), FRAGMENT_OK);
	assert_int_equal(fragment_begin(&f, frame, FRAGMENT_MAX_FRAME_BYTES, 0, 4 + 579), FRAGMENT_DROP_OVERSIZE);
	assert_int_equal(fragment_begin(&f, frame, FRAGMENT_MAX_FRAME_BYTES + 1, 0, 1400), FRAGMENT_DROP_OVERSIZE);
	for (size_t max_body_bytes = 0; max_body_bytes <= 4; max_body_bytes++)
		assert_int_equal(fragment_begin(&f, frame, 100, 0, max_body_bytes), FRAGMENT_DROP_OVERSIZE);
	assert_int_equal(fragment_begin(&f, frame, 0, 0, 1400), FRAGMENT_DROP_OVERSIZE);
	assert_int_equal(fragment_begin(&f, frame, 1, 0, 1400), FRAGMENT_DROP_OVERSIZE);
}

static void every_truncated_body_is_safe(void **state)
{
	struct reassembled out;

	(void)state;
	setup(2);
	cut(3000, 1, 1400);
	for (size_t n = 0; n < 20; n++) {
		uint8_t *exact = malloc(n ? n : 1);
		enum fragment_result result;

		assert_non_null(exact);
		memcpy(exact, pieces.body[0], n);
		result = reassembly_add(&reassembler, 1, 1, false, exact, n, start, &out);
		free(exact);
		if (n <= FRAGMENT_HEADER_BYTES)
			assert_int_equal(result, FRAGMENT_DROP_MALFORMED);
		else
			assert_true(result == FRAGMENT_HELD || result == FRAGMENT_DROP_DUPLICATE);
	}
}

static void late_fragments_do_not_complete(void **state)
{
	const struct instant late = instant_add_ms(start, REASSEMBLY_TIMEOUT_MS);
	const struct instant in_time = instant_add_ms(start, REASSEMBLY_TIMEOUT_MS - 1);
	struct reassembled out;

	(void)state;
	setup(2);
	cut(2000, 1, 1400);
	assert_int_equal(give(1, 0, start, &out), FRAGMENT_HELD);
	assert_int_equal(give(1, 1, in_time, &out), FRAGMENT_OK);
	assert_int_equal(give(1, 0, start, &out), FRAGMENT_HELD);
	assert_int_equal(give(1, 1, late, &out), FRAGMENT_HELD);
	assert_int_equal(counter_read(&reassembler.drops[FRAGMENT_DROP_TIMEOUT]), 1);
	reassembly_expire(&reassembler, late);
	assert_int_equal(counter_read(&reassembler.drops[FRAGMENT_DROP_TIMEOUT]), 1);
	reassembly_expire(&reassembler, instant_add_ms(late, REASSEMBLY_TIMEOUT_MS));
	assert_int_equal(counter_read(&reassembler.drops[FRAGMENT_DROP_TIMEOUT]), 2);
}

static void one_source_cannot_push_out_the_others(void **state)
{
	struct reassembled out;

	(void)state;
	setup(8);
	for (uint32_t id = 0; id < 3; id++) { /* three quiet sources */
		cut(2000, id, 1400);
		assert_int_equal(give(100 + id, 0, start, &out), FRAGMENT_HELD);
	}
	for (uint32_t id = 10; id < 1000; id++) { /* one that only ever begins frames, later */
		cut(2000, id, 1400);
		assert_int_equal(give(1, 0, instant_add_ms(start, id / 10), &out), FRAGMENT_HELD);
	}
	assert_int_equal(counter_read(&reassembler.drops[FRAGMENT_DROP_EVICTED]), 990 - 5);
	for (uint32_t id = 0; id < 3; id++) {
		cut(2000, id, 1400);
		assert_int_equal(give(100 + id, 1, instant_add_ms(start, 200), &out), FRAGMENT_OK);
		assert_memory_equal(out.frame, frame, 2000);
	}
}

static void among_many_sources_the_oldest_leaves(void **state)
{
	struct reassembled out;

	(void)state;
	setup(8);
	cut(2000, 5, 1400);
	for (uint64_t source = 0; source < 9; source++)
		assert_int_equal(give(source, 0, instant_add_ms(start, source), &out), FRAGMENT_HELD);
	assert_int_equal(counter_read(&reassembler.drops[FRAGMENT_DROP_EVICTED]), 1);
	for (uint64_t source = 1; source < 9; source++)
		assert_int_equal(give(source, 1, instant_add_ms(start, 10), &out), FRAGMENT_OK);
	assert_int_equal(give(0, 1, instant_add_ms(start, 10), &out), FRAGMENT_HELD);
}

static void drops_are_counted_by_name(void **state)
{
	struct reassembled out;

	(void)state;
	setup(2);
	cut(2000, 5, 1400);
	assert_int_equal(give(1, 0, start, &out), FRAGMENT_HELD);
	assert_int_equal(give(1, 0, start, &out), FRAGMENT_DROP_DUPLICATE);
	pieces.bytes[1] = pieces.bytes[0] + 1; /* the last is longer than the others */
	assert_int_equal(give(1, 1, start, &out), FRAGMENT_DROP_INCONSISTENT);
	pieces.body[1][3] = 0x2f; /* the third of sixteen, too large for all of them */
	assert_int_equal(give(1, 1, start, &out), FRAGMENT_DROP_OVERSIZE);
	pieces.body[1][3] = 0x21; /* the third of two */
	assert_int_equal(give(1, 1, start, &out), FRAGMENT_DROP_MALFORMED);
	pieces.body[1][3] = 0x00; /* the only one */
	assert_int_equal(give(1, 1, start, &out), FRAGMENT_DROP_MALFORMED);
	assert_int_equal(counter_read(&reassembler.drops[FRAGMENT_DROP_DUPLICATE]), 1);
	assert_int_equal(counter_read(&reassembler.drops[FRAGMENT_DROP_INCONSISTENT]), 1);
	assert_int_equal(counter_read(&reassembler.drops[FRAGMENT_DROP_OVERSIZE]), 1);
	assert_int_equal(counter_read(&reassembler.drops[FRAGMENT_DROP_MALFORMED]), 2);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(random_scripts_match_the_model),
		cmocka_unit_test(every_size_comes_back_in_any_order),
		cmocka_unit_test(pieces_are_equal_and_the_header_is_as_drawn),
		cmocka_unit_test(what_cannot_be_fragmented_is_refused),
		cmocka_unit_test(every_truncated_body_is_safe),
		cmocka_unit_test(late_fragments_do_not_complete),
		cmocka_unit_test(one_source_cannot_push_out_the_others),
		cmocka_unit_test(among_many_sources_the_oldest_leaves),
		cmocka_unit_test(drops_are_counted_by_name),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
