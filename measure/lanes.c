/*
 * lanes.c - see lanes.h
 */
#include "measure/lanes.h"

#include <stdlib.h>

#include "base/cursor.h"
#include "base/hash.h"

struct lanes {
	struct lane *entries; /* max of them, the first `count` in use */
	struct lane **buckets;
	struct lane **sorted;
	struct lane *oldest;
	struct lane *newest;
	size_t max;
	size_t count;
	size_t bucket_mask;
	struct hash_seed seed;
	uint64_t evicted;
	struct tally gone;
};

struct lanes *lanes_new(size_t max)
{
	struct lanes *lanes = calloc(1, sizeof(*lanes));
	size_t buckets = 1;

	if (!lanes)
		return NULL;
	while (buckets < max)
		buckets *= 2;
	lanes->max = max;
	lanes->bucket_mask = buckets - 1;
	lanes->seed = hash_seed_random();
	lanes->entries = calloc(max, sizeof(*lanes->entries));
	lanes->buckets = calloc(buckets, sizeof(struct lane *));
	lanes->sorted = calloc(max, sizeof(struct lane *));
	if (!lanes->entries || !lanes->buckets || !lanes->sorted) {
		lanes_free(lanes);
		return NULL;
	}
	return lanes;
}

void lanes_free(struct lanes *lanes)
{
	if (!lanes)
		return;
	free(lanes->entries);
	free(lanes->buckets);
	free(lanes->sorted);
	free(lanes);
}

static bool key_equal(const struct lane_key *a, const struct lane_key *b)
{
	return a->session == b->session && a->lane == b->lane && a->kind == b->kind &&
		endpoint_equal(&a->src, &b->src) && endpoint_equal(&a->dst, &b->dst);
}

static uint64_t hash_ip(struct hash_seed seed, const struct endpoint *endpoint)
{
	struct rd r = rd_init(endpoint->ip, sizeof(endpoint->ip));
	uint64_t high = rd_u64(&r);

	return hash_pair(seed, high, rd_u64(&r));
}

static struct lane **bucket_of(struct lanes *lanes, const struct lane_key *key)
{
	uint64_t ips = hash_pair(lanes->seed, hash_ip(lanes->seed, &key->src), hash_ip(lanes->seed, &key->dst));
	uint64_t rest =
		(uint64_t)key->src.port << 48 | (uint64_t)key->dst.port << 32 | (uint64_t)key->session << 8 | key->lane;

	return &lanes->buckets[(hash_pair(lanes->seed, ips, rest) ^ key->kind) & lanes->bucket_mask];
}

static void unlink_age(struct lanes *lanes, struct lane *lane)
{
	*(lane->older ? &lane->older->newer : &lanes->oldest) = lane->newer;
	*(lane->newer ? &lane->newer->older : &lanes->newest) = lane->older;
}

static void link_newest(struct lanes *lanes, struct lane *lane)
{
	lane->newer = NULL;
	lane->older = lanes->newest;
	*(lanes->newest ? &lanes->newest->newer : &lanes->oldest) = lane;
	lanes->newest = lane;
}

static struct lane *evict_oldest(struct lanes *lanes)
{
	struct lane *lane = lanes->oldest, **at = bucket_of(lanes, &lane->key);

	while (*at != lane)
		at = &(*at)->chain;
	*at = lane->chain;
	unlink_age(lanes, lane);
	tally_add(&lanes->gone, &lane->total);
	lanes->evicted++;
	return lane;
}

struct lane *lanes_touch(struct lanes *lanes, const struct lane_key *key, struct instant now)
{
	struct lane **bucket = bucket_of(lanes, key), *lane = *bucket;

	while (lane && !key_equal(&lane->key, key))
		lane = lane->chain;
	if (lane) {
		unlink_age(lanes, lane);
	} else {
		lane = lanes->count < lanes->max ? &lanes->entries[lanes->count++] : evict_oldest(lanes);
		*lane = (struct lane){ .key = *key, .first = now, .chain = *bucket };
		sequence_init(&lane->sequence);
		*bucket = lane;
	}
	lane->last = now;
	link_newest(lanes, lane);
	return lane;
}

void lanes_mark(struct lanes *lanes)
{
	for (size_t i = 0; i < lanes->count; i++)
		lanes->entries[i].mark = lanes->entries[i].total;
}

static int endpoint_order(const struct endpoint *a, const struct endpoint *b)
{
	int order = memcmp(a->ip, b->ip, sizeof(a->ip));

	return order ? order : (a->port > b->port) - (a->port < b->port);
}

static int lane_order(const void *left, const void *right)
{
	const struct lane_key *a = &(*(struct lane *const *)left)->key, *b = &(*(struct lane *const *)right)->key;
	int order = endpoint_order(&a->src, &b->src);

	if (order == 0)
		order = endpoint_order(&a->dst, &b->dst);
	if (order == 0)
		order = (a->kind > b->kind) - (a->kind < b->kind);
	if (order == 0)
		order = (a->session > b->session) - (a->session < b->session);
	return order ? order : (a->lane > b->lane) - (a->lane < b->lane);
}

struct lane *const *lanes_sorted(struct lanes *lanes, size_t *count)
{
	for (size_t i = 0; i < lanes->count; i++)
		lanes->sorted[i] = &lanes->entries[i];
	qsort(lanes->sorted, lanes->count, sizeof(struct lane *), lane_order);
	*count = lanes->count;
	return lanes->sorted;
}

uint64_t lanes_evicted(const struct lanes *lanes)
{
	return lanes->evicted;
}

const struct tally *lanes_gone(const struct lanes *lanes)
{
	return &lanes->gone;
}

void tally_add(struct tally *to, const struct tally *from)
{
	to->datagrams += from->datagrams;
	to->bytes += from->bytes;
	to->payload_bytes += from->payload_bytes;
	to->sequence.lost += from->sequence.lost;
	to->sequence.reordered += from->sequence.reordered;
	to->sequence.duplicates += from->sequence.duplicates;
	to->sequence.strays += from->sequence.strays;
	to->sequence.restarts += from->sequence.restarts;
	if (from->sequence.farthest > to->sequence.farthest)
		to->sequence.farthest = from->sequence.farthest;
}

struct tally tally_since(const struct tally *now, const struct tally *then)
{
	struct tally out = *now;

	out.datagrams -= then->datagrams;
	out.bytes -= then->bytes;
	out.payload_bytes -= then->payload_bytes;
	out.sequence.lost -= then->sequence.lost;
	out.sequence.reordered -= then->sequence.reordered;
	out.sequence.duplicates -= then->sequence.duplicates;
	out.sequence.strays -= then->sequence.strays;
	out.sequence.restarts -= then->sequence.restarts;
	return out;
}
