/*
 * test_identity.c - a fabric's certificates: what is believed, and every forgery that is not
 */
#include "crypto/identity.h"
#include "crypto/identity_issue.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>

#define NOW ((time_t)1800000000)
#define DAY ((time_t)86400)

struct fabric {
	char *ca_key;
	char *ca;
	char *host_key;
	char *csr;
	char *host;
};

static void fabric_init(struct fabric *f, const char *name)
{
	assert_int_equal(identity_ca_create(name, NOW, &f->ca_key, &f->ca), 0);
	assert_int_equal(identity_key_create(&f->host_key), 0);
	assert_int_equal(identity_csr_create(f->host_key, "aws-1", &f->csr), 0);
	assert_int_equal(identity_host_issue(f->ca_key, f->ca, f->csr, "aws-1", NOW, &f->host), 0);
}

static void fabric_fini(struct fabric *f)
{
	identity_pem_free(f->ca_key);
	identity_pem_free(f->ca);
	identity_pem_free(f->host_key);
	identity_pem_free(f->csr);
	identity_pem_free(f->host);
}

static bool host_ok(const char *ca, const char *cert)
{
	struct identity identity;

	return identity_verify(ca, cert, IDENTITY_HOST, NOW, &identity);
}

static X509 *read_cert(const char *pem)
{
	BIO *bio = BIO_new_mem_buf(pem, -1);
	X509 *cert = PEM_read_bio_X509(bio, NULL, NULL, NULL);

	BIO_free(bio);
	assert_non_null(cert);
	return cert;
}

static EVP_PKEY *read_key(const char *pem)
{
	BIO *bio = BIO_new_mem_buf(pem, -1);
	EVP_PKEY *key = PEM_read_bio_PrivateKey(bio, NULL, NULL, NULL);

	BIO_free(bio);
	assert_non_null(key);
	return key;
}

static char *write_cert(X509 *cert)
{
	BIO *bio = BIO_new(BIO_s_mem());
	char *bytes;
	char *text;
	long n;

	assert_int_equal(PEM_write_bio_X509(bio, cert), 1);
	n = BIO_get_mem_data(bio, &bytes);
	text = strndup(bytes, (size_t)n);
	BIO_free(bio);
	return text;
}

static void names(void **state)
{
	char longest[65];

	(void)state;
	assert_true(identity_name_ok("a"));
	assert_true(identity_name_ok("aws-1"));
	assert_true(identity_name_ok("0"));
	assert_false(identity_name_ok(""));
	assert_false(identity_name_ok("-a"));
	assert_false(identity_name_ok("a-"));
	assert_false(identity_name_ok("A"));
	assert_false(identity_name_ok("a.b"));
	assert_false(identity_name_ok("a b"));
	assert_false(identity_name_ok("a/b"));
	assert_false(identity_name_ok("\xc3\xa4"));
	memset(longest, 'a', sizeof(longest));
	longest[63] = '\0';
	assert_true(identity_name_ok(longest));
	longest[63] = 'a';
	longest[64] = '\0';
	assert_false(identity_name_ok(longest));
}

static void the_whole_way(void **state)
{
	struct fabric f;
	struct identity identity;
	struct x25519_keypair tunnel;
	uint8_t signature[IDENTITY_SIGNATURE_BYTES];

	(void)state;
	fabric_init(&f, "homelab");
	assert_true(identity_ca_check(f.ca_key, f.ca));
	assert_true(identity_verify(f.ca, f.host, IDENTITY_HOST, NOW, &identity));
	assert_string_equal(identity.name, "aws-1");
	assert_string_equal(identity.fabric, "homelab");
	assert_int_equal(identity.role, IDENTITY_HOST);
	assert_int_equal(identity.expires, NOW + (365 * IDENTITY_HOST_YEARS + IDENTITY_HOST_YEARS / 4) * DAY);
	assert_true(x25519_generate(&tunnel));
	assert_int_equal(identity_tunnel_sign(f.host_key, "aws-1", &tunnel.public, signature), 0);
	assert_true(identity_tunnel_verify(&identity, &tunnel.public, signature, sizeof(signature)));
	assert_int_equal(ERR_peek_error(), 0);
	fabric_fini(&f);
}

