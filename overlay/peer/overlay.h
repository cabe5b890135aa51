/*
 * overlay.h - one host's part in the overlay but for its sockets and workers: peers, handshakes, sessions, paths
 *
 * Theory of operation.  The composition (weftd's agent, or a simulation) gives it datagrams, the news of its workers, the topology's
 * peers and the time; it sends by the composition's ops and says when it wants to be called again.  What happens to one peer is
 * decided in contact.h (whom to ask, when to probe), pmtu.h (how much passes) and paths.h (where it is); handshaker.h makes the
 * sessions, liveness.h does what those decide.  None of it knows libevent, JSON, a socket or a clock, and all of it draws
 * its randomness from the ops, but for the keys that crypto/ makes.
 *
 *	datagrams	overlay_handshake_datagram(), and overlay_sealed_datagram() where there are no workers to open them
 *	news		overlay_wanted() ... overlay_too_big(), as the workers' mail has them
 *	peers		overlay_add_peer(), overlay_refuse(), overlay_endpoints(), overlay_forget(), overlay_free_peer()
 *	time		overlay_poll(): only peers that are due are touched
 *
 * Each call says what time it is.  Thread: the control thread, but for what peer.h and session.h share with workers under RCU.
 */
#ifndef OVERLAY_PEER_OVERLAY_H
#define OVERLAY_PEER_OVERLAY_H

#include "base/addr.h"
#include "base/clock.h"
#include "base/hash.h"
#include "base/timers.h"
#include "crypto/aead.h"
#include "crypto/cookie.h"
#include "crypto/handshake.h"
#include "crypto/ratelimit.h"
#include "crypto/tai64n.h"
#include "overlay/peer/drops.h"
#include "overlay/peer/pacing.h"
#include "overlay/peer/peer.h"
#include "overlay/peer/peers.h"
#include "overlay/peer/session.h"

#include <errno.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define OVERLAY_CIPHERS 3U
#define OVERLAY_TURN_PEERS 64U /* looked after in one call: an initiation costs some 0.3 ms, and others wait */

/* What the composition does for it; @ctx is its own */
struct overlay_ops {
	/* One datagram from the socket that handshakes come in by, and from @to's local address.  Return: 0 or -errno; -EMSGSIZE: over the MTU of the way out */
	int (*send)(void *ctx, const struct endpoint *to, const void *bytes, size_t len_bytes);
	void (*random)(void *ctx, void *out, size_t len_bytes);
	struct tai64n (*timestamp)(void *ctx); /* of the wall clock */
	/* The MTU of the route to @to, as far as ICMP has told, and of the interface that leads there; 0: not known */
	uint32_t (*route_mtu)(void *ctx, const struct endpoint *to);
	uint32_t (*device_mtu)(void *ctx, const struct endpoint *to);
	/* Is @ip, as struct endpoint has it, an address of this machine */
	bool (*has_address)(void *ctx, const uint8_t ip[IP_BYTES]);
	/* @token, of any probe to @peer, has come back; NULL: nobody asks.  It may not call the overlay */
	void (*answered)(void *ctx, const struct peer *peer, uint64_t token);
};

struct overlay_config {
	const struct overlay_ops *ops;
	void *ctx;
	const struct handshake_self *self;                        /* borrowed */
	const struct aead_backend *backends[OVERLAY_CIPHERS + 1]; /* by enum aead_cipher */
	struct session_table *sessions;                           /* borrowed; the workers look into it */
	uint32_t workers;    /* 1..SESSION_LANES_MAX - 1: senders besides the control thread */
	uint32_t time_scale; /* keys are replaced so many times as often; 1 but in tests */
	uint16_t port;       /* of the sockets; 0: not told */
	int family;          /* of the sockets: AF_INET6 reaches IPv4, too */
};

struct overlay {
	struct overlay_config config;
	struct instant now; /* of this call */
	struct drops drops; /* the control thread's */

	struct peers peers;
	struct timers timers; /* each peer's next moment */
	uint64_t changes;     /* of peers' states, in all */

	struct cookie_checker checker;
	struct ratelimit_bucket handshake_load;
	struct ratelimit *handshake_sources;
	struct pacing pacing;
	struct handshake_offer offer;
	uint32_t short_paths;        /* peers on a path that is too small */
	struct instant rivals_until; /* no peer has any after that; 0: none had */
	struct instant disowned_at;  /* a peer last said that it answers another machine with our keys; 0: none did */
	uint32_t disowned_by;        /* slot */
};

/* One datagram, and a drop counted where it was not sent.  Return: as ops->send() */
static inline int overlay_send(struct overlay *overlay, const struct endpoint *to, const void *bytes, size_t len_bytes)
{
	int err = overlay->config.ops->send(overlay->config.ctx, to, bytes, len_bytes);

	if (err && err != -EMSGSIZE)
		drops_count(&overlay->drops, err == -EAGAIN || err == -ENOBUFS ? DROP_UDP_FULL : DROP_UDP_ERROR, 1);
	return err;
}

static inline uint32_t overlay_random_u32(struct overlay *overlay)
{
	uint32_t random;

	overlay->config.ops->random(overlay->config.ctx, &random, sizeof(random));
	return random;
}

static inline struct hash_seed overlay_random_seed(struct overlay *overlay)
{
	struct hash_seed seed;

	overlay->config.ops->random(overlay->config.ctx, &seed, sizeof(seed));
	return seed;
}

