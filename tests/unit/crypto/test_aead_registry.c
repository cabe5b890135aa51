/*
 * test_aead_registry.c - rows by number and by name, and the choice of the fastest on a clock of our own
 */
#include "crypto/aead_registry.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <string.h>

static void rows_and_names(void **state)
{
	const struct aead_backend *first = aead_registry_at(0);

	(void)state;
	assert_true(aead_registry_rows() >= 2);
	assert_non_null(first); /* the first row is always there, and has everything */
	for (unsigned int cipher = AEAD_AES_256_GCM; aead_cipher_known(cipher); cipher++)
		assert_true(aead_backend_has(first, (enum aead_cipher)cipher));
	for (size_t row = 0; row < aead_registry_rows(); row++) {
		const struct aead_backend *backend = aead_registry_at(row);

		if (backend)
			assert_ptr_equal(aead_registry_named(aead_backend_name(backend)), backend);
	}
	assert_null(aead_registry_at(aead_registry_rows()));
	assert_ptr_equal(aead_registry_named("openssl"), first);
	assert_null(aead_registry_named("openss"));
	assert_null(aead_registry_named(""));
}

/* Each backend that is here is asked in turn, with the clock read before and after: @slow says whose trials last longer */
static size_t here;
static size_t slow;
static uint64_t readings;

static struct instant uneven_clock(void)
{
	static uint64_t ns = 1;
	const size_t trial = (size_t)(readings / 2);

	if (readings++ % 2 == 1)
		ns += trial % here == slow ? 1000 : 10;
	return (struct instant){ ns };
}

static void the_fastest_by_the_clock_given(void **state)
{
	const struct aead_backend *backends[8];

	(void)state;
	here = 0;
	for (size_t row = 0; row < aead_registry_rows(); row++)
		if (aead_registry_at(row))
			backends[here++] = aead_registry_at(row);
	for (slow = 0; slow < here; slow++) {
		const struct aead_backend *fastest;

		readings = 0;
		fastest = aead_registry_fastest(AEAD_AES_128_GCM, uneven_clock);
		assert_true(readings >= 2 * here);
		if (here == 1)
			assert_ptr_equal(fastest, backends[0]);
		else
			assert_ptr_not_equal(fastest, backends[slow]);
	}
}

/* A clock that does not move tells none apart: the first row, which is always there */
static struct instant still_clock(void)
{
	return (struct instant){ 1 };
}

static void always_one(void **state)
{
	(void)state;
	for (unsigned int cipher = AEAD_AES_256_GCM; aead_cipher_known(cipher); cipher++) {
		const struct aead_backend *fastest = aead_registry_fastest((enum aead_cipher)cipher, instant_now);

		assert_non_null(fastest);
		assert_true(aead_backend_has(fastest, (enum aead_cipher)cipher));
		assert_ptr_equal(aead_registry_fastest((enum aead_cipher)cipher, still_clock), aead_registry_at(0));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(rows_and_names),
		cmocka_unit_test(the_fastest_by_the_clock_given),
		cmocka_unit_test(always_one),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
