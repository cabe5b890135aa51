/*
 * cmd_get.c - `weft get`: what the controller knows, as tables, JSON, and a stream of changes
 */
#include "base/json.h"
#include "base/suggest.h"
#include "cli/commands.h"
#include "cli/drop_help.h"
#include "cli/duration.h"
#include "cli/get_peers.h"
#include "cli/operator.h"
#include "cli/say.h"
#include "cli/table.h"
#include "lab/lab_network.h"
#include "lab/lab_port.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

struct kind {
	const char *name;
	const char *lab_member;  /* of an item: which lab it is of; NULL where it is of none */
	const char *identity[4]; /* members that tell one item from another */
	struct table_column columns[8];
	void (*row)(struct table *table, const json_t *item);
	const struct attributes *attributes; /* whose columns stand behind; NULL: none do */
	const char *none;                    /* what to say of an empty list */
};

/* "a, b" or "10,20": a list of text or numbers */
static void add_list(struct table *table, const json_t *list)
{
	char text[512] = "";
	size_t used = 0, i;
	const json_t *item;

	json_array_foreach(list, i, item) {
		int more = json_is_integer(item)
			? snprintf(text + used, sizeof(text) - used, "%s%lld", i ? "," : "",
				  (long long)json_integer_value(item))
			: snprintf(text + used, sizeof(text) - used, "%s%s", i ? ", " : "", json_string_value(item));

		used += (size_t)more;
		if (used >= sizeof(text))
			break;
	}
	table_add(table, text);
}

/* Any value.  Of an object with one member, as {"access": 10}, that member's */
static void add_value(struct table *table, const json_t *value)
{
	if (json_is_object(value))
		value = json_object_iter_value(json_object_iter((json_t *)value));
	if (json_is_array(value))
		add_list(table, value);
	else if (json_is_integer(value))
		table_addf(table, "%lld", (long long)json_integer_value(value));
	else if (json_is_boolean(value))
		table_add(table, json_is_true(value) ? "yes" : "no");
	else
		table_add(table, json_string_value(value));
}

/* What an attribute's column looks like: numbers to the right, and MAC addresses are never cut */
static struct table_column column_of(const struct attribute *row)
{
	return (struct table_column){ .title = row->column,
		.right = row->type->shape == VALUE_NUMBER,
		.shrinks = row->type == &value_type_name || row->type == &value_type_attach ||
			row->type->shape == VALUE_MAPPING || row->type->shape == VALUE_LIST ||
			row->type->shape == VALUE_ONE_OR_LIST };
}

/* The revision that the host has applied, and the one that it is to apply where that is another */
static void add_applied(struct table *table, const json_t *host)
{
	const json_t *wanted = json_object_get(host, "wanted"), *applied = json_object_get(host, "applied");

	if (!wanted || json_equal(wanted, applied))
		table_addf(table, "%lld", json_int_of(host, "applied_rev"));
	else
		table_addf(table, "%lld of %lld", json_int_of(host, "applied_rev"), json_int_of(host, "wanted_rev"));
}

/* " for 3m" since @item's `since`; "" where there is none */
static const char *for_how_long(const json_t *item, char out[DURATION_TEXT_BYTES + 8])
{
	long long since = json_int_of(item, "since"), now = (long long)time(NULL);
	char age[DURATION_TEXT_BYTES];

	duration_format(now > since ? (uint64_t)(now - since) * 1000 : 0, age);
	snprintf(out, DURATION_TEXT_BYTES + 8, "%s%s", since ? " for " : "", since ? age : "");
	return out;
}

/* Each with what it is about and since when; an agent of before `errors` has one line */
static void note_errors(struct table *table, const json_t *host)
{
	const json_t *errors = json_object_get(host, "errors"), *error;
	const char *name = json_text_of(host, "name");
	char age[DURATION_TEXT_BYTES + 8];
	size_t i;

	if (!errors && json_text_of(host, "error"))
		table_note(table, "%s: %s", name, json_text_of(host, "error"));
	json_array_foreach(errors, i, error) {
		const char *lab = json_text_of(error, "lab"), *port = json_text_of(error, "port"),
			   *network = json_text_of(error, "network"), *peer = json_text_of(error, "host"),
			   *what = port ? port
			: network       ? network
					: peer;

		table_note(table, "%s%s%s%s%s%s%s: %s", name, what ? ": " : "",
			port              ? "port "
				: network ? "network "
				: peer    ? "host "
					  : "",
			what && lab ? lab : "", what && lab ? "/" : "", what ? what : "", for_how_long(error, age),
			json_text_of(error, "text"));
	}
}

