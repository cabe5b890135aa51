/*
 * pins.c - see pins.h
 */
#include "overlay/agent/pins.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

static int compare_keys(const struct fdb_key *a, const struct fdb_key *b)
{
	if (a->network != b->network)
		return a->network < b->network ? -1 : 1;
	if (a->vlan != b->vlan)
		return a->vlan < b->vlan ? -1 : 1;
	return memcmp(a->mac.bytes, b->mac.bytes, sizeof(a->mac.bytes));
}

/* By key; of equal ones ports come before peers */
static int compare(const void *left, const void *right)
{
	const struct pin *a = left, *b = right;
	int order = compare_keys(&a->key, &b->key);

	if (order)
		return order;
	if (a->location.kind != b->location.kind)
		return a->location.kind < b->location.kind ? -1 : 1;
	return a->location.id < b->location.id ? -1 : a->location.id > b->location.id;
}

/* Return: how many are left */
static uint32_t drop_doubles(struct pin *items, uint32_t count)
{
	uint32_t kept = 0;

	for (uint32_t i = 0; i < count; i++)
		if (kept == 0 || compare_keys(&items[kept - 1].key, &items[i].key) != 0)
			items[kept++] = items[i];
	return kept;
}

/* First, so that what comes finds room */
static void remove_others(const struct pins *pins, struct fdb *fdb, const struct pin *wanted, uint32_t count,
	struct pins_change *change)
{
	uint32_t at = 0;

	for (uint32_t i = 0; i < pins->count; i++) {
		const struct fdb_key *key = &pins->items[i].key;

		while (at < count && compare_keys(&wanted[at].key, key) < 0)
			at++;
		if (at < count && compare_keys(&wanted[at].key, key) == 0)
			continue;
		(void)fdb_unpin(fdb, key);
		change->removed++;
	}
}

struct pins_change pins_set(struct pins *pins, struct fdb *fdb, struct pin *wanted, uint32_t count)
{
	struct pins_change change = { 0 };
	uint32_t at = 0, kept = 0;

	if (count)
		qsort(wanted, count, sizeof(*wanted), compare);
	count = drop_doubles(wanted, count);
	remove_others(pins, fdb, wanted, count, &change);
	for (uint32_t i = 0; i < count; i++) {
		bool known, stays;

		while (at < pins->count && compare_keys(&pins->items[at].key, &wanted[i].key) < 0)
			at++;
		known = at < pins->count && compare_keys(&pins->items[at].key, &wanted[i].key) == 0;
		stays = known && fdb_location_equal(pins->items[at].location, wanted[i].location);
		if (!stays && fdb_pin(fdb, &wanted[i].key, wanted[i].location) < 0) {
			change.refused++;
			continue;
		}
		change.added += !known;
		change.moved += known && !stays;
		wanted[kept++] = wanted[i];
	}
	free(pins->items);
	pins->items = wanted;
	pins->count = kept;
	return change;
}

void pins_fini(struct pins *pins)
{
	free(pins->items);
	memset(pins, 0, sizeof(*pins));
}
