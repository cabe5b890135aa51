/*
 * test_api.c - requests as C calls: who may call what, answers that wait for the store, two who change at once
 */
#include "controller/api.h"

#include "controller/host_addresses.h"
#include "tests/unit/controller/core_fixture.h"

#define LAB(interface) \
	"{\"networks\":{\"n\":{}},\"ports\":{\"a\":{\"host\":\"h1\",\"network\":\"n\",\"attach\":\"tap:" interface "\"},\"b\":{\"host\":\"h2\",\"network\":\"n\",\"attach\":\"tap:" interface "\"}}}"

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

/* Every endpoint, and what everybody gets from it */
static void who_may_call_what(void **state)
{
	static const struct {
		enum api_method method;
		const char *path, *query, *body;
		int nobody, agent, operator; /* 0: a watch */
	} calls[] = {
		{ API_GET, "/v1/ca", NULL, NULL, 200, 200, 200 },
		{ API_POST, "/v1/enrol", NULL, "{}", 400, 400, 400 },
		{ API_GET, "/v1/agent/topology", NULL, NULL, 401, 200, 403 },
		{ API_GET, "/v1/agent/topology", "watch=0", NULL, 401, 0, 403 },
		{ API_GET, "/v1/agent/topology", "watch=", NULL, 401, 0, 403 },
		{ API_PUT, "/v1/agent/report", NULL, "{\"applied\":\"\"}", 401, 200, 403 },
		{ API_PUT, "/v1/agent/report", "watch=0", "{\"applied\":\"\"}", 401, 400, 403 },
		{ API_PUT, "/v1/agent/answers/00", NULL, "{}", 401, 404, 403 },
		{ API_GET, "/v1/agent/answers/00", NULL, NULL, 405, 405, 405 },
		{ API_GET, "/v1/fabric", NULL, NULL, 401, 403, 200 },
		{ API_POST, "/v1/tokens", NULL, "{\"host\":\"x\"}", 401, 403, 201 },
		{ API_GET, "/v1/hosts", NULL, NULL, 401, 403, 200 },
		{ API_GET, "/v1/networks", NULL, NULL, 401, 403, 200 },
		{ API_GET, "/v1/ports", NULL, NULL, 401, 403, 200 },
		{ API_GET, "/v1/labs", NULL, NULL, 401, 403, 200 },
		{ API_GET, "/v1/macs", NULL, NULL, 401, 403, 200 },
		{ API_GET, "/v1/drops", NULL, NULL, 401, 403, 200 },
		{ API_GET, "/v1/peers", NULL, NULL, 401, 403, 200 },
		{ API_GET, "/v1/peers", "watch=0", NULL, 401, 403, 0 },
		{ API_GET, "/v1/labs/zz/state", NULL, NULL, 401, 403, 404 },
		{ API_GET, "/v1/hosts", "watch=99", NULL, 401, 403, 410 },
		{ API_GET, "/v1/labs", "watch=0", NULL, 401, 403, 0 },
		{ API_PUT, "/v1/labs/l", NULL, LAB("t"), 401, 403, 200 },
		{ API_GET, "/v1/labs/l", NULL, NULL, 401, 403, 200 },
		{ API_DELETE, "/v1/labs/l", NULL, NULL, 401, 403, 200 },
		{ API_DELETE, "/v1/labs/l", NULL, NULL, 401, 403, 404 },
		{ API_GET, "/v1/labs/l", NULL, NULL, 401, 403, 404 },
		{ API_POST, "/v1/hosts/zz/revoke", NULL, "{}", 401, 403, 404 },
		{ API_DELETE, "/v1/hosts/zz", NULL, NULL, 401, 403, 404 },
		{ API_DELETE, "/v1/hosts/zz", "revoke=1", NULL, 401, 403, 404 },
		{ API_DELETE, "/v1/hosts/zz", "revoke=2", NULL, 401, 403, 400 },
		{ API_DELETE, "/v1/hosts/zz", "watch=1", NULL, 401, 403, 400 },
		{ API_DELETE, "/v1/hosts/h2", NULL, NULL, 401, 403, 409 },
		{ API_POST, "/v1/hosts/zz/revoke", "revoke=1", NULL, 401, 403, 400 },
		{ API_POST, "/v1/hosts/zz/ask", NULL, "{\"question\":\"q\"}", 401, 403, 404 },
		{ API_POST, "/v1/hosts/h1/ask", NULL, NULL, 401, 403, 400 },
		{ API_GET, "/v1/secrets", NULL, NULL, 401, 403, 404 },
		{ API_GET, "/v1/secrets", "watch=1", NULL, 401, 403, 404 },
		{ API_GET, "/", NULL, NULL, 404, 404, 404 },
		{ API_GET, "", NULL, NULL, 404, 404, 404 },
		{ API_GET, "/v1/", NULL, NULL, 404, 404, 404 },
		{ API_GET, "/v1//hosts", NULL, NULL, 404, 404, 404 },
		{ API_GET, "/v1/hosts/", NULL, NULL, 404, 404, 404 },
		{ API_POST, "/v1/hosts/h\xff/revoke", NULL, NULL, 404, 404, 404 },
		{ API_GET, "/v1/agent/../hosts", NULL, NULL, 404, 404, 404 },
		{ API_GET, "/v1/ca/../hosts", NULL, NULL, 404, 404, 404 },
		{ API_GET, "/v1/%68osts", NULL, NULL, 401, 403, 404 },
		{ API_GET, "//v1/hosts", NULL, NULL, 404, 404, 404 },
		{ API_GET, "/v1/hosts", "", NULL, 401, 403, 200 },
		{ API_GET, "/v1/hosts", "watch=", NULL, 401, 403, 400 },
		{ API_GET, "/v1/hosts", "watch=-1", NULL, 401, 403, 400 },
		{ API_GET, "/v1/hosts", "watch=1x", NULL, 401, 403, 400 },
		{ API_GET, "/v1/hosts", "watch=1&watch=2", NULL, 401, 403, 400 },
		{ API_GET, "/v1/hosts", "watch=99999999999999999999", NULL, 401, 403, 400 },
		{ API_GET, "/v1/hosts", "x=1", NULL, 401, 403, 400 },
		{ API_PUT, "/v1/hosts", NULL, "{}", 405, 405, 405 },
		{ API_GET, "/v1/tokens", NULL, NULL, 405, 405, 405 },
		{ API_GET, "/v1/enrol", NULL, NULL, 405, 405, 405 },
		{ API_POST, "/v1/agent/topology", NULL, "{}", 405, 405, 405 },
		{ API_PUT, "/v1/labs/Bad_Name", NULL, "{}", 401, 403, 400 },
		{ API_PUT, "/v1/labs/l", NULL, NULL, 401, 403, 400 },
		{ API_PUT, "/v1/labs/l", NULL, "{\"lab\":\"l\",\"lab\":\"l\"}", 401, 403, 400 },
		{ API_PUT, "/v1/labs/l", NULL, "not json", 401, 403, 400 },
		{ API_PUT, "/v1/agent/report", NULL, "{}", 401, 400, 403 },
		{ API_PUT, "/v1/agent/report", NULL, "[]", 401, 400, 403 },
	};
	struct core_fixture *f = *state;

	for (size_t i = 0; i < sizeof(calls) / sizeof(calls[0]); i++) {
		const int want[] = { calls[i].nobody, calls[i].agent, calls[i].operator};
		const struct who_claim who[] = { CORE_STRANGER, CORE_AGENT("h1"), CORE_OPERATOR };

		for (int k = 0; k < 3; k++) {
			struct core_client c = { 0 };

			core_ask(f, &c, who[k], calls[i].method, calls[i].path, calls[i].query, calls[i].body);
			store_wait(f->store);
			assert_int_equal(c.answers, 1);
			if (c.status != want[k] || (c.watcher != NULL) != (want[k] == 0))
				fail_msg("%d %s as %d: %d, not %d", calls[i].method, calls[i].path, k, c.status,
					want[k]);
			assert_int_equal(c.known, k > 0);
			assert_int_equal(c.allow[0] != '\0', c.status == 405);
			if (c.status >= 400)
				assert_string_not_equal(core_text(json_object_get(c.body, "error"), "message"), "");
			core_client_fini(&c);
		}
	}
}

