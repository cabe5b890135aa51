/*
 * http_peer.h - a blocking HTTP/1.1 client over TLS 1.3 or a unix socket, for the controller's tests
 */
#ifndef TESTS_HTTP_PEER_H
#define TESTS_HTTP_PEER_H

#include <arpa/inet.h>
#include <errno.h>
#include <jansson.h>
#include <netinet/tcp.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

#define PEER_BUFFER_BYTES (1U << 20)

struct credentials {
	const char *ca_pem;
	const char *certificate_pem; /* NULL: none */
	const char *key_pem;
	const char *token; /* NULL: none */
};

struct peer {
	int fd;
	SSL_CTX *ctx;
	SSL *ssl; /* NULL: plain */
	const char *token;
	char *buffer; /* what was read and not taken */
	size_t used;
};

static inline X509 *peer_certificate(const char *pem)
{
	BIO *bio = BIO_new_mem_buf(pem, -1);
	X509 *certificate = PEM_read_bio_X509(bio, NULL, NULL, NULL);

	BIO_free(bio);
	return certificate;
}

static inline void peer_use(SSL_CTX *ctx, const struct credentials *who)
{
	X509 *ca = peer_certificate(who->ca_pem);

	X509_STORE_add_cert(SSL_CTX_get_cert_store(ctx), ca);
	X509_free(ca);
	if (who->certificate_pem) {
		BIO *bio = BIO_new_mem_buf(who->key_pem, -1);
		EVP_PKEY *key = PEM_read_bio_PrivateKey(bio, NULL, NULL, NULL);
		X509 *own = peer_certificate(who->certificate_pem);

		SSL_CTX_use_certificate(ctx, own);
		SSL_CTX_use_PrivateKey(ctx, key);
		X509_free(own);
		EVP_PKEY_free(key);
		BIO_free(bio);
	}
}

static inline int peer_socket(uint16_t port)
{
	struct sockaddr_in to = { .sin_family = AF_INET,
		.sin_port = htons(port),
		.sin_addr = { htonl(INADDR_LOOPBACK) } };
	const struct timeval patience = { 5, 0 };
	const int on = 1;
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
	setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof(patience));
	if (connect(fd, (struct sockaddr *)&to, sizeof(to)) < 0) {
		close(fd);
		return -1;
	}
	return fd;
}

static inline void peer_close(struct peer *peer)
{
	if (peer->ssl)
		SSL_shutdown(peer->ssl);
	SSL_free(peer->ssl);
	SSL_CTX_free(peer->ctx);
	if (peer->fd >= 0)
		close(peer->fd);
	free(peer->buffer);
	*peer = (struct peer){ .fd = -1 };
}

/* Return: false where no connection comes about */
static inline bool peer_open_max(struct peer *peer, uint16_t port, const struct credentials *who, int tls_max)
{
	*peer = (struct peer){ .fd = peer_socket(port), .token = who->token, .buffer = calloc(1, PEER_BUFFER_BYTES) };
	peer->ctx = SSL_CTX_new(TLS_client_method());
	SSL_CTX_set_max_proto_version(peer->ctx, tls_max);
	SSL_CTX_set_verify(peer->ctx, SSL_VERIFY_PEER, NULL);
	peer_use(peer->ctx, who);
	peer->ssl = SSL_new(peer->ctx);
	SSL_set_fd(peer->ssl, peer->fd);
	return peer->fd >= 0 && SSL_connect(peer->ssl) == 1;
}

static inline bool peer_open(struct peer *peer, uint16_t port, const struct credentials *who)
{
	return peer_open_max(peer, port, who, TLS1_3_VERSION);
}

static inline bool peer_open_local(struct peer *peer, const char *path)
{
	struct sockaddr_un to = { .sun_family = AF_UNIX };

	*peer = (struct peer){ .fd = socket(AF_UNIX, SOCK_STREAM, 0), .buffer = calloc(1, PEER_BUFFER_BYTES) };
	snprintf(to.sun_path, sizeof(to.sun_path), "%s", path);
	return connect(peer->fd, (struct sockaddr *)&to, sizeof(to)) == 0;
}

