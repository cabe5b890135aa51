/*
 * line.c - see line.h
 */
#include "tests/sim/line.h"

#include <stdlib.h>
#include <sys/queue.h>

#define RETRANSMIT_US 200000U
#define RETRANSMIT_MAX_US 3200000U
#define PARTED_RETRY_US 500000U

struct parcel {
	STAILQ_ENTRY(parcel) link;
	void *message; /* NULL: the end */
	struct instant due;
};

struct line_end {
	struct line *line;
	struct line_end *other;
	struct line_owner owner;
	struct endpoint at;                /* where it was opened: who moves is not there any more */
	STAILQ_HEAD(parcels, parcel) sent; /* and not arrived */
	struct instant last_due;
	struct event_at arrival; /* of the first of them */
	bool closed;
};

struct line {
	struct world *world;
	struct line_end ends[2];
};

static void line_init_end(struct line *line, int side, const struct line_owner *owner)
{
	line->ends[side].line = line;
	line->ends[side].other = &line->ends[1 - side];
	line->ends[side].owner = *owner;
	line->ends[side].at = net_endpoint(owner->node);
	STAILQ_INIT(&line->ends[side].sent);
}

void line_open(const struct line_owner *from, const struct line_owner *to, struct line_end *ends[2])
{
	struct line *line = calloc(1, sizeof(*line));

	if (!line)
		abort();
	line->world = net_world(from->node);
	line_init_end(line, 0, from);
	line_init_end(line, 1, to);
	ends[0] = &line->ends[0];
	ends[1] = &line->ends[1];
}

static void free_line(struct line *line)
{
	for (int i = 0; i < 2; i++) {
		struct line_end *end = &line->ends[i];
		struct parcel *parcel;

		world_cancel(line->world, &end->arrival);
		while ((parcel = STAILQ_FIRST(&end->sent))) {
			STAILQ_REMOVE_HEAD(&end->sent, link);
			if (parcel->message)
				end->owner.ops->drop(parcel->message);
			free(parcel);
		}
	}
	free(line);
}

static void arrive(void *ctx);

static void expect_next(struct line_end *end)
{
	const struct parcel *first = STAILQ_FIRST(&end->sent);

	if (first)
		world_at(end->line->world, &end->arrival, first->due, arrive, end);
}

/* The other end's owner may send and close from within */
static void hand_over(struct line_end *end, void *message)
{
	struct line_end *to = end->other;

	if (!message) {
		to->closed = true;
		to->owner.ops->closed(to->owner.ctx);
		free_line(end->line);
		return;
	}
	expect_next(end);
	if (to->closed)
		end->owner.ops->drop(message);
	else
		to->owner.ops->take(to->owner.ctx, message);
}

static bool has_moved(const struct line_end *end)
{
	const struct endpoint now = net_endpoint(end->owner.node);

	return !endpoint_equal(&end->at, &now);
}

static void arrive(void *ctx)
{
	struct line_end *end = ctx;
	struct parcel *parcel = STAILQ_FIRST(&end->sent);
	const bool moved = has_moved(end) || has_moved(end->other);
	void *message = parcel->message;

	if (moved && end->closed) {
		hand_over(end, NULL); /* in time the other end would have given up, too */
		return;
	}
	if (moved || !net_meets(end->owner.node, end->other->owner.node)) {
		world_after_us(end->line->world, &end->arrival, PARTED_RETRY_US, arrive, end);
		return;
	}
	STAILQ_REMOVE_HEAD(&end->sent, link);
	free(parcel);
	if (STAILQ_EMPTY(&end->sent) && !end->closed && end->owner.ops->drained)
		end->owner.ops->drained(end->owner.ctx);
	hand_over(end, message);
}

static void put(struct line_end *end, void *message)
{
	const struct node *from = end->owner.node, *to = end->other->owner.node;
	uint64_t us = net_delay_us(from, to), again_us = RETRANSMIT_US;
	struct parcel *parcel = calloc(1, sizeof(*parcel));

	if (!parcel)
		abort();
	while (net_loses(from, to)) {
		us += again_us;
		again_us = again_us < RETRANSMIT_MAX_US ? 2 * again_us : again_us;
	}
	parcel->message = message;
	parcel->due.ns = world_now(end->line->world).ns + us * 1000;
	if (parcel->due.ns < end->last_due.ns)
		parcel->due = end->last_due;
	end->last_due = parcel->due;
	STAILQ_INSERT_TAIL(&end->sent, parcel, link);
	if (STAILQ_FIRST(&end->sent) == parcel)
		expect_next(end);
}

void line_send(struct line_end *end, void *message)
{
	put(end, message);
}

bool line_busy(const struct line_end *end)
{
	return !STAILQ_EMPTY(&end->sent);
}

void line_close(struct line_end *end)
{
	if (!end)
		return;
	end->closed = true;
	if (end->other->closed)
		free_line(end->line);
	else
		put(end, NULL);
}
