/*
 * fuzz_identity.c - certificates, requests and keys from anyone
 *
 * The first byte chooses: 0 a certificate as PEM, 1 a certificate as DER (so that mutations reach OpenSSL's parser rather
 * than base64), 2 a request as PEM, 3 a request as DER, 4 a private key as PEM.  Whatever comes, nothing may be believed
 * that the CA, made anew in each run, did not sign.
 */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/err.h>
#include <openssl/pem.h>

#include "crypto/identity.h"
#include "crypto/identity_issue.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define NOW ((time_t)1800000000)

static char *ca_key;
static char *ca;

static char *text_of(const uint8_t *data, size_t size)
{
	char *text = malloc(size + 1);

	if (!text)
		abort();
	memcpy(text, data, size);
	text[size] = '\0';
	return text;
}

static char *armour(const char *label, const uint8_t *der, size_t size)
{
	BIO *bio = BIO_new(BIO_s_mem());
	char *bytes = NULL;
	char *text;
	long n;

	if (!bio)
		abort();
	if (PEM_write_bio(bio, label, "", der, (long)size) <= 0) {
		ERR_clear_error();
		BIO_free(bio);
		return text_of(der, 0);
	}
	n = BIO_get_mem_data(bio, &bytes);
	text = text_of((const uint8_t *)bytes, (size_t)n);
	BIO_free(bio);
	return text;
}

static void a_certificate(const char *pem)
{
	struct identity identity;
	char fingerprint[IDENTITY_FINGERPRINT_BYTES];

	assert(!identity_verify(ca, pem, IDENTITY_HOST, NOW, &identity));
	assert(!identity_verify(ca, pem, IDENTITY_CONTROLLER, NOW, &identity));
	assert(!identity_verify(pem, pem, IDENTITY_HOST, NOW, &identity)); /* nobody vouches for himself */
	if (identity_fingerprint(pem, fingerprint))
		assert(strlen(fingerprint) == IDENTITY_FINGERPRINT_BYTES - 1);
}

static void a_request(const char *pem)
{
	struct identity identity;
	char *cert;

	if (identity_host_issue(ca_key, ca, pem, "aws-1", NOW, &cert) != 0)
		return;
	assert(identity_verify(ca, cert, IDENTITY_HOST, NOW, &identity));
	assert(strcmp(identity.name, "aws-1") == 0);
	identity_pem_free(cert);
}

static void a_key(const char *pem)
{
	char *csr;

	assert(!identity_ca_check(pem, ca));
	if (identity_csr_create(pem, "aws-1", &csr) == 0) {
		a_request(csr);
		identity_pem_free(csr);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *pem;

	if (!ca && identity_ca_create("homelab", NOW, &ca_key, &ca) != 0)
		abort();
	if (size < 1)
		return 0;
	switch (data[0] % 5) {
	case 1:
		pem = armour("CERTIFICATE", data + 1, size - 1);
		break;
	case 3:
		pem = armour("CERTIFICATE REQUEST", data + 1, size - 1);
		break;
	default:
		pem = text_of(data + 1, size - 1);
	}
	if (data[0] % 5 <= 1)
		a_certificate(pem);
	else if (data[0] % 5 <= 3)
		a_request(pem);
	else
		a_key(pem);
	assert(ERR_peek_error() == 0);
	free(pem);
	return 0;
}
