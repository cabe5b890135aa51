/*
 * test_log.c - which lines are written, what they look like, and that nobody's text breaks them
 */
#include "base/log.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "tests/unit/said.h"

static int set_up(void **state)
{
	(void)state;
	unsetenv("JOURNAL_STREAM");
	log_set_level(LOG_LEVEL_INFO);
	return 0;
}

static void only_what_the_level_lets_pass(void **state)
{
	static const char *const expected[] = { "error: e", "warning: w", "info: i", "debug: d" };
	static const enum log_level levels[] = { LOG_LEVEL_ERROR, LOG_LEVEL_WARNING, LOG_LEVEL_INFO, LOG_LEVEL_DEBUG };
	struct said said;

	(void)state;
	for (size_t max = 0; max < 4; max++) {
		log_set_level(levels[max]);
		said_begin(&said, 2);
		log_line(LOG_LEVEL_ERROR, "e");
		log_line(LOG_LEVEL_WARNING, "w");
		log_line(LOG_LEVEL_INFO, "i");
		log_line(LOG_LEVEL_DEBUG, "d");
		(void)said_end(&said);
		for (size_t i = 0; i < 4; i++)
			assert_int_equal(strstr(said.text, expected[i]) != NULL, i <= max);
	}
}

static void a_line_begins_with_the_time_of_day(void **state)
{
	unsigned int hour, minute, second, milli;
	int at = 0;
	struct said said;

	(void)state;
	said_begin(&said, 2);
	log_line(LOG_LEVEL_WARNING, "%s is %d", "this", 7);
	assert_int_equal(sscanf(said_end(&said), "%2u:%2u:%2u.%3u %n", &hour, &minute, &second, &milli, &at), 4);
	assert_true(hour < 24 && minute < 60 && second <= 60);
	assert_string_equal(said.text + at, "warning: this is 7\n");
}

/* journald has the time and wants the priority of syslog(3) */
static void under_journald_with_a_priority(void **state)
{
	struct said said;

	(void)state;
	setenv("JOURNAL_STREAM", "8:1234", 1);
	said_begin(&said, 2);
	log_line(LOG_LEVEL_ERROR, "one");
	log_line(LOG_LEVEL_INFO, "two");
	assert_string_equal(said_end(&said), "<3>one\n<6>two\n");
}

static void text_of_others_stays_in_its_line(void **state)
{
	char longest[4096];
	struct said said;

	(void)state;
	setenv("JOURNAL_STREAM", "8:1234", 1);
	said_begin(&said, 2);
	log_line(LOG_LEVEL_INFO, "%s", "a\n<0>b\033[2Jc\177\t");
	assert_string_equal(said_end(&said), "<6>a?<0>b?[2Jc??\n");
	memset(longest, 'x', sizeof(longest) - 1);
	longest[sizeof(longest) - 1] = '\0';
	said_begin(&said, 2);
	log_line(LOG_LEVEL_INFO, "%s", longest);
	(void)said_end(&said);
	assert_int_equal(strlen(said.text), 1024); /* cut, and whole: one newline, at its end */
	assert_ptr_equal(strchr(said.text, '\n'), said.text + 1023);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(only_what_the_level_lets_pass, set_up),
		cmocka_unit_test_setup(a_line_begins_with_the_time_of_day, set_up),
		cmocka_unit_test_setup(under_journald_with_a_priority, set_up),
		cmocka_unit_test_setup(text_of_others_stays_in_its_line, set_up),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