#define CERTIFICATE_NOTE_S (30LL * 24 * 3600)

/* The day; below the table, what to do where that is soon */
static void add_certificate_end(struct table *table, const json_t *host)
{
	const time_t end = (time_t)json_int_of(host, "certificate_end");
	const long long left_s = (long long)end - (long long)time(NULL);
	const char *name = json_text_of(host, "name");
	char text[DURATION_TEXT_BYTES + 32] = "";
	struct tm day;

	if (end > 0 && gmtime_r(&end, &day))
		strftime(text, sizeof(text), "%Y-%m-%d", &day);
	table_add(table, text);
	if (end <= 0 || left_s > CERTIFICATE_NOTE_S || json_is_true(json_object_get(host, "revoked")))
		return;
	duration_format((uint64_t)(left_s > 0 ? left_s : -left_s) * 1000, text);
	table_note(table,
		left_s > 0
			? "%s: its certificate ends in %s; weft token %s, and weft join --force there, give it a new one"
			: "%s: its certificate ended %s ago; weft token %s, and weft join --force there, give it a new one",
		name, text, name);
}

static void host_row(struct table *table, const json_t *host)
{
	long long seen = json_int_of(host, "last_seen"), now = (long long)time(NULL);
	bool online = json_is_true(json_object_get(host, "online"));
	char age[DURATION_TEXT_BYTES] = "";

	if (seen > 0)
		duration_format(now > seen ? (uint64_t)(now - seen) * 1000 : 0, age);
	table_add(table, json_text_of(host, "name"));
	table_add(table, json_is_true(json_object_get(host, "revoked")) ? "revoked" : online ? "online" : "offline");
	table_add(table, json_text_of(host, "endpoint"));
	add_applied(table, host);
	table_add(table, online ? "now" : age);
	table_add(table, json_text_of(host, "version"));
	add_certificate_end(table, host);
	note_errors(table, host);
}

static void network_row(struct table *table, const json_t *network)
{
	table_add(table, json_text_of(network, "lab"));
	table_add(table, json_text_of(network, "name"));
	table_addf(table, "%lld", json_int_of(network, "id"));
}

static void port_row(struct table *table, const json_t *port)
{
	char age[DURATION_TEXT_BYTES + 8];

	table_add(table, json_text_of(port, "lab"));
	table_add(table, json_text_of(port, "name"));
	table_add(table, json_text_of(port, "state"));
	if (json_text_of(port, "error"))
		table_note(table, "%s/%s%s: %s", json_text_of(port, "lab"), json_text_of(port, "name"),
			for_how_long(port, age), json_text_of(port, "error"));
}

static void lab_row(struct table *table, const json_t *lab)
{
	table_add(table, json_text_of(lab, "name"));
	table_addf(table, "%lld", json_int_of(lab, "rev"));
	table_addf(table, "%lld", json_int_of(lab, "networks"));
	table_addf(table, "%lld", json_int_of(lab, "ports"));
	add_value(table, json_object_get(lab, "hosts"));
}

static void mac_row(struct table *table, const json_t *mac)
{
	table_add(table, json_text_of(mac, "lab"));
	table_add(table, json_text_of(mac, "network"));
	if (json_int_of(mac, "vlan") > 0)
		table_addf(table, "%lld", json_int_of(mac, "vlan"));
	else
		table_add(table, NULL);
	table_add(table, json_text_of(mac, "mac"));
	table_add(table, json_text_of(mac, "host"));
	table_add(table, json_text_of(mac, "port"));
}

/* How long ago @key was, in Unix seconds */
static void add_age(struct table *table, const json_t *item, const char *key)
{
	long long then = json_int_of(item, key), now = (long long)time(NULL);
	char age[DURATION_TEXT_BYTES] = "";

	if (then > 0)
		duration_format(now > then ? (uint64_t)(now - then) * 1000 : 0, age);
	table_add(table, age);
}

static void drop_row(struct table *table, const json_t *drop)
{
	double rate = json_number_value(json_object_get(drop, "rate"));

	table_add(table, json_text_of(drop, "host"));
	table_add(table, json_text_of(drop, "name"));
	table_addf(table, "%lld", json_int_of(drop, "count"));
	if (json_object_get(drop, "rate"))
		table_addf(table, "%.*f/s", rate > 0 && rate < 10 ? 1 : 0, rate);
	else
		table_add(table, NULL);
	add_age(table, drop, "since");
	add_age(table, drop, "last");
}

