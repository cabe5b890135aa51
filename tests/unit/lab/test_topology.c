/*
 * test_topology.c - the agent's document: what a good one becomes, what is written reads the same, and every way in which
 * one may be wrong
 */
#include "lab/topology.h"

#include "tests/unit/lab/random_document.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define HOSTS 3U
#define SEEDS 200U

/* longer than any attachment: 130 bytes */
#define LONG13 "0123456789abc"
#define LONG LONG13 LONG13 LONG13 LONG13 LONG13 LONG13 LONG13 LONG13 LONG13 LONG13

static json_t *host_json(const char *name)
{
	return json_pack("{s:s, s:[s, s], s:s, s:s, s:s}", "name", name, "endpoints", "203.0.113.9:4754", "2001:db8::9",
		"tunnel_key", "K", "tunnel_sig", "S", "certificate", "PEM");
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
	json_array_append_new(hosts, host_json("h0"));
	json_array_append_new(hosts, host_json("h1"));
	json_array_append_new(hosts, host_json("h2"));
	json_object_set_new(document, "hosts", hosts);
	return document;
}

static int decode(const json_t *document, struct topology *out, struct error *error)
{
	return topology_decode(document, "me", out, error);
}

/* ---- good ones --------------------------------------------------------------------------------------------- */

static void check_ports(const struct topology *t)
{
	assert_int_equal(t->ports_count, 3);
	assert_true(t->ports[0].create && value_mac_given(&t->ports[0].mac));
	assert_int_equal(t->ports[0].vlan.mode, VLAN_ACCESS);
	assert_int_equal(t->ports[0].vlan.access, 10);
	assert_int_equal(t->ports[0].ip.count, 1);
	assert_string_equal(t->ports[0].network, "mgmt");
	assert_string_equal(t->ports[0].host, "me");
	assert_string_equal(t->ports[1].attach, "tap:esx-nic0");
	assert_int_equal(t->ports[1].vlan.mode, VLAN_TRUNK_ALL);
	assert_int_equal(t->ports[2].id, UINT32_MAX);
	assert_int_equal(t->ports[2].vlan.mode, VLAN_TRUNK_LIST);
	assert_int_equal(t->remotes_count, 2);
	assert_string_equal(t->remotes[0].host, "h2");
	assert_int_equal(vlan_policy_access(&t->remotes[0].vlan), 10);
	assert_false(value_mac_given(&t->remotes[1].mac));
	assert_string_equal(t->remotes[1].network, "mgmt");
}

static void a_good_document(void **state)
{
	json_t *document = good();
	struct error error = { "" };
	struct topology t;

	(void)state;
	if (decode(document, &t, &error) != 0)
		fail_msg("%s", error.text);
	assert_int_equal(t.rev, 42);
	assert_string_equal(t.fabric, "homelab");
	assert_int_equal(t.hosts_count, HOSTS);
	assert_string_equal(t.hosts[1].name, "h1");
	assert_string_equal(t.hosts[1].certificate, "PEM");
	assert_int_equal(t.hosts[1].endpoints_count, 2);
	assert_int_equal(t.hosts[1].endpoints[1].port, UDP_PORT_DEFAULT);
	assert_int_equal(t.networks_count, 3);
	assert_int_equal(t.networks[0].hosts_count, 2);
	assert_int_equal(t.networks[0].hosts[1], 2);
	assert_true(t.networks[0].network.fragment);
	assert_int_equal(t.networks[1].network.mode, NETWORK_HUB);
	assert_int_equal(t.networks[2].network.mode, NETWORK_WIRE);
	assert_int_equal(t.networks[2].network.mtu_bytes, 9216);
	check_ports(&t);
	topology_fini(&t);
	json_decref(document);
}

static void an_empty_one(void **state)
{
	json_t *document = json_pack("{s:i, s:s}", "rev", 0, "host", "me");
	struct error error;
	struct topology t;

	(void)state;
	assert_int_equal(decode(document, &t, &error), 0);
	assert_int_equal(t.hosts_count + t.networks_count + t.ports_count + t.remotes_count, 0);
	topology_fini(&t);
	json_decref(document);
}

/* A newer controller says more than we know */
static void what_is_not_known_is_skipped(void **state)
{
	json_t *document = good();
	struct error error;
	struct topology t;

	(void)state;
	json_object_set_new(document, "weather", json_string("fine"));
	json_object_set_new(json_array_get(json_object_get(document, "ports"), 0), "colour", json_string("red"));
	json_object_set_new(json_array_get(json_object_get(document, "networks"), 0), "colour", json_null());
	json_object_set_new(json_array_get(json_object_get(document, "ports"), 1), "mac", json_null());
	assert_int_equal(decode(document, &t, &error), 0);
	topology_fini(&t);
	json_decref(document);
}

/* ---- written and read again -------------------------------------------------------------------------------- */

