/*
 * fdb_table.c - see fdb_table.h
 */
#include "switch/fdb_table.h"

#include <endian.h>
#include <string.h>

#define TRIES 16

static uint64_t load(const _Atomic uint64_t *at)
{
	return atomic_load_explicit(at, memory_order_acquire);
}

static uint32_t load32(const _Atomic uint32_t *at)
{
	return atomic_load_explicit(at, memory_order_acquire);
}

static void store(_Atomic uint64_t *at, uint64_t value)
{
	atomic_store_explicit(at, value, memory_order_release);
}

static void store32(_Atomic uint32_t *at, uint32_t value)
{
	atomic_store_explicit(at, value, memory_order_release);
}

struct fdb_address fdb_table_address(const struct fdb *fdb, const struct fdb_key *key)
{
	struct fdb_address at = { .network = key->network };
	uint64_t hash;
	uint32_t high;
	uint16_t low;

	memcpy(&high, key->mac.bytes, sizeof(high));
	memcpy(&low, key->mac.bytes + sizeof(high), sizeof(low));
	at.address = (uint64_t)(key->vlan & 0xfff) << 48 | (uint64_t)be32toh(high) << 16 | be16toh(low);
	hash = hash_pair(fdb->config.seed, at.address, at.network);
	at.bucket = &fdb->buckets[hash & fdb->bucket_mask];
	return at;
}

struct fdb_key fdb_table_key(const struct fdb_slot *slot)
{
	uint64_t address = load(&slot->address);
	struct fdb_key key = { .network = load32(&slot->network), .vlan = (uint16_t)(address >> 48) };

	for (size_t i = MAC_BYTES; i-- > 0; address >>= 8)
		key.mac.bytes[i] = (uint8_t)address;
	return key;
}

static bool holds(const struct fdb_slot *slot, const struct fdb_address *at)
{
	return load(&slot->address) == at->address && load32(&slot->network) == at->network;
}

uint32_t fdb_table_find(const struct fdb *fdb, const struct fdb_address *at, uint64_t *location, uint64_t *seen_ns)
{
	struct fdb_bucket *bucket = at->bucket;

	for (int tries = 0; tries < TRIES; tries++) {
		uint32_t version = load32(&bucket->version);
		uint32_t number = load32(&bucket->head);

		if (version & 1)
			continue;
		/* the version is looked at on each step: a slot that left this chain may lead anywhere */
		while (number && !holds(&fdb->slots[number], at) && load32(&bucket->version) == version)
			number = load32(&fdb->slots[number].next);
		if (number) {
			*location = load(&fdb->slots[number].location);
			*seen_ns = load(&fdb->slots[number].seen_ns);
		}
		if (atomic_load_explicit(&bucket->version, memory_order_relaxed) == version)
			return number;
	}
	return 0;
}

uint32_t fdb_table_find_locked(const struct fdb *fdb, const struct fdb_address *at)
{
	uint32_t number = load32(&at->bucket->head);

	while (number && !holds(&fdb->slots[number], at))
		number = load32(&fdb->slots[number].next);
	return number;
}

static void version_begin(struct fdb_bucket *bucket)
{
	/* the data's stores are releases: none of them is seen before this one */
	atomic_store_explicit(&bucket->version, atomic_load_explicit(&bucket->version, memory_order_relaxed) + 1,
		memory_order_relaxed);
}

static void version_end(struct fdb_bucket *bucket)
{
	store32(&bucket->version, atomic_load_explicit(&bucket->version, memory_order_relaxed) + 1);
}

uint32_t fdb_table_take_slot(struct fdb *fdb)
{
	uint32_t number = fdb->free_head;

	if (number)
		fdb->free_head = load32(&fdb->slots[number].next);
	else if (fdb->high < fdb->config.capacity)
		number = ++fdb->high;
	return number;
}

void fdb_table_insert(struct fdb *fdb, uint32_t number, const struct fdb_address *at, uint64_t location,
	uint64_t seen_ns)
{
	struct fdb_slot *slot = &fdb->slots[number];

	store(&slot->address, at->address);
	store32(&slot->network, at->network);
	store(&slot->location, location);
	store(&slot->seen_ns, seen_ns);
	store32(&slot->next, load32(&at->bucket->head));
	slot->moves = 0;
	slot->window_moves = 0;
	store32(&at->bucket->head, number);
	atomic_fetch_add_explicit(&fdb->count, 1, memory_order_relaxed);
}

static struct fdb_bucket *bucket_of(const struct fdb *fdb, const struct fdb_slot *slot)
{
	struct fdb_key key = fdb_table_key(slot);

	return fdb_table_address(fdb, &key).bucket;
}

void fdb_table_relocate(struct fdb *fdb, uint32_t number, uint64_t location, uint64_t seen_ns)
{
	struct fdb_slot *slot = &fdb->slots[number];
	struct fdb_bucket *bucket = bucket_of(fdb, slot);

	version_begin(bucket);
	store(&slot->location, location);
	store(&slot->seen_ns, seen_ns);
	version_end(bucket);
}

void fdb_table_remove(struct fdb *fdb, uint32_t number)
{
	struct fdb_slot *slot = &fdb->slots[number];
	struct fdb_bucket *bucket = bucket_of(fdb, slot);
	_Atomic uint32_t *link = &bucket->head;

	while (load32(link) != number)
		link = &fdb->slots[load32(link)].next;
	version_begin(bucket);
	store32(link, load32(&slot->next));
	store(&slot->location, 0);
	store32(&slot->next, fdb->free_head);
	version_end(bucket);
	fdb->free_head = number;
	atomic_fetch_sub_explicit(&fdb->count, 1, memory_order_relaxed);
}
