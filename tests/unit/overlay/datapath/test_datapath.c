/*
 * test_datapath.c - two agents' workers in one process, joined over loopback, with ports in memory
 *
 * Everything between the port of one and the port of the other is real: worker threads, lanes, AEAD, UDP sockets and
 * their steering.  Sessions are made by hand, as a handshake would.  Between them stands a relay of the test's own, which
 * may lose, repeat and corrupt datagrams.  Runs under ThreadSanitizer too.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
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

static struct endpoint loopback(uint16_t port)
{
	struct endpoint endpoint;

	assert_true(endpoint_parse("127.0.0.1", port, &endpoint));
	return endpoint;
}

static void open_side(struct side *side, unsigned int caps)
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

static void publish(struct side *side, enum network_mode mode, uint32_t id)
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

static void connect_sides(struct pair *pair, enum aead_cipher cipher)
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

static void open_pair(struct pair *pair, bool relay, enum aead_cipher cipher, unsigned int caps)
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

static void close_pair(struct pair *pair)
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

static uint8_t pattern(uint32_t seed, size_t at)
{
	return (uint8_t)((seed * 2654435761U + at * 40503U) >> 11);
}

/* IPv4 and UDP from side @from; the payload carries its number and a pattern; the checksum is complete */
static size_t make_udp(uint8_t *frame, int from, uint16_t port, uint32_t number, size_t payload_bytes)
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
static size_t make_tcp(uint8_t *frame, int from, uint32_t seed, uint32_t seq, size_t payload_bytes, uint16_t mss,
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
static void settle(uint8_t *frame, size_t len, struct offload *offload, struct frame_info *info)
{
	assert_true(frame_parse(frame, len, info));
	assert_true(csum_ipv4_header_ok(frame, info));
	if (offload->partial)
		assert_true(csum_complete(frame, len, offload));
	assert_true(csum_verify(frame, info));
}

static bool take(struct side *side, struct offload *offload, uint8_t *frame, size_t *len)
{
	for (unsigned int q = 0; q < WORKERS; q++)
		if (memory_port_take(side->port.tap, q, offload, frame, PACKET_BYTES_MAX, len))
			return true;
	return false;
}

static bool take_within(struct side *side, struct offload *offload, uint8_t *frame, size_t *len, int ms)
{
	for (int waited = 0; waited <= ms * 10; waited++) {
		if (take(side, offload, frame, len))
			return true;
		usleep(100);
	}
	return false;
}

static void inject(struct side *side, unsigned int queue, const struct offload *offload, const uint8_t *frame,
	size_t len)
{
	while (!memory_port_inject(side->port.tap, queue, offload, frame, len))
		usleep(50);
}

static uint64_t dropped(const struct side *side, enum drop drop)
{
	uint64_t sum = 0;

	for (uint32_t i = 0; i < WORKERS; i++)
		sum += counter_read(&side->datapath.workers[i]->drops.count[drop]);
	return sum;
}

static void wait_dropped(const struct side *side, enum drop drop, uint64_t count)
{
	for (int waited = 0; waited < WAIT_MS && dropped(side, drop) < count; waited++)
		usleep(1000);
	assert_int_equal(dropped(side, drop), count);
}

/* ---- tests ------------------------------------------------------------------------------------------------- */

static uint8_t frame_in[PACKET_BYTES_MAX], frame_out[PACKET_BYTES_MAX];

/* Until the second worker has its own flow: a change of lanes may reorder */
static void settle_lanes(struct pair *pair)
{
	const struct offload none = { 0 };
	struct side *side = &pair->side[0];
	struct offload offload;
	size_t len;

	for (int waited = 0; waited < WAIT_MS / 20; waited++) {
		len = make_udp(frame_in, 0, 999, 0, 10);
		inject(side, 1, &none, frame_in, len);
		assert_true(take_within(&pair->side[1], &offload, frame_out, &len, WAIT_MS));
		if (counter_read(&side->session->senders[1].datagrams) > 0 &&
			counter_read(&pair->side[1].session->rx[1].datagrams) > 1) /* the question, and a frame */
			return;
		usleep(20000);
	}
	fail_msg("the second worker's flow was never used");
}

static void frames_of_every_size_arrive_whole_and_in_order(enum aead_cipher cipher)
{
	const uint32_t count = 600;
	const struct offload none = { 0 };
	uint32_t expected[WORKERS] = { 0 };
	struct pair pair;

	open_pair(&pair, false, cipher, PORT_CAPS);
	settle_lanes(&pair);
	for (uint32_t n = 0, sent = 0; n < count;) {
		struct offload offload;
		struct frame_info info;
		size_t len;

		/* each queue's frames are a flow; a few at a time, so that no ring overflows */
		for (; sent < count && sent < n + 100; sent++) {
			size_t payload = sent % 3 == 0 ? 4 + random_u32() % 60 : 4 + random_u32() % 9170;

			len = make_udp(frame_in, 0, (uint16_t)(1000 + sent % WORKERS), sent, payload);
			inject(&pair.side[0], sent % WORKERS, &none, frame_in, len);
		}
		assert_true(take_within(&pair.side[1], &offload, frame_out, &len, WAIT_MS));
		settle(frame_out, len, &offload, &info);
		assert_true(offload.gso == OFFLOAD_GSO_NONE);
		uint32_t number = frame_get32(frame_out + 42), flow = frame_get16(frame_out + 34) - 1000U;

		assert_true(flow < WORKERS);
		assert_int_equal(number, expected[flow] * WORKERS + flow);
		expected[flow]++;
		for (size_t i = 4; i < len - 42; i++)
			assert_int_equal(frame_out[42 + i], pattern(number, i));
		n++;
	}
	for (enum drop drop = 0; drop < DROPS; drop++)
		assert_int_equal(dropped(&pair.side[1], drop), 0);
	close_pair(&pair);
}

static void frames_aes128(void **state)
{
	(void)state;
	frames_of_every_size_arrive_whole_and_in_order(AEAD_AES_128_GCM);
}

static void frames_aes256(void **state)
{
	(void)state;
	frames_of_every_size_arrive_whole_and_in_order(AEAD_AES_256_GCM);
}

static void frames_chacha20(void **state)
{
	(void)state;
	frames_of_every_size_arrive_whole_and_in_order(AEAD_CHACHA20_POLY1305);
}

/* TCP super-frames of @mss through ports with @caps: the stream arrives, and no segment is above the guest's size */
static void stream(unsigned int caps, uint16_t mss)
{
	const size_t total = 2000000;
	size_t received = 0, sent = 0;
	uint32_t largest = 0;
	struct pair pair;

	open_pair(&pair, false, AEAD_AES_128_GCM, caps);
	while (received < total) {
		struct offload offload;
		struct frame_info info;
		size_t len, payload;

		while (sent < total && sent < received + 200000) {
			payload = 1 + random_u32() % 64000;
			if (payload > total - sent)
				payload = total - sent;
			len = make_tcp(frame_in, 0, 77, (uint32_t)sent, payload, mss, &offload);
			if (payload <= mss)
				offload.gso = OFFLOAD_GSO_NONE;
			inject(&pair.side[0], 0, &offload, frame_in, len);
			sent += payload;
		}
		assert_true(take_within(&pair.side[1], &offload, frame_out, &len, WAIT_MS));
		assert_true(!offload.partial || (caps & OFFLOAD_CAP_CSUM));
		assert_true(offload.gso == OFFLOAD_GSO_NONE || (caps & OFFLOAD_CAP_TSO4));
		if (offload.gso != OFFLOAD_GSO_NONE)
			assert_true(offload.gso_bytes <= mss);
		settle(frame_out, len, &offload, &info);
		payload = len - info.payload_offset;
		if (offload.gso == OFFLOAD_GSO_NONE)
			assert_true(payload <= mss);
		if (payload > largest)
			largest = (uint32_t)payload;
		assert_int_equal(frame_get32(frame_out + 38), received);
		for (size_t i = 0; i < payload; i++)
			assert_int_equal(frame_out[info.payload_offset + i], pattern(77, received + i));
		received += payload;
	}
	assert_int_equal(received, total);
	if (caps & OFFLOAD_CAP_TSO4)
		assert_true(largest > mss); /* they were joined again */
	close_pair(&pair);
}

static void streams_join_again(void **state)
{
	(void)state;
	stream(PORT_CAPS, 1460);
	stream(PORT_CAPS, 536); /* cut larger than the guest's own segments, and never delivered so */
}

static void streams_into_ports_without_offloads(void **state)
{
	(void)state;
	stream(0, 1460);
	stream(0, 536);
	stream(OFFLOAD_CAP_CSUM, 1460);
}

/* Take what waits at the relay, let @judge change it, and send it on to where it did not come from */
static int relay_all(struct pair *pair, int expect, bool (*judge)(int index, uint8_t *datagram, ssize_t len),
	int copies)
{
	int index = 0;

	for (;;) {
		struct pollfd ready = { .fd = pair->relay, .events = POLLIN };
		uint8_t datagram[2048];
		struct sockaddr_in from, to = { .sin_family = AF_INET, .sin_addr = { htonl(INADDR_LOOPBACK) } };
		socklen_t from_bytes = sizeof(from);
		ssize_t len;

		if (poll(&ready, 1, index < expect ? WAIT_MS : 50) <= 0)
			return index;
		len = recvfrom(pair->relay, datagram, sizeof(datagram), 0, (struct sockaddr *)&from, &from_bytes);
		assert_true(len > 0);
		to.sin_port = htons(ntohs(from.sin_port) == pair->side[0].endpoint.port ? pair->side[1].endpoint.port
											: pair->side[0].endpoint.port);
		if (judge(index++, datagram, len))
			for (int i = 0; i < copies; i++)
				assert_int_equal(sendto(pair->relay, datagram, (size_t)len, 0, (struct sockaddr *)&to,
							 sizeof(to)),
					len);
	}
}

static bool corrupt_the_fifth(int index, uint8_t *datagram, ssize_t len)
{
	if (index == 5)
		datagram[12 + (index * 97) % (len - 12)] ^= 0x10;
	return true;
}

static bool lose_the_fifth(int index, uint8_t *datagram, ssize_t len)
{
	(void)datagram;
	(void)len;
	return index != 5;
}

static bool pass(int index, uint8_t *datagram, ssize_t len)
{
	(void)index;
	(void)datagram;
	(void)len;
	return true;
}

/* One super-frame is a train; what is done to one datagram of it costs that datagram's bytes only */
static void one_datagram_of_a_train(bool (*judge)(int, uint8_t *, ssize_t))
{
	const size_t payload = 40000;
	uint8_t seen[40000] = { 0 };
	size_t got = 0, missing = 0;
	struct offload offload;
	struct frame_info info;
	struct pair pair;
	size_t len;
	int datagrams;

	open_pair(&pair, true, AEAD_AES_128_GCM, PORT_CAPS);
	len = make_tcp(frame_in, 0, 99, 0, payload, 1460, &offload);
	inject(&pair.side[0], 0, &offload, frame_in, len);
	datagrams = relay_all(&pair, 10, judge, 1);
	assert_in_range(datagrams, payload / DATAGRAM_BYTES, payload / (DATAGRAM_BYTES - 100) + 1);
	while (take_within(&pair.side[1], &offload, frame_out, &len, got < payload - 1500 ? WAIT_MS : 50)) {
		uint32_t seq;

		settle(frame_out, len, &offload, &info);
		seq = frame_get32(frame_out + 38);
		for (size_t i = 0; i < len - info.payload_offset; i++) {
			assert_int_equal(frame_out[info.payload_offset + i], pattern(99, seq + i));
			assert_int_equal(seen[seq + i]++, 0);
			got++;
		}
	}
	missing = payload - got;
	assert_in_range(missing, DATAGRAM_BYTES - 150, DATAGRAM_BYTES);
	close_pair(&pair);
}

static void a_lost_datagram_costs_itself_only(void **state)
{
	(void)state;
	one_datagram_of_a_train(lose_the_fifth);
}

static void a_corrupt_datagram_costs_itself_only(void **state)
{
	(void)state;
	one_datagram_of_a_train(corrupt_the_fifth);
}

static void replays_are_dropped_and_counted(void **state)
{
	const struct offload none = { 0 };
	struct offload offload;
	struct pair pair;
	size_t len;
	int datagrams = 0;

	(void)state;
	open_pair(&pair, true, AEAD_AES_128_GCM, PORT_CAPS);
	for (uint32_t n = 0; n < 50; n++) {
		len = make_udp(frame_in, 0, 1000, n, 1200);
		inject(&pair.side[0], 0, &none, frame_in, len);
		datagrams += relay_all(&pair, 1, pass, 3);
		assert_true(take_within(&pair.side[1], &offload, frame_out, &len, WAIT_MS));
		assert_int_equal(frame_get32(frame_out + 42), n);
	}
	wait_dropped(&pair.side[1], drop_replay(REPLAY_DROP_DUPLICATE), 2 * (uint64_t)datagrams);
	assert_false(take(&pair.side[1], &offload, frame_out, &len));
	close_pair(&pair);
}

static void random_datagrams_are_dropped_and_counted(void **state)
{
	struct pair pair;
	uint64_t sum = 0;
	int fd = socket(AF_INET, SOCK_DGRAM, 0);
	struct sockaddr_in to = { .sin_family = AF_INET, .sin_addr = { htonl(INADDR_LOOPBACK) } };
	const uint64_t count = 3000;
	struct offload offload;
	size_t len;

	(void)state;
	open_pair(&pair, false, AEAD_AES_128_GCM, PORT_CAPS);
	to.sin_port = htons(pair.side[1].endpoint.port);
	for (uint64_t i = 0; i < count; i++) {
		uint8_t datagram[200];
		size_t bytes = random_u32() % sizeof(datagram);

		random_fill(datagram, sizeof(datagram));
		if (i % 2) { /* plausible up to the tag: right header, live session */
			memcpy(datagram, "\x30\x00\x88\xb5", 4);
			frame_put32(datagram + 4, pair.side[1].session->index << 8 | (random_u32() % 4));
		} else if (bytes >= 4) {
			datagram[2] = 0; /* never the control thread's */
		}
		assert_int_equal(sendto(fd, datagram, bytes, 0, (struct sockaddr *)&to, sizeof(to)), bytes);
		if (i % 100 == 99)
			usleep(2000);
	}
	close(fd);
	for (int waited = 0; waited < WAIT_MS && sum < count; waited++, usleep(1000)) {
		sum = 0;
		for (enum drop drop = 0; drop < DROPS; drop++)
			sum += dropped(&pair.side[1], drop);
	}
	assert_int_equal(sum, count);
	assert_true(dropped(&pair.side[1], DROP_NOT_AUTHENTIC) > 0);
	assert_true(dropped(&pair.side[1], DROP_LANE_UNKNOWN) > 0);
	assert_true(dropped(&pair.side[1], drop_gre(GRE_DROP_SHORT)) > 0);
	assert_false(take(&pair.side[1], &offload, frame_out, &len));
	close_pair(&pair);
}

static void a_network_that_the_host_is_not_on(void **state)
{
	const struct offload none = { 0 };
	struct offload offload;
	struct pair pair;
	size_t len;

	(void)state;
	open_pair(&pair, false, AEAD_AES_128_GCM, PORT_CAPS);
	publish(&pair.side[0], NETWORK_SWITCH, NETWORK + 1); /* the sender's idea, not the receiver's */
	len = make_udp(frame_in, 0, 1000, 1, 100);
	inject(&pair.side[0], 0, &none, frame_in, len);
	wait_dropped(&pair.side[1], DROP_NETWORK_UNKNOWN, 1);
	assert_false(take(&pair.side[1], &offload, frame_out, &len));
	close_pair(&pair);
}

static void without_a_session_frames_are_counted_and_one_is_asked_for(void **state)
{
	const struct offload none = { 0 };
	struct pair pair;
	struct mail mail;
	size_t len;

	(void)state;
	open_pair(&pair, false, AEAD_AES_128_GCM, PORT_CAPS);
	rcu_publish(&pair.side[0].peer->sending, NULL);
	rcu_wait();
	len = make_udp(frame_in, 0, 1000, 1, 100);
	inject(&pair.side[0], 0, &none, frame_in, len);
	wait_dropped(&pair.side[0], DROP_NO_SESSION, 1);
	assert_true(mailbox_take(&pair.side[0].datapath.workers[0]->mailbox, &mail));
	assert_int_equal(mail.kind, MAIL_WANT_SESSION);
	assert_int_equal(mail.peer, pair.side[0].peer->slot);
	close_pair(&pair);
}

static void without_fragments_the_guest_is_told(void **state)
{
	const struct offload none = { 0 };
	struct offload offload;
	struct frame_info info;
	struct pair pair;
	size_t len;

	(void)state;
	no_fragments = true;
	open_pair(&pair, false, AEAD_AES_128_GCM, PORT_CAPS);
	no_fragments = false;
	len = make_udp(frame_in, 0, 1000, 1, 3000); /* with DF */
	inject(&pair.side[0], 0, &none, frame_in, len);
	assert_true(take_within(&pair.side[0], &offload, frame_out, &len, WAIT_MS));
	assert_true(frame_parse(frame_out, len, &info));
	assert_int_equal(info.l4_protocol, FRAME_PROTOCOL_ICMP);
	assert_memory_equal(frame_out, mac_of[0].bytes, MAC_BYTES);
	assert_memory_equal(frame_out + info.l4_offset, "\x03\x04", 2);
	/* the size that it names passes whole, one byte more does not */
	uint16_t mtu = frame_get16(frame_out + info.l4_offset + 6);

	len = make_udp(frame_in, 0, 1000, 2, mtu - 28U);
	inject(&pair.side[0], 0, &none, frame_in, len);
	assert_true(take_within(&pair.side[1], &offload, frame_out, &len, WAIT_MS));
	assert_int_equal(frame_get32(frame_out + 42), 2);
	len = make_udp(frame_in, 0, 1000, 3, mtu - 27U);
	inject(&pair.side[0], 0, &none, frame_in, len);
	assert_true(take_within(&pair.side[0], &offload, frame_out, &len, WAIT_MS));
	wait_dropped(&pair.side[0], drop_switch(SWITCH_DROP_TOO_BIG), 2);
	close_pair(&pair);
}

static void ports_come_and_go_under_traffic(void **state)
{
	const struct offload none = { 0 };
	struct pair pair;
	size_t len;

	(void)state;
	open_pair(&pair, false, AEAD_AES_128_GCM, PORT_CAPS);
	for (uint32_t n = 0; n < 200; n++) {
		struct offload offload;

		len = make_udp(frame_in, 0, 1000, n, 4 + random_u32() % 3000);
		(void)!memory_port_inject(pair.side[0].port.tap, n % WORKERS, &none, frame_in, len);
		while (take(&pair.side[1], &offload, frame_out, &len))
			;
		if (n % 4 == 0)
			publish(&pair.side[n / 4 % 2], n % 8 ? NETWORK_HUB : NETWORK_SWITCH, NETWORK);
	}
	close_pair(&pair);
}

static void peers_have_as_many_slots_as_they_need(void **state)
{
	const struct offload none = { 0 };
	struct offload offload;
	struct pair pair;
	size_t len;

	(void)state;
	peer_slot = NETWORK_PEERS_MAX - 1;
	open_pair(&pair, false, AEAD_AES_128_GCM, PORT_CAPS);
	peer_slot = 3;
	for (uint32_t n = 0; n < 20; n++) {
		len = make_udp(frame_in, 0, 1000, n, 100 + 400 * n);
		inject(&pair.side[0], 0, &none, frame_in, len);
		assert_true(take_within(&pair.side[1], &offload, frame_out, &len, WAIT_MS));
		assert_int_equal(frame_get32(frame_out + 42), n);
	}
	close_pair(&pair);
}

/* Side 1 with a trunk port, and two access ports of VLAN 10 */
#define FLOOD_PORTS 3U

static void publish_flood_ports(struct side *side, struct vport ports[FLOOD_PORTS])
{
	struct network_port members[FLOOD_PORTS] = { { .id = 0 } };
	const struct network_spec spec = { .id = NETWORK,
		.mode = NETWORK_SWITCH,
		.mtu_bytes = 9216,
		.lab = "lab",
		.name = "net",
		.ports = members,
		.ports_count = FLOOD_PORTS,
		.peers = &side->peer->slot,
		.peers_count = 1 };
	struct forwarding *forwarding = forwarding_new(side->datapath.forwarding->generation + 1, side->peer->slot + 1);
	struct attach_faults faults;
	struct network *network;

	for (uint32_t i = 0; i < FLOOD_PORTS; i++) {
		members[i] = (struct network_port){ .id = i };
		if (i > 0)
			members[i].vlan = (struct vlan_policy){ .mode = VLAN_ACCESS, .access = 10 };
		ports[i] = i == 0 ? side->port : (struct vport){ .slot = i, .network = NETWORK };
		if (i > 0)
			assert_int_equal(memory_port_open(WORKERS, PORT_CAPS, 256, &ports[i].tap), 0);
		forwarding->ports[i] = &ports[i];
	}
	assert_int_equal(network_new(&spec, &network), 0);
	assert_true(forwarding_add_network(forwarding, network));
	forwarding->peers[side->peer->slot] = side->peer;
	forwarding_free(datapath_publish(&side->datapath, forwarding, &faults));
	assert_int_equal(faults.count, 0);
}

/* Take what comes out of @port until @payload_bytes of pattern(@seed) have: each frame whole, in VLAN @vlan (0: no tag) */
static void take_stream(struct vport *port, uint32_t seed, size_t payload_bytes, uint16_t vlan)
{
	struct side reader = { .port = *port };
	size_t got = 0;

	while (got < payload_bytes) {
		struct offload offload;
		struct frame_info info;
		size_t len;

		assert_true(take_within(&reader, &offload, frame_out, &len, WAIT_MS));
		settle(frame_out, len, &offload, &info);
		assert_int_equal(info.tagged, vlan != 0);
		assert_int_equal(info.tci, vlan);
		assert_int_equal(frame_get32(frame_out + info.l4_offset + 4), got);
		for (size_t i = 0; i < len - info.payload_offset; i++)
			assert_int_equal(frame_out[info.payload_offset + i], pattern(seed, got + i));
		got += len - info.payload_offset;
	}
	assert_int_equal(got, payload_bytes);
}

static size_t with_tag(uint8_t *frame, size_t len, uint16_t vlan, struct offload *offload)
{
	memmove(frame + 16, frame + 12, len - 12);
	frame_put16(frame + 12, FRAME_ETHERTYPE_8021Q);
	frame_put16(frame + 14, vlan);
	offload->csum_start = (uint16_t)(offload->csum_start + 4);
	offload->header_bytes = 0;
	return len + 4;
}

static void a_flood_reaches_each_port_in_its_form(void **state)
{
	static struct vport ports[FLOOD_PORTS];
	struct offload offload;
	struct pair pair;
	size_t len;

	(void)state;
	open_pair(&pair, false, AEAD_AES_128_GCM, PORT_CAPS);
	publish_flood_ports(&pair.side[1], ports);
	/* off the wire, a super-frame that was cut for the path, for a station that nobody knows */
	len = make_tcp(frame_in, 0, 5, 0, 30000, 1460, &offload);
	len = with_tag(frame_in, len, 10, &offload);
	inject(&pair.side[0], 0, &offload, frame_in, len);
	take_stream(&ports[0], 5, 30000, 10);
	take_stream(&ports[1], 5, 30000, 0);
	take_stream(&ports[2], 5, 30000, 0);
	/* out of an access port: to its like as it is, to the trunk and to the other host with a tag */
	len = make_tcp(frame_in, 1, 6, 0, 20000, 1460, &offload);
	frame_in[5] ^= 0x77; /* nobody's address */
	while (!memory_port_inject(ports[1].tap, 0, &offload, frame_in, len))
		usleep(50);
	take_stream(&ports[2], 6, 20000, 0);
	take_stream(&ports[0], 6, 20000, 10);
	take_stream(&pair.side[0].port, 6, 20000, 10);
	assert_false(memory_port_take(ports[1].tap, 0, &offload, frame_out, sizeof(frame_out), &len));
	for (enum drop drop = 0; drop < DROPS; drop++)
		assert_int_equal(dropped(&pair.side[1], drop), 0);
	datapath_stop(&pair.side[1].datapath);
	for (uint32_t i = 1; i < FLOOD_PORTS; i++)
		tap_port_close(ports[i].tap);
	close_pair(&pair);
}

/* Publish one port and nothing else */
static void publish_port(struct datapath *datapath, struct vport *port, struct attach_faults *faults)
{
	struct forwarding *forwarding = forwarding_new(datapath->forwarding->generation + 1, 0);

	forwarding->ports[port->slot] = port;
	forwarding_free(datapath_publish(datapath, forwarding, faults));
}

static void a_queue_that_nobody_reads_is_told_and_tried_again(void **state)
{
	struct vport port = { .slot = 7, .network = NETWORK };
	struct attach_faults faults;
	struct error error;
	struct side side;
	int fd, kept;

	(void)state;
	open_side(&side, PORT_CAPS);
	assert_int_equal(memory_port_open(WORKERS, PORT_CAPS, 16, &port.tap), 0);
	fd = tap_queue_fd(port.tap, 1);
	kept = dup(fd);
	close(fd);
	publish_port(&side.datapath, &port, &faults);
	assert_int_equal(faults.count, 1);
	assert_null(attach_fault_of(&faults, 0));
	assert_non_null(attach_fault_of(&faults, 7));
	assert_int_equal(attach_fault_of(&faults, 7)->worker, 1);
	assert_int_equal(attach_fault_of(&faults, 7)->err, -EBADF);
	attach_fault_tell(attach_fault_of(&faults, 7), &error);
	assert_non_null(strstr(error.text, "worker 1 "));
	assert_int_equal(dup2(kept, fd), fd);
	close(kept);
	publish_port(&side.datapath, &port, &faults);
	assert_int_equal(faults.count, 0);
	datapath_stop(&side.datapath);
	tap_port_close(port.tap);
	tap_port_close(side.port.tap);
	datapath_fini(&side.datapath);
}

static int begin(void **state)
{
	(void)state;
	rcu_thread_begin();
	return 0;
}

static int end(void **state)
{
	(void)state;
	rcu_thread_end();
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(frames_aes128),
		cmocka_unit_test(frames_aes256),
		cmocka_unit_test(frames_chacha20),
		cmocka_unit_test(streams_join_again),
		cmocka_unit_test(streams_into_ports_without_offloads),
		cmocka_unit_test(a_lost_datagram_costs_itself_only),
		cmocka_unit_test(a_corrupt_datagram_costs_itself_only),
		cmocka_unit_test(replays_are_dropped_and_counted),
		cmocka_unit_test(random_datagrams_are_dropped_and_counted),
		cmocka_unit_test(a_network_that_the_host_is_not_on),
		cmocka_unit_test(without_a_session_frames_are_counted_and_one_is_asked_for),
		cmocka_unit_test(without_fragments_the_guest_is_told),
		cmocka_unit_test(ports_come_and_go_under_traffic),
		cmocka_unit_test(a_queue_that_nobody_reads_is_told_and_tried_again),
		cmocka_unit_test(peers_have_as_many_slots_as_they_need),
		cmocka_unit_test(a_flood_reaches_each_port_in_its_form),
	};

	return cmocka_run_group_tests(tests, begin, end);
}
