/*
 * fuzz_handshake.c - handshake bodies from anyone
 *
 * The first byte says how far the rest gets: as a body that a stranger sent (0: initiation, 1: response, 2: cookie reply,
 * 3: anything with macs), or inside a correctly sealed message, as only a peer that holds all keys could send it
 * (4: initiation's payload, 5: response's payload).
 */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/secret.h"
#include "crypto/handshake.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char prologue[] = "weft handshake v1";
static const struct instant now = { 1000000000 };
static const struct handshake_offer offer = { .ciphers = { AEAD_AES_128_GCM, AEAD_AES_256_GCM, AEAD_CHACHA20_POLY1305 },
	.cipher_count = 3,
	.lanes = 3 };

struct sides {
	struct handshake_self a;
	struct handshake_self b;
	struct cookie_jar jar_a; /* a's, for b */
	struct cookie_jar jar_b;
	struct cookie_checker checker_b;
	struct endpoint source;
};

static void keypair_init(struct x25519_keypair *pair, uint8_t fill)
{
	struct x25519_private private;

	memset(&private, fill, sizeof(private));
	if (!x25519_from_private(&private, pair))
		abort();
}

static void sides_init(struct sides *s)
{
	memset(s, 0, sizeof(*s));
	keypair_init(&s->a.static_key, 0x11);
	keypair_init(&s->b.static_key, 0x22);
	if (!cookie_jar_init(&s->jar_a, &s->b.static_key.public) ||
		!cookie_jar_init(&s->jar_b, &s->a.static_key.public) ||
		!cookie_checker_init(&s->checker_b, &s->b.static_key.public) ||
		!endpoint_parse("192.0.2.1", 4754, &s->source))
		abort();
}

/* What a responder does with a body, up to its answer */
static void consume_initiation(struct sides *s, const uint8_t *body, size_t len)
{
	struct handshake handshake;
	struct handshake_request request;
	struct session_keys keys;
	uint8_t out[HANDSHAKE_BODY_MAX_BYTES];
	size_t out_bytes = 0;

	handshake_init(&handshake);
	if (handshake_initiation_consume(&handshake, &s->b, body, len, &request) != HANDSHAKE_OK) {
		assert(handshake.state == HANDSHAKE_IDLE);
		return;
	}
	assert(request.offer.cipher_count >= 1 && request.offer.cipher_count <= HANDSHAKE_CIPHERS_MAX);
	assert(request.offer.lanes >= 1 && request.offer.lanes <= HANDSHAKE_LANES_MAX);
	assert(request.remote_index <= HANDSHAKE_INDEX_MAX && request.version == HANDSHAKE_VERSION);
	if (handshake_response_create(&handshake, &s->jar_b, &offer, 2, now, out, &out_bytes, &keys) == HANDSHAKE_OK)
		assert(out_bytes <= len && aead_cipher_known(keys.cipher));
	assert(handshake.state == HANDSHAKE_IDLE);
}

static void initiate(struct sides *s, struct handshake *handshake, uint8_t out[HANDSHAKE_BODY_MAX_BYTES], size_t *len)
{
	handshake_init(handshake);
	if (handshake_initiation_create(handshake, &s->a, &s->b.static_key.public, &s->jar_a, tai64n_from_unix(1000, 0),
		    &offer, 0x010203, now, out, len) != HANDSHAKE_OK)
		abort();
}

static void consume_response(struct handshake *handshake, const uint8_t *body, size_t len)
{
	struct session_keys keys;

	if (handshake_response_consume(handshake, body, len, &keys) == HANDSHAKE_OK) {
		assert(handshake->state == HANDSHAKE_IDLE && aead_cipher_known(keys.cipher));
		assert(keys.remote_lanes >= 1 && keys.remote_lanes <= HANDSHAKE_LANES_MAX);
	} else {
		assert(handshake->state == HANDSHAKE_INITIATED);
	}
	handshake_fini(handshake);
}

