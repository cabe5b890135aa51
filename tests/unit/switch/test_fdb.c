/*
 * test_fdb.c - the MAC table against a naive model, and its limits one by one
 */
#include "switch/fdb.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define SECOND_MS 1000U
#define AGING_MS 30000U

static const struct instant start = { 5000000000ULL };

static struct fdb *make(uint32_t capacity, uint32_t locations, uint32_t limit)
{
	const struct fdb_config config = {
		.capacity = capacity,
		.locations = locations,
		.location_limit = limit,
		.aging_ms = AGING_MS,
		.seed = { 1, 2 },
	};
	struct fdb *fdb = fdb_new(&config);

	assert_non_null(fdb);
	return fdb;
}

static struct fdb_key key_of(uint32_t network, uint16_t vlan, uint16_t host)
{
	return (struct fdb_key){ network, vlan, { { 0x52, 0x54, 0, 0, (uint8_t)(host >> 8), (uint8_t)host } } };
}

static struct fdb_location port(uint32_t id)
{
	return (struct fdb_location){ FDB_LOCAL, id };
}

static struct fdb_location peer(uint32_t id)
{
	return (struct fdb_location){ FDB_PEER, id };
}

static void assert_at(const struct fdb *fdb, struct fdb_key key, struct instant now, struct fdb_location where)
{
	struct fdb_location found;

	assert_true(fdb_lookup(fdb, &key, now, &found));
	assert_true(fdb_location_equal(found, where));
}

static void assert_unknown(const struct fdb *fdb, struct fdb_key key, struct instant now)
{
	struct fdb_location found;

	assert_false(fdb_lookup(fdb, &key, now, &found));
}

static enum fdb_result learn(struct fdb *fdb, struct fdb_key key, struct fdb_location where, struct instant now)
{
	return fdb_learn(fdb, &key, where, now);
}

static void refuses_bad_configs(void **state)
{
	const struct fdb_config good = { 16, 4, 8, AGING_MS, { 0, 0 } };
	struct fdb_config config;

	(void)state;
	config = good;
	config.capacity = 0;
	assert_null(fdb_new(&config));
	config.capacity = (1U << 24) + 1;
	assert_null(fdb_new(&config));
	config = good;
	config.locations = 0;
	assert_null(fdb_new(&config));
	config.locations = 65536;
	assert_null(fdb_new(&config));
	config = good;
	config.location_limit = 0;
	assert_null(fdb_new(&config));
	config = good;
	config.aging_ms = 0;
	assert_null(fdb_new(&config));
	fdb_free(NULL);
}

static void keys_differ_in_each_part(void **state)
{
	struct fdb *fdb = make(64, 8, 64);

	(void)state;
	assert_int_equal(learn(fdb, key_of(1, 0, 1), port(1), start), FDB_LEARNED);
	assert_int_equal(learn(fdb, key_of(2, 0, 1), port(2), start), FDB_LEARNED);
	assert_int_equal(learn(fdb, key_of(1, 10, 1), port(3), start), FDB_LEARNED);
	assert_int_equal(learn(fdb, key_of(1, 0, 2), peer(1), start), FDB_LEARNED);
	assert_at(fdb, key_of(1, 0, 1), start, port(1));
	assert_at(fdb, key_of(2, 0, 1), start, port(2));
	assert_at(fdb, key_of(1, 10, 1), start, port(3));
	assert_at(fdb, key_of(1, 0, 2), start, peer(1));
	assert_unknown(fdb, key_of(2, 10, 1), start);
	assert_int_equal(fdb_count(fdb), 4);
	fdb_free(fdb);
}

