/*
 * test_overlay.c - two hosts on simulated time: they find each other, stay in contact, move, fall silent and come back
 *
 * Datagrams take LATENCY_MS; both sides' control side is all there is, so sealed datagrams are probes.
 */
#include "tests/unit/overlay/peer/sides.h"

#define LATENCY_MS 10U

static uint32_t delivered; /* datagrams */
static uint32_t turns;     /* polls of both sides */

static struct endpoint address(const char *text)
{
	struct endpoint endpoint;

	assert_true(endpoint_parse(text, 4754, &endpoint));
	return endpoint;
}

static void deliver(struct side *side, uint32_t count)
{
	struct datagram datagram;

	while (count-- > 0 && intercept(side, &datagram)) {
		delivered++;
		if (protocol_of(&datagram) == GRE_PROTOCOL_HANDSHAKE)
			overlay_handshake_datagram(&side->overlay, datagram.bytes, datagram.len, &datagram.from, now);
		else
			overlay_sealed_datagram(&side->overlay, datagram.bytes, datagram.len, &datagram.from, now);
	}
}

static struct instant sooner(struct instant one, struct instant other)
{
	return !one.ns || (other.ns && other.ns < one.ns) ? other : one;
}

static void run(uint64_t ms)
{
	const struct instant end = instant_add_ms(now, ms);

	while (now.ns < end.ns) {
		struct instant next = sooner(overlay_poll(&a->overlay, now), overlay_poll(&b->overlay, now));
		uint32_t for_a, for_b;

		turns++;
		assert_true(!next.ns || next.ns > now.ns);
		if (a->waiting || b->waiting)
			next = sooner(next, instant_add_ms(now, LATENCY_MS));
		now = next.ns && next.ns < end.ns ? next : end;
		for_a = a->waiting; /* what they cause is for the next turn */
		for_b = b->waiting;
		deliver(a, for_a);
		deliver(b, for_b);
	}
}

static void meet(void)
{
	overlay_endpoints(&a->overlay, a->peer, &b->endpoint, 1, now);
	overlay_endpoints(&b->overlay, b->peer, &a->endpoint, 1, now);
	run(3000);
	assert_int_equal(a->peer->contact.state, CONTACT_UP);
	assert_int_equal(b->peer->contact.state, CONTACT_UP);
	assert_heard(a, b);
	assert_heard(b, a);
}

static void cut(bool is_cut)
{
	a->path_mtu = b->path_mtu = is_cut ? 0 : 1500;
}

/* As if a worker had sent much data to the peer and, where @answered, got as much */
static void send_data(struct side *side, bool answered)
{
	struct sender *sender = &side->peer->current->senders[0];
	bool quiet = side->peer->quiet;

	counter_add(&sender->datagrams, 10);
	counter_add(&sender->bytes, 10000);
	counter_set(&sender->carried_ns, now.ns);
	if (answered)
		counter_add(&side->peer->current->rx[0].datagrams, 10);
	if (!quiet)
		return;
	side->peer->quiet = false;
	overlay_stirred(&side->overlay, side->peer->slot, now);
}

/* ---- contact ----------------------------------------------------------------------------------------------- */

static void two_hosts_meet(void **state)
{
	(void)state;
	meet();
	assert_true(endpoint_equal(&a->peer->path->endpoint, &b->endpoint));
	assert_true(endpoint_equal(&b->peer->path->endpoint, &a->endpoint));
	assert_int_equal(a->peer->path->datagram_bytes, 1500 - 28);
	assert_int_equal(b->peer->path->datagram_bytes, 1500 - 28);
	assert_in_range(paths_in_use(&a->peer->paths)->rtt_us, 2000 * LATENCY_MS, 2200 * LATENCY_MS);
	assert_int_equal(dropped_at_all(a) + dropped_at_all(b), 0);
}

/* Both asked at once, and so each may have a session of its own asking */
static void assert_one_session_each(void)
{
	assert_in_range(a->peer->sessions_count, 1, 2);
	assert_in_range(b->peer->sessions_count, 1, 2);
}

/* One has no address of the other: it waits to be called, and learns where the caller is */
static void one_knows_where_the_other_is(void **state)
{
	(void)state;
	run(5000);
	assert_int_equal(a->peer->contact.state, CONTACT_UNREACHABLE);
	assert_int_equal(delivered, 0);
	overlay_endpoints(&a->overlay, a->peer, &b->endpoint, 1, now);
	run(3000);
	assert_int_equal(b->peer->contact.state, CONTACT_UP);
	assert_true(endpoint_equal(&b->peer->path->endpoint, &a->endpoint));
	assert_heard(b, a);
}

