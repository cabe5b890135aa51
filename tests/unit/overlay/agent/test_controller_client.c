/*
 * test_controller_client.c - the agent's controller client against a controller that is slow, rude, gone, or somebody else
 *
 * Client and controller share one loop; the controller is a few lines of evhttp that do what the test wants.
 */
#include "crypto/identity.h"
#include "crypto/identity_issue.h"
#include "overlay/agent/controller_client.h"

#include <arpa/inet.h>
#include <dirent.h>
#include <errno.h>
#include <event2/buffer.h>
#include <event2/bufferevent_ssl.h>
#include <event2/http.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

struct fixture {
	struct event_base *base;
	char *ca_key, *ca, *host_key, *host_cert, *tls_key, *tls_cert;
	char address[64];
	uint16_t port;

	/* the controller */
	SSL_CTX *tls;
	struct evhttp *http;
	struct evhttp_request *watch;  /* the stream that is open */
	struct evhttp_request *report; /* one that waits for its answer */
	bool hold_reports;
	int watch_status;
	unsigned int watches, reports;
	char last_watch[128];
	char last_report[256];
	unsigned int answers;
	char last_answer_path[128], last_answer[256];

	/* what the client said */
	struct controller_client *client;
	unsigned int topologies, ups, downs;
	int64_t last_rev;
	char text[512];
	unsigned int questions, moves, tellings;
	size_t offline, online;
	char moved[128];
	const char *before;
	char last_question[128];
};

/* ---- a controller ----------------------------------------------------------------------------------------- */

static void use_pem(SSL_CTX *tls, const char *key_pem, const char *cert_pem)
{
	BIO *key_bio = BIO_new_mem_buf(key_pem, -1), *cert_bio = BIO_new_mem_buf(cert_pem, -1);
	EVP_PKEY *key = PEM_read_bio_PrivateKey(key_bio, NULL, NULL, NULL);
	X509 *cert = PEM_read_bio_X509(cert_bio, NULL, NULL, NULL);

	assert_int_equal(SSL_CTX_use_certificate(tls, cert), 1);
	assert_int_equal(SSL_CTX_use_PrivateKey(tls, key), 1);
	EVP_PKEY_free(key);
	X509_free(cert);
	BIO_free(key_bio);
	BIO_free(cert_bio);
}

static struct bufferevent *on_accept(struct event_base *base, void *arg)
{
	struct fixture *f = arg;

	return bufferevent_openssl_socket_new(base, -1, SSL_new(f->tls), BUFFEREVENT_SSL_ACCEPTING,
		BEV_OPT_CLOSE_ON_FREE | BEV_OPT_DEFER_CALLBACKS);
}

static void on_watch_closed(struct evhttp_connection *connection, void *arg)
{
	struct fixture *f = arg;

	(void)connection;
	if (f->watch && !evhttp_request_get_connection(f->watch))
		evhttp_request_free(f->watch);
	f->watch = NULL;
}

static void answer_report(struct fixture *f, int status)
{
	struct evhttp_request *request = f->report;

	f->report = NULL;
	evhttp_send_reply(request, status, "x", NULL);
}

static void on_request(struct evhttp_request *request, void *arg)
{
	struct fixture *f = arg;
	struct evbuffer *in = evhttp_request_get_input_buffer(request);

	if (strncmp(evhttp_request_get_uri(request), "/v1/agent/answers/", 18) == 0) {
		int len = evbuffer_copyout(in, f->last_answer, sizeof(f->last_answer) - 1);

		f->last_answer[len] = '\0';
		snprintf(f->last_answer_path, sizeof(f->last_answer_path), "%s", evhttp_request_get_uri(request));
		f->answers++;
		evhttp_send_reply(request, 200, "x", NULL);
		return;
	}
	if (evhttp_request_get_command(request) == EVHTTP_REQ_PUT) {
		int len = evbuffer_copyout(in, f->last_report, sizeof(f->last_report) - 1);

		f->last_report[len] = '\0';
		f->reports++;
		f->report = request;
		if (!f->hold_reports)
			answer_report(f, 200);
		return;
	}
	snprintf(f->last_watch, sizeof(f->last_watch), "%s", evhttp_request_get_uri(request));
	f->watches++;
	if (f->watch_status != 200) {
		struct evbuffer *body = evbuffer_new();

		evbuffer_add_printf(body, "{\"error\":{\"message\":\"host aws-1 is revoked\"}}");
		evhttp_send_reply(request, f->watch_status, "x", body);
		evbuffer_free(body);
		return;
	}
	f->watch = request;
	evhttp_connection_set_closecb(evhttp_request_get_connection(request), on_watch_closed, f);
	evhttp_send_reply_start(request, 200, "OK");
}

