/*
 * port.h - attachments: where frames of the machine enter and leave weft
 *
 * One interface over our own TAP (alone or in a Linux bridge), AF_PACKET and a port in memory.  A port has one
 * queue for each worker.  It moves frames and decides nothing: forwarding is switch/'s, checksums and
 * segmentation are encap/'s; struct offload says what is left to do.
 *
 * Frames come and go in bursts (packet/packet.h), so that kinds with rings need one call for many.
 *
 * Threads: the control thread opens, changes and closes a port.  Between, queue q belongs to one worker, and
 * different queues may be used at the same time.  Close only after every worker has let go (after a grace period).
 *
 * A TAP has a user side and a device.  A port holds the user side of its own ("bridge:NAME", "tap:NAME"), so no VMM can.  Of a TAP
 * that a VMM holds, "packet:NAME" is the device: what the VMM wrote comes in there, and what we send on it the kernel finishes for
 * what the VMM has not offered to take over (TUNSETOFFLOAD).
 *
 * Whether a port may be on an interface that the fabric goes by is overlay/agent's to say; tap_port_shun() holds its datagrams back.
 *
 * What a port changes on the machine, and undoes when it closes:
 * - A TAP that it made vanishes with the port, and with the process, however that ends, unless somebody keeps its
 *   descriptors (kept.h).  A persistent TAP that was
 *   there before ("tap:NAME") stays, and its IPv6 settings are left alone.
 * - The host does not speak through a TAP that we made: IPv6 is off on it.
 * - Where the kernel's packet sockets cannot say what a frame leaves undone, "packet:NAME" reads through a TAP and a tc filter
 *   (tap/redirect.h).
 * - A veth pair into another namespace stays for the next weftd, until its port leaves the topology (veth.c).
 * - A missing bridge is made where the spec says so, and marked (alias "weft").  The last weft port that leaves a
 *   bridge with that mark deletes it, if no other port is in it.  A bridge without the mark is never deleted.
 * - A bridge without the mark is left as it is: our TAP's MAC is too high, and its MTU too large, to be the bridge's.
 */
#ifndef TAP_PORT_H
#define TAP_PORT_H

#include <stdint.h>

#include "base/addr.h"
#include "base/error.h"
#include "lab/attach.h"
#include "packet/packet.h"
#include "tap/health.h"

#define TAP_QUEUES_MAX 16U

/* name, counter as operators see it, what it means and what to do (weft help drop) */
#define TAP_DROPS(X)                                                                                             \
	X(SHORT, "tap-short",                                                                                    \
		"A device gave a frame shorter than an Ethernet header. Find what writes to it (tcpdump -e on "  \
		"the port's device).")                                                                           \
	X(TRUNCATED, "tap-truncated",                                                                            \
		"A device gave a frame longer than 65664 bytes that is no super-frame of TCP. Lower the MTU of " \
		"where it comes from.")                                                                          \
	X(HEADER, "tap-header",                                                                                  \
		"The kernel's offload header does not fit the frame, or the kernel could not say the frame's "   \
		"offload in one, as SCTP's segmentation. Turn the offload off where the frame comes from "       \
		"(ethtool -K DEV tx-sctp-segmentation off tx-udp-segmentation off).")                            \
	X(FULL, "tap-full",                                                                                      \
		"The device had no room for a frame at that moment: its reader is too slow. Give the guest "     \
		"more CPU or a longer queue (ip link set DEV txqueuelen 10000).")                                \
	X(DOWN, "tap-down", "A frame for a device that is down. Set it up: ip link set DEV up.")                 \
	X(OVERSIZE, "tap-oversize",                                                                              \
		"A frame over the MTU of the device that it leaves by. Raise that MTU to the network's (ip "     \
		"link set DEV mtu N), or lower the MTU of the guests that send.")                                \
	X(REFUSED, "tap-refused",                                                                                \
		"The kernel refused a frame since its offload does not fit it. Turn segmentation offload off "   \
		"where it comes from (ethtool -K DEV tso off gso off in the guest); if that helps, please "      \
		"report it.")                                                                                    \
	X(ERROR, "tap-error",                                                                                    \
		"The device failed to read or write a frame for another reason. See dmesg and ip -s link show "  \
		"DEV.")

/*
 * Reading: SHORT, under an Ethernet header.  TRUNCATED, more than the buffer, or more than PACKET_BYTES_MAX and not to be
 * segmented.  HEADER, the kernel's offload header does not fit the frame.  Writing: FULL, no room now (EAGAIN, ENOBUFS).  DOWN, the device is down or gone.
 * OVERSIZE, over the device's MTU.  REFUSED, the kernel finds frame and offload not to fit.  Both: ERROR, any other.
 */
