/*
 * test_topology.c - the controller's document: what a good one becomes, and every way in which one may be wrong
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/base64.h"
#include "base/error.h"
#include "crypto/identity_issue.h"
#include "overlay/agent/topology.h"
#include "overlay/datapath/forwarding.h"

#define NOW 1800000000
#define HOSTS 3U

static char *ca_key, *ca, *other_ca_key, *other_ca;

static struct member {
	char name[8];
	char *key_pem, *certificate;
	struct x25519_keypair tunnel;
	char tunnel_key[64], tunnel_sig[128];
} members[HOSTS];

static void sign(struct member *member, const char *name, const struct x25519_public *key)
{
	uint8_t signature[IDENTITY_SIGNATURE_BYTES];

	assert_int_equal(identity_tunnel_sign(member->key_pem, name, key, signature), 0);
	base64_encode(signature, sizeof(signature), member->tunnel_sig);
	base64_encode(key->bytes, sizeof(key->bytes), member->tunnel_key);
}

static void enrol(struct member *member, const char *name, const char *by_key, const char *by_ca)
{
	char *csr;

	snprintf(member->name, sizeof(member->name), "%s", name);
	assert_int_equal(identity_key_create(&member->key_pem), 0);
	assert_int_equal(identity_csr_create(member->key_pem, name, &csr), 0);
	assert_int_equal(identity_host_issue(by_key, by_ca, csr, name, NOW, &member->certificate), 0);
	identity_pem_free(csr);
	assert_true(x25519_generate(&member->tunnel));
	sign(member, name, &member->tunnel.public);
}

static void discharge(struct member *member)
{
	identity_pem_free(member->key_pem);
	identity_pem_free(member->certificate);
}

static json_t *host_json(const struct member *member)
{
	return json_pack("{s:s, s:[s, s], s:s, s:s, s:s}", "name", member->name, "endpoints", "203.0.113.9:4754",
		"2001:db8::9", "tunnel_key", member->tunnel_key, "tunnel_sig", member->tunnel_sig, "certificate",
		member->certificate);
}

static const char rest[] =
	"{\"rev\": 42, \"fabric\": \"homelab\", \"host\": \"me\","
	" \"networks\": [{\"id\": 17, \"lab\": \"two-sites\", \"name\": \"mgmt\", \"mode\": \"switch\", \"mtu\": 1500,"
	"   \"hosts\": [\"h0\", \"h2\"]},"
	"  {\"id\": 18, \"lab\": \"two-sites\", \"name\": \"trunk\", \"mode\": \"hub\", \"mtu\": 9000, \"hosts\": []},"
	"  {\"id\": 0, \"lab\": \"two-sites\", \"name\": \"spine-leaf\", \"mode\": \"wire\", \"mtu\": 9216, \"hosts\": [\"h1\"]}],"
	" \"ports\": [{\"id\": 5, \"lab\": \"two-sites\", \"name\": \"a-lan\", \"network\": 17, \"attach\": \"bridge:br-lab\","
	"   \"create\": true, \"mac\": \"52:54:00:00:00:0a\", \"ip\": [\"10.0.0.1\"], \"vlan\": {\"access\": 10}},"
	"  {\"id\": 6, \"lab\": \"two-sites\", \"name\": \"esx\", \"network\": 18, \"attach\": \"tap:esx-nic0\","
	"   \"vlan\": {\"trunk\": \"all\"}},"
	"  {\"id\": 4294967295, \"lab\": \"two-sites\", \"name\": \"few\", \"network\": 17, \"attach\": \"packet:eth1\","
	"   \"vlan\": {\"trunk\": [10, 20]}}],"
	" \"remote_ports\": [{\"id\": 9, \"lab\": \"two-sites\", \"name\": \"b-lan\", \"network\": 17, \"host\": \"h2\","
	"   \"mac\": \"52:54:00:00:00:0b\", \"vlan\": {\"access\": 10}},"
	"  {\"id\": 10, \"lab\": \"two-sites\", \"name\": \"c-lan\", \"network\": 17, \"host\": \"h0\"}]}";

static json_t *good(void)
{
	json_t *document = json_loads(rest, JSON_REJECT_DUPLICATES, NULL), *hosts = json_array();

	assert_non_null(document);
	for (unsigned int i = 0; i < HOSTS; i++)
		json_array_append_new(hosts, host_json(&members[i]));
	json_object_set_new(document, "hosts", hosts);
	return document;
}

static int parse(const json_t *document, struct topology *out, struct error *error)
{
	return topology_parse(document, ca, "me", NOW, out, error);
}

/* ---- good ones --------------------------------------------------------------------------------------------- */

