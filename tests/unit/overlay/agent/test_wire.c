/*
 * test_wire.c - an overlay on a real socket: what arrives, what is sent, what workers tell
 *
 * In a network namespace of its own, without worker threads: their mailboxes are the test's to fill.
 */
#include "overlay/agent/wire.h"

#include <errno.h>
#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/rcu.h"
#include "crypto/aead_registry.h"
#include "encap/gre.h"
#include "overlay/datapath/worker.h"
#include "tests/unit/netns.h"
#include "underlay/addresses.h"
#include "underlay/route.h"
#include "underlay/udp.h"

#define PORT_OURS 4754U
#define PORT_THEIRS 4755U
#define WAIT_MS 2000
#define A_TURN 64U /* datagrams that one call takes */

static struct agent *agent;
static struct underlay *theirs;
static struct endpoint at_ours, at_theirs;

static int open_wire(void **state)
{
	struct error error;

	(void)state;
	agent = calloc(1, sizeof(*agent));
	agent->now = instant_now();
	assert_true(x25519_generate(&agent->config.self.static_key));
	for (int cipher = 1; cipher <= (int)OVERLAY_CIPHERS; cipher++)
		agent->backends[cipher] = aead_backend_openssl();
	agent->routes = route_cache_new(hash_seed_random(), &error);
	assert_non_null(agent->routes);
	agent->addresses = addresses_new(hash_seed_random(), &error);
	assert_non_null(agent->addresses);
	assert_int_equal(udp_open(PORT_OURS, 1, &agent->datapath.underlay, &error), 0);
	assert_int_equal(udp_open(PORT_THEIRS, 1, &theirs, &error), 0);
	agent->datapath.time_scale = 1;
	agent->datapath.workers_count = 1;
	agent->datapath.workers[0] = calloc(1, sizeof(struct worker));
	assert_non_null(agent->datapath.workers[0]);
	assert_true(wire_start(agent));
	assert_true(endpoint_parse("127.0.0.1", PORT_OURS, &at_ours));
	assert_true(endpoint_parse("127.0.0.1", PORT_THEIRS, &at_theirs));
	return 0;
}

static int close_wire(void **state)
{
	(void)state;
	overlay_fini(&agent->overlay);
	rcu_drain();
	session_table_fini(&agent->datapath.sessions);
	underlay_close(agent->datapath.underlay);
	underlay_close(theirs);
	route_cache_free(agent->routes);
	addresses_free(agent->addresses);
	free(agent->datapath.workers[0]);
	free(agent);
	return 0;
}

static bool waits(const struct underlay *underlay)
{
	struct pollfd ready = { .fd = underlay_descriptor(underlay, UNDERLAY_CONTROL), .events = POLLIN };

	return poll(&ready, 1, WAIT_MS) == 1;
}

static uint64_t dropped(enum drop drop)
{
	return counter_read(&agent->overlay.drops.count[drop]);
}

/* A datagram that is steered to the control thread and has nothing in it; at least a header long */
static void send_garbage(size_t len_bytes)
{
	static const uint8_t handshake[8] = { 0x30, 0, 0x88, 0xb6 };
	uint8_t bytes[2000] = { 0 };

	memcpy(bytes, handshake, sizeof(handshake));
	assert_int_equal(underlay_control_send(theirs, &at_ours, bytes, len_bytes), 0);
}

static void ready(void)
{
	wire_ready(underlay_descriptor(agent->datapath.underlay, UNDERLAY_CONTROL), EV_READ, agent);
}

static void garbage_is_counted(void **state)
{
	static const size_t lengths[] = { GRE_HEADER_BYTES, GRE_HEADER_BYTES + 1, 100, 2000 };
	const struct instant before = agent->now;

	(void)state;
	ready(); /* nothing waits */
	for (size_t i = 0; i < sizeof(lengths) / sizeof(lengths[0]); i++) {
		send_garbage(lengths[i]);
		assert_true(waits(agent->datapath.underlay));
		ready();
		assert_int_equal(dropped(drop_handshake(HANDSHAKE_DROP_TYPE)), i + 1);
	}
	assert_true(agent->now.ns > before.ns);
	assert_int_equal(agent->overlay.now.ns, agent->now.ns);
}

/* Who floods us does not keep us from the rest of the loop */
static void a_turn_takes_so_many(void **state)
{
	uint64_t taken;

	(void)state;
	for (unsigned int i = 0; i < A_TURN + 3; i++)
		send_garbage(100);
	assert_true(waits(agent->datapath.underlay));
	ready();
	taken = dropped(drop_handshake(HANDSHAKE_DROP_TYPE));
	assert_int_equal(taken, A_TURN);
	ready();
	assert_int_equal(dropped(drop_handshake(HANDSHAKE_DROP_TYPE)), A_TURN + 3);
}

static struct peer *meet(const struct endpoint *endpoint)
{
	struct x25519_keypair key;
	struct peer *peer;

	assert_true(x25519_generate(&key));
	peer = overlay_add_peer(&agent->overlay, "other", &key.public, agent->now);
	assert_non_null(peer);
	overlay_endpoints(&agent->overlay, peer, endpoint, 1, agent->now);
	return peer;
}

