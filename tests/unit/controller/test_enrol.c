/*
 * test_enrol.c - tokens, enrolment, revocation
 */
#include "controller/enrol.h"
#include "controller/store/store_sqlite.h"
#include "tests/unit/controller/change_fixture.h"
#include "tests/unit/controller/fabric_fixture.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

struct fixture {
	struct fabric_fixture authority;
	struct store *store;
	struct model *model;
};

static void open_model(struct fixture *f)
{
	char path[128];

	snprintf(path, sizeof(path), "%s/controller.db", f->authority.dir);
	assert_int_equal(store_sqlite_open(path, false, NULL, &f->store), 0);
	assert_int_equal(model_new(f->store, &f->model), 0);
}

static void reopen(struct fixture *f)
{
	model_free(f->model);
	store_close(f->store);
	open_model(f);
}

static int set_up(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));

	fabric_fixture_init(&f->authority, "127.0.0.1:4753");
	open_model(f);
	*state = f;
	return 0;
}

static int tear_down(void **state)
{
	struct fixture *f = *state;

	model_free(f->model);
	store_close(f->store);
	fabric_fixture_fini(&f->authority);
	free(f);
	return 0;
}

/* One call of enrol.h, as the API makes it */
struct attempt {
	struct fixture *f;
	const json_t *in;
	const char *host; /* to be revoked */
	time_t now;
};

static struct enrol enrol_of(const struct attempt *attempt, struct store_txn *txn)
{
	return (struct enrol){ .model = attempt->f->model,
		.authority = &attempt->f->authority.authority,
		.now = attempt->now,
		.txn = txn };
}

static json_t *prepare_token(void *ctx, struct store_txn *txn, struct fault *fault)
{
	static uint8_t random[AUTHORITY_SECRET_BYTES];
	const struct attempt *attempt = ctx;
	struct enrol enrol = enrol_of(attempt, txn);

	random[0]++;
	return enrol_token(&enrol, random, attempt->in, fault);
}

static json_t *prepare_host(void *ctx, struct store_txn *txn, struct fault *fault)
{
	const struct attempt *attempt = ctx;
	struct enrol enrol = enrol_of(attempt, txn);

	return enrol_host(&enrol, attempt->in, fault);
}

static json_t *prepare_revoke(void *ctx, struct store_txn *txn, struct fault *fault)
{
	const struct attempt *attempt = ctx;
	struct enrol enrol = enrol_of(attempt, txn);

	return enrol_revoke(&enrol, attempt->host, fault);
}

static json_t *token_at(struct fixture *f, const json_t *in, time_t now, struct fault *fault)
{
	struct attempt attempt = { .f = f, .in = in, .now = now };

	return change_fixture(f->model, prepare_token, &attempt, fault);
}

static json_t *revoke_host(struct fixture *f, const char *host, struct fault *fault)
{
	struct attempt attempt = { .f = f, .host = host };

	return change_fixture(f->model, prepare_revoke, &attempt, fault);
}

/* Return: the secret of a new token, to be freed */
static char *new_secret(struct fixture *f, const char *host, int expires_s)
{
	struct fault fault;
	json_t *in = json_pack("{s:s, s:i}", "host", host, "expires_s", expires_s);
	json_t *out = token_at(f, in, time(NULL), &fault), *content;
	char *secret;

	assert_non_null(out);
	content = token_content(json_string_value(json_object_get(out, "token")));
	assert_string_equal(json_string_value(json_object_get(content, "c")), "127.0.0.1:4753");
	assert_string_equal(json_string_value(json_object_get(content, "f")), f->authority.authority.fingerprint);
	assert_string_equal(json_string_value(json_object_get(content, "h")), host);
	secret = strdup(json_string_value(json_object_get(content, "s")));
	assert_int_equal(strlen(secret), 43);
	json_decref(content);
	json_decref(out);
	json_decref(in);
	return secret;
}

static json_t *enrol_at(struct fixture *f, const json_t *request, const char *secret, time_t now, struct fault *fault)
{
	json_t *in = json_deep_copy(request), *out;
	struct attempt attempt = { .f = f, .in = in, .now = now };

	json_object_set_new(in, "token", json_string(secret));
	out = change_fixture(f->model, prepare_host, &attempt, fault);
	json_decref(in);
	return out;
}

static void refused(struct fixture *f, const json_t *request, const char *secret, time_t now, int status,
	const char *where)
{
	struct fault fault;

	assert_null(enrol_at(f, request, secret, now, &fault));
	assert_int_equal(fault.status, status);
	assert_string_equal(fault.where, where);
	assert_string_not_equal(fault.message, "");
}

