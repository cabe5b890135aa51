/*
 * tunnel.c - see tunnel.h
 */
#include "tests/e2e/attacker/tunnel.h"

#include "base/base64.h"
#include "base/clock.h"
#include "base/enrolment.h"
#include "base/error.h"
#include "base/json.h"
#include "base/random.h"
#include "base/secret.h"
#include "crypto/aead_registry.h"
#include "crypto/transport.h"
#include "lab/limits.h"

#include <arpa/inet.h>
#include <errno.h>
#include <limits.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define RETRY_MS 500U
#define SOCKET_BUFFER_BYTES (4 << 20)

static void die(const char *what, const char *detail)
{
	fprintf(stderr, "attacker: %s: %s\n", what, detail);
	exit(EXIT_FAILURE);
}

static json_t *find_host(const json_t *topology, const char *name)
{
	json_t *host;
	size_t i;

	json_array_foreach(json_object_get(topology, "hosts"), i, host) {
		const char *text = json_string_value(json_object_get(host, "name"));

		if (text && strcmp(text, name) == 0)
			return host;
	}
	return NULL;
}

static uint32_t find_network(const json_t *topology, const char *peer)
{
	json_t *network, *host;
	size_t i, j;

	json_array_foreach(json_object_get(topology, "networks"), i, network) {
		json_array_foreach(json_object_get(network, "hosts"), j, host) {
			const char *text = json_string_value(host);

			if (text && strcmp(text, peer) == 0)
				return (uint32_t)json_integer_value(json_object_get(network, "id"));
		}
	}
	return TUNNEL_NO_NETWORK;
}

static void read_topology(struct tunnel *tunnel, const char *dir, const char *peer, const char *endpoint)
{
	char path[PATH_MAX];
	json_error_t syntax;
	json_t *topology, *host;
	const char *key;

	snprintf(path, sizeof(path), "%s/topology.json", dir);
	topology = json_load_file(path, 0, &syntax);
	if (!topology)
		die(path, syntax.text);
	host = find_host(topology, peer);
	if (!host)
		die(path, "the peer is not in it");
	key = json_string_value(json_object_get(host, "tunnel_key"));
	if (!key || !base64_decode(key, tunnel->peer_key.bytes, sizeof(tunnel->peer_key.bytes)))
		die(path, "the peer has no tunnel key");
	if (!endpoint)
		endpoint = json_string_value(json_array_get(json_object_get(host, "endpoints"), 0));
	if (!endpoint || !endpoint_parse(endpoint, UDP_PORT_DEFAULT, &tunnel->peer))
		die(path, "the peer has no endpoint; give one with --endpoint");
	tunnel->network = find_network(topology, peer);
	json_decref(topology);
}

static void read_identity(struct tunnel *tunnel, const char *dir)
{
	struct error error = { "" };
	struct enrolment enrolment = { 0 };
	struct x25519_private private;

	if (enrolment_load(dir, &enrolment, &error) != 0)
		die(dir, error.text);
	memcpy(private.bytes, enrolment.tunnel_key, sizeof(private.bytes));
	memcpy(tunnel->self.psk.bytes, enrolment.psk, sizeof(tunnel->self.psk.bytes));
	if (!x25519_from_private(&private, &tunnel->self.static_key))
		die(dir, "tunnel.key is no key");
	secret_wipe(&private, sizeof(private));
	enrolment_fini(&enrolment);
}

static int family_of(const struct tunnel *tunnel)
{
	return endpoint_is_v4(&tunnel->peer) ? AF_INET : AF_INET6;
}

