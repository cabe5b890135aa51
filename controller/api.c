/*
 * api.c - see api.h
 *
 * A handler returns the answer's body, or NULL: with a fault set, that is the answer; without, the handler has answered
 * by itself (streams).  Each route says who may call it; there is no other place where that is decided.
 */
#include "controller/api.h"

#include "base/log.h"
#include "controller/host_sessions.h"
#include "controller/lab_put.h"
#include "controller/http/conns.h"
#include "controller/enrol.h"
#include "controller/http/reply.h"
#include "controller/http/throttle.h"
#include "controller/watch.h"
#include "controller/who.h"

#include <event2/keyvalq_struct.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>
#include <time.h>

struct api {
	struct event_base *base;
	struct model *model;
	const struct authority *authority;
	struct host_sessions *agents;
	struct watch_hub *hub;
	struct throttle wrong_tokens;
	struct throttle failed_enrolments;
};

/* One request at work */
struct call {
	struct api *api;
	struct evhttp_request *request;
	struct who who;
	struct instant now;
	char name[LAB_NAME_MAX + 1]; /* the path's `*` */
	bool watching;
	uint64_t watch_rev;
	int status; /* of the answer, when it is good */
	struct fault fault;
};

/* ---- anybody ---------------------------------------------------------------------------------------------- */

static json_t *get_ca(struct call *c)
{
	return json_pack("{s:s, s:s}", "fabric", c->api->authority->name, "ca", c->api->authority->ca_pem);
}

static json_t *post_enrol(struct call *c)
{
	json_t *in, *out;

	if (c->who.from_known && !throttle_ok(&c->api->failed_enrolments, &c->who.from, c->now)) {
		fault_set(&c->fault, 429, "", "too many failed enrolments from this address; try again in a while");
		return NULL;
	}
	in = reply_read_body(c->request, &c->fault);
	out = in ? enrol_host(c->api->model, c->api->authority, in, time(NULL), &c->fault) : NULL;
	json_decref(in);
	if (!out && c->who.from_known)
		throttle_failed(&c->api->failed_enrolments, &c->who.from, c->now);
	if (!out)
		log_warning("an enrolment failed: %s", c->fault.message);
	return out;
}

/* ---- agents ----------------------------------------------------------------------------------------------- */

static json_t *get_topology(struct call *c)
{
	host_sessions_seen(c->api->agents, c->who.host, c->who.from_known ? &c->who.from : NULL);
	if (!c->watching)
		return host_sessions_topology(c->api->agents, c->who.host);
	host_sessions_watch(c->api->agents, c->who.host, c->request, c->watch_rev);
	c->status = 0;
	return NULL;
}

static json_t *put_report(struct call *c)
{
	json_t *in = reply_read_body(c->request, &c->fault), *out = NULL;

	host_sessions_seen(c->api->agents, c->who.host, c->who.from_known ? &c->who.from : NULL);
	if (in && host_sessions_report(c->api->agents, c->who.host, in, &c->fault))
		out = json_pack("{s:I}", "rev", (json_int_t)model_rev(c->api->model));
	json_decref(in);
	return out;
}

/* ---- operators -------------------------------------------------------------------------------------------- */

static json_t *get_fabric(struct call *c)
{
	const struct authority *authority = c->api->authority;

	return json_pack("{s:s, s:I, s:s, s:s, s:s}", "name", authority->name, "rev",
		(json_int_t)model_rev(c->api->model), "address", authority->address, "ca", authority->ca_pem,
		"fingerprint", authority->fingerprint);
}

static json_t *post_token(struct call *c)
{
	json_t *in = reply_read_body(c->request, &c->fault);
	json_t *out = in ? enrol_token(c->api->model, c->api->authority, in, time(NULL), &c->fault) : NULL;

	json_decref(in);
	c->status = 201;
	return out;
}

static json_t *get_resource(struct call *c)
{
	enum watch_resource resource = watch_resource_by_name(c->name);

	if (resource == WATCH_RESOURCE_COUNT) {
		fault_set(&c->fault, 404, "", "there is nothing at this path");
		return NULL;
	}
	if (!c->watching)
		return watch_list(c->api->hub, resource);
	if (watch_open(c->api->hub, c->request, resource, c->watch_rev, &c->fault))
		c->status = 0;
	return NULL;
}

/* A host of a lab, with what `weft apply --wait` has to know */
static json_t *host_state(struct call *c, const char *name)
{
	static const char *const keys[] = { "name", "online", "applied", "error", NULL };
	const json_t *host = model_host(c->api->model, name);
	json_t *item = host ? host_sessions_item(c->api->agents, host) : NULL, *out = json_object();

	for (size_t i = 0; item && keys[i]; i++) {
		json_t *value = json_object_get(item, keys[i]);

		if (value)
			json_object_set(out, keys[i], value);
	}
	json_decref(item);
	return out;
}

