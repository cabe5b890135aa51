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
	time_t since, expires;           /* where proven: it was looked at, and is good until then */
	char refused[PEER_REASON_BYTES]; /* why it cannot be a peer; "" if it can */
};

/* What was found of the topology before.  Zeros: nothing */
struct trust_before {
	const struct topology *topology;
	const struct trust *trust;
};

/**
 * trust_judge() - look at every host of @topology
 * @ca_pem:	pinned
 * @now:	certificates are judged by it
 * @before:	borrowed.  A host that was proven there, says the same now, and whose certificate has not run out is proven without
 *		looking at its signatures again: these cost a tenth of a millisecond each, and documents change often
 *
 * Return: one for each host, in their order; from malloc(), the caller's, and not NULL where there are none.  NULL
 * without memory
 */
struct trust *trust_judge(const struct topology *topology, const char *ca_pem, time_t now, struct trust_before before)
	__attribute__((warn_unused_result));

/* Return: when the first of @count proven hosts is proven no more; 0 where there is none */
time_t trust_expiry(const struct trust *trust, uint32_t count);

#endif /* OVERLAY_AGENT_TRUST_H */
