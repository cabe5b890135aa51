/*
 * test_authority.c - a controller's folder read back, what is wrong with it told, and the small secrets
 */
#include "controller/ca/authority.h"

#include "base/base64.h"
#include "base/file.h"
#include "crypto/identity_issue.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

static const char config[] = "{\"fabric\":\"homelab\",\"listen\":\"[::]:4753\",\"address\":\"c.example.org:4753\"}";
static const char *const names[] = { "controller.json", "ca.crt", "ca.key", "tls.crt", "tls.key" };

#define NAMES (sizeof(names) / sizeof(names[0]))

static char dir[] = "/tmp/weft-authority-XXXXXX";
static char *ca_key, *ca, *tls_key, *tls;

static void path_of(const char *name, char path[64])
{
	snprintf(path, 64, "%s/%s", dir, name);
}

/* @text: NULL removes it */
static void put(const char *name, const char *text)
{
	char path[64];

	path_of(name, path);
	if (text)
		assert_int_equal(file_write(path, text, strlen(text), 0600), 0);
	else
		assert_int_equal(unlink(path), 0);
}

static int begin(void **state)
{
	(void)state;
	assert_non_null(mkdtemp(dir));
	assert_int_equal(identity_ca_create("homelab", time(NULL), &ca_key, &ca), 0);
	assert_int_equal(identity_controller_issue(ca_key, ca, "c", NULL, 0, time(NULL), &tls_key, &tls), 0);
	return 0;
}

static int end(void **state)
{
	(void)state;
	for (size_t i = 0; i < NAMES; i++) {
		char path[64];

		path_of(names[i], path);
		unlink(path);
	}
	identity_pem_free(ca_key);
	identity_pem_free(ca);
	identity_pem_free(tls_key);
	identity_pem_free(tls);
	return rmdir(dir);
}

/* A whole one before each test */
static int make_folder(void **state)
{
	(void)state;
	put("controller.json", config);
	put("ca.crt", ca);
	put("ca.key", ca_key);
	put("tls.crt", tls);
	put("tls.key", tls_key);
	return 0;
}

static void refused(int want, const char *said)
{
	struct authority authority;
	struct error error = { "" };

	assert_int_equal(authority_load(dir, &authority, &error), want);
	if (!strstr(error.text, said))
		fail_msg("'%s' does not say '%s'", error.text, said);
	authority_fini(&authority);
}

static void a_whole_folder(void **state)
{
	static const struct authority nothing;
	char fingerprint[IDENTITY_FINGERPRINT_BYTES];
	struct authority authority;
	struct error error;

	(void)state;
	assert_int_equal(authority_load(dir, &authority, &error), 0);
	assert_string_equal(authority.name, "homelab");
	assert_string_equal(authority.listen, "[::]:4753");
	assert_string_equal(authority.address, "c.example.org:4753");
	assert_string_equal(authority.ca_pem, ca);
	assert_string_equal(authority.ca_key_pem, ca_key);
	assert_string_equal(authority.tls_pem, tls);
	assert_string_equal(authority.tls_key_pem, tls_key);
	assert_true(identity_fingerprint(ca, fingerprint));
	assert_string_equal(authority.fingerprint, fingerprint);
	authority_fini(&authority);
	assert_memory_equal(&authority, &nothing, sizeof(nothing));
	authority_fini(&authority); /* nothing is left to free */
}

/* Who keeps the CA's key elsewhere has a controller nevertheless */
static void without_the_cas_key(void **state)
{
	struct authority authority;
	struct error error;

	(void)state;
	put("ca.key", NULL);
	assert_int_equal(authority_load(dir, &authority, &error), 0);
	assert_null(authority.ca_key_pem);
	assert_string_equal(authority.tls_key_pem, tls_key);
	authority_fini(&authority);
}

static void each_other_file_is_missed(void **state)
{
	static const char *const needed[] = { "ca.crt", "tls.crt", "tls.key" };

	for (size_t i = 0; i < sizeof(needed) / sizeof(needed[0]); i++) {
		make_folder(state);
		put(needed[i], NULL);
		refused(-ENOENT, needed[i]);
	}
	make_folder(state);
	put("controller.json", NULL);
	refused(-ENOENT, "weft init");
}

static void a_config_that_is_none(void **state)
{
	static const char *const bad[] = { "", "[]", "{\"fabric\":\"homelab\",\"listen\":\"[::]:4753\"}",
		"{\"fabric\":7,\"listen\":\"[::]:4753\",\"address\":\"a:1\"}",
		"{\"fabric\":\"a\",\"fabric\":\"b\",\"listen\":\"[::]:4753\",\"address\":\"a:1\"}" };

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		put("controller.json", bad[i]);
		refused(-EINVAL, "controller.json: line ");
	}
}

static void a_ca_that_is_none(void **state)
{
	char *other_key, *other;

	(void)state;
	put("ca.crt", "no PEM");
	refused(-EINVAL, "ca.crt is no certificate");
	assert_int_equal(identity_ca_create("homelab", time(NULL), &other_key, &other), 0);
	put("ca.crt", other);
	refused(-EINVAL, "ca.key does not belong to ");
	identity_pem_free(other_key);
	identity_pem_free(other);
}

static void hashes(void **state)
{
	(void)state;
	/* FIPS 180-4's examples */
	assert_string_equal(authority_hash("").text,
		"e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
	assert_string_equal(authority_hash("abc").text,
		"ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
}

static void secrets_as_text(void **state)
{
	static const uint8_t bytes[] = { 0xfb, 0xef, 0xff, 0xfa };
	static const char *const want[] = { "", "-w", "--8", "--__", "--__-g" };
	char text[BASE64_TEXT_BYTES(sizeof(bytes))];
	uint8_t secret[AUTHORITY_SECRET_BYTES];

	(void)state;
	for (size_t len = 0; len <= sizeof(bytes); len++) {
		authority_base64url(bytes, len, text);
		assert_string_equal(text, want[len]);
	}
	memset(secret, 0xff, sizeof(secret));
	assert_string_equal(authority_secret(secret).text, "__________________________________________8");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(a_whole_folder, make_folder),
		cmocka_unit_test_setup(without_the_cas_key, make_folder),
		cmocka_unit_test(each_other_file_is_missed),
		cmocka_unit_test_setup(a_config_that_is_none, make_folder),
		cmocka_unit_test_setup(a_ca_that_is_none, make_folder),
		cmocka_unit_test(hashes),
		cmocka_unit_test(secrets_as_text),
	};

	return cmocka_run_group_tests(tests, begin, end);
}
