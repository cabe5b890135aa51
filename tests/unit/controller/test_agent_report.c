/*
 * test_agent_report.c - what an agent may say, and what of it is believed
 */
#include "controller/agent_report.h"

#include "tests/unit/controller/core_fixture.h"

static int set_up(void **state)
{
	struct core_fixture *f = calloc(1, sizeof(*f));

	core_init(f);
	*state = f;
	assert_int_equal(core_call(f, CORE_OPERATOR, API_PUT, "/v1/labs/l",
				 "{\"networks\":{\"n\":{},\"m\":{}},\"ports\":{"
				 "\"a\":{\"host\":\"h1\",\"network\":\"n\",\"attach\":\"tap:t\"},"
				 "\"b\":{\"host\":\"h2\",\"network\":\"m\",\"attach\":\"tap:t\"}}}",
				 NULL),
		200);
	return 0;
}

static int tear_down(void **state)
{
	core_fini(*state);
	free(*state);
	return 0;
}

static bool check(struct core_fixture *f, const char *text, struct agent_report *out, struct fault *fault)
{
	json_t *in = json_loads(text, 0, NULL);
	bool ok;

	assert_non_null(in);
	*fault = (struct fault){ 0 };
	ok = agent_report_check(in, f->model, "h1", out, fault);
	assert_int_equal(ok, fault->status == 0);
	json_decref(in);
	return ok;
}

static void what_is_wrong(void **state)
{
	static const struct {
		const char *text, *where;
	} bad[] = {
		{ "{}", "applied" },
		{ "[]", "applied" },
		{ "{\"applied\":7}", "applied" },
		{ "{\"applied\":null}", "applied" },
		{ "{\"applied\":\"AB\"}", "applied" },
		{ "{\"applied\":\"../x\"}", "applied" },
		{ "{\"applied\":\"00000000000000000000000000000000000000000000000000000000000000000\"}", "applied" },
		{ "{\"applied\":\"\",\"rev\":-1}", "rev" },
		{ "{\"applied\":\"\",\"rev\":\"1\"}", "rev" },
		{ "{\"applied\":\"\",\"underlay_mtu\":65536}", "underlay_mtu" },
		{ "{\"applied\":\"\",\"error\":7}", "error" },
		{ "{\"applied\":\"\",\"version\":[]}", "version" },
		{ "{\"applied\":\"\",\"errors\":{}}", "errors" },
		{ "{\"applied\":\"\",\"errors\":[7]}", "errors" },
		{ "{\"applied\":\"\",\"errors\":[{\"lab\":\"l\"}]}", "errors" },
		{ "{\"applied\":\"\",\"errors\":[{\"lab\":7,\"text\":\"x\"}]}", "errors" },
		{ "{\"applied\":\"\",\"errors\":[{\"text\":[]}]}", "errors" },
		{ "{\"applied\":\"\",\"ports\":[]}", "ports" },
		{ "{\"applied\":\"\",\"ports\":{\"count\":1}}", "ports" },
		{ "{\"applied\":\"\",\"ports\":{\"count\":1,\"up\":2}}", "ports" },
		{ "{\"applied\":\"\",\"ports\":{\"count\":1000001,\"up\":2}}", "ports" },
		{ "{\"applied\":\"\",\"peers\":7}", "peers" },
		{ "{\"applied\":\"\",\"peers\":{\"count\":-1,\"up\":0}}", "peers" },
		{ "{\"applied\":\"\",\"peers\":{\"count\":1,\"up\":0,\"not_up\":{}}}", "peers" },
		{ "{\"applied\":\"\",\"peers\":{\"count\":1,\"up\":0,\"not_up\":[7]}}", "peers" },
		{ "{\"applied\":\"\",\"peers\":{\"count\":1,\"up\":0,\"not_up\":[{\"host\":\"h2\"}]}}", "peers" },
		{ "{\"applied\":\"\",\"peers\":{\"count\":1,\"up\":0,\"not_up\":[{\"host\":\"../x\",\"state\":\"up\"}]}}",
			"peers" },
		{ "{\"applied\":\"\",\"peers\":{\"count\":1,\"up\":0,\"not_up\":[{\"host\":\"h2\",\"state\":\"up\",\"reason\":7}]}}",
			"peers" },
		{ "{\"applied\":\"\",\"macs\":{}}", "macs" },
		{ "{\"applied\":\"\",\"macs\":[1]}", "macs" },
		{ "{\"applied\":\"\",\"macs\":[{\"network\":1,\"vlan\":4096,\"mac\":\"52:54:00:00:00:0a\",\"port\":\"a\"}]}",
			"macs" },
		{ "{\"applied\":\"\",\"macs\":[{\"network\":1,\"vlan\":0,\"mac\":\"52:54\",\"port\":\"a\"}]}", "macs" },
		{ "{\"applied\":\"\",\"macs\":[{\"network\":1,\"vlan\":0,\"mac\":\"52:54:00:00:00:0a\",\"port\":\"A\"}]}",
			"macs" },
		{ "{\"applied\":\"\",\"drops\":[]}", "drops" },
		{ "{\"applied\":\"\",\"drops\":{\"x\":\"y\"}}", "drops" },
		{ "{\"applied\":\"\",\"drops\":{\"\":1}}", "drops" },
		{ "{\"applied\":\"\",\"drops\":{\"x\":-1}}", "drops" },
		{ "{\"applied\":\"\",\"drops\":{\"\\u001b[2J\":1}}", "drops" },
	};
	struct core_fixture *f = *state;
	struct agent_report report;
	struct fault fault;

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		if (check(f, bad[i].text, &report, &fault))
			fail_msg("%s was taken", bad[i].text);
		assert_int_equal(fault.status, 400);
		assert_string_equal(fault.where, bad[i].where);
		agent_report_fini(&report);
	}
}

