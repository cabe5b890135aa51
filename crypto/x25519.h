/*
 * x25519.h - key pairs and the Diffie-Hellman function of RFC 7748, on OpenSSL's
 *
 * For noise.h and for the tunnel key that an agent keeps on disk.  Knows no protocol.
 */
#ifndef CRYPTO_X25519_H
#define CRYPTO_X25519_H

#include <stdbool.h>
#include <stdint.h>

#define X25519_BYTES 32U

struct x25519_private {
	uint8_t bytes[X25519_BYTES];
};

struct x25519_public {
	uint8_t bytes[X25519_BYTES];
};

struct x25519_keypair {
	struct x25519_private private;
	struct x25519_public public;
};

struct x25519_shared {
	uint8_t bytes[X25519_BYTES];
};

/* A fresh pair.  The caller wipes it when it retires.  Return: false where OpenSSL failed */
bool x25519_generate(struct x25519_keypair *out) __attribute__((warn_unused_result));

/* The pair that belongs to a private key, such as one read from disk */
bool x25519_from_private(const struct x25519_private *private, struct x25519_keypair *out)
	__attribute__((warn_unused_result));

/**
 * x25519() - the shared secret
 * @own:	whole, because OpenSSL would work out the public half again for each call, at the price of another
 *		multiplication
 *
 * Return: false, and @out zeroed, where the result is all zero (the other's key has small order; RFC 7748
 *	section 6.1) or OpenSSL failed
 */
bool x25519(const struct x25519_keypair *own, const struct x25519_public *other, struct x25519_shared *out)
	__attribute__((warn_unused_result));

#endif /* CRYPTO_X25519_H */
