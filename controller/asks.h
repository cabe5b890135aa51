/*
 * asks.h - operators' questions to hosts that wait for their answers
 *
 * A question goes out as a line of its host's topology stream (host_sessions.h), and is answered by a request of that host's agent.
 * Its id is random, and good for that host only.
 *
 * Theory of operation.  asked -> answered, once: by its agent; with 503 where the stream that it was sent on ends, since nobody
 * knows whether it was read; or with 504 after ASKS_PATIENCE_MS.  At most ASKS_OF_HOST wait for one host, ASKS_MAX in all; more are refused.
 * The memory of each is its owner's.
 */
#ifndef CONTROLLER_ASKS_H
#define CONTROLLER_ASKS_H

#include "controller/machine.h"
#include "lab/fault.h"
#include "lab/limits.h"

#include <jansson.h>
#include <stdbool.h>
#include <sys/queue.h>

#define ASKS_MAX 256U
#define ASKS_OF_HOST 16U
#define ASKS_PATIENCE_MS 10000U
#define ASK_ID_BYTES 33U
#define ASK_ARGS_BYTES 4096U

struct ask {
	TAILQ_ENTRY(ask) link;
	char host[LAB_NAME_MAX + 1];
	char id[ASK_ID_BYTES];
	struct instant due;
	/* Over: @answer is borrowed, NULL where @fault says why there is none.  It may free @ask */
	void (*answered)(struct ask *ask, const json_t *answer, const struct fault *fault);
};

struct asks {
	TAILQ_HEAD(ask_list, ask) list; /* the one that is due first stands first */
	unsigned int count;
	const struct api_machine *machine; /* borrowed */
};

void asks_init(struct asks *asks, const struct api_machine *machine);

/**
 * asks_add() - a question begins to wait
 * @ask:	with `answered` set; borrowed until that is called
 * @in:		what the operator sent: {"question", "args"}
 *
 * Return: the line for its agent, the caller's; NULL with @fault set, and it does not wait
 */
json_t *asks_add(struct asks *asks, struct ask *ask, const char *host, const json_t *in, struct fault *fault);

/* @host's agent has sent @answer.  Return: false with @fault set where nobody waits for it */
bool asks_answer(struct asks *asks, const char *host, const char *id, const json_t *answer, struct fault *fault);

/* The stream of @host has ended, or of all where that is NULL */
void asks_gone(struct asks *asks, const char *host);

/* End those that waited long enough; machine->later() asks for it */
void asks_turn(struct asks *asks);

#endif /* CONTROLLER_ASKS_H */
