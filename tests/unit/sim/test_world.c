/*
 * test_world.c - virtual time, its events, chance and the trace
 */
#include "tests/sim/world.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "base/random.h"
#include "crypto/identity.h"
#include "crypto/identity_issue.h"

#define EVENTS 500U

static struct world *world;

static int begin(void **state)
{
	(void)state;
	world = world_new(7, NULL);
	return 0;
}

static int end(void **state)
{
	(void)state;
	world_free(world);
	world_free(NULL);
	return 0;
}

/* One event of a test: when it ran, and as how many'th */
struct tick {
	struct event_at event;
	struct instant ran_at;
	uint32_t ran_as;
};

static uint32_t ticks_ran;

static void tick(void *ctx)
{
	struct tick *mine = ctx;

	mine->ran_at = world_now(world);
	mine->ran_as = ++ticks_ran;
}

static struct instant ms(uint64_t count)
{
	static struct instant start;

	if (!count)
		start = world_now(world);
	return instant_add_ms(start, count);
}

static void events_run_in_their_order(void **state)
{
	struct tick ticks[4] = { 0 };
	const struct instant start = ms(0);

	(void)state;
	ticks_ran = 0;
	world_at(world, &ticks[0].event, ms(20), tick, &ticks[0]);
	world_at(world, &ticks[1].event, ms(10), tick, &ticks[1]);
	world_at(world, &ticks[2].event, ms(20), tick, &ticks[2]);
	world_at(world, &ticks[3].event, ms(99), tick, &ticks[3]);
	world_run(world, ms(50));
	assert_int_equal(ticks[1].ran_as, 1);
	assert_int_equal(ticks[0].ran_as, 2); /* of one moment, who was asked for first */
	assert_int_equal(ticks[2].ran_as, 3);
	assert_int_equal(ticks[3].ran_as, 0);
	assert_int_equal(ticks[1].ran_at.ns, ms(10).ns);
	assert_int_equal(world_now(world).ns, ms(50).ns);
	assert_int_equal(world_wall(world), WORLD_EPOCH_S);
	world_run(world, ms(3000));
	assert_int_equal(ticks[3].ran_at.ns, ms(99).ns);
	assert_int_equal(world_wall(world), WORLD_EPOCH_S + 3);
	assert_int_equal(world_events(world), 4);
	assert_true(start.ns != 0);
}

static void what_is_past_happens_now_and_what_is_cancelled_does_not(void **state)
{
	struct tick ticks[3] = { 0 };

	(void)state;
	ticks_ran = 0;
	ms(0);
	world_run(world, ms(100));
	world_at(world, &ticks[0].event, ms(1), tick, &ticks[0]);
	world_at(world, &ticks[1].event, ms(110), tick, &ticks[1]);
	world_at(world, &ticks[2].event, ms(105), tick, &ticks[2]);
	world_at(world, &ticks[2].event, ms(300), tick, &ticks[2]); /* put off */
	world_cancel(world, &ticks[1].event);
	world_cancel(world, &ticks[1].event);
	world_run(world, ms(200));
	assert_int_equal(ticks[0].ran_at.ns, ms(100).ns);
	assert_int_equal(ticks_ran, 1);
	world_run(world, ms(300));
	assert_int_equal(ticks[2].ran_at.ns, ms(300).ns);
}

/* Random settings and cancellings against a plain list */
static void the_queue_agrees_with_a_list(void **state)
{
	static struct tick ticks[EVENTS];
	static uint64_t due_ms[EVENTS];
	uint64_t last = 0;

	(void)state;
	memset(ticks, 0, sizeof(ticks));
	memset(due_ms, 0, sizeof(due_ms));
	ticks_ran = 0;
	ms(0);
	for (uint32_t i = 0; i < 20 * EVENTS; i++) {
		const uint32_t which = (uint32_t)world_random_below(world, EVENTS);

		due_ms[which] = world_chance(world, 300000) ? 0 : 1 + world_random_below(world, 1000);
		if (due_ms[which])
			world_at(world, &ticks[which].event, ms(due_ms[which]), tick, &ticks[which]);
		else
			world_cancel(world, &ticks[which].event);
	}
	while (world_step(world, ms(5000))) {
		assert_true(world_now(world).ns >= last);
		last = world_now(world).ns;
	}
	for (uint32_t i = 0; i < EVENTS; i++)
		assert_int_equal(ticks[i].ran_at.ns, due_ms[i] ? ms(due_ms[i]).ns : 0);
}

/* A certificate's key and number, and a draw of ours */
static struct world_hash history(uint64_t seed)
{
	struct world_hash hash;
	char *key, *ca;
	uint8_t bytes[13];

	world_free(world);
	world = world_new(seed, NULL);
	random_fill(bytes, sizeof(bytes));
	assert_int_equal(identity_ca_create("sim", world_wall(world), &key, &ca), 0);
	world_trace(world, "%s %s %02x%02x %d", key, ca, bytes[0], bytes[12], (int)world_random_below(world, 1000));
	identity_pem_free(key);
	identity_pem_free(ca);
	hash = world_hash(world);
	return hash;
}

static void one_seed_is_one_history_openssl_included(void **state)
{
	const struct world_hash a = history(1), b = history(1), c = history(2);

	(void)state;
	assert_string_equal(a.text, b.text);
	assert_string_not_equal(a.text, c.text);
}

static void the_trace_has_time_and_text(void **state)
{
	char text[100] = "";
	FILE *file = tmpfile();
	struct world_hash empty;

	(void)state;
	world_free(world);
	world = world_new(1, file);
	empty = world_hash(world);
	world_run(world, (struct instant){ world_now(world).ns + 1500000000U });
	world_trace(world, "it is %d", 12);
	assert_string_not_equal(world_hash(world).text, empty.text);
	rewind(file);
	assert_non_null(fgets(text, sizeof(text), file));
	assert_string_equal(text, "     1.500000000 it is 12\n");
	fclose(file);
	world_free(world);
	world = world_new(1, NULL);
}

static void chance_is_as_likely_as_it_says(void **state)
{
	uint32_t hits = 0, low = 0;

	(void)state;
	for (uint32_t i = 0; i < 100000; i++) {
		hits += world_chance(world, 10000);
		low += world_random_below(world, 4) == 0;
		assert_false(world_chance(world, 0));
		assert_true(world_chance(world, 1000000));
	}
	assert_in_range(hits, 850, 1150);
	assert_in_range(low, 24000, 26000);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(events_run_in_their_order, begin, end),
		cmocka_unit_test_setup_teardown(what_is_past_happens_now_and_what_is_cancelled_does_not, begin, end),
		cmocka_unit_test_setup_teardown(the_queue_agrees_with_a_list, begin, end),
		cmocka_unit_test_setup_teardown(one_seed_is_one_history_openssl_included, begin, end),
		cmocka_unit_test_setup_teardown(the_trace_has_time_and_text, begin, end),
		cmocka_unit_test_setup_teardown(chance_is_as_likely_as_it_says, begin, end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
