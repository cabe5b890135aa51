/*
 * secret.c - see secret.h
 */
#include "base/secret.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

void secret_wipe(void *bytes, size_t len_bytes)
{
	if (len_bytes)
		explicit_bzero(bytes, len_bytes);
}

void random_fill(void *bytes, size_t len_bytes)
{
	uint8_t *at = bytes;

	while (len_bytes > 0) {
		ssize_t got = getrandom(at, len_bytes, 0);

		if (got < 0 && errno == EINTR)
			continue;
		if (got <= 0)
			abort();
		at += got;
		len_bytes -= (size_t)got;
	}
}

uint32_t random_u32(void)
{
	uint32_t value;

	random_fill(&value, sizeof(value));
	return value;
}
