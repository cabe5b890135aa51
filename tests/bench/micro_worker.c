/*
 * micro_worker.c - a frame's whole way through two agents: memory port, worker, loopback UDP, worker, memory port
 *
 * Two datapaths of one worker each, with a session made by hand as a handshake would.  The main thread puts a burst of
 * frames into one port and takes them out of the other; what is timed is the processor time of each worker's thread, so
 * the main thread does not count.  All run on one core without preempting each other, so that a burst is a burst.  The
 * kernel's share is in it: loopback delivers a datagram up to the receiver's socket on the sender's time.
 */
#include "base/error.h"
#include "base/random.h"
#include "base/rcu.h"
#include "crypto/aead_registry.h"
#include "overlay/datapath/datapath.h"
#include "overlay/datapath/worker.h"
#include "packet/csum.h"
#include "tap/memory.h"
#include "tests/bench/micro.h"
#include "underlay/udp.h"

#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define NETWORK 17U
#define SLOT 3U
#define CAPS (OFFLOAD_CAP_CSUM | OFFLOAD_CAP_TSO4 | OFFLOAD_CAP_TSO6 | OFFLOAD_CAP_USO)
#define DATAGRAM_BYTES 1472U
#define DEPTH 512U
#define REPETITIONS 11U
#define PAYLOADS_BYTES (16U << 20) /* of one repetition, at most */
#define FRAMES 8192U               /* and at most */
#define STALL_NS 20000000000ULL    /* under callgrind everything takes its time */
#define TCP_HEADER_BYTES (FRAME_ETHERNET_BYTES + FRAME_IPV4_BYTES + FRAME_TCP_BYTES)
#define UDP_HEADER_BYTES (FRAME_ETHERNET_BYTES + FRAME_IPV4_BYTES + FRAME_UDP_BYTES)

struct side {
	struct datapath datapath;
	struct vport port;
	struct peer *peer;
	struct session *session;
	struct endpoint endpoint;
};

static struct side sides[2];
static const struct aead_backend *backend;

static uint64_t thread_ns(const struct side *side)
{
	struct timespec spent;
	clockid_t clock;

	micro_must(pthread_getcpuclockid(side->datapath.workers[0]->thread, &clock) == 0 &&
			clock_gettime(clock, &spent) == 0,
		"a worker's clock");
	return (uint64_t)spent.tv_sec * 1000000000ULL + (uint64_t)spent.tv_nsec;
}

/* On one core, this thread and those that it starts; who wakes up waits for its turn */
static void share_a_core(void)
{
	const struct sched_param none = { 0 };
	cpu_set_t core;

	CPU_ZERO(&core);
	CPU_SET((size_t)sched_getcpu(), &core);
	micro_must(sched_setaffinity(0, sizeof(core), &core) == 0 && sched_setscheduler(0, SCHED_BATCH, &none) == 0,
		"to share a core");
}

/* ---- two agents -------------------------------------------------------------------------------------------- */

static void open_side(struct side *side)
{
	struct datapath_config config = { .workers = 1,
		.macs = 1024,
		.macs_locations = 16,
		.macs_per_location = 100,
		.time_scale = 1 };
	struct error error;

	memset(side, 0, sizeof(*side));
	do
		config.udp_port = (uint16_t)(20000 + random_u32() % 20000);
	while (datapath_init(&side->datapath, &config, &error) < 0);
	micro_must(endpoint_parse("127.0.0.1", config.udp_port, &side->endpoint), "endpoint");
	side->port = (struct vport){ .network = NETWORK };
	micro_must(memory_port_open(1, CAPS, DEPTH, &side->port.tap) == 0, "memory_port_open");
}

