/*
 * goodbye.h - the last word to a peer, and what a peer's last word calls for
 *
 * Theory of operation.  A host that stops, or that has a peer no more, says so in a notify record, sealed in each session that it shares
 * with the peer: which one of them the peer sends in is the peer's business, and only in that one does a goodbye count there.  So one
 * that is kept back and comes when there is a newer session changes nothing.  Sessions' replay windows keep it from counting twice.
 *
 * A goodbye is sent once workers have stopped, so that nothing follows it, and once more when the rest has ended; both may be lost, and
 * then the peer finds out by itself.  It ends nothing: keys and learnt MACs stay.  Frames for a peer that said goodbye are
 * dropped by name (peer-goodbye), since nobody is there to take them, until anything authentic comes from it or it has a new session.
 */
#ifndef OVERLAY_PEER_GOODBYE_H
#define OVERLAY_PEER_GOODBYE_H

#include "base/clock.h"
#include "encap/notify.h"
#include "encap/record.h"
#include "overlay/peer/overlay.h"

/* Say it to @peer, where there is a session.  No worker sends to it any more */
void goodbye_send(struct overlay *overlay, const struct peer *peer, enum notify_reason reason);

enum goodbye_result {
	GOODBYE_SAID,      /* tell overlay_goodbye() */
	GOODBYE_OTHER,     /* a notice that this version does not know */
	GOODBYE_MALFORMED, /* a drop */
	GOODBYE_RATE,      /* a drop: a host has no more than a few last words */
};

/**
 * goodbye_take() - what a record of type RECORD_NOTIFY calls for
 * @session:	that it came in, @lane of it: the lane's owner calls
 */
enum goodbye_result goodbye_take(struct session *session, uint32_t lane, const struct record *record,
	struct instant now) __attribute__((warn_unused_result));

#endif /* OVERLAY_PEER_GOODBYE_H */
