/*
 * test_cmd_token.c - what `weft token` asks for, and that nothing but the token is on standard output
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "tests/unit/cli/command_run.h"

static struct command_run run;

static void the_token_alone(void **state)
{
	static const char *const answers[] = { CANNED("200 OK", "{\"token\": \"weft1.abc\"}") };

	(void)state;
	COMMAND_RUN(&run, &command_token, answers, "token", "h1");
	assert_int_equal(run.exit, CLI_OK);
	assert_string_equal(run.out.text, "weft1.abc\n");
	assert_string_equal(run.err.text, "");
	assert_non_null(strstr(run.server.asked, "POST /v1/tokens HTTP/1.1\r\n"));
	assert_non_null(strstr(run.server.asked, "\"expires_s\":3600"));
	assert_non_null(strstr(run.server.asked, "\"host\":\"h1\""));
}

static void how_long_it_is_good(void **state)
{
	static const char *const answers[] = { CANNED("200 OK", "{\"token\": \"weft1.abc\"}") };
	static const char *const wrong[] = { "31d", "0s", "5", "soon", "1h 5m" };

	(void)state;
	COMMAND_RUN(&run, &command_token, answers, "token", "--expires", "1m500ms", "h1");
	assert_int_equal(run.exit, CLI_OK);
	assert_non_null(strstr(run.server.asked, "\"expires_s\":61")); /* never shorter than asked for */
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		COMMAND_RUN(&run, &command_token, answers, "token", "h1", "--expires", wrong[i]);
		assert_int_equal(run.exit, CLI_USAGE);
		assert_string_equal(run.server.asked, "");
		assert_string_equal(run.out.text, "");
	}
}

static void an_answer_without_a_token(void **state)
{
	static const char *const answers[] = { CANNED("200 OK", "{}") };

	(void)state;
	COMMAND_RUN(&run, &command_token, answers, "token", "h1");
	assert_int_equal(run.exit, CLI_FAILED);
	assert_string_equal(run.out.text, "");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_token_alone),
		cmocka_unit_test(how_long_it_is_good),
		cmocka_unit_test(an_answer_without_a_token),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