static void peer_row(struct table *table, const json_t *path)
{
	table_add(table, json_text_of(path, "host"));
	table_add(table, json_text_of(path, "peer"));
	table_add(table, json_text_of(path, "state"));
	add_age(table, path, "since");
	table_add(table, json_text_of(path, "endpoint"));
	if (json_text_of(path, "reason"))
		table_note(table, "%s to %s: %s", json_text_of(path, "host"), json_text_of(path, "peer"),
			json_text_of(path, "reason"));
}

/* The list has what is not up; how many there are stands beside it */
static void print_paths(const json_t *paths)
{
	long long unknown = json_int_of(paths, "unknown");

	printf("%lld of %lld paths up", (long long)json_int_of(paths, "up"), (long long)json_int_of(paths, "count"));
	if (unknown)
		printf("; %lld %s not known, since no host that is online speaks of %s", unknown,
			unknown == 1 ? "is" : "are", unknown == 1 ? "it" : "them");
	putchar('\n');
}

/* Each name once, with what it means and what to do */
static void explain_drops(const json_t *items)
{
	json_t *told = json_object();
	const json_t *item;
	size_t i;

	json_array_foreach(items, i, item) {
		const char *name = json_text_of(item, "name"), *text = name ? drop_help_text(name) : NULL;

		if (!text || json_object_get(told, name))
			continue;
		json_object_set_new(told, name, json_true());
		putchar('\n');
		drop_help_print(name, text);
	}
	json_decref(told);
}

static const struct kind kinds[] = {
	{ "hosts", NULL, { "name" },
		{ { .title = "HOST", .shrinks = true }, { .title = "STATE" }, { .title = "ENDPOINT", .shrinks = true },
			{ .title = "APPLIED", .right = true }, { .title = "SEEN", .right = true },
			{ .title = "VERSION", .shrinks = true }, { .title = "CERT ENDS" } },
		host_row, NULL, "no host has joined yet; `weft token HOST` makes a token for one" },
	{ "networks", "lab", { "lab", "name" },
		{ { .title = "LAB", .shrinks = true, .first = true }, { .title = "NETWORK", .shrinks = true },
			{ .title = "ID", .right = true } },
		network_row, &network_attributes, "no networks; `weft apply FILE.yaml` makes them" },
	{ "ports", "lab", { "lab", "name" },
		{ { .title = "LAB", .shrinks = true, .first = true }, { .title = "PORT", .shrinks = true },
			{ .title = "STATE" } },
		port_row, &port_attributes, "no ports; `weft apply FILE.yaml` makes them" },
	{ "labs", "name", { "name" },
		{ { .title = "LAB", .shrinks = true, .first = true }, { .title = "REVISION", .right = true },
			{ .title = "NETWORKS", .right = true }, { .title = "PORTS", .right = true },
			{ .title = "HOSTS", .shrinks = true } },
		lab_row, NULL, "no labs; `weft apply FILE.yaml` makes one" },
	{ "macs", "lab", { "network_id", "vlan", "mac", "host" },
		{ { .title = "LAB", .shrinks = true, .first = true }, { .title = "NETWORK", .shrinks = true },
			{ .title = "VLAN", .right = true }, { .title = "MAC" }, { .title = "HOST", .shrinks = true },
			{ .title = "PORT", .shrinks = true } },
		mac_row, NULL, "no host has seen a MAC address yet" },
	{ "drops", NULL, { "host", "name" },
		{ { .title = "HOST", .shrinks = true }, { .title = "DROP" }, { .title = "COUNT", .right = true },
			{ .title = "RATE", .right = true }, { .title = "SINCE", .right = true },
			{ .title = "LAST", .right = true } },
		drop_row, NULL, "no host has dropped anything" },
	{ "peers", NULL, { "host", "peer" },
		{ { .title = "HOST", .shrinks = true }, { .title = "PEER", .shrinks = true }, { .title = "STATE" },
			{ .title = "SINCE", .right = true }, { .title = "TRIED" } },
		peer_row, NULL, NULL },
};

#define KINDS (sizeof(kinds) / sizeof(kinds[0]))
#define COLUMNS_OF_KIND (sizeof(kinds[0].columns) / sizeof(kinds[0].columns[0]))

/* One `weft get` in progress */
struct getting {
	const struct invocation *in;
	const struct kind *kind;
	struct table_column columns[TABLE_COLUMNS_MAX]; /* with CHANGE in front for a watch */
	size_t columns_count;
	struct table *table;
	json_t *known; /* while watching: what was shown, by identity */
};

static bool of_lab(const struct getting *getting, const json_t *item)
{
	const char *wanted = getting->in->values[OPTION_LAB];
	const char *lab = getting->kind->lab_member ? json_text_of(item, getting->kind->lab_member) : NULL;

	return !wanted || (lab && strcmp(lab, wanted) == 0);
}

