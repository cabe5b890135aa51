/*
 * identity.c - see identity.h: verifying and signing
 *
 * Every public function leaves OpenSSL's error queue empty: the same thread speaks TLS, which would take our
 * errors for its own.
 */
#include "crypto/identity.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/err.h>
#include <openssl/x509v3.h>

#include "base/cursor.h"
#include "base/secret.h"
#include "crypto/identity_x509.h"

static const char tunnel_label[] = "weft tunnel key v1"; /* its NUL belongs to it */

#define TUNNEL_TEXT_MAX_BYTES (sizeof(tunnel_label) + IDENTITY_NAME_BYTES + X25519_BYTES)

bool identity_name_ok(const char *name)
{
	static const char letters[] = "abcdefghijklmnopqrstuvwxyz0123456789-";
	size_t n = strnlen(name, IDENTITY_NAME_BYTES);

	return n >= 1 && n < IDENTITY_NAME_BYTES && strspn(name, letters) == n && name[0] != '-' && name[n - 1] != '-';
}

void identity_pem_free(char *pem)
{
	if (pem)
		secret_wipe(pem, strlen(pem));
	free(pem);
}

bool identity_ca_check(const char *key_pem, const char *ca_pem)
{
	EVP_PKEY *key = identity_key_decode(key_pem);
	X509 *ca = identity_cert_decode(ca_pem);
	bool ok = key && ca && X509_check_ca(ca) == 1 && X509_check_private_key(ca, key) == 1;

	X509_free(ca);
	EVP_PKEY_free(key);
	ERR_clear_error();
	return ok;
}

/* Signed by @ca itself, in time, for this role and nothing else */
static bool chain_fits(X509 *ca, X509 *cert, enum identity_role role, time_t now)
{
	bool host = role == IDENTITY_HOST;
	X509_STORE *store = X509_STORE_new();
	X509_STORE_CTX *ctx = X509_STORE_CTX_new();
	X509_VERIFY_PARAM *param;
	bool ok =
		store && ctx && X509_STORE_add_cert(store, ca) == 1 && X509_STORE_CTX_init(ctx, store, cert, NULL) == 1;

	if (ok) {
		param = X509_STORE_CTX_get0_param(ctx);
		X509_VERIFY_PARAM_set_time(param, now);
		X509_VERIFY_PARAM_set_depth(param, 0); /* nothing between the certificate and the CA */
		ok = X509_VERIFY_PARAM_set_flags(param, X509_V_FLAG_X509_STRICT) == 1 &&
			X509_VERIFY_PARAM_set_purpose(param,
				host ? X509_PURPOSE_SSL_CLIENT : X509_PURPOSE_SSL_SERVER) == 1 &&
			X509_verify_cert(ctx) == 1;
	}
	X509_STORE_CTX_free(ctx);
	X509_STORE_free(store);
	/* the CA, which is in the store, must not pass for one of its hosts, nor a host for the controller */
	return ok && (X509_get_extension_flags(cert) & (EXFLAG_CA | EXFLAG_SS)) == 0 &&
		X509_get_extended_key_usage(cert) == (host ? XKU_SSL_CLIENT : XKU_SSL_SERVER);
}

static bool read_end(const X509 *cert, time_t *out)
{
	struct tm end;

	if (ASN1_TIME_to_tm(X509_get0_notAfter(cert), &end) != 1)
		return false;
	*out = timegm(&end);
	return true;
}

static bool read_certificate(X509 *ca, X509 *cert, struct identity *out)
{
	const X509_NAME *subject = X509_get_subject_name(cert);
	char fabric[IDENTITY_NAME_BYTES];
	EVP_PKEY *key = X509_get0_pubkey(cert);
	size_t n = sizeof(out->public_key);

	if (!key || !identity_key_fits(key) || EVP_PKEY_get_raw_public_key(key, out->public_key, &n) != 1 ||
		n != sizeof(out->public_key))
		return false;
	if (!identity_name_part(subject, NID_commonName, out->name) ||
		!identity_name_part(subject, NID_organizationName, out->fabric) ||
		!identity_name_part(X509_get_subject_name(ca), NID_commonName, fabric) ||
		strcmp(fabric, out->fabric) != 0)
		return false;
	return read_end(cert, &out->expires);
}

