/*
 * aead.h - sealing and opening of datagrams, behind one interface for every library that can do it
 *
 * The hot path of weft.  A struct aead is one lane's key, prepared once: per datagram only the nonce is
 * set, nothing is allocated and nothing copied.  Neighbours: transport.h derives the key and the IV,
 * replay.h says which counters may be opened, aead_registry.h knows the libraries.  It does not count messages and never refuses a counter:
 * that no counter is sealed twice under one key is the caller's duty.
 *
 * Threads: a struct aead belongs to one thread at a time.  Backends are immutable and shared by all.
 */
#ifndef CRYPTO_AEAD_H
#define CRYPTO_AEAD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define AEAD_KEY_BYTES 32U /* of the longest key; AES-128 uses the first 16 */
#define AEAD_IV_BYTES 12U
#define AEAD_AD_BYTES 12U /* the clear header of a datagram */
#define AEAD_TAG_BYTES 16U
#define AEAD_DATA_MAX_BYTES 65536U /* longest plaintext; no UDP datagram is longer */

/* name, number on the wire, name for operators, bytes of its key */
#define AEAD_CIPHERS(X)                      \
	X(AES_256_GCM, 1, "aes-256-gcm", 32) \
	X(AES_128_GCM, 2, "aes-128-gcm", 16) \
	X(CHACHA20_POLY1305, 3, "chacha20-poly1305", 32)

enum aead_cipher {
#define X(name, number, text, key_bytes) AEAD_##name = number,
	AEAD_CIPHERS(X)
#undef X
};

struct aead_key {
	uint8_t bytes[AEAD_KEY_BYTES];
};

struct aead_iv {
	uint8_t bytes[AEAD_IV_BYTES];
};

struct aead;
struct aead_backend;

/* Return: false for a number that is none of enum aead_cipher */
bool aead_cipher_known(unsigned number) __attribute__((warn_unused_result));

/* Return: the name for operators, "unknown" for any other number */
const char *aead_cipher_name(enum aead_cipher cipher);

/* Return: the length of @cipher's key, 0 for an unknown cipher */
size_t aead_key_bytes(enum aead_cipher cipher);

const char *aead_backend_name(const struct aead_backend *backend);

bool aead_backend_has(const struct aead_backend *backend, enum aead_cipher cipher);

/**
 * aead_new() - prepare a key
 * @key:	borrowed, not kept: wipe it afterwards
 * @iv:		borrowed, not kept; the nonce of counter n is @iv XOR n, n as the last 4 bytes, big-endian
 *
 * Return: NULL where @backend lacks @cipher or memory is short
 */
struct aead *aead_new(const struct aead_backend *backend, enum aead_cipher cipher, const struct aead_key *key,
	const struct aead_iv *iv) __attribute__((warn_unused_result));

/* Wipes the key.  NULL is fine. */
void aead_free(struct aead *aead);

/**
 * aead_seal() - encrypt and authenticate one datagram
 * @counter:	never used before with this key
 * @ad:		the datagram's clear header
 * @plain:	borrowed; may be NULL where @len_bytes is 0
 * @len_bytes:	at most AEAD_DATA_MAX_BYTES
 * @out:	@len_bytes + AEAD_TAG_BYTES; equal to @plain, or not overlapping it at all
 *
 * Return: false where @len_bytes is too long or the library failed; @out holds nothing of use then
 */
bool aead_seal(struct aead *aead, uint32_t counter, const uint8_t ad[AEAD_AD_BYTES], const uint8_t *plain,
	size_t len_bytes, uint8_t *out) __attribute__((warn_unused_result));

/**
 * aead_open() - check and decrypt one datagram
 * @sealed:	borrowed; ciphertext, then the tag
 * @len_bytes:	of @sealed with its tag; any value is safe
 * @out:	@len_bytes - AEAD_TAG_BYTES; equal to @sealed, or not overlapping it at all
 *
 * Return: false where the datagram is not authentic; @out is zeroed then (or untouched, where the length
 *	alone was wrong), so that nothing unauthenticated is ever released
 */
bool aead_open(struct aead *aead, uint32_t counter, const uint8_t ad[AEAD_AD_BYTES], const uint8_t *sealed,
	size_t len_bytes, uint8_t *out) __attribute__((warn_unused_result));

#endif /* CRYPTO_AEAD_H */
