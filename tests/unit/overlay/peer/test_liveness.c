/*
 * test_liveness.c - what is done for one peer, and when it is looked at again
 *
 * One side only, with a session that the test has made: what it sends lies in the other's inbox, what workers would count the test does.
 */
#include "tests/unit/overlay/peer/sides.h"

#include "encap/record.h"
#include "overlay/peer/liveness.h"
#include "overlay/peer/probing.h"

/* A session that opens what it seals, and the way to the other side */
static void come_up(void)
{
	struct session_keys keys = { .cipher = AEAD_AES_128_GCM, .remote_lanes = WORKERS };
	struct session *session;

	a->overlay.now = now;
	sides_random(NULL, &keys.send, sizeof(keys.send));
	keys.receive = keys.send;
	keys.local_index = keys.remote_index = session_index_reserve(&a->sessions, a->peer, 1);
	session = session_new(keys.local_index, a->peer, &keys, aead_backend_openssl(), WORKERS, 1, now);
	assert_non_null(session);
	session_publish(&a->sessions, session);
	peer_session_begin(a->peer, &a->sessions, session);
	contact_answered(&a->peer->contact, &b->endpoint, SESSION_REKEY_MS, now);
	liveness_move(&a->overlay, a->peer, &b->endpoint);
}

static void tend(void)
{
	a->overlay.now = now;
	liveness_tend(&a->overlay, a->peer);
}

static void pass(uint64_t ms)
{
	now = instant_add_ms(now, ms);
}

/* Return: in how many milliseconds the peer's timer is due */
static uint64_t next_ms(void)
{
	assert_int_not_equal(a->peer->timer.place, 0);
	return instant_since_ms(a->peer->timer.due, now);
}

/* Take what was sent.  Return: how many probes of @bytes there were, any where that is 0 */
static uint32_t probes(size_t bytes)
{
	struct datagram datagram;
	uint32_t count = 0;

	while (intercept(b, &datagram)) {
		struct session *session = a->peer->current;
		struct record_reader reader;
		struct record record;
		struct gre header;
		enum drop drop;
		bool newest;

		if (protocol_of(&datagram) != GRE_PROTOCOL_SEALED)
			continue;
		assert_int_equal(gre_decode(datagram.bytes, datagram.len, &header), GRE_OK);
		assert_true(session_open(session, &header, datagram.bytes, datagram.len, now, &newest, &drop));
		reader = record_reader_init(datagram.bytes + GRE_HEADER_BYTES, datagram.len - TRAIN_OVERHEAD_BYTES);
		assert_int_equal(record_next(&reader, &record), RECORD_OK);
		assert_int_equal(record.type, RECORD_PROBE);
		count += bytes == 0 || datagram.len == bytes;
	}
	return count;
}

/* All sizes pass at once */
static void find_size(void)
{
	struct peer_path *path = paths_in_use(&a->peer->paths);

	while (path->pmtu.state == PMTU_SEARCHING) {
		uint32_t bytes = path->pmtu.probe_bytes;

		assert_int_not_equal(bytes, 0);
		pass(10);
		counter_add(&a->peer->current->rx[0].datagrams, 1);
		counter_set(&a->peer->current->rx[0].last_ns, now.ns);
		a->overlay.now = now;
		liveness_acked(&a->overlay, a->peer, now.ns - 10000000, bytes);
		tend();
	}
	(void)probes(0);
}

/* Workers have sent so much */
static void send_data(uint64_t bytes)
{
	counter_add(&a->peer->current->senders[0].datagrams, 1);
	counter_add(&a->peer->current->senders[0].bytes, bytes);
	counter_set(&a->peer->current->senders[0].carried_ns, now.ns);
}

static void hear(void)
{
	counter_add(&a->peer->current->rx[0].datagrams, 1);
	counter_set(&a->peer->current->rx[0].last_ns, now.ns);
}

static void a_session_begins_with_a_probe_and_a_search(void **state)
{
	(void)state;
	come_up();
	tend();
	assert_int_equal(b->waiting, 2);
	assert_int_equal(b->inbox[0].len, PROBING_MIN_BYTES);
	assert_int_equal(b->inbox[1].len, 1500 - 28);
	assert_int_equal(next_ms(), 50);
	find_size();
	assert_int_equal(a->peer->path->datagram_bytes, 1500 - 28);
}

static void a_quiet_peer_is_left_alone_until_its_keepalive(void **state)
{
	(void)state;
	come_up();
	tend();
	find_size();
	for (int i = 0; next_ms() <= 1000; i++) {
		assert_true(i < 3);
		pass(next_ms());
		tend();
	}
	assert_true(a->peer->quiet);
	assert_in_range(next_ms(), 12000, 15000);
	assert_int_equal(b->waiting, 0);
	pass(next_ms());
	tend();
	assert_int_equal(probes(PROBING_MIN_BYTES), 1);
	assert_false(a->peer->quiet); /* is it answered? */
	assert_in_range(next_ms(), 900, 1000);
}