bool identity_verify(const char *ca_pem, const char *cert_pem, enum identity_role role, time_t now,
	struct identity *out)
{
	X509 *ca = identity_cert_decode(ca_pem);
	X509 *cert = identity_cert_decode(cert_pem);
	struct identity identity = { .role = role };
	bool ok = ca && cert && chain_fits(ca, cert, role, now) && read_certificate(ca, cert, &identity);

	if (ok)
		*out = identity;
	X509_free(cert);
	X509_free(ca);
	ERR_clear_error();
	return ok;
}

bool identity_end(const char *cert_pem, time_t *out)
{
	X509 *cert = identity_cert_decode(cert_pem);
	bool ok = cert && read_end(cert, out);

	X509_free(cert);
	ERR_clear_error();
	return ok;
}

bool identity_fingerprint(const char *cert_pem, char out[IDENTITY_FINGERPRINT_BYTES])
{
	static const char digits[] = "0123456789abcdef";
	X509 *cert = identity_cert_decode(cert_pem);
	uint8_t digest[32];
	bool ok = cert && X509_digest(cert, EVP_sha256(), digest, NULL) == 1;

	if (ok) {
		for (size_t i = 0; i < sizeof(digest); i++) {
			out[2 * i] = digits[digest[i] >> 4];
			out[2 * i + 1] = digits[digest[i] & 15];
		}
		out[2 * sizeof(digest)] = '\0';
	}
	X509_free(cert);
	ERR_clear_error();
	return ok;
}

/* What is signed: label, NUL, name, NUL, key */
static struct wr tunnel_text(uint8_t out[TUNNEL_TEXT_MAX_BYTES], const char *host,
	const struct x25519_public *tunnel_key)
{
	struct wr w = wr_init(out, TUNNEL_TEXT_MAX_BYTES);

	wr_bytes(&w, tunnel_label, sizeof(tunnel_label));
	wr_bytes(&w, host, strlen(host) + 1);
	wr_bytes(&w, tunnel_key->bytes, X25519_BYTES);
	return w;
}

int identity_tunnel_sign(const char *key_pem, const char *host, const struct x25519_public *tunnel_key,
	uint8_t signature[IDENTITY_SIGNATURE_BYTES])
{
	uint8_t text[TUNNEL_TEXT_MAX_BYTES];
	EVP_PKEY *key = NULL;
	EVP_MD_CTX *ctx = NULL;
	size_t n = IDENTITY_SIGNATURE_BYTES;
	struct wr w;
	int err = -EINVAL;

	if (!identity_name_ok(host))
		return -EINVAL;
	w = tunnel_text(text, host, tunnel_key);
	key = identity_key_decode(key_pem);
	if (!key)
		goto out;
	err = -ENOMEM;
	ctx = EVP_MD_CTX_new();
	if (!ctx)
		goto out;
	err = -EIO;
	if (EVP_DigestSignInit(ctx, NULL, NULL, NULL, key) == 1 &&
		EVP_DigestSign(ctx, signature, &n, w.start, w.used_bytes) == 1 && n == IDENTITY_SIGNATURE_BYTES)
		err = 0;
out:
	EVP_MD_CTX_free(ctx);
	EVP_PKEY_free(key);
	ERR_clear_error();
	return err;
}

bool identity_tunnel_verify(const struct identity *identity, const struct x25519_public *tunnel_key,
	const uint8_t *signature, size_t signature_bytes)
{
	uint8_t text[TUNNEL_TEXT_MAX_BYTES];
	struct wr w = tunnel_text(text, identity->name, tunnel_key);
	EVP_PKEY *key =
		EVP_PKEY_new_raw_public_key(EVP_PKEY_ED25519, NULL, identity->public_key, sizeof(identity->public_key));
	EVP_MD_CTX *ctx = EVP_MD_CTX_new();
	bool ok = identity->role == IDENTITY_HOST && signature_bytes == IDENTITY_SIGNATURE_BYTES && key && ctx &&
		EVP_DigestVerifyInit(ctx, NULL, NULL, NULL, key) == 1 &&
		EVP_DigestVerify(ctx, signature, signature_bytes, w.start, w.used_bytes) == 1;

	EVP_MD_CTX_free(ctx);
	EVP_PKEY_free(key);
	ERR_clear_error();
	return ok;
}
