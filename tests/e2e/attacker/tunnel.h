/*
 * tunnel.h - one end of a tunnel, with nothing behind it: what the attacker attacks through
 *
 * Out of an enrolled host's state folder and the last topology in it, so that the peer believes every
 * word until the attack begins.  A socket, handshakes as initiator, sealing in TUNNEL_LANES lanes; what
 * comes back is counted, and thrown away.  Blocking, one thread, a test's tool: it answers no handshake
 * and never rekeys by itself.
 */
#ifndef TESTS_E2E_ATTACKER_TUNNEL_H
#define TESTS_E2E_ATTACKER_TUNNEL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/addr.h"
#include "crypto/handshake.h"
#include "encap/gre.h"

#define TUNNEL_LANES 4U
#define TUNNEL_DATAGRAM_BYTES 2048U
#define TUNNEL_NO_NETWORK UINT32_MAX

struct tunnel {
	int fd;
	struct endpoint peer;
	struct x25519_public peer_key;
	struct handshake_self self;
	uint32_t network; /* one that both are on, or TUNNEL_NO_NETWORK */
	struct cookie_jar jar;
	struct tai64n last_timestamp;
	struct session_keys keys;
	struct aead *lanes[TUNNEL_LANES]; /* NULL: no session */
	uint32_t next[TUNNEL_LANES];
	uint8_t initiation[TUNNEL_DATAGRAM_BYTES]; /* the last one, GRE header included */
	size_t initiation_bytes;
	uint64_t received;
	uint64_t received_bytes;
};

/**
 * tunnel_open() - load, resolve, bind; exits with a message where that fails
 * @dir:	state folder of the host to be
 * @peer:	name of the host to attack, in the folder's topology.json
 * @endpoint:	where it is, or NULL for what the topology says
 * @bind_to:	own address and port
 */
void tunnel_open(struct tunnel *tunnel, const char *dir, const char *peer, const char *endpoint, const char *bind_to);
void tunnel_close(struct tunnel *tunnel);

/**
 * tunnel_handshake() - get a new session, which replaces the one there is
 * @self:	who to say we are
 * @tries:	initiations to send, half a second apart, until one is answered
 * @answers:	out: authentic-looking responses (the right receiver) that came in
 *
 * Return: whether there is a session now; without one, what was there is gone too
 */
bool tunnel_handshake(struct tunnel *tunnel, const struct handshake_self *self, unsigned int tries,
	unsigned int *answers) __attribute__((warn_unused_result));

/* Seal @plain (may be empty) as the next datagram of @lane.  Return: its length, in @out of TUNNEL_DATAGRAM_BYTES */
size_t tunnel_seal(struct tunnel *tunnel, uint8_t lane, const uint8_t *plain, size_t len_bytes, uint8_t *out);

/* Return: false where the kernel refused */
bool tunnel_send(struct tunnel *tunnel, const uint8_t *datagram, size_t len_bytes) __attribute__((warn_unused_result));

/* Throw away and count what has come in */
void tunnel_drain(struct tunnel *tunnel);

#endif /* TESTS_E2E_ATTACKER_TUNNEL_H */
