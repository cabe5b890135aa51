/*
 * store_memory.h - a store that ends with its process, and whose owner says when it works
 *
 * For tests and simulations: nothing happens to a job but in store_memory_step(), so that the order of a commit among everything
 * else is the caller's, the same each time.  It is not for a controller at work.
 */
#ifndef CONTROLLER_STORE_STORE_MEMORY_H
#define CONTROLLER_STORE_STORE_MEMORY_H

#include "controller/store/store.h"

/* An empty one.  @wake: called from within store_commit() and store_changes(), for who wants to plan a step; may be NULL.
 * Return: NULL where memory is short */
struct store *store_memory_new(void (*wake)(void *ctx), void *ctx);

/* Carry out the job that was handed in first, and report it.  Return: false where there was none */
bool store_memory_step(struct store *store);

/* Report all that was handed in as -ECANCELED, undone: a machine that loses its power */
void store_memory_crash(struct store *store);

#endif /* CONTROLLER_STORE_STORE_MEMORY_H */
