/*
 * wait.c - see wait.h
 *
 * A host is in line once its "applied" is its "wanted": the names of its topology (controller/API.md, "Applied everywhere").
 */
#include "cli/wait.h"

#include "base/clock.h"
#include "cli/duration.h"
#include "cli/say.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define POLL_MIN_MS 20U
#define POLL_MAX_MS 500U
#define NAMES_BYTES 1024U
#define PATIENCE_MS 2000U /* before it says what it waits for */

struct progress {
	unsigned int missing;
	char names[NAMES_BYTES]; /* "gcp-1 (offline), aws-1 (at revision 40)" */
};

static const json_t *item_lookup(const json_t *items, const char *name)
{
	const json_t *item;
	size_t i;

	json_array_foreach(items, i, item) {
		const char *have = json_string_value(json_object_get(item, "name"));

		if (have && strcmp(have, name) == 0)
			return item;
	}
	return NULL;
}

static void add_missing(struct progress *progress, const char *name, const json_t *item)
{
	size_t used = strlen(progress->names);
	char state[64];

	if (!item)
		snprintf(state, sizeof(state), "unknown");
	else if (json_is_true(json_object_get(item, "online")))
		snprintf(state, sizeof(state), "online, at revision %lld",
			(long long)json_integer_value(json_object_get(item, "applied_rev")));
	else
		snprintf(state, sizeof(state), "offline");
	snprintf(progress->names + used, NAMES_BYTES - used, "%s%s (%s)", used ? ", " : "", name, state);
	progress->missing++;
}

/* What is wanted is not known of one that was away when it changed */
static bool in_line(const json_t *item)
{
	const json_t *wanted = json_object_get(item, "wanted");

	return wanted && json_equal(wanted, json_object_get(item, "applied"));
}

/* A revoked host applies nothing any more, and nobody waits for it */
static struct progress progress_of(const json_t *hosts, const json_t *items)
{
	struct progress progress = { .missing = 0, .names = "" };
	const json_t *host;
	size_t i;

	json_array_foreach(hosts, i, host) {
		const char *name = json_string_value(host);
		const json_t *item = name ? item_lookup(items, name) : NULL;

		if (!name || json_is_true(json_object_get(item, "revoked")))
			continue;
		if (!in_line(item))
			add_missing(&progress, name, item);
	}
	return progress;
}

static const char *text_of(const json_t *object, const char *key)
{
	return json_string_value(json_object_get(object, key));
}

/* One error of a host, unless it is another lab's */
static enum cli_exit report_error(const char *host, const json_t *error, const char *lab)
{
	const char *whose = text_of(error, "lab"), *port = text_of(error, "port"), *network = text_of(error, "network"),
		   *other = text_of(error, "host"), *text = text_of(error, "text");

	if (whose && strcmp(whose, lab) != 0)
		return CLI_OK;
	if (port || network)
		return say_error(CLI_FAILED, "%s: %s %s: %s", host, port ? "port" : "network", port ? port : network,
			text);
	if (other)
		return say_error(CLI_FAILED, "%s: host %s: %s", host, other, text);
	return say_error(CLI_FAILED, "%s: %s", host, text);
}

/* An agent of before `errors` says what is wrong in one line */
static enum cli_exit report_errors_of(const char *host, const json_t *item, const char *lab)
{
	const json_t *errors = json_object_get(item, "errors"), *error;
	const char *line = text_of(item, "error");
	enum cli_exit result = CLI_OK;
	size_t i;

	if (!errors && line && *line)
		return say_error(CLI_FAILED, "%s: %s", host, line);
	json_array_foreach(errors, i, error)
		if (report_error(host, error, lab) != CLI_OK)
			result = CLI_FAILED;
	return result;
}

/* Everybody is there: did all of them manage?  Errors of hosts, a line each */
static enum cli_exit report_errors(const json_t *hosts, const json_t *items, const char *lab)
{
	enum cli_exit result = CLI_OK;
	const json_t *host;
	size_t i;

	json_array_foreach(hosts, i, host) {
		const char *name = json_string_value(host);
		const json_t *item = name ? item_lookup(items, name) : NULL;

		if (item && report_errors_of(name, item, lab) != CLI_OK)
			result = CLI_FAILED;
	}
	return result;
}

/* The next look is an eighth of what was waited away: soon where it goes fast, and no burden where it does not */
static void pause_after(uint64_t waited_ms)
{
	uint64_t ms = POLL_MIN_MS + waited_ms / 8;

	usleep((useconds_t)(ms < POLL_MAX_MS ? ms : POLL_MAX_MS) * 1000);
}

enum cli_exit wait_applied(struct client *client, const char *lab, const json_t *change, uint64_t timeout_ms)
{
	const json_t *hosts = json_object_get(change, "hosts");
	json_int_t rev = json_integer_value(json_object_get(change, "rev"));
	struct instant start = instant_now();
	bool told = false;

	for (;;) {
		struct answer answer;
		enum cli_exit result = client_call(client, "GET", "/v1/hosts", NULL, &answer);
		const json_t *items = json_object_get(answer.json, "items");
		struct progress progress = progress_of(hosts, items);
		uint64_t waited_ms = instant_since_ms(instant_now(), start);
		char text[DURATION_TEXT_BYTES];
		bool done = result != CLI_OK;

		if (result == CLI_OK && (!answer_good(&answer) || !json_is_array(items))) {
			result = answer_refused(&answer, "wait");
			done = true;
		} else if (result == CLI_OK && progress.missing == 0) {
			result = report_errors(hosts, items, lab);
			done = true;
		} else if (result == CLI_OK && waited_ms >= timeout_ms) {
			duration_format(timeout_ms, text);
			result = say_error(CLI_TIMED_OUT,
				"after %s, revision %lld is made but not yet applied by %s; `weft get "
				"hosts` shows when it is",
				text, (long long)rev, progress.names);
			done = true;
		} else if (result == CLI_OK && !told && waited_ms >= PATIENCE_MS) {
			say_note("waiting for %s", progress.names);
			told = true;
		}
		answer_fini(&answer);
		if (done)
			return result;
		pause_after(waited_ms);
	}
}
