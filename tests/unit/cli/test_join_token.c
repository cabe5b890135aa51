/*
 * test_join_token.c - join tokens and the pinning of the CA: right ones in, everything else out
 */
#include "cli/join_token.h"

#include "base/base64.h"
#include "crypto/identity_issue.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#define F64 "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
#define GOOD "{\"c\": \"203.0.113.5:4753\", \"f\": \"" F64 "\", \"s\": \"se-_cret\", \"h\": \"aws-1\"}"

static void encode(const char *json, char out[1024])
{
	char base64[1024];
	size_t used = 0;

	base64_encode(json, strlen(json), base64);
	strcpy(out, "weft1.");
	used = strlen(out);
	for (const char *at = base64; *at && *at != '='; at++)
		out[used++] = *at == '+' ? '-' : *at == '/' ? '_' : *at;
	out[used] = '\0';
}

static void takes_a_token(void **state)
{
	char text[1024], pasted[1100];
	struct join_token token;
	const char *why;

	(void)state;
	encode(GOOD, text);
	assert_true(join_token_decode(text, &token, &why));
	assert_string_equal(token.controller, "203.0.113.5:4753");
	assert_string_equal(token.fingerprint, F64);
	assert_string_equal(token.secret, "se-_cret");
	assert_string_equal(token.host, "aws-1");
	snprintf(pasted, sizeof(pasted), " \t%s\r\n", text);
	assert_true(join_token_decode(pasted, &token, &why));
}

static void refuses_other_text(void **state)
{
	static const char *const bad[] = { "", "weft1.", "weft1", "weft2.eyJ9", "hello", "weft1.####",
		"weft1.e30 weft1.e30", "weft1.e30=", "weft1.e", "weft1.bm90IGpzb24" };
	static const char *const bad_json[] = { "{}", "[]", "5",
		"{\"c\": \"\", \"f\": \"" F64 "\", \"s\": \"s\", \"h\": \"a\"}",
		"{\"c\": \"evil/x@y:1\", \"f\": \"" F64 "\", \"s\": \"s\", \"h\": \"a\"}",
		"{\"c\": \"host:0\", \"f\": \"" F64 "\", \"s\": \"s\", \"h\": \"a\"}",
		"{\"c\": \"a:1\", \"f\": \"" F64 "0\", \"s\": \"s\", \"h\": \"a\"}",
		"{\"c\": \"a:1\", \"f\": \"0123\", \"s\": \"s\", \"h\": \"a\"}",
		"{\"c\": \"a:1\", \"f\": \"" F64 "\", \"s\": \"\", \"h\": \"a\"}",
		"{\"c\": \"a:1\", \"f\": \"" F64 "\", \"s\": \"s\", \"h\": \"A\"}",
		"{\"c\": \"a:1\", \"f\": \"" F64 "\", \"s\": \"s\", \"h\": 5}",
		"{\"c\": \"a:1\", \"f\": \"" F64 "\", \"s\": \"s\"}" };
	struct join_token token;
	const char *why = NULL;
	char text[1024];

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_false(join_token_decode(bad[i], &token, &why));
	for (size_t i = 0; i < sizeof(bad_json) / sizeof(bad_json[0]); i++) {
		encode(bad_json[i], text);
		assert_false(join_token_decode(text, &token, &why));
	}
	assert_non_null(why);
}

/* Every shortened token is refused: none may pass as a smaller whole */
static void refuses_every_length(void **state)
{
	struct join_token token;
	const char *why;
	char text[1024];

	(void)state;
	encode(GOOD, text);
	for (size_t n = strlen(text) - 1;; n--) {
		text[n] = '\0';
		assert_false(join_token_decode(text, &token, &why));
		if (n == 0)
			break;
	}
}

/* Whoever answers before the CA is pinned may send anything; only the pinned certificate may come out */
static void pins_one_certificate(void **state)
{
	char fingerprint[IDENTITY_FINGERPRINT_BYTES], other_fingerprint[IDENTITY_FINGERPRINT_BYTES];
	char *key, *ca, *other_key, *other_ca, *pinned;
	char both[2 * IDENTITY_PEM_MAX_BYTES];

	(void)state;
	assert_int_equal(identity_ca_create("homelab", time(NULL), &key, &ca), 0);
	assert_int_equal(identity_ca_create("homelab", time(NULL), &other_key, &other_ca), 0);
	assert_true(identity_fingerprint(ca, fingerprint));
	assert_true(identity_fingerprint(other_ca, other_fingerprint));

	pinned = ca_pem_pin(ca, fingerprint);
	assert_non_null(pinned);
	assert_string_equal(pinned, ca);
	free(pinned);
	assert_null(ca_pem_pin(other_ca, fingerprint));
	assert_null(ca_pem_pin("", fingerprint));
	assert_null(ca_pem_pin("-----BEGIN CERTIFICATE-----\n", fingerprint));

	snprintf(both, sizeof(both), "%s%s", ca, other_ca);
	pinned = ca_pem_pin(both, fingerprint);
	assert_non_null(pinned);
	assert_string_equal(pinned, ca);
	free(pinned);
	assert_null(ca_pem_pin(both, other_fingerprint));

	snprintf(both, sizeof(both), "%s%s", other_ca, ca);
	assert_null(ca_pem_pin(both, fingerprint));

	snprintf(both, sizeof(both), "-----BEGIN X509 CERTIFICATE-----\n%s", ca);
	pinned = ca_pem_pin(both, fingerprint);
	assert_non_null(pinned);
	assert_string_equal(pinned, ca);
	free(pinned);

	for (size_t i = 0; i < strlen(ca); i++) {
		char *damaged = strdup(ca);

		damaged[i] ^= 1;
		pinned = ca_pem_pin(damaged, fingerprint);
		if (pinned) /* a line break or a bit that base64 does not carry: the certificate is the same */
			assert_true(identity_fingerprint(pinned, other_fingerprint) &&
				strcmp(other_fingerprint, fingerprint) == 0);
		free(pinned);
		free(damaged);
	}
	identity_pem_free(key);
	identity_pem_free(ca);
	identity_pem_free(other_key);
	identity_pem_free(other_ca);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(takes_a_token),
		cmocka_unit_test(refuses_other_text),
		cmocka_unit_test(refuses_every_length),
		cmocka_unit_test(pins_one_certificate),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
