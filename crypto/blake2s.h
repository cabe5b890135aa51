/*
 * blake2s.h - BLAKE2s (RFC 7693) plain and keyed, HMAC over it, and HKDF as Noise wants it
 *
 * Thin over OpenSSL's.  For the handshake and for key derivation, never per packet.
 */
#ifndef CRYPTO_BLAKE2S_H
#define CRYPTO_BLAKE2S_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define BLAKE2S_BYTES 32U

struct blake2s_digest {
	uint8_t bytes[BLAKE2S_BYTES];
};

/* BLAKE2s-256 of @a followed by @b (either may be empty) */
bool blake2s_hash(const void *a, size_t a_bytes, const void *b, size_t b_bytes, struct blake2s_digest *out)
	__attribute__((warn_unused_result));

/**
 * blake2s_mac() - BLAKE2s in its keyed mode
 * @key_bytes:	1 to 32
 * @out_bytes:	1 to 32; part of what is hashed, so a short result is not the start of a long one
 */
bool blake2s_mac(const void *key, size_t key_bytes, const void *data, size_t data_bytes, uint8_t *out, size_t out_bytes)
	__attribute__((warn_unused_result));

/* HMAC-BLAKE2s-256 (RFC 2104, block of 64 bytes) */
bool blake2s_hmac(const void *key, size_t key_bytes, const void *data, size_t data_bytes, struct blake2s_digest *out)
	__attribute__((warn_unused_result));

/**
 * blake2s_hkdf() - HKDF of the Noise specification, section 4.3
 * @chaining_key: may be the same object as one of the outputs
 * @input:	may be empty
 * @out3:	NULL where two outputs are wanted
 */
bool blake2s_hkdf(const struct blake2s_digest *chaining_key, const void *input, size_t input_bytes,
	struct blake2s_digest *out1, struct blake2s_digest *out2, struct blake2s_digest *out3)
	__attribute__((warn_unused_result));

#endif /* CRYPTO_BLAKE2S_H */
