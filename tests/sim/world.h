/*
 * world.h - what a simulation happens in: virtual time, a queue of events, chance, and a trace
 *
 * Theory of operation.  Time stands still while an event runs and jumps to the next one when it has.  Events of one moment run in
 * the order in which they were asked for.  All chance is drawn from one generator that begins with the seed; random_fill(), which
 * everything below draws from, is here (random.c) and draws from it too, as OpenSSL does.  So one seed is one history, bit for
 * bit, which the trace shows: a hash over every line that was traced, with its time.
 *
 * One world at a time and one thread.  instant_now() does not exist here: who calls it ends the program.
 */
#ifndef TESTS_SIM_WORLD_H
#define TESTS_SIM_WORLD_H

#include "base/clock.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <time.h>

/* When it begins by the wall clock: 1 January 2030 */
#define WORLD_EPOCH_S 1893456000

struct world;

/* @text: every line of the trace is written there; NULL: only hashed.  Return: never NULL, the program ends instead */
struct world *world_new(uint64_t seed, FILE *text);

/* Events that have not run are forgotten; nobody but their owners frees what they point to */
void world_free(struct world *world);

struct instant world_now(const struct world *world);

/* The wall clock of somebody whose clock is right */
time_t world_wall(const struct world *world);

/* ---- events ---- */

/* What will happen; lives in its owner's memory, is in the queue at most once, and zeroed memory is an event that is not */
struct event_at {
	void (*run)(void *ctx);
	void *ctx;
	struct instant at;
	uint64_t number;
	size_t place; /* in the queue, from 1; 0: not in it */
};

/* @event happens at @at, or now where that is past; and no more when it would have before */
void world_at(struct world *world, struct event_at *event, struct instant at, void (*run)(void *ctx), void *ctx);

void world_after_us(struct world *world, struct event_at *event, uint64_t us, void (*run)(void *ctx), void *ctx);

/* One that is not due is fine */
void world_cancel(struct world *world, struct event_at *event);

/* Run the next event, if it is due by @until.  Return: false where none is, and it is @until now */
bool world_step(struct world *world, struct instant until);

/* Run all events until then */
void world_run(struct world *world, struct instant until);

uint64_t world_events(const struct world *world);

/* ---- chance ---- */

uint64_t world_random(struct world *world);

/* Evenly out of 0 .. @below - 1 */
uint64_t world_random_below(struct world *world, uint64_t below);

/* True @ppm times out of a million */
bool world_chance(struct world *world, uint32_t ppm);

/* ---- trace ---- */

__attribute__((format(printf, 2, 3))) void world_trace(struct world *world, const char *format, ...);

struct world_hash {
	char text[33];
};

/* Over all lines until now */
struct world_hash world_hash(const struct world *world);

#endif /* TESTS_SIM_WORLD_H */
