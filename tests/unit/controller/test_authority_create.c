/*
 * test_authority_create.c - a new fabric's folder: what is in it, where it is reached, and when there is none
 */
#include "controller/authority_create.h"

#include "base/error.h"
#include "controller/ca/authority.h"
#include "controller/store/store_sqlite.h"
#include "tests/unit/controller/fabric_fixture.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/stat.h>
#include <time.h>

#include <cmocka.h>

/* The folder still is what @f has of it */
static void assert_same(const struct fabric_fixture *f)
{
	struct authority now;
	struct error error;

	assert_int_equal(authority_load(f->dir, &now, &error), 0);
	assert_string_equal(now.ca_pem, f->authority.ca_pem);
	assert_string_equal(now.ca_key_pem, f->authority.ca_key_pem);
	assert_string_equal(now.tls_pem, f->authority.tls_pem);
	assert_string_equal(now.tls_key_pem, f->authority.tls_key_pem);
	authority_fini(&now);
}

static void keys_are_the_owners_alone(void **state)
{
	static const struct {
		const char *name;
		mode_t mode;
	} want[] = {
		{ "ca.key", 0600 },
		{ "ca.crt", 0644 },
		{ "tls.key", 0600 },
		{ "tls.crt", 0644 },
		{ "operator.json", 0600 },
		{ "controller.json", 0644 },
	};
	const mode_t before = umask(022);
	struct fabric_fixture f;

	(void)state;
	fabric_fixture_init(&f, "127.0.0.1:4753");
	for (size_t i = 0; i < sizeof(want) / sizeof(want[0]); i++) {
		char path[128];
		struct stat st;

		snprintf(path, sizeof(path), "%s/%s", f.dir, want[i].name);
		assert_int_equal(stat(path, &st), 0);
		assert_int_equal(st.st_mode & 0777, want[i].mode);
	}
	fabric_fixture_fini(&f);
	umask(before);
}

static void its_tls_is_of_its_ca(void **state)
{
	struct fabric_fixture f;
	struct identity identity;

	(void)state;
	fabric_fixture_init(&f, "127.0.0.1:4753");
	assert_true(
		identity_verify(f.authority.ca_pem, f.authority.tls_pem, IDENTITY_CONTROLLER, time(NULL), &identity));
	assert_string_equal(identity.fabric, "homelab");
	assert_string_equal(identity.name, "weft-controller");
	fabric_fixture_fini(&f);
}

static int collect(void *ctx, const struct store_change *item)
{
	return json_object_set_new(ctx, item->key, json_loads(item->value, 0, NULL));
}

/* What the operator's file has opens the store's lock, and the store has the fabric's name and key */
static void the_store_and_the_operator_agree(void **state)
{
	json_t *kept = json_object(), *operator;
	struct fabric_fixture f;
	struct store *store;
	const char *token;
	char path[128];

	(void)state;
	fabric_fixture_init(&f, "127.0.0.1:4753");
	snprintf(path, sizeof(path), "%s/operator.json", f.dir);
	operator= json_load_file(path, 0, NULL);
	token = json_string_value(json_object_get(operator, "token"));
	assert_int_equal(strlen(token), 43);
	assert_string_equal(json_string_value(json_object_get(operator, "ca")), f.authority.ca_pem);
	assert_string_equal(json_string_value(json_object_get(operator, "address")), "127.0.0.1:4753");
	snprintf(path, sizeof(path), "%s/controller.db", f.dir);
	assert_int_equal(store_sqlite_open(path, false, NULL, &store), 0);
	assert_int_equal(store_load(store, collect, kept), 0);
	store_close(store);
	assert_string_equal(json_string_value(json_object_get(json_object_get(kept, "operator/default"), "sha256")),
		authority_hash(token).text);
	assert_string_equal(json_string_value(json_object_get(json_object_get(kept, "fabric"), "name")), "homelab");
	assert_int_equal(strlen(json_string_value(json_object_get(json_object_get(kept, "fabric"), "psk"))), 44);
	json_decref(operator);
	json_decref(kept);
	fabric_fixture_fini(&f);
}

/* Half a fabric would be in the way of the next attempt */
static void nothing_is_left_of_one_that_failed(void **state)
{
	char dir[] = "/tmp/weft-fabric-XXXXXX", in_the_way[64];
	struct authority_wish wish = { .dir = dir, .name = "homelab", .listen = "127.0.0.1" };
	struct error error = { "" };

	(void)state;
	assert_non_null(mkdtemp(dir));
	snprintf(in_the_way, sizeof(in_the_way), "%s/controller.db-journal", dir);
	assert_int_equal(mkdir(in_the_way, 0700), 0); /* the keys are written before the store cannot be */
	assert_true(authority_create(&wish, &error) < 0);
	assert_non_null(strstr(error.text, "could not make the fabric"));
	assert_int_equal(rmdir(in_the_way), 0);
	assert_int_equal(rmdir(dir), 0);
}

static void nothing_is_overwritten(void **state)
{
	static const struct {
		const char *name, *listen, *address, *said;
	} bad[] = {
		{ "homelab", "127.0.0.1", NULL, "already" },
		{ "Home", "127.0.0.1", NULL, "--name" },
		{ "homelab", "localhost", NULL, "--listen" },
		{ "homelab", "0.0.0.0:1", NULL, "--address" },
		{ "homelab", "[::]:1", NULL, "--address" },
		{ "homelab", "127.0.0.1", "a_b", "--address" },
		{ "homelab", "127.0.0.1", "a.example.org:0", "--address" },
	};
	struct fabric_fixture f;

	(void)state;
	fabric_fixture_init(&f, "127.0.0.1:4753");
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		struct authority_wish wish = { .dir = f.dir,
			.name = bad[i].name,
			.listen = bad[i].listen,
			.address = bad[i].address };
		struct error error = { "" };

		assert_true(authority_create(&wish, &error) < 0);
		assert_non_null(strstr(error.text, bad[i].said));
	}
	assert_same(&f);
	fabric_fixture_fini(&f);
}

static void places(void **state)
{
	static const struct {
		const char *listen, *address, *want_listen, *want_address;
	} good[] = {
		{ "::", "controller.example.org", "[::]:4753", "controller.example.org:4753" },
		{ "10.0.0.5:1", "203.0.113.5", "10.0.0.5:1", "203.0.113.5:4753" },
		{ "2001:db8::5", NULL, "[2001:db8::5]:4753", "[2001:db8::5]:4753" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
		struct fabric_fixture f = { .dir = "/tmp/weft-fabric-XXXXXX" };
		struct authority_wish wish = { .dir = f.dir,
			.name = "homelab",
			.listen = good[i].listen,
			.address = good[i].address };
		struct error error = { "" };
		char path[128];
		struct stat st;

		assert_non_null(mkdtemp(f.dir));
		assert_int_equal(authority_create(&wish, &error), 0);
		assert_int_equal(authority_load(f.dir, &f.authority, &error), 0);
		assert_string_equal(f.authority.listen, good[i].want_listen);
		assert_string_equal(f.authority.address, good[i].want_address);
		snprintf(path, sizeof(path), "%s/operator.json", f.dir);
		assert_int_equal(stat(path, &st), 0);
		assert_int_equal(st.st_mode & 0777, 0600);
		fabric_fixture_fini(&f);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(keys_are_the_owners_alone),
		cmocka_unit_test(its_tls_is_of_its_ca),
		cmocka_unit_test(the_store_and_the_operator_agree),
		cmocka_unit_test(nothing_is_left_of_one_that_failed),
		cmocka_unit_test(nothing_is_overwritten),
		cmocka_unit_test(places),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