static void a_good_document(void **state)
{
	json_t *document = good();
	struct error error = { "" };
	struct topology t;

	(void)state;
	assert_int_equal(parse(document, &t, &error), 0);
	assert_int_equal(t.rev, 42);
	assert_int_equal(t.hosts_count, 3);
	for (unsigned int i = 0; i < HOSTS; i++) {
		assert_string_equal(t.hosts[i].name, members[i].name);
		assert_string_equal(t.hosts[i].refused, "");
		assert_memory_equal(t.hosts[i].key.bytes, members[i].tunnel.public.bytes, X25519_BYTES);
		assert_int_equal(t.hosts[i].endpoints_count, 2);
		assert_int_equal(t.hosts[i].endpoints[1].port, 4754);
	}
	assert_int_equal(t.networks_count, 3);
	assert_int_equal(t.networks[0].hosts_count, 2);
	assert_int_equal(t.networks[0].hosts[1], 2);
	assert_int_equal(t.networks[1].mode, NETWORK_HUB);
	assert_int_equal(t.networks[2].mode, NETWORK_WIRE);
	assert_int_equal(t.ports_count, 3);
	assert_true(t.ports[0].create && t.ports[0].has_mac);
	assert_int_equal(t.ports[0].vlan.mode, VLAN_ACCESS);
	assert_int_equal(t.ports[0].vlan.access, 10);
	assert_string_equal(t.ports[1].attach, "tap:esx-nic0");
	assert_int_equal(t.ports[1].vlan.mode, VLAN_TRUNK_ALL);
	assert_int_equal(t.ports[2].id, UINT32_MAX);
	assert_int_equal(t.ports[2].vlan.mode, VLAN_TRUNK_LIST);
	assert_int_equal(t.remotes_count, 1); /* the other has no MAC */
	assert_int_equal(t.remotes[0].host, 2);
	assert_int_equal(t.remotes[0].vlan, 10);
	topology_fini(&t);
	json_decref(document);
}

static void an_empty_one(void **state)
{
	json_t *document = json_pack("{s:i, s:s}", "rev", 0, "host", "me");
	struct error error;
	struct topology t;

	(void)state;
	assert_int_equal(parse(document, &t, &error), 0);
	assert_int_equal(t.hosts_count + t.networks_count + t.ports_count + t.remotes_count, 0);
	topology_fini(&t);
	json_decref(document);
}

/* ---- wrong ones -------------------------------------------------------------------------------------------- */

/* The error says @place.  @document is consumed */
static void assert_wrong(json_t *document, const char *place)
{
	struct error error = { "" };
	struct topology t;

	if (parse(document, &t, &error) == 0)
		fail_msg("%s: was taken", place);
	if (!strstr(error.text, place))
		fail_msg("\"%s\" does not say %s", error.text, place);
	json_decref(document);
}

static json_t *item(json_t *document, const char *list)
{
	return *list ? json_array_get(json_object_get(document, list), 0) : document;
}

