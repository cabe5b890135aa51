/*
 * agent.h - the control thread's state: everything of weftd that is not a worker's
 *
 * Owned by the control thread; the parts that workers read are in struct datapath and published under RCU.  Its
 * concerns, a file each: control.c (loop, start and stop, mail), handshaker.c (handshakes and the life of sessions),
 * liveness.c (keepalives, rekeying, path MTU, roaming), apply.c (topologies made real), status.c (local socket),
 * report.c (what the controller hears).
 */
#ifndef OVERLAY_AGENT_AGENT_H
#define OVERLAY_AGENT_AGENT_H

#include "crypto/aead.h"
#include "crypto/ratelimit.h"
#include "overlay/agent/controller_client.h"
#include "overlay/agent/config.h"
#include "overlay/datapath/datapath.h"
#include "overlay/agent/topology.h"

#include <event2/event.h>
#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#define AGENT_CIPHERS 3U
#define RETIRED_MAX 64U

struct evhttp;

struct agent {
	const struct options *options;
	struct config config;
	struct event_base *base;
	struct instant now; /* of this turn of the loop */
	struct instant started;

	struct datapath datapath;
	uint32_t sender;    /* the control thread's number in sessions and sockets, behind the workers' */
	struct drops drops; /* the control thread's */

	/* handshaker.c */
	struct cookie_checker checker;
	struct ratelimit_bucket handshake_load;
	struct ratelimit *handshake_sources;
	struct handshake_offer offer;
	const struct aead_backend *backends[AGENT_CIPHERS + 1]; /* by enum aead_cipher */
	struct session *retired[RETIRED_MAX];                   /* unlinked, to be freed after a grace period */
	uint32_t retired_count;

	/* apply.c */
	struct peer *peers[PEERS_MAX];
	struct vport *ports[PORTS_MAX];
	struct topology_host *refused; /* hosts that may not be peers, for status */
	uint32_t refused_count;
	struct instant judged_at; /* when refused hosts were looked at again */
	struct fdb_key *pins;     /* declared MACs, as they stand in the switch */
	uint32_t pins_count;
	uint32_t generation;
	json_t *document;                       /* the newest topology, NULL: none yet */
	uint64_t rev;                           /* its */
	uint64_t applied_rev;                   /* of the newest that was gone through */
	char apply_error[TOPOLOGY_ERROR_BYTES]; /* what of it could not be done; "" for nothing */

	/* control.c */
	struct controller_client *client;
	bool connected;
	char controller_state[256];
	struct event *udp_event, *mail_event, *tick_event, *settle_event;
	struct event *netlink_event, *term_event, *int_event, *hup_event, *report_event;
	int netlink_fd;
	struct hash_seed addresses_seed;
	uint64_t addresses; /* a sum over this machine's addresses */

	/* status.c */
	struct evhttp *status_http;
	char status_path[108];

	/* report.c */
	json_t *reported; /* the last one sent */
};

/* ---- control.c ---- */

/* Run until SIGTERM or SIGINT.  Return: 0, or 1 after having said on stderr why it could not start */
int agent_run(const struct options *options);

/* ---- handshaker.c ---- */

bool handshaker_start(struct agent *agent);
void handshaker_stop(struct agent *agent);

/* The control socket can be read */
void handshaker_ready(evutil_socket_t fd, short what, void *agent);

/* Ask @peer for a session now, whatever else is under way */
void handshaker_initiate(struct agent *agent, struct peer *peer);

/* The peer has used the session that we answered with: send in it too */
void handshaker_confirmed(struct agent *agent, struct session *session);

/* End all sessions and handshakes with @peer; handshaker_reap() is due */
void handshaker_forget(struct agent *agent, struct peer *peer);

/* Unlink @session and free it later; NULL is fine */
void handshaker_retire(struct agent *agent, struct session *session);

/* Free what was retired.  Waits for a grace period where there is something */
void handshaker_reap(struct agent *agent);

/* ---- liveness.c ---- */

/* A session with @peer has begun: its path starts anew, or goes on */
void liveness_begin(struct agent *agent, struct peer *peer, const struct endpoint *endpoint);

/* Look after every peer.  Return: milliseconds until it wants to be called again */
uint32_t liveness_tick(struct agent *agent);

/* The peer was heard, newest of all, from @from */
void liveness_roamed(struct agent *agent, struct peer *peer, const struct endpoint *from);

void liveness_probe_ack(struct agent *agent, struct peer *peer, uint64_t token, uint32_t bytes);
void liveness_too_big(struct agent *agent, struct peer *peer, uint32_t bytes);

/* This machine's addresses or links have changed */
void liveness_moved(struct agent *agent);

/* ---- apply.c ---- */

/* Read the topology that was kept on disk, and make it real.  No file is fine */
void apply_kept(struct agent *agent);

/* A new document from the controller: keep it on disk, then make it real */
void apply_document(struct agent *agent, const json_t *document);

/* Make the newest document real again: ports that failed are tried anew */
void apply_again(struct agent *agent);

/* Are there ports that could not be opened, or no longer are what they should be? */
bool apply_has_faults(struct agent *agent);

/* Close everything */
void apply_stop(struct agent *agent);

/* ---- status.c ---- */

bool status_start(struct agent *agent, char error[256]);
void status_stop(struct agent *agent);

/* Sum of a drop over all threads */
uint64_t status_drop_count(const struct agent *agent, enum drop drop);

/* ---- report.c ---- */

/* Tell the controller how things are, where that differs from what it was told */
void report_send(struct agent *agent);

#endif /* OVERLAY_AGENT_AGENT_H */