static void data_is_watched_and_its_path_confirmed(void **state)
{
	(void)state;
	come_up();
	tend();
	find_size();
	pass(2000);
	send_data(100000);
	hear();
	tend();
	assert_int_equal(next_ms(), PMTU_CONFIRM_MS / 10); /* a confirmation is out */
	assert_int_equal(probes(1500 - 28), 1);
	a->overlay.now = now;
	liveness_acked(&a->overlay, a->peer, now.ns, 1500 - 28);
	tend();
	assert_int_equal(next_ms(), PMTU_CONFIRM_MS);
}

/* As its timer asks */
static void run_ms(uint64_t ms)
{
	const struct instant end = instant_add_ms(now, ms);

	while (instant_reached(end, a->peer->timer.due)) {
		now = a->peer->timer.due;
		tend();
	}
	now = end;
	tend();
}

static void what_is_not_answered_is_silence(void **state)
{
	(void)state;
	come_up();
	tend();
	find_size();
	pass(1500);
	tend(); /* what was heard until now */
	send_data(100);
	pass(1000);
	tend();
	assert_int_equal(a->peer->contact.unanswered_at.ns, now.ns);
	run_ms(2100);
	assert_int_equal(a->peer->contact.state, CONTACT_SILENT);
	run_ms(8000);
	assert_in_range(probes(PROBING_MIN_BYTES), 16, 20); /* each 250 ms at first, then each second */
	assert_int_not_equal(a->peer->handshake_index, 0);  /* asked for a new session meanwhile */
	hear();
	tend();
	assert_int_equal(a->peer->contact.state, CONTACT_UP);
	assert_int_equal(a->peer->contact.unanswered_at.ns, 0);
}

static void the_last_moment_ends_the_session(void **state)
{
	(void)state;
	come_up();
	overlay_endpoints(&a->overlay, a->peer, &b->endpoint, 1, now);
	now = (struct instant){ a->peer->current->reject_after.ns - 1 };
	tend();
	assert_non_null(a->peer->sending);
	pass(1);
	tend();
	assert_null(a->peer->sending);
	assert_int_equal(a->peer->contact.state, CONTACT_UNREACHABLE);
	pass(SESSION_REKEY_MS / CONTACT_REKEY_SPREAD);
	tend();
	assert_int_not_equal(a->peer->handshake_index, 0);
}

static void a_refused_size_is_given_up_at_once(void **state)
{
	(void)state;
	come_up();
	tend();
	find_size();
	a->overlay.now = now;
	liveness_refused(&a->overlay, a->peer, 1472);
	tend();
	assert_true(a->peer->path->datagram_bytes < 1472);
	assert_true(probes(0) > 0);
}

static void a_smaller_interface_is_seen(void **state)
{
	(void)state;
	come_up();
	tend();
	find_size();
	a->device_mtu = 1400;
	a->overlay.now = now;
	liveness_rerouted(&a->overlay, a->peer);
	tend();
	assert_true(a->peer->path->datagram_bytes <= 1400 - 28);
	find_size();
	assert_in_range(a->peer->path->datagram_bytes, 1400 - 28 - PMTU_STEP_BYTES, 1400 - 28);
}

/* A control thread that did not get to look for a while does not take a peer for silent that was heard all the time */
static void late_looks_are_no_silence(void **state)
{
	struct lane_rx *rx;
	struct instant since;

	(void)state;
	come_up();
	tend();
	rx = &a->peer->current->rx[0];
	since = a->peer->contact.since;
	for (int i = 0; i < 3; i++) {
		counter_add(&rx->datagrams, 1);
		counter_set(&rx->last_ns, now.ns);
		counter_set(&rx->carried_ns, now.ns);
		tend();
		assert_int_equal(a->peer->contact.pace, CONTACT_ACTIVE);
		assert_int_equal(a->peer->contact.state, CONTACT_UP);
		assert_int_equal(a->peer->contact.since.ns, since.ns);
		pass(5000);
	}
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, open_sides, close_sides)
	const struct CMUnitTest tests[] = {
		TEST(a_session_begins_with_a_probe_and_a_search),
		TEST(a_quiet_peer_is_left_alone_until_its_keepalive),
		TEST(data_is_watched_and_its_path_confirmed),
		TEST(what_is_not_answered_is_silence),
		TEST(the_last_moment_ends_the_session),
		TEST(a_refused_size_is_given_up_at_once),
		TEST(a_smaller_interface_is_seen),
		TEST(late_looks_are_no_silence),
	};
	int failed;

	rcu_thread_begin();
	failed = cmocka_run_group_tests(tests, NULL, NULL);
	rcu_thread_end();
	return failed;
}