static void send_text(struct fixture *f, const char *text)
{
	struct evbuffer *chunk = evbuffer_new();

	evbuffer_add(chunk, text, strlen(text));
	evhttp_send_reply_chunk(f->watch, chunk);
	evbuffer_free(chunk);
}

/* Drop the stream without a word */
static void drop_watch(struct fixture *f)
{
	evhttp_connection_free(evhttp_request_get_connection(f->watch));
}

static void controller_start(struct fixture *f, const char *key_pem, const char *cert_pem)
{
	struct sockaddr_in at;
	socklen_t len_bytes = sizeof(at);
	struct evhttp_bound_socket *bound;

	f->tls = SSL_CTX_new(TLS_server_method());
	use_pem(f->tls, key_pem, cert_pem);
	f->http = evhttp_new(f->base);
	evhttp_set_bevcb(f->http, on_accept, f);
	evhttp_set_gencb(f->http, on_request, f);
	bound = evhttp_bind_socket_with_handle(f->http, "127.0.0.1", f->port);
	assert_non_null(bound);
	getsockname(evhttp_bound_socket_get_fd(bound), (struct sockaddr *)&at, &len_bytes);
	f->port = ntohs(at.sin_port);
	snprintf(f->address, sizeof(f->address), "127.0.0.1:%u", f->port);
	f->watch_status = 200;
}

static void controller_stop(struct fixture *f)
{
	evhttp_free(f->http);
	event_base_loop(f->base, EVLOOP_NONBLOCK);
	SSL_CTX_free(f->tls);
	f->http = NULL;
	f->tls = NULL;
}

/* ---- the client ------------------------------------------------------------------------------------------- */

static void on_topology(void *ctx, const json_t *topology)
{
	struct fixture *f = ctx;

	f->topologies++;
	f->last_rev = json_integer_value(json_object_get(topology, "rev"));
}

static void on_question(void *ctx, const char *id, const char *name, const json_t *args)
{
	struct fixture *f = ctx;

	snprintf(f->last_question, sizeof(f->last_question), "%s %s %d", id, name,
		(int)json_integer_value(json_object_get(args, "n")));
	f->questions++;
}

static void on_moved(void *ctx, const char *address, const json_t *former)
{
	struct fixture *f = ctx;

	snprintf(f->moved, sizeof(f->moved), "%s %zu", address ? address : "-", json_array_size(former));
	f->moves++;
}

static void on_told(void *ctx, const json_t *offline, const json_t *online)
{
	struct fixture *f = ctx;

	f->tellings++;
	f->offline += json_array_size(offline);
	f->online += json_array_size(online);
}

static void on_state(void *ctx, bool connected, const char *text)
{
	struct fixture *f = ctx;

	if (connected)
		f->ups++;
	else
		f->downs++;
	snprintf(f->text, sizeof(f->text), "%s", text);
}

static int client_at(struct fixture *f, const char *address, struct error *error)
{
	static const struct controller_client_callbacks callbacks = { .on_topology = on_topology,
		.on_question = on_question,
		.on_moved = on_moved,
		.on_told = on_told,
		.on_state = on_state };
	const struct controller_client_config config = {
		.controller = address,
		.before = f->before,
		.ca_pem = f->ca,
		.certificate_pem = f->host_cert,
		.key_pem = f->host_key,
		.topology = "7a",
	};

	return controller_client_new(f->base, &config, &callbacks, f, &f->client, error);
}

