/*
 * lab_put.c - see lab_put.h
 *
 * Ids: the store's key "ids" holds the last ones given out; the next is looked for behind it, round the whole
 * space, so that one that was given back is used again last.
 */
#include "controller/lab_put.h"

#include "base/json.h"

#include <stdio.h>
#include <string.h>

struct tally {
	int put;
	int deleted;
};

/* One apply at work */
struct work {
	struct model *model;
	const char *lab;
	struct store_txn *txn;
	uint32_t last_network_id, last_port_id;
	bool new_ids;
	uint64_t ids_rev;
	json_t *network_ids; /* of this lab as it will be: name -> id */
	struct tally networks, ports;
};

/* Long enough for prefix and two names */
struct key {
	char text[3 * LAB_NAME_MAX];
};

static struct key key_of(const char *prefix, const char *lab, const char *name)
{
	struct key key;

	snprintf(key.text, sizeof(key.text), "%s%s%s%s", prefix, lab, name ? "/" : "", name ? name : "");
	return key;
}

static bool network_id_used(const struct work *w, uint32_t id)
{
	return model_network_by_id(w->model, id) != NULL;
}

static bool port_id_used(const struct work *w, uint32_t id)
{
	return model_port_id_used(w->model, id);
}

/* Return: an id behind *@last that nobody has, 0 where all are taken */
static uint32_t next_id(struct work *w, uint32_t *last, uint32_t max, bool (*used)(const struct work *w, uint32_t id))
{
	for (uint32_t tried = 0; tried < max; tried++) {
		*last = *last >= max ? 1 : *last + 1;
		if (!used(w, *last)) {
			w->new_ids = true;
			return *last;
		}
	}
	return 0;
}

static void read_ids(struct work *w)
{
	const json_t *ids = model_get(w->model, "ids", &w->ids_rev);

	w->last_network_id = (uint32_t)json_int_of(ids, "network");
	w->last_port_id = (uint32_t)json_int_of(ids, "port");
}

static void write_ids(struct work *w)
{
	json_t *ids;

	if (!w->new_ids)
		return;
	ids = json_pack("{s:I, s:I}", "network", (json_int_t)w->last_network_id, "port", (json_int_t)w->last_port_id);
	store_txn_expect(w->txn, "ids", w->ids_rev);
	model_put(w->txn, "ids", ids);
	json_decref(ids);
}

/* Put @want unless @have is the same already; its id is @have's or a new one */
static bool put_object(struct work *w, enum model_kind kind, json_t *want, const json_t *have, struct fault *fault)
{
	struct key key = key_of(model_prefix(kind), w->lab, json_text_of(want, "name"));
	struct tally *tally = kind == MODEL_NETWORK ? &w->networks : &w->ports;
	json_int_t id = json_int_of(have, "id");

	if (!id && kind == MODEL_NETWORK)
		id = next_id(w, &w->last_network_id, NETWORK_ID_MAX, network_id_used);
	else if (!id)
		id = next_id(w, &w->last_port_id, PORT_ID_MAX, port_id_used);
	if (!id)
		return fault_set(fault, 503, "", "all ids are taken");
	json_object_set_new(want, "id", json_integer(id));
	if (kind == MODEL_NETWORK)
		json_object_set_new(w->network_ids, json_text_of(want, "name"), json_integer(id));
	if (have && json_equal(want, have))
		return true;
	model_put(w->txn, key.text, want);
	tally->put++;
	return true;
}

/* What the lab has of @kind: @wanted is put where it differs, everything else of the lab is deleted */
static bool put_kind(struct work *w, enum model_kind kind, json_t *wanted, const json_t *lab_was, struct fault *fault)
{
	struct tally *tally = kind == MODEL_NETWORK ? &w->networks : &w->ports;
	json_t *had = kind == MODEL_NETWORK ? lab_networks(lab_was) : lab_ports(lab_was), *want, *unused;
	const char *name;
	bool ok = true;

	json_object_foreach(wanted, name, want) {
		const json_t *have = json_object_get(model_all(w->model, kind), key_of("", w->lab, name).text);

		if (kind == MODEL_PORT)
			json_object_set(want, "network_id",
				json_object_get(w->network_ids, json_text_of(want, "network")));
		ok = ok && put_object(w, kind, want, have, fault);
	}
	json_object_foreach(had, name, unused) {
		if (json_object_get(wanted, name))
			continue;
		store_txn_delete(w->txn, key_of(model_prefix(kind), w->lab, name).text);
		tally->deleted++;
	}
	json_decref(had);
	return ok;
}

