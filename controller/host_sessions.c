/*
 * host_sessions.c - see host_sessions.h
 */
#include "controller/host_sessions.h"

#include "base/json.h"
#include "base/log.h"
#include "controller/agent_report.h"
#include "controller/clones.h"
#include "controller/ca/authority.h"
#include "controller/enrol.h"
#include "controller/host_addresses.h"
#include "controller/host_topology.h"
#include "controller/presence.h"

#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>

#define ADDRESS_CHANGES_MAX 5U
#define ADDRESS_CHANGE_S 30
#define RETURN_S 60 /* after a start, those that come were there before */

struct host_session {
	struct watcher watcher; /* first */
	struct model_change address_change;
	bool address_changing;
	bool removed; /* its host is: it is in no table any more, and goes with its change */

	/* what was learnt of where it is, and may be in the store already */
	json_t *own;          /* as its agent says; NULL: not since the start */
	struct endpoint from; /* its agent's last connection */
	bool from_known;
	char witnessed[ENDPOINT_TEXT_BYTES]; /* by a peer, last; "" for none */
	json_t *named;    /* {name: addresses}, what its names stand for; NULL: not since the start */
	json_t *nameless; /* {name: {"text", "since"}} of those that stand for nothing now; NULL: none */
	uint32_t changes; /* of late */
	time_t changes_at;

	struct host_sessions *sessions;
	char name[LAB_NAME_MAX + 1];
	char document[AUTHORITY_HASH_BYTES]; /* name of the newest that was made; "" for none */
	uint64_t document_rev;               /* as of which it is */
	bool stale;                          /* there may be a newer one to be made */
	struct agent_report report;
	bool reported;
	bool fresh;       /* since this watch began */
	time_t last_seen; /* 0: never, since the start */
	time_t left_at;   /* when its last watch ended; 0: it had none, since the start */
	struct clones clones;
	struct presence presence;
	uint64_t events_taken; /* the agent's number of the last event */
	TAILQ_ENTRY(host_session) link;
	bool queued; /* its document is to be made in a turn */
	bool watching;
	char sent[AUTHORITY_HASH_BYTES]; /* name of the document that its agent has, or will have read next */
	char watch_fingerprint[AUTHORITY_HASH_BYTES]; /* of the certificate under which it watches */
};

/* Sorted by name */
struct host_sessions {
	struct model *model;
	const struct api_machine *machine;
	TAILQ_HEAD(host_session_queue, host_session) queue;
	struct watch_hub *hub;
	struct event_log *events;
	struct host_session **list;
	size_t count;
	struct asks asks;
	struct presences presences;
	time_t started;
	json_t *news; /* the first line of each watch; NULL: none */
};

static struct host_session **slot(struct host_sessions *sessions, const char *name, size_t *at)
{
	size_t low = 0, high = sessions->count;

	while (low < high) {
		size_t middle = (low + high) / 2;
		int order = strcmp(sessions->list[middle]->name, name);

		if (order == 0)
			return &sessions->list[middle];
		if (order < 0)
			low = middle + 1;
		else
			high = middle;
	}
	*at = low;
	return NULL;
}

static struct host_session *lookup(struct host_sessions *sessions, const char *name)
{
	size_t at;
	struct host_session **found = slot(sessions, name, &at);

	return found ? *found : NULL;
}

static time_t wall_clock(const struct host_sessions *sessions)
{
	return sessions->machine->wall(sessions->machine->ctx);
}

static struct host_session *session_of(struct watcher *watcher)
{
	return (struct host_session *)watcher;
}

static void on_closed(struct watcher *watcher);
static void on_drained(struct watcher *watcher);

static struct host_session *add(struct host_sessions *sessions, const char *name)
{
	struct host_session **found, **list, *session;
	size_t at;

	found = slot(sessions, name, &at);
	if (found)
		return *found;
	list = reallocarray(sessions->list, sessions->count + 1, sizeof(*list));
	if (!list)
		return NULL;
	sessions->list = list;
	session = calloc(1, sizeof(*session));
	if (!session)
		return NULL;
	session->sessions = sessions;
	session->stale = true;
	session->watcher = (struct watcher){ .on_closed = on_closed, .on_drained = on_drained };
	snprintf(session->name, sizeof(session->name), "%s", name);
	session->presence.host = session->name;
	memmove(&list[at + 1], &list[at], (sessions->count - at) * sizeof(*list));
	list[at] = session;
	sessions->count++;
	return session;
}

