/*
 * sides.h - two hosts' overlays in one process: their datagrams wait in queues, their time and randomness are the test's
 *
 * What one sends lies in the other's inbox until the test delivers it, keeps it or loses it.  Nothing else happens by itself: there are
 * no workers, sockets or clocks.
 */
#ifndef TESTS_UNIT_OVERLAY_PEER_SIDES_H
#define TESTS_UNIT_OVERLAY_PEER_SIDES_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/random.h"
#include "base/rcu.h"
#include "crypto/aead_registry.h"
#include "encap/gre.h"
#include "overlay/peer/overlay.h"

#define WORKERS 2U
#define INBOX 256U

struct datagram {
	uint8_t bytes[PMTU_MAX_MTU];
	size_t len;
	struct endpoint from;
};

struct side {
	struct overlay overlay;
	struct session_table sessions;
	struct handshake_self self;
	struct endpoint endpoint; /* that it sends from where it is not told otherwise */
	struct endpoint second;   /* another of its addresses; all 0: it has none */
	struct endpoint dead;     /* one of them that nothing comes to or from; all 0: none is */
	struct peer *peer;        /* the other side */
	struct datagram *inbox;
	uint32_t waiting; /* in it */
	uint32_t sent;    /* by this side, wherever to */
	uint32_t device_mtu;
	uint32_t path_mtu; /* what is larger is lost on the way here */
};

static struct side *a, *b, *c; /* c: NULL, but where a test wants a third */
static struct instant now;
static uint64_t random_state;

static inline uint64_t next_random(void)
{
	random_state ^= random_state << 13;
	random_state ^= random_state >> 7;
	random_state ^= random_state << 17;
	return random_state;
}

static inline void sides_random(void *ctx, void *out, size_t len_bytes)
{
	(void)ctx;
	for (size_t i = 0; i < len_bytes; i++)
		((uint8_t *)out)[i] = (uint8_t)(next_random() >> 24);
}

static inline struct side *side_at(const struct endpoint *endpoint)
{
	struct side *const all[] = { a, b, c };

	for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++)
		if (all[i] &&
			(endpoint_equal(endpoint, &all[i]->endpoint) || endpoint_equal(endpoint, &all[i]->second)))
			return all[i];
	return NULL;
}

static inline bool sides_has(void *ctx, const uint8_t ip[IP_BYTES])
{
	const struct side *side = ctx;

	return memcmp(side->endpoint.ip, ip, IP_BYTES) == 0 || memcmp(side->second.ip, ip, IP_BYTES) == 0;
}

static inline int sides_send(void *ctx, const struct endpoint *to, const void *bytes, size_t len_bytes)
{
	struct side *from = ctx, *side = side_at(to);
	struct endpoint source = from->endpoint;
	struct datagram *datagram;

	assert_true(!endpoint_has_local(to) || sides_has(from, to->local_ip));
	if (len_bytes + 28 > from->device_mtu)
		return -EMSGSIZE;
	from->sent++;
	if (endpoint_has_local(to))
		memcpy(source.ip, to->local_ip, IP_BYTES);
	if (!side || len_bytes + 28 > side->path_mtu || endpoint_equal(to, &side->dead) ||
		endpoint_equal(&source, &from->dead))
		return 0; /* lost */
	assert_true(side->waiting < INBOX);
	datagram = &side->inbox[side->waiting++];
	memcpy(datagram->bytes, bytes, len_bytes);
	datagram->len = len_bytes;
	datagram->from = source;
	memcpy(datagram->from.local_ip, to->ip, IP_BYTES);
	return 0;
}

static inline struct tai64n sides_timestamp(void *ctx)
{
	(void)ctx;
	return tai64n_from_unix(1700000000 + (int64_t)(now.ns / 1000000000), (uint32_t)(now.ns % 1000000000));
}

static inline uint32_t sides_mtu(void *ctx, const struct endpoint *to)
{
	(void)to;
	return ((struct side *)ctx)->device_mtu;
}

