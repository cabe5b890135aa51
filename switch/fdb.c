/*
 * fdb.c - see fdb.h; the slots are fdb_table.c's, who must go first is fdb_holder.c's
 */
#include "switch/fdb.h"

#include "switch/fdb_holder.h"
#include "switch/fdb_table.h"

#include <errno.h>
#include <sched.h>
#include <stdlib.h>

#define CAPACITY_MAX (1U << 24)
#define LOCATIONS_MAX 65535U
#define CACHE_LINE 64U
#define LOCK_TRIES 100 /* of a worker, well under a microsecond in all */
#define BATCH 256U     /* slots that the control thread looks at in one go under the lock */

const char *fdb_result_name(enum fdb_result result)
{
	switch (result) {
	case FDB_OK:
		return "ok";
#define X(name, text)    \
	case FDB_##name: \
		return text;
		FDB_EVENTS(X)
#undef X
#define X(name, text, why) \
	case FDB_##name:   \
		return text;
		FDB_DROPS(X)
#undef X
	case FDB_RESULTS:
		break;
	}
	return "?";
}

static uint32_t power_of_two(uint32_t at_least)
{
	uint32_t size = 1;

	while (size < at_least)
		size *= 2;
	return size;
}

static bool config_ok(const struct fdb_config *config)
{
	return config->capacity >= 1 && config->capacity <= CAPACITY_MAX && config->locations >= 1 &&
		config->locations <= LOCATIONS_MAX && config->location_limit >= 1 && config->aging_ms >= 1;
}

struct fdb *fdb_new(const struct fdb_config *config)
{
	struct fdb *fdb = config_ok(config) ? calloc(1, sizeof(*fdb)) : NULL;

	if (!fdb)
		return NULL;
	fdb->config = *config;
	fdb->aging_ns = config->aging_ms * 1000000ULL;
	fdb->bucket_mask = power_of_two(config->capacity) - 1;
	fdb->holder_mask = power_of_two(config->locations) - 1;
	/* calloc and not aligned_alloc: pages that are never used are never there */
	fdb->slots_memory = calloc(config->capacity + 2ULL, CACHE_LINE);
	fdb->buckets = calloc(fdb->bucket_mask + 1ULL, sizeof(*fdb->buckets));
	fdb->holders = calloc(config->locations + 1ULL, sizeof(*fdb->holders));
	fdb->holder_buckets = calloc(fdb->holder_mask + 1ULL, sizeof(*fdb->holder_buckets));
	if (!fdb->slots_memory || !fdb->buckets || !fdb->holders || !fdb->holder_buckets) {
		fdb_free(fdb);
		return NULL;
	}
	fdb->slots = (void *)(((uintptr_t)fdb->slots_memory + CACHE_LINE - 1) & ~(uintptr_t)(CACHE_LINE - 1));
	atomic_flag_clear(&fdb->lock);
	return fdb;
}

void fdb_free(struct fdb *fdb)
{
	if (!fdb)
		return;
	free(fdb->slots_memory);
	free(fdb->buckets);
	free(fdb->holders);
	free(fdb->holder_buckets);
	free(fdb);
}

static bool lock_try(struct fdb *fdb)
{
	for (int tries = 0; tries < LOCK_TRIES; tries++)
		if (!atomic_flag_test_and_set_explicit(&fdb->lock, memory_order_acquire))
			return true;
	return false;
}

static void lock(struct fdb *fdb)
{
	while (!lock_try(fdb))
		sched_yield();
}

static void unlock(struct fdb *fdb)
{
	atomic_flag_clear_explicit(&fdb->lock, memory_order_release);
}

/* Another thread's clock reading may be a little ahead: that is no age */
static uint64_t age_ns(uint64_t seen_ns, struct instant now)
{
	return now.ns > seen_ns ? now.ns - seen_ns : 0;
}

static bool expired(const struct fdb *fdb, uint64_t location, uint64_t seen_ns, struct instant now)
{
	return !(location & FDB_PINNED) && age_ns(seen_ns, now) >= fdb->aging_ns;
}

static bool learnable(const struct mac *mac)
{
	static const struct mac zero;

	return !mac_is_group(mac) && !mac_equal(mac, &zero);
}

bool fdb_lookup(const struct fdb *fdb, const struct fdb_key *key, struct instant now, struct fdb_location *out)
{
	const struct fdb_address at = fdb_table_address(fdb, key);
	uint64_t location, seen_ns;

	if (!fdb_table_find(fdb, &at, &location, &seen_ns) || expired(fdb, location, seen_ns, now))
		return false;
	*out = fdb_location_unpack(location);
	return true;
}