static void never_learns_groups_and_zero(void **state)
{
	struct fdb *fdb = make(64, 8, 64);
	struct fdb_key key = { 1, 0, { { 0x01, 0, 0x5e, 0, 0, 1 } } };

	(void)state;
	assert_int_equal(fdb_learn(fdb, &key, port(1), start), FDB_UNLEARNABLE);
	assert_int_equal(fdb_pin(fdb, &key, port(1)), -EINVAL);
	memset(&key.mac, 0xff, sizeof(key.mac));
	assert_int_equal(fdb_learn(fdb, &key, port(1), start), FDB_UNLEARNABLE);
	memset(&key.mac, 0, sizeof(key.mac));
	assert_int_equal(fdb_learn(fdb, &key, port(1), start), FDB_UNLEARNABLE);
	assert_int_equal(fdb_count(fdb), 0);
	fdb_free(fdb);
}

static void ages_what_is_silent(void **state)
{
	struct fdb *fdb = make(64, 8, 64);
	struct instant just_before = instant_add_ms(start, AGING_MS - 1), at = instant_add_ms(start, AGING_MS);

	(void)state;
	assert_int_equal(learn(fdb, key_of(1, 0, 1), port(1), start), FDB_LEARNED);
	assert_int_equal(learn(fdb, key_of(1, 0, 2), port(1), start), FDB_LEARNED);
	assert_int_equal(learn(fdb, key_of(1, 0, 2), port(1), just_before), FDB_OK);
	assert_at(fdb, key_of(1, 0, 1), just_before, port(1));
	assert_unknown(fdb, key_of(1, 0, 1), at); /* even before anyone sweeps */
	assert_int_equal(fdb_count(fdb), 2);
	assert_int_equal(fdb_age(fdb, at), 1);
	assert_int_equal(fdb_count(fdb), 1);
	assert_at(fdb, key_of(1, 0, 2), at, port(1));
	/* an address that had gone silent elsewhere is new, not moved */
	assert_int_equal(learn(fdb, key_of(1, 0, 2), port(2), instant_add_ms(just_before, AGING_MS)), FDB_LEARNED);
	fdb_free(fdb);
}

static void a_clock_that_lags_ages_nothing(void **state)
{
	struct fdb *fdb = make(64, 8, 64);

	(void)state;
	assert_int_equal(learn(fdb, key_of(1, 0, 1), port(1), start), FDB_LEARNED);
	assert_at(fdb, key_of(1, 0, 1), (struct instant){ 1 }, port(1));
	assert_int_equal(fdb_age(fdb, (struct instant){ 1 }), 0);
	fdb_free(fdb);
}

static void moves_are_told_and_flapping_too(void **state)
{
	struct fdb *fdb = make(64, 8, 64);
	struct instant now = start;

	(void)state;
	assert_int_equal(learn(fdb, key_of(1, 0, 1), port(1), now), FDB_LEARNED);
	for (unsigned int i = 1; i < FDB_FLAP_MOVES; i++)
		assert_int_equal(learn(fdb, key_of(1, 0, 1), i % 2 ? peer(1) : port(1), now), FDB_MOVED);
	assert_int_equal(learn(fdb, key_of(1, 0, 1), peer(2), now), FDB_FLAPPING);
	assert_at(fdb, key_of(1, 0, 1), now, peer(2));
	now = instant_add_ms(now, FDB_FLAP_WINDOW_MS);
	assert_int_equal(learn(fdb, key_of(1, 0, 1), port(1), now), FDB_MOVED);
	fdb_free(fdb);
}

static void a_location_has_its_limit(void **state)
{
	struct fdb *fdb = make(64, 8, 4);

	(void)state;
	for (uint16_t i = 1; i <= 4; i++)
		assert_int_equal(learn(fdb, key_of(1, 0, i), port(1), start), FDB_LEARNED);
	assert_int_equal(learn(fdb, key_of(1, 0, 5), port(1), start), FDB_LIMIT);
	assert_unknown(fdb, key_of(1, 0, 5), start);
	assert_int_equal(learn(fdb, key_of(1, 0, 4), port(1), start), FDB_OK);
	assert_int_equal(learn(fdb, key_of(1, 0, 5), port(2), start), FDB_LEARNED);
	/* a move into a full location: flood rather than send to where it no longer is */
	assert_int_equal(learn(fdb, key_of(1, 0, 5), port(1), start), FDB_LIMIT);
	assert_unknown(fdb, key_of(1, 0, 5), start);
	fdb_flush_location(fdb, port(1), false);
	assert_int_equal(learn(fdb, key_of(1, 0, 5), port(1), start), FDB_LEARNED);
	fdb_free(fdb);
}

