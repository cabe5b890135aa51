/*
 * lone_worker.h - a worker without a thread: the test calls what the worker's loop would, and its time is the test's
 *
 * It has three ports in memory on one network: 0 and 1 are trunks, 2 is an access port of VLAN 10.  The network has a peer too,
 * in slot LONE_PEER, that is gone from the forwarding until lone_connect() gives it a session.
 */
#ifndef TESTS_UNIT_OVERLAY_DATAPATH_LONE_WORKER_H
#define TESTS_UNIT_OVERLAY_DATAPATH_LONE_WORKER_H

#include "tests/unit/overlay/datapath/datapath_fixture.h"

#include <sys/eventfd.h>

#include "overlay/datapath/deliver.h"

#define LONE_PORTS 3U
#define LONE_DEPTH 128U /* frames that each port holds */
#define LONE_PEER 5U
#define LONE_VLAN 10U

struct lone {
	struct datapath datapath;
	struct underlay underlay; /* no sockets behind it */
	struct worker *worker;
	struct vport ports[LONE_PORTS];
	struct network *network;
	struct peer *peer;
	struct session *session; /* NULL before lone_connect() */
};

static inline struct worker *lone_worker_new(struct datapath *datapath, uint32_t id)
{
	struct worker *worker = aligned_alloc(64, (sizeof(*worker) + 63) / 64 * 64);

	assert_non_null(worker);
	memset(worker, 0, sizeof(*worker));
	worker->id = id;
	worker->datapath = datapath;
	worker->now = instant_now();
	worker->forwarding = datapath->forwarding;
	worker->burst.memory_bytes = PACKET_BURST_BYTES;
	worker->burst.memory = malloc(PACKET_BURST_BYTES);
	worker->train_memory = malloc((size_t)DISPATCHES_MAX * TRAIN_BYTES_MAX);
	worker->peers_capacity = LONE_PEER + 1;
	worker->peers = calloc(worker->peers_capacity, sizeof(*worker->peers));
	assert_true(worker->burst.memory && worker->train_memory && worker->peers);
	assert_int_equal(packet_pool_init(&worker->pool, WORKER_POOL_PKTS), 0);
	return worker;
}

static inline void lone_worker_free(struct worker *worker)
{
	for (uint32_t slot = 0; slot < PORTS_MAX; slot++)
		free(worker->ports[slot]);
	free(worker->burst.memory);
	free(worker->train_memory);
	free(worker->peers);
	packet_pool_fini(&worker->pool);
	free(worker);
}

static inline struct network *lone_network_new(uint32_t id)
{
	const struct network_port ports[LONE_PORTS] = {
		{ .id = 0, .vlan = { .mode = VLAN_TRUNK_ALL } },
		{ .id = 1, .vlan = { .mode = VLAN_TRUNK_ALL } },
		{ .id = 2, .vlan = { .mode = VLAN_ACCESS, .access = LONE_VLAN } },
	};
	const uint32_t peer = LONE_PEER;
	const struct network_spec spec = { .id = id,
		.mode = NETWORK_SWITCH,
		.mtu_bytes = 9216,
		.lab = "lab",
		.name = "net",
		.ports = ports,
		.ports_count = LONE_PORTS,
		.peers = &peer,
		.peers_count = 1 };
	struct network *network;

	assert_int_equal(network_new(&spec, &network), 0);
	return network;
}

