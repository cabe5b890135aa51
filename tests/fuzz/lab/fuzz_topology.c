/*
 * fuzz_topology.c - any text as the agent's document: read or refused with a reason, within its bounds, and written so that it
 * reads the same
 *
 * Entries of "hosts" that are the string "@" stand for a whole host, so that what needs one is reached.
 */
#include <assert.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "lab/topology.h"

static void put_known(json_t *document)
{
	json_t *hosts = json_object_get(document, "hosts"), *host;
	size_t i;

	json_array_foreach(hosts, i, host) {
		if (json_is_string(host) && strcmp(json_string_value(host), "@") == 0)
			json_array_set_new(hosts, i,
				json_pack("{s:s, s:[s], s:s, s:s, s:s}", "name", "known", "endpoints", "192.0.2.1",
					"tunnel_key", "", "tunnel_sig", "", "certificate", ""));
	}
}

static void check_port(const struct topology *t, const struct lab_port *port)
{
	const struct topology_network *network = topology_network(t, port->network_id);

	assert(network && strcmp(network->network.name, port->network) == 0);
	assert(!mac_is_group(&port->mac) && port->ip.count <= LAB_IPS_MAX);
	assert(port->vlan.mode != VLAN_ACCESS || (port->vlan.access >= 1 && port->vlan.access <= VLAN_MAX));
}

static void check(const struct topology *t)
{
	assert(t->hosts_count <= PEERS_MAX && t->networks_count <= NETWORKS_MAX && t->ports_count <= PORTS_MAX);
	for (uint32_t i = 0; i < t->hosts_count; i++) {
		assert(lab_name_ok(t->hosts[i].name) && strcmp(t->hosts[i].name, "me") != 0);
		assert(t->hosts[i].endpoints_count <= PEER_ENDPOINTS_MAX);
		assert(topology_host(t, t->hosts[i].name) == i);
	}
	for (uint32_t i = 0; i < t->networks_count; i++) {
		assert(topology_network(t, t->networks[i].network.id) == &t->networks[i]);
		for (uint32_t k = 0; k < t->networks[i].hosts_count; k++)
			assert(t->networks[i].hosts[k] < t->hosts_count);
	}
	for (uint32_t i = 0; i < t->ports_count; i++)
		check_port(t, &t->ports[i]);
	for (uint32_t i = 0; i < t->remotes_count; i++) {
		check_port(t, &t->remotes[i]);
		assert(topology_host(t, t->remotes[i].host) == t->remote_hosts[i]);
	}
}

/* What was read once is written in the same order ever after */
static void check_round(const struct topology *first)
{
	json_t *document = topology_encode(first), *again;
	struct error error = { "" };
	struct topology second;

	assert(document && topology_decode(document, "me", &second, &error) == 0);
	assert(second.ports_count == first->ports_count && second.remotes_count == first->remotes_count);
	again = topology_encode(&second);
	assert(json_equal(document, again));
	json_decref(document);
	json_decref(again);
	topology_fini(&second);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct error error = { "" };
	struct topology topology;
	json_t *document = json_loadb((const char *)data, size, JSON_REJECT_DUPLICATES | JSON_DECODE_ANY, NULL);

	if (!document)
		return 0;
	put_known(document);
	if (topology_decode(document, "me", &topology, &error) == 0) {
		check(&topology);
		check_round(&topology);
		topology_fini(&topology);
	} else {
		assert(error_is_set(&error) && strlen(error.text) < sizeof(error.text));
	}
	json_decref(document);
	return 0;
}