static void client_start(struct fixture *f)
{
	struct error error;

	assert_int_equal(client_at(f, f->address, &error), 0);
}

static int set_up(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));
	char *csr;

	signal(SIGPIPE, SIG_IGN);
	f->base = event_base_new();
	assert_int_equal(identity_ca_create("homelab", time(NULL), &f->ca_key, &f->ca), 0);
	assert_int_equal(identity_key_create(&f->host_key), 0);
	assert_int_equal(identity_csr_create(f->host_key, "aws-1", &csr), 0);
	assert_int_equal(identity_host_issue(f->ca_key, f->ca, csr, "aws-1", time(NULL), &f->host_cert), 0);
	assert_int_equal(identity_controller_issue(f->ca_key, f->ca, "weft-controller", NULL, 0, time(NULL),
				 &f->tls_key, &f->tls_cert),
		0);
	identity_pem_free(csr);
	controller_start(f, f->tls_key, f->tls_cert);
	*state = f;
	return 0;
}

static int tear_down(void **state)
{
	struct fixture *f = *state;

	controller_client_free(f->client);
	if (f->http)
		controller_stop(f);
	event_base_loop(f->base, EVLOOP_NONBLOCK);
	event_base_free(f->base);
	identity_pem_free(f->ca_key);
	identity_pem_free(f->ca);
	identity_pem_free(f->host_key);
	identity_pem_free(f->host_cert);
	identity_pem_free(f->tls_key);
	identity_pem_free(f->tls_cert);
	free(f);
	return 0;
}

