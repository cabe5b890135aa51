/*
 * controller_client.c - see controller_client.h
 *
 * HTTP is libevent's evhttp, each exchange on a connection of its own.  evhttp must not lose a connection while
 * it is calling us, so its callbacks only note what happened; connections are freed by our own timers.
 */
#include "overlay/agent/controller_client.h"

#include "base/log.h"
#include "base/random.h"
#include "lab/limits.h"
#include "lab/topology.h"

#include <errno.h>
#include <event2/buffer.h>
#include <event2/bufferevent_ssl.h>
#include <event2/dns.h>
#include <event2/http.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>

#define CONNECT_MS 10000
#define SILENCE_MS 30000
#define RETRY_MIN_MS 250U
#define RETRY_MAX_MS 5000U
#define LINE_MAX_BYTES (64U << 20) /* of one topology */
#define ERROR_MAX_BYTES 4096U
#define TEXT_BYTES 512U

/* One request and its connection */
struct exchange {
	struct controller_client *client;
	struct evhttp_connection *connection; /* NULL: none under way */
	struct bufferevent *bev;              /* the connection's */
	int status;                           /* of the answer; 0 before it */
	struct evbuffer *body;                /* what was not taken yet */
};

struct waiting_answer {
	STAILQ_ENTRY(waiting_answer) link;
	char path[96];
	char *text;
};

struct controller_client {
	struct event_base *base;
	struct evdns_base *dns; /* only where the controller has a name */
	SSL_CTX *tls;
	char *host;
	uint16_t port;
	char *host_header;
	struct controller_client_callbacks callbacks;
	void *ctx;

	struct exchange watch;
	struct event *watch_timer; /* connect (again); or, while one is under way, give it up */
	unsigned int retry_ms;
	bool connected;
	bool started;                       /* the timer is to connect, not to give up */
	char topology[TOPOLOGY_HASH_BYTES]; /* `hash` of the one at hand; "" for none */
	char failure[TEXT_BYTES];

	struct exchange report;
	struct event *report_timer; /* send (again), clean up, or give up */
	char *report_waiting;       /* texts; NULL: none */
	char *report_sending;
	char *report_done; /* the last that the controller took */
	char failure_of_report[TEXT_BYTES];

	struct exchange answer; /* that of the first in `answers` */
	STAILQ_HEAD(answer_list, waiting_answer) answers;
	unsigned int answers_count;
	struct event *answer_timer; /* send the first, clean up, or give up */
};

static void set_timer(struct event *timer, unsigned int ms)
{
	const struct timeval tv = { ms / 1000, (suseconds_t)(ms % 1000) * 1000 };

	event_add(timer, &tv);
}

/* ---- exchanges -------------------------------------------------------------------------------------------- */

static void exchange_end(struct exchange *x)
{
	if (x->connection)
		evhttp_connection_free(x->connection);
	x->connection = NULL;
	x->bev = NULL;
	x->status = 0;
	if (x->body)
		evbuffer_drain(x->body, evbuffer_get_length(x->body));
}

/* A connection with TLS that is not connected yet.  Return: false where memory is short */
static bool exchange_begin(struct exchange *x)
{
	struct controller_client *c = x->client;
	SSL *ssl = SSL_new(c->tls);

	exchange_end(x);
	if (!ssl)
		return false;
	x->bev = bufferevent_openssl_socket_new(c->base, -1, ssl, BUFFEREVENT_SSL_CONNECTING,
		BEV_OPT_CLOSE_ON_FREE | BEV_OPT_DEFER_CALLBACKS);
	if (!x->bev) {
		SSL_free(ssl);
		return false;
	}
	bufferevent_openssl_set_allow_dirty_shutdown(x->bev, 1);
	x->connection = evhttp_connection_base_bufferevent_new(c->base, c->dns, x->bev, c->host, c->port);
	if (!x->connection) {
		bufferevent_free(x->bev);
		x->bev = NULL;
		return false;
	}
	/* the timers of watch and report watch over this instead */
	evhttp_connection_set_timeout(x->connection, 3600);
	return true;
}

