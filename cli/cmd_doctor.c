/*
 * cmd_doctor.c - `weft doctor`: gathers what is known of a host, from itself, the controller and its peers, and judges it
 *
 * What is judged how is checks.h's.  Peers are looked at from both sides, DOCTOR_PEERS at most, those in trouble first: each is
 * pinged, and then asked what it heard.
 */
#include "base/checkup.h"
#include "base/json.h"
#include "cli/ask.h"
#include "cli/checks.h"
#include "cli/commands.h"
#include "cli/say.h"
#include "cli/table.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define DOCTOR_PEERS 16U
#define INDENT 9

struct examination {
	const struct invocation *in;
	const char *host; /* NULL: this one */
	struct operator operator;
	json_t *facts;
};

static enum cli_exit ask(struct examination *x, const char *question, json_t *args, struct answer *answer)
{
	if (x->host && x->operator.client)
		return ask_host(&x->operator, x->host, question, args, answer);
	return ask_here(x->in, question, args, answer);
}

/* What goes wrong while facts are gathered is a fact, and not said at once.  Return: where stderr was */
static int hush(void)
{
	int was = dup(STDERR_FILENO);

	fflush(stderr);
	if (!freopen("/dev/null", "w", stderr))
		return was;
	return was;
}

static void speak(int was)
{
	fflush(stderr);
	if (was < 0)
		return;
	(void)dup2(was, STDERR_FILENO);
	close(was);
}

/* ---- facts ---------------------------------------------------------------------------------------------------- */

/* What systemd says of weftd's unit, in its own words: "inactive", "failed" */
static void add_unit(json_t *local)
{
	FILE *answer = popen("systemctl is-active weftd 2>/dev/null", "re");
	char word[32] = "";

	if (!answer)
		return;
	if (fscanf(answer, "%31s", word) == 1)
		json_object_set_new(local, "unit", json_string(word));
	pclose(answer);
}

static void of_this_machine(struct examination *x)
{
	char path[4096];
	json_t *local = json_pack("{s:b, s:b}", "root", geteuid() == 0, "running", ask_is_here(x->in));

	if (!ask_is_here(x->in))
		add_unit(local);
	snprintf(path, sizeof(path), "%s/agent.json", x->in->state);
	json_object_set_new(local, "joined", json_boolean(access(path, F_OK) == 0));
	json_object_set_new(local, "machine", checkup_machine());
	json_object_set_new(x->facts, "local", local);
}

static enum cli_exit of_agent(struct examination *x)
{
	enum cli_exit result = CLI_OK;
	struct answer answer;

	if (ask(x, "doctor", NULL, &answer) == CLI_OK)
		json_object_set(x->facts, "agent", answer.json);
	else
		json_object_set_new(x->facts, "why",
			json_string(answer.status == 504 ? "it does not answer in time, as one that is older"
							 : "it is offline"));
	if (x->host && answer.status == 404)
		result = CLI_USAGE;
	answer_fini(&answer);
	return result;
}

/* Return: CLI_OK, or CLI_UNREACHABLE after it has said why */
static enum cli_exit of_controller(struct examination *x)
{
	json_t *controller = json_object();
	struct answer answer = { .json = NULL };
	enum cli_exit result = client_call(x->operator.client, "GET", "/v1/fabric", NULL, &answer);

	if (result == CLI_OK && answer_good(&answer))
		json_object_set(controller, "time", json_object_get(answer.json, "time"));
	answer_fini(&answer);
	json_object_set_new(x->facts, "controller", controller);
	return result;
}

static void of_host(struct examination *x)
{
	const char *name = x->host;
	struct answer answer = { .json = NULL };
	const json_t *host;
	size_t i;

	if (!name)
		name = json_text_of(json_object_get(json_object_get(x->facts, "agent"), "status"), "host");
	if (name && client_call(x->operator.client, "GET", "/v1/hosts", NULL, &answer) == CLI_OK &&
		answer_good(&answer))
		json_array_foreach(json_object_get(answer.json, "items"), i, host)
			if (json_text_of(host, "name") && strcmp(json_text_of(host, "name"), name) == 0)
				json_object_set(json_object_get(x->facts, "controller"), "host", (json_t *)host);
	answer_fini(&answer);
}

static json_t *peers_of(const struct examination *x)
{
	return json_object_get(json_object_get(json_object_get(x->facts, "agent"), "status"), "peers");
}

static void ping_peer(struct examination *x, const char *peer)
{
	json_t *pings = json_object_get(x->facts, "pings");
	struct answer answer;

	if (ask(x, "ping", json_pack("{s:s}", "to", peer), &answer) == CLI_OK)
		json_object_set(pings, peer, json_object_get(answer.json, "answered"));
	answer_fini(&answer);
}

/* What @peer knows of the host */
static void ask_witness(struct examination *x, const char *peer)
{
	const char *name = json_text_of(json_object_get(json_object_get(x->facts, "agent"), "status"), "host");
	json_t *witness = json_object_get(x->facts, "witness");
	struct answer answer;
	const json_t *row;
	size_t i;

	json_object_set_new(witness, peer, json_pack("{s:s}", "unknown", "it has no row of this host"));
	if (ask_host(&x->operator, peer, "peers", NULL, &answer) == CLI_OK)
		json_array_foreach(json_object_get(answer.json, "peers"), i, row)
			if (json_text_of(row, "host") && strcmp(json_text_of(row, "host"), name ? name : "") == 0)
				json_object_set(witness, peer, (json_t *)row);
	if (!answer.json || answer.status != 200)
		json_object_set_new(witness, peer,
			json_pack("{s:s}", "unknown", answer.status == 503 ? "it is offline" : "it cannot be asked"));
	answer_fini(&answer);
}

