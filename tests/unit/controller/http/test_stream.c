/*
 * test_stream.c - answers without an end: lines, who is told that they were read, and readers that are too slow
 */
#include "controller/http/stream.h"

#include "tests/unit/controller/http/server_fixture.h"

#define LINE_BYTES 65536U

/* The child's: one stream at a time */
struct sender {
	struct server_fixture *f;
	struct stream *stream;
	struct event *timer;
	unsigned int sent, most;
	bool waits; /* sends the next line when the one before is read */
};

static struct sender sender;

static void send_line(void)
{
	static char filler[LINE_BYTES];
	json_t *line;

	memset(filler, 'x', sizeof(filler) - 1);
	line = json_pack("{s:i, s:s}", "n", (int)sender.sent++, "filler", filler);
	stream_send(sender.stream, line);
	json_decref(line);
}

static void on_timer(evutil_socket_t fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	(void)arg;
	if (sender.stream && sender.sent < sender.most)
		send_line();
	else if (sender.stream)
		stream_cut(sender.stream);
	else
		event_del(sender.timer);
}

static void on_drained(void *ctx, struct stream *stream)
{
	(void)ctx;
	if (stream_busy(stream))
		abort();
	if (sender.waits && sender.sent < sender.most)
		send_line();
	else if (sender.waits)
		stream_cut(stream);
}

static void on_closed(void *ctx, struct stream *stream)
{
	(void)ctx;
	(void)stream;
	sender.stream = NULL;
}

/* /flood: lines as fast as they come; /paced: one after the other is read; /first: much at once, which is what was asked for */
static void on_request(void *ctx, struct evhttp_request *request, bool local)
{
	static const struct stream_owner owner = { .on_closed = on_closed, .on_drained = on_drained };
	const struct timeval tick = { 0, 1000 };
	const char *path = evhttp_request_get_uri(request);
	struct server_fixture *f = ctx;

	(void)local;
	if (strcmp(path, "/alive") == 0) {
		json_t *body = json_pack("{s:b}", "streaming", sender.stream != NULL);

		reply_json(request, 200, body);
		json_decref(body);
		return;
	}
	conns_trust(evhttp_request_get_connection(request));
	sender = (struct sender){ .f = f, .timer = sender.timer, .most = 200, .waits = strcmp(path, "/paced") == 0 };
	sender.stream = stream_open(f->base, request, &owner);
	if (stream_busy(sender.stream))
		abort();
	if (strcmp(path, "/first") == 0) {
		while (sender.sent < sender.most)
			send_line();
	}
	stream_settled(sender.stream);
	if (sender.waits)
		send_line();
	if (strcmp(path, "/flood") != 0)
		return;
	if (!sender.timer)
		sender.timer = event_new(f->base, -1, EV_PERSIST, on_timer, NULL);
	event_add(sender.timer, &tick);
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

static void open_stream(struct server_fixture *f, struct peer *peer, const char *path)
{
	size_t len;

	assert_true(peer_open(peer, f->port, &f->nobody));
	assert_true(peer_request(peer, "GET", path, NULL));
	assert_int_equal(peer_status(peer, &len), 200);
}

/* Return: how many lines came, each the next */
static unsigned int read_all(struct peer *peer)
{
	unsigned int lines = 0;
	json_t *line;

	while ((line = peer_line(peer)) != NULL) {
		assert_int_equal(json_integer_value(json_object_get(line, "n")), lines++);
		json_decref(line);
	}
	return lines;
}

static bool streaming(struct server_fixture *f)
{
	struct peer peer;
	json_t *body = NULL;
	bool out;

	assert_true(peer_open(&peer, f->port, &f->nobody));
	assert_int_equal(peer_call(&peer, "GET", "/alive", NULL, &body), 200);
	out = json_is_true(json_object_get(body, "streaming"));
	json_decref(body);
	peer_close(&peer);
	return out;
}

static void paced_by_the_reader(void **state)
{
	struct server_fixture *f = *state;
	struct peer peer;

	open_stream(f, &peer, "/paced");
	assert_int_equal(read_all(&peer), 200);
	peer_close(&peer);
	assert_false(streaming(f));
}

/* What is asked for may be large, and is read in peace */
static void the_first_burst_is_whole(void **state)
{
	struct server_fixture *f = *state;
	struct peer peer;

	open_stream(f, &peer, "/first");
	pause_ms(300);
	for (int i = 0; i < 200; i++) {
		json_t *line = peer_line(&peer);

		assert_int_equal(json_integer_value(json_object_get(line, "n")), i);
		json_decref(line);
	}
	peer_close(&peer);
}

/* Whoever does not read is cut off before much waits for it; nobody else notices */
static void slow_readers_are_cut_off(void **state)
{
	struct server_fixture *f = *state;
	const int small = 65536;
	struct peer peer;

	open_stream(f, &peer, "/flood");
	setsockopt(peer.fd, SOL_SOCKET, SO_RCVBUF, &small, sizeof(small));
	for (int i = 0; streaming(f); i++) {
		assert_true(i < 100);
		pause_ms(50);
	}
	assert_true(read_all(&peer) < 200);
	peer_close(&peer);
}

/* Readers that go away, and one that writes into its stream, which neither piles up nor ends it */
static void rude_readers(void **state)
{
	struct server_fixture *f = *state;
	static char noise[20000];
	struct peer peer;

	for (int i = 0; i < 10; i++) {
		open_stream(f, &peer, i % 2 ? "/paced" : "/flood");
		json_decref(peer_line(&peer));
		shutdown(peer.fd, SHUT_RDWR);
		peer_close(&peer);
		while (streaming(f))
			pause_ms(10);
	}
	open_stream(f, &peer, "/paced");
	peer_write(&peer, noise, sizeof(noise));
	assert_int_equal(read_all(&peer), 200);
	peer_close(&peer);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(paced_by_the_reader, set_up, tear_down),
		cmocka_unit_test_setup_teardown(the_first_burst_is_whole, set_up, tear_down),
		cmocka_unit_test_setup_teardown(slow_readers_are_cut_off, set_up, tear_down),
		cmocka_unit_test_setup_teardown(rude_readers, set_up, tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
