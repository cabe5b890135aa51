/*
 * api.c - see api.h
 *
 * Each route says who may call it; there is no other place where that is decided.  A route either answers at once, or prepares a
 * change, whose answer waits until it is stored, or asks an agent, or opens a watch.
 */
#include "controller/api.h"

#include "base/hash.h"
#include "base/log.h"
#include "base/secret.h"
#include "base/version.h"
#include "controller/enrol.h"
#include "controller/event_log.h"
#include "controller/host_sessions.h"
#include "controller/lab_put.h"
#include "controller/reach.h"
#include "controller/throttle.h"
#include "controller/watch.h"

#include <assert.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct api {
	struct model *model;
	const struct authority *authority;
	struct api_machine machine;
	struct host_sessions *sessions;
	struct watch_hub *hub;
	struct event_log *events;
	struct throttle wrong_tokens;
	struct throttle failed_enrolments;
	unsigned int waiting; /* calls */
};

struct route;

/* One request at work */
struct api_call {
	struct model_change change; /* first */
	struct ask ask;             /* of a question */
	struct api *api;
	struct api_client client;
	bool entered; /* it is within api_call() */
	bool gone;    /* the client is */
	bool over;    /* it has its answer */
	const struct route *route;
	struct who who;
	char name[LAB_NAME_MAX + 1]; /* the path's `*` */
	const char *watch;           /* "" or what the query says; NULL: no watch.  During api_call() only */
	bool option;                 /* the query is the route's */
	json_t *in;                  /* the body; NULL where the route takes none */
	json_t *out;
	json_t *faults; /* all that was found, of a lab */
	char allow[64];
	struct fault fault;
};

struct route {
	enum api_method method;
	const char *path; /* `*`: one name */
	enum who_kind who;
	bool has_body;
	int status; /* of a good answer */
	/* Return: the answer, or NULL with c->fault set; of those that change nothing */
	json_t *(*get)(struct api_call *c);
	/* Return: the answer once @txn is stored, or NULL with @fault set; of changes */
	json_t *(*prepare)(struct api_call *c, struct store_txn *txn, struct fault *fault);
	/* Answers, now or later; of questions */
	void (*ask)(struct api_call *c);
	/* Where the query asks for it; answers, or opens the watch */
	void (*watch)(struct api_call *c);
	/* Of a change, before its answer; @fault: NULL where it is stored; may be NULL */
	void (*ended)(const struct api_call *c, const struct fault *fault);
	const char *option; /* a query that it takes; NULL: none */
};

/* ---- the end of a call ------------------------------------------------------------------------------------ */

static void call_free(struct api_call *c)
{
	c->api->waiting--;
	json_decref(c->in);
	json_decref(c->out);
	json_decref(c->faults);
	free(c);
}

/* Nobody touches the call after this, but api_call(), which frees one that is over before it returns */
static void over(struct api_call *c)
{
	c->over = true;
	if (!c->entered)
		call_free(c);
}

static void answer(struct api_call *c)
{
	json_t *body = c->fault.status ? fault_body(&c->fault) : json_incref(c->out);
	struct api_answer answer = { .status = c->fault.status ? c->fault.status : c->route->status, .body = body };

	if (!body)
		answer.status = 503;
	if (c->allow[0] && c->fault.status == 405)
		answer.allow = c->allow;
	if (!c->gone)
		c->client.answer(c->client.ctx, &answer);
	json_decref(body);
	over(c);
}

/* ---- anybody ---------------------------------------------------------------------------------------------- */

static json_t *get_ca(struct api_call *c)
{
	return json_pack("{s:s, s:s}", "fabric", c->api->authority->name, "ca", c->api->authority->ca_pem);
}

/* What enrol.h asks for */
static struct enrol enrol_now(const struct api_call *c, struct store_txn *txn)
{
	const struct api *api = c->api;

	return (struct enrol){ .model = api->model,
		.authority = api->authority,
		.now = api->machine.wall(api->machine.ctx),
		.txn = txn };
}

static json_t *post_enrol(struct api_call *c, struct store_txn *txn, struct fault *fault)
{
	struct enrol enrol = enrol_now(c, txn);

	return enrol_host(&enrol, c->in, fault);
}

