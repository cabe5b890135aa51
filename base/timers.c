/*
 * timers.c - see timers.h; a binary heap (Williams, 1964) whose items know their places
 */
#include "base/timers.h"

#include <assert.h>
#include <stdlib.h>

void timers_init(struct timers *timers)
{
	*timers = (struct timers){ 0 };
}

void timers_fini(struct timers *timers)
{
	free(timers->heap);
	timers_init(timers);
}

bool timers_reserve(struct timers *timers, uint32_t capacity)
{
	uint32_t room = timers->capacity ? timers->capacity : 16;
	struct timer **heap;

	if (capacity <= timers->capacity)
		return true;
	while (room < capacity)
		room *= 2;
	heap = realloc(timers->heap, room * sizeof(struct timer *));
	if (!heap)
		return false;
	timers->heap = heap;
	timers->capacity = room;
	return true;
}

static void put(struct timers *timers, uint32_t at, struct timer *timer)
{
	timers->heap[at] = timer;
	timer->place = at + 1;
}

static bool sooner(const struct timer *a, const struct timer *b)
{
	return a->due.ns < b->due.ns;
}

/* @timer belongs at @at or above */
static void rise(struct timers *timers, uint32_t at, struct timer *timer)
{
	while (at > 0 && sooner(timer, timers->heap[(at - 1) / 2])) {
		put(timers, at, timers->heap[(at - 1) / 2]);
		at = (at - 1) / 2;
	}
	put(timers, at, timer);
}

/* @timer belongs at @at or below */
static void sink(struct timers *timers, uint32_t at, struct timer *timer)
{
	for (;;) {
		uint32_t child = 2 * at + 1;

		if (child + 1 < timers->count && sooner(timers->heap[child + 1], timers->heap[child]))
			child++;
		if (child >= timers->count || !sooner(timers->heap[child], timer))
			break;
		put(timers, at, timers->heap[child]);
		at = child;
	}
	put(timers, at, timer);
}

static void settle(struct timers *timers, uint32_t at, struct timer *timer)
{
	if (at > 0 && sooner(timer, timers->heap[(at - 1) / 2]))
		rise(timers, at, timer);
	else
		sink(timers, at, timer);
}

void timers_set(struct timers *timers, struct timer *timer, struct instant due)
{
	timer->due = due;
	if (timer->place) {
		settle(timers, timer->place - 1, timer);
		return;
	}
	assert(timers->count < timers->capacity);
	timers->count++;
	rise(timers, timers->count - 1, timer);
}

void timers_clear(struct timers *timers, struct timer *timer)
{
	uint32_t at = timer->place - 1;

	if (!timer->place)
		return;
	timer->place = 0;
	timers->count--;
	if (at < timers->count)
		settle(timers, at, timers->heap[timers->count]);
}

struct timer *timers_take_due(struct timers *timers, struct instant now)
{
	struct timer *first = timers->count ? timers->heap[0] : NULL;

	if (!first || !instant_reached(now, first->due))
		return NULL;
	timers_clear(timers, first);
	return first;
}
