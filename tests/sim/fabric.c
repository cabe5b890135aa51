/*
 * fabric.c - see fabric.h
 */
#include "tests/sim/fabric.h"

#include "base/base64.h"
#include "base/random.h"
#include "controller/ca/authority.h"
#include "controller/model.h"
#include "controller/store/store_memory.h"
#include "crypto/identity_issue.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define NAME "sim"
#define ASK_LIMIT_MS 60000U

struct fabric {
	struct world *world;
	struct node *node;
	struct authority authority;
	struct store *store; /* outlives a power cut */
	struct model *model;
	struct event_at disk;
	struct seats seats;
};

static void *must(void *memory)
{
	if (!memory)
		abort();
	return memory;
}

/* ---- the machine ------------------------------------------------------------------------------------------- */

static void work(void *ctx)
{
	struct fabric *fabric = ctx;

	if (store_memory_step(fabric->store))
		world_after_us(fabric->world, &fabric->disk, FABRIC_DISK_US, work, fabric);
}

static void wake(void *ctx)
{
	struct fabric *fabric = ctx;

	if (!fabric->disk.place)
		world_after_us(fabric->world, &fabric->disk, FABRIC_DISK_US, work, fabric);
}

static struct instant machine_now(void *ctx)
{
	return world_now(((struct fabric *)ctx)->world);
}

static time_t machine_wall(void *ctx)
{
	return world_wall(((struct fabric *)ctx)->world);
}

static void machine_random(void *ctx, void *bytes, size_t len_bytes)
{
	(void)ctx;
	random_fill(bytes, len_bytes);
}

/* ---- its life ---------------------------------------------------------------------------------------------- */

static void nothing(void *ctx, uint8_t *bytes, size_t len_bytes, const struct endpoint *from)
{
	(void)ctx;
	(void)bytes;
	(void)len_bytes;
	(void)from;
}

static void on_stored(void *ctx, int err, uint64_t rev)
{
	(void)ctx;
	(void)rev;
	if (err)
		abort();
}

/* What `weft init` makes of a folder */
static void found(struct fabric *fabric)
{
	struct authority *authority = &fabric->authority;
	uint8_t psk[FABRIC_PSK_BYTES];
	char psk_text[BASE64_TEXT_BYTES(FABRIC_PSK_BYTES)], value[256];
	struct store_txn txn;

	if (identity_ca_create(NAME, world_wall(fabric->world), &authority->ca_key_pem, &authority->ca_pem) < 0 ||
		!identity_fingerprint(authority->ca_pem, authority->fingerprint))
		abort();
	authority->name = must(strdup(NAME));
	authority->address = must(strdup("controller:4753"));
	random_fill(psk, sizeof(psk));
	base64_encode(psk, sizeof(psk), psk_text);
	snprintf(value, sizeof(value), "{\"name\": \"%s\", \"psk\": \"%s\"}", NAME, psk_text);
	store_txn_init(&txn);
	store_txn_put(&txn, "fabric", value);
	store_commit(fabric->store, &txn, on_stored, NULL);
	while (store_memory_step(fabric->store))
		;
	store_txn_fini(&txn);
}

void fabric_start(struct fabric *fabric)
{
	const struct api_machine machine = { .ctx = fabric,
		.now = machine_now,
		.wall = machine_wall,
		.random = machine_random };

	world_trace(fabric->world, "controller starts");
	if (model_new(fabric->store, &fabric->model) < 0)
		abort();
	fabric->seats.api = must(api_new(fabric->model, &fabric->authority, &machine));
	net_power(fabric->node, true);
}

void fabric_stop(struct fabric *fabric)
{
	world_trace(fabric->world, "controller stops");
	net_power(fabric->node, false);
	store_memory_crash(fabric->store);
	seats_leave(&fabric->seats);
	api_free(fabric->seats.api);
	fabric->seats.api = NULL;
	model_free(fabric->model);
	fabric->model = NULL;
}