/* ---- documents -------------------------------------------------------------------------------------------- */

/* The hash over the canonical text: no white space, members sorted, and neither itself nor the revision */
static bool name_document(const json_t *document, char name[AUTHORITY_HASH_BYTES])
{
	char *text = json_dumps(document, JSON_COMPACT | JSON_SORT_KEYS);

	if (!text)
		return false;
	memcpy(name, authority_hash(text).text, AUTHORITY_HASH_BYTES);
	free(text);
	return true;
}

/* Make the document, with its name and revision.  Return: NULL where memory is short, and the host stays stale */
static json_t *make_document(struct host_session *session)
{
	const struct model *model = session->sessions->model;
	json_t *document = host_topology_of(model, session->name);
	char name[AUTHORITY_HASH_BYTES];

	if (!document || !name_document(document, name)) {
		log_error("topology of %s: out of memory", session->name);
		json_decref(document);
		return NULL;
	}
	if (strcmp(name, session->document) != 0) {
		memcpy(session->document, name, sizeof(session->document));
		session->document_rev = model_rev(model);
	}
	session->stale = false;
	json_object_set_new(document, "hash", json_string(name));
	json_object_set_new(document, "rev", json_integer((json_int_t)session->document_rev));
	return document;
}

static bool in_line(const struct host_session *session)
{
	return !session->stale && session->reported && strcmp(session->report.applied, session->document) == 0;
}

/* Send the newest document, where it is not what the agent has */
static void renew(struct host_session *session)
{
	json_t *document;

	if (!session->stale && strcmp(session->document, session->sent) == 0)
		return;
	document = make_document(session);
	if (document && strcmp(session->document, session->sent) != 0) {
		memcpy(session->sent, session->document, sizeof(session->sent));
		session->watcher.ops->send(session->watcher.ctx, document);
	}
	json_decref(document);
}

/* Tell the watches how @now differs from @was; both {key: item}, either may be NULL */
static void emit_difference(struct host_sessions *sessions, enum watch_resource resource, json_t *was, json_t *now)
{
	uint64_t rev = model_rev(sessions->model);
	const char *key;
	json_t *item;

	if (!sessions->hub || !watch_any(sessions->hub, resource))
		return;
	json_object_foreach(was, key, item) {
		if (!json_object_get(now, key))
			watch_emit(sessions->hub, resource, item, true, rev);
	}
	json_object_foreach(now, key, item) {
		if (!json_equal(item, json_object_get(was, key)))
			watch_emit(sessions->hub, resource, item, false, rev);
	}
}

static void emit_ports(struct host_session *session)
{
	struct host_sessions *sessions = session->sessions;
	const char *key;
	json_t *port;

	if (!sessions->hub || !watch_any(sessions->hub, WATCH_PORTS))
		return;
	json_object_foreach((json_t *)model_host_ports(sessions->model, session->name), key, port) {
		json_t *item = host_sessions_port(sessions, port);

		watch_emit(sessions->hub, WATCH_PORTS, item, false, model_rev(sessions->model));
		json_decref(item);
	}
}

static void emit_host(struct host_session *session)
{
	struct host_sessions *sessions = session->sessions;
	json_t *item;

	if (!sessions->hub || !watch_any(sessions->hub, WATCH_HOSTS))
		return;
	item = host_sessions_item(sessions, model_host(sessions->model, session->name));
	watch_emit(sessions->hub, WATCH_HOSTS, item, false, model_rev(sessions->model));
	json_decref(item);
}

/* ---- watches ---------------------------------------------------------------------------------------------- */

static void tell(const struct host_session *session, enum controller_event event)
{
	if (session->sessions->events)
		event_log_add(session->sessions->events, event, session->name, "", NULL);
}

/* It is online, or not any more, which it was not before.  Peers of those that only look for a restarted controller are not troubled */
static void came_or_went(struct host_session *session)
{
	struct host_sessions *sessions = session->sessions;

	tell(session, session->watching ? CONTROLLER_EVENT_HOST_ONLINE : CONTROLLER_EVENT_HOST_OFFLINE);
	if (session->left_at || wall_clock(sessions) - sessions->started >= RETURN_S)
		presences_note(&sessions->presences, &session->presence);
}