static void drop(struct fdb *fdb, uint32_t number)
{
	fdb_holder_dequeue(fdb, number);
	fdb_table_remove(fdb, number);
}

/* Return: a free slot's number, if need be at another entry's cost, or 0 where all are pinned */
static uint32_t make_room(struct fdb *fdb, bool *evicted)
{
	uint32_t number = fdb_table_take_slot(fdb);

	*evicted = false;
	if (number)
		return number;
	number = fdb_holder_victim(fdb);
	if (!number)
		return 0;
	drop(fdb, number);
	*evicted = true;
	return fdb_table_take_slot(fdb);
}

static enum fdb_result insert(struct fdb *fdb, const struct fdb_address *at, uint64_t location, struct instant now)
{
	uint32_t number = 0;
	bool evicted;

	if (fdb_holder_has_room(fdb, location))
		number = make_room(fdb, &evicted);
	if (!number)
		return FDB_LIMIT;
	fdb_table_insert(fdb, number, at, location, now.ns);
	fdb_holder_enqueue(fdb, number, location);
	return evicted ? FDB_EVICTING : FDB_LEARNED;
}

static bool flapping(struct fdb_slot *slot, struct instant now)
{
	uint32_t now_ms = (uint32_t)(now.ns / 1000000U);

	if (slot->window_moves == 0 || now_ms - slot->window_ms >= FDB_FLAP_WINDOW_MS) {
		slot->window_ms = now_ms;
		slot->window_moves = 0;
	}
	if (slot->window_moves < FDB_FLAP_MOVES)
		slot->window_moves++;
	return slot->window_moves >= FDB_FLAP_MOVES;
}

static enum fdb_result move(struct fdb *fdb, uint32_t number, uint64_t location, struct instant now)
{
	struct fdb_slot *slot = &fdb->slots[number];

	if (!fdb_holder_has_room(fdb, location)) {
		drop(fdb, number);
		return FDB_LIMIT;
	}
	fdb_holder_dequeue(fdb, number);
	fdb_table_relocate(fdb, number, location, now.ns);
	fdb_holder_enqueue(fdb, number, location);
	slot->moves++;
	return flapping(slot, now) ? FDB_FLAPPING : FDB_MOVED;
}

/* Under the lock: the answer that was found without it may be stale */
static enum fdb_result learn_locked(struct fdb *fdb, const struct fdb_address *at, uint64_t location,
	struct instant now)
{
	uint32_t number = fdb_table_find_locked(fdb, at);
	struct fdb_slot *slot = &fdb->slots[number];
	uint64_t known = number ? atomic_load_explicit(&slot->location, memory_order_relaxed) : 0;

	if (!number)
		return insert(fdb, at, location, now);
	if ((known & ~FDB_PINNED) == location) {
		atomic_store_explicit(&slot->seen_ns, now.ns, memory_order_release);
		return FDB_OK;
	}
	if (known & FDB_PINNED)
		return FDB_STATIC;
	if (!expired(fdb, known, atomic_load_explicit(&slot->seen_ns, memory_order_relaxed), now))
		return move(fdb, number, location, now);
	drop(fdb, number);
	return insert(fdb, at, location, now);
}

enum fdb_result fdb_learn(struct fdb *fdb, const struct fdb_key *key, struct fdb_location location, struct instant now)
{
	const struct fdb_address at = fdb_table_address(fdb, key);
	const uint64_t packed = fdb_location_pack(location);
	uint64_t known, seen_ns;
	enum fdb_result result;
	uint32_t number;

	if (!learnable(&key->mac))
		return FDB_UNLEARNABLE;
	number = fdb_table_find(fdb, &at, &known, &seen_ns);
	if (number && (known & ~FDB_PINNED) == packed) {
		if (age_ns(seen_ns, now) >= FDB_REFRESH_MS * 1000000ULL)
			atomic_store_explicit(&fdb->slots[number].seen_ns, now.ns, memory_order_release);
		return FDB_OK;
	}
	if (number && (known & FDB_PINNED))
		return FDB_STATIC;
	if (!lock_try(fdb))
		return FDB_BUSY;
	result = learn_locked(fdb, &at, packed, now);
	unlock(fdb);
	return result;
}