static inline void lone_open(struct lone *lone)
{
	const struct fdb_config fdb = { .capacity = 64,
		.locations = 16,
		.location_limit = 16,
		.aging_ms = FDB_AGING_MS };
	struct x25519_keypair key;

	memset(lone, 0, sizeof(*lone));
	lone->underlay = (struct underlay){ .workers = 1, .family = AF_INET, .takes_trains = { true } };
	lone->datapath.underlay = &lone->underlay;
	lone->datapath.fdb = fdb_new(&fdb);
	lone->datapath.forwarding = forwarding_new(1, LONE_PEER + 1);
	lone->datapath.control_wake_fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
	assert_true(lone->datapath.fdb && lone->datapath.forwarding && lone->datapath.control_wake_fd >= 0);
	lone->network = lone_network_new(NETWORK);
	assert_true(forwarding_add_network(lone->datapath.forwarding, lone->network));
	lone->worker = lone_worker_new(&lone->datapath, 0);
	lone->datapath.workers[0] = lone->worker;
	lone->datapath.workers_count = 1;
	for (uint32_t slot = 0; slot < LONE_PORTS; slot++) {
		struct worker_port *wport = calloc(1, sizeof(*wport));

		assert_non_null(wport);
		lone->ports[slot] = (struct vport){ .slot = slot, .network = NETWORK };
		assert_int_equal(memory_port_open(1, PORT_CAPS, LONE_DEPTH, &lone->ports[slot].tap), 0);
		lone->datapath.forwarding->ports[slot] = &lone->ports[slot];
		wport->worker = lone->worker;
		wport->port = &lone->ports[slot];
		coalesce_init(&wport->coalescer, PORT_CAPS, deliver_emit, wport);
		lone->worker->ports[slot] = wport;
	}
	assert_true(x25519_generate(&key));
	lone->peer = peer_new(LONE_PEER, "peer", &key.public, instant_now());
	assert_non_null(lone->peer);
}

/* What is sent to the peer is sealed, and stays in the worker: there is no socket */
static inline void lone_connect(struct lone *lone)
{
	struct session_keys keys = { .cipher = AEAD_AES_128_GCM, .remote_lanes = 1, .local_index = 1 };
	const struct endpoint nowhere = loopback(9);

	random_fill(&keys.send, sizeof(keys.send));
	random_fill(&keys.receive, sizeof(keys.receive));
	lone->session = session_new(1, lone->peer, &keys, aead_backend_openssl(), 1, 1, instant_now());
	assert_non_null(lone->session);
	assert_true(peer_set_path(lone->peer, &nowhere, DATAGRAM_BYTES, lone->underlay.family));
	rcu_publish(&lone->peer->sending, lone->session);
	lone->datapath.forwarding->peers[LONE_PEER] = lone->peer;
}

static inline void lone_close(struct lone *lone)
{
	lone_worker_free(lone->worker);
	for (uint32_t slot = 0; slot < LONE_PORTS; slot++)
		tap_port_close(lone->ports[slot].tap);
	session_free(lone->session);
	peer_free(lone->peer);
	forwarding_free(lone->datapath.forwarding);
	fdb_free(lone->datapath.fdb);
	close(lone->datapath.control_wake_fd);
}

/* Station 0 to station 1, out of the port in @slot; its memory is frame_in, so there is one at a time */
static inline struct packet lone_packet(const struct lone *lone, uint32_t slot, uint32_t number, size_t payload_bytes)
{
	uint8_t *frame = frame_in + PACKET_HEADROOM_BYTES;
	struct packet packet = { .network = lone->network, .in = network_port_lookup(lone->network, slot) };

	packet_init(&packet, frame, make_udp(frame, 0, (uint16_t)(1000 + number), number, payload_bytes),
		PACKET_HEADROOM_BYTES);
	assert_true(packet_parse(&packet));
	return packet;
}

static inline void lone_tag(struct packet *packet, uint16_t vlan)
{
	memmove(packet->frame - 4, packet->frame, 12);
	packet->frame -= 4;
	packet->bytes += 4;
	packet->headroom_bytes -= 4;
	frame_put16(packet->frame + 12, FRAME_ETHERTYPE_8021Q);
	frame_put16(packet->frame + 14, vlan);
	assert_true(packet_parse(packet));
}

/* What came out of a port, into frame_out.  Return: its bytes, 0 where nothing did */
static inline size_t lone_take(struct lone *lone, uint32_t slot)
{
	size_t bytes;

	return memory_port_take(lone->ports[slot].tap, 0, NULL, frame_out, sizeof(frame_out), &bytes) ? bytes : 0;
}

static inline uint64_t lone_dropped(const struct lone *lone, enum drop drop)
{
	return counter_read(&lone->worker->drops.count[drop]);
}

#endif /* TESTS_UNIT_OVERLAY_DATAPATH_LONE_WORKER_H */
