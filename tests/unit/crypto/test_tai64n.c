/*
 * test_tai64n.c - order, a clock set back, replays
 */
#include "crypto/tai64n.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "tests/unit/crypto/hex.h"

static void encoding(void **state)
{
	struct tai64n got = tai64n_from_unix(0, 0);
	uint8_t wanted[TAI64N_BYTES];

	(void)state;
	hex_decode("400000000000000a00000000", wanted, sizeof(wanted));
	assert_memory_equal(got.bytes, wanted, sizeof(wanted));
	/* cr.yp.to/libtai/tai64.html's own example of a label, 1992-06-02 08:07:09 TAI */
	hex_decode("400000002a2b2c2d075bcd15", wanted, sizeof(wanted));
	got = tai64n_from_unix(0x2a2b2c2d - 10, 123456789);
	assert_memory_equal(got.bytes, wanted, sizeof(wanted));
}

static void order(void **state)
{
	struct tai64n a = tai64n_from_unix(1000, 5);
	struct tai64n b = tai64n_from_unix(1000, 6);
	struct tai64n c = tai64n_from_unix(1001, 0);
	struct tai64n zero = { { 0 } };

	(void)state;
	assert_true(tai64n_compare(&a, &b) < 0);
	assert_true(tai64n_compare(&c, &b) > 0);
	assert_true(tai64n_compare(&a, &a) == 0);
	assert_true(tai64n_compare(&zero, &a) < 0);
}

static void next_is_always_later(void **state)
{
	struct tai64n last = { { 0 } };
	struct tai64n first = tai64n_next(&last, tai64n_from_unix(1000, 999999998));
	struct tai64n got;

	(void)state;
	got = tai64n_next(&last, tai64n_from_unix(1000, 999999998)); /* the clock stood still */
	assert_true(tai64n_compare(&got, &first) > 0);
	got = tai64n_next(&last, tai64n_from_unix(10, 0)); /* was set back; nanoseconds carry over */
	first = tai64n_from_unix(1001, 0);
	assert_memory_equal(&got, &first, sizeof(got));
	got = tai64n_next(&last, tai64n_from_unix(2000, 0));
	first = tai64n_from_unix(2000, 0);
	assert_memory_equal(&got, &first, sizeof(got));
}

static void replays_are_refused(void **state)
{
	struct tai64n greatest = { { 0 } };
	struct tai64n one = tai64n_from_unix(1000, 1);
	struct tai64n two = tai64n_from_unix(1000, 2);

	(void)state;
	assert_true(tai64n_accept(&greatest, &two));
	assert_false(tai64n_accept(&greatest, &two));
	assert_false(tai64n_accept(&greatest, &one));
	assert_memory_equal(&greatest, &two, sizeof(two));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(encoding),
		cmocka_unit_test(order),
		cmocka_unit_test(next_is_always_later),
		cmocka_unit_test(replays_are_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