static void enrolled(const struct api_call *c, const struct fault *fault)
{
	struct api *api = c->api;

	if (!fault) {
		const char *host = json_string_value(json_object_get(c->out, "host"));

		log_info("host %s has joined", host);
		event_log_add(api->events, CONTROLLER_EVENT_TOKEN_USED, host, "", NULL);
		return;
	}
	log_warning("an enrolment failed: %s", fault->message);
	event_log_add(api->events, CONTROLLER_EVENT_ENROLMENT_FAILED, "", "", "an enrolment failed: %s",
		fault->message);
	if (c->who.from_known)
		throttle_failed(&api->failed_enrolments, &c->who.from, api->machine.now(api->machine.ctx));
}

/* ---- agents ----------------------------------------------------------------------------------------------- */

static void seen(struct api_call *c)
{
	struct api *api = c->api;

	host_sessions_seen(api->sessions, c->who.host, c->who.from_known ? &c->who.from : NULL,
		api->machine.wall(api->machine.ctx));
}

static json_t *get_topology(struct api_call *c)
{
	seen(c);
	return host_sessions_topology(c->api->sessions, c->who.host);
}

/* A watch has begun: the client has its answer */
static bool open_now(void *ctx, struct watcher *watcher)
{
	struct api_call *c = ctx;
	bool open = !c->gone && c->client.open(c->client.ctx, watcher);

	over(c);
	return open;
}

static void watch_topology(struct api_call *c)
{
	seen(c);
	if (!host_sessions_watch(c->api->sessions, c->who.host, c->watch, open_now, c)) {
		fault_set(&c->fault, 503, "", "out of memory");
		answer(c);
	}
}

static json_t *put_report(struct api_call *c)
{
	seen(c);
	if (!host_sessions_report(c->api->sessions, c->who.host, c->in, &c->fault))
		return NULL;
	return json_pack("{s:I}", "rev", (json_int_t)model_rev(c->api->model));
}

static json_t *put_answer(struct api_call *c)
{
	seen(c);
	return host_sessions_answer(c->api->sessions, c->who.host, c->name, c->in, &c->fault) ? json_object() : NULL;
}

/* ---- operators -------------------------------------------------------------------------------------------- */

static json_t *get_fabric(struct api_call *c)
{
	const struct authority *authority = c->api->authority;

	return json_pack("{s:s, s:I, s:I, s:s, s:s, s:s}", "name", authority->name, "time",
		(json_int_t)c->api->machine.wall(c->api->machine.ctx), "rev", (json_int_t)model_rev(c->api->model),
		"address", authority->address, "ca", authority->ca_pem, "fingerprint", authority->fingerprint);
}

static json_t *post_token(struct api_call *c, struct store_txn *txn, struct fault *fault)
{
	const struct api_machine *machine = &c->api->machine;
	struct enrol enrol = enrol_now(c, txn);
	uint8_t random[AUTHORITY_SECRET_BYTES];
	json_t *out;

	machine->random(machine->ctx, random, sizeof(random));
	out = enrol_token(&enrol, random, c->in, fault);
	secret_wipe(random, sizeof(random));
	return out;
}

static void token_made(const struct api_call *c, const struct fault *fault)
{
	const char *host = json_string_value(json_object_get(c->out, "host"));

	if (fault)
		return;
	log_info("a token for host %s was made", host);
	event_log_add(c->api->events, CONTROLLER_EVENT_TOKEN_MADE, host, "", NULL);
}

/* How many paths there are besides those that are not up.  @out: NULL without memory, consumed */
static json_t *with_paths(struct api_call *c, json_t *out)
{
	json_t *paths = out ? reach_of_fabric(c->api->model, c->api->sessions) : NULL;

	if (paths && json_object_set_new(out, "paths", paths) == 0)
		return out;
	json_decref(out);
	fault_set(&c->fault, 503, "", "out of memory");
	return NULL;
}

