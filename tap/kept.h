/*
 * kept.h - a port's descriptors that outlive the program which opened them, so that the next one goes on with them
 *
 * A TAP and what is in its queues, or the sockets on an interface, last as long as their descriptors do.  Whoever stops hands
 * them to somebody (overlay/agent/handover.h), and whoever starts takes those that its port wants: no device goes, no bridge
 * forgets, and nobody waits for the kernel to close.  What is taken is looked at first: a descriptor that is not what it
 * should be, or has another number of queues, is not taken.
 */
#ifndef TAP_KEPT_H
#define TAP_KEPT_H

#include "tap/port.h"

#include <stdbool.h>

struct tap_kept {
	struct attach spec; /* what they were opened for */
	unsigned int queues;
	int fds[TAP_QUEUES_MAX]; /* by queue */
	bool stale;              /* frames in their queues are too old to be of use: they are thrown away, as missed */
};

/**
 * tap_port_keep() - what @port has open, for somebody else to go on with
 * @out:	its descriptors are the port's
 *
 * Return: false for a kind that is not made of descriptors
 */
bool tap_port_keep(const struct tap_port *port, struct tap_kept *out) __attribute__((warn_unused_result));

/* Somebody else has @port's descriptors too: closing it changes nothing on the machine */
void tap_port_leave_open(struct tap_port *port);

/* Whether @kept was opened for what @spec describes; the MTU is set anew */
bool tap_kept_is_for(const struct tap_kept *kept, const struct attach *spec);

/**
 * tap_port_take() - as tap_port_open(), with descriptors that were kept
 * @kept:	on success its descriptors are the port's; on an error they stay the caller's
 */
int tap_port_take(const struct attach *spec, unsigned int queues, const struct tap_kept *kept, struct tap_port **out,
	struct error *error) __attribute__((warn_unused_result));

/* Return: new, a port that can only be closed, which undoes what @kept's would have; owns the descriptors.  NULL without memory */
struct tap_port *tap_kept_port(const struct tap_kept *kept);

#endif /* TAP_KEPT_H */
