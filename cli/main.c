/*
 * main.c - weft, the operator's command: finds the command and runs it
 *
 * What commands do is in the files of their names; weft talks to weft-controller and weftd over their HTTP APIs and
 * shares no code with them above base/ and crypto/.
 */
#include "base/suggest.h"
#include "base/version.h"
#include "cli/commands.h"
#include "cli/drop_help.h"
#include "cli/say.h"
#include "cli/table.h"

#include <curl/curl.h>
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>

static enum cli_exit run_version(const struct invocation *in);
static enum cli_exit run_help(const struct invocation *in);

static const struct command command_version = {
	.name = "version",
	.arguments = "",
	.summary = "Show which version of weft this is",
	.help = "",
	.run = run_version,
};

static const struct command command_help_ = {
	.name = "help",
	.arguments = "[COMMAND | drop [NAME]]",
	.summary = "Show what a command does and takes, or what a drop means",
	.help = "`weft help drop` lists every name under which frames are dropped, and what to do.\n",
	.args_max = 2,
	.run = run_help,
};

static const struct command *const commands[] = { &command_init, &command_token, &command_join, &command_apply,
	&command_delete, &command_get, &command_status, &command_events, &command_ping, &command_doctor,
	&command_revoke, &command_host, &command_controller, &command_agent, &command_measure, &command_version,
	&command_help_ };

#define COMMAND_COLUMNS 12 /* the longest name and its gap */
#define COMMANDS (sizeof(commands) / sizeof(commands[0]))

static const struct command *command_lookup(const char *name)
{
	const char *words[COMMANDS];
	const char *meant;

	for (size_t i = 0; i < COMMANDS; i++) {
		if (strcmp(commands[i]->name, name) == 0)
			return commands[i];
		words[i] = commands[i]->name;
	}
	meant = suggest(name, words, COMMANDS);
	if (name[0] == '-')
		(void)say_error(CLI_USAGE, "%s: options stand behind the command; write: weft COMMAND %s ...", name,
			name);
	else if (meant)
		(void)say_error(CLI_USAGE, "%s: unknown command; did you mean: weft %s?", name, meant);
	else
		(void)say_error(CLI_USAGE, "%s: unknown command; `weft help` lists them", name);
	return NULL;
}

static void print_usage(FILE *to)
{
	fputs("usage: weft COMMAND [ARGUMENTS] [OPTIONS]\n\n"
	      "Joins the virtual switches of many hosts into private Ethernet networks.\n\ncommands:\n",
		to);
	for (size_t i = 0; i < COMMANDS; i++) {
		char line[256];

		snprintf(line, sizeof(line), "%-*s%s", COMMAND_COLUMNS, commands[i]->name, commands[i]->summary);
		table_text(to, line, 2, COMMAND_COLUMNS + 2, SAY_COLUMNS);
	}
	fputs("\nevery command takes --help, --json and --state DIR (" STATE_DIR_DEFAULT ")\n"
	      "exit status: 0 done, 1 failed, 2 wrong usage, 3 could not reach, 4 timed out\n",
		to);
}

static enum cli_exit run_version(const struct invocation *in)
{
	if (invocation_has(in, OPTION_JSON)) {
		json_t *version = json_pack("{s:s}", "version", WEFT_VERSION);

		say_json(version);
		json_decref(version);
	} else {
		printf("weft %s\n", WEFT_VERSION);
	}
	return CLI_OK;
}

static enum cli_exit run_help(const struct invocation *in)
{
	const struct command *command;

	if (in->arg_count == 0) {
		print_usage(stdout);
		return CLI_OK;
	}
	if (strcmp(in->args[0], "drop") == 0 || strcmp(in->args[0], "drops") == 0)
		return drop_help_run(in, in->args[1]);
	if (in->arg_count > 1)
		return say_error(CLI_USAGE, "help: \"%s\" is one argument too many; write: weft help %s", in->args[1],
			in->args[0]);
	command = command_lookup(in->args[0]);
	if (!command)
		return CLI_USAGE;
	command_help(command);
	return CLI_OK;
}

static enum cli_exit dispatch(int argc, char **argv)
{
	const struct command *command;
	struct invocation in;
	enum cli_exit result;

	if (argc < 2) {
		print_usage(stderr);
		return CLI_USAGE;
	}
	if (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0) {
		print_usage(stdout);
		return CLI_OK;
	}
	command = strcmp(argv[1], "--version") == 0 ? &command_version : command_lookup(argv[1]);
	if (!command)
		return CLI_USAGE;
	result = invocation_parse(command, argc - 1, argv + 1, &in);
	if (result != CLI_OK)
		return result;
	if (invocation_has(&in, OPTION_HELP)) {
		command_help(command);
		return CLI_OK;
	}
	return command->run(&in);
}

int main(int argc, char **argv)
{
	enum cli_exit result;

	signal(SIGPIPE, SIG_IGN); /* OpenSSL writes to sockets that may be closed */
	if (curl_global_init(CURL_GLOBAL_DEFAULT) != 0)
		return say_error(CLI_FAILED, "libcurl could not be set up");
	result = dispatch(argc, argv);
	curl_global_cleanup();
	errno = 0;
	if (fflush(stdout) == 0 && !ferror(stdout))
		return result;
	if (errno != EPIPE && errno != 0) /* `weft get ... | head` ends quietly */
		(void)say_error(CLI_FAILED, "standard output could not be written: %s", strerror(errno));
	return result == CLI_OK ? CLI_FAILED : result;
}