static void one_token_one_host(void **state)
{
	struct fixture *f = *state;
	struct joiner joiner = joiner_new("aws-1", NULL);
	char *secret = new_secret(f, "aws-1", 60), fingerprint[IDENTITY_FINGERPRINT_BYTES];
	struct identity identity;
	struct fault fault;
	const char *certificate;
	json_t *out;

	refused(f, joiner.request, "nonsense", time(NULL), 401, "token");
	refused(f, joiner.request, "", time(NULL), 401, "token");
	refused(f, joiner.request, secret, time(NULL) + 61, 410, "token");
	out = enrol_at(f, joiner.request, secret, time(NULL), &fault);
	assert_non_null(out);
	certificate = json_string_value(json_object_get(out, "certificate"));
	assert_true(identity_verify(f->authority.authority.ca_pem, certificate, IDENTITY_HOST, time(NULL), &identity));
	assert_string_equal(identity.name, "aws-1");
	assert_string_equal(identity.fabric, "homelab");
	assert_int_equal(strlen(json_string_value(json_object_get(out, "psk"))), 44);
	assert_true(identity_fingerprint(certificate, fingerprint));
	assert_string_equal(json_string_value(json_object_get(model_host(f->model, "aws-1"), "fingerprint")),
		fingerprint);
	assert_int_equal(json_integer_value(json_object_get(model_host(f->model, "aws-1"), "certificate_end")),
		identity.expires);
	json_decref(out);
	/* one that joined before that was kept; and what is no certificate */
	out = json_copy((json_t *)model_host(f->model, "aws-1"));
	json_object_del(out, "certificate_end");
	assert_int_equal(enrol_certificate_end(out), identity.expires);
	json_object_set_new(out, "certificate", json_string("PEM"));
	assert_int_equal(enrol_certificate_end(out), 0);
	json_decref(out);
	refused(f, joiner.request, secret, time(NULL), 409, "token");
	refused(f, joiner.request, secret, time(NULL) + 61, 409, "token");
	joiner_free(&joiner);
	free(secret);
}

/* What is wrong with the request does not use the token up */
static void bad_requests(void **state)
{
	struct fixture *f = *state;
	struct joiner good = joiner_new("aws-1", "198.51.100.7"), other = joiner_new("aws-2", NULL);
	static const struct {
		const char *member;
		const char *value;
	} bad[] = {
		{ "csr", "no PEM" },
		{ "csr", NULL },
		{ "tunnel_key", "AAAA" },
		{ "tunnel_key", NULL },
		{ "tunnel_sig", "AAAA" },
		{ "tunnel_sig", NULL },
		{ "endpoint", "host example.org" },
		{ "endpoint", "1.2.3.4:0" },
		{ "port", "4754" },
	};
	char *secret = new_secret(f, "aws-1", 60);
	struct fault fault;
	json_t *request, *out;
	uint64_t rev = model_rev(f->model);

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		request = json_deep_copy(good.request);
		if (bad[i].value)
			json_object_set_new(request, bad[i].member, json_string(bad[i].value));
		else
			json_object_del(request, bad[i].member);
		refused(f, request, secret, time(NULL), 400, bad[i].member);
		json_decref(request);
	}
	/* signed for another name, or by another key: every byte of the signature counts, as crypto/'s tests show */
	refused(f, other.request, secret, time(NULL), 400, "tunnel_sig");
	request = json_deep_copy(good.request);
	json_object_set(request, "csr", json_object_get(other.request, "csr"));
	refused(f, request, secret, time(NULL), 400, "tunnel_sig");
	json_decref(request);
	assert_int_equal(model_rev(f->model), rev);
	out = enrol_at(f, good.request, secret, time(NULL), &fault);
	assert_non_null(out);
	assert_string_equal(json_string_value(
				    json_array_get(json_object_get(model_host(f->model, "aws-1"), "endpoints"), 0)),
		"198.51.100.7:4754");
	json_decref(out);
	joiner_free(&good);
	joiner_free(&other);
	free(secret);
}

