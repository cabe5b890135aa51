/*
 * micro_fdb.c - the MAC table: lookups, refreshes, new addresses, and new ones in a full table
 */
#include "switch/fdb.h"
#include "tests/bench/micro.h"

#include <stdint.h>

#define CAPACITY 65536U
#define LOCATIONS 64U
#define TURN 1024U

struct table {
	struct fdb *fdb;
	uint32_t known;  /* addresses 0..known-1 were learnt */
	uint32_t random; /* state of a small generator: which address is next */
	uint32_t fresh;  /* the next address that was never seen */
	struct instant now;
};

static struct fdb_key key(uint32_t number)
{
	return (struct fdb_key){
		.network = 17,
		.mac = { { 0x52, 0x54, (uint8_t)(number >> 24), (uint8_t)(number >> 16), (uint8_t)(number >> 8),
			(uint8_t)number } },
	};
}

static struct fdb_location location(uint32_t number)
{
	return (struct fdb_location){ .kind = number % 2 ? FDB_PEER : FDB_LOCAL, .id = number % LOCATIONS };
}

static uint32_t draw(struct table *t, uint32_t below)
{
	t->random = t->random * 1664525U + 1013904223U;
	return (uint32_t)(((uint64_t)t->random * below) >> 32);
}

static void table_init(struct table *t, uint32_t known)
{
	const struct fdb_config config = {
		.capacity = CAPACITY,
		.locations = LOCATIONS,
		.location_limit = FDB_LOCATION_LIMIT,
		.aging_ms = FDB_AGING_MS,
		.seed = hash_seed_random(),
	};

	*t = (struct table){ .fdb = fdb_new(&config),
		.known = known,
		.random = 1,
		.fresh = known,
		.now = { 1000000000 } };
	micro_must(t->fdb, "fdb_new");
	for (uint32_t i = 0; i < known; i++) {
		struct fdb_key k = key(i);

		micro_must(fdb_learn(t->fdb, &k, location(i), t->now) == FDB_LEARNED, "to learn");
	}
}

static void lookup_hit(void *ctx)
{
	struct table *t = ctx;
	struct fdb_location found;

	for (uint32_t i = 0; i < TURN; i++) {
		struct fdb_key k = key(draw(t, t->known));

		micro_must(fdb_lookup(t->fdb, &k, t->now, &found), "to find");
	}
}

static void lookup_miss(void *ctx)
{
	struct table *t = ctx;
	struct fdb_location found;

	for (uint32_t i = 0; i < TURN; i++) {
		struct fdb_key k = key(0x80000000 + draw(t, 1U << 20));

		micro_must(!fdb_lookup(t->fdb, &k, t->now, &found), "not to find");
	}
}

static void learn_known(void *ctx)
{
	struct table *t = ctx;

	for (uint32_t i = 0; i < TURN; i++) {
		uint32_t number = draw(t, t->known);
		struct fdb_key k = key(number);

		micro_must(fdb_learn(t->fdb, &k, location(number), t->now) == FDB_OK, "to know");
	}
}

static void learn_moving(void *ctx)
{
	struct table *t = ctx;

	for (uint32_t i = 0; i < TURN; i++) {
		uint32_t number = draw(t, t->known);
		struct fdb_key k = key(number);

		(void)fdb_learn(t->fdb, &k, location(t->random), t->now);
	}
}

static void learn_evicting(void *ctx)
{
	struct table *t = ctx;

	for (uint32_t i = 0; i < TURN; i++, t->fresh++) {
		struct fdb_key k = key(t->fresh);

		(void)fdb_learn(t->fdb, &k, location(t->fresh), t->now);
	}
}

int main(int argc, char **argv)
{
	struct micro micro;
	struct table small, large;

	micro_begin(&micro, "MAC table", argc, argv);
	table_init(&small, 64);
	micro_case(&micro, "lookup, 64 known", TURN, 0, lookup_hit, &small);
	micro_case(&micro, "learn again, 64 known", TURN, 0, learn_known, &small);
	fdb_free(small.fdb);
	table_init(&large, 60000);
	micro_case(&micro, "lookup, 60000 known", TURN, 0, lookup_hit, &large);
	micro_case(&micro, "lookup of a stranger, 60000 known", TURN, 0, lookup_miss, &large);
	micro_case(&micro, "learn again, 60000 known", TURN, 0, learn_known, &large);
	micro_case(&micro, "learn elsewhere (move), 60000 known", TURN, 0, learn_moving, &large);
	micro_case(&micro, "learn a new one, table full (evict)", TURN, 0, learn_evicting, &large);
	fdb_free(large.fdb);
	return micro_end(&micro);
}
