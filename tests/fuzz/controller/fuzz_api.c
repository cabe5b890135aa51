/*
 * fuzz_api.c - any request of anybody: answered once, with a status that the API has, and words where it is refused
 *
 * An input is who (o: an operator, a: an agent, anything else: a stranger), a method (G, U, O, D: GET, PUT, POST, DELETE), path and
 * query up to a line's end, and the body.  The agent of h1 is online; where it is asked something, its answer is what stands behind the
 * body's line.
 */
#include "controller/api.h"
#include "controller/store/store_memory.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len_bytes);

struct far_end {
	int answers;
	int status;
	bool has_message;
	struct watcher *watcher;
	char asked[64]; /* of an agent: where the answer goes */
};

static struct store *store;
static struct model *model;
static struct api *api;
static struct authority authority = { .name = (char *)"homelab",
	.address = (char *)"192.0.2.9:4753",
	.ca_pem = (char *)"PEM" };

static struct instant now(void *ctx)
{
	static struct instant later = { 1 };

	(void)ctx;
	return later = instant_add_ms(later, 60000); /* nobody is slowed down */
}

static time_t wall(void *ctx)
{
	(void)ctx;
	return 1700000000;
}

static void draw(void *ctx, void *out, size_t len_bytes)
{
	static uint8_t next;

	(void)ctx;
	memset(out, ++next, len_bytes);
}

static void on_stored(void *ctx, int err, uint64_t rev)
{
	(void)rev;
	store_txn_fini(ctx);
	if (err)
		abort();
}

/* A fabric with two hosts, a lab between them and a token */
static void start(void)
{
	static const char *const content[][2] = {
		{ "fabric", "{\"name\":\"homelab\",\"psk\":\"x\"}" },
		{ "host/h1", "{\"name\":\"h1\",\"fingerprint\":\"f\",\"enrolled_at\":1,\"port\":4754}" },
		{ "host/h2", "{\"name\":\"h2\",\"fingerprint\":\"g\",\"enrolled_at\":1,\"port\":4754}" },
		/* of the secret "secret" */
		{ "token/2bb80d537b1da3e38bd30361aa855686bde0eacd7162fef6a25fe97bf527a25b",
			"{\"host\":\"h3\",\"expires_at\":1800000000}" },
	};
	const struct api_machine machine = { .now = now, .wall = wall, .random = draw };
	struct store_txn txn;

	store = store_memory_new(NULL, NULL);
	store_txn_init(&txn);
	for (size_t i = 0; i < sizeof(content) / sizeof(content[0]); i++)
		store_txn_put(&txn, content[i][0], content[i][1]);
	store_commit(store, &txn, on_stored, &txn);
	store_wait(store);
	if (model_new(store, &model) < 0)
		abort();
	api = api_new(model, &authority, &machine);
}

static void stop(void)
{
	api_free(api);
	model_free(model);
	store_close(store);
}

static void on_answer(void *ctx, const struct api_answer *answer)
{
	struct far_end *end = ctx;

	end->answers++;
	end->status = answer->status;
	end->has_message = json_string_length(json_object_get(json_object_get(answer->body, "error"), "message")) > 0;
	if (!answer->body || (answer->allow != NULL) != (answer->status == 405))
		abort();
}

static void on_line(void *ctx, const json_t *line)
{
	struct far_end *end = ctx;
	const char *ask = json_string_value(json_object_get(line, "ask"));

	if (!json_is_object(line))
		abort();
	if (ask)
		snprintf(end->asked, sizeof(end->asked), "/v1/agent/answers/%s", ask);
}

static void on_settled(void *ctx)
{
	(void)ctx;
}

static void on_end(void *ctx)
{
	((struct far_end *)ctx)->watcher = NULL;
}

static bool on_busy(void *ctx)
{
	(void)ctx;
	return false;
}

static bool on_open(void *ctx, struct watcher *watcher)
{
	static const struct watcher_ops ops = { .send = on_line,
		.settled = on_settled,
		.busy = on_busy,
		.end = on_end };
	struct far_end *end = ctx;

	end->answers++;
	end->watcher = watcher;
	watcher->ops = &ops;
	watcher->ctx = end;
	return true;
}

static struct who_claim claim_of(uint8_t who)
{
	switch (who) {
	case 'o':
		return (struct who_claim){ .local = true };
	case 'a':
		return (struct who_claim){ .host = "h1", .fingerprint = "f" };
	default:
		return (struct who_claim){ .from_known = true, .from = { .ip = { 32 }, .port = 1 } };
	}
}

static enum api_method method_of(uint8_t method)
{
	return method == 'U' ? API_PUT : method == 'O' ? API_POST : method == 'D' ? API_DELETE : API_GET;
}

static void check(const struct far_end *end)
{
	static const int known[] = { 200, 201, 400, 401, 403, 404, 405, 409, 410, 429, 503 };
	size_t i = 0;

	if (end->answers != 1)
		abort();
	if (end->watcher)
		return;
	while (i < sizeof(known) / sizeof(known[0]) && known[i] != end->status)
		i++;
	if (i == sizeof(known) / sizeof(known[0]) || end->has_message != (end->status >= 400))
		abort();
}

static void call(struct far_end *end, const struct api_request *request)
{
	const struct api_client client = { .ctx = end, .answer = on_answer, .open = on_open };

	(void)api_call(api, request, &client);
	store_wait(store);
}

static void close_watch(struct far_end *end)
{
	if (end->watcher)
		end->watcher->on_closed(end->watcher);
}

/* The agent says what @body has; whether that is taken or not, it is heard of it */
static void answer_question(const struct far_end *agent, const uint8_t *body, size_t len_bytes)
{
	const struct api_request request = { .claim = claim_of('a'),
		.method = API_PUT,
		.path = agent->asked,
		.body = (const char *)body,
		.body_bytes = len_bytes };
	struct far_end end = { 0 };

	call(&end, &request);
	check(&end);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len_bytes)
{
	const uint8_t *end = len_bytes > 2 ? memchr(bytes + 2, '\n', len_bytes - 2) : NULL;
	struct far_end far_end = { 0 }, agent = { 0 };
	const struct api_request watch = { .claim = claim_of('a'),
		.method = API_GET,
		.path = "/v1/agent/topology",
		.query = "watch=0" };
	struct api_request request;
	const uint8_t *body, *behind;
	char *path, *query;

	if (!end)
		return 0;
	path = strndup((const char *)bytes + 2, (size_t)(end - bytes) - 2);
	query = strchr(path, '?');
	if (query)
		*query++ = '\0';
	body = end + 1;
	behind = memchr(body, '\n', (size_t)(bytes + len_bytes - body));
	if (!behind || !strstr(path, "/ask"))
		behind = bytes + len_bytes;
	request = (struct api_request){ .claim = claim_of(bytes[0]),
		.method = method_of(bytes[1]),
		.path = path,
		.query = query,
		.body = (const char *)body,
		.body_bytes = (size_t)(behind - body) };
	start();
	call(&agent, &watch);
	call(&far_end, &request);
	if (agent.asked[0])
		answer_question(&agent, behind, (size_t)(bytes + len_bytes - behind));
	close_watch(&agent); /* who still waits hears that nothing comes */
	check(&far_end);
	close_watch(&far_end);
	stop();
	free(path);
	return 0;
}