static void an_hour_of_rest_costs_little(void **state)
{
	(void)state;
	meet();
	delivered = turns = 0;
	run(3600 * 1000);
	assert_int_equal(a->peer->contact.state, CONTACT_UP);
	assert_int_equal(b->peer->contact.state, CONTACT_UP);
	assert_in_range(a->peer->sessions_count, 29, 33);
	/* a probe and its answer each quarter of a minute, three for each rekeying, and path searches once a minute */
	assert_in_range(delivered, 2 * 240, 2 * 240 + 31 * 8 + 2 * 120);
	assert_in_range(turns, 240, 3000);
	assert_int_equal(dropped_at_all(a) + dropped_at_all(b), 0);
	assert_heard(a, b);
	assert_heard(b, a);
}

static void a_cut_is_seen_told_and_healed(void **state)
{
	(void)state;
	meet();
	cut(true);
	send_data(a, false);
	run(2000);
	assert_int_equal(a->peer->contact.state, CONTACT_UP); /* not yet */
	run(2500);
	assert_int_equal(a->peer->contact.state, CONTACT_SILENT);
	run(180 * 1000);
	assert_int_equal(a->peer->contact.state, CONTACT_UNREACHABLE);
	assert_int_equal(b->peer->contact.state, CONTACT_UNREACHABLE);
	assert_null(a->peer->sending);
	assert_true(instant_since_ms(now, a->peer->contact.since) >= 180 * 1000);
	cut(false);
	run(40 * 1000);
	assert_int_equal(a->peer->contact.state, CONTACT_UP);
	assert_heard(a, b);
	assert_heard(b, a);
}

/* Without any data a cut is seen by the next keepalive */
static void a_cut_is_seen_at_rest(void **state)
{
	(void)state;
	meet();
	run(30 * 1000);
	cut(true);
	run(20 * 1000);
	assert_true(a->peer->contact.state == CONTACT_UP && b->peer->contact.state == CONTACT_UP);
	run(11 * 1000);
	assert_true(a->peer->contact.state == CONTACT_SILENT || b->peer->contact.state == CONTACT_SILENT);
	cut(false);
	run(2000);
	assert_int_equal(a->peer->contact.state, CONTACT_UP);
	assert_int_equal(b->peer->contact.state, CONTACT_UP);
	assert_one_session_each();
}

/* A worker stirs before it seals, and the control thread may look before there is anything to be seen */
static void what_is_sent_after_the_stir_is_seen(void **state)
{
	(void)state;
	meet();
	run(31 * 1000);
	assert_true(a->peer->quiet);
	cut(true);
	a->peer->quiet = false;
	overlay_stirred(&a->overlay, a->peer->slot, now);
	counter_add(&a->peer->current->senders[0].datagrams, 1);
	counter_set(&a->peer->current->senders[0].carried_ns, now.ns);
	run(5000);
	assert_int_equal(a->peer->contact.state, CONTACT_SILENT);
}

/* Who asked and never used what was answered leaves no keys, also where nothing else is to be done about it */
static void a_session_that_is_never_used_ends(void **state)
{
	(void)state;
	overlay_endpoints(&a->overlay, a->peer, &b->endpoint, 1, now);
	(void)!overlay_poll(&a->overlay, now).ns;
	deliver(b, 1);
	assert_non_null(b->peer->next);
	cut(true);
	a->waiting = 0;
	run(SESSION_REJECT_MS + 10);
	assert_null(b->peer->next);
}

static void a_host_that_was_restarted_comes_back(void **state)
{
	(void)state;
	meet();
	unknow(b);
	know(b, a, "a");
	overlay_endpoints(&b->overlay, b->peer, &a->endpoint, 1, now);
	run(1000);
	assert_int_equal(b->peer->contact.state, CONTACT_UP);
	assert_heard(a, b);
	assert_heard(b, a);
}

/* What passed on the way that was left says nothing of the one in use */
static void an_answer_from_the_way_before_is_not_believed(void **state)
{
	const struct endpoint elsewhere = address("192.0.2.99");
	const struct peer_path *path;
	struct instant sent;

	(void)state;
	meet();
	sent = now;
	run(5);
	overlay_roamed(&a->overlay, a->peer->current->index, &elsewhere, now);
	run(5);
	overlay_probe_acked(&a->overlay, a->peer->current->index, sent.ns, 1500 - 28, now);
	path = paths_in_use(&a->peer->paths);
	assert_true(endpoint_equal(&path->endpoint, &elsewhere));
	assert_int_equal(path->state, PATH_TRYING);
	assert_int_equal(path->rtt_us, 0);
	assert_int_equal(a->peer->path->datagram_bytes, PMTU_BASE_MTU - 28);
}