static void another_ca_is_not_ours(void **state)
{
	struct fabric f, other;

	(void)state;
	fabric_init(&f, "homelab");
	fabric_init(&other, "homelab"); /* the same name, which anyone can choose */
	assert_true(host_ok(f.ca, f.host));
	assert_true(host_ok(other.ca, other.host));
	assert_false(host_ok(f.ca, other.host));
	assert_false(host_ok(other.ca, f.host));
	assert_false(identity_ca_check(other.ca_key, f.ca));
	assert_int_equal(identity_host_issue(other.ca_key, f.ca, f.csr, "aws-1", NOW, &(char *){ NULL }), -EINVAL);
	fabric_fini(&f);
	fabric_fini(&other);
}

static void nobody_but_the_ca_signs(void **state)
{
	struct fabric f;
	char *cert;
	char *csr;

	(void)state;
	fabric_init(&f, "homelab");
	assert_false(host_ok(f.host, f.host)); /* a host as its own CA */
	assert_false(host_ok(f.ca, f.ca));     /* the CA as a host */
	assert_false(host_ok(f.host, f.ca));
	/* a host that signs for another */
	assert_int_equal(identity_host_issue(f.host_key, f.host, f.csr, "evil", NOW, &cert), -EINVAL);
	/* the CA's own key in a request */
	assert_int_equal(identity_csr_create(f.ca_key, "evil", &csr), 0);
	assert_int_equal(identity_host_issue(f.ca_key, f.ca, csr, "evil", NOW, &cert), -EKEYREJECTED);
	identity_pem_free(csr);
	fabric_fini(&f);
}

static void a_chain_is_refused(void **state)
{
	struct fabric f, other;
	X509 *host;
	X509 *forged;
	EVP_PKEY *key;
	char *pem;

	(void)state;
	/* a certificate that names our CA as its issuer, copies all of a real one, and is signed by a stranger or a host */
	fabric_init(&f, "homelab");
	fabric_init(&other, "homelab");
	for (int i = 0; i < 2; i++) {
		host = read_cert(f.host);
		forged = X509_dup(host);
		key = read_key(i ? f.host_key : other.ca_key);
		assert_true(X509_sign(forged, key, NULL) > 0);
		pem = write_cert(forged);
		assert_false(host_ok(f.ca, pem));
		free(pem);
		EVP_PKEY_free(key);
		X509_free(forged);
		X509_free(host);
	}
	fabric_fini(&f);
	fabric_fini(&other);
}

/* Certificates of the real CA that say what no host's may: resigned, since only the CA could make them */
static bool mended_ok(const struct fabric *f, void (*mend)(X509 *))
{
	X509 *cert = read_cert(f->host);
	EVP_PKEY *key = read_key(f->ca_key);
	char *pem;
	bool ok;

	mend(cert);
	assert_true(X509_sign(cert, key, NULL) > 0);
	pem = write_cert(cert);
	ok = host_ok(f->ca, pem);
	free(pem);
	EVP_PKEY_free(key);
	X509_free(cert);
	return ok;
}

static void mend_nothing(X509 *cert)
{
	(void)cert;
}

static void mend_name(X509 *cert)
{
	X509_NAME_add_entry_by_txt(X509_get_subject_name(cert), "CN", MBSTRING_ASC, (const unsigned char *)"two", -1,
		-1, 0);
}

static void replace_cn(X509 *cert, const char *value, int n)
{
	X509_NAME *name = X509_get_subject_name(cert);
	int at = X509_NAME_get_index_by_NID(name, NID_commonName, -1);

	X509_NAME_ENTRY_free(X509_NAME_delete_entry(name, at));
	if (value)
		assert_int_equal(X509_NAME_add_entry_by_txt(name, "CN", V_ASN1_UTF8STRING, (const unsigned char *)value,
					 n, -1, 0),
			1);
}

