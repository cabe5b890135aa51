/*
 * test_lab_put.c - random labs applied and deleted: the model, the ids and every host's topology against a naive count
 */
#include "controller/lab_put.h"
#include "controller/store/store_sqlite.h"
#include "controller/host_topology.h"
#include "lab/lab_document.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "tests/unit/controller/change_fixture.h"
#include "tests/unit/controller/store_fixture.h"

#define HOSTS 5
#define LABS 4
#define NETWORKS 3
#define PORTS 6
#define WIRES 2
#define ROUNDS 400

struct fixture {
	char dir[64];
	char path[96];
	struct store *store;
	struct model *model;
	json_t *touched; /* by the last commit */
	json_t *labs;    /* the naive model: name -> canonical lab */
	json_t *ids;     /* "network/lab/name" -> id, while it exists */
};

static void on_commit(void *ctx, const json_t *hosts, uint64_t rev)
{
	struct fixture *f = ctx;

	(void)rev;
	json_decref(f->touched);
	f->touched = json_deep_copy(hosts);
}

static void open_model(struct fixture *f)
{
	struct model_listener listener = { .ctx = f, .on_commit = on_commit };

	assert_int_equal(store_sqlite_open(f->path, false, NULL, &f->store), 0);
	assert_int_equal(model_new(f->store, &f->model), 0);
	model_listen(f->model, &listener);
}

static void put_host(struct store_txn *txn, int i, bool revoked)
{
	json_t *host = json_pack("{s:o, s:b, s:s, s:s, s:s, s:o, s:i}", "name", json_sprintf("h%d", i), "revoked",
		revoked, "certificate", "PEM", "tunnel_key", "K", "tunnel_sig", "S", "endpoint",
		json_sprintf("192.0.2.%d:4754", i + 1), "port", 4754);
	char key[32];

	snprintf(key, sizeof(key), "host/h%d", i);
	model_put(txn, key, host);
	json_decref(host);
}

static int set_up(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));
	struct store_txn txn;

	snprintf(f->dir, sizeof(f->dir), "%s/weft-apply-XXXXXX", access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp");
	assert_non_null(mkdtemp(f->dir));
	snprintf(f->path, sizeof(f->path), "%s/controller.db", f->dir);
	assert_int_equal(store_sqlite_open(f->path, true, NULL, &f->store), 0);
	store_txn_init(&txn);
	store_txn_put(&txn, "fabric", "{\"name\":\"homelab\",\"psk\":\"x\"}");
	for (int i = 0; i < HOSTS; i++)
		put_host(&txn, i, false);
	assert_int_equal(store_fixture_commit(f->store, &txn, NULL), 0);
	store_close(f->store);
	f->labs = json_object();
	f->ids = json_object();
	open_model(f);
	*state = f;
	return 0;
}

static int tear_down(void **state)
{
	struct fixture *f = *state;

	model_free(f->model);
	store_close(f->store);
	unlink(f->path);
	rmdir(f->dir);
	json_decref(f->touched);
	json_decref(f->labs);
	json_decref(f->ids);
	free(f);
	return 0;
}

static json_t *random_port(int lab, int port)
{
	return json_pack("{s:o, s:o, s:o}", "host", json_sprintf("h%d", rand() % HOSTS), "network",
		json_sprintf("n%d", rand() % NETWORKS), "attach", json_sprintf("tap:t%d-%d", lab, port));
}

static json_t *random_end(int lab, int wire, int end)
{
	return json_pack("{s:o, s:o}", "host", json_sprintf("h%d", rand() % HOSTS), "attach",
		json_sprintf("tap:w%d-%d-%d", lab, wire, end));
}

