/*
 * port_ops.h - what each kind of attachment brings to port.h; for tap/ only
 *
 * A kind embeds struct tap_port as the first member of its own struct.  Owned as port.h says: what is here is
 * written while the port is opened and only read from then on.
 */
#ifndef TAP_PORT_OPS_H
#define TAP_PORT_OPS_H

#include "base/error.h"
#include "tap/port.h"

struct tap_ops {
	void (*close)(struct tap_port *port);
	int (*check)(struct tap_port *port, struct error *error);
	int (*set_mtu)(struct tap_port *port, uint32_t mtu_bytes);
	uint64_t (*missed_pkts)(struct tap_port *port);
	enum tap_result (*read)(struct tap_port *port, unsigned int queue, struct offload *offload, uint8_t *frame,
		size_t cap_bytes, size_t *len_bytes);
	enum tap_result (*write)(struct tap_port *port, unsigned int queue, const struct offload *offload,
		struct iovec *iov, int count);
};

struct tap_port {
	const struct tap_ops *ops;
	struct attach spec;
	char name[ATTACH_NAME_BYTES];
	unsigned int queues;
	unsigned int caps;
	int fds[TAP_QUEUES_MAX]; /* by queue */
};

/* Return: the drop that stands for an errno of write() or send() */
enum tap_result tap_write_failure(int error_number);

/* device.c: our own TAP, alone or in a bridge */
int device_open(const struct attach *spec, unsigned int queues, struct tap_port **out, struct error *error)
	__attribute__((warn_unused_result));

/* packet.c: an existing interface by AF_PACKET */
int packet_open(const struct attach *spec, unsigned int queues, struct tap_port **out, struct error *error)
	__attribute__((warn_unused_result));

static inline size_t tap_frame_bytes(const struct iovec *iov, int count)
{
	size_t bytes = 0;

	for (int i = 1; i < count; i++)
		bytes += iov[i].iov_len;
	return bytes;
}

#endif /* TAP_PORT_OPS_H */
