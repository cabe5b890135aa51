/*
 * throttle.h - who failed too often: enrolments and operators' tokens, by source address
 *
 * THROTTLE_FAILURES failures are free, one more every THROTTLE_SECONDS.  Only failures count, so that nobody who has a
 * right token is held back by how many have one at the same address.  IPv6 counts by /64.  The table is bounded: sets of
 * THROTTLE_WAYS, where a new source takes the place of the one that failed longest ago.
 */
#ifndef CONTROLLER_THROTTLE_H
#define CONTROLLER_THROTTLE_H

#include "base/addr.h"
#include "base/clock.h"
#include "base/hash.h"

#include <stdbool.h>

#define THROTTLE_FAILURES 10U
#define THROTTLE_SECONDS 6U
#define THROTTLE_SETS 128U
#define THROTTLE_WAYS 8U

struct throttle_entry {
	uint64_t source;     /* 0: free */
	struct instant full; /* when no failure will count any more */
};

struct throttle {
	struct hash_seed seed;
	struct throttle_entry entries[THROTTLE_SETS][THROTTLE_WAYS];
};

void throttle_init(struct throttle *throttle, struct hash_seed seed);

/* May @source try? */
bool throttle_ok(struct throttle *throttle, const struct endpoint *source, struct instant now)
	__attribute__((warn_unused_result));

/* It tried, and failed */
void throttle_failed(struct throttle *throttle, const struct endpoint *source, struct instant now);

#endif /* CONTROLLER_THROTTLE_H */
