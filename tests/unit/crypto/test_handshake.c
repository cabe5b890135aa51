/*
 * test_handshake.c - two agents in memory: agreement, wrong states, replays, reordering, tampering, wrong keys
 */
#include "crypto/handshake.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "base/secret.h"
#include "crypto/aead_registry.h"
#include "crypto/transport.h"

static const struct instant now = { 1000000000 };
static const struct handshake_offer all_ciphers = {
	.ciphers = { AEAD_AES_128_GCM, AEAD_AES_256_GCM, AEAD_CHACHA20_POLY1305 },
	.cipher_count = 3,
	.lanes = 3,
};

struct agent {
	struct handshake_self self;
	struct cookie_checker checker;
	struct cookie_jar jar; /* for the other one */
	struct handshake handshake;
	struct tai64n greatest;
	struct handshake_offer offer;
	uint8_t out[HANDSHAKE_BODY_MAX_BYTES];
	size_t out_bytes;
	struct session_keys keys;
};

struct pair {
	struct agent a;
	struct agent b;
	struct endpoint source;
	int64_t clock_s;
};

static void agent_init(struct agent *agent)
{
	assert_true(x25519_generate(&agent->self.static_key));
	memset(agent->self.psk.bytes, 7, sizeof(agent->self.psk.bytes));
	assert_true(cookie_checker_init(&agent->checker, &agent->self.static_key.public));
	handshake_init(&agent->handshake);
	agent->offer = all_ciphers;
}

static void pair_init(struct pair *pair)
{
	memset(pair, 0, sizeof(*pair));
	agent_init(&pair->a);
	agent_init(&pair->b);
	pair->b.offer.lanes = 5;
	pair->clock_s = 1000;
	assert_true(cookie_jar_init(&pair->a.jar, &pair->b.self.static_key.public));
	assert_true(cookie_jar_init(&pair->b.jar, &pair->a.self.static_key.public));
	assert_true(endpoint_parse("192.0.2.1", 4754, &pair->source));
}

static void pair_fini(struct pair *pair)
{
	handshake_fini(&pair->a.handshake);
	handshake_fini(&pair->b.handshake);
	secret_wipe(pair, sizeof(*pair));
}

static void initiate(struct pair *pair)
{
	struct agent *a = &pair->a;

	assert_int_equal(handshake_initiation_create(&a->handshake, &a->self, &pair->b.self.static_key.public, &a->jar,
				 tai64n_from_unix(pair->clock_s++, 0), &a->offer, 0xaaaaaa, now, a->out, &a->out_bytes),
		HANDSHAKE_OK);
	assert_int_equal(a->handshake.state, HANDSHAKE_INITIATED);
	assert_int_equal(handshake_type(a->out, a->out_bytes), HANDSHAKE_TYPE_INITIATION);
}

static enum handshake_result read_initiation(struct agent *b, const uint8_t *body, size_t len,
	struct handshake_request *request)
{
	return handshake_initiation_consume(&b->handshake, &b->self, body, len, request);
}

static enum handshake_result respond(struct agent *b)
{
	return handshake_response_create(&b->handshake, &b->jar, &b->offer, 0xbbbbbb, now, b->out, &b->out_bytes,
		&b->keys);
}

static void until_response(struct pair *pair)
{
	struct handshake_request request;

	initiate(pair);
	assert_int_equal(read_initiation(&pair->b, pair->a.out, pair->a.out_bytes, &request), HANDSHAKE_OK);
	assert_memory_equal(&request.static_key, &pair->a.self.static_key.public, sizeof(request.static_key));
	assert_true(tai64n_accept(&pair->b.greatest, &request.timestamp));
	assert_int_equal(respond(&pair->b), HANDSHAKE_OK);
	assert_true(pair->b.out_bytes <= pair->a.out_bytes);
}

static enum handshake_result read_response(struct agent *a, const uint8_t *body, size_t len)
{
	return handshake_response_consume(&a->handshake, body, len, &a->keys);
}

