/*
 * controller_client.c - see controller_client.h
 *
 * HTTP is client/http_client.h's.  Its callbacks only note what happened where more is to follow; the rest is our timers'.
 */
#include "overlay/agent/controller_client.h"

#include "base/log.h"
#include "base/random.h"
#include "base/server_address.h"
#include "client/http_client.h"
#include "lab/limits.h"
#include "lab/topology.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>

#define RETRY_MIN_MS 250U
#define RETRY_MAX_MS 5000U
#define REPORT_LIMIT_MS 10000U     /* and of an answer */
#define LINE_MAX_BYTES (64U << 20) /* of one topology */
#define ANSWER_MAX_BYTES 65536U    /* to a report */
#define TEXT_BYTES 1024U

struct waiting_answer {
	STAILQ_ENTRY(waiting_answer) link;
	char path[96];
	char *text;
};

/* Where the controller may be */
struct place {
	struct http_client *http;
	char address[SERVER_ADDRESS_TEXT_BYTES]; /* in full */
};

#define PLACES 2U /* where it is, and where it was before */

struct controller_client {
	struct event_base *base;
	struct place places[PLACES];
	unsigned int place_count;
	unsigned int at; /* the one that is tried, or connected */
	struct controller_client_callbacks callbacks;
	void *ctx;

	struct http_request *watch; /* NULL: none under way */
	struct event *watch_timer;  /* connect (again), or take away one that has failed */
	unsigned int retry_ms;
	bool connected;
	bool failed;                        /* the watch, for @failure: the timer is to take it away */
	char topology[TOPOLOGY_HASH_BYTES]; /* `hash` of the one at hand; "" for none */
	char failure[TEXT_BYTES];

	struct http_request *report; /* under way */
	struct event *report_timer;  /* send (again) */
	bool report_afresh;          /* on a new connection: the kept one may be as dead as the last watch */
	char *report_waiting;        /* texts; NULL: none */
	char *report_sending;
	char *report_done; /* the last that the controller took */

	struct http_request *answer; /* under way: the first of `answers` */
	STAILQ_HEAD(answer_list, waiting_answer) answers;
	unsigned int answers_count;
};

static void set_timer(struct event *timer, unsigned int ms)
{
	const struct timeval tv = { ms / 1000, (suseconds_t)(ms % 1000) * 1000 };

	event_add(timer, &tv);
}

/* What came of a request that did not end well, for operators */
static void describe(const struct controller_client *c, const struct http_end *end, char out[TEXT_BYTES])
{
	json_t *answer = NULL;
	const char *message;

	switch (end->outcome) {
	case HTTP_ANSWERED:
		answer = json_loadb(end->body, end->body_bytes, 0, NULL);
		message = json_string_value(json_object_get(json_object_get(answer, "error"), "message"));
		if (end->status == 200)
			snprintf(out, TEXT_BYTES, "%s: the controller ended the connection", c->places[c->at].address);
		else
			snprintf(out, TEXT_BYTES, "%s: %s (%d)", c->places[c->at].address,
				message ? message : "refused", end->status);
		json_decref(answer);
		break;
	case HTTP_UNTRUSTED:
		snprintf(out, TEXT_BYTES, "%s: not this fabric's controller: %s", c->places[c->at].address, end->why);
		break;
	default:
		snprintf(out, TEXT_BYTES, "%s: %s", c->places[c->at].address, end->why);
		break;
	}
}

/* ---- answers ---------------------------------------------------------------------------------------------- */

static void answer_begin(struct controller_client *c);

/* The first is over, one way or the other */
static void answer_over(struct controller_client *c)
{
	struct waiting_answer *answer = STAILQ_FIRST(&c->answers);

	STAILQ_REMOVE_HEAD(&c->answers, link);
	c->answers_count--;
	free(answer->text);
	free(answer);
}

static void answers_forget(struct controller_client *c)
{
	http_request_cancel(c->answer);
	c->answer = NULL;
	while (!STAILQ_EMPTY(&c->answers))
		answer_over(c);
}

static void on_answer_end(void *ctx, const struct http_end *end)
{
	struct controller_client *c = ctx;

	(void)end;
	c->answer = NULL;
	answer_over(c);
	answer_begin(c);
}

static void answer_begin(struct controller_client *c)
{
	const struct http_owner owner = { .ctx = c, .on_end = on_answer_end };
	const struct waiting_answer *answer;

	while (!c->answer && (answer = STAILQ_FIRST(&c->answers)) != NULL) {
		const struct http_call call = {
			.method = "PUT",
			.path = answer->path,
			.body = answer->text,
			.max_bytes = ANSWER_MAX_BYTES,
			.limit_ms = REPORT_LIMIT_MS,
		};

		c->answer = http_request_begin(c->places[c->at].http, &call, &owner);
		if (!c->answer)
			answer_over(c);
	}
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
	STAILQ_INSERT_TAIL(&c->answers, waiting, link);
	c->answers_count++;
	answer_begin(c);
}