/* Send a request; consumes @request.  Return: false where it could not even begin */
static bool exchange_send(struct exchange *x, struct evhttp_request *request, enum evhttp_cmd_type method,
	const char *path, const char *body)
{
	struct evkeyvalq *headers = evhttp_request_get_output_headers(request);

	evhttp_add_header(headers, "Host", x->client->host_header);
	evhttp_add_header(headers, "Connection", "close");
	if (body) {
		evhttp_add_header(headers, "Content-Type", "application/json");
		evbuffer_add(evhttp_request_get_output_buffer(request), body, strlen(body));
	}
	return evhttp_make_request(x->connection, request, method, path) == 0;
}

/* Why a connection failed, for operators */
static void describe_failure(const struct exchange *x, const struct controller_client *c, char out[TEXT_BYTES])
{
	unsigned long code = x->bev ? bufferevent_get_openssl_error(x->bev) : 0;
	int error = EVUTIL_SOCKET_ERROR();
	long verified = X509_V_OK;
	SSL *ssl = x->bev ? bufferevent_openssl_get_ssl(x->bev) : NULL;

	if (ssl)
		verified = SSL_get_verify_result(ssl);
	if (verified != X509_V_OK)
		snprintf(out, TEXT_BYTES, "%s: not this fabric's controller: %s", c->host_header,
			X509_verify_cert_error_string(verified));
	else if (code && ERR_SYSTEM_ERROR(code))
		snprintf(out, TEXT_BYTES, "%s: %s", c->host_header, strerror(ERR_GET_REASON(code)));
	else if (code && ERR_reason_error_string(code))
		snprintf(out, TEXT_BYTES, "%s: TLS: %s", c->host_header, ERR_reason_error_string(code));
	else if (error && error != EAGAIN && error != EINPROGRESS)
		snprintf(out, TEXT_BYTES, "%s: %s", c->host_header, strerror(error));
	else
		snprintf(out, TEXT_BYTES, "%s: the connection ended", c->host_header);
}

/* The message of an error answer */
static void describe_answer(const struct exchange *x, const struct controller_client *c, char out[TEXT_BYTES])
{
	size_t len_bytes = evbuffer_get_length(x->body);
	const char *bytes = (const char *)evbuffer_pullup(x->body, -1), *message;
	json_t *answer = bytes ? json_loadb(bytes, len_bytes, 0, NULL) : NULL;

	message = json_string_value(json_object_get(json_object_get(answer, "error"), "message"));
	snprintf(out, TEXT_BYTES, "%s: %s (%d)", c->host_header, message ? message : "refused", x->status);
	json_decref(answer);
}

/* ---- answers ---------------------------------------------------------------------------------------------- */

/* The first is over, one way or the other */
static void answer_over(struct controller_client *c)
{
	struct waiting_answer *answer = STAILQ_FIRST(&c->answers);

	exchange_end(&c->answer);
	STAILQ_REMOVE_HEAD(&c->answers, link);
	c->answers_count--;
	free(answer->text);
	free(answer);
}

static void answers_forget(struct controller_client *c)
{
	while (!STAILQ_EMPTY(&c->answers))
		answer_over(c);
	event_del(c->answer_timer);
}

static void on_answer_done(struct evhttp_request *request, void *arg)
{
	struct controller_client *c = arg;

	(void)request;
	set_timer(c->answer_timer, 0);
}

static void answer_begin(struct controller_client *c)
{
	const struct waiting_answer *answer = STAILQ_FIRST(&c->answers);
	struct evhttp_request *request = exchange_begin(&c->answer) ? evhttp_request_new(on_answer_done, c) : NULL;

	if (request && exchange_send(&c->answer, request, EVHTTP_REQ_PUT, answer->path, answer->text))
		set_timer(c->answer_timer, CONNECT_MS);
	else
		set_timer(c->answer_timer, 0);
	c->answer.status = -1; /* under way */
}