static bool is_wiped(const struct handshake *handshake)
{
	static const struct handshake zero;

	return memcmp(handshake, &zero, sizeof(zero)) == 0;
}

/* What one seals in any of its lanes the other opens */
static void keys_fit(const struct session_keys *sender, const struct session_keys *receiver)
{
	const uint8_t ad[AEAD_AD_BYTES] = { 0 };
	uint8_t sealed[4 + AEAD_TAG_BYTES];
	uint8_t out[4];

	for (uint8_t lane = 0; lane < receiver->remote_lanes; lane++) {
		struct aead *send = transport_lane_new(aead_backend_openssl(), &sender->send, sender->cipher, lane);
		struct aead *receive =
			transport_lane_new(aead_backend_openssl(), &receiver->receive, receiver->cipher, lane);

		assert_true(send && receive);
		assert_true(aead_seal(send, 0, ad, (const uint8_t *)"weft", 4, sealed));
		assert_true(aead_open(receive, 0, ad, sealed, sizeof(sealed), out));
		assert_memory_equal(out, "weft", 4);
		aead_free(send);
		aead_free(receive);
	}
}

static void two_agree(void **state)
{
	struct pair pair;
	uint32_t receiver;

	(void)state;
	pair_init(&pair);
	until_response(&pair);
	assert_int_equal(cookie_check(&pair.b.checker, pair.a.out, pair.a.out_bytes, &pair.source, now),
		COOKIE_ONLY_MAC1);
	assert_int_equal(cookie_check(&pair.a.checker, pair.b.out, pair.b.out_bytes, &pair.source, now),
		COOKIE_ONLY_MAC1);
	assert_true(handshake_response_receiver(pair.b.out, pair.b.out_bytes, &receiver));
	assert_int_equal(receiver, 0xaaaaaa);
	assert_int_equal(read_response(&pair.a, pair.b.out, pair.b.out_bytes), HANDSHAKE_OK);
	assert_true(is_wiped(&pair.a.handshake));
	assert_true(is_wiped(&pair.b.handshake));
	assert_int_equal(pair.a.keys.local_index, 0xaaaaaa);
	assert_int_equal(pair.a.keys.remote_index, 0xbbbbbb);
	assert_int_equal(pair.b.keys.local_index, 0xbbbbbb);
	assert_int_equal(pair.b.keys.remote_index, 0xaaaaaa);
	assert_int_equal(pair.a.keys.cipher, AEAD_AES_128_GCM);
	assert_int_equal(pair.b.keys.cipher, AEAD_AES_128_GCM);
	assert_int_equal(pair.a.keys.remote_lanes, 5);
	assert_int_equal(pair.b.keys.remote_lanes, 3);
	assert_int_equal(pair.a.keys.version, HANDSHAKE_VERSION);
	assert_memory_equal(&pair.a.keys.send, &pair.b.keys.receive, sizeof(struct noise_key));
	assert_memory_equal(&pair.a.keys.receive, &pair.b.keys.send, sizeof(struct noise_key));
	assert_memory_not_equal(&pair.a.keys.send, &pair.a.keys.receive, sizeof(struct noise_key));
	keys_fit(&pair.a.keys, &pair.b.keys);
	keys_fit(&pair.b.keys, &pair.a.keys);
	pair_fini(&pair);
}

