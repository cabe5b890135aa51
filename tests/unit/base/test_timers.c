/*
 * test_timers.c - the heap of deadlines against a naive model
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>

#include "base/timers.h"

#define TIMERS 300U
#define OPERATIONS 200000

static struct instant at(uint64_t ns)
{
	return (struct instant){ ns };
}

/* The naive way: look at all */
static struct instant earliest(const struct timer *all)
{
	struct instant next = { 0 };

	for (uint32_t i = 0; i < TIMERS; i++)
		if (all[i].place && (!next.ns || all[i].due.ns < next.ns))
			next = all[i].due;
	return next;
}

static void assert_well_formed(const struct timers *timers)
{
	for (uint32_t i = 0; i < timers->count; i++) {
		assert_int_equal(timers->heap[i]->place, i + 1);
		if (i)
			assert_true(timers->heap[(i - 1) / 2]->due.ns <= timers->heap[i]->due.ns);
	}
}

static void against_a_model(void **state)
{
	static struct timer all[TIMERS];
	struct timers timers;
	uint64_t now = 1;

	(void)state;
	srand(1);
	timers_init(&timers);
	assert_true(timers_reserve(&timers, TIMERS));
	for (int i = 0; i < OPERATIONS; i++) {
		struct timer *timer = &all[(uint32_t)rand() % TIMERS], *due;
		uint32_t count = timers.count, was_set = timer->place != 0;

		switch (rand() % 3) {
		case 0:
			timers_set(&timers, timer, at(now + (uint64_t)rand() % 50));
			assert_int_equal(timers.count, count + !was_set);
			break;
		case 1:
			timers_clear(&timers, timer);
			assert_int_equal(timers.count, count - was_set);
			break;
		default:
			now += (uint64_t)rand() % 3;
			while ((due = timers_take_due(&timers, at(now)))) {
				assert_true(due->due.ns <= now);
				assert_int_equal(due->place, 0);
				assert_true(!earliest(all).ns || earliest(all).ns >= due->due.ns);
			}
			assert_true(!earliest(all).ns || earliest(all).ns > now);
			break;
		}
		assert_int_equal(timers_next(&timers).ns, earliest(all).ns);
		if (i % 100 == 0)
			assert_well_formed(&timers);
	}
	timers_fini(&timers);
}

static void all_are_taken_in_order(void **state)
{
	static struct timer all[TIMERS];
	struct timers timers;
	struct timer *due;
	uint64_t last = 0;
	uint32_t count = 0;

	(void)state;
	timers_init(&timers);
	assert_null(timers_take_due(&timers, at(UINT64_MAX)));
	assert_int_equal(timers_next(&timers).ns, 0);
	for (uint32_t i = 0; i < TIMERS; i++) {
		assert_true(timers_reserve(&timers, i + 1));
		timers_set(&timers, &all[i], at(1 + (uint64_t)rand() % 100));
	}
	assert_null(timers_take_due(&timers, at(0)));
	while ((due = timers_take_due(&timers, at(1000)))) {
		assert_true(due->due.ns >= last);
		last = due->due.ns;
		count++;
	}
	assert_int_equal(count, TIMERS);
	timers_fini(&timers);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(against_a_model),
		cmocka_unit_test(all_are_taken_in_order),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