static void on_answer_timer(evutil_socket_t fd, short what, void *arg)
{
	struct controller_client *c = arg;

	(void)fd;
	(void)what;
	if (c->answer.status)
		answer_over(c);
	if (!STAILQ_EMPTY(&c->answers))
		answer_begin(c);
}

void controller_client_answer(struct controller_client *c, const char *id, const json_t *answer)
{
	struct waiting_answer *waiting = calloc(1, sizeof(*waiting));

	if (waiting)
		waiting->text = json_dumps(answer, JSON_COMPACT);
	if (waiting && waiting->text && strlen(waiting->text) > CONTROLLER_CLIENT_ANSWER_BYTES) {
		free(waiting->text);
		waiting->text =
			strdup("{\"error\": {\"message\": \"the answer has more than 1 MiB, which is all that the "
			       "controller takes; ask on the host itself\"}}");
	}
	if (!waiting || !waiting->text || !c->connected || c->answers_count >= CONTROLLER_CLIENT_ANSWERS) {
		if (waiting)
			free(waiting->text);
		free(waiting);
		return;
	}
	snprintf(waiting->path, sizeof(waiting->path), "/v1/agent/answers/%s", id);
	if (STAILQ_EMPTY(&c->answers))
		set_timer(c->answer_timer, 0);
	STAILQ_INSERT_TAIL(&c->answers, waiting, link);
	c->answers_count++;
}

/* ---- the watch -------------------------------------------------------------------------------------------- */

/* The watch is to end, for @c->failure; it does so from the timer */
static void watch_failed(struct controller_client *c)
{
	c->started = false;
	set_timer(c->watch_timer, 0);
}

/* Return: false where a controller sends what is none */
static bool note_topology(struct controller_client *c, const char *hash)
{
	if (!hash || strlen(hash) >= sizeof(c->topology) || strspn(hash, "0123456789abcdef") != strlen(hash))
		return false;
	memcpy(c->topology, hash, strlen(hash) + 1);
	return true;
}

/* It comes back in a path */
static bool id_ok(const char *id)
{
	return id && *id && strlen(id) <= 64 && strspn(id, "0123456789abcdef") == strlen(id);
}

static void take_question(struct controller_client *c, const json_t *line)
{
	const char *id = json_string_value(json_object_get(line, "ask")),
		   *name = json_string_value(json_object_get(line, "question"));
	const json_t *args = json_object_get(line, "args");

	if (id_ok(id) && name)
		c->callbacks.on_question(c->ctx, id, name, json_is_object(args) ? args : NULL);
}

static void take_line(struct controller_client *c, const char *line, size_t len_bytes)
{
	json_t *document = json_loadb(line, len_bytes, JSON_REJECT_DUPLICATES, NULL);

	if (!json_is_object(document)) {
		snprintf(c->failure, sizeof(c->failure), "%s: sent what is not JSON", c->host_header);
		watch_failed(c);
	} else if (note_topology(c, json_string_value(json_object_get(document, "hash")))) {
		c->callbacks.on_topology(c->ctx, document);
	} else {
		take_question(c, document);
	}
	json_decref(document);
}

static void on_watch_up(struct controller_client *c)
{
	c->connected = true;
	c->callbacks.on_state(c->ctx, true, "");
	if (!c->report_waiting && c->report_done) {
		c->report_waiting = c->report_done;
		c->report_done = NULL;
	}
	if (c->report_waiting && !c->report_sending)
		set_timer(c->report_timer, 0);
}

static void on_watch_data(struct evhttp_request *request, void *arg)
{
	struct controller_client *c = arg;
	struct evbuffer *body = c->watch.body;
	size_t len_bytes;
	char *line;

	c->watch.status = evhttp_request_get_response_code(request);
	if (!c->started || evbuffer_add_buffer(body, evhttp_request_get_input_buffer(request)) < 0)
		return;
	if (c->watch.status != 200) {
		if (evbuffer_get_length(body) > ERROR_MAX_BYTES)
			watch_failed(c);
		return;
	}
	if (!c->connected)
		on_watch_up(c);
	c->retry_ms = RETRY_MIN_MS;
	set_timer(c->watch_timer, SILENCE_MS);
	while (c->started && (line = evbuffer_readln(body, &len_bytes, EVBUFFER_EOL_LF)) != NULL) {
		if (len_bytes > 0)
			take_line(c, line, len_bytes);
		free(line);
	}
	if (evbuffer_get_length(body) > LINE_MAX_BYTES) {
		snprintf(c->failure, sizeof(c->failure), "%s: sent a line without end", c->host_header);
		watch_failed(c);
	}
}

