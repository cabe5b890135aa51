/*
 * watch.h - what operators list and watch: the resources, and the open watches on them
 *
 * GET /v1/KIND and GET /v1/KIND?watch=REV of controller/API.md.  Items come from the model and the agents; whoever sees
 * one change calls watch_emit().  At most WATCH_MAX watches are open.
 */
#ifndef CONTROLLER_WATCH_H
#define CONTROLLER_WATCH_H

#include "controller/model.h"
#include "controller/watcher.h"

#include <jansson.h>
#include <stdbool.h>

#define WATCH_MAX 256U

/* name in the URL, kind in the model that has its history (MODEL_KINDS: none is kept) */
#define WATCH_RESOURCES(X)                     \
	X(HOSTS, "hosts", MODEL_KINDS)         \
	X(NETWORKS, "networks", MODEL_NETWORK) \
	X(PORTS, "ports", MODEL_KINDS)         \
	X(LABS, "labs", MODEL_LAB)             \
	X(MACS, "macs", MODEL_KINDS)           \
	X(DROPS, "drops", MODEL_KINDS)         \
	X(PEERS, "peers", MODEL_KINDS)         \
	X(EVENTS, "events", MODEL_KINDS)

enum watch_resource {
#define X(name, text, kind) WATCH_##name,
	WATCH_RESOURCES(X)
#undef X
		WATCH_RESOURCE_COUNT
};

struct watch_hub;

/**
 * watch_hub_new()
 * @list:	all items of a resource, as a new array
 *
 * Return: NULL where memory is short
 */
struct watch_hub *watch_hub_new(struct model *model, json_t *(*list)(void *ctx, enum watch_resource resource),
	void *ctx);

/* Ends all watches; none may wait for its history.  NULL is fine. */
void watch_hub_free(struct watch_hub *hub);

/* Return: WATCH_RESOURCE_COUNT where there is none of this name */
enum watch_resource watch_resource_by_name(const char *name);

/* {"rev", "items"}, a new reference */
json_t *watch_list(struct watch_hub *hub, enum watch_resource resource);

/* Who wants to watch: one of these is called, once */
struct watch_client {
	void *ctx;
	bool (*open)(void *ctx, struct watcher *watcher); /* as api.h's */
	void (*refused)(void *ctx, const struct fault *fault);
};

/* Watch what changes after @since, a revision, or of events the number of the last one known; the history comes from the store, so this may wait for it */
void watch_open(struct watch_hub *hub, enum watch_resource resource, uint64_t since, const struct watch_client *client);

/* Tell all watches of a resource; @item is borrowed */
void watch_emit(struct watch_hub *hub, enum watch_resource resource, const json_t *item, bool deleted, uint64_t rev);

/* Is anybody watching?  To spare the making of items. */
bool watch_any(const struct watch_hub *hub, enum watch_resource resource);

#endif /* CONTROLLER_WATCH_H */
