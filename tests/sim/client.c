/*
 * client.c - see client.h
 */
#include "tests/sim/client.h"

#include "tests/sim/post.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define CONNECT_US 10000000U
#define SILENCE_US 30000000U
#define RETRY_MIN_US 250000U
#define RETRY_MAX_US 5000000U

struct client {
	struct client_config config;
	char hash[65];

	struct line_end *watch;      /* NULL: none */
	struct event_at watch_timer; /* connect, or give up */
	uint64_t retry_us;
	bool connected;

	struct line_end *report;
	struct event_at report_timer; /* again, or give up */
	json_t *waiting, *sending, *done;
};

static void connect_watch(void *ctx);
static void send_report(void *ctx);

/* ---- the watch --------------------------------------------------------------------------------------------- */

static void watch_over(struct client *client)
{
	const uint64_t jitter_us = client->retry_us / 4;

	client->watch = NULL;
	client->connected = false;
	world_after_us(client->config.world, &client->watch_timer,
		client->retry_us - jitter_us + world_random_below(client->config.world, 2 * jitter_us + 1),
		connect_watch, client);
	client->retry_us = 2 * client->retry_us > RETRY_MAX_US ? RETRY_MAX_US : 2 * client->retry_us;
}

static void give_up_watch(void *ctx)
{
	struct client *client = ctx;

	world_trace(client->config.world, "%s gives its watch up", client->config.self.host);
	line_close(client->watch);
	watch_over(client);
}

static void watch_connected(struct client *client)
{
	world_trace(client->config.world, "%s connected", client->config.self.host);
	client->connected = true;
	client->retry_us = RETRY_MIN_US;
	if (!client->waiting && client->done) {
		client->waiting = client->done;
		client->done = NULL;
	}
	if (client->waiting && !client->sending)
		world_after_us(client->config.world, &client->report_timer, 0, send_report, client);
}

static void take_line(struct client *client, const json_t *line)
{
	const char *hash = json_string_value(json_object_get(line, "hash"));
	const json_t *offline = json_object_get(line, "offline"), *online = json_object_get(line, "online");

	if (offline || online)
		client->config.on_told(client->config.ctx, offline, online);
	if (!hash)
		return; /* a heartbeat */
	snprintf(client->hash, sizeof(client->hash), "%s", hash);
	client->config.on_topology(client->config.ctx, line);
}

static void watch_take(void *ctx, void *message)
{
	struct client *client = ctx;
	struct post *post = message;

	world_after_us(client->config.world, &client->watch_timer, SILENCE_US, give_up_watch, client);
	if (post->kind == POST_LINE)
		take_line(client, post->json);
	else if (post->status == 200)
		watch_connected(client);
	else
		give_up_watch(client);
	post_free(post);
}

static void watch_closed(void *ctx)
{
	struct client *client = ctx;

	world_trace(client->config.world, "%s: its watch is closed", client->config.self.host);
	watch_over(client);
}

static const struct line_ops watch_ops = { .take = watch_take, .closed = watch_closed, .drop = post_free };

static void connect_watch(void *ctx)
{
	struct client *client = ctx;
	const struct client_config *config = &client->config;
	char query[80];

	client->watch = fabric_connect(config->fabric, &config->self, &watch_ops, client);
	if (!client->watch) {
		watch_over(client);
		return;
	}
	snprintf(query, sizeof(query), "watch=%s", client->hash[0] ? client->hash : "0");
	line_send(client->watch, post_request(API_GET, "/v1/agent/topology", query, NULL));
	world_after_us(config->world, &client->watch_timer, CONNECT_US, give_up_watch, client);
}

/* ---- reports ----------------------------------------------------------------------------------------------- */

/* @status: 0 where none came */
static void report_over(struct client *client, int status)
{
	line_close(client->report);
	client->report = NULL;
	if (status == 200) {
		json_decref(client->done);
		client->done = client->sending;
	} else if (!client->waiting && (status == 0 || status >= 500)) {
		client->waiting = client->sending;
	} else {
		json_decref(client->sending);
	}
	client->sending = NULL;
	if (client->waiting)
		world_after_us(client->config.world, &client->report_timer, status == 200 ? 0 : RETRY_MAX_US,
			send_report, client);
	else
		world_cancel(client->config.world, &client->report_timer);
}

static void give_up_report(void *ctx)
{
	report_over(ctx, 0);
}

static void report_take(void *ctx, void *message)
{
	struct post *post = message;
	const int status = post->status;

	post_free(post);
	report_over(ctx, status);
}

static void report_closed(void *ctx)
{
	struct client *client = ctx;

	client->report = NULL;
	report_over(client, 0);
}

static const struct line_ops report_ops = { .take = report_take, .closed = report_closed, .drop = post_free };

static void send_report(void *ctx)
{
	struct client *client = ctx;
	const struct client_config *config = &client->config;

	if (!client->waiting || !client->connected)
		return;
	client->sending = client->waiting;
	client->waiting = NULL;
	client->report = fabric_connect(config->fabric, &config->self, &report_ops, client);
	if (!client->report) {
		report_over(client, 0);
		return;
	}
	line_send(client->report, post_request(API_PUT, "/v1/agent/report", NULL, json_incref(client->sending)));
	world_after_us(config->world, &client->report_timer, CONNECT_US, give_up_report, client);
}

void client_report(struct client *client, const json_t *report)
{
	json_decref(client->waiting);
	client->waiting = json_incref((json_t *)report);
	if (client->connected && !client->sending)
		world_after_us(client->config.world, &client->report_timer, 0, send_report, client);
}

/* ---- its life ---------------------------------------------------------------------------------------------- */

struct client *client_new(const struct client_config *config)
{
	struct client *client = calloc(1, sizeof(*client));

	if (!client)
		abort();
	client->config = *config;
	client->retry_us = RETRY_MIN_US;
	snprintf(client->hash, sizeof(client->hash), "%s", config->hash);
	world_after_us(config->world, &client->watch_timer, 0, connect_watch, client);
	return client;
}

void client_free(struct client *client)
{
	if (!client)
		return;
	world_cancel(client->config.world, &client->watch_timer);
	world_cancel(client->config.world, &client->report_timer);
	line_close(client->watch);
	line_close(client->report);
	json_decref(client->waiting);
	json_decref(client->sending);
	json_decref(client->done);
	free(client);
}

bool client_connected(const struct client *client)
{
	return client->connected;
}
