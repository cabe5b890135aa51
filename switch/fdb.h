/*
 * fdb.h - the MAC table: behind which port or peer a (network, VLAN, MAC) is
 *
 * One per agent, shared by all workers and the control thread.  Memory is fixed when it is made; nothing is allocated
 * later.  The clock is an argument, the seed too.  Neighbours: switch/forward.c asks and teaches it.
 *
 * Threads: any thread may call anything.  fdb_lookup() and the refresh of a known address take no lock and write at
 * most one word a second for each entry.  Only a new or moved address takes the table's lock, and a worker that finds
 * it taken gives up (FDB_BUSY): the address's next frame teaches it.  Whoever holds the lock holds it for a
 * bounded number of entries.
 *
 * Limits: @capacity entries in all.  A location (port or peer) has at most @location_limit learned ones; at
 * the limit new addresses are not learned and their frames flood.  A full table makes room at the cost of the location
 * that has most learned entries: one of its longest unused, by second chance.  Static entries count
 * towards @capacity only, and are never evicted, aged or displaced by learning.
 */
#ifndef SWITCH_FDB_H
#define SWITCH_FDB_H

#include <stdbool.h>
#include <stdint.h>

#include "base/addr.h"
#include "base/clock.h"
#include "base/hash.h"

#define FDB_AGING_MS 300000U      /* IEEE 802.1Q, table 8-6: 300 s */
#define FDB_LOCATION_LIMIT 4096U  /* as vSphere's learning switch */
#define FDB_REFRESH_MS 1000U      /* an entry's age is written at most this often */
#define FDB_FLAP_MOVES 5U         /* this many moves ... */
#define FDB_FLAP_WINDOW_MS 10000U /* ... in this time are flapping */

enum fdb_location_kind {
	FDB_LOCAL = 1,
	FDB_PEER = 2,
};

struct fdb_location {
	uint32_t kind; /* enum fdb_location_kind */
	uint32_t id;   /* the port's id, or the peer's slot */
};

static inline bool fdb_location_equal(struct fdb_location a, struct fdb_location b)
{
	return a.kind == b.kind && a.id == b.id;
}

struct fdb_key {
	uint32_t network; /* 24 bits */
	uint16_t vlan;    /* 12 bits */
	struct mac mac;
};

struct fdb_config {
	uint32_t capacity;       /* entries, 1 to 2^24 */
	uint32_t locations;      /* locations with entries at the same time, 1 to 65535 */
	uint32_t location_limit; /* learned entries of one location */
	uint32_t aging_ms;
	struct hash_seed seed;
};

/* What learning came to, and is no loss.  name, counter as operators see it */
#define FDB_EVENTS(X)               \
	X(LEARNED, "fdb-learned")   \
	X(MOVED, "fdb-moved")       \
	X(FLAPPING, "fdb-flapping") \
	X(BUSY, "fdb-busy")         \
	X(UNLEARNABLE, "fdb-unlearnable")

/* What costs frames elsewhere.  name, counter as operators see it, what it means and what to do (weft help drop) */
#define FDB_DROPS(X)                                                                                          \
	X(EVICTING, "fdb-evicting",                                                                           \
		"The MAC table is full: another address was forgotten to learn this one, and frames for it "  \
		"flood. Find the port or host with far too many addresses: weft get macs.")                   \
	X(LIMIT, "fdb-limit",                                                                                 \
		"A port or peer has reached its share of MAC addresses: this one is not learned, and frames " \
		"for it flood to all. Find out why there are so many behind it (weft status macs): a guest "  \
		"that makes them up, or a whole network behind one port.")                                    \
	X(STATIC, "fdb-static",                                                                               \
		"A frame came from a MAC address that the lab file declares behind another port. It was "     \
		"passed on, but answers go to the declared port: correct mac: in the lab file, or find the "  \
		"guest that uses the address of another.")

/*
 * LEARNED, new.  MOVED, was behind another location.  FLAPPING, moved too, and too often lately.  EVICTING, new, and
 * another entry had to go.  Not learned: LIMIT, the location has its share (an entry elsewhere is dropped, so that
 * frames flood); STATIC, declared behind another location; BUSY, see above; UNLEARNABLE, a group or zero address.
 */
enum fdb_result {
	FDB_OK, /* known there already */
#define X(name, text) FDB_##name,
	FDB_EVENTS(X)
#undef X
#define X(name, text, why) FDB_##name,
		FDB_DROPS(X)
#undef X
			FDB_RESULTS
};

const char *fdb_result_name(enum fdb_result result);

struct fdb;

/* Return: NULL without memory, or with a figure out of range in @config */
struct fdb *fdb_new(const struct fdb_config *config);

/* After every thread has let go.  NULL is fine */
void fdb_free(struct fdb *fdb);

/* Return: false where nothing is known, or what was known is too old */
bool fdb_lookup(const struct fdb *fdb, const struct fdb_key *key, struct instant now, struct fdb_location *out)
	__attribute__((warn_unused_result));

/* @key was seen as a source behind @location */
enum fdb_result fdb_learn(struct fdb *fdb, const struct fdb_key *key, struct fdb_location location, struct instant now);

/* Declare @key behind @location, in place of whatever is known.  Return: 0, -EINVAL (group, zero) or -ENOSPC */
int fdb_pin(struct fdb *fdb, const struct fdb_key *key, struct fdb_location location)
	__attribute__((warn_unused_result));

/* Forget a declared entry.  Return: false where there is none */
bool fdb_unpin(struct fdb *fdb, const struct fdb_key *key);

/* Drop the entries behind @location.  Static ones too where @statics */
void fdb_flush_location(struct fdb *fdb, struct fdb_location location, bool statics);

/* Drop the entries of a network; of all locations where @location is NULL */
void fdb_flush_network(struct fdb *fdb, uint32_t network, const struct fdb_location *location, bool statics);

/* Drop what is too old, for the control thread, about once a second.  Return: entries dropped */
uint32_t fdb_age(struct fdb *fdb, struct instant now);

struct fdb_entry {
	struct fdb_key key;
	struct fdb_location location;
	bool pinned;
	uint64_t idle_ms; /* since its last frame, exact to FDB_REFRESH_MS; 0 where pinned */
	uint32_t moves;   /* since it was learned */
};

/**
 * fdb_next() - walk the table, for status
 * @cursor:	0 at first, then untouched between calls
 *
 * Entries that come or go meanwhile may be missed; none is seen twice unless it was learned anew.
 * Return: false at the end
 */
bool fdb_next(struct fdb *fdb, uint32_t *cursor, struct instant now, struct fdb_entry *out)
	__attribute__((warn_unused_result));

uint32_t fdb_count(const struct fdb *fdb);

#endif /* SWITCH_FDB_H */
