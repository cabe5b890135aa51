/*
 * agent.h - weftd's composition: the core and the overlay, and this machine's part of them
 *
 * Owned by the control thread; the parts that workers read are in struct datapath and published under RCU.  Its files: loop.c
 * (events, start and stop), machine.c (what the core asks for), wire.c (datagrams and mail, to and from the overlay).  What an
 * agent decides is in core.h and overlay/peer/overlay.h.
 */
#ifndef OVERLAY_AGENT_AGENT_H
#define OVERLAY_AGENT_AGENT_H

#include "crypto/aead.h"
#include "overlay/agent/config.h"
#include "overlay/agent/core.h"
#include "overlay/agent/own_underlay.h"
#include "overlay/datapath/datapath.h"
#include "overlay/datapath/kernel_drops.h"
#include "overlay/peer/overlay.h"
#include "tap/view.h"

#include <event2/event.h>
#include <stdbool.h>

struct addresses;
struct closer;
struct controller_client;
struct handover;
struct heartbeat;
struct questions;
struct route_cache;
struct status_server;

struct agent {
	const struct options *options;
	struct config config;
	struct event_base *base;
	struct instant now; /* of this turn of the loop */

	struct datapath datapath;
	struct overlay overlay;                                   /* peers, handshakes, sessions, paths */
	const struct aead_backend *backends[OVERLAY_CIPHERS + 1]; /* by enum aead_cipher */
	struct core *core;                                        /* documents, ports, reports */

	/* machine.c */
	struct closer *closer;
	struct handover *handover;     /* ports that the weftd before left open; NULL: none */
	struct event *unwanted_event;  /* those that nobody wanted are closed */
	bool again;                    /* it begins anew, as another host: becomes the next weftd by exec */
	int bag;                       /* ports that are left open for that one; -1: none */
	bool hand_over;                /* the next weftd goes on with the ports: leave them open */
	struct forwarding *superseded; /* by the one that the core has yet to be told of */
	struct attach_faults faults;   /* of that */
	struct kernel_drops kernel_drops;
	struct own_underlay own_underlay;
	struct event *published_event;
	struct tap_view view; /* of the last look */

	/* loop.c */
	struct heartbeat *heartbeat; /* NULL: there is no service manager */
	struct addresses *addresses;
	struct route_cache *routes;
	bool links_changed; /* since they were last looked at; else only routes have */
	struct questions *questions;
	struct status_server *status;
	struct controller_client *client;
	bool connected;
	char controller_state[768];
	struct event *udp_event, *mail_event, *tick_event, *settle_event, *follow_event, *closed_event;
	int netns_watch;
	struct event *netns_event;
	struct event *netlink_event, *term_event, *int_event, *hup_event;
};

#endif /* OVERLAY_AGENT_AGENT_H */