/* What it said may be otherwise by now: it says so again when it is back */
static void watch_over(struct host_session *session)
{
	if (session->fresh)
		emit_difference(session->sessions, WATCH_PEERS, session->report.peers, NULL);
	session->watching = session->fresh = false;
	session->left_at = wall_clock(session->sessions);
	asks_gone(&session->sessions->asks, session->name);
}

static void on_closed(struct watcher *watcher)
{
	struct host_session *session = session_of(watcher);

	watch_over(session);
	came_or_went(session);
	emit_host(session);
	emit_ports(session);
}

static void on_drained(struct watcher *watcher)
{
	struct host_session *session = session_of(watcher);

	bool was_stale = session->stale;

	renew(session);
	if (was_stale)
		emit_host(session);
}

static void end_watch(struct host_session *session)
{
	if (!session->watching)
		return;
	session->watcher.ops->end(session->watcher.ctx);
	watch_over(session);
}

static const char *fingerprint_of(const json_t *host)
{
	return json_string_value(json_object_get(host, "fingerprint"));
}

/* Its certificate may have been revoked or replaced */
static void check_watch(struct host_session *session)
{
	const json_t *host = model_host(session->sessions->model, session->name);
	const char *fingerprint = fingerprint_of(host);

	if (!json_is_true(json_object_get(host, "revoked")) && fingerprint &&
		strcmp(fingerprint, session->watch_fingerprint) == 0)
		return;
	if (!session->watching)
		return;
	end_watch(session);
	came_or_went(session);
}

/* ---- of whom others hear ----------------------------------------------------------------------------------- */

static struct host_session *present(const struct presence *presence)
{
	return (struct host_session *)(void *)((char *)presence - offsetof(struct host_session, presence));
}

static struct presence *listener(void *ctx, const char *host)
{
	struct host_session *session = lookup(ctx, host);

	return session && session->watching && !session->watcher.ops->busy(session->watcher.ctx) ? &session->presence
												 : NULL;
}

static bool is_online(void *ctx, const struct presence *presence)
{
	(void)ctx;
	return present(presence)->watching;
}

static void tell_presence(void *ctx, struct presence *to, const json_t *line)
{
	const struct watcher *watcher = &present(to)->watcher;

	(void)ctx;
	if (present(to)->watching)
		watcher->ops->send(watcher->ctx, line);
}

static const struct presences_ops presences_ops = { .listener = listener,
	.is_online = is_online,
	.send = tell_presence };

static void session_free(struct host_session *session)
{
	agent_report_fini(&session->report);
	json_decref(session->own);
	json_decref(session->named);
	json_decref(session->nameless);
	free(session);
}

/* Its host is removed: nobody hears from it or of it any more, but that it has gone */
static void drop(struct host_sessions *sessions, struct host_session **at)
{
	struct host_session *session = *at;
	const struct agent_report *report = &session->report;
	json_t *item = json_pack("{s:s, s:b}", "name", session->name, "online", 0);

	if (session->watching)
		tell(session, CONTROLLER_EVENT_HOST_OFFLINE);
	end_watch(session);
	emit_difference(sessions, WATCH_MACS, report->macs, NULL);
	emit_difference(sessions, WATCH_DROPS, report->drops, NULL);
	if (sessions->hub)
		watch_emit(sessions->hub, WATCH_HOSTS, item, true, model_rev(sessions->model));
	json_decref(item);
	if (session->queued)
		TAILQ_REMOVE(&sessions->queue, session, link);
	presences_forget(&sessions->presences, &session->presence); /* nobody is its neighbour any more */
	sessions->count--;
	memmove(at, at + 1, (size_t)(sessions->list + sessions->count - at) * sizeof(*at));
	session->removed = true;
	if (!session->address_changing)
		session_free(session);
}

struct host_sessions *host_sessions_new(struct model *model, const struct api_machine *machine)
{
	struct host_sessions *sessions = calloc(1, sizeof(*sessions));

	if (!sessions)
		return NULL;
	sessions->model = model;
	sessions->machine = machine;
	TAILQ_INIT(&sessions->queue);
	asks_init(&sessions->asks, machine);
	presences_init(&sessions->presences, model, machine, &presences_ops, sessions);
	sessions->started = machine->wall(machine->ctx);
	host_sessions_touch(sessions, model_all(model, MODEL_HOST));
	return sessions;
}