/* Headers are here: a stream without a topology to send is up as well */
static int on_watch_headers(struct evhttp_request *request, void *arg)
{
	struct controller_client *c = arg;

	c->watch.status = evhttp_request_get_response_code(request);
	if (c->started && c->watch.status == 200 && !c->connected) {
		set_timer(c->watch_timer, SILENCE_MS);
		on_watch_up(c);
	}
	return 0;
}

/* @request: NULL where the connection broke */
static void on_watch_done(struct evhttp_request *request, void *arg)
{
	struct controller_client *c = arg;

	if (!c->started)
		return;
	if (request && evhttp_request_get_response_code(request))
		c->watch.status = evhttp_request_get_response_code(request);
	if (c->watch.status && c->watch.status != 200)
		describe_answer(&c->watch, c, c->failure);
	else
		describe_failure(&c->watch, c, c->failure);
	watch_failed(c);
}

static bool watch_begin(struct controller_client *c)
{
	struct evhttp_request *request;
	char path[32 + TOPOLOGY_HASH_BYTES];

	snprintf(path, sizeof(path), "/v1/agent/topology?watch=%s", c->topology[0] ? c->topology : "0");
	if (!exchange_begin(&c->watch))
		return false;
	request = evhttp_request_new(on_watch_done, c);
	if (!request)
		return false;
	evhttp_request_set_chunked_cb(request, on_watch_data);
	evhttp_request_set_header_cb(request, on_watch_headers);
	return exchange_send(&c->watch, request, EVHTTP_REQ_GET, path, NULL);
}

static void watch_connect(struct controller_client *c)
{
	snprintf(c->failure, sizeof(c->failure), "%s: does not answer", c->host_header);
	c->started = true;
	set_timer(c->watch_timer, CONNECT_MS);
	if (!watch_begin(c)) {
		snprintf(c->failure, sizeof(c->failure), "%s: cannot connect", c->host_header);
		watch_failed(c);
	}
}

/* The watch has ended: tidy up, tell, and wait for the next attempt */
static void watch_over(struct controller_client *c)
{
	unsigned int jitter = c->retry_ms / 4;

	exchange_end(&c->watch);
	answers_forget(c);
	c->started = false;
	c->connected = false;
	set_timer(c->watch_timer, c->retry_ms - jitter + random_u32() % (2 * jitter + 1));
	c->retry_ms = 2 * c->retry_ms > RETRY_MAX_MS ? RETRY_MAX_MS : 2 * c->retry_ms;
	c->callbacks.on_state(c->ctx, false, c->failure);
}

static void on_watch_timer(evutil_socket_t fd, short what, void *arg)
{
	struct controller_client *c = arg;

	(void)fd;
	(void)what;
	if (!c->watch.connection && !c->started)
		watch_connect(c);
	else
		watch_over(c);
}

/* ---- reports ---------------------------------------------------------------------------------------------- */

static void on_report_done(struct evhttp_request *request, void *arg)
{
	struct controller_client *c = arg;

	c->report.status = request ? evhttp_request_get_response_code(request) : 0;
	if (c->report.status && c->report.status != 200 &&
		evbuffer_add_buffer(c->report.body, evhttp_request_get_input_buffer(request)) == 0)
		describe_answer(&c->report, c, c->failure_of_report);
	set_timer(c->report_timer, 0);
}

static bool report_begin(struct controller_client *c)
{
	struct evhttp_request *request;

	if (!exchange_begin(&c->report))
		return false;
	request = evhttp_request_new(on_report_done, c);
	return request && exchange_send(&c->report, request, EVHTTP_REQ_PUT, "/v1/agent/report", c->report_sending);
}

