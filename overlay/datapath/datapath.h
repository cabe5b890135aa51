/*
 * datapath.h - what the workers share
 *
 * Theory of operation.  A worker is a thread with a loop of its own over three kinds of events: its queue of the underlay
 * (receive.c), its queue of every port (transmit.c), and a wake-up from the control thread, upon which it takes up
 * the latest fabric (worker.c).  An event is worked off as a burst inside one RCU reader's section; what a burst
 * gathers (datagram trains, joined super-frames) leaves at its end, so nothing ever waits for company.
 *
 * Nothing on the way of a packet locks, allocates or logs.  What a worker sees that needs thought goes to the
 * control thread by mailbox.
 */
#ifndef OVERLAY_DATAPATH_DATAPATH_H
#define OVERLAY_DATAPATH_DATAPATH_H

#include "overlay/datapath/forwarding.h"
#include "overlay/peer/session.h"
#include "switch/fdb.h"
#include "underlay/underlay.h"

#include <event2/event.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

#define WORKERS_MAX UNDERLAY_WORKERS_MAX

struct worker;

/* Shared by all threads of an agent.  Constant while workers run, but for `fabric` */
struct datapath {
	struct forwarding *forwarding; /* shared under RCU; the control thread writes */
	struct session_table sessions;
	struct fdb *fdb;
	struct underlay *underlay;
	uint32_t workers_count;
	struct worker *workers[WORKERS_MAX];
	uint32_t time_scale;             /* 1 but in tests */
	uint32_t busy_poll_us;           /* workers look for work this long before they sleep; 0: not at all */
	int control_wake_fd;             /* eventfd: there is mail */
	pthread_mutex_t generation_lock; /* with the condition: a worker took up a forwarding snapshot */
	pthread_cond_t generation_taken;
};

#endif /* OVERLAY_DATAPATH_DATAPATH_H */
