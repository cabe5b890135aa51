/*
 * test_cursor.c - reading and writing at, before and behind the end, against a naive model
 */
#include "base/cursor.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

static const uint8_t digits[] = { 0x01, 0x23, 0x45, 0x67, 0x89, 0xab, 0xcd, 0xef };

static void reads_big_endian(void **state)
{
	struct rd r = rd_init(digits, sizeof(digits));

	(void)state;
	assert_int_equal(rd_u8(&r), 0x01);
	assert_int_equal(rd_u16(&r), 0x2345);
	assert_int_equal(rd_u24(&r), 0x6789ab);
	assert_int_equal(r.left_bytes, 2);
	assert_true(rd_ok(&r));
	r = rd_init(digits, sizeof(digits));
	assert_int_equal(rd_u32(&r), 0x01234567);
	r = rd_init(digits, sizeof(digits));
	assert_true(rd_u64(&r) == 0x0123456789abcdefULL);
	assert_true(rd_ok(&r));
	assert_int_equal(rd_u8(&r), 0);
	assert_false(rd_ok(&r));
}

static void a_bad_cursor_stays_bad(void **state)
{
	struct rd r = rd_init(digits, 3);
	uint8_t out[4] = { 9, 9, 9, 9 };

	(void)state;
	assert_int_equal(rd_u32(&r), 0);
	assert_false(rd_ok(&r));
	assert_int_equal(rd_u8(&r), 0); /* there would be three */
	assert_null(rd_bytes(&r, 1));
	assert_null(rd_bytes(&r, 0));
	assert_false(rd_copy(&r, out, sizeof(out)));
	for (size_t i = 0; i < sizeof(out); i++)
		assert_int_equal(out[i], 0);
}

static void nothing_can_be_read_from_nothing(void **state)
{
	struct rd r = rd_init(NULL, 0);
	uint8_t out = 7;

	(void)state;
	assert_true(rd_copy(&r, &out, 0) || rd_ok(&r));
	assert_int_equal(out, 7);
	assert_true(rd_ok(&r));
	rd_u8(&r);
	assert_false(rd_ok(&r));
	r = rd_init(digits, 2);
	assert_null(rd_bytes(&r, SIZE_MAX));
	assert_false(rd_ok(&r));
}

static void writes_big_endian(void **state)
{
	uint8_t out[18];
	struct wr w = wr_init(out, sizeof(out));

	(void)state;
	wr_u8(&w, 0x01);
	wr_u16(&w, 0x2345);
	wr_u24(&w, 0xff6789ab); /* what is above is cut */
	wr_u16(&w, 0xcdef);
	assert_memory_equal(out, digits, 8);
	wr_u64(&w, 0x0123456789abcdefULL);
	assert_memory_equal(out + 8, digits, 8);
	wr_u16(&w, 0);
	assert_int_equal(out[16] | out[17], 0);
	assert_true(wr_ok(&w));
	assert_int_equal(w.used_bytes, 18);
	wr_bytes(&w, NULL, 0);
	assert_true(wr_ok(&w));
	wr_u8(&w, 1);
	assert_false(wr_ok(&w));
}

static void a_full_cursor_writes_nothing(void **state)
{
	uint8_t out[4] = { 7, 7, 7, 7 };
	struct wr w = wr_init(out, 3);

	(void)state;
	wr_u32(&w, 0x11111111);
	wr_u8(&w, 1); /* it would fit, but something before it did not */
	wr_bytes(&w, digits, 1);
	wr_u16(&w, 0);
	assert_null(wr_reserve(&w, 0));
	assert_false(wr_ok(&w));
	assert_int_equal(w.used_bytes, 0);
	for (size_t i = 0; i < sizeof(out); i++)
		assert_int_equal(out[i], 7);
	w = wr_init(out, 3);
	assert_null(wr_reserve(&w, SIZE_MAX));
}

/* What was written in random pieces is read back, and every shorter span turns bad */
static void random_pieces_come_back(void **state)
{
	(void)state;
	srand(2);
	for (int round = 0; round < 2000; round++) {
		size_t widths[16], count = 1 + (size_t)rand() % 16, cut;
		uint64_t values[16];
		uint8_t bytes[128];
		struct wr w = wr_init(bytes, sizeof(bytes));
		struct rd r;

		for (size_t i = 0; i < count; i++) {
			widths[i] = 1 + (size_t)rand() % 8;
			values[i] = ((uint64_t)rand() << 33 ^ (uint64_t)rand() << 11 ^ (uint64_t)rand()) >>
				(64 - 8 * widths[i]);
			wr_uint(&w, values[i], widths[i]);
		}
		assert_true(wr_ok(&w));
		r = rd_init(bytes, w.used_bytes);
		for (size_t i = 0; i < count; i++)
			assert_true(rd_uint(&r, widths[i]) == values[i]);
		assert_true(rd_ok(&r) && r.left_bytes == 0);
		cut = (size_t)rand() % w.used_bytes;
		r = rd_init(bytes, cut);
		for (size_t i = 0; i < count; i++)
			rd_uint(&r, widths[i]);
		assert_false(rd_ok(&r));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(reads_big_endian),
		cmocka_unit_test(a_bad_cursor_stays_bad),
		cmocka_unit_test(nothing_can_be_read_from_nothing),
		cmocka_unit_test(writes_big_endian),
		cmocka_unit_test(a_full_cursor_writes_nothing),
		cmocka_unit_test(random_pieces_come_back),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
