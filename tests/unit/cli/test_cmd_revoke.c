/*
 * test_cmd_revoke.c - what `weft revoke` asks, says and ends with
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "tests/unit/cli/command_run.h"

static struct command_run run;

static void it_says_where_sessions_end(void **state)
{
	static const char *const answers[] = { CANNED("200 OK", "{\"rev\": 12, \"hosts\": [\"h1\", \"h3\"]}") };

	(void)state;
	COMMAND_RUN(&run, &command_revoke, answers, "revoke", "h2");
	assert_int_equal(run.exit, CLI_OK);
	assert_string_equal(run.out.text, "host h2: revoked at revision 12; its sessions end on h1, h3\n");
	assert_non_null(strstr(run.server.asked, "POST /v1/hosts/h2/revoke HTTP/1.1\r\n"));
	COMMAND_RUN(&run, &command_revoke, answers, "revoke", "h2", "--json");
	assert_int_equal(run.exit, CLI_OK);
	assert_non_null(strstr(run.out.text, "\"rev\": 12"));
}

static void no_host_of_that_name(void **state)
{
	static const char *const answers[] = {
		CANNED("404 Not Found", "{\"error\": {\"message\": \"there is no host h9\"}}"),
	};

	(void)state;
	COMMAND_RUN(&run, &command_revoke, answers, "revoke", "h9");
	assert_int_equal(run.exit, CLI_FAILED);
	assert_string_equal(run.out.text, "");
	assert_string_equal(run.err.text, "weft: revoke h9: there is no host h9\n");
}

/* What is no name never becomes part of a path */
static void no_name_at_all(void **state)
{
	static const char *const names[] = { "../labs/x", "a b", "", "UPPER", "-a" };
	static const char *const answers[] = { CANNED("200 OK", "{}") };

	(void)state;
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		COMMAND_RUN(&run, &command_revoke, answers, "revoke", "--", names[i]);
		assert_int_equal(run.exit, CLI_USAGE);
		assert_string_equal(run.server.asked, "");
	}
	COMMAND_RUN(&run, &command_revoke, answers, "revoke");
	assert_int_equal(run.exit, CLI_USAGE);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(it_says_where_sessions_end),
		cmocka_unit_test(no_host_of_that_name),
		cmocka_unit_test(no_name_at_all),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
