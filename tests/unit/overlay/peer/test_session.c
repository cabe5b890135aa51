/*
 * test_session.c - the index table against a naive model, and what a session starts with and counts
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "base/random.h"
#include "base/rcu.h"
#include "crypto/aead_registry.h"
#include "encap/gre.h"
#include "overlay/peer/session.h"

#define OPERATIONS 200000
#define MODEL_MAX 5000U

static struct session_table table;

struct model {
	uint32_t index[MODEL_MAX];
	struct peer *owner[MODEL_MAX];
	uint32_t count;
};

static struct peer *somebody(uint32_t at)
{
	static char peers[64];

	return (struct peer *)(void *)&peers[at % sizeof(peers)]; /* an address, never looked at */
}

static uint32_t take_any(struct model *model)
{
	uint32_t at = random_u32() % model->count, index = model->index[at];

	model->count--;
	model->index[at] = model->index[model->count];
	model->owner[at] = model->owner[model->count];
	return index;
}

static struct peer *owner_in(const struct model *model, uint32_t index)
{
	for (uint32_t i = 0; i < model->count; i++)
		if (model->index[i] == index)
			return model->owner[i];
	return NULL;
}

static int end_table(void **state)
{
	(void)state;
	rcu_drain();
	session_table_fini(&table);
	return 0;
}

static void all_indices_can_be_had_and_no_more(void **state)
{
	uint8_t *slots = calloc(SESSION_SLOTS_MAX, 1);
	uint32_t index = 0;

	(void)state;
	for (uint32_t i = 0; i < SESSION_SLOTS_MAX; i++) {
		index = session_index_reserve(&table, somebody(i), random_u32());
		assert_in_range(index, 1, HANDSHAKE_INDEX_MAX);
		assert_int_equal(slots[index % SESSION_SLOTS_MAX]++, 0);
		assert_ptr_equal(session_index_owner(&table, index), somebody(i));
	}
	assert_int_equal(session_index_reserve(&table, NULL, random_u32()), 0);
	session_index_release(&table, index);
	assert_null(session_index_owner(&table, index));
	assert_int_not_equal(session_index_reserve(&table, NULL, random_u32()), 0);
	assert_int_equal(session_index_reserve(&table, NULL, random_u32()), 0);
	free(slots);
}

static void reservations_against_a_model(void **state)
{
	static struct model model;

	(void)state;
	assert_null(session_index_owner(&table, 5));
	session_index_release(&table, 5);
	for (int i = 0; i < OPERATIONS; i++) {
		uint32_t index;

		switch (random_u32() % 4) {
		case 0:
		case 1:
			if (model.count == MODEL_MAX)
				break;
			index = session_index_reserve(&table, somebody(model.count), random_u32());
			assert_in_range(index, 1, HANDSHAKE_INDEX_MAX);
			if (i % 64 == 0)
				assert_null(owner_in(&model, index));
			model.owner[model.count] = somebody(model.count);
			model.index[model.count++] = index;
			break;
		case 2:
			if (model.count)
				session_index_release(&table, take_any(&model));
			break;
		default: /* one that is not reserved changes nothing */
			index = random_u32() & HANDSHAKE_INDEX_MAX;
			if (!owner_in(&model, index))
				session_index_release(&table, index);
			session_index_release(&table, 0);
			break;
		}
		assert_int_equal(table.count, model.count);
	}
	for (uint32_t i = 0; i < model.count; i++)
		assert_ptr_equal(session_index_owner(&table, model.index[i]), model.owner[i]);
}

/* Sessions are found throughout, however often the table doubles */
static void sessions_are_found_as_the_table_grows(void **state)
{
	static struct session sessions[3000];

	(void)state;
	for (uint32_t i = 0; i < 3000; i++) {
		sessions[i].index = session_index_reserve(&table, somebody(i), random_u32());
		session_publish(&table, &sessions[i]);
		if (i % 3 == 0) {
			session_unlink(&table, &sessions[i / 2]);
			assert_null(session_lookup(&table, sessions[i / 2].index));
			sessions[i / 2].index = session_index_reserve(&table, somebody(i), random_u32());
			session_publish(&table, &sessions[i / 2]);
		}
		for (uint32_t k = i % 7; k <= i; k += 7)
			assert_ptr_equal(session_lookup(&table, sessions[k].index), &sessions[k]);
	}
}

/* What it sends it can also receive */
static struct session *make(uint32_t index, uint32_t workers, uint8_t remote_lanes, uint32_t scale)
{
	struct session_keys keys = { .remote_index = 77, .cipher = AEAD_AES_128_GCM, .remote_lanes = remote_lanes };

