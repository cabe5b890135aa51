/*
 * ratelimit.c - see ratelimit.h
 */
#include "crypto/ratelimit.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#define MICRO 1000000ULL

struct entry {
	uint64_t address[2]; /* IPv4 mapped, or the /64; both zero in an empty entry */
	struct ratelimit_bucket bucket;
};

struct ratelimit {
	struct ratelimit_rate rate;
	struct hash_seed seed;
	struct entry entries[RATELIMIT_SETS][RATELIMIT_WAYS];
};

static void refill(struct ratelimit_bucket *bucket, struct ratelimit_rate rate, struct instant now)
{
	uint64_t full = rate.burst * MICRO;
	uint64_t ns = now.ns > bucket->updated.ns ? now.ns - bucket->updated.ns : 0;
	uint64_t us = ns / 1000; /* rate tokens a second are rate millionths a microsecond */
	uint64_t missing;

	assert(rate.per_second >= 1 && rate.burst >= 1);
	if (bucket->updated.ns == 0) {
		bucket->tokens_micro = full;
		bucket->updated = now;
		return;
	}
	missing = full - bucket->tokens_micro;
	if (us > missing / rate.per_second) {
		bucket->tokens_micro = full;
		bucket->updated = now;
	} else {
		bucket->tokens_micro += us * rate.per_second;
		bucket->updated.ns += us * 1000;
	}
}

bool ratelimit_bucket_take(struct ratelimit_bucket *bucket, struct ratelimit_rate rate, struct instant now)
{
	refill(bucket, rate, now);
	if (bucket->tokens_micro < MICRO)
		return false;
	bucket->tokens_micro -= MICRO;
	return true;
}

struct ratelimit *ratelimit_new(struct ratelimit_rate rate, struct hash_seed seed)
{
	struct ratelimit *limit = calloc(1, sizeof(*limit));

	if (limit) {
		limit->rate = rate;
		limit->seed = seed;
	}
	return limit;
}

void ratelimit_free(struct ratelimit *limit)
{
	free(limit);
}

/* The entry of @address, taken from another address where it has none */
static struct entry *entry_of(struct ratelimit *limit, const uint64_t address[2])
{
	struct entry *set = limit->entries[hash_pair(limit->seed, address[0], address[1]) % RATELIMIT_SETS];
	struct entry *idle = &set[0];

	for (size_t i = 0; i < RATELIMIT_WAYS; i++) {
		if (memcmp(set[i].address, address, sizeof(set[i].address)) == 0)
			return &set[i];
		if (set[i].bucket.updated.ns < idle->bucket.updated.ns)
			idle = &set[i];
	}
	memset(idle, 0, sizeof(*idle));
	memcpy(idle->address, address, sizeof(idle->address));
	return idle;
}

bool ratelimit_take(struct ratelimit *limit, const struct endpoint *source, struct instant now)
{
	uint64_t address[2];

	memcpy(address, source->ip, sizeof(address));
	if (!endpoint_is_v4(source))
		address[1] = 0;
	return ratelimit_bucket_take(&entry_of(limit, address)->bucket, limit->rate, now);
}