/* ---- the watch -------------------------------------------------------------------------------------------- */

/* The watch is to end, for @c->failure; it does so from the timer */
static void watch_failed(struct controller_client *c)
{
	c->failed = true;
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

static void take_document(struct controller_client *c, const json_t *document)
{
	if (note_topology(c, json_string_value(json_object_get(document, "hash"))))
		c->callbacks.on_topology(c->ctx, document);
	else if (json_object_get(document, "controller"))
		c->callbacks.on_moved(c->ctx, json_string_value(json_object_get(document, "controller")),
			json_object_get(document, "former"));
	else if (json_object_get(document, "offline") || json_object_get(document, "online"))
		c->callbacks.on_told(c->ctx, json_object_get(document, "offline"), json_object_get(document, "online"));
	else
		take_question(c, document);
}

static void on_watch_line(void *ctx, const char *line, size_t len_bytes)
{
	struct controller_client *c = ctx;
	json_t *document;

	c->retry_ms = RETRY_MIN_MS;
	if (c->failed || len_bytes == 0)
		return;
	document = json_loadb(line, len_bytes, JSON_REJECT_DUPLICATES, NULL);
	if (json_is_object(document)) {
		take_document(c, document);
	} else {
		snprintf(c->failure, sizeof(c->failure), "%s: sent what is not JSON", c->places[c->at].address);
		watch_failed(c);
	}
	json_decref(document);
}

/* Headers are here: a stream without a topology to send is up as well */
static void on_watch_open(void *ctx)
{
	struct controller_client *c = ctx;

	c->connected = true;
	c->report_afresh = true;
	c->callbacks.on_state(c->ctx, true, "");
	set_timer(c->report_timer, 0);
}

/* The watch has ended: tell, and wait for the next attempt */
static void watch_over(struct controller_client *c)
{
	unsigned int jitter = c->retry_ms / 4;

	answers_forget(c);
	/* the first place first, and the other one in turn */
	c->at = c->connected ? 0 : (c->at + 1) % c->place_count;
	c->failed = false;
	c->connected = false;
	set_timer(c->watch_timer, c->retry_ms - jitter + random_u32() % (2 * jitter + 1));
	c->retry_ms = 2 * c->retry_ms > RETRY_MAX_MS ? RETRY_MAX_MS : 2 * c->retry_ms;
	c->callbacks.on_state(c->ctx, false, c->failure);
}

static void on_watch_end(void *ctx, const struct http_end *end)
{
	struct controller_client *c = ctx;

	c->watch = NULL;
	if (!c->failed)
		describe(c, end, c->failure);
	watch_over(c);
}

static void watch_begin(struct controller_client *c)
{
	const struct http_owner owner = {
		.ctx = c,
		.on_open = on_watch_open,
		.on_line = on_watch_line,
		.on_end = on_watch_end,
	};
	char path[32 + TOPOLOGY_HASH_BYTES];
	const struct http_call call = { .method = "GET", .path = path, .max_bytes = LINE_MAX_BYTES, .fresh = true };

	snprintf(path, sizeof(path), "/v1/agent/topology?watch=%s", c->topology[0] ? c->topology : "0");
	c->watch = http_request_begin(c->places[c->at].http, &call, &owner);
	if (c->watch)
		return;
	snprintf(c->failure, sizeof(c->failure), "%s: out of memory", c->places[c->at].address);
	watch_over(c);
}

static void on_watch_timer(evutil_socket_t fd, short what, void *arg)
{
	struct controller_client *c = arg;

	(void)fd;
	(void)what;
	if (!c->watch) {
		watch_begin(c);
		return;
	}
	http_request_cancel(c->watch);
	c->watch = NULL;
	watch_over(c);
}

/* Whatever made it wait before may be over */
void controller_client_moved(struct controller_client *c)
{
	if (!c->watch) {
		c->retry_ms = RETRY_MIN_MS;
		set_timer(c->watch_timer, 0);
	} else if (!c->failed && http_request_stranded(c->watch)) {
		snprintf(c->failure, sizeof(c->failure),
			"%s: this machine has lost the address that it was connected from", c->places[c->at].address);
		c->retry_ms = RETRY_MIN_MS;
		watch_failed(c);
	}
}

/* ---- reports ---------------------------------------------------------------------------------------------- */

static void on_report_end(void *ctx, const struct http_end *end)
{
	struct controller_client *c = ctx;
	char text[TEXT_BYTES];
	const int status = end->status;

	c->report = NULL;
	if (status >= 400 && status < 500) {
		describe(c, end, text);
		log_warning("controller refuses this host's report: %s", text);
	}
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
		set_timer(c->report_timer, status == 200 || c->report_afresh ? 0 : RETRY_MAX_MS);
}

/* What is under way shall be sent again, unless a newer one waits */
static void report_recall(struct controller_client *c)
{
	http_request_cancel(c->report);
	c->report = NULL;
	if (!c->report_waiting)
		c->report_waiting = c->report_sending;
	else
		free(c->report_sending);
	c->report_sending = NULL;
}

/* The stream is new: its controller counts what is said from now on.  What was under way before may be lost, or may never end */
static void report_anew(struct controller_client *c)
{
	report_recall(c);
	if (c->report_waiting)
		return;
	c->report_waiting = c->report_done;
	c->report_done = NULL;
}

static void report_begin(struct controller_client *c)
{
	const struct http_owner owner = { .ctx = c, .on_end = on_report_end };
	const struct http_call call = {
		.method = "PUT",
		.path = "/v1/agent/report",
		.body = c->report_waiting,
		.max_bytes = ANSWER_MAX_BYTES,
		.limit_ms = REPORT_LIMIT_MS,
		.fresh = c->report_afresh,
	};

	c->report = http_request_begin(c->places[c->at].http, &call, &owner);
	if (!c->report) {
		set_timer(c->report_timer, RETRY_MAX_MS);
		return;
	}
	c->report_afresh = false;
	c->report_sending = c->report_waiting;
	c->report_waiting = NULL;
}

static void on_report_timer(evutil_socket_t fd, short what, void *arg)
{
	struct controller_client *c = arg;

	(void)fd;
	(void)what;
	if (!c->connected)
		return;
	if (c->report_afresh)
		report_anew(c);
	if (!c->report_sending && c->report_waiting)
		report_begin(c);
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

/* Return: 0 or -errno with @error */
static int add_place(struct controller_client *c, const struct controller_client_config *config, const char *text,
	struct error *error)
{
	struct place *place = &c->places[c->place_count];
	const struct http_target target = {
		.address = place->address,
		.ca_pem = config->ca_pem,
		.certificate_pem = config->certificate_pem,
		.key_pem = config->key_pem,
	};
	struct server_address address;

	if (!server_address_parse(text, CONTROLLER_PORT_DEFAULT, &address)) {
		error_set(error, "\"%.300s\" is no address of a controller", text);
		return -EINVAL;
	}
	server_address_format(&address, place->address);
	place->http = http_client_new(c->base, &target, error);
	if (!place->http)
		return -EINVAL;
	c->place_count++;
	return 0;
}

static int add_places(struct controller_client *c, const struct controller_client_config *config, struct error *error)
{
	int err = add_place(c, config, config->controller, error);

	if (!err && config->before && *config->before)
		err = add_place(c, config, config->before, error);
	return err;
}

static void leave_places(struct controller_client *c)
{
	for (unsigned int i = 0; i < c->place_count; i++)
		http_client_free(c->places[i].http);
	c->place_count = 0;
	c->at = 0;
}

int controller_client_move(struct controller_client *c, const struct controller_client_config *config,
	struct error *error)
{
	int err;

	answers_forget(c);
	report_recall(c);
	http_request_cancel(c->watch);
	c->watch = NULL;
	leave_places(c);
	c->failed = c->connected = false;
	c->retry_ms = RETRY_MIN_MS;
	err = add_places(c, config, error);
	if (!err)
		set_timer(c->watch_timer, 0);
	else
		event_del(c->watch_timer);
	return err;
}

const char *controller_client_address(const struct controller_client *c)
{
	return c->places[c->at].address;
}

/* Return: 0 or -errno with @error */
static int set_up(struct controller_client *c, const struct controller_client_config *config, struct error *error)
{
	int err = add_places(c, config, error);

	if (err)
		return err;
	error_set(error, "out of memory");
	c->watch_timer = evtimer_new(c->base, on_watch_timer, c);
	c->report_timer = evtimer_new(c->base, on_report_timer, c);
	return c->watch_timer && c->report_timer ? 0 : -ENOMEM;
}

int controller_client_new(struct event_base *base, const struct controller_client_config *config,
	const struct controller_client_callbacks *callbacks, void *ctx, struct controller_client **out,
	struct error *error)
{
	struct controller_client *c = calloc(1, sizeof(*c));
	int err;

	error_set(error, "out of memory");
	if (!c)
		return -ENOMEM;
	c->base = base;
	c->callbacks = *callbacks;
	c->ctx = ctx;
	c->retry_ms = RETRY_MIN_MS;
	STAILQ_INIT(&c->answers);
	if (config->topology)
		(void)note_topology(c, config->topology);
	err = set_up(c, config, error);
	if (err) {
		controller_client_free(c);
		return err;
	}
	set_timer(c->watch_timer, 0);
	*out = c;
	return 0;
}

void controller_client_free(struct controller_client *c)
{
	if (!c)
		return;
	if (c->watch_timer)
		event_free(c->watch_timer);
	if (c->report_timer)
		event_free(c->report_timer);
	answers_forget(c);
	leave_places(c); /* with what is under way */
	free(c->report_waiting);
	free(c->report_sending);
	free(c->report_done);
	free(c);
}
