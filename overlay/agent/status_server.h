/*
 * status_server.h - the local socket, DIR/weftd.sock, on which `weft` asks this host
 *
 * JSON over HTTP on a socket that only root may open.  POST /v1/ask {"question": NAME, "args": {...}} has questions.h's answer; one
 * that is an error has status 400.  GET /v1/status asks "status".
 */
#ifndef OVERLAY_AGENT_STATUS_SERVER_H
#define OVERLAY_AGENT_STATUS_SERVER_H

#include "base/error.h"
#include "overlay/agent/questions.h"

#include <event2/event.h>

struct status_server;

/**
 * status_server_new() - listen
 * @state:	the folder; a socket that is there was a killed agent's
 * @questions:	borrowed, must outlive it
 *
 * Return: NULL with @error
 */
struct status_server *status_server_new(struct event_base *base, const char *state, struct questions *questions,
	struct error *error);

/* Removes the socket and forgets what waits; connections end with the loop's next turn.  NULL is fine */
void status_server_free(struct status_server *server);

#endif /* OVERLAY_AGENT_STATUS_SERVER_H */
