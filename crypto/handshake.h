/*
 * handshake.h - the two messages that make a session: what weft says inside Noise_IKpsk2
 *
 * Wire format and reasons: crypto/HANDSHAKE.md.  Bodies begin behind the GRE header and end with mac1 and
 * mac2.  Neighbours: noise.h does the cryptography, cookie.h the macs, transport.h goes on with the keys.  It
 * does not look up peers, choose session indices, retransmit or read a clock.
 *
 * Theory of operation
 *
 *  initiator						responder
 *   handshake_initiation_create()   ---initiation--->	 handshake_type(), cookie_check()
 *   [HANDSHAKE_INITIATED]				 handshake_initiation_consume()
 *							 [HANDSHAKE_REQUESTED]
 *							 the peer of request.static_key is known?
 *							 tai64n_accept(&peer's greatest, &request.timestamp)
 *   handshake_type(), cookie_check()  <---response---	 handshake_response_create() -> keys
 *   handshake_response_consume() -> keys		 [HANDSHAKE_IDLE]
 *   [HANDSHAKE_IDLE]
 *
 * - A call that does not fit the state drops with HANDSHAKE_DROP_STATE and changes nothing.
 * - A message that does not prove authentic changes nothing: an initiator goes on waiting for the right one.
 * - To retransmit, the initiator creates a new initiation, which replaces the state.
 * - The responder has keys but no proof that the initiator is there now and has the PSK, until the first sealed
 *   datagram opens.  Until then it keeps its older session and sends nothing in the new one.
 * - Keys leave in struct session_keys; the handshake wipes its own on every way out.  handshake_fini() is always due.
 *
 * Threads: the control thread.
 */
#ifndef CRYPTO_HANDSHAKE_H
#define CRYPTO_HANDSHAKE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/clock.h"
#include "crypto/aead.h"
#include "crypto/cookie.h"
#include "crypto/noise.h"
#include "crypto/tai64n.h"
#include "crypto/x25519.h"

#define HANDSHAKE_VERSION 1U
#define HANDSHAKE_CIPHERS_MAX 8U
#define HANDSHAKE_LANES_MAX 16U
#define HANDSHAKE_INDEX_MAX 0xffffffU
#define HANDSHAKE_BODY_MAX_BYTES COOKIE_BODY_MAX_BYTES /* longer ones are dropped; none of ours is longer */

/* name, counter as operators see it, what it means and what to do (weft help drop) */
#define HANDSHAKE_DROPS(X)                                                                                     \
	X(LENGTH, "handshake-length",                                                                          \
		"A handshake message of the wrong length. A few come from scans of the port; if it keeps "     \
		"growing, see which address sends them (tcpdump -n udp port 4754) and block it.")              \
	X(TYPE, "handshake-type",                                                                              \
		"A handshake message of a kind that there is not. A few come from scans of the port; if it "   \
		"keeps growing, see which address sends them (tcpdump -n udp port 4754) and block it.")        \
	X(STATE, "handshake-unexpected",                                                                       \
		"An answer that nobody waits for any more, as when it comes twice or late. Ordinary now and "  \
		"then; if the peer does not get up, look for loss or long delay on the way.")                  \
	X(INDEX, "handshake-wrong-index",                                                                      \
		"An answer to a question that this host has not asked, or has given up. Ordinary after a "     \
		"restart and on slow paths.")                                                                  \
	X(AUTH, "handshake-not-authentic",                                                                     \
		"A handshake that does not prove who it is from: damaged, forged, or for another key. If a "   \
		"peer cannot get up, one side was enrolled anew: run weft get hosts and wait until both have " \
		"the newest topology.")                                                                        \
	X(PAYLOAD, "handshake-bad-payload",                                                                    \
		"A handshake that is authentic but whose contents cannot be read. Run the same version of "    \
		"weft on all hosts; if that is so already, please report it.")                                 \
	X(VERSION, "handshake-version",                                                                        \
		"A peer speaks only a version of the protocol that this host does not. Run the same version "  \
		"of weft on both.")                                                                            \
	X(CIPHER, "handshake-no-common-cipher",                                                                \
		"A peer and this host have no cipher in common. Run the same version of weft on both.")        \
	X(INTERNAL, "handshake-internal",                                                                      \
		"A handshake failed inside the cryptographic library, as without memory. See weftd's log "     \
		"(journalctl -u weftd).")

enum handshake_result {
	HANDSHAKE_OK,
#define X(name, text, why) HANDSHAKE_DROP_##name,
	HANDSHAKE_DROPS(X)
#undef X
		HANDSHAKE_RESULTS
};

/* The first byte of a body */
enum handshake_type {
	HANDSHAKE_TYPE_NONE = 0, /* any other byte, or no byte */
	HANDSHAKE_TYPE_INITIATION = 1,
	HANDSHAKE_TYPE_RESPONSE = 2,
	HANDSHAKE_TYPE_COOKIE = 3, /* cookie_reply_receiver(), cookie_reply_consume() */
};

enum handshake_state {
	HANDSHAKE_IDLE,
	HANDSHAKE_INITIATED,
	HANDSHAKE_REQUESTED,
};

/* This agent: its tunnel key, and the fabric's pre-shared key from enrolment */
struct handshake_self {
	struct x25519_keypair static_key;
	struct noise_psk psk;
};

