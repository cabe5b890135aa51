/*
 * random.c - see random.h; nothing else may live here, so that a test's own random_fill() can take its place
 */
#include "base/random.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/random.h>

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
