/*
 * redirect.h - an existing interface by way of a TAP of ours, where AF_PACKET cannot say what its frames leave undone
 *
 * Before Linux 6.2 the header in front of a packet socket's frame (struct virtio_net_hdr) has no word for UDP_SEGMENT: whatever a
 * guest sends with it is dropped in the kernel.  There all that comes in on the interface is redirected to a TAP, and what we write to
 * the TAP leaves by the interface (tc: clsact, u32, mirred).  The kernel does for the TAP whatever the TAP has not offered to take
 * over, so nothing ever comes that cannot be said.  Offloads, MTU, state and addresses of the interface stay as they are.
 *
 * What it changes and undoes: a clsact qdisc on the interface, if there is none, and in its ingress a filter of priority
 * REDIRECT_PRIORITY.  After a kill the filter leads nowhere, so that nothing comes in by the interface until weftd is back, which
 * replaces it, or 'tc filter del dev NAME ingress prio 4754' takes it away.
 *
 * For tap/packet.c and tap/kept.c only.  Neighbours: device.c is the TAP; base/netlink.h.
 */
#ifndef TAP_REDIRECT_H
#define TAP_REDIRECT_H

#include "base/error.h"
#include "lab/attach.h"
#include "tap/kept.h"
#include "tap/port.h"

#include <stdbool.h>

#define REDIRECT_PRIORITY 4754U

/* Return: whether this kernel's packet sockets have no word for UDP_SEGMENT; tried on the loopback device, not guessed */
bool redirect_needed(void);

/* As packet_open() */
int redirect_open(const struct attach *spec, unsigned int queues, const struct tap_kept *kept, struct tap_port **out,
	struct error *error) __attribute__((warn_unused_result));

/* Take the filter away, if one is there */
void redirect_undo(const char *interface);

#endif /* TAP_REDIRECT_H */