static void report_send(struct controller_client *c)
{
	if (!c->report_waiting || !c->connected)
		return;
	c->report_sending = c->report_waiting;
	c->report_waiting = NULL;
	if (report_begin(c))
		set_timer(c->report_timer, CONNECT_MS);
	else
		set_timer(c->report_timer, 0);
}

/* The exchange has ended, one way or the other */
static void report_over(struct controller_client *c)
{
	int status = c->report.status;

	if (status >= 400 && status < 500)
		log_warning("controller refuses this host's report: %s", c->failure_of_report);
	exchange_end(&c->report);
	if (status == 200) {
		free(c->report_done);
		c->report_done = c->report_sending;
	} else if (!c->report_waiting && (status == 0 || status >= 500)) {
		c->report_waiting = c->report_sending;
	} else {
		/* a newer one waits, or the controller will not have this one at all */
		free(c->report_sending);
	}
	c->report_sending = NULL;
	if (c->report_waiting)
		set_timer(c->report_timer, status == 200 ? 0 : RETRY_MAX_MS);
}

static void on_report_timer(evutil_socket_t fd, short what, void *arg)
{
	struct controller_client *c = arg;

	(void)fd;
	(void)what;
	if (c->report_sending)
		report_over(c);
	else
		report_send(c);
}

void controller_client_report(struct controller_client *c, const json_t *report)
{
	char *text = json_dumps(report, JSON_COMPACT);

	if (!text)
		return;
	free(c->report_waiting);
	c->report_waiting = text;
	if (c->connected && !c->report_sending)
		set_timer(c->report_timer, 0);
}

/* ---- set-up ----------------------------------------------------------------------------------------------- */

static X509 *read_certificate(const char *pem)
{
	BIO *bio = BIO_new_mem_buf(pem, -1);
	X509 *certificate = bio ? PEM_read_bio_X509(bio, NULL, NULL, NULL) : NULL;

	BIO_free(bio);
	return certificate;
}

/* Trusts the fabric's CA alone, and of what it issued only certificates for servers (OpenSSL checks the purpose) */
static SSL_CTX *make_tls(const struct controller_client_config *config)
{
	SSL_CTX *tls = SSL_CTX_new(TLS_client_method());
	BIO *bio = BIO_new_mem_buf(config->key_pem, -1);
	EVP_PKEY *key = bio ? PEM_read_bio_PrivateKey(bio, NULL, NULL, NULL) : NULL;
	X509 *own = read_certificate(config->certificate_pem), *ca = read_certificate(config->ca_pem);
	bool ok = tls && key && own && ca && SSL_CTX_set_min_proto_version(tls, TLS1_3_VERSION) == 1 &&
		SSL_CTX_use_certificate(tls, own) == 1 && SSL_CTX_use_PrivateKey(tls, key) == 1 &&
		SSL_CTX_check_private_key(tls) == 1 && X509_STORE_add_cert(SSL_CTX_get_cert_store(tls), ca) == 1 &&
		SSL_CTX_set_purpose(tls, X509_PURPOSE_SSL_SERVER) == 1;

	X509_free(own);
	X509_free(ca);
	EVP_PKEY_free(key);
	BIO_free(bio);
	ERR_clear_error();
	if (!ok) {
		SSL_CTX_free(tls);
		return NULL;
	}
	SSL_CTX_set_verify(tls, SSL_VERIFY_PEER, NULL);
	SSL_CTX_set_session_cache_mode(tls, SSL_SESS_CACHE_OFF);
	return tls;
}

