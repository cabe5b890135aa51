/*
 * datapath.h - the workers: what they share, what each one owns
 *
 * Theory of operation.  A worker is a thread with a loop of its own over three kinds of events: its UDP socket
 * (receive.c), its queue of every port (transmit.c), and a wake-up from the control thread, upon which it takes up
 * the latest fabric (worker.c).  An event is worked off as a burst inside one RCU reader's section; what a burst
 * gathers (datagram trains, joined super-frames) leaves at its end, so nothing ever waits for company.
 *
 * Nothing on the way of a packet locks, allocates or logs.  What a worker sees that needs thought goes to the
 * control thread by mailbox.
 */
#ifndef OVERLAY_DATAPATH_DATAPATH_H
#define OVERLAY_DATAPATH_DATAPATH_H

#include "base/clock.h"
#include "crypto/ratelimit.h"
#include "packet/coalesce.h"
#include "encap/fragment.h"
#include "packet/segment.h"
#include "encap/train.h"
#include "overlay/peer/drops.h"
#include "overlay/datapath/forwarding.h"
#include "overlay/datapath/mailbox.h"
#include "overlay/peer/peer.h"
#include "overlay/peer/session.h"
#include "underlay/udp.h"
#include "switch/fdb.h"
#include "switch/forward.h"

#include <event2/event.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

#define WORKERS_MAX (UDP_SOCKETS_MAX - 1)

struct worker;

/* Shared by all threads of an agent.  Constant while workers run, but for `fabric` */
struct datapath {
	struct forwarding *forwarding; /* shared under RCU; the control thread writes */
	struct session_table sessions;
	struct fdb *fdb;
	struct udp_sockets sockets;
	uint32_t workers_count;
	struct worker *workers[WORKERS_MAX];
	uint32_t time_scale;             /* 1 but in tests */
	uint32_t busy_poll_us;           /* workers look for work this long before they sleep; 0: not at all */
	int control_wake_fd;             /* eventfd: there is mail */
	pthread_mutex_t generation_lock; /* with the condition: a worker took up a forwarding snapshot */
	pthread_cond_t generation_taken;
};

/* A datagram train on its way to one peer */
struct dispatch {
	struct train train;
	struct peer *peer;
	struct session *session;
	const struct path *path;
	uint32_t lane; /* 0, or the worker's own */
};

/* Whether a worker's own flow to a peer gets through: transmit.c asks */
struct flow_question {
	struct instant last;
	struct instant open_since; /* of the questions not answered yet, the first */
	struct instant sent;       /* anything, last */
	struct instant better_since;
	uint32_t lane; /* in use: 0 or the worker's own */
};

#define DISPATCHES_MAX 32U
#define DISPATCH_BYTES (128U * 1024U) /* sent once this much has gathered, while it is in the cache */

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

#define RECEIVE_MESSAGES 32U
#define RECEIVE_MESSAGE_BYTES 65536U
/* Buffers start at different offsets within their pages, so that they do not fight for the same cache sets */
#define RECEIVE_STRIDE_BYTES (RECEIVE_MESSAGE_BYTES + 1024U + 64U)
#define FRAME_HEADROOM_BYTES 64U /* for record headers and a VLAN tag */

struct worker {
	uint32_t id; /* also its own lane in every session */
	struct datapath *datapath;
	pthread_t thread;
	struct event_base *base;
	struct event *udp_event;
	struct event *wake_event;
	int wake_fd;         /* eventfd, written by the control thread */
	bool stop;           /* atomic */
	struct instant now;  /* of this burst */
	uint32_t generation; /* of the forwarding snapshot that it works with; under generation_lock */
	bool udp_gso;        /* off once the kernel refused a train */

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
	uint8_t *receive_memory;
	uint32_t receive_count; /* messages asked for at once; adapts */
	uint8_t *copy_memory;   /* FRAME_HEADROOM_BYTES and one frame, where a flood needs its own */
	struct reassembler reassembler;
	uint8_t *reassembly_memory;
	struct instant expire_at;
};

/* ---- worker.c: the control thread's side ---- */

/**
 * worker_start() - a worker and its thread
 * @datapath:	its sockets are open; borrowed until worker_stop()
 *
 * Return: 0 or -errno
 */
