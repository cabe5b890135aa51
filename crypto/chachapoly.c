/*
 * chachapoly.c - see chachapoly.h
 */
#include "crypto/chachapoly.h"

#include <limits.h>
#include <string.h>

#include <openssl/err.h>
#include <openssl/evp.h>

bool chachapoly_seal(const uint8_t key[CHACHAPOLY_KEY_BYTES], const uint8_t nonce[CHACHAPOLY_NONCE_BYTES],
	const void *ad, size_t ad_bytes, const uint8_t *plain, size_t len_bytes, uint8_t *out)
{
	EVP_CIPHER_CTX *ctx = EVP_CIPHER_CTX_new();
	int n;
	bool ok = ctx && ad_bytes <= INT_MAX && len_bytes <= INT_MAX &&
		EVP_EncryptInit_ex(ctx, EVP_chacha20_poly1305(), NULL, key, nonce) == 1 &&
		(!ad_bytes || EVP_EncryptUpdate(ctx, NULL, &n, ad, (int)ad_bytes) == 1) &&
		(!len_bytes || EVP_EncryptUpdate(ctx, out, &n, plain, (int)len_bytes) == 1) &&
		EVP_EncryptFinal_ex(ctx, out + len_bytes, &n) == 1 &&
		EVP_CIPHER_CTX_ctrl(ctx, EVP_CTRL_AEAD_GET_TAG, CHACHAPOLY_TAG_BYTES, out + len_bytes) == 1;

	EVP_CIPHER_CTX_free(ctx);
	return ok;
}

bool chachapoly_open(const uint8_t key[CHACHAPOLY_KEY_BYTES], const uint8_t nonce[CHACHAPOLY_NONCE_BYTES],
	const void *ad, size_t ad_bytes, const uint8_t *sealed, size_t len_bytes, uint8_t *out)
{
	EVP_CIPHER_CTX *ctx;
	uint8_t tag[CHACHAPOLY_TAG_BYTES];
	uint8_t none[CHACHAPOLY_TAG_BYTES];
	size_t plain_bytes;
	int n;
	bool ok;

	if (len_bytes < CHACHAPOLY_TAG_BYTES || len_bytes > INT_MAX || ad_bytes > INT_MAX)
		return false;
	plain_bytes = len_bytes - CHACHAPOLY_TAG_BYTES;
	memcpy(tag, sealed + plain_bytes, sizeof(tag));
	ctx = EVP_CIPHER_CTX_new();
	ok = ctx && EVP_DecryptInit_ex(ctx, EVP_chacha20_poly1305(), NULL, key, nonce) == 1 &&
		EVP_CIPHER_CTX_ctrl(ctx, EVP_CTRL_AEAD_SET_TAG, sizeof(tag), tag) == 1 &&
		(!ad_bytes || EVP_DecryptUpdate(ctx, NULL, &n, ad, (int)ad_bytes) == 1) &&
		(!plain_bytes || EVP_DecryptUpdate(ctx, out, &n, sealed, (int)plain_bytes) == 1) &&
		EVP_DecryptFinal_ex(ctx, none, &n) == 1;
	EVP_CIPHER_CTX_free(ctx);
	if (!ok) {
		ERR_clear_error(); /* or TLS in this thread would take our errors for its own */
		if (plain_bytes)
			memset(out, 0, plain_bytes);
	}
	return ok;
}