void host_sessions_free(struct host_sessions *sessions)
{
	if (!sessions)
		return;
	for (size_t i = 0; i < sessions->count; i++) {
		struct host_session *session = sessions->list[i];

		end_watch(session);
		session_free(session);
	}
	json_decref(sessions->news);
	free(sessions->list);
	free(sessions);
}

void host_sessions_news(struct host_sessions *sessions, json_t *line)
{
	json_decref(sessions->news);
	sessions->news = json_incref(line);
	for (size_t i = 0; line && i < sessions->count; i++)
		if (sessions->list[i]->watching)
			sessions->list[i]->watcher.ops->send(sessions->list[i]->watcher.ctx, line);
}

void host_sessions_announce(struct host_sessions *sessions, struct watch_hub *hub, struct event_log *events)
{
	sessions->hub = hub;
	sessions->events = events;
}

static void make_documents(struct host_sessions *sessions)
{
	const struct api_machine *machine = sessions->machine;
	struct instant start = machine->now(machine->ctx);
	struct host_session *session;

	while ((session = TAILQ_FIRST(&sessions->queue)) != NULL) {
		TAILQ_REMOVE(&sessions->queue, session, link);
		session->queued = false;
		if (session->watching && !session->watcher.ops->busy(session->watcher.ctx))
			renew(session);
		emit_host(session);
		if (machine->soon && !TAILQ_EMPTY(&sessions->queue) &&
			instant_since_ms(machine->now(machine->ctx), start) >= HOST_SESSIONS_TURN_MS) {
			machine->soon(machine->ctx);
			return;
		}
	}
}

void host_sessions_touch(struct host_sessions *sessions, const json_t *hosts)
{
	const char *name;
	json_t *unused;

	json_object_foreach((json_t *)hosts, name, unused) {
		const bool there = model_host(sessions->model, name) != NULL;
		struct host_session *session = there ? add(sessions, name) : NULL;
		struct host_session **gone;
		size_t at;

		gone = there ? NULL : slot(sessions, name, &at);
		if (gone)
			drop(sessions, gone);
		if (!session)
			continue;
		session->stale = true;
		check_watch(session);
		if (session->queued)
			continue;
		session->queued = true;
		TAILQ_INSERT_TAIL(&sessions->queue, session, link);
	}
	make_documents(sessions);
}

void host_sessions_turn(struct host_sessions *sessions)
{
	make_documents(sessions);
	presences_turn(&sessions->presences);
	asks_turn(&sessions->asks);
}

/* ---- addresses -------------------------------------------------------------------------------------------- */

static struct host_session *changing(struct model_change *change)
{
	return (struct host_session *)((char *)change - offsetof(struct host_session, address_change));
}

/* The host's item with what was learnt of where it is.  Return: new; NULL where there is nothing new in it */
static json_t *learnt(const struct host_session *session)
{
	const json_t *known = model_host(session->sessions->model, session->name);
	json_t *host = known && !json_is_true(json_object_get(known, "revoked")) ? json_copy((json_t *)known) : NULL;
	const char *name;
	json_t *addresses;
	bool is_new = false;

	json_object_foreach(host ? session->named : NULL, name, addresses)
		is_new |= host_addresses_named(host, session->sessions->model, name, addresses);
	if (host && session->own)
		is_new |= host_addresses_report(host, session->own);
	if (host && session->from_known)
		is_new |= host_addresses_seen(host, &session->from);
	if (host && session->witnessed[0])
		is_new |= host_addresses_witness(host, session->witnessed);
	if (is_new)
		return host;
	json_decref(host);
	return NULL;
}

static bool prepare_address(struct model_change *change, struct store_txn *txn, struct fault *fault)
{
	struct host_session *session = changing(change);
	json_t *host = session->removed ? NULL : learnt(session);
	char key[LAB_NAME_MAX + 8];

	(void)fault;
	snprintf(key, sizeof(key), "%s%s", model_prefix(MODEL_HOST), session->name);
	if (host)
		model_put(txn, key, host);
	json_decref(host);
	return true;
}

