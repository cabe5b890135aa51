/*
 * random.h - chance for everything that asks for it: random_fill() and OpenSSL draw from here in a simulation
 *
 * The generator is xoshiro256** (Blackman and Vigna, 2018), seeded by splitmix64.  Not for secrets: there are none here.
 */
#ifndef TESTS_SIM_RANDOM_H
#define TESTS_SIM_RANDOM_H

#include <stdint.h>

/* Begin anew with @seed; also has OpenSSL draw from here, which stays so */
void sim_random_seed(uint64_t seed);

uint64_t sim_random_u64(void);

#endif /* TESTS_SIM_RANDOM_H */