static void join_fabric(struct side *side)
{
	const struct network_port port = { .id = side->port.slot, .vlan = { .mode = VLAN_TRUNK_ALL } };
	const struct network_spec spec = { .id = NETWORK,
		.mode = NETWORK_SWITCH,
		.mtu_bytes = 9216,
		.lab = "lab",
		.name = "net",
		.ports = &port,
		.ports_count = 1,
		.peers = &side->peer->slot,
		.peers_count = 1 };
	struct forwarding *forwarding = forwarding_new(1, SLOT + 1);
	struct attach_faults faults;
	struct network *network;

	micro_must(forwarding && network_new(&spec, &network) == 0 && forwarding_add_network(forwarding, network),
		"fabric");
	forwarding->peers[side->peer->slot] = side->peer;
	forwarding->ports[side->port.slot] = &side->port;
	forwarding_free(datapath_publish(&side->datapath, forwarding, &faults));
}

static void open_pair(void)
{
	struct session_keys keys[2] = { { .cipher = AEAD_AES_128_GCM, .remote_lanes = 2 },
		{ .cipher = AEAD_AES_128_GCM, .remote_lanes = 2 } };
	struct x25519_keypair key;
	struct endpoint to;

	random_fill(&keys[0].send, sizeof(keys[0].send));
	random_fill(&keys[0].receive, sizeof(keys[0].receive));
	keys[1].send = keys[0].receive;
	keys[1].receive = keys[0].send;
	for (int i = 0; i < 2; i++) {
		open_side(&sides[i]);
		keys[i].local_index = session_index_reserve(&sides[i].datapath.sessions, NULL, random_u32());
	}
	for (int i = 0; i < 2; i++) {
		struct side *side = &sides[i];

		keys[i].remote_index = keys[1 - i].local_index;
		micro_must(x25519_generate(&key), "x25519_generate");
		side->peer = peer_new(SLOT, i ? "a" : "b", &key.public, instant_now());
		side->session = session_new(keys[i].local_index, side->peer, &keys[i], backend, 2, 1, instant_now());
		micro_must(side->session, "session_new");
		side->session->confirmed = true;
		session_publish(&side->datapath.sessions, side->session);
		to = sides[1 - i].endpoint;
		memcpy(to.local_ip, to.ip, IP_BYTES); /* both ends are on the loopback */
		micro_must(peer_set_path(side->peer, &to, DATAGRAM_BYTES, side->datapath.underlay->family),
			"peer_set_path");
		rcu_publish(&side->peer->sending, side->session);
		join_fabric(side);
	}
}

static void close_pair(void)
{
	for (int i = 0; i < 2; i++) {
		struct side *side = &sides[i];

		datapath_stop(&side->datapath);
		session_unlink(&side->datapath.sessions, side->session);
		session_free(side->session);
		peer_free(side->peer);
		tap_port_close(side->port.tap);
		datapath_fini(&side->datapath);
	}
}

/* ---- frames ------------------------------------------------------------------------------------------------ */

struct stream {
	uint8_t frame[PACKET_BYTES_MAX];
	struct frame_info info;
	struct offload offload;
	size_t payload_bytes;
	uint32_t seq;
};

/* One flow from side 0 to side 1, as a guest with offloads gives it: the checksum partial; TCP as super-frames */
static void stream_init(struct stream *s, size_t payload_bytes, uint16_t mss)
{
	size_t bytes = (mss ? TCP_HEADER_BYTES : UDP_HEADER_BYTES) + payload_bytes;
	uint8_t *ip = s->frame + FRAME_ETHERNET_BYTES, *l4 = ip + FRAME_IPV4_BYTES;

	memset(s, 0, sizeof(*s));
	s->payload_bytes = payload_bytes;
	memcpy(s->frame, "\x52\x54\0\0\0\x0b\x52\x54\0\0\0\x0a\x08\0", FRAME_ETHERNET_BYTES);
	memcpy(ip, "\x45\0\0\0\0\0\x40\0\x40\0\0\0\x0a\0\0\1\x0a\0\0\2", FRAME_IPV4_BYTES);
	ip[9] = mss ? FRAME_PROTOCOL_TCP : FRAME_PROTOCOL_UDP;
	frame_put16(ip + 2, (uint16_t)(bytes - FRAME_ETHERNET_BYTES));
	frame_put16(l4, 5000);
	frame_put16(l4 + 2, 5001);
	if (mss) {
		l4[12] = 0x50;
		l4[13] = FRAME_TCP_ACK;
	} else {
		frame_put16(l4 + 4, (uint16_t)(FRAME_UDP_BYTES + payload_bytes));
	}
	micro_must(frame_parse(s->frame, bytes, &s->info) && csum_prepare(s->frame, &s->info, &s->offload),
		"the frame");
	csum_ipv4_header(s->frame, &s->info);
	if (mss > 0 && payload_bytes > mss) {
		s->offload.gso = OFFLOAD_GSO_TCP4;
		s->offload.gso_bytes = mss;
		s->offload.header_bytes = TCP_HEADER_BYTES;
	}
}

