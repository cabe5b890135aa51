/*
 * watch.c - see watch.h
 */
#include "controller/watch.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>

struct watch {
	struct watcher watcher; /* first */
	LIST_ENTRY(watch) link;
	struct watch_hub *hub;
	enum watch_resource resource;
	struct watch_client client; /* until it is open or refused */
	struct store_history history;
	uint64_t since; /* of events: those up to this number are known */
};

LIST_HEAD(watch_list, watch);

struct watch_hub {
	struct model *model;
	json_t *(*list)(void *ctx, enum watch_resource resource);
	void *ctx;
	struct watch_list watches[WATCH_RESOURCE_COUNT];
	unsigned int count; /* open, or waiting for their history */
};

static const struct {
	const char *name;
	enum model_kind kind;
} resources[WATCH_RESOURCE_COUNT] = {
#define X(name, text, kind) [WATCH_##name] = { text, kind },
	WATCH_RESOURCES(X)
#undef X
};

struct watch_hub *watch_hub_new(struct model *model, json_t *(*list)(void *ctx, enum watch_resource resource),
	void *ctx)
{
	struct watch_hub *hub = calloc(1, sizeof(*hub));

	if (!hub)
		return NULL;
	hub->model = model;
	hub->list = list;
	hub->ctx = ctx;
	for (int i = 0; i < WATCH_RESOURCE_COUNT; i++)
		LIST_INIT(&hub->watches[i]);
	return hub;
}

void watch_hub_free(struct watch_hub *hub)
{
	struct watch *watch;

	if (!hub)
		return;
	for (int i = 0; i < WATCH_RESOURCE_COUNT; i++) {
		while ((watch = LIST_FIRST(&hub->watches[i])) != NULL) {
			LIST_REMOVE(watch, link);
			watch->watcher.ops->end(watch->watcher.ctx);
			free(watch);
		}
	}
	free(hub);
}

enum watch_resource watch_resource_by_name(const char *name)
{
	int i = 0;

	while (i < WATCH_RESOURCE_COUNT && strcmp(name, resources[i].name) != 0)
		i++;
	return (enum watch_resource)i;
}

json_t *watch_list(struct watch_hub *hub, enum watch_resource resource)
{
	return json_pack("{s:I, s:o}", "rev", (json_int_t)model_rev(hub->model), "items",
		hub->list(hub->ctx, resource));
}

static json_t *line_of(const json_t *item, bool deleted, uint64_t rev)
{
	return json_pack("{s:I, s:s, s:O}", "rev", (json_int_t)rev, "op", deleted ? "delete" : "put", "item", item);
}

static void send_line(struct watch *watch, const json_t *item, bool deleted, uint64_t rev)
{
	json_t *line = line_of(item, deleted, rev);

	watch->watcher.ops->send(watch->watcher.ctx, line);
	json_decref(line);
}

/* ---- opening ---------------------------------------------------------------------------------------------- */

static void drop(struct watch *watch)
{
	watch->hub->count--;
	free(watch);
}

static void on_closed(struct watcher *watcher)
{
	struct watch *watch = (struct watch *)watcher;

	LIST_REMOVE(watch, link);
	drop(watch);
}

/* What is told is told at once, and the client's limits see to a slow reader */
static void on_drained(struct watcher *watcher)
{
	(void)watcher;
}

static void refuse(struct watch *watch, const struct fault *fault)
{
	watch->client.refused(watch->client.ctx, fault);
	drop(watch);
}

static uint64_t number_of(const json_t *event)
{
	return (uint64_t)json_integer_value(json_object_get(event, "seq"));
}

static void send_everything(struct watch *watch)
{
	struct watch_hub *hub = watch->hub;
	json_t *items = hub->list(hub->ctx, watch->resource), *item;
	size_t i;

	json_array_foreach(items, i, item)
		if (watch->resource != WATCH_EVENTS || number_of(item) > watch->since)
			send_line(watch, item, false,
				watch->resource == WATCH_EVENTS ? number_of(item) : model_rev(hub->model));
	json_decref(items);
}

static void send_history(struct watch *watch, const struct store_changes *changes)
{
	for (size_t i = 0; i < changes->count; i++) {
		const struct store_change *change = &changes->list[i];
		json_t *item = json_loads(change->value, 0, NULL), *stored = item;

		if (resources[watch->resource].kind == MODEL_LAB) {
			item = model_lab_item(stored, change->rev);
			json_decref(stored);
		}
		send_line(watch, item, change->deleted, change->rev);
		json_decref(item);
	}
}

/* @history: NULL to begin with everything */
static void open_watch(struct watch *watch, const struct store_changes *history)
{
	if (!watch->client.open(watch->client.ctx, &watch->watcher)) {
		drop(watch);
		return;
	}
	LIST_INSERT_HEAD(&watch->hub->watches[watch->resource], watch, link);
	if (history)
		send_history(watch, history);
	else
		send_everything(watch);
	watch->watcher.ops->settled(watch->watcher.ctx);
}

/* The store told of all commits before it told this, and of none after: the history ends where watch_emit() goes on */
static void on_history(void *ctx, int err, const struct store_changes *changes)
{
	struct watch *watch = ctx;
	struct fault fault = { 0 };

	if (!err) {
		open_watch(watch, changes);
		return;
	}
	if (err == -ESTALE) {
		fault_set(&fault, 410, "", "there is nothing to be had after revision %llu",
			(unsigned long long)watch->history.since);
		fault_hint(&fault, "list, then watch from the list's rev");
	} else {
		fault_store(&fault, err);
	}
	refuse(watch, &fault);
}

static struct watch *watch_new(struct watch_hub *hub, enum watch_resource resource, const struct watch_client *client)
{
	struct watch *watch = calloc(1, sizeof(*watch));

	if (!watch)
		return NULL;
	watch->watcher = (struct watcher){ .on_closed = on_closed, .on_drained = on_drained };
	watch->hub = hub;
	watch->resource = resource;
	watch->client = *client;
	hub->count++;
	return watch;
}

void watch_open(struct watch_hub *hub, enum watch_resource resource, uint64_t since, const struct watch_client *client)
{
	enum model_kind kind = resources[resource].kind;
	struct fault fault = { 0 };
	struct watch *watch = NULL;

	if (hub->count >= WATCH_MAX) {
		fault_set(&fault, 503, "", "there are %u watches already", WATCH_MAX);
	} else if (resource != WATCH_EVENTS && since > model_rev(hub->model)) {
		fault_set(&fault, 410, "", "revision %llu has not been yet", (unsigned long long)since);
		fault_hint(&fault, "list, then watch from the list's rev");
	} else {
		watch = watch_new(hub, resource, client);
		fault_set(&fault, 503, "", "out of memory");
	}
	if (watch)
		watch->since = since;
	if (!watch)
		client->refused(client->ctx, &fault);
	else if (since > 0 && kind != MODEL_KINDS)
		store_changes(model_store(hub->model), &watch->history, model_prefix(kind), since, on_history, watch);
	else
		open_watch(watch, NULL);
}

void watch_emit(struct watch_hub *hub, enum watch_resource resource, const json_t *item, bool deleted, uint64_t rev)
{
	struct watch *watch;

	LIST_FOREACH(watch, &hub->watches[resource], link)
		send_line(watch, item, deleted, rev);
}

bool watch_any(const struct watch_hub *hub, enum watch_resource resource)
{
	return !LIST_EMPTY(&hub->watches[resource]);
}
