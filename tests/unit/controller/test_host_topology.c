/*
 * test_host_topology.c - what one host is told: who its neighbours are, where they are, and the same each time
 */
#include "controller/host_topology.h"

#include "base/addr.h"
#include "base/json.h"
#include "controller/store/store_memory.h"
#include "lab/topology.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tests/unit/controller/change_fixture.h"
#include "tests/unit/controller/store_fixture.h"

#define HOSTS 4

static struct store *store;
static struct model *model;

static void put_host(int i, bool revoked)
{
	json_t *host = json_pack("{s:o, s:b, s:s, s:s, s:s, s:o, s:i}", "name", json_sprintf("h%d", i), "revoked",
		revoked, "certificate", "PEM", "tunnel_key", "K", "tunnel_sig", "S", "endpoint",
		json_sprintf("192.0.2.%d:4754", i + 1), "port", 4754);
	struct store_txn txn;
	char key[32];

	snprintf(key, sizeof(key), "host/h%d", i);
	store_txn_init(&txn);
	model_put(&txn, key, host);
	assert_int_equal(store_fixture_commit(store, &txn, NULL), 0);
	json_decref(host);
}

/* The last host comes first */
static int set_up(void **state)
{
	struct store_txn txn;

	(void)state;
	store = store_memory_new(NULL, NULL);
	store_txn_init(&txn);
	store_txn_put(&txn, "fabric", "{\"name\":\"homelab\",\"psk\":\"x\"}");
	assert_int_equal(store_fixture_commit(store, &txn, NULL), 0);
	assert_int_equal(model_new(store, &model), 0);
	for (int i = HOSTS - 1; i >= 0; i--)
		put_host(i, false);
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	model_free(model);
	store_close(store);
	return 0;
}

static void apply(const char *lab, const char *text)
{
	json_t *in = json_loads(text, 0, NULL), *out;
	struct fault fault = { 0 };

	assert_non_null(in);
	out = lab_fixture(model, lab, in, &fault);
	if (!out)
		fail_msg("%s: %s", fault.where, fault.message);
	json_decref(out);
	json_decref(in);
}

/* h0 meets h2 and h1 on one network and h2 again on another; h3 is on a third with h2 alone */
static void apply_three_networks(void)
{
	apply("l0",
		"{\"networks\":{\"a\":{},\"b\":{},\"c\":{}},\"ports\":{"
		"\"p0\":{\"host\":\"h0\",\"network\":\"a\",\"attach\":\"tap:p0\"},"
		"\"p1\":{\"host\":\"h2\",\"network\":\"a\",\"attach\":\"tap:p1\"},"
		"\"p2\":{\"host\":\"h1\",\"network\":\"a\",\"attach\":\"tap:p2\"},"
		"\"p3\":{\"host\":\"h0\",\"network\":\"b\",\"attach\":\"tap:p3\"},"
		"\"p4\":{\"host\":\"h2\",\"network\":\"b\",\"attach\":\"tap:p4\"},"
		"\"p5\":{\"host\":\"h2\",\"network\":\"c\",\"attach\":\"tap:p5\"},"
		"\"p6\":{\"host\":\"h3\",\"network\":\"c\",\"attach\":\"tap:p6\"}}}");
}

static void assert_neighbours(const char *host, const char *want)
{
	json_t *got = host_topology_neighbours(model, host);
	char *text = json_dumps(got, JSON_COMPACT);

	assert_string_equal(text, want);
	free(text);
	json_decref(got);
}

static void neighbours(void **state)
{
	(void)state;
	assert_neighbours("h0", "[]");
	apply_three_networks();
	assert_neighbours("h0", "[\"h1\",\"h2\"]");
	assert_neighbours("h1", "[\"h0\",\"h2\"]");
	assert_neighbours("h2", "[\"h0\",\"h1\",\"h3\"]");
	assert_neighbours("h3", "[\"h2\"]");
	assert_neighbours("nobody", "[]");
	put_host(2, true);
	assert_neighbours("h0", "[\"h1\"]");
	assert_neighbours("h3", "[]");
}