/* A document as the controller makes it for host h0, out of a random lab's items */
static json_t *random_topology(void)
{
	json_t *in = random_document(), *hosts = json_array(), *networks = json_array(), *ports = json_array(),
	       *remotes = json_array(), *out;
	struct fault fault = { .status = 0 };
	struct lab lab;

	if (!lab_decode(in, "x", &lab, &fault))
		fail_msg("%s: %s", fault.where, fault.message);
	for (uint32_t i = 0; i < lab.networks_count; i++) {
		json_t *item, *others = json_array();

		lab.networks[i].id = i + 1;
		item = lab_network_item(&lab.networks[i]);
		for (unsigned int k = 1; k < RANDOM_HOSTS; k++)
			if (rand() % 2)
				json_array_append_new(others, json_sprintf("h%u", k));
		json_array_append_new(networks, topology_network_part(item, others));
		json_decref(item);
	}
	for (uint32_t i = 0; i < lab.ports_count; i++) {
		struct lab_port *port = &lab.ports[i];
		bool own = strcmp(port->host, "h0") == 0;
		json_t *item;

		port->id = 100 + i;
		port->network_id = lab_network(&lab, port->network)->id;
		item = lab_port_item(port);
		json_array_append_new(own ? ports : remotes, topology_port_part(item, own));
		json_decref(item);
	}
	for (unsigned int k = 1; k < RANDOM_HOSTS; k++) {
		char name[8];

		snprintf(name, sizeof(name), "h%u", k);
		json_array_append_new(hosts, host_json(name));
		json_array_set_new(json_object_get(json_array_get(hosts, k - 1), "endpoints"), 1,
			json_string("[2001:db8::9]:4754"));
	}
	lab_fini(&lab);
	json_decref(in);
	out = topology_document("homelab", "h0", hosts, networks, ports, remotes);
	json_object_set_new(out, "rev", json_integer(rand()));
	if (rand() % 2)
		json_object_set_new(out, "hash",
			json_string("0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"));
	return out;
}

static void what_is_written_reads_the_same(void **state)
{
	(void)state;
	for (unsigned int seed = 0; seed < SEEDS; seed++) {
		json_t *document, *again;
		struct error error;
		struct topology t;
		char *one, *other;

		srand(seed);
		document = random_topology();
		if (topology_decode(document, "h0", &t, &error) != 0)
			fail_msg("%s", error.text);
		again = topology_encode(&t);
		one = json_dumps(document, JSON_COMPACT | JSON_SORT_KEYS);
		other = json_dumps(again, JSON_COMPACT | JSON_SORT_KEYS);
		assert_string_equal(one, other);
		free(one);
		free(other);
		json_decref(document);
		json_decref(again);
		topology_fini(&t);
	}
}

/* What a declared MAC's VLAN is, the others have to know */
static void a_remote_port_keeps_its_vlan(void **state)
{
	struct lab_port port, *remote;
	struct topology t = { .host = "h0" }, again;
	struct topology_network network = { .hosts_count = 0 };
	char said[] = "K";
	struct topology_host host = { .name = "h1", .tunnel_key = said, .tunnel_sig = said, .certificate = said };
	struct error error;
	json_t *document;

	(void)state;
	lab_network_init(&network.network);
	network.network.id = 5;
	snprintf(network.network.name, LAB_NAME_BYTES, "n");
	snprintf(network.network.lab, LAB_NAME_BYTES, "x");
	lab_port_init(&port);
	port.id = 7;
	port.network_id = 5;
	snprintf(port.lab, LAB_NAME_BYTES, "x");
	snprintf(port.name, LAB_NAME_BYTES, "p");
	snprintf(port.host, LAB_NAME_BYTES, "h1");
	port.vlan.mode = VLAN_ACCESS;
	port.vlan.access = 20;
	port.mac = (struct mac){ { 0x52, 0x54, 0, 0, 0, 0x0b } };
	t.networks = &network;
	t.hosts = &host;
	t.remotes = &port;
	t.networks_count = t.hosts_count = t.remotes_count = 1;
	document = topology_encode(&t);
	if (topology_decode(document, "h0", &again, &error) != 0)
		fail_msg("%s", error.text);
	assert_int_equal(again.remotes_count, 1);
	remote = again.remotes;
	assert_int_equal(vlan_policy_access(&remote->vlan), 20);
	assert_true(mac_equal(&remote->mac, &port.mac));
	topology_fini(&again);
	json_decref(document);
}

static void every_cut_is_refused(void **state)
{
	json_t *document;
	char *text;

	(void)state;
	srand(3);
	document = random_topology();
	text = json_dumps(document, JSON_COMPACT | JSON_SORT_KEYS);
	for (size_t len = 0; len < strlen(text); len++) {
		json_t *cut = json_loadb(text, len, JSON_DECODE_ANY, NULL);
		struct error error;
		struct topology t;

		if (cut)
			assert_int_equal(topology_decode(cut, "h0", &t, &error), -EINVAL);
		json_decref(cut);
	}
	free(text);
	json_decref(document);
}