/* Nobody hears of a change before the store has it: not who asked, not who watches, not who lists */
static void an_answer_waits(void **state)
{
	struct core_fixture *f = *state;
	struct core_client put = { 0 }, networks = { 0 }, agent = { 0 };
	uint64_t rev = model_rev(f->model);

	core_ask(f, &networks, CORE_OPERATOR, API_GET, "/v1/networks", "watch=0", NULL);
	core_ask(f, &agent, CORE_AGENT("h1"), API_GET, "/v1/agent/topology", "watch=0", NULL);
	json_decref(core_line(&agent));
	core_ask(f, &put, CORE_OPERATOR, API_PUT, "/v1/labs/l", NULL, LAB("t"));
	assert_non_null(put.call);
	assert_int_equal(put.answers, 0);
	assert_int_equal(json_array_size(networks.lines), 0);
	assert_int_equal(json_array_size(agent.lines), 0);
	assert_int_equal(core_call(f, CORE_OPERATOR, API_GET, "/v1/fabric", NULL, NULL), 200);
	assert_int_equal(put.status, 200); /* core_call() had the store work */
	assert_int_equal(json_integer_value(json_object_get(put.body, "rev")), rev + 1);
	assert_int_equal(json_array_size(networks.lines), 1);
	assert_int_equal(json_array_size(agent.lines), 1);
	core_client_fini(&put);
	core_client_fini(&networks);
	core_client_fini(&agent);
}

