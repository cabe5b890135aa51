/*
 * server.h - the controller's sockets: TLS 1.3 on the network, HTTP on the local socket
 *
 * Binds them, hands the requests that come in to its owner, and takes everything down again.
 */
#ifndef CONTROLLER_HTTP_SERVER_H
#define CONTROLLER_HTTP_SERVER_H

#include "base/error.h"

#include <event2/event.h>
#include <event2/http.h>
#include <stdbool.h>
#include <stdint.h>

#define SERVER_IDLE_S 60

/* Borrowed during server_new() */
struct server_config {
	const char *listen; /* "203.0.113.5:4753", numeric */
	const char *dir;    /* where controller.sock goes */
	const char *ca_pem;
	const char *tls_pem; /* our certificate, issued by the CA */
	const char *tls_key_pem;
};

/* Who answers; copied */
struct server_owner {
	void *ctx;
	/* @local: over the local socket.  @request is to be answered by evhttp's functions, now or later */
	void (*on_request)(void *ctx, struct evhttp_request *request, bool local);
};

struct server;

/* Listen.  Return: 0, or -errno and @error */
int server_new(struct event_base *base, const struct server_config *config, const struct server_owner *owner,
	struct server **out, struct error *error) __attribute__((warn_unused_result));

/* The port that TLS listens on */
uint16_t server_port(const struct server *server);

/**
 * server_move() - show another certificate, and listen at another address where config->listen is one
 *
 * Connections that there are stay.
 *
 * Return: 0; or -errno and @error, with everything as it was
 */
int server_move(struct server *server, const struct server_config *config, struct error *error)
	__attribute__((warn_unused_result));

/* Closes all connections and removes the socket; whoever has streams open ends them first.  Turns the loop once.  NULL is
 * fine. */
void server_free(struct server *server);

#endif /* CONTROLLER_HTTP_SERVER_H */
