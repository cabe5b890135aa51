/*
 * trust.h - which hosts of a topology may be peers
 *
 * A host is one only if the pinned CA has signed its certificate and its certificate has signed its tunnel key: the
 * controller can leave a host out, but cannot invent one.  Pure: the document is lab/topology.h's, the time is given.
 */
#ifndef OVERLAY_AGENT_TRUST_H
#define OVERLAY_AGENT_TRUST_H

#include "crypto/x25519.h"
#include "lab/topology.h"
#include "overlay/peer/peer.h"

#include <stdbool.h>
#include <stdint.h>
#include <time.h>

/* What was found of one host */
struct trust {
	struct x25519_public key;
	bool proven;                     /* certificate and tunnel key are its own */
	char refused[PEER_REASON_BYTES]; /* why it cannot be a peer; "" if it can */
};

/**
 * trust_judge() - look at every host of @topology
 * @ca_pem:	pinned
 * @now:	certificates are judged by it
 *
 * Return: one for each host, in their order; from malloc(), the caller's, and not NULL where there are none.  NULL
 * without memory
 */
struct trust *trust_judge(const struct topology *topology, const char *ca_pem, time_t now)
	__attribute__((warn_unused_result));

#endif /* OVERLAY_AGENT_TRUST_H */
