/*
 * cmd_ping.c - `weft ping`: does a host answer through the tunnel, how fast, by which path
 *
 * Each line is a question of its own to the weftd that pings: this host's, or by the controller another's.
 */
#include "base/json.h"
#include "cli/ask.h"
#include "cli/commands.h"
#include "cli/say.h"
#include "cli/table.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define COUNT_DEFAULT 4U
#define COUNT_MAX 100000U
#define PAUSE_NS 500000000L

struct tally {
	unsigned long asked, answered;
	double least_ms, most_ms, sum_ms;
	char port[160]; /* "lab/port", where one was asked for */
	char to[64];
	json_t *lines; /* with --json */
};

struct pinging {
	const struct invocation *in;
	const char *from; /* NULL: this host */
	struct operator operator;
	bool knows_controller;
};

static enum cli_exit ask_once(struct pinging *pinging, struct answer *answer)
{
	json_t *args = json_pack("{s:s}", "to", pinging->in->args[0]);

	if (pinging->from)
		return ask_host(&pinging->operator, pinging->from, "ping", args, answer);
	return ask_here(pinging->in, "ping", args, answer);
}

static void print_first(const struct tally *tally, const json_t *answer)
{
	const char *endpoint = json_text_of(answer, "endpoint"), *path = json_text_of(answer, "path");
	char line[512];

	snprintf(line, sizeof(line), "PING %s%s%s%s from %s", tally->port[0] ? tally->port : tally->to,
		tally->port[0] ? " on " : "", tally->port[0] ? tally->to : "", "", json_text_of(answer, "host"));
	if (endpoint)
		snprintf(line + strlen(line), sizeof(line) - strlen(line), " by %s (%s)", endpoint, path ? path : "?");
	if (json_int_of(answer, "path_mtu"))
		snprintf(line + strlen(line), sizeof(line) - strlen(line), ", path MTU %lld",
			json_int_of(answer, "path_mtu"));
	table_clean(line);
	table_text(stdout, line, 0, 5, table_screen_width(stdout));
}

static void print_line(const struct tally *tally, const json_t *answer)
{
	const char *reason = json_text_of(answer, "reason"), *state = json_text_of(answer, "state");
	char line[768];

	if (json_is_true(json_object_get(answer, "answered")))
		snprintf(line, sizeof(line), "%lld bytes from %s: seq=%lu time=%.3f ms", json_int_of(answer, "bytes"),
			tally->to, tally->asked, (double)json_int_of(answer, "rtt_us") / 1000.0);
	else
		snprintf(line, sizeof(line), "no answer from %s: seq=%lu, it is %s%s%s", tally->to, tally->asked,
			state ? state : "unknown", reason ? ": " : "", reason ? reason : "");
	table_clean(line);
	table_text(stdout, line, 0, 5, table_screen_width(stdout));
	fflush(stdout);
}

static void take(struct tally *tally, const json_t *answer, bool json)
{
	const char *to = json_text_of(answer, "to"), *port = json_text_of(answer, "port");
	double ms = (double)json_int_of(answer, "rtt_us") / 1000.0;

	snprintf(tally->to, sizeof(tally->to), "%s", to ? to : "?");
	snprintf(tally->port, sizeof(tally->port), "%s", port ? port : "");
	if (!json && tally->asked == 0)
		print_first(tally, answer);
	tally->asked++;
	if (json_is_true(json_object_get(answer, "answered"))) {
		tally->answered++;
		tally->sum_ms += ms;
		tally->least_ms = tally->answered == 1 || ms < tally->least_ms ? ms : tally->least_ms;
		tally->most_ms = ms > tally->most_ms ? ms : tally->most_ms;
	}
	if (json)
		json_array_append(tally->lines, (json_t *)answer);
	else
		print_line(tally, answer);
}

/* Its host says.  Return: its item in that host's status, new; NULL where that could not be asked */
static json_t *state_of_port(struct pinging *pinging, const struct tally *tally)
{
	const char *slash = strchr(tally->port, '/');
	struct answer answer = { .json = NULL };
	json_t *out = NULL;
	const json_t *port;
	size_t i;

	if (!pinging->knows_controller || !slash)
		return NULL;
	if (!pinging->operator.client && operator_open(pinging->in, &pinging->operator) != CLI_OK)
		return NULL;
	if (ask_host(&pinging->operator, tally->to, "status", NULL, &answer) == CLI_OK)
		json_array_foreach(json_object_get(answer.json, "ports"), i, port) {
			const char *lab = json_text_of(port, "lab"), *name = json_text_of(port, "name");

			if (lab && name && strncmp(tally->port, lab, (size_t)(slash - tally->port)) == 0 &&
				strlen(lab) == (size_t)(slash - tally->port) && strcmp(name, slash + 1) == 0)
				out = json_incref((json_t *)port);
		}
	answer_fini(&answer);
	return out;
}

