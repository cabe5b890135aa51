/*
 * presence.h - whose agent has come or gone, told to the agents of the hosts that share a network with it
 *
 * A line of their streams, {"offline": [NAME...], "online": [NAME...]}, upon which they look for themselves whether the host answers, and
 * believe nothing else.  It only saves them the time until they would have looked anyway, so whatever would make it dear is left out.
 *
 * Theory of operation.  noted -> (a turn) -> told.  A turn takes PRESENCE_TURN_MS at most, and says all that it has for a listener in one line,
 * with what is so by then.  Not told: more than PRESENCE_NAMES_MAX hosts in one line; more than PRESENCE_BURST changes of a host at once, and then
 * one in PRESENCE_REFILL_MS; a listener that has not read what it was sent before.  So a host's change costs one pass over the ports of its
 * networks and a name for each of its neighbours that listen, and a listener has at most one such line waiting.
 */
#ifndef CONTROLLER_PRESENCE_H
#define CONTROLLER_PRESENCE_H

#include "controller/machine.h"
#include "controller/model.h"

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/queue.h>

#define PRESENCE_TURN_MS 10U
#define PRESENCE_NAMES_MAX 64U
#define PRESENCE_BURST 4U
#define PRESENCE_REFILL_MS 5000U

/* Of one host; all zero at first, but for its name */
struct presence {
	const char *host;
	TAILQ_ENTRY(presence) noted_link, hearing_link;
	bool noted;
	uint32_t told; /* of late */
	struct instant told_at;
	json_t *line; /* for its own agent, in this turn; NULL: none */
};

TAILQ_HEAD(presence_queue, presence);

struct presences_ops {
	/* Return: of the host of that name; NULL where its agent does not listen, or has not read what it was sent */
	struct presence *(*listener)(void *ctx, const char *host);
	bool (*is_online)(void *ctx, const struct presence *presence);
	/* Tell its agent; @line is borrowed */
	void (*send)(void *ctx, struct presence *to, const json_t *line);
};

struct presences {
	const struct model *model;
	const struct api_machine *machine;
	const struct presences_ops *ops;
	void *ctx;
	struct presence_queue noted;
};

void presences_init(struct presences *presences, const struct model *model, const struct api_machine *machine,
	const struct presences_ops *ops, void *ctx);

/* Its agent has come or gone: presences_turn() will tell, and is asked for; where the machine has no turns it is told now */
void presences_note(struct presences *presences, struct presence *presence);

/* It ends: what was noted of it is not told */
void presences_forget(struct presences *presences, struct presence *presence);

/* Tell what was noted */
void presences_turn(struct presences *presences);

#endif /* CONTROLLER_PRESENCE_H */
