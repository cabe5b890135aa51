/*
 * pacing.c - see pacing.h
 */
#include "overlay/peer/pacing.h"

#include <string.h>

void pacing_init(struct pacing *pacing, struct hash_seed seed)
{
	memset(pacing, 0, sizeof(*pacing));
	pacing->seed = seed;
}

static uint64_t key_of(const struct pacing *pacing, const struct endpoint *to)
{
	uint64_t halves[2];

	memcpy(halves, to->ip, sizeof(halves));
	return hash_pair(pacing->seed, hash_pair(pacing->seed, halves[0], halves[1]),
		(uint64_t)to->scope_id << 16 | to->port);
}

/* Return: the place of @key, else the one that was taken longest ago */
static struct paced *place_of(struct pacing *pacing, uint64_t key)
{
	struct paced *set = pacing->table[key % PACING_SETS], *oldest = set;

	for (uint32_t i = 0; i < PACING_WAYS; i++) {
		if (set[i].at.ns && set[i].key == key)
			return &set[i];
		if (set[i].at.ns < oldest->at.ns)
			oldest = &set[i];
	}
	return oldest;
}

bool pacing_take(struct pacing *pacing, const struct endpoint *to, struct instant now)
{
	const uint64_t key = key_of(pacing, to);
	struct paced *paced = place_of(pacing, key);

	if (paced->at.ns && instant_since_ms(now, paced->at) < PACING_MS)
		return false;
	paced->key = key;
	paced->at = now;
	return true;
}