static void joining_again(void **state)
{
	struct fixture *f = *state;
	struct joiner first = joiner_new("aws-1", NULL), second = joiner_new("aws-1", NULL);
	char *secret = new_secret(f, "aws-1", 60), *again = new_secret(f, "aws-1", 60);
	struct fault fault = { 0 };
	json_t *out, *was;

	json_decref(enrol_at(f, first.request, secret, time(NULL), &fault));
	was = json_incref(json_object_get(model_host(f->model, "aws-1"), "fingerprint"));
	out = revoke_host(f, "aws-1", &fault);
	assert_int_equal(json_array_size(json_object_get(out, "hosts")), 0);
	assert_true(json_is_true(json_object_get(model_host(f->model, "aws-1"), "revoked")));
	json_decref(out);
	out = revoke_host(f, "aws-1", &fault);
	assert_int_equal(json_integer_value(json_object_get(out, "rev")), model_rev(f->model));
	json_decref(out);
	assert_null(revoke_host(f, "aws-2", &fault));
	assert_int_equal(fault.status, 404);
	json_decref(enrol_at(f, second.request, again, time(NULL), &fault));
	assert_false(json_is_true(json_object_get(model_host(f->model, "aws-1"), "revoked")));
	assert_false(json_equal(was, json_object_get(model_host(f->model, "aws-1"), "fingerprint")));
	json_decref(was);
	joiner_free(&first);
	joiner_free(&second);
	free(secret);
	free(again);
}

static json_t *prepare_remove(void *ctx, struct store_txn *txn, struct fault *fault)
{
	const struct attempt *attempt = ctx;
	struct enrol enrol = enrol_of(attempt, txn);

	return enrol_remove(&enrol, attempt->host, false, fault);
}

/* Its unused tokens go with it; another host's stay, and so does what is to be said of used ones */
static void a_removed_host_and_its_tokens(void **state)
{
	struct fixture *f = *state;
	struct joiner one = joiner_new("aws-1", NULL), other = joiner_new("aws-2", NULL);
	char *used = new_secret(f, "aws-1", 60), *unused = new_secret(f, "aws-1", 60),
	     *others = new_secret(f, "aws-2", 60), *later;
	struct attempt attempt = { .f = f, .host = "aws-1" };
	struct fault fault = { 0 };
	json_t *out;

	assert_null(change_fixture(f->model, prepare_remove, &attempt, &fault));
	assert_int_equal(fault.status, 404);
	json_decref(enrol_at(f, one.request, used, time(NULL), &fault));
	fault = (struct fault){ 0 };
	assert_null(change_fixture(f->model, prepare_remove, &attempt, &fault));
	assert_int_equal(fault.status, 409);
	json_decref(revoke_host(f, "aws-1", &fault));
	fault = (struct fault){ 0 };
	out = change_fixture(f->model, prepare_remove, &attempt, &fault);
	assert_non_null(out);
	json_decref(out);
	assert_null(model_host(f->model, "aws-1"));
	refused(f, one.request, unused, time(NULL), 401, "token");
	refused(f, one.request, used, time(NULL), 409, "token");
	json_decref(enrol_at(f, other.request, others, time(NULL), &fault));
	assert_non_null(model_host(f->model, "aws-2"));
	reopen(f);
	assert_null(model_host(f->model, "aws-1"));
	later = new_secret(f, "aws-1", 60);
	out = enrol_at(f, one.request, later, time(NULL), &fault);
	assert_non_null(out);
	assert_false(json_is_true(json_object_get(model_host(f->model, "aws-1"), "revoked")));
	json_decref(out);
	joiner_free(&one);
	joiner_free(&other);
	free(used);
	free(unused);
	free(others);
	free(later);
}

static int nothing_secret(void *ctx, const struct store_change *item)
{
	assert_null(strstr(item->key, ctx));
	assert_null(strstr(item->value, ctx));
	return 0;
}

/* Neither tokens nor the operator's token are in the store, and all of it is there again after a restart */
static void what_is_kept(void **state)
{
	struct fixture *f = *state;
	struct joiner joiner = joiner_new("aws-1", NULL);
	char *secret = new_secret(f, "aws-1", 60), path[128];
	struct fault fault;
	json_t *operator;

	reopen(f);
	assert_int_equal(store_load(f->store, nothing_secret, secret), 0);
	snprintf(path, sizeof(path), "%s/operator.json", f->authority.dir);
	operator= json_load_file(path, 0, NULL);
	assert_int_equal(store_load(f->store, nothing_secret,
				 (void *)json_string_value(json_object_get(operator, "token"))),
		0);
	json_decref(operator);
	json_decref(enrol_at(f, joiner.request, secret, time(NULL), &fault));
	assert_int_equal(fault.status, 0);
	reopen(f);
	assert_non_null(model_host(f->model, "aws-1"));
	refused(f, joiner.request, secret, time(NULL), 409, "token");
	joiner_free(&joiner);
	free(secret);
}

