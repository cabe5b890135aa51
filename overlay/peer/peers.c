/*
 * peers.c - see peers.h
 */
#include "overlay/peer/peers.h"

#include <stdlib.h>
#include <string.h>

#define CAPACITY_MIN 16U

/* ---- hashes ------------------------------------------------------------------------------------------------ */

static uint32_t name_bucket(const struct peers *peers, const char *name)
{
	uint64_t words[PEER_NAME_BYTES / 8] = { 0 }, sum = 0;

	memcpy(words, name, strnlen(name, PEER_NAME_BYTES - 1));
	for (uint32_t i = 0; i < PEER_NAME_BYTES / 8 && (i == 0 || words[i]); i++)
		sum = hash_pair(peers->seed, sum, words[i]);
	return (uint32_t)sum & (peers->capacity - 1);
}

static uint32_t key_bucket(const struct peers *peers, const struct x25519_public *key)
{
	uint64_t words[X25519_BYTES / 8];

	memcpy(words, key->bytes, sizeof(words));
	return (uint32_t)hash_pair(peers->seed, hash_pair(peers->seed, words[0], words[1]),
		       hash_pair(peers->seed, words[2], words[3])) &
		(peers->capacity - 1);
}

static void link_in(struct peers *peers, struct peer *peer)
{
	struct peer **chain = &peers->by_name[name_bucket(peers, peer->name)];

	peer->hidden = false;
	peer->next_by_name = *chain;
	*chain = peer;
	if (!peer->has_key)
		return;
	chain = &peers->by_key[key_bucket(peers, &peer->key)];
	peer->next_by_key = *chain;
	*chain = peer;
}

void peers_hide(struct peers *peers, struct peer *peer)
{
	struct peer **at = &peers->by_name[name_bucket(peers, peer->name)];

	if (peer->hidden)
		return;
	while (*at != peer)
		at = &(*at)->next_by_name;
	*at = peer->next_by_name;
	peer->hidden = true;
	if (!peer->has_key)
		return;
	at = &peers->by_key[key_bucket(peers, &peer->key)];
	while (*at != peer)
		at = &(*at)->next_by_key;
	*at = peer->next_by_key;
}

/* ---- slots ------------------------------------------------------------------------------------------------- */

void peers_init(struct peers *peers, struct hash_seed seed)
{
	*peers = (struct peers){ .seed = seed };
}

void peers_fini(struct peers *peers)
{
	free(peers->slots);
	free(peers->by_name);
	free(peers->by_key);
	peers_init(peers, peers->seed);
}

static bool grow(struct peers *peers)
{
	struct peers grown = { .capacity = peers->capacity ? 2 * peers->capacity : CAPACITY_MIN, .seed = peers->seed };

	if (peers->capacity >= PEERS_MAX)
		return false;
	grown.count = peers->count;
	grown.first_free = peers->first_free;
	grown.slots = calloc(grown.capacity, sizeof(struct peer *));
	grown.by_name = calloc(grown.capacity, sizeof(struct peer *));
	grown.by_key = calloc(grown.capacity, sizeof(struct peer *));
	if (!grown.slots || !grown.by_name || !grown.by_key) {
		peers_fini(&grown);
		return false;
	}
	for (uint32_t slot = 0; slot < peers->capacity; slot++) {
		grown.slots[slot] = peers->slots[slot];
		if (grown.slots[slot] && !grown.slots[slot]->hidden)
			link_in(&grown, grown.slots[slot]);
	}
	peers_fini(peers);
	*peers = grown;
	return true;
}

struct peer *peers_add(struct peers *peers, const char *name, const struct x25519_public *key, struct instant now)
{
	uint32_t slot;
	struct peer *peer;

	if (peers->count == peers->capacity && !grow(peers))
		return NULL;
	for (slot = peers->first_free; peers->slots[slot];)
		slot++;
	peer = peer_new(slot, name, key, now);
	if (!peer)
		return NULL;
	peers->slots[slot] = peer;
	peers->first_free = slot + 1;
	peers->count++;
	link_in(peers, peer);
	return peer;
}

void peers_remove(struct peers *peers, struct peer *peer)
{
	peers_hide(peers, peer);
	peers->slots[peer->slot] = NULL;
	peers->count--;
	if (peer->slot < peers->first_free)
		peers->first_free = peer->slot;
}

/* ---- looking ----------------------------------------------------------------------------------------------- */

struct peer *peers_at(const struct peers *peers, uint32_t slot)
{
	return slot < peers->capacity ? peers->slots[slot] : NULL;
}

struct peer *peers_named(const struct peers *peers, const char *name)
{
	struct peer *peer = peers->capacity ? peers->by_name[name_bucket(peers, name)] : NULL;

	while (peer && strncmp(peer->name, name, PEER_NAME_BYTES - 1) != 0)
		peer = peer->next_by_name;
	return peer;
}

struct peer *peers_with_key(const struct peers *peers, const struct x25519_public *key)
{
	struct peer *peer = peers->capacity ? peers->by_key[key_bucket(peers, key)] : NULL;

	while (peer && memcmp(peer->key.bytes, key->bytes, sizeof(key->bytes)) != 0)
		peer = peer->next_by_key;
	return peer;
}

struct peer *peers_next(const struct peers *peers, uint32_t *slot)
{
	while (*slot < peers->capacity) {
		struct peer *peer = peers->slots[(*slot)++];

		if (peer)
			return peer;
	}
	return NULL;
}
