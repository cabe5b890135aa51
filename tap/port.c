/*
 * port.c - see port.h: picks the kind, and hands every call on to it
 */
#include "tap/port.h"

#include "base/error.h"
#include "tap/memory.h"
#include "tap/port_ops.h"

#include <assert.h>
#include <errno.h>

const char *tap_result_name(enum tap_result result)
{
	switch (result) {
	case TAP_OK:
		return "ok";
	case TAP_EMPTY:
		return "empty";
	case TAP_GONE:
		return "gone";
#define X(name, text)         \
	case TAP_DROP_##name: \
		return text;
		TAP_DROPS(X)
#undef X
	case TAP_RESULTS:
		break;
	}
	return "?";
}

enum tap_result tap_write_failure(int error_number)
{
	switch (error_number) {
	case EAGAIN:
	case ENOBUFS:
	case ENOMEM:
		return TAP_DROP_FULL;
	case EIO: /* what a TAP says while it is down */
	case ENETDOWN:
	case ENXIO:
	case ENODEV:
	case EBADFD:
		return TAP_DROP_DOWN;
	case EMSGSIZE:
		return TAP_DROP_OVERSIZE;
	case EINVAL:
		return TAP_DROP_REFUSED;
	default:
		return TAP_DROP_ERROR;
	}
}

static int memory_open(struct tap_port **out, unsigned int queues, struct error *error)
{
	const unsigned int all = OFFLOAD_CAP_CSUM | OFFLOAD_CAP_TSO4 | OFFLOAD_CAP_TSO6 | OFFLOAD_CAP_USO;
	int err = memory_port_open(queues, all, MEMORY_PORT_DEPTH_PKTS, out);

	return err ? error_fail(error, err, "no memory port: out of memory or descriptors") : 0;
}

int tap_port_open(const struct attach *spec, unsigned int queues, struct tap_port **out, struct error *error)
{
	assert(queues >= 1 && queues <= TAP_QUEUES_MAX);
	switch (spec->kind) {
	case ATTACH_BRIDGE:
	case ATTACH_TAP:
		return device_open(spec, queues, out, error);
	case ATTACH_PACKET:
		return packet_open(spec, queues, out, error);
	case ATTACH_MEMORY:
		return memory_open(out, queues, error);
	}
	return error_fail(error, -EINVAL, "no such kind of attachment");
}

void tap_port_close(struct tap_port *port)
{
	if (port)
		port->ops->close(port);
}

const char *tap_port_name(const struct tap_port *port)
{
	return port->name;
}

unsigned int tap_port_caps(const struct tap_port *port)
{
	return port->caps;
}

unsigned int tap_port_queues(const struct tap_port *port)
{
	return port->queues;
}

int tap_port_check(struct tap_port *port, struct error *error)
{
	return port->ops->check(port, error);
}

int tap_port_set_mtu(struct tap_port *port, uint32_t mtu_bytes)
{
	return port->ops->set_mtu(port, mtu_bytes);
}

uint64_t tap_port_missed_pkts(struct tap_port *port)
{
	return port->ops->missed_pkts(port);
}

int tap_queue_fd(const struct tap_port *port, unsigned int queue)
{
	assert(queue < port->queues);
	return port->fds[queue];
}

enum tap_result tap_queue_read(struct tap_port *port, unsigned int queue, struct offload *offload, uint8_t *frame,
	size_t cap_bytes, size_t *len_bytes)
{
	assert(queue < port->queues);
	return port->ops->read(port, queue, offload, frame, cap_bytes, len_bytes);
}

enum tap_result tap_queue_write(struct tap_port *port, unsigned int queue, const struct offload *offload,
	struct iovec *iov, int count)
{
	assert(queue < port->queues && count >= 2);
	return port->ops->write(port, queue, offload, iov, count);
}
