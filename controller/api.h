/*
 * api.h - controller/API.md: from a request to an answer, as C calls
 *
 * The controller's core.  It routes requests, checks who may call what, and hands them to those who know: lab_put.h, enrol.h,
 * host_sessions.h, watch.h; it owns these.  Here are no sockets, no clock, no randomness and no timers: HTTP (gateway.h) is one
 * client of it, a simulation another.
 *
 * Theory of operation.  A request is answered once, at once or later: api_call() -> (waiting for the store, or for an agent's answer) ->
 * answer(), or open() for a watch.  answer() and open() may come from within api_call(), and otherwise from a report of the store
 * (store.h), from another's api_call() or api_turn().  A
 * change is answered when it is durable and in the model; topologies that it brings are made then, a few in each turn of the loop
 * (api_turn()) where they are many, so that a change that touches a thousand hosts holds up nobody.
 * Changes are made one by one (model.h), so that two at once cannot contradict each other.  A client that goes away says so;
 * what it began goes on.
 *
 * The store's thread only.
 */
#ifndef CONTROLLER_API_H
#define CONTROLLER_API_H

#include "controller/ca/authority.h"
#include "controller/machine.h"
#include "controller/model.h"
#include "controller/watcher.h"
#include "controller/who.h"

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

enum api_method {
	API_GET,
	API_PUT,
	API_POST,
	API_DELETE,
};

/* All borrowed during api_call() */
struct api_request {
	struct who_claim claim;
	enum api_method method;
	const char *path;  /* "/v1/labs/two-sites" */
	const char *query; /* "watch=42", without the '?'; NULL: none */
	const char *body;  /* JSON; NULL: none */
	size_t body_bytes;
};

struct api_answer {
	int status;         /* HTTP's */
	const json_t *body; /* borrowed; NULL: memory was short, and `status` says so */
	const char *allow;  /* of a 405: the methods; NULL otherwise */
};

/* Who asked; copied */
struct api_client {
	void *ctx;
	void (*answer)(void *ctx, const struct api_answer *answer);
	/* Lines are the answer: take @watcher.  Return: false where that cannot be; nothing comes then */
	bool (*open)(void *ctx, struct watcher *watcher);
	/* It is somebody whom the fabric knows; before the answer; may be NULL */
	void (*known)(void *ctx);
};

struct api;
struct api_call;

/* @model, @authority: borrowed, must outlive it; @machine: copied.  Return: NULL where memory is short */
struct api *api_new(struct model *model, const struct authority *authority, const struct api_machine *machine);

/* Ends all watches and questions.  No other call may wait: store_wait() or store_memory_crash() first.  NULL is fine. */
void api_free(struct api *api);

/* Return: what waits, for api_call_gone(); NULL where it is answered already.  Good until answer() or open() */
struct api_call *api_call(struct api *api, const struct api_request *request, const struct api_client *client);

/* The authority's address is another: agents are told */
void api_moved(struct api *api);

/* Go on with what was put off, or has waited long enough; machine->soon() or machine->later() asked for it */
void api_turn(struct api *api);

/* What name servers said of a name that a host declares, see host_sessions_named() */
void api_named(struct api *api, const char *name, const json_t *addresses, const char *failure);

/* Its client is gone, and not to be called any more */
void api_call_gone(struct api_call *call);

#endif /* CONTROLLER_API_H */
