/*
 * machine.h - what the controller's core asks of the machine that it runs on: time, chance, and to be called again
 *
 * The daemon gives it the machine's; a simulation its own.
 */
#ifndef CONTROLLER_MACHINE_H
#define CONTROLLER_MACHINE_H

#include "base/clock.h"

#include <stddef.h>
#include <time.h>

struct api_machine {
	void *ctx;
	struct instant (*now)(void *ctx);
	time_t (*wall)(void *ctx); /* Unix seconds */
	void (*random)(void *ctx, void *bytes, size_t len_bytes);
	/* Call api_turn() before long, after others had their turn; NULL: all work is done where it comes up */
	void (*soon)(void *ctx);
	/* Call api_turn() at @when, instead of when it was asked for before; NULL: nobody waits for time to pass */
	void (*later)(void *ctx, struct instant when);
};

#endif /* CONTROLLER_MACHINE_H */