/* Return: the type of the handshake that arrived at the other's */
static enum handshake_type arrived(void)
{
	uint8_t bytes[2000];
	struct endpoint from;
	struct gre header;
	int len;

	assert_true(waits(theirs));
	len = underlay_control_receive(theirs, bytes, sizeof(bytes), &from);
	assert_true(len > (int)GRE_HEADER_BYTES);
	assert_int_equal(from.port, PORT_OURS);
	assert_int_equal(gre_decode(bytes, (size_t)len, &header), GRE_OK);
	assert_int_equal(header.protocol, GRE_PROTOCOL_HANDSHAKE);
	return handshake_type(bytes + GRE_HEADER_BYTES, (size_t)len - GRE_HEADER_BYTES);
}

static void initiations_leave_by_the_socket(void **state)
{
	(void)state;
	(void)meet(&at_theirs);
	(void)overlay_poll(&agent->overlay, agent->now).ns;
	assert_int_equal(arrived(), HANDSHAKE_TYPE_INITIATION);
}

/* The kernel's answer, until it is known to have changed */
static void the_routes_say_how_wide_a_way_is(void **state)
{
	const struct overlay_ops *ops = agent->overlay.config.ops;
	struct endpoint nowhere;

	(void)state;
	assert_true(endpoint_parse("192.0.2.1", PORT_THEIRS, &nowhere)); /* the namespace has no way out */
	assert_int_equal(netns_run("ip link set lo mtu 9000"), 0);
	route_cache_flush(agent->routes);
	assert_int_equal(ops->route_mtu(agent, &at_theirs), 9000);
	assert_int_equal(ops->device_mtu(agent, &at_theirs), 9000);
	assert_int_equal(ops->route_mtu(agent, &nowhere), 0);
	assert_int_equal(netns_run("ip link set lo mtu 65536"), 0);
	assert_int_equal(ops->route_mtu(agent, &at_theirs), 9000); /* remembered, until it is told */
	route_cache_flush(agent->routes);
	assert_int_equal(ops->route_mtu(agent, &at_theirs), 65536);
	assert_true(ops->send(agent, &nowhere, "x", 1) < 0);
}

static void mail(enum mail_kind kind, uint32_t peer)
{
	const struct mail one = { .kind = kind, .peer = peer, .session = 77, .bytes = 1400 };

	assert_true(mailbox_put(&agent->datapath.workers[0]->mailbox, &one));
}

/* Of sessions and peers that are gone meanwhile it is of no consequence, and all of it is taken */
static void mail_of_what_is_gone(void **state)
{
	struct mail left;

	(void)state;
	for (int kind = MAIL_CONFIRMED; kind <= MAIL_TOO_BIG; kind++)
		mail((enum mail_kind)kind, 5);
	wire_take_mail(agent);
	assert_false(mailbox_take(&agent->datapath.workers[0]->mailbox, &left));
	assert_int_equal(agent->overlay.now.ns, agent->now.ns);
	for (enum drop drop = 0; drop < DROPS; drop++)
		assert_int_equal(dropped(drop), 0);
}

/* Frames that wait for a session end the long wait of a peer that has not answered for a minute */
static void mail_that_wants_a_session(void **state)
{
	const struct peer *peer = meet(&at_theirs);
	uint8_t bytes[2000];
	struct endpoint from;

	(void)state;
	for (;;) {
		struct instant next = overlay_poll(&agent->overlay, agent->now);

		if (next.ns > instant_add_ms(agent->now, 2 * CONTACT_RETRY_MAX_MS).ns)
			break;
		agent->now = next;
	}
	agent->now = instant_add_ms(agent->now, PACING_MS + 1);
	assert_int_equal(arrived(), HANDSHAKE_TYPE_INITIATION);
	while (underlay_control_receive(theirs, bytes, sizeof(bytes), &from) >= 0)
		;
	mail(MAIL_WANT_SESSION, peer->slot);
	wire_take_mail(agent);
	(void)overlay_poll(&agent->overlay, agent->now).ns;
	assert_int_equal(arrived(), HANDSHAKE_TYPE_INITIATION);
}

static int begin(void **state)
{
	(void)state;
	netns_enter();
	return netns_run("ip link set lo up");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(garbage_is_counted, open_wire, close_wire),
		cmocka_unit_test_setup_teardown(a_turn_takes_so_many, open_wire, close_wire),
		cmocka_unit_test_setup_teardown(initiations_leave_by_the_socket, open_wire, close_wire),
		cmocka_unit_test_setup_teardown(the_routes_say_how_wide_a_way_is, open_wire, close_wire),
		cmocka_unit_test_setup_teardown(mail_of_what_is_gone, open_wire, close_wire),
		cmocka_unit_test_setup_teardown(mail_that_wants_a_session, open_wire, close_wire),
	};
	int failed;

	rcu_thread_begin();
	failed = cmocka_run_group_tests(tests, begin, NULL);
	rcu_thread_end();
	return failed;
}
