/*
 * memo.c - see memo.h
 */
#include "tests/sim/memo.h"

#include "crypto/identity.h"

#include <stdlib.h>
#include <string.h>

#define SLOTS 4096U

struct certificate {
	char *ca_pem, *cert_pem; /* NULL: an empty slot */
	enum identity_role role;
	time_t since;
	struct identity identity;
};

struct tunnel {
	bool known;
	struct identity identity;
	struct x25519_public key;
	uint8_t signature[IDENTITY_SIGNATURE_BYTES];
};

static struct memo {
	struct certificate certificates[SLOTS];
	struct tunnel tunnels[SLOTS];
} * memo; /* NULL: off */

bool __real_identity_verify(const char *ca_pem, const char *cert_pem, enum identity_role role, time_t now,
	struct identity *out);
bool __wrap_identity_verify(const char *ca_pem, const char *cert_pem, enum identity_role role, time_t now,
	struct identity *out);
bool __real_identity_tunnel_verify(const struct identity *identity, const struct x25519_public *tunnel_key,
	const uint8_t *signature, size_t signature_bytes);
bool __wrap_identity_tunnel_verify(const struct identity *identity, const struct x25519_public *tunnel_key,
	const uint8_t *signature, size_t signature_bytes);

void memo_begin(void)
{
	memo_end();
	memo = calloc(1, sizeof(*memo));
	if (!memo)
		abort();
}

void memo_end(void)
{
	for (uint32_t i = 0; memo && i < SLOTS; i++) {
		free(memo->certificates[i].ca_pem);
		free(memo->certificates[i].cert_pem);
	}
	free(memo);
	memo = NULL;
}

/* Slots are as many as ever are needed or more: a later one takes an earlier one's */
static uint32_t slot_of(const void *bytes, size_t len_bytes)
{
	const uint8_t *at = bytes;
	uint32_t sum = 2166136261U; /* FNV-1a */

	for (size_t i = 0; i < len_bytes; i++)
		sum = (sum ^ at[i]) * 16777619U;
	return (sum ^ sum >> 16) % SLOTS;
}

bool __wrap_identity_verify(const char *ca_pem, const char *cert_pem, enum identity_role role, time_t now,
	struct identity *out)
{
	struct certificate *slot = memo ? &memo->certificates[slot_of(cert_pem, strlen(cert_pem))] : NULL;

	if (!slot)
		return __real_identity_verify(ca_pem, cert_pem, role, now, out);
	if (slot->cert_pem && strcmp(slot->cert_pem, cert_pem) == 0 && strcmp(slot->ca_pem, ca_pem) == 0 &&
		slot->role == role && slot->since <= now && now < slot->identity.expires) {
		*out = slot->identity;
		return true;
	}
	if (!__real_identity_verify(ca_pem, cert_pem, role, now, out))
		return false;
	free(slot->ca_pem);
	free(slot->cert_pem);
	*slot = (struct certificate){
		.ca_pem = strdup(ca_pem),
		.cert_pem = strdup(cert_pem),
		.role = role,
		.since = now,
		.identity = *out,
	};
	if (!slot->ca_pem || !slot->cert_pem)
		abort();
	return true;
}

bool __wrap_identity_tunnel_verify(const struct identity *identity, const struct x25519_public *tunnel_key,
	const uint8_t *signature, size_t signature_bytes)
{
	struct tunnel *slot = memo && signature_bytes == IDENTITY_SIGNATURE_BYTES
		? &memo->tunnels[slot_of(signature, signature_bytes)]
		: NULL;

	if (!slot)
		return __real_identity_tunnel_verify(identity, tunnel_key, signature, signature_bytes);
	if (slot->known && strcmp(slot->identity.name, identity->name) == 0 &&
		memcmp(slot->identity.public_key, identity->public_key, sizeof(identity->public_key)) == 0 &&
		memcmp(&slot->key, tunnel_key, sizeof(*tunnel_key)) == 0 &&
		memcmp(slot->signature, signature, signature_bytes) == 0)
		return true;
	if (!__real_identity_tunnel_verify(identity, tunnel_key, signature, signature_bytes))
		return false;
	*slot = (struct tunnel){ .known = true, .identity = *identity, .key = *tunnel_key };
	memcpy(slot->signature, signature, signature_bytes);
	return true;
}