static void assert_names(const json_t *list, const char *const *want, size_t count)
{
	assert_int_equal(json_array_size(list), count);
	for (size_t i = 0; i < count; i++)
		assert_string_equal(json_text_of(json_array_get(list, i), "name"), want[i]);
}

static void what_a_host_is_told(void **state)
{
	static const char *const hosts[] = { "h1", "h2" }, *const networks[] = { "a", "b" },
				 *const ports[] = { "p0", "p3" }, *const remotes[] = { "p1", "p2", "p4" };
	json_t *document;

	(void)state;
	assert_null(host_topology_of(model, "nobody"));
	apply_three_networks();
	document = host_topology_of(model, "h0");
	assert_string_equal(json_text_of(document, "fabric"), "homelab");
	assert_string_equal(json_text_of(document, "host"), "h0");
	assert_names(json_object_get(document, "hosts"), hosts, 2);
	assert_names(json_object_get(document, "networks"), networks, 2);
	assert_names(json_object_get(document, "ports"), ports, 2);
	assert_names(json_object_get(document, "remote_ports"), remotes, 3);
	assert_null(json_object_get(document, "rev"));
	json_decref(document);
}

static char *text_of(const char *host)
{
	json_t *document = host_topology_of(model, host);
	char *text = json_dumps(document, JSON_SORT_KEYS);

	assert_non_null(text);
	json_decref(document);
	return text;
}

/* In whichever order the model came by its content */
static void the_same_content_is_the_same_text(void **state)
{
	char *was[HOSTS], host[8];

	(void)state;
	apply_three_networks();
	for (int i = 0; i < HOSTS; i++) {
		snprintf(host, sizeof(host), "h%d", i);
		was[i] = text_of(host);
	}
	for (int i = 0; i < HOSTS; i++) {
		put_host(i, true);
		put_host(i, false);
	}
	apply("l1", "{\"networks\":{\"a\":{}}}"); /* nobody has a port on it */
	for (int restarts = 0; restarts < 2; restarts++) {
		for (int i = 0; i < HOSTS; i++) {
			char *now;

			snprintf(host, sizeof(host), "h%d", i);
			now = text_of(host);
			assert_string_equal(now, was[i]);
			free(now);
		}
		model_free(model);
		assert_int_equal(model_new(store, &model), 0);
	}
	for (int i = 0; i < HOSTS; i++)
		free(was[i]);
}

/* A MAC declared on an access port is told to the others in its VLAN: nowhere else is it that station */
static void remote_macs_carry_their_vlan(void **state)
{
	struct fault fault = { 0 };
	json_t *lab = json_pack("{s:{s:{}}, s:{s:{s:s,s:s,s:s}, s:{s:s,s:s,s:s,s:s,s:{s:i}}}}", "networks", "n",
		"ports", "a", "host", "h0", "network", "n", "attach", "tap:a", "b", "host", "h1", "network", "n",
		"attach", "tap:b", "mac", "52:54:00:00:00:0b", "vlan", "access", 20);
	json_t *document, *remote;
	struct topology topology;
	struct error error;

	(void)state;
	json_decref(lab_fixture(model, "l0", lab, &fault));
	document = host_topology_of(model, "h0");
	remote = json_array_get(json_object_get(document, "remote_ports"), 0);
	assert_int_equal(json_int_of(json_object_get(remote, "vlan"), "access"), 20);
	json_object_set_new(document, "rev", json_integer(1));
	if (topology_decode(document, "h0", &topology, &error) != 0)
		fail_msg("%s", error.text);
	assert_int_equal(topology.remotes_count, 1);
	assert_string_equal(topology.remotes[0].host, "h1");
	assert_int_equal(vlan_policy_access(&topology.remotes[0].vlan), 20);
	assert_true(value_mac_given(&topology.remotes[0].mac));
	topology_fini(&topology);
	json_decref(document);
	json_decref(lab);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(neighbours, set_up, tear_down),
		cmocka_unit_test_setup_teardown(what_a_host_is_told, set_up, tear_down),
		cmocka_unit_test_setup_teardown(the_same_content_is_the_same_text, set_up, tear_down),
		cmocka_unit_test_setup_teardown(remote_macs_carry_their_vlan, set_up, tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
