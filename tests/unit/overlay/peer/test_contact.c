/*
 * test_contact.c - a peer's contact: each event by name, and random orders of them against what must always hold
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "overlay/peer/contact.h"

#define REKEY_MS 120000U
#define SPREAD_MS (CONTACT_RETRY_MS / 4) /* what middle() makes of it */
#define IDLE_PROBE_MS 15000U             /* CONTACT_PACES */
#define IDLE_AGAIN_MS 1000U
#define IDLE_SILENT_MS 30000U
#define ACTIVE_PROBE_MS 1500U
#define ACTIVE_AGAIN_MS 250U
#define ACTIVE_SILENT_MS 3000U
#define WIRE_PROBE_MS 250U
#define WIRE_SILENT_MS 1000U
#define SLOWEST_MS (CONTACT_RETRY_SLOW_MS * 5 / 4)

static struct contact contact;
static struct instant now;
static uint32_t jitter; /* so that intervals are what they are on average */

static struct endpoint address(uint8_t last)
{
	struct endpoint endpoint = { .port = 4754 };

	endpoint.ip[15] = last;
	return endpoint;
}

static int begin(void **state)
{
	(void)state;
	now = (struct instant){ 1000000000ULL };
	contact_init(&contact, now);
	return 0;
}

static void pass(uint64_t ms)
{
	now = instant_add_ms(now, ms);
}

/* Exactly in the middle of what an interval may be */
static uint32_t middle(const struct contact *of)
{
	return (of->attempts < 4                   ? CONTACT_RETRY_MS << of->attempts
			       : of->attempts < 15 ? CONTACT_RETRY_MAX_MS
						   : CONTACT_RETRY_SLOW_MS) /
		4;
}

static struct contact_todo poll(void)
{
	return contact_poll(&contact, middle(&contact), now);
}

static void assert_idle(void)
{
	assert_int_equal(poll().action, CONTACT_NOTHING);
}

/* Nothing is asked for until @ms from now, and then @action */
static struct contact_todo assert_next(uint64_t ms, enum contact_action action)
{
	struct instant until = instant_add_ms(now, ms);
	struct contact_todo todo;

	for (;;) {
		todo = poll();
		if (todo.action != CONTACT_NOTHING)
			break;
		assert_true(todo.next.ns > now.ns && todo.next.ns <= until.ns);
		now = todo.next;
	}
	assert_int_equal(todo.action, action);
	assert_int_equal(now.ns, until.ns);
	return todo;
}

static void assert_to(struct contact_todo todo, uint8_t last)
{
	struct endpoint expected = address(last);

	assert_true(endpoint_equal(&todo.to, &expected));
}

static void know(uint8_t first, uint8_t count)
{
	struct endpoint endpoints[PEER_ENDPOINTS_MAX];

	for (uint8_t i = 0; i < count; i++)
		endpoints[i] = address((uint8_t)(first + i));
	contact_endpoints_changed(&contact, endpoints, count, now);
}

/* A session as the initiator, its first probe sent */
static void come_up(uint8_t from)
{
	struct endpoint at = address(from);

	contact_answered(&contact, &at, REKEY_MS, now);
	assert_int_equal(poll().action, CONTACT_PROBE);
	assert_idle();
	assert_int_equal(contact.state, CONTACT_UP);
}

/* ---- without a session ------------------------------------------------------------------------------------- */

static void without_an_address_it_waits(void **state)
{
	char why[CONTACT_WHY_BYTES];

	(void)state;
	assert_int_equal(poll().action, CONTACT_NOTHING);
	assert_int_equal(poll().next.ns, 0);
	assert_int_equal(contact.state, CONTACT_UNREACHABLE);
	contact_why(&contact, why);
	assert_string_equal(why, "no endpoint is known, waiting for it to call");
	know(1, 1);
	assert_int_equal(contact.state, CONTACT_CONNECTING);
	assert_to(assert_next(0, CONTACT_INITIATE), 1);
}

