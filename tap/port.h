/*
 * port.h - attachments: where frames of the machine enter and leave weft
 *
 * One interface over our own TAP (alone or in a Linux bridge), AF_PACKET and a port in memory.  A port has one
 * queue for each worker.  It moves frames and decides nothing: forwarding is switch/'s, checksums and
 * segmentation are encap/'s; struct offload says what is left to do.
 *
 * Threads: the control thread opens, changes and closes a port.  Between, queue q belongs to one worker, and
 * different queues may be used at the same time.  Close only after every worker has let go (after a grace period).
 *
 * What a port changes on the machine, and undoes when it closes:
 * - A TAP that it made vanishes with the port, and with the process, however that ends.  A persistent TAP that was
 *   there before ("tap:NAME") stays, and its IPv6 settings are left alone.
 * - The host does not speak through a TAP that we made: IPv6 is off on it.
 * - A missing bridge is made where the spec says so, and marked (alias "weft").  The last weft port that leaves a
 *   bridge with that mark deletes it, if no other port is in it.  A bridge without the mark is never deleted.
 */
#ifndef TAP_PORT_H
#define TAP_PORT_H

#include <stddef.h>
#include <stdint.h>
#include <sys/uio.h>

#include "base/error.h"
#include "lab/attach.h"
#include "packet/offload.h"

/* A read buffer that holds any frame of a port, super-frames and VLAN tags included */
#define TAP_READ_BYTES 65664U
#define TAP_READ_HEADROOM_BYTES 16U /* in front of it, for the port's own use */
#define TAP_QUEUES_MAX 16U

/* name, counter as operators see it */
#define TAP_DROPS(X)                  \
	X(SHORT, "tap-short")         \
	X(TRUNCATED, "tap-truncated") \
	X(HEADER, "tap-header")       \
	X(FULL, "tap-full")           \
	X(DOWN, "tap-down")           \
	X(OVERSIZE, "tap-oversize")   \
	X(REFUSED, "tap-refused")     \
	X(ERROR, "tap-error")

/*
 * Reading: SHORT, under an Ethernet header.  TRUNCATED, more than the buffer.  HEADER, the kernel's offload header
 * does not fit the frame.  Writing: FULL, no room now (EAGAIN, ENOBUFS).  DOWN, the device is down or gone.
 * OVERSIZE, over the device's MTU.  REFUSED, the kernel finds frame and offload not to fit.  Both: ERROR, any other.
 */
enum tap_result {
	TAP_OK,
	TAP_EMPTY, /* nothing to read now: not a drop */
	TAP_GONE, /* the device was deleted: not a drop.  Remove the event, or it fires forever; see tap_port_check() */
#define X(name, text) TAP_DROP_##name,
	TAP_DROPS(X)
#undef X
		TAP_RESULTS
};

/* Return: the counter's name, "ok", "empty" or "gone" */
const char *tap_result_name(enum tap_result result);

struct tap_port;

/**
 * tap_port_open() - open what @spec describes, up and with its MTU set
 * @queues:	1 to TAP_QUEUES_MAX
 * @out:	owned by the caller; only on success
 * @error:	what was wrong and what to do; only on failure
 *
 * Return: 0 or -errno; on an error nothing is left behind
 */
int tap_port_open(const struct attach *spec, unsigned int queues, struct tap_port **out, struct error *error)
	__attribute__((warn_unused_result));

/* NULL is fine */
void tap_port_close(struct tap_port *port);

/* Return: the device's name (the TAP's or the interface's), or "memory" */
const char *tap_port_name(const struct tap_port *port);

/* Return: enum offload_caps bits: what frames written to this port may leave undone */
unsigned int tap_port_caps(const struct tap_port *port);

unsigned int tap_port_queues(const struct tap_port *port);

/**
 * tap_port_check() - whether the port still is what its spec says; for the control thread, after a netlink change
 *
 * Return: 0; -ENODEV where the device was deleted, -ENOTCONN where its TAP is no longer in the bridge: with @error
 * filled, and the remedy is to close the port and to open it again
 */
int tap_port_check(struct tap_port *port, struct error *error) __attribute__((warn_unused_result));

/* Return: 0 or -errno.  An AF_PACKET port's interface is not ours to change: 0, nothing done */
int tap_port_set_mtu(struct tap_port *port, uint32_t mtu_bytes) __attribute__((warn_unused_result));

/* Return: frames for us that the kernel dropped because no worker read them in time, since the port was opened */
uint64_t tap_port_missed_pkts(struct tap_port *port);

/* Return: the descriptor to wait on for reading, level-triggered; borrowed, never to be read or closed by the caller */
int tap_queue_fd(const struct tap_port *port, unsigned int queue);

/**
 * tap_queue_read() - one frame out of the machine, without waiting
 * @offload:	out: what the frame leaves undone; checked against the frame
 * @frame:	the caller's buffer; TAP_READ_HEADROOM_BYTES in front of it are overwritten too
 * @cap_bytes:	its size, TAP_READ_BYTES so that nothing is cut
 * @len_bytes:	out: the frame's length; at least 14 on TAP_OK
 *
 * Return: TAP_OK; TAP_EMPTY or TAP_GONE: stop reading; a drop: count it and read on
 */
enum tap_result tap_queue_read(struct tap_port *port, unsigned int queue, struct offload *offload, uint8_t *frame,
	size_t cap_bytes, size_t *len_bytes) __attribute__((warn_unused_result));

/**
 * tap_queue_write() - one frame into the machine, in one system call, without waiting
 * @offload:	within tap_port_caps(); GSO needs partial
 * @iov:	iov[0] is left free for the port, which overwrites it; the frame is iov[1] .. iov[count - 1]
 * @count:	2 to 1024
 *
 * Return: TAP_OK, or the drop that the caller counts
 */
enum tap_result tap_queue_write(struct tap_port *port, unsigned int queue, const struct offload *offload,
	struct iovec *iov, int count) __attribute__((warn_unused_result));

#endif /* TAP_PORT_H */