static void locations_have_a_limit(void **state)
{
	struct fdb *fdb = make(64, 2, 64);

	(void)state;
	assert_int_equal(learn(fdb, key_of(1, 0, 1), port(1), start), FDB_LEARNED);
	assert_int_equal(learn(fdb, key_of(1, 0, 2), port(2), start), FDB_LEARNED);
	assert_int_equal(learn(fdb, key_of(1, 0, 3), port(3), start), FDB_LIMIT);
	fdb_flush_location(fdb, port(1), false);
	assert_int_equal(learn(fdb, key_of(1, 0, 3), port(3), start), FDB_LEARNED);
	fdb_free(fdb);
}

static void statics_stay(void **state)
{
	struct fdb *fdb = make(4, 8, 4);
	struct fdb_key declared = key_of(1, 0, 1);
	struct instant late = instant_add_ms(start, 100ULL * AGING_MS);

	(void)state;
	assert_int_equal(learn(fdb, declared, port(9), start), FDB_LEARNED);
	assert_int_equal(fdb_pin(fdb, &declared, peer(1)), 0);
	assert_int_equal(fdb_count(fdb), 1);
	assert_int_equal(learn(fdb, declared, port(9), start), FDB_STATIC);
	assert_int_equal(learn(fdb, declared, peer(1), start), FDB_OK);
	assert_at(fdb, declared, late, peer(1));
	assert_int_equal(fdb_age(fdb, late), 0);
	fdb_flush_location(fdb, peer(1), false);
	fdb_flush_network(fdb, 1, NULL, false);
	assert_at(fdb, declared, late, peer(1));
	/* three learned beside it, a fourth evicts one of them and never the static one */
	for (uint16_t i = 2; i <= 4; i++)
		assert_int_equal(learn(fdb, key_of(1, 0, i), port(1), start), FDB_LEARNED);
	for (uint16_t i = 5; i <= 40; i++)
		assert_int_equal(learn(fdb, key_of(1, 0, i), port(2), start), FDB_EVICTING);
	assert_at(fdb, declared, late, peer(1));
	/* pins take the room of what was learned, until all is pinned */
	for (uint16_t i = 101; i <= 103; i++) {
		struct fdb_key key = key_of(1, 0, i);

		assert_int_equal(fdb_pin(fdb, &key, peer(2)), 0);
	}
	assert_int_equal(fdb_count(fdb), 4);
	assert_int_equal(fdb_pin(fdb, &(struct fdb_key){ 1, 0, { { 2, 2, 2, 2, 2, 2 } } }, peer(2)), -ENOSPC);
	assert_int_equal(learn(fdb, key_of(1, 0, 7), port(1), start), FDB_LIMIT);
	fdb_flush_location(fdb, peer(2), true);
	assert_int_equal(fdb_count(fdb), 1);
	assert_true(fdb_unpin(fdb, &declared));
	assert_false(fdb_unpin(fdb, &declared));
	assert_int_equal(fdb_count(fdb), 0);
	fdb_free(fdb);
}

static void an_eviction_spares_what_is_in_use(void **state)
{
	struct fdb *fdb = make(8, 4, 8);
	struct instant later = instant_add_ms(start, 2 * SECOND_MS);

	(void)state;
	for (uint16_t i = 1; i <= 8; i++)
		assert_int_equal(learn(fdb, key_of(1, 0, i), port(1), start), FDB_LEARNED);
	for (uint16_t i = 1; i <= 3; i++)
		assert_int_equal(learn(fdb, key_of(1, 0, i), port(1), later), FDB_OK);
	assert_int_equal(learn(fdb, key_of(1, 0, 9), port(2), later), FDB_EVICTING);
	assert_unknown(fdb, key_of(1, 0, 4), later);
	for (uint16_t i = 1; i <= 3; i++)
		assert_at(fdb, key_of(1, 0, i), later, port(1));
	fdb_free(fdb);
}