static void a_host_that_moves_is_followed(void **state)
{
	(void)state;
	meet();
	b->endpoint = address("192.0.2.77");
	overlay_moved(&b->overlay, now);
	run(100);
	assert_true(endpoint_equal(&a->peer->path->endpoint, &b->endpoint));
	assert_int_equal(a->peer->contact.state, CONTACT_UP);
	assert_int_equal(a->peer->paths.count, 2);
	run(5000);
	assert_int_equal(a->peer->path->datagram_bytes, 1500 - 28);
	assert_one_session_each();
	assert_int_equal(paths_in_use(&a->peer->paths)->state, PATH_GOOD);
}

static uint8_t second_ip(struct side *side, const char *text)
{
	side->second = address(text);
	return side->second.ip[15];
}

/* Whose firewall lets only answers in: every datagram has to come from where we send to */
static void an_answer_comes_from_where_the_question_went(void **state)
{
	const uint8_t last = second_ip(b, "192.0.2.22");

	(void)state;
	overlay_endpoints(&a->overlay, a->peer, &b->second, 1, now);
	run(3000);
	assert_int_equal(a->peer->contact.state, CONTACT_UP);
	assert_true(endpoint_equal(&a->peer->path->endpoint, &b->second));
	assert_int_equal(b->peer->path->endpoint.local_ip[15], last);
	assert_heard(a, b); /* from the address that it was asked at, or it would be another place */
	run(200000);        /* and over a rekeying */
	assert_true(endpoint_equal(&a->peer->path->endpoint, &b->second));
	assert_int_equal(b->peer->path->endpoint.local_ip[15], last);
	assert_int_equal(b->peer->contact.state, CONTACT_UP);
	assert_int_equal(a->peer->paths.count, 1);
}

/* ---- several addresses ------------------------------------------------------------------------------------- */

static void know_both(struct side *side, struct side *of)
{
	const struct endpoint both[2] = { of->endpoint, of->second };

	overlay_endpoints(&side->overlay, side->peer, both, 2, now);
}

static void the_one_that_works_is_found_at_once(void **state)
{
	(void)state;
	(void)second_ip(b, "192.0.2.22");
	b->dead = b->endpoint;
	memcpy(b->endpoint.ip, b->second.ip, IP_BYTES); /* what its kernel chooses */
	b->second = b->dead;
	know_both(a, b);
	run(200);
	assert_int_equal(a->peer->contact.state, CONTACT_UP);
	assert_true(endpoint_equal(&a->peer->path->endpoint, &b->endpoint));
	assert_int_equal(dropped_at_all(a) + dropped_at_all(b), 0);
}

/* The first that arrives is answered, and the others are not taken for a replay */
static void one_call_by_two_addresses(void **state)
{
	(void)state;
	(void)second_ip(b, "192.0.2.22");
	know_both(a, b);
	run(200);
	assert_int_equal(a->peer->contact.state, CONTACT_UP);
	assert_int_equal(a->peer->sessions_count, 1);
	assert_int_equal(dropped(b, DROP_HANDSHAKE_TWICE), 1);
	assert_int_equal(dropped(b, DROP_HANDSHAKE_REPLAY), 0);
}

/* A way there that is quicker and leads not back hides the other for one call only */
static void a_way_that_leads_not_back_is_got_round(void **state)
{
	struct endpoint quick;

	(void)state;
	(void)second_ip(b, "192.0.2.22");
	quick = b->endpoint;
	know_both(a, b);
	for (uint32_t i = 0; i < 6000 && !a->peer->contact.session; i++) {
		for (uint32_t n = 0; n < a->waiting;) { /* what comes from there is lost */
			if (endpoint_equal(&a->inbox[n].from, &quick))
				memmove(&a->inbox[n], &a->inbox[n + 1], (--a->waiting - n) * sizeof(a->inbox[0]));
			else
				n++;
		}
		run(1);
	}
	assert_int_equal(a->peer->contact.state, CONTACT_UP);
	assert_true(endpoint_equal(&a->peer->path->endpoint, &b->second));
}

