/*
 * test_http_client.c - the client against servers that are slow, rude, endless, gone, or somebody else
 */
#include "client/http_client.h"

#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "tests/unit/client/tls_server.h"

#define LINE_BYTES (1U << 20)

struct fixture {
	struct event_base *base;
	struct credentials ca, own, other_ca, stranger, host;
	struct tls_server server;
	struct http_client *client;

	/* what came of the request */
	struct http_request *request;
	unsigned int opened, lines, ended;
	bool cancel_at_line, again_at_line;
	char line[64], why[512], body[64];
	enum http_outcome outcome;
	int status;
};

static int set_up(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));

	signal(SIGPIPE, SIG_IGN);
	f->base = event_base_new();
	credentials_make(&f->ca, NULL, NULL);
	credentials_make(&f->own, &f->ca, "serverAuth");
	credentials_make(&f->host, &f->ca, "clientAuth");
	credentials_make(&f->other_ca, NULL, NULL);
	credentials_make(&f->stranger, &f->other_ca, "serverAuth");
	f->server.base = f->base;
	server_start(&f->server, AF_INET, &f->own);
	*state = f;
	return 0;
}

static int tear_down(void **state)
{
	struct fixture *f = *state;
	struct credentials *all[] = { &f->ca, &f->own, &f->other_ca, &f->stranger, &f->host };

	http_client_free(f->client);
	server_stop(&f->server);
	event_base_free(f->base);
	for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++)
		credentials_free(all[i]);
	free(f);
	return 0;
}

static void client_at(struct fixture *f, const char *host, bool pinned)
{
	char address[64];
	const struct http_target target = {
		.address = address,
		.ca_pem = pinned ? f->ca.certificate_pem : NULL,
		.certificate_pem = f->host.certificate_pem,
		.key_pem = f->host.key_pem,
	};
	struct error error;

	snprintf(address, sizeof(address), "%s:%u", host, f->server.port);
	http_client_free(f->client);
	f->client = http_client_new(f->base, &target, &error);
	assert_non_null(f->client);
}

static void on_open(void *ctx)
{
	struct fixture *f = ctx;

	f->opened++;
}

static void on_end(void *ctx, const struct http_end *end)
{
	struct fixture *f = ctx;

	f->ended++;
	f->request = NULL;
	f->outcome = end->outcome;
	f->status = end->status;
	snprintf(f->why, sizeof(f->why), "%s", end->why);
	snprintf(f->body, sizeof(f->body), "%.*s", (int)end->body_bytes, end->body);
}

static void begin(struct fixture *f, unsigned int limit_ms, bool fresh);

static void on_line(void *ctx, const char *line, size_t len_bytes)
{
	struct fixture *f = ctx;

	f->lines++;
	snprintf(f->line, sizeof(f->line), "%.*s", (int)len_bytes, line);
	if (!f->cancel_at_line)
		return;
	http_request_cancel(f->request);
	f->request = NULL;
	if (f->again_at_line)
		begin(f, 2000, false);
}

static void begin(struct fixture *f, unsigned int limit_ms, bool fresh)
{
	const struct http_call call = {
		.method = "GET",
		.path = "/v1/x",
		.max_bytes = LINE_BYTES,
		.limit_ms = limit_ms,
		.fresh = fresh,
	};
	const struct http_owner owner = { .ctx = f,
		.on_open = on_open,
		.on_line = limit_ms ? NULL : on_line,
		.on_end = on_end };

	f->request = http_request_begin(f->client, &call, &owner);
	assert_non_null(f->request);
}

