/*
 * network.c - see network.h
 */
#include "switch/network.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* Ids are the controller's and dense: spreading them is enough, no seed is needed */
static uint32_t spread(uint32_t id)
{
	return (uint32_t)((id * 0x9e3779b97f4a7c15ULL) >> 32);
}

/* Hubs and wires pass frames as they are, to whoever else is there */
static bool port_ok(const struct network_port *port, enum network_mode mode)
{
	const struct vlan_policy *policy = &port->vlan;

	if (mode != NETWORK_SWITCH)
		return policy->mode == VLAN_TRUNK_ALL;
	return policy->mode != VLAN_ACCESS || (policy->access >= 1 && policy->access <= VLAN_MAX);
}

static bool spec_ok(const struct network_spec *spec)
{
	if (spec->id > NETWORK_ID_MAX || spec->ports_count > NETWORK_PORTS_MAX || !spec->lab || !spec->name)
		return false;
	if (strlen(spec->lab) >= NETWORK_NAME_BYTES || strlen(spec->name) >= NETWORK_NAME_BYTES)
		return false;
	for (uint32_t i = 0; i < spec->ports_count; i++)
		if (!port_ok(&spec->ports[i], spec->mode))
			return false;
	for (uint32_t i = 0; i < spec->peers_count; i++)
		if (spec->peers[i] >= NETWORK_PEERS_MAX)
			return false;
	return true;
}

static int index_ports(struct network *network, const struct network_spec *spec)
{
	struct network_port *ports;
	uint16_t *slots;
	uint32_t size = 2;

	while (size < 2 * spec->ports_count)
		size *= 2;
	network->port_slots = slots = calloc(size, sizeof(*slots));
	network->port_mask = size - 1;
	network->ports = ports = calloc(spec->ports_count ? spec->ports_count : 1, sizeof(*ports));
	if (!slots || !ports)
		return -ENOMEM;
	for (uint32_t i = 0; i < spec->ports_count; i++) {
		uint32_t at = spread(spec->ports[i].id) & network->port_mask;

		if (network_port_lookup(network, spec->ports[i].id))
			return -EINVAL;
		while (slots[at])
			at = (at + 1) & network->port_mask;
		ports[i] = spec->ports[i];
		network->retags |= spec->ports[i].vlan.mode == VLAN_ACCESS;
		slots[at] = (uint16_t)(i + 1);
	}
	network->ports_count = spec->ports_count;
	for (uint32_t i = 0; i < spec->ports_count; i++) {
		stage_list_build(&ports[i].stages, network, &ports[i]);
		network->looks |= ports[i].stages.looks;
	}
	return 0;
}

static int index_peers(struct network *network, const struct network_spec *spec)
{
	uint32_t highest = 0;
	uint64_t *bits;
	uint32_t *peers;

	for (uint32_t i = 0; i < spec->peers_count; i++)
		if (spec->peers[i] > highest)
			highest = spec->peers[i];
	network->peer_bits_count = highest / 64 + 1;
	network->peer_bits = bits = calloc(network->peer_bits_count, sizeof(*bits));
	network->peers = peers = calloc(spec->peers_count ? spec->peers_count : 1, sizeof(*peers));
	if (!bits || !peers)
		return -ENOMEM;
	for (uint32_t i = 0; i < spec->peers_count; i++) {
		uint32_t slot = spec->peers[i];

		if (network_has_peer(network, slot))
			continue;
		bits[slot / 64] |= 1ULL << (slot % 64);
		peers[network->peers_count++] = slot;
	}
	stage_list_build(&network->peer_stages, network, NULL);
	network->looks |= network->peer_stages.looks;
	return 0;
}

int network_new(const struct network_spec *spec, struct network **out)
{
	struct network *network;
	int err;

	if (!spec_ok(spec))
		return -EINVAL;
	network = calloc(1, sizeof(*network));
	if (!network)
		return -ENOMEM;
	network->id = spec->id;
	network->mode = spec->mode;
	network->mtu_bytes = spec->mtu_bytes;
	network->pass = spec->pass;
	network->no_fragments = spec->no_fragments;
	memcpy(network->lab, spec->lab, strlen(spec->lab));
	memcpy(network->name, spec->name, strlen(spec->name));
	err = index_ports(network, spec);
	if (!err)
		err = index_peers(network, spec);
	if (!err && spec->mode == NETWORK_WIRE && network->ports_count + network->peers_count > 2)
		err = -EINVAL;
	if (err) {
		network_free(network);
		return err;
	}
	*out = network;
	return 0;
}

void network_free(struct network *network)
{
	if (!network)
		return;
	free((void *)(uintptr_t)network->ports);
	free((void *)(uintptr_t)network->peers);
	free((void *)(uintptr_t)network->port_slots);
	free((void *)(uintptr_t)network->peer_bits);
	free(network);
}

bool network_has_peer(const struct network *network, uint32_t slot)
{
	return slot / 64 < network->peer_bits_count && (network->peer_bits[slot / 64] >> (slot % 64) & 1);
}

const struct network_port *network_port_lookup(const struct network *network, uint32_t id)
{
	uint32_t at = spread(id) & network->port_mask;

	/* at most half full, so there is a gap that ends this */
	for (; network->port_slots[at]; at = (at + 1) & network->port_mask) {
		const struct network_port *port = &network->ports[network->port_slots[at] - 1];

		if (port->id == id)
			return port;
	}
	return NULL;
}
