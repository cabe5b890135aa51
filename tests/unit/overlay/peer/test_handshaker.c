/*
 * test_handshaker.c - two sides shake hands in memory; datagrams are lost, kept, changed and sent again
 *
 * The handshaker alone: whom to ask and when is the test's to say, as is when a session's first datagram has come.
 */
#include "tests/unit/overlay/peer/sides.h"

#include "overlay/peer/handshaker.h"

/* Take handshakes that have come, until there is none */
static void pump(struct side *side)
{
	struct datagram datagram;

	assert_true(side->waiting > 0);
	while (intercept(side, &datagram)) {
		side->overlay.now = now;
		(void)handshaker_take(&side->overlay, datagram.bytes, datagram.len, &datagram.from);
	}
}

static struct handshaker_news take_one(struct side *side)
{
	struct datagram datagram;

	assert_true(intercept(side, &datagram));
	side->overlay.now = now;
	return handshaker_take(&side->overlay, datagram.bytes, datagram.len, &datagram.from);
}

static void send_again(struct side *to, const struct datagram *datagram)
{
	assert_true(to->waiting < INBOX);
	to->inbox[to->waiting++] = *datagram;
}

static struct side *other(const struct side *side)
{
	return side == a ? b : a;
}

static void pass(uint64_t ms)
{
	now = instant_add_ms(now, ms);
}

static void initiate(struct side *side)
{
	pass(1);
	side->overlay.now = now;
	handshaker_initiate(&side->overlay, side->peer, &other(side)->endpoint, 1);
}

static void confirm(struct side *side)
{
	assert_non_null(side->peer->next);
	assert_true(peer_session_confirm(side->peer, &side->sessions, side->peer->next));
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
	struct datagram late;
	struct session *next;

	(void)state;
	initiate(a);
	pump(b);
	next = b->peer->next;
	assert_true(intercept(a, &late));
	initiate(a);
	pump(b);
	assert_ptr_not_equal(b->peer->next, next);
	send_again(a, &late); /* the answer to the question that was asked before */
	pump(a);
	assert_int_equal(dropped(a, drop_handshake(HANDSHAKE_DROP_INDEX)), 1);
	confirm(b);
	assert_heard(a, b);
	assert_heard(b, a);
}

static void a_lost_initiation(void **state)
{
	struct datagram lost;

	(void)state;
	for (int i = 0; i < 5; i++) {
		initiate(a);
		assert_true(intercept(b, &lost));
	}
	shake(a, b);
}

static void replays_change_nothing(void **state)
{
	struct datagram initiation, response;
	struct session *current, *next;

	(void)state;
	initiate(a);
	assert_true(intercept(b, &initiation));
	send_again(b, &initiation);
	pump(b);
	next = b->peer->next;
	assert_true(intercept(a, &response));
	send_again(a, &response);
	pump(a);
	current = a->peer->current;
	confirm(b);
	for (int i = 0; i < 10; i++) {
		send_again(b, &initiation);
		pump(b);
		send_again(a, &response);
		pump(a);
	}
	assert_int_equal(dropped(b, DROP_HANDSHAKE_REPLAY), 10);
	assert_int_equal(dropped(a, drop_handshake(HANDSHAKE_DROP_INDEX)), 10);
	assert_ptr_equal(a->peer->current, current);
	assert_ptr_equal(b->peer->current, next);
	assert_null(b->peer->next);
}

/* An agent that was restarted remembers no timestamps: an old initiation gets an answer, but no session is used */
static void replays_after_a_restart(void **state)
{
	struct datagram initiation;

	(void)state;
	initiate(a);
	assert_true(intercept(b, &initiation));
	send_again(b, &initiation);
	pump(b);
	pump(a);
	unknow(b);
	know(b, a, "a");
	send_again(b, &initiation);
	pump(b);
	assert_non_null(b->peer->next);
	assert_null(b->peer->sending);
	pump(a);
	assert_int_equal(dropped(a, drop_handshake(HANDSHAKE_DROP_INDEX)), 1);
	shake(b, a);
	assert_non_null(b->peer->next); /* waits in vain */
	shake(a, b);
	send_again(b, &initiation);
	pump(b);
	assert_int_equal(dropped(b, DROP_HANDSHAKE_REPLAY), 1);
	assert_null(b->peer->next);
}

static void another_fabrics_psk(void **state)
{
	(void)state;
	random_fill(&b->self.psk, sizeof(b->self.psk));
	initiate(a);
	pump(b);
	pump(a);
	assert_int_equal(dropped(a, drop_handshake(HANDSHAKE_DROP_AUTH)), 1);
	assert_null(a->peer->current);
	assert_null(a->peer->sending);
	assert_int_not_equal(a->peer->handshake_index, 0); /* it still waits for the right answer */
}

