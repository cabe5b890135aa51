/*
 * test_cmd_get.c - lists as tables and as JSON, one lab of several, and changes as they come
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "tests/unit/cli/command_run.h"

static struct command_run run;

#include <jansson.h>
#include <time.h>

#define PORT(lab, name, host)                                                                           \
	"{\"lab\": \"" lab "\", \"name\": \"" name "\", \"host\": \"" host "\", \"network\": \"lan\", " \
	"\"attach\": \"tap:t\"}"
#define PORTS CANNED("200 OK", "{\"rev\": 5, \"items\": [" PORT("one", "a", "h1") ", " PORT("two", "b", "h2") "]}")
#define EMPTY CANNED("200 OK", "{\"rev\": 5, \"items\": []}")

static void a_table(void **state)
{
	static const char *const answers[] = { PORTS };

	(void)state;
	COMMAND_RUN(&run, &command_get, answers, "get", "port"); /* as good as "ports" */
	assert_int_equal(run.exit, CLI_OK);
	assert_non_null(strstr(run.server.asked, "GET /v1/ports HTTP/1.1\r\n"));
	assert_ptr_equal(strstr(run.out.text, "LAB "), run.out.text);
	assert_non_null(strstr(run.out.text, "\none "));
	assert_non_null(strstr(run.out.text, "\ntwo "));
	assert_string_equal(run.err.text, "");
}

static void one_lab_of_several(void **state)
{
	static const char *const answers[] = { PORTS };
	json_t *json;

	(void)state;
	COMMAND_RUN(&run, &command_get, answers, "get", "ports", "--lab", "two");
	assert_null(strstr(run.out.text, "\none "));
	assert_non_null(strstr(run.out.text, "\ntwo "));
	COMMAND_RUN(&run, &command_get, answers, "get", "ports", "--lab", "two", "--json");
	json = json_loads(run.out.text, 0, NULL);
	assert_int_equal(json_array_size(json_object_get(json, "items")), 1);
	assert_int_equal(json_integer_value(json_object_get(json, "rev")), 5);
	json_decref(json);
	COMMAND_RUN(&run, &command_get, answers, "get", "ports", "--lab", "three");
	assert_int_equal(run.exit, CLI_OK);
	assert_string_equal(run.out.text, "");
	assert_non_null(strstr(run.err.text, "nothing of a lab three"));
	COMMAND_RUN(&run, &command_get, answers, "get", "hosts", "--lab", "two");
	assert_int_equal(run.exit, CLI_USAGE);
}

static void hosts_with_version_and_certificate(void **state)
{
	char soon[512];
	const char *answers[] = { CANNED("200 OK",
		"{\"rev\": 5, \"items\": [{\"name\": \"h1\", \"online\": true, \"version\": \"0.1.0\", "
		"\"certificate_end\": 4102444800}, {\"name\": \"h2\", \"revoked\": true, \"certificate_end\": 1}]}") };

	(void)state;
	COMMAND_RUN(&run, &command_get, answers, "get", "hosts");
	assert_int_equal(run.exit, CLI_OK);
	assert_non_null(strstr(run.out.text, "VERSION"));
	assert_non_null(strstr(run.out.text, "0.1.0"));
	assert_non_null(strstr(run.out.text, "2100-01-01"));
	assert_non_null(strstr(run.out.text, "1970-01-01"));
	assert_null(strstr(run.out.text, "its certificate"));
	snprintf(soon, sizeof(soon),
		CANNED("200 OK",
			"{\"rev\": 5, \"items\": [{\"name\": \"h1\", \"certificate_end\": %lld}, {\"name\": \"h2\", "
			"\"certificate_end\": 1}]}"),
		(long long)time(NULL) + 5 * 24 * 3600 + 60);
	answers[0] = soon;
	COMMAND_RUN(&run, &command_get, answers, "get", "hosts");
	assert_non_null(strstr(run.out.text, "h1: its certificate ends in 5d"));
	assert_non_null(strstr(run.out.text, "h2: its certificate ended "));
	assert_non_null(strstr(run.out.text, "weft token h2, and weft join --force there"));
}

static void drops_are_explained(void **state)
{
	static const char *const answers[] = { CANNED("200 OK",
		"{\"rev\": 5, \"items\": [{\"host\": \"h1\", \"name\": \"tap-down\", \"count\": 12, \"rate\": 2.5, \"since\": 1, "
		"\"last\": 1}, {\"host\": \"h2\", \"name\": \"tap-down\", \"count\": 1}, "
		"{\"host\": \"h2\", \"name\": \"of-a-newer-weftd\", \"count\": 1}]}") };
	const char *text;

	(void)state;
	COMMAND_RUN(&run, &command_get, answers, "get", "drops");
	assert_int_equal(run.exit, CLI_OK);
	assert_non_null(strstr(run.out.text, "2.5/s"));
	text = strstr(run.out.text, "\n\ntap-down\n    A frame for a device that is down.");
	assert_non_null(text); /* below the table, once */
	assert_null(strstr(text + 3, "tap-down"));
	assert_null(strstr(text, "of-a-newer-weftd"));
	COMMAND_RUN(&run, &command_get, answers, "get", "drops", "--json");
	assert_null(strstr(run.out.text, "A frame"));
}

static void nothing_is_there(void **state)
{
	static const char *const answers[] = { EMPTY };
	static const char *const kinds[] = { "hosts", "networks", "ports", "labs", "macs", "drops" };

	(void)state;
	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
		COMMAND_RUN(&run, &command_get, answers, "get", kinds[i]);
		assert_int_equal(run.exit, CLI_OK);
		assert_string_equal(run.out.text, "");
		assert_true(strlen(run.err.text) > 0); /* and what to do about it */
	}
	COMMAND_RUN(&run, &command_get, answers, "get", "prots");
	assert_int_equal(run.exit, CLI_USAGE);
	assert_non_null(strstr(run.err.text, "did you mean ports?"));
}

/* Of the stream only what is news: not what the list had, not that a host was seen again */
static void changes_as_they_come(void **state)
{
	static const char *const answers[] = {
		CANNED("200 OK", "{\"rev\": 5, \"items\": [{\"name\": \"h1\", \"last_seen\": 1, \"online\": true}]}"),
		CANNED("200 OK",
			"{\"op\": \"put\", \"item\": {\"name\": \"h1\", \"last_seen\": 2, \"online\": true}}\n{}\n"
			"{\"op\": \"put\", \"item\": {\"name\": \"h1\", \"last_seen\": 3, \"online\": false}}\n"
			"{\"op\": \"delete\", \"item\": {\"name\": \"h1\"}}\n"),
	};
	unsigned int lines = 0;

	(void)state;
	COMMAND_RUN(&run, &command_get, answers, "get", "hosts", "--watch", "--json");
	assert_int_equal(run.exit, CLI_UNREACHABLE); /* a stream does not end by itself */
	assert_non_null(strstr(run.server.asked, "GET /v1/hosts?watch=5 HTTP/1.1\r\n"));
	for (const char *at = run.out.text; (at = strchr(at, '\n')); at++)
		lines++;
	assert_int_equal(lines, 3);
	assert_null(strstr(run.out.text, "\"last_seen\":2"));
	assert_non_null(strstr(run.out.text, "{\"op\":\"delete\",\"item\":{\"name\":\"h1\"}}\n"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_table),
		cmocka_unit_test(one_lab_of_several),
		cmocka_unit_test(hosts_with_version_and_certificate),
		cmocka_unit_test(drops_are_explained),
		cmocka_unit_test(nothing_is_there),
		cmocka_unit_test(changes_as_they_come),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