static void initiation_payload(struct sides *s, const uint8_t *payload, size_t len)
{
	uint8_t body[4 + NOISE_INITIATION_BYTES + HANDSHAKE_BODY_MAX_BYTES + COOKIE_MACS_BYTES] = { 1, 1, 2, 3 };
	struct x25519_keypair ephemeral;
	struct noise noise;

	if (len > HANDSHAKE_BODY_MAX_BYTES)
		return;
	keypair_init(&ephemeral, 0x33);
	if (!noise_init_initiator(&noise, prologue, sizeof(prologue) - 1, &s->a.static_key, &s->b.static_key.public,
		    &s->a.psk) ||
		!noise_initiation_write(&noise, &ephemeral, payload, len, body + 4))
		abort();
	noise_fini(&noise);
	consume_initiation(s, body, 4 + NOISE_INITIATION_BYTES + len + COOKIE_MACS_BYTES);
}

static void response_payload(struct sides *s, const uint8_t *payload, size_t len)
{
	uint8_t initiation[HANDSHAKE_BODY_MAX_BYTES];
	uint8_t body[8 + NOISE_RESPONSE_BYTES + HANDSHAKE_BODY_MAX_BYTES + COOKIE_MACS_BYTES] = { 2, 9, 9, 9, 1, 2, 3,
		0 };
	uint8_t read[HANDSHAKE_BODY_MAX_BYTES];
	size_t initiation_bytes;
	struct x25519_keypair ephemeral;
	struct handshake handshake;
	struct noise noise;

	if (len > HANDSHAKE_BODY_MAX_BYTES)
		return;
	initiate(s, &handshake, initiation, &initiation_bytes);
	keypair_init(&ephemeral, 0x44);
	if (!noise_init_responder(&noise, prologue, sizeof(prologue) - 1, &s->b.static_key, &s->b.psk) ||
		!noise_initiation_read(&noise, initiation + 4, initiation_bytes - 4 - COOKIE_MACS_BYTES, read) ||
		!noise_response_write(&noise, &ephemeral, payload, len, body + 8))
		abort();
	noise_fini(&noise);
	consume_response(&handshake, body, 8 + NOISE_RESPONSE_BYTES + len + COOKIE_MACS_BYTES);
}

static void any_macs(struct sides *s, const uint8_t *body, size_t len)
{
	uint8_t reply[COOKIE_REPLY_BYTES];
	uint8_t closed[HANDSHAKE_BODY_MAX_BYTES + COOKIE_MACS_BYTES];

	if (cookie_check(&s->checker_b, body, len, &s->source, now) != COOKIE_BAD)
		assert(cookie_reply_create(&s->checker_b, body, len, &s->source, now, reply));
	if (len > HANDSHAKE_BODY_MAX_BYTES)
		return;
	memcpy(closed, body, len);
	if (!cookie_close(&s->jar_a, closed, len, now))
		abort();
	if (cookie_check(&s->checker_b, closed, len + COOKIE_MACS_BYTES, &s->source, now) == COOKIE_BAD) {
		assert(len + COOKIE_MACS_BYTES < COOKIE_BODY_MIN_BYTES ||
			len + COOKIE_MACS_BYTES > COOKIE_BODY_MAX_BYTES);
		return;
	}
	assert(cookie_reply_create(&s->checker_b, closed, len + COOKIE_MACS_BYTES, &s->source, now, reply));
	assert(cookie_reply_consume(&s->jar_a, reply, sizeof(reply), now));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct sides s;
	struct handshake handshake;
	uint8_t sent[HANDSHAKE_BODY_MAX_BYTES];
	size_t sent_bytes;
	uint32_t receiver;
	bool found;

	if (size < 1)
		return 0;
	sides_init(&s);
	switch (data[0] % 6) {
	case 0:
		consume_initiation(&s, data + 1, size - 1);
		break;
	case 1:
		found = handshake_response_receiver(data + 1, size - 1, &receiver);
		assert(!found ||
			(receiver <= HANDSHAKE_INDEX_MAX &&
				handshake_type(data + 1, size - 1) == HANDSHAKE_TYPE_RESPONSE));
		initiate(&s, &handshake, sent, &sent_bytes);
		consume_response(&handshake, data + 1, size - 1);
		break;
	case 2:
		initiate(&s, &handshake, sent, &sent_bytes);
		if (cookie_reply_consume(&s.jar_a, data + 1, size - 1, now))
			assert(cookie_reply_receiver(data + 1, size - 1, &receiver));
		handshake_fini(&handshake);
		break;
	case 3:
		any_macs(&s, data + 1, size - 1);
		break;
	case 4:
		initiation_payload(&s, data + 1, size - 1);
		break;
	default:
		response_payload(&s, data + 1, size - 1);
	}
	return 0;
}