static void add_column(struct getting *getting, struct table_column column)
{
	if (getting->columns_count < TABLE_COLUMNS_MAX)
		getting->columns[getting->columns_count] = column;
	getting->columns_count++; /* more than there can be: table_new() refuses */
}

static void add_columns(struct getting *getting, bool watching)
{
	const struct attributes *table = getting->kind->attributes;

	if (watching)
		add_column(getting, (struct table_column){ .title = "CHANGE" });
	for (size_t i = 0; i < COLUMNS_OF_KIND && getting->kind->columns[i].title; i++)
		add_column(getting, getting->kind->columns[i]);
	for (size_t i = 0; table && i < table->count; i++)
		if (table->rows[i].column)
			add_column(getting, column_of(&table->rows[i]));
}

static void add_row(struct getting *getting, const json_t *item)
{
	const struct attributes *table = getting->kind->attributes;

	getting->kind->row(getting->table, item);
	for (size_t i = 0; table && i < table->count; i++)
		if (table->rows[i].column)
			add_value(getting->table, json_object_get(item, table->rows[i].name));
}

/* Adds one row, unless it is of another lab or, in a watch, was shown already */
static void show(struct getting *getting, const char *change, const json_t *item)
{
	char key[512] = "";
	json_t *kept;
	size_t used = 0;

	if (!json_is_object(item) || !of_lab(getting, item))
		return;
	if (getting->known) {
		for (size_t i = 0; i < 4 && getting->kind->identity[i]; i++) {
			const json_t *part = json_object_get(item, getting->kind->identity[i]);

			used += (size_t)snprintf(key + used, sizeof(key) - used, "%s/%lld ",
				json_is_string(part) ? json_string_value(part) : "",
				(long long)json_integer_value(part));
			if (used >= sizeof(key))
				return;
		}
		/* every report moves it; that alone is no news */
		kept = json_copy((json_t *)item);
		json_object_del(kept, "last_seen");
		if (strcmp(change, "delete") == 0 ? json_object_del(getting->known, key) != 0
						  : json_equal(json_object_get(getting->known, key), kept)) {
			json_decref(kept);
			return;
		}
		if (strcmp(change, "delete") != 0)
			json_object_set_nocheck(getting->known, key, kept);
		json_decref(kept);
		if (invocation_has(getting->in, OPTION_JSON)) {
			json_t *line = json_pack("{s:s, s:O}", "op", change, "item", item);

			json_dumpf(line, stdout, JSON_COMPACT);
			putchar('\n');
			json_decref(line);
			return;
		}
		table_add(getting->table, change);
	}
	add_row(getting, item);
}

/* The lab may be misspelt: @items are what there is of the other labs */
static void note_nothing_of_lab(const struct getting *getting, const json_t *items)
{
	const char *typed = getting->in->values[OPTION_LAB], *meant = NULL;
	const char **words = calloc(json_array_size(items) + 1, sizeof(*words));
	const json_t *item;
	size_t count = 0, i;

	if (words) {
		json_array_foreach(items, i, item)
			if (json_text_of(item, getting->kind->lab_member))
				words[count++] = json_text_of(item, getting->kind->lab_member);
		meant = suggest(typed, words, count);
	}
	if (meant)
		say_note("there is nothing of a lab %s; did you mean %s?", typed, meant);
	else
		say_note("there is nothing of a lab %s; `weft get labs` lists the labs", typed);
	free(words);
}

static void show_all(struct getting *getting, const json_t *items)
{
	const json_t *item;
	size_t i;

	json_array_foreach(items, i, item)
		show(getting, "put", item);
	if (table_rows(getting->table) > 0)
		table_print(getting->table, stdout, table_screen_width(stdout));
	else if (invocation_has(getting->in, OPTION_LAB))
		note_nothing_of_lab(getting, items);
	else if (!invocation_has(getting->in, OPTION_JSON) && getting->kind->none)
		say_note("%s", getting->kind->none);
	if (getting->kind->row == drop_row && !getting->known)
		explain_drops(items);
	fflush(stdout);
}

static void print_json(const struct getting *getting, const json_t *answer)
{
	json_t *out = json_copy((json_t *)answer), *items = json_array();
	const json_t *item;
	size_t i;

	json_array_foreach(json_object_get(answer, "items"), i, item)
		if (of_lab(getting, item))
			json_array_append(items, (json_t *)item);
	json_object_set_new(out, "items", items);
	say_json(out);
	json_decref(out);
}