/* A host that enrols with another's public key could not use it, but would have peers refuse both */
static void nobody_takes_anothers_key(void **state)
{
	struct fixture *f = *state;
	struct joiner victim = joiner_new("aws-1", NULL), thief = joiner_new("aws-2", NULL);
	const char *key = json_string_value(json_object_get(victim.request, "tunnel_key"));
	char *secret = new_secret(f, "aws-1", 60), *second = new_secret(f, "aws-2", 60),
	     *again = new_secret(f, "aws-1", 60);
	char sig_text[BASE64_TEXT_BYTES(IDENTITY_SIGNATURE_BYTES)];
	uint8_t signature[IDENTITY_SIGNATURE_BYTES];
	struct x25519_public stolen;
	struct fault fault;

	json_decref(enrol_at(f, victim.request, secret, time(NULL), &fault));
	assert_int_equal(fault.status, 0);
	assert_true(base64_decode(key, stolen.bytes, sizeof(stolen.bytes)));
	assert_int_equal(identity_tunnel_sign(thief.key_pem, "aws-2", &stolen, signature), 0);
	base64_encode(signature, sizeof(signature), sig_text);
	json_object_set_new(thief.request, "tunnel_key", json_string(key));
	json_object_set_new(thief.request, "tunnel_sig", json_string(sig_text));
	refused(f, thief.request, second, time(NULL), 409, "tunnel_key");
	assert_null(model_host(f->model, "aws-2"));
	json_decref(enrol_at(f, victim.request, again, time(NULL), &fault)); /* its owner may, again */
	assert_int_equal(fault.status, 0);
	joiner_free(&victim);
	joiner_free(&thief);
	free(secret);
	free(second);
	free(again);
}

static void old_tokens_are_swept(void **state)
{
	struct fixture *f = *state;
	struct joiner joiner = joiner_new("aws-1", NULL);
	char *secret = new_secret(f, "aws-1", 60);
	json_t *in = json_pack("{s:s}", "host", "aws-2");
	struct fault fault = { 0 };

	json_decref(token_at(f, in, time(NULL) + 50 + ENROL_TOKEN_KEPT_S, &fault));
	refused(f, joiner.request, secret, time(NULL) + 61, 410, "token");
	json_decref(token_at(f, in, time(NULL) + 70 + ENROL_TOKEN_KEPT_S, &fault));
	refused(f, joiner.request, secret, time(NULL) + 61, 401, "token");
	json_decref(in);
	joiner_free(&joiner);
	free(secret);
}

static void bad_wishes_for_tokens(void **state)
{
	static const char *const bad[] = { "{}", "{\"host\":7}", "{\"host\":\"A\"}", "{\"host\":\"../a\"}",
		"{\"host\":\"a\",\"expires_s\":0}", "{\"host\":\"a\",\"expires_s\":-1}",
		"{\"host\":\"a\",\"expires_s\":2592001}", "{\"host\":\"a\",\"expires_s\":\"1h\"}", "[]",
		"{\"host\":\"a\",\"expires_s\":1e3}" };
	struct fixture *f = *state;

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		json_t *in = json_loads(bad[i], 0, NULL);
		struct fault fault = { 0 };

		assert_null(token_at(f, in, time(NULL), &fault));
		assert_int_equal(fault.status, 400);
		json_decref(in);
	}
}

static void without_the_ca_key(void **state)
{
	struct fixture *f = *state;
	struct joiner joiner = joiner_new("aws-1", NULL);
	char *secret = new_secret(f, "aws-1", 60), *key = f->authority.authority.ca_key_pem;

	f->authority.authority.ca_key_pem = NULL;
	refused(f, joiner.request, secret, time(NULL), 503, "");
	f->authority.authority.ca_key_pem = key;
	joiner_free(&joiner);
	free(secret);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(one_token_one_host, set_up, tear_down),
		cmocka_unit_test_setup_teardown(bad_requests, set_up, tear_down),
		cmocka_unit_test_setup_teardown(joining_again, set_up, tear_down),
		cmocka_unit_test_setup_teardown(a_removed_host_and_its_tokens, set_up, tear_down),
		cmocka_unit_test_setup_teardown(what_is_kept, set_up, tear_down),
		cmocka_unit_test_setup_teardown(nobody_takes_anothers_key, set_up, tear_down),
		cmocka_unit_test_setup_teardown(old_tokens_are_swept, set_up, tear_down),
		cmocka_unit_test_setup_teardown(bad_wishes_for_tokens, set_up, tear_down),
		cmocka_unit_test_setup_teardown(without_the_ca_key, set_up, tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
