/*
 * watch.c - see watch.h
 */
#include "controller/watch.h"

#include "controller/http/stream.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>

struct watch {
	LIST_ENTRY(watch) link;
	struct watch_hub *hub;
	struct stream *stream;
};

LIST_HEAD(watch_list, watch);

struct watch_hub {
	struct event_base *base;
	struct model *model;
	json_t *(*list)(void *ctx, enum watch_resource resource);
	void *ctx;
	struct watch_list watches[WATCH_RESOURCE_COUNT];
	unsigned int count;
};

static const struct {
	const char *name;
	enum model_kind kind;
} resources[WATCH_RESOURCE_COUNT] = {
#define X(name, text, kind) [WATCH_##name] = { text, kind },
	WATCH_RESOURCES(X)
#undef X
};

struct watch_hub *watch_hub_new(struct event_base *base, struct model *model,
	json_t *(*list)(void *ctx, enum watch_resource resource), void *ctx)
{
	struct watch_hub *hub = calloc(1, sizeof(*hub));

	if (!hub)
		return NULL;
	hub->base = base;
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
			stream_disown(watch->stream);
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

static void send_line(struct stream *stream, const json_t *item, bool deleted, uint64_t rev)
{
	json_t *line = line_of(item, deleted, rev);

	stream_send(stream, line);
	json_decref(line);
}

static void on_closed(void *ctx, struct stream *stream)
{
	struct watch *watch = ctx;

	(void)stream;
	watch->hub->count--;
	LIST_REMOVE(watch, link);
	free(watch);
}

static void send_everything(struct watch_hub *hub, struct stream *stream, enum watch_resource resource)
{
	json_t *items = hub->list(hub->ctx, resource), *item;
	size_t i;

	json_array_foreach(items, i, item)
		send_line(stream, item, false, model_rev(hub->model));
	json_decref(items);
}

/* One change of the history, as a line of an array */
struct history {
	enum model_kind kind;
	json_t *lines;
};

static int add_history(void *ctx, const struct store_change *change)
{
	const struct history *history = ctx;
	json_t *item = json_loads(change->value, 0, NULL), *stored = item;

	if (history->kind == MODEL_LAB) {
		item = model_lab_item(stored, change->rev);
		json_decref(stored);
	}
	json_array_append_new(history->lines, line_of(item, change->deleted, change->rev));
	json_decref(item);
	return 0;
}

/* Return: the lines after @since, or NULL with @fault set */
static json_t *history_since(struct watch_hub *hub, enum watch_resource resource, uint64_t since, struct fault *fault)
{
	struct history history = { .kind = resources[resource].kind, .lines = json_array() };
	int err;

	err = store_changes(model_store(hub->model), model_prefix(history.kind), since, add_history, &history);
	if (!err)
		return history.lines;
	if (err == -ESTALE) {
		fault_set(fault, 410, "", "there is nothing to be had after revision %llu", (unsigned long long)since);
		fault_hint(fault, "list, then watch from the list's rev");
	} else {
		fault_store(fault, err);
	}
	json_decref(history.lines);
	return NULL;
}

bool watch_open(struct watch_hub *hub, struct evhttp_request *request, enum watch_resource resource, uint64_t since,
	struct fault *fault)
{
	struct stream_owner owner = { .on_closed = on_closed };
	json_t *lines = NULL, *line;
	struct watch *watch;
	size_t i;

	if (hub->count >= WATCH_MAX)
		return fault_set(fault, 503, "", "there are %u watches already", WATCH_MAX);
	if (since > model_rev(hub->model)) {
		fault_set(fault, 410, "", "revision %llu has not been yet", (unsigned long long)since);
		fault_hint(fault, "list, then watch from the list's rev");
		return false;
	}
	if (since > 0 && resources[resource].kind != MODEL_KINDS) {
		lines = history_since(hub, resource, since, fault);
		if (!lines)
			return false;
	}
	watch = calloc(1, sizeof(*watch));
	if (!watch) {
		json_decref(lines);
		return fault_set(fault, 503, "", "out of memory");
	}
	owner.ctx = watch;
	watch->hub = hub;
	watch->stream = stream_open(hub->base, request, &owner);
	if (!watch->stream) {
		json_decref(lines);
		free(watch);
		return true;
	}
	hub->count++;
	LIST_INSERT_HEAD(&hub->watches[resource], watch, link);
	if (!lines)
		send_everything(hub, watch->stream, resource);
	json_array_foreach(lines, i, line)
		stream_send(watch->stream, line);
	stream_settled(watch->stream);
	json_decref(lines);
	return true;
}

void watch_emit(struct watch_hub *hub, enum watch_resource resource, const json_t *item, bool deleted, uint64_t rev)
{
	struct watch *watch;

	LIST_FOREACH(watch, &hub->watches[resource], link)
	send_line(watch->stream, item, deleted, rev);
}

bool watch_any(const struct watch_hub *hub, enum watch_resource resource)
{
	return !LIST_EMPTY(&hub->watches[resource]);
}
