/*
 * memory.h - the other side of a memory port: what a test puts in, and takes out
 *
 * A memory port's queue is two bounded rings and an eventfd.  Any thread may call these beside the worker that owns
 * the queue.  A full ring refuses, as a real device would; a frame that needs an offload which the port was not
 * given is refused too (TAP_DROP_REFUSED).
 */
#ifndef TAP_MEMORY_H
#define TAP_MEMORY_H

#include <stdbool.h>

#include "tap/port.h"

#define MEMORY_PORT_DEPTH_PKTS 256U /* of a port opened by its spec, which also has every offload */

/**
 * memory_port_open() - a port with chosen abilities
 * @caps:	enum offload_caps bits
 * @depth_pkts:	frames that each ring holds, at least 1
 *
 * Return: 0, -EINVAL or -errno
 */
int memory_port_open(unsigned int queues, unsigned int caps, unsigned int depth_pkts, struct tap_port **out)
	__attribute__((warn_unused_result));

/* Put a frame where the worker will read it.  Return: false where the ring is full or the frame over PACKET_BYTES_MAX */
bool memory_port_inject(struct tap_port *port, unsigned int queue, const struct offload *offload, const uint8_t *frame,
	size_t len_bytes) __attribute__((warn_unused_result));

/**
 * memory_port_take() - the oldest frame that the worker wrote
 * @offload:	out; may be NULL
 *
 * Return: false where there is none; a frame over @cap_bytes is cut, and @len_bytes says how long it was
 */
bool memory_port_take(struct tap_port *port, unsigned int queue, struct offload *offload, uint8_t *frame,
	size_t cap_bytes, size_t *len_bytes) __attribute__((warn_unused_result));

/* As a cable pulled: injecting is refused and writes fail with TAP_DROP_DOWN until it is put back */
void memory_port_set_up(struct tap_port *port, bool up);

#endif /* TAP_MEMORY_H */
