/*
 * cookie.c - see cookie.h
 */
#include "crypto/cookie.h"

#include <string.h>

#include <openssl/crypto.h>

#include "base/cursor.h"
#include "base/random.h"
#include "base/secret.h"
#include "crypto/chachapoly.h"

#define TYPE_COOKIE 3U   /* HANDSHAKE_TYPE_COOKIE of handshake.h, which stands on this file */
#define SENDER_OFFSET 1U /* in every initiation and response */

static const char mac1_label[] = "weft mac1 key v1";
static const char seal_label[] = "weft cookie key v1";
static const uint8_t zero_nonce[CHACHAPOLY_NONCE_BYTES];

static bool length_fits(size_t body_bytes)
{
	return body_bytes >= COOKIE_BODY_MIN_BYTES && body_bytes <= COOKIE_BODY_MAX_BYTES;
}

/* What anyone who knows @receiver can derive */
static bool derive_keys(const struct x25519_public *receiver, struct blake2s_digest *mac1_key,
	struct blake2s_digest *seal_key)
{
	return blake2s_hash(mac1_label, sizeof(mac1_label) - 1, receiver->bytes, X25519_BYTES, mac1_key) &&
		blake2s_hash(seal_label, sizeof(seal_label) - 1, receiver->bytes, X25519_BYTES, seal_key);
}

/* The cookie of @source: what it must have received at that address */
static bool cookie_of(const struct cookie_secret *secret, const struct endpoint *source, uint8_t cookie[COOKIE_BYTES])
{
	uint8_t address[sizeof(source->ip) + 2];
	struct wr w = wr_init(address, sizeof(address));

	wr_bytes(&w, source->ip, sizeof(source->ip));
	wr_u16(&w, source->port);
	return wr_ok(&w) &&
		blake2s_mac(secret->bytes, sizeof(secret->bytes), address, sizeof(address), cookie, COOKIE_BYTES);
}

static bool secret_alive(const struct cookie_secret *secret, struct instant now, uint64_t life_ms)
{
	return secret->born.ns != 0 && instant_since_ms(now, secret->born) < life_ms;
}

bool cookie_checker_init(struct cookie_checker *checker, const struct x25519_public *own)
{
	memset(checker, 0, sizeof(*checker));
	return derive_keys(own, &checker->mac1_key, &checker->seal_key);
}

void cookie_checker_fini(struct cookie_checker *checker)
{
	secret_wipe(checker, sizeof(*checker));
}

static bool mac2_fits(const struct cookie_secret *secret, const uint8_t *body, size_t covered_bytes,
	const struct endpoint *source)
{
	uint8_t cookie[COOKIE_BYTES];
	uint8_t mac2[COOKIE_MAC_BYTES];
	bool ok = cookie_of(secret, source, cookie) &&
		blake2s_mac(cookie, sizeof(cookie), body, covered_bytes, mac2, sizeof(mac2)) &&
		CRYPTO_memcmp(mac2, body + covered_bytes, sizeof(mac2)) == 0;

	secret_wipe(cookie, sizeof(cookie));
	secret_wipe(mac2, sizeof(mac2));
	return ok;
}

enum cookie_result cookie_check(const struct cookie_checker *checker, const uint8_t *body, size_t len_bytes,
	const struct endpoint *source, struct instant now)
{
	static const uint8_t absent[COOKIE_MAC_BYTES];
	uint8_t mac1[COOKIE_MAC_BYTES];
	size_t covered_bytes;

	if (!length_fits(len_bytes))
		return COOKIE_BAD;
	covered_bytes = len_bytes - COOKIE_MACS_BYTES;
	if (!blake2s_mac(checker->mac1_key.bytes, BLAKE2S_BYTES, body, covered_bytes, mac1, sizeof(mac1)) ||
		CRYPTO_memcmp(mac1, body + covered_bytes, sizeof(mac1)) != 0)
		return COOKIE_BAD;
	covered_bytes += COOKIE_MAC_BYTES;
	if (memcmp(body + covered_bytes, absent, sizeof(absent)) == 0)
		return COOKIE_ONLY_MAC1;
	if (secret_alive(&checker->current, now, 2 * COOKIE_LIFE_MS) &&
		mac2_fits(&checker->current, body, covered_bytes, source))
		return COOKIE_BOTH;
	if (secret_alive(&checker->previous, now, 2 * COOKIE_LIFE_MS) &&
		mac2_fits(&checker->previous, body, covered_bytes, source))
		return COOKIE_BOTH;
	return COOKIE_ONLY_MAC1;
}

/* Fresh secrets for fresh cookies; the last one is still honoured */
static void turn_secret(struct cookie_checker *checker, struct instant now)
{
	if (secret_alive(&checker->current, now, COOKIE_LIFE_MS))
		return;
	checker->previous = checker->current;
	random_fill(checker->current.bytes, sizeof(checker->current.bytes));
	checker->current.born = now;
}