static void mend_upper_case(X509 *cert)
{
	replace_cn(cert, "AWS", 3);
}

static void mend_nul(X509 *cert)
{
	replace_cn(cert, "aws-1\0x", 7);
}

static void mend_no_name(X509 *cert)
{
	replace_cn(cert, NULL, 0);
}

static void mend_fabric(X509 *cert)
{
	X509_NAME *name = X509_get_subject_name(cert);
	int at = X509_NAME_get_index_by_NID(name, NID_organizationName, -1);

	X509_NAME_ENTRY_free(X509_NAME_delete_entry(name, at));
	X509_NAME_add_entry_by_txt(name, "O", MBSTRING_ASC, (const unsigned char *)"other", -1, -1, 0);
}

static void mend_no_usage(X509 *cert)
{
	X509_EXTENSION_free(X509_delete_ext(cert, X509_get_ext_by_NID(cert, NID_ext_key_usage, -1)));
}

static void mend_critical(X509 *cert)
{
	X509_EXTENSION *extension = X509V3_EXT_conf_nid(NULL, NULL, NID_netscape_comment, "critical,new rule");

	assert_non_null(extension);
	X509_add_ext(cert, extension, -1);
	X509_EXTENSION_free(extension);
}

static void mend_ca(X509 *cert)
{
	X509_EXTENSION *extension = X509V3_EXT_conf_nid(NULL, NULL, NID_basic_constraints, "critical,CA:TRUE");

	X509_EXTENSION_free(X509_delete_ext(cert, X509_get_ext_by_NID(cert, NID_basic_constraints, -1)));
	X509_add_ext(cert, extension, -1);
	X509_EXTENSION_free(extension);
}

static void mend_key(X509 *cert)
{
	EVP_PKEY *key = EVP_PKEY_Q_keygen(NULL, NULL, "EC", "P-256");

	assert_non_null(key);
	X509_set_pubkey(cert, key);
	EVP_PKEY_free(key);
}

static void odd_certificates(void **state)
{
	struct fabric f;

	(void)state;
	fabric_init(&f, "homelab");
	assert_true(mended_ok(&f, mend_nothing));
	assert_false(mended_ok(&f, mend_name));
	assert_false(mended_ok(&f, mend_upper_case));
	assert_false(mended_ok(&f, mend_nul));
	assert_false(mended_ok(&f, mend_no_name));
	assert_false(mended_ok(&f, mend_fabric));
	assert_false(mended_ok(&f, mend_no_usage));
	assert_false(mended_ok(&f, mend_critical));
	assert_false(mended_ok(&f, mend_ca));
	assert_false(mended_ok(&f, mend_key));
	fabric_fini(&f);
}

static void validity(void **state)
{
	static const struct {
		time_t offset;
		bool ok;
	} times[] = {
		{ -3601, false },
		{ -3600, true },
		{ 0, true },
		{ (365 * IDENTITY_HOST_YEARS + IDENTITY_HOST_YEARS / 4) * DAY - 1, true },
		{ (365 * IDENTITY_HOST_YEARS + IDENTITY_HOST_YEARS / 4) * DAY + 1, false },
		{ 365 * IDENTITY_CA_YEARS * DAY, false },
	};
	struct fabric f;
	struct identity identity;

	(void)state;
	fabric_init(&f, "homelab");
	for (size_t i = 0; i < sizeof(times) / sizeof(times[0]); i++)
		assert_int_equal(identity_verify(f.ca, f.host, IDENTITY_HOST, NOW + times[i].offset, &identity),
			times[i].ok);
	fabric_fini(&f);
}

