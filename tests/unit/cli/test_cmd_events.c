/*
 * test_cmd_events.c - what happened, of all hosts or of one, and what happens next
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdlib.h>

#include "tests/unit/cli/command_run.h"

static struct command_run run;

#define EVENT(seq, host, name)                                                                                       \
	"{\"seq\": " seq ", \"at\": 1700000000, \"severity\": \"error\", \"host\": \"" host "\", \"event\": \"" name \
	"\", \"about\": \"lab/a\", \"text\": \"it was \\u001bdeleted\"}"
#define EVENTS           \
	CANNED("200 OK", \
		"{\"rev\": 5, \"items\": [" EVENT("7", "h1", "port-down") ", " EVENT("8", "h2", "port-up") "]}")

static void all_and_one_host(void **state)
{
	static const char *const answers[] = { EVENTS };

	(void)state;
	COMMAND_RUN(&run, &command_events, answers, "events");
	assert_int_equal(run.exit, CLI_OK);
	assert_non_null(strstr(run.server.asked, "GET /v1/events HTTP/1.1\r\n"));
	assert_non_null(strstr(run.out.text, "h1 error: port-down lab/a: it was "));
	assert_non_null(strstr(run.out.text, "h2 error: port-up"));
	assert_null(strchr(run.out.text, '\033'));
	COMMAND_RUN(&run, &command_events, answers, "events", "h2");
	assert_null(strstr(run.out.text, "h1"));
	assert_non_null(strstr(run.out.text, "h2 error: port-up"));
	COMMAND_RUN(&run, &command_events, answers, "events", "--json");
	assert_memory_equal(run.out.text, "{\"seq\":7", 8);
}

/* The time is of whoever tells */
static void at_no_time(void **state)
{
	static const char *const answers[] = { CANNED("200 OK",
		"{\"rev\": 5, \"items\": [{\"seq\": 7, \"at\": 9223372036854775807, \"severity\": \"info\", \"event\": "
		"\"peer-up\"}, {\"seq\": 8, \"at\": -9223372036854775807, \"severity\": 7, \"event\": []}]}") };

	(void)state;
	COMMAND_RUN(&run, &command_events, answers, "events");
	assert_int_equal(run.exit, CLI_OK);
	assert_non_null(strstr(run.out.text, "peer-up"));
}

static void none_yet(void **state)
{
	static const char *const answers[] = { CANNED("200 OK", "{\"rev\": 5, \"items\": []}") };

	(void)state;
	COMMAND_RUN(&run, &command_events, answers, "events");
	assert_string_equal(run.out.text, "");
	assert_string_equal(run.err.text, "nothing has happened yet\n");
}

/* From the last of the list on, and nothing twice */
static void what_follows(void **state)
{
	static const char *const answers[] = { EVENTS,
		CANNED("200 OK",
			"{\"rev\": 9, \"op\": \"put\", \"item\": " EVENT("8", "h2",
				"port-up") "}\n{}\n"
					   "{\"rev\": 9, \"op\": \"put\", \"item\": " EVENT("9", "h3",
						   "peer-up") "}\n") };
	const char *at;

	(void)state;
	COMMAND_RUN(&run, &command_events, answers, "events", "--watch");
	assert_non_null(strstr(run.server.asked, "GET /v1/events?watch=8 "));
	at = strstr(run.out.text, "port-up");
	assert_non_null(at);
	assert_null(strstr(at + 1, "port-up"));
	assert_non_null(strstr(at, "h3 error: peer-up"));
	assert_int_equal(run.exit, CLI_UNREACHABLE); /* the stream ended */
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(all_and_one_host),
		cmocka_unit_test(at_no_time),
		cmocka_unit_test(none_yet),
		cmocka_unit_test(what_follows),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
