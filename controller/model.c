/*
 * model.c - see model.h
 */
#include "controller/model.h"

#include "base/json.h"
#include "base/log.h"
#include "base/suggest.h"
#include "lab/lab_document.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *const prefixes[MODEL_KINDS] = {
	[MODEL_HOST] = "host/",
	[MODEL_LAB] = "lab/",
	[MODEL_NETWORK] = "network/",
	[MODEL_PORT] = "port/",
};

struct model {
	struct store *store;
	struct model_listener listener;
	uint64_t rev;
	STAILQ_HEAD(model_changes, model_change) waiting;
	struct model_change *current; /* prepared and not done yet, or being prepared */
	json_t *all[MODEL_KINDS];
	json_t *others;        /* key -> {"rev", "value"} */
	json_t *host_ports;    /* host -> {port key: port} */
	json_t *network_ports; /* network id -> {port key: port} */
	json_t *network_ids;   /* network id -> network */
	json_t *port_ids;      /* port id -> port */
	json_t *attached;      /* "host/interface" -> port */
	json_t *dirty;         /* hosts whose topology may differ after the commit under way */
};

struct number {
	char text[24];
};

static struct number number_text(json_int_t value)
{
	struct number number;

	snprintf(number.text, sizeof(number.text), "%" JSON_INTEGER_FORMAT, value);
	return number;
}

static struct number number_of(const json_t *object, const char *key)
{
	return number_text(json_integer_value(json_object_get(object, key)));
}

/* ---- indexes ---------------------------------------------------------------------------------------------- */

static void index_add(json_t *index, const char *group, const char *key, json_t *item)
{
	json_t *members = json_object_get(index, group);

	if (!members) {
		members = json_object();
		json_object_set_new(index, group, members);
	}
	json_object_set(members, key, item);
}

static void index_remove(json_t *index, const char *group, const char *key)
{
	json_t *members = json_object_get(index, group);

	json_object_del(members, key);
	if (members && json_object_size(members) == 0)
		json_object_del(index, group);
}

struct attach_key {
	char text[LAB_NAME_BYTES + ATTACH_TARGET_BYTES];
};

static struct attach_key attach_key(const char *host, const char *interface)
{
	struct attach_key key;

	snprintf(key.text, sizeof(key.text), "%s/%s", host, interface);
	return key;
}

static struct attach_key attach_key_of(const json_t *port)
{
	return attach_key(json_text_of(port, "host"), lab_attach_interface(json_text_of(port, "attach")));
}

static void port_in(struct model *m, const char *key, json_t *port)
{
	index_add(m->host_ports, json_text_of(port, "host"), key, port);
	index_add(m->network_ports, number_of(port, "network_id").text, key, port);
	json_object_set(m->port_ids, number_of(port, "id").text, port);
	json_object_set(m->attached, attach_key_of(port).text, port);
}

static void port_out(struct model *m, const char *key, json_t *port)
{
	struct attach_key attach = attach_key_of(port);
	struct number id = number_of(port, "id");

	index_remove(m->host_ports, json_text_of(port, "host"), key);
	index_remove(m->network_ports, number_of(port, "network_id").text, key);
	if (json_object_get(m->port_ids, id.text) == port)
		json_object_del(m->port_ids, id.text);
	/* within one commit another port may have taken the interface before this one gave it back */
	if (json_object_get(m->attached, attach.text) == port)
		json_object_del(m->attached, attach.text);
}

/* ---- who is touched --------------------------------------------------------------------------------------- */

static void touch_host(struct model *m, const char *host)
{
	json_object_set_new(m->dirty, host, json_true());
}

static void touch_network(struct model *m, const char *network_id)
{
	const char *key;
	json_t *port;

	json_object_foreach(json_object_get(m->network_ports, network_id), key, port)
		touch_host(m, json_text_of(port, "host"));
}

static void touch_port(struct model *m, const json_t *port)
{
	touch_host(m, json_text_of(port, "host"));
	touch_network(m, number_of(port, "network_id").text);
}

