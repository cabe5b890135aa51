/*
 * memory.c - see memory.h
 *
 * Each ring has fixed slots and a lock of its own, which two threads share at most: the worker and the test.  The
 * eventfd is readable as long as the ring for the worker holds frames.
 */
#include "tap/memory.h"

#include "base/error.h"
#include "tap/kinds.h"
#include "tap/port_ops.h"

#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

struct slot {
	struct offload offload;
	size_t len_bytes;
	uint8_t frame[PACKET_BYTES_MAX];
};

struct ring {
	pthread_mutex_t lock;
	unsigned int depth_pkts;
	unsigned int first;
	unsigned int count;
	int fd; /* -1 where nobody waits */
	struct slot *slots;
};

struct memory {
	struct tap_port port;
	bool down; /* atomically */
	struct ring to_worker[TAP_QUEUES_MAX];
	struct ring from_worker[TAP_QUEUES_MAX];
};

static struct memory *memory_of(struct tap_port *port)
{
	return (struct memory *)port;
}

static int ring_init(struct ring *ring, unsigned int depth_pkts, bool with_event)
{
	pthread_mutex_init(&ring->lock, NULL);
	ring->depth_pkts = depth_pkts;
	ring->fd = -1;
	ring->slots = calloc(depth_pkts, sizeof(*ring->slots));
	if (!ring->slots)
		return -ENOMEM;
	if (with_event)
		ring->fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
	return with_event && ring->fd < 0 ? -errno : 0;
}

static void ring_fini(struct ring *ring)
{
	if (ring->fd >= 0 && ring->depth_pkts)
		close(ring->fd);
	free(ring->slots);
	if (ring->depth_pkts)
		pthread_mutex_destroy(&ring->lock);
}

static void ring_signal(struct ring *ring, bool filled)
{
	uint64_t one = 1;

	if (ring->fd < 0)
		return;
	if (filled)
		(void)!write(ring->fd, &one, sizeof(one));
	else
		(void)!read(ring->fd, &one, sizeof(one));
}

static bool ring_put(struct ring *ring, const struct offload *offload, const struct iovec *iov, int count,
	size_t len_bytes)
{
	bool room;

	pthread_mutex_lock(&ring->lock);
	room = ring->count < ring->depth_pkts;
	if (room) {
		struct slot *slot = &ring->slots[(ring->first + ring->count) % ring->depth_pkts];
		uint8_t *at = slot->frame;

		slot->offload = *offload;
		slot->len_bytes = len_bytes;
		for (int i = 0; i < count; i++) {
			memcpy(at, iov[i].iov_base, iov[i].iov_len);
			at += iov[i].iov_len;
		}
		if (ring->count++ == 0)
			ring_signal(ring, true);
	}
	pthread_mutex_unlock(&ring->lock);
	return room;
}

static bool ring_get(struct ring *ring, struct offload *offload, uint8_t *frame, size_t cap_bytes, size_t *len_bytes)
{
	bool found;

	pthread_mutex_lock(&ring->lock);
	found = ring->count > 0;
	if (found) {
		const struct slot *slot = &ring->slots[ring->first];

		if (offload)
			*offload = slot->offload;
		*len_bytes = slot->len_bytes;
		memcpy(frame, slot->frame, slot->len_bytes < cap_bytes ? slot->len_bytes : cap_bytes);
		ring->first = (ring->first + 1) % ring->depth_pkts;
		if (--ring->count == 0)
			ring_signal(ring, false);
	}
	pthread_mutex_unlock(&ring->lock);
	return found;
}

static bool is_down(const struct memory *memory)
{
	return __atomic_load_n(&memory->down, __ATOMIC_ACQUIRE);
}

static void memory_close(struct tap_port *port)
{
	struct memory *memory = memory_of(port);

	for (unsigned int q = 0; q < port->queues; q++) {
		ring_fini(&memory->to_worker[q]);
		ring_fini(&memory->from_worker[q]);
	}
	free(memory);
}

static enum tap_health memory_check(struct tap_port *port, const struct tap_view *view, struct error *error)
{
	(void)port;
	(void)view;
	(void)error;
	return TAP_UP;
}

static int memory_set_mtu(struct tap_port *port, uint32_t mtu_bytes)
{
	(void)port;
	(void)mtu_bytes;
	return 0;
}

static uint64_t memory_missed_pkts(struct tap_port *port)
{
	(void)port;
	return 0;
}

static enum tap_result memory_read(struct tap_port *port, unsigned int queue, struct packet *packet, size_t cap_bytes)
{
	size_t len_bytes;

	if (!ring_get(&memory_of(port)->to_worker[queue], &packet->offload, packet->frame, cap_bytes, &len_bytes))
		return TAP_EMPTY;
	packet->bytes = (uint32_t)len_bytes;
	if (len_bytes < 14)
		return TAP_DROP_SHORT;
	return len_bytes < cap_bytes ? TAP_OK : TAP_DROP_TRUNCATED;
}