static void attempts_come_at_growing_intervals_and_go_round(void **state)
{
	static const uint32_t intervals_ms[] = { 1000, 2000, 4000, 5000, 5000, 5000, 5000, 5000, 5000, 5000, 5000, 5000,
		5000, 5000, 30000, 30000, 30000 };
	char why[CONTACT_WHY_BYTES];
	struct instant first;

	(void)state;
	know(1, 3);
	assert_to(assert_next(0, CONTACT_INITIATE), 1);
	first = now;
	for (uint8_t i = 0; i < sizeof(intervals_ms) / sizeof(intervals_ms[0]); i++) {
		const struct contact_todo todo = assert_next(intervals_ms[i], CONTACT_INITIATE);

		assert_to(todo, (uint8_t)(1 + (i + 1) / 2 % 3)); /* each alone, and all of them in between */
		assert_int_equal(todo.everywhere, i % 2);
		assert_int_equal(contact.state,
			instant_since_ms(now, first) < CONTACT_UNREACHABLE_MS ? CONTACT_CONNECTING
									      : CONTACT_UNREACHABLE);
	}
	assert_int_equal(contact.since.ns, first.ns);
	contact_why(&contact, why);
	assert_non_null(strstr(why, "no answer from"));
}

static void the_others_are_all_but_one(void **state)
{
	const struct endpoint second = address(2), elsewhere = address(9);
	struct endpoint out[PEER_ENDPOINTS_MAX];

	(void)state;
	know(1, 3);
	assert_int_equal(contact_others(&contact, &second, out), 2);
	assert_int_equal(out[0].ip[15], address(1).ip[15]);
	assert_int_equal(out[1].ip[15], address(3).ip[15]);
	assert_int_equal(contact_others(&contact, &elsewhere, out), 3);
}

static void who_waits_for_frames_is_asked_often_again(void **state)
{
	(void)state;
	know(1, 1);
	for (int i = 0; i < 16; i++) {
		while (poll().action == CONTACT_NOTHING)
			now = poll().next;
	}
	pass(1000);
	assert_idle();
	contact_wanted(&contact, now);
	assert_next(0, CONTACT_INITIATE);
	contact_wanted(&contact, now); /* again and again, while it lasts */
	assert_idle();
	assert_next(2000, CONTACT_INITIATE);
	assert_int_equal(contact.state, CONTACT_UNREACHABLE);
}

static void a_cookie_asks_again_at_once(void **state)
{
	(void)state;
	know(1, 1);
	assert_next(0, CONTACT_INITIATE);
	contact_cookie(&contact, now);
	assert_next(CONTACT_GAP_MS, CONTACT_INITIATE);
}

static void new_addresses_are_tried_at_once(void **state)
{
	(void)state;
	know(1, 2);
	assert_next(0, CONTACT_INITIATE);
	pass(100);
	know(1, 2);
	assert_idle();
	know(7, 1);
	assert_to(assert_next(0, CONTACT_INITIATE), 7);
}

static void a_machine_that_moved_asks_at_once(void **state)
{
	(void)state;
	know(1, 1);
	assert_next(0, CONTACT_INITIATE);
	pass(100);
	contact_doubted(&contact, now);
	assert_next(0, CONTACT_INITIATE);
}

/* ---- with one ---------------------------------------------------------------------------------------------- */

static void the_initiator_rekeys_and_the_responder_later(void **state)
{
	(void)state;
	know(1, 1);
	come_up(9);
	for (int i = 0; i < 120; i++) {
		contact_heard(&contact, now, now);
		(void)poll(); /* to measure the round trip */
		assert_idle();
		pass(1000);
	}
	contact_heard(&contact, now, now);
	if (poll().action == CONTACT_PROBE)
		contact_heard(&contact, now, now);
	assert_to(assert_next(SPREAD_MS, CONTACT_REKEY), 9);
	assert_int_equal(contact.state, CONTACT_UP);
	assert_to(assert_next(CONTACT_RETRY_MS, CONTACT_REKEY), 1);
	contact_confirmed(&contact, REKEY_MS, now);
	pass(REKEY_MS);
	contact_heard(&contact, now, now);
	assert_next(0, CONTACT_PROBE);
	contact_heard(&contact, now, now);
	assert_next(CONTACT_REKEY_GRACE_MS + SPREAD_MS, CONTACT_REKEY);
}

