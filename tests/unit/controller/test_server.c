/*
 * test_server.c - a server that is to listen elsewhere: it does, or stays, and can be told again whatever came of it
 */
#include "controller/http/server.h"

#include <event2/event.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/resource.h>

#include <cmocka.h>

#include "tests/unit/controller/fabric_fixture.h"
#include "tests/unit/controller/http_peer.h"

struct fixture {
	struct fabric_fixture fabric;
	struct event_base *base;
	struct server *server;
	char listen[32], other[32];
};

static void on_request(void *ctx, struct evhttp_request *request, bool local)
{
	(void)ctx;
	(void)request;
	(void)local;
}

static struct server_config config_of(const struct fixture *f, const char *listen)
{
	const struct authority *authority = &f->fabric.authority;

	return (struct server_config){ .listen = listen,
		.dir = f->fabric.dir,
		.ca_pem = authority->ca_pem,
		.tls_pem = authority->tls_pem,
		.tls_key_pem = authority->tls_key_pem };
}

static uint16_t free_port(void)
{
	struct sockaddr_in at = { .sin_family = AF_INET, .sin_addr = { htonl(INADDR_LOOPBACK) } };
	socklen_t len_bytes = sizeof(at);
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	assert_int_equal(bind(fd, (struct sockaddr *)&at, sizeof(at)), 0);
	assert_int_equal(getsockname(fd, (struct sockaddr *)&at, &len_bytes), 0);
	close(fd);
	return ntohs(at.sin_port);
}

static int set_up(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));
	const struct server_owner owner = { .ctx = f, .on_request = on_request };
	struct server_config config;
	struct error error;

	snprintf(f->listen, sizeof(f->listen), "127.0.0.1:%u", free_port());
	snprintf(f->other, sizeof(f->other), "127.0.0.1:%u", free_port());
	fabric_fixture_init(&f->fabric, f->listen);
	f->base = event_base_new();
	config = config_of(f, f->listen);
	assert_int_equal(server_new(f->base, &config, &owner, &f->server, &error), 0);
	*state = f;
	return 0;
}

static int tear_down(void **state)
{
	struct fixture *f = *state;

	server_free(f->server);
	event_base_free(f->base);
	fabric_fixture_fini(&f->fabric);
	free(f);
	return 0;
}

static bool listens(const char *at)
{
	int fd = peer_socket((uint16_t)atoi(strchr(at, ':') + 1));

	if (fd >= 0)
		close(fd);
	return fd >= 0;
}

static int move(struct fixture *f, const char *listen)
{
	const struct server_config config = config_of(f, listen);
	struct error error = { .text = "" };
	int err = server_move(f->server, &config, &error);

	assert_true((err != 0) == error_is_set(&error));
	return err;
}

static void it_listens_elsewhere_or_stays(void **state)
{
	struct fixture *f = *state;

	assert_true(listens(f->listen));
	assert_int_equal(move(f, f->other), 0);
	assert_true(listens(f->other) && !listens(f->listen));
	assert_int_not_equal(move(f, "198.51.100.1:1"), 0);
	assert_true(listens(f->other));
	assert_int_equal(move(f, f->listen), 0);
	assert_true(listens(f->listen) && !listens(f->other));
}

/* Neither there nor where it was: as where the machine's address has changed, and the new one was mistyped */
static void it_can_be_told_again(void **state)
{
	struct fixture *f = *state;
	struct rlimit was, none;

	assert_int_equal(getrlimit(RLIMIT_NOFILE, &was), 0);
	none = (struct rlimit){ 0, was.rlim_max };
	for (int i = 0; i < 2; i++) {
		assert_int_equal(setrlimit(RLIMIT_NOFILE, &none), 0);
		assert_int_not_equal(move(f, f->other), 0);
		assert_int_equal(setrlimit(RLIMIT_NOFILE, &was), 0);
		assert_false(listens(f->listen));
		assert_int_equal(move(f, i ? f->other : f->listen), 0);
		assert_true(listens(i ? f->other : f->listen));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(it_listens_elsewhere_or_stays, set_up, tear_down),
		cmocka_unit_test_setup_teardown(it_can_be_told_again, set_up, tear_down),
	};

	signal(SIGPIPE, SIG_IGN);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
