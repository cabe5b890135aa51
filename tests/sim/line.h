/*
 * line.h - what TCP would be between two nodes: messages both ways, in order, none lost
 *
 * Theory of operation.  What loses a datagram costs a message time instead, at growing intervals as TCP's retransmissions do, and
 * what comes behind it waits.  While the two do not meet, everything waits; nobody is told, as with TCP: who has waited for too
 * long closes its end, and the other end hears of that once they meet again.
 *
 * A line is between two addresses: when a node moves, nothing arrives any more but the news that an end was closed.
 *
 * An end is gone when its owner has closed it, or when it was told closed().
 */
#ifndef TESTS_SIM_LINE_H
#define TESTS_SIM_LINE_H

#include "tests/sim/net.h"

#include <stdbool.h>

struct line_end;

/* What an end's owner does with what comes */
struct line_ops {
	void (*take)(void *ctx, void *message); /* the owner's from now on */
	void (*closed)(void *ctx);              /* by the other end */
	void (*drained)(void *ctx);             /* all that was sent has arrived; NULL: of no interest */
	void (*drop)(void *message);            /* one of ours that nobody will take */
};

struct line_owner {
	struct node *node;
	const struct line_ops *ops;
	void *ctx;
};

/* A line from @from to @to; their ends in @ends */
void line_open(const struct line_owner *from, const struct line_owner *to, struct line_end *ends[2]);

/* Give @message away */
void line_send(struct line_end *end, void *message);

/* Return: whether something that was sent here has not arrived */
bool line_busy(const struct line_end *end);

/* The other end hears of it after what was sent before.  What still comes is dropped.  NULL is fine */
void line_close(struct line_end *end);

#endif /* TESTS_SIM_LINE_H */