static void look_at(struct examination *x, const json_t *peer, unsigned int *looked_at)
{
	const char *name = json_text_of(peer, "host");

	if (!name || *looked_at >= DOCTOR_PEERS || json_object_get(json_object_get(x->facts, "pings"), name))
		return;
	ping_peer(x, name);
	if (x->operator.client) {
		ask_witness(x, name);
		++*looked_at;
	}
}

static void of_peers(struct examination *x)
{
	unsigned int looked_at = 0;
	const json_t *peer;
	struct answer now;
	size_t i;

	json_object_set_new(x->facts, "pings", json_object());
	json_object_set_new(x->facts, "witness", json_object());
	json_array_foreach(peers_of(x), i, peer)
		if (json_text_of(peer, "state") && strcmp(json_text_of(peer, "state"), "up") != 0)
			look_at(x, peer, &looked_at);
	json_array_foreach(peers_of(x), i, peer)
		look_at(x, peer, &looked_at);
	json_object_set_new(x->facts, "looked_at", json_integer(looked_at));
	/* whom this host has heard meanwhile */
	if (peers_of(x) && ask(x, "peers", NULL, &now) == CLI_OK) {
		json_object_set(json_object_get(json_object_get(x->facts, "agent"), "status"), "peers",
			json_object_get(now.json, "peers"));
		answer_fini(&now);
	}
}

/* ---- findings -------------------------------------------------------------------------------------------------- */

static void print_finding(const json_t *finding)
{
	const char *result = json_text_of(finding, "result"), *command = json_text_of(finding, "command");
	const size_t width = table_screen_width(stdout);
	char line[2048];

	snprintf(line, sizeof(line), "%-*s%s: %s", INDENT, strcmp(result, "ok") == 0 ? "OK" : result,
		json_text_of(finding, "check"), json_text_of(finding, "text"));
	table_clean(line);
	table_text(stdout, line, 0, INDENT, width);
	if (!command)
		return;
	/* as one line, to be copied */
	printf("%*s%s\n", INDENT, "", command);
}

static enum cli_exit conclude(const struct examination *x, const json_t *findings)
{
	size_t warnings = 0, errors = 0, i;
	const json_t *finding;

	json_array_foreach(findings, i, finding) {
		const char *result = json_text_of(finding, "result");

		warnings += strcmp(result, "warning") == 0;
		errors += strcmp(result, "error") == 0;
		if (!invocation_has(x->in, OPTION_JSON))
			print_finding(finding);
	}
	if (invocation_has(x->in, OPTION_JSON)) {
		json_t *out = json_pack("{s:O, s:O}", "findings", (json_t *)findings, "facts", x->facts);

		say_json(out);
		json_decref(out);
	} else if (warnings + errors == 0) {
		printf("\nall is well\n");
	} else {
		printf("\n%zu error%s, %zu warning%s\n", errors, errors == 1 ? "" : "s", warnings,
			warnings == 1 ? "" : "s");
	}
	return warnings + errors ? CLI_FAILED : CLI_OK;
}

/* Return: CLI_OK, or why there is nothing to be judged, said already */
static enum cli_exit gather(struct examination *x)
{
	enum cli_exit result;
	int was;

	if (x->host) {
		result = operator_open(x->in, &x->operator);
		if (result == CLI_OK)
			result = of_controller(x);
		if (result != CLI_OK)
			return result;
	}
	was = hush();
	if (!x->host) {
		of_this_machine(x);
		if (ask_knows_controller(x->in) &&
			(operator_open(x->in, &x->operator) != CLI_OK || of_controller(x) != CLI_OK))
			operator_close(&x->operator);
	}
	result = of_agent(x);
	if (x->operator.client)
		of_host(x);
	of_peers(x);
	speak(was);
	if (result == CLI_USAGE)
		return say_error(result, "doctor: there is no host \"%s\"; `weft get hosts` lists them", x->host);
	return result;
}

static enum cli_exit run(const struct invocation *in)
{
	struct examination x = { .in = in, .host = in->args[0], .facts = json_object() };
	enum cli_exit result = gather(&x);

	if (result == CLI_OK) {
		json_t *findings = checks_judge(x.facts);

		result = conclude(&x, findings);
		json_decref(findings);
	}
	json_decref(x.facts);
	operator_close(&x.operator);
	return result;
}

const struct command command_doctor = {
	.name = "doctor",
	.arguments = "[HOST]",
	.summary = "Find out why something does not work, and how to mend it",
	.help = "Looks at this host, or by the controller at HOST: clock, controller, UDP to each\n"
		"peer in both directions, NAT, path MTU, offloads, ports, filters, kernel, files.\n"
		"Each finding is OK, a warning or an error with the command that mends it; capital\n"
		"words in a command are to be replaced.  Exit status 1: there are findings.\n",
	.args_max = 1,
	.run = run,
};