static void of_two_idle_peers_who_asked_probes(void **state)
{
	(void)state;
	know(1, 1);
	come_up(1);
	pass(10);
	contact_heard(&contact, now, now);
	assert_next(IDLE_PROBE_MS, CONTACT_PROBE);
	pass(10);
	contact_heard(&contact, now, now);
	pass(IDLE_PROBE_MS / 2);
	contact_heard(&contact, now, now); /* the other one's probe */
	assert_next(IDLE_PROBE_MS, CONTACT_PROBE);
	contact_confirmed(&contact, REKEY_MS, now);
	pass(10);
	contact_heard(&contact, now, now);
	assert_next(IDLE_PROBE_MS + IDLE_AGAIN_MS, CONTACT_PROBE);
}

static void a_busy_one_measures_the_round_trip_all_the_same(void **state)
{
	(void)state;
	know(1, 1);
	come_up(1);
	for (uint32_t ms = 0; ms < CONTACT_ROUND_TRIP_MS; ms += 1000) {
		contact_heard(&contact, now, now);
		contact_carried(&contact, now, now);
		assert_idle();
		pass(1000);
	}
	contact_heard(&contact, now, now);
	assert_next(0, CONTACT_PROBE);
}

/* Last heard now: probes come so long after, and the first that is missed makes it silent no sooner than @silent_ms */
static void assert_silent_after(uint32_t probe_ms, uint32_t again_ms, uint32_t silent_ms)
{
	const struct instant heard = now;
	uint32_t probes = 1;
	char why[CONTACT_WHY_BYTES];

	contact_heard(&contact, now, now);
	assert_next(probe_ms, CONTACT_PROBE);
	while (instant_since_ms(now, heard) + again_ms < silent_ms) {
		assert_int_equal(contact.state, CONTACT_UP);
		assert_next(again_ms, CONTACT_PROBE);
		probes++;
	}
	assert_true(probes >= 3);
	assert_int_equal(contact.state, CONTACT_UP);
	assert_next(silent_ms - instant_since_ms(now, heard), CONTACT_REKEY);
	assert_int_equal(instant_since_ms(now, heard), silent_ms);
	assert_int_equal(contact.state, CONTACT_SILENT);
	assert_int_equal(contact.since.ns, heard.ns);
	contact_why(&contact, why);
	assert_string_equal(why, "[::1]:4754 does not answer");
}

static void an_idle_one_is_silent_after_30_s(void **state)
{
	(void)state;
	know(1, 1);
	come_up(1);
	pass(10);
	assert_silent_after(IDLE_PROBE_MS, IDLE_AGAIN_MS, IDLE_SILENT_MS);
	contact_heard(&contact, now, now);
	assert_int_equal(contact.state, CONTACT_UP);
	assert_next(IDLE_PROBE_MS, CONTACT_PROBE); /* and no handshake any more */
}

static void one_that_carried_a_frame_is_silent_after_3_s(void **state)
{
	(void)state;
	know(1, 1);
	come_up(1);
	pass(10);
	contact_carried(&contact, now, now);
	assert_silent_after(ACTIVE_PROBE_MS, ACTIVE_AGAIN_MS, ACTIVE_SILENT_MS);
	contact_heard(&contact, now, now);
	pass(CONTACT_CARRIED_MS);
	contact_heard(&contact, now, now);
	(void)poll();
	pass(10);
	assert_silent_after(IDLE_PROBE_MS, IDLE_AGAIN_MS, IDLE_SILENT_MS); /* a minute later it is idle */
}

static void one_with_a_wire_is_probed_always_and_silent_after_1_s(void **state)
{
	(void)state;
	know(1, 1);
	come_up(1);
	contact_heard(&contact, now, now);
	contact_wire(&contact, true, now);
	for (int i = 0; i < 10; i++) {
		assert_next(WIRE_PROBE_MS, CONTACT_PROBE);
		contact_heard(&contact, now, now);
	}
	assert_silent_after(WIRE_PROBE_MS, WIRE_PROBE_MS, WIRE_SILENT_MS);
	assert_next(CONTACT_RETRY_MS, CONTACT_REKEY);
	contact_heard(&contact, now, now);
	contact_wire(&contact, false, now);
	assert_next(IDLE_PROBE_MS, CONTACT_PROBE);
}