static double now_s(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

/* Turn the loop until @count reaches @least, at most 8 s */
static void until(struct fixture *f, const unsigned int *count, unsigned int least)
{
	const struct timeval tick = { 0, 5000 };
	double end = now_s() + 8;

	while (*count < least && now_s() < end) {
		event_base_loopexit(f->base, &tick);
		event_base_dispatch(f->base);
	}
	assert_true(*count >= least);
}

static void turn(struct fixture *f, unsigned int ms)
{
	const struct timeval wait = { ms / 1000, (suseconds_t)(ms % 1000) * 1000 };

	event_base_loopexit(f->base, &wait);
	event_base_dispatch(f->base);
}

static void topologies_come_in(void **state)
{
	struct fixture *f = *state;

	client_start(f);
	until(f, &f->ups, 1);
	assert_string_equal(f->last_watch, "/v1/agent/topology?watch=7a");
	send_text(f, "{\"rev\":8,\"hash\":\"8\",\"ho");
	turn(f, 30);
	assert_int_equal(f->topologies, 0);
	send_text(f, "st\":\"aws-1\"}\n{}\n{\"hash\":\"9\",\"rev\":");
	until(f, &f->topologies, 1);
	assert_int_equal(f->last_rev, 8);
	send_text(f, "9}\n");
	until(f, &f->topologies, 2);
	assert_int_equal(f->last_rev, 9);
	assert_int_equal(f->ups, 1);
	assert_int_equal(f->downs, 0);
}

static void it_comes_back(void **state)
{
	struct fixture *f = *state;
	double start;

	client_start(f);
	until(f, &f->ups, 1);
	send_text(f, "{\"rev\":11,\"hash\":\"11b\"}\n");
	until(f, &f->topologies, 1);
	start = now_s();
	drop_watch(f);
	until(f, &f->ups, 2);
	assert_true(now_s() - start < 1.0);
	assert_int_equal(f->downs, 1);
	assert_string_equal(f->last_watch, "/v1/agent/topology?watch=11b");
	controller_stop(f);
	until(f, &f->downs, 3);
	assert_string_not_equal(f->text, "");
	controller_start(f, f->tls_key, f->tls_cert);
	until(f, &f->ups, 3);
	send_text(f, "what is this\n");
	until(f, &f->downs, 4);
	assert_non_null(strstr(f->text, "JSON"));
}

static void reports_coalesce(void **state)
{
	struct fixture *f = *state;
	json_t *report = json_pack("{s:i}", "applied", 1);

	client_start(f);
	controller_client_report(f->client, report);
	turn(f, 0);
	assert_int_equal(f->reports, 0);
	f->hold_reports = true;
	until(f, &f->reports, 1);
	for (int i = 2; i <= 5; i++) {
		json_object_set_new(report, "applied", json_integer(i));
		controller_client_report(f->client, report);
	}
	turn(f, 100);
	assert_int_equal(f->reports, 1);
	assert_string_equal(f->last_report, "{\"applied\":1}");
	answer_report(f, 200);
	until(f, &f->reports, 2);
	assert_string_equal(f->last_report, "{\"applied\":5}");
	answer_report(f, 200);
	turn(f, 100);
	assert_int_equal(f->reports, 2);
	/* a controller that was away has forgotten */
	f->hold_reports = false;
	drop_watch(f);
	until(f, &f->reports, 3);
	assert_string_equal(f->last_report, "{\"applied\":5}");
	/* one that it will not have is not sent again */
	f->hold_reports = true;
	json_object_set_new(report, "applied", json_integer(6));
	controller_client_report(f->client, report);
	until(f, &f->reports, 4);
	answer_report(f, 400);
	turn(f, 100);
	drop_watch(f);
	until(f, &f->reports, 5);
	assert_string_equal(f->last_report, "{\"applied\":5}");
	answer_report(f, 200);
	json_decref(report);
}

/* With a new stream the newest report is the one that counts, whatever becomes of those that were under way */
static void what_is_under_way_is_said_again(void **state)
{
	struct fixture *f = *state;
	json_t *report = json_pack("{s:i}", "applied", 1);
	struct evhttp_request *held;

	client_start(f);
	until(f, &f->ups, 1);
	controller_client_report(f->client, report);
	until(f, &f->reports, 1);
	turn(f, 50);
	f->hold_reports = true;
	json_object_set_new(report, "applied", json_integer(2));
	controller_client_report(f->client, report);
	until(f, &f->reports, 2);
	held = f->report;
	f->hold_reports = false;
	drop_watch(f);
	until(f, &f->ups, 2);
	until(f, &f->reports, 3);
	turn(f, 100);
	assert_int_equal(f->reports, 3);
	assert_string_equal(f->last_report, "{\"applied\":2}");
	evhttp_send_reply(held, 200, "x", NULL); /* nobody waits for it */
	turn(f, 50);
	assert_int_equal(f->reports, 3);
	json_decref(report);
}

static void questions_are_answered(void **state)
{
	struct fixture *f = *state;
	json_t *answer = json_pack("{s:i}", "n", 1), *long_one;
	char *many = malloc(CONTROLLER_CLIENT_ANSWER_BYTES + 1);

	memset(many, 'x', CONTROLLER_CLIENT_ANSWER_BYTES);
	many[CONTROLLER_CLIENT_ANSWER_BYTES] = '\0';
	long_one = json_pack("{s:s}", "x", many);
	client_start(f);
	controller_client_answer(f->client, "ab", answer); /* to nobody */
	until(f, &f->ups, 1);
	send_text(f,
		"{\"ask\":\"12ab\",\"question\":\"status\",\"args\":{\"n\":3}}\n{\"ask\":\"../x\",\"question\":"
		"\"status\"}\n{\"ask\":\"12\"}\n{\"ask\":\"\",\"question\":\"status\"}\n");
	until(f, &f->questions, 1);
	turn(f, 50);
	assert_int_equal(f->questions, 1);
	assert_int_equal(f->topologies, 0);
	assert_string_equal(f->last_question, "12ab status 3");
	controller_client_answer(f->client, "12ab", answer);
	controller_client_answer(f->client, "12ac", answer);
	until(f, &f->answers, 2);
	assert_string_equal(f->last_answer_path, "/v1/agent/answers/12ac");
	assert_string_equal(f->last_answer, "{\"n\":1}");
	controller_client_answer(f->client, "12ad", long_one);
	until(f, &f->answers, 3);
	assert_non_null(strstr(f->last_answer, "more than 1 MiB"));
	/* with the stream they are forgotten */
	controller_client_answer(f->client, "12ae", answer);
	drop_watch(f);
	until(f, &f->ups, 2);
	turn(f, 50);
	assert_true(f->answers <= 4);
	json_decref(answer);
	json_decref(long_one);
	free(many);
}

/* The place where it was is tried in turn, and news of where it is come from either */
static void it_is_found_where_it_was(void **state)
{
	struct fixture *f = *state;
	char nobody[64];
	struct error error;

	snprintf(nobody, sizeof(nobody), "127.0.0.1:1");
	f->before = f->address;
	assert_int_equal(client_at(f, nobody, &error), 0);
	until(f, &f->ups, 1);
	assert_int_equal(f->downs, 1);
	assert_string_equal(controller_client_address(f->client), f->address);
	send_text(f, "{\"controller\":\"ctl.lab\",\"former\":[\"a\",\"b\"]}\n{\"controller\":1}\n");
	until(f, &f->moves, 2);
	assert_string_equal(f->moved, "- 0");
	assert_int_equal(f->topologies, 0);
}

/* Whatever comes is handed on, and is no topology */
static void it_is_told_who_has_gone(void **state)
{
	struct fixture *f = *state;

	client_start(f);
	until(f, &f->ups, 1);
	send_text(f,
		"{\"offline\":[\"h1\",\"h2\"],\"online\":[\"h3\"]}\n{\"online\":7}\n{\"later\":[]}\n{\"offline\":[\"h3\"]}\n");
	until(f, &f->tellings, 3);
	assert_int_equal(f->offline, 3);
	assert_int_equal(f->online, 1);
	assert_int_equal(f->topologies + f->questions + f->moves, 0);
	assert_int_equal(f->downs, 0);
}

/* What waits to be sent goes with it */
static void it_moves(void **state)
{
	struct fixture *f = *state;
	json_t *report = json_pack("{s:i}", "applied", 1);
	struct controller_client_config config = {
		.ca_pem = f->ca,
		.certificate_pem = f->host_cert,
		.key_pem = f->host_key,
		.controller = f->address,
	};
	struct error error;

	client_start(f);
	until(f, &f->ups, 1);
	f->hold_reports = true;
	controller_client_report(f->client, report);
	until(f, &f->reports, 1);
	f->hold_reports = false;
	f->report = NULL;
	for (unsigned int i = 2; i < 12; i++) {
		assert_int_equal(controller_client_move(f->client, &config, &error), 0);
		until(f, &f->ups, i);
		assert_string_equal(f->last_watch, "/v1/agent/topology?watch=7a");
	}
	until(f, &f->reports, 2);
	assert_string_equal(f->last_report, "{\"applied\":1}");
	config.controller = "a b";
	assert_int_equal(controller_client_move(f->client, &config, &error), -EINVAL);
	turn(f, 20);
	json_decref(report);
}

static void a_refusal_is_told(void **state)
{
	struct fixture *f = *state;

	f->watch_status = 403;
	client_start(f);
	until(f, &f->downs, 2);
	assert_int_equal(f->ups, 0);
	assert_non_null(strstr(f->text, "host aws-1 is revoked (403)"));
	f->watch_status = 200;
	until(f, &f->ups, 1);
}

/* Any host of the fabric has a certificate of its CA, and must not pass for the controller with it */
static void only_the_controller(void **state)
{
	struct fixture *f = *state;
	char *other_key, *other_ca, *key, *cert;

	controller_stop(f);
	controller_start(f, f->host_key, f->host_cert);
	client_start(f);
	until(f, &f->downs, 1);
	assert_int_equal(f->watches, 0);
	assert_non_null(strstr(f->text, "not this fabric's controller"));
	controller_stop(f);
	assert_int_equal(identity_ca_create("homelab", time(NULL), &other_key, &other_ca), 0);
	assert_int_equal(identity_controller_issue(other_key, other_ca, "weft-controller", NULL, 0, time(NULL), &key,
				 &cert),
		0);
	controller_start(f, key, cert);
	f->text[0] = '\0';
	until(f, &f->downs, f->downs + 1);
	assert_int_equal(f->watches, 0);
	assert_int_equal(f->ups, 0);
	assert_non_null(strstr(f->text, "not this fabric's controller"));
	identity_pem_free(other_key);
	identity_pem_free(other_ca);
	identity_pem_free(key);
	identity_pem_free(cert);
}

static unsigned int open_files(void)
{
	DIR *dir = opendir("/proc/self/fd");
	unsigned int count = 0;

	while (readdir(dir))
		count++;
	closedir(dir);
	return count;
}

static void nothing_piles_up(void **state)
{
	struct fixture *f = *state;
	json_t *report = json_pack("{s:i}", "applied", 1);
	unsigned int before = 0;

	client_start(f);
	for (unsigned int i = 1; i <= 15; i++) {
		until(f, &f->ups, i);
		send_text(f, "{\"rev\":1,\"hash\":\"1\"}\n");
		until(f, &f->topologies, i);
		controller_client_report(f->client, report);
		until(f, &f->reports, f->reports + 1);
		turn(f, 30);
		if (i == 2)
			before = open_files();
		if (i == 15)
			assert_true(
				open_files() <= before + 4); /* both ends of a connection that is yet to be closed */
		drop_watch(f);
	}
	json_decref(report);
}

/* Freed while it connects, while it streams, and while a report is under way */
static void freed_at_any_time(void **state)
{
	struct fixture *f = *state;
	json_t *report = json_pack("{s:i}", "applied", 1);

	client_start(f);
	controller_client_free(f->client);
	for (unsigned int ms = 0; ms < 40; ms++) {
		client_start(f);
		controller_client_report(f->client, report);
		f->hold_reports = ms % 2;
		turn(f, ms);
		controller_client_free(f->client);
		f->client = NULL;
		turn(f, 5);
		f->report = NULL;
	}
	json_decref(report);
}

static void addresses(void **state)
{
	static const char *const good[] = { "127.0.0.1", "[::1]", "::1", "[::1]:1", "localhost:9" };
	static const char *const bad[] = { "", ":1", "127.0.0.1:", "127.0.0.1:0", "127.0.0.1:65536", "127.0.0.1:x",
		"[::1", "[]:1", "[::1]x" };
	struct fixture *f = *state;
	struct error error;
	char *key = f->host_key;

	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
		if (client_at(f, good[i], &error) < 0)
			fail_msg("%s: %s", good[i], error.text);
		controller_client_free(f->client);
		f->client = NULL;
	}
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_int_equal(client_at(f, bad[i], &error), -EINVAL);
	f->host_key = f->tls_key;
	assert_int_equal(client_at(f, f->address, &error), -EINVAL);
	assert_non_null(strstr(error.text, "key"));
	f->host_key = key;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(topologies_come_in, set_up, tear_down),
		cmocka_unit_test_setup_teardown(it_comes_back, set_up, tear_down),
		cmocka_unit_test_setup_teardown(reports_coalesce, set_up, tear_down),
		cmocka_unit_test_setup_teardown(what_is_under_way_is_said_again, set_up, tear_down),
		cmocka_unit_test_setup_teardown(questions_are_answered, set_up, tear_down),
		cmocka_unit_test_setup_teardown(a_refusal_is_told, set_up, tear_down),
		cmocka_unit_test_setup_teardown(it_is_found_where_it_was, set_up, tear_down),
		cmocka_unit_test_setup_teardown(it_is_told_who_has_gone, set_up, tear_down),
		cmocka_unit_test_setup_teardown(it_moves, set_up, tear_down),
		cmocka_unit_test_setup_teardown(only_the_controller, set_up, tear_down),
		cmocka_unit_test_setup_teardown(nothing_piles_up, set_up, tear_down),
		cmocka_unit_test_setup_teardown(freed_at_any_time, set_up, tear_down),
		cmocka_unit_test_setup_teardown(addresses, set_up, tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
