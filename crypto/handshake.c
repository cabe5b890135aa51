/*
 * handshake.c - see handshake.h
 *
 * Both payloads begin with a copy of their message's clear header, so that Noise authenticates it.
 */
#include "crypto/handshake.h"

#include <assert.h>
#include <string.h>

#include "base/cursor.h"
#include "base/secret.h"

#define INITIATION_HEADER_BYTES 4U /* type, sender */
#define RESPONSE_HEADER_BYTES 8U   /* type, sender, receiver, zero */
#define PAYLOAD_MAX_BYTES HANDSHAKE_BODY_MAX_BYTES
#define EXTENSION_INSTANCE 1U
#define EXTENSION_DISOWNED 2U

static const char prologue[] = "weft handshake v1"; /* without the NUL */

void handshake_init(struct handshake *handshake)
{
	memset(handshake, 0, sizeof(*handshake));
}

void handshake_fini(struct handshake *handshake)
{
	secret_wipe(handshake, sizeof(*handshake));
}

enum handshake_type handshake_type(const uint8_t *body, size_t len_bytes)
{
	if (len_bytes < 1 || body[0] < HANDSHAKE_TYPE_INITIATION || body[0] > HANDSHAKE_TYPE_COOKIE)
		return HANDSHAKE_TYPE_NONE;
	return (enum handshake_type)body[0];
}

bool handshake_response_receiver(const uint8_t *body, size_t len_bytes, uint32_t *receiver)
{
	struct rd r = rd_init(body, len_bytes);

	if (rd_u8(&r) != HANDSHAKE_TYPE_RESPONSE)
		return false;
	rd_u24(&r);
	*receiver = rd_u24(&r);
	return rd_ok(&r);
}

static bool offer_fits(const struct handshake_offer *offer)
{
	return offer->cipher_count >= 1 && offer->cipher_count <= HANDSHAKE_CIPHERS_MAX && offer->lanes >= 1 &&
		offer->lanes <= HANDSHAKE_LANES_MAX;
}

static bool offer_has(const struct handshake_offer *offer, uint8_t cipher)
{
	return memchr(offer->ciphers, cipher, offer->cipher_count) != NULL;
}

/* Return: the first of @theirs that is in @own and known, 0 where there is none */
static uint8_t choose_cipher(const struct handshake_offer *theirs, const struct handshake_offer *own)
{
	for (size_t i = 0; i < theirs->cipher_count; i++)
		if (aead_cipher_known(theirs->ciphers[i]) && offer_has(own, theirs->ciphers[i]))
			return theirs->ciphers[i];
	return 0;
}

/* ---- what stands behind a payload: type (1), length (1), value; types that are not known are skipped ---- */

static void extensions_write(struct wr *w, const struct handshake_offer *offer)
{
	const uint16_t bytes = (uint16_t)((offer->instance ? 2 + 8 : 0) + (offer->disowned ? 2 : 0));

	wr_u16(w, bytes);
	if (offer->instance) {
		wr_u8(w, EXTENSION_INSTANCE);
		wr_u8(w, 8);
		wr_u64(w, offer->instance);
	}
	if (offer->disowned) {
		wr_u8(w, EXTENSION_DISOWNED);
		wr_u8(w, 0);
	}
}

static void extension_read(uint8_t type, const uint8_t *value, size_t bytes, uint64_t *instance, bool *disowned)
{
	struct rd r = rd_init(value, bytes);

	if (type == EXTENSION_INSTANCE && bytes == 8)
		*instance = rd_u64(&r);
	else if (type == EXTENSION_DISOWNED)
		*disowned = true;
}

