/*
 * kept.c - see kept.h
 */
#include "tap/kept.h"

#include "tap/bridge.h"
#include "tap/kinds.h"
#include "tap/port_ops.h"
#include "tap/redirect.h"
#include "tap/veth.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define DISCARD_MAX 65536U /* more than a queue holds: new frames come meanwhile */
#define DISCARD_BYTES 128U /* of each; the kernel throws away the rest */

bool tap_port_keep(const struct tap_port *port, struct tap_kept *out)
{
	if (!port->ops->of_descriptors)
		return false;
	*out = (struct tap_kept){ .spec = port->spec, .queues = port->queues };
	memcpy(out->fds, port->fds, sizeof(out->fds));
	return true;
}

void tap_port_leave_open(struct tap_port *port)
{
	port->kept = true;
}

bool tap_kept_is_for(const struct tap_kept *kept, const struct attach *spec)
{
	return kept->spec.kind == spec->kind && strcmp(kept->spec.target, spec->target) == 0 &&
		strcmp(kept->spec.device, spec->device) == 0;
}

/* Return: how many frames waited there */
static uint64_t discard(int fd)
{
	uint8_t bytes[DISCARD_BYTES];
	uint64_t count = 0;

	while (count < DISCARD_MAX && (read(fd, bytes, sizeof(bytes)) >= 0 || errno == EINVAL))
		count++;
	return count;
}

int tap_port_take(const struct attach *spec, unsigned int queues, const struct tap_kept *kept, struct tap_port **out,
	struct error *error)
{
	int err;

	if (!tap_kept_is_for(kept, spec) || kept->queues != queues)
		return error_fail(error, -EINVAL, "was opened for something else, or with %u queues instead of %u",
			kept->queues, queues);
	err = kind_open(spec, queues, kept, out, error);
	for (unsigned int q = 0; !err && kept->stale && q < queues; q++)
		(*out)->discarded_pkts += discard(kept->fds[q]);
	return err;
}

/* ---- what nobody wants any more ---------------------------------------------------------------------------- */

static void close_unwanted(struct tap_port *port)
{
	if (port->spec.kind == ATTACH_PACKET) /* before another can have its TAP, and lead the interface there anew */
		redirect_undo(port->spec.target);
	for (unsigned int q = 0; q < port->queues; q++)
		close(port->fds[q]);
	if (port->spec.kind == ATTACH_BRIDGE)
		bridge_leave(port->spec.target);
	if (port->leaves)
		veth_leave(&port->spec);
	free(port);
}

static const struct tap_ops unwanted_ops = { .close = close_unwanted };

struct tap_port *tap_kept_port(const struct tap_kept *kept)
{
	struct tap_port *port = calloc(1, sizeof(*port));

	if (!port)
		return NULL;
	port->ops = &unwanted_ops;
	port->spec = kept->spec;
	port->queues = kept->queues;
	memcpy(port->fds, kept->fds, sizeof(port->fds));
	return port;
}
