/*
 * counter.h - counters with one writing thread and any number of readers
 *
 * A relaxed load and store, not a locked add: free for the owner, never torn for a reader.
 */
#ifndef BASE_COUNTER_H
#define BASE_COUNTER_H

#include <stdint.h>

struct counter {
	uint64_t value; /* touched only through the functions below */
};

static inline uint64_t counter_read(const struct counter *c)
{
	return __atomic_load_n(&c->value, __ATOMIC_RELAXED);
}

/* The owning thread only */
static inline void counter_add(struct counter *c, uint64_t n)
{
	__atomic_store_n(&c->value, __atomic_load_n(&c->value, __ATOMIC_RELAXED) + n, __ATOMIC_RELAXED);
}

static inline void counter_set(struct counter *c, uint64_t value)
{
	__atomic_store_n(&c->value, value, __ATOMIC_RELAXED);
}

#endif /* BASE_COUNTER_H */