static void roles(void **state)
{
	static const char *const alt_names[] = { "203.0.113.5", "2001:db8::5", "controller.example.net" };
	static const char *const bad[] = { "a,IP:1.2.3.4", "", "a b", "DNS:x", "caf\xc3\xa9" };
	struct fabric f;
	struct identity identity;
	char *key;
	char *cert;
	X509 *x;

	(void)state;
	fabric_init(&f, "homelab");
	assert_int_equal(identity_controller_issue(f.ca_key, f.ca, "controller", alt_names, 3, NOW, &key, &cert), 0);
	assert_true(identity_verify(f.ca, cert, IDENTITY_CONTROLLER, NOW, &identity));
	assert_string_equal(identity.name, "controller");
	assert_false(identity_verify(f.ca, cert, IDENTITY_HOST, NOW, &identity));
	assert_false(identity_verify(f.ca, f.host, IDENTITY_CONTROLLER, NOW, &identity));
	x = read_cert(cert);
	assert_int_equal(X509_check_ip_asc(x, "203.0.113.5", 0), 1);
	assert_int_equal(X509_check_ip_asc(x, "2001:db8::5", 0), 1);
	assert_int_equal(X509_check_ip_asc(x, "203.0.113.6", 0), 0);
	assert_int_equal(X509_check_host(x, "controller.example.net", 0, 0, NULL), 1);
	X509_free(x);
	identity_pem_free(key);
	identity_pem_free(cert);
	assert_int_equal(identity_controller_issue(f.ca_key, f.ca, "controller", NULL, 0, NOW, &key, &cert), 0);
	identity_pem_free(key);
	identity_pem_free(cert);
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_int_equal(identity_controller_issue(f.ca_key, f.ca, "controller", &bad[i], 1, NOW, &key, &cert),
			-EINVAL);
	fabric_fini(&f);
}

static void requests(void **state)
{
	struct fabric f;
	char *cert;
	char *csr;
	struct identity identity;
	size_t refused = 0;

	(void)state;
	fabric_init(&f, "homelab");
	/* the name is the token's, not the request's */
	assert_int_equal(identity_host_issue(f.ca_key, f.ca, f.csr, "gcp-1", NOW, &cert), 0);
	assert_true(identity_verify(f.ca, cert, IDENTITY_HOST, NOW, &identity));
	assert_string_equal(identity.name, "gcp-1");
	identity_pem_free(cert);
	assert_int_equal(identity_host_issue(f.ca_key, f.ca, f.csr, "GCP", NOW, &cert), -EINVAL);
	assert_int_equal(identity_host_issue(f.ca_key, f.ca, f.host, "gcp-1", NOW, &cert), -EKEYREJECTED);
	assert_int_equal(identity_host_issue(f.ca_key, f.ca, "", "gcp-1", NOW, &cert), -EKEYREJECTED);
	assert_int_equal(identity_host_issue(f.ca_key, f.ca, f.ca_key, "gcp-1", NOW, &cert), -EKEYREJECTED);
	assert_int_equal(identity_csr_create(f.host_key, "no_name", &csr), -EINVAL);
	assert_int_equal(identity_csr_create("rubbish", "aws-1", &csr), -EINVAL);
	assert_int_equal(identity_ca_create("No", NOW, &cert, &csr), -EINVAL);
	/* every letter of the request's text changed: no other key and no unsigned content gets in */
	for (size_t i = 0; i < strlen(f.csr); i++) {
		char kept = f.csr[i];

		f.csr[i] = kept == 'A' ? 'B' : 'A';
		if (identity_host_issue(f.ca_key, f.ca, f.csr, "gcp-1", NOW, &cert) == 0)
			identity_pem_free(cert); /* base64's spare bits, or the text around it */
		else
			refused++;
		f.csr[i] = kept;
	}
	assert_true(refused > strlen(f.csr) * 9 / 10);
	fabric_fini(&f);
}

