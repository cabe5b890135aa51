/*
 * reach.c - see reach.h
 *
 * A row of bits for each host, in which each network is one OR for each of its hosts: a thousand hosts and as many networks are
 * counted within milliseconds.
 */
#include "controller/reach.h"

#include "base/json.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#define WORD_BITS 64U

struct reach {
	const struct model *model;
	const struct host_sessions *sessions;
	const char *lab; /* NULL: all of them */
	json_t *hosts;   /* {name: index} */
	const char **names;
	size_t count, words; /* hosts; of a row */
	uint64_t *shall;     /* a row each: whom it shares a network with */
	uint64_t *down;      /* the same: which of these paths are not up */
	uint64_t *members;   /* of the network at hand */
	struct host_word *word;
};

static void set_bit(uint64_t *row, size_t at)
{
	row[at / WORD_BITS] |= UINT64_C(1) << at % WORD_BITS;
}

static bool has_bit(const uint64_t *row, size_t at)
{
	return row[at / WORD_BITS] >> at % WORD_BITS & 1;
}

static size_t count_bits(const uint64_t *row, size_t words)
{
	size_t count = 0;

	for (size_t i = 0; i < words; i++)
		count += (size_t)__builtin_popcountll(row[i]);
	return count;
}

static bool of_lab(const struct reach *r, const json_t *item)
{
	return !r->lab || strcmp(json_text_of(item, "lab"), r->lab) == 0;
}

/* Return: -1 where it has no port there, or is revoked */
static json_int_t index_of(const struct reach *r, const char *host)
{
	const json_t *index = json_object_get(r->hosts, host);

	return index ? json_integer_value(index) : -1;
}

/* ---- who shall --------------------------------------------------------------------------------------------- */

static void find_hosts(struct reach *r)
{
	const char *key;
	json_t *port;

	r->hosts = json_object();
	json_object_foreach((json_t *)model_all(r->model, MODEL_PORT), key, port) {
		const char *name = json_text_of(port, "host");

		if (of_lab(r, port) && index_of(r, name) < 0 &&
			!json_is_true(json_object_get(model_host(r->model, name), "revoked")))
			json_object_set_new(r->hosts, name, json_integer((json_int_t)r->count++));
	}
}

static void add_network(struct reach *r, uint32_t id)
{
	const char *key;
	json_t *port;

	memset(r->members, 0, r->words * sizeof(*r->members));
	json_object_foreach((json_t *)model_network_ports(r->model, id), key, port) {
		json_int_t at = index_of(r, json_text_of(port, "host"));

		if (at >= 0)
			set_bit(r->members, (size_t)at);
	}
	for (size_t i = 0; i < r->count; i++) {
		if (!has_bit(r->members, i))
			continue;
		for (size_t k = 0; k < r->words; k++)
			r->shall[i * r->words + k] |= r->members[k];
		r->shall[i * r->words + i / WORD_BITS] &= ~(UINT64_C(1) << i % WORD_BITS);
	}
}

/* Return: false where memory is short; reach_fini() is due all the same */
static bool reach_init(struct reach *r)
{
	const char *name;
	json_t *item;

	find_hosts(r);
	r->words = (r->count + WORD_BITS - 1) / WORD_BITS + 1;
	r->names = calloc(r->count + 1, sizeof(*r->names));
	r->word = calloc(r->count + 1, sizeof(*r->word));
	r->shall = calloc((r->count + 1) * r->words, sizeof(*r->shall));
	r->down = calloc((r->count + 1) * r->words, sizeof(*r->down));
	r->members = calloc(r->words, sizeof(*r->members));
	if (!r->names || !r->word || !r->shall || !r->down || !r->members)
		return false;
	json_object_foreach(r->hosts, name, item) {
		const size_t at = (size_t)json_integer_value(item);

		r->names[at] = name;
		r->word[at] = host_sessions_word(r->sessions, name);
	}
	json_object_foreach((json_t *)model_all(r->model, MODEL_NETWORK), name, item)
		if (of_lab(r, item))
			add_network(r, (uint32_t)json_int_of(item, "id"));
	return true;
}

static void reach_fini(struct reach *r)
{
	json_decref(r->hosts);
	free(r->names);
	free(r->word);
	free(r->shall);
	free(r->down);
	free(r->members);
}

/* ---- who does ---------------------------------------------------------------------------------------------- */

static uint64_t *row(const struct reach *r, uint64_t *rows, size_t host)
{
	return &rows[host * r->words];
}

static size_t count_pairs(const struct reach *r, const uint64_t *rows)
{
	return count_bits(rows, r->count * r->words) / 2;
}

