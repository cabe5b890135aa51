/*
 * fuzz_trust.c - hosts of any document: none but the one that is in order is taken for a peer
 *
 * The CA is a fixed one of its own, so nothing that is invented here passes for a host; one host that is in order takes the place
 * of entries that are the string "@".
 */
#include <assert.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/base64.h"
#include "base/error.h"
#include "crypto/identity.h"
#include "crypto/identity_issue.h"
#include "overlay/agent/trust.h"

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

/* Nobody but the known host can be a peer, and it only once */
static void check(const struct topology *t, const struct trust *trust)
{
	for (uint32_t i = 0; i < t->hosts_count; i++) {
		assert(trust[i].refused[0] || strcmp(t->hosts[i].name, "known") == 0);
		assert(trust[i].refused[0] || trust[i].proven);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct topology topology;
	struct error error;
	struct trust *trust;
	json_t *document;

	if (!ca)
		prepare();
	document = json_loadb((const char *)data, size, JSON_REJECT_DUPLICATES | JSON_DECODE_ANY, NULL);
	if (!document)
		return 0;
	put_known(document);
	if (topology_decode(document, "me", &topology, &error) == 0) {
		trust = trust_judge(&topology, ca, NOW, (struct trust_before){ 0 });
		assert(trust);
		check(&topology, trust);
		free(trust);
		topology_fini(&topology);
	}
	json_decref(document);
	return 0;
}
