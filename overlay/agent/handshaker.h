/*
 * handshaker.h - handshakes with peers, and the life of the sessions that come of them
 */
#ifndef OVERLAY_AGENT_HANDSHAKER_H
#define OVERLAY_AGENT_HANDSHAKER_H

#include "overlay/agent/agent.h"

bool handshaker_start(struct agent *agent);
void handshaker_stop(struct agent *agent);

/* The control socket can be read */
void handshaker_ready(evutil_socket_t fd, short what, void *agent);

/* Ask @peer for a session now, whatever else is under way */
void handshaker_initiate(struct agent *agent, struct peer *peer);

/* The peer has used the session that we answered with: send in it too */
void handshaker_confirmed(struct agent *agent, struct session *session);

/* End all sessions and handshakes with @peer; handshaker_reap() is due */
void handshaker_forget(struct agent *agent, struct peer *peer);

/* Unlink @session and free it later; NULL is fine */
void handshaker_retire(struct agent *agent, struct session *session);

/* Free what was retired.  Waits for a grace period where there is something */
void handshaker_reap(struct agent *agent);

#endif /* OVERLAY_AGENT_HANDSHAKER_H */
