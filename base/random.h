/*
 * random.h - drawing of secret bytes: the only source of randomness of everything below the programs
 *
 * A test that has to run the same way twice links its own random_fill(), and then random.o does not leave the library:
 * no pointer that could be set, nothing of it in a daemon.
 */
#ifndef BASE_RANDOM_H
#define BASE_RANDOM_H

#include <stddef.h>
#include <stdint.h>

/* Fill from the kernel's generator; ends the process where there is none, since nothing safe can follow */
void random_fill(void *bytes, size_t len_bytes);

static inline uint32_t random_u32(void)
{
	uint32_t value;

	random_fill(&value, sizeof(value));
	return value;
}

#endif /* BASE_RANDOM_H */
