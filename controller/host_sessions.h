/*
 * host_sessions.h - what each host's agent shall know, has applied and has reported
 *
 * For every enrolled host: the name of its topology document, the open watch over which it hears of changes, and its last report.
 * Names and reports live in memory only; agents report again when they connect.  Computing a document is host_topology.h's.
 *
 * Theory of operation.  A document's name is the hash of its content, so that what an agent has can be told without knowing where
 * it has it from: before or after a restart of the controller, or of a store that was put back to what it was.  An agent is in line
 * when it has applied the document of the name that is wanted.
 *	current -> (a commit touches the host) -> stale -> (its document is made anew) -> current.  A document is made where
 * somebody listens: right after the commit that touched the host, if its agent watches and has read what it was sent before, but for
 * HOST_SESSIONS_TURN_MS in a turn of the loop at most; once it has read it, otherwise; and when an agent asks.  It goes out where its name is another, and is not kept.  Of a host that is stale it
 * is not known what is wanted.  A watch ends when its host is revoked or enrolled anew, and with it all that is known of the host
 * when that is removed.  That one has begun or ended is told to the host's neighbours (presence.h), but for those that come first
 * within a minute of the controller's start.
 */
#ifndef CONTROLLER_HOST_SESSIONS_H
#define CONTROLLER_HOST_SESSIONS_H

#include "base/addr.h"
#include "controller/asks.h"
#include "controller/event_log.h"
#include "controller/machine.h"
#include "controller/model.h"
#include "controller/watch.h"
#include "controller/watcher.h"
#include "lab/fault.h"

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>
#include <time.h>

#define HOST_SESSIONS_TURN_MS 10U

struct host_sessions;

/* For all hosts of the model; @machine is borrowed.  Return: NULL where memory is short */
struct host_sessions *host_sessions_new(struct model *model, const struct api_machine *machine);

/* A line that agents get as the first of their watches, and now those that watch; borrowed, NULL: none any more */
void host_sessions_news(struct host_sessions *sessions, json_t *line);

/* Ends all watches.  NULL is fine. */
void host_sessions_free(struct host_sessions *sessions);

/* Where changes of hosts, macs, drops, peers and of ports' states are told, and what happens; borrowed */
void host_sessions_announce(struct host_sessions *sessions, struct watch_hub *hub, struct event_log *events);

/* The keys of @hosts were touched by the commit that is in the model now */
void host_sessions_touch(struct host_sessions *sessions, const json_t *hosts);

/* Make the documents that wait to be made, for HOST_SESSIONS_TURN_MS at most where the machine calls again; tell whose agent has come
 * or gone; and end questions that were not answered */
void host_sessions_turn(struct host_sessions *sessions);

/* The agent of @host has been heard, from @from (NULL: not known); may commit its new address */
void host_sessions_seen(struct host_sessions *sessions, const char *host, const struct endpoint *from, time_t now);

/**
 * host_sessions_named() - name servers have said what a declared name stands for; may commit it for each host that has it
 * @addresses:	"IP:port", NULL where they said nothing: what was known stays
 * @failure:	why, in words; then it is one of the host's errors.  "": they did
 */
void host_sessions_named(struct host_sessions *sessions, const char *name, const json_t *addresses,
	const char *failure);

/* The document with its `hash` and `rev`; a new reference, NULL where memory is short.  @host is enrolled. */
json_t *host_sessions_topology(struct host_sessions *sessions, const char *host);

/**
 * host_sessions_watch() - have @host's agent watch its document, instead of a watch that it had
 * @have:	the name of the document that it has; anything else for none
 * @open:	api.h's, with @ctx
 *
 * Return: false where memory is short, and @open was not called
 */
bool host_sessions_watch(struct host_sessions *sessions, const char *host, const char *have,
	bool (*open)(void *ctx, struct watcher *watcher), void *ctx);

/**
 * host_sessions_ask() - send a question to @host's agent (asks.h)
 * @in:	the operator's: {"question", "args"}
 *
 * Return: false with @fault set where it is not asked: no such host, or it is not online
 */
bool host_sessions_ask(struct host_sessions *sessions, const char *host, const json_t *in, struct ask *ask,
	struct fault *fault);

/* @host's agent has answered.  Return: false with @fault set */
bool host_sessions_answer(struct host_sessions *sessions, const char *host, const char *id, const json_t *answer,
	struct fault *fault);

/* Nobody waits for an answer any more: all are told so */
void host_sessions_end_asks(struct host_sessions *sessions);

/* Take a report.  Return: false with @fault set */
bool host_sessions_report(struct host_sessions *sessions, const char *host, const json_t *report, struct fault *fault);

/* A host as lists show it; new reference.  @host: as the model has it */
json_t *host_sessions_item(struct host_sessions *sessions, const json_t *host);

/* What a host's agent says now; borrowed until its next report, and nothing while it is offline */
struct host_word {
	bool online, in_line;
	const json_t *peers;    /* {"host/peer": item} of those that are not up; NULL: it does not tell */
	uint32_t peers_unnamed; /* more that are not up */
	const json_t *errors;
	uint32_t ports_unnamed; /* ports that are not up, and have no error among these */
};

struct host_word host_sessions_word(const struct host_sessions *sessions, const char *host);

/* A port as lists show it, with the state that its host says; new reference.  @port: as the model has it */
json_t *host_sessions_port(const struct host_sessions *sessions, const json_t *port);

/* All items of hosts, macs, drops or peers; new reference */
json_t *host_sessions_list(struct host_sessions *sessions, enum watch_resource resource);

#endif /* CONTROLLER_HOST_SESSIONS_H */
