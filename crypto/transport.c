/*
 * transport.c - see transport.h
 */
#include "crypto/transport.h"

#include <assert.h>
#include <string.h>

#include "base/cursor.h"
#include "base/secret.h"
#include "crypto/blake2s.h"

static const char label[] = "weft lane v1"; /* 12 bytes, without the NUL */

bool transport_lane_keys(const struct noise_key *direction, enum aead_cipher cipher, uint8_t lane,
	struct transport_keys *out)
{
	uint8_t block[BLAKE2S_BYTES + sizeof(label) - 1 + 3];
	struct wr first = wr_init(block + BLAKE2S_BYTES, sizeof(block) - BLAKE2S_BYTES);
	struct blake2s_digest key;
	struct blake2s_digest iv;
	bool ok;

	assert(lane < TRANSPORT_LANES_MAX && aead_cipher_known(cipher));
	wr_bytes(&first, label, sizeof(label) - 1);
	wr_u8(&first, (uint8_t)cipher);
	wr_u8(&first, lane);
	wr_u8(&first, 1); /* T(1) = HMAC(info, 1); T(2) = HMAC(T(1), info, 2) */
	ok = wr_ok(&first) &&
		blake2s_hmac(direction->bytes, sizeof(direction->bytes), first.start, first.used_bytes, &key);
	if (ok) {
		memcpy(block, key.bytes, sizeof(key.bytes));
		block[sizeof(block) - 1] = 2;
		ok = blake2s_hmac(direction->bytes, sizeof(direction->bytes), block, sizeof(block), &iv);
	}
	if (ok) {
		memcpy(out->key.bytes, key.bytes, sizeof(out->key.bytes));
		memcpy(out->iv.bytes, iv.bytes, sizeof(out->iv.bytes));
	}
	secret_wipe(block, sizeof(block));
	secret_wipe(&key, sizeof(key));
	secret_wipe(&iv, sizeof(iv));
	return ok;
}

struct aead *transport_lane_new(const struct aead_backend *backend, const struct noise_key *direction,
	enum aead_cipher cipher, uint8_t lane)
{
	struct transport_keys keys;
	struct aead *aead = NULL;

	if (transport_lane_keys(direction, cipher, lane, &keys))
		aead = aead_new(backend, cipher, &keys.key, &keys.iv);
	secret_wipe(&keys, sizeof(keys));
	return aead;
}