/* What cannot be read is a later version's.  Return: whether they end where the payload does */
static bool extensions_read(struct rd *r, uint64_t *instance, bool *disowned)
{
	size_t bytes = rd_u16(r);

	*instance = 0;
	*disowned = false;
	if (!rd_ok(r) || r->left_bytes != bytes)
		return false;
	while (rd_ok(r) && r->left_bytes > 0) {
		const uint8_t type = rd_u8(r);
		const size_t value_bytes = rd_u8(r);
		const uint8_t *value = rd_bytes(r, value_bytes);

		if (rd_ok(r))
			extension_read(type, value, value_bytes, instance, disowned);
	}
	return true;
}

enum handshake_result handshake_initiation_create(struct handshake *handshake, const struct handshake_self *self,
	const struct x25519_public *peer, struct cookie_jar *jar, struct tai64n timestamp,
	const struct handshake_offer *offer, uint32_t local_index, struct instant now,
	uint8_t out[HANDSHAKE_BODY_MAX_BYTES], size_t *out_bytes)
{
	uint8_t payload[PAYLOAD_MAX_BYTES];
	struct wr body = wr_init(out, HANDSHAKE_BODY_MAX_BYTES - COOKIE_MACS_BYTES);
	struct wr w = wr_init(payload, sizeof(payload));
	struct x25519_keypair ephemeral = { 0 };
	uint8_t *message;
	bool ok;

	assert(local_index <= HANDSHAKE_INDEX_MAX && offer_fits(offer));
	handshake_fini(handshake);
	wr_u8(&body, HANDSHAKE_TYPE_INITIATION);
	wr_u24(&body, local_index);
	wr_bytes(&w, out, INITIATION_HEADER_BYTES);
	wr_bytes(&w, timestamp.bytes, sizeof(timestamp.bytes));
	wr_u8(&w, HANDSHAKE_VERSION);
	wr_u8(&w, offer->cipher_count);
	wr_bytes(&w, offer->ciphers, offer->cipher_count);
	wr_u8(&w, offer->lanes);
	extensions_write(&w, offer);
	message = wr_reserve(&body, NOISE_INITIATION_BYTES + w.used_bytes);
	ok = message && wr_ok(&w) && x25519_generate(&ephemeral) &&
		noise_init_initiator(&handshake->noise, prologue, sizeof(prologue) - 1, &self->static_key, peer,
			&self->psk) &&
		noise_initiation_write(&handshake->noise, &ephemeral, payload, w.used_bytes, message) &&
		cookie_close(jar, out, body.used_bytes, now);
	if (ok) {
		handshake->state = HANDSHAKE_INITIATED;
		handshake->local_index = local_index;
		handshake->offer = *offer;
		*out_bytes = body.used_bytes + COOKIE_MACS_BYTES;
	} else {
		handshake_fini(handshake);
	}
	secret_wipe(&ephemeral, sizeof(ephemeral));
	secret_wipe(payload, sizeof(payload));
	return ok ? HANDSHAKE_OK : HANDSHAKE_DROP_INTERNAL;
}

static enum handshake_result request_decode(const uint8_t *payload, size_t len_bytes, const uint8_t *header,
	struct handshake_request *request)
{
	struct rd r = rd_init(payload, len_bytes);
	const uint8_t *copy = rd_bytes(&r, INITIATION_HEADER_BYTES);
	uint8_t version;

	rd_copy(&r, request->timestamp.bytes, TAI64N_BYTES);
	version = rd_u8(&r);
	request->offer.cipher_count = rd_u8(&r);
	if (request->offer.cipher_count > HANDSHAKE_CIPHERS_MAX)
		return HANDSHAKE_DROP_PAYLOAD;
	rd_copy(&r, request->offer.ciphers, request->offer.cipher_count);
	request->offer.lanes = rd_u8(&r);
	if (!extensions_read(&r, &request->offer.instance, &request->offer.disowned) ||
		memcmp(copy, header, INITIATION_HEADER_BYTES) != 0 || !offer_fits(&request->offer))
		return HANDSHAKE_DROP_PAYLOAD;
	if (version < 1)
		return HANDSHAKE_DROP_VERSION;
	request->version = version < HANDSHAKE_VERSION ? version : HANDSHAKE_VERSION;
	return HANDSHAKE_OK;
}