static double now_s(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static void turn(struct fixture *f, unsigned int ms)
{
	const struct timeval wait = { ms / 1000, (suseconds_t)(ms % 1000) * 1000 };

	event_base_loopexit(f->base, &wait);
	event_base_dispatch(f->base);
}

static void until(struct fixture *f, const unsigned int *count, unsigned int least)
{
	const double end = now_s() + 8;

	while (*count < least && now_s() < end)
		turn(f, 2);
	assert_true(*count >= least);
}

static void call(struct fixture *f, unsigned int limit_ms)
{
	begin(f, limit_ms, false);
	until(f, &f->ended, f->ended + 1);
}

/* ---- what goes well ----------------------------------------------------------------------------------------- */

static void calls_share_a_connection(void **state)
{
	struct fixture *f = *state;

	client_at(f, "127.0.0.1", true);
	for (int i = 0; i < 5; i++) {
		call(f, 2000);
		assert_int_equal(f->outcome, HTTP_ANSWERED);
		assert_int_equal(f->status, 200);
		assert_string_equal(f->body, "{}");
		assert_string_equal(f->why, "");
	}
	assert_int_equal(f->server.requests, 5);
	assert_int_equal(f->server.accepted, 1);
	begin(f, 2000, true);
	until(f, &f->ended, 6);
	assert_int_equal(f->server.accepted, 2);
	/* one that the server has ended meanwhile is no failure */
	server_stop(&f->server);
	server_start(&f->server, AF_INET, &f->own);
	call(f, 2000);
	assert_int_equal(f->outcome, HTTP_ANSWERED);
}

/* A certificate is not for an address: it is for the controller of a fabric */
static void by_any_name(void **state)
{
	struct fixture *f = *state;

	client_at(f, "localhost", true);
	call(f, 2000);
	assert_int_equal(f->outcome, HTTP_ANSWERED);
	/* the same port, by IPv6 alone: the name has both addresses where the machine's /etc/hosts has */
	server_stop(&f->server);
	server_start(&f->server, AF_INET6, &f->own);
	client_at(f, "[::1]", true);
	call(f, 2000);
	assert_int_equal(f->outcome, HTTP_ANSWERED);
}

static void a_stream(void **state)
{
	struct fixture *f = *state;

	f->server.behaviour = SERVER_STREAMS;
	client_at(f, "127.0.0.1", true);
	begin(f, 0, true);
	until(f, &f->opened, 1);
	assert_false(http_request_stranded(f->request));
	server_send(&f->server, "one\ntw");
	until(f, &f->lines, 1);
	assert_string_equal(f->line, "one");
	server_send(&f->server, "o\n\n");
	until(f, &f->lines, 3);
	assert_string_equal(f->line, "");
	server_hang_up(&f->server, f->server.last);
	until(f, &f->ended, 1);
	assert_int_equal(f->lines, 3);
	assert_int_equal(f->status, 200);
	/* a refusal has a body instead */
	f->server.behaviour = SERVER_REFUSES;
	begin(f, 0, true);
	until(f, &f->ended, 2);
	assert_int_equal(f->outcome, HTTP_ANSWERED);
	assert_int_equal(f->status, 403);
	assert_string_equal(f->body, "{\"no\": 1}");
	assert_int_equal(f->opened, 1);
}

/* ---- who it is not ------------------------------------------------------------------------------------------ */

static void only_the_server(void **state)
{
	struct fixture *f = *state;
	const struct credentials *others[] = { &f->stranger, &f->host };

	client_at(f, "127.0.0.1", true);
	for (size_t i = 0; i < 2; i++) {
		server_stop(&f->server);
		server_start(&f->server, AF_INET, others[i]);
		call(f, 2000);
		assert_int_equal(f->outcome, HTTP_UNTRUSTED);
		assert_string_not_equal(f->why, "");
		assert_int_equal(f->server.requests, 0);
	}
	client_at(f, "127.0.0.1", false);
	call(f, 2000);
	assert_int_equal(f->outcome, HTTP_ANSWERED);
}

static void credentials_that_do_not_fit(void **state)
{
	struct fixture *f = *state;
	struct http_target target = { .address = "192.0.2.1:1", .ca_pem = "nothing" };
	struct error error;

	assert_null(http_client_new(f->base, &target, &error));
	assert_non_null(strstr(error.text, "CA"));
	target.ca_pem = f->ca.certificate_pem;
	target.certificate_pem = f->host.certificate_pem;
	target.key_pem = f->own.key_pem;
	assert_null(http_client_new(f->base, &target, &error));
	assert_non_null(strstr(error.text, "key"));
	target.certificate_pem = NULL;
	target.address = "a b";
	assert_null(http_client_new(f->base, &target, &error));
	assert_non_null(strstr(error.text, "\"a b\""));
}

static void nobody_there(void **state)
{
	struct fixture *f = *state;

	client_at(f, "127.0.0.1", true);
	server_stop(&f->server);
	call(f, 2000);
	assert_int_equal(f->outcome, HTTP_UNREACHABLE);
	assert_string_equal(f->why, "Connection refused");
	/* each address of a name */
	client_at(f, "localhost", true);
	call(f, 2000);
	assert_int_equal(f->outcome, HTTP_UNREACHABLE);
	assert_non_null(strstr(f->why, "127.0.0.1: Connection refused"));
	client_at(f, "no-such-name.invalid", true);
	call(f, 30000);
	assert_int_equal(f->outcome, HTTP_UNRESOLVED);
	assert_non_null(strstr(f->why, "the name does not resolve: "));
}

/* ---- bounds ------------------------------------------------------------------------------------------------- */

static void endless(struct fixture *f, enum behaviour behaviour, unsigned int limit_ms, size_t most_bytes)
{
	f->server.behaviour = behaviour;
	f->server.sent_bytes = 0;
	begin(f, limit_ms, true);
	until(f, &f->ended, f->ended + 1);
	assert_int_equal(f->outcome, HTTP_TOO_LONG);
	assert_true(f->server.sent_bytes < most_bytes + (8U << 20)); /* what sockets hold */
}

static void what_has_no_end(void **state)
{
	struct fixture *f = *state;

	client_at(f, "127.0.0.1", true);
	endless(f, SERVER_BODY, 8000, LINE_BYTES);
	endless(f, SERVER_BODY, 0, LINE_BYTES);
	assert_int_equal(f->lines, 0);
	endless(f, SERVER_HEADERS, 8000, HTTP_HEADERS_BYTES);
	endless(f, SERVER_HEADERS, 0, HTTP_HEADERS_BYTES);
	endless(f, SERVER_CONTINUES, 8000, HTTP_HEADERS_BYTES);
	assert_int_equal(f->opened, 1);
}

static void in_time(void **state)
{
	static const enum behaviour slow[] = { SERVER_DRIPS, SERVER_STREAMS, SERVER_MUTE };
	struct fixture *f = *state;

	client_at(f, "127.0.0.1", true);
	for (size_t i = 0; i < 3; i++) {
		const double start = now_s();

		f->server.behaviour = slow[i];
		begin(f, 300, true);
		until(f, &f->ended, f->ended + 1);
		assert_true(now_s() - start > 0.25 && now_s() - start < 2);
		assert_int_equal(f->outcome, slow[i] == SERVER_MUTE ? HTTP_UNREACHABLE : HTTP_SILENT);
		assert_string_not_equal(f->why, "");
	}
	f->server.behaviour = SERVER_HANGS_UP;
	begin(f, 2000, true);
	until(f, &f->ended, f->ended + 1);
	assert_int_equal(f->outcome, HTTP_BROKEN);
	assert_string_equal(f->why, "the connection ended");
}

/* ---- ends at any time --------------------------------------------------------------------------------------- */

static void cancelled_within_a_line(void **state)
{
	struct fixture *f = *state;

	f->cancel_at_line = true;
	f->server.behaviour = SERVER_STREAMS;
	client_at(f, "127.0.0.1", true);
	begin(f, 0, true);
	until(f, &f->opened, 1);
	server_send(&f->server, "one\ntwo\n");
	until(f, &f->server.gone, 1);
	assert_int_equal(f->lines, 1);
	assert_int_equal(f->ended, 0);
	/* and something else begun there */
	f->again_at_line = true;
	begin(f, 0, true);
	until(f, &f->opened, 2);
	f->server.behaviour = SERVER_ANSWERS;
	server_send(&f->server, "one\ntwo\n");
	until(f, &f->ended, 1);
	assert_int_equal(f->lines, 2);
	assert_string_equal(f->body, "{}");
}

static void ended_at_any_time(void **state)
{
	static const enum behaviour behaviours[] = { SERVER_ANSWERS, SERVER_STREAMS, SERVER_DRIPS, SERVER_BODY,
		SERVER_MUTE };
	struct fixture *f = *state;

	for (unsigned int i = 0; i < 120; i++) {
		f->server.behaviour = behaviours[i % 5];
		client_at(f, i % 3 ? "127.0.0.1" : "localhost", true);
		begin(f, i % 2 ? 0 : 2000, true);
		begin(f, i % 2 ? 2000 : 0, true);
		turn(f, i / 10);
		if (i % 4 && f->request)
			http_request_cancel(f->request);
		f->request = NULL;
		turn(f, i % 4);
		if (i % 6 == 0) {
			http_client_free(f->client);
			f->client = NULL;
		}
		turn(f, 1);
	}
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		TEST(calls_share_a_connection),
		TEST(by_any_name),
		TEST(a_stream),
		TEST(only_the_server),
		TEST(credentials_that_do_not_fit),
		TEST(nobody_there),
		TEST(what_has_no_end),
		TEST(in_time),
		TEST(cancelled_within_a_line),
		TEST(ended_at_any_time),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
