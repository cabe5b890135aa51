/*
 * topology.h - what one host has to know: the document that the controller sends to an agent, as plain C
 *
 * {"rev", "hash", "fabric", "host", "hosts": [{"name", "endpoints", "tunnel_key", "tunnel_sig", "certificate"}],
 * "networks": [{"id", "lab", "name", attributes, "hosts": [names]}], "ports": [{"id", "lab", "name", "network": id, attributes}],
 * "remote_ports": the same for ports of the other hosts}, where the attributes are those of lab_network.h and lab_port.h that
 * stand IN_AGENT or IN_REMOTE.  Pure data: a host's key and certificate are as somebody said them, and prove
 * nothing yet.  Members that are not known are skipped, so that versions can mix.
 */
#ifndef LAB_TOPOLOGY_H
#define LAB_TOPOLOGY_H

#include "base/addr.h"
#include "base/error.h"
#include "lab/lab_network.h"
#include "lab/lab_port.h"

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#define TOPOLOGY_HASH_BYTES 65U /* 64 hex digits and the NUL */

struct topology_host {
	char name[LAB_NAME_BYTES];
	struct endpoint endpoints[PEER_ENDPOINTS_MAX];
	uint32_t endpoints_count;
	char *tunnel_key, *tunnel_sig; /* base64, on the heap, as the next */
	char *certificate;             /* PEM */
};

struct topology_network {
	struct lab_network network;
	uint32_t *hosts; /* indices into hosts: who else has ports on it */
	uint32_t hosts_count;
};

/* Owns everything in it: topology_fini() */
struct topology {
	uint64_t rev;                   /* by which people know it */
	char hash[TOPOLOGY_HASH_BYTES]; /* its name, the controller's SHA-256 of its content; "": none */
	char fabric[LAB_NAME_BYTES];
	char host[LAB_NAME_BYTES];
	struct topology_host *hosts;
	uint32_t hosts_count;
	struct topology_network *networks;
	uint32_t networks_count;
	struct lab_port *ports; /* @host's; `network` is filled in */
	uint32_t ports_count;
	struct lab_port *remotes; /* of the others */
	uint32_t *remote_hosts;   /* which host each of them is on: index into hosts */
	uint32_t remotes_count;
};

/**
 * topology_decode() - a whole document
 * @document:	of the controller or from disk; nothing of it is trusted
 * @host:	this host's name, which the document must carry
 * @error:	what is wrong and where, on failure
 *
 * Every id and name is there once; every network, host and port that something refers to is in the document.
 *
 * Return: 0, -EINVAL or -ENOMEM; topology_fini() is due only after 0
 */
int topology_decode(const json_t *document, const char *host, struct topology *out, struct error *error)
	__attribute__((warn_unused_result));

/* Return: new; NULL where memory is short */
json_t *topology_encode(const struct topology *topology);

void topology_fini(struct topology *topology);

/* By id; NULL where there is none.  Borrowed */
const struct topology_network *topology_network(const struct topology *topology, uint32_t id);

/* By name; UINT32_MAX where there is none */
uint32_t topology_host(const struct topology *topology, const char *name);

/* ---- for whoever has items as the API lists them, and not as C: the parts of the document ---- */

/* Of a port's item; @own: it is of the host that the document is for.  New */
json_t *topology_port_part(const json_t *item, bool own);

/* Of a network's item.  @hosts, names in order, is consumed.  New */
json_t *topology_network_part(const json_t *item, json_t *hosts);

/* Of a host's item.  @endpoints is consumed.  New */
json_t *topology_host_part(const json_t *item, json_t *endpoints);

/**
 * topology_document() - put the parts together, each list in order of ids, or of names where there are none
 *
 * The lists are consumed.  Equal content is json_equal(), and has the same text once dumped with sorted keys.
 *
 * Return: new, without "rev" and "hash"; NULL where memory is short
 */
json_t *topology_document(const char *fabric, const char *host, json_t *hosts, json_t *networks, json_t *ports,
	json_t *remotes);

#endif /* LAB_TOPOLOGY_H */
