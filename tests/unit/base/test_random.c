/*
 * test_random.c - random.c fills all of what it is given and nothing else, and secret.c wipes exactly that
 */
#include "base/random.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <string.h>

#include "base/secret.h"

#define ROOM 700U /* more than getrandom() gives at once without fail */

static void fills_exactly(void **state)
{
	uint8_t seen[ROOM + 2] = { 0 }, room[ROOM + 2];

	(void)state;
	for (int i = 0; i < 16; i++) { /* a byte stays 0 in all of them once in 2^128 */
		memset(room, 0, sizeof(room));
		random_fill(room + 1, ROOM);
		for (size_t at = 0; at < sizeof(room); at++)
			seen[at] |= room[at];
	}
	assert_int_equal(seen[0], 0);
	assert_int_equal(seen[ROOM + 1], 0);
	for (size_t at = 1; at <= ROOM; at++)
		assert_int_not_equal(seen[at], 0);
	memset(room, 0x5a, sizeof(room));
	random_fill(room, 0);
	assert_int_equal(room[0], 0x5a);
}

static void never_twice_the_same(void **state)
{
	uint64_t one[4], two[4];
	uint32_t all = 0, none = UINT32_MAX;

	(void)state;
	random_fill(one, sizeof(one));
	random_fill(two, sizeof(two));
	assert_memory_not_equal(one, two, sizeof(one));
	for (int i = 0; i < 256; i++) {
		uint32_t value = random_u32();

		all |= value;
		none &= value;
	}
	assert_int_equal(all, UINT32_MAX);
	assert_int_equal(none, 0);
}

static void wipes_exactly(void **state)
{
	uint8_t room[66];

	(void)state;
	memset(room, 0xa5, sizeof(room));
	secret_wipe(room + 1, 64);
	assert_int_equal(room[0], 0xa5);
	assert_int_equal(room[65], 0xa5);
	for (size_t at = 1; at <= 64; at++)
		assert_int_equal(room[at], 0);
	secret_wipe(NULL, 0); /* nothing to wipe is fine */
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(fills_exactly),
		cmocka_unit_test(never_twice_the_same),
		cmocka_unit_test(wipes_exactly),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
