/*
 * test_noise.c - IK and IKpsk2 against published vectors, tampering, truncation, wrong order and wrong keys
 *
 * The vectors are cacophony's, as carried by the snow library (tests/vectors/cacophony.txt).
 */
#include "crypto/noise.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdlib.h>

#include "base/secret.h"
#include "crypto/chachapoly.h"
#include "tests/unit/crypto/hex.h"

struct message {
	const char *payload;
	const char *ciphertext;
};

/* init_prologue and resp_prologue are the same everywhere, and so are the two psks */
struct vector {
	const char *protocol_name;
	const char *prologue;
	const char *psk; /* NULL for IK */
	const char *init_static;
	const char *init_ephemeral;
	const char *init_remote_static;
	const char *resp_static;
	const char *resp_ephemeral;
	const char *handshake_hash;
	struct message messages[6]; /* two of the handshake, then to and fro */
};

static const struct vector vectors[] = {
	{
		.protocol_name = "Noise_IK_25519_ChaChaPoly_BLAKE2s",
		.prologue = "4a6f686e2047616c74",
		.init_static = "e61ef9919cde45dd5f82166404bd08e38bceb5dfdfded0a34c8df7ed542214d1",
		.init_ephemeral = "893e28b9dc6ca8d611ab664754b8ceb7bac5117349a4439a6b0569da977c464a",
		.init_remote_static = "31e0303fd6418d2f8c0e78b91f22e8caed0fbe48656dcf4767e4834f701b8f62",
		.resp_static = "4a3acbfdb163dec651dfa3194dece676d437029c62a408b4c5ea9114246e4893",
		.resp_ephemeral = "bbdb4cdbd309f1a1f2e1456967fe288cadd6f712d65dc7b7793d5e63da6b375b",
		.handshake_hash = "48f3cb8bc9319da4ba1e9933991b1c4ed4034f1f126a76d3a1fbcfd7f94248d4",
		.messages = {
			{ "4c756477696720766f6e204d69736573",
				"ca35def5ae56cec33dc2036731ab14896bc4c75dbb07a61f879f8e3afa4c79440b03ddc7aa"
				"c5123d06a1b23b71670e32e76c28239a7ca4ac8f784de7e44c1adbfc6e83fef7352a58d9d5"
				"6157400c0a737b1d171ce368229c7b752ac25b8faf4eca690f6d896f543be02c996ab2b86b"
				"76" },
			{ "4d757272617920526f746862617264",
				"95ebc60d2b1fa672c1f46a8aa265ef51bfe38e7ccb39ec5be34069f144808843d9b5a8927f"
				"0ac9655ef76833bc7e5561f42e691ac8404efd6fbd6308b6a27c" },
			{ "462e20412e20486179656b",
				"2c256ed08fcd08c2980f954ee4beaccb61c9581340f5dd2fd1cf3b" },
			{ "4361726c204d656e676572",
				"d6033f70eee20945c7c9dba304e397ee3b284ff5e00fd9efb095d3" },
			{ "4a65616e2d426170746973746520536179",
				"a9c068ca5d8babf72560652d8e851adbfac35c8a66e810d560863173e96adf4cfe" },
			{ "457567656e2042f6686d20766f6e2042617765726b",
				"2a09d8f459e5927e40fdd2eddc99bdafb04e13a26f145cb5cfe9e6ba34c94331ebc17d5156" },
		},
	},
	{
		.protocol_name = "Noise_IKpsk2_25519_ChaChaPoly_BLAKE2s",
		.prologue = "4a6f686e2047616c74",
		.psk = "54686973206973206d7920417573747269616e20706572737065637469766521",
		.init_static = "e61ef9919cde45dd5f82166404bd08e38bceb5dfdfded0a34c8df7ed542214d1",
		.init_ephemeral = "893e28b9dc6ca8d611ab664754b8ceb7bac5117349a4439a6b0569da977c464a",
		.init_remote_static = "31e0303fd6418d2f8c0e78b91f22e8caed0fbe48656dcf4767e4834f701b8f62",
		.resp_static = "4a3acbfdb163dec651dfa3194dece676d437029c62a408b4c5ea9114246e4893",
		.resp_ephemeral = "bbdb4cdbd309f1a1f2e1456967fe288cadd6f712d65dc7b7793d5e63da6b375b",
		.handshake_hash = "f5191b875290abcd41347ac3622d9679688a7e980229cb937ef748336cfde0e5",
		.messages = {
			{ "4c756477696720766f6e204d69736573",
				"ca35def5ae56cec33dc2036731ab14896bc4c75dbb07a61f879f8e3afa4c7944001e21de9f"
				"98ddd8e2ad57527207feb56253c9c94a9e496782ecfcb2a75fbcaf1b52948cc48daefe660c"
				"62119ab5000980c84831215f2441eba616548e832985464cf17e51ee93109008399a21f7e1"
				"3f" },
			{ "4d757272617920526f746862617264",
				"95ebc60d2b1fa672c1f46a8aa265ef51bfe38e7ccb39ec5be34069f144808843cb765f2cae"
				"f0751b8f007572dab0322217755c0632f365717edbf34d33e87a" },
			{ "462e20412e20486179656b",
				"8153ca9833bc3c1b91a7e66e5f4d4f5b59bf9e64c2f20d15f0bba7" },
			{ "4361726c204d656e676572",
				"07af0c9c86e1b4e80f36b04ff7688d51141af3debd0332f0a705ef" },
			{ "4a65616e2d426170746973746520536179",
				"6ab1467c0448cc78394494abaaf23afce0e234315d6e2624dcbfa8a21c1c4d073d" },
			{ "457567656e2042f6686d20766f6e2042617765726b",
				"dfc346c0d2296ae6cf1acf6f12b8456a1dba228cf8d8b774aacf1c47fc53aa80ebc7a4c292" },
		},
	},
};

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))
#define MESSAGE_MAX 512

