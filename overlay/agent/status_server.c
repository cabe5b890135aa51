/*
 * status_server.c - see status_server.h
 */
#include "overlay/agent/status_server.h"

#include <errno.h>
#include <event2/buffer.h>
#include <event2/http.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#define SOCKET_FILE "weftd.sock"
#define REQUEST_MAX_BYTES 16384

struct status_server {
	struct evhttp *http;
	json_t *(*document)(void *ctx);
	void *ctx;
	char path[sizeof(((struct sockaddr_un *)NULL)->sun_path)];
};

static void on_status(struct evhttp_request *request, void *arg)
{
	struct status_server *server = arg;
	struct evbuffer *body = evbuffer_new();
	json_t *document = server->document(server->ctx);
	char *text = document ? json_dumps(document, JSON_COMPACT) : NULL;

	json_decref(document);
	if (!body || !text) {
		evhttp_send_error(request, HTTP_INTERNAL, "out of memory");
	} else {
		evhttp_add_header(evhttp_request_get_output_headers(request), "Content-Type", "application/json");
		evbuffer_add(body, text, strlen(text));
		evbuffer_add(body, "\n", 1);
		evhttp_send_reply(request, HTTP_OK, "OK", body);
	}
	free(text);
	if (body)
		evbuffer_free(body);
}

static void on_other(struct evhttp_request *request, void *arg)
{
	(void)arg;
	evhttp_send_error(request, HTTP_NOTFOUND, "only /v1/status is here");
}

static int listen_unix(const char *path)
{
	struct sockaddr_un sun = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	mode_t before;
	int err;

	if (fd < 0)
		return -errno;
	snprintf(sun.sun_path, sizeof(sun.sun_path), "%s", path);
	unlink(path); /* of an agent that was killed; a living one holds the UDP port, which we have by now */
	before = umask(0177);
	err = bind(fd, (const struct sockaddr *)&sun, sizeof(sun)) < 0 || listen(fd, 16) < 0 ? -errno : 0;
	umask(before);
	if (!err)
		return fd;
	close(fd);
	return err;
}

/* Return: false without memory; @fd is the server's on true */
static bool serve(struct status_server *server, struct event_base *base, int fd)
{
	server->http = evhttp_new(base);
	if (!server->http)
		return false;
	evhttp_set_allowed_methods(server->http, EVHTTP_REQ_GET);
	evhttp_set_max_headers_size(server->http, REQUEST_MAX_BYTES);
	evhttp_set_max_body_size(server->http, REQUEST_MAX_BYTES);
	evhttp_set_timeout(server->http, 10);
	evhttp_set_gencb(server->http, on_other, NULL);
	return evhttp_set_cb(server->http, "/v1/status", on_status, server) == 0 &&
		evhttp_accept_socket(server->http, fd) == 0;
}

struct status_server *status_server_new(struct event_base *base, const char *state, json_t *(*document)(void *ctx),
	void *ctx, struct error *error)
{
	struct status_server *server = calloc(1, sizeof(*server));
	int fd;

	if (!server) {
		error_set(error, "out of memory");
		return NULL;
	}
	server->document = document;
	server->ctx = ctx;
	if (snprintf(server->path, sizeof(server->path), "%s/" SOCKET_FILE, state) >= (int)sizeof(server->path)) {
		error_set(error, "the path of --state is too long for a socket in it");
		free(server);
		return NULL;
	}
	fd = listen_unix(server->path);
	if (fd < 0) {
		error_set(error, "%.200s: %s", server->path, strerror(-fd));
		free(server);
		return NULL;
	}
	if (serve(server, base, fd))
		return server;
	error_set(error, "%.200s: out of memory", server->path);
	close(fd);
	status_server_free(server);
	return NULL;
}

void status_server_free(struct status_server *server)
{
	if (!server)
		return;
	if (server->http)
		evhttp_free(server->http);
	unlink(server->path);
	free(server);
}
