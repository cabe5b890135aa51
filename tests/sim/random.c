/*
 * random.c - see random.h; defines base/random.h's random_fill() in place of base/random.c, which stays in its library
 */
#define OPENSSL_SUPPRESS_DEPRECATED /* RAND_METHOD is the one way to have OpenSSL draw from somewhere else */
#include "tests/sim/random.h"

#include "base/random.h"

#include <openssl/rand.h>
#include <stdlib.h>
#include <string.h>

static uint64_t state[4];

static uint64_t rotl(uint64_t x, unsigned int bits)
{
	return x << bits | x >> (64 - bits);
}

uint64_t sim_random_u64(void)
{
	const uint64_t out = rotl(state[1] * 5, 7) * 9, t = state[1] << 17;

	state[2] ^= state[0];
	state[3] ^= state[1];
	state[1] ^= state[2];
	state[0] ^= state[3];
	state[2] ^= t;
	state[3] = rotl(state[3], 45);
	return out;
}

void random_fill(void *bytes, size_t len_bytes)
{
	uint8_t *at = bytes;

	while (len_bytes > 0) {
		const uint64_t drawn = sim_random_u64();
		const size_t part = len_bytes < sizeof(drawn) ? len_bytes : sizeof(drawn);

		memcpy(at, &drawn, part);
		at += part;
		len_bytes -= part;
	}
}

static int openssl_bytes(unsigned char *out, int len_bytes)
{
	random_fill(out, (size_t)len_bytes);
	return 1;
}

static int openssl_status(void)
{
	return 1;
}

void sim_random_seed(uint64_t seed)
{
	static const RAND_METHOD method = {
		.bytes = openssl_bytes,
		.pseudorand = openssl_bytes,
		.status = openssl_status,
	};

	for (int i = 0; i < 4; i++) {
		uint64_t z = seed += 0x9e3779b97f4a7c15U;

		z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9U;
		z = (z ^ z >> 27) * 0x94d049bb133111ebU;
		state[i] = z ^ z >> 31;
	}
	if (RAND_set_rand_method(&method) != 1)
		abort();
}