static void a_flood_of_addresses_hurts_its_own_port_only(void **state)
{
	struct fdb *fdb = make(256, 8, 256);

	(void)state;
	for (uint16_t i = 0; i < 50; i++)
		assert_int_equal(learn(fdb, key_of(1, 0, i), port(1), start), FDB_LEARNED);
	for (uint16_t i = 1000; i < 20000; i++)
		assert_int_not_equal(learn(fdb, key_of(1, 0, i), port(2), start), FDB_OK);
	for (uint16_t i = 0; i < 50; i++)
		assert_at(fdb, key_of(1, 0, i), start, port(1));
	assert_int_equal(fdb_count(fdb), 256);
	fdb_free(fdb);
}

static void flushes_by_network(void **state)
{
	struct fdb *fdb = make(2000, 8, 2000);
	struct fdb_location one = port(1);

	(void)state;
	for (uint16_t i = 0; i < 1500; i++)
		assert_int_equal(learn(fdb, key_of(i % 3, 0, i), i % 2 ? port(1) : peer(1), start), FDB_LEARNED);
	fdb_flush_network(fdb, 0, &one, false);
	assert_int_equal(fdb_count(fdb), 1250);
	fdb_flush_network(fdb, 1, NULL, false);
	assert_int_equal(fdb_count(fdb), 750);
	for (uint16_t i = 0; i < 1500; i++) {
		if (i % 3 == 1 || (i % 3 == 0 && i % 2))
			assert_unknown(fdb, key_of(i % 3, 0, i), start);
		else
			assert_at(fdb, key_of(i % 3, 0, i), start, i % 2 ? port(1) : peer(1));
	}
	fdb_free(fdb);
}

static void names_are_there(void **state)
{
	(void)state;
	assert_string_equal(fdb_result_name(FDB_OK), "ok");
	assert_string_equal(fdb_result_name(FDB_FLAPPING), "fdb-flapping");
	for (int i = 0; i < FDB_RESULTS; i++)
		assert_string_not_equal(fdb_result_name((enum fdb_result)i), "?");
}

/* ---- the model: an array, searched from end to end -------------------------------------------------------- */

#define CAPACITY 24U
#define LIMIT 9U
#define LOCATIONS 4U
#define NETWORKS 2U
#define VLANS 2U
#define HOSTS 20U

struct known {
	bool used;
	bool pinned;
	struct fdb_key key;
	struct fdb_location where;
	struct instant seen;
};

struct model {
	struct known known[CAPACITY];
};

static bool same_key(const struct fdb_key *a, const struct fdb_key *b)
{
	return a->network == b->network && a->vlan == b->vlan && mac_equal(&a->mac, &b->mac);
}

static struct known *model_find(struct model *m, const struct fdb_key *key)
{
	for (size_t i = 0; i < CAPACITY; i++)
		if (m->known[i].used && same_key(&m->known[i].key, key))
			return &m->known[i];
	return NULL;
}

static uint32_t model_count(const struct model *m, const struct fdb_location *where)
{
	uint32_t count = 0;

	for (size_t i = 0; i < CAPACITY; i++) {
		const struct known *k = &m->known[i];

		if (k->used && (!where || (!k->pinned && fdb_location_equal(k->where, *where))))
			count++;
	}
	return count;
}

static uint32_t model_most(const struct model *m)
{
	uint32_t most = 0;

	for (size_t i = 0; i < CAPACITY; i++) {
		uint32_t count = m->known[i].used ? model_count(m, &m->known[i].where) : 0;

		if (!m->known[i].pinned && count > most)
			most = count;
	}
	return most;
}

static bool model_old(const struct known *k, struct instant now)
{
	return !k->pinned && instant_since_ms(now, k->seen) >= AGING_MS;
}

