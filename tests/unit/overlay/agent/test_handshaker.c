/*
 * test_handshaker.c - two control threads' halves in one process, shaking hands over loopback
 *
 * Sockets and handshakes are real; the workers are not there, so the test itself says when a session's first datagram has come.
 * It may take datagrams off a socket before their agent sees them: lost, or kept to be sent again.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/random.h"
#include "base/rcu.h"
#include "crypto/aead_registry.h"
#include "encap/gre.h"
#include "overlay/agent/agent.h"
#include "overlay/agent/handshaker.h"
#include "overlay/agent/liveness.h"
#include "underlay/route.h"
#include "underlay/udp.h"

#define WORKERS 2U
#define SLOT 3U /* of the other side */
#define WAIT_MS 500

struct side {
	struct agent agent;
	struct peer *peer; /* the other side */
	struct endpoint endpoint;
};

static struct side *a, *b;

static void open_side(struct side *side, const struct noise_psk *psk)
{
	struct agent *agent = &side->agent;
	struct error error;
	uint16_t port;

	agent->now = instant_now();
	agent->sender = WORKERS;
	agent->datapath.workers_count = WORKERS;
	agent->datapath.time_scale = 1;
	do
		port = (uint16_t)(20000 + random_u32() % 20000);
	while (udp_open(port, WORKERS, &agent->datapath.underlay, &error) < 0);
	agent->routes = route_cache_new(hash_seed_random(), &error);
	assert_non_null(agent->routes);
	assert_true(endpoint_parse("127.0.0.1", port, &side->endpoint));
	assert_true(x25519_generate(&agent->config.self.static_key));
	agent->config.self.psk = *psk;
	for (int cipher = 1; cipher <= (int)AGENT_CIPHERS; cipher++)
		agent->backends[cipher] = aead_backend_openssl();
	assert_true(handshaker_start(agent));
}

static void know(struct side *side, const struct side *other, const char *name)
{
	side->peer = peer_new(SLOT, name, &other->agent.config.self.static_key.public);
	assert_non_null(side->peer);
	side->peer->endpoints[0] = other->endpoint;
	side->peer->endpoints_count = 1;
	side->agent.peers[SLOT] = side->peer;
}

static void unknow(struct side *side)
{
	if (!side->peer)
		return;
	handshaker_forget(&side->agent, side->peer);
	handshaker_reap(&side->agent);
	peer_free(side->peer);
	side->peer = NULL;
	side->agent.peers[SLOT] = NULL;
}

static int open_sides(void **state)
{
	struct noise_psk psk;

	(void)state;
	random_fill(&psk, sizeof(psk));
	a = calloc(1, sizeof(*a));
	b = calloc(1, sizeof(*b));
	open_side(a, &psk);
	open_side(b, &psk);
	know(a, b, "b");
	know(b, a, "a");
	return 0;
}

static void close_side(struct side *side)
{
	unknow(side);
	assert_int_equal(side->agent.datapath.sessions.count, 0);
	session_table_fini(&side->agent.datapath.sessions);
	handshaker_stop(&side->agent);
	underlay_close(side->agent.datapath.underlay);
	route_cache_free(side->agent.routes);
	free(side);
}

static int close_sides(void **state)
{
	(void)state;
	close_side(a);
	close_side(b);
	return 0;
}

/* ---- moving datagrams -------------------------------------------------------------------------------------- */

static int control_fd(const struct side *side)
{
	return underlay_descriptor(side->agent.datapath.underlay, UNDERLAY_CONTROL);
}

static bool waits(int fd, int ms)
{
	struct pollfd ready = { .fd = fd, .events = POLLIN };

	return poll(&ready, 1, ms) == 1;
}

/* One or more handshake datagrams reach @side */
static void pump(struct side *side)
{
	assert_true(waits(control_fd(side), WAIT_MS));
	handshaker_ready(control_fd(side), 0, &side->agent);
}

/* Take one from under @side's nose.  Return: its length, 0 where none is there */
static size_t intercept(struct side *side, uint8_t datagram[2048])
{
	ssize_t len = waits(control_fd(side), WAIT_MS) ? recv(control_fd(side), datagram, 2048, 0) : 0;

	return len > 0 ? (size_t)len : 0;
}

static void send_again(struct side *from, const struct side *to, const uint8_t *datagram, size_t len)
{
	assert_int_equal(underlay_control_send(from->agent.datapath.underlay, &to->endpoint, datagram, len), 0);
}

static void initiate(struct side *side)
{
	side->agent.now = instant_now();
	handshaker_initiate(&side->agent, side->peer);
}

