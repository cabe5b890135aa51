/*
 * test_reply.c - answers as they are on the wire, over TLS and over the local socket
 */
#include "controller/http/reply.h"

#include "tests/unit/controller/http/server_fixture.h"

/* The path is the status: /200, /401, ... */
static void on_request(void *ctx, struct evhttp_request *request, bool local)
{
	int status = atoi(evhttp_request_get_uri(request) + 1);
	json_t *body = status == 503 ? NULL : json_pack("{s:b}", "local", local);

	(void)ctx;
	reply_json(request, status, body);
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

/* Return: the head of the answer, to be freed; *@body: what follows */
static char *ask(struct server_fixture *f, const char *path, json_t **body)
{
	struct peer peer;
	char *end, *head;
	size_t len = 0;

	assert_true(peer_open(&peer, f->port, &f->nobody));
	assert_true(peer_request(&peer, "GET", path, NULL));
	while (!(end = strstr(peer.buffer, "\r\n\r\n")))
		assert_true(peer_read(&peer));
	head = strndup(peer.buffer, (size_t)(end - peer.buffer) + 2);
	assert_true(peer_status(&peer, &len) > 0);
	while (peer.used < len)
		assert_true(peer_read(&peer));
	*body = json_loadb(peer.buffer, len, 0, NULL);
	peer_close(&peer);
	return head;
}

static void statuses(void **state)
{
	static const struct {
		const char *path, *line, *header;
	} all[] = {
		{ "/200", "HTTP/1.1 200 OK\r\n", "Cache-Control: no-store\r\n" },
		{ "/201", "HTTP/1.1 201 Created\r\n", "Content-Type: application/json\r\n" },
		{ "/400", "HTTP/1.1 400 Bad Request\r\n", "" },
		{ "/401", "HTTP/1.1 401 Unauthorized\r\n", "WWW-Authenticate: Bearer realm=\"weft\"\r\n" },
		{ "/403", "HTTP/1.1 403 Forbidden\r\n", "" },
		{ "/404", "HTTP/1.1 404 Not Found\r\n", "" },
		{ "/405", "HTTP/1.1 405 Method Not Allowed\r\n", "" },
		{ "/409", "HTTP/1.1 409 Conflict\r\n", "" },
		{ "/410", "HTTP/1.1 410 Gone\r\n", "" },
		{ "/429", "HTTP/1.1 429 Too Many Requests\r\n", "Retry-After: 10\r\n" },
		{ "/503", "HTTP/1.1 503 Service Unavailable\r\n", "" },
	};
	struct server_fixture *f = *state;

	for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++) {
		json_t *body;
		char *head = ask(f, all[i].path, &body);

		assert_int_equal(strncmp(head, all[i].line, strlen(all[i].line)), 0);
		assert_non_null(strstr(head, all[i].header));
		assert_int_equal(body != NULL, strcmp(all[i].path, "/503") != 0);
		json_decref(body);
		free(head);
	}
}

static void the_local_socket(void **state)
{
	struct server_fixture *f = *state;
	struct peer peer;
	struct stat st;
	json_t *body;

	assert_int_equal(stat(f->socket, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0600);
	assert_true(peer_open_local(&peer, f->socket));
	assert_int_equal(peer_call(&peer, "GET", "/200", NULL, &body), 200);
	assert_true(json_is_true(json_object_get(body, "local")));
	json_decref(body);
	/* again on the same connection */
	assert_int_equal(peer_call(&peer, "GET", "/404", NULL, NULL), 404);
	peer_close(&peer);
}

/* Over TLS 1.3 only, and only with certificates of our own CA */
static void tls(void **state)
{
	struct server_fixture *f = *state;
	struct credentials wrong = f->nobody;
	struct peer peer;

	assert_int_equal(server_fixture_call(f, &f->known, "GET", "/200", NULL), 200);
	assert_false(peer_open_max(&peer, f->port, &f->nobody, TLS1_2_VERSION));
	peer_close(&peer);
	wrong.certificate_pem = f->tls; /* a server's is none for a client */
	wrong.key_pem = f->tls_key;
	assert_int_equal(server_fixture_call(f, &wrong, "GET", "/200", NULL), 0);
	assert_int_equal(server_fixture_call(f, &f->nobody, "OPTIONS", "/200", NULL), 501);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(statuses, set_up, tear_down),
		cmocka_unit_test_setup_teardown(the_local_socket, set_up, tear_down),
		cmocka_unit_test_setup_teardown(tls, set_up, tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