static const struct {
	const char *list, *key, *place;
	bool required;
	const char *wrong[6]; /* values, as JSON */
} table[] = {
	{ "", "rev", "rev", true, { "\"1\"", "-1", "1.5", "[]" } },
	{ "", "host", "host", true, { "1", "\"him\"", "\"\"", "{}" } },
	{ "", "hosts", "hosts", false, { "{}", "1", "\"h0\"", "[1]", "[[]]" } },
	{ "", "networks", "networks", false, { "{}", "true", "[{}]", "[null]" } },
	{ "", "ports", "ports", false, { "{}", "1.0", "[{}]", "[\"a\"]" } },
	{ "", "remote_ports", "remote_ports", false,
		{ "{}", "1", "[{\"mac\": 5}]", "[{\"mac\": \"52:54:00:00:00:0b\"}]" } },
	{ "hosts", "name", "hosts[0].name", true, { "1", "\"\"", "\"UPPER\"", "\"-a\"", "\"me\"", "\"a b\"" } },
	{ "hosts", "tunnel_key", "hosts[0].tunnel_key", true, { "1", "[]" } },
	{ "hosts", "tunnel_sig", "hosts[0].tunnel_sig", true, { "1", "{}" } },
	{ "hosts", "certificate", "hosts[0].certificate", true, { "1", "false" } },
	{ "hosts", "endpoints", "hosts[0].endpoints", false,
		{ "\"203.0.113.9\"", "[1]", "[\"host.example\"]", "[\"1.2.3.4:0\"]" } },
	{ "networks", "id", "networks[0].id", true, { "-1", "16777216", "\"17\"" } },
	{ "networks", "mode", "networks[0].mode", true, { "\"router\"", "1", "\"\"" } },
	{ "networks", "mtu", "networks[0].mtu", true, { "67", "9217", "\"1500\"", "1500.0" } },
	{ "networks", "lab", "networks[0].lab", true, { "1", "\"\"", "\"a\\nb\"", "\"\\u00e9\"" } },
	{ "networks", "name", "networks[0].name", true, { "1", "\"\"", "\"a b\"", "\"\\u001b[2J\"" } },
	{ "networks", "hosts", "networks[0].hosts", false, { "1", "[\"nobody\"]", "[1]", "{}" } },
	{ "ports", "id", "ports[0].id", true, { "-1", "4294967296", "\"5\"" } },
	{ "ports", "network", "ports[0].network", true, { "19", "-1", "\"17\"" } },
	{ "ports", "lab", "ports[0].lab", true, { "1", "\"\"" } },
	{ "ports", "name", "ports[0].name", true, { "1", "\"\"", "\"\\n\"" } },
	{ "ports", "attach", "ports[0].attach", true,
		{ "1", "\"\"", "\"bridge:a b\"", "\"bridge:0123456789012345678901234567890\"" } },
	{ "ports", "create", "ports[0].create", false, { "1", "\"yes\"" } },
	{ "ports", "mac", "ports[0].mac", false,
		{ "1", "\"\"", "\"52:54:00\"", "\"ff:ff:ff:ff:ff:ff\"", "\"01:80:c2:00:00:00\"" } },
	{ "ports", "vlan", "ports[0].vlan", false,
		{ "10", "{\"access\": 0}", "{\"access\": 4095}", "{\"trunk\": 10}", "{\"trunk\": [4096]}",
			"{\"trunk\": \"some\"}" } },
	{ "remote_ports", "network", "remote_ports[0]", true, { "19", "\"17\"", "-1" } },
	{ "remote_ports", "host", "remote_ports[0]", true, { "\"nobody\"", "5", "\"\"" } },
	{ "remote_ports", "mac", "remote_ports[0].mac", false, { "7", "\"x\"", "\"ff:ff:ff:ff:ff:ff\"" } },
};

static void every_member_missing_or_wrong(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		if (table[i].required) {
			json_t *document = good();

			json_object_del(item(document, table[i].list), table[i].key);
			assert_wrong(document, table[i].place);
			document = good();
			json_object_set_new(item(document, table[i].list), table[i].key, json_null());
			assert_wrong(document, table[i].place);
		}
		for (size_t k = 0; k < 6 && table[i].wrong[k]; k++) {
			json_t *document = good(), *value = json_loads(table[i].wrong[k], JSON_DECODE_ANY, NULL);

			assert_non_null(value);
			json_object_set_new(item(document, table[i].list), table[i].key, value);
			assert_wrong(document, table[i].place);
		}
	}
}

