/*
 * test_say.c - errors and remarks on stderr, JSON on stdout
 */
#include "cli/say.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <string.h>

#include "tests/unit/said.h"

static void errors_and_notes(void **state)
{
	struct said said;

	(void)state;
	said_begin(&said, 2);
	assert_int_equal(say_error(CLI_USAGE, "%s: no such port", "a-lan"), CLI_USAGE);
	assert_int_equal(say_error(CLI_UNREACHABLE, "away"), CLI_UNREACHABLE);
	say_note("waiting for %s", "h1");
	assert_string_equal(said_end(&said), "weft: a-lan: no such port\nweft: away\nwaiting for h1\n");
}

static void what_others_said_is_cleaned(void **state)
{
	struct said said;

	(void)state;
	said_begin(&said, 2);
	(void)say_error(CLI_FAILED, "%s", "a\033[31mred\nweft: all is well\r");
	(void)said_end(&said);
	assert_null(strpbrk(said.text, "\033\r"));
	assert_ptr_equal(strchr(said.text, '\n'), said.text + strlen(said.text) - 1);
}

static void paragraphs_are_wrapped(void **state)
{
	char text[300];
	struct said said;

	(void)state;
	for (size_t i = 0; i < sizeof(text) - 1; i++)
		text[i] = i % 10 == 9 ? ' ' : 'w';
	text[sizeof(text) - 1] = '\0';
	text[50] = '\033';
	said_begin(&said, 1);
	say_wrapped(4, text);
	(void)said_end(&said);
	assert_null(strchr(said.text, '\033'));
	for (char *line = said.text, *end; (end = strchr(line, '\n')); line = end + 1) {
		assert_memory_equal(line, "    w", 5);
		assert_in_range(end - line, 13, 80);
	}
	said_begin(&said, 1);
	say_wrapped(2, "one");
	assert_string_equal(said_end(&said), "  one\n");
}

static void json_on_stdout(void **state)
{
	json_t *json = json_pack("{s: i, s: [s]}", "rev", 7, "hosts", "h1"), *back;
	struct said out, err;

	(void)state;
	said_begin(&err, 2);
	said_begin(&out, 1);
	say_json(json);
	(void)said_end(&out);
	(void)said_end(&err);
	assert_string_equal(err.text, "");
	assert_int_equal(out.text[strlen(out.text) - 1], '\n');
	back = json_loads(out.text, 0, NULL);
	assert_true(json_equal(json, back));
	json_decref(back);
	json_decref(json);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(errors_and_notes),
		cmocka_unit_test(what_others_said_is_cleaned),
		cmocka_unit_test(paragraphs_are_wrapped),
		cmocka_unit_test(json_on_stdout),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
