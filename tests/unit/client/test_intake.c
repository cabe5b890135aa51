/*
 * test_intake.c - lines that come in pieces of any size, and what has no end
 */
#include "client/intake.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static const char text[] = "one\n\n{\"two\":2}\nthree\nrest";
static const char *const lines[] = { "one", "", "{\"two\":2}", "three" };

static void in_any_pieces(void **state)
{
	(void)state;
	for (size_t piece = 1; piece < sizeof(text); piece++) {
		struct intake intake = { .max_bytes = 64 };
		size_t found = 0, len_bytes;
		const char *line;

		for (size_t at = 0; at < sizeof(text) - 1; at += piece) {
			const size_t left = sizeof(text) - 1 - at;

			assert_true(intake_add(&intake, text + at, left < piece ? left : piece));
			while ((line = intake_line(&intake, &len_bytes)) != NULL) {
				assert_string_equal(line, lines[found]);
				assert_int_equal(len_bytes, strlen(lines[found]));
				found++;
			}
		}
		assert_int_equal(found, 4);
		line = intake_rest(&intake, &len_bytes);
		assert_int_equal(len_bytes, 4);
		assert_memory_equal(line, "rest", 4);
		intake_fini(&intake);
	}
}

/* Every length of the text: what is whole is given, the rest waits */
static void every_truncated_length(void **state)
{
	(void)state;
	for (size_t len = 0; len < sizeof(text); len++) {
		struct intake intake = { .max_bytes = 64 };
		size_t given = 0, len_bytes;

		assert_true(intake_add(&intake, text, len));
		while (intake_line(&intake, &len_bytes))
			given += len_bytes + 1;
		(void)intake_rest(&intake, &len_bytes);
		assert_int_equal(given + len_bytes, len);
		intake_fini(&intake);
	}
}

static void a_line_without_end(void **state)
{
	const size_t max = 1U << 20, piece = 16384;
	struct intake intake = { .max_bytes = max };
	char *bytes = malloc(piece);
	size_t len_bytes;

	(void)state;
	memset(bytes, 'x', piece);
	for (size_t sum = 0; sum < max; sum += piece) {
		assert_true(intake_add(&intake, bytes, piece));
		assert_null(intake_line(&intake, &len_bytes));
	}
	assert_false(intake_add(&intake, "y", 1));
	assert_int_equal(intake.cap_bytes, max);
	intake_fini(&intake);
	/* lines that are taken make room again */
	for (size_t i = 0; i < 1000; i++) {
		bytes[piece - 1] = '\n';
		assert_true(intake_add(&intake, bytes, piece));
		assert_non_null(intake_line(&intake, &len_bytes));
		assert_int_equal(len_bytes, piece - 1);
	}
	assert_true(intake.cap_bytes <= 2 * piece);
	intake_fini(&intake);
	free(bytes);
}

static void nothing_at_all(void **state)
{
	struct intake intake = { .max_bytes = 0 };
	size_t len_bytes = 1;

	(void)state;
	assert_true(intake_add(&intake, "", 0));
	assert_null(intake_line(&intake, &len_bytes));
	assert_string_equal(intake_rest(&intake, &len_bytes), "");
	assert_int_equal(len_bytes, 0);
	assert_false(intake_add(&intake, "x", 1));
	intake_fini(&intake);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(in_any_pieces),
		cmocka_unit_test(every_truncated_length),
		cmocka_unit_test(a_line_without_end),
		cmocka_unit_test(nothing_at_all),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
