/*
 * test_split.c - trains cut into their datagrams, and single datagrams left alone
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <cmocka.h>

#include "measure/split.h"
#include "packets.h"

static uint8_t payload[66000];

static size_t count(const uint8_t *bytes, size_t captured_bytes, size_t payload_bytes, struct split_datagram *last)
{
	struct split_datagram datagram;
	struct split split;
	size_t n = 0, sum = 0;

	split_begin(&split, bytes, captured_bytes, payload_bytes);
	while (split_next(&split, &datagram)) {
		n++;
		sum += datagram.len_bytes;
		*last = datagram;
	}
	assert_int_equal(sum, payload_bytes); /* no byte is counted twice or not at all */
	assert_false(split_next(&split, &datagram));
	return n;
}

static size_t build_train(unsigned int segments, size_t segment_bytes, size_t last_bytes)
{
	struct wr w = wr_init(payload, sizeof(payload));

	for (unsigned int i = 0; i < segments; i++)
		put_datagram(&w, 0x88b5, 0xabcdef, 3, 0xfffffff0U + i, i + 1 < segments ? segment_bytes : last_bytes);
	assert_true(wr_ok(&w));
	return w.used_bytes;
}

static void single(void **state)
{
	struct split_datagram last;

	(void)state;
	for (size_t len = 12; len < 9000; len += len < 64 ? 1 : 97) {
		assert_int_equal(build_train(1, 0, len), len);
		assert_int_equal(count(payload, len, len, &last), 1);
		assert_int_equal(last.result, GRE_OK);
		assert_int_equal(last.gre.session, 0xabcdef);
		assert_int_equal(last.gre.lane, 3);
		assert_int_equal(last.gre.counter, 0xfffffff0U);
		assert_int_equal(last.gre.protocol, GRE_PROTOCOL_SEALED);
	}
}

static void trains(void **state)
{
	static const size_t sizes[] = { 28, 29, 40, 100, 512, 1000, 1472, 8972 };
	struct split_datagram last;

	(void)state;
	for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		for (unsigned int segments = 2; segments <= 64 && segments * sizes[i] <= 65000; segments++) {
			for (size_t last_bytes = 28; last_bytes <= sizes[i]; last_bytes += sizes[i] / 3 + 1) {
				size_t len = build_train(segments, sizes[i], last_bytes);

				assert_int_equal(count(payload, len, len, &last), segments);
				assert_int_equal(last.len_bytes, last_bytes);
				assert_int_equal(last.gre.counter, (uint32_t)(0xfffffff0U + segments - 1));
				assert_false(last.assumed);
			}
		}
	}
}

/* GRO joins what has one size and one flow: several lanes, with gaps */
static void joined_out_of_lanes(void **state)
{
	struct wr w = wr_init(payload, sizeof(payload));
	struct split_datagram datagram;
	struct split split;
	unsigned int n = 0;

	(void)state;
	for (unsigned int i = 0; i < 20; i++)
		put_datagram(&w, 0x88b5, 0x123456, i % 3, 1000 * i, 700);
	split_begin(&split, payload, w.used_bytes, w.used_bytes);
	assert_true(split.segment_bytes < split.payload_bytes);
	while (split_next(&split, &datagram)) {
		assert_int_equal(datagram.result, GRE_OK);
		assert_int_equal(datagram.gre.lane, n % 3);
		assert_int_equal(datagram.gre.counter, 1000 * n);
		n++;
	}
	assert_int_equal(n, 20);
}

/* The first header once more inside of a datagram is no train unless it fits everywhere */
static void an_imitation_does_not_fit(void **state)
{
	struct split_datagram last;
	size_t len = build_train(10, 1000, 1000);

	(void)state;
	memcpy(payload + 300, payload, 12);
	assert_int_equal(count(payload, len, len, &last), 10);
	assert_int_equal(last.len_bytes, 1000);
}

/* Cut off by the capture at every length; the wire's length is what counts */
static void cut_off(void **state)
{
	struct split_datagram last;
	size_t len = build_train(12, 100, 60);

	(void)state;
	for (size_t captured = 0; captured <= len; captured++) {
		uint8_t *copy = malloc(captured ? captured : 1);
		size_t n;

		assert_non_null(copy);
		memcpy(copy, payload, captured);
		n = count(copy, captured, len, &last);
		if (captured < 12) {
			assert_int_equal(n, 1);
			assert_int_equal(last.result, GRE_DROP_SHORT);
		} else if (captured < 107) { /* the second header's prefix is not there */
			assert_int_equal(n, 1);
			assert_int_equal(last.result, GRE_OK);
		} else {
			assert_int_equal(n, 12);
			assert_int_equal(last.result, GRE_OK);
			assert_int_equal(last.gre.counter, (uint32_t)(0xfffffff0U + 11));
			assert_int_equal(last.assumed, captured < 1112);
		}
		free(copy);
	}
}

static void not_weft(void **state)
{
	uint8_t bytes[200];
	struct split_datagram last;
	size_t len = build_train(1, 0, 100);

	(void)state;
	assert_int_equal(count(payload, 0, 0, &last), 1);
	assert_int_equal(last.result, GRE_DROP_SHORT);
	for (size_t short_len = 1; short_len < 12; short_len++) {
		assert_int_equal(count(payload, short_len, short_len, &last), 1);
		assert_int_equal(last.result, GRE_DROP_SHORT);
	}
	memset(bytes, 0, sizeof(bytes));
	assert_int_equal(count(bytes, sizeof(bytes), sizeof(bytes), &last), 1);
	assert_int_equal(last.result, GRE_DROP_FLAGS);
	payload[3] = 0x00;
	assert_int_equal(count(payload, len, len, &last), 1);
	assert_int_equal(last.result, GRE_DROP_PROTOCOL);
}

/* A last segment too short for a header belongs to nobody, and is said so */
static void a_tail_that_is_too_short(void **state)
{
	struct split_datagram last;
	size_t len = build_train(3, 200, 200);

	(void)state;
	assert_int_equal(count(payload, len + 5, len + 5, &last), 4);
	assert_int_equal(last.len_bytes, 5);
	assert_int_equal(last.result, GRE_DROP_SHORT);
}

static void handshakes(void **state)
{
	struct wr w = wr_init(payload, sizeof(payload));
	struct split_datagram last;

	(void)state;
	put_datagram(&w, 0x88b6, 0x77, 0, 0, 12);
	wr_u8(&w, 2);
	packet_zeros(&w, 100);
	assert_int_equal(count(payload, w.used_bytes, w.used_bytes, &last), 1);
	assert_int_equal(last.gre.protocol, GRE_PROTOCOL_HANDSHAKE);
	assert_int_equal(last.first_byte, 2);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(single),
		cmocka_unit_test(trains),
		cmocka_unit_test(joined_out_of_lanes),
		cmocka_unit_test(an_imitation_does_not_fit),
		cmocka_unit_test(cut_off),
		cmocka_unit_test(not_weft),
		cmocka_unit_test(a_tail_that_is_too_short),
		cmocka_unit_test(handshakes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