static void address_changed(struct model_change *change, uint64_t rev, const struct fault *fault)
{
	struct host_session *session = changing(change);
	json_t *list;
	char *text;

	(void)rev;
	session->address_changing = false;
	if (session->removed) {
		session_free(session);
		return;
	}
	list = host_addresses_of(model_host(session->sessions->model, session->name));
	text = json_dumps(list, JSON_COMPACT);
	if (fault)
		log_error("host %s is elsewhere now: %s", session->name, fault->message);
	else
		log_info("host %s is at %s now", session->name, text ? text : "?");
	free(text);
	json_decref(list);
}

/* So many changes at once, and then one in a while: addresses that come and go must not keep the whole fabric busy */
static bool may_change(struct host_session *session)
{
	const time_t now = wall_clock(session->sessions), passed = now - session->changes_at;

	if (passed >= ADDRESS_CHANGE_S) {
		session->changes -= session->changes < passed / ADDRESS_CHANGE_S
			? session->changes
			: (uint32_t)(passed / ADDRESS_CHANGE_S);
		session->changes_at = now;
	}
	if (session->changes == ADDRESS_CHANGES_MAX)
		return false;
	session->changes++;
	return true;
}

/* Store what is new of where the host is; what has to wait is looked at again when its agent says something */
static void learn(struct host_session *session)
{
	json_t *host = session->address_changing ? NULL : learnt(session);

	if (host && session->from_known && !clones_may_learn(&session->clones, &session->from, session->last_seen)) {
		json_decref(host);
		return;
	}
	if (host && may_change(session)) {
		session->address_changing = true;
		session->address_change = (struct model_change){ .prepare = prepare_address, .done = address_changed };
		model_change(session->sessions->model, &session->address_change);
	}
	json_decref(host);
}

/* What a host says of where others are: they share a network with it */
static void learn_witnessed(struct host_sessions *sessions, const json_t *seen)
{
	const json_t *item;
	size_t i;

	json_array_foreach(seen, i, item) {
		struct host_session *session = lookup(sessions, json_string_value(json_object_get(item, "host")));

		if (!session || session->address_changing)
			continue;
		snprintf(session->witnessed, sizeof(session->witnessed), "%s",
			json_string_value(json_object_get(item, "endpoint")));
		learn(session);
	}
}

/* Keep what is wrong with @name as one of the host's errors, or that nothing is */
static void note_name(struct host_session *session, const char *name, const char *failure)
{
	const json_t *known = json_object_get(session->nameless, name);
	char text[640];

	snprintf(text, sizeof(text), "endpoint %.300s: %s; others go on with what it stood for before", name, failure);
	if (failure[0] ? known && strcmp(json_text_of(known, "text"), text) == 0 : !known)
		return;
	if (!session->nameless)
		session->nameless = json_object();
	if (failure[0])
		json_object_set_new(session->nameless, name,
			json_pack("{s:s, s:I}", "text", text, "since", (json_int_t)wall_clock(session->sessions)));
	else
		(void)json_object_del(session->nameless, name);
	emit_host(session);
}

/* Of names that were declared once nothing is kept */
static void forget_others(json_t *of_names, const json_t *names)
{
	const char *name;
	json_t *unused;
	void *next;

	json_object_foreach_safe(of_names, next, name, unused) if (!json_object_get(names, name))(void)
		json_object_del(of_names, name);
}

static void name_answered(struct host_session *session, const char *name, const json_t *addresses, const char *failure)
{
	json_t *names = json_object();

	host_addresses_names(model_host(session->sessions->model, session->name), names);
	forget_others(session->named, names);
	forget_others(session->nameless, names);
	if (json_object_get(names, name)) {
		if (!session->named)
			session->named = json_object();
		if (addresses)
			json_object_set(session->named, name, (json_t *)addresses);
		note_name(session, name, failure);
		learn(session);
	}
	json_decref(names);
}

void host_sessions_named(struct host_sessions *sessions, const char *name, const json_t *addresses, const char *failure)
{
	for (size_t i = 0; i < sessions->count; i++)
		name_answered(sessions->list[i], name, addresses, failure);
}

/* ---- agents' requests ------------------------------------------------------------------------------------- */

