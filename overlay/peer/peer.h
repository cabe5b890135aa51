/*
 * peer.h - another host of the forwarding, as this agent knows it
 *
 * A peer lives from the topology that names it until the one that does not.  The control thread owns it; what
 * workers read is in the first part, published under RCU.  Its handshakes are handshaker.c's, its path's size is
 * pmtu.c's.
 */
#ifndef OVERLAY_PEER_PEER_H
#define OVERLAY_PEER_PEER_H

#include "base/addr.h"
#include "base/clock.h"
#include "crypto/cookie.h"
#include "crypto/handshake.h"
#include "crypto/ratelimit.h"
#include "crypto/tai64n.h"
#include "lab/limits.h"
#include "overlay/peer/pmtu.h"
#include "overlay/peer/session.h"
#include "underlay/path.h"

#include <stdbool.h>
#include <stdint.h>

#define PEER_NAME_BYTES 64U
#define PEER_REASON_BYTES 160U
#define PEER_PREVIOUS 3U

struct peer {
	/* constant */
	uint32_t slot; /* below PEERS_MAX; what the MAC table and networks call it */
	char name[PEER_NAME_BYTES];
	struct x25519_public key;

	/* shared under RCU, the control thread writes */
	struct path *path;                                  /* NULL: nowhere to send to yet */
	struct session *sending;                            /* NULL: no session yet */
	struct counter flow_answered_ns[SESSION_LANES_MAX]; /* when each lane's own flow last was; set by any worker */
	struct counter flow_epoch_ns;                       /* probes of before are of another path */

	/* the control thread's from here on */
	struct endpoint endpoints[PEER_ENDPOINTS_MAX]; /* from the topology */
	uint32_t endpoints_count;
	uint32_t endpoint_next; /* which of them the next handshake tries */
	struct instant roamed_at;

	struct session *current;                 /* that we send in */
	struct session *previous[PEER_PREVIOUS]; /* the youngest first; datagrams under way may still be in them */
	struct session *next;                    /* answered by us, not confirmed yet */

	struct handshake handshake;
	uint32_t handshake_index; /* reserved, 0: no handshake is under way */
	struct cookie_jar jar;
	struct tai64n sent_timestamp;
	struct tai64n seen_timestamp;
	struct ratelimit_bucket initiations; /* of the peer, that we answer */
	uint32_t attempts;                   /* since the last success */
	struct instant attempt_at;           /* the next one; 0: none is due */

	struct pmtu pmtu;
	struct instant probed_at;      /* last keepalive probe */
	uint64_t tx_seen, rx_seen;     /* datagrams in all sessions, at the last look */
	uint64_t data_seen;            /* bytes that workers sent, at the last look */
	struct instant busy_until;     /* data goes to the peer */
	struct instant heard_at;       /* as far as the last look saw */
	struct instant unanswered_at;  /* since when we send and hear nothing; 0: we hear something */
	uint64_t rtt_us;               /* smoothed; 0: unknown */
	struct session_totals retired; /* of sessions that are gone */
	uint64_t sessions_count;       /* that were used to send, since the start */
};

/* Return: NULL without memory or where OpenSSL failed */
struct peer *peer_new(uint32_t slot, const char *name, const struct x25519_public *key);

/* Nobody may see the peer any more.  Frees its path, not its sessions.  NULL is fine */
void peer_free(struct peer *peer);

/* Sums over the sessions that are and those that were.  The control thread */
void peer_totals(const struct peer *peer, struct session_totals *out);

/**
 * peer_set_path() - send to @endpoint from now on, in datagrams of @datagram_bytes
 *
 * Waits for a grace period.  Return: false without memory, or where the sockets cannot reach such an address
 */
bool peer_set_path(struct peer *peer, const struct endpoint *endpoint, uint32_t datagram_bytes, int family);

#endif /* OVERLAY_PEER_PEER_H */
