/*
 * gateway.h - HTTP's end of the API: requests become api.h's calls, its answers become replies and streams
 *
 * Between http/server.h, which knows no API, and api.h, which knows no HTTP.  It decides nothing: it says what a connection shows
 * of its caller, and carries what comes and goes.
 *
 * Theory of operation.  An exchange is a request that the API has and that has no answer yet; it hangs on its connection and ends
 * with the answer, with a stream that takes its place, or with the connection, whichever is first.  evhttp reads nothing more from a
 * connection that waits for its answer, so that a client which goes away meanwhile is noticed when the answer is written.
 */
#ifndef CONTROLLER_GATEWAY_H
#define CONTROLLER_GATEWAY_H

#include "controller/api.h"

#include <event2/event.h>
#include <event2/http.h>
#include <stdbool.h>

struct gateway {
	struct event_base *base; /* borrowed, as the API is */
	struct api *api;
};

/* struct server_owner's callback; ctx: the struct gateway */
void gateway_on_request(void *ctx, struct evhttp_request *request, bool local);

#endif /* CONTROLLER_GATEWAY_H */
