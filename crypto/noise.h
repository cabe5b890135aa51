/*
 * noise.h - the Noise handshakes IK and IKpsk2 with 25519, ChaChaPoly and BLAKE2s
 *
 *	IK:			IKpsk2:
 *	  <- s			  <- s
 *	  ...			  ...
 *	  -> e, es, s, ss	  -> e, es, s, ss
 *	  <- e, ee, se		  <- e, ee, se, psk
 *
 * The Noise Protocol Framework, revision 34.  weft speaks IKpsk2; IK shares every line but one and is here
 * because both have published vectors.  Carries any payload and prologue; what weft puts there is
 * handshake.h's affair.  Ephemeral keys come from the caller, so that there is no randomness in here.
 *
 * Theory of operation
 *
 *	noise_init_initiator -> noise_initiation_write -> noise_response_read  -> noise_split
 *	noise_init_responder -> noise_initiation_read  -> noise_response_write -> noise_split
 *
 * Each function works in its place of that order only and returns false anywhere else.  One that returned
 * false has spoilt the state: noise_fini() is all that is left.  (Who must survive a forged message works
 * on a copy, as handshake.c does.)  noise_fini() is due in every case and wipes.
 */
#ifndef CRYPTO_NOISE_H
#define CRYPTO_NOISE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "crypto/blake2s.h"
#include "crypto/x25519.h"

#define NOISE_TAG_BYTES 16U
#define NOISE_INITIATION_BYTES (32U + 32U + NOISE_TAG_BYTES + NOISE_TAG_BYTES) /* and the payload */
#define NOISE_RESPONSE_BYTES (32U + NOISE_TAG_BYTES)                           /* and the payload */
#define NOISE_MESSAGE_MAX_BYTES 65535U

struct noise_psk {
	uint8_t bytes[32];
};

/* A key for one direction of the session */
struct noise_key {
	uint8_t bytes[32];
};

enum noise_step {
	NOISE_SPOILT, /* zeroed memory, failed, or split */
	NOISE_WRITES_INITIATION,
	NOISE_READS_INITIATION,
	NOISE_WRITES_RESPONSE,
	NOISE_READS_RESPONSE,
	NOISE_DONE,
};

/* Caller's memory; secret throughout, and nobody's business but noise.c's apart from remote_static */
struct noise {
	enum noise_step step;
	bool initiator;
	bool has_psk;
	struct blake2s_digest hash;         /* h */
	struct blake2s_digest chaining_key; /* ck */
	struct blake2s_digest cipher_key;   /* k */
	uint64_t cipher_nonce;              /* n */
	struct x25519_keypair local_static; /* s */
	struct x25519_keypair ephemeral;    /* e */
	struct x25519_public remote_static; /* rs: the responder has it after noise_initiation_read() */
	struct x25519_public remote_ephemeral;
	struct noise_psk psk;
};

/**
 * noise_init_initiator() - begin, knowing the responder's static key
 * @prologue:	what both sides must agree on; may be empty
 * @psk:	NULL makes it IK instead of IKpsk2
 */
bool noise_init_initiator(struct noise *noise, const void *prologue, size_t prologue_bytes,
	const struct x25519_keypair *local_static, const struct x25519_public *remote_static,
	const struct noise_psk *psk) __attribute__((warn_unused_result));

bool noise_init_responder(struct noise *noise, const void *prologue, size_t prologue_bytes,
	const struct x25519_keypair *local_static, const struct noise_psk *psk) __attribute__((warn_unused_result));

void noise_fini(struct noise *noise);

/* @ephemeral: fresh, never used again; @out: NOISE_INITIATION_BYTES + @payload_bytes */
bool noise_initiation_write(struct noise *noise, const struct x25519_keypair *ephemeral, const uint8_t *payload,
	size_t payload_bytes, uint8_t *out) __attribute__((warn_unused_result));

/* @message_bytes: any value is safe; @payload: @message_bytes - NOISE_INITIATION_BYTES */
bool noise_initiation_read(struct noise *noise, const uint8_t *message, size_t message_bytes, uint8_t *payload)
	__attribute__((warn_unused_result));

/* @out: NOISE_RESPONSE_BYTES + @payload_bytes */
bool noise_response_write(struct noise *noise, const struct x25519_keypair *ephemeral, const uint8_t *payload,
	size_t payload_bytes, uint8_t *out) __attribute__((warn_unused_result));

/* @payload: @message_bytes - NOISE_RESPONSE_BYTES */
bool noise_response_read(struct noise *noise, const uint8_t *message, size_t message_bytes, uint8_t *payload)
	__attribute__((warn_unused_result));

/**
 * noise_split() - the session's keys, once, after both messages; wipes everything else
 * @send, @receive: as seen from this side
 * @handshake_hash: NULL where it is not wanted; equal on both sides, and public
 */
bool noise_split(struct noise *noise, struct noise_key *send, struct noise_key *receive,
	struct blake2s_digest *handshake_hash) __attribute__((warn_unused_result));

#endif /* CRYPTO_NOISE_H */
