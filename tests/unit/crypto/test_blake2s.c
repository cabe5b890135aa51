/*
 * test_blake2s.c - RFC 7693, the BLAKE2 authors' keyed vectors, and HMAC against OpenSSL's
 */
#include "crypto/blake2s.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <openssl/evp.h>
#include <openssl/hmac.h>

#include "base/random.h"
#include "tests/unit/crypto/hex.h"

static void rfc7693_abc(void **state)
{
	struct blake2s_digest got;
	uint8_t wanted[BLAKE2S_BYTES];

	(void)state;
	/* RFC 7693, appendix B */
	hex_decode("508c5e8c327c14e2e1a72ba34eeb452f37458b209ed63a294d999b4c86675982", wanted, sizeof(wanted));
	assert_true(blake2s_hash("abc", 3, NULL, 0, &got));
	assert_memory_equal(got.bytes, wanted, sizeof(wanted));
	assert_true(blake2s_hash("a", 1, "bc", 2, &got));
	assert_memory_equal(got.bytes, wanted, sizeof(wanted));
	assert_true(blake2s_hash(NULL, 0, "abc", 3, &got));
	assert_memory_equal(got.bytes, wanted, sizeof(wanted));
}

/* blake2s-kat of the BLAKE2 authors (github.com/BLAKE2/BLAKE2, testvectors/blake2-kat.json): in = 00, 01, 02, ... */
static void keyed_vectors(void **state)
{
	static const char *const wanted[] = {
		"48a8997da407876b3d79c0d92325ad3b89cbb754d86ab71aee047ad345fd2c49",
		"40d15fee7c328830166ac3f918650f807e7e01e177258cdc0a39b11f598066f1",
		"6bb71300644cd3991b26ccd4d274acd1adeab8b1d7914546c1198bbe9fc9d803",
	};
	uint8_t key[32];
	uint8_t in[3];
	uint8_t got[32];
	uint8_t bytes[32];

	(void)state;
	for (size_t i = 0; i < sizeof(key); i++)
		key[i] = (uint8_t)i;
	for (size_t i = 0; i < sizeof(in); i++)
		in[i] = (uint8_t)i;
	for (size_t i = 0; i < 3; i++) {
		hex_decode(wanted[i], bytes, sizeof(bytes));
		assert_true(blake2s_mac(key, sizeof(key), in, i, got, sizeof(got)));
		assert_memory_equal(got, bytes, sizeof(bytes));
	}
}

/* The digest's length is part of what is hashed */
static void short_macs_differ(void **state)
{
	const uint8_t key[16] = { 1 };
	uint8_t long_mac[32];
	uint8_t short_mac[16];

	(void)state;
	assert_true(blake2s_mac(key, sizeof(key), "abc", 3, long_mac, sizeof(long_mac)));
	assert_true(blake2s_mac(key, sizeof(key), "abc", 3, short_mac, sizeof(short_mac)));
	assert_memory_not_equal(long_mac, short_mac, sizeof(short_mac));
}

static void hmac_as_openssl(void **state)
{
	uint8_t key[130];
	uint8_t data[300];
	struct blake2s_digest got;
	uint8_t wanted[EVP_MAX_MD_SIZE];
	unsigned n;

	(void)state;
	random_fill(key, sizeof(key));
	random_fill(data, sizeof(data));
	for (size_t k = 1; k <= sizeof(key); k++) {
		size_t len = random_u32() % (sizeof(data) + 1);

		assert_non_null(HMAC(EVP_blake2s256(), key, (int)k, data, len, wanted, &n));
		assert_int_equal(n, BLAKE2S_BYTES);
		assert_true(blake2s_hmac(key, k, data, len, &got));
		assert_memory_equal(got.bytes, wanted, n);
	}
}

/* Section 4.3 of the Noise specification, written out */
static void hkdf_by_its_definition(void **state)
{
	struct blake2s_digest ck, temp, one, two, three, got1, got2, got3;
	uint8_t input[32];
	uint8_t text[33];

	(void)state;
	random_fill(&ck, sizeof(ck));
	random_fill(input, sizeof(input));
	assert_true(blake2s_hmac(ck.bytes, 32, input, 32, &temp));
	assert_true(blake2s_hmac(temp.bytes, 32, "\x01", 1, &one));
	memcpy(text, one.bytes, 32);
	text[32] = 2;
	assert_true(blake2s_hmac(temp.bytes, 32, text, 33, &two));
	memcpy(text, two.bytes, 32);
	text[32] = 3;
	assert_true(blake2s_hmac(temp.bytes, 32, text, 33, &three));
	assert_true(blake2s_hkdf(&ck, input, 32, &got1, &got2, &got3));
	assert_memory_equal(&got1, &one, 32);
	assert_memory_equal(&got2, &two, 32);
	assert_memory_equal(&got3, &three, 32);
	assert_true(blake2s_hkdf(&ck, input, 32, &ck, &got2, NULL)); /* in place */
	assert_memory_equal(&ck, &one, 32);
	assert_memory_equal(&got2, &two, 32);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(rfc7693_abc),
		cmocka_unit_test(keyed_vectors),
		cmocka_unit_test(short_macs_differ),
		cmocka_unit_test(hmac_as_openssl),
		cmocka_unit_test(hkdf_by_its_definition),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
