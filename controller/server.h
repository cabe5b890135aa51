/*
 * server.h - the controller's sockets: TLS 1.3 on the network, HTTP on the local socket
 *
 * Binds them, hands what comes in to api.h, and takes everything down again.
 */
#ifndef CONTROLLER_SERVER_H
#define CONTROLLER_SERVER_H

#include "base/error.h"
#include "controller/api.h"
#include "controller/ca/authority.h"

#include <event2/event.h>
#include <stdint.h>

#define SERVER_IDLE_S 60

struct server;

/**
 * server_new() - listen
 * @fabric:	where to listen, and the keys; borrowed during the call
 * @dir:	where controller.sock goes
 * @api:	borrowed
 *
 * Return: 0, or -errno and @error
 */
int server_new(struct event_base *base, const struct authority *authority, const char *dir, struct api *api,
	struct server **out, struct error *error) __attribute__((warn_unused_result));

/* The port that TLS listens on */
uint16_t server_port(const struct server *server);

/* TLS connections that are open */
unsigned int server_connections(const struct server *server);

/* Closes all connections and removes the socket; api_free() comes first.  Turns the loop once.  NULL is fine. */
void server_free(struct server *server);

#endif /* CONTROLLER_SERVER_H */
