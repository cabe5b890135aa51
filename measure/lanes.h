/*
 * lanes.h - who sends what: one entry per direction, session and lane, in a bounded table
 *
 * Neighbours: meter.c feeds it, printout.c prints it.  At most the number of entries given at the start;
 * beyond it, the entry that was silent for the longest is evicted: its counts move to the table's
 * `gone` tally, so that totals stay whole, and the eviction is counted.  Owned by the thread that
 * captures.
 */
#ifndef MEASURE_LANES_H
#define MEASURE_LANES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/addr.h"
#include "base/clock.h"
#include "measure/sequence.h"

#define LANES_MAX 4096U /* about 1.3 KiB each */

enum lane_kind {
	LANE_SEALED,
	LANE_HANDSHAKE, /* no sequence; one entry per direction and type of message */
};

struct lane_key {
	struct endpoint src;
	struct endpoint dst;
	enum lane_kind kind;
	uint32_t session; /* the receiver's index; 0 with LANE_HANDSHAKE */
	uint8_t lane;     /* with LANE_HANDSHAKE the type of message */
};

struct tally {
	uint64_t datagrams;
	uint64_t bytes;         /* IP packets, headers included, as they are on the wire once trains are cut */
	uint64_t payload_bytes; /* UDP payload: GRE header, sealed records, tag */
	struct sequence_counts sequence;
};

struct lane {
	struct lane_key key;
	struct tally total;
	struct tally mark; /* total at the beginning of the interval */
	struct instant first;
	struct instant last;
	struct sequence sequence;
	struct lane *chain; /* in its bucket */
	struct lane *older; /* by last use */
	struct lane *newer;
};

struct lanes;

/* Return: an empty table, or NULL without memory */
struct lanes *lanes_new(size_t max) __attribute__((warn_unused_result));
void lanes_free(struct lanes *lanes);

/* Return: the entry of @key, borrowed until the next call; made where there was none, evicting where that takes it */
struct lane *lanes_touch(struct lanes *lanes, const struct lane_key *key, struct instant now);

/* The interval begins: mark every entry's total */
void lanes_mark(struct lanes *lanes);

/**
 * lanes_sorted() - all entries, by direction, then kind, session and lane
 * @count:	out
 *
 * Return: an array owned by the table, valid until the next call of any function here
 */
struct lane *const *lanes_sorted(struct lanes *lanes, size_t *count);

uint64_t lanes_evicted(const struct lanes *lanes);

/* What the evicted entries had counted */
const struct tally *lanes_gone(const struct lanes *lanes);

void tally_add(struct tally *to, const struct tally *from);

/* Return: what @now has more than @then; farthest is @now's, since a maximum has no difference */
struct tally tally_since(const struct tally *now, const struct tally *then);

#endif /* MEASURE_LANES_H */