static void mark_down(struct reach *r, size_t a, size_t b)
{
	set_bit(row(r, r->down, a), b);
	set_bit(row(r, r->down, b), a);
}

static void append_bounded(json_t *list, json_t *item)
{
	if (json_array_size(list) < REACH_NAMED_MAX)
		json_array_append(list, item);
}

/* What this host says.  @named: NULL, or where it goes */
static void take_word(struct reach *r, size_t host, json_t *named)
{
	const char *key;
	json_t *item;

	json_object_foreach((json_t *)r->word[host].peers, key, item) {
		json_int_t peer = index_of(r, json_text_of(item, "peer"));

		if (peer < 0 || !has_bit(row(r, r->shall, host), (size_t)peer))
			continue;
		mark_down(r, host, (size_t)peer);
		if (named)
			append_bounded(named, item);
	}
}

/* Does whom it does not name count as up? */
static bool vouches(const struct host_word *word)
{
	return word->peers && !word->peers_unnamed;
}

/* No end has a word for them; of those that are not down by anybody's word */
static size_t count_unknown(const struct reach *r)
{
	size_t count = 0;

	for (size_t a = 0; a < r->count; a++)
		for (size_t b = a + 1; !vouches(&r->word[a]) && b < r->count; b++)
			count += !vouches(&r->word[b]) && has_bit(row(r, r->shall, a), b) &&
				!has_bit(row(r, r->down, a), b);
	return count;
}

json_t *reach_of_fabric(const struct model *model, const struct host_sessions *sessions)
{
	struct reach r = { .model = model, .sessions = sessions };
	json_t *out = NULL;

	if (reach_init(&r)) {
		size_t count = count_pairs(&r, r.shall), unknown;

		for (size_t host = 0; host < r.count; host++)
			take_word(&r, host, NULL);
		unknown = count_unknown(&r);
		out = json_pack("{s:I, s:I, s:I}", "count", (json_int_t)count, "up",
			(json_int_t)(count - count_pairs(&r, r.down) - unknown), "unknown", (json_int_t)unknown);
	}
	reach_fini(&r);
	return out;
}

/* ---- a lab ------------------------------------------------------------------------------------------------- */

/* All that it shall reach */
static void lags(struct reach *r, size_t host)
{
	for (size_t peer = 0; peer < r->count; peer++)
		if (has_bit(row(r, r->shall, host), peer))
			mark_down(r, host, peer);
}

static json_t *lab_paths(struct reach *r)
{
	const size_t count = count_pairs(r, r->shall);
	json_t *named = json_array();
	uint32_t unnamed = 0;
	size_t offline;

	for (size_t host = 0; host < r->count; host++)
		if (!r->word[host].online)
			lags(r, host);
	offline = count_pairs(r, r->down);
	for (size_t host = 0; host < r->count; host++) {
		const struct host_word *word = &r->word[host];

		if (!word->in_line || !word->peers)
			lags(r, host);
		else
			unnamed += word->peers_unnamed;
		if (word->in_line)
			take_word(r, host, named);
	}
	return json_pack("{s:I, s:I, s:I, s:o, s:I}", "count", (json_int_t)count, "up",
		(json_int_t)(count - count_pairs(r, r->down)), "offline", (json_int_t)offline, "not_up", named,
		"unnamed", (json_int_t)unnamed);
}

static json_t *lab_ports(const struct reach *r)
{
	json_t *named = json_array(), *port;
	json_int_t count = 0, up = 0, offline = 0, failed = 0;
	const char *key;

	json_object_foreach((json_t *)model_all(r->model, MODEL_PORT), key, port) {
		json_int_t at = of_lab(r, port) ? index_of(r, json_text_of(port, "host")) : -1;
		json_t *item;

		if (at < 0)
			continue;
		item = host_sessions_port(r->sessions, port);
		count++;
		up += strcmp(json_text_of(item, "state"), "up") == 0;
		offline += !r->word[at].online;
		if (r->word[at].in_line && json_object_get(item, "error")) {
			append_bounded(named, item);
			failed++;
		}
		json_decref(item);
	}
	return json_pack("{s:I, s:I, s:I, s:I, s:o}", "count", count, "up", up, "offline", offline, "failed", failed,
		"not_up", named);
}

bool reach_of_lab(const struct model *model, const struct host_sessions *sessions, const char *lab, json_t *out)
{
	struct reach r = { .model = model, .sessions = sessions, .lab = lab };
	const bool good = reach_init(&r);

	if (good) {
		json_object_set_new(out, "paths", lab_paths(&r));
		json_object_set_new(out, "ports", lab_ports(&r));
	}
	reach_fini(&r);
	return good;
}
