/*
 * api.h - controller/API.md: from a request to an answer
 *
 * Routes requests, checks who may call what, and hands them to those who know: apply.h, enrol.h, agents.h, watch.h.  It
 * owns these; sockets are server.h's.
 */
#ifndef CONTROLLER_API_H
#define CONTROLLER_API_H

#include "controller/ca/authority.h"
#include "controller/model.h"

#include <event2/event.h>
#include <event2/http.h>

struct api;

/* @model, @fabric: borrowed, must outlive it.  Return: NULL where memory is short */
struct api *api_new(struct event_base *base, struct model *model, const struct authority *authority);

/* Ends all streams; the evhttp that calls api_on_...() is to be freed after this.  NULL is fine. */
void api_free(struct api *api);

/* evhttp's callbacks; arg: the struct api */
void api_on_network(struct evhttp_request *request, void *arg);
void api_on_local(struct evhttp_request *request, void *arg);

#endif /* CONTROLLER_API_H */