void host_sessions_seen(struct host_sessions *sessions, const char *host, const struct endpoint *from, time_t now)
{
	struct host_session *session = lookup(sessions, host);

	if (!session)
		return;
	session->last_seen = now;
	if (from) {
		/* what was said from elsewhere may be another machine's, with the same keys; a new stream says it again */
		if (session->from_known && memcmp(session->from.ip, from->ip, IP_BYTES) != 0) {
			json_decref(session->own);
			session->own = NULL;
		}
		session->from = *from;
		session->from_known = true;
	}
	learn(session);
}

json_t *host_sessions_topology(struct host_sessions *sessions, const char *host)
{
	struct host_session *session = lookup(sessions, host);

	return session ? make_document(session) : NULL;
}

/* A watch begins: of the machine that had the one before? */
static void note_machine(struct host_session *session)
{
	if (session->from_known &&
		clones_watched(&session->clones, &session->from, session->watching, session->last_seen))
		tell(session, CONTROLLER_EVENT_HOST_CLONED);
}

bool host_sessions_watch(struct host_sessions *sessions, const char *host, const char *have,
	bool (*open)(void *ctx, struct watcher *watcher), void *ctx)
{
	struct host_session *session = lookup(sessions, host);
	const char *fingerprint = fingerprint_of(model_host(sessions->model, host));
	bool was_online;

	if (!session || !fingerprint)
		return false;
	was_online = session->watching;
	note_machine(session);
	end_watch(session);
	snprintf(session->watch_fingerprint, sizeof(session->watch_fingerprint), "%s", fingerprint);
	session->watching = open(ctx, &session->watcher);
	if (session->watching != was_online)
		came_or_went(session);
	if (!session->watching)
		return true;
	snprintf(session->sent, sizeof(session->sent), "%s", have);
	if (sessions->news)
		session->watcher.ops->send(session->watcher.ctx, sessions->news);
	session->watcher.ops->settled(session->watcher.ctx);
	renew(session);
	emit_host(session);
	return true;
}

static bool ports_differ(const struct agent_report *was, const struct agent_report *now)
{
	return strcmp(was->applied, now->applied) != 0 ||
		!json_equal(json_object_get(was->about, "errors"), json_object_get(now->about, "errors")) ||
		!json_equal(json_object_get(was->about, "ports"), json_object_get(now->about, "ports"));
}

/* Members that a report lacks stay as they were; @was is left to agent_report_fini() */
static json_t *newer(json_t **was, json_t *now)
{
	json_t *out = now ? now : *was;

	if (!now)
		*was = NULL;
	return out;
}

bool host_sessions_report(struct host_sessions *sessions, const char *host, const json_t *in, struct fault *fault)
{
	struct host_session *session = lookup(sessions, host);
	struct agent_report report, was;
	bool changed, changed_ports;

	if (!session)
		return fault_set(fault, 503, "", "out of memory");
	if (!agent_report_check(in, sessions->model, host, &report, fault)) {
		agent_report_fini(&report);
		return false;
	}
	was = session->report;
	agent_report_rate(&report, &was, sessions->machine->now(sessions->machine->ctx), session->last_seen);
	agent_report_date(&report, &was, wall_clock(sessions));
	changed = !session->reported || strcmp(was.applied, report.applied) != 0 || was.rev != report.rev ||
		!json_equal(was.about, report.about);
	if (report.macs)
		emit_difference(sessions, WATCH_MACS, was.macs, report.macs);
	if (report.drops)
		emit_difference(sessions, WATCH_DROPS, was.drops, report.drops);
	emit_difference(sessions, WATCH_PEERS, session->fresh ? was.peers : NULL, report.peers);
	changed_ports = !session->fresh || ports_differ(&was, &report);
	report.macs = newer(&was.macs, report.macs);
	report.drops = newer(&was.drops, report.drops);
	if (sessions->events)
		event_log_take(sessions->events, host, json_object_get(in, "events"), &session->events_taken);
	session->report = report;
	session->reported = true;
	json_decref(session->own);
	session->own = json_incref(report.addresses);
	session->fresh = session->watching;
	agent_report_fini(&was);
	if (changed)
		emit_host(session);
	if (changed_ports)
		emit_ports(session);
	learn(session);
	learn_witnessed(sessions, report.seen);
	return true;
}

/* ---- questions -------------------------------------------------------------------------------------------- */

