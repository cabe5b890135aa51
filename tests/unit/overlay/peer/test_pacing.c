/*
 * test_pacing.c - an address is tried once a second, whoever is said to be there, and all of them so often and no more
 */
#include "overlay/peer/pacing.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static struct pacing pacing;
static struct instant now;

static int begin(void **state)
{
	(void)state;
	pacing_init(&pacing, (struct hash_seed){ 1, 2 });
	now = (struct instant){ 1000000000ULL };
	return 0;
}

static struct endpoint address(uint32_t number, uint16_t port)
{
	struct endpoint out = {
		.ip = { [10] = 0xff, 0xff, 10, (uint8_t)(number >> 16), (uint8_t)(number >> 8), (uint8_t)number },
		.port = port
	};

	return out;
}

static bool take(uint32_t number, uint16_t port)
{
	const struct endpoint to = address(number, port);

	return pacing_take(&pacing, &to, now);
}

static void once_a_second(void **state)
{
	(void)state;
	assert_true(take(1, 4754));
	assert_false(take(1, 4754));
	assert_true(take(2, 4754));
	assert_true(take(1, 4755));
	now = instant_add_ms(now, PACING_MS - 1);
	assert_false(take(1, 4754));
	now = instant_add_ms(now, 1);
	assert_true(take(1, 4754));
	assert_false(take(1, 4754));
}

/* More than it holds: those that are remembered are never forgotten within their second, so no address gets two */
static void many_wait_for_room(void **state)
{
	static uint8_t taken[20000];
	uint32_t count = 0;

	(void)state;
	for (uint32_t round = 0; round < 3; round++)
		for (uint32_t i = 0; i < sizeof(taken); i++) {
			if (!take(i, 4754))
				continue;
			assert_int_equal(taken[i]++, 0);
			count++;
		}
	assert_in_range(count, PACING_SETS * PACING_WAYS / 2, PACING_SETS * PACING_WAYS);
	now = instant_add_ms(now, PACING_MS);
	assert_true(take(19999, 4754));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(once_a_second, begin),
		cmocka_unit_test_setup(many_wait_for_room, begin),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