struct pair {
	struct noise initiator;
	struct noise responder;
	struct x25519_keypair initiator_static;
	struct x25519_keypair initiator_ephemeral;
	struct x25519_keypair responder_static;
	struct x25519_keypair responder_ephemeral;
};

static struct x25519_keypair keypair_of(const char *hex)
{
	struct x25519_private private;
	struct x25519_keypair pair;

	hex_decode(hex, private.bytes, sizeof(private.bytes));
	assert_true(x25519_from_private(&private, &pair));
	return pair;
}

static void pair_init(struct pair *pair, const struct vector *v)
{
	struct x25519_public remote;
	struct noise_psk psk;
	uint8_t prologue[64];
	size_t n = hex_decode(v->prologue, prologue, sizeof(prologue));

	pair->initiator_static = keypair_of(v->init_static);
	pair->initiator_ephemeral = keypair_of(v->init_ephemeral);
	pair->responder_static = keypair_of(v->resp_static);
	pair->responder_ephemeral = keypair_of(v->resp_ephemeral);
	hex_decode(v->init_remote_static, remote.bytes, sizeof(remote.bytes));
	assert_memory_equal(&remote, &pair->responder_static.public, sizeof(remote));
	if (v->psk)
		hex_decode(v->psk, psk.bytes, sizeof(psk.bytes));
	assert_true(noise_init_initiator(&pair->initiator, prologue, n, &pair->initiator_static, &remote,
		v->psk ? &psk : NULL));
	assert_true(noise_init_responder(&pair->responder, prologue, n, &pair->responder_static, v->psk ? &psk : NULL));
}

static void pair_fini(struct pair *pair)
{
	noise_fini(&pair->initiator);
	noise_fini(&pair->responder);
}

