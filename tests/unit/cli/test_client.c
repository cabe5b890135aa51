/*
 * test_client.c - what is asked, what is made of answers good and bad, and what people are told of silence
 *
 * Over a socket to a server with canned answers; TLS is the end-to-end tests'.
 */
#include "cli/client.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "tests/unit/cli/canned_server.h"
#include "tests/unit/said.h"

static struct client *client_of(const struct canned_server *server)
{
	const struct client_target target = {
		.socket = server->path,
		.bearer = "s3cret",
		.server_name = "the controller",
		.remedy = "is it running?",
	};
	struct client *client = client_new(&target);

	assert_non_null(client);
	return client;
}

static void a_call_and_its_answer(void **state)
{
	static const char *const answers[] = { CANNED("200 OK", "{\"rev\": 7}"), CANNED("200 OK", "not json") };
	json_t *body = json_pack("{s: s}", "lab", "two-sites");
	struct canned_server server;
	struct client *client;
	struct answer answer;

	(void)state;
	canned_begin(&server, answers, 2);
	client = client_of(&server);
	assert_int_equal(client_call(client, "PUT", "/v1/labs/two-sites", body, &answer), CLI_OK);
	assert_true(answer_good(&answer));
	assert_int_equal(json_integer_value(json_object_get(answer.json, "rev")), 7);
	answer_fini(&answer);
	assert_int_equal(client_call(client, "GET", "/v1/hosts", NULL, &answer), CLI_OK);
	assert_int_equal(answer.status, 200);
	assert_null(answer.json);
	assert_false(answer_good(&answer));
	answer_fini(&answer);
	client_free(client);
	(void)canned_end(&server);
	assert_non_null(strstr(server.asked, "PUT /v1/labs/two-sites HTTP/1.1\r\n"));
	assert_non_null(strstr(server.asked, "\r\n\r\n{\"lab\":\"two-sites\"}"));
	assert_non_null(strstr(server.asked, "Authorization: Bearer s3cret\r\n"));
	assert_non_null(strstr(server.asked, "GET /v1/hosts HTTP/1.1\r\n"));
	assert_null(strstr(server.asked, "Expect:"));
	json_decref(body);
}

static void a_refusal_is_told_whole(void **state)
{
	static const char *const answers[] = {
		CANNED("409 Conflict",
			"{\"error\": {\"where\": \"ports.a\", \"message\": \"taken\", \"hint\": \"use b\"}}"),
		CANNED("502 Bad Gateway", "<html>"),
	};
	struct canned_server server;
	struct client *client;
	struct answer answer;
	struct said said;

	(void)state;
	canned_begin(&server, answers, 2);
	client = client_of(&server);
	assert_int_equal(client_call(client, "GET", "/", NULL, &answer), CLI_OK);
	assert_int_equal(answer.status, 409);
	assert_false(answer_good(&answer));
	said_begin(&said, 2);
	assert_int_equal(answer_refused(&answer, "apply"), CLI_FAILED);
	assert_string_equal(said_end(&said), "weft: apply: ports.a: taken; use b\n");
	answer_fini(&answer);
	assert_int_equal(client_call(client, "GET", "/", NULL, &answer), CLI_OK);
	said_begin(&said, 2);
	assert_int_equal(answer_refused(&answer, "apply"), CLI_FAILED);
	assert_non_null(strstr(said_end(&said), "status 502"));
	answer_fini(&answer);
	client_free(client);
	(void)canned_end(&server);
}

struct lines {
	unsigned int count;
	unsigned int wanted;
	json_int_t last;
};

static bool on_line(void *ctx, const json_t *line)
{
	struct lines *lines = ctx;

	lines->last = json_integer_value(json_object_get(line, "n"));
	return ++lines->count < lines->wanted;
}

static void a_watch_is_lines_without_heartbeats(void **state)
{
	static const char *const stream =
		CANNED("200 OK", "{\"n\": 1}\n{}\n\n{\"n\": 2}\nno json\n{\"n\": 3}\n{\"n\": 4");
	const char *const answers[] = { stream, stream, CANNED("403 Forbidden", "{\"error\": {\"message\": \"no\"}}") };
	struct canned_server server;
	struct lines lines = { .wanted = 100 };
	struct client *client;
	struct answer answer;

	(void)state;
	canned_begin(&server, answers, 3);
	client = client_of(&server);
	assert_int_equal(client_watch(client, "/v1/hosts?watch=0", on_line, &lines, &answer), CLI_OK);
	assert_int_equal(lines.count, 3); /* the fourth never ended */
	assert_int_equal(lines.last, 3);
	answer_fini(&answer);
	lines = (struct lines){ .wanted = 2 };
	assert_int_equal(client_watch(client, "/v1/hosts?watch=0", on_line, &lines, &answer), CLI_OK);
	assert_int_equal(lines.count, 2); /* not asked again once it had said no */
	answer_fini(&answer);
	lines = (struct lines){ .wanted = 1 };
	assert_int_equal(client_watch(client, "/v1/hosts?watch=0", on_line, &lines, &answer), CLI_OK);
	assert_int_equal(lines.count, 0);
	assert_int_equal(answer.status, 403);
	assert_non_null(answer.json);
	answer_fini(&answer);
	client_free(client);
	(void)canned_end(&server);
}

static void silence_has_a_remedy(void **state)
{
	struct client_target target = { .server_name = "the controller", .remedy = "is it running?" };
	char path[200];
	struct client *client;
	struct answer answer;
	struct said said;

	(void)state;
	target.socket = "/nowhere/controller.sock";
	client = client_new(&target);
	assert_non_null(client);
	said_begin(&said, 2);
	assert_int_equal(client_call(client, "GET", "/", NULL, &answer), CLI_UNREACHABLE);
	assert_string_equal(said_end(&said),
		"weft: could not reach the controller at /nowhere/controller.sock: "
		"No such file or directory; is it running?\n");
	client_free(client);
	memset(path, 'x', sizeof(path) - 1);
	path[sizeof(path) - 1] = '\0';
	target.socket = path;
	said_begin(&said, 2);
	assert_null(client_new(&target));
	assert_non_null(strstr(said_end(&said), "use a shorter --state"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_call_and_its_answer),
		cmocka_unit_test(a_refusal_is_told_whole),
		cmocka_unit_test(a_watch_is_lines_without_heartbeats),
		cmocka_unit_test(silence_has_a_remedy),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
