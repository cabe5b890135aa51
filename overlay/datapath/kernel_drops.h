/*
 * kernel_drops.h - what the kernel dropped before a worker could read it, or behind a device that took it
 *
 * Workers count what they drop; these the kernel counts, for each device and socket, from when that was made.  Here they become
 * sums since the agent's start that never go down: what a port had is kept when it closes.  The kernel is asked for
 * KERNEL_DROPS_PORTS ports at a time, in turns, and no more often than each KERNEL_DROPS_MS, since each costs a system call or
 * three.  Owned by the control thread.
 */
#ifndef OVERLAY_DATAPATH_KERNEL_DROPS_H
#define OVERLAY_DATAPATH_KERNEL_DROPS_H

#include "base/clock.h"
#include "overlay/datapath/datapath.h"
#include "overlay/datapath/stats.h"

#include <stdint.h>

#define KERNEL_DROPS_PORTS 128U
#define KERNEL_DROPS_MS 1000U

/* All zeros at first; no _fini */
struct kernel_drops {
	struct kernel_drops_seen {
		const struct tap_port *tap;
		uint64_t missed_pkts, refused_pkts; /* of it, that are in the sums */
	} seen[PORTS_MAX];
	uint64_t port_missed, port_kernel, udp_missed;
	struct instant looked;
	uint32_t next; /* slot */
};

/* Ask the kernel, where it is time to */
void kernel_drops_look(struct kernel_drops *drops, const struct datapath *datapath, struct instant now);

/* @tap is about to be closed, and no worker uses it: ask about it for the last time */
void kernel_drops_close(struct kernel_drops *drops, struct tap_port *tap);

/* Into the sums of all drops */
void kernel_drops_add(const struct kernel_drops *drops, struct stats *out);

#endif /* OVERLAY_DATAPATH_KERNEL_DROPS_H */
