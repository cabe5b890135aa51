/*
 * aead_backend.h - what a library's backend gives aead.c; only it and the backends include this
 *
 * Each backend embeds struct aead as the first member of its own context.
 */
#ifndef CRYPTO_AEAD_BACKEND_H
#define CRYPTO_AEAD_BACKEND_H

#include "crypto/aead.h"

/* aead.c has checked the lengths; `open` need not clear @out when it returns false */
struct aead {
	bool (*seal)(struct aead *aead, const uint8_t nonce[AEAD_IV_BYTES], const uint8_t *ad, const uint8_t *plain,
		size_t len_bytes, uint8_t *out);
	bool (*open)(struct aead *aead, const uint8_t nonce[AEAD_IV_BYTES], const uint8_t *ad, const uint8_t *sealed,
		size_t plain_bytes, uint8_t *out);
	void (*free)(struct aead *aead);
	struct aead_iv iv;
};

struct aead_backend {
	const char *name;
	bool (*has)(enum aead_cipher cipher);
	/* Sets everything in struct aead but the IV.  Return: NULL where memory is short */
	struct aead *(*create)(enum aead_cipher cipher, const struct aead_key *key);
};

#endif /* CRYPTO_AEAD_BACKEND_H */
