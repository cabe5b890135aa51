/*
 * conns.c - see conns.h
 *
 * Who owns what.  evhttp owns the bufferevent, and frees it when it likes; libevent then finalizes it from the loop, and that
 * frees the SSL object, on which a struct conn hangs: that is how we hear of the end.  In between the bufferevent is dead for
 * everybody, so nothing here touches it, but where it is in our hands: in its own input callback, and from there until the check
 * that this callback asks for, for which it is held by a reference.  All else is done to the socket, which is open for as long
 * as the SSL object is there.
 */
#include "controller/http/conns.h"

#include "base/log.h"

#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <event2/bufferevent_ssl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>
#include <sys/socket.h>

enum large {
	LARGE_NO,
	LARGE_STRANGER,
	LARGE_HOST,
	LARGE_KINDS,
};

struct conn {
	LIST_ENTRY(conn) link;
	struct conns *conns;
	SSL *ssl;
	struct bufferevent *bev;  /* evhttp's; see above */
	struct bufferevent *held; /* the same with a reference of ours, until the check that is due; or NULL */
	struct event *check;      /* soon: who is it?  may it have more room? */
	struct event *deadline;   /* shut down unless trusted */
	struct endpoint source;   /* port 0 until known */
	size_t received_bytes;    /* while not trusted */
	enum large large;
	bool trusted;
};

LIST_HEAD(conn_list, conn);

struct conns {
	struct event_base *base;
	SSL_CTX *tls;
	struct conn_list list;
	unsigned int count;
	unsigned int large[LARGE_KINDS];
};

static int conn_index = -1; /* of a struct conn within an SSL; process-wide, as OpenSSL has it */

/* evhttp sees the end and tidies up; where reading is paused, it must go on for that */
static void end(struct conn *conn)
{
	if (conn->held)
		bufferevent_setwatermark(conn->held, EV_READ, 0, 0);
	shutdown(SSL_get_fd(conn->ssl), SHUT_RDWR);
}

static void give_back_room(struct conn *conn)
{
	if (conn->large != LARGE_NO)
		conn->conns->large[conn->large]--;
	conn->large = LARGE_NO;
}

static void on_ssl_free(void *parent, void *data, CRYPTO_EX_DATA *ad, int index, long argl, void *argp)
{
	struct conn *conn = data;

	(void)parent;
	(void)ad;
	(void)index;
	(void)argl;
	(void)argp;
	if (!conn)
		return;
	give_back_room(conn);
	conn->conns->count--;
	LIST_REMOVE(conn, link);
	event_free(conn->check);
	event_free(conn->deadline);
	free(conn);
}

static bool has_certificate(SSL *ssl)
{
	return SSL_is_init_finished(ssl) && SSL_get0_peer_certificate(ssl) && SSL_get_verify_result(ssl) == X509_V_OK;
}

/* Strangers only: many hosts may be behind one NAT */
static unsigned int count_strangers(const struct conns *conns, const struct endpoint *source)
{
	const struct conn *conn;
	unsigned int count = 0;

	LIST_FOREACH(conn, &conns->list, link)
		count += !conn->trusted && conn->source.port &&
			memcmp(conn->source.ip, source->ip, sizeof(source->ip)) == 0;
	return count;
}