static json_t *get_lab(struct call *c)
{
	const json_t *known = model_lab(c->api->model, c->name);
	json_t *lab = json_object_get(known, "lab"), *names, *name, *hosts;
	size_t i;

	if (!lab) {
		fault_set(&c->fault, 404, "", "there is no lab \"%s\"", c->name);
		return NULL;
	}
	hosts = json_array();
	names = lab_hosts(lab);
	json_array_foreach(names, i, name)
		json_array_append_new(hosts, host_state(c, json_string_value(name)));
	json_decref(names);
	return json_pack("{s:O, s:O, s:o}", "rev", json_object_get(known, "rev"), "lab", lab, "hosts", hosts);
}

static json_t *put_lab(struct call *c)
{
	json_t *in = reply_read_body(c->request, &c->fault);
	json_t *out = in ? lab_put(c->api->model, c->name, in, &c->fault) : NULL;

	json_decref(in);
	return out;
}

static json_t *delete_lab(struct call *c)
{
	return lab_delete(c->api->model, c->name, &c->fault);
}

static json_t *post_revoke(struct call *c)
{
	return enrol_revoke(c->api->model, c->name, &c->fault);
}

/* ---- routing ---------------------------------------------------------------------------------------------- */

static const struct route {
	enum evhttp_cmd_type method;
	const char *path; /* `*`: one name */
	enum who_kind who;
	json_t *(*handle)(struct call *c);
} routes[] = {
	{ EVHTTP_REQ_GET, "/v1/ca", WHO_NOBODY, get_ca },
	{ EVHTTP_REQ_POST, "/v1/enrol", WHO_NOBODY, post_enrol },
	{ EVHTTP_REQ_GET, "/v1/agent/topology", WHO_AGENT, get_topology },
	{ EVHTTP_REQ_PUT, "/v1/agent/report", WHO_AGENT, put_report },
	{ EVHTTP_REQ_GET, "/v1/fabric", WHO_OPERATOR, get_fabric },
	{ EVHTTP_REQ_POST, "/v1/tokens", WHO_OPERATOR, post_token },
	{ EVHTTP_REQ_GET, "/v1/labs/*", WHO_OPERATOR, get_lab },
	{ EVHTTP_REQ_PUT, "/v1/labs/*", WHO_OPERATOR, put_lab },
	{ EVHTTP_REQ_DELETE, "/v1/labs/*", WHO_OPERATOR, delete_lab },
	{ EVHTTP_REQ_POST, "/v1/hosts/*/revoke", WHO_OPERATOR, post_revoke },
	{ EVHTTP_REQ_GET, "/v1/*", WHO_OPERATOR, get_resource },
};
#define ROUTES (sizeof(routes) / sizeof(routes[0]))

static const char *method_name(enum evhttp_cmd_type method)
{
	switch (method) {
	case EVHTTP_REQ_GET:
		return "GET";
	case EVHTTP_REQ_PUT:
		return "PUT";
	case EVHTTP_REQ_POST:
		return "POST";
	default:
		return "DELETE";
	}
}

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

/* Return: NULL with c->fault set where there is none */
static const struct route *find_route(struct call *c, const char *path)
{
	enum evhttp_cmd_type method = evhttp_request_get_command(c->request);
	struct evkeyvalq *headers = evhttp_request_get_output_headers(c->request);
	char allowed[64] = "", name[LAB_NAME_MAX + 2];

	for (size_t i = 0; i < ROUTES; i++) {
		const struct route *route = &routes[i];

		if (!path_fits(route->path, path, name, sizeof(name)))
			continue;
		/* the pattern that takes anything comes last, and says nothing of paths that others have taken */
		if (allowed[0] && strcmp(route->path, "/v1/*") == 0)
			continue;
		if (route->method != method) {
			snprintf(allowed + strlen(allowed), sizeof(allowed) - strlen(allowed), "%s%s",
				allowed[0] ? ", " : "", method_name(route->method));
			continue;
		}
		if (name[0] && strlen(name) > LAB_NAME_MAX)
			break;
		snprintf(c->name, sizeof(c->name), "%.*s", (int)LAB_NAME_MAX, name);
		return route;
	}
	if (!allowed[0]) {
		fault_set(&c->fault, 404, "", "there is nothing at this path");
		return NULL;
	}
	evhttp_add_header(headers, "Allow", allowed);
	fault_set(&c->fault, 405, "", "this path takes %s", allowed);
	return NULL;
}

