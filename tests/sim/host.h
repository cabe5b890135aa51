/*
 * host.h - an agent in a simulation: the real overlay and the real core, with a disk, a clock and a link of the world's
 *
 * What weftd's loop is to the core and the overlay, this is here.  There are no workers: sealed datagrams go to the overlay, which
 * opens them itself, and a forwarding snapshot is taken up HOST_PUBLISH_US after it was published.  Ports carry nothing; they
 * open unless they are broken, and close HOST_CLOSE_US later.
 *
 * A host is enrolled when it is made.  Its keys, certificate and disk outlive host_stop(), which is a power cut.
 */
#ifndef TESTS_SIM_HOST_H
#define TESTS_SIM_HOST_H

#include "overlay/agent/core.h"
#include "overlay/peer/overlay.h"
#include "tests/sim/client.h"

#include <stdbool.h>
#include <stdint.h>

#define HOST_PUBLISH_US 1000U
#define HOST_CLOSE_US 20000U

/* How others know where it is */
enum host_address {
	HOST_DECLARED, /* it said so when it joined */
	HOST_REPORTED, /* its agent tells its own, and the controller sees one */
	HOST_SEEN,     /* the controller sees where it connects from */
	HOST_HIDDEN,   /* not at all: they wait for it */
};

/* What became of it, over all its lives */
struct host_counts {
	uint64_t documents; /* that the controller sent */
	uint64_t sessions;  /* of lives that are over */
};

struct host {
	struct world *world;
	struct fabric *fabric;
	struct node *node;
	char name[64];
	enum host_address address;

	/* what outlives it */
	struct handshake_self self;
	char *key_pem, *certificate;
	char fingerprint[IDENTITY_FINGERPRINT_BYTES];
	json_t *kept;        /* the document on its disk */
	json_t *whereabouts; /* beside it */
	int64_t clock_off_s; /* its wall clock less the right time */
	bool ports_broken;   /* none can be opened */
	struct host_counts counts;

	/* its life; core NULL: it is off */
	struct session_table *sessions;
	struct overlay overlay;
	struct fdb *fdb;
	struct core *core;
	struct client *client;
	struct forwarding *forwarding, *coming;
	struct closing *closing; /* ports that are being closed */
	struct event_at wake, published;
};

/* A host joins the fabric; off */
struct host *host_new(struct world *world, struct net *net, struct fabric *fabric, const char *name,
	enum host_address address);

/* NULL is fine */
void host_free(struct host *host);

void host_start(struct host *host);
void host_stop(struct host *host);

/* Its agent ends in good order: it says goodbye first, and the machine stays on */
void host_part(struct host *host);

/* Its agent ends without a word, and the machine stays on: what it was connected to hears that it is not any more */
void host_die(struct host *host);

/* As if the controller had said that the peer's agent has come, or gone */
void host_told(struct host *host, const char *peer, bool has_come);

/* Its address is another from now on, and it has noticed */
void host_move(struct host *host);

/* A frame for @peer waits */
void host_wants(struct host *host, const char *peer);

/* Links have changed: broken ports are looked at again */
void host_links(struct host *host);

/* Return: what it says of the peer; CONTACT_STATES_COUNT where it has none of that name */
enum contact_state host_peer_state(const struct host *host, const char *peer);

/* Return: how many of its peers there are, or are up */
uint32_t host_peers(const struct host *host);
uint32_t host_peers_up(const struct host *host);

/* Return: the name of the document that is wholly in force; "" for none */
const char *host_applied(const struct host *host);

/* Sessions that it has sent in, over all its lives */
uint64_t host_sessions(const struct host *host);

#endif /* TESTS_SIM_HOST_H */