/* The second is judged by what the first made */
static void two_at_once(void **state)
{
	struct core_fixture *f = *state;
	struct core_client first = { 0 }, second = { 0 }, third = { 0 };

	core_ask(f, &first, CORE_OPERATOR, API_PUT, "/v1/labs/one", NULL, LAB("same"));
	core_ask(f, &second, CORE_OPERATOR, API_PUT, "/v1/labs/two", NULL, LAB("same"));
	core_ask(f, &third, CORE_OPERATOR, API_DELETE, "/v1/labs/one", NULL, NULL);
	assert_true(first.call && second.call && third.call);
	assert_true(store_memory_step(f->store));
	assert_int_equal(first.status, 200);
	assert_int_equal(second.status, 400);
	assert_string_equal(core_text(json_object_get(second.body, "error"), "where"), "ports.a.attach");
	assert_int_equal(third.answers, 0);
	assert_true(store_memory_step(f->store));
	assert_int_equal(third.status, 200);
	assert_null(model_lab(f->model, "one"));
	assert_false(store_memory_step(f->store));
	core_client_fini(&first);
	core_client_fini(&second);
	core_client_fini(&third);
	/* and ids are given out once */
	core_ask(f, &first, CORE_OPERATOR, API_PUT, "/v1/labs/one", NULL, LAB("x"));
	core_ask(f, &second, CORE_OPERATOR, API_PUT, "/v1/labs/two", NULL, LAB("y"));
	store_wait(f->store);
	assert_int_equal(first.status, 200);
	assert_int_equal(second.status, 200);
	assert_int_equal(json_object_size(model_all(f->model, MODEL_PORT)), 4);
	for (uint32_t id = 3; id <= 6; id++)
		assert_true(model_port_id_used(f->model, id));
	core_client_fini(&first);
	core_client_fini(&second);
}

