/*
 * aead_openssl.c - the AEAD backend that is always there
 *
 * One EVP context a lane serves both directions: setting a nonce is also what says whether it encrypts, and
 * leaves the key schedule alone.  The tag travels through OSSL_PARAM arrays made once, since the
 * EVP_CIPHER_CTX_ctrl() that is usual would make them anew for each datagram.
 */
#include "crypto/aead_backend.h"
#include "crypto/aead_registry.h"

#include <stdlib.h>

#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <openssl/params.h>

struct openssl_aead {
	struct aead aead; /* first */
	EVP_CIPHER_CTX *ctx;
	OSSL_PARAM tag[2];
};

static bool openssl_seal(struct aead *aead, const uint8_t nonce[AEAD_IV_BYTES], const uint8_t *ad, const uint8_t *plain,
	size_t len_bytes, uint8_t *out)
{
	struct openssl_aead *self = (struct openssl_aead *)aead;
	int n;

	if (EVP_EncryptInit_ex2(self->ctx, NULL, NULL, nonce, NULL) != 1 ||
		EVP_EncryptUpdate(self->ctx, NULL, &n, ad, AEAD_AD_BYTES) != 1)
		return false;
	if (len_bytes && EVP_EncryptUpdate(self->ctx, out, &n, plain, (int)len_bytes) != 1)
		return false;
	if (EVP_EncryptFinal_ex(self->ctx, out + len_bytes, &n) != 1)
		return false;
	self->tag[0].data = out + len_bytes;
	return EVP_CIPHER_CTX_get_params(self->ctx, self->tag) == 1;
}

static bool openssl_open(struct aead *aead, const uint8_t nonce[AEAD_IV_BYTES], const uint8_t *ad,
	const uint8_t *sealed, size_t plain_bytes, uint8_t *out)
{
	struct openssl_aead *self = (struct openssl_aead *)aead;
	uint8_t none[AEAD_TAG_BYTES];
	int n;

	/* libcrypto reads the tag only, whatever the parameter's type says */
	self->tag[0].data = (void *)(uintptr_t)(sealed + plain_bytes);
	if (EVP_DecryptInit_ex2(self->ctx, NULL, NULL, nonce, self->tag) != 1 ||
		EVP_DecryptUpdate(self->ctx, NULL, &n, ad, AEAD_AD_BYTES) != 1)
		return false;
	if (plain_bytes && EVP_DecryptUpdate(self->ctx, out, &n, sealed, (int)plain_bytes) != 1)
		return false;
	return EVP_DecryptFinal_ex(self->ctx, none, &n) == 1; /* CRYPTO_memcmp() inside */
}

static void openssl_free(struct aead *aead)
{
	struct openssl_aead *self = (struct openssl_aead *)aead;

	EVP_CIPHER_CTX_free(self->ctx); /* wipes the key schedule */
	free(self);
}

static const char *openssl_name(enum aead_cipher cipher)
{
	switch (cipher) {
	case AEAD_AES_256_GCM:
		return "AES-256-GCM";
	case AEAD_AES_128_GCM:
		return "AES-128-GCM";
	case AEAD_CHACHA20_POLY1305:
		return "ChaCha20-Poly1305";
	}
	return NULL;
}

static bool openssl_has(enum aead_cipher cipher)
{
	return openssl_name(cipher) != NULL;
}

static struct aead *openssl_create(enum aead_cipher cipher, const struct aead_key *key)
{
	struct openssl_aead *self = calloc(1, sizeof(*self));
	EVP_CIPHER *evp = NULL;
	bool ok = false;

	if (!self)
		return NULL;
	self->aead = (struct aead){ .seal = openssl_seal, .open = openssl_open, .free = openssl_free };
	self->tag[0] = OSSL_PARAM_construct_octet_string(OSSL_CIPHER_PARAM_AEAD_TAG, NULL, AEAD_TAG_BYTES);
	self->tag[1] = OSSL_PARAM_construct_end();
	self->ctx = EVP_CIPHER_CTX_new();
	evp = EVP_CIPHER_fetch(NULL, openssl_name(cipher), NULL);
	ok = self->ctx && evp && EVP_EncryptInit_ex2(self->ctx, evp, key->bytes, NULL, NULL) == 1;
	EVP_CIPHER_free(evp); /* the context has its own reference */
	if (!ok) {
		openssl_free(&self->aead);
		return NULL;
	}
	return &self->aead;
}

const struct aead_backend *aead_backend_openssl(void)
{
	static const struct aead_backend backend = {
		.name = "openssl",
		.has = openssl_has,
		.create = openssl_create,
	};

	return &backend;
}
