/*
 * test_network.c - what a network is built from, and what is refused
 */
#include "switch/network.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static struct network_spec spec_of(const struct network_port *ports, uint32_t ports_count, const uint32_t *peers,
	uint32_t peers_count)
{
	return (struct network_spec){
		.id = 17,
		.mode = NETWORK_SWITCH,
		.mtu_bytes = 1500,
		.lab = "two-sites",
		.name = "mgmt",
		.ports = ports,
		.ports_count = ports_count,
		.peers = peers,
		.peers_count = peers_count,
	};
}

static void assert_refused(const struct network_spec *spec)
{
	struct network *network = NULL;

	assert_int_equal(network_new(spec, &network), -EINVAL);
	assert_null(network);
}

static void keeps_what_it_was_given(void **state)
{
	const struct network_port ports[] = { { .id = 5 }, { .id = 70000 } };
	const uint32_t peers[] = { 3, 200, 3, 0 };
	struct network_spec spec = spec_of(ports, 2, peers, 4);
	struct network *network;

	(void)state;
	spec.pass = NETWORK_PASS_LLDP;
	assert_int_equal(network_new(&spec, &network), 0);
	assert_int_equal(network->id, 17);
	assert_int_equal(network->mtu_bytes, 1500);
	assert_int_equal(network->pass, NETWORK_PASS_LLDP);
	assert_string_equal(network->lab, "two-sites");
	assert_string_equal(network->name, "mgmt");
	assert_int_equal(network->ports_count, 2);
	assert_int_equal(network->peers_count, 3); /* once each */
	assert_ptr_equal(network_port_lookup(network, 5), &network->ports[0]);
	assert_ptr_equal(network_port_lookup(network, 70000), &network->ports[1]);
	assert_null(network_port_lookup(network, 6));
	network_free(network);
	network_free(NULL);
}

static void an_empty_one_is_fine(void **state)
{
	struct network_spec spec = spec_of(NULL, 0, NULL, 0);
	struct network *network;

	(void)state;
	assert_int_equal(network_new(&spec, &network), 0);
	assert_null(network_port_lookup(network, 0));
	assert_false(network_has_peer(network, 0));
	assert_false(network_has_peer(network, 65535));
	assert_false(network_has_peer(network, UINT32_MAX));
	network_free(network);
}

static void membership_matches_a_list(void **state)
{
	static struct network_port ports[300];
	static uint32_t peers[300];
	struct network_spec spec = spec_of(ports, 300, peers, 300);
	struct network *network;

	(void)state;
	srand(3);
	for (uint32_t i = 0; i < 300; i++) {
		ports[i].id = i * 7919;
		peers[i] = (uint32_t)rand() % 2000;
	}
	assert_int_equal(network_new(&spec, &network), 0);
	for (uint32_t slot = 0; slot < 3000; slot++) {
		bool member = false;

		for (uint32_t i = 0; i < 300; i++)
			member = member || peers[i] == slot;
		assert_int_equal(network_has_peer(network, slot), member);
	}
	for (uint32_t id = 0; id < 300 * 7919; id += 13) {
		const struct network_port *port = network_port_lookup(network, id);

		assert_int_equal(port != NULL, id % 7919 == 0);
		if (port)
			assert_int_equal(port->id, id);
	}
	network_free(network);
}

static void refuses_what_makes_no_sense(void **state)
{
	const struct network_port twice[] = { { .id = 5 }, { .id = 6 }, { .id = 5 } };
	const struct network_port access_none[] = { { .id = 5, .vlan = { .mode = VLAN_ACCESS, .access = 0 } } };
	const struct network_port access_high[] = { { .id = 5, .vlan = { .mode = VLAN_ACCESS, .access = 4095 } } };
	const struct network_port access_ten[] = { { .id = 5, .vlan = { .mode = VLAN_ACCESS, .access = 10 } } };
	const uint32_t peers[] = { NETWORK_PEERS_MAX, 1 };
	char long_name[NETWORK_NAME_BYTES + 1];
	struct network_spec spec;

	(void)state;
	spec = spec_of(twice, 3, NULL, 0);
	assert_refused(&spec);
	spec = spec_of(access_none, 1, NULL, 0);
	assert_refused(&spec);
	spec = spec_of(access_high, 1, NULL, 0);
	assert_refused(&spec);
	spec = spec_of(access_ten, 1, NULL, 0);
	spec.mode = NETWORK_HUB;
	assert_refused(&spec);
	spec.mode = NETWORK_WIRE;
	assert_refused(&spec);
	spec = spec_of(NULL, 0, peers, 2);
	assert_refused(&spec);
	spec = spec_of(twice, 2, peers + 1, 1);
	spec.mode = NETWORK_WIRE;
	assert_refused(&spec);
	spec = spec_of(NULL, 0, NULL, 0);
	spec.id = NETWORK_ID_MAX + 1;
	assert_refused(&spec);
	memset(long_name, 'a', sizeof(long_name));
	long_name[NETWORK_NAME_BYTES] = '\0';
	spec = spec_of(NULL, 0, NULL, 0);
	spec.name = long_name;
	assert_refused(&spec);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(keeps_what_it_was_given),
		cmocka_unit_test(an_empty_one_is_fine),
		cmocka_unit_test(membership_matches_a_list),
		cmocka_unit_test(refuses_what_makes_no_sense),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
