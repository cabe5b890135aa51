/*
 * blake2s.c - see blake2s.h
 */
#include "crypto/blake2s.h"

#include <assert.h>
#include <string.h>

#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <openssl/params.h>

#include "base/secret.h"

#define BLOCK_BYTES 64U

bool blake2s_hash(const void *a, size_t a_bytes, const void *b, size_t b_bytes, struct blake2s_digest *out)
{
	EVP_MD_CTX *ctx = EVP_MD_CTX_new();
	bool ok = ctx && EVP_DigestInit_ex(ctx, EVP_blake2s256(), NULL) == 1 &&
		(!a_bytes || EVP_DigestUpdate(ctx, a, a_bytes) == 1) &&
		(!b_bytes || EVP_DigestUpdate(ctx, b, b_bytes) == 1) && EVP_DigestFinal_ex(ctx, out->bytes, NULL) == 1;

	EVP_MD_CTX_free(ctx);
	return ok;
}

bool blake2s_mac(const void *key, size_t key_bytes, const void *data, size_t data_bytes, uint8_t *out, size_t out_bytes)
{
	EVP_MAC *mac = EVP_MAC_fetch(NULL, "BLAKE2SMAC", NULL);
	EVP_MAC_CTX *ctx = mac ? EVP_MAC_CTX_new(mac) : NULL;
	OSSL_PARAM params[] = {
		OSSL_PARAM_construct_size_t(OSSL_MAC_PARAM_SIZE, &out_bytes),
		OSSL_PARAM_construct_end(),
	};
	size_t n = 0;
	bool ok;

	assert(key_bytes >= 1 && key_bytes <= 32 && out_bytes >= 1 && out_bytes <= BLAKE2S_BYTES);
	ok = ctx && EVP_MAC_init(ctx, key, key_bytes, params) == 1 &&
		(!data_bytes || EVP_MAC_update(ctx, data, data_bytes) == 1) &&
		EVP_MAC_final(ctx, out, &n, out_bytes) == 1 && n == out_bytes;
	EVP_MAC_CTX_free(ctx);
	EVP_MAC_free(mac);
	return ok;
}

bool blake2s_hmac(const void *key, size_t key_bytes, const void *data, size_t data_bytes, struct blake2s_digest *out)
{
	struct blake2s_digest short_key = { { 0 } };
	struct blake2s_digest inner;
	uint8_t pad[BLOCK_BYTES] = { 0 };
	bool ok = false;

	if (key_bytes > BLOCK_BYTES) {
		if (!blake2s_hash(key, key_bytes, NULL, 0, &short_key))
			goto out;
		memcpy(pad, short_key.bytes, sizeof(short_key.bytes));
	} else if (key_bytes) {
		memcpy(pad, key, key_bytes);
	}
	for (size_t i = 0; i < BLOCK_BYTES; i++)
		pad[i] ^= 0x36;
	if (!blake2s_hash(pad, sizeof(pad), data, data_bytes, &inner))
		goto out;
	for (size_t i = 0; i < BLOCK_BYTES; i++)
		pad[i] ^= 0x36 ^ 0x5c;
	ok = blake2s_hash(pad, sizeof(pad), inner.bytes, sizeof(inner.bytes), out);
out:
	secret_wipe(pad, sizeof(pad));
	secret_wipe(&inner, sizeof(inner));
	secret_wipe(&short_key, sizeof(short_key));
	return ok;
}

/* HMAC of the previous output and the output's number */
static bool hkdf_step(const struct blake2s_digest *key, const struct blake2s_digest *previous, uint8_t number,
	struct blake2s_digest *out)
{
	uint8_t data[BLAKE2S_BYTES + 1];
	size_t n = 0;
	bool ok;

	if (previous) {
		memcpy(data, previous->bytes, BLAKE2S_BYTES);
		n = BLAKE2S_BYTES;
	}
	data[n++] = number;
	ok = blake2s_hmac(key->bytes, sizeof(key->bytes), data, n, out);
	secret_wipe(data, sizeof(data));
	return ok;
}

bool blake2s_hkdf(const struct blake2s_digest *chaining_key, const void *input, size_t input_bytes,
	struct blake2s_digest *out1, struct blake2s_digest *out2, struct blake2s_digest *out3)
{
	struct blake2s_digest temp;
	bool ok = blake2s_hmac(chaining_key->bytes, sizeof(chaining_key->bytes), input, input_bytes, &temp) &&
		hkdf_step(&temp, NULL, 1, out1) && hkdf_step(&temp, out1, 2, out2) &&
		(!out3 || hkdf_step(&temp, out2, 3, out3));

	secret_wipe(&temp, sizeof(temp));
	return ok;
}