/* What it began goes on without it */
static void clients_that_go_away(void **state)
{
	struct core_fixture *f = *state;
	struct core_client put = { 0 }, watch = { 0 }, waits = { 0 };

	core_ask(f, &put, CORE_OPERATOR, API_PUT, "/v1/labs/l", NULL, LAB("t"));
	core_ask(f, &waits, CORE_OPERATOR, API_DELETE, "/v1/labs/l", NULL, NULL);
	core_ask(f, &watch, CORE_OPERATOR, API_GET, "/v1/labs", "watch=1", NULL);
	api_call_gone(put.call);
	api_call_gone(watch.call);
	api_call_gone(waits.call);
	store_wait(f->store);
	assert_int_equal(put.answers + watch.answers + waits.answers, 0);
	assert_null(model_lab(f->model, "l"));
	assert_int_equal(model_rev(f->model), 3);
	/* one that cannot take its watch is as one that is gone */
	watch = (struct core_client){ .refuses = true };
	core_ask(f, &watch, CORE_OPERATOR, API_GET, "/v1/labs", "watch=0", NULL);
	assert_int_equal(watch.answers, 1);
	watch = (struct core_client){ .refuses = true };
	core_ask(f, &watch, CORE_AGENT("h1"), API_GET, "/v1/agent/topology", "watch=0", NULL);
	assert_int_equal(watch.answers, 1);
	assert_int_equal(core_call(f, CORE_OPERATOR, API_PUT, "/v1/labs/l", LAB("t"), NULL), 200);
}

/* A store that fails: a 503, nothing is changed, and the next one may succeed */
static void a_store_that_fails(void **state)
{
	struct core_fixture *f = *state;
	struct core_client put = { 0 }, waits = { 0 }, watch = { 0 };

	core_ask(f, &put, CORE_OPERATOR, API_PUT, "/v1/labs/l", NULL, LAB("t"));
	core_ask(f, &waits, CORE_OPERATOR, API_POST, "/v1/hosts/h1/revoke", NULL, NULL);
	core_ask(f, &watch, CORE_OPERATOR, API_GET, "/v1/labs", "watch=1", NULL);
	store_memory_crash(f->store);
	assert_int_equal(put.status, 503);
	assert_int_equal(waits.status, 503);
	assert_int_equal(watch.status, 503);
	assert_null(model_lab(f->model, "l"));
	assert_int_equal(model_rev(f->model), 1);
	core_client_fini(&put);
	core_client_fini(&waits);
	core_client_fini(&watch);
	assert_int_equal(core_call(f, CORE_OPERATOR, API_PUT, "/v1/labs/l", LAB("t"), NULL), 200);
}

/* What changes nothing is answered at once, unless something is under way */
static void nothing_to_store(void **state)
{
	struct core_fixture *f = *state;
	struct core_client again = { 0 };
	json_t *first;

	assert_int_equal(core_call(f, CORE_OPERATOR, API_PUT, "/v1/labs/l", LAB("t"), &first), 200);
	core_ask(f, &again, CORE_OPERATOR, API_PUT, "/v1/labs/l", NULL, LAB("t"));
	assert_int_equal(again.status, 200);
	assert_true(json_is_false(json_object_get(again.body, "changed")));
	assert_true(json_equal(json_object_get(again.body, "rev"), json_object_get(first, "rev")));
	core_client_fini(&again);
	json_decref(first);
}

static void guessing_is_slowed_down(void **state)
{
	struct core_fixture *f = *state;
	struct who_claim wrong = CORE_STRANGER;
	int status = 0, i;

	for (i = 0; i < 20 && status != 429; i++)
		status = core_call(f, CORE_STRANGER, API_POST, "/v1/enrol", "{\"token\":\"guess\"}", NULL);
	assert_int_equal(i, 11);
	f->now = instant_add_ms(f->now, 7000);
	assert_int_equal(core_call(f, CORE_STRANGER, API_POST, "/v1/enrol", "not even json", NULL), 400);
	assert_int_equal(core_call(f, CORE_STRANGER, API_POST, "/v1/enrol", "{\"token\":\"guess\"}", NULL), 429);
	wrong.token = "guess";
	for (i = 0; i < 10; i++)
		assert_int_equal(core_call(f, wrong, API_GET, "/v1/hosts", NULL, NULL), 401);
	assert_int_equal(core_call(f, wrong, API_GET, "/v1/hosts", NULL, NULL), 429);
}

