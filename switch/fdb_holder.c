/*
 * fdb_holder.c - see fdb_holder.h
 */
#include "switch/fdb_holder.h"

#include <assert.h>

#define SECOND_CHANCES 8 /* entries in use that an eviction passes over */

static uint16_t *bucket_of(const struct fdb *fdb, uint64_t location)
{
	return &fdb->holder_buckets[hash_pair(fdb->config.seed, location, 0) & fdb->holder_mask];
}

static uint16_t find(const struct fdb *fdb, uint64_t location)
{
	uint16_t at = *bucket_of(fdb, location);

	while (at && fdb->holders[at].location != location)
		at = fdb->holders[at].next;
	return at;
}

static uint16_t make(struct fdb *fdb, uint64_t location)
{
	uint16_t *bucket = bucket_of(fdb, location);
	uint16_t at = fdb->holders_free;

	if (at) {
		fdb->holders_free = fdb->holders[at].next;
	} else {
		assert(fdb->holders_high < fdb->config.locations);
		at = (uint16_t)++fdb->holders_high;
	}
	fdb->holders[at] = (struct fdb_holder){ .location = location, .next = *bucket };
	*bucket = at;
	return at;
}

static void forget(struct fdb *fdb, uint16_t at)
{
	struct fdb_holder *holder = &fdb->holders[at];
	uint16_t *link = bucket_of(fdb, holder->location);

	while (*link != at)
		link = &fdb->holders[*link].next;
	*link = holder->next;
	holder->location = 0;
	holder->next = fdb->holders_free;
	fdb->holders_free = at;
}

bool fdb_holder_has_room(const struct fdb *fdb, uint64_t location)
{
	uint16_t at = find(fdb, location);

	if (at)
		return fdb->holders[at].count < fdb->config.location_limit;
	return fdb->holders_free || fdb->holders_high < fdb->config.locations;
}

static void append(struct fdb *fdb, struct fdb_holder *holder, uint32_t number)
{
	struct fdb_slot *slot = &fdb->slots[number];

	slot->queued_ns = atomic_load_explicit(&slot->seen_ns, memory_order_relaxed);
	slot->list_prev = holder->tail;
	slot->list_next = 0;
	if (holder->tail)
		fdb->slots[holder->tail].list_next = number;
	else
		holder->head = number;
	holder->tail = number;
}

static void detach(struct fdb *fdb, struct fdb_holder *holder, const struct fdb_slot *slot)
{
	if (slot->list_prev)
		fdb->slots[slot->list_prev].list_next = slot->list_next;
	else
		holder->head = slot->list_next;
	if (slot->list_next)
		fdb->slots[slot->list_next].list_prev = slot->list_prev;
	else
		holder->tail = slot->list_prev;
}

void fdb_holder_enqueue(struct fdb *fdb, uint32_t number, uint64_t location)
{
	uint16_t at = find(fdb, location);

	if (!at)
		at = make(fdb, location);
	append(fdb, &fdb->holders[at], number);
	fdb->holders[at].count++;
	fdb->slots[number].holder = at;
}

void fdb_holder_dequeue(struct fdb *fdb, uint32_t number)
{
	struct fdb_slot *slot = &fdb->slots[number];
	struct fdb_holder *holder = &fdb->holders[slot->holder];

	if (!slot->holder)
		return;
	detach(fdb, holder, slot);
	if (--holder->count == 0)
		forget(fdb, slot->holder);
	slot->holder = 0;
}

uint32_t fdb_holder_victim(struct fdb *fdb)
{
	struct fdb_holder *most = &fdb->holders[0]; /* holds nothing, ever */

	for (uint32_t i = 1; i <= fdb->holders_high; i++)
		if (fdb->holders[i].location && fdb->holders[i].count > most->count)
			most = &fdb->holders[i];
	for (int i = 0; i < SECOND_CHANCES && most->head != most->tail; i++) {
		uint32_t number = most->head;
		struct fdb_slot *slot = &fdb->slots[number];

		if (atomic_load_explicit(&slot->seen_ns, memory_order_relaxed) == slot->queued_ns)
			break;
		detach(fdb, most, slot);
		append(fdb, most, number);
	}
	return most->head;
}
