/*
 * identity_issue.c - see identity_issue.h
 */
#include "crypto/identity_issue.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>

#include "base/random.h"
#include "base/secret.h"
#include "crypto/identity.h"
#include "crypto/identity_x509.h"

#define BACKDATE_S (-3600L) /* for hosts whose clocks are behind */
#define SERIAL_BYTES 16
#define ED25519_BYTES 32

/* What differs between the three kinds of certificate; texts in OpenSSL's configuration syntax */
struct profile {
	int years;
	const char *constraints;
	const char *usage;
	const char *extended_usage; /* NULL for the CA */
};

static const struct profile ca_profile = { IDENTITY_CA_YEARS, "critical,CA:TRUE,pathlen:0",
	"critical,keyCertSign,cRLSign", NULL };
static const struct profile host_profile = { IDENTITY_HOST_YEARS, "critical,CA:FALSE", "critical,digitalSignature",
	"clientAuth" };
static const struct profile controller_profile = { IDENTITY_CA_YEARS, "critical,CA:FALSE", "critical,digitalSignature",
	"serverAuth" };

/* A private key of Ed25519 is 32 random bytes (RFC 8032, 5.1.5): drawn where everything else is */
static EVP_PKEY *generate(void)
{
	uint8_t bytes[ED25519_BYTES];
	EVP_PKEY *key;

	random_fill(bytes, sizeof(bytes));
	key = EVP_PKEY_new_raw_private_key(EVP_PKEY_ED25519, NULL, bytes, sizeof(bytes));
	secret_wipe(bytes, sizeof(bytes));
	return key;
}

int identity_key_create(char **key_pem)
{
	EVP_PKEY *key = generate();
	char *text = key ? identity_key_encode(key) : NULL;

	EVP_PKEY_free(key);
	ERR_clear_error();
	if (!text)
		return -EIO;
	*key_pem = text;
	return 0;
}

static bool add_name(X509_NAME *name, const char *field, const char *value)
{
	return X509_NAME_add_entry_by_txt(name, field, MBSTRING_ASC, (const unsigned char *)value, -1, -1, 0) == 1;
}

static bool add_extension(X509 *cert, X509 *issuer, int nid, const char *value)
{
	X509V3_CTX ctx;
	X509_EXTENSION *extension;
	bool ok;

	X509V3_set_ctx(&ctx, issuer, cert, NULL, NULL, 0);
	extension = X509V3_EXT_conf_nid(NULL, &ctx, nid, value);
	ok = extension && X509_add_ext(cert, extension, -1) == 1;
	X509_EXTENSION_free(extension);
	return ok;
}

/* Random, positive, without a leading zero byte */
static bool set_serial(X509 *cert)
{
	uint8_t bytes[SERIAL_BYTES];
	BIGNUM *number;
	bool ok;

	random_fill(bytes, sizeof(bytes));
	bytes[0] = (bytes[0] & 0x7f) | 0x40;
	number = BN_bin2bn(bytes, sizeof(bytes), NULL);
	ok = number && BN_to_ASN1_INTEGER(number, X509_get_serialNumber(cert));
	BN_free(number);
	return ok;
}

static bool set_validity(X509 *cert, time_t now, int years)
{
	return X509_time_adj_ex(X509_getm_notBefore(cert), 0, BACKDATE_S, &now) &&
		X509_time_adj_ex(X509_getm_notAfter(cert), years * 365 + years / 4, 0, &now);
}

/**
 * make() - one certificate
 * @issuer:	NULL for a CA, which signs itself
 * @fabric:	O; NULL for the CA
 * @alt_names:	NULL for none
 *
 * Return: NULL where OpenSSL failed
 */
static X509 *make(const struct profile *profile, X509 *issuer, EVP_PKEY *issuer_key, EVP_PKEY *subject_key,
	const char *name, const char *fabric, const char *alt_names, time_t now)
{
	X509 *cert = X509_new();
	bool ok = cert && X509_set_version(cert, X509_VERSION_3) == 1 && set_serial(cert) &&
		set_validity(cert, now, profile->years) && X509_set_pubkey(cert, subject_key) == 1 &&
		(!fabric || add_name(X509_get_subject_name(cert), "O", fabric)) &&
		add_name(X509_get_subject_name(cert), "CN", name) &&
		X509_set_issuer_name(cert, X509_get_subject_name(issuer ? issuer : cert)) == 1 &&
		add_extension(cert, issuer, NID_basic_constraints, profile->constraints) &&
		add_extension(cert, issuer, NID_key_usage, profile->usage) &&
		(!profile->extended_usage || add_extension(cert, issuer, NID_ext_key_usage, profile->extended_usage)) &&
		add_extension(cert, issuer, NID_subject_key_identifier, "hash") &&
		(!issuer || add_extension(cert, issuer, NID_authority_key_identifier, "keyid:always")) &&
		(!alt_names || add_extension(cert, issuer, NID_subject_alt_name, alt_names)) &&
		X509_sign(cert, issuer_key, NULL) > 0;

	if (!ok) {
		X509_free(cert);
		return NULL;
	}
	return cert;
}