static void transport_holds(const struct noise_key *send, const struct noise_key *receive, uint8_t number,
	const struct message *message)
{
	uint8_t nonce[CHACHAPOLY_NONCE_BYTES] = { [4] = number };
	uint8_t payload[MESSAGE_MAX];
	uint8_t wanted[MESSAGE_MAX];
	uint8_t got[MESSAGE_MAX];
	size_t n = hex_decode(message->payload, payload, sizeof(payload));
	size_t sealed = hex_decode(message->ciphertext, wanted, sizeof(wanted));

	assert_memory_equal(send, receive, sizeof(*send));
	assert_int_equal(sealed, n + CHACHAPOLY_TAG_BYTES);
	assert_true(chachapoly_seal(send->bytes, nonce, NULL, 0, payload, n, got));
	assert_memory_equal(got, wanted, sealed);
}

static void vector_holds(const struct vector *v)
{
	struct pair pair;
	uint8_t payload[MESSAGE_MAX];
	uint8_t wanted[MESSAGE_MAX];
	uint8_t got[MESSAGE_MAX];
	uint8_t read[MESSAGE_MAX];
	struct noise_key initiator_send, initiator_receive, responder_send, responder_receive;
	struct blake2s_digest hash, hash2;
	uint8_t wanted_hash[BLAKE2S_BYTES];
	size_t n, sealed;

	pair_init(&pair, v);
	n = hex_decode(v->messages[0].payload, payload, sizeof(payload));
	sealed = hex_decode(v->messages[0].ciphertext, wanted, sizeof(wanted));
	assert_int_equal(sealed, n + NOISE_INITIATION_BYTES);
	assert_true(noise_initiation_write(&pair.initiator, &pair.initiator_ephemeral, payload, n, got));
	assert_memory_equal(got, wanted, sealed);
	assert_true(noise_initiation_read(&pair.responder, wanted, sealed, read));
	assert_memory_equal(read, payload, n);
	assert_memory_equal(&pair.responder.remote_static, &pair.initiator_static.public, X25519_BYTES);
	n = hex_decode(v->messages[1].payload, payload, sizeof(payload));
	sealed = hex_decode(v->messages[1].ciphertext, wanted, sizeof(wanted));
	assert_int_equal(sealed, n + NOISE_RESPONSE_BYTES);
	assert_true(noise_response_write(&pair.responder, &pair.responder_ephemeral, payload, n, got));
	assert_memory_equal(got, wanted, sealed);
	assert_true(noise_response_read(&pair.initiator, wanted, sealed, read));
	assert_memory_equal(read, payload, n);
	assert_true(noise_split(&pair.initiator, &initiator_send, &initiator_receive, &hash));
	assert_true(noise_split(&pair.responder, &responder_send, &responder_receive, &hash2));
	hex_decode(v->handshake_hash, wanted_hash, sizeof(wanted_hash));
	assert_memory_equal(hash.bytes, wanted_hash, sizeof(wanted_hash));
	assert_memory_equal(hash2.bytes, wanted_hash, sizeof(wanted_hash));
	for (uint8_t i = 2; i < 6; i += 2) {
		transport_holds(&initiator_send, &responder_receive, i / 2 - 1, &v->messages[i]);
		transport_holds(&responder_send, &initiator_receive, i / 2 - 1, &v->messages[i + 1]);
	}
	pair_fini(&pair);
}

static void published_vectors(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(vectors); i++)
		vector_holds(&vectors[i]);
}

static bool is_wiped(const struct noise *noise)
{
	static const struct noise zero;

	return memcmp(noise, &zero, sizeof(zero)) == 0;
}

static void every_byte_of_the_initiation_flipped(void **state)
{
	(void)state;
	for (size_t v = 0; v < COUNT(vectors); v++) {
		uint8_t message[MESSAGE_MAX];
		uint8_t read[MESSAGE_MAX];
		size_t n = hex_decode(vectors[v].messages[0].ciphertext, message, sizeof(message));

		for (size_t i = 0; i < n; i++) {
			struct pair pair;

			pair_init(&pair, &vectors[v]);
			message[i] ^= 0x20;
			assert_false(noise_initiation_read(&pair.responder, message, n, read));
			assert_true(is_wiped(&pair.responder));
			message[i] ^= 0x20;
			pair_fini(&pair);
		}
	}
}