/* The error names the value, or what it is in: a host's name is told by who refers to it */
static void error_names(void *ctx, const json_t *document, const char *where)
{
	struct error error = { "" };
	struct topology t;

	(void)ctx;
	if (topology_decode(document, "h0", &t, &error) == 0)
		fail_msg("%s is wrong, and was taken", where);
	if (!strncmp(error.text, "topology: ", 10) && !strncmp(error.text + 10, where, strcspn(where, ".[")))
		return;
	fail_msg("%s is wrong, and the error is %s", where, error.text);
}

static void a_wrong_value_is_named_by_its_place(void **state)
{
	json_t *wrong = json_real(1.5);

	(void)state;
	for (unsigned int seed = 0; seed < 10; seed++) {
		json_t *document;

		srand(seed);
		document = random_topology();
		each_value_wrong(document, document, "", wrong, error_names, NULL);
		json_decref(document);
	}
	json_decref(wrong);
}

/* ---- wrong ones -------------------------------------------------------------------------------------------- */

/* The error says @place.  @document is consumed */
static void assert_wrong(json_t *document, const char *place)
{
	struct error error = { "" };
	struct topology t;

	if (decode(document, &t, &error) == 0)
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
	{ "", "hash", "hash", false, { "1", "\"\"", "\"xyz\"", "{}" } },
	{ "", "host", "host", true, { "1", "\"him\"", "\"\"", "{}" } },
	{ "", "hosts", "hosts", false, { "{}", "1", "\"h0\"", "[1]", "[[]]" } },
	{ "", "networks", "networks", false, { "{}", "true", "[{}]", "[null]" } },
	{ "", "ports", "ports", false, { "{}", "1.0", "[{}]", "[\"a\"]" } },
	{ "", "remote_ports", "remote_ports", false,
		{ "{}", "1", "[{\"mac\": 5}]", "[{\"mac\": \"52:54:00:00:00:0b\"}]" } },
	{ "hosts", "name", "hosts[0].name", true, { "1", "\"\"", "\"UPPER\"", "\"-a\"", "\"me\"", "\"a b\"" } },
	{ "networks", "fragment", "networks[0].fragment", false, { "1", "\"no\"" } },
	{ "networks", "pass", "networks[0].pass", false, { "1", "[1]", "[\"eapol\"]", "\"lldp\"" } },
	{ "hosts", "tunnel_key", "hosts[0].tunnel_key", true, { "1", "[]" } },
	{ "hosts", "tunnel_sig", "hosts[0].tunnel_sig", true, { "1", "{}" } },
	{ "hosts", "certificate", "hosts[0].certificate", true, { "1", "false" } },
	{ "hosts", "endpoints", "hosts[0].endpoints", false,
		{ "\"203.0.113.9\"", "[1]", "[\"host.example\"]", "[\"1.2.3.4:0\"]" } },
	{ "networks", "id", "networks[0].id", true, { "-1", "16777216", "\"17\"" } },
	{ "networks", "mode", "networks[0].mode", false, { "\"router\"", "1", "\"\"" } },
	{ "networks", "mtu", "networks[0].mtu", false, { "575", "9217", "\"1500\"", "1500.0" } },
	{ "networks", "lab", "networks[0].lab", true, { "1", "\"\"", "\"a\\nb\"", "\"\\u00e9\"" } },
	{ "networks", "name", "networks[0].name", true, { "1", "\"\"", "\"a b\"", "\"\\u001b[2J\"" } },
	{ "networks", "hosts", "networks[0].hosts", false, { "1", "[\"nobody\"]", "[1]", "{}" } },
	{ "ports", "id", "ports[0].id", true, { "-1", "4294967296", "\"5\"" } },
	{ "ports", "network", "ports[0].network", true, { "19", "-1", "\"17\"" } },
	{ "ports", "lab", "ports[0].lab", true, { "1", "\"\"" } },
	{ "ports", "name", "ports[0].name", true, { "1", "\"\"", "\"\\n\"" } },
	{ "ports", "attach", "ports[0].attach", true, { "1", "\"\"", "\"bridge:a b\"", "\"bridge:" LONG "\"" } },
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
	assert_int_equal(decode(list, &t, &error), -EINVAL);
	assert_int_equal(decode(NULL, &t, &error), -EINVAL);
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
		{ "remote_ports", REMOTE_PORTS_MAX } };

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

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_good_document),
		cmocka_unit_test(an_empty_one),
		cmocka_unit_test(what_is_not_known_is_skipped),
		cmocka_unit_test(what_is_written_reads_the_same),
		cmocka_unit_test(a_remote_port_keeps_its_vlan),
		cmocka_unit_test(every_cut_is_refused),
		cmocka_unit_test(a_wrong_value_is_named_by_its_place),
		cmocka_unit_test(every_member_missing_or_wrong),
		cmocka_unit_test(not_an_object),
		cmocka_unit_test(things_that_are_there_twice),
		cmocka_unit_test(more_than_is_served),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
