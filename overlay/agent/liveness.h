/*
 * liveness.h - keepalives, rekeying, path MTU and roaming of peers that have a session
 */
#ifndef OVERLAY_AGENT_LIVENESS_H
#define OVERLAY_AGENT_LIVENESS_H

#include "overlay/agent/agent.h"

/* A session with @peer has begun: its path starts anew, or goes on */
void liveness_begin(struct agent *agent, struct peer *peer, const struct endpoint *endpoint);

/* Look after every peer.  Return: milliseconds until it wants to be called again */
uint32_t liveness_tick(struct agent *agent);

/* The peer was heard, newest of all, from @from */
void liveness_roamed(struct agent *agent, struct peer *peer, const struct endpoint *from);

void liveness_probe_ack(struct agent *agent, struct peer *peer, uint64_t token, uint32_t bytes);
void liveness_too_big(struct agent *agent, struct peer *peer, uint32_t bytes);

/* This machine's addresses or links have changed */
void liveness_moved(struct agent *agent);

#endif /* OVERLAY_AGENT_LIVENESS_H */
