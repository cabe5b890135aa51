/*
 * test_chachapoly.c - RFC 8439, tampering, truncation
 */
#include "crypto/chachapoly.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdlib.h>

#include "base/secret.h"
#include "tests/unit/crypto/hex.h"

/* RFC 8439, section 2.8.2 */
static const char rfc_key[] = "808182838485868788898a8b8c8d8e8f909192939495969798999a9b9c9d9e9f";
static const char rfc_nonce[] = "070000004041424344454647";
static const char rfc_ad[] = "50515253c0c1c2c3c4c5c6c7";
static const char rfc_plain[] = "Ladies and Gentlemen of the class of '99: If I could offer you only one tip for the "
				"future, sunscreen would be it.";
static const char rfc_sealed[] = "d31a8d34648e60db7b86afbc53ef7ec2a4aded51296e08fea9e2b5a736ee62d63dbea45e8ca9671282fa"
				 "fb69da92728b1a71de0a9e060b2905d6a5b67ecd3b3692ddbd7f2d778b8c9803aee328091b58fab324e4"
				 "fad675945585808b4831d7bc3ff4def08e4b7a9de576d26586cec64b61161ae10b594f09e26a7e902ecb"
				 "d0600691";

#define PLAIN_BYTES (sizeof(rfc_plain) - 1)
#define SEALED_BYTES (PLAIN_BYTES + CHACHAPOLY_TAG_BYTES)

struct rfc {
	uint8_t key[32];
	uint8_t nonce[12];
	uint8_t ad[12];
	uint8_t sealed[SEALED_BYTES];
};

static struct rfc rfc(void)
{
	struct rfc r;

	hex_decode(rfc_key, r.key, sizeof(r.key));
	hex_decode(rfc_nonce, r.nonce, sizeof(r.nonce));
	hex_decode(rfc_ad, r.ad, sizeof(r.ad));
	assert_int_equal(hex_decode(rfc_sealed, r.sealed, sizeof(r.sealed)), SEALED_BYTES);
	return r;
}

static void published_vector(void **state)
{
	struct rfc r = rfc();
	uint8_t out[SEALED_BYTES];

	(void)state;
	assert_true(chachapoly_seal(r.key, r.nonce, r.ad, sizeof(r.ad), (const uint8_t *)rfc_plain, PLAIN_BYTES, out));
	assert_memory_equal(out, r.sealed, SEALED_BYTES);
	assert_true(chachapoly_open(r.key, r.nonce, r.ad, sizeof(r.ad), out, SEALED_BYTES, out));
	assert_memory_equal(out, rfc_plain, PLAIN_BYTES);
}

static void every_byte_flipped(void **state)
{
	struct rfc r = rfc();
	uint8_t out[SEALED_BYTES];

	(void)state;
	for (size_t i = 0; i < SEALED_BYTES; i++) {
		r.sealed[i] ^= 0x80;
		assert_false(chachapoly_open(r.key, r.nonce, r.ad, sizeof(r.ad), r.sealed, SEALED_BYTES, out));
		r.sealed[i] ^= 0x80;
	}
	for (size_t i = 0; i < sizeof(r.ad); i++) {
		r.ad[i] ^= 1;
		assert_false(chachapoly_open(r.key, r.nonce, r.ad, sizeof(r.ad), r.sealed, SEALED_BYTES, out));
		r.ad[i] ^= 1;
	}
	for (size_t i = 0; i < sizeof(r.nonce); i++) {
		r.nonce[i] ^= 1;
		assert_false(chachapoly_open(r.key, r.nonce, r.ad, sizeof(r.ad), r.sealed, SEALED_BYTES, out));
		r.nonce[i] ^= 1;
	}
	assert_true(chachapoly_open(r.key, r.nonce, r.ad, sizeof(r.ad), r.sealed, SEALED_BYTES, out));
}

static void every_truncated_length(void **state)
{
	struct rfc r = rfc();

	(void)state;
	for (size_t len = 0; len < SEALED_BYTES; len++) {
		uint8_t *cut = malloc(len + 1);
		uint8_t *out = malloc(len + 1);

		assert_true(cut && out);
		memcpy(cut, r.sealed, len);
		assert_false(chachapoly_open(r.key, r.nonce, r.ad, sizeof(r.ad), cut, len, out));
		free(cut);
		free(out);
	}
}

static void nothing_at_all(void **state)
{
	struct rfc r = rfc();
	uint8_t sealed[CHACHAPOLY_TAG_BYTES];
	uint8_t none;

	(void)state;
	assert_true(chachapoly_seal(r.key, r.nonce, NULL, 0, NULL, 0, sealed));
	assert_true(chachapoly_open(r.key, r.nonce, NULL, 0, sealed, sizeof(sealed), &none));
	sealed[3] ^= 1;
	assert_false(chachapoly_open(r.key, r.nonce, NULL, 0, sealed, sizeof(sealed), &none));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(published_vector),
		cmocka_unit_test(every_byte_flipped),
		cmocka_unit_test(every_truncated_length),
		cmocka_unit_test(nothing_at_all),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
