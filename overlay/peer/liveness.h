/*
 * liveness.h - looks after peers: does what their contact and their path ask for, and sees what comes of it
 */
#ifndef OVERLAY_PEER_LIVENESS_H
#define OVERLAY_PEER_LIVENESS_H

#include "overlay/peer/overlay.h"

#include <stdint.h>

/* Do for @peer what is due, and set its timer: after every event */
void liveness_tend(struct overlay *overlay, struct peer *peer);

/* Send to @to, and from its local address, from now on.  Return: whether that is another place, and not only from another address */
bool liveness_move(struct overlay *overlay, struct peer *peer, const struct endpoint *to);

/* Send one probe of the size that data has.  Return: its token, 0 where there is no session or path */
uint64_t liveness_ping(struct overlay *overlay, struct peer *peer);

/* A probe of ours, sent at @token, came back; @bytes: the size that passed, 0 for a small one */
void liveness_acked(struct overlay *overlay, struct peer *peer, uint64_t token, uint32_t bytes);

/* The kernel refused @bytes on the way out */
void liveness_refused(struct overlay *overlay, struct peer *peer, uint32_t bytes);

/* Its interface may be another one, or have another MTU */
void liveness_rerouted(struct overlay *overlay, struct peer *peer);

/* The peer has said goodbye in @session; that, and what came before, is no sign of life */
void liveness_goodbye(struct overlay *overlay, struct peer *peer, const struct session *session);

/* The peer was silent @since and is heard again, or has a new session; 0: it was not */
void liveness_revived(struct overlay *overlay, struct peer *peer, struct instant since);

#endif /* OVERLAY_PEER_LIVENESS_H */
