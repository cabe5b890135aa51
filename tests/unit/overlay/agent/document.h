/*
 * document.h - for tests: a CA, its hosts, and topology documents for the host "me"
 */
#ifndef TESTS_UNIT_OVERLAY_AGENT_DOCUMENT_H
#define TESTS_UNIT_OVERLAY_AGENT_DOCUMENT_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <jansson.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "base/base64.h"
#include "crypto/identity.h"
#include "crypto/identity_issue.h"

#define DOCUMENT_HOSTS 4U

struct document_hosts {
	char *ca_key, *ca;
	struct {
		char name[8];
		char *key_pem, *certificate;
		struct x25519_keypair tunnel;
	} host[DOCUMENT_HOSTS];
};

static struct document_hosts hosts;

/* Certificates good at @now, for "h0" to "h3" */
static inline int document_begin_hosts(time_t now)
{
	if (identity_ca_create("testlab", now, &hosts.ca_key, &hosts.ca) < 0)
		return -1;
	for (unsigned int i = 0; i < DOCUMENT_HOSTS; i++) {
		char *csr;

		snprintf(hosts.host[i].name, sizeof(hosts.host[i].name), "h%u", i);
		if (identity_key_create(&hosts.host[i].key_pem) < 0 ||
			identity_csr_create(hosts.host[i].key_pem, hosts.host[i].name, &csr) < 0 ||
			identity_host_issue(hosts.ca_key, hosts.ca, csr, hosts.host[i].name, now,
				&hosts.host[i].certificate) < 0 ||
			!x25519_generate(&hosts.host[i].tunnel))
			return -1;
		identity_pem_free(csr);
	}
	return 0;
}

static inline void document_end_hosts(void)
{
	for (unsigned int i = 0; i < DOCUMENT_HOSTS; i++) {
		identity_pem_free(hosts.host[i].key_pem);
		identity_pem_free(hosts.host[i].certificate);
	}
	identity_pem_free(hosts.ca_key);
	identity_pem_free(hosts.ca);
}

static inline json_t *document_host(unsigned int i)
{
	char key[BASE64_TEXT_BYTES(X25519_BYTES)], sig[BASE64_TEXT_BYTES(IDENTITY_SIGNATURE_BYTES)];
	const struct x25519_public *public = &hosts.host[i].tunnel.public;
	uint8_t signature[IDENTITY_SIGNATURE_BYTES];

	assert_int_equal(identity_tunnel_sign(hosts.host[i].key_pem, hosts.host[i].name, public, signature), 0);
	base64_encode(signature, sizeof(signature), sig);
	base64_encode(public->bytes, X25519_BYTES, key);
	return json_pack("{s:s, s:[s], s:s, s:s, s:s}", "name", hosts.host[i].name, "endpoints", "127.0.0.1:9",
		"tunnel_key", key, "tunnel_sig", sig, "certificate", hosts.host[i].certificate);
}

static inline json_t *document_begin(int rev)
{
	char hash[16];

	snprintf(hash, sizeof(hash), "%x", 0xabc000 + rev);
	return json_pack("{s:i, s:s, s:s, s:[], s:[], s:[], s:[]}", "rev", rev, "hash", hash, "host", "me", "hosts",
		"networks", "ports", "remote_ports");
}

/* @item: consumed */
static inline void document_add(json_t *document, const char *list, json_t *item)
{
	assert_int_equal(json_array_append_new(json_object_get(document, list), item), 0);
}

/* With the first @hosts_count hosts */
static inline void document_add_network(json_t *document, int id, const char *lab, unsigned int hosts_count)
{
	json_t *network = json_pack("{s:i, s:s, s:s, s:s, s:i, s:[]}", "id", id, "lab", lab, "name", "net", "mode",
		"switch", "mtu", 1500, "hosts");

	for (unsigned int i = 0; i < hosts_count; i++)
		json_array_append_new(json_object_get(network, "hosts"), json_string(hosts.host[i].name));
	document_add(document, "networks", network);
}

/* Return: borrowed, for more members */
static inline json_t *document_add_port(json_t *document, int id, int network, const char *attach)
{
	json_t *port = json_pack("{s:i, s:s, s:s+, s:i, s:s}", "id", id, "lab", "lab", "name", "p",
		(const char[]){ (char)('0' + id / 100 % 10), (char)('0' + id / 10 % 10), (char)('0' + id % 10), 0 },
		"network", network, "attach", attach);

	document_add(document, "ports", port);
	return port;
}

#endif /* TESTS_UNIT_OVERLAY_AGENT_DOCUMENT_H */
