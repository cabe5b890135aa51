/*
 * host_sessions.c - see host_sessions.h
 */
#include "controller/host_sessions.h"

#include "base/log.h"
#include "controller/agent_report.h"
#include "controller/http/stream.h"
#include "controller/host_topology.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

struct host_session {
	struct host_sessions *agents;
	char name[LAB_NAME_MAX + 1];
	json_t *document; /* without its rev */
	uint64_t document_rev;
	struct agent_report report;
	bool reported;
	time_t last_seen;  /* 0: never, since the start */
	time_t address_at; /* when its address was last stored */
	struct stream *stream;
	char *stream_fingerprint; /* of the certificate under which it was opened */
	bool stale;               /* the document changed while the stream was writing */
};

/* Hosts are never forgotten, so the table only grows: sorted by name */
struct host_sessions {
	struct event_base *base;
	struct model *model;
	struct watch_hub *hub;
	struct host_session **list;
	size_t count;
};

static struct host_session **slot(struct host_sessions *agents, const char *name, size_t *at)
{
	size_t low = 0, high = agents->count;

	while (low < high) {
		size_t middle = (low + high) / 2;
		int order = strcmp(agents->list[middle]->name, name);

		if (order == 0)
			return &agents->list[middle];
		if (order < 0)
			low = middle + 1;
		else
			high = middle;
	}
	*at = low;
	return NULL;
}

static struct host_session *lookup(struct host_sessions *agents, const char *name)
{
	size_t at;
	struct host_session **found = slot(agents, name, &at);

	return found ? *found : NULL;
}

static struct host_session *add(struct host_sessions *agents, const char *name)
{
	struct host_session **found, **list, *agent;
	size_t at;

	found = slot(agents, name, &at);
	if (found)
		return *found;
	list = reallocarray(agents->list, agents->count + 1, sizeof(*list));
	if (!list)
		return NULL;
	agents->list = list;
	agent = calloc(1, sizeof(*agent));
	if (!agent)
		return NULL;
	agent->agents = agents;
	snprintf(agent->name, sizeof(agent->name), "%s", name);
	memmove(&list[at + 1], &list[at], (agents->count - at) * sizeof(*list));
	list[at] = agent;
	agents->count++;
	return agent;
}

static json_t *with_rev(const struct host_session *agent)
{
	json_t *out = json_copy(agent->document);

	json_object_set_new(out, "rev", json_integer((json_int_t)agent->document_rev));
	return out;
}

static void push(struct host_session *agent)
{
	json_t *document;

	if (!agent->stream)
		return;
	agent->stale = stream_busy(agent->stream);
	if (agent->stale)
		return;
	document = with_rev(agent);
	stream_send(agent->stream, document);
	json_decref(document);
}

/* Compute the document; @rev is its revision if it differs.  Return: did it? */
static bool refresh(struct host_session *agent, uint64_t rev)
{
	json_t *document = host_topology_of(agent->agents->model, agent->name);

	if (!document) {
		log_error("topology of %s: out of memory", agent->name);
		return false;
	}
	if (agent->document && json_equal(document, agent->document)) {
		json_decref(document);
		return false;
	}
	json_decref(agent->document);
	agent->document = document;
	agent->document_rev = rev;
	return true;
}

static void emit_host(struct host_session *agent)
{
	struct host_sessions *agents = agent->agents;
	json_t *item;

	if (!agents->hub || !watch_any(agents->hub, WATCH_HOSTS))
		return;
	item = host_sessions_item(agents, model_host(agents->model, agent->name));
	watch_emit(agents->hub, WATCH_HOSTS, item, false, model_rev(agents->model));
	json_decref(item);
}

static void forget_stream(struct host_session *agent)
{
	agent->stream = NULL;
	agent->stale = false;
	free(agent->stream_fingerprint);
	agent->stream_fingerprint = NULL;
}

static void on_closed(void *ctx, struct stream *stream)
{
	struct host_session *agent = ctx;

	(void)stream;
	forget_stream(agent);
	emit_host(agent);
}

static void on_drained(void *ctx, struct stream *stream)
{
	struct host_session *agent = ctx;

	(void)stream;
	if (agent->stale)
		push(agent);
}

static void end_stream(struct host_session *agent)
{
	if (agent->stream)
		stream_disown(agent->stream);
	forget_stream(agent);
}

static const char *fingerprint_of(const json_t *host)
{
	return json_string_value(json_object_get(host, "fingerprint"));
}

