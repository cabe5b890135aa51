/*
 * identity_x509.h - what identity.c and identity_issue.c share: PEM text to OpenSSL's objects and back
 *
 * Nobody else includes this, so that OpenSSL's types stay out of weft's headers.
 */
#ifndef CRYPTO_IDENTITY_X509_H
#define CRYPTO_IDENTITY_X509_H

#include <openssl/evp.h>
#include <openssl/x509.h>

#include "crypto/identity.h"

/* Return: NULL where @pem is too long, or is not what is wanted; nobody is ever asked for a password */
EVP_PKEY *identity_key_decode(const char *pem);
X509 *identity_cert_decode(const char *pem);
X509_REQ *identity_csr_decode(const char *pem);

/* What a BIO in memory holds, as text on the heap.  Return: NULL where memory is short */
char *identity_text_of(BIO *bio);

/* Return: NULL where it failed */
char *identity_key_encode(EVP_PKEY *key);

/* Ed25519, the only kind of key in a fabric's certificates */
bool identity_key_fits(const EVP_PKEY *key);

/* @nid: NID_commonName or such.  Return: whether @name has exactly one, and one that identity_name_ok() accepts */
bool identity_name_part(const X509_NAME *name, int nid, char out[IDENTITY_NAME_BYTES]);

#endif /* CRYPTO_IDENTITY_X509_H */
