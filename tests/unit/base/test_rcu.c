/*
 * test_rcu.c - what was deferred is freed, after the readers that held it and not before
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdlib.h>

#include "base/rcu.h"

#define READERS 3
#define ROUNDS 20000
#define ALIVE 0x600dU

struct thing {
	uint32_t alive;
	uint32_t value;
};

static struct thing *shared;
static bool stop;
static uint32_t freed; /* atomic */

static void free_thing(void *arg)
{
	struct thing *thing = arg;

	thing->alive = 0;
	free(thing);
	__atomic_fetch_add(&freed, 1, __ATOMIC_RELAXED);
}

static struct thing *new_thing(uint32_t value)
{
	struct thing *thing = calloc(1, sizeof(*thing));

	assert_non_null(thing);
	thing->alive = ALIVE;
	thing->value = value;
	return thing;
}

static void *read_on(void *arg)
{
	uint64_t *bad = arg;
	uint32_t last = 0;

	rcu_thread_begin();
	while (!__atomic_load_n(&stop, __ATOMIC_ACQUIRE)) {
		const struct thing *thing;

		rcu_enter();
		thing = rcu_get(&shared);
		*bad += thing->alive != ALIVE || thing->value < last;
		last = thing->value;
		rcu_leave();
	}
	rcu_thread_end();
	return NULL;
}

static void readers_never_see_what_was_freed(void **state)
{
	pthread_t threads[READERS];
	uint64_t bad[READERS] = { 0 };

	(void)state;
	shared = new_thing(0);
	freed = 0;
	for (int i = 0; i < READERS; i++)
		assert_int_equal(pthread_create(&threads[i], NULL, read_on, &bad[i]), 0);
	for (uint32_t value = 1; value <= ROUNDS; value++) {
		struct thing *old = shared;

		rcu_publish(&shared, new_thing(value));
		rcu_defer(free_thing, old);
	}
	__atomic_store_n(&stop, true, __ATOMIC_RELEASE);
	for (int i = 0; i < READERS; i++) {
		pthread_join(threads[i], NULL);
		assert_int_equal(bad[i], 0);
	}
	rcu_drain();
	assert_int_equal(__atomic_load_n(&freed, __ATOMIC_RELAXED), ROUNDS);
	free(shared);
}

static void *hold(void *arg)
{
	pthread_barrier_t *barrier = arg;

	rcu_thread_begin();
	rcu_enter();
	pthread_barrier_wait(barrier); /* in */
	pthread_barrier_wait(barrier); /* may leave */
	rcu_leave();
	rcu_thread_end();
	return NULL;
}

static void the_caller_does_not_wait(void **state)
{
	pthread_barrier_t barrier;
	pthread_t thread;

	(void)state;
	freed = 0;
	assert_int_equal(pthread_barrier_init(&barrier, NULL, 2), 0);
	assert_int_equal(pthread_create(&thread, NULL, hold, &barrier), 0);
	pthread_barrier_wait(&barrier);
	rcu_defer(free_thing, new_thing(1)); /* with a reader inside, rcu_wait() would never return here */
	assert_int_equal(__atomic_load_n(&freed, __ATOMIC_RELAXED), 0);
	pthread_barrier_wait(&barrier);
	rcu_drain();
	assert_int_equal(__atomic_load_n(&freed, __ATOMIC_RELAXED), 1);
	pthread_join(thread, NULL);
	pthread_barrier_destroy(&barrier);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(readers_never_see_what_was_freed),
		cmocka_unit_test(the_caller_does_not_wait),
	};
	int failed;

	rcu_thread_begin();
	failed = cmocka_run_group_tests(tests, NULL, NULL);
	rcu_thread_end();
	return failed;
}
