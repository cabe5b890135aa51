/*
 * server.c - see server.h
 */
#include "controller/http/server.h"

#include "base/addr.h"
#include "base/log.h"
#include "base/server_address.h"
#include "controller/http/conns.h"
#include "lab/limits.h"

#include <errno.h>
#include <event2/http.h>
#include <event2/listener.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#define BACKLOG 128
#define SERVER_LAST_TURNS 8

struct server {
	struct event_base *base;
	struct server_owner owner;
	SSL_CTX *tls;
	struct conns *conns;
	struct evhttp *network, *local;
	struct evhttp_bound_socket *listening;  /* on the network */
	char listen[SERVER_ADDRESS_TEXT_BYTES]; /* where, as configured */
	uint16_t port;
	char socket_path[sizeof(((struct sockaddr_un *)NULL)->sun_path)]; /* "" until it is ours */
};

static X509 *read_certificate(const char *pem)
{
	BIO *bio = BIO_new_mem_buf(pem, -1);
	X509 *certificate = bio ? PEM_read_bio_X509(bio, NULL, NULL, NULL) : NULL;

	BIO_free(bio);
	return certificate;
}

/* Our key and certificate, and the CA behind it */
static bool use_identity(SSL_CTX *tls, const struct server_config *config)
{
	BIO *bio = BIO_new_mem_buf(config->tls_key_pem, -1);
	EVP_PKEY *key = bio ? PEM_read_bio_PrivateKey(bio, NULL, NULL, NULL) : NULL;
	X509 *own = read_certificate(config->tls_pem), *ca = read_certificate(config->ca_pem);
	bool ok = key && own && ca && SSL_CTX_use_certificate(tls, own) == 1 && SSL_CTX_use_PrivateKey(tls, key) == 1 &&
		SSL_CTX_check_private_key(tls) == 1 && SSL_CTX_add1_chain_cert(tls, ca) == 1 &&
		X509_STORE_add_cert(SSL_CTX_get_cert_store(tls), ca) == 1 && SSL_CTX_add_client_CA(tls, ca) == 1;

	X509_free(own);
	X509_free(ca);
	EVP_PKEY_free(key);
	BIO_free(bio);
	return ok;
}

/* No resumption: a certificate is shown and checked on every connection */
static SSL_CTX *make_tls(const struct server_config *config)
{
	SSL_CTX *tls = SSL_CTX_new(TLS_server_method());

	if (!tls)
		return NULL;
	SSL_CTX_set_mode(tls, SSL_MODE_RELEASE_BUFFERS);
	SSL_CTX_set_options(tls, SSL_OP_NO_TICKET);
	SSL_CTX_set_session_cache_mode(tls, SSL_SESS_CACHE_OFF);
	SSL_CTX_set_verify(tls, SSL_VERIFY_PEER, NULL);
	if (SSL_CTX_set_min_proto_version(tls, TLS1_3_VERSION) == 1 && SSL_CTX_set_num_tickets(tls, 0) == 1 &&
		use_identity(tls, config))
		return tls;
	SSL_CTX_free(tls);
	return NULL;
}

static void on_network(struct evhttp_request *request, void *arg)
{
	struct server *s = arg;

	s->owner.on_request(s->owner.ctx, request, false);
}

static void on_local(struct evhttp_request *request, void *arg)
{
	struct server *s = arg;

	s->owner.on_request(s->owner.ctx, request, true);
}

static struct evhttp *make_http(struct server *s, void (*on_request)(struct evhttp_request *request, void *arg))
{
	struct evhttp *http = evhttp_new(s->base);

	if (!http)
		return NULL;
	evhttp_set_allowed_methods(http, EVHTTP_REQ_GET | EVHTTP_REQ_PUT | EVHTTP_REQ_POST | EVHTTP_REQ_DELETE);
	evhttp_set_max_headers_size(http, CONNS_HEADER_BYTES);
	evhttp_set_max_body_size(http, CONNS_BODY_BYTES);
	/* a body that is too large is read to its end and dropped, so that its sender gets to hear why */
	evhttp_set_flags(http, EVHTTP_SERVER_LINGERING_CLOSE);
	evhttp_set_timeout(http, SERVER_IDLE_S);
	evhttp_set_gencb(http, on_request, s);
	return http;
}

/* Have @http accept from @listener, which it owns from now on.  Return: NULL where memory is short */
static struct evhttp_bound_socket *take_listener(struct evhttp *http, struct evconnlistener *listener)
{
	struct evhttp_bound_socket *bound = evhttp_bind_listener(http, listener);

	if (!bound)
		evconnlistener_free(listener);
	return bound;
}