static json_t *get_resource(struct api_call *c)
{
	enum watch_resource resource = watch_resource_by_name(c->name);

	if (resource == WATCH_PEERS)
		return with_paths(c, watch_list(c->api->hub, resource));
	if (resource != WATCH_RESOURCE_COUNT)
		return watch_list(c->api->hub, resource);
	fault_set(&c->fault, 404, "", "there is nothing at this path");
	return NULL;
}

static void watch_refused(void *ctx, const struct fault *fault)
{
	struct api_call *c = ctx;

	c->fault = *fault;
	answer(c);
}

/* Return: the revision, or -1 where it is none */
static int64_t revision_of(const char *text)
{
	size_t len = strlen(text);

	return len > 0 && len <= 18 && strspn(text, "0123456789") == len ? strtoll(text, NULL, 10) : -1;
}

static void watch_resource(struct api_call *c)
{
	const struct watch_client client = { .ctx = c, .open = open_now, .refused = watch_refused };
	enum watch_resource resource = watch_resource_by_name(c->name);
	int64_t since = revision_of(c->watch);

	if (since < 0)
		fault_set(&c->fault, 400, "", "the query must be watch=REVISION");
	else if (resource == WATCH_RESOURCE_COUNT)
		fault_set(&c->fault, 404, "", "there is nothing at this path");
	if (c->fault.status)
		answer(c);
	else
		watch_open(c->api->hub, resource, (uint64_t)since, &client);
}

/* A host of a lab, with what `weft apply --wait` has to know */
static json_t *host_state(struct api_call *c, const char *name)
{
	static const char *const keys[] = { "name", "online", "revoked", "wanted", "wanted_rev", "applied",
		"applied_rev", "error", NULL };
	const json_t *host = model_host(c->api->model, name);
	json_t *item = host ? host_sessions_item(c->api->sessions, host) : NULL, *out = json_object();

	for (size_t i = 0; item && keys[i]; i++) {
		json_t *value = json_object_get(item, keys[i]);

		if (value)
			json_object_set(out, keys[i], value);
	}
	json_decref(item);
	return out;
}

static json_t *get_lab(struct api_call *c)
{
	const json_t *known = model_lab(c->api->model, c->name);
	json_t *lab = json_object_get(known, "lab"), *names, *name, *hosts;
	size_t i;

	if (!lab) {
		(void)model_missing(c->api->model, MODEL_LAB, c->name, &c->fault);
		return NULL;
	}
	hosts = json_array();
	names = model_lab_hosts(lab);
	json_array_foreach(names, i, name)
		json_array_append_new(hosts, host_state(c, json_string_value(name)));
	json_decref(names);
	return json_pack("{s:O, s:O, s:o}", "rev", json_object_get(known, "rev"), "lab", lab, "hosts", hosts);
}

static json_t *get_lab_state(struct api_call *c)
{
	const json_t *known = model_lab(c->api->model, c->name);
	json_t *out;

	if (!known) {
		fault_set(&c->fault, 404, "", "there is no lab \"%s\"", c->name);
		return NULL;
	}
	out = json_pack("{s:O}", "rev", json_object_get(known, "rev"));
	if (out && reach_of_lab(c->api->model, c->api->sessions, c->name, out))
		return out;
	json_decref(out);
	fault_set(&c->fault, 503, "", "out of memory");
	return NULL;
}

static json_t *put_lab(struct api_call *c, struct store_txn *txn, struct fault *fault)
{
	fault->all = c->faults = json_array();
	return lab_put(c->api->model, c->name, c->in, txn, fault);
}

static json_t *delete_lab(struct api_call *c, struct store_txn *txn, struct fault *fault)
{
	return lab_delete(c->api->model, c->name, txn, fault);
}

static void lab_applied(const struct api_call *c, const struct fault *fault)
{
	if (!fault && !json_is_false(json_object_get(c->out, "changed"))) /* the same again is no news */
		event_log_add(c->api->events, CONTROLLER_EVENT_LAB_APPLIED, "", c->name, NULL);
}

static void lab_deleted(const struct api_call *c, const struct fault *fault)
{
	if (!fault)
		event_log_add(c->api->events, CONTROLLER_EVENT_LAB_DELETED, "", c->name, NULL);
}

