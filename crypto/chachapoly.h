/*
 * chachapoly.h - ChaCha20-Poly1305 (RFC 8439) one message at a time, for the handshake and the cookies
 *
 * Sets up its key with every call, takes any associated data.  Datagrams go through aead.h instead.
 */
#ifndef CRYPTO_CHACHAPOLY_H
#define CRYPTO_CHACHAPOLY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define CHACHAPOLY_KEY_BYTES 32U
#define CHACHAPOLY_NONCE_BYTES 12U
#define CHACHAPOLY_TAG_BYTES 16U

/* @out: @len_bytes + CHACHAPOLY_TAG_BYTES; equal to @plain or not overlapping */
bool chachapoly_seal(const uint8_t key[CHACHAPOLY_KEY_BYTES], const uint8_t nonce[CHACHAPOLY_NONCE_BYTES],
	const void *ad, size_t ad_bytes, const uint8_t *plain, size_t len_bytes, uint8_t *out)
	__attribute__((warn_unused_result));

/* @len_bytes: with the tag; any value is safe.  Return: false, and @out zeroed, where it is not authentic */
bool chachapoly_open(const uint8_t key[CHACHAPOLY_KEY_BYTES], const uint8_t nonce[CHACHAPOLY_NONCE_BYTES],
	const void *ad, size_t ad_bytes, const uint8_t *sealed, size_t len_bytes, uint8_t *out)
	__attribute__((warn_unused_result));

#endif /* CRYPTO_CHACHAPOLY_H */
