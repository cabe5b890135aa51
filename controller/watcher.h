/*
 * watcher.h - an endless answer: lines from the controller's core to whoever watches
 *
 * Both halves of it.  The core (host_sessions.h: topologies; watch.h: lists) embeds a struct watcher and offers it to its client's
 * open() (api.h); a client that takes it fills in `ops` and `ctx`.  HTTP streams and simulated links are such clients.
 *
 * Theory of operation.  offered -> open -> over.  It is over once the core has called ops->end(), or the client has called
 * on_closed(), whichever is first; after that neither calls the other.  Neither may be called from within the other.
 */
#ifndef CONTROLLER_WATCHER_H
#define CONTROLLER_WATCHER_H

#include <jansson.h>
#include <stdbool.h>

struct watcher_ops {
	/* Queue one line; borrowed */
	void (*send)(void *ctx, const json_t *line);
	/* What was sent until now is what the reader asked for; only what comes from here on is held against limits */
	void (*settled)(void *ctx);
	/* Does anything wait to be read?  Then a new topology is made once on_drained() has told that it does not */
	bool (*busy)(void *ctx);
	/* Over, by the core's will */
	void (*end)(void *ctx);
};

struct watcher {
	/* the core's */
	void (*on_closed)(struct watcher *watcher); /* the reader is gone */
	void (*on_drained)(struct watcher *watcher);
	/* the client's, from open() on */
	const struct watcher_ops *ops;
	void *ctx;
};

#endif /* CONTROLLER_WATCHER_H */
