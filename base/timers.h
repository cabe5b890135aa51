/*
 * timers.h - a heap of deadlines: what is due next, whatever there is
 *
 * A struct timer lives inside what it is for (the caller finds that by its offset) and is in at most one heap.  Setting, moving
 * and clearing cost the logarithm of how many are set; asking for the next one costs nothing.  So a turn of a loop touches
 * what is due and nothing else.
 *
 * The heap has room for as many as timers_reserve() was told, so that timers_set() cannot fail: room is made when what needs a
 * timer is made.  Timers with one deadline come in any order.  Thread: the owner's.  Reads no clock.
 */
#ifndef BASE_TIMERS_H
#define BASE_TIMERS_H

#include "base/clock.h"

#include <stdbool.h>
#include <stdint.h>

struct timer {
	struct instant due;
	uint32_t place; /* in the heap, from 1; 0: not set */
};

struct timers {
	struct timer **heap;
	uint32_t count;
	uint32_t capacity;
};

void timers_init(struct timers *timers);

/* Forgets the timers, which stay as they are */
void timers_fini(struct timers *timers);

/* Make room for @capacity timers at once, or more.  Return: false without memory, and nothing has changed */
bool timers_reserve(struct timers *timers, uint32_t capacity) __attribute__((warn_unused_result));

/* @timer is due at @due, and no more at what it was set to before */
void timers_set(struct timers *timers, struct timer *timer, struct instant due);

/* One that is not set is fine */
void timers_clear(struct timers *timers, struct timer *timer);

/* Return: the earliest one that is due at @now, cleared; NULL where none is */
struct timer *timers_take_due(struct timers *timers, struct instant now) __attribute__((warn_unused_result));

/* Return: when the next one is due; 0 where none is set */
static inline struct instant timers_next(const struct timers *timers)
{
	return timers->count ? timers->heap[0]->due : (struct instant){ 0 };
}

#endif /* BASE_TIMERS_H */