/* Both ask at once: two sessions, each of its own keys */
static void crossing_initiations(void **state)
{
	struct pair pair;
	struct handshake answering;
	struct handshake_request request;
	uint8_t from_b[HANDSHAKE_BODY_MAX_BYTES];
	uint8_t answer[HANDSHAKE_BODY_MAX_BYTES];
	size_t from_b_bytes, answer_bytes;
	struct session_keys at_a;

	(void)state;
	pair_init(&pair);
	handshake_init(&answering);
	until_response(&pair);
	assert_int_equal(handshake_initiation_create(&pair.b.handshake, &pair.b.self, &pair.a.self.static_key.public,
				 &pair.b.jar, tai64n_from_unix(5, 0), &pair.b.offer, 0xbbbbbc, now, from_b,
				 &from_b_bytes),
		HANDSHAKE_OK);
	assert_int_equal(handshake_initiation_consume(&answering, &pair.a.self, from_b, from_b_bytes, &request),
		HANDSHAKE_OK);
	assert_int_equal(handshake_response_create(&answering, &pair.a.jar, &pair.a.offer, 0xaaaaab, now, answer,
				 &answer_bytes, &at_a),
		HANDSHAKE_OK);
	assert_int_equal(read_response(&pair.a, pair.b.out, pair.b.out_bytes), HANDSHAKE_OK);
	keys_fit(&pair.a.keys, &pair.b.keys);
	assert_int_equal(read_response(&pair.b, answer, answer_bytes), HANDSHAKE_OK);
	keys_fit(&at_a, &pair.b.keys);
	assert_memory_not_equal(&at_a.send, &pair.a.keys.send, sizeof(at_a.send));
	pair_fini(&pair);
}

static void every_byte_of_the_initiation_flipped(void **state)
{
	struct pair pair;
	struct handshake_request request;

	(void)state;
	pair_init(&pair);
	initiate(&pair);
	for (size_t i = 0; i < pair.a.out_bytes; i++) {
		bool in_macs = i >= pair.a.out_bytes - COOKIE_MACS_BYTES;
		bool in_mac2 = i >= pair.a.out_bytes - COOKIE_MAC_BYTES;

		pair.a.out[i] ^= 0x04;
		/* mac2 counts under load only, and then a wrong one is no proof */
		assert_int_equal(cookie_check(&pair.b.checker, pair.a.out, pair.a.out_bytes, &pair.source, now),
			in_mac2 ? COOKIE_ONLY_MAC1 : COOKIE_BAD);
		if (!in_macs) { /* even where someone who knows our public key mends mac1 */
			assert_int_not_equal(read_initiation(&pair.b, pair.a.out, pair.a.out_bytes, &request),
				HANDSHAKE_OK);
			assert_true(is_wiped(&pair.b.handshake));
		}
		pair.a.out[i] ^= 0x04;
	}
	assert_int_equal(read_initiation(&pair.b, pair.a.out, pair.a.out_bytes, &request), HANDSHAKE_OK);
	pair_fini(&pair);
}

static void every_byte_of_the_response_flipped(void **state)
{
	struct pair pair;

	(void)state;
	pair_init(&pair);
	until_response(&pair);
	for (size_t i = 0; i < pair.b.out_bytes; i++) {
		struct handshake before = pair.a.handshake;
		bool in_macs = i >= pair.b.out_bytes - COOKIE_MACS_BYTES;

		pair.b.out[i] ^= 0x04;
		assert_int_equal(cookie_check(&pair.a.checker, pair.b.out, pair.b.out_bytes, &pair.source, now),
			i >= pair.b.out_bytes - COOKIE_MAC_BYTES ? COOKIE_ONLY_MAC1 : COOKIE_BAD);
		if (!in_macs) {
			assert_int_not_equal(read_response(&pair.a, pair.b.out, pair.b.out_bytes), HANDSHAKE_OK);
			assert_memory_equal(&pair.a.handshake, &before, sizeof(before)); /* goes on waiting */
		}
		pair.b.out[i] ^= 0x04;
	}
	assert_int_equal(read_response(&pair.a, pair.b.out, pair.b.out_bytes), HANDSHAKE_OK);
	keys_fit(&pair.a.keys, &pair.b.keys);
	pair_fini(&pair);
}

