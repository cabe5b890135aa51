/*
 * test_get_peers.c - `weft get peers`, with a host and without: what is asked, what is shown
 */
#include "cli/get_peers.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "tests/unit/cli/command_run.h"

static struct command_run run;

static void a_host_is_asked_for_all(void **state)
{
	static const char *const answers[] = { CANNED("200 OK",
		"{\"host\": \"h1\", \"peers\": [{\"host\": \"h2\", \"state\": \"up\", \"since_s\": 61, \"endpoint\": "
		"\"192.0.2.2:4754\", \"rtt_us\": 1230, \"path_mtu\": 1500, \"last_rx_ms\": 900, \"cipher\": "
		"\"aes-128-gcm\"}, {\"host\": \"h3\", \"state\": \"silent\", \"since_s\": 5, \"reason\": \"no "
		"an\\u001b[2Jswer\"}]}") };

	(void)state;
	COMMAND_RUN(&run, &command_get, answers, "get", "peers", "h1");
	assert_int_equal(run.exit, CLI_OK);
	assert_non_null(strstr(run.server.asked, "POST /v1/hosts/h1/ask HTTP/1.1\r\n"));
	assert_non_null(strstr(run.server.asked, "{\"question\":\"peers\"}"));
	assert_non_null(
		strstr(run.out.text, "h2    up      1m01s  192.0.2.2:4754  1.23ms  1500  900ms  aes-128-gcm\n"));
	assert_non_null(strstr(run.out.text, "h3: no an"));
	assert_null(strchr(run.out.text, 033));
	COMMAND_RUN(&run, &command_get, answers, "get", "peers", "h1", "--json");
	assert_non_null(strstr(run.out.text, "\"rtt_us\": 1230"));
}

static void a_host_that_cannot_be_asked(void **state)
{
	static const char *const answers[] = { CANNED("503 Service Unavailable",
		"{\"error\": {\"message\": \"host h1 is offline\", \"hint\": \"wait\"}}") };

	(void)state;
	COMMAND_RUN(&run, &command_get, answers, "get", "peers", "h1");
	assert_int_equal(run.exit, CLI_FAILED);
	assert_string_equal(run.err.text, "weft: get peers h1: host h1 is offline; wait\n");
	COMMAND_RUN(&run, &command_get, answers, "get", "peers", "../x");
	assert_int_equal(run.exit, CLI_USAGE);
	COMMAND_RUN(&run, &command_get, answers, "get", "ports", "h1");
	assert_int_equal(run.exit, CLI_USAGE);
	assert_string_equal(run.server.asked, "");
}

static void paths_that_are_not_up(void **state)
{
	static const char *const some[] = { CANNED("200 OK",
		"{\"rev\": 5, \"paths\": {\"count\": 10, \"up\": 8, \"unknown\": 1}, \"items\": [{\"host\": \"h1\", \"peer\": "
		"\"h2\", \"state\": \"silent\", \"reason\": \"no answer\", \"endpoint\": \"192.0.2.2:4754\"}]}") };
	static const char *const none[] = { CANNED("200 OK",
		"{\"rev\": 5, \"paths\": {\"count\": 10, \"up\": 10, \"unknown\": 0}, \"items\": []}") };

	(void)state;
	COMMAND_RUN(&run, &command_get, some, "get", "peers");
	assert_int_equal(run.exit, CLI_OK);
	assert_non_null(strstr(run.out.text, "h1    h2    silent  192.0.2.2:4754\n"));
	assert_non_null(strstr(run.out.text, "h1 to h2: no answer"));
	assert_non_null(
		strstr(run.out.text, "8 of 10 paths up; 1 is not known, since no host that is online speaks of it\n"));
	COMMAND_RUN(&run, &command_get, none, "get", "peers");
	assert_string_equal(run.out.text, "10 of 10 paths up\n");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_host_is_asked_for_all),
		cmocka_unit_test(a_host_that_cannot_be_asked),
		cmocka_unit_test(paths_that_are_not_up),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
