/*
 * test_authority_move.c - the controller's folder after its address has changed, once and often
 */
#include "controller/authority_move.h"

#include "base/error.h"
#include "controller/ca/authority.h"
#include "crypto/identity.h"
#include "tests/unit/controller/fabric_fixture.h"

#include <jansson.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/stat.h>
#include <time.h>

#include <cmocka.h>

static int move(const struct fabric_fixture *f, const char *address, const char *listen, struct error *error)
{
	const struct authority_place place = { .dir = f->dir, .address = address, .listen = listen };

	return authority_move(&place, error);
}

static void in_folder(const struct fabric_fixture *f, const char *name, char out[256])
{
	snprintf(out, 256, "%s/%s", f->dir, name);
}

static bool certificate_names(const struct authority *authority, const char *host)
{
	BIO *bio = BIO_new_mem_buf(authority->tls_pem, -1);
	X509 *certificate = PEM_read_bio_X509(bio, NULL, NULL, NULL);
	const bool found =
		X509_check_host(certificate, host, 0, 0, NULL) == 1 || X509_check_ip_asc(certificate, host, 0) == 1;

	X509_free(certificate);
	BIO_free(bio);
	return found;
}

static void once(void **state)
{
	struct fabric_fixture f;
	struct authority now;
	struct identity identity;
	struct error error;
	char path[256];
	struct stat st;
	json_t *credentials, *line;

	(void)state;
	fabric_fixture_init(&f, "127.0.0.1:4753");
	assert_int_equal(move(&f, "ctl.lab", NULL, &error), 0);
	assert_int_equal(authority_load(f.dir, &now, &error), 0);
	assert_string_equal(now.address, "ctl.lab:4753");
	assert_string_equal(now.listen, "127.0.0.1:4753");
	assert_int_equal(now.former_count, 1);
	assert_string_equal(now.former[0], "127.0.0.1:4753");
	assert_true(authority_same(&now, &f.authority));
	/* the key stays, and the certificate is for it */
	assert_string_equal(now.tls_key_pem, f.authority.tls_key_pem);
	assert_string_not_equal(now.tls_pem, f.authority.tls_pem);
	assert_true(identity_verify(now.ca_pem, now.tls_pem, IDENTITY_CONTROLLER, time(NULL), &identity));
	assert_true(certificate_names(&now, "ctl.lab"));
	assert_true(certificate_names(&now, "127.0.0.1"));
	assert_false(certificate_names(&now, "other.lab"));
	in_folder(&f, "operator.json", path);
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0600);
	credentials = json_load_file(path, 0, NULL);
	assert_string_equal(json_string_value(json_object_get(credentials, "address")), "ctl.lab:4753");
	assert_non_null(json_string_value(json_object_get(credentials, "token")));
	json_decref(credentials);
	line = authority_news(&now);
	assert_string_equal(json_string_value(json_object_get(line, "controller")), "ctl.lab:4753");
	assert_int_equal(json_array_size(json_object_get(line, "former")), 1);
	json_decref(line);
	assert_null(authority_news(&f.authority));
	authority_fini(&now);
	fabric_fixture_fini(&f);
}

/* Few former ones are kept, the last first; an address that comes back is none of them */
static void often(void **state)
{
	static const char *const names[] = { "a.lab", "b.lab", "c.lab", "d.lab", "e.lab", "f.lab", "e.lab", "e.lab" };
	struct fabric_fixture f;
	struct authority now;
	struct error error;

	(void)state;
	fabric_fixture_init(&f, "127.0.0.1:4753");
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		assert_int_equal(move(&f, names[i], NULL, &error), 0);
	assert_int_equal(authority_load(f.dir, &now, &error), 0);
	assert_string_equal(now.address, "e.lab:4753");
	assert_int_equal(now.former_count, AUTHORITY_FORMER_MAX);
	assert_string_equal(now.former[0], "f.lab:4753");
	assert_string_equal(now.former[1], "d.lab:4753");
	assert_string_equal(now.former[3], "b.lab:4753");
	authority_fini(&now);
	fabric_fixture_fini(&f);
}

static void where_it_listens(void **state)
{
	struct fabric_fixture f;
	struct authority now;
	struct error error;

	(void)state;
	fabric_fixture_init(&f, "127.0.0.1:4753");
	/* both were one, so both change */
	assert_int_equal(move(&f, "127.0.0.2:4799", NULL, &error), 0);
	assert_int_equal(authority_load(f.dir, &now, &error), 0);
	assert_string_equal(now.listen, "127.0.0.2:4799");
	authority_fini(&now);
	assert_int_equal(move(&f, "ctl.lab", "0.0.0.0", &error), 0);
	assert_int_equal(authority_load(f.dir, &now, &error), 0);
	assert_string_equal(now.listen, "0.0.0.0:4753");
	assert_false(certificate_names(&now, "0.0.0.0"));
	authority_fini(&now);
	fabric_fixture_fini(&f);
}

static void what_is_refused(void **state)
{
	static const struct {
		const char *address, *listen, *said;
	} bad[] = {
		{ "a b", NULL, "must be an address" },
		{ "", NULL, "must be an address" },
		{ "0.0.0.0", NULL, "hosts can reach" },
		{ "ctl.lab", "ctl.lab", "must be a numeric address" },
		{ "ctl.lab", "192.0.2.77", "no address 192.0.2.77 to listen on" },
		{ "192.0.2.77", NULL, "no address 192.0.2.77 to listen on" },
	};
	struct fabric_fixture f;
	struct authority now;
	struct error error;

	(void)state;
	fabric_fixture_init(&f, "127.0.0.1:4753");
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		assert_true(move(&f, bad[i].address, bad[i].listen, &error) < 0);
		assert_non_null(strstr(error.text, bad[i].said));
	}
	assert_int_equal(authority_load(f.dir, &now, &error), 0);
	assert_string_equal(now.address, "127.0.0.1:4753");
	assert_string_equal(now.tls_pem, f.authority.tls_pem);
	authority_fini(&now);
	fabric_fixture_fini(&f);
}

/* Whoever keeps it elsewhere can move all the same: weft's programs do not look at names */
static void without_the_cas_key(void **state)
{
	struct fabric_fixture f;
	struct authority now;
	struct error error;
	char path[256];

	(void)state;
	fabric_fixture_init(&f, "127.0.0.1:4753");
	in_folder(&f, "ca.key", path);
	assert_int_equal(unlink(path), 0);
	in_folder(&f, "operator.json", path);
	assert_int_equal(unlink(path), 0);
	assert_int_equal(move(&f, "ctl.lab", NULL, &error), 0);
	assert_int_equal(authority_load(f.dir, &now, &error), 0);
	assert_string_equal(now.address, "ctl.lab:4753");
	assert_string_equal(now.tls_pem, f.authority.tls_pem);
	authority_fini(&now);
	fabric_fixture_fini(&f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(once),
		cmocka_unit_test(often),
		cmocka_unit_test(where_it_listens),
		cmocka_unit_test(what_is_refused),
		cmocka_unit_test(without_the_cas_key),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
