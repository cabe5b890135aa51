/*
 * test_throttle.c - failures are counted by source, forgotten in time, and the table stays bounded
 */
#include "controller/throttle.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#define STEP_MS (1000ULL * THROTTLE_SECONDS)

static struct throttle throttle;
static const struct instant start = { 1000000000000ULL };

static struct endpoint source(const char *text)
{
	struct endpoint endpoint;

	assert_true(endpoint_parse(text, 1, &endpoint));
	return endpoint;
}

static int set_up(void **state)
{
	(void)state;
	throttle_init(&throttle, hash_seed_random());
	return 0;
}

static unsigned int failures_until_refused(const struct endpoint *from, struct instant now)
{
	unsigned int count = 0;

	while (count < 1000 && throttle_ok(&throttle, from, now)) {
		throttle_failed(&throttle, from, now);
		count++;
	}
	return count;
}

static void refused_and_forgotten(void **state)
{
	struct endpoint guesser = source("192.0.2.1"), other = source("192.0.2.2");

	(void)state;
	assert_int_equal(failures_until_refused(&guesser, start), THROTTLE_FAILURES);
	assert_true(throttle_ok(&throttle, &other, start));
	assert_false(throttle_ok(&throttle, &guesser, instant_add_ms(start, STEP_MS - 2)));
	assert_int_equal(failures_until_refused(&guesser, instant_add_ms(start, STEP_MS + 1)), 1);
	assert_int_equal(failures_until_refused(&guesser, instant_add_ms(start, 1000 * STEP_MS)), THROTTLE_FAILURES);
}

static void ipv6_counts_by_64(void **state)
{
	struct endpoint one = source("2001:db8::1"), same = source("2001:db8::ffff:2"),
			next = source("2001:db8:0:1::1");

	(void)state;
	failures_until_refused(&one, start);
	assert_false(throttle_ok(&throttle, &same, start));
	assert_true(throttle_ok(&throttle, &next, start));
}

/* However many sources there are: those that failed last are known */
static void many_sources(void **state)
{
	struct endpoint last;
	struct instant now = start;

	(void)state;
	for (uint32_t i = 0; i < 100000; i++) {
		char text[32];

		now = instant_add_ms(now, 1);
		snprintf(text, sizeof(text), "10.%u.%u.%u", i >> 16, i >> 8 & 255, i & 255);
		last = source(text);
		throttle_failed(&throttle, &last, now);
	}
	assert_int_equal(failures_until_refused(&last, now), THROTTLE_FAILURES - 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(refused_and_forgotten, set_up),
		cmocka_unit_test_setup(ipv6_counts_by_64, set_up),
		cmocka_unit_test_setup(many_sources, set_up),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
