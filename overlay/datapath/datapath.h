/*
 * datapath.h - what the workers share
 *
 * Theory of operation.  A worker is a thread with a loop of its own over three kinds of events: its queue of the underlay
 * (receive.c), its queue of every port (transmit.c), and a wake-up from the control thread, upon which it takes up the
 * latest forwarding (datapath.c, worker.c).  An event is worked off as a burst inside one RCU reader's section; what a
 * burst gathers (datagram trains, joined super-frames) leaves at its end, so nothing ever waits for company.
 *
 * Nothing on the way of a packet locks, allocates or logs.  What a worker sees that needs thought goes to the
 * control thread by mailbox.
 */
#ifndef OVERLAY_DATAPATH_DATAPATH_H
#define OVERLAY_DATAPATH_DATAPATH_H

#include "base/error.h"
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
	uint32_t pulse; /* control thread's: counts datapath_is_alive()'s questions */
};

struct datapath_config {
	uint32_t workers;                                 /* 1 to WORKERS_MAX */
	uint16_t udp_port;                                /* of all its sockets */
	uint32_t macs, macs_locations, macs_per_location; /* sizes of the MAC table, see switch/fdb.h */
	uint32_t time_scale;                              /* at least 1 */
	uint32_t busy_poll_us;
};

/* A port that not every worker could attach to: frames of its queue are not read */
struct attach_fault {
	uint32_t slot;
	uint32_t worker; /* the first that failed */
	int err;         /* -errno */
};

struct attach_faults {
	int peers_error; /* 0, or -ENOMEM: a worker has no memory for all peers, and sends nothing to some */
	uint32_t count;
	struct attach_fault faults[PORTS_MAX]; /* at most one a port */
};

/**
 * datapath_init() - sockets, MAC table, an empty forwarding of generation 0, and workers that run
 * @error:	a line for the operator, on failure; nothing is left behind then
 *
 * Return: 0 or -errno
 */
int datapath_init(struct datapath *datapath, const struct datapath_config *config, struct error *error)
	__attribute__((warn_unused_result));

/* End the workers: nobody uses ports, peers and sessions any more.  What they counted is gone */
void datapath_stop(struct datapath *datapath);

/* All of it, the forwarding in use with its networks included.  All zeros are fine, and so is a stopped one */
void datapath_fini(struct datapath *datapath);

/**
 * datapath_publish() - have all workers work with @forwarding
 * @faults:	out: the ports of @forwarding that not every worker listens on.  Each publication tries those again
 *
 * Waits until they do, a few milliseconds at most: afterwards no worker uses the ports, peers and networks that only the
 * old forwarding had, nor that itself.
 *
 * Return: the old forwarding, the caller's again
 */
struct forwarding *datapath_publish(struct datapath *datapath, struct forwarding *forwarding,
	struct attach_faults *faults) __attribute__((warn_unused_result));

/* Whether all workers have come by since this was asked for the last time, or it never was; then they are asked to come by again */
bool datapath_is_alive(struct datapath *datapath);

/* Return: what is wrong with the port in @slot, NULL where nothing is; borrowed from @faults */
const struct attach_fault *attach_fault_of(const struct attach_faults *faults, uint32_t slot);

/* What it is in words */
void attach_fault_tell(const struct attach_fault *fault, struct error *error);

#endif /* OVERLAY_DATAPATH_DATAPATH_H */