static void every_truncated_length(void **state)
{
	struct pair pair;
	struct handshake_request request;
	uint32_t receiver;

	(void)state;
	pair_init(&pair);
	until_response(&pair);
	for (size_t len = 0; len < pair.a.out_bytes; len++) {
		uint8_t *cut = malloc(len + 1);

		assert_non_null(cut);
		memcpy(cut, pair.a.out, len);
		assert_int_not_equal(read_initiation(&pair.b, cut, len, &request), HANDSHAKE_OK);
		free(cut);
	}
	for (size_t len = 0; len < pair.b.out_bytes; len++) {
		uint8_t *cut = malloc(len + 1);

		assert_non_null(cut);
		memcpy(cut, pair.b.out, len);
		assert_int_equal(handshake_response_receiver(cut, len, &receiver), len >= 7);
		assert_int_not_equal(read_response(&pair.a, cut, len), HANDSHAKE_OK);
		free(cut);
	}
	assert_int_equal(handshake_type(NULL, 0), HANDSHAKE_TYPE_NONE);
	assert_int_equal(read_response(&pair.a, pair.b.out, pair.b.out_bytes), HANDSHAKE_OK);
	pair_fini(&pair);
}

static void longer_than_any_message(void **state)
{
	struct pair pair;
	struct handshake_request request;
	uint8_t body[HANDSHAKE_BODY_MAX_BYTES + 1] = { HANDSHAKE_TYPE_INITIATION };

	(void)state;
	pair_init(&pair);
	assert_int_equal(read_initiation(&pair.b, body, sizeof(body), &request), HANDSHAKE_DROP_LENGTH);
	initiate(&pair);
	body[0] = HANDSHAKE_TYPE_RESPONSE;
	assert_int_equal(read_response(&pair.a, body, sizeof(body)), HANDSHAKE_DROP_LENGTH);
	pair_fini(&pair);
}

static void wrong_states(void **state)
{
	struct pair pair;
	struct handshake_request request;

	(void)state;
	pair_init(&pair);
	assert_int_equal(respond(&pair.b), HANDSHAKE_DROP_STATE);
	assert_int_equal(read_response(&pair.a, pair.b.out, 101), HANDSHAKE_DROP_STATE);
	until_response(&pair);
	assert_int_equal(respond(&pair.b), HANDSHAKE_DROP_STATE); /* once */
	assert_int_equal(read_initiation(&pair.a, pair.a.out, pair.a.out_bytes, &request), HANDSHAKE_DROP_STATE);
	assert_int_equal(respond(&pair.a), HANDSHAKE_DROP_STATE);
	assert_int_equal(pair.a.handshake.state, HANDSHAKE_INITIATED);
	assert_int_equal(read_response(&pair.a, pair.a.out, pair.a.out_bytes), HANDSHAKE_DROP_TYPE);
	assert_int_equal(read_initiation(&pair.b, pair.b.out, pair.b.out_bytes, &request), HANDSHAKE_DROP_TYPE);
	assert_int_equal(read_response(&pair.a, pair.b.out, pair.b.out_bytes), HANDSHAKE_OK);
	assert_int_equal(read_response(&pair.a, pair.b.out, pair.b.out_bytes), HANDSHAKE_DROP_STATE); /* replayed */
	pair_fini(&pair);
}

/* The old answer to a new question, and answers to somebody else's */
static void reordered_and_replayed(void **state)
{
	struct pair pair;
	struct handshake_request request;
	uint8_t old_initiation[HANDSHAKE_BODY_MAX_BYTES];
	uint8_t old_response[HANDSHAKE_BODY_MAX_BYTES];
	size_t old_initiation_bytes, old_response_bytes;

	(void)state;
	pair_init(&pair);
	until_response(&pair);
	memcpy(old_initiation, pair.a.out, sizeof(old_initiation));
	old_initiation_bytes = pair.a.out_bytes;
	memcpy(old_response, pair.b.out, sizeof(old_response));
	old_response_bytes = pair.b.out_bytes;
	until_response(&pair); /* a retransmission replaces the first try */
	assert_int_equal(read_response(&pair.a, old_response, old_response_bytes), HANDSHAKE_DROP_AUTH);
	assert_int_equal(read_response(&pair.a, pair.b.out, pair.b.out_bytes), HANDSHAKE_OK);
	/* authentic, and yet a replay: the timestamp tells */
	assert_int_equal(read_initiation(&pair.b, old_initiation, old_initiation_bytes, &request), HANDSHAKE_OK);
	assert_false(tai64n_accept(&pair.b.greatest, &request.timestamp));
	handshake_fini(&pair.b.handshake);
	assert_int_equal(read_initiation(&pair.b, pair.a.out, pair.a.out_bytes, &request), HANDSHAKE_OK);
	assert_false(tai64n_accept(&pair.b.greatest, &request.timestamp));
	pair_fini(&pair);
}