static inline struct side *open_side(uint8_t last, const struct noise_psk *psk)
{
	static const struct overlay_ops ops = { sides_send, sides_random, sides_timestamp, sides_mtu, sides_mtu,
		sides_has, NULL };
	struct side *side = calloc(1, sizeof(*side));
	struct overlay_config config = { .ops = &ops,
		.workers = WORKERS,
		.time_scale = 1,
		.port = 4754,
		.family = AF_INET };
	char text[] = "192.0.2.x";

	assert_non_null(side);
	side->inbox = calloc(INBOX, sizeof(*side->inbox));
	assert_non_null(side->inbox);
	text[sizeof(text) - 2] = (char)('0' + last);
	assert_true(endpoint_parse(text, 4754, &side->endpoint));
	side->device_mtu = side->path_mtu = 1500;
	assert_true(x25519_generate(&side->self.static_key));
	side->self.psk = *psk;
	config.ctx = side;
	config.self = &side->self;
	config.sessions = &side->sessions;
	for (uint32_t cipher = 1; cipher <= OVERLAY_CIPHERS; cipher++)
		config.backends[cipher] = aead_backend_openssl();
	assert_true(overlay_init(&side->overlay, &config));
	return side;
}

/* @name is nobody yet */
static inline void know(struct side *side, const struct side *other, const char *name)
{
	side->peer = overlay_add_peer(&side->overlay, name, &other->self.static_key.public, now);
	assert_non_null(side->peer);
}

static inline void unknow(struct side *side)
{
	if (!side->peer)
		return;
	overlay_forget(&side->overlay, side->peer, now);
	overlay_free_peer(&side->overlay, side->peer);
	side->peer = NULL;
}

static inline int open_sides(void **state)
{
	struct noise_psk psk;

	(void)state;
	random_state = 88172645463325252ULL;
	now = (struct instant){ 1000000000ULL };
	random_fill(&psk, sizeof(psk));
	a = open_side(1, &psk);
	b = open_side(2, &psk);
	know(a, b, "b");
	know(b, a, "a");
	return 0;
}

static inline void close_side(struct side *side)
{
	unknow(side);
	assert_int_equal(side->overlay.timers.count, 0);
	overlay_fini(&side->overlay);
	rcu_drain();
	assert_int_equal(side->sessions.count, 0);
	session_table_fini(&side->sessions);
	free(side->inbox);
	free(side);
}

static inline int close_sides(void **state)
{
	(void)state;
	close_side(a);
	a = NULL;
	close_side(b);
	b = NULL;
	return 0;
}

/* Take the one that waits longest from under @side's nose.  Return: false where none does */
static inline bool intercept(struct side *side, struct datagram *out)
{
	if (side->waiting == 0)
		return false;
	*out = side->inbox[0];
	side->waiting--;
	memmove(side->inbox, side->inbox + 1, side->waiting * sizeof(*side->inbox));
	return true;
}

/* Return: the datagram's protocol, 0 for none of ours */
static inline uint16_t protocol_of(const struct datagram *datagram)
{
	struct gre header;

	return gre_decode(datagram->bytes, datagram->len, &header) == GRE_OK ? header.protocol : 0;
}

static inline uint64_t dropped(const struct side *side, enum drop drop)
{
	return counter_read(&side->overlay.drops.count[drop]);
}

static inline uint64_t dropped_at_all(const struct side *side)
{
	uint64_t sum = 0;

	for (enum drop drop = 0; drop < DROPS; drop++)
		sum += dropped(side, drop);
	return sum;
}

/* What @from sends in its session opens at @to */
static inline void assert_heard(struct side *from, struct side *to)
{
	struct session *sending = from->peer->sending, *receiving;
	uint8_t datagram[GRE_HEADER_BYTES + 5 + AEAD_TAG_BYTES], out[5];
	struct gre header;

	assert_non_null(sending);
	assert_ptr_equal(sending, from->peer->current);
	for (uint32_t lane = 0; lane < WORKERS; lane++) {
		assert_int_equal(session_seal(sending, lane, lane, datagram, (const uint8_t *)"hello", 5), SEAL_OK);
		assert_int_equal(gre_decode(datagram, sizeof(datagram), &header), GRE_OK);
		receiving = session_lookup(&to->sessions, header.session);
		assert_non_null(receiving);
		assert_ptr_equal(receiving->peer, to->peer);
		assert_int_equal(receiving->rx_lanes, WORKERS);
		assert_true(aead_open(receiving->rx[lane].aead, header.counter, datagram, datagram + GRE_HEADER_BYTES,
			5 + AEAD_TAG_BYTES, out));
		assert_memory_equal(out, "hello", 5);
	}
}

#endif /* TESTS_UNIT_OVERLAY_PEER_SIDES_H */