static void every_byte_of_the_response_flipped(void **state)
{
	(void)state;
	for (size_t v = 0; v < COUNT(vectors); v++) {
		struct pair pair;
		uint8_t message[MESSAGE_MAX];
		uint8_t read[MESSAGE_MAX];
		size_t n = hex_decode(vectors[v].messages[1].ciphertext, message, sizeof(message));
		uint8_t payload[MESSAGE_MAX];
		size_t payload_bytes = hex_decode(vectors[v].messages[0].payload, payload, sizeof(payload));
		uint8_t sent[MESSAGE_MAX];

		pair_init(&pair, &vectors[v]);
		assert_true(noise_initiation_write(&pair.initiator, &pair.initiator_ephemeral, payload, payload_bytes,
			sent));
		for (size_t i = 0; i < n; i++) {
			struct noise copy = pair.initiator;

			message[i] ^= 0x20;
			assert_false(noise_response_read(&copy, message, n, read));
			assert_true(is_wiped(&copy));
			message[i] ^= 0x20;
		}
		assert_true(noise_response_read(&pair.initiator, message, n, read));
		pair_fini(&pair);
	}
}

static void every_truncated_length(void **state)
{
	struct pair pair;
	uint8_t message[MESSAGE_MAX];
	uint8_t sent[MESSAGE_MAX];
	size_t n = hex_decode(vectors[1].messages[0].ciphertext, message, sizeof(message));

	(void)state;
	pair_init(&pair, &vectors[1]);
	for (size_t len = 0; len < n; len++) {
		struct noise copy = pair.responder;
		uint8_t *cut = malloc(len + 1);
		uint8_t *read = malloc(len + 1);

		assert_true(cut && read);
		memcpy(cut, message, len);
		assert_false(noise_initiation_read(&copy, cut, len, read));
		free(cut);
		free(read);
	}
	assert_true(noise_initiation_write(&pair.initiator, &pair.initiator_ephemeral, NULL, 0, sent));
	n = hex_decode(vectors[1].messages[1].ciphertext, message, sizeof(message));
	for (size_t len = 0; len < n; len++) {
		struct noise copy = pair.initiator;
		uint8_t *cut = malloc(len + 1);
		uint8_t *read = malloc(len + 1);

		assert_true(cut && read);
		memcpy(cut, message, len);
		assert_false(noise_response_read(&copy, cut, len, read));
		free(cut);
		free(read);
	}
	pair_fini(&pair);
}

