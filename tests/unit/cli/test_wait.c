/*
 * test_wait.c - what is waited for, when it is over, and what is said of everything that is not up
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
#define H2_THERE "{\"name\": \"h2\", \"online\": true, \"wanted\": \"c\", \"applied\": \"c\"}"
#define H2_AWAY "{\"name\": \"h2\", \"online\": false, \"offline_s\": 100}"
#define H2_AWAY_WITH_IT \
	"{\"name\": \"h2\", \"online\": false, \"offline_s\": 100, \"wanted\": \"c\", \"applied\": \"c\"}"
#define H2_COMING "{\"name\": \"h2\", \"online\": false, \"offline_s\": 3}"
#define H2_REVOKED "{\"name\": \"h2\", \"online\": false, \"revoked\": true}"
#define HOSTS(items) CANNED("200 OK", "{\"items\": [" items "]}")
#define STATE(count, up, offline, rows)                                                                           \
	CANNED("200 OK",                                                                                          \
		"{\"paths\": {\"count\": " count ", \"up\": " up ", \"offline\": " offline ", \"not_up\": [" rows \
		"], \"unnamed\": 0}, \"ports\": {\"count\": 2, \"up\": 2, \"offline\": 0, \"failed\": 0, \"not_up\": []}}")
#define ALL_UP STATE("1", "1", "0", "")
#define PATH(host, peer, state)                                                \
	"{\"host\": \"" host "\", \"peer\": \"" peer "\", \"state\": \"" state \
	"\", \"reason\": \"no answer from 192.0.2.2\"}"

static json_t *found; /* what was added by the last wait */

/* Waits for @timeout_ms with these answers; what is said goes into @said */
static enum cli_exit wait_for(const char *const *answers, size_t count, uint64_t timeout_ms, bool deleted,
	struct said *said)
{
	json_t *answer = json_pack("{s: i, s: [s, s]}", "rev", 7, "hosts", "h1", "h2");
	const struct wait_change change = { .lab = "lab",
		.deleted = deleted,
		.answer = answer,
		.timeout_ms = timeout_ms };
	struct client_target target = { .server_name = "the controller", .remedy = "" };
	struct canned_server server;
	struct client *client;
	enum cli_exit result;

	canned_begin(&server, answers, count);
	target.socket = server.path;
	client = client_new(&target);
	assert_non_null(client);
	json_decref(found);
	found = json_object();
	said_begin(said, 2);
	result = wait_change(client, &change, found);
	(void)said_end(said);
	client_free(client);
	(void)canned_end(&server);
	json_decref(answer);
	return result;
}

#define WAIT(answers, timeout_ms, said) \
	wait_for(answers, sizeof(answers) / sizeof((answers)[0]), timeout_ms, false, said)

static long long found_number(const char *of, const char *what)
{
	return json_integer_value(json_object_get(json_object_get(found, of), what));
}

static size_t found_errors(void)
{
	return json_array_size(json_object_get(found, "errors"));
}

static void until_all_is_up(void **state)
{
	static const char *const answers[] = { HOSTS(H1_BEHIND "," H2_THERE), HOSTS(H1_THERE "," H2_THERE),
		STATE("1", "0", "0", PATH("h1", "h2", "connecting")), HOSTS(H1_THERE "," H2_THERE), ALL_UP };
	struct said said;

	(void)state;
	assert_int_equal(WAIT(answers, 10000, &said), CLI_OK);
	assert_string_equal(said.text, "");
	assert_int_equal(found_number("paths", "up"), 1);
	assert_int_equal(found_number("ports", "count"), 2);
	assert_int_equal(found_errors(), 0);
}

/* Nobody waits for who is revoked; and where a lab is deleted there is nothing that could be up */
static void of_a_lab_that_is_deleted(void **state)
{
	static const char *const answers[] = { HOSTS(H1_BEHIND "," H2_REVOKED), HOSTS(H1_THERE "," H2_REVOKED) };
	struct said said;

	(void)state;
	assert_int_equal(wait_for(answers, 2, 10000, true, &said), CLI_OK);
	assert_string_equal(said.text, "");
	assert_null(json_object_get(found, "paths"));
}

static void a_host_that_could_not(void **state)
{
	static const char *const answers[] = { HOSTS(H1_WRONG "," H2_REVOKED), ALL_UP };
	struct said said;

	(void)state;
	assert_int_equal(WAIT(answers, 10000, &said), CLI_FAILED);
	assert_string_equal(said.text, "weft: h1: br0: no such bridge\n");
	assert_int_equal(found_errors(), 1);
}

/* Each that is the lab's own or nobody's, and none of another lab's; a host that is refused is told by its path */
static void errors_of_this_lab(void **state)
{
	static const char *const ours[] = { HOSTS(H1_ERRORS(OF_OTHER ", " OF_OURS) "," H2_REVOKED), ALL_UP };
	static const char *const others[] = { HOSTS(H1_ERRORS(OF_OTHER) "," H2_REVOKED), ALL_UP };
	struct said said;

	(void)state;
	assert_int_equal(WAIT(ours, 10000, &said), CLI_FAILED);
	assert_string_equal(said.text,
		"weft: h1: port a: br0: no such bridge\n"
		"weft: h1: network n: Invalid argument\n"
		"weft: h1: and 3 more\n");
	assert_int_equal(found_errors(), 3);
	assert_int_equal(wait_for(ours, 1, 10000, true, &said), CLI_FAILED);
	assert_non_null(strstr(said.text, "weft: h1: host h3: refused, it is forged\n"));
	assert_int_equal(WAIT(others, 10000, &said), CLI_OK);
	assert_string_equal(said.text, "");
}

