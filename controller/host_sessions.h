/*
 * host_sessions.h - what each host's agent shall know, has applied and has reported
 *
 * For every enrolled host: its topology document with the revision at which it last changed, the open stream over which
 * it hears of changes, and its last report.  Reports live in memory only; agents send them again when they
 * connect.  Computing a document is topology.h's.
 *
 * Theory of operation.  A commit names the hosts that it touches; their documents are computed anew, and only where the
 * content differs does the document get the commit's revision and go out.  An agent that reported the revision of its
 * document is in line with everything that the store holds (host_sessions_item()'s `applied`); see "Applied everywhere" in
 * controller/API.md.  A stream that is still writing gets nothing more; when it is done it gets the newest.
 * A stream ends when its host is revoked or enrolled anew.
 */
#ifndef CONTROLLER_HOST_SESSIONS_H
#define CONTROLLER_HOST_SESSIONS_H

#include "base/addr.h"
#include "lab/fault.h"
#include "controller/model.h"
#include "controller/watch.h"

#include <event2/event.h>
#include <event2/http.h>
#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

struct host_sessions;

/* Documents for all hosts of the model.  Return: NULL where memory is short */
struct host_sessions *host_sessions_new(struct event_base *base, struct model *model);

/* Cuts all streams.  NULL is fine. */
void host_sessions_free(struct host_sessions *agents);

/* Where changes of hosts, macs and drops are told; borrowed */
void host_sessions_announce(struct host_sessions *agents, struct watch_hub *hub);

/* The keys of @hosts were touched by the commit that ended in @rev */
void host_sessions_touch(struct host_sessions *agents, const json_t *hosts, uint64_t rev);

/* The agent of @host has been heard, from @from (NULL: not known); may commit its new address */
void host_sessions_seen(struct host_sessions *agents, const char *host, const struct endpoint *from);

/* The document with its `rev`; a new reference.  @host is enrolled. */
json_t *host_sessions_topology(struct host_sessions *agents, const char *host);

/* Answer @request with the stream of documents; @have: the revision that the agent has */
void host_sessions_watch(struct host_sessions *agents, const char *host, struct evhttp_request *request, uint64_t have);

/* Take a report.  Return: false with @fault set */
bool host_sessions_report(struct host_sessions *agents, const char *host, const json_t *report, struct fault *fault);

/* A host as lists show it; new reference.  @host: as the model has it */
json_t *host_sessions_item(struct host_sessions *agents, const json_t *host);

/* All items of hosts, macs or drops; new reference */
json_t *host_sessions_list(struct host_sessions *agents, enum watch_resource resource);

#endif /* CONTROLLER_HOST_SESSIONS_H */
