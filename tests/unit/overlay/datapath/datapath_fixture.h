/*
 * datapath_fixture.h - two agents' workers in one process, joined over loopback, with ports in memory
 *
 * Everything between the port of one and the port of the other is real: worker threads, lanes, AEAD, UDP sockets and
 * their steering.  Sessions are made by hand, as a handshake would.  A test may put a relay of its own between them.
 */
#ifndef TESTS_UNIT_OVERLAY_DATAPATH_DATAPATH_FIXTURE_H
#define TESTS_UNIT_OVERLAY_DATAPATH_DATAPATH_FIXTURE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/error.h"
#include "base/random.h"
#include "base/rcu.h"
#include "crypto/aead_registry.h"
#include "overlay/datapath/datapath.h"
#include "overlay/datapath/worker.h"
#include "packet/csum.h"
#include "tap/memory.h"
#include "underlay/udp.h"

#define WORKERS 2U
#define NETWORK 17U
#define PORT_CAPS (OFFLOAD_CAP_CSUM | OFFLOAD_CAP_TSO4 | OFFLOAD_CAP_TSO6 | OFFLOAD_CAP_USO)
#define DATAGRAM_BYTES 1432U
#define WAIT_MS 5000

static const struct mac mac_of[2] = { { { 0x52, 0x54, 0, 0, 0, 0x0a } }, { { 0x52, 0x54, 0, 0, 0, 0x0b } } };

struct side {
	struct datapath datapath;
	struct vport port;
	struct peer *peer; /* the other side */
	struct session *session;
	struct endpoint endpoint;
};

struct pair {
	struct side side[2];
	int relay; /* UDP socket in the middle; -1: none */
	struct endpoint relay_at;
};

static inline struct endpoint loopback(uint16_t port)
{
	struct endpoint endpoint;

	assert_true(endpoint_parse("127.0.0.1", port, &endpoint));
	return endpoint;
}

static inline void open_side(struct side *side, unsigned int caps)
{
	struct datapath_config config = { .workers = WORKERS,
		.macs = 1024,
		.macs_locations = 16,
		.macs_per_location = 100,
		.time_scale = 1 };
	struct error error;

	memset(side, 0, sizeof(*side));
	do
		config.udp_port = (uint16_t)(20000 + random_u32() % 20000);
	while (datapath_init(&side->datapath, &config, &error) < 0);
	side->endpoint = loopback(config.udp_port);
	side->port = (struct vport){ .network = NETWORK };
	assert_int_equal(memory_port_open(WORKERS, caps, 2048, &side->port.tap), 0);
}

static bool no_fragments;      /* of the networks that are published */
static uint32_t peer_slot = 3; /* of the other side */

static inline void publish(struct side *side, enum network_mode mode, uint32_t id)
{
	const struct network_port port = { .id = side->port.slot, .vlan = { .mode = VLAN_TRUNK_ALL } };
	const struct network_spec spec = { .id = id,
		.mode = mode,
		.mtu_bytes = 9216,
		.no_fragments = no_fragments,
		.lab = "lab",
		.name = "net",
		.ports = &port,
		.ports_count = 1,
		.peers = &side->peer->slot,
		.peers_count = 1 };
	struct forwarding *forwarding = forwarding_new(side->datapath.forwarding->generation + 1, side->peer->slot + 1);
	struct attach_faults faults;
	struct network *network;

	assert_int_equal(network_new(&spec, &network), 0);
	assert_true(forwarding_add_network(forwarding, network));
	forwarding->peers[side->peer->slot] = side->peer;
	forwarding->ports[side->port.slot] = &side->port;
	if (side->port.network != id) /* workers read it: only where nothing is sent meanwhile */
		side->port.network = id;
	forwarding_free(datapath_publish(&side->datapath, forwarding, &faults));
	assert_int_equal(faults.count, 0);
}