/* Return: false where the connection is one too many */
static bool admit(struct conn *conn)
{
	const int fd = SSL_get_fd(conn->ssl), on = 1;
	struct sockaddr_storage peer;
	socklen_t len_bytes = sizeof(peer);

	/* a push must not wait for the acknowledgement of the one before */
	(void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
	if (conn->conns->count > CONNS_MAX || getpeername(fd, (struct sockaddr *)&peer, &len_bytes) < 0 ||
		!endpoint_from_sockaddr((struct sockaddr *)&peer, len_bytes, &conn->source))
		return false;
	return count_strangers(conn->conns, &conn->source) <= CONNS_PER_SOURCE;
}

/* Return: false where there is none left for one who is not trusted */
static bool take_large_place(struct conn *conn)
{
	enum large kind = has_certificate(conn->ssl) ? LARGE_HOST : LARGE_STRANGER;
	unsigned int most = kind == LARGE_HOST ? CONNS_LARGE_HOSTS : CONNS_LARGE_STRANGERS;

	if (conn->conns->large[kind] >= most) {
		log_warning("a request of more than %u bytes is not taken: %u others are under way", CONNS_SMALL_BYTES,
			most);
		return false;
	}
	conn->conns->large[kind]++;
	conn->large = kind;
	return true;
}

/*
 * Has it sent so much that it needs more room?  Only where conn->bev is alive, as the head of this file has it.  What evhttp has taken off the buffer counts, too: it
 * keeps bodies
 */
static bool wants_room(const struct conn *conn)
{
	if (conn->trusted)
		return evbuffer_get_length(bufferevent_get_input(conn->bev)) >= CONNS_SMALL_BYTES;
	return conn->large == LARGE_NO && conn->received_bytes >= CONNS_SMALL_BYTES;
}

static void give_room(struct conn *conn)
{
	if (conn->trusted || take_large_place(conn))
		bufferevent_setwatermark(conn->held, EV_READ, 0, CONNS_LARGE_BYTES);
	else
		end(conn);
}

static void on_check(evutil_socket_t fd, short what, void *arg)
{
	struct conn *conn = arg;
	struct bufferevent *held = conn->held;

	(void)fd;
	(void)what;
	if (!conn->source.port && !admit(conn))
		end(conn);
	else if (held)
		give_room(conn);
	conn->held = NULL;
	if (held)
		bufferevent_decref(held);
}

static void on_deadline(evutil_socket_t fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	end(arg);
}

/* Reading pauses at the watermark; whether it may go on is decided outside of this callback */
static void on_input(struct evbuffer *input, const struct evbuffer_cb_info *info, void *arg)
{
	struct conn *conn = arg;

	(void)input;
	if (!info->n_added)
		return;
	if (!conn->trusted)
		conn->received_bytes += info->n_added;
	if (conn->held || !wants_room(conn))
		return;
	bufferevent_incref(conn->bev);
	conn->held = conn->bev;
	event_active(conn->check, EV_TIMEOUT, 0);
}

static struct conn *conn_new(struct conns *conns, SSL *ssl)
{
	const struct timeval stranger = { CONNS_STRANGER_S, 0 };
	struct conn *conn = calloc(1, sizeof(*conn));

	if (!conn)
		return NULL;
	conn->conns = conns;
	conn->ssl = ssl;
	conn->check = event_new(conns->base, -1, 0, on_check, conn);
	conn->deadline = event_new(conns->base, -1, 0, on_deadline, conn);
	if (!conn->check || !conn->deadline || event_add(conn->deadline, &stranger) < 0 ||
		!SSL_set_ex_data(ssl, conn_index, conn)) {
		if (conn->check)
			event_free(conn->check);
		if (conn->deadline)
			event_free(conn->deadline);
		free(conn);
		return NULL;
	}
	LIST_INSERT_HEAD(&conns->list, conn, link);
	conns->count++;
	return conn;
}

/* What evhttp asks for each connection that it has accepted; with NULL it goes on without TLS, which must not be */
static struct bufferevent *on_accept(struct event_base *base, void *arg)
{
	struct conns *conns = arg;
	SSL *ssl = SSL_new(conns->tls);
	struct conn *conn = ssl ? conn_new(conns, ssl) : NULL;

	if (conn)
		conn->bev = bufferevent_openssl_socket_new(base, -1, ssl, BUFFEREVENT_SSL_ACCEPTING,
			BEV_OPT_CLOSE_ON_FREE | BEV_OPT_DEFER_CALLBACKS);
	if (!conn || !conn->bev) {
		log_error("out of memory while accepting a connection");
		abort();
	}
	bufferevent_openssl_set_allow_dirty_shutdown(conn->bev, 1);
	bufferevent_setwatermark(conn->bev, EV_READ, 0, CONNS_SMALL_BYTES);
	evbuffer_add_cb(bufferevent_get_input(conn->bev), on_input, conn);
	event_active(conn->check, EV_TIMEOUT, 0);
	return conn->bev;
}

struct conns *conns_new(struct event_base *base, SSL_CTX *tls)
{
	struct conns *conns = calloc(1, sizeof(*conns));

	if (conn_index < 0)
		conn_index = SSL_get_ex_new_index(0, NULL, NULL, NULL, on_ssl_free);
	if (!conns || conn_index < 0) {
		free(conns);
		return NULL;
	}
	conns->base = base;
	conns->tls = tls;
	LIST_INIT(&conns->list);
	return conns;
}

void conns_free(struct conns *conns)
{
	free(conns);
}

void conns_attach(struct conns *conns, struct evhttp *http)
{
	evhttp_set_bevcb(http, on_accept, conns);
}

void conns_use(struct conns *conns, SSL_CTX *tls)
{
	conns->tls = tls;
}

SSL *conns_tls(struct evhttp_connection *connection)
{
	return bufferevent_openssl_get_ssl(evhttp_connection_get_bufferevent(connection));
}

void conns_trust(struct evhttp_connection *connection)
{
	SSL *ssl = conns_tls(connection);
	struct conn *conn = ssl ? SSL_get_ex_data(ssl, conn_index) : NULL;

	if (!conn || conn->trusted)
		return;
	conn->trusted = true;
	give_back_room(conn);
	event_del(conn->deadline);
}

unsigned int conns_count(const struct conns *conns)
{
	return conns->count;
}