static void what_is_believed(void **state)
{
	struct core_fixture *f = *state;
	struct agent_report report;
	struct fault fault;
	const char *key;
	json_t *mac;
	int network = (int)json_integer_value(
		json_object_get(json_object_get(model_all(f->model, MODEL_NETWORK), "l/n"), "id"));
	char text[512];

	snprintf(text, sizeof(text),
		"{\"applied\":\"ab\",\"rev\":9,\"error\":\"two\\nlines\\u007f\",\"underlay_mtu\":1400,\"news\":1,\"macs\":["
		"{\"network\":%d,\"vlan\":7,\"mac\":\"52:54:00:00:00:0A\",\"port\":\"a\"},"
		"{\"network\":%d,\"vlan\":0,\"mac\":\"52:54:00:00:00:0b\",\"port\":\"b\"},"
		"{\"network\":77,\"vlan\":0,\"mac\":\"52:54:00:00:00:0c\",\"port\":\"a\"}],\"drops\":{\"replay\":3}}",
		network, 3 - network);
	assert_true(check(f, text, &report, &fault));
	assert_string_equal(report.applied, "ab");
	assert_int_equal(report.rev, 9);
	assert_string_equal(core_text(report.about, "error"), "two lines ");
	assert_int_equal(json_integer_value(json_object_get(report.about, "underlay_mtu")), 1400);
	assert_null(json_object_get(report.about, "news"));
	assert_int_equal(json_object_size(report.macs), 1); /* h2's network is none of h1's business */
	json_object_foreach(report.macs, key, mac) {
		assert_string_equal(core_text(mac, "mac"), "52:54:00:00:00:0a");
		assert_string_equal(core_text(mac, "network"), "n");
		assert_string_equal(core_text(mac, "host"), "h1");
	}
	assert_int_equal(json_object_size(report.drops), 1);
	agent_report_fini(&report);
	assert_true(check(f,
		"{\"applied\":\"\",\"errors\":[{\"lab\":\"l\",\"port\":\"a\",\"text\":\"no\\nbridge\",\"news\":1}]}",
		&report, &fault));
	mac = json_array_get(json_object_get(report.about, "errors"), 0);
	assert_string_equal(core_text(mac, "lab"), "l");
	assert_string_equal(core_text(mac, "port"), "a");
	assert_string_equal(core_text(mac, "text"), "no bridge");
	assert_int_equal(json_object_size(mac), 3);
	agent_report_fini(&report);
	assert_true(check(f, "{\"applied\":\"\",\"error\":null}", &report, &fault));
	assert_null(report.macs);
	assert_null(report.drops);
	agent_report_fini(&report);
}

