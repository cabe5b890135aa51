/*
 * gateway.c - see gateway.h
 */
#include "controller/gateway.h"

#include "base/secret.h"
#include "controller/http/conns.h"
#include "controller/http/reply.h"
#include "controller/http/stream.h"

#include <event2/buffer.h>
#include <netinet/in.h>
#include <openssl/evp.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

struct exchange {
	struct gateway *gateway;
	struct evhttp_request *request;
	struct api_call *call; /* NULL within api_call() */
};

/* ---- who asks --------------------------------------------------------------------------------------------- */

/* What a caller shows, and the texts that it is shown in */
struct shown {
	struct who_claim claim;
	char host[LAB_NAME_MAX + 2];
	char fingerprint[AUTHORITY_HASH_BYTES];
};

static void show_certificate(const X509 *certificate, struct shown *out)
{
	int len = X509_NAME_get_text_by_NID(X509_get_subject_name(certificate), NID_commonName, out->host,
		sizeof(out->host));
	unsigned char digest[32];

	if (len <= 0 || (size_t)len != strlen(out->host) || !X509_digest(certificate, EVP_sha256(), digest, NULL))
		out->host[0] = '\0';
	else
		for (size_t i = 0; i < sizeof(digest); i++)
			snprintf(&out->fingerprint[2 * i], 3, "%02x", digest[i]);
	out->claim.host = out->host;
	out->claim.fingerprint = out->fingerprint;
}

static void show_address(struct evhttp_connection *connection, struct who_claim *claim)
{
	const struct sockaddr *sa = evhttp_connection_get_addr(connection);

	if (sa)
		claim->from_known = endpoint_from_sockaddr(sa,
			sa->sa_family == AF_INET6 ? sizeof(struct sockaddr_in6) : sizeof(struct sockaddr_in),
			&claim->from);
}

static void show(struct evhttp_request *request, bool local, struct shown *out)
{
	struct evhttp_connection *connection = evhttp_request_get_connection(request);
	const char *header = evhttp_find_header(evhttp_request_get_input_headers(request), "Authorization");
	SSL *ssl = local ? NULL : conns_tls(connection);
	const X509 *certificate = ssl ? SSL_get0_peer_certificate(ssl) : NULL;

	*out = (struct shown){ .claim.local = local };
	if (local)
		return;
	show_address(connection, &out->claim);
	if (header)
		out->claim.token = strncasecmp(header, "Bearer ", 7) == 0 ? header + 7 : "";
	if (certificate && SSL_get_verify_result(ssl) == X509_V_OK)
		show_certificate(certificate, out);
	else if (certificate)
		out->claim.host = "";
}

/* ---- answers ---------------------------------------------------------------------------------------------- */

/* The exchange is over; where that is from within api_call(), gateway_on_request() frees it */
static void let_go(struct exchange *x)
{
	evhttp_connection_set_closecb(evhttp_request_get_connection(x->request), NULL, NULL);
	if (x->call)
		free(x);
}

static void on_answer(void *ctx, const struct api_answer *answer)
{
	struct exchange *x = ctx;
	struct evhttp_request *request = x->request;

	let_go(x);
	if (answer->allow)
		evhttp_add_header(evhttp_request_get_output_headers(request), "Allow", answer->allow);
	reply_json(request, answer->status, answer->body);
}

static void on_known(void *ctx)
{
	struct exchange *x = ctx;

	conns_trust(evhttp_request_get_connection(x->request));
}

/* The connection ends before the answer.  After an error evhttp has left the request to us; when the server ends, the
 * connection still has it */
static void on_connection_closed(struct evhttp_connection *connection, void *arg)
{
	struct exchange *x = arg;

	(void)connection;
	api_call_gone(x->call);
	if (!evhttp_request_get_connection(x->request))
		evhttp_request_free(x->request);
	free(x);
}

/* ---- watches: a stream each -------------------------------------------------------------------------------- */

static void send_line(void *ctx, const json_t *line)
{
	stream_send(ctx, line);
}

static void settled(void *ctx)
{
	stream_settled(ctx);
}

static bool busy(void *ctx)
{
	return stream_busy(ctx);
}

static void end(void *ctx)
{
	stream_disown(ctx);
}

static const struct watcher_ops stream_ops = { .send = send_line, .settled = settled, .busy = busy, .end = end };

static void on_stream_closed(void *ctx, struct stream *stream)
{
	struct watcher *watcher = ctx;

	(void)stream;
	watcher->on_closed(watcher);
}

static void on_stream_drained(void *ctx, struct stream *stream)
{
	struct watcher *watcher = ctx;

	(void)stream;
	watcher->on_drained(watcher);
}

static bool on_open(void *ctx, struct watcher *watcher)
{
	const struct stream_owner owner = { .ctx = watcher,
		.on_closed = on_stream_closed,
		.on_drained = on_stream_drained };
	struct exchange *x = ctx;
	struct event_base *base = x->gateway->base;
	struct evhttp_request *request = x->request;

	let_go(x);
	watcher->ops = &stream_ops;
	watcher->ctx = stream_open(base, request, &owner);
	return watcher->ctx != NULL;
}

/* ---- requests --------------------------------------------------------------------------------------------- */

static enum api_method method_of(const struct evhttp_request *request)
{
	switch (evhttp_request_get_command(request)) {
	case EVHTTP_REQ_PUT:
		return API_PUT;
	case EVHTTP_REQ_POST:
		return API_POST;
	case EVHTTP_REQ_DELETE:
		return API_DELETE;
	default:
		return API_GET;
	}
}

/* Secrets may be in the body, and nothing is left of it.  Return: what waits, or NULL */
static struct api_call *call(struct exchange *x, bool local, struct evbuffer *body)
{
	const struct api_client client = { .ctx = x, .answer = on_answer, .open = on_open, .known = on_known };
	const struct evhttp_uri *uri = evhttp_request_get_evhttp_uri(x->request);
	struct api_request request = { .method = method_of(x->request), .body_bytes = evbuffer_get_length(body) };
	unsigned char *bytes = evbuffer_pullup(body, -1);
	struct api_call *waiting;
	struct shown shown;

	show(x->request, local, &shown);
	request.claim = shown.claim;
	request.path = uri && evhttp_uri_get_path(uri) ? evhttp_uri_get_path(uri) : "";
	request.query = uri ? evhttp_uri_get_query(uri) : NULL;
	request.body = (const char *)bytes;
	waiting = api_call(x->gateway->api, &request, &client);
	if (bytes)
		secret_wipe(bytes, request.body_bytes);
	return waiting;
}

void gateway_on_request(void *ctx, struct evhttp_request *request, bool local)
{
	struct exchange *x = calloc(1, sizeof(*x));
	struct evbuffer *body = evbuffer_new();

	if (!x || !body || evbuffer_add_buffer(body, evhttp_request_get_input_buffer(request)) < 0) {
		reply_json(request, 503, NULL);
		free(x);
	} else {
		x->gateway = ctx;
		x->request = request;
		x->call = call(x, local, body);
		if (x->call)
			evhttp_connection_set_closecb(evhttp_request_get_connection(request), on_connection_closed, x);
		else
			free(x);
	}
	if (body)
		evbuffer_free(body);
}