static void wrong_index(void **state)
{
	struct pair pair;

	(void)state;
	pair_init(&pair);
	until_response(&pair);
	pair.a.handshake.local_index = 0xaaaaab;
	assert_int_equal(read_response(&pair.a, pair.b.out, pair.b.out_bytes), HANDSHAKE_DROP_INDEX);
	pair_fini(&pair);
}

static void wrong_psk(void **state)
{
	struct pair pair;

	(void)state;
	pair_init(&pair);
	pair.b.self.psk.bytes[31] ^= 1;
	until_response(&pair); /* psk2: the initiator is the first to see */
	assert_int_equal(read_response(&pair.a, pair.b.out, pair.b.out_bytes), HANDSHAKE_DROP_AUTH);
	pair_fini(&pair);
}

static void wrong_static(void **state)
{
	struct pair pair;
	struct agent stranger = { 0 };
	struct handshake_request request;

	(void)state;
	pair_init(&pair);
	agent_init(&stranger);
	initiate(&pair);
	assert_int_equal(read_initiation(&stranger, pair.a.out, pair.a.out_bytes, &request), HANDSHAKE_DROP_AUTH);
	/* the private key of one, the public key of another: "ss" does not come out */
	pair.a.self.static_key.private = stranger.self.static_key.private;
	initiate(&pair);
	assert_int_equal(read_initiation(&pair.b, pair.a.out, pair.a.out_bytes, &request), HANDSHAKE_DROP_AUTH);
	pair_fini(&pair);
}

static void ciphers_are_chosen(void **state)
{
	struct pair pair;
	struct handshake_request request;

	(void)state;
	pair_init(&pair);
	pair.a.offer = (struct handshake_offer){ .ciphers = { 77, AEAD_CHACHA20_POLY1305, AEAD_AES_256_GCM },
		.cipher_count = 3,
		.lanes = 1 };
	pair.b.offer = (struct handshake_offer){ .ciphers = { AEAD_AES_256_GCM, AEAD_CHACHA20_POLY1305, 77 },
		.cipher_count = 3,
		.lanes = 16 };
	until_response(&pair);
	assert_int_equal(read_response(&pair.a, pair.b.out, pair.b.out_bytes), HANDSHAKE_OK);
	assert_int_equal(pair.a.keys.cipher, AEAD_CHACHA20_POLY1305); /* the initiator's order; 77 is unknown */
	assert_int_equal(pair.b.keys.cipher, AEAD_CHACHA20_POLY1305);
	keys_fit(&pair.b.keys, &pair.a.keys);
	pair.b.offer = (struct handshake_offer){ .ciphers = { AEAD_AES_128_GCM }, .cipher_count = 1, .lanes = 1 };
	initiate(&pair);
	assert_int_equal(read_initiation(&pair.b, pair.a.out, pair.a.out_bytes, &request), HANDSHAKE_OK);
	assert_int_equal(respond(&pair.b), HANDSHAKE_DROP_CIPHER);
	assert_true(is_wiped(&pair.b.handshake));
	pair_fini(&pair);
}

