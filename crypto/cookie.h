/*
 * cookie.h - mac1, mac2 and cookie replies: what a stranger must show before a handshake costs us anything
 *
 * WireGuard's scheme (Donenfeld, NDSS 2017, section 5.4.7) with one construction changed, because OpenSSL
 * has no XChaCha20: crypto/HANDSHAKE.md section 5.  mac1 shows that the sender knows the receiver's public key;
 * mac2, asked for under load only, that it receives at its source address.  Neighbours: handshake.h builds the
 * bodies that the macs close; ratelimit.h holds back addresses that are proven and yet too busy.  It does not
 * judge load.
 *
 * Theory of operation
 *
 *	receiver (struct cookie_checker, one per agent)		sender (struct cookie_jar, one per peer)
 *	  cookie_check() on every initiation and response	  cookie_close() on every initiation and response
 *	  COOKIE_ONLY_MAC1 and under load:
 *	    cookie_reply_create(), drop the message		  cookie_reply_consume() on what came back;
 *								  the next message carries mac2
 *
 * A cookie is a MAC over the sender's address under a secret that lives COOKIE_LIFE_MS and is honoured for one
 * more life; a sender uses a cookie for COOKIE_LIFE_MS.  Nothing is kept per sender.
 *
 * Threads: both belong to the control thread.
 */
#ifndef CRYPTO_COOKIE_H
#define CRYPTO_COOKIE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/addr.h"
#include "base/clock.h"
#include "crypto/blake2s.h"
#include "crypto/x25519.h"

#define COOKIE_BYTES 16U
#define COOKIE_MAC_BYTES 16U
#define COOKIE_MACS_BYTES (2U * COOKIE_MAC_BYTES) /* at the end of every initiation and response */
#define COOKIE_NONCE_BYTES 24U
#define COOKIE_REPLY_BYTES (1U + 3U + COOKIE_NONCE_BYTES + COOKIE_BYTES + 16U)
#define COOKIE_LIFE_MS 120000U
#define COOKIE_BODY_MIN_BYTES COOKIE_REPLY_BYTES /* so that no reply is longer than what it answers */
#define COOKIE_BODY_MAX_BYTES 512U               /* so that mac1 costs no more than it should */

enum cookie_result {
	COOKIE_BAD,       /* too short, too long, or mac1 is wrong: drop in silence */
	COOKIE_ONLY_MAC1, /* good enough unless under load */
	COOKIE_BOTH,      /* the source address is proven too */
};

struct cookie_secret {
	uint8_t bytes[32];
	struct instant born; /* 0: none yet */
};

struct cookie_checker {
	struct blake2s_digest mac1_key;
	struct blake2s_digest seal_key;
	struct cookie_secret current;
	struct cookie_secret previous;
};

struct cookie_jar {
	struct blake2s_digest mac1_key;
	struct blake2s_digest seal_key;
	uint8_t cookie[COOKIE_BYTES];
	struct instant received; /* 0: no cookie */
	uint8_t last_mac1[COOKIE_MAC_BYTES];
	bool awaits_reply; /* a message was closed and no cookie was taken for it yet */
};

/* @own: this agent's tunnel key */
bool cookie_checker_init(struct cookie_checker *checker, const struct x25519_public *own)
	__attribute__((warn_unused_result));
void cookie_checker_fini(struct cookie_checker *checker);

/**
 * cookie_check() - the two macs at the end of a handshake body
 * @body:	an initiation or response, macs included
 * @len_bytes:	any value is safe
 * @source:	the address that it came from, as the socket says
 */
enum cookie_result cookie_check(const struct cookie_checker *checker, const uint8_t *body, size_t len_bytes,
	const struct endpoint *source, struct instant now) __attribute__((warn_unused_result));

/**
 * cookie_reply_create() - answer a body that only had mac1 with a cookie; turns the secret when it is due
 * @body:	one that cookie_check() called COOKIE_ONLY_MAC1
 * @out:	send it to @source; never longer than @body
 *
 * Return: false where @body has a length that cookie_check() refuses, or OpenSSL failed
 */
bool cookie_reply_create(struct cookie_checker *checker, const uint8_t *body, size_t len_bytes,
	const struct endpoint *source, struct instant now, uint8_t out[COOKIE_REPLY_BYTES])
	__attribute__((warn_unused_result));

/* @peer: the tunnel key of the peer that is written to */
bool cookie_jar_init(struct cookie_jar *jar, const struct x25519_public *peer) __attribute__((warn_unused_result));
void cookie_jar_fini(struct cookie_jar *jar);

/**
 * cookie_close() - write mac1 and mac2 behind a body (handshake.c does it for every message it creates)
 * @body:	@len_bytes of message and room for COOKIE_MACS_BYTES behind them
 */
bool cookie_close(struct cookie_jar *jar, uint8_t *body, size_t len_bytes, struct instant now)
	__attribute__((warn_unused_result));

/* Return: false where @reply is no cookie reply at all; else @receiver is the session index that it is for */
bool cookie_reply_receiver(const uint8_t *reply, size_t len_bytes, uint32_t *receiver)
	__attribute__((warn_unused_result));

/**
 * cookie_reply_consume() - take the cookie out of a reply
 * @jar:	of the peer whose message had the session index that cookie_reply_receiver() told
 *
 * Return: false, and the jar unchanged, where it does not answer the last message closed with @jar
 */
bool cookie_reply_consume(struct cookie_jar *jar, const uint8_t *reply, size_t len_bytes, struct instant now)
	__attribute__((warn_unused_result));

#endif /* CRYPTO_COOKIE_H */
