/*
 * replay.h - which counters of a lane were seen, and what the gaps between them say about the path
 *
 * A bitmap of the last REPLAY_WINDOW counters behind the newest one (RFC 6479's idea, on a ring that is
 * exactly as long as the window).  Use: replay_check() before a datagram is opened, aead_open(), then
 * replay_mark().  Between the two nothing is changed, so forged datagrams move no window.
 *
 * Threads: owned by the lane's receiving thread; replay_stats() may be called by any.
 */
#ifndef CRYPTO_REPLAY_H
#define CRYPTO_REPLAY_H

#include <stdbool.h>
#include <stdint.h>

#include "base/counter.h"

#define REPLAY_WINDOW 2048U

/* name, counter as operators see it, what it means and what to do (weft help drop) */
#define REPLAY_DROPS(X)                                                                                         \
	X(DUPLICATE, "replay-duplicate",                                                                        \
		"A datagram that had come before. Networks duplicate a few; many mean a loop or a mirror port " \
		"in the underlay, or somebody who replays traffic. Nothing is lost by it.")                     \
	X(OLD, "replay-old",                                                                                    \
		"A datagram that came over 2048 datagrams late. The underlay reorders by far too much: look "   \
		"for links of unequal delay that share one flow, or for traffic shaping.")

enum replay_result {
	REPLAY_OK,
#define X(name, text, why) REPLAY_DROP_##name,
	REPLAY_DROPS(X)
#undef X
		REPLAY_RESULTS
};

struct replay {
	struct counter next; /* newest counter + 1; 0 before the first */
	struct counter received;
	struct counter reordered;
	struct counter duplicates;
	uint64_t seen[REPLAY_WINDOW / 64]; /* bit (counter mod REPLAY_WINDOW), for the last REPLAY_WINDOW counters */
};

struct replay_stats {
	uint64_t received;   /* distinct counters marked */
	uint64_t lost;       /* counters below the newest, from 0, that have not come (or not yet) */
	uint64_t reordered;  /* of those received: came after a newer one */
	uint64_t duplicates; /* refused because their counter had come; includes what strangers replay */
};

void replay_init(struct replay *replay);

/**
 * replay_check() - may a datagram with this counter be opened?
 * @counter:	not authenticated yet
 *
 * Return: REPLAY_OK, or the drop that the caller counts
 */
enum replay_result replay_check(struct replay *replay, uint32_t counter) __attribute__((warn_unused_result));

/**
 * replay_mark() - note an authentic counter
 * @counter:	of a datagram that opened
 * @newest:	written on REPLAY_OK: no newer counter has come, so the datagram's source address may be
 *		believed (roaming)
 *
 * Checks again, so that a burst may be checked and opened as a whole before it is marked.
 *
 * Return: REPLAY_OK, or the drop that the caller counts
 */
enum replay_result replay_mark(struct replay *replay, uint32_t counter, bool *newest)
	__attribute__((warn_unused_result));

/* Any thread; the figures may be from within one mark */
struct replay_stats replay_stats(const struct replay *replay);

#endif /* CRYPTO_REPLAY_H */
