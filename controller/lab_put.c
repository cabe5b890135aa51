/*
 * lab_put.c - see lab_put.h
 *
 * Ids: the store's key "ids" holds the last ones given out; the next is looked for behind it, round the whole
 * space, so that one that was given back is used again last.
 */
#include "controller/lab_put.h"

#include "base/json.h"
#include "lab/lab_document.h"

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

static const json_t *known(const struct work *w, enum model_kind kind, const char *name)
{
	return json_object_get(model_all(w->model, kind), key_of("", w->lab, name).text);
}

/* Put @item, which is consumed, as @name of the lab */
static void put_item(struct work *w, enum model_kind kind, const char *name, json_t *item)
{
	struct tally *tally = kind == MODEL_NETWORK ? &w->networks : &w->ports;

	model_put(w->txn, key_of(model_prefix(kind), w->lab, name).text, item);
	tally->put++;
	json_decref(item);
}

static void delete_item(struct work *w, enum model_kind kind, const char *name)
{
	struct tally *tally = kind == MODEL_NETWORK ? &w->networks : &w->ports;

	store_txn_delete(w->txn, key_of(model_prefix(kind), w->lab, name).text);
	tally->deleted++;
}

/* Put @want unless @was has the same; its id is the one that it had, or a new one */
static bool put_network(struct work *w, struct lab_network *want, const struct lab *was, struct fault *fault)
{
	const json_t *have = known(w, MODEL_NETWORK, want->name);
	const struct lab_network *before = lab_network(was, want->name);

	want->id = (uint32_t)json_int_of(have, "id");
	if (!want->id)
		want->id = next_id(w, &w->last_network_id, NETWORK_ID_MAX, network_id_used);
	if (!want->id)
		return fault_set(fault, 503, "", "all ids are taken");
	if (!have || !before || !lab_network_equal(before, want))
		put_item(w, MODEL_NETWORK, want->name, lab_network_item(want));
	return true;
}

/* The same for a port, once its network has an id */
static bool put_port(struct work *w, struct lab_port *want, const struct lab *was, const struct lab *now,
	struct fault *fault)
{
	const json_t *have = known(w, MODEL_PORT, want->name);
	const struct lab_port *before = lab_port(was, want->name);

	want->network_id = lab_network(now, want->network)->id;
	want->id = (uint32_t)json_int_of(have, "id");
	if (!want->id)
		want->id = next_id(w, &w->last_port_id, PORT_ID_MAX, port_id_used);
	if (!want->id)
		return fault_set(fault, 503, "", "all ids are taken");
	if (!have || !before || json_int_of(have, "network_id") != (json_int_t)want->network_id ||
		!lab_port_equal(before, want))
		put_item(w, MODEL_PORT, want->name, lab_port_item(want));
	return true;
}

/* What is wanted is put where it differs, everything else that the lab had is deleted */
static bool put_difference(struct work *w, const struct lab *was, struct lab *now, struct fault *fault)
{
	for (uint32_t i = 0; i < now->networks_count; i++)
		if (!put_network(w, &now->networks[i], was, fault))
			return false;
	for (uint32_t i = 0; i < now->ports_count; i++)
		if (!put_port(w, &now->ports[i], was, now, fault))
			return false;
	for (uint32_t i = 0; i < was->networks_count; i++)
		if (!lab_network(now, was->networks[i].name))
			delete_item(w, MODEL_NETWORK, was->networks[i].name);
	for (uint32_t i = 0; i < was->ports_count; i++)
		if (!lab_port(now, was->ports[i].name))
			delete_item(w, MODEL_PORT, was->ports[i].name);
	return true;
}

static void add_hosts(struct model *model, json_t *out, const struct lab *lab)
{
	json_t *hosts = lab_hosts(lab), *host;
	size_t i, j;

	json_array_foreach(hosts, i, host) {
		const json_t *item = model_host(model, json_string_value(host));

		for (j = 0; j < json_array_size(out) && !json_equal(json_array_get(out, j), host); j++)
			;
		if (j == json_array_size(out) && item && !json_is_true(json_object_get(item, "revoked")))
			json_array_append(out, host);
	}
	json_decref(hosts);
}

static json_t *tally_json(const struct tally *tally)
{
	return json_pack("{s:i, s:i}", "put", tally->put, "delete", tally->deleted);
}

static json_t *answer(struct work *w, bool changed, const struct lab *was, const struct lab *now)
{
	json_t *hosts = json_array();

	add_hosts(w->model, hosts, was);
	add_hosts(w->model, hosts, now);
	return json_pack("{s:b, s:o, s:{s:o, s:o}}", "changed", changed, "hosts", hosts, "changes", "networks",
		tally_json(&w->networks), "ports", tally_json(&w->ports));
}

/* The way from @was, which had @was_rev (0: there was none), to @now (an empty lab to delete everything) */
static json_t *go(struct work *w, const struct lab *was, uint64_t was_rev, struct lab *now, bool delete,
	struct fault *fault)
{
	struct key key = key_of(model_prefix(MODEL_LAB), w->lab, NULL);
	json_t *document;

	read_ids(w);
	if (!put_difference(w, was, now, fault))
		return NULL;
	store_txn_expect(w->txn, key.text, was_rev ? was_rev : STORE_ABSENT);
	document = delete ? NULL : lab_encode(now);
	if (delete)
		store_txn_delete(w->txn, key.text);
	else
		model_put(w->txn, key.text, document);
	json_decref(document);
	write_ids(w);
	return answer(w, true, was, now);
}

static json_t *change(struct model *model, const char *name, struct lab *now, bool delete, struct store_txn *txn,
	struct fault *fault)
{
	struct work w = { .model = model, .lab = name, .txn = txn };
	const json_t *stored = model_lab(model, name);
	struct lab was = { .networks_count = 0 };
	json_t *out;

	if (stored && !lab_decode(json_object_get(stored, "lab"), name, &was, fault))
		return NULL;
	if (stored && !delete &&lab_equal(&was, now)) {
		out = answer(&w, false, &was, now);
		json_object_set(out, "rev", json_object_get(stored, "rev"));
	} else {
		out = go(&w, &was, (uint64_t)json_int_of(stored, "rev"), now, delete, fault);
	}
	if (!out)
		fault_set(fault, 503, "", "out of memory");
	lab_fini(&was);
	return out;
}

json_t *lab_put(struct model *model, const char *name, const json_t *in, struct store_txn *txn, struct fault *fault)
{
	struct lab_world world = model_world(model);
	json_t *out = NULL;
	struct lab now;

	if (!lab_decode(in, name, &now, fault))
		return NULL;
	if (lab_check(&now, &world, fault))
		out = change(model, name, &now, false, txn, fault);
	lab_fini(&now);
	return out;
}

json_t *lab_delete(struct model *model, const char *name, struct store_txn *txn, struct fault *fault)
{
	struct lab nothing = { .networks_count = 0 };
	json_t *out;

	if (!model_lab(model, name)) {
		(void)model_missing(model, MODEL_LAB, name, fault);
		return NULL;
	}
	out = change(model, name, &nothing, true, txn, fault);
	json_object_del(out, "changed");
	json_object_del(out, "changes");
	return out;
}
