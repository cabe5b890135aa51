/*
 * test_program.c - what is made of another program's end
 */
#include "cli/program.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/unit/said.h"

/* Runs `sh -c @script`, which is found in PATH; both outputs */
static enum cli_exit run(const char *script, struct said *out, struct said *err)
{
	char shell[] = "sh", option[] = "-c", command[128];
	char *const argv[] = { shell, option, command, NULL };
	enum cli_exit result;

	snprintf(command, sizeof(command), "%s", script);
	said_begin(err, 2);
	said_begin(out, 1);
	result = program_run("sh", argv);
	(void)said_end(out);
	(void)said_end(err);
	return result;
}

static void exits_become_ours(void **state)
{
	struct said out, err;

	(void)state;
	assert_int_equal(run("exit 0", &out, &err), CLI_OK);
	assert_int_equal(run("exit 1", &out, &err), CLI_FAILED);
	assert_int_equal(run("exit 2", &out, &err), CLI_USAGE);
	assert_int_equal(run("exit 77", &out, &err), CLI_FAILED);
	assert_string_equal(err.text, "");
	assert_int_equal(run("kill -TERM $$", &out, &err), CLI_FAILED);
	assert_string_equal(err.text, "weft: sh was ended by signal 15\n");
}

static void what_it_prints_is_a_remark(void **state)
{
	struct said out, err;

	(void)state;
	assert_int_equal(run("echo one; echo two >&2", &out, &err), CLI_OK);
	assert_string_equal(out.text, "");
	assert_string_equal(err.text, "one\ntwo\n");
}

static void one_that_is_not_there(void **state)
{
	char name[] = "weft-is-not-here";
	char *const argv[] = { name, NULL };
	struct said err;

	(void)state;
	said_begin(&err, 2);
	assert_int_equal(program_become(name, argv), CLI_FAILED);
	assert_int_equal(program_run(name, argv), CLI_FAILED);
	(void)said_end(&err);
	assert_non_null(strstr(err.text, "could not run weft-is-not-here: No such file or directory"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(exits_become_ours),
		cmocka_unit_test(what_it_prints_is_a_remark),
		cmocka_unit_test(one_that_is_not_there),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
