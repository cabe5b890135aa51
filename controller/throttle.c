/*
 * throttle.c - see throttle.h
 *
 * A leaky bucket as a time: each failure moves `full` THROTTLE_SECONDS on, and whoever is THROTTLE_FAILURES
 * of those ahead of the clock has to wait.
 */
#include "controller/throttle.h"

#include <string.h>

#define STEP_MS (1000ULL * THROTTLE_SECONDS)

void throttle_init(struct throttle *t, struct hash_seed seed)
{
	memset(t, 0, sizeof(*t));
	t->seed = seed;
}

static uint64_t source_key(const struct throttle *t, const struct endpoint *source)
{
	uint64_t high, low;

	memcpy(&high, source->ip, 8);
	memcpy(&low, source->ip + 8, 8);
	return hash_pair(t->seed, high, endpoint_is_v4(source) ? low : 0) | 1;
}

/* The entry of @key; without one: that which failed longest ago */
static struct throttle_entry *entry_of(struct throttle *t, uint64_t key)
{
	struct throttle_entry *set = t->entries[(key >> 1) % THROTTLE_SETS], *oldest = set;

	for (size_t i = 0; i < THROTTLE_WAYS; i++) {
		if (set[i].source == key)
			return &set[i];
		if (set[i].full.ns < oldest->full.ns)
			oldest = &set[i];
	}
	return oldest;
}

bool throttle_ok(struct throttle *t, const struct endpoint *source, struct instant now)
{
	uint64_t key = source_key(t, source);
	const struct throttle_entry *entry = entry_of(t, key);

	return entry->source != key ||
		!instant_reached(entry->full, instant_add_ms(now, THROTTLE_FAILURES * STEP_MS - STEP_MS + 1));
}

void throttle_failed(struct throttle *t, const struct endpoint *source, struct instant now)
{
	uint64_t key = source_key(t, source);
	struct throttle_entry *entry = entry_of(t, key);

	if (entry->source != key || instant_reached(now, entry->full))
		*entry = (struct throttle_entry){ .source = key, .full = now };
	entry->full = instant_add_ms(entry->full, STEP_MS);
}