static void a_path_that_does_not_come_up(void **state)
{
	static const char *const answers[] = { HOSTS(H1_THERE "," H2_THERE),
		STATE("1", "0", "0", PATH("h1", "h2", "silent") "," PATH("h2", "h1", "connecting")) };
	static const char *const refused[] = { HOSTS(H1_THERE "," H2_THERE),
		STATE("1", "0", "0", PATH("h1", "h2", "refused") "," PATH("h2", "h1", "refused")) };
	struct said said;

	(void)state;
	assert_int_equal(WAIT(answers, 0, &said), CLI_TIMED_OUT);
	assert_non_null(strstr(said.text, "weft: path h1 to h2: silent: no answer from 192.0.2.2\n"));
	assert_non_null(strstr(said.text, "weft: path h2 to h1: connecting"));
	assert_non_null(strstr(said.text, "not all of it is up after 0s"));
	/* what no waiting mends is not waited for */
	assert_int_equal(WAIT(refused, 10000, &said), CLI_FAILED);
	assert_non_null(strstr(said.text, "path h1 to h2: refused"));
}

/* They could not be named; they may be others', and may not be */
static void paths_without_a_name(void **state)
{
	static const char *const answers[] = {
		HOSTS(H1_THERE "," H2_THERE),
		CANNED("200 OK",
			"{\"paths\": {\"count\": 9, \"up\": 9, \"offline\": 0, \"not_up\": [], \"unnamed\": 7}, \"ports\": {}}")
	};
	struct said said;

	(void)state;
	assert_int_equal(WAIT(answers, 0, &said), CLI_TIMED_OUT);
	assert_non_null(strstr(said.text, "7 more paths of these hosts are not up"));
}

static void a_host_that_is_offline(void **state)
{
	static const char *const away[] = { HOSTS(H1_THERE "," H2_AWAY), STATE("1", "0", "1", "") };
	static const char *const with_it[] = { HOSTS(H1_THERE "," H2_AWAY_WITH_IT), STATE("1", "0", "1", "") };
	static const char *const coming[] = { HOSTS(H1_THERE "," H2_COMING), HOSTS(H1_THERE "," H2_THERE), ALL_UP };
	struct said said;

	(void)state;
	assert_int_equal(WAIT(away, 60000, &said), CLI_TIMED_OUT);
	assert_string_equal(said.text,
		"h2 is offline and not waited for\n"
		"weft: h2: offline; it will apply this when its weftd is back\n");
	assert_int_equal(found_errors(), 1);
	assert_int_equal(WAIT(with_it, 60000, &said), CLI_TIMED_OUT);
	assert_non_null(strstr(said.text, "weft: h2: offline"));
	assert_int_equal(WAIT(coming, 60000, &said), CLI_OK);
	assert_string_equal(said.text, "");
}

static void out_of_time(void **state)
{
	static const char *const answers[] = { HOSTS(H1_BEHIND "," H2_COMING) };
	struct said said;

	(void)state;
	assert_int_equal(WAIT(answers, 0, &said), CLI_TIMED_OUT);
	assert_non_null(strstr(said.text, "weft: h1: online, but at revision 6: it has not applied this yet\n"));
	assert_non_null(strstr(said.text, "weft: h2: offline"));
}

/* Nobody knows of a host that the controller does not list */
static void a_host_that_is_gone(void **state)
{
	static const char *const answers[] = { HOSTS(H1_THERE) };
	struct said said;

	(void)state;
	assert_int_equal(WAIT(answers, 0, &said), CLI_TIMED_OUT);
	assert_non_null(strstr(said.text, "weft: h2: unknown to the controller\n"));
}

static void a_controller_that_will_not_say(void **state)
{
	static const char *const refused[] = { CANNED("403 Forbidden", "{\"error\": {\"message\": \"not yours\"}}") };
	static const char *const odd[] = { CANNED("200 OK", "{\"itms\": 3}") };
	struct said said;

	(void)state;
	assert_int_equal(WAIT(refused, 10000, &said), CLI_FAILED);
	assert_string_equal(said.text, "weft: wait: not yours\n");
	assert_int_equal(WAIT(odd, 10000, &said), CLI_FAILED);
	assert_non_null(strstr(said.text, "cannot be understood"));
	assert_int_equal(wait_for(NULL, 0, 10000, false, &said), CLI_UNREACHABLE);
	assert_non_null(strstr(said.text, "could not reach the controller"));
	assert_null(json_object_get(found, "errors"));
	json_decref(found);
	found = NULL;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(until_all_is_up),
		cmocka_unit_test(of_a_lab_that_is_deleted),
		cmocka_unit_test(a_host_that_could_not),
		cmocka_unit_test(errors_of_this_lab),
		cmocka_unit_test(a_path_that_does_not_come_up),
		cmocka_unit_test(paths_without_a_name),
		cmocka_unit_test(a_host_that_is_offline),
		cmocka_unit_test(out_of_time),
		cmocka_unit_test(a_host_that_is_gone),
		cmocka_unit_test(a_controller_that_will_not_say),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
