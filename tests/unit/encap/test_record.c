/*
 * test_record.c - headers, bundles, padding, newer types, every truncated length
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "encap/record.h"

/* Run through a plaintext in a heap block of its exact size.  Return: how the records ended */
static enum record_result run(const uint8_t *plain, size_t len_bytes, struct record *out, size_t *n,
	unsigned int *unknown)
{
	uint8_t *copy = malloc(len_bytes ? len_bytes : 1);
	struct record_reader reader = record_reader_init(copy, len_bytes);
	enum record_result result;
	struct record record;

	assert_non_null(copy);
	memcpy(copy, plain, len_bytes);
	*n = 0;
	*unknown = 0;
	while ((result = record_next(&reader, &record)) == RECORD_OK || result == RECORD_DROP_UNKNOWN) {
		if (result == RECORD_DROP_UNKNOWN) {
			++*unknown;
			continue;
		}
		assert_true(record.body >= copy && record.body + record.body_bytes <= copy + len_bytes);
		record.body = (uint8_t *)(uintptr_t)plain + (record.body - copy);
		out[(*n)++] = record;
	}
	assert_int_equal(record_next(&reader, &record), RECORD_END);
	free(copy);
	return result;
}

static void a_header_is_as_drawn(void **state)
{
	const struct record all = {
		.type = RECORD_FRAME,
		.flags = RECORD_FLAG_LENGTH | RECORD_FLAG_PARTIAL | RECORD_FLAG_GSO,
		.network = 0xabcdef,
		.gso_bytes = 1448,
		.body_bytes = 0x1234,
	};
	const struct record bare = { .type = RECORD_FRAGMENT, .network = 17, .body_bytes = 99 };
	uint8_t out[RECORD_MAX_HEADER_BYTES];

	(void)state;
	assert_int_equal(record_encode(&all, out), 8);
	assert_memory_equal(out, ((uint8_t[]){ 0x1e, 0xab, 0xcd, 0xef, 0x12, 0x34, 0x05, 0xa8 }), 8);
	assert_int_equal(record_encode(&bare, out), 4);
	assert_memory_equal(out, ((uint8_t[]){ 0x20, 0, 0, 17 }), 4);
	for (uint8_t flags = 0; flags < 16; flags++)
		assert_int_equal(record_header_bytes(flags), 4 + (flags & 8 ? 2 : 0) + (flags & 2 ? 2 : 0));
}

static const uint8_t bundle[] = {
	0x18, 0, 0, 17, 0, 3, 'a', 'b', 'c', /* frame with a length */
	0x0c, 0, 0, 0, 0, 2, 7, 7,           /* padding with a length and a flag */
	0x9a, 0, 0, 1, 0, 1, 0, 9, 'x',      /* type 9: not known */
	0x19, 0, 0, 1, 0, 1, 'y',            /* flag 1: not known */
	0x1e, 0, 0, 18, 0, 0, 0x05, 0xa8,    /* empty frame, P and G */
	0x34, 0, 0, 19, 'e', 'n', 'd',       /* probe to the end */
};

static void a_bundle_comes_apart(void **state)
{
	struct record r[8];
	size_t n;
	unsigned int unknown;

	(void)state;
	assert_int_equal(run(bundle, sizeof(bundle), r, &n, &unknown), RECORD_END);
	assert_int_equal(n, 3);
	assert_int_equal(unknown, 2);
	assert_int_equal(r[0].type, RECORD_FRAME);
	assert_int_equal(r[0].network, 17);
	assert_int_equal(r[0].body_bytes, 3);
	assert_memory_equal(r[0].body, "abc", 3);
	assert_int_equal(r[0].gso_bytes, 0);
	assert_int_equal(r[1].flags, RECORD_FLAG_LENGTH | RECORD_FLAG_PARTIAL | RECORD_FLAG_GSO);
	assert_int_equal(r[1].body_bytes, 0);
	assert_int_equal(r[1].gso_bytes, 1448);
	assert_int_equal(r[2].type, RECORD_PROBE);
	assert_int_equal(r[2].body_bytes, 3);
	assert_memory_equal(r[2].body, "end", 3);
}

static void every_truncated_length_is_safe(void **state)
{
	(void)state;
	for (size_t len_bytes = 0; len_bytes < sizeof(bundle); len_bytes++) {
		struct record r[8];
		size_t n;
		unsigned int unknown;
		enum record_result result = run(bundle, len_bytes, r, &n, &unknown);

		assert_true(result == RECORD_END || result == RECORD_DROP_TRUNCATED);
		if (len_bytes > 0 && len_bytes < 9) { /* within the first record */
			assert_int_equal(result, RECORD_DROP_TRUNCATED);
			assert_int_equal(n, 0);
		}
	}
}

static void zeros_behind_are_padding(void **state)
{
	const uint8_t zeros[64] = { 0 };
	const uint8_t three[] = { 0x18, 0, 0, 1, 0, 1, 'a', 0, 0, 0 };
	const uint8_t not_zero[] = { 0x18, 0, 0, 1, 0, 1, 'a', 0, 1 };
	struct record r[8];
	size_t n;
	unsigned int unknown;

	(void)state;
	for (size_t len_bytes = 0; len_bytes <= sizeof(zeros); len_bytes++) {
		assert_int_equal(run(zeros, len_bytes, r, &n, &unknown), RECORD_END);
		assert_int_equal(n + unknown, 0);
	}
	assert_int_equal(run(three, sizeof(three), r, &n, &unknown), RECORD_END);
	assert_int_equal(n, 1);
	assert_int_equal(run(not_zero, sizeof(not_zero), r, &n, &unknown), RECORD_DROP_TRUNCATED);
	assert_int_equal(n, 1);
}

static void random_bundles_come_back(void **state)
{
	uint32_t random = 7;

	(void)state;
	for (unsigned int round = 0; round < 20000; round++) {
		uint8_t plain[512];
		struct record sent[8], got[8];
		size_t used = 0, n = round % 8, got_n;
		unsigned int unknown;

		for (size_t i = 0; i < n; i++) {
			struct record *r = &sent[i];

			random = random * 1664525 + 1013904223;
			*r = (struct record){
				.type = (uint8_t)(1 + (random >> 8) % 6),
				.flags = (uint8_t)((random >> 12) & 6),
				.network = random >> 8,
				.body_bytes = (random >> 20) % 40,
			};
			if (r->flags & RECORD_FLAG_GSO)
				r->gso_bytes = (uint16_t)(random >> 4);
			if (i + 1 < n || (random & 16))
				r->flags |= RECORD_FLAG_LENGTH;
			used += record_encode(r, plain + used);
			r->body = plain + used;
			memset(r->body, (int)i, r->body_bytes);
			used += r->body_bytes;
		}
		assert_int_equal(run(plain, used, got, &got_n, &unknown), RECORD_END);
		assert_int_equal(unknown, 0);
		assert_int_equal(got_n, n);
		for (size_t i = 0; i < n; i++) {
			assert_int_equal(got[i].type, sent[i].type);
			assert_int_equal(got[i].flags, sent[i].flags);
			assert_int_equal(got[i].network, sent[i].network);
			assert_int_equal(got[i].gso_bytes, sent[i].gso_bytes);
			assert_ptr_equal(got[i].body, sent[i].body);
			assert_int_equal(got[i].body_bytes, sent[i].body_bytes);
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_header_is_as_drawn),
		cmocka_unit_test(a_bundle_comes_apart),
		cmocka_unit_test(every_truncated_length_is_safe),
		cmocka_unit_test(zeros_behind_are_padding),
		cmocka_unit_test(random_bundles_come_back),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