static void not_an_object(void **state)
{
	struct error error;
	struct topology t;
	json_t *list = json_array();

	(void)state;
	assert_int_equal(parse(list, &t, &error), -EINVAL);
	assert_int_equal(parse(NULL, &t, &error), -EINVAL);
	json_decref(list);
}

static void twice(const char *list, const char *place)
{
	json_t *document = good(), *items = json_object_get(document, list),
	       *copy = json_deep_copy(json_array_get(items, 0));
	char where[128];

	snprintf(where, sizeof(where), "%s[%zu].%s: is there twice", list, json_array_size(items), place);
	json_array_append_new(items, copy);
	assert_wrong(document, where);
}

static void things_that_are_there_twice(void **state)
{
	(void)state;
	twice("hosts", "name");
	twice("networks", "id");
	twice("ports", "id");
}

static void more_than_is_served(void **state)
{
	static const struct {
		const char *key;
		size_t max;
	} lists[] = { { "hosts", PEERS_MAX }, { "networks", NETWORKS_MAX }, { "ports", PORTS_MAX },
		{ "remote_ports", 65536 } };

	(void)state;
	for (size_t i = 0; i < 4; i++) {
		json_t *document = json_pack("{s:i, s:s}", "rev", 1, "host", "me"), *list = json_array();
		char where[128];

		for (size_t k = 0; k <= lists[i].max; k++)
			json_array_append_new(list, json_object());
		json_object_set_new(document, lists[i].key, list);
		snprintf(where, sizeof(where), "%s: has %zu entries, at most %zu", lists[i].key, lists[i].max + 1,
			lists[i].max);
		assert_wrong(document, where);
	}
}

/* ---- trust ------------------------------------------------------------------------------------------------- */

/* One host of the document is @impostor; the others stay peers */
static void assert_refused(const struct member *impostor, time_t now, const char *why)
{
	json_t *document = good();
	struct error error = { "" };
	struct topology t;

	json_array_set_new(json_object_get(document, "hosts"), 1, host_json(impostor));
	if (topology_parse(document, ca, "me", now, &t, &error) != 0)
		fail_msg("%s", error.text);
	if (!strstr(t.hosts[1].refused, why))
		fail_msg("refused with \"%s\", not for %s", t.hosts[1].refused, why);
	assert_int_equal(t.hosts_count, HOSTS);
	if (now == NOW && !strstr(why, "same"))
		assert_string_equal(t.hosts[0].refused, "");
	topology_fini(&t);
	json_decref(document);
}

static void forged_hosts_are_refused_with_the_reason(void **state)
{
	struct member impostor = { 0 };
	char text[sizeof(members[0].tunnel_sig)], nothing[1] = "";

	(void)state;
	enrol(&impostor, "h1", other_ca_key, other_ca);
	assert_refused(&impostor, NOW, "not signed by this fabric's CA");
	discharge(&impostor);

	impostor = members[1]; /* another host's certificate, and its signature under a name of its own */
	impostor.certificate = members[0].certificate;
	assert_refused(&impostor, NOW, "another host's");
	impostor = members[1];
	memcpy(impostor.tunnel_sig, members[0].tunnel_sig, sizeof(text));
	assert_refused(&impostor, NOW, "not signed by its certificate");
	impostor = members[1];
	memcpy(impostor.tunnel_key, members[0].tunnel_key, sizeof(impostor.tunnel_key));
	assert_refused(&impostor, NOW, "not signed by its certificate");
	impostor = members[1];
	sign(&impostor, "h0", &impostor.tunnel.public);
	assert_refused(&impostor, NOW, "not signed by its certificate");
	impostor = members[1];
	impostor.certificate = ca;
	assert_refused(&impostor, NOW, "not signed by this fabric's CA");
	impostor.certificate = nothing;
	assert_refused(&impostor, NOW, "not signed by this fabric's CA");
	impostor = members[1];
	impostor.tunnel_key[3] = '!';
	assert_refused(&impostor, NOW, "is not 32 bytes");
	impostor = members[1];
	impostor.tunnel_key[4] = '\0';
	assert_refused(&impostor, NOW, "is not 32 bytes");
	impostor = members[1];
	impostor.tunnel_sig[0] = '\0';
	assert_refused(&impostor, NOW, "not signed by its certificate");
	assert_refused(&members[1], NOW - 86400, "not valid now");
	assert_refused(&members[1], (time_t)NOW + 6 * 365 * 86400, "not valid now");
}

