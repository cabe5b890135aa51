/*
 * clones.h - whether two machines use one host's keys, as far as the controller can see
 *
 * Theory of operation.  A host's agent has one watch.  A machine that changes its address takes its own watch over once, from elsewhere; two
 * machines with one certificate take each other's over, back and forth, as fast as they reconnect.  So CLONES_TAKEOVERS of a watch
 * that was alive, each from another address than the one before and within CLONES_WINDOW_S of it, are two machines; and it is said until
 * none happened for CLONES_SHOWN_S.  Meanwhile neither address is learnt.  Before that, an address that was left a moment ago is not learnt
 * again, so that a pair of machines costs the fabric one revision and not one for each connection.  Pure; `now` is the caller's.
 */
#ifndef CONTROLLER_CLONES_H
#define CONTROLLER_CLONES_H

#include "base/addr.h"

#include <stdbool.h>
#include <stdint.h>
#include <time.h>

#define CLONES_TAKEOVERS 3U
#define CLONES_WINDOW_S 30
#define CLONES_SHOWN_S 90
#define CLONES_TEXT_BYTES 320U

/* Zeroed memory: one machine, as far as anybody knows */
struct clones {
	struct endpoint at, before; /* where the watch comes from, and came from before, without ports */
	time_t taken_at;            /* the last takeover */
	uint32_t takeovers;
	time_t found_at, since;       /* the last and the first of those that count; 0: none */
	struct endpoint learnt, left; /* the address that others are told, and the one before */
	time_t left_at;
};

/* A watch begins from @from; @taken: it takes one over that was alive.  Return: whether there are two machines, and it is news */
bool clones_watched(struct clones *clones, const struct endpoint *from, bool taken, time_t now)
	__attribute__((warn_unused_result));

/* Return: whether @from may be told to others as the host's address; it is then taken for learnt */
bool clones_may_learn(struct clones *clones, const struct endpoint *from, time_t now)
	__attribute__((warn_unused_result));

bool clones_shown(const struct clones *clones, time_t now);

/* What is wrong, and what to do */
void clones_text(const struct clones *clones, const char *host, char out[CLONES_TEXT_BYTES]);

#endif /* CONTROLLER_CLONES_H */