/* Whoever of the two talks, the session stays */
static void an_address_that_dies_is_left_for_another(void **state)
{
	struct endpoint alive;
	uint64_t sessions;

	(void)state;
	(void)second_ip(b, "192.0.2.22");
	know_both(a, b);
	overlay_endpoints(&b->overlay, b->peer, &a->endpoint, 1, now);
	run(3000);
	sessions = a->peer->sessions_count + b->peer->sessions_count;
	for (int i = 0; i < 2; i++) {
		b->dead = a->peer->path->endpoint;
		alive = endpoint_equal(&b->dead, &b->endpoint) ? b->second : b->endpoint;
		for (int n = 0; n < 30 && !endpoint_equal(&a->peer->path->endpoint, &alive); n++) {
			send_data(a, false);
			run(100);
		}
		assert_true(endpoint_equal(&a->peer->path->endpoint, &alive));
		assert_heard(a, b);
		assert_heard(b, a);
		run(2000);
		assert_true(endpoint_equal(&a->peer->path->endpoint, &alive));
		assert_int_equal(a->peer->contact.state, CONTACT_UP);
	}
	assert_int_equal(a->peer->sessions_count + b->peer->sessions_count, sessions);
}

/* Losses do not make a peer leave what works, nor does an address that comes back */
static void what_works_is_kept(void **state)
{
	struct endpoint at;

	(void)state;
	(void)second_ip(b, "192.0.2.22");
	know_both(a, b);
	run(3000);
	at = a->peer->path->endpoint;
	for (uint32_t i = 0; i < 600; i++) {
		cut(i % 5 == 0);
		send_data(a, i % 2);
		run(200);
	}
	cut(false);
	run(1000);
	assert_true(endpoint_equal(&a->peer->path->endpoint, &at));
	assert_int_equal(a->peer->contact.state, CONTACT_UP);
}

/* An address that somebody made up gets one datagram a second, and what is our own none */
static void who_never_answers_is_asked_once_a_second(void **state)
{
	struct endpoint list[3] = { address("198.51.100.1"), address("198.51.100.2"), a->endpoint };
	uint32_t tries = 0;

	(void)state;
	b->endpoint = list[0]; /* nothing comes back */
	b->path_mtu = 1500;
	a->path_mtu = 0;
	overlay_endpoints(&a->overlay, a->peer, list, 3, now);
	for (uint32_t s = 0; s < 10; s++) {
		b->waiting = a->waiting = 0;
		for (uint32_t ms = 0; ms < 1000; ms++) {
			contact_wanted(&a->peer->contact, now);
			(void)overlay_poll(&a->overlay, now).ns;
			now = instant_add_ms(now, 1);
		}
		assert_in_range(b->waiting, 0, 1);
		tries += b->waiting;
		assert_int_equal(a->waiting, 0);
	}
	assert_in_range(tries, 2, 10);
}

/* Data that crosses, again and again */
static void cross(void)
{
	for (uint32_t i = 0; i < 20; i++) {
		send_data(a, true);
		send_data(b, true);
		assert_heard(a, b);
		assert_heard(b, a);
		run(100);
	}
}

/* Both follow the other, and neither follows for ever */
static void two_addresses_at_each_end_come_to_rest(void **state)
{
	uint64_t moved_at;

	(void)state;
	(void)second_ip(a, "192.0.2.11");
	(void)second_ip(b, "192.0.2.22");
	overlay_endpoints(&a->overlay, a->peer, &b->second, 1, now);
	overlay_endpoints(&b->overlay, b->peer, &a->second, 1, now);
	run(3000);
	cross();
	moved_at = paths_in_use(&b->peer->paths)->used_at.ns;
	cross();
	assert_int_equal(paths_in_use(&b->peer->paths)->used_at.ns, moved_at);
	assert_memory_equal(a->peer->path->endpoint.ip, b->peer->path->endpoint.local_ip, IP_BYTES);
	assert_memory_equal(b->peer->path->endpoint.ip, a->peer->path->endpoint.local_ip, IP_BYTES);
}

/* As a VIP that goes to another host: the kernel chooses another address, and the peer follows */
static void an_address_that_is_gone_is_left(void **state)
{
	(void)state;
	(void)second_ip(b, "192.0.2.22");
	overlay_endpoints(&a->overlay, a->peer, &b->second, 1, now);
	run(3000);
	assert_true(endpoint_equal(&a->peer->path->endpoint, &b->second));
	b->second = (struct endpoint){ 0 };
	overlay_moved(&b->overlay, now);
	run(100);
	assert_true(endpoint_equal(&a->peer->path->endpoint, &b->endpoint));
	assert_heard(b, a);
	assert_int_equal(a->peer->contact.state, CONTACT_UP);
	assert_one_session_each();
}