static void every_bit_of_a_signature_counts(void **state)
{
	(void)state;
	for (unsigned int i = 0; i < IDENTITY_SIGNATURE_BYTES; i++) {
		struct member impostor = members[1];
		uint8_t signature[IDENTITY_SIGNATURE_BYTES];

		assert_true(base64_decode(impostor.tunnel_sig, signature, sizeof(signature)));
		signature[i] ^= (uint8_t)(1U << i % 8);
		base64_encode(signature, sizeof(signature), impostor.tunnel_sig);
		assert_refused(&impostor, NOW, "not signed by its certificate");
	}
}

/* An enrolled host that signs another's public key as its own does not take that host's place */
static void a_key_that_two_hosts_claim_is_nobodys(void **state)
{
	struct member thief = members[1];
	json_t *document = good();
	struct error error;
	struct topology t;

	(void)state;
	sign(&thief, "h1", &members[0].tunnel.public);
	json_array_set_new(json_object_get(document, "hosts"), 1, host_json(&thief));
	assert_int_equal(parse(document, &t, &error), 0);
	assert_string_equal(t.hosts[0].refused, "it has the same tunnel key as h1");
	assert_string_equal(t.hosts[1].refused, "it has the same tunnel key as h0");
	assert_string_equal(t.hosts[2].refused, "");
	topology_fini(&t);
	json_decref(document);
	/* but only one that is a host at all can do that */
	thief.tunnel_sig[0] = '\0';
	document = good();
	json_array_set_new(json_object_get(document, "hosts"), 1, host_json(&thief));
	assert_int_equal(parse(document, &t, &error), 0);
	assert_string_equal(t.hosts[0].refused, "");
	topology_fini(&t);
	json_decref(document);
}

static int begin(void **state)
{
	(void)state;
	assert_int_equal(identity_ca_create("homelab", NOW, &ca_key, &ca), 0);
	assert_int_equal(identity_ca_create("homelab", NOW, &other_ca_key, &other_ca), 0);
	enrol(&members[0], "h0", ca_key, ca);
	enrol(&members[1], "h1", ca_key, ca);
	enrol(&members[2], "h2", ca_key, ca);
	return 0;
}

static int end(void **state)
{
	(void)state;
	for (unsigned int i = 0; i < HOSTS; i++)
		discharge(&members[i]);
	identity_pem_free(ca_key);
	identity_pem_free(ca);
	identity_pem_free(other_ca_key);
	identity_pem_free(other_ca);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_good_document),
		cmocka_unit_test(an_empty_one),
		cmocka_unit_test(every_member_missing_or_wrong),
		cmocka_unit_test(not_an_object),
		cmocka_unit_test(things_that_are_there_twice),
		cmocka_unit_test(more_than_is_served),
		cmocka_unit_test(forged_hosts_are_refused_with_the_reason),
		cmocka_unit_test(every_bit_of_a_signature_counts),
		cmocka_unit_test(a_key_that_two_hosts_claim_is_nobodys),
	};

	return cmocka_run_group_tests(tests, begin, end);
}
