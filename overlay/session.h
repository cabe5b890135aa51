/*
 * session.h - keys and state of one session with one peer, and the table that finds it by its index
 *
 * Theory of operation: the control thread makes a session out of a finished handshake, publishes it in the
 * table, and later retires it (unlink, grace period, wipe, free).  In between, each lane has one owner:
 *
 *   tx[k]	worker k; the last lane is the control thread's
 *   rx[l]	worker l % workers, to which the kernel steers lane l (udp.h)
 *
 * so that counters and replay windows need neither locks nor atomics, other than for being read by the control
 * thread.  An index is the table's slot in its low bits and a random generation above, another one each time, so that a
 * datagram for a session that is gone does not find its slot's next tenant.
 *
 * Limits: SESSION_SLOTS sessions at once; a session's age and counters as DESIGN's rekeying rules say.
 */
#ifndef OVERLAY_SESSION_H
#define OVERLAY_SESSION_H

#include "base/clock.h"
#include "base/counter.h"
#include "crypto/aead.h"
#include "crypto/handshake.h"
#include "crypto/replay.h"

#include <stdbool.h>
#include <stdint.h>

#define SESSION_LANES_MAX 16U
#define SESSION_SLOTS 8192U /* a power of two; every peer may hold six: current, previous ones, next, a handshake */

#define SESSION_REKEY_MS 120000U
#define SESSION_REJECT_MS 180000U
#define SESSION_REKEY_MESSAGES (UINT32_C(1) << 30)
#define SESSION_REJECT_MESSAGES (UINT32_C(1) << 31)

struct peer;

struct lane_tx {
	struct aead *aead;
	uint32_t next; /* counter of the next datagram */
	bool rekey_mailed;
	struct counter datagrams;
	struct counter bytes;
} __attribute__((aligned(64)));

struct lane_rx {
	struct aead *aead;
	struct replay replay;
	struct instant roam_mailed;
	bool confirm_mailed;
	struct counter datagrams;
	struct counter bytes;
	struct counter last_ns; /* when the last good datagram came: a struct instant's ns */
} __attribute__((aligned(64)));

struct session {
	uint32_t index;	       /* ours, in datagrams that we receive */
	uint32_t remote_index; /* the peer's, in datagrams that we send */
	struct peer *peer;     /* borrowed; outlives the session */
	struct instant created;
	struct instant reject_after;
	bool initiator;
	enum aead_cipher cipher;
	bool confirmed;	       /* atomic: the peer has shown that it holds the keys */
	uint32_t tx_lanes;
	uint32_t rx_lanes;
	struct lane_tx tx[SESSION_LANES_MAX];
	struct lane_rx rx[SESSION_LANES_MAX];
};

struct session_table {
	struct session *slots[SESSION_SLOTS]; /* shared under RCU; the control thread writes */
	uint32_t next_slot;		      /* the control thread's: where to look for a free one */
	uint32_t reserved[SESSION_SLOTS];     /* the control thread's: index given out, with or without a session; 0 free */
	uint32_t latest[SESSION_SLOTS];	      /* the control thread's: the index given out last */
};

/* Reserve an index for a handshake.  Return: 0 where all are taken */
uint32_t session_index_reserve(struct session_table *table) __attribute__((warn_unused_result));

void session_index_release(struct session_table *table, uint32_t index);

/**
 * session_new() - keys and lanes out of a finished handshake
 * @index:	reserved by session_index_reserve()
 * @keys:	borrowed; the caller wipes
 * @tx_lanes:	ours, 1..SESSION_LANES_MAX
 * @time_scale:	divides the lifetimes; 1 but in tests
 *
 * Return: a session that nobody sees yet, or NULL without memory
 */
struct session *session_new(uint32_t index, struct peer *peer, const struct session_keys *keys,
	const struct aead_backend *backend, uint32_t tx_lanes, uint32_t time_scale, struct instant now);

/* Wipes the keys.  Nobody may see the session any more.  NULL is fine. */
void session_free(struct session *session);

void session_publish(struct session_table *table, struct session *session);

/* After it and a grace period no worker holds @session */
void session_unlink(struct session_table *table, struct session *session);

/* Under RCU.  Return: borrowed, or NULL */
static inline struct session *session_lookup(struct session_table *table, uint32_t index)
{
	struct session *session = __atomic_load_n(&table->slots[index % SESSION_SLOTS], __ATOMIC_ACQUIRE);

	return session && session->index == index ? session : NULL;
}

/* Sums over lanes; readable by any thread that holds the session */
struct session_totals {
	uint64_t tx_datagrams, tx_bytes, rx_datagrams, rx_bytes;
	uint64_t rx_lost;    /* counters skipped so far */
	uint64_t rx_last_ns; /* when something last came: a struct instant's ns */
};

/* Add those of @session (NULL adds nothing) to @sum */
void session_totals_add(struct session_totals *sum, const struct session *session);

#endif /* OVERLAY_SESSION_H */
