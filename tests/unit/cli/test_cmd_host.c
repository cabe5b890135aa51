/*
 * test_cmd_host.c - what `weft host set` asks, says and ends with
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "tests/unit/cli/command_run.h"

static struct command_run run;

static void addresses_are_sent(void **state)
{
	static const char *const answers[] = { CANNED("200 OK",
		"{\"rev\": 12, \"endpoints\": [\"192.0.2.1:4754\", \"[2001:db8::1]:4754\"]}") };

	(void)state;
	COMMAND_RUN(&run, &command_host, answers, "host", "set", "h2", "192.0.2.1", "2001:db8::1");
	assert_int_equal(run.exit, CLI_OK);
	assert_string_equal(run.out.text, "host h2: reached at 192.0.2.1:4754, [2001:db8::1]:4754, revision 12\n");
	assert_non_null(strstr(run.server.asked, "PUT /v1/hosts/h2 HTTP/1.1\r\n"));
	assert_non_null(strstr(run.server.asked, "192.0.2.1"));
	assert_non_null(strstr(run.server.asked, "2001:db8::1"));
}

static void none_are_for_auto(void **state)
{
	static const char *const answers[] = { CANNED("200 OK", "{\"rev\": 12, \"endpoints\": []}") };

	(void)state;
	COMMAND_RUN(&run, &command_host, answers, "host", "set", "h2", "auto");
	assert_int_equal(run.exit, CLI_OK);
	assert_non_null(strstr(run.out.text, "where it is seen"));
	assert_null(strstr(run.server.asked, "auto"));
}

static void what_is_refused_says_why(void **state)
{
	static const char *const answers[] = {
		CANNED("400 Bad Request", "{\"error\": {\"message\": \"127.0.0.1: the loopback's address\"}}"),
	};

	(void)state;
	COMMAND_RUN(&run, &command_host, answers, "host", "set", "h9", "127.0.0.1");
	assert_int_equal(run.exit, CLI_FAILED);
	assert_non_null(strstr(run.err.text, "host set h9: 127.0.0.1: the loopback's address"));
}

static void what_is_no_call_asks_nobody(void **state)
{
	static const char *const answers[] = { CANNED("200 OK", "{}") };

	(void)state;
	COMMAND_RUN(&run, &command_host, answers, "host", "put", "h2", "auto");
	assert_int_equal(run.exit, CLI_USAGE);
	COMMAND_RUN(&run, &command_host, answers, "host", "set", "../x", "auto");
	assert_int_equal(run.exit, CLI_USAGE);
	COMMAND_RUN(&run, &command_host, answers, "host", "set", "h2", "auto", "192.0.2.1");
	assert_int_equal(run.exit, CLI_USAGE);
	COMMAND_RUN(&run, &command_host, answers, "host", "set", "h2");
	assert_int_equal(run.exit, CLI_USAGE);
	COMMAND_RUN(&run, &command_host, answers, "host", "set", "h2", "auto", "--force");
	assert_int_equal(run.exit, CLI_USAGE);
	COMMAND_RUN(&run, &command_host, answers, "host", "rm", "h2", "h3");
	assert_int_equal(run.exit, CLI_USAGE);
	COMMAND_RUN(&run, &command_host, answers, "host", "rm", "../labs/x");
	assert_int_equal(run.exit, CLI_USAGE);
	assert_string_equal(run.server.asked, "");
}

static void one_is_removed(void **state)
{
	static const char *const answers[] = { CANNED("200 OK", "{\"rev\": 12}") };
	static const char *const refusals[] = {
		CANNED("409 Conflict", "{\"error\": {\"message\": \"host h2 has a port: lab/a\"}}"),
	};

	(void)state;
	COMMAND_RUN(&run, &command_host, answers, "host", "rm", "h2");
	assert_int_equal(run.exit, CLI_OK);
	assert_string_equal(run.out.text, "host h2: removed at revision 12\n");
	assert_non_null(strstr(run.server.asked, "DELETE /v1/hosts/h2 HTTP/1.1\r\n"));
	COMMAND_RUN(&run, &command_host, answers, "host", "rm", "h2", "--force");
	assert_non_null(strstr(run.server.asked, "DELETE /v1/hosts/h2?revoke=1 HTTP/1.1\r\n"));
	COMMAND_RUN(&run, &command_host, refusals, "host", "rm", "h2");
	assert_int_equal(run.exit, CLI_FAILED);
	assert_string_equal(run.err.text, "weft: host rm h2: host h2 has a port: lab/a\n");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(addresses_are_sent),
		cmocka_unit_test(none_are_for_auto),
		cmocka_unit_test(what_is_refused_says_why),
		cmocka_unit_test(one_is_removed),
		cmocka_unit_test(what_is_no_call_asks_nobody),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
