/*
 * test_fdb_threads.c - the MAC table under several threads at once; run under ThreadSanitizer too
 *
 * A location carries what its address must be, so that a reader who was misled by an entry in motion would see
 * a location that never belonged to the address it asked for.
 */
#include "switch/fdb.h"

#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

#define HOSTS 512U
#define WORKERS 3
#define ROUNDS 60000U

static struct fdb *fdb;
static bool stopped;
static uint64_t wrong;

static struct fdb_key key_of(uint32_t host)
{
	return (struct fdb_key){ host % 3, (uint16_t)(host % 5),
		{ { 0x52, 0, 0, 0, (uint8_t)(host >> 8), (uint8_t)host } } };
}

/* Two places for each host, both of which say which host it is */
static struct fdb_location place_of(uint32_t host, bool other)
{
	return (struct fdb_location){ other ? FDB_PEER : FDB_LOCAL, host };
}

static uint32_t next_random(uint32_t *state)
{
	*state = *state * 1664525U + 1013904223U;
	return *state >> 8;
}

static void *work(void *argument)
{
	uint32_t random = (uint32_t)(uintptr_t)argument;
	uint64_t bad = 0;

	for (uint32_t i = 0; i < ROUNDS; i++) {
		uint32_t host = next_random(&random) % HOSTS;
		struct instant now = { 1000000000ULL + i * 100000ULL };
		struct fdb_key key = key_of(host);
		struct fdb_location found;

		fdb_learn(fdb, &key, place_of(host, next_random(&random) % 8 == 0), now);
		host = next_random(&random) % HOSTS;
		key = key_of(host);
		if (fdb_lookup(fdb, &key, now, &found) && found.id != host)
			bad++;
	}
	__atomic_fetch_add(&wrong, bad, __ATOMIC_RELAXED);
	return NULL;
}

static void *control(void *argument)
{
	uint32_t random = 99;
	uint64_t bad = 0;

	(void)argument;
	while (!__atomic_load_n(&stopped, __ATOMIC_RELAXED)) {
		struct instant now = { 1000000000ULL };
		uint32_t cursor = 0, host = next_random(&random) % HOSTS;
		struct fdb_key key = key_of(host);
		struct fdb_entry entry;

		fdb_flush_location(fdb, place_of(host, false), false);
		if (fdb_pin(fdb, &key, place_of(host, true)) == 0)
			fdb_unpin(fdb, &key);
		fdb_age(fdb, now);
		while (fdb_next(fdb, &cursor, now, &entry)) {
			struct fdb_key want = key_of(entry.location.id);

			if (!mac_equal(&want.mac, &entry.key.mac) || want.network != entry.key.network)
				bad++;
		}
	}
	__atomic_fetch_add(&wrong, bad, __ATOMIC_RELAXED);
	return NULL;
}

static void readers_never_see_what_never_was(void **state)
{
	/* smaller than what is learned, with few buckets: evictions and reused slots all the time */
	const struct fdb_config config = { 128, 1024, 16, 300000, { 7, 8 } };
	pthread_t workers[WORKERS], controller;

	(void)state;
	fdb = fdb_new(&config);
	assert_non_null(fdb);
	assert_int_equal(pthread_create(&controller, NULL, control, NULL), 0);
	for (uintptr_t i = 0; i < WORKERS; i++)
		assert_int_equal(pthread_create(&workers[i], NULL, work, (void *)(i + 1)), 0);
	for (int i = 0; i < WORKERS; i++)
		pthread_join(workers[i], NULL);
	__atomic_store_n(&stopped, true, __ATOMIC_RELAXED);
	pthread_join(controller, NULL);
	assert_int_equal(wrong, 0);
	assert_true(fdb_count(fdb) <= 128);
	/* and it is whole: every address can still be learned and dropped */
	for (uint32_t host = 0; host < HOSTS; host++) {
		struct fdb_key key = key_of(host);
		struct fdb_location found;

		fdb_learn(fdb, &key, place_of(host, true), (struct instant){ 1000000000ULL });
		assert_true(fdb_lookup(fdb, &key, (struct instant){ 1000000000ULL }, &found) && found.id == host);
	}
	assert_int_equal(fdb_count(fdb), 128);
	for (uint32_t network = 0; network < 3; network++)
		fdb_flush_network(fdb, network, NULL, true);
	assert_int_equal(fdb_count(fdb), 0);
	fdb_free(fdb);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(readers_never_see_what_never_was),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