/* Every length of a body that is cut short is refused in words */
static void truncated_bodies(void **state)
{
	static const char report[] =
		"{\"applied\":\"ab\",\"rev\":7,\"error\":\"e\",\"macs\":[{\"network\":1,\"vlan\":0,"
		"\"mac\":\"52:54:00:00:00:0a\",\"port\":\"a\"}],\"drops\":{\"replay\":3}}";
	struct core_fixture *f = *state;
	char *cut;

	for (size_t len = 0; len < sizeof(report) - 1; len++) {
		json_t *answer;

		cut = strndup(report, len);
		assert_int_equal(core_call(f, CORE_AGENT("h1"), API_PUT, "/v1/agent/report", cut, &answer), 400);
		assert_string_not_equal(core_text(json_object_get(answer, "error"), "message"), "");
		json_decref(answer);
		free(cut);
	}
	assert_int_equal(core_call(f, CORE_AGENT("h1"), API_PUT, "/v1/agent/report", report, NULL), 200);
}

/* Declared anew, without joining: what is no use is refused, and the same again changes nothing */
static void where_a_host_is(void **state)
{
	static const char body[] = "{\"endpoints\":[\"198.51.100.9\",\"2001:db8::9\"]}";
	struct core_fixture *f = *state;
	uint64_t rev = model_rev(f->model);
	json_t *list;

	assert_int_equal(core_call(f, CORE_OPERATOR, API_PUT, "/v1/hosts/h1", body, NULL), 200);
	list = host_addresses_of(model_host(f->model, "h1"));
	assert_string_equal(json_string_value(json_array_get(list, 0)), "198.51.100.9:4754");
	assert_string_equal(json_string_value(json_array_get(list, 1)), "[2001:db8::9]:4754");
	json_decref(list);
	assert_int_equal(core_call(f, CORE_OPERATOR, API_PUT, "/v1/hosts/h1", body, NULL), 200);
	assert_int_equal(model_rev(f->model), rev + 1);
	assert_int_equal(core_call(f, CORE_OPERATOR, API_PUT, "/v1/hosts/h1", "{\"endpoints\":[\"127.0.0.1\"]}", NULL),
		400);
	assert_int_equal(core_call(f, CORE_OPERATOR, API_PUT, "/v1/hosts/h1", "{}", NULL), 400);
	assert_int_equal(core_call(f, CORE_OPERATOR, API_PUT, "/v1/hosts/nobody", body, NULL), 404);
	assert_int_equal(core_call(f, CORE_AGENT("h1"), API_PUT, "/v1/hosts/h1", body, NULL), 403);
	assert_int_equal(model_rev(f->model), rev + 1);
	assert_int_equal(core_call(f, CORE_OPERATOR, API_PUT, "/v1/hosts/h1", "{\"endpoints\":[]}", NULL), 200);
	assert_false(host_addresses_declared(model_host(f->model, "h1")));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(who_may_call_what, set_up, tear_down),
		cmocka_unit_test_setup_teardown(an_answer_waits, set_up, tear_down),
		cmocka_unit_test_setup_teardown(two_at_once, set_up, tear_down),
		cmocka_unit_test_setup_teardown(clients_that_go_away, set_up, tear_down),
		cmocka_unit_test_setup_teardown(a_store_that_fails, set_up, tear_down),
		cmocka_unit_test_setup_teardown(nothing_to_store, set_up, tear_down),
		cmocka_unit_test_setup_teardown(guessing_is_slowed_down, set_up, tear_down),
		cmocka_unit_test_setup_teardown(truncated_bodies, set_up, tear_down),
		cmocka_unit_test_setup_teardown(where_a_host_is, set_up, tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
