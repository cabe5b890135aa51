/*
 * command_run.h - one of weft's commands, run as main() does, against a controller with canned answers
 */
#ifndef TESTS_UNIT_CLI_COMMAND_RUN_H
#define TESTS_UNIT_CLI_COMMAND_RUN_H

#include "cli/commands.h"
#include "tests/unit/cli/canned_server.h"
#include "tests/unit/said.h"

#define COMMAND_ARGS_MAX 12

struct command_run {
	struct canned_server server; /* server.asked: what the controller was asked */
	struct said out;
	struct said err;
	enum cli_exit exit;
};

/* @args: the words behind "weft", NULL behind the last; --state is added */
static inline void command_run(struct command_run *run, const struct command *command, const char *const *args,
	const char *const *answers, size_t answers_count)
{
	static char words[COMMAND_ARGS_MAX][256];
	char *argv[COMMAND_ARGS_MAX + 1] = { NULL };
	struct invocation in;
	int argc = 0;

	canned_begin(&run->server, answers, answers_count);
	for (; argc < COMMAND_ARGS_MAX - 2 && args[argc]; argc++)
		snprintf(words[argc], sizeof(words[0]), "%s", args[argc]);
	snprintf(words[argc++], sizeof(words[0]), "--state");
	snprintf(words[argc++], sizeof(words[0]), "%s", run->server.folder);
	for (int i = 0; i < argc; i++)
		argv[i] = words[i];
	said_begin(&run->err, 2);
	said_begin(&run->out, 1);
	run->exit = invocation_parse(command, argc, argv, &in);
	if (run->exit == CLI_OK)
		run->exit = command->run(&in);
	(void)said_end(&run->out);
	(void)said_end(&run->err);
	(void)canned_end(&run->server);
}

#define COMMAND_RUN(run, command, answers, ...)                                        \
	command_run(run, command, (const char *const[]){ __VA_ARGS__, NULL }, answers, \
		sizeof(answers) / sizeof((answers)[0]))

#endif /* TESTS_UNIT_CLI_COMMAND_RUN_H */
