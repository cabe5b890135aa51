/*
 * peers.h - the table of peers: by slot, by name, by key
 *
 * A peer's slot is what the MAC table and networks call it; it stays the same for the peer's life, and is given out again afterwards,
 * the lowest free one first.  The table grows with its peers, up to PEERS_MAX; nothing is looked for by going through all.
 * Hashes are seeded, since a name or a key may be a stranger's choice.  Owner: the control thread; workers see peers in the
 * forwarding, not here.
 */
#ifndef OVERLAY_PEER_PEERS_H
#define OVERLAY_PEER_PEERS_H

#include "base/hash.h"
#include "crypto/x25519.h"
#include "overlay/peer/peer.h"

#include <stdbool.h>
#include <stdint.h>

struct peers {
	struct peer **slots; /* NULL: free */
	uint32_t capacity;   /* of slots, a power of two; slots of all peers are below */
	uint32_t count;
	uint32_t first_free;   /* none is below */
	struct peer **by_name; /* capacity chains each */
	struct peer **by_key;
	struct hash_seed seed;
};

void peers_init(struct peers *peers, struct hash_seed seed);

/* The peers themselves are the caller's */
void peers_fini(struct peers *peers);

/**
 * peers_add() - a new peer in a free slot
 * @name:	not in the table; at most PEER_NAME_BYTES - 1 of it count
 * @key:	NULL for one that is refused: it is found by its name only
 *
 * Return: NULL without memory, or where PEERS_MAX are there
 */
struct peer *peers_add(struct peers *peers, const char *name, const struct x25519_public *key, struct instant now)
	__attribute__((warn_unused_result));

/* From now on it is found by its slot only */
void peers_hide(struct peers *peers, struct peer *peer);

/* Its slot is free, and the peer the caller's to free */
void peers_remove(struct peers *peers, struct peer *peer);

/* Return: borrowed, NULL where there is none */
struct peer *peers_at(const struct peers *peers, uint32_t slot);
struct peer *peers_named(const struct peers *peers, const char *name);
struct peer *peers_with_key(const struct peers *peers, const struct x25519_public *key);

/* Go through all: @slot is 0 at first.  Return: NULL behind the last */
struct peer *peers_next(const struct peers *peers, uint32_t *slot);

#endif /* OVERLAY_PEER_PEERS_H */