/* The key of one reply */
static bool reply_key(const struct blake2s_digest *seal_key, const uint8_t nonce[COOKIE_NONCE_BYTES],
	uint8_t key[CHACHAPOLY_KEY_BYTES])
{
	return blake2s_mac(seal_key->bytes, BLAKE2S_BYTES, nonce, COOKIE_NONCE_BYTES, key, CHACHAPOLY_KEY_BYTES);
}

bool cookie_reply_create(struct cookie_checker *checker, const uint8_t *body, size_t len_bytes,
	const struct endpoint *source, struct instant now, uint8_t out[COOKIE_REPLY_BYTES])
{
	uint8_t cookie[COOKIE_BYTES];
	uint8_t key[CHACHAPOLY_KEY_BYTES];
	struct wr w = wr_init(out, COOKIE_REPLY_BYTES);
	uint8_t *nonce;
	bool ok;

	if (!length_fits(len_bytes))
		return false;
	turn_secret(checker, now);
	wr_u8(&w, TYPE_COOKIE);
	wr_bytes(&w, body + SENDER_OFFSET, 3);
	nonce = wr_reserve(&w, COOKIE_NONCE_BYTES);
	random_fill(nonce, COOKIE_NONCE_BYTES);
	ok = cookie_of(&checker->current, source, cookie) && reply_key(&checker->seal_key, nonce, key) &&
		chachapoly_seal(key, zero_nonce, body + len_bytes - COOKIE_MACS_BYTES, COOKIE_MAC_BYTES, cookie,
			sizeof(cookie), wr_reserve(&w, COOKIE_BYTES + CHACHAPOLY_TAG_BYTES));
	secret_wipe(cookie, sizeof(cookie));
	secret_wipe(key, sizeof(key));
	return ok;
}

bool cookie_jar_init(struct cookie_jar *jar, const struct x25519_public *peer)
{
	memset(jar, 0, sizeof(*jar));
	return derive_keys(peer, &jar->mac1_key, &jar->seal_key);
}

void cookie_jar_fini(struct cookie_jar *jar)
{
	secret_wipe(jar, sizeof(*jar));
}

bool cookie_close(struct cookie_jar *jar, uint8_t *body, size_t len_bytes, struct instant now)
{
	uint8_t *mac1 = body + len_bytes;
	uint8_t *mac2 = mac1 + COOKIE_MAC_BYTES;
	bool ok = blake2s_mac(jar->mac1_key.bytes, BLAKE2S_BYTES, body, len_bytes, mac1, COOKIE_MAC_BYTES);

	memset(mac2, 0, COOKIE_MAC_BYTES);
	if (ok && jar->received.ns != 0 && instant_since_ms(now, jar->received) < COOKIE_LIFE_MS)
		ok = blake2s_mac(jar->cookie, COOKIE_BYTES, body, len_bytes + COOKIE_MAC_BYTES, mac2, COOKIE_MAC_BYTES);
	if (ok) {
		memcpy(jar->last_mac1, mac1, COOKIE_MAC_BYTES);
		jar->awaits_reply = true;
	}
	return ok;
}

bool cookie_reply_receiver(const uint8_t *reply, size_t len_bytes, uint32_t *receiver)
{
	struct rd r = rd_init(reply, len_bytes);

	if (len_bytes != COOKIE_REPLY_BYTES || rd_u8(&r) != TYPE_COOKIE)
		return false;
	*receiver = rd_u24(&r);
	return rd_ok(&r);
}

bool cookie_reply_consume(struct cookie_jar *jar, const uint8_t *reply, size_t len_bytes, struct instant now)
{
	uint8_t cookie[COOKIE_BYTES];
	uint8_t key[CHACHAPOLY_KEY_BYTES];
	struct rd r = rd_init(reply, len_bytes);
	uint32_t receiver;
	const uint8_t *nonce;
	bool ok;

	if (!jar->awaits_reply || !cookie_reply_receiver(reply, len_bytes, &receiver))
		return false;
	rd_bytes(&r, SENDER_OFFSET + 3);
	nonce = rd_bytes(&r, COOKIE_NONCE_BYTES);
	ok = nonce && reply_key(&jar->seal_key, nonce, key) &&
		chachapoly_open(key, zero_nonce, jar->last_mac1, sizeof(jar->last_mac1), r.at, r.left_bytes, cookie);
	if (ok) {
		memcpy(jar->cookie, cookie, sizeof(cookie));
		jar->received = now;
		jar->awaits_reply = false;
	}
	secret_wipe(cookie, sizeof(cookie));
	secret_wipe(key, sizeof(key));
	return ok;
}