static void model_add(struct model *m, const struct fdb_key *key, struct fdb_location where, bool pinned,
	struct instant now)
{
	for (size_t i = 0; i < CAPACITY; i++) {
		if (!m->known[i].used) {
			m->known[i] = (struct known){ true, pinned, *key, where, now };
			return;
		}
	}
	fail_msg("the table holds more than its capacity");
}

static bool table_has(struct fdb *fdb, const struct fdb_key *key)
{
	uint32_t cursor = 0;
	struct fdb_entry entry;

	while (fdb_next(fdb, &cursor, start, &entry)) /* a clock at the start shows the old ones too */
		if (same_key(&entry.key, key))
			return true;
	return false;
}

/* The table is free to choose among the entries of whoever holds most: learn which it was, and that it was fair */
static void model_evict(struct model *m, struct fdb *fdb)
{
	struct known *gone = NULL;

	for (size_t i = 0; i < CAPACITY; i++) {
		if (m->known[i].used && !table_has(fdb, &m->known[i].key)) {
			assert_null(gone);
			gone = &m->known[i];
		}
	}
	assert_non_null(gone);
	assert_false(gone->pinned);
	assert_int_equal(model_count(m, &gone->where), model_most(m));
	gone->used = false;
}

static enum fdb_result model_insert(struct model *m, struct fdb *fdb, const struct fdb_key *key,
	struct fdb_location where, struct instant now)
{
	enum fdb_result result = FDB_LEARNED;

	if (model_count(m, &where) >= LIMIT)
		return FDB_LIMIT;
	if (model_count(m, NULL) == CAPACITY) {
		if (model_most(m) == 0)
			return FDB_LIMIT;
		model_evict(m, fdb);
		result = FDB_EVICTING;
	}
	model_add(m, key, where, false, now);
	return result;
}

static enum fdb_result model_learn(struct model *m, struct fdb *fdb, const struct fdb_key *key,
	struct fdb_location where, struct instant now)
{
	struct known *k = model_find(m, key);

	if (!k)
		return model_insert(m, fdb, key, where, now);
	if (fdb_location_equal(k->where, where)) {
		if (instant_since_ms(now, k->seen) >= FDB_REFRESH_MS)
			k->seen = now;
		return FDB_OK;
	}
	if (k->pinned)
		return FDB_STATIC;
	if (model_old(k, now)) {
		k->used = false;
		return model_insert(m, fdb, key, where, now);
	}
	if (model_count(m, &where) >= LIMIT) {
		k->used = false;
		return FDB_LIMIT;
	}
	k->where = where;
	k->seen = now;
	return FDB_MOVED;
}

static void model_pin(struct model *m, struct fdb *fdb, const struct fdb_key *key, struct fdb_location where)
{
	struct known *k = model_find(m, key);
	int err = fdb_pin(fdb, key, where);

	if (k) {
		assert_int_equal(err, 0);
		k->pinned = true;
		k->where = where;
		return;
	}
	if (model_count(m, NULL) == CAPACITY && model_most(m) == 0) {
		assert_int_equal(err, -ENOSPC);
		return;
	}
	assert_int_equal(err, 0);
	if (model_count(m, NULL) == CAPACITY)
		model_evict(m, fdb);
	model_add(m, key, where, true, start);
}

static void model_flush(struct model *m, const struct fdb_location *where, const uint32_t *network, bool statics)
{
	for (size_t i = 0; i < CAPACITY; i++) {
		struct known *k = &m->known[i];

		if (k->pinned && !statics)
			continue;
		if ((!where || fdb_location_equal(k->where, *where)) && (!network || k->key.network == *network))
			k->used = false;
	}
}