static bool on_change(void *ctx, const json_t *line)
{
	struct getting *getting = ctx;
	const char *op = json_text_of(line, "op");

	show(getting, op && strcmp(op, "delete") == 0 ? "delete" : "put", json_object_get(line, "item"));
	if (table_rows(getting->table) > 0)
		table_print(getting->table, stdout, table_screen_width(stdout));
	fflush(stdout);
	return !ferror(stdout);
}

static enum cli_exit watch(struct getting *getting, struct client *client, json_int_t rev)
{
	struct answer answer;
	enum cli_exit result;
	char path[64];

	snprintf(path, sizeof(path), "/v1/%s?watch=%lld", getting->kind->name, (long long)rev);
	result = client_watch(client, path, on_change, getting, &answer);
	if (result == CLI_OK && answer.status != 200)
		result = answer_refused(&answer, "get");
	else if (result == CLI_OK)
		result = say_error(CLI_UNREACHABLE, "the controller ended the stream; run the command again");
	answer_fini(&answer);
	return result;
}

static enum cli_exit get(struct getting *getting, struct client *client)
{
	struct answer answer;
	enum cli_exit result;
	json_int_t rev;
	char path[32];

	snprintf(path, sizeof(path), "/v1/%s", getting->kind->name);
	result = client_call(client, "GET", path, NULL, &answer);
	if (result == CLI_OK && !answer_good(&answer))
		result = answer_refused(&answer, "get");
	rev = json_int_of(answer.json, "rev");
	if (result == CLI_OK && invocation_has(getting->in, OPTION_JSON) && !getting->known)
		print_json(getting, answer.json);
	else if (result == CLI_OK)
		show_all(getting, json_object_get(answer.json, "items"));
	if (result == CLI_OK && getting->kind->row == peer_row && !invocation_has(getting->in, OPTION_JSON))
		print_paths(json_object_get(answer.json, "paths"));
	answer_fini(&answer);
	return result == CLI_OK && getting->known ? watch(getting, client, rev) : result;
}

static const struct kind *kind_lookup(const char *typed)
{
	const char *words[KINDS];
	const char *meant;

	for (size_t i = 0; i < KINDS; i++) {
		size_t len = strlen(kinds[i].name);

		/* "host" for "hosts" is fine */
		if (strcmp(kinds[i].name, typed) == 0 ||
			(strlen(typed) == len - 1 && strncmp(kinds[i].name, typed, len - 1) == 0))
			return &kinds[i];
		words[i] = kinds[i].name;
	}
	meant = suggest(typed, words, KINDS);
	(void)say_error(CLI_USAGE, "get %s: there are hosts, networks, ports, labs, macs, drops and peers%s%s%s", typed,
		meant ? "; did you mean " : "", meant ? meant : "", meant ? "?" : "");
	return NULL;
}

static enum cli_exit run(const struct invocation *in)
{
	struct getting getting = { .in = in, .kind = kind_lookup(in->args[0]) };
	bool watching = invocation_has(in, OPTION_WATCH);
	struct operator operator= { .client = NULL };
	enum cli_exit result;

	if (!getting.kind)
		return CLI_USAGE;
	if (in->arg_count > 1)
		return getting.kind->row == peer_row
			? get_peers_of(in, in->args[1])
			: say_error(CLI_USAGE, "get %s: takes no \"%s\"; only peers are asked of one host",
				  getting.kind->name, in->args[1]);
	if (invocation_has(in, OPTION_LAB) && !getting.kind->lab_member)
		return say_error(CLI_USAGE, "get %s: --lab does not fit, %s belong to no lab; leave it out",
			getting.kind->name, getting.kind->name);
	add_columns(&getting, watching);
	getting.table = table_new(getting.columns, getting.columns_count);
	getting.known = watching ? json_object() : NULL;
	if (getting.table && !watching)
		table_omit_empty(getting.table);
	result = getting.table && (getting.known || !watching) ? operator_open(in, &operator)
							       : say_error(CLI_FAILED, "no memory");
	if (result == CLI_OK)
		result = get(&getting, operator.client);
	operator_close(&operator);
	json_decref(getting.known);
	table_free(getting.table);
	return result;
}

const struct command command_get = {
	.name = "get",
	.arguments = "hosts|networks|ports|labs|macs|drops|peers [HOST]",
	.summary = "Show what the controller knows",
	.help = "On a terminal, long columns are cut to its width; into a pipe they are not.  With\n"
		"--watch, each change follows as a line, until interrupted; with --json as one\n"
		"object a line.  \"peers\" are the paths between hosts that are not up, as their ends\n"
		"say; \"peers HOST\" asks that host for all of its own.\n",
	.options = OPTION_BIT(LAB) | OPTION_BIT(WATCH),
	.args_min = 1,
	.args_max = 2,
	.run = run,
};