static void strangers_get_no_answer(void **state)
{
	(void)state;
	unknow(b);
	initiate(a);
	pump(b);
	assert_int_equal(dropped(b, DROP_HANDSHAKE_STRANGER), 1);
	assert_int_equal(a->waiting, 0);
}

static void the_forgotten_are_strangers(void **state)
{
	(void)state;
	shake(a, b);
	overlay_forget(&b->overlay, b->peer, now);
	assert_null(b->peer->sending);
	assert_int_equal(b->sessions.count, 0);
	initiate(a);
	pump(b);
	assert_int_equal(dropped(b, DROP_HANDSHAKE_STRANGER), 1);
	overlay_forget(&b->overlay, b->peer, now);
}

static void meant_for_another_key(void **state)
{
	(void)state;
	unknow(a);
	know(a, a, "a"); /* the right address, the wrong key */
	initiate(a);
	pump(b);
	assert_int_equal(dropped(b, DROP_HANDSHAKE_MAC), 1);
}

/* Return: how many drops @datagram caused at b */
static uint64_t drops_of(const struct datagram *datagram)
{
	uint64_t before = dropped_at_all(b);

	send_again(b, datagram);
	pump(b);
	return dropped_at_all(b) - before;
}

static void every_byte_changed(void **state)
{
	struct datagram initiation;
	size_t len;

	(void)state;
	initiate(a);
	assert_true(intercept(b, &initiation));
	len = initiation.len;
	for (size_t i = 0; i < len - COOKIE_MAC_BYTES; i++) { /* mac2 counts under load only */
		uint64_t drops;

		initiation.bytes[i] ^= 0x41;
		drops = drops_of(&initiation);
		/* session, lane and counter of the clear header mean nothing in an initiation */
		assert_int_equal(drops, i < 4 || i >= GRE_HEADER_BYTES);
		if (b->peer->next) {
			unknow(b);
			know(b, a, "a");
			a->waiting = 0;
		}
		initiation.bytes[i] ^= 0x41;
	}
	for (size_t cut = 0; cut < len; cut++) {
		initiation.len = cut;
		assert_int_equal(drops_of(&initiation), 1);
	}
	initiation.len = len + 1;
	assert_int_equal(drops_of(&initiation), 1);
	assert_null(b->peer->next);
}

/* No tokens, and none for a while */
static void load(struct side *side)
{
	side->overlay.handshake_load.tokens_micro = 0;
	side->overlay.handshake_load.updated = instant_add_ms(now, 60000);
}

static void a_responder_under_load(void **state)
{
	(void)state;
	load(b);
	initiate(a);
	pump(b);
	assert_int_equal(dropped(b, DROP_HANDSHAKE_COOKIE), 1);
	assert_null(b->peer->next);
	assert_ptr_equal(take_one(a).cookie, a->peer);
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
	assert_null(take_one(b).cookie); /* for its response; it asks nothing again */
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
		a->waiting = 0;
	}
	assert_in_range(dropped(b, DROP_HANDSHAKE_RATE), count - 65, count - 50);
}

/* Whatever is lost and whenever each side asks: once datagrams pass, both hear each other */
static void any_order_of_events(void **state)
{
	struct datagram lost;

	(void)state;
	for (int i = 0; i < 3000; i++) {
		struct side *side = next_random() % 2 ? a : b;

		side->peer->initiations.updated.ns = 0; /* as if time had passed */
		switch (next_random() % 5) {
		case 0:
			initiate(side);
			break;
		case 1:
		case 2:
			if (side->waiting)
				(void)take_one(side);
			break;
		case 3:
			(void)intercept(side, &lost);
			break;
		default:
			if (side->peer->next && next_random() % 2)
				confirm(side);
			break;
		}
	}
	while (a->waiting || b->waiting)
		(void)take_one(a->waiting ? a : b);
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
		TEST(the_forgotten_are_strangers),
		TEST(meant_for_another_key),
		TEST(every_byte_changed),
		TEST(a_responder_under_load),
		TEST(an_initiator_under_load),
		TEST(a_peer_that_asks_without_end),
		TEST(any_order_of_events),
		TEST(a_restarted_side_is_heard_again),
	};
	int failed;

	rcu_thread_begin();
	failed = cmocka_run_group_tests(tests, NULL, NULL);
	rcu_thread_end();
	return failed;
}