static json_t *post_revoke(struct api_call *c, struct store_txn *txn, struct fault *fault)
{
	struct enrol enrol = enrol_now(c, txn);

	return enrol_revoke(&enrol, c->name, fault);
}

static json_t *put_host(struct api_call *c, struct store_txn *txn, struct fault *fault)
{
	struct enrol enrol = enrol_now(c, txn);

	return enrol_set_endpoints(&enrol, c->name, c->in, fault);
}

static void revoked(const struct api_call *c, const struct fault *fault)
{
	if (fault)
		return;
	log_info("host %s is revoked", c->name);
	event_log_add(c->api->events, CONTROLLER_EVENT_REVOKED, c->name, "", NULL);
}

static json_t *delete_host(struct api_call *c, struct store_txn *txn, struct fault *fault)
{
	struct enrol enrol = enrol_now(c, txn);

	return enrol_remove(&enrol, c->name, c->option, fault);
}

static void removed(const struct api_call *c, const struct fault *fault)
{
	if (fault)
		return;
	log_info("host %s is removed", c->name);
	event_log_add(c->api->events, CONTROLLER_EVENT_REMOVED, c->name, "", NULL);
}

/* What an agent could not answer is its caller's fault, in the agent's words */
static void take_answer(struct api_call *c, const json_t *out)
{
	const json_t *error = json_object_get(out, "error");
	const char *message = json_string_value(json_object_get(error, "message")),
		   *hint = json_string_value(json_object_get(error, "hint"));

	if (error)
		fault_set(&c->fault, 400, "", "%s: %s", c->name, message ? message : "it did not say why");
	if (hint)
		fault_hint(&c->fault, "%s", hint);
	if (!error)
		c->out = json_incref((json_t *)out);
}

static void answered(struct ask *ask, const json_t *out, const struct fault *fault)
{
	struct api_call *c = (struct api_call *)((char *)ask - offsetof(struct api_call, ask));

	if (fault)
		c->fault = *fault;
	else
		take_answer(c, out);
	answer(c);
}

static void ask_host(struct api_call *c)
{
	c->ask.answered = answered;
	if (!host_sessions_ask(c->api->sessions, c->name, c->in, &c->ask, &c->fault))
		answer(c);
}

/* ---- changes ---------------------------------------------------------------------------------------------- */

static bool prepare(struct model_change *change, struct store_txn *txn, struct fault *fault)
{
	struct api_call *c = (struct api_call *)change;

	c->out = c->route->prepare(c, txn, fault);
	if (!c->out)
		fault_set(fault, 503, "", "out of memory");
	return c->out != NULL;
}

static void done(struct model_change *change, uint64_t rev, const struct fault *fault)
{
	struct api_call *c = (struct api_call *)change;

	if (fault)
		c->fault = *fault;
	else if (!json_object_get(c->out, "rev"))
		json_object_set_new(c->out, "rev", json_integer((json_int_t)rev));
	if (c->route->ended)
		c->route->ended(c, fault);
	answer(c);
}

/* ---- routing ---------------------------------------------------------------------------------------------- */

