/*
 * aead.c - see aead.h: what is common to all backends
 */
#include "crypto/aead.h"

#include <endian.h>
#include <string.h>

#include "crypto/aead_backend.h"

bool aead_cipher_known(unsigned number)
{
	return aead_key_bytes((enum aead_cipher)number) != 0;
}

const char *aead_cipher_name(enum aead_cipher cipher)
{
	switch (cipher) {
#define X(name, number, text, key_bytes) \
	case AEAD_##name:                \
		return text;
		AEAD_CIPHERS(X)
#undef X
	}
	return "unknown";
}

size_t aead_key_bytes(enum aead_cipher cipher)
{
	switch (cipher) {
#define X(name, number, text, key_bytes) \
	case AEAD_##name:                \
		return key_bytes;
		AEAD_CIPHERS(X)
#undef X
	}
	return 0;
}

const char *aead_backend_name(const struct aead_backend *backend)
{
	return backend->name;
}

bool aead_backend_has(const struct aead_backend *backend, enum aead_cipher cipher)
{
	return backend->has(cipher);
}

struct aead *aead_new(const struct aead_backend *backend, enum aead_cipher cipher, const struct aead_key *key,
	const struct aead_iv *iv)
{
	struct aead *aead;

	if (!backend->has(cipher))
		return NULL;
	aead = backend->create(cipher, key);
	if (aead)
		aead->iv = *iv;
	return aead;
}

void aead_free(struct aead *aead)
{
	if (aead)
		aead->free(aead);
}

static inline void nonce_of(const struct aead *aead, uint32_t counter, uint8_t nonce[AEAD_IV_BYTES])
{
	uint32_t low;

	memcpy(nonce, aead->iv.bytes, AEAD_IV_BYTES);
	memcpy(&low, nonce + 8, sizeof(low));
	low ^= htobe32(counter);
	memcpy(nonce + 8, &low, sizeof(low));
}

bool aead_seal(struct aead *aead, uint32_t counter, const uint8_t ad[AEAD_AD_BYTES], const uint8_t *plain,
	size_t len_bytes, uint8_t *out)
{
	uint8_t nonce[AEAD_IV_BYTES];

	if (len_bytes > AEAD_DATA_MAX_BYTES)
		return false;
	nonce_of(aead, counter, nonce);
	return aead->seal(aead, nonce, ad, plain, len_bytes, out);
}

bool aead_open(struct aead *aead, uint32_t counter, const uint8_t ad[AEAD_AD_BYTES], const uint8_t *sealed,
	size_t len_bytes, uint8_t *out)
{
	uint8_t nonce[AEAD_IV_BYTES];

	if (len_bytes < AEAD_TAG_BYTES || len_bytes - AEAD_TAG_BYTES > AEAD_DATA_MAX_BYTES)
		return false;
	nonce_of(aead, counter, nonce);
	if (aead->open(aead, nonce, ad, sealed, len_bytes - AEAD_TAG_BYTES, out))
		return true;
	if (len_bytes > AEAD_TAG_BYTES)
		memset(out, 0, len_bytes - AEAD_TAG_BYTES);
	return false;
}
