/*
 * session.h - keys and state of one session with one peer, and the table that finds it by its index
 *
 * Theory of operation: the control thread makes a session out of a finished handshake, publishes it in the
 * table, and later retires it (unlink, grace period, wipe, free).  In between:
 *
 *   senders[k]	is worker k's, the last one the control thread's: cipher contexts of their own, and lane k's counter
 *   main_next	lane 0's counter, which all of them share: an atomic, since lane 0 is for the control thread, for worker 0
 *		and for every worker whose own flow does not get through (transmit.c)
 *   rx[l]	is worker l % workers's, to which the kernel steers lane l (underlay.h)
 *
 * so that no datagram takes a lock, and replay windows need no atomics.  An index is the table's slot in its low bits and a
 * random generation above, another one each time, so that a datagram for a session that is gone does not find its slot's next
 * tenant.  The table doubles as it fills: a slot's index then finds its place by one bit more, where nobody else can be.
 *
 * Limits: SESSION_SLOTS_MAX sessions at once; a session's age and counters as the constants below say.
 */
#ifndef OVERLAY_PEER_SESSION_H
#define OVERLAY_PEER_SESSION_H

#include "base/clock.h"
#include "base/counter.h"
#include "crypto/aead.h"
#include "crypto/handshake.h"
#include "crypto/ratelimit.h"
#include "crypto/replay.h"
#include "encap/gre.h"
#include "overlay/peer/drops.h"

#include <stdbool.h>
#include <stdint.h>

#define SESSION_LANES_MAX 16U
#define SESSION_SLOTS_MIN 64U /* a power of two */
#define SESSION_SLOTS_MAX \
	(UINT32_C(1) << 19) /* another; every peer may hold six: current, previous ones, next, a handshake */

#define SESSION_REKEY_MS 120000U
#define SESSION_REJECT_MS 180000U
#define SESSION_REKEY_MESSAGES (UINT32_C(1) << 30)
#define SESSION_REJECT_MESSAGES (UINT32_C(1) << 31)

struct peer;

/* A sending thread's part */
struct sender {
	struct aead *main; /* lane 0's key, in a context of this thread's */
	struct aead *own;  /* its own lane's; NULL for worker 0 and the control thread */
	uint32_t own_next; /* counter of the next datagram in its own lane */
	bool rekey_mailed;
	struct counter carried_ns; /* when it last sent frames: a struct instant's ns */
	struct counter datagrams;
	struct counter bytes;
} __attribute__((aligned(64)));

struct lane_rx {
	struct aead *aead;
	struct replay replay;
	struct instant roam_mailed;
	bool confirm_mailed;
	struct ratelimit_bucket probe_acks, notices;
	struct counter datagrams;
	struct counter bytes;
	struct counter last_ns;    /* when the last good datagram came: a struct instant's ns */
	struct counter carried_ns; /* the last one with frames */
} __attribute__((aligned(64)));

struct session {
	uint32_t index;        /* ours, in datagrams that we receive */
	uint32_t remote_index; /* the peer's, in datagrams that we send */
	struct peer *peer;     /* borrowed; outlives the session */
	struct instant created;
	struct instant reject_after;
	bool initiator;
	uint64_t instance; /* of the peer's program, 0: not known */
	enum aead_cipher cipher;
	bool confirmed;         /* atomic: the peer has shown that it holds the keys */
	uint32_t senders_count; /* workers, and the control thread */
	uint32_t rx_lanes;
	uint32_t main_next __attribute__((aligned(64))); /* atomic */
	struct sender senders[SESSION_LANES_MAX];
	struct lane_rx rx[SESSION_LANES_MAX];
};

/* What workers see of the table: replaced as a whole when it grows */
struct session_slots {
	uint32_t mask; /* one less than there are */
	struct session *at[];
};

/* Zeroed memory is an empty table */
struct session_table {
	struct session_slots *slots; /* shared under RCU, the control thread writes; NULL: none yet */
	/* the control thread's from here on */
	struct session_entry *entries; /* as many as slots */
	uint32_t capacity;
	uint32_t count; /* indices given out */
	uint32_t next;  /* where to look for a free one */
};