/* Nothing was asked for: so nothing is missed yet */
static void an_idle_one_is_not_silent_with_its_first_frame(void **state)
{
	struct instant heard;

	(void)state;
	know(1, 1);
	come_up(1);
	heard = instant_add_ms(now, 10);
	contact_heard(&contact, heard, heard);
	now = instant_add_ms(heard, IDLE_PROBE_MS - 1000);
	assert_idle();
	contact_carried(&contact, now, now);
	assert_int_equal(contact.state, CONTACT_UP);
	assert_next(0, CONTACT_PROBE);
	for (int i = 0; i < 11; i++) {
		assert_next(ACTIVE_AGAIN_MS, CONTACT_PROBE);
		assert_int_equal(contact.state, CONTACT_UP);
	}
	assert_next(ACTIVE_AGAIN_MS, CONTACT_REKEY);
	assert_int_equal(contact.state, CONTACT_SILENT);
	assert_int_equal(contact.since.ns, heard.ns);
}

static void who_is_doubted_answers_at_once_or_is_silent(void **state)
{
	(void)state;
	know(1, 1);
	come_up(1);
	pass(10);
	contact_heard(&contact, now, now);
	pass(100);
	contact_doubted(&contact, now);
	assert_int_equal(contact.state, CONTACT_UP);
	assert_next(0, CONTACT_PROBE);
	contact_heard(&contact, (struct instant){ now.ns - 1 }, now); /* before it was doubted */
	assert_int_equal(contact.pace, CONTACT_ACTIVE);
	contact_heard(&contact, now, now);
	assert_int_equal(contact.pace, CONTACT_IDLE);
	assert_next(IDLE_PROBE_MS, CONTACT_PROBE);
	pass(10);
	contact_heard(&contact, now, now);
	pass(10);
	contact_doubted(&contact, now);
	assert_next(0, CONTACT_PROBE);
	for (int i = 0; i < 11; i++)
		assert_next(ACTIVE_AGAIN_MS, CONTACT_PROBE);
	assert_next(ACTIVE_AGAIN_MS, CONTACT_REKEY);
	assert_int_equal(contact.state, CONTACT_SILENT);
}

/* The controller has lost it: one that is up is probed, once until it is heard, and nothing else is done */
static void who_is_missed_is_looked_for(void **state)
{
	(void)state;
	know(1, 1);
	contact_missed(&contact, now);
	assert_int_equal(contact.state, CONTACT_CONNECTING);
	come_up(1);
	pass(100);
	contact_heard(&contact, now, now);
	pass(20);
	contact_missed(&contact, now);
	assert_int_equal(contact.state, CONTACT_UP);
	assert_next(0, CONTACT_PROBE);
	contact_missed(&contact, now);
	assert_int_equal(poll().action, CONTACT_NOTHING);
	contact_heard(&contact, now, now);
	assert_int_equal(contact.pace, CONTACT_IDLE);
	assert_int_equal(contact.state, CONTACT_UP);
	pass(10);
	contact_missed(&contact, now);
	for (int i = 0; i < 12; i++)
		assert_next(i ? ACTIVE_AGAIN_MS : 0, CONTACT_PROBE);
	assert_next(ACTIVE_AGAIN_MS, CONTACT_REKEY);
	assert_int_equal(contact.state, CONTACT_SILENT);
	contact_missed(&contact, now);
	assert_int_equal(contact.state, CONTACT_SILENT);
	contact_heard(&contact, now, now);
	contact_goodbye(&contact, now, now);
	contact_missed(&contact, now);
	assert_int_equal(contact.state, CONTACT_GONE);
}

