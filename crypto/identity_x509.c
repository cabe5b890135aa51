/*
 * identity_x509.c - see identity_x509.h
 */
#include "crypto/identity_x509.h"

#include <string.h>

#include <openssl/pem.h>

static int no_password(char *buffer, int size, int writing, void *context)
{
	(void)buffer;
	(void)size;
	(void)writing;
	(void)context;
	return -1;
}

/* Return: NULL where @pem is too long; it is borrowed by what is returned */
static BIO *open_text(const char *pem)
{
	size_t n = strnlen(pem, IDENTITY_PEM_MAX_BYTES + 1);

	return n <= IDENTITY_PEM_MAX_BYTES ? BIO_new_mem_buf(pem, (int)n) : NULL;
}

EVP_PKEY *identity_key_decode(const char *pem)
{
	BIO *bio = open_text(pem);
	EVP_PKEY *key = bio ? PEM_read_bio_PrivateKey(bio, NULL, no_password, NULL) : NULL;

	BIO_free(bio);
	if (key && !identity_key_fits(key)) {
		EVP_PKEY_free(key);
		return NULL;
	}
	return key;
}

X509 *identity_cert_decode(const char *pem)
{
	BIO *bio = open_text(pem);
	X509 *cert = bio ? PEM_read_bio_X509(bio, NULL, no_password, NULL) : NULL;

	BIO_free(bio);
	return cert;
}

X509_REQ *identity_csr_decode(const char *pem)
{
	BIO *bio = open_text(pem);
	X509_REQ *csr = bio ? PEM_read_bio_X509_REQ(bio, NULL, no_password, NULL) : NULL;

	BIO_free(bio);
	return csr;
}

char *identity_text_of(BIO *bio)
{
	char *bytes;
	long n = BIO_get_mem_data(bio, &bytes);

	return n > 0 ? strndup(bytes, (size_t)n) : NULL;
}

char *identity_key_encode(EVP_PKEY *key)
{
	BIO *bio = BIO_new(BIO_s_secmem()); /* cleared when it is freed */
	char *text = NULL;

	if (bio && PEM_write_bio_PKCS8PrivateKey(bio, key, NULL, NULL, 0, NULL, NULL) == 1)
		text = identity_text_of(bio);
	BIO_free(bio);
	return text;
}

bool identity_key_fits(const EVP_PKEY *key)
{
	return EVP_PKEY_get_id(key) == EVP_PKEY_ED25519;
}

bool identity_name_part(const X509_NAME *name, int nid, char out[IDENTITY_NAME_BYTES])
{
	int at = X509_NAME_get_index_by_NID(name, nid, -1);
	const ASN1_STRING *text;
	int n;

	if (at < 0 || X509_NAME_get_index_by_NID(name, nid, at) >= 0)
		return false;
	text = X509_NAME_ENTRY_get_data(X509_NAME_get_entry(name, at));
	n = ASN1_STRING_length(text);
	if (n < 1 || n >= (int)IDENTITY_NAME_BYTES)
		return false;
	memcpy(out, ASN1_STRING_get0_data(text), (size_t)n);
	out[n] = '\0';
	return strlen(out) == (size_t)n && identity_name_ok(out);
}
