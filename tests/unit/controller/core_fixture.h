/*
 * core_fixture.h - the controller's core in memory: C calls, a clock that stands still, and a store that works when told to
 */
#ifndef TESTS_CORE_FIXTURE_H
#define TESTS_CORE_FIXTURE_H

#include "controller/api.h"
#include "controller/model.h"
#include "controller/store/store_memory.h"

#include <jansson.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tests/unit/controller/store_fixture.h"

struct core_fixture {
	struct store *store;
	struct model *model;
	struct api *api;
	struct authority authority;
	struct instant now;
	time_t wall;
	uint8_t random;
	uint64_t tick_ms;   /* the clock's, each time that it is read; 0: it stands still */
	int soon;           /* how often it was asked for a turn */
	struct instant due; /* when it was asked for one last; 0: it was not */
};

/* Who is there to ask: an operator, the agents of hosts, and a stranger */
#define CORE_OPERATOR ((struct who_claim){ .local = true })
#define CORE_STRANGER ((struct who_claim){ .from_known = true, .from = { .ip = { [15] = 9 }, .port = 1 } })
#define CORE_AGENT(name) ((struct who_claim){ .host = name, .fingerprint = "f-" name })

static inline struct instant core_now(void *ctx)
{
	struct core_fixture *f = ctx;

	f->now = instant_add_ms(f->now, f->tick_ms);
	return f->now;
}

static inline void core_soon(void *ctx)
{
	((struct core_fixture *)ctx)->soon++;
}

static inline void core_later(void *ctx, struct instant when)
{
	((struct core_fixture *)ctx)->due = when;
}

static inline time_t core_wall(void *ctx)
{
	return ((struct core_fixture *)ctx)->wall;
}

static inline void core_random(void *ctx, void *bytes, size_t len_bytes)
{
	memset(bytes, ++((struct core_fixture *)ctx)->random, len_bytes);
}

static inline void core_put_host(struct store_txn *txn, const char *name, int number)
{
	json_t *host = json_pack("{s:s, s:b, s:I, s:o, s:s, s:o, s:s, s:o, s:i}", "name", name, "revoked", 0,
		"enrolled_at", (json_int_t)1, "fingerprint", json_sprintf("f-%s", name), "certificate", "PEM",
		"tunnel_key", json_sprintf("K%d", number), "tunnel_sig", "S", "endpoint",
		json_sprintf("192.0.2.%d:4754", number), "port", 4754);
	char key[LAB_NAME_MAX + 8];

	snprintf(key, sizeof(key), "host/%s", name);
	model_put(txn, key, host);
	json_decref(host);
}

static inline void core_start(struct core_fixture *f)
{
	const struct api_machine machine = { .ctx = f,
		.now = core_now,
		.wall = core_wall,
		.random = core_random,
		.soon = core_soon,
		.later = core_later };

	assert_int_equal(model_new(f->store, &f->model), 0);
	f->api = api_new(f->model, &f->authority, &machine);
	assert_non_null(f->api);
}

static inline void core_stop(struct core_fixture *f)
{
	api_free(f->api);
	model_free(f->model);
}

/* A store with a fabric and the hosts h1, h2, h3 */
static inline struct store *core_store(void)
{
	struct store *store = store_memory_new(NULL, NULL);
	struct store_txn txn;

	store_txn_init(&txn);
	store_txn_put(&txn, "fabric", "{\"name\":\"homelab\",\"psk\":\"x\"}");
	core_put_host(&txn, "h1", 1);
	core_put_host(&txn, "h2", 2);
	core_put_host(&txn, "h3", 3);
	assert_int_equal(store_fixture_commit(store, &txn, NULL), 0);
	return store;
}

static inline void core_init(struct core_fixture *f)
{
	*f = (struct core_fixture){ .now = { 1000000000 }, .wall = 1700000000 };
	f->authority.name = (char *)"homelab";
	f->authority.address = (char *)"192.0.2.9:4753";
	f->authority.ca_pem = (char *)"PEM";
	f->store = core_store();
	core_start(f);
}