/* Its certificate may have been revoked or replaced */
static void check_stream(struct host_session *agent)
{
	const json_t *host = model_host(agent->agents->model, agent->name);
	const char *fingerprint = fingerprint_of(host);

	if (!agent->stream)
		return;
	if (json_is_true(json_object_get(host, "revoked")) || !fingerprint ||
		strcmp(fingerprint, agent->stream_fingerprint) != 0)
		end_stream(agent);
}

struct host_sessions *host_sessions_new(struct event_base *base, struct model *model)
{
	struct host_sessions *agents = calloc(1, sizeof(*agents));

	if (!agents)
		return NULL;
	agents->base = base;
	agents->model = model;
	host_sessions_touch(agents, model_all(model, MODEL_HOST), model_rev(model));
	return agents;
}

void host_sessions_free(struct host_sessions *agents)
{
	if (!agents)
		return;
	for (size_t i = 0; i < agents->count; i++) {
		struct host_session *agent = agents->list[i];

		end_stream(agent);
		json_decref(agent->document);
		agent_report_fini(&agent->report);
		free(agent);
	}
	free(agents->list);
	free(agents);
}

void host_sessions_announce(struct host_sessions *agents, struct watch_hub *hub)
{
	agents->hub = hub;
}

void host_sessions_touch(struct host_sessions *agents, const json_t *hosts, uint64_t rev)
{
	const char *name;
	json_t *unused;

	json_object_foreach((json_t *)hosts, name, unused) {
		struct host_session *agent = model_host(agents->model, name) ? add(agents, name) : NULL;

		if (!agent)
			continue;
		check_stream(agent);
		if (refresh(agent, rev))
			push(agent);
		emit_host(agent);
	}
}

/* Where others reach a host that named no endpoint: where its agent's connection comes from */
static void learn_address(struct host_sessions *agents, struct host_session *agent, const struct endpoint *from)
{
	const char *name = agent->name;
	const json_t *host = model_host(agents->model, name);
	const char *known = json_string_value(json_object_get(host, "address"));
	struct endpoint without_port = *from, known_address;
	char text[ENDPOINT_TEXT_BYTES], key[LAB_NAME_MAX + 8];
	struct fault fault = { 0 };
	struct store_txn txn;
	json_t *changed;
	uint64_t rev;

	/* once a second at most, however it changes; the agent's next request will tell again */
	without_port.port = 1;
	if (json_object_get(host, "endpoint") || agent->address_at == agent->last_seen ||
		(known && endpoint_parse(known, 1, &known_address) && endpoint_equal(&known_address, &without_port)))
		return;
	agent->address_at = agent->last_seen;
	endpoint_format(&without_port, text);
	*strrchr(text, ':') = '\0';
	changed = json_copy((json_t *)host);
	json_object_set_new(changed, "address", json_string(text));
	snprintf(key, sizeof(key), "%s%s", model_prefix(MODEL_HOST), name);
	store_txn_init(&txn);
	model_put(&txn, key, changed);
	if (model_commit(agents->model, &txn, &rev, &fault))
		log_info("host %s is at %s now", name, text);
	else
		log_error("host %s is at %s now: %s", name, text, fault.message);
	store_txn_fini(&txn);
	json_decref(changed);
}

void host_sessions_seen(struct host_sessions *agents, const char *host, const struct endpoint *from)
{
	struct host_session *agent = lookup(agents, host);

	if (!agent)
		return;
	agent->last_seen = time(NULL);
	if (from)
		learn_address(agents, agent, from);
}

json_t *host_sessions_topology(struct host_sessions *agents, const char *host)
{
	const struct host_session *agent = lookup(agents, host);

	return agent ? with_rev(agent) : NULL;
}

void host_sessions_watch(struct host_sessions *agents, const char *host, struct evhttp_request *request, uint64_t have)
{
	struct host_session *agent = lookup(agents, host);
	struct stream_owner owner = { .ctx = agent, .on_closed = on_closed, .on_drained = on_drained };
	const char *fingerprint = fingerprint_of(model_host(agents->model, host));

	if (!agent || !fingerprint) {
		evhttp_send_error(request, 503, NULL);
		return;
	}
	end_stream(agent);
	agent->stream_fingerprint = strdup(fingerprint);
	if (agent->stream_fingerprint)
		agent->stream = stream_open(agents->base, request, &owner);
	else
		evhttp_send_error(request, 503, NULL);
	if (!agent->stream) {
		forget_stream(agent);
		return;
	}
	stream_settled(agent->stream);
	if (have == 0 || have != agent->document_rev) {
		json_t *document = with_rev(agent);

		stream_send(agent->stream, document);
		json_decref(document);
	}
	emit_host(agent);
}