static inline void connect_sides(struct pair *pair, enum aead_cipher cipher)
{
	struct session_keys keys[2] = { { .cipher = cipher, .remote_lanes = WORKERS },
		{ .cipher = cipher, .remote_lanes = WORKERS } };
	struct x25519_keypair key;

	random_fill(&keys[0].send, sizeof(keys[0].send));
	random_fill(&keys[0].receive, sizeof(keys[0].receive));
	keys[1].send = keys[0].receive;
	keys[1].receive = keys[0].send;
	for (int i = 0; i < 2; i++)
		keys[i].local_index = session_index_reserve(&pair->side[i].datapath.sessions, NULL, random_u32());
	for (int i = 0; i < 2; i++) {
		struct side *side = &pair->side[i];

		keys[i].remote_index = keys[1 - i].local_index;
		assert_true(x25519_generate(&key));
		side->peer = peer_new(peer_slot, i ? "a" : "b", &key.public, instant_now());
		side->session = session_new(keys[i].local_index, side->peer, &keys[i], aead_backend_openssl(), WORKERS,
			1, instant_now());
		assert_non_null(side->session);
		side->session->confirmed = true;
		session_publish(&side->datapath.sessions, side->session);
		assert_true(peer_set_path(side->peer, pair->relay < 0 ? &pair->side[1 - i].endpoint : &pair->relay_at,
			DATAGRAM_BYTES, side->datapath.underlay->family));
		rcu_publish(&side->peer->sending, side->session);
	}
}

static inline void open_pair(struct pair *pair, bool relay, enum aead_cipher cipher, unsigned int caps)
{
	struct sockaddr_in any = { .sin_family = AF_INET, .sin_addr = { htonl(INADDR_LOOPBACK) } };
	socklen_t any_bytes = sizeof(any);

	pair->relay = -1;
	if (relay) {
		int size = 4 << 20;

		pair->relay = socket(AF_INET, SOCK_DGRAM, 0);
		assert_int_equal(bind(pair->relay, (struct sockaddr *)&any, sizeof(any)), 0);
		assert_int_equal(getsockname(pair->relay, (struct sockaddr *)&any, &any_bytes), 0);
		(void)setsockopt(pair->relay, SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof(size));
		pair->relay_at = loopback(ntohs(any.sin_port));
	}
	for (int i = 0; i < 2; i++)
		open_side(&pair->side[i], caps);
	connect_sides(pair, cipher);
	for (int i = 0; i < 2; i++)
		publish(&pair->side[i], NETWORK_SWITCH, NETWORK);
}

static inline void close_pair(struct pair *pair)
{
	for (int i = 0; i < 2; i++) {
		struct side *side = &pair->side[i];

		datapath_stop(&side->datapath);
		session_unlink(&side->datapath.sessions, side->session);
		session_free(side->session);
		peer_free(side->peer);
		tap_port_close(side->port.tap);
		datapath_fini(&side->datapath);
	}
	if (pair->relay >= 0)
		close(pair->relay);
}

/* ---- frames ------------------------------------------------------------------------------------------------ */

static inline uint8_t pattern(uint32_t seed, size_t at)
{
	return (uint8_t)((seed * 2654435761U + at * 40503U) >> 11);
}

/* IPv4 and UDP from side @from; the payload carries its number and a pattern; the checksum is complete */
static inline size_t make_udp(uint8_t *frame, int from, uint16_t port, uint32_t number, size_t payload_bytes)
{
	size_t len = 42 + payload_bytes;
	struct offload offload;
	struct frame_info info;

	assert_true(payload_bytes >= 4);
	memset(frame, 0, 42);
	memcpy(frame, mac_of[1 - from].bytes, 6);
	memcpy(frame + 6, mac_of[from].bytes, 6);
	memcpy(frame + 12, "\x08\x00\x45\x00\x00\x00\x00\x00\x40\x00\x40\x11\x00\x00\x0a\x00\x00\x01\x0a\x00\x00\x02",
		22);
	frame_put16(frame + 16, (uint16_t)(len - 14));
	frame_put16(frame + 34, port);
	frame_put16(frame + 36, 9);
	frame_put16(frame + 38, (uint16_t)(8 + payload_bytes));
	frame_put32(frame + 42, number);
	for (size_t i = 4; i < payload_bytes; i++)
		frame[42 + i] = pattern(number, i);
	assert_true(frame_parse(frame, len, &info));
	csum_ipv4_header(frame, &info);
	assert_true(csum_prepare(frame, &info, &offload));
	assert_true(csum_complete(frame, len, &offload));
	return len;
}