bool host_sessions_ask(struct host_sessions *sessions, const char *host, const json_t *in, struct ask *ask,
	struct fault *fault)
{
	struct host_session *session = model_host(sessions->model, host) ? lookup(sessions, host) : NULL;
	json_t *line;

	if (!session)
		return model_missing(sessions->model, MODEL_HOST, host, fault);
	if (!session->watching) {
		fault_set(fault, 503, "", "host %s is offline", host);
		fault_hint(fault, "`weft get hosts` shows since when");
		return false;
	}
	line = asks_add(&sessions->asks, ask, host, in, fault);
	if (line)
		session->watcher.ops->send(session->watcher.ctx, line);
	json_decref(line);
	return line != NULL;
}

bool host_sessions_answer(struct host_sessions *sessions, const char *host, const char *id, const json_t *answer,
	struct fault *fault)
{
	return asks_answer(&sessions->asks, host, id, answer, fault);
}

void host_sessions_end_asks(struct host_sessions *sessions)
{
	asks_gone(&sessions->asks, NULL);
}

/* ---- what operators see ----------------------------------------------------------------------------------- */

/* How long it has been offline, as far as is known; one that joins, or that is still looking for a restarted controller, is not yet late */
static json_int_t offline_s(const struct host_session *session, const json_t *host)
{
	const time_t now = wall_clock(session->sessions);
	time_t since = session->left_at ? session->left_at : session->sessions->started;
	const time_t enrolled = (time_t)json_integer_value(json_object_get(host, "enrolled_at"));

	if (enrolled > since)
		since = enrolled;
	return now > since ? (json_int_t)(now - since) : 0;
}

/* What is wanted and what is applied, with the revisions by which people know them.  One document has one: its agent's, which
 * `weft status` shows and which may be from before a restart of ours; ours where the agent does not say */
static void show_documents(const struct host_session *session, json_t *out)
{
	const uint64_t told = session->report.rev, ours = session->document_rev;

	if (!session->stale) {
		json_object_set_new(out, "wanted", json_string(session->document));
		json_object_set_new(out, "wanted_rev",
			json_integer((json_int_t)(in_line(session) && told ? told : ours)));
	}
	if (session->reported && session->report.applied[0]) {
		json_object_set_new(out, "applied", json_string(session->report.applied));
		json_object_set_new(out, "applied_rev",
			json_integer((json_int_t)(in_line(session) && !told ? ours : told)));
	}
}

/* The first of the host's errors */
static void show_error(json_t *out, const char *text, json_int_t since)
{
	json_t *errors = json_copy(json_object_get(out, "errors"));

	if (!errors)
		errors = json_array();
	json_array_insert_new(errors, 0, json_pack("{s:s, s:I}", "text", text, "since", since));
	json_object_set_new(out, "errors", errors);
	json_object_set_new(out, "error", json_string(text));
}

static void show_names(const struct host_session *session, const json_t *host, json_t *out)
{
	json_t *names = json_object(), *error;
	const char *name;

	host_addresses_names(host, names);
	json_object_foreach(session->nameless, name, error)
		if (json_object_get(names, name))
			show_error(out, json_text_of(error, "text"), json_int_of(error, "since"));
	json_decref(names);
}

static void show_clones(const struct host_session *session, json_t *out)
{
	char text[CLONES_TEXT_BYTES];

	clones_text(&session->clones, session->name, text);
	show_error(out, text, (json_int_t)session->clones.since);
}

json_t *host_sessions_item(struct host_sessions *sessions, const json_t *host)
{
	const char *name = json_string_value(json_object_get(host, "name"));
	const struct host_session *session = lookup(sessions, name);
	const time_t end = enrol_certificate_end(host);
	json_t *endpoints = host_addresses_of(host);
	json_t *out = json_pack("{s:s, s:b, s:b, s:b, s:O, s:O}", "name", name, "endpoint_declared",
		host_addresses_declared(host), "revoked", json_is_true(json_object_get(host, "revoked")), "online",
		session && session->watching, "enrolled_at", json_object_get(host, "enrolled_at"), "fingerprint",
		json_object_get(host, "fingerprint"));

	if (json_array_size(endpoints))
		json_object_set(out, "endpoint", json_array_get(endpoints, 0));
	json_object_set_new(out, "endpoints", endpoints);
	if (end)
		json_object_set_new(out, "certificate_end", json_integer((json_int_t)end));
	if (session)
		show_documents(session, out);
	if (session && !session->watching)
		json_object_set_new(out, "offline_s", json_integer(offline_s(session, host)));
	if (session && session->last_seen)
		json_object_set_new(out, "last_seen", json_integer(session->last_seen));
	if (session && session->report.about)
		json_object_update(out, session->report.about);
	if (session)
		show_names(session, host, out);
	if (session && clones_shown(&session->clones, wall_clock(sessions)))
		show_clones(session, out);
	return out;
}