/* The controller has it again: one that is not up is asked at once, twice a second at most, and stays what it is until it answers */
static void who_is_expected_is_asked(void **state)
{
	struct instant asked;
	uint32_t attempts = 0;

	(void)state;
	know(1, 1);
	while (contact.state != CONTACT_UNREACHABLE || contact.attempts < 20) {
		struct contact_todo todo = poll();

		if (todo.action == CONTACT_NOTHING)
			now = todo.next;
	}
	while (poll().action != CONTACT_NOTHING)
		;
	pass(CONTACT_RETRY_MS);
	contact_expected(&contact, now);
	assert_int_equal(contact.state, CONTACT_UNREACHABLE);
	assert_next(0, CONTACT_INITIATE);
	asked = now;
	while (instant_since_ms(now, asked) < 5000) {
		contact_expected(&contact, now);
		attempts += poll().action == CONTACT_INITIATE;
		now = instant_add_ms(now, 10);
	}
	assert_in_range(attempts, 9, 10);
	assert_int_equal(contact.state, CONTACT_UNREACHABLE);
	come_up(1);
	assert_int_equal(contact.state, CONTACT_UP);
	while (poll().action != CONTACT_NOTHING)
		;
	contact_expected(&contact, now);
	assert_int_equal(poll().action, CONTACT_NOTHING);
	contact_goodbye(&contact, now, now);
	contact_expected(&contact, now);
	assert_int_equal(contact.state, CONTACT_GONE);
	contact_refused(&contact, "no", now);
	contact_expected(&contact, now);
	assert_int_equal(poll().action, CONTACT_NOTHING);
}

static void a_goodbye_counts_until_it_is_heard(void **state)
{
	char why[CONTACT_WHY_BYTES];
	struct instant since;

	(void)state;
	know(1, 1);
	contact_goodbye(&contact, now, now); /* of whom? */
	assert_int_equal(contact.state, CONTACT_CONNECTING);
	come_up(1);
	pass(100);
	contact_goodbye(&contact, now, now);
	since = now;
	assert_int_equal(contact.state, CONTACT_GONE);
	contact_why(&contact, why);
	assert_string_equal(why, "said goodbye; asking [::1]:4754 whether it is back");
	pass(50);
	contact_goodbye(&contact, now, now); /* once more */
	assert_int_equal(contact.since.ns, since.ns);
	contact_heard(&contact, now, now);
	assert_int_equal(contact.state, CONTACT_UP);
	assert_next(IDLE_PROBE_MS, CONTACT_PROBE);
}

/* It has said so, and may be back any moment */
static void who_said_goodbye_is_asked_each_second(void **state)
{
	uint32_t attempts = 0;
	struct instant since;

	(void)state;
	know(1, 1);
	come_up(1);
	contact_goodbye(&contact, now, now);
	since = now;
	contact_doubted(&contact, now); /* the controller says it is there */
	assert_next(0, CONTACT_REKEY);
	while (instant_since_ms(now, since) < 50000) {
		struct contact_todo todo = poll();

		assert_true(todo.action == CONTACT_NOTHING || todo.action == CONTACT_REKEY);
		attempts += todo.action == CONTACT_REKEY;
		if (todo.action == CONTACT_NOTHING)
			now = todo.next;
		assert_int_equal(contact.state, CONTACT_GONE);
	}
	assert_in_range(attempts, 45, 75);
	contact_expired(&contact, now);
	assert_int_equal(contact.state, CONTACT_GONE);
	assert_int_equal(contact.since.ns, since.ns);
	while (instant_since_ms(now, since) < 3600000) {
		struct contact_todo todo = poll();

		attempts += todo.action == CONTACT_INITIATE;
		if (todo.action == CONTACT_NOTHING)
			now = todo.next;
	}
	assert_in_range(attempts, 200, 350);
	contact_wanted(&contact, now);
	while (poll().action == CONTACT_INITIATE)
		;
	assert_true(instant_since_ms(poll().next, now) <= 2 * CONTACT_RETRY_MAX_MS);
	/* who never comes back is asked no more than any other that is away, however long frames are sent to it */
	attempts = 0;
	for (since = now; instant_since_ms(now, since) < 600000; now = instant_add_ms(now, 250)) {
		contact_wanted(&contact, now);
		attempts += poll().action == CONTACT_INITIATE;
	}
	assert_in_range(attempts, 60, 600000 / CONTACT_RETRY_MAX_MS * 4 / 3);
	contact_confirmed(&contact, REKEY_MS, now);
	assert_int_equal(contact.state, CONTACT_UP);
}