static json_t *random_lab(int lab)
{
	json_t *networks = json_object(), *ports = json_object(), *wires = json_object();
	char name[16];

	for (int i = 0; i < NETWORKS; i++) {
		snprintf(name, sizeof(name), "n%d", i);
		json_object_set_new(networks, name,
			json_pack("{s:i, s:b, s:o}", "mtu", 1500 + rand() % 2, "fragment", rand() % 2, "pass",
				rand() % 2 ? json_pack("[s]", "lldp") : json_array()));
	}
	for (int i = 0; i < PORTS; i++) {
		snprintf(name, sizeof(name), "p%d", i);
		if (rand() % 2)
			json_object_set_new(ports, name, random_port(lab, i));
	}
	for (int i = 0; i < WIRES; i++) {
		snprintf(name, sizeof(name), "w%d", i);
		if (rand() % 2)
			json_object_set_new(wires, name,
				json_pack("[o, o]", random_end(lab, i, 1), random_end(lab, i, 2)));
	}
	return json_pack("{s:o, s:o, s:o}", "networks", networks, "ports", ports, "wires", wires);
}

static struct lab decoded(const char *name, const json_t *document)
{
	struct fault fault = { .status = 0 };
	struct lab lab;

	if (!lab_decode(document, name, &lab, &fault))
		fail_msg("%s: %s", fault.where, fault.message);
	return lab;
}

/* {name: item} of all networks of a lab, or of all its ports */
static json_t *items_of(const char *name, const json_t *document, enum model_kind kind)
{
	struct lab lab = decoded(name, document);
	json_t *out = json_object();

	for (uint32_t i = 0; kind == MODEL_NETWORK && i < lab.networks_count; i++)
		json_object_set_new(out, lab.networks[i].name, lab_network_item(&lab.networks[i]));
	for (uint32_t i = 0; kind == MODEL_PORT && i < lab.ports_count; i++)
		json_object_set_new(out, lab.ports[i].name, lab_port_item(&lab.ports[i]));
	lab_fini(&lab);
	return out;
}

/* Every object of every lab is in the model, nothing else is, ids are unique and stay */
static void check_kind(struct fixture *f, enum model_kind kind)
{
	json_t *all = (json_t *)model_all(f->model, kind), *lab, *want, *seen = json_object(), *alive = json_object();
	const char *lab_name, *name;
	size_t count = 0;
	void *next;

	json_object_foreach(f->labs, lab_name, lab) {
		json_t *objects = items_of(lab_name, lab, kind);

		json_object_foreach(objects, name, want) {
			char key[160], id_key[200], id_text[24];
			json_t *have, *known, *rest;

			snprintf(key, sizeof(key), "%s/%s", lab_name, name);
			have = json_object_get(all, key);
			assert_non_null(have);
			snprintf(id_text, sizeof(id_text), "%d", (int)json_integer_value(json_object_get(have, "id")));
			assert_null(json_object_get(seen, id_text));
			json_object_set_new(seen, id_text, json_true());
			snprintf(id_key, sizeof(id_key), "%s%s", model_prefix(kind), key);
			known = json_object_get(f->ids, id_key);
			assert_true(!known || json_equal(known, json_object_get(have, "id")));
			json_object_set(alive, id_key, json_object_get(have, "id"));
			rest = json_copy(have);
			json_object_del(rest, "id");
			json_object_del(rest, "network_id");
			json_object_del(want, "id");
			json_object_del(want, "network_id");
			assert_true(json_equal(rest, want));
			json_decref(rest);
			count++;
		}
		json_decref(objects);
	}
	assert_int_equal(count, json_object_size(all));
	json_object_foreach(alive, name, want)
		json_object_set(f->ids, name, want);
	json_object_foreach_safe(f->ids, next, name, want)
	{
		if (strncmp(name, model_prefix(kind), strlen(model_prefix(kind))) == 0 && !json_object_get(alive, name))
			json_object_del(f->ids, name);
	}
	json_decref(seen);
	json_decref(alive);
}

