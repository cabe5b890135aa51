/*
 * test_invocation.c - options and arguments are read by the command's table, and mistakes are named
 */
#include "cli/invocation.h"

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

static enum cli_exit run(const struct invocation *in)
{
	(void)in;
	return CLI_OK;
}

static const struct command command = {
	.name = "apply",
	.arguments = "FILE.yaml",
	.summary = "Test",
	.help = "",
	.options = OPTION_BIT(WAIT) | OPTION_BIT(TIMEOUT),
	.args_min = 1,
	.args_max = 1,
	.run = run,
};

static const struct command passing = { .name = "measure",
	.arguments = "...",
	.summary = "",
	.help = "",
	.passes_on = true,
	.run = run };

#define ARGS(...)                                  \
	(char *[])                                 \
	{                                          \
		(char *)"apply", __VA_ARGS__, NULL \
	}

/* Parses, with what it said on stderr in @said */
static enum cli_exit parse(const struct command *by, char **argv, struct invocation *out, char said[1024])
{
	int argc = 0, kept = dup(STDERR_FILENO), ends[2];
	enum cli_exit result;
	ssize_t got;

	while (argv[argc])
		argc++;
	assert_int_equal(pipe(ends), 0);
	assert_true(fcntl(ends[0], F_SETFL, O_NONBLOCK) == 0 && dup2(ends[1], STDERR_FILENO) >= 0);
	result = invocation_parse(by, argc, argv, out);
	fflush(stderr);
	dup2(kept, STDERR_FILENO);
	got = read(ends[0], said, 1023);
	said[got > 0 ? got : 0] = '\0';
	close(kept);
	close(ends[0]);
	close(ends[1]);
	return result;
}

static void reads_options_anywhere(void **state)
{
	struct invocation in;
	char said[1024];

	(void)state;
	assert_int_equal(parse(&command,
				 ARGS((char *)"--wait", (char *)"lab.yaml", (char *)"--timeout=5s", (char *)"--state",
					 (char *)"/x"),
				 &in, said),
		CLI_OK);
	assert_int_equal(in.arg_count, 1);
	assert_string_equal(in.args[0], "lab.yaml");
	assert_true(invocation_has(&in, OPTION_WAIT));
	assert_false(invocation_has(&in, OPTION_JSON));
	assert_string_equal(in.values[OPTION_TIMEOUT], "5s");
	assert_string_equal(in.state, "/x");

	assert_int_equal(parse(&command, ARGS((char *)"-"), &in, said), CLI_OK);
	assert_string_equal(in.args[0], "-");
	assert_string_equal(in.state, STATE_DIR_DEFAULT);
	assert_int_equal(parse(&command, ARGS((char *)"--", (char *)"--odd"), &in, said), CLI_OK);
	assert_string_equal(in.args[0], "--odd");
	assert_int_equal(parse(&command, ARGS((char *)"-h"), &in, said), CLI_OK);
	assert_true(invocation_has(&in, OPTION_HELP));
}

static void names_mistakes(void **state)
{
	static const struct {
		char *const argv[4];
		const char *said;
	} cases[] = {
		{ { (char *)"apply" }, "weft: apply: an argument is missing; write: weft apply FILE.yaml\n" },
		{ { (char *)"apply", (char *)"a", (char *)"b" },
			"weft: apply: \"b\" is one argument too many; write: weft apply FILE.yaml\n" },
		{ { (char *)"apply", (char *)"a", (char *)"--wiat" },
			"weft: apply --wiat: unknown option; did you mean --wait?\n" },
		{ { (char *)"apply", (char *)"a", (char *)"--zzzzzzz" },
			"weft: apply --zzzzzzz: unknown option; see: weft help apply\n" },
		{ { (char *)"apply", (char *)"a", (char *)"--wait=5" },
			"weft: --wait takes no value; see: weft help apply\n" },
		{ { (char *)"apply", (char *)"a", (char *)"--timeout" },
			"weft: --timeout needs a value; see: weft help apply\n" },
		{ { (char *)"apply", (char *)"a", (char *)"-xyz" },
			"weft: apply -x: unknown option; see: weft help apply\n" },
		{ { (char *)"apply", (char *)"a", (char *)"--lab=x" },
			"weft: apply --lab: unknown option; see: weft help apply\n" },
		{ { (char *)"apply", (char *)"a", (char *)"--state=" },
			"weft: --state is empty; write the folder, such as --state /var/lib/weft\n" },
	};
	struct invocation in;
	char said[1024];

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		char *argv[5] = { NULL };

		memcpy(argv, cases[i].argv, sizeof(cases[i].argv));
		assert_int_equal(parse(&command, argv, &in, said), CLI_USAGE);
		assert_string_equal(said, cases[i].said);
	}
}

static void reads_durations(void **state)
{
	struct invocation in;
	uint64_t ms = 0;
	char said[1024];

	(void)state;
	assert_int_equal(parse(&command, ARGS((char *)"f", (char *)"--timeout", (char *)"90s"), &in, said), CLI_OK);
	assert_true(invocation_duration(&in, OPTION_TIMEOUT, 5, &ms));
	assert_int_equal(ms, 90000);
	assert_int_equal(parse(&command, ARGS((char *)"f"), &in, said), CLI_OK);
	assert_true(invocation_duration(&in, OPTION_TIMEOUT, 5, &ms));
	assert_int_equal(ms, 5);
}

/* One option may stand several times, and all of them are there in order; of any other the last counts */
static void takes_one_option_several_times(void **state)
{
	struct command join = command;
	char *argv[2 * OPTION_REPEATS_MAX + 5] = { (char *)"join", (char *)"token", (char *)"--timeout=1s",
		(char *)"--timeout=2s" };
	struct invocation in;
	char said[1024];
	size_t used = 4;

	(void)state;
	join.options |= OPTION_BIT(ENDPOINT);
	join.repeats = OPTION_BIT(ENDPOINT);
	argv[used++] = (char *)"--endpoint=a";
	argv[used++] = (char *)"--endpoint=b";
	assert_int_equal(parse(&join, argv, &in, said), CLI_OK);
	assert_int_equal(in.repeated_count, 2);
	assert_string_equal(in.repeated[0], "a");
	assert_string_equal(in.repeated[1], "b");
	assert_string_equal(in.values[OPTION_ENDPOINT], "b");
	assert_string_equal(in.values[OPTION_TIMEOUT], "2s");

	while (used < 4 + OPTION_REPEATS_MAX)
		argv[used++] = (char *)"--endpoint=c";
	assert_int_equal(parse(&join, argv, &in, said), CLI_OK);
	assert_int_equal(in.repeated_count, OPTION_REPEATS_MAX);
	argv[used++] = (char *)"--endpoint=d";
	assert_int_equal(parse(&join, argv, &in, said), CLI_USAGE);
	assert_string_equal(said, "weft: --endpoint d: one too many, 8 are enough\n");
}

static void passes_on_what_is_not_ours(void **state)
{
	struct invocation in;
	char said[1024];

	(void)state;
	assert_int_equal(parse(&passing, ARGS((char *)"--json", (char *)"--strange", (char *)"-x"), &in, said), CLI_OK);
	assert_int_equal(in.arg_count, 3);
	assert_string_equal(in.args[0], "--json");
	assert_string_equal(in.args[2], "-x");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(reads_options_anywhere),
		cmocka_unit_test(names_mistakes),
		cmocka_unit_test(reads_durations),
		cmocka_unit_test(takes_one_option_several_times),
		cmocka_unit_test(passes_on_what_is_not_ours),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
