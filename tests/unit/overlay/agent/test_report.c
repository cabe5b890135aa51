/*
 * test_report.c - what the controller hears
 */
#include "tests/unit/overlay/agent/core_rig.h"

static void all_errors_are_reported_not_the_last(void **state)
{
	json_t *document = three_ports(1), *status;
	const struct status_facts facts = { .host = "me",
		.fabric = "f",
		.controller = "",
		.controller_state = "",
		.aead_backend = "" };

	(void)state;
	document_add_port(document, 4, 17, "nonsense");
	document_add_port(document, 5, 17, "memory");
	snprintf(around.refused, sizeof(around.refused), "wf");
	apply(document);
	assert_int_equal(json_array_size(json_object_get(around.report, "errors")), 5);
	assert_non_null(reported_of("p001"));
	assert_non_null(reported_of("p002"));
	assert_non_null(reported_of("p003"));
	assert_non_null(strstr(reported_of("p004"), "nonsense"));
	assert_non_null(strstr(reported("error"), "port lab/p001: there is no wf1"));
	assert_non_null(strstr(reported("error"), "port lab/p003: there is no wf3"));
	status = status_document(core, &facts);
	for (size_t i = 0; i < 3; i++)
		assert_non_null(json_object_get(json_array_get(json_object_get(status, "ports"), i), "error"));
	json_decref(status);
}

static void it_reports_what_is_new_only(void **state)
{
	const struct fdb_key key = { .network = 17, .mac = { { 2, 0, 0, 0, 0, 9 } } };
	unsigned int reports;

	(void)state;
	apply(three_ports(1));
	reports = around.reports;
	for (int i = 0; i < 20; i++)
		later(1000);
	assert_true(around.reports <= reports + 1);
	reports = around.reports;
	(void)fdb_learn(fdb, &key, (struct fdb_location){ FDB_LOCAL, port(1)->slot }, around.now);
	later(CORE_REPORT_MS);
	assert_int_equal(around.reports, reports + 1);
	core_reloaded(core, around.now);
	assert_int_equal(around.reports, reports + 2);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(all_errors_are_reported_not_the_last),
		TEST(it_reports_what_is_new_only),
	};

	return run_rigged("report", tests, sizeof(tests) / sizeof(tests[0]));
}
