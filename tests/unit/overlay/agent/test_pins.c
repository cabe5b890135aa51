/*
 * test_pins.c - declared MACs against a real table: what stays is not touched, whatever comes and goes beside it
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "base/random.h"
#include "overlay/agent/pins.h"

#define CAPACITY 64U
#define KEYS 48U

static const struct instant now = { 1000000000 };
static struct fdb *fdb;
static struct pins pins;

static int open_table(void **state)
{
	const struct fdb_config config = {
		.capacity = CAPACITY,
		.locations = 16,
		.location_limit = 16,
		.aging_ms = FDB_AGING_MS,
		.seed = { 1, 2 },
	};

	(void)state;
	fdb = fdb_new(&config);
	memset(&pins, 0, sizeof(pins));
	return fdb ? 0 : -1;
}

static int close_table(void **state)
{
	(void)state;
	pins_fini(&pins);
	fdb_free(fdb);
	return 0;
}

static struct fdb_key key(uint32_t n)
{
	return (struct fdb_key){ .network = 1 + n % 3,
		.vlan = (uint16_t)(n % 2),
		.mac = { { 2, 0, 0, 0, 0, (uint8_t)n } } };
}

static struct pin port_pin(uint32_t n, uint32_t slot)
{
	return (struct pin){ key(n), { FDB_LOCAL, slot } };
}

static struct pin peer_pin(uint32_t n, uint32_t slot)
{
	return (struct pin){ key(n), { FDB_PEER, slot } };
}

static struct pins_change set(const struct pin *list, uint32_t count)
{
	struct pin *copy = malloc((count + 1) * sizeof(*copy));

	assert_non_null(copy);
	if (count)
		memcpy(copy, list, count * sizeof(*copy));
	return pins_set(&pins, fdb, copy, count);
}

/* Return: whether @n is pinned behind @where */
static bool pinned(uint32_t n, struct fdb_location where)
{
	const struct fdb_key wanted = key(n);
	struct fdb_entry entry;
	uint32_t cursor = 0;

	while (fdb_next(fdb, &cursor, now, &entry))
		if (entry.key.network == wanted.network && mac_equal(&entry.key.mac, &wanted.mac))
			return entry.pinned && fdb_location_equal(entry.location, where);
	return false;
}

static void what_stays_is_not_touched(void **state)
{
	const struct pin first[] = { port_pin(1, 1), port_pin(2, 2), peer_pin(3, 7) };
	const struct pin second[] = { peer_pin(3, 7), port_pin(4, 3), port_pin(1, 1), port_pin(2, 5) };
	struct pins_change change;

	(void)state;
	change = set(first, 3);
	assert_int_equal(change.added, 3);
	change = set(first, 3);
	assert_int_equal(change.added + change.moved + change.removed + change.refused, 0);
	change = set(second, 4);
	assert_int_equal(change.added, 1);
	assert_int_equal(change.moved, 1);
	assert_int_equal(change.removed, 0);
	assert_true(pinned(2, (struct fdb_location){ FDB_LOCAL, 5 }));
	change = set(NULL, 0);
	assert_int_equal(change.removed, 4);
	assert_int_equal(fdb_count(fdb), 0);
}

static void nobody_claims_what_stays(void **state)
{
	const struct pin list[] = { port_pin(1, 1) };
	const struct fdb_key claimed = key(1);

	(void)state;
	set(list, 1);
	for (int round = 0; round < 3; round++) {
		assert_int_equal(fdb_learn(fdb, &claimed, (struct fdb_location){ FDB_PEER, 2 }, now), FDB_STATIC);
		set(list, 1);
	}
}

/* The local port's, in whatever order they come */
static void of_two_that_declare_one(void **state)
{
	const struct pin list[] = { peer_pin(1, 4), port_pin(1, 6) }, turned[] = { port_pin(1, 6), peer_pin(1, 4) };

	(void)state;
	set(list, 2);
	assert_true(pinned(1, (struct fdb_location){ FDB_LOCAL, 6 }));
	assert_int_equal(set(turned, 2).moved, 0);
	assert_int_equal(pins.count, 1);
}

static void a_full_table_refuses_and_is_tried_again(void **state)
{
	struct pin list[CAPACITY + 8];
	struct pins_change change;

	(void)state;
	for (uint32_t i = 0; i < CAPACITY + 8; i++)
		list[i] = port_pin(i, 1);
	change = set(list, CAPACITY + 8);
	assert_true(change.refused >= 8);
	assert_int_equal(change.added + change.refused, CAPACITY + 8);
	assert_int_equal(pins.count, change.added);
	set(NULL, 0);
	change = set(list + CAPACITY, 8);
	assert_int_equal(change.added, 8);
}

/* Any lists after each other: what is pinned is what the last one says */
static void any_lists(void **state)
{
	(void)state;
	for (int round = 0; round < 500; round++) {
		struct fdb_location model[KEYS] = { 0 };
		struct pin list[KEYS];
		uint32_t count = 0;

		for (uint32_t n = 0; n < KEYS; n++) {
			if (random_u32() % 3 == 0)
				continue;
			list[count] = random_u32() % 2 ? port_pin(n, random_u32() % 8) : peer_pin(n, random_u32() % 8);
			model[n] = list[count++].location;
		}
		assert_int_equal(set(list, count).refused, 0);
		assert_int_equal(fdb_count(fdb), count);
		for (uint32_t n = 0; n < KEYS; n++)
			assert_int_equal(pinned(n, model[n]), model[n].kind != 0);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(what_stays_is_not_touched, open_table, close_table),
		cmocka_unit_test_setup_teardown(nobody_claims_what_stays, open_table, close_table),
		cmocka_unit_test_setup_teardown(of_two_that_declare_one, open_table, close_table),
		cmocka_unit_test_setup_teardown(a_full_table_refuses_and_is_tried_again, open_table, close_table),
		cmocka_unit_test_setup_teardown(any_lists, open_table, close_table),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
