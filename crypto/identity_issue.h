/*
 * identity_issue.h - making what identity.h verifies: keys, the fabric's CA, requests, certificates
 *
 * For `weft init`, `weft join` and the controller; an agent that runs needs none of it.  Conventions, and what the results
 * are freed with: identity.h.
 */
#ifndef CRYPTO_IDENTITY_ISSUE_H
#define CRYPTO_IDENTITY_ISSUE_H

#include <stddef.h>
#include <time.h>

#define IDENTITY_CA_YEARS 20
#define IDENTITY_HOST_YEARS 5

/* A new Ed25519 private key (PKCS#8).  Return: 0, -ENOMEM or -EIO (OpenSSL failed) */
int identity_key_create(char **key_pem) __attribute__((warn_unused_result));

/**
 * identity_ca_create() - a fabric's CA: key and self-signed certificate
 * @now:	seconds since 1970; valid from an hour before for IDENTITY_CA_YEARS
 *
 * Return: 0, -EINVAL (the name), -ENOMEM or -EIO
 */
int identity_ca_create(const char *fabric, time_t now, char **key_pem, char **ca_pem)
	__attribute__((warn_unused_result));

/* Return: 0, -EINVAL (the name, or the key is no Ed25519 private key), -ENOMEM or -EIO */
int identity_csr_create(const char *key_pem, const char *host, char **csr_pem) __attribute__((warn_unused_result));

/**
 * identity_host_issue() - the CA's answer to a host's request
 * @csr_pem:	its signature is checked and its key taken; its name and extensions are not
 * @host:	the name that the certificate gets, whatever the request said
 *
 * Return: 0, -EINVAL (the name, or the CA's key and certificate do not fit), -EKEYREJECTED (the request is no CSR of
 *	an Ed25519 key, or not signed by it), -ENOMEM or -EIO
 */
int identity_host_issue(const char *ca_key_pem, const char *ca_pem, const char *csr_pem, const char *host, time_t now,
	char **cert_pem) __attribute__((warn_unused_result));

/**
 * identity_controller_issue() - key and certificate for the controller's TLS
 * @alt_names:	IP addresses and DNS names that it is reached by; may be empty
 *
 * Return: as identity_host_issue(); -EINVAL also for an alternative name that is neither
 */
int identity_controller_issue(const char *ca_key_pem, const char *ca_pem, const char *name,
	const char *const *alt_names, size_t alt_name_count, time_t now, char **key_pem, char **cert_pem)
	__attribute__((warn_unused_result));

/**
 * identity_controller_renew() - another certificate for the key that the controller has
 * @key_pem:	its private key
 * @alt_names:	as above
 *
 * Return: as identity_controller_issue(); -EINVAL also for a key that is none
 */
int identity_controller_renew(const char *ca_key_pem, const char *ca_pem, const char *key_pem, const char *name,
	const char *const *alt_names, size_t alt_name_count, time_t now, char **cert_pem)
	__attribute__((warn_unused_result));

#endif /* CRYPTO_IDENTITY_ISSUE_H */