enum tap_result {
	TAP_OK,
	TAP_EMPTY, /* nothing to read now: not a drop */
	TAP_GONE, /* the device was deleted: not a drop.  Remove the event, or it fires forever; see tap_port_check() */
#define X(name, text, why) TAP_DROP_##name,
	TAP_DROPS(X)
#undef X
		TAP_RESULTS
};

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

/* @port is in no topology any more: when it is closed, what would wait for the next weftd goes, too */
void tap_port_leaves(struct tap_port *port);

/* NULL is fine */
void tap_port_close(struct tap_port *port);

/* Return: the device's name (the TAP's or the interface's), or "memory" */
const char *tap_port_name(const struct tap_port *port);

/* Return: what it was opened for */
const struct attach *tap_port_spec(const struct tap_port *port);

/* Return: enum offload_caps bits: what frames written to this port may leave undone */
unsigned int tap_port_caps(const struct tap_port *port);

/* Return: how the port reads, where that is not its kind's usual way (see tap/redirect.h); else NULL.  Static */
const char *tap_port_reads(const struct tap_port *port);

unsigned int tap_port_queues(const struct tap_port *port);

/**
 * tap_port_check() - what the port can do now; for the control thread, after links have changed
 * @view:	taken since then; borrowed
 *
 * Our own TAP in a bridge gets here what it needs there: another MTU, where the bridge's other ports have one; its VLANs, where the
 * bridge filters by VLAN; forwarding of reserved addresses.
 *
 * Return: TAP_UP; or another with @error, what to do included.  After TAP_LOST, close it and open it again
 */
enum tap_health tap_port_check(struct tap_port *port, const struct tap_view *view, struct error *error)
	__attribute__((warn_unused_result));

/* Return: whether it was where no netlink of ours reaches when it was last checked: check it every few seconds */
bool tap_port_elsewhere(const struct tap_port *port);

/*
 * What its network wants of it now, but for the MTU (see struct attach): heeded at the next tap_port_check().  Return: whether that is
 * another than before
 */
bool tap_port_want(struct tap_port *port, const struct attach *spec);

/* Return: 0 or -errno.  An AF_PACKET port's interface is not ours to change: 0, nothing done */
int tap_port_set_mtu(struct tap_port *port, uint32_t mtu_bytes) __attribute__((warn_unused_result));

/**
 * tap_port_shun() - hold back this host's own datagrams of the fabric, where the port meets them (own_filter.h)
 * @own:	this host's addresses
 *
 * Return: 0 or -errno
 */
int tap_port_shun(struct tap_port *port, uint16_t udp_port, const uint8_t (*own)[IP_BYTES], size_t own_count)
	__attribute__((warn_unused_result));

/* Return: frames for us that the kernel dropped because no worker read them in time, since the port was opened */
uint64_t tap_port_missed_pkts(struct tap_port *port);

/* Return: frames written to it that the kernel dropped (its device's rx_dropped), since it was opened; 0 where the device is not ours */
uint64_t tap_port_refused_pkts(struct tap_port *port);

/* Return: the descriptor to wait on for reading, level-triggered; borrowed, never to be read or closed by the caller */
int tap_queue_fd(const struct tap_port *port, unsigned int queue);

/**
 * tap_rx_burst() - frames out of the machine, without waiting
 * @burst:	its memory is the caller's: PACKET_BURST_BYTES, which hold a super-frame or some dozens of small frames; a kind
 *		with memory of its own lends that instead.  Its packets are overwritten.  Both are good until the next call
 * @max:	at most PACKET_BURST_MAX; 1 where what there is shall leave before the port is asked again
 *
 * Each packet has at least 14 bytes, headroom for a tag and a record header, and its offload checked against the frame.
 *
 * Return: TAP_OK: there may be more than @burst->count.  TAP_EMPTY, TAP_GONE: not after these.  A drop: it came behind
 * @burst->count packets and is to be counted, and there may be more
 */
enum tap_result tap_rx_burst(struct tap_port *port, unsigned int queue, struct packet_burst *burst, unsigned int max)
	__attribute__((warn_unused_result));

/**
 * tap_tx_burst() - frames into the machine, in order, without waiting
 * @packets:	borrowed; each within tap_port_caps(), and GSO needs partial
 * @why:	out: what became of the first that was not taken; TAP_OK where all were
 *
 * Return: how many were taken from the first on.  The next is a drop to be counted; go on behind it
 */
unsigned int tap_tx_burst(struct tap_port *port, unsigned int queue, struct packet *const packets[], unsigned int count,
	enum tap_result *why) __attribute__((warn_unused_result));

#endif /* TAP_PORT_H */
