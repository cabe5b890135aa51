/*
 * test_goodbye.c - last words of one side, in which sessions they are said, and what they do to the other
 */
#include "tests/unit/overlay/peer/sides.h"

#include "overlay/peer/goodbye.h"

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

	for (; now.ns < end.ns; now = instant_add_ms(now, LATENCY_MS)) {
		(void)!overlay_poll(&a->overlay, now).ns;
		(void)!overlay_poll(&b->overlay, now).ns;
		deliver(a);
		deliver(b);
	}
}

static void meet(void)
{
	overlay_endpoints(&a->overlay, a->peer, &b->endpoint, 1, now);
	run(2000);
	assert_int_equal(a->peer->contact.state, CONTACT_UP);
	assert_int_equal(b->peer->contact.state, CONTACT_UP);
	run(1000);
	assert_int_equal(a->waiting + b->waiting, 0);
}

/* What @from says now.  Return: how many sessions it is said in; the last of it is in @out, and nothing arrived */
static uint32_t say(struct side *from, struct side *to, struct datagram *out)
{
	uint32_t count = 0;

	overlay_part(&from->overlay, now);
	while (intercept(to, out))
		count++;
	return count;
}

static void take(struct side *side, struct datagram datagram)
{
	overlay_sealed_datagram(&side->overlay, datagram.bytes, datagram.len, &datagram.from, now);
}

static void it_is_gone_at_once_and_nothing_else_changes(void **state)
{
	struct session *current;
	struct datagram last;

	(void)state;
	meet();
	current = b->peer->current;
	assert_int_equal(say(a, b, &last), 1);
	take(b, last);
	assert_int_equal(b->peer->contact.state, CONTACT_GONE);
	assert_int_equal(b->peer->contact.since.ns, now.ns);
	assert_ptr_equal(b->peer->current, current); /* with its keys */
	assert_ptr_equal(session_lookup(&b->sessions, current->index), current);
	assert_null(b->peer->sending); /* but frames are dropped by name */
	assert_true(b->peer->said_goodbye);
	assert_true(b->peer->quiet);
}

static void anything_authentic_undoes_it(void **state)
{
	struct datagram last;

	(void)state;
	meet();
	(void)say(a, b, &last);
	take(b, last);
	assert_int_equal(b->peer->contact.state, CONTACT_GONE);
	overlay_doubt(&a->overlay, a->peer, now); /* a probe */
	(void)!overlay_poll(&a->overlay, now).ns;
	deliver(b);
	assert_int_equal(b->peer->contact.state, CONTACT_UP);
	assert_ptr_equal(b->peer->sending, b->peer->current);
	assert_heard(b, a);
}

static void it_counts_once_and_only_as_it_was_said(void **state)
{
	struct datagram last, changed;

	(void)state;
	meet();
	(void)say(a, b, &last);
	for (size_t i = 0; i < last.len; i++) {
		changed = last;
		changed.bytes[i] ^= 0x10;
		take(b, changed);
		assert_int_equal(b->peer->contact.state, CONTACT_UP);
	}
	take(b, last);
	assert_int_equal(b->peer->contact.state, CONTACT_GONE);
	overlay_doubt(&a->overlay, a->peer, now);
	(void)!overlay_poll(&a->overlay, now).ns;
	deliver(b);
	assert_int_equal(b->peer->contact.state, CONTACT_UP);
	take(b, last); /* somebody repeats it */
	assert_int_equal(b->peer->contact.state, CONTACT_UP);
	assert_int_equal(dropped(b, drop_replay(REPLAY_DROP_DUPLICATE)), 1);
}

/* Somebody has kept it back until there was a newer session */
static void one_of_an_older_session_does_not_count(void **state)
{
	struct datagram last;

	(void)state;
	meet();
	(void)say(a, b, &last);
	overlay_worn(&a->overlay, a->peer->current->index, now);
	run(1000);
	assert_int_equal(a->peer->sessions_count, 2);
	take(b, last);
	assert_int_equal(b->peer->contact.state, CONTACT_UP);
}

/* Either may send in another one than the other does, where both asked at once */
static void it_is_said_in_every_session(void **state)
{
	struct datagram last;

	(void)state;
	meet();
	overlay_worn(&a->overlay, a->peer->current->index, now);
	run(1000);
	assert_int_equal(say(a, b, &last), 2);
	take(b, last);
	assert_int_equal(b->peer->contact.state, CONTACT_GONE);
}

static void who_is_forgotten_is_told(void **state)
{
	(void)state;
	meet();
	unknow(a);
	deliver(b);
	assert_int_equal(b->peer->contact.state, CONTACT_GONE);
	run(10000);
	assert_int_equal(b->peer->contact.state, CONTACT_GONE);
	assert_in_range(dropped(a, DROP_HANDSHAKE_STRANGER), 10, 25); /* it is asked whether it is back */
	know(a, b, "b");
	run(2000);
	assert_int_equal(b->peer->contact.state, CONTACT_UP);
	assert_int_equal(a->peer->contact.state, CONTACT_UP);
}

static void nobody_is_told_without_a_session(void **state)
{
	struct datagram last;

	(void)state;
	overlay_endpoints(&a->overlay, a->peer, &b->endpoint, 1, now);
	assert_int_equal(say(a, b, &last), 0);
	overlay_goodbye(&b->overlay, 1234, now);
	assert_int_equal(b->peer->contact.state, CONTACT_UNREACHABLE);
}

static void what_is_no_goodbye_is_dropped_by_name(void **state)
{
	static const uint8_t bodies[][2] = { { NOTIFY_GOODBYE }, { 99, 0 } };
	struct session *session;
	enum goodbye_result result;

	(void)state;
	meet();
	session = b->peer->current;
	for (size_t i = 0; i < 2; i++) {
		const struct record record = { .type = RECORD_NOTIFY,
			.body = (uint8_t *)bodies[i],
			.body_bytes = i + 1 };

		result = goodbye_take(session, 0, &record, now);
		assert_int_equal(result, i ? GOODBYE_OTHER : GOODBYE_MALFORMED);
	}
	for (int i = 0; i < 100; i++) {
		const struct record record = { .type = RECORD_NOTIFY,
			.body = (uint8_t *)bodies[0],
			.body_bytes = NOTIFY_GOODBYE_BYTES };

		result = goodbye_take(session, 0, &record, now);
		assert_int_equal(result, i < 10 ? GOODBYE_SAID : GOODBYE_RATE);
	}
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, open_sides, close_sides)
	const struct CMUnitTest tests[] = {
		TEST(it_is_gone_at_once_and_nothing_else_changes),
		TEST(anything_authentic_undoes_it),
		TEST(it_counts_once_and_only_as_it_was_said),
		TEST(one_of_an_older_session_does_not_count),
		TEST(it_is_said_in_every_session),
		TEST(who_is_forgotten_is_told),
		TEST(nobody_is_told_without_a_session),
		TEST(what_is_no_goodbye_is_dropped_by_name),
	};
	int failed;

	rcu_thread_begin();
	failed = cmocka_run_group_tests(tests, NULL, NULL);
	rcu_thread_end();
	return failed;
}
