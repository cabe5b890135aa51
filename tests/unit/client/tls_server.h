/*
 * tls_server.h - for tests of HTTP clients: a CA, certificates, and a server on the test's own loop that behaves as it is told
 */
#ifndef TESTS_UNIT_CLIENT_TLS_SERVER_H
#define TESTS_UNIT_CLIENT_TLS_SERVER_H

#include <arpa/inet.h>
#include <event2/buffer.h>
#include <event2/bufferevent_ssl.h>
#include <event2/event.h>
#include <event2/listener.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

/* ---- who is who --------------------------------------------------------------------------------------------- */

struct credentials {
	EVP_PKEY *key;
	X509 *certificate;
	char *key_pem, *certificate_pem;
};

static inline char *pem_of(BIO *bio)
{
	char *bytes, *text;
	long len = BIO_get_mem_data(bio, &bytes);

	text = strndup(bytes, (size_t)len);
	BIO_free(bio);
	return text;
}

static inline void extend(X509 *certificate, X509 *issuer, int nid, const char *value)
{
	X509V3_CTX ctx;
	X509_EXTENSION *extension;

	X509V3_set_ctx(&ctx, issuer, certificate, NULL, NULL, 0);
	extension = X509V3_EXT_conf_nid(NULL, &ctx, nid, value);
	X509_add_ext(certificate, extension, -1);
	X509_EXTENSION_free(extension);
}

/* @issuer: NULL for a CA; @usage: "serverAuth", "clientAuth" */
static inline void credentials_make(struct credentials *out, const struct credentials *issuer, const char *usage)
{
	X509_NAME *name = X509_NAME_new();
	BIO *bio;

	out->key = EVP_PKEY_Q_keygen(NULL, NULL, "ED25519");
	out->certificate = X509_new();
	X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC, (const void *)(issuer ? usage : "ca"), -1, -1, 0);
	X509_set_version(out->certificate, 2);
	ASN1_INTEGER_set(X509_get_serialNumber(out->certificate), issuer ? 2 : 1);
	X509_gmtime_adj(X509_getm_notBefore(out->certificate), -60);
	X509_gmtime_adj(X509_getm_notAfter(out->certificate), 3600);
	X509_set_subject_name(out->certificate, name);
	X509_set_issuer_name(out->certificate, issuer ? X509_get_subject_name(issuer->certificate) : name);
	X509_set_pubkey(out->certificate, out->key);
	extend(out->certificate, out->certificate, NID_basic_constraints, issuer ? "CA:FALSE" : "critical,CA:TRUE");
	extend(out->certificate, out->certificate, NID_subject_key_identifier, "hash");
	if (issuer) {
		extend(out->certificate, issuer->certificate, NID_authority_key_identifier, "keyid:always");
		extend(out->certificate, issuer->certificate, NID_ext_key_usage, usage);
	}
	X509_sign(out->certificate, issuer ? issuer->key : out->key, NULL);
	X509_NAME_free(name);
	bio = BIO_new(BIO_s_mem());
	PEM_write_bio_X509(bio, out->certificate);
	out->certificate_pem = pem_of(bio);
	bio = BIO_new(BIO_s_mem());
	PEM_write_bio_PrivateKey(bio, out->key, NULL, NULL, 0, NULL, NULL);
	out->key_pem = pem_of(bio);
}

static inline void credentials_free(struct credentials *credentials)
{
	EVP_PKEY_free(credentials->key);
	X509_free(credentials->certificate);
	free(credentials->key_pem);
	free(credentials->certificate_pem);
}

/* ---- the server --------------------------------------------------------------------------------------------- */

#define SERVER_CONNECTIONS_MAX 256U

enum behaviour {
	SERVER_ANSWERS,   /* 200 and "{}", and keeps the connection */
	SERVER_STREAMS,   /* the head of a stream; the test sends lines by server_send() */
	SERVER_REFUSES,   /* 403 and a long body */
	SERVER_HEADERS,   /* without end */
	SERVER_CONTINUES, /* "100 Continue" without end */
	SERVER_BODY,      /* without end */
	SERVER_DRIPS,     /* a byte each 20 ms */
	SERVER_HANGS_UP,  /* after the request */
	SERVER_MUTE,      /* not even TLS */
};

struct tls_server {
	struct event_base *base;
	SSL_CTX *tls; /* NULL: plain */
	struct evconnlistener *listener;
	struct event *drip;
	enum behaviour behaviour;
	uint16_t port;
	unsigned int accepted, requests, gone;
	uint64_t sent_bytes;
	struct bufferevent *last; /* connection that asked */
	struct bufferevent *open[SERVER_CONNECTIONS_MAX];
	char asked[4096];
};

static inline void server_send(struct tls_server *server, const char *text)
{
	if (!server->last)
		return;
	bufferevent_write(server->last, text, strlen(text));
	server->sent_bytes += strlen(text);
}

/* Another piece of what has no end */
static inline void server_more(struct tls_server *server)
{
	static char piece[16001];

	if (!piece[0])
		memset(piece, 'x', sizeof(piece) - 1);
	if (server->behaviour == SERVER_HEADERS)
		server_send(server, "X-More: of the same, again and again\r\n");
	else if (server->behaviour == SERVER_CONTINUES)
		server_send(server, "HTTP/1.1 100 Continue\r\n\r\n");
	else if (server->behaviour == SERVER_BODY)
		server_send(server, piece);
	else if (server->behaviour == SERVER_DRIPS)
		server_send(server, "x");
}

