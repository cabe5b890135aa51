/*
 * http_client.h - HTTP to one server, for `weft` and weftd: libcurl's multi interface on the caller's libevent loop
 *
 * Over a local socket, or over TLS 1.3.  Whom it takes for the server is one rule for every program of weft: who has a certificate
 * that the pinned CA issued for a server's use (crypto/HANDSHAKE.md, section 2).  Under which address or name it was reached does
 * not matter, so that an address may change.  No other CA of the machine counts, and no proxy is used.
 *
 * Theory of operation.  A request: resolving -> connecting -> under way -> ended.  A name is looked up anew for each stream,
 * and for a call where nothing that was looked up has led to an answer since (resolution.h); all its addresses are tried, IPv6
 * and IPv4 side by side (RFC 8305).  A connection is kept for the next call, and a stream has one of its own.  Until a
 * stream's headers are here HTTP_CONNECT_MS may pass, and then HTTP_SILENCE_MS between any two pieces; a call has its limit as
 * a whole.  A peer that has gone without a word is noticed by TCP keepalives within 16 s.
 * Bounds: headers HTTP_HEADERS_BYTES, a body or a line what the call says, whatever the server sends.
 *
 * One thread, that of the loop.  Callbacks may begin and cancel requests, but not free the client.
 */
#ifndef CLIENT_HTTP_CLIENT_H
#define CLIENT_HTTP_CLIENT_H

#include "base/error.h"

#include <event2/event.h>
#include <stdbool.h>
#include <stddef.h>

#define HTTP_CONNECT_MS 10000U
#define HTTP_SILENCE_MS 30000U
#define HTTP_HEADERS_BYTES 65536U
#define HTTP_REFUSAL_BYTES 65536U /* of the body where a stream was refused */

struct http_client;
struct http_request;

/* One of: a socket's path; or an address.  Borrowed by http_client_new(), the private key copied and wiped in the end */
struct http_target {
	const char *socket;          /* path of a unix socket, or NULL */
	const char *address;         /* "203.0.113.5:4753", "ctl.example.org:4753" */
	const char *ca_pem;          /* one certificate; NULL: anybody may answer, and nothing secret may be sent */
	const char *certificate_pem; /* NULL: none is shown */
	const char *key_pem;
	const char *bearer; /* operator's token, or NULL */
};

struct http_call {
	const char *method;
	const char *path;
	const char *body;      /* borrowed until the end, or NULL */
	size_t max_bytes;      /* of the answer's body; of one line of a stream */
	unsigned int limit_ms; /* for all of it; 0: a stream */
	bool fresh;            /* on a new connection */
};

enum http_outcome {
	HTTP_ANSWERED,    /* by an HTTP status; a stream that the server ended as well */
	HTTP_UNRESOLVED,  /* the name has no address */
	HTTP_UNREACHABLE, /* no address of it takes connections */
	HTTP_UNTRUSTED,   /* who answers is not the server */
	HTTP_TOO_LONG,    /* sent more than the bounds allow */
	HTTP_SILENT,      /* in time */
	HTTP_BROKEN,      /* the connection ended or failed in between */
};

/* Borrowed during on_end() */
struct http_end {
	enum http_outcome outcome;
	int status;       /* 0: none came */
	const char *body; /* of a call, or of a stream that was refused; never NULL; not terminated */
	size_t body_bytes;
	const char *why; /* in words without the server's address; "" after HTTP_ANSWERED */
	int os_error;    /* of connecting to a socket's path; 0: unknown */
};

struct http_owner {
	void *ctx;
	void (*on_open)(void *ctx); /* a stream's status 200 is here; may be NULL */
	/* One line of a stream, without its newline but with a NUL; NULL: this is a call */
	void (*on_line)(void *ctx, const char *line, size_t len_bytes);
	/* Once, and the request is gone then; never after http_request_cancel() */
	void (*on_end)(void *ctx, const struct http_end *end);
};

/* Return: NULL with a line for the operator */
struct http_client *http_client_new(struct event_base *base, const struct http_target *target, struct error *error)
	__attribute__((warn_unused_result));

/* Ends all requests without a word, and wipes keys.  Never waits.  NULL is fine */
void http_client_free(struct http_client *client);

/**
 * http_request_begin() - ask; what comes of it is told from the loop
 *
 * Return: NULL where memory is short
 */
struct http_request *http_request_begin(struct http_client *client, const struct http_call *call,
	const struct http_owner *owner) __attribute__((warn_unused_result));

/* End it without a word.  NULL is fine */
void http_request_cancel(struct http_request *request);

/* Is it connected from an address that this machine no longer has?  Nothing will come over that any more. */
bool http_request_stranded(const struct http_request *request);

#endif /* CLIENT_HTTP_CLIENT_H */