void tunnel_open(struct tunnel *tunnel, const char *dir, const char *peer, const char *endpoint, const char *bind_to)
{
	int size = SOCKET_BUFFER_BYTES;
	struct sockaddr_storage address;
	struct endpoint own;
	socklen_t len;

	memset(tunnel, 0, sizeof(*tunnel));
	read_identity(tunnel, dir);
	read_topology(tunnel, dir, peer, endpoint);
	if (!endpoint_parse(bind_to, UDP_PORT_DEFAULT, &own))
		die(bind_to, "is no address");
	len = endpoint_to_sockaddr(&own, family_of(tunnel), &address);
	tunnel->fd = socket(family_of(tunnel), SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (len == 0 || tunnel->fd < 0 ||
		setsockopt(tunnel->fd, SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof(size)) != 0 ||
		bind(tunnel->fd, (struct sockaddr *)&address, len) != 0)
		die(bind_to, len ? strerror(errno) : "is not of the peer's family");
	if (!cookie_jar_init(&tunnel->jar, &tunnel->peer_key))
		die("cookie jar", "OpenSSL failed");
}

static void end_session(struct tunnel *tunnel)
{
	for (unsigned int i = 0; i < TUNNEL_LANES; i++) {
		aead_free(tunnel->lanes[i]);
		tunnel->lanes[i] = NULL;
		tunnel->next[i] = 0;
	}
	secret_wipe(&tunnel->keys, sizeof(tunnel->keys));
}

void tunnel_close(struct tunnel *tunnel)
{
	end_session(tunnel);
	cookie_jar_fini(&tunnel->jar);
	secret_wipe(&tunnel->self, sizeof(tunnel->self));
	close(tunnel->fd);
}

bool tunnel_send(struct tunnel *tunnel, const uint8_t *datagram, size_t len_bytes)
{
	struct sockaddr_storage address;
	socklen_t len = endpoint_to_sockaddr(&tunnel->peer, family_of(tunnel), &address);

	return sendto(tunnel->fd, datagram, len_bytes, 0, (struct sockaddr *)&address, len) == (ssize_t)len_bytes;
}

/* Return: bytes of what came in within @wait_ms, -1 where nothing did */
static ssize_t take(struct tunnel *tunnel, uint8_t *out, size_t cap_bytes, int wait_ms)
{
	struct pollfd polled = { .fd = tunnel->fd, .events = POLLIN };
	ssize_t got = -1;

	if (poll(&polled, 1, wait_ms) > 0)
		got = recv(tunnel->fd, out, cap_bytes, MSG_DONTWAIT);
	if (got >= 0) {
		tunnel->received++;
		tunnel->received_bytes += (uint64_t)got;
	}
	return got;
}

void tunnel_drain(struct tunnel *tunnel)
{
	uint8_t datagram[TUNNEL_DATAGRAM_BYTES];

	while (take(tunnel, datagram, sizeof(datagram), 0) >= 0)
		;
}

static struct tai64n timestamp(struct tunnel *tunnel)
{
	struct timespec now;

	clock_gettime(CLOCK_REALTIME, &now);
	return tai64n_next(&tunnel->last_timestamp, tai64n_from_unix(now.tv_sec, (uint32_t)now.tv_nsec));
}

static bool send_initiation(struct tunnel *tunnel, struct handshake *handshake, const struct handshake_self *self)
{
	const struct handshake_offer offer = {
		.ciphers = { AEAD_AES_128_GCM },
		.cipher_count = 1,
		.lanes = TUNNEL_LANES,
	};
	const struct gre header = { .protocol = GRE_PROTOCOL_HANDSHAKE };
	uint32_t index = random_u32() & HANDSHAKE_INDEX_MAX;
	size_t body_bytes;

	gre_encode(&header, tunnel->initiation);
	if (handshake_initiation_create(handshake, self, &tunnel->peer_key, &tunnel->jar, timestamp(tunnel), &offer,
		    index ? index : 1, instant_now(), tunnel->initiation + GRE_HEADER_BYTES,
		    &body_bytes) != HANDSHAKE_OK)
		return false;
	tunnel->initiation_bytes = GRE_HEADER_BYTES + body_bytes;
	return tunnel_send(tunnel, tunnel->initiation, tunnel->initiation_bytes);
}

size_t tunnel_seal(struct tunnel *tunnel, uint8_t lane, const uint8_t *plain, size_t len_bytes, uint8_t *out)
{
	const struct gre header = {
		.protocol = GRE_PROTOCOL_SEALED,
		.session = tunnel->keys.remote_index,
		.lane = lane,
		.counter = tunnel->next[lane]++,
	};

	gre_encode(&header, out);
	if (!aead_seal(tunnel->lanes[lane], header.counter, out, plain, len_bytes, out + GRE_HEADER_BYTES))
		die("sealing", "OpenSSL failed");
	return GRE_HEADER_BYTES + len_bytes + AEAD_TAG_BYTES;
}

/* Lanes, and a first datagram, without which the peer would not take the session for its current one */
static bool start_session(struct tunnel *tunnel)
{
	uint8_t keepalive[TUNNEL_DATAGRAM_BYTES];

	for (uint8_t i = 0; i < TUNNEL_LANES; i++) {
		tunnel->lanes[i] =
			transport_lane_new(aead_backend_openssl(), &tunnel->keys.send, tunnel->keys.cipher, i);
		if (!tunnel->lanes[i])
			return false;
	}
	return tunnel_send(tunnel, keepalive, tunnel_seal(tunnel, 0, NULL, 0, keepalive));
}

/* Wait for what answers the initiation.  Return: whether there are keys now */
static bool await_response(struct tunnel *tunnel, struct handshake *handshake, unsigned int *answers)
{
	struct instant until = instant_add_ms(instant_now(), RETRY_MS);
	uint8_t datagram[TUNNEL_DATAGRAM_BYTES];

	while (!instant_reached(instant_now(), until)) {
		ssize_t got = take(tunnel, datagram, sizeof(datagram), (int)instant_since_ms(until, instant_now()) + 1);
		const uint8_t *body = datagram + GRE_HEADER_BYTES;
		struct gre header;
		uint32_t receiver;

		if (got < 0 || gre_decode(datagram, (size_t)got, &header) != GRE_OK ||
			header.protocol != GRE_PROTOCOL_HANDSHAKE)
			continue;
		if (cookie_reply_receiver(body, (size_t)got - GRE_HEADER_BYTES, &receiver) &&
			receiver == handshake->local_index &&
			cookie_reply_consume(&tunnel->jar, body, (size_t)got - GRE_HEADER_BYTES, instant_now()))
			return false; /* the next initiation carries it */
		if (!handshake_response_receiver(body, (size_t)got - GRE_HEADER_BYTES, &receiver) ||
			receiver != handshake->local_index)
			continue;
		(*answers)++;
		if (handshake_response_consume(handshake, body, (size_t)got - GRE_HEADER_BYTES, &tunnel->keys) ==
			HANDSHAKE_OK)
			return true;
	}
	return false;
}

bool tunnel_handshake(struct tunnel *tunnel, const struct handshake_self *self, unsigned int tries,
	unsigned int *answers)
{
	struct handshake handshake;
	bool done = false;

	*answers = 0;
	end_session(tunnel);
	handshake_init(&handshake);
	for (unsigned int i = 0; i < tries && !done; i++)
		done = send_initiation(tunnel, &handshake, self) && await_response(tunnel, &handshake, answers);
	handshake_fini(&handshake);
	return done && start_session(tunnel);
}
