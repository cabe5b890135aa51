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
#define TIMEOUT_S 30 /* a question may take 10 */

struct status_server {
	struct evhttp *http;
	struct questions *questions;
	char path[sizeof(((struct sockaddr_un *)NULL)->sun_path)];
};

/* A request that has no answer yet */
struct exchange {
	struct evhttp_request *request;
	struct reply *reply; /* NULL within questions_ask() */
};

static void send_json(struct evhttp_request *request, const json_t *answer)
{
	const bool good = !json_object_get(answer, "error");
	struct evbuffer *body = evbuffer_new();
	char *text = json_dumps(answer, JSON_COMPACT);

	if (!body || !text) {
		evhttp_send_error(request, HTTP_INTERNAL, "out of memory");
	} else {
		evhttp_add_header(evhttp_request_get_output_headers(request), "Content-Type", "application/json");
		evbuffer_add(body, text, strlen(text));
		evbuffer_add(body, "\n", 1);
		evhttp_send_reply(request, good ? HTTP_OK : HTTP_BADREQUEST, good ? "OK" : "Bad Request", body);
	}
	free(text);
	if (body)
		evbuffer_free(body);
}

static void on_answered(void *ctx, const char *id, const json_t *answer)
{
	struct exchange *x = ctx;

	(void)id;
	evhttp_connection_set_closecb(evhttp_request_get_connection(x->request), NULL, NULL);
	send_json(x->request, answer);
	free(x);
}

/* The connection ends before the answer.  After an error evhttp has left the request to us; when the server ends, the
 * connection still has it */
static void on_connection_closed(struct evhttp_connection *connection, void *arg)
{
	struct exchange *x = arg;

	(void)connection;
	reply_forget(x->reply);
	if (!evhttp_request_get_connection(x->request))
		evhttp_request_free(x->request);
	free(x);
}

static void ask(struct status_server *server, struct evhttp_request *request, const char *name, const json_t *args)
{
	struct exchange *x = calloc(1, sizeof(*x));
	const struct asker asker = { .ctx = x, .answered = on_answered, .id = "" };
	struct reply *reply;

	if (!x) {
		evhttp_send_error(request, HTTP_INTERNAL, "out of memory");
		return;
	}
	x->request = request;
	reply = questions_ask(server->questions, name, args, &asker);
	if (!reply)
		return;
	x->reply = reply;
	evhttp_connection_set_closecb(evhttp_request_get_connection(request), on_connection_closed, x);
}

static void on_status(struct evhttp_request *request, void *arg)
{
	if (evhttp_request_get_command(request) == EVHTTP_REQ_GET)
		ask(arg, request, "status", NULL);
	else
		evhttp_send_error(request, HTTP_BADMETHOD, "this path takes GET");
}

static void on_ask(struct evhttp_request *request, void *arg)
{
	struct evbuffer *in = evhttp_request_get_input_buffer(request);
	const char *bytes = (const char *)evbuffer_pullup(in, -1), *name;
	json_t *body = bytes ? json_loadb(bytes, evbuffer_get_length(in), JSON_REJECT_DUPLICATES, NULL) : NULL;
	const json_t *args = json_object_get(body, "args");

	name = json_string_value(json_object_get(body, "question"));
	if (name && (!args || json_is_object(args)))
		ask(arg, request, name, args);
	else
		evhttp_send_error(request, HTTP_BADREQUEST, "must be {\"question\": NAME, \"args\": {...}}");
	json_decref(body);
}

static void on_other(struct evhttp_request *request, void *arg)
{
	(void)arg;
	evhttp_send_error(request, HTTP_NOTFOUND, "only /v1/status and /v1/ask are here");
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
	evhttp_set_allowed_methods(server->http, EVHTTP_REQ_GET | EVHTTP_REQ_POST);
	evhttp_set_max_headers_size(server->http, REQUEST_MAX_BYTES);
	evhttp_set_max_body_size(server->http, REQUEST_MAX_BYTES);
	evhttp_set_timeout(server->http, TIMEOUT_S);
	evhttp_set_gencb(server->http, on_other, NULL);
	return evhttp_set_cb(server->http, "/v1/status", on_status, server) == 0 &&
		evhttp_set_cb(server->http, "/v1/ask", on_ask, server) == 0 &&
		evhttp_accept_socket(server->http, fd) == 0;
}

struct status_server *status_server_new(struct event_base *base, const char *state, struct questions *questions,
	struct error *error)
{
	struct status_server *server = calloc(1, sizeof(*server));
	int fd;

	if (!server) {
		error_set(error, "out of memory");
		return NULL;
	}
	server->questions = questions;
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
