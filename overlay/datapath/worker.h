/*
 * worker.h - one worker: a thread, its loop and all that only it touches
 */
#ifndef OVERLAY_DATAPATH_WORKER_H
#define OVERLAY_DATAPATH_WORKER_H

#include "base/clock.h"
#include "crypto/ratelimit.h"
#include "encap/fragment.h"
#include "overlay/datapath/datapath.h"
#include "overlay/datapath/dispatch.h"
#include "overlay/datapath/mailbox.h"
#include "overlay/peer/drops.h"
#include "packet/coalesce.h"
#include "packet/segment.h"
#include "switch/forward.h"

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

/*
 * The last frame's forwarding decision.  Frames come in runs of one flow, and within a burst nothing that decides about
 * them can change but what the MAC table learns of others, so the run's first decision serves all of it.
 */
struct decision {
	const struct network *network; /* NULL: none in this burst yet */
	const struct network_port *in; /* NULL: came from a peer */
	uint32_t peer;                 /* slot, where it did */
	struct forward_frame head;
	struct verdict verdict;
};

#define FRAME_HEADROOM_BYTES 64U /* for record headers and a VLAN tag */

struct worker {
	uint32_t id; /* also its own lane in every session */
	struct datapath *datapath;
	pthread_t thread;
	struct event_base *base;
	struct event *udp_event;
	struct event *wake_event;
	int wake_fd;                  /* eventfd, written by the control thread */
	bool stop;                    /* atomic */
	struct instant now;           /* of this burst */
	uint32_t generation;          /* of the forwarding that it works with; under generation_lock */
	int attach_errors[PORTS_MAX]; /* -errno by slot, of that generation; read once it is taken up */

	struct worker_port *ports[PORTS_MAX];
	struct port_counters port_counters[PORTS_MAX]; /* read by any thread */
	uint32_t dirty_ports[PORTS_MAX];
	uint32_t dirty_count;

	struct drops drops; /* read by any thread */
	struct counter fdb_events[FDB_RESULTS];
	struct decision decision;
	struct mailbox mailbox; /* to the control thread */

	/* transmit.c and dispatch.c */
	uint8_t *frame_memory; /* FRAME_HEADROOM_BYTES and one super-frame */
	struct segmenter segmenter;
	struct dispatch dispatches[DISPATCHES_MAX];
	uint8_t *train_memory; /* DISPATCHES_MAX * TRAIN_BYTES_MAX */
	uint32_t dispatches_count;
	uint8_t dispatch_of_peer[PEERS_MAX]; /* index + 1 of the peer's latest */
	struct instant wanted_at[PEERS_MAX]; /* MAIL_WANT_SESSION was sent */
	struct flow_question flow_questions[PEERS_MAX];
	uint32_t fragment_id;
	struct ratelimit_bucket too_big_load;

	/* receive.c */
	uint32_t receive_count; /* messages asked for at once; adapts */
	uint8_t *copy_memory;   /* FRAME_HEADROOM_BYTES and one frame, where a flood needs its own */
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
bool worker_mail(struct worker *worker, const struct mail *mail);

/**
 * worker_decide() - where a frame goes; see switch/forward.h
 * @in:		the port that it came from, NULL where it came from the peer @peer
 *
 * Counts what was learned.  Return: borrowed until the next call
 */
const struct verdict *worker_decide(struct worker *worker, const struct network *network, const struct network_port *in,
	uint32_t peer, const uint8_t *frame, const struct frame_info *info);

/* Begin and end a burst: the clock, and an RCU reader's section.  Return: what to forward by */
const struct forwarding *worker_burst_begin(struct worker *worker);
void worker_burst_end(struct worker *worker);

#endif /* OVERLAY_DATAPATH_WORKER_H */