/* Of all ports: those on @network of @lab that @host has, or others have */
static size_t count_ports(struct fixture *f, const char *lab, const char *network, const char *host, bool own)
{
	const char *key;
	json_t *port;
	size_t count = 0;

	json_object_foreach((json_t *)model_all(f->model, MODEL_PORT), key, port) {
		bool is_own = strcmp(json_string_value(json_object_get(port, "host")), host) == 0;

		count += is_own == own && strcmp(json_string_value(json_object_get(port, "lab")), lab) == 0 &&
			strcmp(json_string_value(json_object_get(port, "network")), network) == 0;
	}
	return count;
}

static void check_topology(struct fixture *f, const char *host)
{
	json_t *document = host_topology_of(f->model, host), *network, *item, *names = json_object();
	size_t own = 0, others = 0, networks = 0, i;
	const char *key;

	json_object_foreach((json_t *)model_all(f->model, MODEL_NETWORK), key, network) {
		const char *lab = json_string_value(json_object_get(network, "lab"));
		const char *name = json_string_value(json_object_get(network, "name"));
		size_t mine = count_ports(f, lab, name, host, true);

		own += mine;
		others += mine ? count_ports(f, lab, name, host, false) : 0;
		networks += mine > 0;
	}
	assert_int_equal(json_array_size(json_object_get(document, "networks")), networks);
	assert_int_equal(json_array_size(json_object_get(document, "ports")), own);
	assert_int_equal(json_array_size(json_object_get(document, "remote_ports")), others);
	json_array_foreach(json_object_get(document, "remote_ports"), i, item)
		json_object_set_new(names, json_string_value(json_object_get(item, "host")), json_true());
	assert_null(json_object_get(names, host));
	assert_int_equal(json_array_size(json_object_get(document, "hosts")), json_object_size(names));
	json_array_foreach(json_object_get(document, "hosts"), i, item)
		assert_non_null(json_object_get(names, json_string_value(json_object_get(item, "name"))));
	json_decref(names);
	json_decref(document);
}

static json_t *topologies(struct fixture *f)
{
	json_t *out = json_object();
	char host[8];

	for (int i = 0; i < HOSTS; i++) {
		snprintf(host, sizeof(host), "h%d", i);
		json_object_set_new(out, host, host_topology_of(f->model, host));
	}
	return out;
}

static json_t *random_change(struct fixture *f)
{
	int lab = rand() % LABS;
	struct fault fault = { 0 };
	json_t *in, *out;
	char name[16];

	snprintf(name, sizeof(name), "l%d", lab);
	if (rand() % 4 == 0) {
		bool there = json_object_get(f->labs, name) != NULL;

		out = lab_fixture(f->model, name, NULL, &fault);
		assert_int_equal(out != NULL, there);
		json_object_del(f->labs, name);
		return out;
	}
	in = random_lab(lab);
	out = lab_fixture(f->model, name, in, &fault);
	if (!out)
		fail_msg("%s: %s", fault.where, fault.message);
	json_object_set(f->labs, name, json_object_get(model_lab(f->model, name), "lab"));
	json_decref(in);
	return out;
}

static void random_labs(void **state)
{
	struct fixture *f = *state;

	srand(23);
	for (int round = 0; round < ROUNDS; round++) {
		json_t *before = topologies(f), *after, *answer = random_change(f), *document;
		const char *host;

		check_kind(f, MODEL_NETWORK);
		check_kind(f, MODEL_PORT);
		after = topologies(f);
		json_object_foreach(after, host, document) {
			/* whoever has to hear of it was named, and whoever has to be waited for */
			if (!json_equal(document, json_object_get(before, host)))
				assert_non_null(json_object_get(f->touched, host));
			check_topology(f, host);
		}
		json_decref(before);
		json_decref(answer);
		if (round % 50 == 0) {
			model_free(f->model);
			store_close(f->store);
			open_model(f);
			before = topologies(f);
			assert_true(json_equal(before, after));
			json_decref(before);
		}
		json_decref(after);
	}
}

