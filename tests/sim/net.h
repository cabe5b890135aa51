/*
 * net.h - the simulated network: nodes with addresses, datagrams between them, and what becomes of them
 *
 * Theory of operation.  Every node has one link, with a delay, jitter, loss and MTU of its own, to a network that joins all of them; a
 * datagram passes two links, or none of it arrives.  It may overtake others by jitter.  A node is in a group, and only what is in
 * one group meets (a partition); a node may be cut off altogether.  What is judged at sending is loss; what is judged at arrival is
 * whether the two still meet, and whether the address still is somebody's.
 *
 * Lines, which are what TCP would be, are line.h's.
 */
#ifndef TESTS_SIM_NET_H
#define TESTS_SIM_NET_H

#include "base/addr.h"
#include "tests/sim/world.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define NET_PORT 4754U
#define NET_DATAGRAM_MAX 9216U

struct net;
struct node;

struct net_link {
	uint32_t delay_us;  /* one way */
	uint32_t jitter_us; /* up to so much more, evenly */
	uint32_t loss_ppm;  /* of what the node sends */
	uint32_t mtu_bytes; /* of IP packets */
};

struct net *net_new(struct world *world, const struct net_link *links);

/* All nodes go with it */
void net_free(struct net *net);

/* A node with an address of its own; @receive gets what comes for it */
struct node *net_join(struct net *net, const char *name,
	void (*receive)(void *ctx, uint8_t *bytes, size_t len_bytes, const struct endpoint *from), void *ctx);

const char *net_name(const struct node *node);
struct endpoint net_endpoint(const struct node *node);

/* To be changed at any time */
struct net_link *net_link(struct node *node);

/* It is somewhere else from now on: what is sent to where it was is lost */
void net_move(struct node *node);

/* 0 at first */
void net_group(struct node *node, uint32_t group);

/* Off: meets nobody */
void net_power(struct node *node, bool on);

/* Return: 0; -EMSGSIZE over the MTU of its own link, -ENETUNREACH while it is off */
int net_send(struct node *node, const struct endpoint *to, const void *bytes, size_t len_bytes);

struct net_counts {
	uint64_t sent, lost, arrived;
};
struct net_counts net_counts(const struct net *net);

/* ---- for whoever sends something else than datagrams ---- */

/* Are both on, and in one group? */
bool net_meets(const struct node *a, const struct node *b);

/* A draw of how long something takes from one to the other */
uint64_t net_delay_us(const struct node *from, const struct node *to);

/* A draw of whether something sent now is lost */
bool net_loses(const struct node *from, const struct node *to);

struct world *net_world(const struct node *node);

#endif /* TESTS_SIM_NET_H */
