/*
 * fabric.h - the controller's own folder: CA, TLS key, operator's credentials, and how they are made
 *
 * The files are listed in controller/API.md, "Files".  What the store holds is model.h's.
 */
#ifndef CONTROLLER_FABRIC_H
#define CONTROLLER_FABRIC_H

#include "crypto/identity.h"

#include <stddef.h>

#define FABRIC_PORT 4753U
#define FABRIC_PSK_BYTES 32U
#define FABRIC_ERROR_BYTES 512U

/* What the daemon reads at its start; it does not change */
struct fabric {
	char *name;
	char *listen;  /* "203.0.113.5:4753", numeric */
	char *address; /* what tokens carry */
	char *ca_pem;
	char *ca_key_pem; /* NULL: the CA's key is kept elsewhere, nobody can enrol */
	char *tls_pem;
	char *tls_key_pem;
	char fingerprint[IDENTITY_FINGERPRINT_BYTES]; /* of the CA */
};

struct fabric_wish {
	const char *dir;
	const char *name;
	const char *listen;  /* "ADDR[:PORT]", numeric */
	const char *address; /* "ADDR[:PORT]", numeric or a DNS name; NULL: as @listen */
};

/**
 * fabric_create() - a new fabric in wish->dir, with a store
 * @error:	for the operator, on failure
 *
 * Return: 0, or -errno with nothing left behind
 */
int fabric_create(const struct fabric_wish *wish, char error[FABRIC_ERROR_BYTES]) __attribute__((warn_unused_result));

/* Return: 0, or -errno and @error.  fabric_fini() in any case */
int fabric_load(const char *dir, struct fabric *out, char error[FABRIC_ERROR_BYTES])
	__attribute__((warn_unused_result));

/* Wipes and frees */
void fabric_fini(struct fabric *fabric);

/* SHA-256 as 64 hex digits: the form in which tokens are kept */
struct fabric_hash {
	char text[65];
};
struct fabric_hash fabric_hash(const char *secret);

/* A new secret as text: 43 characters of base64url, 256 bits */
struct fabric_secret {
	char text[44];
};
struct fabric_secret fabric_secret_new(void);

/* Bytes as base64url without padding; @out: BASE64_TEXT_BYTES(@len_bytes) */
void fabric_base64url(const void *bytes, size_t len_bytes, char *out);

#endif /* CONTROLLER_FABRIC_H */
