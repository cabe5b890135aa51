/*
 * seat.c - see seat.h
 */
#include "tests/sim/seat.h"

#include "tests/sim/post.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define BEAT_US 15000000U
#define STUCK_MS 30000U

struct seat {
	LIST_ENTRY(seat) link;
	struct seats *seats;
	struct line_end *end;
	struct node *from;
	bool hidden;
	char host[64];
	char fingerprint[128];
	struct api_call *call; /* that waits */
	struct watcher *watcher;
	struct event_at beat;
	struct instant moved_at; /* when all that was sent last had arrived */
};

/* Lines beat in the same empty object */
static json_t *empty(void)
{
	static json_t *object;

	if (!object && !(object = json_object()))
		abort();
	return object;
}

static void leave(struct seat *seat)
{
	if (seat->call)
		api_call_gone(seat->call);
	if (seat->watcher)
		seat->watcher->on_closed(seat->watcher);
	world_cancel(seat->seats->world, &seat->beat);
	LIST_REMOVE(seat, link);
	free(seat);
}

static void hang_up(struct seat *seat)
{
	line_close(seat->end);
	leave(seat);
}

/* ---- a watch ----------------------------------------------------------------------------------------------- */

static void beat(void *ctx)
{
	struct seat *seat = ctx;
	struct world *world = seat->seats->world;

	if (!line_busy(seat->end)) {
		seat->moved_at = world_now(world);
		line_send(seat->end, post_line(empty()));
	} else if (instant_since_ms(world_now(world), seat->moved_at) >= STUCK_MS) {
		world_trace(world, "%s is cut off", seat->host);
		hang_up(seat);
		return;
	}
	world_after_us(world, &seat->beat, BEAT_US, beat, seat);
}

static void watch_send(void *ctx, const json_t *line)
{
	struct seat *seat = ctx;
	const char *hash = json_string_value(json_object_get(line, "hash"));

	if (hash) {
		seat->seats->documents++;
		world_trace(seat->seats->world, "controller: document %.16s for %s", hash, seat->host);
	}
	line_send(seat->end, post_line(line));
}

static void watch_settled(void *ctx)
{
	(void)ctx;
}

static bool watch_busy(void *ctx)
{
	return line_busy(((struct seat *)ctx)->end);
}

static void watch_end(void *ctx)
{
	struct seat *seat = ctx;

	seat->watcher = NULL;
	hang_up(seat);
}

static const struct watcher_ops watch_ops = {
	.send = watch_send,
	.settled = watch_settled,
	.busy = watch_busy,
	.end = watch_end,
};

static bool on_open(void *ctx, struct watcher *watcher)
{
	struct seat *seat = ctx;

	seat->call = NULL;
	seat->watcher = watcher;
	watcher->ops = &watch_ops;
	watcher->ctx = seat;
	seat->moved_at = world_now(seat->seats->world);
	line_send(seat->end, post_answer(200, NULL));
	world_after_us(seat->seats->world, &seat->beat, BEAT_US, beat, seat);
	return true;
}

/* ---- requests ---------------------------------------------------------------------------------------------- */

static void on_answer(void *ctx, const struct api_answer *answer)
{
	struct seat *seat = ctx;

	seat->call = NULL;
	line_send(seat->end, post_answer(answer->status, answer->body));
}

static void take(void *ctx, void *message)
{
	struct seat *seat = ctx;
	struct post *post = message;
	const struct endpoint from = net_endpoint(seat->from);
	const struct api_request request = {
		.claim = {
			.host = seat->host,
			.fingerprint = seat->fingerprint,
			.from_known = !seat->hidden,
			.from = from,
		},
		.method = post->method,
		.path = post->path,
		.query = post->query[0] ? post->query : NULL,
		.body = post->body,
		.body_bytes = post->body ? strlen(post->body) : 0,
	};
	const struct api_client client = { .ctx = seat, .answer = on_answer, .open = on_open };
	struct api_call *call;

	world_trace(seat->seats->world, "controller: %s asks %s %.40s", seat->host, post->path, post->query);
	seat->seats->reports += strcmp(post->path, "/v1/agent/report") == 0;
	call = api_call(seat->seats->api, &request, &client);
	if (call)
		seat->call = call;
	post_free(post);
}

static void closed(void *ctx)
{
	leave(ctx);
}

static void drained(void *ctx)
{
	struct seat *seat = ctx;

	seat->moved_at = world_now(seat->seats->world);
	if (seat->watcher)
		seat->watcher->on_drained(seat->watcher);
}

struct line_owner seat_new(struct seats *seats, struct node *controller, const struct seat_visitor *visitor)
{
	static const struct line_ops ops = { .take = take, .closed = closed, .drained = drained, .drop = post_free };
	struct seat *seat = calloc(1, sizeof(*seat));

	if (!seat)
		abort();
	seat->seats = seats;
	seat->from = visitor->node;
	seat->hidden = visitor->hidden;
	snprintf(seat->host, sizeof(seat->host), "%s", visitor->host);
	snprintf(seat->fingerprint, sizeof(seat->fingerprint), "%s", visitor->fingerprint);
	LIST_INSERT_HEAD(&seats->list, seat, link);
	return (struct line_owner){ .node = controller, .ops = &ops, .ctx = seat };
}

void seat_sits(const struct line_owner *owner, struct line_end *end)
{
	((struct seat *)owner->ctx)->end = end;
}

void seats_leave(struct seats *seats)
{
	struct seat *seat;

	while ((seat = LIST_FIRST(&seats->list)))
		hang_up(seat);
}
