/*
 * core.h - the agent apart from its surroundings: what an agent does, given what happens to it
 *
 * Knows documents, ports, peers, declared MACs and reports.  Knows no loop, thread, socket, clock or disk: what happens comes
 * in as calls that say when, what is to be done goes out through struct core_ops.  weftd's loop (loop.c) is one user of
 * it, the simulation, with hundreds of agents in one process, another.  Datagrams and the life of sessions are the overlay's
 * (overlay/peer/overlay.h), which both share with the core.
 *
 * Theory of operation.  What the newest document wants is compared with what there is (apply.c).  What changed goes out as
 * one forwarding snapshot; only one is on its way at a time, and what changes meanwhile goes with the next:
 *
 *	unchanged -> (a document, a port opened or lost) -> publish -> (core_published) -> unchanged, or publish again
 *
 * What the workers might still use when it leaves (ports, peers, the snapshot before) is kept until core_published() says
 * that they all work with one that lacks it; only then are ports closed, by somebody who may wait for the kernel:
 *
 *	port	closed -> open -> leaving (until published) -> closing (until core_port_closed) -> closed
 *
 * A port that cannot be opened, was lost, or has a queue that a worker could not take up, is broken: it keeps the reason,
 * and is tried again alone, after CORE_RETRY_MIN_MS, then at growing intervals up to CORE_RETRY_MAX_MS, and
 * at once when links are others.  One that is open is looked at after it was opened and whenever links change (tap/health.h): it may
 * carry less than it should, and says why, or is lost and opened again.  What changes without a notice (filters, devices in other
 * namespaces) is looked for every CORE_LOOK_MS.  A port waits, which is no fault, while a leaving one has its device.  A document counts as
 * applied once nothing is on its way: every port forwards in every queue, or is broken and says why.
 *
 * The controller is told what people wait for at once, and everything else each CORE_REPORT_MS where it differs.  Peers whose state has
 * changed are told CORE_PEERS_SOON_MS later where all are up then, and otherwise CORE_PEERS_REPORT_MS after the last time, so that a
 * thousand agents that start at once send a few reports each and not one for each peer.
 *
 * No operation calls back into the core; what it began is told later.  One thread, the caller's.
 */
#ifndef OVERLAY_AGENT_CORE_H
#define OVERLAY_AGENT_CORE_H

#include "base/clock.h"
#include "base/error.h"
#include "base/timers.h"
#include "overlay/agent/doctor.h"
#include "overlay/agent/events.h"
#include "overlay/agent/ping.h"
#include "overlay/agent/pins.h"
#include "overlay/agent/ports.h"
#include "overlay/agent/trust.h"
#include "overlay/datapath/datapath.h"
#include "overlay/datapath/forwarding.h"
#include "switch/fdb.h"
#include "tap/port.h"

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>
#include <time.h>

#define CORE_RETRY_MIN_MS 500U
#define CORE_RETRY_MAX_MS 5000U
#define CORE_REPORT_MS 5000U
#define CORE_PEERS_SOON_MS 20U     /* peers change in flocks, too */
#define CORE_PEERS_REPORT_MS 500U  /* between two reports of peers while not all are up */
#define CORE_PEERS_RENEW_MS 30000U /* what is said of a peer whose state stays is said anew */
#define CORE_KEEP_MS 5000U         /* a document that could not be kept is tried again */
#define CORE_LOOK_MS 2000U
#define CORE_TOLD_MAX 64U       /* names in one list of whose agents have come or gone */
#define CORE_DECLARED_MS 30000U /* for so long a port is limited by what speaks behind it and is declared elsewhere */
#define CORE_JUDGE_MAX_MS 86400000U
#define CORE_JUDGE_MS 60000U /* the clock may have been wrong: certificates are only valid in their time */

struct overlay;
struct leaving;
struct stats;
struct port_stats;

