/*
 * test_dispatch.c - records gather in datagrams, where there is a session
 */
#include "overlay/datapath/dispatch.h"
#include "tests/unit/overlay/datapath/lone_worker.h"

static void put(struct lone *lone, uint32_t number, size_t payload_bytes)
{
	struct packet packet = lone_packet(lone, 0, number, payload_bytes);
	struct dispatch *dispatch = dispatch_for(lone->worker, lone->peer);
	struct record record = { .type = RECORD_FRAME,
		.network = NETWORK,
		.body = packet.frame,
		.body_bytes = packet.bytes };

	assert_non_null(dispatch);
	dispatch_record(lone->worker, dispatch, &record);
}

static void small_records_share_a_datagram(void **state)
{
	const struct train *train;
	struct lone lone;
	uint32_t one;

	(void)state;
	lone_open(&lone);
	lone_connect(&lone);
	put(&lone, 1, 60);
	train = &dispatch_for(lone.worker, lone.peer)->train;
	one = train->open_bytes;
	put(&lone, 2, 60);
	put(&lone, 3, 60);
	assert_int_equal(lone.worker->dispatches_count, 1);
	assert_int_equal(train->datagrams, 0);
	assert_in_range(train->open_bytes, one + 2 * 102, one + 2 * (102 + RECORD_MAX_HEADER_BYTES));
	lone_close(&lone);
}

static void a_large_record_has_a_datagram_to_itself(void **state)
{
	const struct train *train;
	struct lone lone;

	(void)state;
	lone_open(&lone);
	lone_connect(&lone);
	put(&lone, 1, 1300);
	train = &dispatch_for(lone.worker, lone.peer)->train;
	assert_int_equal(train->datagrams, 1);
	assert_int_equal(train->open_bytes, 0);
	put(&lone, 2, 1300);
	assert_int_equal(train->datagrams, 2);
	put(&lone, 3, 60); /* the last of a train may be shorter */
	assert_int_equal(train->datagrams, 2);
	assert_true(train->open_bytes > 0);
	assert_int_equal(counter_read(&lone.session->senders[0].datagrams), 2);
	lone_close(&lone);
}

static unsigned int asked_for_a_session(struct lone *lone)
{
	unsigned int count = 0;
	struct mail mail;

	while (mailbox_take(&lone->worker->mailbox, &mail)) {
		assert_int_equal(mail.kind, MAIL_WANT_SESSION);
		assert_int_equal(mail.peer, LONE_PEER);
		count++;
	}
	return count;
}

static void a_session_is_asked_for_now_and_then(void **state)
{
	struct lone lone;

	(void)state;
	lone_open(&lone);
	for (int i = 0; i < 50; i++)
		assert_null(dispatch_for(lone.worker, lone.peer));
	assert_int_equal(asked_for_a_session(&lone), 1);
	lone.worker->now = instant_add_ms(lone.worker->now, 1000);
	for (int i = 0; i < 50; i++)
		assert_null(dispatch_for(lone.worker, lone.peer));
	assert_int_equal(asked_for_a_session(&lone), 1);
	assert_int_equal(lone_dropped(&lone, DROP_NO_SESSION), 100);
	lone_close(&lone);
}

static void a_session_past_its_end_is_not_used(void **state)
{
	struct lone lone;

	(void)state;
	lone_open(&lone);
	lone_connect(&lone);
	lone.worker->now = lone.session->reject_after;
	assert_null(dispatch_for(lone.worker, lone.peer));
	assert_int_equal(lone_dropped(&lone, DROP_SESSION_EXPIRED), 1);
	assert_int_equal(asked_for_a_session(&lone), 1);
	lone_close(&lone);
}

static void a_peer_that_there_was_no_memory_for_is_counted(void **state)
{
	struct lone lone;

	(void)state;
	lone_open(&lone);
	lone_connect(&lone);
	lone.worker->peers_capacity = LONE_PEER;
	assert_null(dispatch_for(lone.worker, lone.peer));
	assert_int_equal(lone_dropped(&lone, DROP_NO_SESSION), 1);
	lone_close(&lone);
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

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(small_records_share_a_datagram),
		cmocka_unit_test(a_large_record_has_a_datagram_to_itself),
		cmocka_unit_test(a_session_is_asked_for_now_and_then),
		cmocka_unit_test(a_session_past_its_end_is_not_used),
		cmocka_unit_test(a_peer_that_there_was_no_memory_for_is_counted),
		cmocka_unit_test(without_a_session_frames_are_counted_and_one_is_asked_for),
	};

	return cmocka_run_group_tests(tests, fixture_begin, fixture_end);
}