	random_fill(&keys.send, sizeof(keys.send));
	keys.receive = keys.send;
	return session_new(index, NULL, &keys, aead_backend_openssl(), workers, scale, (struct instant){ 1000 });
}

static void a_stale_index_never_finds_a_successor(void **state)
{
	const uint32_t mask = SESSION_SLOTS_MIN - 1;

	(void)state;
	assert_null(session_lookup(&table, 7));
	for (int round = 0; round < 20000; round++) {
		struct session first = { .index = session_index_reserve(&table, NULL, random_u32()) };
		struct session second;

		session_publish(&table, &first);
		assert_ptr_equal(session_lookup(&table, first.index), &first);
		assert_null(session_lookup(&table, first.index ^ SESSION_SLOTS_MIN));
		session_unlink(&table, &first);
		assert_null(session_lookup(&table, first.index));
		table.next = first.index & mask; /* as if all others had had their turn */
		second.index = session_index_reserve(&table, NULL, round % 2 ? first.index : random_u32());
		assert_int_equal(second.index & mask, first.index & mask);
		assert_int_not_equal(second.index, first.index);
		session_publish(&table, &second);
		assert_null(session_lookup(&table, first.index));
		session_unlink(&table, &second);
	}
}

static void lanes_are_made_as_agreed(void **state)
{
	(void)state;
	for (uint32_t workers = 1; workers < SESSION_LANES_MAX; workers++) {
		for (uint8_t rx = 0; rx <= SESSION_LANES_MAX + 1; rx++) {
			struct session *session = make(5, workers, rx, 1);

			if (rx < 1 || rx > SESSION_LANES_MAX) {
				assert_null(session);
				continue;
			}
			assert_non_null(session);
			for (uint32_t k = 0; k < SESSION_LANES_MAX; k++) {
				assert_true((session->senders[k].main != NULL) == (k <= workers));
				assert_true((session->senders[k].own != NULL) == (k > 0 && k < workers));
				assert_true((session->rx[k].aead != NULL) == (k < rx));
			}
			assert_int_equal((uintptr_t)&session->senders[1] % 64, 0);
			assert_false(session->confirmed);
			assert_int_equal(session->remote_index, 77);
			session_free(session);
		}
	}
	session_free(NULL);
}

static void lifetimes_follow_the_scale(void **state)
{
	const uint64_t ms = 1000000;
	struct session *session = make(5, 1, 1, 1);

	(void)state;
	assert_int_equal(session->reject_after.ns, 1000 + SESSION_REJECT_MS * ms);
	session_free(session);
	session = make(5, 1, 1, 100);
	assert_int_equal(session->reject_after.ns,
		1000 + (SESSION_REKEY_MS / 100 + SESSION_REJECT_MS - SESSION_REKEY_MS) * ms);
	session_free(session);
}

#define WORKERS 3U
#define DATAGRAM_BYTES (GRE_HEADER_BYTES + 5 + AEAD_TAG_BYTES)

/* Seal one, and open it as its receiver would.  Return: its counter */
static uint32_t seal_and_open(struct session *session, uint32_t sender, uint32_t lane)
{
	uint8_t datagram[DATAGRAM_BYTES], out[5];
	struct gre header;

	assert_int_equal(session_seal(session, sender, lane, datagram, (const uint8_t *)"hello", 5), SEAL_OK);
	assert_int_equal(gre_decode(datagram, sizeof(datagram), &header), GRE_OK);
	assert_int_equal(header.protocol, GRE_PROTOCOL_SEALED);
	assert_int_equal(header.session, 77);
	assert_int_equal(header.lane, lane);
	assert_true(aead_open(session->rx[lane].aead, header.counter, datagram, datagram + GRE_HEADER_BYTES,
		sizeof(datagram) - GRE_HEADER_BYTES, out));
	assert_memory_equal(out, "hello", 5);
	for (uint32_t other = 0; other < session->rx_lanes; other++) /* a lane's key is its own */
		if (other != lane)
			assert_false(aead_open(session->rx[other].aead, header.counter, datagram,
				datagram + GRE_HEADER_BYTES, sizeof(datagram) - GRE_HEADER_BYTES, out));
	return header.counter;
}

static void counters_are_a_lanes_own(void **state)
{
	struct session *session = make(5, WORKERS, WORKERS, 1);
	uint32_t expected[WORKERS] = { 0 };

	(void)state;
	for (int i = 0; i < 2000; i++) {
		uint32_t sender = random_u32() % (WORKERS + 1);
		uint32_t lane = sender < WORKERS && random_u32() % 2 ? sender : 0;

		assert_int_equal(seal_and_open(session, sender, lane), expected[lane]++);
	}
	session_free(session);
}

