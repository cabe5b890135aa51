/*
 * wait.c - see wait.h
 *
 * A host is in line once its "applied" is its "wanted": the names of its topology (controller/API.md, "Applied everywhere").  Paths and
 * ports are asked for once all are.
 */
#include "cli/wait.h"

#include "base/clock.h"
#include "base/json.h"
#include "cli/duration.h"
#include "cli/say.h"

#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define POLL_MIN_MS 20U
#define POLL_MAX_MS 500U
#define NAMES_BYTES 256U
#define PATIENCE_MS 2000U /* before it says what it waits for */
#define AWAY_S 8          /* so long it takes an agent at most to find a controller that was restarted */

/* One wait at work */
struct wait {
	struct client *client;
	const struct wait_change *change;
	json_t *away;  /* {name: true} of hosts that were offline at first */
	json_t *hosts; /* the last answer of /v1/hosts */
	json_t *state; /* of /v1/labs/NAME/state; NULL: not asked yet, or there is none */
	json_t *errors;
	bool looked; /* once at least */
	bool late;   /* something is not there yet */
};

/* ---- what the controller says ------------------------------------------------------------------------------ */

static enum cli_exit ask(struct wait *w, const char *path, const char *member, json_t **out)
{
	struct answer answer;
	enum cli_exit result = client_call(w->client, "GET", path, NULL, &answer);

	if (result == CLI_OK && (!answer_good(&answer) || !json_object_get(answer.json, member)))
		result = answer_refused(&answer, "wait");
	if (result == CLI_OK) {
		json_decref(*out);
		*out = json_incref(answer.json);
	}
	answer_fini(&answer);
	return result;
}

static const json_t *item_lookup(const struct wait *w, const char *name)
{
	const json_t *item;
	size_t i;

	json_array_foreach(json_object_get(w->hosts, "items"), i, item) {
		const char *have = json_text_of(item, "name");

		if (have && strcmp(have, name) == 0)
			return item;
	}
	return NULL;
}

/* What is wanted is not known of one that was away when it changed */
static bool in_line(const json_t *item)
{
	const json_t *wanted = json_object_get(item, "wanted");

	return wanted && json_equal(wanted, json_object_get(item, "applied"));
}

static bool is_online(const json_t *item)
{
	return json_is_true(json_object_get(item, "online"));
}

/* A revoked host applies nothing any more, and nobody waits for it */
static bool lacks_it(const json_t *item)
{
	return !json_is_true(json_object_get(item, "revoked")) && (!in_line(item) || !is_online(item));
}

static const char *host_at(const struct wait *w, size_t i)
{
	return json_string_value(json_array_get(json_object_get(w->change->answer, "hosts"), i));
}

static void find_away(struct wait *w)
{
	const char *name;

	for (size_t i = 0; (name = host_at(w, i)); i++) {
		const json_t *item = item_lookup(w, name);

		if (!lacks_it(item) || is_online(item) || json_int_of(item, "offline_s") < AWAY_S)
			continue;
		json_object_set_new(w->away, name, json_true());
		say_note("%s is offline and not waited for", name);
	}
}

/* ---- how it is going --------------------------------------------------------------------------------------- */

/* Return: how many hosts are waited for; their names, as far as they fit, in @names */
static size_t missing_hosts(const struct wait *w, char names[NAMES_BYTES])
{
	size_t count = 0, used = 0;
	const char *name;

	for (size_t i = 0; (name = host_at(w, i)); i++) {
		if (!lacks_it(item_lookup(w, name)) || json_object_get(w->away, name))
			continue;
		count++;
		if (used < NAMES_BYTES)
			used += (size_t)snprintf(names + used, NAMES_BYTES - used, "%s%s", used ? ", " : "", name);
	}
	return count;
}

static long long number_of(const struct wait *w, const char *of, const char *what)
{
	return json_int_of(json_object_get(w->state, of), what);
}

static bool is_refused(const json_t *path)
{
	const char *state = json_text_of(path, "state");

	return state && strcmp(state, "refused") == 0;
}

