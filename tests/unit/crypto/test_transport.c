/*
 * test_transport.c - lane keys: HKDF-Expand by its definition, and no two lanes alike
 */
#include "crypto/transport.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <string.h>

#include "crypto/aead_registry.h"
#include "crypto/blake2s.h"

static const struct noise_key direction = { { 1, 2, 3, 4, 5, 6, 7, 8 } };

static const enum aead_cipher ciphers[] = { AEAD_AES_256_GCM, AEAD_AES_128_GCM, AEAD_CHACHA20_POLY1305 };

static void by_its_definition(void **state)
{
	struct blake2s_digest one, two;
	struct transport_keys got;
	uint8_t text[32 + 15] = { 0 };

	(void)state;
	memcpy(text + 32, "weft lane v1\x02\x05\x01", 15);
	assert_true(blake2s_hmac(direction.bytes, 32, text + 32, 15, &one));
	memcpy(text, one.bytes, 32);
	text[46] = 2;
	assert_true(blake2s_hmac(direction.bytes, 32, text, 47, &two));
	assert_true(transport_lane_keys(&direction, AEAD_AES_128_GCM, 5, &got));
	assert_memory_equal(got.key.bytes, one.bytes, sizeof(got.key.bytes));
	assert_memory_equal(got.iv.bytes, two.bytes, sizeof(got.iv.bytes));
}

static void no_two_alike(void **state)
{
	struct transport_keys all[2 * 3 * TRANSPORT_LANES_MAX];
	struct noise_key other = direction;
	size_t n = 0;

	(void)state;
	other.bytes[31] ^= 1;
	for (size_t c = 0; c < 3; c++) {
		for (uint8_t lane = 0; lane < TRANSPORT_LANES_MAX; lane++) {
			assert_true(transport_lane_keys(&direction, ciphers[c], lane, &all[n++]));
			assert_true(transport_lane_keys(&other, ciphers[c], lane, &all[n++]));
		}
	}
	for (size_t i = 0; i < n; i++) {
		for (size_t j = 0; j < i; j++) {
			assert_memory_not_equal(&all[i].key, &all[j].key, 16); /* AES-128's half, too */
			assert_memory_not_equal(&all[i].iv, &all[j].iv, sizeof(all[i].iv));
		}
	}
}

static void a_lane_works(void **state)
{
	const uint8_t ad[AEAD_AD_BYTES] = { 9 };
	uint8_t sealed[5 + AEAD_TAG_BYTES];
	uint8_t out[5];

	(void)state;
	for (size_t c = 0; c < 3; c++) {
		struct aead *send = transport_lane_new(aead_backend_openssl(), &direction, ciphers[c], 3);
		struct aead *receive =
			transport_lane_new(aead_registry_fastest(ciphers[c], instant_now), &direction, ciphers[c], 3);
		struct aead *other = transport_lane_new(aead_backend_openssl(), &direction, ciphers[c], 4);

		assert_true(send && receive && other);
		assert_true(aead_seal(send, 1, ad, (const uint8_t *)"hello", 5, sealed));
		assert_true(aead_open(receive, 1, ad, sealed, sizeof(sealed), out));
		assert_memory_equal(out, "hello", 5);
		assert_false(aead_open(other, 1, ad, sealed, sizeof(sealed), out));
		aead_free(send);
		aead_free(receive);
		aead_free(other);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(by_its_definition),
		cmocka_unit_test(no_two_alike),
		cmocka_unit_test(a_lane_works),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