/* Tell the watches how @now differs from @was; both {key: item}, either may be NULL */
static void emit_difference(struct host_sessions *agents, enum watch_resource resource, json_t *was, json_t *now)
{
	uint64_t rev = model_rev(agents->model);
	const char *key;
	json_t *item;

	if (!agents->hub || !watch_any(agents->hub, resource))
		return;
	json_object_foreach(was, key, item) {
		if (!json_object_get(now, key))
			watch_emit(agents->hub, resource, item, true, rev);
	}
	json_object_foreach(now, key, item) {
		if (!json_equal(item, json_object_get(was, key)))
			watch_emit(agents->hub, resource, item, false, rev);
	}
}

/* Members that a report lacks stay as they were; @was is left to agent_report_fini() */
static json_t *newer(json_t **was, json_t *now)
{
	json_t *out = now ? now : *was;

	if (!now)
		*was = NULL;
	return out;
}

bool host_sessions_report(struct host_sessions *agents, const char *host, const json_t *in, struct fault *fault)
{
	struct host_session *agent = lookup(agents, host);
	struct agent_report report, was;
	bool changed;

	if (!agent)
		return fault_set(fault, 503, "", "out of memory");
	if (!agent_report_check(in, agents->model, host, &report, fault)) {
		agent_report_fini(&report);
		return false;
	}
	was = agent->report;
	changed = !agent->reported || was.applied != report.applied || !json_equal(was.about, report.about);
	if (report.macs)
		emit_difference(agents, WATCH_MACS, was.macs, report.macs);
	if (report.drops)
		emit_difference(agents, WATCH_DROPS, was.drops, report.drops);
	report.macs = newer(&was.macs, report.macs);
	report.drops = newer(&was.drops, report.drops);
	agent->report = report;
	agent->reported = true;
	agent_report_fini(&was);
	if (changed)
		emit_host(agent);
	return true;
}

/* The highest revision of the store that the agent is known to be in line with */
static uint64_t applied(const struct host_session *agent)
{
	uint64_t rev = model_rev(agent->agents->model);

	if (!agent->reported || agent->report.applied > rev)
		return 0;
	return agent->report.applied == agent->document_rev ? rev : agent->report.applied;
}

json_t *host_sessions_item(struct host_sessions *agents, const json_t *host)
{
	const char *name = json_string_value(json_object_get(host, "name"));
	const struct host_session *agent = lookup(agents, name);
	char endpoint[ENDPOINT_TEXT_BYTES];
	json_t *out = json_pack("{s:s, s:b, s:b, s:b, s:O, s:O}", "name", name, "endpoint_declared",
		json_object_get(host, "endpoint") != NULL, "revoked", json_is_true(json_object_get(host, "revoked")),
		"online", agent && agent->stream, "enrolled_at", json_object_get(host, "enrolled_at"), "fingerprint",
		json_object_get(host, "fingerprint"));

	if (host_topology_endpoint(host, endpoint, sizeof(endpoint)))
		json_object_set_new(out, "endpoint", json_string(endpoint));
	json_object_set_new(out, "applied", json_integer(agent ? (json_int_t)applied(agent) : 0));
	if (agent && agent->last_seen)
		json_object_set_new(out, "last_seen", json_integer(agent->last_seen));
	if (agent && agent->report.about)
		json_object_update(out, agent->report.about);
	return out;
}

static json_t *hosts(struct host_sessions *agents)
{
	json_t *out = json_array();

	for (size_t i = 0; i < agents->count; i++)
		json_array_append_new(out,
			host_sessions_item(agents, model_host(agents->model, agents->list[i]->name)));
	return out;
}

json_t *host_sessions_list(struct host_sessions *agents, enum watch_resource resource)
{
	json_t *out, *item;
	const char *key;

	if (resource == WATCH_HOSTS)
		return hosts(agents);
	out = json_array();
	for (size_t i = 0; i < agents->count; i++) {
		const struct agent_report *report = &agents->list[i]->report;

		json_object_foreach(resource == WATCH_MACS ? report->macs : report->drops, key, item)
			json_array_append(out, item);
	}
	return out;
}
