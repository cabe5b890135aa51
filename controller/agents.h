/*
 * agents.h - what each host's agent shall know, has applied and has reported
 *
 * For every enrolled host: its topology document with the revision at which it last changed, the open stream over which
 * it hears of changes, and its last report.  Reports live in memory only; agents send them again when they
 * connect.  Computing a document is topology.h's.
 *
 * Theory of operation.  A commit names the hosts that it touches; their documents are computed anew, and only where the
 * content differs does the document get the commit's revision and go out.  An agent that reported the revision of its
 * document is in line with everything that the store holds (agents_item()'s `applied`); see "Applied everywhere" in
 * controller/API.md.  A stream that is still writing gets nothing more; when it is done it gets the newest.
 * A stream ends when its host is revoked or enrolled anew.
 */
#ifndef CONTROLLER_AGENTS_H
#define CONTROLLER_AGENTS_H

#include "base/addr.h"
#include "controller/fault.h"
#include "controller/model.h"
#include "controller/watch.h"

#include <event2/event.h>
#include <event2/http.h>
#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

struct agents;

/* Documents for all hosts of the model.  Return: NULL where memory is short */
struct agents *agents_new(struct event_base *base, struct model *model);

/* Cuts all streams.  NULL is fine. */
void agents_free(struct agents *agents);

/* Where changes of hosts, macs and drops are told; borrowed */
void agents_announce(struct agents *agents, struct watch_hub *hub);

/* The keys of @hosts were touched by the commit that ended in @rev */
void agents_touch(struct agents *agents, const json_t *hosts, uint64_t rev);

/* The agent of @host has been heard, from @from (NULL: not known); may commit its new address */
void agents_seen(struct agents *agents, const char *host, const struct endpoint *from);

/* The document with its `rev`; a new reference.  @host is enrolled. */
json_t *agents_topology(struct agents *agents, const char *host);

/* Answer @request with the stream of documents; @have: the revision that the agent has */
void agents_watch(struct agents *agents, const char *host, struct evhttp_request *request, uint64_t have);

/* Take a report.  Return: false with @fault set */
bool agents_report(struct agents *agents, const char *host, const json_t *report, struct fault *fault);

/* A host as lists show it; new reference.  @host: as the model has it */
json_t *agents_item(struct agents *agents, const json_t *host);

/* All items of hosts, macs or drops; new reference */
json_t *agents_list(struct agents *agents, enum watch_resource resource);

#endif /* CONTROLLER_AGENTS_H */