static void used_up_lanes_seal_nothing(void **state)
{
	struct session *session = make(5, WORKERS, WORKERS, 1);
	uint8_t datagram[DATAGRAM_BYTES];

	(void)state;
	session->main_next = SESSION_REKEY_MESSAGES - 1;
	assert_false(session_is_worn(session, 0));
	seal_and_open(session, WORKERS, 0);
	assert_true(session_is_worn(session, 0) && session_is_worn(session, 1));
	session->main_next = SESSION_REJECT_MESSAGES - 1;
	seal_and_open(session, 0, 0);
	for (uint32_t sender = 0; sender <= WORKERS; sender++)
		assert_int_equal(session_seal(session, sender, 0, datagram, (const uint8_t *)"hello", 5),
			SEAL_EXHAUSTED);
	seal_and_open(session, 1, 1);
	session->senders[2].own_next = SESSION_REJECT_MESSAGES;
	assert_int_equal(session_seal(session, 2, 2, datagram, (const uint8_t *)"hello", 5), SEAL_EXHAUSTED);
	session_free(session);
}

#define SHARED_MESSAGES 20000U

static struct session *shared;
static uint8_t shared_seen[SHARED_MESSAGES * (WORKERS + 1)];

static void *seal_many(void *arg)
{
	const uint32_t sender = (uint32_t)(uintptr_t)arg;

	for (uint32_t i = 0; i < SHARED_MESSAGES; i++) {
		uint8_t datagram[DATAGRAM_BYTES];
		struct gre header;

		if (session_seal(shared, sender, 0, datagram, (const uint8_t *)"hello", 5) != SEAL_OK ||
			gre_decode(datagram, sizeof(datagram), &header) != GRE_OK)
			abort();
		__atomic_fetch_add(&shared_seen[header.counter], 1, __ATOMIC_RELAXED);
	}
	return NULL;
}

/* All threads at once in lane 0: no counter, and so no nonce, is ever used twice */
static void lane_0_is_shared(void **state)
{
	pthread_t threads[WORKERS + 1];

	(void)state;
	shared = make(5, WORKERS, 1, 1);
	for (uintptr_t k = 0; k <= WORKERS; k++)
		assert_int_equal(pthread_create(&threads[k], NULL, seal_many, (void *)k), 0);
	for (uint32_t k = 0; k <= WORKERS; k++)
		pthread_join(threads[k], NULL);
	for (uint32_t i = 0; i < sizeof(shared_seen); i++)
		assert_int_equal(shared_seen[i], 1);
	session_free(shared);
}

static void totals_are_sums_over_lanes(void **state)
{
	struct session_totals sum = { .tx_bytes = 1000 };
	struct session *session = make(9, 2, 5, 1);
	bool newest;

	(void)state;
	for (uint32_t lane = 0; lane < 3; lane++) {
		counter_add(&session->senders[lane].datagrams, lane + 1);
		counter_add(&session->senders[lane].bytes, 100 * (lane + 1));
	}
	for (uint32_t lane = 0; lane < 5; lane++) {
		counter_add(&session->rx[lane].datagrams, 10);
		counter_add(&session->rx[lane].bytes, 7);
		counter_set(&session->rx[lane].last_ns, lane == 2 ? 99 : lane);
	}
	assert_int_equal(replay_mark(&session->rx[4].replay, 3, &newest), REPLAY_OK); /* 0, 1, 2 did not come */
	session_totals_add(&sum, session);
	session_totals_add(&sum, NULL);
	assert_int_equal(sum.tx_datagrams, 6);
	assert_int_equal(sum.tx_bytes, 1600);
	assert_int_equal(sum.rx_datagrams, 50);
	assert_int_equal(sum.rx_bytes, 35);
	assert_int_equal(sum.rx_lost, 3);
	assert_int_equal(sum.rx_last_ns, 99);
	session_totals_add(&sum, session);
	assert_int_equal(sum.tx_datagrams, 12);
	session_free(session);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_teardown(all_indices_can_be_had_and_no_more, end_table),
		cmocka_unit_test_teardown(reservations_against_a_model, end_table),
		cmocka_unit_test_teardown(sessions_are_found_as_the_table_grows, end_table),
		cmocka_unit_test_teardown(a_stale_index_never_finds_a_successor, end_table),
		cmocka_unit_test(lanes_are_made_as_agreed),
		cmocka_unit_test(lifetimes_follow_the_scale),
		cmocka_unit_test(counters_are_a_lanes_own),
		cmocka_unit_test(used_up_lanes_seal_nothing),
		cmocka_unit_test(lane_0_is_shared),
		cmocka_unit_test(totals_are_sums_over_lanes),
	};

	int failed;

	rcu_thread_begin();
	failed = cmocka_run_group_tests(tests, NULL, NULL);
	rcu_thread_end();
	return failed;
}