static inline void core_fini(struct core_fixture *f)
{
	core_stop(f);
	store_close(f->store);
}

/* ---- calls ------------------------------------------------------------------------------------------------- */

/* A request's far end: the answer, or the lines of a watch */
struct core_client {
	int answers; /* open() counts */
	int status;
	json_t *body;
	char allow[64];
	bool refuses; /* to open */
	bool known;
	struct api_call *call; /* while it waits */

	struct watcher *watcher; /* while it is open */
	json_t *lines;
	bool busy;
	int ended;
	int settled;
};

static inline void core_on_answer(void *ctx, const struct api_answer *answer)
{
	struct core_client *c = ctx;

	c->answers++;
	c->call = NULL;
	c->status = answer->status;
	c->body = json_deep_copy(answer->body);
	snprintf(c->allow, sizeof(c->allow), "%s", answer->allow ? answer->allow : "");
}

static inline void core_on_known(void *ctx)
{
	((struct core_client *)ctx)->known = true;
}

static inline void core_on_line(void *ctx, const json_t *line)
{
	json_array_append_new(((struct core_client *)ctx)->lines, json_deep_copy(line));
}

static inline void core_on_settled(void *ctx)
{
	((struct core_client *)ctx)->settled++;
}

static inline bool core_on_busy(void *ctx)
{
	return ((struct core_client *)ctx)->busy;
}

static inline void core_on_end(void *ctx)
{
	struct core_client *c = ctx;

	assert_non_null(c->watcher);
	c->watcher = NULL;
	c->ended++;
}

static inline bool core_on_open(void *ctx, struct watcher *watcher)
{
	static const struct watcher_ops ops = { .send = core_on_line,
		.settled = core_on_settled,
		.busy = core_on_busy,
		.end = core_on_end };
	struct core_client *c = ctx;

	c->answers++;
	c->call = NULL;
	if (c->refuses)
		return false;
	watcher->ops = &ops;
	watcher->ctx = c;
	c->watcher = watcher;
	c->lines = json_array();
	return true;
}

/* Ask, and leave it at that: c->call is what waits */
static inline void core_ask(struct core_fixture *f, struct core_client *c, struct who_claim claim,
	enum api_method method, const char *path, const char *query, const char *body)
{
	const struct api_client client = { .ctx = c,
		.answer = core_on_answer,
		.open = core_on_open,
		.known = core_on_known };
	const struct api_request request = { .claim = claim,
		.method = method,
		.path = path,
		.query = query,
		.body = body,
		.body_bytes = body ? strlen(body) : 0 };
	struct api_call *call = api_call(f->api, &request, &client);

	assert_int_equal(call == NULL, c->answers > 0);
	c->call = call;
}

static inline void core_client_fini(struct core_client *c)
{
	if (c->watcher)
		c->watcher->on_closed(c->watcher);
	json_decref(c->body);
	json_decref(c->lines);
	*c = (struct core_client){ 0 };
}

/* Ask, and have the store work until there is an answer.  Return: its status; *@body may be NULL */
static inline int core_call(struct core_fixture *f, struct who_claim claim, enum api_method method, const char *path,
	const char *body, json_t **answer)
{
	struct core_client c = { 0 };
	int status;

	core_ask(f, &c, claim, method, path, NULL, body);
	store_wait(f->store);
	assert_int_equal(c.answers, 1);
	status = c.status;
	if (answer)
		*answer = json_incref(c.body);
	core_client_fini(&c);
	return status;
}

/* Take the first line that came; NULL where there is none */
static inline json_t *core_line(struct core_client *c)
{
	json_t *line = json_incref(json_array_get(c->lines, 0));

	if (line)
		json_array_remove(c->lines, 0);
	return line;
}

static inline const char *core_text(const json_t *object, const char *key)
{
	const char *text = json_string_value(json_object_get(object, key));

	return text ? text : "";
}

#endif /* TESTS_CORE_FIXTURE_H */