/* DER, where every byte counts.  (In PEM some characters' spare bits do not.) */
static void every_byte_of_a_certificate_flipped(void **state)
{
	struct fabric f;
	X509 *cert;
	uint8_t *der = NULL;
	int n;

	(void)state;
	fabric_init(&f, "homelab");
	cert = read_cert(f.host);
	n = i2d_X509(cert, &der);
	assert_true(n > 0);
	for (int i = 0; i < n; i++) {
		const uint8_t *at = der;
		BIO *bio = BIO_new(BIO_s_mem());
		char *text;
		char *pem;
		long bytes;

		der[i] ^= 0x11;
		assert_int_equal(PEM_write_bio(bio, "CERTIFICATE", "", der, n) > 0, 1);
		bytes = BIO_get_mem_data(bio, &text);
		pem = strndup(text, (size_t)bytes);
		assert_false(host_ok(f.ca, pem));
		free(pem);
		BIO_free(bio);
		der[i] ^= 0x11;
		assert_ptr_equal(at, der);
	}
	OPENSSL_free(der);
	X509_free(cert);
	fabric_fini(&f);
}

static void every_truncated_length(void **state)
{
	struct fabric f;
	struct identity identity;
	char fingerprint[IDENTITY_FINGERPRINT_BYTES];
	char *cert;

	(void)state;
	fabric_init(&f, "homelab");
	for (size_t len = 0; len + 2 < strlen(f.host); len++) { /* the last line may lack its end */
		char *cut = strndup(f.host, len);

		assert_non_null(cut);
		assert_false(identity_verify(f.ca, cut, IDENTITY_HOST, NOW, &identity));
		assert_false(identity_verify(cut, f.host, IDENTITY_HOST, NOW, &identity));
		assert_false(identity_fingerprint(cut, fingerprint));
		assert_int_equal(identity_host_issue(f.ca_key, f.ca, cut, "aws-1", NOW, &cert), -EKEYREJECTED);
		free(cut);
	}
	assert_int_equal(ERR_peek_error(), 0);
	fabric_fini(&f);
}

static void tunnel_signatures(void **state)
{
	struct fabric f;
	struct identity identity, other;
	struct x25519_keypair tunnel, second;
	uint8_t signature[IDENTITY_SIGNATURE_BYTES];
	uint8_t by_ca[IDENTITY_SIGNATURE_BYTES];

	(void)state;
	fabric_init(&f, "homelab");
	assert_true(identity_verify(f.ca, f.host, IDENTITY_HOST, NOW, &identity));
	assert_true(x25519_generate(&tunnel) && x25519_generate(&second));
	assert_int_equal(identity_tunnel_sign(f.host_key, "aws-1", &tunnel.public, signature), 0);
	assert_int_equal(identity_tunnel_sign(f.ca_key, "aws-1", &tunnel.public, by_ca), 0);
	assert_false(identity_tunnel_verify(&identity, &tunnel.public, by_ca, sizeof(by_ca)));
	assert_false(identity_tunnel_verify(&identity, &second.public, signature, sizeof(signature)));
	other = identity;
	strcpy(other.name, "aws-2");
	assert_false(identity_tunnel_verify(&other, &tunnel.public, signature, sizeof(signature)));
	other = identity;
	other.role = IDENTITY_CONTROLLER;
	assert_false(identity_tunnel_verify(&other, &tunnel.public, signature, sizeof(signature)));
	for (size_t i = 0; i < sizeof(signature); i++) {
		signature[i] ^= 0x40;
		assert_false(identity_tunnel_verify(&identity, &tunnel.public, signature, sizeof(signature)));
		signature[i] ^= 0x40;
	}
	for (size_t len = 0; len < sizeof(signature); len++)
		assert_false(identity_tunnel_verify(&identity, &tunnel.public, signature, len));
	assert_true(identity_tunnel_verify(&identity, &tunnel.public, signature, sizeof(signature)));
	assert_int_equal(identity_tunnel_sign("rubbish", "aws-1", &tunnel.public, signature), -EINVAL);
	assert_int_equal(identity_tunnel_sign(f.host_key, "-", &tunnel.public, signature), -EINVAL);
	assert_int_equal(ERR_peek_error(), 0);
	fabric_fini(&f);
}

