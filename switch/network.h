/*
 * network.h - one virtual network as this agent sees it: its mode, its ports here, the peers that share it
 *
 * Built by the control thread, immutable from then on, and shared under RCU: a change builds a new one, publishes it,
 * waits a grace period and frees the old one.  Names no socket and no device: ports and peers are numbers of
 * the caller's.  Neighbours: switch/forward.c decides by it, overlay/ walks its lists to flood.
 */
#ifndef SWITCH_NETWORK_H
#define SWITCH_NETWORK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lab/limits.h"
#include "lab/network_mode.h"
#include "lab/vlan_policy.h"
#include "switch/stage.h"
#include "switch/vlan.h"

#define NETWORK_NAME_BYTES LAB_NAME_BYTES
#define NETWORK_PORTS_MAX 4096U
#define NETWORK_PEERS_MAX 65536U /* peer slots are below */

struct network_port {
	uint32_t id; /* the caller's, unique on this agent; locations in the MAC table carry it */
	struct vlan_policy vlan;
	struct stage_list stages; /* network_new()'s */
};

struct network_spec {
	uint32_t id; /* 24 bits */
	enum network_mode mode;
	uint32_t mtu_bytes;
	unsigned int pass; /* enum network_pass bits */
	bool no_fragments; /* frames over the path's size are refused, not fragmented */
	const char *lab;   /* for status; shorter than NETWORK_NAME_BYTES */
	const char *name;
	const struct network_port *ports; /* here; no id twice */
	uint32_t ports_count;
	const uint32_t *peers; /* slots; each once or more, kept once */
	uint32_t peers_count;
};

struct network {
	uint32_t id;
	enum network_mode mode;
	uint32_t mtu_bytes;
	unsigned int pass;
	bool no_fragments;
	char lab[NETWORK_NAME_BYTES];
	char name[NETWORK_NAME_BYTES];
	const struct network_port *ports;
	uint32_t ports_count;
	const uint32_t *peers; /* each member's slot once */
	uint32_t peers_count;
	struct stage_list peer_stages; /* of what comes from peers, or leaves to them */
	uint32_t looks;                /* of all stages that anybody uses here */
	bool retags;                   /* a frame may leave in another form than it came in: there are access ports */
	/* what the functions below look at */
	const uint16_t *port_slots; /* open addressing by id: index into ports, plus one */
	uint32_t port_mask;
	const uint64_t *peer_bits;
	uint32_t peer_bits_count;
};

/**
 * network_new() - build from @spec, which is borrowed for the call
 * @out:	the caller's; only on success
 *
 * Return: 0, -ENOMEM, or -EINVAL: a figure out of range, an id twice, a wire with more than two ends, or on a hub or a
 * wire, which pass frames as they are, a VLAN policy other than VLAN_TRUNK_ALL
 */
int network_new(const struct network_spec *spec, struct network **out) __attribute__((warn_unused_result));

/* After the grace period.  NULL is fine */
void network_free(struct network *network);

/* Return: whether peer @slot is on the network: one load and a test */
bool network_has_peer(const struct network *network, uint32_t slot);

/* Return: borrowed, or NULL where @id is no port of this network here */
const struct network_port *network_port_lookup(const struct network *network, uint32_t id);

#endif /* SWITCH_NETWORK_H */