static void a_dead_peers_session_expires(void **state)
{
	struct instant heard;

	(void)state;
	know(1, 1);
	come_up(1);
	heard = now;
	pass(180000);
	(void)poll();
	contact_expired(&contact, now);
	assert_int_equal(contact.state, CONTACT_UNREACHABLE);
	assert_int_equal(contact.since.ns, heard.ns);
	contact_expired(&contact, now);
	assert_int_equal(contact.state, CONTACT_UNREACHABLE);
}

static void a_worn_session_is_replaced_at_once(void **state)
{
	(void)state;
	come_up(1);
	pass(1000);
	contact_worn(&contact, now);
	assert_to(assert_next(0, CONTACT_REKEY), 1);
	contact_worn(&contact, now);
	assert_next(CONTACT_RETRY_MS, CONTACT_REKEY);
}

static void a_path_moves_so_often_and_no_more(void **state)
{
	struct endpoint first = address(1), second = address(2), third = address(3);

	(void)state;
	come_up(1);
	assert_false(contact_roamed(&contact, &first, now));
	pass(1000);
	assert_true(contact_roamed(&contact, &second, now));
	assert_int_equal(poll().action, CONTACT_PROBE);
	assert_false(contact_roamed(&contact, &third, now));
	pass(CONTACT_ROAM_MS - 1);
	assert_false(contact_roamed(&contact, &third, now));
	pass(CONTACT_ROAM_MS);
	assert_true(contact_roamed(&contact, &third, now));
}

static struct endpoint to_ours(uint8_t last, uint8_t ours)
{
	struct endpoint from = address(last);

	from.local_ip[IP_BYTES - 1] = ours;
	return from;
}

static bool roamed(uint8_t last, uint8_t ours)
{
	const struct endpoint from = to_ours(last, ours);

	return contact_roamed(&contact, &from, now) && contact.at.local_ip[IP_BYTES - 1] == ours;
}

static void another_address_of_ours_has_to_last(void **state)
{
	(void)state;
	come_up(1);
	assert_true(roamed(1, 7)); /* the first is taken at once */
	assert_false(roamed(1, 7));
	assert_false(roamed(1, 0)); /* not told */
	assert_false(roamed(1, 8));
	pass(CONTACT_ROAM_MS - 1);
	assert_false(roamed(1, 8));
	assert_false(roamed(1, 9));
	pass(1);
	assert_false(roamed(1, 8)); /* 9 came between */
	pass(CONTACT_ROAM_MS);
	assert_true(roamed(1, 8));
	assert_false(roamed(1, 7));
	pass(CONTACT_SPOKEN_MS + 1);
	contact_heard(&contact, now, now);
	assert_false(roamed(1, 7)); /* long ago */
	pass(CONTACT_QUIET_MS);
	assert_true(roamed(1, 7)); /* nothing else was heard */
	pass(2 * CONTACT_ROAM_MS);
	assert_true(roamed(2, 7)); /* the peer itself is elsewhere */
	contact_local_lost(&contact);
	assert_false(endpoint_has_local(&contact.at));
	assert_true(roamed(2, 8));
}

/* The address of ours that a peer spoke to may lead nowhere by now: only the first attempt leaves from it */
static void later_attempts_leave_it_to_the_kernel(void **state)
{
	struct contact_todo todo;

	(void)state;
	come_up(1);
	assert_true(roamed(1, 7));
	contact_expired(&contact, now);
	todo = assert_next(0, CONTACT_INITIATE);
	assert_to(todo, 1);
	assert_int_equal(todo.to.local_ip[IP_BYTES - 1], 7);
	for (int i = 0; i < 4; i++) {
		while ((todo = poll()).action == CONTACT_NOTHING)
			now = todo.next;
		assert_false(endpoint_has_local(&todo.to));
	}
}

static void a_machine_that_moved_shows_itself(void **state)
{
	(void)state;
	come_up(1);
	pass(10);
	contact_doubted(&contact, now);
	assert_next(0, CONTACT_PROBE);
	assert_idle();
}

