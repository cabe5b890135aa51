/*
 * hash.c - see hash.h
 */
#include "base/hash.h"

#include "base/random.h"

struct hash_seed hash_seed_random(void)
{
	struct hash_seed seed;

	random_fill(&seed, sizeof(seed));
	return seed;
}

static inline uint64_t rotl(uint64_t x, unsigned int bits)
{
	return x << bits | x >> (64 - bits);
}

static inline void sip_round(uint64_t v[4])
{
	v[0] += v[1];
	v[1] = rotl(v[1], 13) ^ v[0];
	v[0] = rotl(v[0], 32);
	v[2] += v[3];
	v[3] = rotl(v[3], 16) ^ v[2];
	v[0] += v[3];
	v[3] = rotl(v[3], 21) ^ v[0];
	v[2] += v[1];
	v[1] = rotl(v[1], 17) ^ v[2];
	v[2] = rotl(v[2], 32);
}

uint64_t hash_pair(struct hash_seed seed, uint64_t a, uint64_t b)
{
	const uint64_t last = 16ULL << 56; /* the message's length in the top byte, no bytes left over */
	uint64_t v[4] = {
		seed.k0 ^ 0x736f6d6570736575ULL,
		seed.k1 ^ 0x646f72616e646f6dULL,
		seed.k0 ^ 0x6c7967656e657261ULL,
		seed.k1 ^ 0x7465646279746573ULL,
	};
	const uint64_t words[3] = { a, b, last };

/* unrolled, so that the state stays in registers: each packet is hashed twice */
#pragma GCC unroll 3
	for (int i = 0; i < 3; i++) {
		v[3] ^= words[i];
		sip_round(v);
		v[0] ^= words[i];
	}
	v[2] ^= 0xff;
#pragma GCC unroll 3
	for (int i = 0; i < 3; i++)
		sip_round(v);
	return v[0] ^ v[1] ^ v[2] ^ v[3];
}
