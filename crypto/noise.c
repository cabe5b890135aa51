/*
 * noise.c - see noise.h; names in quotes are the specification's
 */
#include "crypto/noise.h"

#include <string.h>

#include "base/cursor.h"
#include "base/secret.h"
#include "crypto/chachapoly.h"

#define KEY_BYTES X25519_BYTES

/* Both 32 characters or more, so that "InitializeSymmetric" hashes them */
static const char name_ik[] = "Noise_IK_25519_ChaChaPoly_BLAKE2s";
static const char name_ikpsk2[] = "Noise_IKpsk2_25519_ChaChaPoly_BLAKE2s";

static bool mix_hash(struct noise *noise, const void *data, size_t len_bytes)
{
	return blake2s_hash(noise->hash.bytes, BLAKE2S_BYTES, data, len_bytes, &noise->hash);
}

static bool mix_key(struct noise *noise, const void *input, size_t len_bytes)
{
	noise->cipher_nonce = 0;
	return blake2s_hkdf(&noise->chaining_key, input, len_bytes, &noise->chaining_key, &noise->cipher_key, NULL);
}

/* "MixKeyAndHash" */
static bool mix_psk(struct noise *noise)
{
	struct blake2s_digest temp;
	bool ok = blake2s_hkdf(&noise->chaining_key, noise->psk.bytes, sizeof(noise->psk.bytes), &noise->chaining_key,
			  &temp, &noise->cipher_key) &&
		mix_hash(noise, temp.bytes, sizeof(temp.bytes));

	noise->cipher_nonce = 0;
	secret_wipe(&temp, sizeof(temp));
	return ok;
}

/* "MixKey(DH(...))" */
static bool mix_dh(struct noise *noise, const struct x25519_keypair *own, const struct x25519_public *other)
{
	struct x25519_shared shared;
	bool ok = x25519(own, other, &shared) && mix_key(noise, shared.bytes, sizeof(shared.bytes));

	secret_wipe(&shared, sizeof(shared));
	return ok;
}

/* An ephemeral public key; handshakes with a psk mix it into the key too ("e" in section 9.2) */
static bool mix_ephemeral(struct noise *noise, const struct x25519_public *key)
{
	return mix_hash(noise, key->bytes, KEY_BYTES) && (!noise->has_psk || mix_key(noise, key->bytes, KEY_BYTES));
}

static void next_nonce(struct noise *noise, uint8_t nonce[CHACHAPOLY_NONCE_BYTES])
{
	memset(nonce, 0, CHACHAPOLY_NONCE_BYTES);
	for (size_t i = 0; i < 8; i++) /* little-endian, section 12.3 */
		nonce[4 + i] = (uint8_t)(noise->cipher_nonce >> 8 * i);
	noise->cipher_nonce++;
}

static bool encrypt_and_hash(struct noise *noise, const uint8_t *plain, size_t len_bytes, uint8_t *out)
{
	uint8_t nonce[CHACHAPOLY_NONCE_BYTES];

	next_nonce(noise, nonce);
	return chachapoly_seal(noise->cipher_key.bytes, nonce, noise->hash.bytes, BLAKE2S_BYTES, plain, len_bytes,
		       out) &&
		mix_hash(noise, out, len_bytes + NOISE_TAG_BYTES);
}

/* @out does not overlap @sealed, which is hashed afterwards */
static bool decrypt_and_hash(struct noise *noise, const uint8_t *sealed, size_t len_bytes, uint8_t *out)
{
	uint8_t nonce[CHACHAPOLY_NONCE_BYTES];

	next_nonce(noise, nonce);
	return chachapoly_open(noise->cipher_key.bytes, nonce, noise->hash.bytes, BLAKE2S_BYTES, sealed, len_bytes,
		       out) &&
		mix_hash(noise, sealed, len_bytes);
}

static bool init(struct noise *noise, const void *prologue, size_t prologue_bytes,
	const struct x25519_keypair *local_static, const struct noise_psk *psk)
{
	const char *name = psk ? name_ikpsk2 : name_ik;

	memset(noise, 0, sizeof(*noise));
	noise->local_static = *local_static;
	if (psk) {
		noise->has_psk = true;
		noise->psk = *psk;
	}
	if (!blake2s_hash(name, strlen(name), NULL, 0, &noise->hash))
		return false;
	noise->chaining_key = noise->hash;
	return mix_hash(noise, prologue, prologue_bytes);
}

/* Return: @ok; a state that failed is wiped, and of no use from then on */
static bool settle(struct noise *noise, bool ok, enum noise_step next)
{
	if (ok)
		noise->step = next;
	else
		noise_fini(noise);
	return ok;
}

bool noise_init_initiator(struct noise *noise, const void *prologue, size_t prologue_bytes,
	const struct x25519_keypair *local_static, const struct x25519_public *remote_static,
	const struct noise_psk *psk)
{
	bool ok = init(noise, prologue, prologue_bytes, local_static, psk) &&
		mix_hash(noise, remote_static->bytes, KEY_BYTES);

	noise->initiator = true;
	noise->remote_static = *remote_static;
	return settle(noise, ok, NOISE_WRITES_INITIATION);
}

bool noise_init_responder(struct noise *noise, const void *prologue, size_t prologue_bytes,
	const struct x25519_keypair *local_static, const struct noise_psk *psk)
{
	bool ok = init(noise, prologue, prologue_bytes, local_static, psk) &&
		mix_hash(noise, local_static->public.bytes, KEY_BYTES);

	return settle(noise, ok, NOISE_READS_INITIATION);
}

