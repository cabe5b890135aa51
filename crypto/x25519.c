/*
 * x25519.c - see x25519.h
 */
#include "crypto/x25519.h"

#include <string.h>

#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/params.h>

#include "base/random.h"
#include "base/secret.h"

bool x25519_generate(struct x25519_keypair *out)
{
	struct x25519_private private;
	bool ok;

	random_fill(&private, sizeof(private));
	ok = x25519_from_private(&private, out);
	secret_wipe(&private, sizeof(private));
	return ok;
}

bool x25519_from_private(const struct x25519_private *private, struct x25519_keypair *out)
{
	EVP_PKEY *key = EVP_PKEY_new_raw_private_key(EVP_PKEY_X25519, NULL, private->bytes, X25519_BYTES);
	struct x25519_keypair pair = { .private = *private };
	size_t n = X25519_BYTES;
	bool ok = key && EVP_PKEY_get_raw_public_key(key, pair.public.bytes, &n) == 1 && n == X25519_BYTES;

	if (ok)
		*out = pair;
	secret_wipe(&pair, sizeof(pair));
	EVP_PKEY_free(key);
	return ok;
}

/* As OpenSSL's object, without deriving what we have */
static EVP_PKEY *keypair_load(const struct x25519_keypair *pair)
{
	OSSL_PARAM params[] = {
		/* not written to, whatever the parameters' type says */
		OSSL_PARAM_construct_octet_string(OSSL_PKEY_PARAM_PRIV_KEY, (void *)(uintptr_t)pair->private.bytes,
			X25519_BYTES),
		OSSL_PARAM_construct_octet_string(OSSL_PKEY_PARAM_PUB_KEY, (void *)(uintptr_t)pair->public.bytes,
			X25519_BYTES),
		OSSL_PARAM_construct_end(),
	};
	EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_name(NULL, "X25519", NULL);
	EVP_PKEY *key = NULL;

	if (ctx && EVP_PKEY_fromdata_init(ctx) == 1 && EVP_PKEY_fromdata(ctx, &key, EVP_PKEY_KEYPAIR, params) != 1)
		key = NULL;
	EVP_PKEY_CTX_free(ctx);
	return key;
}

bool x25519(const struct x25519_keypair *own, const struct x25519_public *other, struct x25519_shared *out)
{
	static const uint8_t zero[X25519_BYTES];
	EVP_PKEY *key = keypair_load(own);
	EVP_PKEY *peer = EVP_PKEY_new_raw_public_key(EVP_PKEY_X25519, NULL, other->bytes, X25519_BYTES);
	EVP_PKEY_CTX *ctx = key ? EVP_PKEY_CTX_new(key, NULL) : NULL;
	size_t n = X25519_BYTES;
	bool ok = peer && ctx && EVP_PKEY_derive_init(ctx) == 1 && EVP_PKEY_derive_set_peer(ctx, peer) == 1 &&
		EVP_PKEY_derive(ctx, out->bytes, &n) == 1 && n == X25519_BYTES &&
		CRYPTO_memcmp(out->bytes, zero, X25519_BYTES) != 0;

	EVP_PKEY_CTX_free(ctx);
	EVP_PKEY_free(peer);
	EVP_PKEY_free(key);
	if (!ok) {
		ERR_clear_error(); /* or TLS in this thread would take our errors for its own */
		secret_wipe(out, sizeof(*out));
	}
	return ok;
}