/* @cipher: NULL for no password */
static char *other_key(const char *kind, const EVP_CIPHER *cipher)
{
	EVP_PKEY *key = EVP_PKEY_Q_keygen(NULL, NULL, kind);
	BIO *bio = BIO_new(BIO_s_mem());
	char *bytes;
	char *pem;
	long n;

	assert_int_equal(PEM_write_bio_PKCS8PrivateKey(bio, key, cipher, cipher ? "secret" : NULL, cipher ? 6 : 0, NULL,
				 NULL),
		1);
	n = BIO_get_mem_data(bio, &bytes);
	pem = strndup(bytes, (size_t)n);
	BIO_free(bio);
	EVP_PKEY_free(key);
	return pem;
}

/* Keys of another kind, that would ask for a password, or that have no end */
static void wrong_keys(void **state)
{
	char *const wrong[] = { other_key("X25519", NULL), other_key("ED448", NULL),
		other_key("ED25519", EVP_aes_256_cbc()) };
	char *pem;
	char *csr;
	char *huge = malloc(IDENTITY_PEM_MAX_BYTES + 1001);

	(void)state;
	for (size_t i = 0; i < 3; i++) {
		assert_int_equal(identity_csr_create(wrong[i], "aws-1", &csr), -EINVAL);
		free(wrong[i]);
	}
	assert_int_equal(identity_key_create(&pem), 0);
	assert_non_null(huge);
	memset(huge, '\n', IDENTITY_PEM_MAX_BYTES + 1000);
	huge[IDENTITY_PEM_MAX_BYTES + 1000] = '\0';
	memcpy(huge, pem, strlen(pem));
	assert_int_equal(identity_csr_create(huge, "aws-1", &csr), -EINVAL);
	huge[IDENTITY_PEM_MAX_BYTES] = '\0';
	assert_int_equal(identity_csr_create(huge, "aws-1", &csr), 0);
	identity_pem_free(csr);
	identity_pem_free(pem);
	identity_pem_free(NULL);
	free(huge);
}

/* Made by: openssl x509 -noout -fingerprint -sha256 */
static void fingerprint(void **state)
{
	struct fabric f;
	char got[IDENTITY_FINGERPRINT_BYTES];
	char path[] = "/tmp/weft-test-identity-XXXXXX";
	char command[128];
	char line[256];
	char wanted[IDENTITY_FINGERPRINT_BYTES] = "";
	size_t n = 0;
	int fd = mkstemp(path);
	FILE *file = fdopen(fd, "w");
	FILE *pipe;

	(void)state;
	fabric_init(&f, "homelab");
	fputs(f.ca, file);
	fclose(file);
	snprintf(command, sizeof(command), "openssl x509 -noout -fingerprint -sha256 -in %s", path);
	pipe = popen(command, "r");
	assert_non_null(pipe);
	assert_non_null(fgets(line, sizeof(line), pipe));
	assert_int_equal(pclose(pipe), 0);
	remove(path);
	for (char *c = strchr(line, '=') + 1; *c && *c != '\n' && n < sizeof(wanted) - 1; c++)
		if (*c != ':')
			wanted[n++] = (char)(*c >= 'A' ? *c - 'A' + 'a' : *c);
	assert_true(identity_fingerprint(f.ca, got));
	assert_string_equal(got, wanted);
	assert_true(identity_fingerprint(f.host, got));
	assert_string_not_equal(got, wanted);
	fabric_fini(&f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(names),
		cmocka_unit_test(the_whole_way),
		cmocka_unit_test(another_ca_is_not_ours),
		cmocka_unit_test(nobody_but_the_ca_signs),
		cmocka_unit_test(a_chain_is_refused),
		cmocka_unit_test(odd_certificates),
		cmocka_unit_test(validity),
		cmocka_unit_test(roles),
		cmocka_unit_test(requests),
		cmocka_unit_test(every_byte_of_a_certificate_flipped),
		cmocka_unit_test(every_truncated_length),
		cmocka_unit_test(tunnel_signatures),
		cmocka_unit_test(wrong_keys),
		cmocka_unit_test(fingerprint),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
