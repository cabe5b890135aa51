/*
 * seat.h - the controller's end of one line: an agent's requests become calls of the core, its answers and lines go back
 */
#ifndef TESTS_SIM_SEAT_H
#define TESTS_SIM_SEAT_H

#include "controller/api.h"
#include "tests/sim/line.h"

#include <sys/queue.h>

struct seat;

/* What all seats of a controller share; its owner's */
struct seats {
	struct world *world;
	struct api *api; /* NULL: off */
	LIST_HEAD(seat_list, seat) list;
	uint64_t documents; /* that were sent */
	uint64_t reports;   /* that came */
};

/* What the controller gets to know of who connects, as TLS and TCP would tell it; copied but for the node */
struct seat_visitor {
	struct node *node;
	const char *host; /* in its certificate */
	const char *fingerprint;
	bool hidden; /* its address means nothing, as behind a proxy */
};

/* For line_open(); the seat is there from now on, and ends with the line */
struct line_owner seat_new(struct seats *seats, struct node *controller, const struct seat_visitor *visitor);

/* Its end, once line_open() has made it */
void seat_sits(const struct line_owner *owner, struct line_end *end);

/* All of them, before api_free(): calls that wait are given up */
void seats_leave(struct seats *seats);

#endif /* TESTS_SIM_SEAT_H */
