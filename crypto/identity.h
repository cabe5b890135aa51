/*
 * identity.h - who is who: the fabric's CA, certificates of hosts and of the controller, signed tunnel keys
 *
 * Ed25519 throughout, X.509 by OpenSSL, everything in and out as PEM text.  The CA is pinned at enrolment; a peer is
 * believed when its certificate is signed by exactly that CA and its tunnel key by exactly that certificate's key:
 * crypto/HANDSHAKE.md section 2.  It reads no files and no clock, and does not know who was revoked.
 *
 * A host's certificate is good for TLS clients only and the controller's for TLS servers only, so that no enrolled
 * host can pose as the controller, in weft or in any TLS library.
 *
 * PEM arguments may be longer than IDENTITY_PEM_MAX_BYTES or not PEM at all: they are refused, never trusted.
 * Results in `char **` are on the heap and given back with identity_pem_free(), which wipes them.
 */
#ifndef CRYPTO_IDENTITY_H
#define CRYPTO_IDENTITY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <time.h>

#include "crypto/x25519.h"

#define IDENTITY_NAME_BYTES 64U /* 63 and the NUL */
#define IDENTITY_PEM_MAX_BYTES 8192U
#define IDENTITY_SIGNATURE_BYTES 64U
#define IDENTITY_FINGERPRINT_BYTES 65U /* 64 lowercase hex digits and the NUL */

enum identity_role {
	IDENTITY_HOST,
	IDENTITY_CONTROLLER,
};

/* What a verified certificate says */
struct identity {
	enum identity_role role;
	char name[IDENTITY_NAME_BYTES];   /* CN */
	char fabric[IDENTITY_NAME_BYTES]; /* O, and the CA's CN */
	uint8_t public_key[32];           /* Ed25519 */
	time_t expires;
};

/* [a-z0-9]([a-z0-9-]*[a-z0-9])?, at most 63: fabrics and hosts */
bool identity_name_ok(const char *name) __attribute__((warn_unused_result));

/* NULL is fine */
void identity_pem_free(char *pem);

/* Does @key_pem belong to the CA certificate @ca_pem?  For a controller that starts. */
bool identity_ca_check(const char *key_pem, const char *ca_pem) __attribute__((warn_unused_result));

/**
 * identity_verify() - is this certificate one that the pinned CA issued for that role, and valid now?
 * @ca_pem:	pinned
 * @cert_pem:	from a stranger; only the first certificate in it is read
 * @out:	written where the answer is yes
 */
bool identity_verify(const char *ca_pem, const char *cert_pem, enum identity_role role, time_t now,
	struct identity *out) __attribute__((warn_unused_result));

/* When a certificate ends, which nobody has verified here */
bool identity_end(const char *cert_pem, time_t *out) __attribute__((warn_unused_result));

/* SHA-256 of the certificate's DER form, as `openssl x509 -fingerprint -sha256` has it, without colons */
bool identity_fingerprint(const char *cert_pem, char out[IDENTITY_FINGERPRINT_BYTES])
	__attribute__((warn_unused_result));

/**
 * identity_tunnel_sign() - bind a tunnel key to a host's certificate
 * @key_pem:	the private key that belongs to the certificate
 *
 * Return: 0, -EINVAL (the name or the key), -ENOMEM or -EIO
 */
int identity_tunnel_sign(const char *key_pem, const char *host, const struct x25519_public *tunnel_key,
	uint8_t signature[IDENTITY_SIGNATURE_BYTES]) __attribute__((warn_unused_result));

/* @identity: out of identity_verify() */
bool identity_tunnel_verify(const struct identity *identity, const struct x25519_public *tunnel_key,
	const uint8_t *signature, size_t signature_bytes) __attribute__((warn_unused_result));

#endif /* CRYPTO_IDENTITY_H */
