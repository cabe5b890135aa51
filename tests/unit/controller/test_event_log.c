/*
 * test_event_log.c - the fabric's events: own ones, and agents', each once
 */
#include "controller/event_log.h"

#include "tests/unit/controller/core_fixture.h"

static time_t wall_at(void *ctx)
{
	(void)ctx;
	return 1700000000;
}

static const struct api_machine machine = { .wall = wall_at };

/* {"seq": @seq} as an agent reports it */
static json_t *agents(uint64_t seq)
{
	return json_pack("{s:I, s:i, s:s, s:s, s:s, s:s}", "seq", (json_int_t)seq, "at", 1699999999, "severity",
		"error", "event", "port-down", "about", "lab/a", "text", "it was deleted");
}

/* Those from @first to @last, reported.  Return: how many there are in all afterwards */
static size_t report(struct event_log *log, uint64_t first, uint64_t last, uint64_t *taken)
{
	json_t *list = json_array(), *all;
	size_t count;

	for (uint64_t seq = first; seq <= last; seq++)
		json_array_append_new(list, agents(seq));
	event_log_take(log, "h1", list, taken);
	json_decref(list);
	all = event_log_list(log);
	count = json_array_size(all);
	json_decref(all);
	return count;
}

static void agents_events_are_taken_once(void **state)
{
	struct event_log *log = event_log_new(&machine);
	uint64_t taken = 0;
	json_t *all;

	(void)state;
	assert_int_equal(report(log, 1000, 1002, &taken), 3);
	assert_int_equal(report(log, 1001, 1003, &taken), 4);
	assert_int_equal(report(log, 1001, 1003, &taken), 4);
	all = event_log_list(log);
	assert_string_equal(json_string_value(json_object_get(json_array_get(all, 3), "host")), "h1");
	assert_string_equal(json_string_value(json_object_get(json_array_get(all, 3), "about")), "lab/a");
	assert_int_equal(json_integer_value(json_object_get(json_array_get(all, 3), "at")), 1699999999);
	json_decref(all);
	/* another start: numbers far on; and one whose clock was set back */
	assert_int_equal(report(log, 1000 + EVENT_LOG_RUN * 50, 1001 + EVENT_LOG_RUN * 50, &taken), 6);
	assert_int_equal(report(log, 500, 501, &taken), 8);
	event_log_free(log);
}

static void what_was_lost_is_told(void **state)
{
	struct event_log *log = event_log_new(&machine);
	uint64_t taken = 0;
	json_t *all, *lost;

	(void)state;
	(void)report(log, 10, 10, &taken);
	assert_int_equal(report(log, 14, 14, &taken), 3);
	all = event_log_list(log);
	lost = json_array_get(all, 1);
	assert_string_equal(json_string_value(json_object_get(lost, "event")), "events-lost");
	assert_string_equal(json_string_value(json_object_get(lost, "text")), "3 events of this host were lost");
	json_decref(all);
	event_log_free(log);
}

static void what_is_no_event_is_skipped(void **state)
{
	struct event_log *log = event_log_new(&machine);
	json_t *list = json_pack("[i, {}, {s:s}, o, n]", 7, "seq", "x", agents(5)), *all;
	uint64_t taken = 0;

	(void)state;
	event_log_take(log, "h1", list, &taken);
	event_log_take(log, "h1", NULL, &taken);
	all = event_log_list(log);
	assert_int_equal(json_array_size(all), 1);
	assert_int_equal(taken, 5);
	json_decref(all);
	json_decref(list);
	event_log_free(log);
}

static void it_is_bounded(void **state)
{
	struct event_log *log = event_log_new(&machine);
	json_t *all;

	(void)state;
	for (unsigned int i = 0; i < EVENT_LOG_MAX + 10; i++)
		event_log_add(log, CONTROLLER_EVENT_LAB_APPLIED, "", "l", "%u", i);
	all = event_log_list(log);
	assert_int_equal(json_array_size(all), EVENT_LOG_MAX);
	assert_string_equal(json_string_value(json_object_get(json_array_get(all, 0), "text")), "10");
	json_decref(all);
	event_log_free(log);
}

static uint32_t count_of(const json_t *items, const char *name)
{
	const json_t *item;
	uint32_t count = 0;
	size_t i;

	json_array_foreach(items, i, item)
		count += strcmp(json_string_value(json_object_get(item, "event")), name) == 0;
	return count;
}

static bool has(const json_t *items, const char *name, const char *key, const char *value)
{
	const json_t *item;
	size_t i;

	json_array_foreach(items, i, item) {
		const char *is = json_string_value(json_object_get(item, key));

		if (strcmp(json_string_value(json_object_get(item, "event")), name) == 0 && is &&
			strcmp(is, value) == 0)
			return true;
	}
	return false;
}

static void what_operators_do_is_told(void **state)
{
	struct core_fixture *f = calloc(1, sizeof(*f));
	json_t *answer, *items;

	(void)state;
	core_init(f);
	(void)core_call(f, CORE_OPERATOR, API_PUT, "/v1/labs/l", "{\"networks\":{\"n\":{}}}", NULL);
	(void)core_call(f, CORE_OPERATOR, API_PUT, "/v1/labs/l", "{\"networks\":{\"n\":{}}}",
		NULL); /* the same again */
	(void)core_call(f, CORE_OPERATOR, API_DELETE, "/v1/labs/l", NULL, NULL);
	(void)core_call(f, CORE_OPERATOR, API_POST, "/v1/tokens", "{\"host\":\"h9\"}", NULL);
	(void)core_call(f, CORE_OPERATOR, API_POST, "/v1/hosts/h1/revoke", NULL, NULL);
	assert_int_equal(core_call(f, CORE_OPERATOR, API_GET, "/v1/events", NULL, &answer), 200);
	items = json_object_get(answer, "items");
	assert_true(has(items, "lab-applied", "about", "l"));
	assert_int_equal(count_of(items, "lab-applied"), 1);
	assert_true(has(items, "lab-deleted", "about", "l"));
	assert_true(has(items, "token-made", "host", "h9"));
	assert_true(has(items, "host-revoked", "host", "h1"));
	assert_false(has(items, "lab-applied", "about", "m"));
	json_decref(answer);
	core_fini(f);
	free(f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(agents_events_are_taken_once),
		cmocka_unit_test(what_was_lost_is_told),
		cmocka_unit_test(what_is_no_event_is_skipped),
		cmocka_unit_test(it_is_bounded),
		cmocka_unit_test(what_operators_do_is_told),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
