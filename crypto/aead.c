/*
 * aead.c - see aead.h: what is common to all backends, and the choice between them
 */
#include "crypto/aead.h"

#include <endian.h>
#include <string.h>

#include "base/clock.h"
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

struct trial {
	const struct aead_backend *backend;
	struct aead *aead;
	uint64_t best_ns; /* of one round; the least of all rounds is what noise has not touched */
};

#define TRIAL_ROUNDS 16
#define TRIAL_FRAMES 16
#define TRIAL_FRAME_BYTES 1400

static uint64_t trial_round_ns(struct aead *aead)
{
	static const size_t sizes[] = { 64, TRIAL_FRAME_BYTES };
	static const uint8_t ad[AEAD_AD_BYTES] = { 0 };
	uint8_t plain[TRIAL_FRAME_BYTES] = { 0 };
	uint8_t sealed[TRIAL_FRAME_BYTES + AEAD_TAG_BYTES];
	struct instant start = instant_now();

	for (size_t s = 0; s < sizeof(sizes) / sizeof(sizes[0]); s++)
		for (uint32_t counter = 0; counter < TRIAL_FRAMES; counter++)
			if (!aead_seal(aead, counter, ad, plain, sizes[s], sealed) ||
				!aead_open(aead, counter, ad, sealed, sizes[s] + AEAD_TAG_BYTES, plain))
				return UINT64_MAX; /* a backend that fails is not fast */
	return instant_now().ns - start.ns;
}

const struct aead_backend *aead_backend_fastest(enum aead_cipher cipher)
{
	struct trial trials[] = {
		{ .backend = aead_backend_openssl(), .best_ns = UINT64_MAX },
		{ .backend = aead_backend_ipsec_mb(), .best_ns = UINT64_MAX },
	};
	const size_t count = sizeof(trials) / sizeof(trials[0]);
	const struct trial *fastest = &trials[0];
	const struct aead_key key = { { 0 } }; /* seals zeros: any key will do */
	const struct aead_iv iv = { { 0 } };

	for (size_t i = 0; i < count; i++)
		if (trials[i].backend)
			trials[i].aead = aead_new(trials[i].backend, cipher, &key, &iv);
	for (int round = 0; round < TRIAL_ROUNDS; round++) {
		for (size_t i = 0; i < count; i++) {
			uint64_t ns = trials[i].aead ? trial_round_ns(trials[i].aead) : UINT64_MAX;

			if (ns < trials[i].best_ns)
				trials[i].best_ns = ns;
		}
	}
	for (size_t i = 0; i < count; i++) {
		if (trials[i].best_ns < fastest->best_ns)
			fastest = &trials[i];
		aead_free(trials[i].aead);
	}
	return fastest->backend;
}