/* At most so many of each */
static void limits(void **state)
{
	struct core_fixture *f = *state;
	json_t *in = json_pack("{s:s}", "applied", ""), *macs = json_array(), *drops = json_object();
	struct agent_report report;
	struct fault fault = { 0 };
	char name[16];

	for (unsigned int i = 0; i <= REPORT_MACS_MAX; i++)
		json_array_append_new(macs,
			json_pack("{s:i, s:i, s:s, s:s}", "network", 1, "vlan", 0, "mac", "52:54:00:00:00:0a", "port",
				"a"));
	for (unsigned int i = 0; i < REPORT_DROPS_MAX; i++) {
		snprintf(name, sizeof(name), "d%u", i);
		json_object_set_new(drops, name, json_integer(1));
	}
	json_object_set_new(in, "macs", macs);
	assert_false(agent_report_check(in, f->model, "h1", &report, &fault));
	agent_report_fini(&report);
	json_array_remove(macs, 0);
	json_object_set_new(in, "drops", drops);
	fault.status = 0;
	assert_true(agent_report_check(in, f->model, "h1", &report, &fault));
	agent_report_fini(&report);
	json_object_set_new(drops, "one-more", json_integer(1));
	assert_false(agent_report_check(in, f->model, "h1", &report, &fault));
	assert_string_equal(fault.where, "drops");
	agent_report_fini(&report);
	json_decref(in);
}

/* One report of h1 at @at_ms with this count of a drop.  Return: its item, borrowed from @last */
static json_t *drop_after(struct core_fixture *f, struct agent_report *last, uint64_t at_ms, int count)
{
	struct agent_report report;
	struct fault fault;
	char text[100];

	snprintf(text, sizeof(text), "{\"applied\":\"\",\"drops\":{\"udp-full\":%d}}", count);
	assert_true(check(f, text, &report, &fault));
	agent_report_rate(&report, last, (struct instant){ at_ms * 1000000ULL }, (time_t)(at_ms / 1000));
	agent_report_fini(last);
	*last = report;
	return json_object_get(last->drops, "udp-full");
}

static void assert_drop(const json_t *drop, double rate, int since, int last)
{
	assert_true(json_is_real(json_object_get(drop, "rate")));
	assert_int_equal(json_real_value(json_object_get(drop, "rate")) * 1000, rate * 1000);
	assert_int_equal(json_integer_value(json_object_get(drop, "since")), since);
	assert_int_equal(json_integer_value(json_object_get(drop, "last")), last);
}

static void rates_of_drops(void **state)
{
	struct core_fixture *f = *state;
	struct agent_report last = { 0 }, none;
	struct fault fault;
	json_t *now;

	assert_drop(drop_after(f, &last, 10000, 7), 0, 10, 10); /* of how long, nobody knows */
	assert_drop(drop_after(f, &last, 15000, 17), 2, 10, 15);
	assert_drop(drop_after(f, &last, 15100, 27), 2, 10, 15); /* too soon for another rate */
	assert_drop(drop_after(f, &last, 20000, 32), 3, 10, 20); /* of 17 before */
	assert_drop(drop_after(f, &last, 25000, 32), 0, 10, 20);
	assert_drop(drop_after(f, &last, 30000, 10), 2, 30, 30); /* weftd was started again */
	/* a report without drops keeps what there is */
	assert_true(check(f, "{\"applied\":\"\"}", &none, &fault));
	agent_report_rate(&none, &last, (struct instant){ 35000000000ULL }, 35);
	none.drops = json_incref(last.drops);
	agent_report_fini(&last);
	last = none;
	assert_drop(drop_after(f, &last, 40000, 30), 2, 30, 40);
	now = agent_report_drop_now(json_object_get(last.drops, "udp-full"), 55);
	assert_drop(now, 2, 30, 40);
	json_decref(now);
	now = agent_report_drop_now(json_object_get(last.drops, "udp-full"), 56);
	assert_drop(now, 0, 30, 40);
	json_decref(now);
	agent_report_fini(&last);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(what_is_wrong, set_up, tear_down),
		cmocka_unit_test_setup_teardown(what_is_believed, set_up, tear_down),
		cmocka_unit_test_setup_teardown(limits, set_up, tear_down),
		cmocka_unit_test_setup_teardown(rates_of_drops, set_up, tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
