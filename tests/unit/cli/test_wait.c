/*
 * test_wait.c - when a change counts as applied everywhere, and what is said of who lacks it
 */
#include "cli/wait.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "tests/unit/cli/canned_server.h"
#include "tests/unit/said.h"

#define H1_BEHIND "{\"name\": \"h1\", \"online\": true, \"applied_rev\": 6, \"wanted\": \"b\", \"applied\": \"a\"}"
#define H1_THERE "{\"name\": \"h1\", \"online\": true, \"applied_rev\": 7, \"wanted\": \"b\", \"applied\": \"b\"}"
#define H1_WRONG \
	"{\"name\": \"h1\", \"online\": true, \"wanted\": \"b\", \"applied\": \"b\", \"error\": \"br0: no such bridge\"}"
#define H1_ERRORS(list)                                                                                                      \
	"{\"name\": \"h1\", \"online\": true, \"wanted\": \"b\", \"applied\": \"b\", \"error\": \"all\", \"errors\": [" list \
	"]}"
#define OF_OTHER "{\"lab\": \"other\", \"port\": \"a\", \"text\": \"br1: no such bridge\"}"
#define OF_OURS                                                                    \
	"{\"lab\": \"lab\", \"port\": \"a\", \"text\": \"br0: no such bridge\"}, " \
	"{\"lab\": \"lab\", \"network\": \"n\", \"text\": \"Invalid argument\"}, " \
	"{\"host\": \"h3\", \"text\": \"refused, it is forged\"}, {\"text\": \"and 3 more\"}"
#define H2_AWAY "{\"name\": \"h2\", \"online\": false}"
#define H2_REVOKED "{\"name\": \"h2\", \"online\": false, \"revoked\": true}"
#define HOSTS(items) CANNED("200 OK", "{\"items\": [" items "]}")

/* Waits for @timeout_ms with these answers of /v1/hosts; what is said goes into @said */
static enum cli_exit wait_for(const char *const *answers, size_t count, uint64_t timeout_ms, struct said *said)
{
	json_t *change = json_pack("{s: i, s: [s, s]}", "rev", 7, "hosts", "h1", "h2");
	struct client_target target = { .server_name = "the controller", .remedy = "" };
	struct canned_server server;
	struct client *client;
	enum cli_exit result;

	canned_begin(&server, answers, count);
	target.socket = server.path;
	client = client_new(&target);
	assert_non_null(client);
	said_begin(said, 2);
	result = wait_applied(client, "lab", change, timeout_ms);
	(void)said_end(said);
	client_free(client);
	(void)canned_end(&server);
	json_decref(change);
	return result;
}

static void until_all_are_in_line(void **state)
{
	static const char *const answers[] = { HOSTS(H1_BEHIND "," H2_REVOKED), HOSTS(H1_THERE "," H2_REVOKED) };
	struct said said;

	(void)state;
	assert_int_equal(wait_for(answers, 2, 10000, &said), CLI_OK);
	assert_string_equal(said.text, "");
}

static void a_host_that_could_not(void **state)
{
	static const char *const answers[] = { HOSTS(H1_WRONG "," H2_REVOKED) };
	struct said said;

	(void)state;
	assert_int_equal(wait_for(answers, 1, 10000, &said), CLI_FAILED);
	assert_string_equal(said.text, "weft: h1: br0: no such bridge\n");
}

/* Each that is the lab's own or nobody's, and none of another lab's */
static void errors_of_this_lab(void **state)
{
	static const char *const ours[] = { HOSTS(H1_ERRORS(OF_OTHER ", " OF_OURS) "," H2_REVOKED) };
	static const char *const others[] = { HOSTS(H1_ERRORS(OF_OTHER) "," H2_REVOKED) };
	struct said said;

	(void)state;
	assert_int_equal(wait_for(ours, 1, 10000, &said), CLI_FAILED);
	assert_string_equal(said.text,
		"weft: h1: port a: br0: no such bridge\n"
		"weft: h1: network n: Invalid argument\n"
		"weft: h1: host h3: refused, it is forged\n"
		"weft: h1: and 3 more\n");
	assert_int_equal(wait_for(others, 1, 10000, &said), CLI_OK);
	assert_string_equal(said.text, "");
}

static void out_of_time(void **state)
{
	static const char *const answers[] = { HOSTS(H1_BEHIND "," H2_AWAY) };
	struct said said;

	(void)state;
	assert_int_equal(wait_for(answers, 1, 0, &said), CLI_TIMED_OUT);
	assert_non_null(strstr(said.text, "revision 7"));
	assert_non_null(strstr(said.text, "h1 (online, at revision 6), h2 (offline)"));
}

/* Nobody knows of a host that the controller does not list */
static void a_host_that_is_gone(void **state)
{
	static const char *const answers[] = { HOSTS(H1_THERE) };
	struct said said;

	(void)state;
	assert_int_equal(wait_for(answers, 1, 0, &said), CLI_TIMED_OUT);
	assert_non_null(strstr(said.text, "by h2 (unknown)"));
}

static void a_controller_that_will_not_say(void **state)
{
	static const char *const refused[] = { CANNED("403 Forbidden", "{\"error\": {\"message\": \"not yours\"}}") };
	static const char *const odd[] = { CANNED("200 OK", "{\"items\": 3}") };
	struct said said;

	(void)state;
	assert_int_equal(wait_for(refused, 1, 10000, &said), CLI_FAILED);
	assert_string_equal(said.text, "weft: wait: not yours\n");
	assert_int_equal(wait_for(odd, 1, 10000, &said), CLI_FAILED);
	assert_non_null(strstr(said.text, "cannot be understood"));
	assert_int_equal(wait_for(NULL, 0, 10000, &said), CLI_UNREACHABLE);
	assert_non_null(strstr(said.text, "could not reach the controller"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(until_all_are_in_line),
		cmocka_unit_test(a_host_that_could_not),
		cmocka_unit_test(errors_of_this_lab),
		cmocka_unit_test(out_of_time),
		cmocka_unit_test(a_host_that_is_gone),
		cmocka_unit_test(a_controller_that_will_not_say),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
