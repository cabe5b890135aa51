/*
 * fuzz_topology.c - any text as the controller's document: parsed or refused with a reason, within its bounds, freed
 *
 * The CA is a fixed one of its own, so nothing that is invented here passes for a host; one host that is in order takes the place
 * of entries that are the string "@", so that what needs a peer is reached too.
 */
#include <assert.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/base64.h"
#include "base/error.h"
#include "crypto/identity_issue.h"
#include "overlay/agent/topology.h"
#include "overlay/datapath/forwarding.h"

#define NOW 1800000000

static char *ca_key, *ca;
static json_t *known;

static void prepare(void)
{
	char *key, *csr, *certificate, tunnel_key[BASE64_TEXT_BYTES(X25519_BYTES)];
	char tunnel_sig[BASE64_TEXT_BYTES(IDENTITY_SIGNATURE_BYTES)];
	uint8_t signature[IDENTITY_SIGNATURE_BYTES];
	struct x25519_keypair tunnel;

	if (identity_ca_create("fuzz", NOW, &ca_key, &ca) || identity_key_create(&key) ||
		identity_csr_create(key, "known", &csr) ||
		identity_host_issue(ca_key, ca, csr, "known", NOW, &certificate) || !x25519_generate(&tunnel) ||
		identity_tunnel_sign(key, "known", &tunnel.public, signature))
		abort();
	base64_encode(signature, sizeof(signature), tunnel_sig);
	base64_encode(tunnel.public.bytes, X25519_BYTES, tunnel_key);
	known = json_pack("{s:s, s:[s], s:s, s:s, s:s}", "name", "known", "endpoints", "192.0.2.1", "tunnel_key",
		tunnel_key, "tunnel_sig", tunnel_sig, "certificate", certificate);
	identity_pem_free(key);
	identity_pem_free(csr);
	identity_pem_free(certificate);
}

static void put_known(json_t *document)
{
	json_t *hosts = json_object_get(document, "hosts"), *host;
	size_t i;

	json_array_foreach(hosts, i, host)
		if (json_is_string(host) && strcmp(json_string_value(host), "@") == 0)
			json_array_set(hosts, i, known);
}

static void check(const struct topology *t)
{
	assert(t->hosts_count <= PEERS_MAX && t->networks_count <= NETWORKS_MAX && t->ports_count <= PORTS_MAX);
	for (uint32_t i = 0; i < t->hosts_count; i++) {
		assert(identity_name_ok(t->hosts[i].name) && strcmp(t->hosts[i].name, "me") != 0);
		assert(t->hosts[i].endpoints_count <= PEER_ENDPOINTS_MAX);
		assert(t->hosts[i].refused[0] || strcmp(t->hosts[i].name, "known") == 0);
	}
	for (uint32_t i = 0; i < t->networks_count; i++) {
		assert(t->networks[i].id <= NETWORK_ID_MAX);
		for (uint32_t k = 0; k < t->networks[i].hosts_count; k++)
			assert(t->networks[i].hosts[k] < t->hosts_count);
	}
	for (uint32_t i = 0; i < t->ports_count; i++) {
		uint32_t found = 0;

		for (uint32_t k = 0; k < t->networks_count; k++)
			found += t->networks[k].id == t->ports[i].network;
		assert(found == 1);
		assert(t->ports[i].vlan.mode != VLAN_ACCESS ||
			(t->ports[i].vlan.access >= 1 && t->ports[i].vlan.access <= VLAN_MAX));
	}
	for (uint32_t i = 0; i < t->remotes_count; i++)
		assert(t->remotes[i].host < t->hosts_count && !mac_is_group(&t->remotes[i].mac));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct error error = { "" };
	struct topology topology;
	json_t *document;

	if (!ca)
		prepare();
	document = json_loadb((const char *)data, size, JSON_REJECT_DUPLICATES | JSON_DECODE_ANY, NULL);
	if (!document)
		return 0;
	put_known(document);
	if (topology_parse(document, ca, "me", NOW, &topology, &error) == 0) {
		check(&topology);
		topology_fini(&topology);
	} else {
		assert(error_is_set(&error) && strlen(error.text) < sizeof(error.text));
	}
	json_decref(document);
	return 0;
}
