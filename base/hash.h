/*
 * hash.h - seeded hashing for tables whose keys strangers choose
 *
 * SipHash-1-3 (Aumasson and Bernstein, 2012) over 16 bytes: enough for every key in weft, and no way for a
 * guest to aim at one bucket without the seed.
 */
#ifndef BASE_HASH_H
#define BASE_HASH_H

#include <stdint.h>

struct hash_seed {
	uint64_t k0;
	uint64_t k1;
};

struct hash_seed hash_seed_random(void);

/* Return: the hash of the 16 bytes @a, @b under @seed */
uint64_t hash_pair(struct hash_seed seed, uint64_t a, uint64_t b);

#endif /* BASE_HASH_H */
