/*
 * test_gateway.c - HTTP's end of the API over a slow store: answers that wait, and clients that do not
 */
#include "controller/gateway.h"

#include "tests/unit/controller/core_fixture.h"
#include "tests/unit/controller/http/server_fixture.h"

#define DISK_MS 40 /* what the store takes for each job */
#define LAB "{\"networks\":{\"n\":{}}}"

/* The child's */
static struct core_fixture core;
static struct gateway gateway;
static struct event *disk;

static void on_disk(evutil_socket_t fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	(void)arg;
	(void)store_memory_step(core.store);
}

static void start(struct server_fixture *f)
{
	const struct timeval period = { 0, DISK_MS * 1000 };

	core_init(&core);
	gateway = (struct gateway){ .base = f->base, .api = core.api };
	disk = event_new(f->base, -1, EV_PERSIST, on_disk, NULL);
	event_add(disk, &period);
}

static void on_request(void *ctx, struct evhttp_request *request, bool local)
{
	if (!gateway.api)
		start(ctx);
	gateway_on_request(&gateway, request, local);
}

/* As the daemon ends */
static void on_end(struct server_fixture *f)
{
	(void)f;
	store_wait(core.store);
	event_free(disk);
	core_fini(&core);
}

static int set_up(void **state)
{
	struct server_fixture *f = server_fixture_new(on_request, on_end);

	*state = f;
	return 0;
}

static int tear_down(void **state)
{
	server_fixture_end(*state);
	return 0;
}

static uint64_t now_ms(void)
{
	return instant_now().ns / 1000000;
}

static int local_call(struct server_fixture *f, const char *method, const char *path, const char *body, json_t **answer)
{
	struct peer peer;
	int status;

	assert_true(peer_open_local(&peer, f->socket));
	status = peer_call(&peer, method, path, body, answer);
	peer_close(&peer);
	return status;
}

static size_t count_labs(struct server_fixture *f)
{
	json_t *answer = NULL;
	size_t count;

	assert_int_equal(local_call(f, "GET", "/v1/labs", NULL, &answer), 200);
	count = json_array_size(json_object_get(answer, "items"));
	json_decref(answer);
	return count;
}

/* While one waits for the disk the others are answered */
static void others_do_not_wait(void **state)
{
	struct server_fixture *f = *state;
	struct peer peers[4];
	size_t body_bytes;
	uint64_t asked;
	char path[32];

	assert_int_equal(count_labs(f), 0);
	for (int i = 0; i < 4; i++) {
		snprintf(path, sizeof(path), "/v1/labs/l%d", i);
		assert_true(peer_open_local(&peers[i], f->socket));
		assert_true(peer_request(&peers[i], "PUT", path, LAB));
	}
	asked = now_ms();
	assert_true(count_labs(f) < 4);
	assert_true(now_ms() - asked < 3 * DISK_MS);
	for (int i = 0; i < 4; i++) {
		assert_int_equal(peer_status(&peers[i], &body_bytes), 200);
		peer_close(&peers[i]);
	}
	assert_int_equal(count_labs(f), 4);
}

/* Gone in every way while their change waits: it is made, and nobody is any the worse */
static void gone_while_waiting(void **state)
{
	struct server_fixture *f = *state;
	const struct linger reset = { .l_onoff = 1 };
	char path[32];

	for (int i = 0; i < 24; i++) {
		struct peer peer;

		snprintf(path, sizeof(path), "/v1/labs/l%d", i);
		assert_true(peer_open_local(&peer, f->socket));
		if (i % 3 == 2)
			assert_true(peer_request(&peer, "GET", "/v1/labs?watch=1", NULL));
		else
			assert_true(peer_request(&peer, "PUT", path, LAB));
		if (i % 4 == 1)
			setsockopt(peer.fd, SOL_SOCKET, SO_LINGER, &reset, sizeof(reset));
		if (i % 4 == 2)
			shutdown(peer.fd, SHUT_WR);
		if (i % 4 == 3)
			pause_ms(DISK_MS / 2);
		peer_close(&peer);
	}
	for (int i = 0; count_labs(f) < 16; i++) {
		assert_true(i < 200);
		pause_ms(DISK_MS);
	}
}

