/*
 * sequence.h - loss, reordering and duplication of one lane, out of its 32-bit message counter alone
 *
 * Neighbours: lanes.h embeds one of these per lane.  No packets, no clock, no I/O.
 *
 * What is counted, as the standards define it, for the stretch between the sender and the place of the
 * capture:
 * - lost: counters between the first and the newest seen that have not arrived (RFC 7680, with the
 *   window below in place of a waiting time).  It is provisional while the counter is within the
 *   window: a late packet takes its loss back, so that the number may fall.
 * - reordered: arrived with a counter below the newest, and for the first time (RFC 4737,
 *   Type-P-Reordered: s < NextExp).
 * - farthest: the largest distance, in counters, from a reordered packet to the newest at its arrival
 *   (RFC 5236's displacement in sequence space).
 * - duplicates: a counter within the window that has been seen already (RFC 5560); RFC 4737 leaves them
 *   out of reordering.
 * - strays: further than the window from the newest, and not confirmed (below): no verdict.
 *
 * Theory of operation: a bitmap holds which of the newest SEQUENCE_WINDOW counters were seen.  It
 * begins at the first counter seen; what is late from before it counts as reordered and never against
 * loss.  Counters compare in serial number arithmetic (RFC 1982), so that a wrap is a step of one.  A
 * counter outside the window is believed only once the next one outside of it follows closely (RFC 3550
 * A.1): ahead by up to SEQUENCE_GAP_MAX it was an outage, and all of the gap is lost; anything else is
 * a restart, and nothing is.
 *
 * Limit: nothing here is authenticated.  Who can forge datagrams can forge these numbers, but no
 * forgery costs memory.
 */
#ifndef MEASURE_SEQUENCE_H
#define MEASURE_SEQUENCE_H

#include <stdbool.h>
#include <stdint.h>

#define SEQUENCE_WINDOW 8192U       /* counters; four times weft's replay window */
#define SEQUENCE_GAP_MAX (1U << 24) /* counters; ten seconds at 1.6 million packets per second */

struct sequence_counts {
	int64_t lost; /* signed, so that the difference of two moments can be said */
	uint64_t reordered;
	uint64_t duplicates;
	int64_t strays;
	uint64_t restarts;
	uint32_t farthest;
};

/* Owned by the thread that captures */
struct sequence {
	uint64_t seen[SEQUENCE_WINDOW / 64]; /* bit c % SEQUENCE_WINDOW, for newest - SEQUENCE_WINDOW < c <= newest */
	uint32_t newest;
	uint32_t span; /* counters below newest that can be lost: up to the first seen, SEQUENCE_WINDOW - 1 at most */
	uint32_t suspect;
	bool suspected;
	bool started;
};

void sequence_init(struct sequence *sequence);

/* One packet with @counter has arrived; @counts is added to */
void sequence_note(struct sequence *sequence, uint32_t counter, struct sequence_counts *counts);

#endif /* MEASURE_SEQUENCE_H */