static void frames_make_a_far_attempt_near(void **state)
{
	(void)state;
	cut(true);
	overlay_endpoints(&a->overlay, a->peer, &b->endpoint, 1, now);
	run(300 * 1000);
	assert_int_equal(a->peer->contact.state, CONTACT_UNREACHABLE);
	cut(false);
	overlay_wanted(&a->overlay, a->peer->slot, now);
	run(8000);
	assert_int_equal(a->peer->contact.state, CONTACT_UP);
}

static void who_is_forgotten_hears_nothing(void **state)
{
	(void)state;
	meet();
	overlay_forget(&a->overlay, a->peer, now);
	assert_int_equal(a->peer->contact.state, CONTACT_GONE);
	assert_null(a->peer->sending);
	delivered = 0;
	overlay_wanted(&a->overlay, a->peer->slot, now);
	overlay_stirred(&a->overlay, a->peer->slot, now);
	overlay_too_big(&a->overlay, a->peer->slot, 1400, now);
	run(100 * 1000);
	assert_int_equal(a->overlay.timers.count, 0);
	assert_int_equal(b->peer->contact.state, CONTACT_GONE);
	assert_true(dropped(a, DROP_HANDSHAKE_STRANGER) > 0);
}

static void who_is_refused_is_told_and_left_alone(void **state)
{
	struct peer *refused = overlay_refuse(&a->overlay, "h", "its certificate is revoked", now);
	const struct x25519_public no_key = { { 0 } };
	char why[CONTACT_WHY_BYTES];

	(void)state;
	assert_non_null(refused);
	assert_ptr_equal(peers_named(&a->overlay.peers, "h"), refused);
	assert_null(peers_with_key(&a->overlay.peers, &no_key));
	assert_ptr_equal(overlay_refuse(&a->overlay, "h", "its certificate has ended", now), refused);
	contact_why(&refused->contact, why);
	assert_string_equal(why, "its certificate has ended");
	overlay_wanted(&a->overlay, refused->slot, now);
	overlay_moved(&a->overlay, now);
	run(100 * 1000);
	assert_int_equal(refused->contact.state, CONTACT_REFUSED);
	assert_int_equal(delivered, 0);
	overlay_forget(&a->overlay, refused, now);
	overlay_free_peer(&a->overlay, refused);
	assert_null(peers_named(&a->overlay.peers, "h"));
}

/* ---- the path ---------------------------------------------------------------------------------------------- */

static void a_path_that_shrinks_is_found_while_data_flows(void **state)
{
	(void)state;
	meet();
	b->path_mtu = 1400;
	for (int i = 0; i < 30; i++) {
		send_data(a, true);
		run(200);
	}
	assert_in_range(a->peer->path->datagram_bytes, 1400 - 28 - 8, 1400 - 28);
	assert_int_equal(a->peer->contact.state, CONTACT_UP);
	b->path_mtu = 1500;
	run(61 * 1000);
	assert_int_equal(a->peer->path->datagram_bytes, 1500 - 28);
}

static void what_the_kernel_refuses_is_not_sent_again(void **state)
{
	(void)state;
	meet();
	a->device_mtu = 1300;
	overlay_too_big(&a->overlay, a->peer->slot, 1472, now);
	run(3000);
	assert_in_range(a->peer->path->datagram_bytes, 1300 - 28 - 8, 1300 - 28);
}

/* ---- strangers' bytes -------------------------------------------------------------------------------------- */

static void no_byte_of_a_sealed_datagram_can_be_changed(void **state)
{
	struct datagram good, changed;

	(void)state;
	meet();
	overlay_moved(&a->overlay, now);
	(void)!overlay_poll(&a->overlay, now).ns;
	while (intercept(b, &good) && good.len > 200)
		;
	assert_true(good.len > 0);
	for (size_t i = 0; i < good.len; i++) {
		uint64_t drops = dropped_at_all(b);

		changed = good;
		changed.bytes[i] ^= 0x10;
		overlay_sealed_datagram(&b->overlay, changed.bytes, changed.len, &changed.from, now);
		assert_int_equal(dropped_at_all(b), drops + 1);
	}
	for (size_t len = 0; len < good.len; len++) {
		uint64_t drops = dropped_at_all(b);

		changed = good;
		overlay_sealed_datagram(&b->overlay, changed.bytes, len, &changed.from, now);
		assert_int_equal(dropped_at_all(b), drops + 1);
	}
	changed = good;
	overlay_sealed_datagram(&b->overlay, changed.bytes, changed.len, &changed.from, now);
	changed = good;
	overlay_sealed_datagram(&b->overlay, changed.bytes, changed.len, &changed.from, now);
	assert_int_equal(dropped(b, drop_replay(REPLAY_DROP_DUPLICATE)), 1);
}