/* A TCP super-frame of the stream that has pattern(@seed, offset) */
static inline size_t make_tcp(uint8_t *frame, int from, uint32_t seed, uint32_t seq, size_t payload_bytes, uint16_t mss,
	struct offload *offload)
{
	size_t len = 54 + payload_bytes;
	struct frame_info info;

	memset(frame, 0, 54);
	memcpy(frame, mac_of[1 - from].bytes, 6);
	memcpy(frame + 6, mac_of[from].bytes, 6);
	memcpy(frame + 12, "\x08\x00\x45\x00\x00\x00\x00\x00\x40\x00\x40\x06\x00\x00\x0a\x00\x00\x01\x0a\x00\x00\x02",
		22);
	frame_put16(frame + 16, (uint16_t)(len - 14));
	frame_put16(frame + 34, (uint16_t)seed);
	frame_put16(frame + 36, 80);
	frame_put32(frame + 38, seq);
	frame[46] = 0x50;
	frame[47] = FRAME_TCP_ACK;
	for (size_t i = 0; i < payload_bytes; i++)
		frame[54 + i] = pattern(seed, seq + i);
	assert_true(frame_parse(frame, len, &info));
	csum_ipv4_header(frame, &info);
	*offload = (struct offload){ .gso = OFFLOAD_GSO_TCP4, .gso_bytes = mss, .header_bytes = 54 };
	assert_true(csum_prepare(frame, &info, offload));
	return len;
}

/* Finish what the port would have finished, and check all of it */
static inline void settle(uint8_t *frame, size_t len, struct offload *offload, struct frame_info *info)
{
	assert_true(frame_parse(frame, len, info));
	assert_true(csum_ipv4_header_ok(frame, info));
	if (offload->partial)
		assert_true(csum_complete(frame, len, offload));
	assert_true(csum_verify(frame, info));
}

static inline bool take(struct side *side, struct offload *offload, uint8_t *frame, size_t *len)
{
	for (unsigned int q = 0; q < WORKERS; q++)
		if (memory_port_take(side->port.tap, q, offload, frame, PACKET_BYTES_MAX, len))
			return true;
	return false;
}

static inline bool take_within(struct side *side, struct offload *offload, uint8_t *frame, size_t *len, int ms)
{
	for (int waited = 0; waited <= ms * 10; waited++) {
		if (take(side, offload, frame, len))
			return true;
		usleep(100);
	}
	return false;
}

static inline void inject(struct side *side, unsigned int queue, const struct offload *offload, const uint8_t *frame,
	size_t len)
{
	while (!memory_port_inject(side->port.tap, queue, offload, frame, len))
		usleep(50);
}

static inline uint64_t dropped(const struct side *side, enum drop drop)
{
	uint64_t sum = 0;

	for (uint32_t i = 0; i < WORKERS; i++)
		sum += counter_read(&side->datapath.workers[i]->drops.count[drop]);
	return sum;
}

static inline void wait_dropped(const struct side *side, enum drop drop, uint64_t count)
{
	for (int waited = 0; waited < WAIT_MS && dropped(side, drop) < count; waited++)
		usleep(1000);
	assert_int_equal(dropped(side, drop), count);
}

static uint8_t frame_in[PACKET_BYTES_MAX], frame_out[PACKET_BYTES_MAX];

static inline int fixture_begin(void **state)
{
	(void)state;
	rcu_thread_begin();
	return 0;
}

static inline int fixture_end(void **state)
{
	(void)state;
	rcu_thread_end();
	return 0;
}

#endif /* TESTS_UNIT_OVERLAY_DATAPATH_DATAPATH_FIXTURE_H */
