/*
 * get_peers.c - see get_peers.h
 */
#include "cli/get_peers.h"

#include "base/json.h"
#include "cli/duration.h"
#include "cli/operator.h"
#include "cli/say.h"
#include "cli/table.h"
#include "crypto/identity.h"

#include <stdio.h>

static const struct table_column columns[] = {
	{ .title = "PEER", .shrinks = true },
	{ .title = "STATE" },
	{ .title = "SINCE", .right = true },
	{ .title = "ENDPOINT" },
	{ .title = "RTT", .right = true },
	{ .title = "MTU", .right = true },
	{ .title = "HEARD", .right = true },
	{ .title = "CIPHER" },
};

#define COLUMNS (sizeof(columns) / sizeof(columns[0]))

static void add_age(struct table *table, const json_t *peer, const char *key, uint64_t ms_per_unit)
{
	const json_t *value = json_object_get(peer, key);
	char text[DURATION_TEXT_BYTES];

	if (json_is_integer(value) && json_integer_value(value) >= 0)
		duration_format((uint64_t)json_integer_value(value) * ms_per_unit, text);
	table_add(table, json_is_integer(value) && json_integer_value(value) >= 0 ? text : NULL);
}

static void add_rtt(struct table *table, const json_t *peer)
{
	double ms = (double)json_int_of(peer, "rtt_us") / 1000;

	if (ms > 0)
		table_addf(table, "%.*fms", ms < 10 ? 2 : 0, ms);
	else
		table_add(table, NULL);
}

static void add_row(struct table *table, const json_t *peer)
{
	table_add(table, json_text_of(peer, "host"));
	table_add(table, json_text_of(peer, "state"));
	add_age(table, peer, "since_s", 1000);
	table_add(table, json_text_of(peer, "endpoint"));
	add_rtt(table, peer);
	if (json_int_of(peer, "path_mtu"))
		table_addf(table, "%lld", (long long)json_int_of(peer, "path_mtu"));
	else
		table_add(table, NULL);
	add_age(table, peer, "last_rx_ms", 1);
	table_add(table, json_text_of(peer, "cipher"));
	if (json_text_of(peer, "reason"))
		table_note(table, "%s: %s", json_text_of(peer, "host"), json_text_of(peer, "reason"));
}

static void print(const char *host, const json_t *peers)
{
	struct table *table = table_new(columns, COLUMNS);
	const json_t *peer;
	size_t i;

	if (!table)
		return;
	table_omit_empty(table);
	json_array_foreach(peers, i, peer)
		add_row(table, peer);
	if (table_rows(table) > 0)
		table_print(table, stdout, table_screen_width(stdout));
	else
		say_note("%s shares no network with another host", host);
	table_free(table);
}

enum cli_exit get_peers_of(const struct invocation *in, const char *host)
{
	struct operator operator= { .client = NULL };
	struct answer answer = { .json = NULL };
	json_t *question = json_pack("{s:s}", "question", "peers");
	char path[IDENTITY_NAME_BYTES + 32], what[IDENTITY_NAME_BYTES + 32];
	enum cli_exit result;

	if (!identity_name_ok(host)) {
		json_decref(question);
		return say_error(CLI_USAGE, "get peers: \"%s\" is no host's name; `weft get hosts` lists them", host);
	}
	snprintf(path, sizeof(path), "/v1/hosts/%s/ask", host);
	snprintf(what, sizeof(what), "get peers %s", host);
	result = operator_open(in, &operator);
	if (result == CLI_OK)
		result = client_call(operator.client, "POST", path, question, &answer);
	if (result == CLI_OK && !answer_good(&answer))
		result = answer_refused(&answer, what);
	else if (result == CLI_OK && invocation_has(in, OPTION_JSON))
		say_json(answer.json);
	else if (result == CLI_OK)
		print(host, json_object_get(answer.json, "peers"));
	answer_fini(&answer);
	operator_close(&operator);
	json_decref(question);
	return result;
}