static const struct route routes[] = {
	{ API_GET, "/v1/ca", WHO_NOBODY, false, 200, .get = get_ca },
	{ API_POST, "/v1/enrol", WHO_NOBODY, true, 200, .prepare = post_enrol, .ended = enrolled },
	{ API_GET, "/v1/agent/topology", WHO_AGENT, false, 200, .get = get_topology, .watch = watch_topology },
	{ API_PUT, "/v1/agent/report", WHO_AGENT, true, 200, .get = put_report },
	{ API_PUT, "/v1/agent/answers/*", WHO_AGENT, true, 200, .get = put_answer },
	{ API_GET, "/v1/fabric", WHO_OPERATOR, false, 200, .get = get_fabric },
	{ API_POST, "/v1/tokens", WHO_OPERATOR, true, 201, .prepare = post_token, .ended = token_made },
	{ API_GET, "/v1/labs/*/state", WHO_OPERATOR, false, 200, .get = get_lab_state },
	{ API_GET, "/v1/labs/*", WHO_OPERATOR, false, 200, .get = get_lab },
	{ API_PUT, "/v1/labs/*", WHO_OPERATOR, true, 200, .prepare = put_lab, .ended = lab_applied },
	{ API_DELETE, "/v1/labs/*", WHO_OPERATOR, false, 200, .prepare = delete_lab, .ended = lab_deleted },
	{ API_PUT, "/v1/hosts/*", WHO_OPERATOR, true, 200, .prepare = put_host },
	{ API_DELETE, "/v1/hosts/*", WHO_OPERATOR, false, 200, .prepare = delete_host, .ended = removed,
		.option = "revoke=1" },
	{ API_POST, "/v1/hosts/*/revoke", WHO_OPERATOR, false, 200, .prepare = post_revoke, .ended = revoked },
	{ API_POST, "/v1/hosts/*/ask", WHO_OPERATOR, true, 200, .ask = ask_host },
	{ API_GET, "/v1/*", WHO_OPERATOR, false, 200, .get = get_resource, .watch = watch_resource },
};
#define ROUTES (sizeof(routes) / sizeof(routes[0]))

static const char *const method_names[] = {
	[API_GET] = "GET",
	[API_PUT] = "PUT",
	[API_POST] = "POST",
	[API_DELETE] = "DELETE",
};

/* Does @path fit @pattern?  The name that stands for `*` goes to @name, cut where it is longer than any name. */
static bool path_fits(const char *pattern, const char *path, char *name, size_t cap_bytes)
{
	const char *star = strchr(pattern, '*');
	size_t head = star ? (size_t)(star - pattern) : 0, len;

	name[0] = '\0';
	if (!star)
		return strcmp(pattern, path) == 0;
	if (strncmp(pattern, path, head) != 0)
		return false;
	len = strcspn(path + head, "/");
	if (len == 0 || strcmp(path + head + len, star + 1) != 0)
		return false;
	snprintf(name, cap_bytes, "%.*s", (int)(len < cap_bytes ? len : cap_bytes), path + head);
	return true;
}

/* Names are quoted in answers, which are UTF-8 */
static bool is_ascii(const char *path)
{
	while (*path > ' ' && *path < 0x7f)
		path++;
	return *path == '\0';
}

/* Return: NULL with c->fault set where there is none */
static const struct route *find_route(struct api_call *c, enum api_method method, const char *path)
{
	char name[LAB_NAME_MAX + 2];

	for (size_t i = 0; i < ROUTES && is_ascii(path); i++) {
		const struct route *route = &routes[i];
		size_t used = strlen(c->allow);

		if (!path_fits(route->path, path, name, sizeof(name)))
			continue;
		/* the pattern that takes anything comes last, and says nothing of paths that others have taken */
		if (used && strcmp(route->path, "/v1/*") == 0)
			continue;
		if (route->method != method) {
			snprintf(c->allow + used, sizeof(c->allow) - used, "%s%s", used ? ", " : "",
				method_names[route->method]);
			continue;
		}
		if (name[0] && strlen(name) > LAB_NAME_MAX)
			break;
		snprintf(c->name, sizeof(c->name), "%.*s", (int)LAB_NAME_MAX, name);
		return route;
	}
	if (c->allow[0])
		fault_set(&c->fault, 405, "", "this path takes %s", c->allow);
	else
		fault_set(&c->fault, 404, "", "there is nothing at this path");
	return NULL;
}

/* `watch=WHAT`, or what the route takes; nothing else is known */
static bool read_query(struct api_call *c, const char *query)
{
	if (!query || !*query)
		return true;
	c->option = c->route->option && strcmp(query, c->route->option) == 0;
	if (c->option)
		return true;
	if (c->route->option)
		return fault_set(&c->fault, 400, "", "the query can be %s", c->route->option);
	if (strncmp(query, "watch=", 6) != 0 || strpbrk(query + 6, "&;=%+"))
		return fault_set(&c->fault, 400, "", "the query must be watch=REVISION");
	if (!c->route->watch)
		return fault_set(&c->fault, 400, "", "this cannot be watched");
	c->watch = query + 6;
	return true;
}

