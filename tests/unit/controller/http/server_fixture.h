/*
 * server_fixture.h - the controller's sockets on loopback, without an API behind them: what a test answers, and its clients
 *
 * The server runs in a child; that it ends with status 0 on SIGTERM says, under a sanitizer, that it leaked nothing.
 */
#ifndef TESTS_SERVER_FIXTURE_H
#define TESTS_SERVER_FIXTURE_H

#include "controller/http/conns.h"
#include "controller/http/reply.h"
#include "controller/http/server.h"
#include "controller/http/stream.h"
#include "crypto/identity.h"
#include "crypto/identity_issue.h"

#include <event2/event.h>
#include <event2/keyvalq_struct.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>

#include <cmocka.h>

#include "tests/unit/controller/http_peer.h"

struct server_fixture {
	char dir[64], socket[96];
	char *ca_key, *ca, *tls_key, *tls; /* the server's */
	char *host_key, *host;             /* a client's */
	struct credentials nobody, known;
	uint16_t port;
	pid_t child;
	struct event_base *base;                  /* in the child */
	void (*on_end)(struct server_fixture *f); /* the same: before the server ends; may be NULL */
};

static inline void pause_ms(long ms)
{
	const struct timespec wait = { ms / 1000, ms % 1000 * 1000000 };

	nanosleep(&wait, NULL);
}

static inline uint16_t free_port(void)
{
	struct sockaddr_in at = { .sin_family = AF_INET, .sin_addr = { htonl(INADDR_LOOPBACK) } };
	socklen_t len_bytes = sizeof(at);
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	assert_int_equal(bind(fd, (struct sockaddr *)&at, sizeof(at)), 0);
	assert_int_equal(getsockname(fd, (struct sockaddr *)&at, &len_bytes), 0);
	close(fd);
	return ntohs(at.sin_port);
}

static inline void server_fixture_on_term(evutil_socket_t fd, short what, void *base)
{
	(void)fd;
	(void)what;
	event_base_loopbreak(base);
}

/* The child's life: tells its port, and serves until SIGTERM */
static inline int server_fixture_serve(struct server_fixture *f, const struct server_owner *owner, int tell)
{
	char listen[32];
	const struct server_config config = { .listen = listen,
		.dir = f->dir,
		.ca_pem = f->ca,
		.tls_pem = f->tls,
		.tls_key_pem = f->tls_key };
	struct server *server;
	struct event *term;
	struct error error;
	uint16_t port;

	snprintf(listen, sizeof(listen), "127.0.0.1:%u", free_port());
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	f->base = event_base_new();
	term = evsignal_new(f->base, SIGTERM, server_fixture_on_term, f->base);
	event_add(term, NULL);
	if (server_new(f->base, &config, owner, &server, &error) < 0) {
		fprintf(stderr, "%s\n", error.text);
		return 1;
	}
	port = server_port(server);
	(void)!write(tell, &port, sizeof(port));
	close(tell);
	event_base_dispatch(f->base);
	if (f->on_end)
		f->on_end(f);
	server_free(server);
	event_free(term);
	event_base_free(f->base);
	return 0;
}

static inline void server_fixture_free(struct server_fixture *f)
{
	identity_pem_free(f->ca_key);
	identity_pem_free(f->ca);
	identity_pem_free(f->tls_key);
	identity_pem_free(f->tls);
	identity_pem_free(f->host_key);
	identity_pem_free(f->host);
	free(f);
}

/* @on_request: its ctx is the fixture */
static inline struct server_fixture *server_fixture_new(void (*on_request)(void *ctx, struct evhttp_request *request,
								bool local),
	void (*on_end)(struct server_fixture *f))
{
	static const char *const names[] = { "127.0.0.1" };
	struct server_fixture *f = calloc(1, sizeof(*f));
	const struct server_owner owner = { .ctx = f, .on_request = on_request };
	int tell[2];
	char *csr;

	f->on_end = on_end;
	signal(SIGPIPE, SIG_IGN);
	snprintf(f->dir, sizeof(f->dir), "/tmp/weft-server-XXXXXX");
	assert_non_null(mkdtemp(f->dir));
	snprintf(f->socket, sizeof(f->socket), "%s/controller.sock", f->dir);
	assert_int_equal(identity_ca_create("homelab", time(NULL), &f->ca_key, &f->ca), 0);
	assert_int_equal(identity_controller_issue(f->ca_key, f->ca, "weft-controller", names, 1, time(NULL),
				 &f->tls_key, &f->tls),
		0);
	assert_int_equal(identity_key_create(&f->host_key), 0);
	assert_int_equal(identity_csr_create(f->host_key, "h1", &csr), 0);
	assert_int_equal(identity_host_issue(f->ca_key, f->ca, csr, "h1", time(NULL), &f->host), 0);
	identity_pem_free(csr);
	f->nobody = (struct credentials){ .ca_pem = f->ca };
	f->known = (struct credentials){ .ca_pem = f->ca, .certificate_pem = f->host, .key_pem = f->host_key };
	assert_int_equal(pipe(tell), 0);
	f->child = fork();
	if (f->child == 0) {
		int status;

		close(tell[0]);
		status = server_fixture_serve(f, &owner, tell[1]);
		server_fixture_free(f);
		exit(status);
	}
	close(tell[1]);
	assert_int_equal(read(tell[0], &f->port, sizeof(f->port)), sizeof(f->port));
	close(tell[0]);
	return f;
}

static inline void server_fixture_end(struct server_fixture *f)
{
	int status;

	kill(f->child, SIGTERM);
	assert_int_equal(waitpid(f->child, &status, 0), f->child);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), 0);
	assert_int_equal(access(f->socket, F_OK), -1);
	assert_int_equal(rmdir(f->dir), 0);
	server_fixture_free(f);
}

/* One request on a connection of its own */
static inline int server_fixture_call(struct server_fixture *f, const struct credentials *who, const char *method,
	const char *path, const char *body)
{
	struct peer peer;
	int status = 0;

	if (peer_open(&peer, f->port, who))
		status = peer_call(&peer, method, path, body, NULL);
	peer_close(&peer);
	return status;
}

#endif /* TESTS_SERVER_FIXTURE_H */
