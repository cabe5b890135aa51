/*
 * port_ops.h - what each kind of attachment brings to port.h; for tap/ only
 *
 * A kind embeds struct tap_port as the first member of its own struct.  Owned as port.h says: what is here is
 * written while the port is opened and only read from then on, but for what the control thread keeps for itself.
 */
#ifndef TAP_PORT_OPS_H
#define TAP_PORT_OPS_H

#include "base/addr.h"
#include "base/error.h"
#include "tap/port.h"

#include <stdbool.h>

struct tap_ops {
	bool of_descriptors; /* its queues are the kernel's, and outlive the port with their descriptors: tap/kept.h */
	void (*close)(struct tap_port *port);
	enum tap_health (*check)(struct tap_port *port, const struct tap_view *view, struct error *error);
	int (*set_mtu)(struct tap_port *port, uint32_t mtu_bytes);
	/* NULL: nothing to be done.  Return: 0 or -errno */
	int (*shun)(struct tap_port *port, uint16_t udp_port, const uint8_t (*own)[IP_BYTES], size_t own_count);
	uint64_t (*missed_pkts)(struct tap_port *port);
	uint64_t (*refused_pkts)(struct tap_port *port); /* NULL: 0 */
	enum tap_result (*rx)(struct tap_port *port, unsigned int queue, struct packet_burst *burst, unsigned int max);
	unsigned int (*tx)(struct tap_port *port, unsigned int queue, struct packet *const packets[],
		unsigned int count, enum tap_result *why);
};

struct tap_port {
	const struct tap_ops *ops;
	struct attach spec; /* the control thread's, once the port is open */
	char name[ATTACH_NAME_BYTES];
	unsigned int queues;
	unsigned int caps;
	int fds[TAP_QUEUES_MAX]; /* by queue */
	bool leaves;             /* it is in no topology any more: what would wait for it goes when it is closed */
	bool kept;               /* closing it changes nothing on the machine: somebody else goes on with it */
	const char *reads;       /* how, where that is not the kind's usual way; static, or NULL */
	uint64_t discarded_pkts; /* waited too long in queues that were kept */
	bool elsewhere;          /* tap_port_elsewhere(); the control thread's */
};

/* ---- kinds for which one system call is one frame ------------------------------------------------------------ */

/* @packet: out: frame (where @cap_bytes are free, and PACKET_HEADROOM_BYTES in front, which it may begin in), bytes, offload */
typedef enum tap_result tap_read_one(struct tap_port *port, unsigned int queue, struct packet *packet,
	size_t cap_bytes);
typedef enum tap_result tap_write_one(struct tap_port *port, unsigned int queue, struct packet *packet);

/* One behind the other in the burst's memory, as long as a super-frame would still fit */
static inline enum tap_result tap_rx_each(struct tap_port *port, unsigned int queue, struct packet_burst *burst,
	unsigned int max, tap_read_one *read_one)
{
	uint8_t *at = burst->memory + PACKET_HEADROOM_BYTES, *end = burst->memory + burst->memory_bytes;
	uint8_t *last = burst->memory_bytes > PACKET_READ_MAX ? end - PACKET_READ_MAX : at;

	for (burst->count = 0; burst->count < max; burst->count++) {
		struct packet *packet = &burst->packets[burst->count];
		size_t cap_bytes = at < end ? (size_t)(end - at) : 0;
		enum tap_result result;

		if (burst->count > 0 && at > last)
			break;
		packet->frame = at;
		result = read_one(port, queue, packet, cap_bytes);
		if (result == TAP_OK && packet->bytes > PACKET_BYTES_MAX && !packet->offload.gso)
			result = TAP_DROP_TRUNCATED; /* others have no room for it, and it cannot be cut */
		if (result != TAP_OK)
			return result;
		packet_init(packet, packet->frame, packet->bytes, (size_t)(packet->frame - at) + PACKET_HEADROOM_BYTES);
		at += packet->bytes + PACKET_HEADROOM_BYTES;
	}
	return TAP_OK;
}

static inline unsigned int tap_tx_each(struct tap_port *port, unsigned int queue, struct packet *const packets[],
	unsigned int count, enum tap_result *why, tap_write_one *write_one)
{
	*why = TAP_OK;
	for (unsigned int i = 0; i < count; i++) {
		*why = write_one(port, queue, packets[i]);
		if (*why != TAP_OK)
			return i;
	}
	return count;
}

/* The frame as writev() wants it, with @header in front; @one is used where the packet has no pieces.  Return: how many */
static inline int tap_pieces(struct packet *packet, struct iovec one[2], struct iovec header, struct iovec **out)
{
	if (packet->pieces) {
		*out = packet->pieces;
		packet->pieces[0] = header;
		return packet->pieces_count;
	}
	*out = one;
	one[0] = header;
	one[1] = (struct iovec){ .iov_base = packet->frame, .iov_len = packet->bytes };
	return 2;
}

#endif /* TAP_PORT_OPS_H */
