/*
 * aead_registry.h - which AEAD backends there are, and which is the fastest here
 *
 * A new backend is one file crypto/aead_NAME.c, made of aead_backend.h, and one row.  Each row's function is defined by
 * its file and says what the backend is; it returns NULL where weft was built without its library, or the CPU lacks
 * what the library needs.  The table holds what aead.c does not know, so that sealing needs no list of libraries.
 */
#ifndef CRYPTO_AEAD_REGISTRY_H
#define CRYPTO_AEAD_REGISTRY_H

#include <stddef.h>

#include "base/clock.h"
#include "crypto/aead.h"

/* the name of the file and of the function; the first is always there and has every cipher */
#define AEAD_BACKENDS(X) \
	X(openssl)       \
	X(ipsec_mb)

#define X(name) const struct aead_backend *aead_backend_##name(void);
AEAD_BACKENDS(X)
#undef X

/* Return: the backend of row @row on this machine; NULL where it is not here, or @row is behind the last */
const struct aead_backend *aead_registry_at(size_t row);

/* How many rows there are */
size_t aead_registry_rows(void);

/* @name: as operators write it, aead_backend_name().  Return: NULL where there is none of that name here */
const struct aead_backend *aead_registry_named(const char *name);

/**
 * aead_registry_fastest() - the backend that is fastest for @cipher on this CPU, by measuring it now
 * @cipher:	one of enum aead_cipher
 * @clock:	read before and after each trial: instant_now() but for tests
 *
 * Seals and opens frames of 64 and of 1400 bytes with each backend, turn about, for a few milliseconds in
 * all.  For daemons that start, not for every session: keep the result.
 *
 * Return: never NULL
 */
const struct aead_backend *aead_registry_fastest(enum aead_cipher cipher, struct instant (*clock)(void));

#endif /* CRYPTO_AEAD_REGISTRY_H */