/* No session may be in it.  Workers have stopped */
void session_table_fini(struct session_table *table);

/**
 * session_index_reserve() - an index for a handshake
 * @owner:	whom session_index_owner() shall name; borrowed
 * @random:	a random number
 *
 * Return: 0 where all are taken, or without memory
 */
uint32_t session_index_reserve(struct session_table *table, struct peer *owner, uint32_t random)
	__attribute__((warn_unused_result));

/* An index that is not reserved changes nothing */
void session_index_release(struct session_table *table, uint32_t index);

/* Return: whose @index is, with or without a session; NULL where it is nobody's */
struct peer *session_index_owner(const struct session_table *table, uint32_t index);

/**
 * session_new() - keys and lanes out of a finished handshake
 * @index:	reserved by session_index_reserve()
 * @keys:	borrowed; the caller wipes
 * @workers:	ours, 1..SESSION_LANES_MAX - 1, each with a lane; the control thread shares the first
 * @time_scale:	divides the age at which keys are replaced; 1 but in tests
 *
 * Return: a session that nobody sees yet, or NULL without memory
 */
struct session *session_new(uint32_t index, struct peer *peer, const struct session_keys *keys,
	const struct aead_backend *backend, uint32_t workers, uint32_t time_scale, struct instant now);

enum seal_result {
	SEAL_OK,
	SEAL_EXHAUSTED, /* the lane's last counter is used up */
	SEAL_FAILED,    /* the library did not do it */
};

/**
 * session_seal() - make a datagram: header, counter, AEAD
 * @sender:	the calling thread's number
 * @lane:	0, or the calling worker's own
 * @datagram:	@plain_bytes and AEAD_TAG_BYTES behind the header's GRE_HEADER_BYTES
 * @plain:	the records; where they belong in @datagram, or apart from it
 */
enum seal_result session_seal(struct session *session, uint32_t sender, uint32_t lane, uint8_t *datagram,
	const uint8_t *plain, size_t plain_bytes) __attribute__((warn_unused_result));

/**
 * session_open() - check and decrypt one datagram; the lane's owner calls
 * @header:	decoded out of @datagram
 * @datagram:	of @len_bytes; its records are written behind its header
 * @newest:	out: no datagram of the lane that came was sent later
 *
 * Counts it in the session where it is good.  Return: false, and the drop to count
 */
bool session_open(struct session *session, const struct gre *header, uint8_t *datagram, size_t len_bytes,
	struct instant now, bool *newest, enum drop *drop) __attribute__((warn_unused_result));

/* Return: whether a lane that @sender uses nears its last counter */
bool session_is_worn(const struct session *session, uint32_t sender);

/* Wipes the keys.  Nobody may see the session any more.  NULL is fine. */
void session_free(struct session *session);

void session_publish(struct session_table *table, struct session *session);

/* After it and a grace period no worker holds @session */
void session_unlink(struct session_table *table, struct session *session);

/* Under RCU.  Return: borrowed, or NULL */
static inline struct session *session_lookup(const struct session_table *table, uint32_t index)
{
	struct session_slots *slots = __atomic_load_n(&table->slots, __ATOMIC_ACQUIRE);
	struct session *session = slots ? __atomic_load_n(&slots->at[index & slots->mask], __ATOMIC_ACQUIRE) : NULL;

	return session && session->index == index ? session : NULL;
}

/* Sums over lanes; readable by any thread that holds the session */
struct session_totals {
	uint64_t tx_datagrams, tx_bytes, rx_datagrams, rx_bytes;
	uint64_t rx_lost;    /* counters skipped so far */
	uint64_t rx_last_ns; /* when something last came: a struct instant's ns */
	uint64_t carried_ns; /* when frames last came or went */
};

/* Add those of @session (NULL adds nothing) to @sum */
void session_totals_add(struct session_totals *sum, const struct session *session);

#endif /* OVERLAY_PEER_SESSION_H */
