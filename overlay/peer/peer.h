/*
 * peer.h - another host, as this agent knows it: its sessions and where they are sent to
 *
 * A peer lives from the topology that names it until the one that does not.  The control thread owns it; what
 * workers read is in the first part, published under RCU.  Its handshakes are handshaker.c's, whether and how it is reached
 * contact.c's, its ways paths.c's; this file has the life of its sessions:
 *
 *	current	 the session that we send in		(published as peer->sending)
 *	previous what was current before, the last PEER_PREVIOUS of them: datagrams under way may still be in them, and
 *		 where both sides asked at once each may go on in the other's for a while
 *	next	 one that we answered and that the peer has not used yet; we do not send in it
 *
 * As initiator, a response makes the new session current at once and current previous.  As responder, an initiation
 * makes a new session next, and the first good datagram in it makes it current.  So each side receives in the new session
 * before the other sends in it, and no datagram is lost to a rekey.  All are found by their index; each is retired when its
 * lifetime ends or when enough younger ones have taken its place.
 */
#ifndef OVERLAY_PEER_PEER_H
#define OVERLAY_PEER_PEER_H

#include "base/addr.h"
#include "base/clock.h"
#include "base/timers.h"
#include "crypto/cookie.h"
#include "crypto/handshake.h"
#include "crypto/ratelimit.h"
#include "crypto/tai64n.h"
#include "lab/limits.h"
#include "overlay/peer/contact.h"
#include "overlay/peer/paths.h"
#include "overlay/peer/rivals.h"
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
	bool has_key; /* not where the peer is refused */
	struct x25519_public key;

	/* shared under RCU, the control thread writes */
	struct path *path;                                  /* NULL: nowhere to send to yet */
	struct session *sending;                            /* NULL: no session yet, or nobody there */
	bool quiet;                                         /* atomic: who sends next says so, once */
	bool said_goodbye;                                  /* atomic: so `sending` is NULL */
	struct counter flow_answered_ns[SESSION_LANES_MAX]; /* when each lane's own flow last was; set by any worker */
	struct counter flow_epoch_ns;                       /* probes of before are of another path */

	/* the control thread's from here on */
	struct peer *next_by_name, *next_by_key; /* peers.c */
	bool hidden;                             /* peers.c: in no list */
	struct timer timer;                      /* when it is to be looked after */
	struct contact contact;
	struct paths paths;

	struct session *current;                 /* that we send in */
	struct session *previous[PEER_PREVIOUS]; /* the youngest first; datagrams under way may still be in them */
	struct session *next;                    /* answered by us, not confirmed yet */
	struct session_totals retired;           /* of sessions that are gone */
	uint64_t sessions_count;                 /* that were used to send, since the start */

	/* handshaker.c */
	struct handshake handshake;
	uint32_t handshake_index; /* reserved, 0: no handshake is under way */
	struct cookie_jar jar;
	struct tai64n sent_timestamp;
	struct tai64n seen_timestamp;
	struct endpoint seen_from;           /* the initiation of then */
	struct ratelimit_bucket initiations; /* of the peer, that we answer */
	struct rival rival;                  /* rivals.c */

	/* liveness.c: what was seen at the last look */
	uint64_t tx_seen, rx_seen; /* datagrams in all sessions */
	uint64_t data_seen;        /* bytes that workers sent in the current one */
	struct instant stirred_at; /* when something was seen to be sent or heard */
	struct instant busy_until; /* data goes to the peer */
	bool short_path;           /* its path is too small: counted in the overlay */
	struct instant short_since;
	enum contact_state noted; /* that it showed at the last look */
};

/* @key: NULL for one that is refused.  Return: NULL without memory or where OpenSSL failed */
struct peer *peer_new(uint32_t slot, const char *name, const struct x25519_public *key, struct instant now);

/* Nobody may see the peer any more.  Frees its path, not its sessions.  NULL is fine */
void peer_free(struct peer *peer);

/* Up, but on a path that is too small for all that is sent on it */
bool peer_is_limited(const struct peer *peer);

/* Its contact's state, and since when, as people see them: "limited" instead of "up" where it is that */
const char *peer_state_name(const struct peer *peer);
struct instant peer_state_since(const struct peer *peer);

/* The reason for a state that is not "up", for people: @out has PATH_TEXT_BYTES, "" where the state needs none */
void peer_why(const struct peer *peer, char out[PATH_TEXT_BYTES]);

/* Sums over the sessions that are and those that were.  The control thread */
void peer_totals(const struct peer *peer, struct session_totals *out);

/* We have answered with @session, consumed: it waits for the peer to use it, in place of one that waits already */
void peer_session_answered(struct peer *peer, struct session_table *table, struct session *session);

/* Send in @session, consumed, from now on */
void peer_session_begin(struct peer *peer, struct session_table *table, struct session *session);

/* The peer has used the session that waits.  Return: whether @session is that one, and we send in it now */
bool peer_session_confirm(struct peer *peer, struct session_table *table, struct session *session);

/* Retire what has reached its last moment.  Return: whether that is the session that we sent in */
bool peer_sessions_expire(struct peer *peer, struct session_table *table, struct instant now);

/* Return: when the next one does; 0: there is none */
struct instant peer_sessions_expiry(const struct peer *peer);

/* Retire all */
void peer_sessions_end(struct peer *peer, struct session_table *table);

/**
 * peer_set_path() - have workers send to @endpoint, from its local address, from now on, in datagrams of @datagram_bytes
 *
 * Return: false without memory, or where the sockets cannot reach such an address
 */
bool peer_set_path(struct peer *peer, const struct endpoint *endpoint, uint32_t datagram_bytes, int family)
	__attribute__((warn_unused_result));

#endif /* OVERLAY_PEER_PEER_H */
