/*
 * transport.h - from one direction's key of a handshake to the keys of its lanes
 *
 * HKDF-Expand (RFC 5869) with HMAC-BLAKE2s: crypto/HANDSHAKE.md section 6.  aead.h takes it from here.
 */
#ifndef CRYPTO_TRANSPORT_H
#define CRYPTO_TRANSPORT_H

#include <stdbool.h>
#include <stdint.h>

#include "crypto/aead.h"
#include "crypto/noise.h"

#define TRANSPORT_LANES_MAX 16U

struct transport_keys {
	struct aead_key key;
	struct aead_iv iv;
};

/**
 * transport_lane_keys() - key and IV of one lane, one direction, one cipher
 * @direction:	session_keys.send or .receive of a handshake
 * @lane:	below TRANSPORT_LANES_MAX
 * @out:	the caller wipes it once aead_new() has had it
 */
bool transport_lane_keys(const struct noise_key *direction, enum aead_cipher cipher, uint8_t lane,
	struct transport_keys *out) __attribute__((warn_unused_result));

/* The same, straight to a prepared lane.  Return: NULL where it failed; aead_free() it else */
struct aead *transport_lane_new(const struct aead_backend *backend, const struct noise_key *direction,
	enum aead_cipher cipher, uint8_t lane) __attribute__((warn_unused_result));

#endif /* CRYPTO_TRANSPORT_H */