int worker_start(struct datapath *datapath, uint32_t id, struct worker **out) __attribute__((warn_unused_result));

/**
 * datapath_publish() - have all workers work with @fabric
 *
 * Waits until they do, a few milliseconds at most: afterwards no worker uses the ports, peers and networks that only
 * the old fabric had.
 *
 * Return: the old forwarding, the caller's again; NULL at first
 */
struct forwarding *datapath_publish(struct datapath *datapath, struct forwarding *forwarding);

/* End its thread and free it.  NULL is fine */
void worker_stop(struct worker *worker);

/* ---- for the worker's own files ---- */

/* Tell the control thread.  Return: false where the mailbox is full */
bool worker_mail(struct worker *worker, const struct mail *mail);

/* transmit.c: a port's queue can be read */
void transmit_ready(evutil_socket_t fd, short what, void *worker_port);

/* dispatch.c: the peer's train, begun where there is none.  Return: NULL where it cannot be sent to: counted */
struct dispatch *dispatch_for(struct worker *worker, struct peer *peer);

/**
 * dispatch_record() - put one record into a datagram for @peer
 * @type:	enum record_type
 * @flags:	enum record_flag; L is added where it is needed
 * @body:	RECORD_MAX_HEADER_BYTES in front of it may be overwritten
 */
void dispatch_record(struct worker *worker, struct peer *peer, uint8_t type, uint8_t flags, uint32_t network,
	uint16_t gso_bytes, uint8_t *body, size_t body_bytes);

/* Seal what is open and send all that has gathered */
void dispatch_flush(struct worker *worker);

/**
 * worker_decide() - where a frame goes; see switch/forward.h
 * @in:		the port that it came from, NULL where it came from the peer @peer
 *
 * Counts what was learned.  Return: borrowed until the next call
 */
const struct verdict *worker_decide(struct worker *worker, const struct network *network, const struct network_port *in,
	uint32_t peer, const uint8_t *frame, const struct frame_info *info);

/* Begin and end a burst: the clock, and an RCU reader's section.  Return: the fabric to forward by */
const struct forwarding *worker_burst_begin(struct worker *worker);
void worker_burst_end(struct worker *worker);

/* The token of a probe by which a worker asks about its own flow: the time, and in the low bits the lane */
static inline uint64_t flow_token(struct instant now, uint32_t lane)
{
	return (now.ns & ~(uint64_t)(SESSION_LANES_MAX - 1)) | lane;
}

/* receive.c: the UDP socket can be read */
void receive_ready(evutil_socket_t fd, short what, void *worker);

/* deliver.c: */
struct delivery {
	const struct network *network;
	const struct network_port *in; /* NULL: came from a peer */
	uint8_t *frame;                /* VLAN_TAG_BYTES in front of it may be overwritten */
	size_t frame_bytes;
	const struct frame_info *info;
	uint16_t vlan;
	bool flooded; /* a port that does not carry its VLAN is passed over, not a drop */
};

/* Change the tag in place, as an egress action says.  Return: the frame's new start; VLAN_TAG_BYTES before it must be free */
uint8_t *deliver_edit_tag(uint8_t *frame, size_t *bytes, enum vlan_action action, uint16_t vlan);

/* One frame off the wire to @to, joined with others of its flow; leaves at deliver_flush() at the latest */
void deliver_joined(struct worker *worker, const struct network_port *to, const struct delivery *delivery, bool partial,
	uint16_t gso_bytes);

/* The same for a frame whose memory others need too: copied, and gone at once */
void deliver_copy(struct worker *worker, const struct network_port *to, const struct delivery *delivery, bool partial,
	uint16_t gso_bytes);

/* One frame of a local port to @to, with what it leaves undone */
void deliver_local(struct worker *worker, const struct network_port *to, const struct delivery *delivery,
	const struct offload *offload);

/* Write out what is held for all ports: before the buffers are used again */
void deliver_flush(struct worker *worker);

/* The coalescers' way out; a coalesce_emit */
void deliver_emit(void *worker_port, const struct iovec *iov, int n, size_t bytes, const struct offload *offload);

#endif /* OVERLAY_DATAPATH_DATAPATH_H */