/* What a core has done for it.  @ctx is its owner's.  None of them waits, none calls the core */
struct core_ops {
	/* Unix time, as certificates are judged by */
	time_t (*wall_clock)(void *ctx);

	/*
	 * Have every worker forward by @forwarding, which is the callee's, like the one before it: that is freed after the
	 * core_published() that is due once they all do.  Peers and ports in it are the core's
	 */
	void (*publish)(void *ctx, struct forwarding *forwarding);

	/* As tap_port_open(), with as many queues as there are workers */
	int (*port_open)(void *ctx, const struct attach *spec, struct tap_port **out, struct error *error);

	/* Look at links and filters, for what port_check() is asked from then on.  Return: false where nothing can be seen now */
	bool (*look)(void *ctx);

	/* Whether what nobody tells of has changed since then */
	bool (*has_changed)(void *ctx);

	/* Whether a look saw other links than the one before, since this was asked last */
	bool (*links_differ)(void *ctx);

	/* As tap_port_check() by the last look, and tap_port_set_mtu() */
	enum tap_health (*port_check)(void *ctx, struct tap_port *port, struct error *error);
	int (*port_set_mtu)(void *ctx, struct tap_port *port, uint32_t mtu_bytes);

	/*
	 * Close @port, which no worker uses any more; it is the callee's.  Return: true where core_port_closed() with @token is
	 * due, false where that is done
	 */
	bool (*port_close)(void *ctx, struct tap_port *port, void *token);

	/* Take a document to the disk, in place of the one there.  Return: 0 or -errno */
	int (*document_keep)(void *ctx, const json_t *document);

	/* Return: the document that was kept, the caller's; NULL where there is none that can be read */
	json_t *(*document_kept)(void *ctx);

	/* The same for where peers were, see whereabouts.h */
	int (*whereabouts_keep)(void *ctx, const json_t *whereabouts);
	json_t *(*whereabouts_kept)(void *ctx);

	/*
	 * Tell the controller, now or once it is there; a newer report replaces one that waits.  @report is borrowed.  Return:
	 * false where there is nobody yet who would: it is made again later
	 */
	bool (*report)(void *ctx, const json_t *report);

	/*
	 * Call @each with every address of this machine that others may be told of, and its link; none where the machine's owner
	 * will not have it
	 */
	void (*addresses)(void *ctx, void (*each)(void *arg, const struct endpoint *address, const char *link),
		void *arg);

	/* What workers have counted, without the overlay's own; see overlay/datapath/stats.h */
	void (*stats)(void *ctx, struct stats *out);
	void (*port_stats)(void *ctx, uint32_t slot, struct port_stats *out);
};

/* The overlay and the table are borrowed for the core's life, the texts during core_new() only */
struct core_config {
	const char *host;   /* this host's name */
	const char *ca_pem; /* pinned */
	struct overlay *overlay;
	struct fdb *fdb;
};

struct core {
	struct core_config config;
	const struct core_ops *ops;
	void *ctx;
	struct instant now; /* of this event */
	struct instant started;

	/* apply.c: what is wanted, and what there is */
	json_t *document; /* the newest that could be read, NULL: none yet */
	struct topology topology;
	struct trust *trust; /* of its hosts; NULL: no document yet */
	uint64_t documents;  /* counts them */
	json_t *in_force; /* the newest of which everything is done, or has an error that says why not; NULL: none yet */
	struct error rejected;  /* why the controller's last document was not taken; "": it was */
	struct error shortfall; /* what else of the document could not be done, but for ports, hosts and networks */
	struct error unkept;    /* why the document is not on the disk; "": it is */
	struct instant keep_at; /* when that is tried again; 0: it is there */
	bool wants_room;        /* there was no room for some of its ports or hosts */
	struct ports ports;
	struct timers retries;  /* of ports that are broken */
	bool unchecked;         /* a port was opened, or may be another thing now */
	bool has_declared;      /* behind a port speaks what is declared elsewhere */
	bool elsewhere;         /* a port's device is in another namespace */
	struct instant look_at; /* for what nobody tells of */
	struct pins pins;
	uint32_t refused_count;   /* hosts of it that may not be peers */
	struct peer **host_peers; /* of each host of the topology; NULL: it is none */
	struct instant judge_at;  /* certificates are looked at again; 0: none is wrong or runs out */