static bool put(struct stream *s)
{
	if (s->info.l4_protocol == FRAME_PROTOCOL_TCP)
		frame_put32(s->frame + s->info.l4_offset + 4, s->seq);
	if (!memory_port_inject(sides[0].port.tap, 0, &s->offload, s->frame, s->info.end_offset))
		return false;
	s->seq += (uint32_t)s->payload_bytes;
	return true;
}

/* Return: payload that has come out of the other port */
static size_t take_all(const struct stream *s)
{
	static uint8_t frame[PACKET_BYTES_MAX];
	struct offload offload;
	size_t bytes, payload = 0;

	while (memory_port_take(sides[1].port.tap, 0, &offload, frame, sizeof(frame), &bytes))
		payload += bytes - s->info.payload_offset;
	return payload;
}

/* @at_once frames are under way at most */
static void send_through(struct stream *s, unsigned int frames, unsigned int at_once)
{
	size_t wanted = 0, got = 0;
	uint64_t moved = instant_now().ns;

	for (unsigned int sent = 0; sent < frames || got < wanted;) {
		size_t before = got;

		if (got == wanted)
			for (unsigned int i = 0; i < at_once && sent < frames && put(s); i++, sent++)
				wanted += s->payload_bytes;
		usleep(10); /* the workers' turn */
		got += take_all(s);
		if (got != before)
			moved = instant_now().ns;
		else
			micro_must(instant_now().ns - moved < STALL_NS, "everything to arrive");
	}
}

static void measure(struct micro *micro, struct stream *s, const char *name, unsigned int items, size_t item_bytes,
	unsigned int at_once)
{
	unsigned int frames = (unsigned int)(PAYLOADS_BYTES / s->payload_bytes);
	double ns[2][REPETITIONS];
	char text[64];

	frames = frames < FRAMES ? frames : FRAMES;
	send_through(s, frames / 4, at_once);
	for (unsigned int r = 0; r < REPETITIONS; r++) {
		uint64_t before[2] = { thread_ns(&sides[0]), thread_ns(&sides[1]) };

		send_through(s, frames, at_once);
		for (int i = 0; i < 2; i++)
			ns[i][r] = (double)(thread_ns(&sides[i]) - before[i]) / frames / items;
	}
	for (int i = 0; i < 2; i++) {
		snprintf(text, sizeof(text), "%s %s %s", aead_backend_name(backend), i ? "receive" : "send", name);
		micro_add(micro, text, item_bytes, ns[i], REPETITIONS);
	}
}

int main(int argc, char **argv)
{
	static struct stream stream;
	struct micro micro;

	micro_begin(&micro, "worker, aes-128-gcm, per frame or segment", argc, argv);
	share_a_core();
	rcu_thread_begin();
	for (size_t row = 0; row < aead_registry_rows(); row++) {
		backend = aead_registry_at(row);
		if (!backend)
			continue;
		open_pair();
		stream_init(&stream, 64, 0);
		measure(&micro, &stream, "UDP 64 B, alone", 1, 64, 1);
		measure(&micro, &stream, "UDP 64 B, bursts of 64", 1, 64, 64);
		stream_init(&stream, 1372, 0);
		measure(&micro, &stream, "UDP 1372 B, bursts of 64", 1, 1372, 64);
		stream_init(&stream, 44 * 1460, 1460);
		measure(&micro, &stream, "TCP super-frames, per 1460 B", 44, 1460, 4);
		close_pair();
	}
	rcu_thread_end();
	return micro_end(&micro);
}