static void same_lab_again(void **state)
{
	struct fixture *f = *state;
	struct fault fault = { 0 };
	json_t *lab, *empty, *first, *second;

	srand(5);
	lab = random_lab(0);
	first = lab_fixture(f->model, "l0", lab, &fault);
	empty = json_object();
	json_decref(lab_fixture(f->model, "l1", empty, &fault));
	json_decref(empty);
	second = lab_fixture(f->model, "l0", lab, &fault);
	assert_true(json_is_true(json_object_get(first, "changed")));
	assert_true(json_is_false(json_object_get(second, "changed")));
	assert_true(json_equal(json_object_get(first, "rev"), json_object_get(second, "rev")));
	assert_true(json_equal(json_object_get(first, "hosts"), json_object_get(second, "hosts")));
	json_decref(lab);
	json_decref(first);
	json_decref(second);
}

/* One bad port and nothing of the lab is there */
static void all_or_nothing(void **state)
{
	struct fixture *f = *state;
	struct fault fault = { 0 };
	json_t *lab = random_lab(0);
	uint64_t rev = model_rev(f->model);

	json_object_set_new(json_object_get(lab, "ports"), "zz",
		json_pack("{s:s, s:s, s:s}", "host", "h9", "network", "n0", "attach", "tap:zz"));
	assert_null(lab_fixture(f->model, "l0", lab, &fault));
	assert_string_equal(fault.where, "ports.zz.host");
	assert_int_equal(model_rev(f->model), rev);
	assert_int_equal(json_object_size(model_all(f->model, MODEL_NETWORK)), 0);
	assert_null(model_lab(f->model, "l0"));
	json_decref(lab);
}

static void apply_network(struct fixture *f, const char *options)
{
	json_t *lab = json_pack("{s:{s:o}, s:{s:{s:s, s:s, s:s}}}", "networks", "n", json_loads(options, 0, NULL),
		"ports", "a", "host", "h0", "network", "n", "attach", "tap:a");
	struct fault fault = { 0 };
	json_t *answer;

	json_object_clear(f->touched);
	answer = lab_fixture(f->model, "l0", lab, &fault);
	assert_true(json_is_true(json_object_get(answer, "changed")));
	assert_non_null(json_object_get(f->touched, "h0"));
	json_decref(answer);
	json_decref(lab);
}

static void check_options(struct fixture *f, const char *fragment_and_pass)
{
	static const char *const others[] = { "id", "lab", "name", "mode", "mtu", "hosts" };
	json_t *document = host_topology_of(f->model, "h0"), *want = json_loads(fragment_and_pass, 0, NULL);
	json_t *network = json_array_get(json_object_get(document, "networks"), 0);

	for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++)
		assert_int_equal(json_object_del(network, others[i]), 0);
	assert_true(json_equal(network, want));
	json_decref(document);
	json_decref(want);
}

/* Options alone are a change, and the hosts of the network hear of it */
static void options_reach_hosts(void **state)
{
	struct fixture *f = *state;
	json_int_t id;

	apply_network(f, "{}");
	check_options(f, "{\"fragment\":true,\"pass\":[]}");
	id = json_integer_value(json_object_get(json_object_get(model_all(f->model, MODEL_NETWORK), "l0/n"), "id"));
	apply_network(f, "{\"fragment\":false}");
	check_options(f, "{\"fragment\":false,\"pass\":[]}");
	apply_network(f, "{\"pass\":[\"lldp\",\"stp\"]}");
	check_options(f, "{\"fragment\":true,\"pass\":[\"stp\",\"lldp\"]}");
	apply_network(f, "{\"mode\":\"hub\",\"fragment\":false}");
	check_options(f, "{\"fragment\":false}");
	assert_non_null(model_network_by_id(f->model, (uint32_t)id));
}

