/*
 * test_rivals.c - a third machine with the first one's keys: it is told apart, and who takes a dead one's place is not locked out
 */
#include "tests/unit/overlay/peer/sides.h"

#include "overlay/peer/rivals.h"

#define LATENCY_MS 5U

static void deliver(struct side *side)
{
	struct datagram datagram;

	while (side && intercept(side, &datagram)) {
		if (protocol_of(&datagram) == GRE_PROTOCOL_HANDSHAKE)
			overlay_handshake_datagram(&side->overlay, datagram.bytes, datagram.len, &datagram.from, now);
		else
			overlay_sealed_datagram(&side->overlay, datagram.bytes, datagram.len, &datagram.from, now);
	}
}

static void run(uint64_t ms)
{
	const struct instant end = instant_add_ms(now, ms);
	struct side *sides[] = { a, b, c };

	for (; now.ns < end.ns; now = instant_add_ms(now, LATENCY_MS)) {
		for (size_t i = 0; i < 3; i++)
			if (sides[i])
				(void)!overlay_poll(&sides[i]->overlay, now).ns;
		for (size_t i = 0; i < 3; i++)
			deliver(sides[i]);
	}
}

/* a and b have met; c has a's keys, another address, and is another run of the program */
static int begin(void **state)
{
	const int result = open_sides(state);

	overlay_endpoints(&a->overlay, a->peer, &b->endpoint, 1, now);
	run(2000);
	assert_int_equal(b->peer->contact.state, CONTACT_UP);
	c = open_side(3, &a->self.psk);
	c->self.static_key = a->self.static_key;
	overlay_fini(&c->overlay);
	memset(&c->overlay, 0, sizeof(c->overlay));
	c->overlay = (struct overlay){ .now = now };
	return result;
}

/* c's agent begins, with the keys as they are now */
static void start_c(void)
{
	struct overlay_config config = b->overlay.config;

	config.ctx = c;
	config.self = &c->self;
	config.sessions = &c->sessions;
	assert_true(overlay_init(&c->overlay, &config));
	know(c, b, "b");
	overlay_endpoints(&c->overlay, c->peer, &b->endpoint, 1, now);
}

static int end(void **state)
{
	if (c)
		close_side(c);
	c = NULL;
	return close_sides(state);
}

static void cut(struct side *side, bool is_cut)
{
	side->path_mtu = is_cut ? 0 : 1500;
	side->device_mtu = is_cut ? 0 : 1500;
}

static void of_two_the_one_that_answers_stays(void **state)
{
	char text[RIVAL_TEXT_BYTES], why[CONTACT_WHY_BYTES];

	(void)state;
	start_c();
	run(5000);
	assert_int_equal(a->peer->contact.state, CONTACT_UP);
	assert_int_equal(b->peer->contact.state, CONTACT_UP);
	assert_true(endpoint_equal(&b->peer->path->endpoint, &a->endpoint));
	assert_heard(a, b);
	assert_heard(b, a);
	rival_text(b->peer, now, text);
	assert_non_null(strstr(text,
		"two machines use a's keys: the one at 192.0.2.1:4754 stays, the one at 192.0.2.3:4754 is refused"));
	assert_null(c->peer->current);
	assert_true(overlay_is_disowned(&c->overlay, now)); /* and it is told */
	assert_false(overlay_is_disowned(&a->overlay, now));
	contact_why(&c->peer->contact, why);
	assert_string_equal(why, "answers another machine, which uses this host's keys too");
	assert_true(dropped(b, DROP_HANDSHAKE_ELSEWHERE) >= 2);
	for (int minute = 0; minute < 5; minute++) { /* it goes on, and nothing changes, however rarely it asks */
		run(60000);
		assert_true(endpoint_equal(&b->peer->path->endpoint, &a->endpoint));
		assert_true(rival_is_shown(b->peer, now));
		assert_true(overlay_is_disowned(&c->overlay, now));
	}
	cut(b, true); /* once nobody says so, it is not said */
	run(CONTACT_DISOWNED_MS + 2 * CONTACT_RETRY_SLOW_MS);
	contact_why(&c->peer->contact, why);
	assert_non_null(strstr(why, "no answer from"));
}

static void who_takes_a_dead_ones_place_is_let_in(void **state)
{
	(void)state;
	cut(a, true);
	assert_int_equal(b->peer->contact.state, CONTACT_UP); /* it is not noticed yet */
	start_c();
	run(1500);
	assert_int_equal(c->peer->contact.state, CONTACT_UP);
	assert_true(endpoint_equal(&b->peer->path->endpoint, &c->endpoint));
	assert_false(rival_is_shown(b->peer, now));
	assert_false(overlay_is_disowned(&c->overlay, now));
}

/* The one that stayed ends later: the other one takes its place */
static void who_was_refused_takes_the_place_once_it_is_free(void **state)
{
	(void)state;
	start_c();
	run(3000);
	assert_true(rival_is_shown(b->peer, now));
	cut(a, true);
	run(12000);
	assert_int_equal(c->peer->contact.state, CONTACT_UP);
	assert_true(endpoint_equal(&b->peer->path->endpoint, &c->endpoint));
	run(RIVAL_SHOWN_MS);
	assert_false(rival_is_shown(b->peer, now));
}

static void a_restart_at_the_same_address_waits_for_nothing(void **state)
{
	(void)state;
	unknow(a);
	a->waiting = b->waiting = 0; /* its goodbye is lost */
	overlay_fini(&a->overlay);
	rcu_drain();
	{
		struct overlay_config config = b->overlay.config;

		config.ctx = a;
		config.self = &a->self;
		config.sessions = &a->sessions;
		assert_true(overlay_init(&a->overlay, &config));
	}
	know(a, b, "b");
	overlay_endpoints(&a->overlay, a->peer, &b->endpoint, 1, now);
	run(100);
	assert_int_equal(a->peer->contact.state, CONTACT_UP);
	assert_int_equal(dropped(b, DROP_HANDSHAKE_ELSEWHERE), 0);
}

/* The same run of the program by another address of its machine, as when one address fails over to another */
static void the_same_machine_may_ask_from_another_address(void **state)
{
	const struct endpoint before = a->endpoint;

	(void)state;
	a->second = before;
	a->endpoint.ip[15] = 77;
	contact_local_lost(&a->peer->contact);
	overlay_worn(&a->overlay, a->peer->current->index, now);
	run(100);
	assert_int_equal(dropped(b, DROP_HANDSHAKE_ELSEWHERE), 0);
	assert_int_equal(a->peer->sessions_count, 2);
	assert_false(endpoint_equal(&b->peer->path->endpoint, &before));
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, begin, end)
	const struct CMUnitTest tests[] = {
		TEST(of_two_the_one_that_answers_stays),
		TEST(who_takes_a_dead_ones_place_is_let_in),
		TEST(who_was_refused_takes_the_place_once_it_is_free),
		TEST(a_restart_at_the_same_address_waits_for_nothing),
		TEST(the_same_machine_may_ask_from_another_address),
	};
	int failed;

	rcu_thread_begin();
	failed = cmocka_run_group_tests(tests, NULL, NULL);
	rcu_thread_end();
	return failed;
}
