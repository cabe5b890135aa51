/*
 * clock.h - monotonic time as a type of its own
 *
 * Only the loops of the daemons read the clock, once a turn; everything below takes `now` as an argument.
 */
#ifndef BASE_CLOCK_H
#define BASE_CLOCK_H

#include <stdbool.h>
#include <stdint.h>

struct instant {
	uint64_t ns; /* since an arbitrary start; 0 is "never" */
};

/* Return: CLOCK_BOOTTIME, never 0: a machine that slept knows that its sessions are old */
struct instant instant_now(void);

static inline struct instant instant_add_ms(struct instant t, uint64_t ms)
{
	return (struct instant){ t.ns + ms * 1000000ULL };
}

/* Return: milliseconds from @then to @now, 0 where @now is not later */
static inline uint64_t instant_since_ms(struct instant now, struct instant then)
{
	return now.ns > then.ns ? (now.ns - then.ns) / 1000000ULL : 0;
}

static inline bool instant_reached(struct instant now, struct instant deadline)
{
	return now.ns >= deadline.ns;
}

#endif /* BASE_CLOCK_H */