/* Ids of what was deleted are given out last */
static void ids_are_not_reused_soon(void **state)
{
	struct fixture *f = *state;
	struct fault fault = { 0 };
	json_t *lab = json_pack("{s:{s:{}}}", "networks", "n");
	json_int_t last = 0;

	for (int i = 0; i < 20; i++) {
		const json_t *network;
		json_int_t id;

		json_decref(lab_fixture(f->model, "l0", lab, &fault));
		network = json_object_get(model_all(f->model, MODEL_NETWORK), "l0/n");
		id = json_integer_value(json_object_get(network, "id"));
		assert_true(id == last + 1);
		last = id;
		json_decref(lab_fixture(f->model, "l0", NULL, &fault));
	}
	json_decref(lab);
}

/* At the end of the space it goes on from 1, round those that are in use */
static void ids_wrap(void **state)
{
	struct fixture *f = *state;
	struct fault fault = { 0 };
	json_t *one = json_pack("{s:{s:{}}}", "networks", "n"),
	       *two = json_pack("{s:{s:{}, s:{}}}", "networks", "a", "b");
	struct store_txn txn;

	json_decref(lab_fixture(f->model, "l0", one, &fault));
	store_txn_init(&txn);
	store_txn_put(&txn, "ids", "{\"network\":16777214,\"port\":0}");
	assert_int_equal(store_fixture_commit(f->store, &txn, NULL), 0);
	json_decref(lab_fixture(f->model, "l1", two, &fault));
	assert_non_null(model_network_by_id(f->model, 1));
	assert_non_null(model_network_by_id(f->model, 2));
	assert_non_null(model_network_by_id(f->model, NETWORK_ID_MAX));
	json_decref(one);
	json_decref(two);
}

static void revoked_hosts_are_left_out(void **state)
{
	struct fixture *f = *state;
	struct fault fault = { 0 };
	json_t *lab = json_pack("{s:{s:{}}, s:{s:{s:s,s:s,s:s}, s:{s:s,s:s,s:s}}}", "networks", "n", "ports", "a",
		"host", "h0", "network", "n", "attach", "tap:a", "b", "host", "h1", "network", "n", "attach", "tap:b");
	json_t *document, *answer;
	struct store_txn txn;

	json_decref(lab_fixture(f->model, "l0", lab, &fault));
	document = host_topology_of(f->model, "h0");
	assert_int_equal(json_array_size(json_object_get(document, "hosts")), 1);
	json_decref(document);
	store_txn_init(&txn);
	put_host(&txn, 1, true);
	assert_int_equal(store_fixture_commit(f->store, &txn, NULL), 0);
	assert_non_null(json_object_get(f->touched, "h0"));
	document = host_topology_of(f->model, "h0");
	assert_int_equal(json_array_size(json_object_get(document, "hosts")), 0);
	assert_int_equal(json_array_size(json_object_get(document, "remote_ports")), 0);
	assert_int_equal(json_array_size(json_object_get(document, "ports")), 1);
	json_decref(document);
	assert_null(lab_fixture(f->model, "l0", lab, &fault));
	assert_string_equal(fault.where, "ports.b.host");
	answer = lab_fixture(f->model, "l0", NULL, &fault);
	assert_int_equal(json_array_size(json_object_get(answer, "hosts")), 1);
	json_decref(answer);
	json_decref(lab);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(random_labs, set_up, tear_down),
		cmocka_unit_test_setup_teardown(same_lab_again, set_up, tear_down),
		cmocka_unit_test_setup_teardown(all_or_nothing, set_up, tear_down),
		cmocka_unit_test_setup_teardown(options_reach_hosts, set_up, tear_down),
		cmocka_unit_test_setup_teardown(ids_are_not_reused_soon, set_up, tear_down),
		cmocka_unit_test_setup_teardown(ids_wrap, set_up, tear_down),
		cmocka_unit_test_setup_teardown(revoked_hosts_are_left_out, set_up, tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
