/*
 * net.c - see net.h
 */
#include "tests/sim/net.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define HEADER_BYTES 28U /* IPv4 and UDP */
#define NODES_MAX 65536U

struct node {
	char name[64];
	struct net *net;
	uint32_t address; /* its number */
	struct endpoint endpoint;
	struct net_link link;
	uint32_t group;
	bool on;
	void (*receive)(void *ctx, uint8_t *bytes, size_t len_bytes, const struct endpoint *from);
	void *ctx;
};

struct net {
	struct world *world;
	struct net_link links; /* of who joins */
	struct node **nodes;   /* by number */
	uint32_t nodes_count;
	struct node **by_address;
	uint32_t addresses_count;
	struct datagram *travelling;
	struct net_counts counts;
};

/* On its way */
struct datagram {
	struct event_at arrival;
	struct net *net;
	struct datagram *before, *after;
	struct node *from;
	struct endpoint from_endpoint, to;
	size_t len_bytes;
	uint8_t bytes[];
};

static void *must(void *memory)
{
	if (!memory)
		abort();
	return memory;
}

struct net *net_new(struct world *world, const struct net_link *links)
{
	struct net *net = must(calloc(1, sizeof(*net)));

	net->world = world;
	net->links = *links;
	net->nodes = must(calloc(NODES_MAX, sizeof(struct node *)));
	net->by_address = must(calloc(NODES_MAX, sizeof(struct node *)));
	return net;
}

static void forget(struct datagram *datagram)
{
	struct net *net = datagram->net;

	world_cancel(net->world, &datagram->arrival);
	if (datagram->before)
		datagram->before->after = datagram->after;
	else
		net->travelling = datagram->after;
	if (datagram->after)
		datagram->after->before = datagram->before;
	free(datagram);
}

void net_free(struct net *net)
{
	if (!net)
		return;
	while (net->travelling)
		forget(net->travelling);
	for (uint32_t i = 0; i < net->nodes_count; i++)
		free(net->nodes[i]);
	free(net->nodes);
	free(net->by_address);
	free(net);
}

struct net_counts net_counts(const struct net *net)
{
	return net->counts;
}

/* ---- nodes ------------------------------------------------------------------------------------------------- */

/* 10.x.y.z, another one each time */
static void give_address(struct node *node)
{
	struct net *net = node->net;
	const uint32_t number = ++net->addresses_count;

	if (number >= NODES_MAX)
		abort();
	if (node->address)
		net->by_address[node->address] = NULL;
	node->address = number;
	net->by_address[number] = node;
	node->endpoint = (struct endpoint){ .ip = { [10] = 0xff, 0xff, 10, 0, (uint8_t)(number >> 8), (uint8_t)number },
		.port = NET_PORT };
}

static struct node *node_at(const struct net *net, const struct endpoint *endpoint)
{
	const uint32_t number = (uint32_t)endpoint->ip[14] << 8 | endpoint->ip[15];
	struct node *node = net->by_address[number];

	return node && endpoint_equal(&node->endpoint, endpoint) ? node : NULL;
}

struct node *net_join(struct net *net, const char *name,
	void (*receive)(void *ctx, uint8_t *bytes, size_t len_bytes, const struct endpoint *from), void *ctx)
{
	struct node *node = must(calloc(1, sizeof(*node)));

	if (net->nodes_count == NODES_MAX)
		abort();
	snprintf(node->name, sizeof(node->name), "%s", name);
	node->net = net;
	node->link = net->links;
	node->receive = receive;
	node->ctx = ctx;
	node->on = true;
	net->nodes[net->nodes_count++] = node;
	give_address(node);
	return node;
}

const char *net_name(const struct node *node)
{
	return node->name;
}

struct endpoint net_endpoint(const struct node *node)
{
	return node->endpoint;
}

struct net_link *net_link(struct node *node)
{
	return &node->link;
}

void net_move(struct node *node)
{
	char text[ENDPOINT_TEXT_BYTES];

	give_address(node);
	endpoint_format(&node->endpoint, text);
	world_trace(node->net->world, "%s is at %s", node->name, text);
}

void net_group(struct node *node, uint32_t group)
{
	world_trace(node->net->world, "%s in group %" PRIu32, node->name, group);
	node->group = group;
}

void net_power(struct node *node, bool on)
{
	world_trace(node->net->world, "%s %s", node->name, on ? "on" : "off");
	node->on = on;
}

bool net_meets(const struct node *a, const struct node *b)
{
	return a->on && b->on && a->group == b->group;
}

uint64_t net_delay_us(const struct node *from, const struct node *to)
{
	const uint32_t jitter_us = from->link.jitter_us + to->link.jitter_us;

	return from->link.delay_us + to->link.delay_us +
		(jitter_us ? world_random_below(from->net->world, jitter_us) : 0);
}

bool net_loses(const struct node *from, const struct node *to)
{
	return from != to && world_chance(from->net->world, from->link.loss_ppm);
}

struct world *net_world(const struct node *node)
{
	return node->net->world;
}

/* ---- datagrams --------------------------------------------------------------------------------------------- */

/* A sum of the content: two histories that only differ in keys are not the same */
static uint32_t glimpse(const uint8_t *bytes, size_t len_bytes)
{
	uint32_t sum = 2166136261U; /* FNV-1a */

	for (size_t i = 0; i < len_bytes; i++)
		sum = (sum ^ bytes[i]) * 16777619U;
	return sum;
}

static void arrive(void *ctx)
{
	struct datagram *datagram = ctx;
	struct net *net = datagram->net;
	struct node *to = node_at(net, &datagram->to);

	if (!to || !net_meets(datagram->from, to) || datagram->len_bytes + HEADER_BYTES > to->link.mtu_bytes) {
		net->counts.lost++;
		world_trace(net->world, "%s -> lost", datagram->from->name);
	} else {
		net->counts.arrived++;
		world_trace(net->world, "%s -> %s %zu %08" PRIx32, datagram->from->name, to->name, datagram->len_bytes,
			glimpse(datagram->bytes, datagram->len_bytes));
		to->receive(to->ctx, datagram->bytes, datagram->len_bytes, &datagram->from_endpoint);
	}
	forget(datagram);
}

int net_send(struct node *node, const struct endpoint *to, const void *bytes, size_t len_bytes)
{
	struct net *net = node->net;
	struct node *other = node_at(net, to);
	struct datagram *datagram;

	if (!node->on)
		return -ENETUNREACH;
	if (len_bytes + HEADER_BYTES > node->link.mtu_bytes || len_bytes > NET_DATAGRAM_MAX)
		return -EMSGSIZE;
	net->counts.sent++;
	if (!other || net_loses(node, other)) {
		net->counts.lost++;
		world_trace(net->world, "%s -> lost", node->name);
		return 0;
	}
	datagram = must(malloc(sizeof(*datagram) + len_bytes));
	*datagram = (struct datagram){
		.net = net,
		.after = net->travelling,
		.from = node,
		.from_endpoint = node->endpoint,
		.to = *to,
		.len_bytes = len_bytes,
	};
	memcpy(datagram->bytes, bytes, len_bytes);
	if (net->travelling)
		net->travelling->before = datagram;
	net->travelling = datagram;
	world_after_us(net->world, &datagram->arrival, net_delay_us(node, other), arrive, datagram);
	return 0;
}