void noise_fini(struct noise *noise)
{
	secret_wipe(noise, sizeof(*noise));
}

bool noise_initiation_write(struct noise *noise, const struct x25519_keypair *ephemeral, const uint8_t *payload,
	size_t payload_bytes, uint8_t *out)
{
	uint8_t *sealed_static = out + KEY_BYTES;
	uint8_t *sealed_payload = sealed_static + KEY_BYTES + NOISE_TAG_BYTES;
	bool ok = noise->step == NOISE_WRITES_INITIATION &&
		payload_bytes <= NOISE_MESSAGE_MAX_BYTES - NOISE_INITIATION_BYTES;

	if (ok) {
		noise->ephemeral = *ephemeral;
		memcpy(out, ephemeral->public.bytes, KEY_BYTES);
	}
	ok = ok && mix_ephemeral(noise, &noise->ephemeral.public) &&
		mix_dh(noise, &noise->ephemeral, &noise->remote_static) &&
		encrypt_and_hash(noise, noise->local_static.public.bytes, KEY_BYTES, sealed_static) &&
		mix_dh(noise, &noise->local_static, &noise->remote_static) &&
		encrypt_and_hash(noise, payload, payload_bytes, sealed_payload);
	return settle(noise, ok, NOISE_READS_RESPONSE);
}

bool noise_initiation_read(struct noise *noise, const uint8_t *message, size_t message_bytes, uint8_t *payload)
{
	struct rd r = rd_init(message, message_bytes);
	bool ok = noise->step == NOISE_READS_INITIATION && message_bytes <= NOISE_MESSAGE_MAX_BYTES &&
		message_bytes >= NOISE_INITIATION_BYTES && rd_copy(&r, noise->remote_ephemeral.bytes, KEY_BYTES);
	const uint8_t *sealed_static = rd_bytes(&r, KEY_BYTES + NOISE_TAG_BYTES);

	ok = ok && sealed_static && mix_ephemeral(noise, &noise->remote_ephemeral) &&
		mix_dh(noise, &noise->local_static, &noise->remote_ephemeral) &&
		decrypt_and_hash(noise, sealed_static, KEY_BYTES + NOISE_TAG_BYTES, noise->remote_static.bytes) &&
		mix_dh(noise, &noise->local_static, &noise->remote_static) &&
		decrypt_and_hash(noise, r.at, r.left_bytes, payload);
	return settle(noise, ok, NOISE_WRITES_RESPONSE);
}

bool noise_response_write(struct noise *noise, const struct x25519_keypair *ephemeral, const uint8_t *payload,
	size_t payload_bytes, uint8_t *out)
{
	bool ok =
		noise->step == NOISE_WRITES_RESPONSE && payload_bytes <= NOISE_MESSAGE_MAX_BYTES - NOISE_RESPONSE_BYTES;

	if (ok) {
		noise->ephemeral = *ephemeral;
		memcpy(out, ephemeral->public.bytes, KEY_BYTES);
	}
	ok = ok && mix_ephemeral(noise, &noise->ephemeral.public) &&
		mix_dh(noise, &noise->ephemeral, &noise->remote_ephemeral) &&
		mix_dh(noise, &noise->ephemeral, &noise->remote_static) && (!noise->has_psk || mix_psk(noise)) &&
		encrypt_and_hash(noise, payload, payload_bytes, out + KEY_BYTES);
	return settle(noise, ok, NOISE_DONE);
}

bool noise_response_read(struct noise *noise, const uint8_t *message, size_t message_bytes, uint8_t *payload)
{
	struct rd r = rd_init(message, message_bytes);
	bool ok = noise->step == NOISE_READS_RESPONSE && message_bytes <= NOISE_MESSAGE_MAX_BYTES &&
		message_bytes >= NOISE_RESPONSE_BYTES && rd_copy(&r, noise->remote_ephemeral.bytes, KEY_BYTES) &&
		mix_ephemeral(noise, &noise->remote_ephemeral) &&
		mix_dh(noise, &noise->ephemeral, &noise->remote_ephemeral) &&
		mix_dh(noise, &noise->local_static, &noise->remote_ephemeral) && (!noise->has_psk || mix_psk(noise)) &&
		decrypt_and_hash(noise, r.at, r.left_bytes, payload);

	return settle(noise, ok, NOISE_DONE);
}

bool noise_split(struct noise *noise, struct noise_key *send, struct noise_key *receive,
	struct blake2s_digest *handshake_hash)
{
	struct blake2s_digest to_responder;
	struct blake2s_digest to_initiator;
	bool ok = noise->step == NOISE_DONE &&
		blake2s_hkdf(&noise->chaining_key, NULL, 0, &to_responder, &to_initiator, NULL);

	if (ok) {
		memcpy(send->bytes, (noise->initiator ? &to_responder : &to_initiator)->bytes, sizeof(send->bytes));
		memcpy(receive->bytes, (noise->initiator ? &to_initiator : &to_responder)->bytes,
			sizeof(receive->bytes));
		if (handshake_hash)
			*handshake_hash = noise->hash;
	}
	secret_wipe(&to_responder, sizeof(to_responder));
	secret_wipe(&to_initiator, sizeof(to_initiator));
	noise_fini(noise);
	return ok;
}