enum handshake_result handshake_initiation_consume(struct handshake *handshake, const struct handshake_self *self,
	const uint8_t *body, size_t len_bytes, struct handshake_request *request)
{
	uint8_t payload[PAYLOAD_MAX_BYTES];
	struct handshake fresh = { .state = HANDSHAKE_REQUESTED };
	struct rd r = rd_init(body, len_bytes);
	enum handshake_result result = HANDSHAKE_DROP_AUTH;
	size_t message_bytes;

	if (handshake->state != HANDSHAKE_IDLE)
		return HANDSHAKE_DROP_STATE;
	if (handshake_type(body, len_bytes) != HANDSHAKE_TYPE_INITIATION)
		return HANDSHAKE_DROP_TYPE;
	if (len_bytes > HANDSHAKE_BODY_MAX_BYTES ||
		len_bytes < INITIATION_HEADER_BYTES + NOISE_INITIATION_BYTES + COOKIE_MACS_BYTES)
		return HANDSHAKE_DROP_LENGTH;
	message_bytes = len_bytes - INITIATION_HEADER_BYTES - COOKIE_MACS_BYTES;
	rd_u8(&r);
	fresh.request.remote_index = rd_u24(&r);
	if (noise_init_responder(&fresh.noise, prologue, sizeof(prologue) - 1, &self->static_key, &self->psk) &&
		noise_initiation_read(&fresh.noise, r.at, message_bytes, payload))
		result = request_decode(payload, message_bytes - NOISE_INITIATION_BYTES, body, &fresh.request);
	if (result == HANDSHAKE_OK) {
		fresh.request.static_key = fresh.noise.remote_static;
		*request = fresh.request;
		*handshake = fresh;
	}
	handshake_fini(&fresh);
	secret_wipe(payload, sizeof(payload));
	return result;
}

enum handshake_result handshake_response_create(struct handshake *handshake, struct cookie_jar *jar,
	const struct handshake_offer *own, uint32_t local_index, struct instant now,
	uint8_t out[HANDSHAKE_BODY_MAX_BYTES], size_t *out_bytes, struct session_keys *keys)
{
	uint8_t payload[PAYLOAD_MAX_BYTES];
	struct wr body = wr_init(out, HANDSHAKE_BODY_MAX_BYTES - COOKIE_MACS_BYTES);
	struct wr w = wr_init(payload, sizeof(payload));
	const struct handshake_request *request = &handshake->request;
	struct session_keys made = { .local_index = local_index, .remote_index = request->remote_index };
	struct x25519_keypair ephemeral = { 0 };
	enum handshake_result result = HANDSHAKE_DROP_INTERNAL;
	uint8_t cipher;
	uint8_t *message;

	assert(local_index <= HANDSHAKE_INDEX_MAX && offer_fits(own));
	if (handshake->state != HANDSHAKE_REQUESTED)
		return HANDSHAKE_DROP_STATE;
	cipher = choose_cipher(&request->offer, own);
	if (!cipher) {
		result = HANDSHAKE_DROP_CIPHER;
		goto out;
	}
	made.cipher = (enum aead_cipher)cipher;
	made.remote_lanes = request->offer.lanes;
	made.version = request->version;
	made.instance = request->offer.instance;
	made.disowned = own->disowned;
	wr_u8(&body, HANDSHAKE_TYPE_RESPONSE);
	wr_u24(&body, local_index);
	wr_u24(&body, request->remote_index);
	wr_u8(&body, 0);
	wr_bytes(&w, out, RESPONSE_HEADER_BYTES);
	wr_u8(&w, made.version);
	wr_u8(&w, cipher);
	wr_u8(&w, own->lanes);
	extensions_write(&w, own);
	message = wr_reserve(&body, NOISE_RESPONSE_BYTES + w.used_bytes);
	if (message && wr_ok(&w) && x25519_generate(&ephemeral) &&
		noise_response_write(&handshake->noise, &ephemeral, payload, w.used_bytes, message) &&
		noise_split(&handshake->noise, &made.send, &made.receive, NULL) &&
		cookie_close(jar, out, body.used_bytes, now)) {
		*out_bytes = body.used_bytes + COOKIE_MACS_BYTES;
		*keys = made;
		result = HANDSHAKE_OK;
	}
out:
	handshake_fini(handshake);
	secret_wipe(&ephemeral, sizeof(ephemeral));
	secret_wipe(&made, sizeof(made));
	secret_wipe(payload, sizeof(payload));
	return result;
}