/* Return: false without memory, or where OpenSSL failed; overlay_fini() is due all the same */
bool overlay_init(struct overlay *overlay, const struct overlay_config *config) __attribute__((warn_unused_result));

/* Says goodbye, ends all sessions and frees all peers.  Workers have stopped; rcu_drain() is due.  Zeroed memory is fine */
void overlay_fini(struct overlay *overlay);

/* ---- datagrams --------------------------------------------------------------------------------------------- */

/* Any bytes are safe; @bytes is borrowed */
void overlay_handshake_datagram(struct overlay *overlay, const uint8_t *bytes, size_t len_bytes,
	const struct endpoint *from, struct instant now);

/* The same for a sealed one, which is opened in place.  Where workers run, theirs is receive.c: lanes have one owner */
void overlay_sealed_datagram(struct overlay *overlay, uint8_t *bytes, size_t len_bytes, const struct endpoint *from,
	struct instant now);

/* ---- what workers saw -------------------------------------------------------------------------------------- */

/* Frames wait for a session with the peer of @slot */
void overlay_wanted(struct overlay *overlay, uint32_t slot, struct instant now);

/* The first datagram on the session @index that we answered with */
void overlay_confirmed(struct overlay *overlay, uint32_t index, struct instant now);

/* Its newest datagram came from elsewhere than we send to, or to another address of ours than we send from */
void overlay_roamed(struct overlay *overlay, uint32_t index, const struct endpoint *from, struct instant now);

/* A lane's counter nears its limit */
void overlay_worn(struct overlay *overlay, uint32_t index, struct instant now);

/* @token of a probe that we sent has come back; @bytes: the size that passed, 0 where none was asked about */
void overlay_probe_acked(struct overlay *overlay, uint32_t index, uint64_t token, uint32_t bytes, struct instant now);

/* It sends to the peer of @slot, which was quiet, or hears it */
void overlay_stirred(struct overlay *overlay, uint32_t slot, struct instant now);

/* The peer stops on purpose, as it says in the session @index */
void overlay_goodbye(struct overlay *overlay, uint32_t index, struct instant now);

/* The kernel refused a datagram of @bytes for the peer of @slot */
void overlay_too_big(struct overlay *overlay, uint32_t slot, uint32_t bytes, struct instant now);

/* ---- peers ------------------------------------------------------------------------------------------------- */

/* A peer that is looked for from now on, without addresses yet.  Return: NULL without memory or where PEERS_MAX are there */
struct peer *overlay_add_peer(struct overlay *overlay, const char *name, const struct x25519_public *key,
	struct instant now) __attribute__((warn_unused_result));

/**
 * overlay_refuse() - a host that the topology names and that may not be a peer
 * @name:	nobody's, or one's that was refused already
 * @why:	a line for people; shown as the reason of its state
 *
 * It has no key, and so no handshakes; as any other it leaves by overlay_forget() and overlay_free_peer().
 *
 * Return: NULL without memory or where PEERS_MAX are there
 */
struct peer *overlay_refuse(struct overlay *overlay, const char *name, const char *why, struct instant now)
	__attribute__((warn_unused_result));

/**
 * overlay_ping() - send one probe, of the size that data has, because somebody asks
 *
 * Return: its token, for ops->answered(); 0 where there is no session yet: the peer is looked for
 */
uint64_t overlay_ping(struct overlay *overlay, struct peer *peer, struct instant now);

/* Where the topology says that it is: at most PEER_ENDPOINTS_MAX */
void overlay_endpoints(struct overlay *overlay, struct peer *peer, const struct endpoint *endpoints, uint32_t count,
	struct instant now);

/* Where it was before this program began: there it is asked first.  Counts while nothing is known that is newer */
void overlay_recall(struct overlay *overlay, struct peer *peer, const struct endpoint *at, struct instant now);

/* Whether the peer has the other end of a wire */
void overlay_wire(struct overlay *overlay, struct peer *peer, bool wire, struct instant now);

/* Somebody says that the peer came or went: see whether it answers, at once */
void overlay_doubt(struct overlay *overlay, struct peer *peer, struct instant now);

/* The controller says that the peer's agent has come or gone: see whether it answers, see contact_missed() and contact_expected() */
void overlay_told(struct overlay *overlay, struct peer *peer, bool has_come, struct instant now);

/* Say goodbye, end its sessions and look for it no more; its slot stays its own until overlay_free_peer() */
void overlay_forget(struct overlay *overlay, struct peer *peer, struct instant now);

/* Free a peer that was forgotten, and its slot.  Workers may hold it until their burst ends, and get it no more */
void overlay_free_peer(struct overlay *overlay, struct peer *peer);

/* This host stops: say so to all.  Workers have stopped.  overlay_fini() says it once more */
void overlay_part(struct overlay *overlay, struct instant now);

/* Return: whether a peer said lately that it answers another machine, which has our keys as well */
static inline bool overlay_is_disowned(const struct overlay *overlay, struct instant now)
{
	return overlay->disowned_at.ns && instant_since_ms(now, overlay->disowned_at) < RIVAL_SHOWN_MS;
}

/* ---- time -------------------------------------------------------------------------------------------------- */

/* This machine's addresses or links have changed */
void overlay_moved(struct overlay *overlay, struct instant now);

/*
 * Do what is due, for OVERLAY_TURN_PEERS at most.  Return: when to call again, 0 for not until something else happens; any other
 * call may make it sooner
 */
struct instant overlay_poll(struct overlay *overlay, struct instant now) __attribute__((warn_unused_result));

#endif /* OVERLAY_PEER_OVERLAY_H */