static void each_side_learns_the_others_instance(void **state)
{
	struct handshake_request request;
	struct pair pair;

	(void)state;
	pair_init(&pair);
	pair.a.offer.instance = 0x0102030405060708;
	pair.b.offer.instance = 0xff;
	initiate(&pair);
	assert_int_equal(read_initiation(&pair.b, pair.a.out, pair.a.out_bytes, &request), HANDSHAKE_OK);
	assert_true(request.offer.instance == pair.a.offer.instance);
	assert_int_equal(respond(&pair.b), HANDSHAKE_OK);
	assert_true(pair.b.out_bytes <= pair.a.out_bytes);
	assert_int_equal(read_response(&pair.a, pair.b.out, pair.b.out_bytes), HANDSHAKE_OK);
	assert_true(pair.a.keys.instance == pair.b.offer.instance && pair.b.keys.instance == pair.a.offer.instance);
	assert_false(pair.a.keys.disowned);
	keys_fit(&pair.b.keys, &pair.a.keys);
	pair_fini(&pair);
}

static void who_is_disowned_hears_it(void **state)
{
	struct pair pair;

	(void)state;
	pair_init(&pair);
	pair.b.offer.disowned = true;
	until_response(&pair);
	assert_true(pair.b.keys.disowned);
	assert_int_equal(read_response(&pair.a, pair.b.out, pair.b.out_bytes), HANDSHAKE_OK);
	assert_true(pair.a.keys.disowned);
	pair_fini(&pair);
}

/* A peer of ours that holds all keys and yet sends payloads that are wrong, or of a later version */
static enum handshake_result payload_gives(struct pair *pair, const uint8_t *payload, size_t len,
	struct handshake_request *request)
{
	static const char prologue[] = "weft handshake v1";
	uint8_t body[HANDSHAKE_BODY_MAX_BYTES] = { 1, 0xaa, 0xaa, 0xaa };
	struct x25519_keypair ephemeral;
	struct noise noise;
	enum handshake_result result;

	assert_true(x25519_generate(&ephemeral));
	assert_true(noise_init_initiator(&noise, prologue, sizeof(prologue) - 1, &pair->a.self.static_key,
		&pair->b.self.static_key.public, &pair->a.self.psk));
	assert_true(noise_initiation_write(&noise, &ephemeral, payload, len, body + 4));
	noise_fini(&noise);
	result = read_initiation(&pair->b, body, 4 + NOISE_INITIATION_BYTES + len + COOKIE_MACS_BYTES, request);
	handshake_fini(&pair->b.handshake);
	return result;
}

static void payloads(void **state)
{
	struct pair pair;
	struct handshake_request request;
	uint8_t payload[] = { 1, 0xaa, 0xaa, 0xaa,    /* copy of the header */
		0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 1,   /* timestamp */
		9, 2, 2, 1, 4, 0, 3, 'n', 'e', 'w' }; /* version, two ciphers, lanes, three bytes from the future */
	uint8_t extended[] = { 1, 0xaa, 0xaa, 0xaa, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 1, 1, 2, 2, 1, 4, /* as above */
		0, 15, 77, 1, 0, 1, 8, 1, 2, 3, 4, 5, 6, 7, 8, 2, 0 }; /* one not known, instance, disowned */
	const size_t x_at = 21;

	(void)state;
	pair_init(&pair);
	assert_int_equal(payload_gives(&pair, payload, sizeof(payload), &request), HANDSHAKE_OK);
	assert_int_equal(request.version, HANDSHAKE_VERSION);
	assert_int_equal(request.offer.cipher_count, 2);
	assert_int_equal(request.offer.lanes, 4);
	assert_int_equal(request.remote_index, 0xaaaaaa);
	assert_true(request.offer.instance == 0);
	for (size_t len = 0; len < sizeof(payload); len++)
		assert_int_equal(payload_gives(&pair, payload, len, &request), HANDSHAKE_DROP_PAYLOAD);
	for (uint8_t len = 0; len <= sizeof(extended) - x_at - 2; len++) { /* cut where they may be, they are skipped */
		extended[x_at + 1] = len;
		assert_int_equal(payload_gives(&pair, extended, x_at + 2 + len, &request), HANDSHAKE_OK);
		assert_true(request.offer.instance == (len >= 13 ? 0x0102030405060708 : 0));
		assert_int_equal(request.offer.disowned, len >= 15);
	}
#define WITH(index, value, wanted)                                                                    \
	do {                                                                                          \
		uint8_t kept = payload[index];                                                        \
                                                                                                      \
		payload[index] = (value);                                                             \
		assert_int_equal(payload_gives(&pair, payload, sizeof(payload), &request), (wanted)); \
		payload[index] = kept;                                                                \
	} while (0)
	WITH(0, 2, HANDSHAKE_DROP_PAYLOAD);
	WITH(3, 0, HANDSHAKE_DROP_PAYLOAD);
	WITH(16, 0, HANDSHAKE_DROP_VERSION);
	WITH(17, 0, HANDSHAKE_DROP_PAYLOAD);
	WITH(17, 9, HANDSHAKE_DROP_PAYLOAD);
	WITH(17, 255, HANDSHAKE_DROP_PAYLOAD);
	WITH(20, 0, HANDSHAKE_DROP_PAYLOAD);
	WITH(20, 17, HANDSHAKE_DROP_PAYLOAD);
	WITH(22, 2, HANDSHAKE_DROP_PAYLOAD);
	WITH(22, 4, HANDSHAKE_DROP_PAYLOAD);
#undef WITH
	pair_fini(&pair);
}

