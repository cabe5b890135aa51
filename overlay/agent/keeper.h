/*
 * keeper.h - keeps the open ports of a weftd that has ended, where no service manager does
 *
 * Theory of operation.  `weftd --keep SECONDS` leaves at SIGTERM a process of its own program behind, which holds the bag (handover.h) and
 * waits at DIR/ports.sock:
 *
 *	waiting -> (the next weftd comes) -> gives it the bag, ends once that has it
 *	        -> (SECONDS, or a signal) -> closes all ports as weftd would have, ends
 *
 * Who may come is who may use the folder, and runs as the same user.  Threads: none.
 */
#ifndef OVERLAY_AGENT_KEEPER_H
#define OVERLAY_AGENT_KEEPER_H

#include <stdbool.h>
#include <stdint.h>

#define KEEPER_SECONDS_MAX 600U

/* Leave one behind with @bag, which stays the caller's.  Return: whether it is there */
bool keeper_start(const char *state, int bag, uint32_t seconds) __attribute__((warn_unused_result));

/* Return: the bag that one has at @state, the caller's; -1: there is none */
int keeper_take(const char *state);

/* Be one, which keeper_start() has begun with its descriptors.  Return: the exit code */
int keeper_run(const char *state, uint32_t seconds);

#endif /* OVERLAY_AGENT_KEEPER_H */
