/*
 * test_duration.c - what is read as a duration, what is refused, and how one is shown
 */
#include "cli/duration.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

static void reads_what_people_write(void **state)
{
	static const struct {
		const char *text;
		uint64_t ms;
	} good[] = {
		{ "1ms", 1 },
		{ "250ms", 250 },
		{ "30s", 30000 },
		{ "90m", 5400000 },
		{ "1h", 3600000 },
		{ "1h30m", 5400000 },
		{ "1d2h3m4s5ms", 93784005 },
		{ "366d", DURATION_MAX_MS },
		{ "007s", 7000 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
		uint64_t ms = 0;

		assert_true(duration_parse(good[i].text, &ms));
		assert_int_equal(ms, good[i].ms);
	}
}

static void refuses_what_is_not_clear(void **state)
{
	static const char *const bad[] = { "", "0s", "30", "s", "1x", "1 h", " 1h", "1h ", "30m1h", "1h1h", "-1h",
		"+1h", "1.5h", "367d", "1234567890s", "99999999999999999999s", "1hh", "1mss", "1sm", "1h30" };

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		uint64_t ms = 4711;

		assert_false(duration_parse(bad[i], &ms));
		assert_int_equal(ms, 4711);
	}
}

static void shows_two_units(void **state)
{
	static const struct {
		uint64_t ms;
		const char *text;
	} shown[] = {
		{ 0, "0s" },
		{ 1, "1ms" },
		{ 999, "999ms" },
		{ 1000, "1s" },
		{ 59999, "59s" },
		{ 60000, "1m00s" },
		{ 184000, "3m04s" },
		{ 3600000, "1h00m" },
		{ 7500000, "2h05m" },
		{ 86400000, "1d0h" },
		{ 363600000, "4d5h" },
		{ UINT64_MAX, ">9999d" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(shown) / sizeof(shown[0]); i++) {
		char text[DURATION_TEXT_BYTES];

		duration_format(shown[i].ms, text);
		assert_string_equal(text, shown[i].text);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(reads_what_people_write),
		cmocka_unit_test(refuses_what_is_not_clear),
		cmocka_unit_test(shows_two_units),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