static enum handshake_result answer_decode(const uint8_t *payload, size_t len_bytes, const uint8_t *header,
	const struct handshake_offer *offer, struct session_keys *keys)
{
	struct rd r = rd_init(payload, len_bytes);
	const uint8_t *copy = rd_bytes(&r, RESPONSE_HEADER_BYTES);
	uint8_t cipher;

	keys->version = rd_u8(&r);
	cipher = rd_u8(&r);
	keys->remote_lanes = rd_u8(&r);
	if (!extensions_read(&r, &keys->instance, &keys->disowned) ||
		memcmp(copy, header, RESPONSE_HEADER_BYTES) != 0 || keys->remote_lanes < 1 ||
		keys->remote_lanes > HANDSHAKE_LANES_MAX)
		return HANDSHAKE_DROP_PAYLOAD;
	if (keys->version < 1 || keys->version > HANDSHAKE_VERSION)
		return HANDSHAKE_DROP_VERSION;
	if (!aead_cipher_known(cipher) || !offer_has(offer, cipher))
		return HANDSHAKE_DROP_CIPHER;
	keys->cipher = (enum aead_cipher)cipher;
	return HANDSHAKE_OK;
}

enum handshake_result handshake_response_consume(struct handshake *handshake, const uint8_t *body, size_t len_bytes,
	struct session_keys *keys)
{
	uint8_t payload[PAYLOAD_MAX_BYTES];
	struct noise trial; /* a copy: the right response may come after a forged one */
	struct session_keys made = { .local_index = handshake->local_index };
	struct rd r = rd_init(body, len_bytes);
	enum handshake_result result = HANDSHAKE_DROP_AUTH;
	size_t message_bytes;

	if (handshake->state != HANDSHAKE_INITIATED)
		return HANDSHAKE_DROP_STATE;
	if (handshake_type(body, len_bytes) != HANDSHAKE_TYPE_RESPONSE)
		return HANDSHAKE_DROP_TYPE;
	if (len_bytes > HANDSHAKE_BODY_MAX_BYTES ||
		len_bytes < RESPONSE_HEADER_BYTES + NOISE_RESPONSE_BYTES + COOKIE_MACS_BYTES)
		return HANDSHAKE_DROP_LENGTH;
	message_bytes = len_bytes - RESPONSE_HEADER_BYTES - COOKIE_MACS_BYTES;
	rd_u8(&r);
	made.remote_index = rd_u24(&r);
	if (rd_u24(&r) != handshake->local_index)
		return HANDSHAKE_DROP_INDEX;
	rd_u8(&r);
	trial = handshake->noise;
	if (noise_response_read(&trial, r.at, message_bytes, payload))
		result = answer_decode(payload, message_bytes - NOISE_RESPONSE_BYTES, body, &handshake->offer, &made);
	if (result == HANDSHAKE_OK && !noise_split(&trial, &made.send, &made.receive, NULL))
		result = HANDSHAKE_DROP_INTERNAL;
	if (result == HANDSHAKE_OK) {
		*keys = made;
		handshake_fini(handshake);
	}
	noise_fini(&trial);
	secret_wipe(&made, sizeof(made));
	secret_wipe(payload, sizeof(payload));
	return result;
}
