/*
 * pacing.h - how often an address is tried that nobody has answered from yet
 *
 * Theory of operation.  Addresses of a peer are the word of hosts, which may be wrong, old, or meant to have all others shower
 * somebody.  So an address gets one datagram a second from this host, over all peers that are said to be there.  Where a peer was heard
 * itself is not paced.  The table is bounded: where it holds nothing but addresses that were tried within the second, a new one has to
 * wait, so that at most PACING_SETS * PACING_WAYS datagrams a second leave to all unproven addresses.
 *
 * Neighbours: liveness.c.  Sans I/O; owner: the control thread.
 */
#ifndef OVERLAY_PEER_PACING_H
#define OVERLAY_PEER_PACING_H

#include "base/addr.h"
#include "base/clock.h"
#include "base/hash.h"

#include <stdbool.h>
#include <stdint.h>

#define PACING_MS 1000U
#define PACING_SETS 256U
#define PACING_WAYS 8U

struct pacing {
	struct hash_seed seed;
	struct paced {
		uint64_t key;      /* an address's hash: that two share one only makes them wait for each other */
		struct instant at; /* 0: empty */
	} table[PACING_SETS][PACING_WAYS];
};

/* @seed: so that nobody can aim at one set */
void pacing_init(struct pacing *pacing, struct hash_seed seed);

/* Return: whether @to may be sent to now; it counts as sent then */
bool pacing_take(struct pacing *pacing, const struct endpoint *to, struct instant now)
	__attribute__((warn_unused_result));

#endif /* OVERLAY_PEER_PACING_H */
