/*
 * join_token.h - the one string that a host joins with
 *
 * "weft1." and base64url (RFC 4648 section 5, no padding) of {"c": controller, "f": CA's SHA-256, "s": secret, "h": host}.
 */
#ifndef CLI_JOIN_TOKEN_H
#define CLI_JOIN_TOKEN_H

#include "base/server_address.h"
#include "crypto/identity.h"

#include <stdbool.h>

#define JOIN_TOKEN_BYTES_MAX 2048U
#define JOIN_TOKEN_SECRET_BYTES 256U

struct join_token {
	char controller[SERVER_ADDRESS_TEXT_BYTES]; /* with its port */
	char fingerprint[IDENTITY_FINGERPRINT_BYTES];
	char secret[JOIN_TOKEN_SECRET_BYTES]; /* the caller wipes it */
	char host[IDENTITY_NAME_BYTES];
};

/**
 * join_token_decode() - from what a person pasted
 * @text:	spaces and line breaks around it are forgiven
 * @why:	on failure: what is wrong with it; static
 *
 * Return: false where it is no join token; @out is undefined then
 */
bool join_token_decode(const char *text, struct join_token *out, const char **why) __attribute__((warn_unused_result));

/**
 * ca_pem_pin() - the one certificate whose fingerprint is known, and nothing else of what a stranger sent
 * @pem:	untrusted; what stands before and behind its first certificate is dropped
 * @fingerprint: SHA-256 of the DER form, 64 lowercase hex digits
 *
 * A text with the right CA first and another one behind it would otherwise make both trusted.
 *
 * Return: allocated; NULL where the first certificate is not the one
 */
char *ca_pem_pin(const char *pem, const char *fingerprint) __attribute__((warn_unused_result));

#endif /* CLI_JOIN_TOKEN_H */