static void nothing_is_done_about_the_refused_and_the_gone(void **state)
{
	char why[CONTACT_WHY_BYTES];

	(void)state;
	know(1, 2);
	come_up(1);
	contact_refused(&contact, "its certificate is revoked", now);
	assert_int_equal(contact.state, CONTACT_REFUSED);
	contact_why(&contact, why);
	assert_string_equal(why, "its certificate is revoked");
	assert_int_equal(poll().next.ns, 0);
	contact_wanted(&contact, now);
	know(5, 1);
	contact_doubted(&contact, now);
	pass(1000000);
	assert_idle();
	contact_gone(&contact, now);
	assert_int_equal(contact.state, CONTACT_GONE);
	assert_idle();
}

/* ---- any order of events ----------------------------------------------------------------------------------- */

struct model {
	struct instant attempted; /* 0: never */
	bool disturbed;           /* by an event since */
};

static bool known(const struct endpoint *to)
{
	bool is = contact.has_at && endpoint_equal(to, &contact.at);

	for (uint32_t i = 0; i < contact.endpoints_count; i++)
		is |= endpoint_equal(to, &contact.endpoints[i]);
	return is;
}

static void assert_state(void)
{
	bool reachable = contact.endpoints_count || contact.has_at;

	assert_true(contact.since.ns <= now.ns);
	if (contact.gone)
		assert_int_equal(contact.state, CONTACT_GONE);
	else if (contact.refused)
		assert_int_equal(contact.state, CONTACT_REFUSED);
	else if (contact.goodbye_at.ns)
		assert_int_equal(contact.state, CONTACT_GONE);
	else if (contact.session)
		assert_true(contact.state == CONTACT_UP || contact.state == CONTACT_SILENT);
	else
		assert_true(contact.state == CONTACT_UNREACHABLE || (reachable && contact.state == CONTACT_CONNECTING));
	if (contact.state == CONTACT_SILENT)
		assert_true(instant_since_ms(now, contact.since) >= WIRE_SILENT_MS);
}

/* Do all that is due, and see that it may be */
static struct instant obey(struct model *model)
{
	for (int actions = 0;; actions++) {
		struct contact_todo todo = contact_poll(&contact, jitter = (uint32_t)rand(), now);

		assert_state();
		if (todo.action == CONTACT_NOTHING) {
			assert_true(!todo.next.ns || todo.next.ns > now.ns);
			return todo.next;
		}
		assert_true(actions < 2);
		assert_false(contact.gone || contact.refused);
		if (todo.action == CONTACT_PROBE) {
			assert_true(contact.session && !contact.goodbye_at.ns);
			continue;
		}
		assert_int_equal(todo.action, contact.session ? CONTACT_REKEY : CONTACT_INITIATE);
		assert_true(known(&todo.to));
		if (model->attempted.ns) {
			uint64_t gap_ms = instant_since_ms(now, model->attempted);

			assert_true(gap_ms >= CONTACT_GAP_MS);
			assert_true(model->disturbed || gap_ms >= CONTACT_RETRY_MS * 3 / 4);
		}
		model->attempted = now;
		model->disturbed = false;
	}
}

static void anything_happens(void)
{
	struct endpoint somewhere = address((uint8_t)(1 + rand() % 6));
	struct endpoint endpoints[3] = { somewhere, address(8), address(9) };

	switch (rand() % 18) {
	case 0:
	case 1:
		contact_wanted(&contact, now);
		break;
	case 2:
		contact_endpoints_changed(&contact, endpoints, (uint32_t)rand() % 4, now);
		break;
	case 3:
		contact_doubted(&contact, now);
		break;
	case 4:
		contact_answered(&contact, &somewhere, REKEY_MS, now);
		break;
	case 5:
		contact_confirmed(&contact, REKEY_MS, now);
		break;
	case 6:
		contact_cookie(&contact, now);
		break;
	case 7:
		contact_heard(&contact, (struct instant){ now.ns - (uint64_t)(rand() % 2) * 500000000ULL }, now);
		break;
	case 8:
		(void)!contact_roamed(&contact, &somewhere, now);
		break;
	case 9:
	case 10:
		contact_unanswered(&contact, now);
		break;
	case 11:
		contact_worn(&contact, now);
		break;
	case 12:
		contact_expired(&contact, now);
		break;
	case 13:
		contact_carried(&contact, (struct instant){ now.ns - (uint64_t)(rand() % 2) * 500000000ULL }, now);
		break;
	case 14:
		contact_wire(&contact, rand() % 2, now);
		break;
	case 15:
		contact_doubted(&contact, now);
		break;
	case 16:
		contact_goodbye(&contact, now, now);
		break;
	default:
		break;
	}
}