/* Over TLS, too, by somebody who is nobody and whose enrolment waits behind a change */
static void strangers_that_go(void **state)
{
	struct server_fixture *f = *state;
	struct peer change, peer;
	size_t body_bytes;

	assert_int_equal(server_fixture_call(f, &f->nobody, "GET", "/v1/ca", NULL), 200);
	for (int i = 0; i < 12; i++) {
		assert_true(peer_open(&peer, f->port, &f->nobody));
		assert_true(peer_open_local(&change, f->socket));
		assert_true(peer_request(&change, i % 2 ? "PUT" : "DELETE", "/v1/labs/l", i % 2 ? LAB : NULL));
		assert_true(peer_request(&peer, "POST", "/v1/enrol", "{\"token\":\"guess\"}"));
		if (i % 3 == 0)
			shutdown(peer.fd, SHUT_RDWR);
		peer_close(&peer);
		assert_true(peer_status(&change, &body_bytes) > 0);
		peer_close(&change);
	}
	assert_int_equal(server_fixture_call(f, &f->nobody, "GET", "/v1/ca", NULL), 200);
}

/* A second request behind one that waits, on the same connection: one after the other */
static void one_connection(void **state)
{
	static const char both[] =
		"PUT /v1/labs/l HTTP/1.1\r\nContent-Length: 21\r\n\r\n" LAB "GET /v1/labs/l HTTP/1.1\r\n\r\n";
	struct server_fixture *f = *state;
	size_t body_bytes = 0;
	struct peer peer;

	assert_int_equal(strlen(LAB), 21);
	assert_true(peer_open_local(&peer, f->socket));
	assert_true(peer_write(&peer, both, sizeof(both) - 1));
	assert_int_equal(peer_status(&peer, &body_bytes), 200);
	while (peer.used < body_bytes)
		assert_true(peer_read(&peer));
	peer_take(&peer, body_bytes);
	assert_int_equal(peer_status(&peer, &body_bytes), 200);
	peer_close(&peer);
}

/* The server ends (in tear_down()) while calls wait */
static void ended_while_waiting(void **state)
{
	struct server_fixture *f = *state;
	struct peer peers[6];
	char path[32];

	assert_int_equal(count_labs(f), 0);
	for (int i = 0; i < 6; i++) {
		snprintf(path, sizeof(path), i % 2 ? "/v1/labs?watch=1" : "/v1/labs/l%d", i);
		assert_true(peer_open_local(&peers[i], f->socket));
		assert_true(peer_request(&peers[i], i % 2 ? "GET" : "PUT", path, i % 2 ? NULL : LAB));
	}
	assert_int_equal(count_labs(f), 0);
	for (int i = 0; i < 6; i++)
		peer_close(&peers[i]);
}

/* Methods and tokens come through, and what an answer says beside its body */
static void heads(void **state)
{
	struct server_fixture *f = *state;
	struct credentials wrong = f->nobody;
	struct peer peer;
	size_t body_bytes;

	wrong.token = "no";
	assert_int_equal(server_fixture_call(f, &wrong, "GET", "/v1/hosts", NULL), 401);
	assert_int_equal(server_fixture_call(f, &f->known, "GET", "/v1/agent/topology", NULL), 403); /* not this h1 */
	assert_true(peer_open(&peer, f->port, &f->nobody));
	assert_true(peer_request(&peer, "DELETE", "/v1/hosts", NULL));
	while (!strstr(peer.buffer, "\r\n\r\n"))
		assert_true(peer_read(&peer));
	assert_non_null(strstr(peer.buffer, "\r\nAllow: GET\r\n"));
	assert_int_equal(peer_status(&peer, &body_bytes), 405);
	peer_close(&peer);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(others_do_not_wait, set_up, tear_down),
		cmocka_unit_test_setup_teardown(gone_while_waiting, set_up, tear_down),
		cmocka_unit_test_setup_teardown(strangers_that_go, set_up, tear_down),
		cmocka_unit_test_setup_teardown(one_connection, set_up, tear_down),
		cmocka_unit_test_setup_teardown(ended_while_waiting, set_up, tear_down),
		cmocka_unit_test_setup_teardown(heads, set_up, tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
