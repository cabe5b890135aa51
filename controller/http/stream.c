/*
 * stream.c - see stream.h
 */
#include "controller/http/stream.h"

#include "base/log.h"

#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

struct stream {
	struct evhttp_request *request;
	struct bufferevent *bev; /* of the request's connection */
	struct event *heartbeat;
	struct stream_owner owner;
	size_t limit_bytes; /* of what waits to be written */
	bool cut;
	bool busy; /* lines wait to be written */
};

static void drained(struct evhttp_connection *connection, void *arg)
{
	struct stream *s = arg;

	(void)connection;
	s->busy = false;
	if (!s->cut && s->owner.on_drained)
		s->owner.on_drained(s->owner.ctx, s);
}

static void closed(struct evhttp_connection *connection, void *arg)
{
	struct stream *s = arg;

	(void)connection;
	s->cut = true;
	if (s->owner.on_closed)
		s->owner.on_closed(s->owner.ctx, s);
	/* after an error evhttp has left the request to us; when the server ends, the connection still has it */
	if (!evhttp_request_get_connection(s->request))
		evhttp_request_free(s->request);
	event_free(s->heartbeat);
	free(s);
}

static void send_text(struct stream *s, const char *text, size_t len_bytes)
{
	struct evbuffer *chunk;

	if (s->cut)
		return;
	if (evbuffer_get_length(bufferevent_get_output(s->bev)) + len_bytes > s->limit_bytes) {
		log_warning("a reader of a watch does not keep up, it is cut off");
		stream_cut(s);
		return;
	}
	chunk = evbuffer_new();
	if (!chunk || evbuffer_add(chunk, text, len_bytes) < 0 || evbuffer_add(chunk, "\n", 1) < 0) {
		stream_cut(s);
	} else {
		s->busy = true;
		evhttp_send_reply_chunk_with_cb(s->request, chunk, drained, s);
	}
	if (chunk)
		evbuffer_free(chunk);
}

static void on_heartbeat(evutil_socket_t fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	send_text(arg, "{}", 2);
}

struct stream *stream_open(struct event_base *base, struct evhttp_request *request, const struct stream_owner *owner)
{
	struct evhttp_connection *connection = evhttp_request_get_connection(request);
	const struct timeval beat = { STREAM_HEARTBEAT_S, 0 }, stall = { STREAM_STALL_S, 0 };
	struct evkeyvalq *headers = evhttp_request_get_output_headers(request);
	struct stream *s = calloc(1, sizeof(*s));

	if (s)
		s->heartbeat = event_new(base, -1, EV_PERSIST, on_heartbeat, s);
	if (!s || !s->heartbeat || event_add(s->heartbeat, &beat) < 0) {
		if (s && s->heartbeat)
			event_free(s->heartbeat);
		free(s);
		evhttp_send_error(request, 503, NULL);
		return NULL;
	}
	s->request = request;
	s->bev = evhttp_connection_get_bufferevent(connection);
	s->owner = *owner;
	s->limit_bytes = SIZE_MAX;
	/* the reader has nothing to say from here on, and may be silent as long as it reads */
	bufferevent_set_timeouts(s->bev, NULL, &stall);
	evhttp_connection_set_closecb(connection, closed, s);
	evhttp_add_header(headers, "Content-Type", "application/json");
	evhttp_add_header(headers, "Cache-Control", "no-store");
	evhttp_add_header(headers, "Connection", "close");
	evhttp_send_reply_start(request, 200, "OK");
	return s;
}

void stream_send(struct stream *s, const json_t *line)
{
	char *text = s->cut ? NULL : json_dumps(line, JSON_COMPACT);

	if (text)
		send_text(s, text, strlen(text));
	else
		stream_cut(s);
	free(text);
}

void stream_settled(struct stream *s)
{
	s->limit_bytes = evbuffer_get_length(bufferevent_get_output(s->bev)) + STREAM_QUEUE_MAX_BYTES;
}

bool stream_busy(const struct stream *s)
{
	return s->busy;
}

void stream_cut(struct stream *s)
{
	if (s->cut)
		return;
	s->cut = true;
	/* reading may be paused, where the other side wrote into its watch; the end must be seen all the same */
	bufferevent_setwatermark(s->bev, EV_READ, 0, 0);
	bufferevent_enable(s->bev, EV_READ);
	shutdown(bufferevent_getfd(s->bev), SHUT_RDWR);
}

void stream_disown(struct stream *s)
{
	s->owner = (struct stream_owner){ 0 };
	stream_cut(s);
}