/* A host and all that it shares a network with */
static void touch_neighbours(struct model *m, const char *host)
{
	json_t *seen = json_object(), *port;
	const char *key;

	touch_host(m, host);
	json_object_foreach(json_object_get(m->host_ports, host), key, port) {
		struct number network = number_of(port, "network_id");

		if (json_object_get(seen, network.text))
			continue;
		json_object_set_new(seen, network.text, json_true());
		touch_network(m, network.text);
	}
	json_decref(seen);
}

/* ---- following the store ---------------------------------------------------------------------------------- */

static bool item_ok(enum model_kind kind, const json_t *item)
{
	if (!json_is_object(item))
		return false;
	switch (kind) {
	case MODEL_PORT:
		return json_text_of(item, "host") && json_text_of(item, "attach") &&
			strchr(json_text_of(item, "attach"), ':') && json_text_of(item, "name") &&
			json_text_of(item, "lab");
	case MODEL_HOST:
	case MODEL_NETWORK:
		return json_text_of(item, "name") != NULL;
	case MODEL_LAB:
	case MODEL_KINDS:
		break;
	}
	return true;
}

/* Replace the object under @key; @now NULL: remove it */
static void replace(struct model *m, enum model_kind kind, const char *key, json_t *now)
{
	json_t *was = json_incref(json_object_get(m->all[kind], key));

	if (kind == MODEL_PORT && was) {
		touch_port(m, was);
		port_out(m, key, was);
	}
	if (kind == MODEL_NETWORK && was)
		json_object_del(m->network_ids, number_of(was, "id").text);
	if (now)
		json_object_set(m->all[kind], key, now);
	else
		json_object_del(m->all[kind], key);
	if (kind == MODEL_PORT && now) {
		port_in(m, key, now);
		touch_port(m, now);
	}
	if (kind == MODEL_NETWORK && now)
		json_object_set(m->network_ids, number_of(now, "id").text, now);
	if (kind == MODEL_NETWORK)
		touch_network(m, number_of(now ? now : was, "id").text);
	if (kind == MODEL_HOST)
		touch_neighbours(m, key);
	json_decref(was);
}

static enum model_kind kind_of(const char *key)
{
	enum model_kind kind = MODEL_HOST;

	while (kind < MODEL_KINDS && strncmp(key, prefixes[kind], strlen(prefixes[kind])) != 0)
		kind++;
	return kind;
}

/* Consumes @value */
static int follow_other(struct model *m, const struct store_change *change, json_t *value)
{
	if (change->deleted) {
		json_object_del(m->others, change->key);
		json_decref(value);
		return 0;
	}
	return json_object_set_new(m->others, change->key,
		       json_pack("{s:I, s:o}", "rev", (json_int_t)change->rev, "value", value)) < 0
		? -ENOMEM
		: 0;
}

/* Consumes @value */
static void follow_item(struct model *m, enum model_kind kind, const struct store_change *change, json_t *value)
{
	const char *key = change->key + strlen(prefixes[kind]);
	json_t *item = kind == MODEL_LAB ? json_pack("{s:I, s:O}", "rev", (json_int_t)change->rev, "lab", value)
					 : json_incref(value);

	replace(m, kind, key, change->deleted ? NULL : item);
	json_decref(item);
	if (m->listener.on_item) {
		item = kind == MODEL_LAB ? model_lab_item(value, change->rev) : json_incref(value);
		m->listener.on_item(m->listener.ctx, kind, item, change->deleted, change->rev);
		json_decref(item);
	}
	json_decref(value);
}

/* Return: 0, -EPROTO or -ENOMEM */
static int follow(void *ctx, const struct store_change *change)
{
	enum model_kind kind = kind_of(change->key);
	json_t *value = json_loads(change->value, 0, NULL);

	if (!value || (kind != MODEL_KINDS && !item_ok(kind, value))) {
		json_decref(value);
		log_error("store: %s is damaged", change->key);
		return -EPROTO;
	}
	if (kind == MODEL_KINDS)
		return follow_other(ctx, change, value);
	follow_item(ctx, kind, change, value);
	return 0;
}

