/*
 * underlay.h - the way to the wire: what weftd needs of it, whoever carries it
 *
 * Theory of operation.  An underlay has one queue for each worker and one for the control thread.  What arrives is steered:
 * handshakes go to the control thread, sealed datagrams of lane L to worker L % workers, so that a lane's replay window has one
 * owner and a flood of handshakes never reaches a worker.  A worker takes and gives bursts of messages; a message is a train of
 * datagrams of one size, the last of which may be shorter.  A message that came says which address of this machine it was sent to,
 * and one that leaves may say from which, so that an answer comes from where the question went.  The main flow carries handshakes and lane 0; every worker but the
 * first also has a flow of its own that only sends, which network cards and kernels keep apart from the others.
 *
 * An implementation embeds struct underlay at its beginning and fills in `ops`: one indirect call for each burst, none for each
 * datagram.  Neighbours: udp.c, which implements it with sockets; overlay/datapath (workers), overlay/agent (control thread).
 * Knows nothing of what is inside a datagram, but for where the GRE header has what it steers by.
 */
#ifndef UNDERLAY_UNDERLAY_H
#define UNDERLAY_UNDERLAY_H

#include "base/addr.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>

#define UNDERLAY_WORKERS_MAX 15U
#define UNDERLAY_CONTROL UINT32_MAX   /* the control thread's queue, where a worker's number is asked for */
#define UNDERLAY_RECEIVE_MAX 32U      /* messages in one burst */
#define UNDERLAY_MESSAGE_BYTES 65536U /* longest train that arrives */

/* A train that came */
struct underlay_message {
	uint8_t *bytes; /* the underlay's; the worker's to write to until it asks for the next burst */
	uint32_t len_bytes;
	uint32_t segment_bytes; /* of each datagram but the last; as long as the message where it is one */
	bool cut;               /* there was more than UNDERLAY_MESSAGE_BYTES: of no use */
	const struct sockaddr *from;
	socklen_t from_bytes;
	const uint8_t
		*local_ip; /* the address of ours that it came to, IP_BYTES as in struct endpoint; NULL: not told */
};

/* A train to be sent */
struct underlay_train {
	const uint8_t *bytes; /* borrowed until the call returns */
	uint32_t len_bytes;
	uint32_t segment_bytes; /* of each datagram but the last; more than one only where the worker `takes_trains` */
	const struct sockaddr *to;
	socklen_t to_bytes;
	const uint8_t
		*local_ip; /* the address of ours that it leaves from, IP_BYTES; NULL or all 0: the kernel chooses */
	bool own_flow;     /* the worker's own instead of the main one; the first worker has none */

	/* out: how many of its datagrams were not sent, and why */
	uint32_t full;    /* no room now */
	uint32_t too_big; /* over the device's MTU */
	uint32_t failed;  /* anything else */
};

struct underlay;

struct underlay_ops {
	/* Return: what becomes readable when the worker's queue has something */
	int (*descriptor)(const struct underlay *underlay, uint32_t worker);
	/* Return: how many of @messages were filled in, at most @max; 0 where none waits */
	uint32_t (
		*receive)(struct underlay *underlay, uint32_t worker, struct underlay_message *messages, uint32_t max);
	void (*send)(struct underlay *underlay, uint32_t worker, struct underlay_train *trains, uint32_t count);
	int (*control_receive)(struct underlay *underlay, uint8_t *bytes, size_t cap_bytes, struct endpoint *from);
	int (*control_send)(struct underlay *underlay, const struct endpoint *to, const uint8_t *bytes,
		size_t len_bytes);
	/* How many datagrams the kernel dropped before they were read, since it was opened; NULL: none can be */
	uint64_t (*missed_pkts)(const struct underlay *underlay);
	void (*close)(struct underlay *underlay);
};

/* Shared by all threads of an agent, constant once it is open but for `takes_trains` */
struct underlay {
	const struct underlay_ops *ops;
	uint32_t workers;
	uint16_t port;                           /* of the main flow */
	int family;                              /* AF_INET6: both families.  AF_INET where the machine has no IPv6 */
	bool takes_trains[UNDERLAY_WORKERS_MAX]; /* atomic; off once the wire refused a train of this worker */
	bool gives_trains;
	int receive_buffer_bytes; /* what was granted */
	int send_buffer_bytes;
	int wanted_buffer_bytes; /* what was asked for, each way */
};

static inline int underlay_descriptor(const struct underlay *underlay, uint32_t worker)
{
	return underlay->ops->descriptor(underlay, worker);
}

static inline uint32_t underlay_receive(struct underlay *underlay, uint32_t worker, struct underlay_message *messages,
	uint32_t max)
{
	return underlay->ops->receive(underlay, worker, messages, max);
}

/* Each train is sent as far as it goes; what was not says it in the train */
static inline void underlay_send(struct underlay *underlay, uint32_t worker, struct underlay_train *trains,
	uint32_t count)
{
	underlay->ops->send(underlay, worker, trains, count);
}

static inline bool underlay_takes_trains(const struct underlay *underlay, uint32_t worker)
{
	return __atomic_load_n(&underlay->takes_trains[worker], __ATOMIC_RELAXED);
}

/* One datagram that was steered to the control thread; @from says to which address of ours, too.  Return: its length, or -EAGAIN where none waits */
static inline int underlay_control_receive(struct underlay *underlay, uint8_t *bytes, size_t cap_bytes,
	struct endpoint *from)
{
	return underlay->ops->control_receive(underlay, bytes, cap_bytes, from);
}

/*
 * One datagram in the main flow, from the control thread and from @to's local address, where it has one.  Return: 0 or -errno:
 * -EMSGSIZE over the device's MTU
 */
__attribute__((warn_unused_result)) static inline int underlay_control_send(struct underlay *underlay,
	const struct endpoint *to, const uint8_t *bytes, size_t len_bytes)
{
	return underlay->ops->control_send(underlay, to, bytes, len_bytes);
}

/* Datagrams that the kernel dropped for want of room before anybody read them, since it was opened.  A system call a queue */
static inline uint64_t underlay_missed_pkts(const struct underlay *underlay)
{
	return underlay->ops->missed_pkts ? underlay->ops->missed_pkts(underlay) : 0;
}

/* NULL is fine */
static inline void underlay_close(struct underlay *underlay)
{
	if (underlay)
		underlay->ops->close(underlay);
}

#endif /* UNDERLAY_UNDERLAY_H */
