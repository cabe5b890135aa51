/*
 * fuzz_overlay.c - datagrams from anyone, and from a peer that holds the keys, at a host that has a session
 *
 * The input is a row of datagrams, each led by a byte that says how it comes and one for its length: as a handshake,
 * as a sealed datagram as it stands, or sealed in the session with the bytes as its records.  Some time passes in between.
 */
#include <stdlib.h>
#include <string.h>

#include "base/rcu.h"
#include "crypto/aead_registry.h"
#include "encap/gre.h"
#include "overlay/peer/overlay.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define LENGTH_MAX 255U
#define DATAGRAMS_MAX 64

static struct instant now;

static int send_nothing(void *ctx, const struct endpoint *to, const void *bytes, size_t len_bytes)
{
	(void)ctx;
	(void)to;
	(void)bytes;
	return len_bytes > 1472 ? -EMSGSIZE : 0;
}

static void draw(void *ctx, void *out, size_t len_bytes)
{
	(void)ctx;
	memset(out, 0x5a, len_bytes);
}

static struct tai64n timestamp(void *ctx)
{
	(void)ctx;
	return tai64n_from_unix(1700000000, 0);
}

static uint32_t mtu(void *ctx, const struct endpoint *to)
{
	(void)ctx;
	(void)to;
	return 1500;
}

static bool has(void *ctx, const uint8_t ip[IP_BYTES])
{
	(void)ctx;
	return ip[15] & 1;
}

static struct session *session_with(struct session_table *table, struct peer *peer)
{
	struct session_keys keys = { .remote_index = 5, .cipher = AEAD_AES_128_GCM, .remote_lanes = 2 };
	struct session *session;

	memset(&keys.send, 0x11, sizeof(keys.send));
	keys.receive = keys.send; /* what it sends it can also receive */
	session = session_new(session_index_reserve(table, peer, 0), peer, &keys, aead_backend_openssl(), 2, 1, now);
	if (!session)
		abort();
	session->remote_index = session->index;
	session_publish(table, session);
	peer_session_begin(peer, table, session);
	return session;
}

static void take(struct overlay *overlay, struct session *session, uint8_t how, const uint8_t *bytes, size_t len,
	const struct endpoint *from)
{
	uint8_t datagram[GRE_HEADER_BYTES + LENGTH_MAX + AEAD_TAG_BYTES];

	switch (how % 3) {
	case 0:
		overlay_handshake_datagram(overlay, bytes, len, from, now);
		break;
	case 1:
		memcpy(datagram, bytes, len);
		overlay_sealed_datagram(overlay, datagram, len, from, now);
		break;
	default:
		if (session_seal(session, 0, 0, datagram, bytes, len) != SEAL_OK)
			abort();
		overlay_sealed_datagram(overlay, datagram, GRE_HEADER_BYTES + len + AEAD_TAG_BYTES, from, now);
		break;
	}
}

static void take_all(struct overlay *overlay, struct peer *peer, struct session *session, const uint8_t *data,
	size_t size)
{
	struct endpoint from;

	if (!endpoint_parse("192.0.2.1", 4754, &from))
		abort();
	for (int n = 0; size >= 2 && n < DATAGRAMS_MAX; n++) {
		uint8_t how = data[0];
		size_t len = data[1] < size - 2 ? data[1] : size - 2;

		from.ip[15] = how >> 6;
		from.local_ip[15] = how >> 5;
		if (how == 0xff)
			overlay_moved(overlay, now);
		take(overlay, session, how, data + 2, len, &from);
		data += 2 + len;
		size -= 2 + len;
		now = instant_add_ms(now, how);
		(void)!overlay_poll(overlay, now).ns;
		if (!peer->current)
			return; /* it has expired, and the session with it */
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const struct overlay_ops ops = { send_nothing, draw, timestamp, mtu, mtu, has, NULL };
	static struct overlay overlay;
	struct session_table sessions = { 0 };
	struct overlay_config config = { .ops = &ops, .sessions = &sessions, .workers = 2, .time_scale = 1 };
	static struct handshake_self self;
	static uint32_t runs;
	struct peer *peer;

	if (!now.ns) {
		rcu_thread_begin();
		if (!x25519_generate(&self.static_key))
			abort();
	}
	now = (struct instant){ 1000000000ULL };
	config.self = &self;
	config.family = AF_INET;
	for (uint32_t cipher = 1; cipher <= OVERLAY_CIPHERS; cipher++)
		config.backends[cipher] = aead_backend_openssl();
	if (!overlay_init(&overlay, &config))
		abort();
	peer = overlay_add_peer(&overlay, "h", &self.static_key.public, now);
	if (!peer)
		abort();
	take_all(&overlay, peer, session_with(&sessions, peer), data, size);
	overlay_fini(&overlay);
	if (++runs % 256 == 0) /* it sleeps a while */
		rcu_drain();
	session_table_fini(&sessions);
	return 0;
}