static void add_hosts(struct model *model, json_t *out, const json_t *lab)
{
	json_t *hosts = lab_hosts(lab), *host;
	size_t i, j;

	json_array_foreach(hosts, i, host) {
		const json_t *known = model_host(model, json_string_value(host));

		for (j = 0; j < json_array_size(out) && !json_equal(json_array_get(out, j), host); j++)
			;
		if (j == json_array_size(out) && known && !json_is_true(json_object_get(known, "revoked")))
			json_array_append(out, host);
	}
	json_decref(hosts);
}

static json_t *tally_json(const struct tally *tally)
{
	return json_pack("{s:i, s:i}", "put", tally->put, "delete", tally->deleted);
}

static json_t *answer(struct work *w, bool changed, const json_t *was, const json_t *now)
{
	json_t *hosts = json_array();

	add_hosts(w->model, hosts, was);
	add_hosts(w->model, hosts, now);
	return json_pack("{s:b, s:o, s:{s:o, s:o}}", "changed", changed, "hosts", hosts, "changes", "networks",
		tally_json(&w->networks), "ports", tally_json(&w->ports));
}

/* The way from @was (NULL: none) to @now (an empty lab to delete everything) */
static json_t *go(struct work *w, json_t *was, uint64_t was_rev, const json_t *now, bool delete, struct fault *fault)
{
	json_t *networks = lab_networks(now), *ports = lab_ports(now), *out = NULL;
	struct key key = key_of(model_prefix(MODEL_LAB), w->lab, NULL);

	read_ids(w);
	if (!put_kind(w, MODEL_NETWORK, networks, was, fault) || !put_kind(w, MODEL_PORT, ports, was, fault))
		goto out;
	store_txn_expect(w->txn, key.text, was ? was_rev : STORE_ABSENT);
	if (delete)
		store_txn_delete(w->txn, key.text);
	else
		model_put(w->txn, key.text, now);
	write_ids(w);
	out = answer(w, true, was, now);
out:
	json_decref(networks);
	json_decref(ports);
	return out;
}

static json_t *change(struct model *model, const char *name, const json_t *now, bool delete, struct store_txn *txn,
	struct fault *fault)
{
	struct work w = { .model = model, .lab = name, .txn = txn, .network_ids = json_object() };
	const json_t *known = model_lab(model, name);
	json_t *was = json_object_get(known, "lab"), *out;

	if (was && !delete &&json_equal(was, now)) {
		out = answer(&w, false, was, now);
		json_object_set(out, "rev", json_object_get(known, "rev"));
	} else {
		out = go(&w, was, (uint64_t)json_int_of(known, "rev"), now, delete, fault);
	}
	if (!out)
		fault_set(fault, 503, "", "out of memory");
	json_decref(w.network_ids);
	return out;
}

json_t *lab_put(struct model *model, const char *name, const json_t *in, struct store_txn *txn, struct fault *fault)
{
	struct lab_world world = model_world(model);
	json_t *now = lab_check(in, name, &world, fault), *out;

	if (!now)
		return NULL;
	out = change(model, name, now, false, txn, fault);
	json_decref(now);
	return out;
}

json_t *lab_delete(struct model *model, const char *name, struct store_txn *txn, struct fault *fault)
{
	json_t *nothing, *out;

	if (!model_lab(model, name)) {
		fault_set(fault, 404, "", "there is no lab \"%.63s\"", name);
		return NULL;
	}
	nothing = json_pack("{s:s}", "lab", name);
	out = change(model, name, nothing, true, txn, fault);
	json_object_del(out, "changed");
	json_object_del(out, "changes");
	json_decref(nothing);
	return out;
}
