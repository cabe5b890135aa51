/*
 * fdb_table.h - inside the MAC table: the slots and chains that readers walk without a lock
 *
 * For switch/fdb*.c only.  Functions named ..._locked, and everything that writes, need the table's lock.
 *
 * Theory of operation.  Entries live in an array of slots, a cache line each, and are chained by slot number from an
 * array of buckets.  Slot 0 is the end of a chain.  Slots above high were never used (nor their memory touched);
 * slots given back are chained from free_head.
 *
 * Readers walk a chain without the lock.  What could mislead them, an entry that leaves its chain or changes its
 * location, makes the bucket's version odd before and even after; a reader that sees it odd or changed starts again,
 * and gives up with a miss after some tries, which floods a frame but is never wrong.  All that a reader touches is
 * atomic: readers load with acquire and writers store with release, so that neither side needs a fence (Boehm, "Can
 * seqlocks get along with programming language memory models?", MSPC 2012).  An insertion publishes a complete
 * entry with one store and needs no version.
 *
 * The age is the exception: whoever sees an address refreshes it without the lock.  If the slot was given to another
 * address in that very moment, that one's age is off by the moment: harmless.
 */
#ifndef SWITCH_FDB_TABLE_H
#define SWITCH_FDB_TABLE_H

#include <stdatomic.h>

#include "switch/fdb.h"

#define FDB_PINNED (1ULL << 63) /* in a slot's location */

struct fdb_slot {
	_Atomic uint64_t address; /* MAC and VLAN */
	_Atomic uint32_t network;
	_Atomic uint32_t next;     /* in the bucket's chain, or of the free slots */
	_Atomic uint64_t location; /* kind << 32 | id, and FDB_PINNED; 0 in a free slot */
	_Atomic uint64_t seen_ns;
	/* from here on the lock's */
	uint64_t queued_ns; /* seen_ns when it was put into its holder's list */
	uint32_t list_prev; /* in the holder's list */
	uint32_t list_next;
	uint32_t moves;
	uint32_t window_ms; /* when the moves being counted for flapping began, cut to 32 bits */
	uint16_t window_moves;
	uint16_t holder; /* 0 where pinned */
};

_Static_assert(sizeof(struct fdb_slot) <= 64, "an entry is a cache line");

struct fdb_bucket {
	_Atomic uint32_t version; /* odd while an entry leaves or moves */
	_Atomic uint32_t head;
};

/* A location that has learned entries */
struct fdb_holder {
	uint64_t location; /* 0 where free */
	uint32_t count;
	uint32_t head; /* queued longest ago */
	uint32_t tail;
	uint16_t next; /* in its bucket's chain, or of the free holders */
};

struct fdb {
	struct fdb_config config;
	uint64_t aging_ns;
	struct fdb_slot *slots; /* capacity + 1 */
	void *slots_memory;     /* where they were allocated, not aligned */
	struct fdb_bucket *buckets;
	uint32_t bucket_mask;

	atomic_flag lock;
	_Atomic uint32_t count;
	/* the lock's */
	uint32_t high;
	uint32_t free_head;
	struct fdb_holder *holders; /* locations + 1 */
	uint16_t *holder_buckets;
	uint32_t holder_mask;
	uint32_t holders_high;
	uint16_t holders_free;
};

/* A key as the slots hold it, and its bucket */
struct fdb_address {
	uint64_t address;
	uint32_t network;
	struct fdb_bucket *bucket;
};

static inline uint64_t fdb_location_pack(struct fdb_location location)
{
	return (uint64_t)location.kind << 32 | location.id;
}

static inline struct fdb_location fdb_location_unpack(uint64_t packed)
{
	return (struct fdb_location){ .kind = (uint32_t)((packed & ~FDB_PINNED) >> 32), .id = (uint32_t)packed };
}

struct fdb_address fdb_table_address(const struct fdb *fdb, const struct fdb_key *key);

struct fdb_key fdb_table_key(const struct fdb_slot *slot);

/* Without the lock.  Return: slot number, with what it held in @location and @seen_ns, or 0 for a miss */
uint32_t fdb_table_find(const struct fdb *fdb, const struct fdb_address *at, uint64_t *location, uint64_t *seen_ns);

/* Return: slot number or 0 */
uint32_t fdb_table_find_locked(const struct fdb *fdb, const struct fdb_address *at);

/* Return: a free slot's number, or 0 where the table is full */
uint32_t fdb_table_take_slot(struct fdb *fdb);

void fdb_table_insert(struct fdb *fdb, uint32_t number, const struct fdb_address *at, uint64_t location,
	uint64_t seen_ns);

void fdb_table_relocate(struct fdb *fdb, uint32_t number, uint64_t location, uint64_t seen_ns);

/* Out of its chain, and free from then on */
void fdb_table_remove(struct fdb *fdb, uint32_t number);

#endif /* SWITCH_FDB_TABLE_H */