static char *cert_encode(X509 *cert)
{
	BIO *bio = BIO_new(BIO_s_mem());
	char *text = bio && PEM_write_bio_X509(bio, cert) == 1 ? identity_text_of(bio) : NULL;

	BIO_free(bio);
	return text;
}

int identity_ca_create(const char *fabric, time_t now, char **key_pem, char **ca_pem)
{
	EVP_PKEY *key = NULL;
	X509 *ca = NULL;
	char *key_text = NULL;
	char *ca_text = NULL;
	int err = -EIO;

	if (!identity_name_ok(fabric))
		return -EINVAL;
	key = generate();
	ca = key ? make(&ca_profile, NULL, key, key, fabric, NULL, NULL, now) : NULL;
	if (!ca)
		goto out;
	key_text = identity_key_encode(key);
	ca_text = cert_encode(ca);
	if (!key_text || !ca_text)
		goto out;
	*key_pem = key_text;
	*ca_pem = ca_text;
	key_text = NULL;
	ca_text = NULL;
	err = 0;
out:
	identity_pem_free(ca_text);
	identity_pem_free(key_text);
	X509_free(ca);
	EVP_PKEY_free(key);
	ERR_clear_error();
	return err;
}

int identity_csr_create(const char *key_pem, const char *host, char **csr_pem)
{
	EVP_PKEY *key = NULL;
	X509_REQ *csr = NULL;
	BIO *bio = NULL;
	char *text = NULL;
	int err = -EINVAL;

	if (!identity_name_ok(host))
		return -EINVAL;
	key = identity_key_decode(key_pem);
	if (!key)
		goto out;
	err = -EIO;
	csr = X509_REQ_new();
	bio = BIO_new(BIO_s_mem());
	if (csr && bio && X509_REQ_set_version(csr, X509_REQ_VERSION_1) == 1 && X509_REQ_set_pubkey(csr, key) == 1 &&
		add_name(X509_REQ_get_subject_name(csr), "CN", host) && X509_REQ_sign(csr, key, NULL) > 0 &&
		PEM_write_bio_X509_REQ(bio, csr) == 1)
		text = identity_text_of(bio);
	if (text) {
		*csr_pem = text;
		err = 0;
	}
out:
	BIO_free(bio);
	X509_REQ_free(csr);
	EVP_PKEY_free(key);
	ERR_clear_error();
	return err;
}

/* The CA's two halves, which must fit.  Return: 0 or -EINVAL; both are the caller's to free then */
static int load_ca(const char *ca_key_pem, const char *ca_pem, EVP_PKEY **key, X509 **ca,
	char fabric[IDENTITY_NAME_BYTES])
{
	*key = identity_key_decode(ca_key_pem);
	*ca = identity_cert_decode(ca_pem);
	if (*key && *ca && X509_check_ca(*ca) == 1 && X509_check_private_key(*ca, *key) == 1 &&
		identity_name_part(X509_get_subject_name(*ca), NID_commonName, fabric))
		return 0;
	X509_free(*ca);
	EVP_PKEY_free(*key);
	*ca = NULL;
	*key = NULL;
	return -EINVAL;
}

