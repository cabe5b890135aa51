/*
 * fabric_fixture.h - a fabric in a folder of its own, and hosts that join it, for the controller's tests
 */
#ifndef TESTS_FABRIC_FIXTURE_H
#define TESTS_FABRIC_FIXTURE_H

#include "base/base64.h"
#include "base/error.h"
#include "controller/authority_create.h"
#include "controller/ca/authority.h"
#include "controller/enrol.h"
#include "crypto/identity.h"
#include "crypto/identity_issue.h"
#include "crypto/x25519.h"

#include <jansson.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

struct fabric_fixture {
	char dir[64];
	struct authority authority;
};

static inline void fabric_fixture_init(struct fabric_fixture *f, const char *listen)
{
	struct authority_wish wish = { .dir = f->dir, .name = "homelab", .listen = listen };
	struct error error;

	snprintf(f->dir, sizeof(f->dir), "/tmp/weft-fabric-XXXXXX");
	assert_non_null(mkdtemp(f->dir));
	if (authority_create(&wish, &error) < 0 || authority_load(f->dir, &f->authority, &error) < 0)
		fail_msg("%s", error.text);
}

static inline void fabric_fixture_fini(struct fabric_fixture *f)
{
	static const char *const files[] = { "ca.key", "ca.crt", "tls.key", "tls.crt", "controller.db",
		"controller.db-wal", "controller.json", "operator.json", "controller.sock" };

	authority_fini(&f->authority);
	for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++) {
		char path[128];

		snprintf(path, sizeof(path), "%s/%s", f->dir, files[i]);
		unlink(path);
	}
	assert_int_equal(rmdir(f->dir), 0);
}

/* What a host has and sends */
struct joiner {
	char *key_pem;
	json_t *request; /* without its token */
};

static inline struct joiner joiner_new(const char *host, const char *endpoint)
{
	char *csr, key_text[BASE64_TEXT_BYTES(32)], sig_text[BASE64_TEXT_BYTES(IDENTITY_SIGNATURE_BYTES)];
	uint8_t signature[IDENTITY_SIGNATURE_BYTES];
	struct x25519_public tunnel_key;
	struct joiner joiner;

	for (size_t i = 0; i < sizeof(tunnel_key.bytes); i++)
		tunnel_key.bytes[i] = (uint8_t)(rand() % 256);
	assert_int_equal(identity_key_create(&joiner.key_pem), 0);
	assert_int_equal(identity_csr_create(joiner.key_pem, host, &csr), 0);
	assert_int_equal(identity_tunnel_sign(joiner.key_pem, host, &tunnel_key, signature), 0);
	base64_encode(tunnel_key.bytes, 32, key_text);
	base64_encode(signature, sizeof(signature), sig_text);
	joiner.request = json_pack("{s:s, s:s, s:s, s:s*}", "csr", csr, "tunnel_key", key_text, "tunnel_sig", sig_text,
		"endpoint", endpoint);
	identity_pem_free(csr);
	return joiner;
}

static inline void joiner_free(struct joiner *joiner)
{
	identity_pem_free(joiner->key_pem);
	json_decref(joiner->request);
}

/* Decode a join token's JSON; base64url to base64 by hand */
static inline json_t *token_content(const char *token)
{
	char text[2048];
	unsigned char bytes[1536];
	size_t len = strlen(token + 6), pad = (4 - len % 4) % 4, out = (len + pad) / 4 * 3 - pad;

	assert_int_equal(strncmp(token, "weft1.", 6), 0);
	snprintf(text, sizeof(text), "%s%s", token + 6, pad == 1 ? "=" : pad == 2 ? "==" : "");
	for (char *at = text; *at; at++)
		*at = *at == '-' ? '+' : *at == '_' ? '/' : *at;
	assert_true(base64_decode(text, bytes, out));
	return json_loadb((const char *)bytes, out, 0, NULL);
}

#endif /* TESTS_FABRIC_FIXTURE_H */