static void compare(struct model *m, struct fdb *fdb, struct instant now)
{
	uint32_t listed = 0, cursor = 0, alive = 0;
	struct fdb_entry entry;

	assert_int_equal(fdb_count(fdb), model_count(m, NULL));
	for (uint32_t i = 0; i < NETWORKS * VLANS * HOSTS; i++) {
		struct fdb_key key =
			key_of(i % NETWORKS, (uint16_t)(i / NETWORKS % VLANS), (uint16_t)(i / NETWORKS / VLANS));
		struct known *k = model_find(m, &key);

		if (k && !model_old(k, now)) {
			assert_at(fdb, key, now, k->where);
			alive++;
		} else {
			assert_unknown(fdb, key, now);
		}
	}
	while (fdb_next(fdb, &cursor, now, &entry)) {
		struct known *k = model_find(m, &entry.key);

		assert_non_null(k);
		assert_true(fdb_location_equal(k->where, entry.location));
		assert_int_equal(k->pinned, entry.pinned);
		if (!k->pinned)
			assert_int_equal(instant_since_ms(now, k->seen), entry.idle_ms);
		listed++;
	}
	assert_int_equal(listed, alive);
}

static void step(struct model *m, struct fdb *fdb, struct instant *now)
{
	struct fdb_key key = key_of((uint32_t)rand() % NETWORKS, (uint16_t)((uint32_t)rand() % VLANS),
		(uint16_t)((uint32_t)rand() % HOSTS));
	uint32_t id = (uint32_t)rand() % LOCATIONS;
	struct fdb_location where = id % 2 ? port(id) : peer(id);
	struct known *k = model_find(m, &key);
	int what = rand() % 1000;

	now->ns += (uint64_t)(rand() % 300) * 1000000;
	if (what < 940) {
		enum fdb_result got = fdb_learn(fdb, &key, where, *now);
		enum fdb_result want = model_learn(m, fdb, &key, where, *now);

		assert_int_equal(got == FDB_FLAPPING ? FDB_MOVED : got, want);
	} else if (what < 950) {
		model_pin(m, fdb, &key, where);
	} else if (what < 975) {
		assert_int_equal(fdb_unpin(fdb, &key), k && k->pinned);
		if (k && k->pinned)
			k->used = false;
	} else if (what < 980) {
		bool statics = rand() % 2;

		fdb_flush_location(fdb, where, statics);
		model_flush(m, &where, NULL, statics);
	} else if (what < 985) {
		bool one = rand() % 2, statics = rand() % 2;

		fdb_flush_network(fdb, key.network, one ? &where : NULL, statics);
		model_flush(m, one ? &where : NULL, &key.network, statics);
	} else if (what < 990) {
		now->ns += (uint64_t)(rand() % (2 * (int)AGING_MS)) * 1000000;
	} else {
		uint32_t old = 0;

		for (size_t i = 0; i < CAPACITY; i++) {
			if (m->known[i].used && model_old(&m->known[i], *now)) {
				m->known[i].used = false;
				old++;
			}
		}
		assert_int_equal(fdb_age(fdb, *now), old);
	}
}

static void random_operations_match_a_model(void **state)
{
	(void)state;
	for (unsigned int seed = 1; seed <= 20; seed++) {
		struct fdb *fdb = make(CAPACITY, LOCATIONS, LIMIT);
		struct model m = { 0 };
		struct instant now = start;

		srand(seed);
		for (int i = 0; i < 5000; i++) {
			step(&m, fdb, &now);
			if (i % 16 == 0)
				compare(&m, fdb, now);
		}
		fdb_free(fdb);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(refuses_bad_configs),
		cmocka_unit_test(keys_differ_in_each_part),
		cmocka_unit_test(never_learns_groups_and_zero),
		cmocka_unit_test(ages_what_is_silent),
		cmocka_unit_test(a_clock_that_lags_ages_nothing),
		cmocka_unit_test(moves_are_told_and_flapping_too),
		cmocka_unit_test(a_location_has_its_limit),
		cmocka_unit_test(locations_have_a_limit),
		cmocka_unit_test(statics_stay),
		cmocka_unit_test(an_eviction_spares_what_is_in_use),
		cmocka_unit_test(a_flood_of_addresses_hurts_its_own_port_only),
		cmocka_unit_test(flushes_by_network),
		cmocka_unit_test(names_are_there),
		cmocka_unit_test(random_operations_match_a_model),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
