/*
 * test_who.c - what callers show, and who they are taken for
 */
#include "controller/who.h"

#include "tests/unit/controller/core_fixture.h"

struct fixture {
	struct core_fixture core;
	struct throttle throttle;
};

static int set_up(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));
	struct store_txn txn;
	json_t *record = json_pack("{s:s}", "sha256", authority_hash("secret").text);

	core_init(&f->core);
	throttle_init(&f->throttle, (struct hash_seed){ 1, 2 });
	store_txn_init(&txn);
	model_put(&txn, "operator/default", record);
	store_txn_put(&txn, "host/old", "{\"name\":\"old\",\"fingerprint\":\"f-old\",\"revoked\":true}");
	store_txn_put(&txn, "host/bare", "{\"name\":\"bare\"}");
	assert_int_equal(store_fixture_commit(f->core.store, &txn, NULL), 0);
	json_decref(record);
	*state = f;
	return 0;
}

static int tear_down(void **state)
{
	struct fixture *f = *state;

	core_fini(&f->core);
	free(f);
	return 0;
}

static void check(struct fixture *f, struct who_claim claim, enum who_kind kind, int status)
{
	struct fault fault = { 0 };
	struct who who;
	bool ok = who_is(&claim, f->core.model, &f->throttle, f->core.now, &who, &fault);

	assert_int_equal(ok, status == 0);
	assert_int_equal(fault.status, status);
	assert_int_equal(who.kind, kind);
	assert_string_equal(who.host, kind == WHO_AGENT ? claim.host : "");
	assert_int_equal(who.from_known, claim.from_known);
}

static void everybody(void **state)
{
	struct fixture *f = *state;

	check(f, CORE_OPERATOR, WHO_OPERATOR, 0);
	check(f, CORE_STRANGER, WHO_NOBODY, 0);
	check(f, CORE_AGENT("h1"), WHO_AGENT, 0);
	check(f, CORE_AGENT("h9"), WHO_NOBODY, 403);
	check(f, CORE_AGENT("old"), WHO_NOBODY, 403);
	check(f, CORE_AGENT("bare"), WHO_NOBODY, 403);
	check(f, (struct who_claim){ .host = "h1", .fingerprint = "f-h2" }, WHO_NOBODY, 403);
	check(f, (struct who_claim){ .host = "h1" }, WHO_NOBODY, 403);
	check(f, (struct who_claim){ .host = "", .fingerprint = "" }, WHO_NOBODY, 403);
	check(f, (struct who_claim){ .host = "../h1", .fingerprint = "f-h1" }, WHO_NOBODY, 403);
	check(f, (struct who_claim){ .token = "secret" }, WHO_OPERATOR, 0);
	check(f, (struct who_claim){ .token = "" }, WHO_NOBODY, 401);
	check(f, (struct who_claim){ .token = "secret " }, WHO_NOBODY, 401);
	check(f, (struct who_claim){ .token = "secre" }, WHO_NOBODY, 401);
	/* a token counts more than a certificate that comes with it, right or wrong */
	check(f, (struct who_claim){ .token = "secret", .host = "h1", .fingerprint = "f-h1" }, WHO_OPERATOR, 0);
	check(f, (struct who_claim){ .token = "no", .host = "h1", .fingerprint = "f-h1" }, WHO_NOBODY, 401);
}

/* Wrong ones are slowed down by where they come from; the right one works all the same */
static void wrong_tokens(void **state)
{
	struct fixture *f = *state;
	struct who_claim wrong = CORE_STRANGER, right = CORE_STRANGER;

	wrong.token = "guess";
	right.token = "secret";
	for (unsigned int i = 0; i < THROTTLE_FAILURES; i++)
		check(f, wrong, WHO_NOBODY, 401);
	check(f, wrong, WHO_NOBODY, 429);
	check(f, right, WHO_OPERATOR, 0);
	wrong.from.ip[0] = 0x20;
	check(f, wrong, WHO_NOBODY, 401);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(everybody, set_up, tear_down),
		cmocka_unit_test_setup_teardown(wrong_tokens, set_up, tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
