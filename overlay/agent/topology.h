/*
 * topology.h - the controller's document, checked and as plain C
 *
 * Pure: reads JSON, looks at certificates, changes nothing.  apply.c makes it real.  The document comes from the
 * controller or from disk; either way every member is checked, and a host is only a peer if the pinned CA has signed
 * its certificate and its certificate has signed its tunnel key (so the controller cannot invent a host).
 */
#ifndef OVERLAY_AGENT_TOPOLOGY_H
#define OVERLAY_AGENT_TOPOLOGY_H

#include "base/addr.h"
#include "base/error.h"
#include "crypto/identity.h"
#include "overlay/peer/peer.h"
#include "switch/network.h"
#include "switch/vlan.h"

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>
#include <time.h>

struct topology_host {
	char name[PEER_NAME_BYTES];
	struct x25519_public key;
	struct endpoint endpoints[PEER_ENDPOINTS_MAX];
	uint32_t endpoints_count;
	bool proven;                     /* certificate and tunnel key are its own */
	char refused[PEER_REASON_BYTES]; /* why it cannot be a peer; "" if it can */
};

struct topology_network {
	uint32_t id;
	enum network_mode mode;
	uint32_t mtu_bytes;
	unsigned int pass; /* enum network_pass bits */
	bool no_fragments;
	char lab[NETWORK_NAME_BYTES];
	char name[NETWORK_NAME_BYTES];
	uint32_t *hosts; /* indices into hosts */
	uint32_t hosts_count;
};

struct topology_port {
	uint32_t id;
	uint32_t network; /* id */
	char lab[NETWORK_NAME_BYTES];
	char name[NETWORK_NAME_BYTES];
	char attach[32];
	bool create;
	struct vlan_policy vlan;
	bool has_mac;
	struct mac mac;
};

struct topology_remote { /* a declared MAC behind another host */
	uint32_t network;
	uint32_t host; /* index into hosts */
	uint16_t vlan;
	struct mac mac;
};

struct topology {
	uint64_t rev;
	struct topology_host *hosts;
	uint32_t hosts_count;
	struct topology_network *networks;
	uint32_t networks_count;
	struct topology_port *ports;
	uint32_t ports_count;
	struct topology_remote *remotes;
	uint32_t remotes_count;
};

/**
 * topology_parse() - a whole document
 * @ca_pem:	pinned
 * @host:	this host's name, which the document must carry
 * @error:	what is wrong and where, on failure
 *
 * Return: 0, -EINVAL or -ENOMEM; topology_fini() is due only after 0
 */
int topology_parse(const json_t *document, const char *ca_pem, const char *host, time_t now, struct topology *out,
	struct error *error) __attribute__((warn_unused_result));

void topology_fini(struct topology *topology);

#endif /* OVERLAY_AGENT_TOPOLOGY_H */