/* Each function in each of its wrong places */
static void wrong_order(void **state)
{
	struct pair pair;
	struct noise copy;
	uint8_t one[NOISE_INITIATION_BYTES];
	uint8_t two[NOISE_RESPONSE_BYTES];
	uint8_t none[MESSAGE_MAX];
	struct noise_key send, receive;

	(void)state;
#define REFUSES(from, call)                   \
	do {                                  \
		copy = (from);                \
		assert_false(call);           \
		assert_true(is_wiped(&copy)); \
	} while (0)
	pair_init(&pair, &vectors[1]);
	REFUSES(pair.initiator, noise_initiation_read(&copy, one, sizeof(one), none));
	REFUSES(pair.initiator, noise_response_read(&copy, two, sizeof(two), none));
	REFUSES(pair.initiator, noise_response_write(&copy, &pair.initiator_ephemeral, NULL, 0, none));
	REFUSES(pair.initiator, noise_split(&copy, &send, &receive, NULL));
	REFUSES(pair.responder, noise_initiation_write(&copy, &pair.responder_ephemeral, NULL, 0, none));
	REFUSES(pair.responder, noise_response_write(&copy, &pair.responder_ephemeral, NULL, 0, none));
	REFUSES(pair.responder, noise_split(&copy, &send, &receive, NULL));
	assert_true(noise_initiation_write(&pair.initiator, &pair.initiator_ephemeral, NULL, 0, one));
	REFUSES(pair.initiator, noise_initiation_write(&copy, &pair.initiator_ephemeral, NULL, 0, none));
	REFUSES(pair.initiator, noise_split(&copy, &send, &receive, NULL));
	assert_true(noise_initiation_read(&pair.responder, one, sizeof(one), none));
	REFUSES(pair.responder, noise_initiation_read(&copy, one, sizeof(one), none));
	REFUSES(pair.responder, noise_split(&copy, &send, &receive, NULL));
	assert_true(noise_response_write(&pair.responder, &pair.responder_ephemeral, NULL, 0, two));
	REFUSES(pair.responder, noise_response_write(&copy, &pair.responder_ephemeral, NULL, 0, none));
	assert_true(noise_response_read(&pair.initiator, two, sizeof(two), none));
	REFUSES(pair.initiator, noise_response_read(&copy, two, sizeof(two), none));
	assert_true(noise_split(&pair.initiator, &send, &receive, NULL));
	assert_true(is_wiped(&pair.initiator));
	assert_false(noise_split(&pair.initiator, &send, &receive, NULL));
#undef REFUSES
	pair_fini(&pair);
}

/* Another psk, prologue or static key on one side, and the handshake does not come about */
static void what_both_must_share(void **state)
{
	const struct noise_psk psk = { { 1 } };
	const struct noise_psk other_psk = { { 2 } };
	struct x25519_keypair a, b, c, ea, eb;
	struct noise left, right;
	uint8_t one[NOISE_INITIATION_BYTES];
	uint8_t two[NOISE_RESPONSE_BYTES];
	uint8_t none[1];

	(void)state;
	assert_true(x25519_generate(&a) && x25519_generate(&b) && x25519_generate(&c));
	assert_true(x25519_generate(&ea) && x25519_generate(&eb));
	assert_true(noise_init_initiator(&left, "p", 1, &a, &b.public, &psk));
	assert_true(noise_initiation_write(&left, &ea, NULL, 0, one));
	assert_true(noise_init_responder(&right, "q", 1, &b, &psk));
	assert_false(noise_initiation_read(&right, one, sizeof(one), none));
	assert_true(noise_init_responder(&right, "p", 1, &c, &psk));
	assert_false(noise_initiation_read(&right, one, sizeof(one), none));
	assert_true(noise_init_responder(&right, "p", 1, &b, NULL));
	assert_false(noise_initiation_read(&right, one, sizeof(one), none));
	assert_true(noise_init_responder(&right, "p", 1, &b, &other_psk));
	assert_true(noise_initiation_read(&right, one, sizeof(one), none)); /* psk2: only the response shows it */
	assert_true(noise_response_write(&right, &eb, NULL, 0, two));
	assert_false(noise_response_read(&left, two, sizeof(two), none));
	noise_fini(&right);
}

/* An ephemeral key of small order would take the other's contribution away */
static void small_order_ephemeral(void **state)
{
	struct pair pair;
	uint8_t message[MESSAGE_MAX];
	uint8_t read[MESSAGE_MAX];
	size_t n = hex_decode(vectors[1].messages[0].ciphertext, message, sizeof(message));

	(void)state;
	pair_init(&pair, &vectors[1]);
	memset(message, 0, 32);
	assert_false(noise_initiation_read(&pair.responder, message, n, read));
	pair_fini(&pair);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(published_vectors),
		cmocka_unit_test(every_byte_of_the_initiation_flipped),
		cmocka_unit_test(every_byte_of_the_response_flipped),
		cmocka_unit_test(every_truncated_length),
		cmocka_unit_test(wrong_order),
		cmocka_unit_test(what_both_must_share),
		cmocka_unit_test(small_order_ephemeral),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