	/* publish.c: what the workers forward by */
	struct forwarding *forwarding; /* that they do; borrowed.  NULL: nothing yet */
	struct forwarding *coming;     /* that they are to; NULL: nothing is on its way */
	uint32_t generation;
	bool changed;              /* what is on its way, or in force, is not all */
	struct instant publish_at; /* not before; 0: at once */
	struct leaving *leaving;   /* ports and peers that workers may still use, and ports that are being closed */
	uint32_t leaving_count, leaving_room;
	bool has_left;          /* one of them did since the document was taken */
	json_t *network_errors; /* [{lab, network, text}] */

	/* whereabouts.c */
	json_t *whereabouts; /* as they are on disk; NULL: not there */
	struct instant whereabouts_at;
	bool whereabouts_unkept; /* the last time */

	/* report.c */
	json_t *reported;        /* the last one, without its events; NULL: none that counts */
	uint64_t reported_event; /* the newest of it */
	struct instant report_at;
	bool news;                        /* what people wait for has changed: report now */
	uint64_t peers_told;              /* the overlay's count of changes, at the last report */
	struct instant peers_at;          /* a report of peers is due then; 0: none is */
	struct instant peers_reported_at; /* the last report that they were in */
	struct instant peers_renew_at;

	struct pings pings;
	struct doctors doctors;

	/* events.c */
	struct agent_events *events;
	struct instant noticed;   /* when was looked for what to tell of */
	struct instant notice_at; /* when to look again; 0: when something happens */
};

/* Return: NULL without memory */
struct core *core_new(const struct core_config *config, const struct core_ops *ops, void *ctx, struct instant now);

/* Everything leaves: ports are handed to port_close() at once, so the workers have stopped.  NULL is fine */
void core_free(struct core *core);

/* ---- what happens ---- */

/* Begin: with the document that was kept, if there is one */
void core_start(struct core *core, struct instant now);

/* The agent stops, orderly; core_free() is next */
void core_stopping(struct core *core, struct instant now);

/* The controller has sent a document, borrowed, of a shape yet to be checked */
void core_document(struct core *core, const json_t *document, struct instant now);

/* The controller says whose agents have come or gone: lists of hosts' names, borrowed, unchecked, may be NULL.  Only a reason to look */
void core_told(struct core *core, const json_t *offline, const json_t *online, struct instant now);

/* All workers forward by what publish() was called with last, but for @faults */
void core_published(struct core *core, const struct attach_faults *faults, struct instant now);

/* What port_close() was called for with @token is done */
void core_port_closed(struct core *core, void *token, struct instant now);

/* Links have come, gone or changed: look whether ports still are what they should be, and try what is broken */
void core_links_changed(struct core *core, struct instant now);

/* A probe of the overlay's to @peer has come back */
void core_answered(struct core *core, const struct peer *peer, uint64_t token, struct instant now);

/* Behind the port in @slot speaks an address that is declared elsewhere: the port is limited until it has been silent for a while */
void core_declared(struct core *core, uint32_t slot, const struct fdb_key *key, struct instant now);

/* A worker finds the device of the port in @slot gone */
void core_port_gone(struct core *core, uint32_t slot);

/* The state folder was read again: report anew, try what is broken, judge certificates again */
void core_reloaded(struct core *core, struct instant now);

/* Have peers changed since it last looked?  Then core_tick() is due */
bool core_has_news(const struct core *core);

/* Do what is due.  Return: when it wants to be called again; earlier does no harm */
struct instant core_tick(struct core *core, struct instant now);

#endif /* OVERLAY_AGENT_CORE_H */