static unsigned int caps_needed(const struct offload *offload)
{
	unsigned int needed = offload->partial ? OFFLOAD_CAP_CSUM : 0;

	switch ((enum offload_gso)offload->gso) {
	case OFFLOAD_GSO_TCP4:
		return needed | OFFLOAD_CAP_TSO4;
	case OFFLOAD_GSO_TCP6:
		return needed | OFFLOAD_CAP_TSO6;
	case OFFLOAD_GSO_UDP:
		return needed | OFFLOAD_CAP_USO;
	case OFFLOAD_GSO_NONE:
		break;
	}
	return needed;
}

static enum tap_result memory_write(struct tap_port *port, unsigned int queue, struct packet *packet)
{
	struct memory *memory = memory_of(port);
	struct iovec one[2], *iov;
	int count =
		tap_pieces(packet, one, (struct iovec){ 0 }, &iov); /* callers may not count on what they left there */

	if (is_down(memory))
		return TAP_DROP_DOWN;
	if (caps_needed(&packet->offload) & ~port->caps || packet->bytes < 14)
		return TAP_DROP_REFUSED;
	if (packet->bytes > PACKET_BYTES_MAX)
		return TAP_DROP_OVERSIZE;
	return ring_put(&memory->from_worker[queue], &packet->offload, iov + 1, count - 1, packet->bytes)
		? TAP_OK
		: TAP_DROP_FULL;
}

static enum tap_result memory_rx(struct tap_port *port, unsigned int queue, struct packet_burst *burst,
	unsigned int max)
{
	return tap_rx_each(port, queue, burst, max, memory_read);
}

static unsigned int memory_tx(struct tap_port *port, unsigned int queue, struct packet *const packets[],
	unsigned int count, enum tap_result *why)
{
	return tap_tx_each(port, queue, packets, count, why, memory_write);
}

static const struct tap_ops memory_ops = {
	.close = memory_close,
	.check = memory_check,
	.set_mtu = memory_set_mtu,
	.missed_pkts = memory_missed_pkts,
	.rx = memory_rx,
	.tx = memory_tx,
};

int memory_port_open(unsigned int queues, unsigned int caps, unsigned int depth_pkts, struct tap_port **out)
{
	struct memory *memory;
	int err = 0;

	if (queues < 1 || queues > TAP_QUEUES_MAX || depth_pkts < 1)
		return -EINVAL;
	memory = calloc(1, sizeof(*memory));
	if (!memory)
		return -ENOMEM;
	memory->port.ops = &memory_ops;
	memory->port.spec.kind = ATTACH_MEMORY;
	memory->port.queues = queues;
	memory->port.caps = caps;
	snprintf(memory->port.name, sizeof(memory->port.name), "memory");
	for (unsigned int q = 0; q < queues && !err; q++) {
		err = ring_init(&memory->to_worker[q], depth_pkts, true);
		memory->port.fds[q] = memory->to_worker[q].fd;
		if (!err)
			err = ring_init(&memory->from_worker[q], depth_pkts, false);
	}
	if (err) {
		memory_close(&memory->port);
		return err;
	}
	*out = &memory->port;
	return 0;
}

int memory_open(const struct attach *spec, unsigned int queues, const struct tap_kept *kept, struct tap_port **out,
	struct error *error)
{
	const unsigned int all = OFFLOAD_CAP_CSUM | OFFLOAD_CAP_TSO4 | OFFLOAD_CAP_TSO6 | OFFLOAD_CAP_USO;
	int err = memory_port_open(queues, all, MEMORY_PORT_DEPTH_PKTS, out);

	(void)spec;
	(void)kept;
	return err ? error_fail(error, err, "no memory port: out of memory or descriptors") : 0;
}

bool memory_port_inject(struct tap_port *port, unsigned int queue, const struct offload *offload, const uint8_t *frame,
	size_t len_bytes)
{
	const struct iovec iov = { .iov_base = (void *)(uintptr_t)frame, .iov_len = len_bytes };
	struct memory *memory = memory_of(port);

	if (len_bytes > PACKET_BYTES_MAX || is_down(memory))
		return false;
	return ring_put(&memory->to_worker[queue], offload, &iov, 1, len_bytes);
}

bool memory_port_take(struct tap_port *port, unsigned int queue, struct offload *offload, uint8_t *frame,
	size_t cap_bytes, size_t *len_bytes)
{
	return ring_get(&memory_of(port)->from_worker[queue], offload, frame, cap_bytes, len_bytes);
}

void memory_port_set_up(struct tap_port *port, bool up)
{
	__atomic_store_n(&memory_of(port)->down, !up, __ATOMIC_RELEASE);
}