static inline void on_server_written(struct bufferevent *bev, void *arg)
{
	struct tls_server *server = arg;

	if (bev == server->last && server->behaviour != SERVER_DRIPS)
		server_more(server);
}

static inline void on_server_drip(evutil_socket_t fd, short what, void *arg)
{
	struct tls_server *server = arg;

	(void)fd;
	(void)what;
	if (server->behaviour == SERVER_DRIPS)
		server_more(server);
}

static inline void server_hang_up(struct tls_server *server, struct bufferevent *bev)
{
	for (unsigned int i = 0; i < SERVER_CONNECTIONS_MAX; i++)
		if (server->open[i] == bev)
			server->open[i] = NULL;
	if (server->last == bev)
		server->last = NULL;
	server->gone++;
	bufferevent_free(bev);
}

static inline void on_server_event(struct bufferevent *bev, short what, void *arg)
{
	if (what & (BEV_EVENT_EOF | BEV_EVENT_ERROR))
		server_hang_up(arg, bev);
}

static inline void server_respond(struct tls_server *server)
{
	switch (server->behaviour) {
	case SERVER_ANSWERS:
		server_send(server, "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}");
		break;
	case SERVER_REFUSES:
		server_send(server, "HTTP/1.1 403 Forbidden\r\nContent-Length: 9\r\n\r\n{\"no\": 1}");
		break;
	case SERVER_HEADERS:
	case SERVER_CONTINUES:
		server_send(server,
			server->behaviour == SERVER_HEADERS ? "HTTP/1.1 200 OK\r\n" : "HTTP/1.1 100 X\r\n\r\n");
		break;
	case SERVER_HANGS_UP:
		server_hang_up(server, server->last);
		break;
	default: /* until the connection's end */
		server_send(server, "HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n");
		break;
	}
}

static inline void on_server_read(struct bufferevent *bev, void *arg)
{
	struct evbuffer *in = bufferevent_get_input(bev);
	struct tls_server *server = arg;
	ev_ssize_t got;

	if (evbuffer_search(in, "\r\n\r\n", 4, NULL).pos < 0)
		return;
	got = evbuffer_copyout(in, server->asked, sizeof(server->asked) - 1);
	server->asked[got] = '\0';
	evbuffer_drain(in, evbuffer_get_length(in));
	server->requests++;
	server->last = bev;
	server_respond(server);
}

static inline void on_server_accept(struct evconnlistener *listener, evutil_socket_t fd, struct sockaddr *from, int len,
	void *arg)
{
	const int flags = BEV_OPT_CLOSE_ON_FREE | BEV_OPT_DEFER_CALLBACKS;
	struct tls_server *server = arg;
	struct bufferevent *bev = server->tls && server->behaviour != SERVER_MUTE
		? bufferevent_openssl_socket_new(server->base, fd, SSL_new(server->tls), BUFFEREVENT_SSL_ACCEPTING,
			  flags)
		: bufferevent_socket_new(server->base, fd, flags);
	unsigned int i;

	(void)listener;
	(void)from;
	(void)len;
	for (i = 0; i < SERVER_CONNECTIONS_MAX && server->open[i]; i++)
		;
	if (i == SERVER_CONNECTIONS_MAX)
		abort();
	server->open[i] = bev;
	server->accepted++;
	bufferevent_setcb(bev, on_server_read, on_server_written, on_server_event, server);
	bufferevent_enable(bev, EV_READ | EV_WRITE);
}

/* @who: NULL for a plain server; @family: AF_INET or AF_INET6, on loopback; server->port: 0 for any */
static inline void server_start(struct tls_server *server, int family, const struct credentials *who)
{
	const struct timeval tick = { 0, 20000 };
	struct sockaddr_in6 at6 = { .sin6_family = AF_INET6,
		.sin6_port = htons(server->port),
		.sin6_addr = in6addr_loopback };
	struct sockaddr_in at4 = { .sin_family = AF_INET,
		.sin_port = htons(server->port),
		.sin_addr = { htonl(INADDR_LOOPBACK) } };
	struct sockaddr *at = family == AF_INET ? (struct sockaddr *)&at4 : (struct sockaddr *)&at6;
	socklen_t len = family == AF_INET ? sizeof(at4) : sizeof(at6);

	if (who) {
		server->tls = SSL_CTX_new(TLS_server_method());
		SSL_CTX_use_certificate(server->tls, who->certificate);
		SSL_CTX_use_PrivateKey(server->tls, who->key);
	}
	server->listener = evconnlistener_new_bind(server->base, on_server_accept, server,
		LEV_OPT_CLOSE_ON_FREE | LEV_OPT_REUSEABLE, 64, at, (int)len);
	if (!server->listener)
		abort();
	getsockname(evconnlistener_get_fd(server->listener), at, &len);
	server->port = ntohs(family == AF_INET ? at4.sin_port : at6.sin6_port);
	server->drip = event_new(server->base, -1, EV_PERSIST, on_server_drip, server);
	event_add(server->drip, &tick);
}

static inline void server_stop(struct tls_server *server)
{
	for (unsigned int i = 0; i < SERVER_CONNECTIONS_MAX; i++)
		if (server->open[i])
			server_hang_up(server, server->open[i]);
	if (server->listener)
		evconnlistener_free(server->listener);
	server->listener = NULL;
	if (server->drip)
		event_free(server->drip);
	server->drip = NULL;
	event_base_loop(server->base, EVLOOP_NONBLOCK);
	SSL_CTX_free(server->tls);
	server->tls = NULL;
}

#endif /* TESTS_UNIT_CLIENT_TLS_SERVER_H */