/* "203.0.113.5:4753", "[2001:db8::1]:4753", "2001:db8::1", "controller.example.org" into host and port */
static bool split_address(struct controller_client *c, const char *address)
{
	const char *colon = strrchr(address, ':'), *start = address, *end = address + strlen(address);
	unsigned long port = CONTROLLER_PORT_DEFAULT;
	char *stop;

	if (address[0] == '[') {
		start++;
		end = strchr(address, ']');
		if (!end || (end[1] && end[1] != ':'))
			return false;
		colon = end[1] ? end + 1 : NULL;
	} else if (colon && strchr(address, ':') != colon) {
		colon = NULL; /* IPv6 without a port */
	} else if (colon) {
		end = colon;
	}
	if (colon) {
		port = strtoul(colon + 1, &stop, 10);
		if (colon[1] < '0' || colon[1] > '9' || *stop || port == 0 || port > 65535)
			return false;
	}
	if (end == start)
		return false;
	c->port = (uint16_t)port;
	c->host = strndup(start, (size_t)(end - start));
	return c->host && asprintf(&c->host_header, strchr(c->host, ':') ? "[%s]:%lu" : "%s:%lu", c->host, port) > 0;
}

static bool is_numeric(const char *host)
{
	unsigned char bytes[16];

	return evutil_inet_pton(AF_INET, host, bytes) == 1 || evutil_inet_pton(AF_INET6, host, bytes) == 1;
}

/* Return: 0 or -errno with *@error */
static int set_up(struct controller_client *c, const struct controller_client_config *config, const char **error)
{
	*error = "the controller's address cannot be read";
	if (!split_address(c, config->controller))
		return -EINVAL;
	*error = "the host's certificate, its key and the CA's certificate do not go together";
	c->tls = make_tls(config);
	if (!c->tls)
		return -EINVAL;
	*error = "out of memory";
	/* names are looked up without blocking the loop; numbers need no resolver */
	if (!is_numeric(c->host)) {
		c->dns = evdns_base_new(c->base, EVDNS_BASE_INITIALIZE_NAMESERVERS | EVDNS_BASE_DISABLE_WHEN_INACTIVE);
		if (!c->dns) {
			*error = "no name server can be used (/etc/resolv.conf)";
			return -EINVAL;
		}
	}
	c->watch.body = evbuffer_new();
	c->report.body = evbuffer_new();
	c->answer.body = evbuffer_new();
	c->answer_timer = evtimer_new(c->base, on_answer_timer, c);
	c->watch_timer = evtimer_new(c->base, on_watch_timer, c);
	c->report_timer = evtimer_new(c->base, on_report_timer, c);
	if (!c->watch.body || !c->report.body || !c->answer.body || !c->watch_timer || !c->report_timer ||
		!c->answer_timer)
		return -ENOMEM;
	return 0;
}

int controller_client_new(struct event_base *base, const struct controller_client_config *config,
	const struct controller_client_callbacks *callbacks, void *ctx, struct controller_client **out,
	const char **error)
{
	struct controller_client *c = calloc(1, sizeof(*c));
	int err;

	*error = "out of memory";
	if (!c)
		return -ENOMEM;
	c->base = base;
	c->callbacks = *callbacks;
	c->ctx = ctx;
	c->retry_ms = RETRY_MIN_MS;
	if (config->topology)
		(void)note_topology(c, config->topology);
	c->watch.client = c;
	c->report.client = c;
	c->answer.client = c;
	STAILQ_INIT(&c->answers);
	err = set_up(c, config, error);
	if (err) {
		controller_client_free(c);
		return err;
	}
	set_timer(c->watch_timer, 0);
	*out = c;
	return 0;
}

static void exchange_fini(struct exchange *x)
{
	exchange_end(x);
	if (x->body)
		evbuffer_free(x->body);
}

void controller_client_free(struct controller_client *c)
{
	if (!c)
		return;
	if (c->watch_timer)
		event_free(c->watch_timer);
	if (c->report_timer)
		event_free(c->report_timer);
	if (c->answer_timer) {
		answers_forget(c);
		event_free(c->answer_timer);
	}
	exchange_fini(&c->watch);
	exchange_fini(&c->report);
	exchange_fini(&c->answer);
	if (c->dns)
		evdns_base_free(c->dns, 1); /* look-ups end now, and let go of their connections */
	SSL_CTX_free(c->tls);
	free(c->host);
	free(c->host_header);
	free(c->report_waiting);
	free(c->report_sending);
	free(c->report_done);
	free(c);
}
