/*
 * wire.h - the overlay on weftd's sockets, routes, clocks and workers
 *
 * What overlay/peer knows as ops, datagrams and news is here the control thread's socket, the route cache, the kernel's generator
 * and the workers' mailboxes.  Decides nothing.
 */
#ifndef OVERLAY_AGENT_WIRE_H
#define OVERLAY_AGENT_WIRE_H

#include "overlay/agent/agent.h"

#include <event2/event.h>
#include <stdbool.h>

/* The datapath and the routes are there.  Return: false without memory, or where OpenSSL failed */
bool wire_start(struct agent *agent) __attribute__((warn_unused_result));

/* The control socket can be read; an event_callback_fn */
void wire_ready(evutil_socket_t fd, short what, void *agent);

/* Take what the workers have to tell; agent->now is up to date */
void wire_take_mail(struct agent *agent);

#endif /* OVERLAY_AGENT_WIRE_H */