static int pin_locked(struct fdb *fdb, const struct fdb_address *at, uint64_t location)
{
	uint32_t number = fdb_table_find_locked(fdb, at);
	bool evicted;

	if (number) {
		fdb_holder_dequeue(fdb, number);
		fdb_table_relocate(fdb, number, location, 0);
		return 0;
	}
	number = make_room(fdb, &evicted);
	if (!number)
		return -ENOSPC;
	fdb_table_insert(fdb, number, at, location, 0);
	return 0;
}

int fdb_pin(struct fdb *fdb, const struct fdb_key *key, struct fdb_location location)
{
	const struct fdb_address at = fdb_table_address(fdb, key);
	int err;

	if (!learnable(&key->mac))
		return -EINVAL;
	lock(fdb);
	err = pin_locked(fdb, &at, fdb_location_pack(location) | FDB_PINNED);
	unlock(fdb);
	return err;
}

static uint64_t location_of(const struct fdb_slot *slot)
{
	return atomic_load_explicit(&slot->location, memory_order_relaxed);
}

bool fdb_unpin(struct fdb *fdb, const struct fdb_key *key)
{
	const struct fdb_address at = fdb_table_address(fdb, key);
	uint32_t number;
	bool found;

	lock(fdb);
	number = fdb_table_find_locked(fdb, &at);
	found = number && (location_of(&fdb->slots[number]) & FDB_PINNED);
	if (found)
		drop(fdb, number);
	unlock(fdb);
	return found;
}

/* Which entries a sweep drops */
struct sweep {
	bool by_network;
	uint32_t network;
	uint64_t location; /* 0 for all */
	bool statics;
	bool old_only;
	struct instant now;
};

static bool swept(const struct fdb *fdb, const struct fdb_slot *slot, const struct sweep *sweep)
{
	uint64_t location = location_of(slot);

	if (!location || (location & FDB_PINNED && !sweep->statics))
		return false;
	if (sweep->old_only)
		return expired(fdb, location, atomic_load_explicit(&slot->seen_ns, memory_order_relaxed), sweep->now);
	if (sweep->location && (location & ~FDB_PINNED) != sweep->location)
		return false;
	return !sweep->by_network || atomic_load_explicit(&slot->network, memory_order_relaxed) == sweep->network;
}

static uint32_t sweep_table(struct fdb *fdb, const struct sweep *sweep)
{
	uint32_t number = 1, dropped = 0;
	bool more = true;

	while (more) {
		lock(fdb);
		for (uint32_t i = 0; i < BATCH && number <= fdb->high; i++, number++) {
			if (swept(fdb, &fdb->slots[number], sweep)) {
				drop(fdb, number);
				dropped++;
			}
		}
		more = number <= fdb->high;
		unlock(fdb);
	}
	return dropped;
}

void fdb_flush_location(struct fdb *fdb, struct fdb_location location, bool statics)
{
	sweep_table(fdb, &(struct sweep){ .location = fdb_location_pack(location), .statics = statics });
}

void fdb_flush_network(struct fdb *fdb, uint32_t network, const struct fdb_location *location, bool statics)
{
	sweep_table(fdb,
		&(struct sweep){
			.by_network = true,
			.network = network,
			.location = location ? fdb_location_pack(*location) : 0,
			.statics = statics,
		});
}

uint32_t fdb_age(struct fdb *fdb, struct instant now)
{
	return sweep_table(fdb, &(struct sweep){ .old_only = true, .now = now });
}

static bool read_slot(const struct fdb *fdb, const struct fdb_slot *slot, struct instant now, struct fdb_entry *out)
{
	uint64_t location = location_of(slot);
	uint64_t seen_ns = atomic_load_explicit(&slot->seen_ns, memory_order_relaxed);

	if (!location || expired(fdb, location, seen_ns, now))
		return false;
	*out = (struct fdb_entry){
		.key = fdb_table_key(slot),
		.location = fdb_location_unpack(location),
		.pinned = location & FDB_PINNED,
		.idle_ms = location & FDB_PINNED ? 0 : age_ns(seen_ns, now) / 1000000U,
		.moves = slot->moves,
	};
	return true;
}

bool fdb_next(struct fdb *fdb, uint32_t *cursor, struct instant now, struct fdb_entry *out)
{
	bool found = false, more = true;

	while (more && !found) {
		lock(fdb);
		for (uint32_t i = 0; !found && i < BATCH && *cursor < fdb->high; i++)
			found = read_slot(fdb, &fdb->slots[++*cursor], now, out);
		more = *cursor < fdb->high;
		unlock(fdb);
	}
	return found;
}

uint32_t fdb_count(const struct fdb *fdb)
{
	return atomic_load_explicit(&fdb->count, memory_order_relaxed);
}
