/*
 * test_probing.c - a probe, sealed by one side, answered by the other, and what comes of the answer
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "base/random.h"
#include "crypto/aead_registry.h"
#include "overlay/peer/peer.h"
#include "overlay/peer/probing.h"

static struct peer *peer;
static struct session *session; /* what it sends it can also receive */
static struct instant now;

static int begin(void **state)
{
	struct session_keys keys = { .remote_index = 5, .cipher = AEAD_AES_128_GCM, .remote_lanes = 2 };
	struct x25519_keypair key;

	(void)state;
	now = (struct instant){ 1000000000ULL };
	assert_true(x25519_generate(&key));
	peer = peer_new(0, "h", &key.public, now);
	random_fill(&keys.send, sizeof(keys.send));
	keys.receive = keys.send;
	session = session_new(5, peer, &keys, aead_backend_openssl(), 2, 1, now);
	assert_true(peer && session);
	return 0;
}

static int end(void **state)
{
	(void)state;
	session_free(session);
	peer_free(peer);
	return 0;
}

/* Return: its only record, which lies in @datagram */
static struct record open_one(uint8_t *datagram, size_t len)
{
	struct record_reader reader;
	struct record record;
	struct gre header;
	enum drop drop;
	bool newest;

	assert_int_equal(gre_decode(datagram, len, &header), GRE_OK);
	assert_true(session_open(session, &header, datagram, len, now, &newest, &drop));
	assert_true(newest);
	reader = record_reader_init(datagram + GRE_HEADER_BYTES, len - TRAIN_OVERHEAD_BYTES);
	assert_int_equal(record_next(&reader, &record), RECORD_OK);
	return record;
}

static void a_probe_is_as_large_as_it_says_and_answered_so(void **state)
{
	static const uint16_t sizes[] = { PROBING_MIN_BYTES, PROBING_MIN_BYTES + 1, 1472, 9000 };

	(void)state;
	for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		struct probe probe = { .token = 99, .flags = PROBE_FLAG_MTU, .datagram_bytes = sizes[i] };
		uint8_t datagram[PMTU_MAX_MTU];
		struct probing probing;
		struct record record;

		assert_int_equal(probing_seal(session, i % 2 ? 1 : 2, i % 2, &probe, datagram), SEAL_OK);
		record = open_one(datagram, sizes[i]);
		assert_int_equal(record.type, RECORD_PROBE);
		assert_int_equal(probing_take(session, i % 2, &record, sizes[i], now, &probing), PROBING_ANSWER);
		record = (struct record){ .type = RECORD_PROBE_ACK,
			.body = probing.answer + RECORD_MAX_HEADER_BYTES,
			.body_bytes = PROBE_BODY_BYTES };
		assert_int_equal(probing_take(session, 0, &record, 60, now, &probing), PROBING_ACK);
		assert_int_equal(probing.token, 99);
		assert_int_equal(probing.bytes, sizes[i]);
	}
}

static enum probing_result ack(const struct probe *probe, struct probing *out)
{
	uint8_t body[PROBE_BODY_BYTES];
	const struct record record = { .type = RECORD_PROBE_ACK, .body = body, .body_bytes = sizeof(body) };

	probe_encode(probe, body);
	return probing_take(session, 0, &record, 60, now, out);
}

static void a_flows_answer_is_noted_in_the_peer(void **state)
{
	struct probe probe = { .flags = PROBE_FLAG_FLOW };
	struct probing probing;

	(void)state;
	counter_set(&peer->flow_epoch_ns, 500000000);
	probe.token = 600000000 / SESSION_LANES_MAX * SESSION_LANES_MAX + 3;
	assert_int_equal(ack(&probe, &probing), PROBING_FLOW_ACK);
	assert_int_equal(counter_read(&peer->flow_answered_ns[3]), now.ns);
	probe.token = 400000000 / SESSION_LANES_MAX * SESSION_LANES_MAX + 4; /* of the path before */
	assert_int_equal(ack(&probe, &probing), PROBING_FLOW_ACK);
	assert_int_equal(counter_read(&peer->flow_answered_ns[4]), 0);
	probe.token = 2000000000 / SESSION_LANES_MAX * SESSION_LANES_MAX + 5; /* of the future */
	assert_int_equal(ack(&probe, &probing), PROBING_FLOW_ACK);
	assert_int_equal(counter_read(&peer->flow_answered_ns[5]), 0);
}

static void answers_without_end_are_held_back(void **state)
{
	const struct probe probe = { .token = 1 };
	struct probing probing;
	uint32_t taken = 0;

	(void)state;
	for (int i = 0; i < 500; i++)
		taken += ack(&probe, &probing) == PROBING_ACK;
	assert_int_equal(taken, 50);
	assert_int_equal(ack(&probe, &probing), PROBING_RATE);
	now = instant_add_ms(now, 1000);
	assert_int_equal(ack(&probe, &probing), PROBING_ACK);
	assert_int_equal(probing.bytes, 0);
}

static void every_truncated_length(void **state)
{
	uint8_t body[PROBE_BODY_BYTES] = { 0 };
	struct probing probing;

	(void)state;
	for (size_t len = 0; len < PROBE_BODY_BYTES; len++) {
		const struct record ask = { .type = RECORD_PROBE, .body = body, .body_bytes = len };
		const struct record answer = { .type = RECORD_PROBE_ACK, .body = body, .body_bytes = len };

		assert_int_equal(probing_take(session, 0, &ask, 60, now, &probing), PROBING_MALFORMED);
		assert_int_equal(probing_take(session, 0, &answer, 60, now, &probing), PROBING_MALFORMED);
	}
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, begin, end)
	const struct CMUnitTest tests[] = {
		TEST(a_probe_is_as_large_as_it_says_and_answered_so),
		TEST(a_flows_answer_is_noted_in_the_peer),
		TEST(answers_without_end_are_held_back),
		TEST(every_truncated_length),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