/* Pairs of which one end at least refuses the other: both may say so, each once */
static long long refused_paths(const struct wait *w)
{
	const json_t *rows = json_object_get(json_object_get(w->state, "paths"), "not_up"), *row, *other;
	long long count = 0;
	size_t i, k;

	json_array_foreach(rows, i, row) {
		bool counted = false;

		json_array_foreach(rows, k, other)
			counted |= k < i && is_refused(other) &&
				json_equal(json_object_get(other, "host"), json_object_get(row, "peer")) &&
				json_equal(json_object_get(other, "peer"), json_object_get(row, "host"));
		count += is_refused(row) && !counted;
	}
	return count;
}

/* Return: how many paths and ports may come up by themselves */
static long long pending(const struct wait *w)
{
	return number_of(w, "paths", "count") - number_of(w, "paths", "up") - number_of(w, "paths", "offline") -
		refused_paths(w) + number_of(w, "paths", "unnamed") + number_of(w, "ports", "count") -
		number_of(w, "ports", "up") - number_of(w, "ports", "offline") - number_of(w, "ports", "failed");
}

/* What it waits for, for people */
static void note_waiting(const struct wait *w, size_t missing, const char *names)
{
	const json_t *path = json_array_get(json_object_get(json_object_get(w->state, "paths"), "not_up"), 0);

	if (missing)
		say_note("waiting for %s", names);
	else if (path)
		say_note("waiting for paths, as %s to %s: %s", json_text_of(path, "host"), json_text_of(path, "peer"),
			json_text_of(path, "state"));
	else
		say_note("waiting for paths and ports");
}

/* ---- the end ----------------------------------------------------------------------------------------------- */

/* An error for people and for --json; @about: its members, consumed */
static void add_error(struct wait *w, const char *host, json_t *about, const char *said)
{
	(void)say_error(CLI_FAILED, "%s: %s", host, said);
	json_object_set_new(about, "host", json_string(host));
	json_array_append_new(w->errors, about);
}

static void say_late_host(struct wait *w, const char *name, const json_t *item)
{
	char text[160];

	if (!item)
		snprintf(text, sizeof(text), "unknown to the controller");
	else if (!is_online(item))
		snprintf(text, sizeof(text), "offline; it will apply this when its weftd is back");
	else
		snprintf(text, sizeof(text), "online, but at revision %lld: it has not applied this yet",
			(long long)json_int_of(item, "applied_rev"));
	add_error(w, name, json_pack("{s:s}", "text", text), text);
	w->late = true;
}

/* What it is about, in words: "port a: " */
static void say_host_error(struct wait *w, const char *host, const json_t *error)
{
	const char *port = json_text_of(error, "port"), *network = json_text_of(error, "network"),
		   *peer = json_text_of(error, "host"),
		   *what = port ? port
		: network       ? network
				: peer;
	json_t *about = json_copy((json_t *)error);
	char said[1024];

	if (peer)
		json_object_set_new(about, "peer", json_string(peer));
	snprintf(said, sizeof(said), "%s%s%s%s",
		port              ? "port "
			: network ? "network "
			: peer    ? "host "
				  : "",
		what ? what : "", what ? ": " : "", json_text_of(error, "text") ? json_text_of(error, "text") : "?");
	add_error(w, host, about, said);
}

/* Not what is another lab's.  Of a peer that is refused the path says so, where it is one of this lab's */
static bool concerns(const struct wait *w, const json_t *error)
{
	const char *lab = json_text_of(error, "lab");

	return lab ? strcmp(lab, w->change->lab) == 0 : !json_text_of(error, "host") || !w->state;
}

/* Return: how many; an agent of before `errors` says what is wrong in one line */
static size_t say_host_errors(struct wait *w, const char *host, const json_t *item)
{
	const json_t *errors = json_object_get(item, "errors"), *error;
	const char *line = json_text_of(item, "error");
	size_t count = 0, i;

	if (!errors && line && *line) {
		add_error(w, host, json_pack("{s:s}", "text", line), line);
		return 1;
	}
	json_array_foreach(errors, i, error) {
		if (!concerns(w, error))
			continue;
		say_host_error(w, host, error);
		count++;
	}
	return count;
}

static void say_path(const json_t *path)
{
	const char *reason = json_text_of(path, "reason");
	long long since = json_int_of(path, "since"), now = (long long)time(NULL);
	char age[DURATION_TEXT_BYTES];

	duration_format(now > since ? (uint64_t)(now - since) * 1000 : 0, age);
	(void)say_error(CLI_FAILED, "path %s to %s: %s%s%s%s%s", json_text_of(path, "host"), json_text_of(path, "peer"),
		json_text_of(path, "state"), since ? " for " : "", since ? age : "", reason ? ": " : "",
		reason ? reason : "");
}