/* ---- many -------------------------------------------------------------------------------------------------- */

static void only_who_is_due_is_touched(void **state)
{
	const uint32_t count = 500;

	(void)state;
	for (uint32_t i = 0; i < count; i++) {
		struct x25519_public key;
		char name[16];

		sides_random(NULL, &key, sizeof(key));
		snprintf(name, sizeof(name), "h%u", i);
		assert_non_null(overlay_add_peer(&a->overlay, name, &key, now));
	}
	assert_int_equal(a->overlay.timers.count, 0); /* without an address there is nothing to do */
	meet();
	assert_int_equal(a->overlay.timers.count, 1);
	turns = 0;
	run(60 * 1000);
	assert_in_range(turns, 4, 100);
}

static int begin(void **state)
{
	delivered = turns = 0;
	return open_sides(state);
}

/* A thousand peers that come at once must not keep the others waiting for a third of a second */
static void many_that_are_due_take_turns(void **state)
{
	struct endpoint at = address("198.51.100.1");
	struct peer *peers[200];

	(void)state;
	for (uint32_t i = 0; i < 200; i++) {
		struct x25519_public key;
		char name[16];

		sides_random(NULL, &key, sizeof(key));
		snprintf(name, sizeof(name), "h%u", i);
		peers[i] = overlay_add_peer(&a->overlay, name, &key, now);
		assert_non_null(peers[i]);
		at.port = (uint16_t)(1000 + i);
		overlay_endpoints(&a->overlay, peers[i], &at, 1, now);
	}
	assert_int_equal(a->sent, 0);
	for (uint32_t sent = 0; sent < 200;) {
		const struct instant next = overlay_poll(&a->overlay, now);

		assert_in_range(a->sent - sent, 1, OVERLAY_TURN_PEERS);
		sent = a->sent;
		assert_true(sent == 200 || next.ns == instant_add_ms(now, 1).ns);
		now = next;
	}
	for (uint32_t i = 0; i < 200; i++) {
		overlay_forget(&a->overlay, peers[i], now);
		overlay_free_peer(&a->overlay, peers[i]);
	}
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, begin, close_sides)
	const struct CMUnitTest tests[] = {
		TEST(two_hosts_meet),
		TEST(one_knows_where_the_other_is),
		TEST(an_hour_of_rest_costs_little),
		TEST(a_cut_is_seen_told_and_healed),
		TEST(a_cut_is_seen_at_rest),
		TEST(what_is_sent_after_the_stir_is_seen),
		TEST(a_session_that_is_never_used_ends),
		TEST(a_host_that_was_restarted_comes_back),
		TEST(an_answer_from_the_way_before_is_not_believed),
		TEST(a_host_that_moves_is_followed),
		TEST(an_answer_comes_from_where_the_question_went),
		TEST(two_addresses_at_each_end_come_to_rest),
		TEST(an_address_that_is_gone_is_left),
		TEST(the_one_that_works_is_found_at_once),
		TEST(one_call_by_two_addresses),
		TEST(a_way_that_leads_not_back_is_got_round),
		TEST(an_address_that_dies_is_left_for_another),
		TEST(what_works_is_kept),
		TEST(who_never_answers_is_asked_once_a_second),
		TEST(frames_make_a_far_attempt_near),
		TEST(who_is_forgotten_hears_nothing),
		TEST(who_is_refused_is_told_and_left_alone),
		TEST(a_path_that_shrinks_is_found_while_data_flows),
		TEST(what_the_kernel_refuses_is_not_sent_again),
		TEST(no_byte_of_a_sealed_datagram_can_be_changed),
		TEST(only_who_is_due_is_touched),
		TEST(many_that_are_due_take_turns),
	};
	int failed;

	rcu_thread_begin();
	failed = cmocka_run_group_tests(tests, NULL, NULL);
	rcu_thread_end();
	return failed;
}