static void any_order_of_events(void **state)
{
	for (unsigned int seed = 0; seed < 400; seed++) {
		struct model model = { { 0 }, false };

		srand(seed);
		begin(state);
		for (int i = 0; i < 400; i++) {
			struct instant next = obey(&model);

			if (rand() % 3 == 0 && next.ns) {
				/* not sooner than it said, and then indeed; the state as well stands still meanwhile */
				struct instant until = next, from = now;
				enum contact_state before = contact.state;

				now.ns = from.ns + (uint64_t)rand() % (until.ns - from.ns);
				assert_int_equal(contact_poll(&contact, jitter, now).action, CONTACT_NOTHING);
				assert_int_equal(contact.state, before);
				now = until;
				continue;
			}
			pass((uint64_t)rand() % 2000);
			if (rand() % 20 == 0)
				pass((uint64_t)rand() % 100000);
			anything_happens();
			assert_state();
			model.disturbed = true;
		}
		if (rand() % 4 == 0) {
			contact_gone(&contact, now);
			assert_int_equal(obey(&model).ns, 0);
		}
	}
}

/* Wanted and with an address, it always asks again before long, whatever had happened */
static void it_never_gives_up(void **state)
{
	for (unsigned int seed = 0; seed < 200; seed++) {
		struct model model = { { 0 }, false };

		srand(1000 + seed);
		begin(state);
		for (int i = 0; i < 60; i++) {
			pass((uint64_t)rand() % 5000);
			anything_happens();
			model.disturbed = true;
			(void)obey(&model);
		}
		know(20, 1);
		contact_expired(&contact, now);
		model.disturbed = true;
		for (int i = 0; i < 40; i++) {
			struct instant before = model.attempted, next = obey(&model);

			while (model.attempted.ns == before.ns) {
				assert_int_not_equal(next.ns, 0);
				now = next;
				next = obey(&model);
			}
			assert_true(!before.ns || i == 0 || instant_since_ms(now, before) <= SLOWEST_MS);
		}
		assert_int_equal(contact.state, contact.goodbye_at.ns ? CONTACT_GONE : CONTACT_UNREACHABLE);
	}
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup(name, begin)
	const struct CMUnitTest tests[] = {
		TEST(without_an_address_it_waits),
		TEST(attempts_come_at_growing_intervals_and_go_round),
		TEST(the_others_are_all_but_one),
		TEST(who_waits_for_frames_is_asked_often_again),
		TEST(a_cookie_asks_again_at_once),
		TEST(new_addresses_are_tried_at_once),
		TEST(a_machine_that_moved_asks_at_once),
		TEST(the_initiator_rekeys_and_the_responder_later),
		TEST(of_two_idle_peers_who_asked_probes),
		TEST(a_busy_one_measures_the_round_trip_all_the_same),
		TEST(an_idle_one_is_silent_after_30_s),
		TEST(one_that_carried_a_frame_is_silent_after_3_s),
		TEST(one_with_a_wire_is_probed_always_and_silent_after_1_s),
		TEST(an_idle_one_is_not_silent_with_its_first_frame),
		TEST(who_is_doubted_answers_at_once_or_is_silent),
		TEST(who_is_missed_is_looked_for),
		TEST(who_is_expected_is_asked),
		TEST(a_goodbye_counts_until_it_is_heard),
		TEST(who_said_goodbye_is_asked_each_second),
		TEST(a_dead_peers_session_expires),
		TEST(a_worn_session_is_replaced_at_once),
		TEST(a_path_moves_so_often_and_no_more),
		TEST(another_address_of_ours_has_to_last),
		TEST(later_attempts_leave_it_to_the_kernel),
		TEST(a_machine_that_moved_shows_itself),
		TEST(nothing_is_done_about_the_refused_and_the_gone),
		TEST(any_order_of_events),
		TEST(it_never_gives_up),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
