/*
 * udp.h - the underlay in UDP sockets: one port, one socket a thread, steered by the GRE header
 *
 * All sockets of an agent share its port (SO_REUSEPORT); a classic BPF program reads the GRE header and steers.  A worker's own
 * flow leaves from a socket of its own, from a port of its own.  Trains leave by UDP_SEGMENT and arrive by UDP_GRO.
 *
 * Neighbours: underlay.h, which this implements.
 */
#ifndef UNDERLAY_UDP_H
#define UNDERLAY_UDP_H

#include "base/error.h"
#include "underlay/underlay.h"

#include <stdint.h>

/**
 * udp_open() - bind sockets for @workers and the control thread to @port and steer between them
 * @workers:	1 to UNDERLAY_WORKERS_MAX
 * @out:	underlay_close() ends it
 * @error:	a line for the operator, on failure
 *
 * Return: 0 or -errno
 */
int udp_open(uint16_t port, uint32_t workers, struct underlay **out, struct error *error)
	__attribute__((warn_unused_result));

#endif /* UNDERLAY_UDP_H */
