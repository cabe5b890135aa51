/*
 * handshaker.h - handshakes with peers, and the sessions that come of them
 */
#ifndef OVERLAY_PEER_HANDSHAKER_H
#define OVERLAY_PEER_HANDSHAKER_H

#include "overlay/peer/overlay.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* What a datagram has changed; the caller tells the contact */
struct handshaker_news {
	struct peer *answered; /* has asked, and a session waits for it; NULL: none does */
	struct peer *begun;    /* has answered: we send in a new session; NULL: none has */
	struct peer *disowned; /* it answers another machine that has our keys */
	struct peer *cookie;   /* is busy and wants to be asked again with the cookie that it gave; NULL: none does */
};

bool handshaker_start(struct overlay *overlay) __attribute__((warn_unused_result));
void handshaker_stop(struct overlay *overlay);

/* One datagram, any bytes */
struct handshaker_news handshaker_take(struct overlay *overlay, const uint8_t *datagram, size_t len,
	const struct endpoint *from);

/* Ask @peer for a session, in place of what was asked before: one question, at each of @to; the first that arrives is answered */
void handshaker_initiate(struct overlay *overlay, struct peer *peer, const struct endpoint *to, uint32_t count);

/* Wait for no answer any more */
void handshaker_end(struct overlay *overlay, struct peer *peer);

#endif /* OVERLAY_PEER_HANDSHAKER_H */