struct fabric *fabric_new(struct world *world, struct net *net)
{
	struct fabric *fabric = must(calloc(1, sizeof(*fabric)));

	fabric->world = world;
	fabric->seats.world = world;
	LIST_INIT(&fabric->seats.list);
	fabric->node = net_join(net, "controller", nothing, NULL);
	fabric->store = must(store_memory_new(wake, fabric));
	found(fabric);
	fabric_start(fabric);
	return fabric;
}

void fabric_free(struct fabric *fabric)
{
	if (!fabric)
		return;
	if (fabric->model)
		fabric_stop(fabric);
	world_cancel(fabric->world, &fabric->disk);
	store_close(fabric->store);
	authority_fini(&fabric->authority);
	free(fabric);
}

struct node *fabric_node(const struct fabric *fabric)
{
	return fabric->node;
}

const char *fabric_ca(const struct fabric *fabric)
{
	return fabric->authority.ca_pem;
}

uint64_t fabric_documents(const struct fabric *fabric)
{
	return fabric->seats.documents;
}

uint64_t fabric_reports(const struct fabric *fabric)
{
	return fabric->seats.reports;
}

/* ---- asking ------------------------------------------------------------------------------------------------ */

struct asked {
	bool answered;
	int status;
	json_t *body;
};

static void on_answer(void *ctx, const struct api_answer *answer)
{
	struct asked *asked = ctx;

	asked->answered = true;
	asked->status = answer->status;
	asked->body = json_incref((json_t *)answer->body);
}

static bool on_open(void *ctx, struct watcher *watcher)
{
	(void)ctx;
	(void)watcher;
	return false;
}

static void complain(const char *path, const struct asked *asked)
{
	char *text = asked->body ? json_dumps(asked->body, JSON_COMPACT) : NULL;

	fprintf(stderr, "controller: %s: %d %s\n", path, asked->status, text ? text : "");
	free(text);
}

static json_t *ask(struct fabric *fabric, struct api_request *request, json_t *body, int *status)
{
	const struct instant limit = instant_add_ms(world_now(fabric->world), ASK_LIMIT_MS);
	struct asked asked = { 0 };
	const struct api_client client = { .ctx = &asked, .answer = on_answer, .open = on_open };
	char *text = body ? must(json_dumps(body, JSON_COMPACT)) : NULL;

	json_decref(body);
	request->body = text;
	request->body_bytes = text ? strlen(text) : 0;
	(void)api_call(fabric->seats.api, request, &client);
	free(text);
	while (!asked.answered && world_step(fabric->world, limit))
		;
	world_trace(fabric->world, "controller: %s %d", request->path, asked.status);
	if (status)
		*status = asked.status;
	else if (asked.status / 100 != 2) {
		complain(request->path, &asked);
		abort();
	}
	return asked.body;
}

json_t *fabric_ask(struct fabric *fabric, enum api_method method, const char *path, const char *query, json_t *body,
	int *status)
{
	struct api_request request = { .claim.local = true, .method = method, .path = path, .query = query };

	return ask(fabric, &request, body, status);
}

json_t *fabric_ask_stranger(struct fabric *fabric, enum api_method method, const char *path, json_t *body, int *status)
{
	struct api_request request = { .method = method, .path = path };

	return ask(fabric, &request, body, status);
}

struct line_end *fabric_connect(struct fabric *fabric, const struct seat_visitor *visitor, const struct line_ops *ops,
	void *ctx)
{
	const struct line_owner agent = { .node = visitor->node, .ops = ops, .ctx = ctx };
	struct line_owner seat;
	struct line_end *ends[2];

	if (!fabric->seats.api || !net_meets(visitor->node, fabric->node))
		return NULL;
	seat = seat_new(&fabric->seats, fabric->node, visitor);
	line_open(&agent, &seat, ends);
	seat_sits(&seat, ends[1]);
	return ends[0];
}