static int listen_network(struct server *s, const char *listen, struct error *error)
{
	struct sockaddr_storage address;
	socklen_t len_bytes = sizeof(address);
	struct evconnlistener *listener;
	struct endpoint endpoint;
	int err;

	if (!endpoint_parse(listen, CONTROLLER_PORT_DEFAULT, &endpoint)) {
		error_set(error, "\"%.100s\" in controller.json is no address to listen on", listen);
		return -EINVAL;
	}
	len_bytes = endpoint_to_sockaddr(&endpoint, endpoint_is_v4(&endpoint) ? AF_INET : AF_INET6, &address);
	listener = evconnlistener_new_bind(s->base, NULL, NULL,
		LEV_OPT_REUSEABLE | LEV_OPT_CLOSE_ON_FREE | LEV_OPT_CLOSE_ON_EXEC, BACKLOG, (struct sockaddr *)&address,
		(int)len_bytes);
	if (!listener) {
		err = -errno;
		error_set(error, "cannot listen on %.100s: %s%s", listen, strerror(-err),
			err == -EADDRNOTAVAIL
				? "; behind NAT, --listen has to be an own address and --address the one that others see; where "
				  "the machine's address has changed: weft controller set-address"
				: "");
		return err;
	}
	len_bytes = sizeof(address);
	if (getsockname(evconnlistener_get_fd(listener), (struct sockaddr *)&address, &len_bytes) == 0 &&
		endpoint_from_sockaddr((struct sockaddr *)&address, len_bytes, &endpoint))
		s->port = endpoint.port;
	s->listening = take_listener(s->network, listener);
	snprintf(s->listen, sizeof(s->listen), "%s", listen);
	return s->listening ? 0 : -ENOMEM;
}

/* The store is locked by now, so a socket that is there was left behind by somebody who is gone */
static int bind_socket(struct server *s, int fd, const struct sockaddr_un *address)
{
	mode_t mask = umask(0177);
	int err = 0;

	unlink(address->sun_path);
	if (bind(fd, (const struct sockaddr *)address, sizeof(*address)) < 0)
		err = -errno;
	umask(mask);
	if (!err)
		memcpy(s->socket_path, address->sun_path, sizeof(s->socket_path));
	if (!err && listen(fd, BACKLOG) < 0)
		err = -errno;
	return err;
}

static int listen_local(struct server *s, const char *dir, struct error *error)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	struct evconnlistener *listener;
	int fd, err;

	if (snprintf(address.sun_path, sizeof(address.sun_path), "%s/controller.sock", dir) >=
		(int)sizeof(address.sun_path)) {
		error_set(error, "%.300s is too long for a socket's folder: choose a shorter --state", dir);
		return -ENAMETOOLONG;
	}
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	err = fd < 0 ? -errno : bind_socket(s, fd, &address);
	if (err) {
		error_set(error, "cannot listen on %s: %s", address.sun_path, strerror(-err));
		if (fd >= 0)
			close(fd);
		return err;
	}
	listener = evconnlistener_new(s->base, NULL, NULL, LEV_OPT_CLOSE_ON_FREE, 0, fd);
	if (!listener) {
		close(fd);
		return -ENOMEM;
	}
	return take_listener(s->local, listener) ? 0 : -ENOMEM;
}

int server_new(struct event_base *base, const struct server_config *config, const struct server_owner *owner,
	struct server **out, struct error *error)
{
	struct server *s = calloc(1, sizeof(*s));
	int err = -ENOMEM;

	error_set(error, "out of memory");
	if (!s)
		return err;
	s->base = base;
	s->owner = *owner;
	s->tls = make_tls(config);
	if (!s->tls) {
		error_set(error, "%.300s: tls.key, tls.crt and ca.crt do not go together", config->dir);
		err = -EINVAL;
		goto failed;
	}
	s->conns = conns_new(base, s->tls);
	s->network = make_http(s, on_network);
	s->local = make_http(s, on_local);
	if (!s->conns || !s->network || !s->local)
		goto failed;
	conns_attach(s->conns, s->network);
	err = listen_network(s, config->listen, error);
	if (!err)
		err = listen_local(s, config->dir, error);
	if (err)
		goto failed;
	*out = s;
	return 0;
failed:
	server_free(s);
	return err;
}

uint16_t server_port(const struct server *server)
{
	return server->port;
}

/* Both addresses may overlap, so the old one goes first */
static int listen_elsewhere(struct server *s, const char *listen, struct error *error)
{
	char before[sizeof(s->listen)];
	struct error again;
	int err;

	snprintf(before, sizeof(before), "%s", s->listen);
	if (s->listening && strcmp(before, listen) == 0)
		return 0;
	if (s->listening) /* else the last move ended nowhere */
		evhttp_del_accept_socket(s->network, s->listening);
	s->listening = NULL;
	err = listen_network(s, listen, error);
	if (err && listen_network(s, before, &again) < 0)
		log_error("cannot listen on %s any more: %s", before, again.text);
	return err;
}

int server_move(struct server *s, const struct server_config *config, struct error *error)
{
	SSL_CTX *tls = make_tls(config);
	int err;

	if (!tls) {
		error_set(error, "%.300s: tls.key, tls.crt and ca.crt do not go together", config->dir);
		return -EINVAL;
	}
	err = listen_elsewhere(s, config->listen, error);
	if (err) {
		SSL_CTX_free(tls);
		return err;
	}
	conns_use(s->conns, tls);
	SSL_CTX_free(s->tls);
	s->tls = tls;
	return 0;
}

void server_free(struct server *s)
{
	if (!s)
		return;
	if (s->network)
		evhttp_free(s->network);
	if (s->local)
		evhttp_free(s->local);
	if (s->socket_path[0])
		unlink(s->socket_path);
	/* bufferevents end from the loop, in a turn or two; their connections count down as they do */
	for (int turn = 0; s->conns && conns_count(s->conns) > 0 && turn < SERVER_LAST_TURNS; turn++)
		event_base_loop(s->base, EVLOOP_NONBLOCK);
	conns_free(s->conns);
	SSL_CTX_free(s->tls);
	free(s);
}
