/*
 * invocation.c - see invocation.h
 */
#include "cli/invocation.h"

#include "base/suggest.h"
#include "cli/duration.h"
#include "cli/say.h"
#include "cli/table.h"

#include <getopt.h>
#include <stdio.h>
#include <string.h>

#define USAGE_INDENT 12
#define OPTION_COLUMNS 24 /* the longest option with its argument, and its gap */

#define EVERY_COMMAND (OPTION_BIT(HELP) | OPTION_BIT(JSON) | OPTION_BIT(STATE))

static const struct option_info {
	const char *name, *argument, *help;
} infos[CLI_OPTIONS_COUNT] = {
#define X(id, text, arg, what) [OPTION_##id] = { text, arg, what },
	CLI_OPTIONS(X)
#undef X
};

static unsigned int options_of(const struct command *command)
{
	return command->options | EVERY_COMMAND;
}

/* getopt's table for @command: at most CLI_OPTIONS_COUNT and the end */
static void long_options(const struct command *command, struct option out[CLI_OPTIONS_COUNT + 1])
{
	size_t used = 0;

	for (int i = 0; i < (int)CLI_OPTIONS_COUNT; i++) {
		if (!(options_of(command) & 1U << i))
			continue;
		out[used++] = (struct option){ .name = infos[i].name,
			.has_arg = *infos[i].argument ? required_argument : no_argument,
			.val = i + 1 };
	}
	out[used] = (struct option){ .name = NULL };
}

static enum cli_exit bad_option(const struct command *command, const char *typed, bool lacks_argument)
{
	const char *words[CLI_OPTIONS_COUNT];
	char name[64];
	const char *meant;
	size_t count = 0;

	if (lacks_argument)
		return say_error(CLI_USAGE, "%s needs a value; see: weft help %s", typed, command->name);
	snprintf(name, sizeof(name), "%.*s", (int)strcspn(typed, "="), typed);
	for (size_t i = 0; i < CLI_OPTIONS_COUNT; i++)
		if (options_of(command) & 1U << i)
			words[count++] = infos[i].name;
	meant = suggest(name + strspn(name, "-"), words, count);
	if (meant && strcmp(meant, name + strspn(name, "-")) == 0)
		return say_error(CLI_USAGE, "--%s takes no value; see: weft help %s", meant, command->name);
	if (meant)
		return say_error(CLI_USAGE, "%s %s: unknown option; did you mean --%s?", command->name, name, meant);
	return say_error(CLI_USAGE, "%s %s: unknown option; see: weft help %s", command->name, name, command->name);
}

/* Return: false where it stands there once too often */
static bool take_value(const struct command *command, int option, const char *value, struct invocation *out)
{
	out->values[option] = value;
	if (!(command->repeats & 1U << option))
		return true;
	if (out->repeated_count == OPTION_REPEATS_MAX)
		return false;
	out->repeated[out->repeated_count++] = value;
	return true;
}

static enum cli_exit check_arguments(const struct command *command, const struct invocation *in)
{
	if (in->arg_count < command->args_min)
		return say_error(CLI_USAGE, "%s: an argument is missing; write: weft %s %s", command->name,
			command->name, command->arguments);
	if (in->arg_count > command->args_max)
		return say_error(CLI_USAGE, "%s: \"%s\" is one argument too many; write: weft %s %s", command->name,
			in->args[command->args_max], command->name, command->arguments);
	if (in->state[0] == '\0')
		return say_error(CLI_USAGE, "--state is empty; write the folder, such as --state " STATE_DIR_DEFAULT);
	return CLI_OK;
}

enum cli_exit invocation_parse(const struct command *command, int argc, char **argv, struct invocation *out)
{
	struct option table[CLI_OPTIONS_COUNT + 1];
	int found;

	memset(out, 0, sizeof(*out));
	out->command = command;
	out->state = STATE_DIR_DEFAULT;
	out->args = argv + 1;
	out->arg_count = argc - 1;
	if (command->passes_on)
		return CLI_OK;
	long_options(command, table);
	opterr = 0;
	optind = 0;
	while ((found = getopt_long(argc, argv, ":hc:", table, NULL)) != -1) {
		if (found == 'h')
			found = OPTION_HELP + 1;
		if (found == 'c' && options_of(command) & OPTION_BIT(COUNT))
			found = OPTION_COUNT + 1;
		if (found == 'c')
			return bad_option(command, "-c", false);
		if (found == '?' && optopt && strncmp(argv[optind - 1], "--", 2) != 0) {
			char letter[] = { '-', (char)optopt, '\0' };

			return bad_option(command, letter, false);
		}
		if (found == '?' || found == ':')
			return bad_option(command, argv[optind - 1], found == ':');
		if (!take_value(command, found - 1, optarg ? optarg : "", out))
			return say_error(CLI_USAGE, "--%s %s: one too many, %u are enough", infos[found - 1].name,
				optarg, OPTION_REPEATS_MAX);
	}
	if (invocation_has(out, OPTION_STATE))
		out->state = out->values[OPTION_STATE];
	out->args = argv + optind;
	out->arg_count = argc - optind;
	return invocation_has(out, OPTION_HELP) ? CLI_OK : check_arguments(command, out);
}

bool invocation_duration(const struct invocation *in, enum cli_option option, uint64_t fallback_ms, uint64_t *out_ms)
{
	*out_ms = fallback_ms;
	if (!invocation_has(in, option) || duration_parse(in->values[option], out_ms))
		return true;
	(void)say_error(CLI_USAGE, "--%s %s: not a time; write a number with its unit, such as 30s, 15m, 1h30m or 7d",
		infos[option].name, in->values[option]);
	return false;
}

/* Paragraphs are broken anew; what is indented, an example, stays as it is */
static void print_paragraphs(const char *text)
{
	char paragraph[1024] = "";
	size_t used = 0;

	for (const char *line = text; *line;) {
		size_t len = strcspn(line, "\n");
		const char *next = line + len + (line[len] == '\n');
		bool flows = len > 0 && *line != ' ';

		if (flows && used < sizeof(paragraph))
			used += (size_t)snprintf(paragraph + used, sizeof(paragraph) - used, "%s%.*s", used ? " " : "",
				(int)len, line);
		if (used && (!flows || !*next)) {
			table_text(stdout, paragraph, 0, 0, SAY_COLUMNS);
			used = 0;
		}
		if (!flows)
			printf("%.*s\n", (int)len, line);
		line = next;
	}
}

void command_help(const struct command *command)
{
	char text[512];

	snprintf(text, sizeof(text), "usage: weft %s%s%s%s", command->name, *command->arguments ? " " : "",
		command->arguments, command->passes_on ? "" : " [OPTIONS]");
	table_text(stdout, text, 0, USAGE_INDENT, SAY_COLUMNS);
	snprintf(text, sizeof(text), "%s.", command->summary);
	putchar('\n');
	table_text(stdout, text, 0, 0, SAY_COLUMNS);
	if (*command->help) {
		putchar('\n');
		print_paragraphs(command->help);
	}
	if (command->passes_on)
		return;
	printf("\noptions:\n");
	for (size_t i = 0; i < CLI_OPTIONS_COUNT; i++) {
		char left[40], line[256];

		if (!(options_of(command) & 1U << i))
			continue;
		snprintf(left, sizeof(left), "--%s%s%s", infos[i].name, *infos[i].argument ? " " : "",
			infos[i].argument);
		snprintf(line, sizeof(line), "%-*s%s", OPTION_COLUMNS, left, infos[i].help);
		table_text(stdout, line, 2, OPTION_COLUMNS + 2, SAY_COLUMNS);
	}
}
