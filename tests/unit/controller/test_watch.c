/*
 * test_watch.c - operators' watches: everything or what happened since, then what happens, without a gap
 */
#include "controller/watch.h"

#include "tests/unit/controller/core_fixture.h"

static int set_up(void **state)
{
	*state = calloc(1, sizeof(struct core_fixture));
	core_init(*state);
	return 0;
}

static int tear_down(void **state)
{
	core_fini(*state);
	free(*state);
	return 0;
}

static void lab_path(int i, char out[32])
{
	snprintf(out, 32, "/v1/labs/l%d", i);
}

static void ask_put(struct core_fixture *f, struct core_client *c, int i)
{
	char path[32];

	lab_path(i, path);
	*c = (struct core_client){ 0 };
	core_ask(f, c, CORE_OPERATOR, API_PUT, path, NULL, "{\"networks\":{\"n\":{}}}");
}

static void put(struct core_fixture *f, int i)
{
	struct core_client c;

	ask_put(f, &c, i);
	store_wait(f->store);
	assert_int_equal(c.status, 200);
	core_client_fini(&c);
}

static int64_t rev_of(const json_t *line)
{
	return json_integer_value(json_object_get(line, "rev"));
}

/* Open while commits are under way, before it and after it: each change comes once, in its order */
static void no_gap(void **state)
{
	struct core_fixture *f = *state;
	struct core_client puts[6], watch = { 0 };

	put(f, 0); /* rev 2 */
	put(f, 1);
	for (int i = 2; i < 5; i++)
		ask_put(f, &puts[i - 2], i);
	core_ask(f, &watch, CORE_OPERATOR, API_GET, "/v1/labs", "watch=2", NULL);
	for (int i = 5; i < 8; i++)
		ask_put(f, &puts[i - 2], i);
	assert_non_null(watch.call);
	store_wait(f->store);
	assert_int_equal(watch.settled, 1);
	assert_int_equal(json_array_size(watch.lines), 7);
	for (int i = 0; i < 7; i++) {
		json_t *line = core_line(&watch);
		char name[8];

		snprintf(name, sizeof(name), "l%d", i + 1);
		assert_int_equal(rev_of(line), i + 3);
		assert_string_equal(core_text(line, "op"), "put");
		assert_string_equal(core_text(json_object_get(line, "item"), "name"), name);
		json_decref(line);
	}
	assert_int_equal(core_call(f, CORE_OPERATOR, API_DELETE, "/v1/labs/l3", NULL, NULL), 200);
	assert_string_equal(core_text(json_array_get(watch.lines, 0), "op"), "delete");
	core_client_fini(&watch);
	for (int i = 0; i < 6; i++)
		core_client_fini(&puts[i]);
}

static void everything_first(void **state)
{
	struct core_fixture *f = *state;
	struct core_client networks = { 0 }, hosts = { 0 };

	put(f, 0);
	put(f, 1);
	core_ask(f, &networks, CORE_OPERATOR, API_GET, "/v1/networks", "watch=0", NULL);
	core_ask(f, &hosts, CORE_OPERATOR, API_GET, "/v1/hosts", "watch=2", NULL); /* no history is kept of them */
	assert_int_equal(json_array_size(networks.lines), 2);
	assert_int_equal(json_array_size(hosts.lines), 3);
	put(f, 2);
	assert_int_equal(json_array_size(networks.lines), 3);
	core_client_fini(&networks);
	core_client_fini(&hosts);
}

static int watch_from(struct core_fixture *f, const char *query)
{
	struct core_client c = { 0 };
	int status;

	core_ask(f, &c, CORE_OPERATOR, API_GET, "/v1/networks", query, NULL);
	store_wait(f->store);
	assert_int_equal(c.answers, 1);
	status = c.status;
	core_client_fini(&c);
	return status;
}

static void revisions_that_are_not_kept(void **state)
{
	struct core_fixture *f = *state;

	assert_int_equal(watch_from(f, "watch=1"), 0);
	assert_int_equal(watch_from(f, "watch=2"), 410);
	for (unsigned int i = 0; i <= STORE_KEPT_REVISIONS; i++) {
		struct store_txn txn;

		store_txn_init(&txn);
		store_txn_put(&txn, "ids", i % 2 ? "{\"port\":0}" : "{\"network\":0}");
		assert_int_equal(store_fixture_commit(f->store, &txn, NULL), 0);
	}
	assert_int_equal(watch_from(f, "watch=1"), 410);
	assert_int_equal(watch_from(f, "watch=2"), 0);
}

static void so_many_and_no_more(void **state)
{
	struct core_fixture *f = *state;
	struct core_client *all = calloc(WATCH_MAX, sizeof(*all));

	for (unsigned int i = 0; i < WATCH_MAX; i++) {
		core_ask(f, &all[i], CORE_OPERATOR, API_GET, "/v1/labs", i % 2 ? "watch=1" : "watch=0", NULL);
		assert_int_equal(all[i].call != NULL, i % 2);
	}
	/* those that wait for their history count */
	assert_int_equal(watch_from(f, "watch=1"), 503);
	for (unsigned int i = 0; i < WATCH_MAX; i++)
		assert_non_null(all[i].watcher);
	core_client_fini(&all[7]);
	assert_int_equal(watch_from(f, "watch=1"), 0);
	put(f, 0);
	for (unsigned int i = 0; i < WATCH_MAX; i++) {
		if (i != 7)
			assert_int_equal(json_array_size(all[i].lines), 1);
		if (i % 3)
			core_client_fini(&all[i]);
	}
	/* what is still open ends with the controller */
	core_stop(f);
	for (unsigned int i = 0; i < WATCH_MAX; i++) {
		assert_int_equal(all[i].ended, i % 3 == 0);
		core_client_fini(&all[i]);
	}
	core_start(f);
	free(all);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(no_gap, set_up, tear_down),
		cmocka_unit_test_setup_teardown(everything_first, set_up, tear_down),
		cmocka_unit_test_setup_teardown(revisions_that_are_not_kept, set_up, tear_down),
		cmocka_unit_test_setup_teardown(so_many_and_no_more, set_up, tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