/* What a host says of its peers counts while it is there to say something else, and said it since it came.  Borrowed */
static json_t *peers_of(const struct host_session *session)
{
	return session->fresh ? session->report.peers : NULL;
}

static json_int_t count_of(const struct host_session *session, const char *of, const char *what)
{
	return json_integer_value(json_object_get(json_object_get(session->report.about, of), what));
}

/* How many of @of are not up, and not among the @named */
static uint32_t unnamed(const struct host_session *session, const char *of, size_t named)
{
	json_int_t down = count_of(session, of, "count") - count_of(session, of, "up");

	return down > (json_int_t)named ? (uint32_t)(down - (json_int_t)named) : 0;
}

static size_t ports_with_errors(const json_t *errors)
{
	const json_t *error;
	size_t count = 0, i;

	json_array_foreach(errors, i, error)
		count += json_object_get(error, "port") != NULL;
	return count;
}

struct host_word host_sessions_word(const struct host_sessions *sessions, const char *host)
{
	const struct host_session *session = lookup((struct host_sessions *)sessions, host);
	struct host_word word = { .online = session && session->watching };

	if (!word.online || !session->fresh)
		return word;
	word.in_line = in_line(session);
	word.peers = session->report.peers;
	word.errors = json_object_get(session->report.about, "errors");
	word.peers_unnamed = unnamed(session, "peers", json_object_size(word.peers));
	word.ports_unnamed = unnamed(session, "ports", ports_with_errors(word.errors));
	return word;
}

/* The error of a port, borrowed; NULL where there is none */
static const json_t *port_error(const json_t *errors, const json_t *port)
{
	const json_t *error;
	size_t i;

	json_array_foreach(errors, i, error)
		if (json_equal(json_object_get(error, "port"), json_object_get(port, "name")) &&
			json_equal(json_object_get(error, "lab"), json_object_get(port, "lab")))
			return error;
	return NULL;
}

json_t *host_sessions_port(const struct host_sessions *sessions, const json_t *port)
{
	const struct host_word word = host_sessions_word(sessions, json_string_value(json_object_get(port, "host")));
	const json_t *error = port_error(word.errors, port);
	const char *state = json_string_value(json_object_get(error, "state"));
	json_t *out = json_copy((json_t *)port);

	if (!word.online)
		state = "offline";
	else if (error)
		state = state ? state : "error";
	else
		state = !word.in_line || word.ports_unnamed ? "pending" : "up";
	json_object_set_new(out, "state", json_string(state));
	if (error) {
		json_object_set(out, "error", json_object_get(error, "text"));
		json_object_set(out, "since", json_object_get(error, "since"));
	}
	return out;
}

static json_t *hosts(struct host_sessions *sessions)
{
	json_t *out = json_array();

	for (size_t i = 0; i < sessions->count; i++)
		json_array_append_new(out,
			host_sessions_item(sessions, model_host(sessions->model, sessions->list[i]->name)));
	return out;
}

json_t *host_sessions_list(struct host_sessions *sessions, enum watch_resource resource)
{
	json_t *out, *item;
	const char *key;
	time_t wall = wall_clock(sessions);

	if (resource == WATCH_HOSTS)
		return hosts(sessions);
	out = json_array();
	for (size_t i = 0; i < sessions->count; i++) {
		const struct host_session *session = sessions->list[i];
		const struct agent_report *report = &session->report;

		if (resource == WATCH_DROPS)
			json_object_foreach(report->drops, key, item)
				json_array_append_new(out, agent_report_drop_now(item, wall));
		else
			json_object_foreach(resource == WATCH_MACS ? report->macs : peers_of(session), key, item)
				json_array_append(out, item);
	}
	return out;
}