static void confirm(struct side *side)
{
	assert_non_null(side->peer->next);
	handshaker_confirmed(&side->agent, side->peer->next);
}

static uint64_t dropped(const struct side *side, enum drop drop)
{
	return counter_read(&side->agent.drops.count[drop]);
}

static uint64_t dropped_at_all(const struct side *side)
{
	uint64_t sum = 0;

	for (enum drop drop = 0; drop < DROPS; drop++)
		sum += dropped(side, drop);
	return sum;
}

/* What @from sends in its session opens at @to */
static void assert_heard(struct side *from, struct side *to)
{
	struct session *sending = from->peer->sending, *receiving;
	uint8_t datagram[GRE_HEADER_BYTES + 5 + AEAD_TAG_BYTES], out[5];
	struct gre header;

	assert_non_null(sending);
	assert_ptr_equal(sending, from->peer->current);
	for (uint32_t lane = 0; lane < WORKERS; lane++) {
		assert_int_equal(session_seal(sending, lane, lane, datagram, (const uint8_t *)"hello", 5), SEAL_OK);
		assert_int_equal(gre_decode(datagram, sizeof(datagram), &header), GRE_OK);
		receiving = session_lookup(&to->agent.datapath.sessions, header.session);
		assert_non_null(receiving);
		assert_ptr_equal(receiving->peer, to->peer);
		assert_int_equal(receiving->rx_lanes, WORKERS);
		assert_true(aead_open(receiving->rx[lane].aead, header.counter, datagram, datagram + GRE_HEADER_BYTES,
			5 + AEAD_TAG_BYTES, out));
		assert_memory_equal(out, "hello", 5);
	}
}

static void shake(struct side *initiator, struct side *responder)
{
	initiate(initiator);
	pump(responder);
	pump(initiator);
	confirm(responder);
	assert_heard(initiator, responder);
	assert_heard(responder, initiator);
}

/* ---- tests ------------------------------------------------------------------------------------------------- */

static void a_handshake(void **state)
{
	struct session *first;

	(void)state;
	initiate(a);
	assert_int_not_equal(a->peer->handshake_index, 0);
	pump(b);
	assert_non_null(b->peer->next);
	assert_null(b->peer->sending); /* not before the other has shown that it is there */
	pump(a);
	assert_int_equal(a->peer->handshake_index, 0);
	assert_true(endpoint_equal(&a->peer->path->endpoint, &b->endpoint));
	assert_true(waits(underlay_descriptor(b->agent.datapath.underlay, 0),
		WAIT_MS)); /* the probe that confirms, steered to the worker */
	confirm(b);
	assert_heard(a, b);
	assert_heard(b, a);
	first = a->peer->current;
	shake(a, b);
	assert_ptr_equal(a->peer->previous[0], first);
	assert_int_equal(a->peer->sessions_count, 2);
	assert_int_equal(dropped_at_all(a) + dropped_at_all(b), 0);
}

static void both_at_once(void **state)
{
	(void)state;
	for (int round = 0; round < 20; round++) {
		initiate(a);
		initiate(b);
		pump(a);
		pump(b); /* the question and the answer */
		pump(a);
		assert_heard(a, b);
		assert_heard(b, a);
		if (round % 2)
			confirm(a);
		if (round % 3)
			confirm(b);
		assert_heard(a, b);
		assert_heard(b, a);
	}
	assert_int_equal(dropped_at_all(a) + dropped_at_all(b), 0);
}

static void a_lost_response(void **state)
{
	uint8_t late[2048];
	struct session *next;
	size_t len;

	(void)state;
	initiate(a);
	pump(b);
	next = b->peer->next;
	len = intercept(a, late);
	assert_true(len > 0);
	initiate(a);
	pump(b);
	assert_ptr_not_equal(b->peer->next, next);
	send_again(b, a, late, len); /* the answer to the question that was asked before */
	pump(a);
	if (!a->peer->current)
		pump(a);
	assert_int_equal(dropped(a, DROP_FROM_HANDSHAKE_INDEX), 1);
	confirm(b);
	assert_heard(a, b);
	assert_heard(b, a);
}

static void a_lost_initiation(void **state)
{
	uint8_t lost[2048];

	(void)state;
	for (int i = 0; i < 5; i++) {
		initiate(a);
		assert_true(intercept(b, lost) > 0);
	}
	shake(a, b);
}

