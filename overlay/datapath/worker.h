/*
 * worker.h - one worker: a thread, its loop and all that only it touches
 */
#ifndef OVERLAY_DATAPATH_WORKER_H
#define OVERLAY_DATAPATH_WORKER_H

#include "base/clock.h"
#include "crypto/ratelimit.h"
#include "encap/fragment.h"
#include "overlay/datapath/datapath.h"
#include "overlay/datapath/decide.h"
#include "overlay/datapath/dispatch.h"
#include "overlay/datapath/mailbox.h"
#include "overlay/peer/drops.h"
#include "packet/coalesce.h"
#include "packet/packet.h"
#include "packet/segment.h"
#include "packet/settle.h"

#include <event2/event.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

/* What a worker has of a port */
struct worker_port {
	struct worker *worker;
	struct vport *port; /* NULL: none in this slot */
	struct event *event;
	bool dirty; /* its coalescer holds something */
	bool lone;  /* the last burst out of it was one frame */
	struct coalescer coalescer;
};

struct port_counters {
	struct counter rx_frames, rx_bytes; /* out of the machine, into the fabric */
	struct counter tx_frames, tx_bytes;
};

#define WORKER_POOL_PKTS 16U /* copies for floods and reassembled frames; each a super-frame's room */

struct worker {
	uint32_t id; /* also its own lane in every session */
	struct datapath *datapath;
	pthread_t thread;
	struct event_base *base;
	struct event *udp_event;
	struct event *wake_event;
	int wake_fd;                  /* eventfd, written by the control thread */
	bool stop;                    /* atomic */
	uint32_t pulse;               /* atomic; of the datapath, when it last came by */
	struct instant now;           /* of this burst */
	uint32_t generation;          /* of the forwarding that it works with; under generation_lock */
	int attach_errors[PORTS_MAX]; /* -errno by slot, of that generation; read once it is taken up */
	int peers_error;              /* of that generation: there was no memory for all its peers */

	struct worker_port *ports[PORTS_MAX];
	struct port_counters port_counters[PORTS_MAX]; /* read by any thread */
	uint32_t dirty_ports[PORTS_MAX];
	uint32_t dirty_count;

	const struct forwarding *forwarding; /* of this burst */
	struct packet_pool pool;
	struct packet *kept[WORKER_POOL_PKTS]; /* deliver.c's, until its flush */
	uint32_t kept_count;

	struct drops drops; /* read by any thread */
	struct counter fdb_events[FDB_RESULTS];
	struct decision decision;
	struct instant declared_at; /* the next of MAIL_DECLARED, not before */
	struct mailbox mailbox;     /* to the control thread */

	/* transmit.c, fit.c and dispatch.c */
	struct packet_burst burst;
	struct settler settler;
	struct segmenter segmenter;
	struct dispatch dispatches[DISPATCHES_MAX];
	uint8_t *train_memory; /* DISPATCHES_MAX * TRAIN_BYTES_MAX */
	uint32_t dispatches_count;
	struct worker_peer *peers; /* by slot; grows when a forwarding with more is taken up */
	uint32_t peers_capacity;
	uint32_t fragment_id;
	struct ratelimit_bucket too_big_load;

	/* receive.c */
	uint32_t receive_count; /* messages asked for at once; adapts */
	struct reassembler reassembler;
	uint8_t *reassembly_memory;
	struct instant expire_at;
};

/**
 * worker_start() - a worker and its thread
 * @datapath:	its underlay is open; borrowed until worker_stop()
 *
 * Return: 0 or -errno
 */
int worker_start(struct datapath *datapath, uint32_t id, struct worker **out) __attribute__((warn_unused_result));

/* Have it take up the forwarding that was published */
void worker_wake(struct worker *worker);

/* End its thread and free it.  NULL is fine */
void worker_stop(struct worker *worker);

/* Tell the control thread.  Return: false where the mailbox is full */
static inline bool worker_mail(struct worker *worker, const struct mail *mail)
{
	return mailbox_post(&worker->mailbox, worker->datapath->control_wake_fd, mail);
}

#endif /* OVERLAY_DATAPATH_WORKER_H */