/* A responder that chose what was never offered */
static void answers_outside_the_offer(void **state)
{
	struct pair pair;

	(void)state;
	pair_init(&pair);
	until_response(&pair);
	pair.a.handshake.offer =
		(struct handshake_offer){ .ciphers = { AEAD_CHACHA20_POLY1305 }, .cipher_count = 1, .lanes = 1 };
	assert_int_equal(read_response(&pair.a, pair.b.out, pair.b.out_bytes), HANDSHAKE_DROP_CIPHER);
	assert_int_equal(pair.a.handshake.state, HANDSHAKE_INITIATED);
	pair_fini(&pair);
}

static void under_load(void **state)
{
	struct pair pair;
	uint8_t reply[COOKIE_REPLY_BYTES];
	struct handshake_request request;

	(void)state;
	pair_init(&pair);
	initiate(&pair);
	assert_true(cookie_reply_create(&pair.b.checker, pair.a.out, pair.a.out_bytes, &pair.source, now, reply));
	assert_int_equal(handshake_type(reply, sizeof(reply)), HANDSHAKE_TYPE_COOKIE);
	assert_true(cookie_reply_consume(&pair.a.jar, reply, sizeof(reply), now));
	initiate(&pair);
	assert_int_equal(cookie_check(&pair.b.checker, pair.a.out, pair.a.out_bytes, &pair.source, now), COOKIE_BOTH);
	assert_int_equal(read_initiation(&pair.b, pair.a.out, pair.a.out_bytes, &request), HANDSHAKE_OK);
	pair_fini(&pair);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(two_agree),
		cmocka_unit_test(crossing_initiations),
		cmocka_unit_test(every_byte_of_the_initiation_flipped),
		cmocka_unit_test(every_byte_of_the_response_flipped),
		cmocka_unit_test(every_truncated_length),
		cmocka_unit_test(longer_than_any_message),
		cmocka_unit_test(wrong_states),
		cmocka_unit_test(reordered_and_replayed),
		cmocka_unit_test(wrong_index),
		cmocka_unit_test(wrong_psk),
		cmocka_unit_test(wrong_static),
		cmocka_unit_test(ciphers_are_chosen),
		cmocka_unit_test(each_side_learns_the_others_instance),
		cmocka_unit_test(who_is_disowned_hears_it),
		cmocka_unit_test(payloads),
		cmocka_unit_test(answers_outside_the_offer),
		cmocka_unit_test(under_load),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