static void replays_change_nothing(void **state)
{
	uint8_t initiation[2048], response[2048];
	struct session *current, *next;
	size_t len, response_len;

	(void)state;
	initiate(a);
	len = intercept(b, initiation);
	send_again(a, b, initiation, len);
	pump(b);
	next = b->peer->next;
	response_len = intercept(a, response);
	send_again(b, a, response, response_len);
	pump(a);
	current = a->peer->current;
	confirm(b);
	for (int i = 0; i < 10; i++) {
		send_again(a, b, initiation, len);
		pump(b);
		send_again(b, a, response, response_len);
		pump(a);
	}
	assert_int_equal(dropped(b, DROP_HANDSHAKE_REPLAY), 10);
	assert_int_equal(dropped(a, DROP_FROM_HANDSHAKE_INDEX), 10);
	assert_ptr_equal(a->peer->current, current);
	assert_ptr_equal(b->peer->current, next);
	assert_null(b->peer->next);
}

/* An agent that was restarted remembers no timestamps: an old initiation gets an answer, but no session is used */
static void replays_after_a_restart(void **state)
{
	uint8_t initiation[2048];
	size_t len;

	(void)state;
	initiate(a);
	len = intercept(b, initiation);
	send_again(a, b, initiation, len);
	pump(b);
	pump(a);
	unknow(b);
	know(b, a, "a");
	send_again(a, b, initiation, len);
	pump(b);
	assert_non_null(b->peer->next);
	assert_null(b->peer->sending);
	pump(a);
	assert_int_equal(dropped(a, DROP_FROM_HANDSHAKE_INDEX), 1);
	shake(b, a);
	assert_non_null(b->peer->next); /* waits in vain */
	shake(a, b);
	send_again(a, b, initiation, len);
	pump(b);
	assert_int_equal(dropped(b, DROP_HANDSHAKE_REPLAY), 1);
	assert_null(b->peer->next);
}

static void another_fabrics_psk(void **state)
{
	(void)state;
	random_fill(&b->agent.config.self.psk, sizeof(b->agent.config.self.psk));
	initiate(a);
	pump(b);
	pump(a);
	assert_int_equal(dropped(a, DROP_FROM_HANDSHAKE_AUTH), 1);
	assert_null(a->peer->current);
	assert_null(a->peer->sending);
	assert_int_not_equal(a->peer->handshake_index, 0); /* it still waits for the right answer */
}

static void strangers_get_no_answer(void **state)
{
	uint8_t answer[2048];

	(void)state;
	unknow(b);
	initiate(a);
	pump(b);
	assert_int_equal(dropped(b, DROP_HANDSHAKE_STRANGER), 1);
	assert_int_equal(intercept(a, answer), 0);
}

static void meant_for_another_key(void **state)
{
	(void)state;
	unknow(a);
	know(a, a, "a"); /* the right address, the wrong key */
	a->peer->endpoints[0] = b->endpoint;
	initiate(a);
	pump(b);
	assert_int_equal(dropped(b, DROP_HANDSHAKE_MAC), 1);
}

static void every_byte_changed(void **state)
{
	uint8_t initiation[2048];
	uint64_t before;
	size_t len;

	(void)state;
	initiate(a);
	len = intercept(b, initiation);
	for (size_t i = 0; i < len - COOKIE_MAC_BYTES; i++) { /* mac2 counts under load only */
		initiation[i] ^= 0x41;
		before = dropped_at_all(b);
		send_again(a, b, initiation, len);
		if (waits(control_fd(b), i >= 2 && i < 4 ? 20 : WAIT_MS)) { /* another protocol is the workers' */
			handshaker_ready(control_fd(b), 0, &b->agent);
			/* session, lane and counter of the clear header mean nothing in an initiation */
			if (i >= GRE_HEADER_BYTES || i < 2)
				assert_int_equal(dropped_at_all(b), before + 1);
		}
		if (b->peer->next) { /* those of the clear header */
			assert_true(i < GRE_HEADER_BYTES);
			unknow(b);
			know(b, a, "a");
			while (waits(control_fd(a), 5))
				handshaker_ready(control_fd(a), 0, &a->agent);
		}
		initiation[i] ^= 0x41;
	}
	for (size_t cut = 0; cut < len; cut++) {
		before = dropped_at_all(b);
		send_again(a, b, initiation, cut);
		if (waits(control_fd(b), cut < 4 ? 20 : WAIT_MS)) {
			handshaker_ready(control_fd(b), 0, &b->agent);
			assert_int_equal(dropped_at_all(b), before + 1);
		}
	}
	assert_null(b->peer->next);
}

/* No tokens, and none for a while */
static void load(struct side *side)
{
	side->agent.handshake_load.tokens_micro = 0;
	side->agent.handshake_load.updated = instant_add_ms(instant_now(), 60000);
}

