/*
 * test_peer.c - the life of a peer's sessions, and the path that workers see
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "base/random.h"
#include "base/rcu.h"
#include "crypto/aead_registry.h"
#include "overlay/peer/peer.h"

static struct session_table table;
static struct peer *peer;
static struct instant now;

static int begin(void **state)
{
	struct x25519_keypair key;

	(void)state;
	now = (struct instant){ 1000000000ULL };
	assert_true(x25519_generate(&key));
	peer = peer_new(7, "h", &key.public, now);
	assert_non_null(peer);
	return 0;
}

static int end(void **state)
{
	(void)state;
	peer_sessions_end(peer, &table);
	assert_int_equal(table.count, 0);
	peer_free(peer);
	rcu_drain();
	session_table_fini(&table);
	return 0;
}

static struct session *make(void)
{
	struct session_keys keys = { .remote_index = 77, .cipher = AEAD_AES_128_GCM, .remote_lanes = 1 };
	struct session *session = session_new(session_index_reserve(&table, peer, random_u32()), peer, &keys,
		aead_backend_openssl(), 1, 1, now);

	assert_non_null(session);
	session_publish(&table, session);
	return session;
}

static bool is_there(uint32_t index)
{
	return session_lookup(&table, index) != NULL;
}

static void so_many_are_kept_and_no_more(void **state)
{
	uint32_t index[8];

	(void)state;
	for (int i = 0; i < 8; i++) {
		struct session *session = make();

		index[i] = session->index;
		counter_add(&session->senders[0].datagrams, 1);
		peer_session_begin(peer, &table, session);
		assert_ptr_equal(peer->sending, session);
		for (int k = 0; k <= i; k++)
			assert_true(is_there(index[k]) == (k + (int)PEER_PREVIOUS >= i));
	}
	assert_int_equal(peer->sessions_count, 8);
}

static void an_answer_is_used_once_the_peer_does(void **state)
{
	struct session *first = make(), *second, *third;
	uint32_t replaced;

	(void)state;
	peer_session_begin(peer, &table, first);
	second = make();
	replaced = second->index;
	peer_session_answered(peer, &table, second);
	assert_ptr_equal(peer->sending, first);
	third = make();
	peer_session_answered(peer, &table, third);
	assert_false(is_there(replaced)); /* the peer asked again */
	assert_false(peer_session_confirm(peer, &table, first));
	assert_true(peer_session_confirm(peer, &table, third));
	assert_ptr_equal(peer->sending, third);
	assert_ptr_equal(peer->previous[0], first);
	assert_null(peer->next);
	assert_true(third->confirmed);
	assert_false(peer_session_confirm(peer, &table, third));
}

static void each_ends_at_its_last_moment(void **state)
{
	struct session *first = make(), *second;

	(void)state;
	assert_int_equal(peer_sessions_expiry(peer).ns, 0);
	peer_session_begin(peer, &table, first);
	now = instant_add_ms(now, 1000);
	second = make();
	peer_session_answered(peer, &table, second);
	assert_int_equal(peer_sessions_expiry(peer).ns, first->reject_after.ns);
	now = (struct instant){ first->reject_after.ns - 1 };
	assert_false(peer_sessions_expire(peer, &table, now));
	now = first->reject_after;
	assert_true(peer_sessions_expire(peer, &table, now));
	assert_null(peer->sending);
	assert_null(peer->current);
	assert_ptr_equal(peer->next, second);
	assert_int_equal(peer_sessions_expiry(peer).ns, second->reject_after.ns);
	now = second->reject_after;
	assert_false(peer_sessions_expire(peer, &table, now));
	assert_null(peer->next);
	assert_int_equal(table.count, 0);
}

static void totals_outlive_sessions(void **state)
{
	struct session_totals totals;

	(void)state;
	for (int i = 0; i < 10; i++) {
		struct session *session = make();

		counter_add(&session->senders[0].datagrams, 3);
		counter_add(&session->rx[0].bytes, 5);
		peer_session_begin(peer, &table, session);
		peer_totals(peer, &totals);
		assert_int_equal(totals.tx_datagrams, 3 * (i + 1));
	}
	peer_sessions_end(peer, &table);
	peer_totals(peer, &totals);
	assert_int_equal(totals.tx_datagrams, 30);
	assert_int_equal(totals.rx_bytes, 50);
}

static void the_path_is_replaced_as_a_whole(void **state)
{
	struct endpoint v4, v6;
	struct path *first;

	(void)state;
	assert_true(endpoint_parse("192.0.2.1", 4754, &v4));
	assert_true(endpoint_parse("2001:db8::1", 4754, &v6));
	assert_true(peer_set_path(peer, &v4, 1472, AF_INET));
	first = peer->path;
	assert_true(peer_set_path(peer, &v4, 1472, AF_INET));
	assert_ptr_equal(peer->path, first);
	assert_true(peer_set_path(peer, &v4, 1400, AF_INET));
	assert_ptr_not_equal(peer->path, first);
	assert_int_equal(peer->path->datagram_bytes, 1400);
	assert_false(peer_set_path(peer, &v6, 1400, AF_INET));
	assert_true(endpoint_equal(&peer->path->endpoint, &v4));
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, begin, end)
	const struct CMUnitTest tests[] = {
		TEST(so_many_are_kept_and_no_more),
		TEST(an_answer_is_used_once_the_peer_does),
		TEST(each_ends_at_its_last_moment),
		TEST(totals_outlive_sessions),
		TEST(the_path_is_replaced_as_a_whole),
	};
	int failed;

	rcu_thread_begin();
	failed = cmocka_run_group_tests(tests, NULL, NULL);
	rcu_thread_end();
	return failed;
}