static inline bool peer_write(struct peer *peer, const void *bytes, size_t len_bytes)
{
	if (peer->ssl)
		return SSL_write(peer->ssl, bytes, (int)len_bytes) == (int)len_bytes;
	return send(peer->fd, bytes, len_bytes, MSG_NOSIGNAL) == (ssize_t)len_bytes;
}

/* Read more into the buffer.  Return: false at the end, or after 5 s of silence */
static inline bool peer_read(struct peer *peer)
{
	size_t room = PEER_BUFFER_BYTES - 1 - peer->used;
	ssize_t got = peer->ssl ? SSL_read(peer->ssl, peer->buffer + peer->used, (int)room)
				: recv(peer->fd, peer->buffer + peer->used, room, 0);

	if (got <= 0)
		return false;
	peer->used += (size_t)got;
	peer->buffer[peer->used] = '\0';
	return true;
}

static inline void peer_take(struct peer *peer, size_t len_bytes)
{
	memmove(peer->buffer, peer->buffer + len_bytes, peer->used - len_bytes + 1);
	peer->used -= len_bytes;
}

static inline bool peer_request(struct peer *peer, const char *method, const char *path, const char *body)
{
	char head[1024];

	snprintf(head, sizeof(head), "%s %s HTTP/1.1\r\nHost: test\r\n%s%s%sContent-Length: %zu\r\n\r\n", method, path,
		peer->token ? "Authorization: Bearer " : "", peer->token ? peer->token : "", peer->token ? "\r\n" : "",
		body ? strlen(body) : 0);
	return peer_write(peer, head, strlen(head)) && (!body || peer_write(peer, body, strlen(body)));
}

/* The answer's status, with its headers taken off the buffer; 0 where there is none */
static inline int peer_status(struct peer *peer, size_t *body_bytes)
{
	char *end, *length;
	int status;

	while (!(end = strstr(peer->buffer, "\r\n\r\n"))) {
		if (!peer_read(peer))
			return 0;
	}
	status = atoi(peer->buffer + 9);
	*end = '\0';
	length = strcasestr(peer->buffer, "\r\nContent-Length:");
	*body_bytes = length ? (size_t)atol(length + 17) : 0;
	peer_take(peer, (size_t)(end - peer->buffer) + 4);
	return status;
}

/* One request and its answer; @answer may be NULL.  Return: the status, 0 where the connection broke */
static inline int peer_call(struct peer *peer, const char *method, const char *path, const char *body, json_t **answer)
{
	size_t body_bytes = 0;
	int status = peer_request(peer, method, path, body) ? peer_status(peer, &body_bytes) : 0;

	while (status && peer->used < body_bytes) {
		if (!peer_read(peer))
			return 0;
	}
	if (answer)
		*answer = status ? json_loadb(peer->buffer, body_bytes, 0, NULL) : NULL;
	if (status)
		peer_take(peer, body_bytes);
	return status;
}

/* The next line of a stream whose headers were taken: one chunk.  Return: NULL at the end; `{}` counts as a line */
static inline json_t *peer_line(struct peer *peer)
{
	size_t len, head;
	char *end;
	json_t *line;

	while (!(end = strstr(peer->buffer, "\r\n"))) {
		if (!peer_read(peer))
			return NULL;
	}
	len = strtoul(peer->buffer, NULL, 16);
	head = (size_t)(end - peer->buffer) + 2;
	if (len == 0)
		return NULL;
	while (peer->used < head + len + 2) {
		if (!peer_read(peer))
			return NULL;
	}
	line = json_loadb(peer->buffer + head, len, 0, NULL);
	peer_take(peer, head + len + 2);
	return line;
}

#endif /* TESTS_HTTP_PEER_H */