static bool read_body(struct api_call *c, const struct api_request *request)
{
	json_error_t error;

	if (!c->route->has_body)
		return true;
	if (!request->body || request->body_bytes == 0)
		return fault_set(&c->fault, 400, "", "the request has no body");
	c->in = json_loadb(request->body, request->body_bytes, JSON_REJECT_DUPLICATES, &error);
	return c->in ||
		fault_set(&c->fault, 400, "", "the body is not JSON: line %d, column %d: %s", error.line, error.column,
			error.text);
}

static bool allowed(struct api_call *c)
{
	const struct route *route = c->route;

	if (route->who == WHO_NOBODY || route->who == c->who.kind)
		return true;
	if (c->who.kind != WHO_NOBODY)
		return fault_set(&c->fault, 403, "", "this is for %s",
			route->who == WHO_AGENT ? "agents, with their certificate" : "operators");
	if (route->who == WHO_AGENT)
		return fault_set(&c->fault, 401, "", "only an agent with its certificate may call this");
	fault_set(&c->fault, 401, "", "only an operator may call this");
	fault_hint(&c->fault, "send \"Authorization: Bearer TOKEN\" with the token of operator.json");
	return false;
}

/* Enrolments are for anybody, and cost a signature each */
static bool may_try(struct api_call *c, struct instant now)
{
	if (c->route->ended != enrolled || !c->who.from_known ||
		throttle_ok(&c->api->failed_enrolments, &c->who.from, now))
		return true;
	return fault_set(&c->fault, 429, "", "too many failed enrolments from this address; try again in a while");
}

/* Who asks, for what, and may they?  Return: false with c->fault set */
static bool admit(struct api_call *c, const struct api_request *request)
{
	struct api *api = c->api;
	struct instant now = api->machine.now(api->machine.ctx);
	struct fault unknown = { 0 };
	bool who;

	c->route = find_route(c, request->method, request->path);
	who = who_is(&request->claim, api->model, &api->wrong_tokens, now, &c->who, &unknown);
	if (c->who.kind != WHO_NOBODY && c->client.known)
		c->client.known(c->client.ctx);
	if (!c->route)
		return false;
	/* what anybody may have does not fail because of credentials that came along */
	if (!who && c->route->who != WHO_NOBODY) {
		c->fault = unknown;
		return false;
	}
	if (!allowed(c) || !read_query(c, request->query) || !may_try(c, now))
		return false;
	if (read_body(c, request))
		return true;
	if (c->route->ended)
		c->route->ended(c, &c->fault);
	return false;
}

static void work(struct api_call *c, const struct api_request *request)
{
	if (!admit(c, request)) {
		answer(c);
	} else if (c->watch) {
		c->route->watch(c);
	} else if (c->route->get) {
		c->out = c->route->get(c);
		answer(c);
	} else if (c->route->ask) {
		c->route->ask(c);
	} else {
		c->change = (struct model_change){ .prepare = prepare, .done = done };
		model_change(c->api->model, &c->change);
	}
}

struct api_call *api_call(struct api *api, const struct api_request *request, const struct api_client *client)
{
	struct api_call *c = calloc(1, sizeof(*c));

	if (!c) {
		client->answer(client->ctx, &(struct api_answer){ .status = 503 });
		return NULL;
	}
	c->api = api;
	c->client = *client;
	c->entered = true;
	api->waiting++;
	work(c, request);
	if (c->over) {
		call_free(c);
		return NULL;
	}
	c->entered = false;
	c->watch = NULL;
	return c;
}

void api_call_gone(struct api_call *call)
{
	call->gone = true;
}

void api_named(struct api *api, const char *name, const json_t *addresses, const char *failure)
{
	host_sessions_named(api->sessions, name, addresses, failure);
}

void api_turn(struct api *api)
{
	host_sessions_turn(api->sessions);
}

/* ---- what changes ----------------------------------------------------------------------------------------- */