/* Return: whether one is refused, which no waiting mends */
static bool say_paths(struct wait *w)
{
	const json_t *paths = json_object_get(w->state, "paths"), *path;
	long long left =
		number_of(w, "paths", "count") - number_of(w, "paths", "up") - number_of(w, "paths", "offline");
	bool refused = false;
	size_t i;

	json_array_foreach(json_object_get(paths, "not_up"), i, path) {
		refused |= is_refused(path);
		say_path(path);
	}
	if (json_int_of(paths, "unnamed") || (left > 0 && i == 0))
		(void)say_error(CLI_FAILED,
			"%lld more paths of these hosts are not up; `weft get peers HOST` has them all",
			json_int_of(paths, "unnamed") ? (long long)json_int_of(paths, "unnamed") : left);
	return refused;
}

/* Name everything that is not up.  Return: the exit status */
static enum cli_exit say_end(struct wait *w, bool in_time)
{
	const char *name;
	bool failed = false;

	for (size_t i = 0; (name = host_at(w, i)); i++) {
		const json_t *item = item_lookup(w, name);

		if (lacks_it(item))
			say_late_host(w, name, item);
		else
			failed |= say_host_errors(w, name, item) > 0;
	}
	failed |= say_paths(w);
	w->late |= !in_time;
	return failed ? CLI_FAILED : w->late ? CLI_TIMED_OUT : CLI_OK;
}

/* The next look is an eighth of what was waited away: soon where it goes fast, and no burden where it does not */
static void pause_after(uint64_t waited_ms)
{
	uint64_t ms = POLL_MIN_MS + waited_ms / 8;

	usleep((useconds_t)(ms < POLL_MAX_MS ? ms : POLL_MAX_MS) * 1000);
}

/* One look at it.  Return: CLI_OK with *@missing hosts and *@left paths and ports, neither of which may come up later */
static enum cli_exit look(struct wait *w, size_t *missing, char names[NAMES_BYTES], long long *left)
{
	enum cli_exit result = ask(w, "/v1/hosts", "items", &w->hosts);
	char path[128];

	*left = 0;
	if (result != CLI_OK)
		return result;
	if (!w->looked)
		find_away(w);
	w->looked = true;
	*missing = missing_hosts(w, names);
	if (*missing || w->change->deleted)
		return CLI_OK;
	snprintf(path, sizeof(path), "/v1/labs/%s/state", w->change->lab);
	result = ask(w, path, "paths", &w->state);
	if (result == CLI_OK)
		*left = pending(w);
	return result;
}

static enum cli_exit wait_until(struct wait *w)
{
	const struct instant start = instant_now();
	bool told = false;

	for (;;) {
		char names[NAMES_BYTES] = "", text[DURATION_TEXT_BYTES];
		uint64_t waited_ms = instant_since_ms(instant_now(), start);
		size_t missing = 0;
		long long left;
		enum cli_exit result = look(w, &missing, names, &left);

		if (result != CLI_OK)
			return result;
		if (!missing && left <= 0)
			return say_end(w, true);
		if (waited_ms >= w->change->timeout_ms) {
			result = say_end(w, false);
			duration_format(w->change->timeout_ms, text);
			say_note(
				"not all of it is up after %s; `weft get hosts` and `weft get peers` show how it goes on",
				text);
			return result;
		}
		if (!told && waited_ms >= PATIENCE_MS) {
			note_waiting(w, missing, names);
			told = true;
		}
		pause_after(waited_ms);
	}
}

enum cli_exit wait_change(struct client *client, const struct wait_change *change, json_t *out)
{
	struct wait w = { .client = client, .change = change, .away = json_object(), .errors = json_array() };
	enum cli_exit result = wait_until(&w);

	if (w.looked) {
		if (w.state) {
			json_object_set(out, "paths", json_object_get(w.state, "paths"));
			json_object_set(out, "ports", json_object_get(w.state, "ports"));
		}
		json_object_set(out, "errors", w.errors);
	}
	json_decref(w.away);
	json_decref(w.hosts);
	json_decref(w.state);
	json_decref(w.errors);
	return result;
}
