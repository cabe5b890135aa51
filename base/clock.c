/*
 * clock.c - see clock.h
 */
#include "base/clock.h"

#include <time.h>

struct instant instant_now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_BOOTTIME, &ts);
	return (struct instant){ (uint64_t)ts.tv_sec * 1000000000ULL + (uint64_t)ts.tv_nsec + 1 };
}
