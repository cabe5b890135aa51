/*
 * machine.h - the core on this machine: its workers, devices, disk and controller
 *
 * What core.h knows as ops is here the datapath, tap/, the state folder and the controller's client.  Decides nothing.
 */
#ifndef OVERLAY_AGENT_MACHINE_H
#define OVERLAY_AGENT_MACHINE_H

#include "overlay/agent/agent.h"

#include <event2/event.h>
#include <stdbool.h>

/* The datapath and the overlay are there.  Return: false with @error */
bool machine_start(struct agent *agent, struct error *error) __attribute__((warn_unused_result));

/* The workers have stopped: the core goes, and what it has open is closed, or left to the end of the process */
void machine_stop(struct agent *agent);

/* Something was published; an event_callback_fn */
void machine_published(evutil_socket_t fd, short what, void *agent);

/* Documents, links (@links_changed), routes or the policy may be others: ports that must not be where the fabric goes by are closed */
void machine_look_at_underlay(struct agent *agent, bool links_changed);

/* This host's addresses are others: ports hold back others' datagrams */
void machine_addresses_changed(struct agent *agent);

/* Tell the core of ports that are closed */
void machine_take_closed(struct agent *agent);

#endif /* OVERLAY_AGENT_MACHINE_H */
