/*
 * test_x25519.c - RFC 7748's vectors, its iterations, and keys of small order
 */
#include "crypto/x25519.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "tests/unit/crypto/hex.h"

static struct x25519_private private_of(const char *hex)
{
	struct x25519_private key;

	hex_decode(hex, key.bytes, sizeof(key.bytes));
	return key;
}

static struct x25519_public public_of(const char *hex)
{
	struct x25519_public key;

	hex_decode(hex, key.bytes, sizeof(key.bytes));
	return key;
}

static void function_gives(const char *scalar, const char *u, const char *wanted)
{
	struct x25519_private private = private_of(scalar);
	struct x25519_keypair own;
	struct x25519_public other = public_of(u);
	struct x25519_public bytes = public_of(wanted);
	struct x25519_shared got;

	assert_true(x25519_from_private(&private, &own));
	assert_true(x25519(&own, &other, &got));
	assert_memory_equal(got.bytes, bytes.bytes, X25519_BYTES);
}

static void rfc7748_section_5_2(void **state)
{
	(void)state;
	function_gives("a546e36bf0527c9d3b16154b82465edd62144c0ac1fc5a18506a2244ba449ac4",
		"e6db6867583030db3594c1a424b15f7c726624ec26b3353b10a903a6d0ab1c4c",
		"c3da55379de9c6908e94ea4df28d084f32eccf03491c71f754b4075577a28552");
	function_gives("4b66e9d4d1b4673c5ad22691957d6af5c11b6421e0ea01d42ca4169e7918ba0d",
		"e5210f12786811d3f4b7959d0538ae2c31dbe7106fc03c3efc4cd549c715a493",
		"95cbde9476e8907d7aade45cb4b873f88b595a68799fa152e6f8f7647aac7957");
}

static void rfc7748_iterations(void **state)
{
	const char *nine = "0900000000000000000000000000000000000000000000000000000000000000";
	struct x25519_private k = private_of(nine);
	struct x25519_public u = public_of(nine);
	struct x25519_public after_1 = public_of("422c8e7a6227d7bca1350b3e2bb7279f7897b87bb6854b783c60e80311ae3079");
	struct x25519_public after_1000 = public_of("684cf59ba83309552800ef566f2f4d3c1c3887c49360e3875f2eb94d99532c51");

	(void)state;
	for (int i = 1; i <= 1000; i++) {
		struct x25519_keypair pair;
		struct x25519_shared r;

		assert_true(x25519_from_private(&k, &pair));
		assert_true(x25519(&pair, &u, &r));
		memcpy(u.bytes, k.bytes, X25519_BYTES);
		memcpy(k.bytes, r.bytes, X25519_BYTES);
		if (i == 1)
			assert_memory_equal(k.bytes, after_1.bytes, X25519_BYTES);
	}
	assert_memory_equal(k.bytes, after_1000.bytes, X25519_BYTES);
}

static void rfc7748_section_6_1(void **state)
{
	struct x25519_private a = private_of("77076d0a7318a57d3c16c17251b26645df4c2f87ebc0992ab177fba51db92c2a");
	struct x25519_private b = private_of("5dab087e624a8a4b79e17f8b83800ee66f3bb1292618b6fd1c2f8b27ff88e0eb");
	struct x25519_public a_public = public_of("8520f0098930a754748b7ddcb43ef75a0dbf3a0d26381af4eba4a98eaa9b4e6a");
	struct x25519_public b_public = public_of("de9edb7d7b7dc1b4d35b61c2ece435373f8343c85b78674dadfc7e146f882b4f");
	struct x25519_public wanted = public_of("4a5d9d5ba4ce2de1728e3bf480350f25e07e21c947d19e3376f09b3c1e161742");
	struct x25519_keypair alice, bob;
	struct x25519_shared one, two;

	(void)state;
	assert_true(x25519_from_private(&a, &alice));
	assert_true(x25519_from_private(&b, &bob));
	assert_memory_equal(&alice.public, &a_public, X25519_BYTES);
	assert_memory_equal(&bob.public, &b_public, X25519_BYTES);
	assert_true(x25519(&alice, &bob.public, &one));
	assert_true(x25519(&bob, &alice.public, &two));
	assert_memory_equal(one.bytes, wanted.bytes, X25519_BYTES);
	assert_memory_equal(two.bytes, wanted.bytes, X25519_BYTES);
}

/* Points of small order (cr.yp.to/ecdh.html, "validation"): whatever the private key, the result is zero */
static void small_order_is_refused(void **state)
{
	static const char *const points[] = {
		"0000000000000000000000000000000000000000000000000000000000000000",
		"0100000000000000000000000000000000000000000000000000000000000000",
		"e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800",
		"5f9c95bca3508c24b1d0b1559c83ef5b04445cc4581c8e86d8224eddd09f1157",
		"ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
		"edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
		"eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
	};
	static const struct x25519_shared zero;
	struct x25519_keypair own;

	(void)state;
	assert_true(x25519_generate(&own));
	for (size_t i = 0; i < sizeof(points) / sizeof(points[0]); i++) {
		struct x25519_public other = public_of(points[i]);
		struct x25519_shared got = { { 1 } };

		assert_false(x25519(&own, &other, &got));
		assert_memory_equal(&got, &zero, sizeof(zero));
	}
}

static void generated_pairs_agree(void **state)
{
	struct x25519_keypair one, two;
	struct x25519_shared left, right;

	(void)state;
	for (int i = 0; i < 20; i++) {
		assert_true(x25519_generate(&one));
		assert_true(x25519_generate(&two));
		assert_memory_not_equal(&one, &two, sizeof(one));
		assert_true(x25519(&one, &two.public, &left));
		assert_true(x25519(&two, &one.public, &right));
		assert_memory_equal(&left, &right, sizeof(left));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(rfc7748_section_5_2),
		cmocka_unit_test(rfc7748_iterations),
		cmocka_unit_test(rfc7748_section_6_1),
		cmocka_unit_test(small_order_is_refused),
		cmocka_unit_test(generated_pairs_agree),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
