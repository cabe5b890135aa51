/*
 * ping.h - the question "ping": does a host answer through the tunnel, how fast, by which path
 *
 * Theory of operation.  One question is one probe (encap/probe.h), sealed, of the size that data has, answered by the peer's weftd:
 * asked -> (no session: it is looked for, and tried each PING_TRY_MS) -> sent -> answered, or not within PING_PATIENCE_MS of the
 * question.  Either is an answer to the question, with what is known of the peer.  At most PINGS_MAX wait.  The control thread.
 */
#ifndef OVERLAY_AGENT_PING_H
#define OVERLAY_AGENT_PING_H

#include "base/clock.h"

#include <stdint.h>

#define PINGS_MAX 32U
#define PING_TRY_MS 50U
#define PING_PATIENCE_MS 1000U

struct core;
struct peer;
struct reply;

struct ping {
	struct reply *reply;
	char to[64];     /* the host */
	char port[132];  /* "lab/port" where that was asked for; "" */
	uint64_t token;  /* 0: not sent yet */
	uint32_t bytes;  /* of the datagram */
	uint64_t rtt_ns; /* 0: no answer yet */
	struct instant asked, tried;
};

struct pings {
	struct ping ping[PINGS_MAX];
	uint32_t count;
};

/* A probe to @peer has come back: answered at the next tick */
void pings_answered(struct pings *pings, const struct peer *peer, uint64_t token, struct instant now);

/* Answer what can be answered, and send what waits for a session.  Return: when to call again; 0: none waits */
struct instant pings_tick(struct core *core);

#endif /* OVERLAY_AGENT_PING_H */
