/*
 * test_conns.c - what a stranger may take up: connections, bytes, time; and connections that end in every way
 */
#include "controller/http/conns.h"

#include "tests/unit/controller/http/server_fixture.h"

/* Whoever has a certificate is somebody here; others are strangers */
static void on_request(void *ctx, struct evhttp_request *request, bool local)
{
	struct evhttp_connection *connection = evhttp_request_get_connection(request);
	json_t *body = json_pack("{s:b}", "local", local);

	(void)ctx;
	if (!local && SSL_get0_peer_certificate(conns_tls(connection)))
		conns_trust(connection);
	reply_json(request, 200, body);
	json_decref(body);
}

static int set_up(void **state)
{
	*state = server_fixture_new(on_request, NULL);
	return 0;
}

static int tear_down(void **state)
{
	server_fixture_end(*state);
	return 0;
}

static void check_alive(struct server_fixture *f)
{
	assert_int_equal(server_fixture_call(f, &f->known, "GET", "/", NULL), 200);
}

static void abuse(void **state)
{
	struct server_fixture *f = *state;
	struct peer peer;
	size_t ignored = 0;
	char *big = malloc(CONNS_LARGE_BYTES + 10);

	memset(big, 'a', CONNS_LARGE_BYTES + 9);
	big[CONNS_LARGE_BYTES + 9] = '\0';
	/* garbage instead of TLS, and a TLS record cut short */
	for (int i = 0; i < 20; i++) {
		int fd = peer_socket(f->port);

		(void)!write(fd, i % 2 ? "GET / HTTP/1.1\r\n\r\n" : "\x16\x03\x01\x02\x00\x01", i % 2 ? 18 : 6);
		close(fd);
	}
	check_alive(f);
	/* a body over the limit, and one within it */
	assert_int_equal(server_fixture_call(f, &f->known, "PUT", "/", big), 413);
	big[CONNS_BODY_BYTES - 1] = '\0';
	assert_int_equal(server_fixture_call(f, &f->nobody, "PUT", "/", big), 200);
	assert_int_equal(server_fixture_call(f, &f->known, "PUT", "/", big), 200);
	/* headers without end */
	assert_true(peer_open(&peer, f->port, &f->nobody));
	peer_write(&peer, "GET /v1/ca HTTP/1.1\r\n", 21);
	for (int i = 0; i < 64; i++) {
		if (!peer_write(&peer, "X: ", 3) || !peer_write(&peer, big, 1000) || !peer_write(&peer, "\r\n", 2))
			break;
	}
	assert_int_not_equal(peer_status(&peer, &ignored), 200);
	peer_close(&peer);
	/* ended in the middle of everything */
	for (int i = 0; i < 30; i++) {
		assert_true(peer_open(&peer, f->port, i % 3 ? &f->nobody : &f->known));
		if (i % 3 == 1)
			peer_write(&peer, "PUT /v1/labs/l HTTP/1.1\r\nContent-Length: 100\r\n\r\n{", 49);
		if (i % 3 == 0)
			peer_request(&peer, "GET", "/", NULL);
		shutdown(peer.fd, SHUT_RDWR);
		peer_close(&peer);
	}
	check_alive(f);
	check_alive(f);
	free(big);
}

/* More connections than one address may have are refused, and given back */
static void too_many_connections(void **state)
{
	struct server_fixture *f = *state;
	struct peer peers[CONNS_PER_SOURCE + 8];
	unsigned int good = 0;

	for (size_t i = 0; i < CONNS_PER_SOURCE + 8; i++)
		good += peer_open(&peers[i], f->port, &f->nobody) &&
			peer_call(&peers[i], "GET", "/v1/ca", NULL, NULL) == 200;
	for (size_t i = 0; i < CONNS_PER_SOURCE + 8; i++)
		peer_close(&peers[i]);
	assert_int_equal(good, CONNS_PER_SOURCE);
	pause_ms(200);
	check_alive(f);
}

/* Large requests of strangers: some at a time, in chunks as well, and the others are cut off */
static void large_requests_of_strangers(void **state)
{
	struct server_fixture *f = *state;
	struct peer peers[CONNS_LARGE_STRANGERS + 4];
	static char chunk[CONNS_SMALL_BYTES + 4096];
	unsigned int alive = 0;
	char byte;

	memset(chunk, ' ', sizeof(chunk));
	for (size_t i = 0; i < CONNS_LARGE_STRANGERS + 4; i++) {
		static const char head[] = "PUT /v1/labs/l HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n9000\r\n";

		assert_true(peer_open(&peers[i], f->port, &f->nobody));
		assert_true(peer_write(&peers[i], head, sizeof(head) - 1));
		assert_true(peer_write(&peers[i], chunk, sizeof(chunk)));
	}
	pause_ms(500);
	for (size_t i = 0; i < CONNS_LARGE_STRANGERS + 4; i++) {
		alive += recv(peers[i].fd, &byte, 1, MSG_PEEK | MSG_DONTWAIT) < 0 && errno == EAGAIN;
		peer_close(&peers[i]);
	}
	assert_int_equal(alive, CONNS_LARGE_STRANGERS);
	pause_ms(100);
	check_alive(f);
}

/* One unfinished request; with how much of a body, and how its connection ends, by @number */
static void break_off(struct peer *peer, unsigned int number)
{
	static const size_t bodies[] = { 0, 5, 100, 4000, 40000, 100000 };
	static char body[100000];
	const struct linger reset = { .l_onoff = 1 };
	char head[200];

	snprintf(head, sizeof(head),
		"PUT /v1/agent/report HTTP/1.1\r\nExpect: 100-continue\r\nContent-Length: %u\r\n\r\n",
		number % 2 ? 5 : 2U << 20);
	(void)peer_write(peer, head, strlen(head));
	if (bodies[number % 6])
		(void)peer_write(peer, body, bodies[number % 6]);
	if (number / 6 % 4 == 1)
		SSL_shutdown(peer->ssl);
	if (number / 6 % 4 == 2)
		setsockopt(peer->fd, SOL_SOCKET, SO_LINGER, &reset, sizeof(reset));
	if (number / 6 % 4 == 3)
		shutdown(peer->fd, SHUT_WR);
}

/* Requests that are broken off in every way while libevent has not quite ended those before */
static void mixed_closes(void **state)
{
	struct server_fixture *f = *state;

	srand(1);
	for (int round = 0; round < 60; round++) {
		struct peer peers[3];

		for (size_t i = 0; i < 3; i++) {
			assert_true(peer_open(&peers[i], f->port, round % 4 ? &f->known : &f->nobody));
			break_off(&peers[i], (unsigned int)rand() % 24);
		}
		for (size_t i = 0; i < 3; i++)
			peer_close(&peers[i]);
	}
	check_alive(f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(abuse, set_up, tear_down),
		cmocka_unit_test_setup_teardown(too_many_connections, set_up, tear_down),
		cmocka_unit_test_setup_teardown(large_requests_of_strangers, set_up, tear_down),
		cmocka_unit_test_setup_teardown(mixed_closes, set_up, tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
