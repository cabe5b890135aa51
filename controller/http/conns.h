/*
 * conns.h - TLS connections, and how little a stranger gets
 *
 * Makes the bufferevents that evhttp accepts connections with, and holds each to limits until the API has found out who it
 * is (conns_trust()).  It only ever shuts sockets down; evhttp notices and tidies up.
 *
 * Theory of operation.  new -> (trusted) -> closed.  A new connection is shut down at once where there are CONNS_MAX, or
 * CONNS_PER_SOURCE strangers from its address; and after CONNS_STRANGER_S unless it is trusted by then.  Until then it may send
 * CONNS_SMALL_BYTES in all; whoever sends more takes one of CONNS_LARGE_STRANGERS places (or CONNS_LARGE_HOSTS, with a
 * certificate of the authority), or is shut down where all are taken.  So strangers can make the controller hold
 * CONNS_MAX * CONNS_SMALL_BYTES + CONNS_LARGE_STRANGERS * CONNS_LARGE_BYTES at most.
 */
#ifndef CONTROLLER_HTTP_CONNS_H
#define CONTROLLER_HTTP_CONNS_H

#include "base/addr.h"

#include <event2/event.h>
#include <event2/http.h>
#include <openssl/ssl.h>
#include <stdbool.h>

#define CONNS_MAX 1024U
#define CONNS_PER_SOURCE 64U
#define CONNS_STRANGER_S 20
#define CONNS_BODY_BYTES (1U << 20)
#define CONNS_HEADER_BYTES (16U << 10)
#define CONNS_SMALL_BYTES (32U << 10)
#define CONNS_LARGE_BYTES (CONNS_BODY_BYTES + CONNS_SMALL_BYTES)
#define CONNS_LARGE_STRANGERS 8U
#define CONNS_LARGE_HOSTS 64U

struct conns;

/* @tls: borrowed, must outlive it.  Return: NULL where memory is short */
struct conns *conns_new(struct event_base *base, SSL_CTX *tls);

/* Connections that come in from now on; @tls as above */
void conns_use(struct conns *conns, SSL_CTX *tls);

/* All connections must be gone: free evhttp first.  NULL is fine. */
void conns_free(struct conns *conns);

/* Have @http accept with TLS, under these limits */
void conns_attach(struct conns *conns, struct evhttp *http);

/* This connection has shown who it is.  Does nothing to one that is not ours. */
void conns_trust(struct evhttp_connection *connection);

/* The TLS of a connection, borrowed; NULL where it has none */
SSL *conns_tls(struct evhttp_connection *connection);

unsigned int conns_count(const struct conns *conns);

#endif /* CONTROLLER_HTTP_CONNS_H */
