/*
 * agent.h - the control thread's state: everything of weftd that is not a worker's
 *
 * Owned by the control thread; the parts that workers read are in struct datapath and published under RCU.  Its
 * concerns, a file each: control.c (loop, start and stop), wire.c (datagrams and mail, to and from the overlay),
 * apply.c (topologies made real), status.c (local socket), report.c (what the controller hears).
 */
#ifndef OVERLAY_AGENT_AGENT_H
#define OVERLAY_AGENT_AGENT_H

#include "crypto/aead.h"
#include "overlay/agent/config.h"
#include "overlay/agent/controller_client.h"
#include "overlay/agent/topology.h"
#include "overlay/datapath/datapath.h"
#include "overlay/peer/overlay.h"

#include <event2/event.h>
#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

struct addresses;
struct evhttp;
struct route_cache;

struct agent {
	const struct options *options;
	struct config config;
	struct event_base *base;
	struct instant now; /* of this turn of the loop */
	struct instant started;

	struct datapath datapath;
	struct overlay overlay;                                   /* peers, handshakes, sessions, paths */
	const struct aead_backend *backends[OVERLAY_CIPHERS + 1]; /* by enum aead_cipher */

	/* apply.c */
	struct vport *ports[PORTS_MAX];
	struct topology_host *refused; /* hosts that may not be peers, for status */
	uint32_t refused_count;
	struct instant judged_at; /* when refused hosts were looked at again */
	struct fdb_key *pins;     /* declared MACs, as they stand in the switch */
	uint32_t pins_count;
	uint32_t generation;
	json_t *document;                  /* the newest topology, NULL: none yet */
	uint64_t rev;                      /* its */
	uint64_t applied_rev;              /* of the newest that was gone through */
	char applied[TOPOLOGY_HASH_BYTES]; /* its name; "" for none */
	struct error apply_error;          /* what of it could not be done; "" for nothing */

	/* control.c */
	struct controller_client *client;
	bool connected;
	char controller_state[256];
	struct event *udp_event, *mail_event, *tick_event, *settle_event;
	struct event *netlink_event, *term_event, *int_event, *hup_event, *report_event;
	struct addresses *addresses; /* this machine's */
	struct route_cache *routes;

	/* status.c */
	struct evhttp *status_http;
	char status_path[108];

	/* report.c */
	json_t *reported; /* the last one sent */
};

#endif /* OVERLAY_AGENT_AGENT_H */