static void on_commit(void *ctx, const struct store_changes *changes, uint64_t rev)
{
	struct model *m = ctx;

	m->rev = rev;
	for (size_t i = 0; i < changes->count; i++) {
		if (follow(m, &changes->list[i]) < 0)
			log_error("the model has lost track of %s; restart the controller", changes->list[i].key);
	}
	if (m->listener.on_commit)
		m->listener.on_commit(m->listener.ctx, m->dirty, rev);
	json_object_clear(m->dirty);
}

/* ---- changes ---------------------------------------------------------------------------------------------- */

/* Whoever waits comes after what this one's owner begins in `done` at the earliest */
static void finish(struct model *m, uint64_t rev, const struct fault *fault)
{
	struct model_change *change = m->current;

	store_txn_fini(&change->txn);
	change->done(change, rev, fault);
	m->current = NULL;
}

static void begin_next(struct model *m);

static void on_stored(void *ctx, int err, uint64_t rev)
{
	struct fault fault = { 0 };
	struct model *m = ctx;

	if (err)
		fault_store(&fault, err);
	finish(m, rev, err ? &fault : NULL);
	begin_next(m);
}

static void begin_next(struct model *m)
{
	while (!m->current && !STAILQ_EMPTY(&m->waiting)) {
		struct model_change *change = STAILQ_FIRST(&m->waiting);
		struct fault fault = { 0 };

		STAILQ_REMOVE_HEAD(&m->waiting, link);
		m->current = change;
		store_txn_init(&change->txn);
		if (!change->prepare(change, &change->txn, &fault))
			finish(m, m->rev, &fault);
		else if (change->txn.count == 0 && !change->txn.out_of_memory)
			finish(m, m->rev, NULL);
		else
			store_commit(m->store, &change->txn, on_stored, m);
	}
}

void model_change(struct model *m, struct model_change *change)
{
	STAILQ_INSERT_TAIL(&m->waiting, change, link);
	begin_next(m);
}

/* ---- outside ---------------------------------------------------------------------------------------------- */

int model_new(struct store *store, struct model **out)
{
	struct model *m = calloc(1, sizeof(*m));
	int err;

	if (!m)
		return -ENOMEM;
	m->store = store;
	m->rev = store_rev(store);
	STAILQ_INIT(&m->waiting);
	m->others = json_object();
	m->host_ports = json_object();
	m->network_ports = json_object();
	m->network_ids = json_object();
	m->port_ids = json_object();
	m->attached = json_object();
	m->dirty = json_object();
	for (int kind = 0; kind < MODEL_KINDS; kind++)
		m->all[kind] = json_object();
	err = store_load(store, follow, m);
	if (!err && (!json_text_of(model_fabric(m), "name") || !json_text_of(model_fabric(m), "psk")))
		err = -EPROTO;
	if (err) {
		model_free(m);
		return err;
	}
	json_object_clear(m->dirty);
	store_subscribe(store, on_commit, m);
	*out = m;
	return 0;
}

void model_free(struct model *m)
{
	if (!m)
		return;
	assert(!m->current && STAILQ_EMPTY(&m->waiting));
	store_subscribe(m->store, NULL, NULL);
	for (int kind = 0; kind < MODEL_KINDS; kind++)
		json_decref(m->all[kind]);
	json_decref(m->others);
	json_decref(m->host_ports);
	json_decref(m->network_ports);
	json_decref(m->network_ids);
	json_decref(m->port_ids);
	json_decref(m->attached);
	json_decref(m->dirty);
	free(m);
}

void model_listen(struct model *m, const struct model_listener *listener)
{
	m->listener = *listener;
}

const json_t *model_get(const struct model *m, const char *key, uint64_t *rev)
{
	const json_t *other = json_object_get(m->others, key);

	if (rev)
		*rev = (uint64_t)json_integer_value(json_object_get(other, "rev"));
	return json_object_get(other, "value");
}

const json_t *model_others(const struct model *m)
{
	return m->others;
}

void model_put(struct store_txn *txn, const char *key, const json_t *value)
{
	char *text = json_dumps(value, JSON_COMPACT | JSON_SORT_KEYS);

	if (text)
		store_txn_put(txn, key, text);
	else
		txn->out_of_memory = true;
	free(text);
}

