/*
 * forwarding.h - what the workers forward by: networks, ports and peers, as one immutable whole
 *
 * The control thread builds a new one out of each topology, publishes it (datapath.h), and frees the old one once all
 * workers have taken up the new.  Networks belong to it; ports and peers live on from one to the next.
 */
#ifndef OVERLAY_DATAPATH_FORWARDING_H
#define OVERLAY_DATAPATH_FORWARDING_H

#include "overlay/peer/peer.h"
#include "lab/limits.h"
#include "switch/network.h"
#include "tap/port.h"

#include <stdbool.h>
#include <stdint.h>

#define FORWARDING_BUCKETS 2048U /* a power of two, more than NETWORKS_MAX */

/* A local port's device, as workers have it: constant from the first snapshot that has it.  The agent knows what it is for */
struct vport {
	uint32_t slot;    /* below PORTS_MAX; what networks and the MAC table call it */
	uint32_t id;      /* the controller's */
	uint32_t network; /* id */
	struct attach spec;
	struct tap_port *tap;
};

struct forwarding {
	uint32_t generation;                         /* counts up; workers tell which one they have taken up */
	struct network *buckets[FORWARDING_BUCKETS]; /* open addressing by network id */
	uint32_t networks_count;
	struct peer **peers; /* by slot; NULL where there is none */
	uint32_t peers_capacity;
	struct vport *ports[PORTS_MAX];
};

/* @peers_capacity: above all peers' slots.  Return: NULL without memory */
struct forwarding *forwarding_new(uint32_t generation, uint32_t peers_capacity);

/* With its networks, not its ports and peers.  NULL is fine */
void forwarding_free(struct forwarding *forwarding);

/* Return: false where the table is full or the id is taken; @network is the fabric's on true */
bool forwarding_add_network(struct forwarding *forwarding, struct network *network);

/* Return: borrowed, NULL where this host is not on the network */
static inline struct network *forwarding_network(const struct forwarding *forwarding, uint32_t id)
{
	for (uint32_t at = id * 2654435761U >> 8;; at++) {
		struct network *network = forwarding->buckets[at % FORWARDING_BUCKETS];

		if (!network || network->id == id)
			return network;
	}
}

#endif /* OVERLAY_DATAPATH_FORWARDING_H */