/* What one side can do, best cipher first */
struct handshake_offer {
	uint8_t ciphers[HANDSHAKE_CIPHERS_MAX]; /* enum aead_cipher; out of a message, also numbers unknown here */
	uint8_t cipher_count;                   /* 1 to HANDSHAKE_CIPHERS_MAX */
	uint8_t lanes;                          /* that this side sends in: 1 to HANDSHAKE_LANES_MAX */
	uint64_t instance; /* of this program's run, by chance: who has it is the same machine; 0: not said */
	bool disowned; /* in a response: another machine answers as the one that asks, and nothing comes of this handshake */
};

/* What an authentic initiation says */
struct handshake_request {
	struct x25519_public static_key; /* who asks; the caller knows it from the topology, or drops */
	struct tai64n timestamp;         /* for tai64n_accept() */
	uint32_t remote_index;
	uint8_t version; /* what both can speak */
	struct handshake_offer offer;
};

/* What both sides agree on.  Wipe it with secret_wipe() when the lanes are made. */
struct session_keys {
	struct noise_key send; /* for transport_lane_keys() */
	struct noise_key receive;
	uint32_t local_index;  /* the key of the datagrams that we receive */
	uint32_t remote_index; /* the key of those that we send */
	enum aead_cipher cipher;
	uint8_t remote_lanes; /* how many lanes the other side sends in */
	uint8_t version;
	uint64_t instance; /* the other side's, 0: not said */
	bool disowned;     /* there is no session: see struct handshake_offer */
};

/* Caller's memory; zeroed memory is HANDSHAKE_IDLE.  Secret. */
struct handshake {
	enum handshake_state state;
	struct noise noise;
	uint32_t local_index;
	struct handshake_offer offer;     /* INITIATED: what we offered */
	struct handshake_request request; /* REQUESTED */
};

void handshake_init(struct handshake *handshake);

/* Wipes, and leaves it IDLE */
void handshake_fini(struct handshake *handshake);

/* Any length is safe */
enum handshake_type handshake_type(const uint8_t *body, size_t len_bytes);

/* A response's receiver index, to find the handshake that it answers; not authentic yet.  Any length is safe. */
bool handshake_response_receiver(const uint8_t *body, size_t len_bytes, uint32_t *receiver)
	__attribute__((warn_unused_result));

/**
 * handshake_initiation_create() - ask a peer for a session
 * @handshake:	in any state; replaced
 * @peer:	the peer's tunnel key, proven by its certificate
 * @jar:	the peer's
 * @timestamp:	greater than in every initiation before: tai64n_next()
 * @local_index: this side's session index, at most HANDSHAKE_INDEX_MAX
 * @out:	HANDSHAKE_BODY_MAX_BYTES
 * @out_bytes:	how many of them to send
 *
 * Return: HANDSHAKE_OK or HANDSHAKE_DROP_INTERNAL (then the state is IDLE)
 */
enum handshake_result handshake_initiation_create(struct handshake *handshake, const struct handshake_self *self,
	const struct x25519_public *peer, struct cookie_jar *jar, struct tai64n timestamp,
	const struct handshake_offer *offer, uint32_t local_index, struct instant now,
	uint8_t out[HANDSHAKE_BODY_MAX_BYTES], size_t *out_bytes) __attribute__((warn_unused_result));

/**
 * handshake_initiation_consume() - read what a stranger asks
 * @handshake:	IDLE; REQUESTED afterwards on HANDSHAKE_OK, unchanged else
 * @body:	one that cookie_check() let pass
 * @len_bytes:	any value is safe
 * @request:	written on HANDSHAKE_OK
 *
 * The sender owns request->static_key.  Whether it may talk to us, and that it is no replay, is left to the caller,
 * who calls handshake_fini() where the answer is no.
 */
enum handshake_result handshake_initiation_consume(struct handshake *handshake, const struct handshake_self *self,
	const uint8_t *body, size_t len_bytes, struct handshake_request *request) __attribute__((warn_unused_result));

/**
 * handshake_response_create() - say yes
 * @handshake:	REQUESTED; IDLE afterwards
 * @jar:	of the peer that asked
 * @own:	what this side can do; the first of the *initiator's* ciphers that is in it is chosen
 * @out:	HANDSHAKE_BODY_MAX_BYTES; never longer than the initiation was
 * @keys:	written on HANDSHAKE_OK
 */
enum handshake_result handshake_response_create(struct handshake *handshake, struct cookie_jar *jar,
	const struct handshake_offer *own, uint32_t local_index, struct instant now,
	uint8_t out[HANDSHAKE_BODY_MAX_BYTES], size_t *out_bytes, struct session_keys *keys)
	__attribute__((warn_unused_result));

/**
 * handshake_response_consume() - finish
 * @handshake:	INITIATED; IDLE afterwards on HANDSHAKE_OK, unchanged else
 * @body:	one that cookie_check() let pass
 * @keys:	written on HANDSHAKE_OK
 */
enum handshake_result handshake_response_consume(struct handshake *handshake, const uint8_t *body, size_t len_bytes,
	struct session_keys *keys) __attribute__((warn_unused_result));

#endif /* CRYPTO_HANDSHAKE_H */
