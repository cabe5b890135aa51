/*
 * test_base64.c - RFC 4648 section 10's vectors, and everything that is no base64
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "base/base64.h"
#include "base/random.h"

static const char *const plain[] = { "", "f", "fo", "foo", "foob", "fooba", "foobar" };
static const char *const coded[] = { "", "Zg==", "Zm8=", "Zm9v", "Zm9vYg==", "Zm9vYmE=", "Zm9vYmFy" };

static void rfc_vectors(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(plain) / sizeof(plain[0]); i++) {
		size_t len = strlen(plain[i]);
		char text[16], back[16];

		base64_encode(plain[i], len, text);
		assert_string_equal(text, coded[i]);
		assert_true(base64_decode(text, back, len));
		assert_memory_equal(back, plain[i], len);
		assert_false(base64_decode(text, back, len + 1 > 3 ? len - 3 : len + 3));
	}
}

static void round_trips(void **state)
{
	(void)state;
	for (size_t len = 0; len <= 64; len++) {
		uint8_t bytes[64], back[64];
		char text[BASE64_TEXT_BYTES(64)];

		random_fill(bytes, sizeof(bytes));
		base64_encode(bytes, len, text);
		assert_int_equal(strlen(text), BASE64_TEXT_BYTES(len) - 1);
		assert_true(base64_decode(text, back, len));
		assert_memory_equal(back, bytes, len);
	}
}

static void refuses_what_it_is_not(void **state)
{
	static const char *const bad[] = { "Zm9=", "Zm8", "Zm8==", "Z=8=", "Zm 8", "Zm8-", "Zm9=", "=m8=", "Zm9" };
	char out[2] = { 'x', 'x' };

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_false(base64_decode(bad[i], out, 2));
	assert_true(base64_decode("Zm8=\n", out, 2));
	for (int c = 1; c < 256; c++) {
		char text[5] = { 'Z', (char)c, '8', '=', 0 };
		int known = (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '+' ||
			c == '/';

		assert_int_equal(base64_decode(text, out, 2), known);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(rfc_vectors),
		cmocka_unit_test(round_trips),
		cmocka_unit_test(refuses_what_it_is_not),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