int identity_host_issue(const char *ca_key_pem, const char *ca_pem, const char *csr_pem, const char *host, time_t now,
	char **cert_pem)
{
	char fabric[IDENTITY_NAME_BYTES];
	EVP_PKEY *ca_key = NULL;
	X509 *ca = NULL;
	X509_REQ *csr = NULL;
	EVP_PKEY *host_key = NULL; /* borrowed from the request */
	X509 *cert = NULL;
	char *text = NULL;
	int err = -EINVAL;

	if (!identity_name_ok(host))
		return -EINVAL;
	err = load_ca(ca_key_pem, ca_pem, &ca_key, &ca, fabric);
	if (err)
		goto out;
	err = -EKEYREJECTED;
	csr = identity_csr_decode(csr_pem);
	host_key = csr ? X509_REQ_get0_pubkey(csr) : NULL;
	if (!host_key || !identity_key_fits(host_key) || X509_REQ_verify(csr, host_key) != 1)
		goto out;
	if (X509_check_private_key(ca, host_key) == 1) /* the CA's own key is not a host's */
		goto out;
	err = -EIO;
	cert = make(&host_profile, ca, ca_key, host_key, host, fabric, NULL, now);
	text = cert ? cert_encode(cert) : NULL;
	if (text) {
		*cert_pem = text;
		err = 0;
	}
out:
	X509_free(cert);
	X509_REQ_free(csr);
	X509_free(ca);
	EVP_PKEY_free(ca_key);
	ERR_clear_error();
	return err;
}

/* "DNS:" or "IP:" before @name.  Return: false where it is neither an address nor a DNS name */
static bool append_alt_name(BIO *out, const char *name, bool first)
{
	static const char letters[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-.";
	uint8_t address[16];
	size_t n = strnlen(name, 254);
	const char *kind = "DNS";

	if (inet_pton(AF_INET, name, address) == 1 || inet_pton(AF_INET6, name, address) == 1)
		kind = "IP";
	else if (n < 1 || n > 253 || strspn(name, letters) != n) /* also keeps commas out of OpenSSL's syntax */
		return false;
	return BIO_printf(out, "%s%s:%s", first ? "" : ",", kind, name) > 0;
}

/* Return: 0 and a text that may be NULL where there are no names, or -EINVAL or -ENOMEM */
static int alt_names_text(const char *const *names, size_t count, char **out)
{
	BIO *bio = BIO_new(BIO_s_mem());
	int err = bio ? 0 : -ENOMEM;

	*out = NULL;
	for (size_t i = 0; !err && i < count; i++)
		if (!append_alt_name(bio, names[i], i == 0))
			err = -EINVAL;
	if (!err && count > 0) {
		*out = identity_text_of(bio);
		if (!*out)
			err = -ENOMEM;
	}
	BIO_free(bio);
	return err;
}

/* A certificate of the controller's for @key.  Return: 0, -EINVAL, -ENOMEM or -EIO */
static int issue_controller(const char *ca_key_pem, const char *ca_pem, EVP_PKEY *key, const char *name,
	const char *const *alt_names, size_t alt_name_count, time_t now, char **cert_pem)
{
	char fabric[IDENTITY_NAME_BYTES];
	EVP_PKEY *ca_key = NULL;
	X509 *ca = NULL, *cert = NULL;
	char *alt_text = NULL;
	int err = -EINVAL;

	if (!identity_name_ok(name))
		return -EINVAL;
	err = alt_names_text(alt_names, alt_name_count, &alt_text);
	if (!err)
		err = load_ca(ca_key_pem, ca_pem, &ca_key, &ca, fabric);
	if (err)
		goto out;
	cert = make(&controller_profile, ca, ca_key, key, name, fabric, alt_text, now);
	*cert_pem = cert ? cert_encode(cert) : NULL;
	err = *cert_pem ? 0 : -EIO;
out:
	free(alt_text);
	X509_free(cert);
	X509_free(ca);
	EVP_PKEY_free(ca_key);
	ERR_clear_error();
	return err;
}

int identity_controller_issue(const char *ca_key_pem, const char *ca_pem, const char *name,
	const char *const *alt_names, size_t alt_name_count, time_t now, char **key_pem, char **cert_pem)
{
	EVP_PKEY *key = generate();
	char *key_text = key ? identity_key_encode(key) : NULL;
	int err = -EIO;

	if (key_text)
		err = issue_controller(ca_key_pem, ca_pem, key, name, alt_names, alt_name_count, now, cert_pem);
	if (!err) {
		*key_pem = key_text;
		key_text = NULL;
	}
	identity_pem_free(key_text);
	EVP_PKEY_free(key);
	ERR_clear_error();
	return err;
}

int identity_controller_renew(const char *ca_key_pem, const char *ca_pem, const char *key_pem, const char *name,
	const char *const *alt_names, size_t alt_name_count, time_t now, char **cert_pem)
{
	EVP_PKEY *key = identity_key_decode(key_pem);
	int err = -EINVAL;

	if (key)
		err = issue_controller(ca_key_pem, ca_pem, key, name, alt_names, alt_name_count, now, cert_pem);
	EVP_PKEY_free(key);
	ERR_clear_error();
	return err;
}