static void a_responder_under_load(void **state)
{
	(void)state;
	load(b);
	initiate(a);
	pump(b);
	assert_int_equal(dropped(b, DROP_HANDSHAKE_COOKIE), 1);
	assert_null(b->peer->next);
	pump(a); /* the cookie */
	assert_int_equal(a->peer->attempt_at.ns, a->agent.now.ns);
	shake(a, b);
	assert_int_equal(dropped(b, DROP_HANDSHAKE_COOKIE), 1);
}

/* A response needs a cookie as well: the host under load could not begin a session otherwise */
static void an_initiator_under_load(void **state)
{
	(void)state;
	load(a);
	initiate(a);
	pump(b);
	pump(a);
	assert_int_equal(dropped(a, DROP_HANDSHAKE_COOKIE), 1);
	assert_null(a->peer->current);
	pump(b); /* the cookie, for its response */
	assert_int_equal(dropped_at_all(b), 0);
	shake(a, b);
	assert_int_equal(dropped(a, DROP_HANDSHAKE_COOKIE), 1);
}

static void a_peer_that_asks_without_end(void **state)
{
	const uint64_t count = 200;

	(void)state;
	for (uint64_t i = 0; i < count; i++) {
		initiate(a);
		pump(b);
	}
	assert_in_range(dropped(b, DROP_HANDSHAKE_RATE), count / 4, count - 50);
	handshaker_ready(control_fd(b), 0, &b->agent);
	assert_int_equal(b->agent.retired_count, 0);
}

static void lifetimes_end(void **state)
{
	uint32_t index;

	(void)state;
	shake(a, b);
	index = a->peer->current->index;
	a->agent.now = instant_add_ms(a->peer->current->created, SESSION_REJECT_MS - 1);
	a->peer->attempt_at.ns = UINT64_MAX; /* no rekeying here */
	(void)liveness_tick(&a->agent);
	assert_non_null(a->peer->sending);
	a->agent.now = instant_add_ms(a->agent.now, 2);
	(void)liveness_tick(&a->agent);
	assert_null(a->peer->sending);
	assert_null(a->peer->current);
	assert_null(session_lookup(&a->agent.datapath.sessions, index));
	assert_int_equal(a->agent.retired_count, 0);
}

/* Whatever is lost and whenever each side asks: once datagrams pass, both hear each other */
static void any_order_of_events(void **state)
{
	uint8_t lost[2048];

	(void)state;
	for (int i = 0; i < 600; i++) {
		struct side *side = random_u32() % 2 ? a : b;

		side->peer->initiations.updated.ns = 0; /* as if time had passed */
		switch (random_u32() % 5) {
		case 0:
			initiate(side);
			break;
		case 1:
		case 2:
			if (waits(control_fd(side), 0))
				handshaker_ready(control_fd(side), 0, &side->agent);
			break;
		case 3:
			if (waits(control_fd(side), 0))
				(void)!recv(control_fd(side), lost, sizeof(lost), 0);
			break;
		default:
			if (side->peer->next && random_u32() % 2)
				confirm(side);
			break;
		}
	}
	while (waits(control_fd(a), 5) || waits(control_fd(b), 5)) {
		handshaker_ready(control_fd(a), 0, &a->agent);
		handshaker_ready(control_fd(b), 0, &b->agent);
	}
	shake(a, b);
	shake(b, a);
}

/* The session of one side only: the other was killed.  It comes back as a stranger to the old one */
static void a_restarted_side_is_heard_again(void **state)
{
	(void)state;
	shake(a, b);
	unknow(a);
	know(a, b, "b");
	shake(a, b);
	unknow(b);
	know(b, a, "a");
	shake(b, a);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, open_sides, close_sides)
	const struct CMUnitTest tests[] = {
		TEST(a_handshake),
		TEST(both_at_once),
		TEST(a_lost_response),
		TEST(a_lost_initiation),
		TEST(replays_change_nothing),
		TEST(replays_after_a_restart),
		TEST(another_fabrics_psk),
		TEST(strangers_get_no_answer),
		TEST(meant_for_another_key),
		TEST(every_byte_changed),
		TEST(a_responder_under_load),
		TEST(an_initiator_under_load),
		TEST(a_peer_that_asks_without_end),
		TEST(lifetimes_end),
		TEST(any_order_of_events),
		TEST(a_restarted_side_is_heard_again),
	};
	int failed;

	rcu_thread_begin();
	failed = cmocka_run_group_tests(tests, NULL, NULL);
	rcu_thread_end();
	return failed;
}
