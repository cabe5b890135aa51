/*
 * test_clock.c - arithmetic on instants, at their ends too, and a clock that does not go back
 */
#include "base/clock.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

static void it_never_says_never(void **state)
{
	struct instant last = instant_now();

	(void)state;
	assert_true(last.ns > 0);
	for (int i = 0; i < 10000; i++) {
		struct instant now = instant_now();

		assert_true(now.ns >= last.ns);
		last = now;
	}
}

static void sums_and_differences(void **state)
{
	const struct instant t = { 5000000000ULL };

	(void)state;
	assert_int_equal(instant_add_ms(t, 0).ns, t.ns);
	assert_int_equal(instant_add_ms(t, 250).ns, 5250000000ULL);
	assert_int_equal(instant_since_ms(instant_add_ms(t, 250), t), 250);
	assert_int_equal(instant_since_ms((struct instant){ t.ns + 999999 }, t), 0);
	assert_int_equal(instant_since_ms((struct instant){ t.ns + 1000000 }, t), 1);
	assert_int_equal(instant_since_ms(t, t), 0);
	assert_int_equal(instant_since_ms(t, instant_add_ms(t, 1)), 0); /* a later past counts as now */
	assert_int_equal(instant_since_ms((struct instant){ UINT64_MAX }, (struct instant){ 0 }), UINT64_MAX / 1000000);
}

static void deadlines(void **state)
{
	const struct instant deadline = { 1000 };

	(void)state;
	assert_false(instant_reached((struct instant){ 999 }, deadline));
	assert_true(instant_reached((struct instant){ 1000 }, deadline));
	assert_true(instant_reached((struct instant){ 1001 }, deadline));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(it_never_says_never),
		cmocka_unit_test(sums_and_differences),
		cmocka_unit_test(deadlines),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