/* `?watch=REV`; nothing else is known */
static bool read_query(struct call *c, const char *query)
{
	struct evkeyvalq values;
	const char *text;
	char *end;

	if (!query || !*query)
		return true;
	if (evhttp_parse_query_str(query, &values) < 0)
		return fault_set(&c->fault, 400, "", "the query cannot be read");
	text = evhttp_find_header(&values, "watch");
	if (text && text[0] >= '0' && text[0] <= '9') {
		c->watching = true;
		c->watch_rev = strtoull(text, &end, 10);
		if (*end || strlen(text) > 18)
			c->watching = false;
	}
	evhttp_clear_headers(&values);
	return c->watching || fault_set(&c->fault, 400, "", "the query must be watch=REVISION");
}

static bool allowed(struct call *c, const struct route *route)
{
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

static void serve(struct call *c, bool local)
{
	const struct evhttp_uri *uri = evhttp_request_get_evhttp_uri(c->request);
	const char *path = uri ? evhttp_uri_get_path(uri) : NULL;
	const struct route *route = find_route(c, path ? path : "");
	json_t *body = NULL;

	/* what anybody may have does not fail because of credentials that came along */
	if (!who_is(c->request, local, c->api->model, &c->api->wrong_tokens, c->now, &c->who, &c->fault) && route &&
		route->who == WHO_NOBODY)
		c->fault = (struct fault){ 0 };
	if (c->who.kind != WHO_NOBODY)
		conns_trust(evhttp_request_get_connection(c->request));
	c->status = 200;
	if (!c->fault.status && allowed(c, route) && read_query(c, evhttp_uri_get_query(uri)))
		body = route->handle(c);
	if (body)
		reply_json(c->request, c->status, body);
	else if (c->fault.status)
		reply_fault(c->request, &c->fault);
	else if (c->status)
		reply_json(c->request, 503, NULL);
}

static void on_request(struct evhttp_request *request, struct api *api, bool local)
{
	struct call c = { .api = api, .request = request, .now = instant_now() };

	serve(&c, local);
}

void api_on_network(struct evhttp_request *request, void *arg)
{
	on_request(request, arg, false);
}

void api_on_local(struct evhttp_request *request, void *arg)
{
	on_request(request, arg, true);
}

/* ---- changes ---------------------------------------------------------------------------------------------- */

static void on_item(void *ctx, enum model_kind kind, const json_t *item, bool deleted, uint64_t rev)
{
	static const enum watch_resource resource[MODEL_KINDS] = {
		[MODEL_HOST] = WATCH_HOSTS,
		[MODEL_LAB] = WATCH_LABS,
		[MODEL_NETWORK] = WATCH_NETWORKS,
		[MODEL_PORT] = WATCH_PORTS,
	};
	struct api *api = ctx;

	/* hosts are told by agents.h, which knows the rest of their items */
	if (kind != MODEL_HOST)
		watch_emit(api->hub, resource[kind], item, deleted, rev);
}

static void on_commit(void *ctx, const json_t *hosts, uint64_t rev)
{
	struct api *api = ctx;

	host_sessions_touch(api->agents, hosts, rev);
}

static json_t *list_items(void *ctx, enum watch_resource resource)
{
	struct api *api = ctx;
	json_t *out, *item;
	const char *key;

	if (resource == WATCH_HOSTS || resource == WATCH_MACS || resource == WATCH_DROPS)
		return host_sessions_list(api->agents, resource);
	out = json_array();
	if (resource == WATCH_LABS) {
		json_object_foreach((json_t *)model_all(api->model, MODEL_LAB), key, item)
			json_array_append_new(out,
				model_lab_item(json_object_get(item, "lab"),
					(uint64_t)json_integer_value(json_object_get(item, "rev"))));
		return out;
	}
	json_object_foreach((json_t *)model_all(api->model, resource == WATCH_PORTS ? MODEL_PORT : MODEL_NETWORK), key,
		item)
		json_array_append(out, item);
	return out;
}

struct api *api_new(struct event_base *base, struct model *model, const struct authority *authority)
{
	struct api *api = calloc(1, sizeof(*api));
	struct model_listener listener = { .ctx = api, .on_item = on_item, .on_commit = on_commit };

	if (!api)
		return NULL;
	api->base = base;
	api->model = model;
	api->authority = authority;
	throttle_init(&api->wrong_tokens, hash_seed_random());
	throttle_init(&api->failed_enrolments, hash_seed_random());
	api->agents = host_sessions_new(base, model);
	api->hub = watch_hub_new(base, model, list_items, api);
	if (!api->agents || !api->hub) {
		api_free(api);
		return NULL;
	}
	host_sessions_announce(api->agents, api->hub);
	model_listen(model, &listener);
	return api;
}

void api_free(struct api *api)
{
	const struct model_listener nobody = { 0 };

	if (!api)
		return;
	model_listen(api->model, &nobody);
	watch_hub_free(api->hub);
	host_sessions_free(api->agents);
	free(api);
}
