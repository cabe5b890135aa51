/*
 * authority.h - the controller's own folder: CA, TLS key, operator's credentials; authority_create.h makes one
 *
 * The files are listed in controller/API.md, "Files".  What the store holds is model.h's.
 */
#ifndef CONTROLLER_CA_AUTHORITY_H
#define CONTROLLER_CA_AUTHORITY_H

#include "base/error.h"
#include "crypto/identity.h"

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define FABRIC_PSK_BYTES 32U

#define AUTHORITY_FORMER_MAX 4U

/* What the daemon reads at its start, and again where the controller is reached at another address (authority_move.h) */
struct authority {
	char *name;
	char *listen;                       /* "203.0.113.5:4753", numeric */
	char *address;                      /* what tokens carry */
	char *former[AUTHORITY_FORMER_MAX]; /* addresses before, the last first; agents that know one of them follow */
	size_t former_count;
	char *ca_pem;
	char *ca_key_pem; /* NULL: the CA's key is kept elsewhere, nobody can enrol */
	char *tls_pem;
	char *tls_key_pem;
	char fingerprint[IDENTITY_FINGERPRINT_BYTES]; /* of the CA */
};

/* Return: 0, or -errno and @error.  authority_fini() in any case */
int authority_load(const char *dir, struct authority *out, struct error *error) __attribute__((warn_unused_result));

/* Is it the folder of the same fabric, so that a daemon that runs may take it? */
bool authority_same(const struct authority *a, const struct authority *b) __attribute__((warn_unused_result));

/* {"controller": "ADDR:PORT", "former": [...]}: what agents are told.  Return: NULL where it never had another address */
json_t *authority_news(const struct authority *authority) __attribute__((warn_unused_result));

/* Wipes and frees */
void authority_fini(struct authority *authority);

/* SHA-256 as 64 hex digits: the form in which tokens are kept, and the name of a topology */
#define AUTHORITY_HASH_BYTES 65U
struct authority_hash {
	char text[AUTHORITY_HASH_BYTES];
};
struct authority_hash authority_hash(const char *text);

/* A secret as text: 43 characters of base64url, 256 bits */
#define AUTHORITY_SECRET_BYTES 32U
struct authority_secret {
	char text[44];
};
struct authority_secret authority_secret(const uint8_t bytes[AUTHORITY_SECRET_BYTES]);

/* Bytes as base64url without padding; @out: BASE64_TEXT_BYTES(@len_bytes) */
void authority_base64url(const void *bytes, size_t len_bytes, char *out);

#endif /* CONTROLLER_CA_AUTHORITY_H */