json_t *model_lab_hosts(const json_t *stored)
{
	const char *name = json_text_of(stored, "lab");
	struct fault fault = { .status = 0 };
	struct lab lab;
	json_t *hosts;

	if (!name || !lab_decode(stored, name, &lab, &fault))
		return json_array();
	hosts = lab_hosts(&lab);
	lab_fini(&lab);
	return hosts;
}

json_t *model_lab_item(const json_t *stored, uint64_t rev)
{
	json_t *networks = json_object_get(stored, "networks"), *ports = json_object_get(stored, "ports"),
	       *wires = json_object_get(stored, "wires");

	return json_pack("{s:s*, s:I, s:I, s:I, s:o}", "name", json_text_of(stored, "lab"), "rev", (json_int_t)rev,
		"networks", (json_int_t)(json_object_size(networks) + json_object_size(wires)), "ports",
		(json_int_t)(json_object_size(ports) + 2 * json_object_size(wires)), "hosts", model_lab_hosts(stored));
}

uint64_t model_rev(const struct model *m)
{
	return m->rev;
}

const json_t *model_fabric(const struct model *m)
{
	return model_get(m, "fabric", NULL);
}

const json_t *model_all(const struct model *m, enum model_kind kind)
{
	return m->all[kind];
}

bool model_missing(const struct model *m, enum model_kind kind, const char *name, struct fault *fault)
{
	const char **words = calloc(json_object_size(m->all[kind]) + 1, sizeof(*words));
	const char *word, *what = kind == MODEL_HOST ? "host" : "lab", *meant = NULL;
	json_t *item;
	size_t count = 0;

	assert(kind == MODEL_HOST || kind == MODEL_LAB);
	if (words) {
		json_object_foreach(m->all[kind], word, item)
			words[count++] = word;
		meant = suggest(name, words, count);
	}
	fault_set(fault, 404, "", "there is no %s \"%.63s\"", what, name);
	if (meant)
		fault_hint(fault, "did you mean \"%s\"?", meant);
	else
		fault_hint(fault, "`weft get %ss` lists them", what);
	free(words);
	return false;
}

const json_t *model_host(const struct model *m, const char *name)
{
	return json_object_get(m->all[MODEL_HOST], name);
}

const json_t *model_lab(const struct model *m, const char *name)
{
	return json_object_get(m->all[MODEL_LAB], name);
}

const json_t *model_host_ports(const struct model *m, const char *host)
{
	return json_object_get(m->host_ports, host);
}

const json_t *model_network_ports(const struct model *m, uint32_t network_id)
{
	return json_object_get(m->network_ports, number_text(network_id).text);
}

const json_t *model_network_by_id(const struct model *m, uint32_t network_id)
{
	return json_object_get(m->network_ids, number_text(network_id).text);
}

bool model_port_id_used(const struct model *m, uint32_t port_id)
{
	return json_object_get(m->port_ids, number_text(port_id).text) != NULL;
}

const char *model_prefix(enum model_kind kind)
{
	return prefixes[kind];
}

struct store *model_store(const struct model *m)
{
	return m->store;
}

static enum lab_host world_host(void *ctx, const char *name)
{
	const json_t *host = model_host(ctx, name);

	if (!host)
		return LAB_HOST_UNKNOWN;
	return json_is_true(json_object_get(host, "revoked")) ? LAB_HOST_REVOKED : LAB_HOST_OK;
}

static const json_t *world_hosts(void *ctx)
{
	return model_all(ctx, MODEL_HOST);
}

static const char *world_attached_by(void *ctx, const char *host, const char *interface, const char *lab)
{
	static char name[2 * LAB_NAME_MAX + 2];
	const struct model *m = ctx;
	const json_t *port = json_object_get(m->attached, attach_key(host, interface).text);

	if (!port || strcmp(json_text_of(port, "lab"), lab) == 0)
		return NULL;
	snprintf(name, sizeof(name), "%s/%s", json_text_of(port, "lab"), json_text_of(port, "name"));
	return name;
}

struct lab_world model_world(struct model *m)
{
	return (struct lab_world){
		.ctx = m,
		.host = world_host,
		.hosts = world_hosts,
		.attached_by = world_attached_by,
	};
}