/* Return: whether it is up, as far as is known */
static bool print_port(const struct tally *tally, const json_t *port)
{
	const char *state = json_text_of(port, "state"), *error = json_text_of(port, "error");
	char line[1024];

	if (!port) {
		printf("whether %s is up there is told by the controller: weft get ports\n", tally->port);
		return true;
	}
	snprintf(line, sizeof(line), "port %s on %s is %s%s%s", tally->port, tally->to, state ? state : "unknown",
		error ? ": " : "", error ? error : "");
	table_clean(line);
	table_text(stdout, line, 0, 5, table_screen_width(stdout));
	return state && (strcmp(state, "up") == 0 || strcmp(state, "limited") == 0);
}

static enum cli_exit conclude(struct pinging *pinging, struct tally *tally)
{
	const unsigned long lost = tally->asked - tally->answered;
	json_t *port = tally->port[0] ? state_of_port(pinging, tally) : NULL;
	bool up = true;

	if (invocation_has(pinging->in, OPTION_JSON)) {
		json_t *out = json_pack("{s:I, s:I, s:O}", "sent", (json_int_t)tally->asked, "answered",
			(json_int_t)tally->answered, "answers", tally->lines);

		if (port)
			json_object_set(out, "port", port);
		up = !port || strcmp(json_text_of(port, "state") ? json_text_of(port, "state") : "", "up") == 0;
		say_json(out);
		json_decref(out);
	} else {
		printf("\n%lu sent, %lu answered, %lu%% lost", tally->asked, tally->answered,
			lost * 100 / tally->asked);
		if (tally->answered)
			printf(", round trip %.3f/%.3f/%.3f ms (least, mean, most)", tally->least_ms,
				tally->sum_ms / (double)tally->answered, tally->most_ms);
		putchar('\n');
		if (tally->port[0])
			up = print_port(tally, port);
	}
	json_decref(port);
	return tally->answered && up ? CLI_OK : CLI_FAILED;
}

static enum cli_exit ping(struct pinging *pinging, unsigned long count)
{
	const bool json = invocation_has(pinging->in, OPTION_JSON);
	const struct timespec pause = { .tv_nsec = PAUSE_NS };
	struct tally tally = { .lines = json_array() };
	enum cli_exit result = CLI_OK;

	for (unsigned long i = 0; i < count && result == CLI_OK; i++) {
		struct answer answer;

		if (i > 0)
			nanosleep(&pause, NULL);
		result = ask_once(pinging, &answer);
		if (result == CLI_OK)
			take(&tally, answer.json, json);
		answer_fini(&answer);
	}
	if (result == CLI_OK)
		result = conclude(pinging, &tally);
	json_decref(tally.lines);
	return result;
}

static bool read_count(const struct invocation *in, unsigned long *count)
{
	const char *text = in->values[OPTION_COUNT];
	char *end;

	*count = COUNT_DEFAULT;
	if (!text)
		return true;
	*count = strtoul(text, &end, 10);
	if (text[0] >= '0' && text[0] <= '9' && *end == '\0' && *count >= 1 && *count <= COUNT_MAX)
		return true;
	(void)say_error(CLI_USAGE, "--count %s: write a number from 1 to %u", text, COUNT_MAX);
	return false;
}

static enum cli_exit run(const struct invocation *in)
{
	struct pinging pinging = { .in = in,
		.from = in->values[OPTION_FROM],
		.knows_controller = ask_knows_controller(in) };
	enum cli_exit result = CLI_OK;
	unsigned long count;

	if (!read_count(in, &count))
		return CLI_USAGE;
	if (!pinging.from && !ask_is_here(in) && pinging.knows_controller)
		return say_error(CLI_USAGE,
			"ping: no weftd runs here that could; name the host that pings: weft ping %s --from HOST",
			in->args[0]);
	if (pinging.from)
		result = operator_open(in, &pinging.operator);
	if (result == CLI_OK)
		result = ping(&pinging, count);
	operator_close(&pinging.operator);
	return result;
}

const struct command command_ping = {
	.name = "ping",
	.arguments = "HOST|PORT",
	.summary = "Ask a host through the tunnel: round trip, loss, path",
	.help = "From this host, or with --from, by the controller, from another.  Each probe is\n"
		"sealed, as large as the path takes, and answered by weftd there, not by a guest.\n"
		"PORT (its name, or LAB/NAME) asks its host, and whether the port is up there.\n"
		"Exit status 1: nothing was answered, or the port is not up.\n",
	.options = OPTION_BIT(COUNT) | OPTION_BIT(FROM),
	.args_min = 1,
	.args_max = 1,
	.run = run,
};
