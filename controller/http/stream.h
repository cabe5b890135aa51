/*
 * stream.h - an answer without an end: one JSON object per line, in a chunked response
 *
 * Under the watches of agents and operators (gateway.h).
 *
 * Theory of operation.  open -> cut -> closed.  A stream is opened on a request and lives until its connection does not.
 * It sends a heartbeat every STREAM_HEARTBEAT_S.  Cutting (by the owner, by a reader that is too slow or by one that
 * breaks off) only shuts the socket down; libevent then tears the connection down from the loop, and that
 * calls on_closed(), once, after which the stream is gone.  So nothing is freed under anybody's feet.
 * Limits: once stream_settled() has ended the first burst, STREAM_QUEUE_MAX_BYTES more may wait for a reader at most; and
 * STREAM_STALL_S without progress end it.
 *
 * The loop's thread only.
 */
#ifndef CONTROLLER_HTTP_STREAM_H
#define CONTROLLER_HTTP_STREAM_H

#include <event2/event.h>
#include <event2/http.h>
#include <jansson.h>
#include <stdbool.h>

#define STREAM_HEARTBEAT_S 15
#define STREAM_STALL_S 30
#define STREAM_QUEUE_MAX_BYTES (4U << 20)

struct stream;

struct stream_owner {
	void *ctx;
	/* The stream is gone after this returns; may be NULL, also later, by stream_disown() */
	void (*on_closed)(void *ctx, struct stream *stream);
	/* All that was queued has been written; may be NULL */
	void (*on_drained)(void *ctx, struct stream *stream);
};

/* Answer @request with a stream, which owns it from now on.  Return: NULL where memory is short (answered then, too) */
struct stream *stream_open(struct event_base *base, struct evhttp_request *request, const struct stream_owner *owner);

/* Queue one line; @line is borrowed.  Nothing happens on a stream that was cut. */
void stream_send(struct stream *stream, const json_t *line);

/* What was sent until now is what the reader asked for; from here on the queue is limited */
void stream_settled(struct stream *stream);

/* Does a line wait to be written?  on_drained() follows once none does */
bool stream_busy(const struct stream *stream);

/* End it; on_closed() follows from the loop */
void stream_cut(struct stream *stream);

/* End it, and call the owner no more */
void stream_disown(struct stream *stream);

#endif /* CONTROLLER_HTTP_STREAM_H */
