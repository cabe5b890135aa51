/*
 * client.c - see client.h
 *
 * Each call turns a loop of its own until it has its answer: `weft` does one thing after the other.
 */
#include "cli/client.h"

#include "base/error.h"
#include "base/secret.h"
#include "cli/say.h"
#include "client/http_client.h"

#include <errno.h>
#include <event2/event.h>
#include <stdlib.h>
#include <string.h>

#define CALL_LIMIT_MS 30000U
#define STRANGERS_ANSWER_BYTES_MAX 65536U

struct client {
	struct event_base *base;
	struct http_client *http;
	struct client_target target;
};

/* A request under way, and what came of it */
struct exchange {
	struct client *client;
	struct http_request *request;
	client_line_fn *on_line;
	void *ctx;
	enum cli_exit result;
	struct answer *answer;
};

struct client *client_new(const struct client_target *target)
{
	const struct http_target http = {
		.socket = target->socket,
		.address = target->address,
		.ca_pem = target->ca_pem,
		.bearer = target->bearer,
	};
	struct client *client = calloc(1, sizeof(*client));
	struct error error;

	error_set(&error, "no memory");
	if (client)
		client->base = event_base_new();
	if (client && client->base)
		client->http = http_client_new(client->base, &http, &error);
	if (client && client->http) {
		client->target = *target;
		return client;
	}
	client_free(client);
	(void)say_error(CLI_UNREACHABLE, "%s", error.text);
	return NULL;
}

void client_free(struct client *client)
{
	if (!client)
		return;
	http_client_free(client->http);
	if (client->base)
		event_base_free(client->base);
	free(client);
}

static enum cli_exit unreachable(const struct client *client, const struct http_end *end)
{
	const struct client_target *target = &client->target;
	const char *where = target->socket ? target->socket : target->address;

	if (end->outcome == HTTP_TOO_LONG)
		return say_error(CLI_UNREACHABLE, "%s at %s sent more than fits; its version may be another one",
			target->server_name, where);
	if (end->outcome == HTTP_UNTRUSTED)
		return say_error(CLI_UNREACHABLE,
			"who answers at %s is not %s of this fabric: %s; somebody else is there now, the fabric was made "
			"anew, or this machine's clock is wrong",
			where, target->server_name, end->why);
	return say_error(CLI_UNREACHABLE, "could not reach %s at %s: %s; %s", target->server_name, where, end->why,
		end->os_error == EACCES ? "run weft as root" : target->remedy);
}

static void on_end(void *ctx, const struct http_end *end)
{
	struct exchange *x = ctx;

	x->request = NULL;
	x->answer->status = end->status;
	if (end->outcome != HTTP_ANSWERED)
		x->result = unreachable(x->client, end);
	else if (!x->on_line || end->status != 200)
		x->answer->json = json_loadb(end->body, end->body_bytes, 0, NULL);
	event_base_loopbreak(x->client->base);
}

static bool is_heartbeat(const json_t *line)
{
	return json_is_object(line) && json_object_size(line) == 0;
}

static void on_line(void *ctx, const char *text, size_t len_bytes)
{
	struct exchange *x = ctx;
	json_t *line = json_loadb(text, len_bytes, 0, NULL);

	if (line && !is_heartbeat(line) && !x->on_line(x->ctx, line)) {
		http_request_cancel(x->request);
		x->request = NULL;
		x->answer->status = 200;
		event_base_loopbreak(x->client->base);
	}
	json_decref(line);
}

static enum cli_exit exchange(struct exchange *x, const struct http_call *call)
{
	const struct http_owner owner = { .ctx = x, .on_line = x->on_line ? on_line : NULL, .on_end = on_end };

	memset(x->answer, 0, sizeof(*x->answer));
	x->result = CLI_OK;
	x->request = http_request_begin(x->client->http, call, &owner);
	if (!x->request)
		return say_error(CLI_UNREACHABLE, "no memory");
	event_base_dispatch(x->client->base);
	return x->result;
}

enum cli_exit client_call(struct client *client, const char *method, const char *path, const json_t *body,
	struct answer *out)
{
	const bool known = client->target.socket || client->target.ca_pem;
	char *text = body ? json_dumps(body, JSON_COMPACT) : NULL;
	struct exchange x = { .client = client, .answer = out };
	const struct http_call call = {
		.method = method,
		.path = path,
		.body = text,
		.max_bytes = known ? CLIENT_ANSWER_BYTES_MAX : STRANGERS_ANSWER_BYTES_MAX,
		.limit_ms = CALL_LIMIT_MS,
	};
	enum cli_exit result;

	memset(out, 0, sizeof(*out));
	if (body && !text)
		return say_error(CLI_UNREACHABLE, "no memory");
	result = exchange(&x, &call);
	if (text)
		secret_wipe(text, strlen(text)); /* tokens go through here */
	free(text);
	return result;
}

enum cli_exit client_watch(struct client *client, const char *path, client_line_fn *line_fn, void *ctx,
	struct answer *out)
{
	struct exchange x = { .client = client, .answer = out, .on_line = line_fn, .ctx = ctx };
	const struct http_call call = { .method = "GET", .path = path, .max_bytes = CLIENT_LINE_BYTES_MAX };

	return exchange(&x, &call);
}

enum cli_exit answer_refused(const struct answer *answer, const char *what)
{
	const json_t *error = json_object_get(answer->json, "error");
	const char *message = json_string_value(json_object_get(error, "message"));
	const char *hint = json_string_value(json_object_get(error, "hint"));
	const char *where = json_string_value(json_object_get(error, "where"));

	if (!message)
		return say_error(CLI_FAILED,
			"%s: the answer has status %ld and cannot be understood; "
			"compare `weft version` here and there",
			what, answer->status);
	return say_error(CLI_FAILED, "%s: %s%s%s%s%s", what, where ? where : "", where && *where ? ": " : "", message,
		hint ? "; " : "", hint ? hint : "");
}

void answer_fini(struct answer *answer)
{
	json_decref(answer->json);
	answer->json = NULL;
}
