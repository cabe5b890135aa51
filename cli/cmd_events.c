/*
 * cmd_events.c - `weft events`: what happened lately, in the fabric or on this host
 *
 * The controller's are those of all hosts and its own; where none is known, this host's weftd is asked for its own.
 */
#include "base/json.h"
#include "cli/ask.h"
#include "cli/commands.h"
#include "cli/say.h"
#include "cli/table.h"

#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define LOOK_S 1U /* at this host's weftd, which has no stream */
#define TIME_COLUMNS 16

struct showing {
	const struct invocation *in;
	const char *host; /* NULL: all */
	json_int_t last;  /* number of the last one that was seen */
};

static void print_event(const json_t *event)
{
	const char *host = json_text_of(event, "host"), *name = json_text_of(event, "event"),
		   *about = json_text_of(event, "about"), *text = json_text_of(event, "text"),
		   *severity = json_text_of(event, "severity");
	const bool bad = severity && strcmp(severity, "info") != 0;
	time_t at = (time_t)json_int_of(event, "at");
	char when[TIME_COLUMNS + 1], line[1024];
	struct tm tm;

	if (!localtime_r(&at, &tm) || strftime(when, sizeof(when), "%m-%d %H:%M:%S", &tm) == 0)
		snprintf(when, sizeof(when), "?"); /* no calendar has it */
	snprintf(line, sizeof(line), "%s  %s%s%s%s%s%s%s%s%s", when, host ? host : "", host ? " " : "",
		bad ? severity : "", bad ? ": " : "", name ? name : "?", about ? " " : "", about ? about : "",
		text ? ": " : "", text ? text : "");
	table_clean(line);
	table_text(stdout, line, 0, TIME_COLUMNS, table_screen_width(stdout));
}

/* Return: false to end a stream */
static bool show(struct showing *showing, const json_t *event)
{
	const char *host = json_text_of(event, "host");

	if (!json_is_object(event) || json_int_of(event, "seq") <= showing->last)
		return true;
	showing->last = json_int_of(event, "seq");
	if (showing->host && (!host || strcmp(host, showing->host) != 0))
		return true;
	if (invocation_has(showing->in, OPTION_JSON)) {
		json_dumpf(event, stdout, JSON_COMPACT);
		putchar('\n');
	} else {
		print_event(event);
	}
	fflush(stdout);
	return !ferror(stdout);
}

static void show_all(struct showing *showing, const json_t *items)
{
	const json_t *event;
	size_t i;

	json_array_foreach(items, i, event)
		(void)show(showing, event);
	if (!showing->last && !invocation_has(showing->in, OPTION_JSON))
		say_note("nothing has happened yet");
}

static bool on_line(void *ctx, const json_t *line)
{
	return show(ctx, json_object_get(line, "item"));
}

static enum cli_exit watch(struct showing *showing, struct client *client)
{
	struct answer answer;
	enum cli_exit result;
	char path[64];

	snprintf(path, sizeof(path), "/v1/events?watch=%lld", (long long)showing->last);
	result = client_watch(client, path, on_line, showing, &answer);
	if (result == CLI_OK && answer.status != 200)
		result = answer_refused(&answer, "events");
	else if (result == CLI_OK)
		result = say_error(CLI_UNREACHABLE, "the controller ended the stream; run the command again");
	answer_fini(&answer);
	return result;
}

static enum cli_exit of_fabric(struct showing *showing)
{
	struct operator operator= { .client = NULL };
	struct answer answer = { .json = NULL };
	enum cli_exit result = operator_open(showing->in, &operator);

	if (result == CLI_OK)
		result = client_call(operator.client, "GET", "/v1/events", NULL, &answer);
	if (result == CLI_OK && !answer_good(&answer))
		result = answer_refused(&answer, "events");
	else if (result == CLI_OK)
		show_all(showing, json_object_get(answer.json, "items"));
	answer_fini(&answer);
	if (result == CLI_OK && invocation_has(showing->in, OPTION_WATCH))
		result = watch(showing, operator.client);
	operator_close(&operator);
	return result;
}

static enum cli_exit of_this_host(struct showing *showing)
{
	bool first = true;

	for (;;) {
		struct answer answer;
		enum cli_exit result =
			ask_here(showing->in, "events", json_pack("{s:I}", "after", showing->last), &answer);
		const json_t *items = json_object_get(answer.json, "items"), *event;
		size_t i;

		if (result == CLI_OK && first)
			show_all(showing, items);
		else if (result == CLI_OK)
			json_array_foreach(items, i, event)
				(void)show(showing, event);
		answer_fini(&answer);
		if (result != CLI_OK || !invocation_has(showing->in, OPTION_WATCH) || ferror(stdout))
			return result;
		first = false;
		sleep(LOOK_S);
	}
}

static enum cli_exit run(const struct invocation *in)
{
	struct showing showing = { .in = in, .host = in->args[0] };

	if (in->arg_count == 0 && !ask_knows_controller(in) && ask_is_here(in))
		return of_this_host(&showing);
	return of_fabric(&showing);
}

const struct command command_events = {
	.name = "events",
	.arguments = "[HOST]",
	.summary = "Show what happened lately: ports, peers, hosts, labs",
	.help = "From the controller: of all hosts, or of HOST alone.  On a host that knows no\n"
		"controller's credentials: its own.  The newest are kept, in memory.  With --watch,\n"
		"what happens follows, until interrupted; with --json, one object a line.\n",
	.options = OPTION_BIT(WATCH),
	.args_max = 1,
	.run = run,
};
