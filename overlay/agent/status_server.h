/*
 * status_server.h - the local socket that `weft status` reads: GET /v1/status on DIR/weftd.sock
 *
 * JSON over HTTP on a socket that only root may open.
 */
#ifndef OVERLAY_AGENT_STATUS_SERVER_H
#define OVERLAY_AGENT_STATUS_SERVER_H

#include "base/error.h"

#include <event2/event.h>
#include <jansson.h>

struct status_server;

/**
 * status_server_new() - listen
 * @state:	the folder; a socket that is there was a killed agent's
 * @document:	called for each request; what it returns is the server's.  @ctx is handed to it
 *
 * Return: NULL with @error
 */
struct status_server *status_server_new(struct event_base *base, const char *state, json_t *(*document)(void *ctx),
	void *ctx, struct error *error);

/* Removes the socket; connections end with the loop's next turn.  NULL is fine */
void status_server_free(struct status_server *server);

#endif /* OVERLAY_AGENT_STATUS_SERVER_H */