static void on_item(void *ctx, enum model_kind kind, const json_t *item, bool deleted, uint64_t rev)
{
	static const enum watch_resource resource[MODEL_KINDS] = {
		[MODEL_HOST] = WATCH_HOSTS,
		[MODEL_LAB] = WATCH_LABS,
		[MODEL_NETWORK] = WATCH_NETWORKS,
		[MODEL_PORT] = WATCH_PORTS,
	};
	struct api *api = ctx;

	/* hosts are told by host_sessions.h, which knows the rest of their items, and of ports' */
	if (kind == MODEL_PORT && !deleted && watch_any(api->hub, WATCH_PORTS)) {
		json_t *port = host_sessions_port(api->sessions, item);

		watch_emit(api->hub, WATCH_PORTS, port, false, rev);
		json_decref(port);
	} else if (kind != MODEL_HOST) {
		watch_emit(api->hub, resource[kind], item, deleted, rev);
	}
}

static void on_commit(void *ctx, const json_t *hosts, uint64_t rev)
{
	struct api *api = ctx;

	(void)rev;
	host_sessions_touch(api->sessions, hosts);
}

static json_t *list_items(void *ctx, enum watch_resource resource)
{
	struct api *api = ctx;
	json_t *out, *item;
	const char *key;

	if (resource == WATCH_HOSTS || resource == WATCH_MACS || resource == WATCH_DROPS || resource == WATCH_PEERS)
		return host_sessions_list(api->sessions, resource);
	if (resource == WATCH_EVENTS)
		return event_log_list(api->events);
	out = json_array();
	if (resource == WATCH_LABS) {
		json_object_foreach((json_t *)model_all(api->model, MODEL_LAB), key, item)
			json_array_append_new(out,
				model_lab_item(json_object_get(item, "lab"),
					(uint64_t)json_integer_value(json_object_get(item, "rev"))));
		return out;
	}
	if (resource == WATCH_PORTS) {
		json_object_foreach((json_t *)model_all(api->model, MODEL_PORT), key, item)
			json_array_append_new(out, host_sessions_port(api->sessions, item));
		return out;
	}
	json_object_foreach((json_t *)model_all(api->model, MODEL_NETWORK), key, item)
		json_array_append(out, item);
	return out;
}

static struct hash_seed draw_seed(const struct api_machine *machine)
{
	struct hash_seed seed;

	machine->random(machine->ctx, &seed, sizeof(seed));
	return seed;
}

static void tell_news(struct api *api)
{
	json_t *news = authority_news(api->authority);

	host_sessions_news(api->sessions, news);
	json_decref(news);
}

struct api *api_new(struct model *model, const struct authority *authority, const struct api_machine *machine)
{
	struct api *api = calloc(1, sizeof(*api));
	struct model_listener listener = { .ctx = api, .on_item = on_item, .on_commit = on_commit };

	if (!api)
		return NULL;
	api->model = model;
	api->authority = authority;
	api->machine = *machine;
	throttle_init(&api->wrong_tokens, draw_seed(machine));
	throttle_init(&api->failed_enrolments, draw_seed(machine));
	api->sessions = host_sessions_new(model, &api->machine);
	api->hub = watch_hub_new(model, list_items, api);
	api->events = event_log_new(&api->machine);
	if (!api->sessions || !api->hub || !api->events) {
		api_free(api);
		return NULL;
	}
	host_sessions_announce(api->sessions, api->hub, api->events);
	event_log_announce(api->events, api->hub);
	event_log_add(api->events, CONTROLLER_EVENT_STARTED, "", "", "weft-controller " WEFT_VERSION " begins");
	tell_news(api);
	model_listen(model, &listener);
	return api;
}

void api_moved(struct api *api)
{
	event_log_add(api->events, CONTROLLER_EVENT_MOVED, "", "", "hosts reach it at %s", api->authority->address);
	tell_news(api);
}

void api_free(struct api *api)
{
	const struct model_listener nobody = { 0 };

	if (!api)
		return;
	if (api->sessions)
		host_sessions_end_asks(api->sessions);
	assert(api->waiting == 0);
	model_listen(api->model, &nobody);
	if (api->sessions)
		host_sessions_announce(api->sessions, NULL, NULL);
	watch_hub_free(api->hub);
	host_sessions_free(api->sessions);
	event_log_free(api->events);
	free(api);
}
