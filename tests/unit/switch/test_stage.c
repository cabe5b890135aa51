/*
 * test_stage.c - who gets which stages, in which order, and when a decision may not be kept; verdicts are in order
 */
#include "switch/forward.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

static struct network *network_of(enum network_mode mode, const struct network_port *ports, uint32_t ports_count,
	bool no_fragments)
{
	static const uint32_t peers[] = { 3 };
	const struct network_spec spec = {
		.id = 9,
		.mode = mode,
		.mtu_bytes = 1500,
		.no_fragments = no_fragments,
		.lab = "lab",
		.name = "net",
		.ports = ports,
		.ports_count = ports_count,
		.peers = peers,
		.peers_count = 1,
	};
	struct network *network;

	assert_int_equal(network_new(&spec, &network), 0);
	return network;
}

static bool ingress_has(const struct stage_list *list, stage_ingress *stage)
{
	for (uint32_t i = 0; i < list->ingress_count; i++)
		if (list->ingress[i] == stage)
			return true;
	return false;
}

static bool egress_has(const struct stage_list *list, stage_egress *stage)
{
	for (uint32_t i = 0; i < list->egress_count; i++)
		if (list->egress[i] == stage)
			return true;
	return false;
}

static const struct network_port plain[] = { { .id = 11 } };
static const struct network_port mixed[] = { { .id = 11 }, { .id = 22 },
	{ .id = 33, .vlan = { .mode = VLAN_ACCESS, .access = 10 } } };

static void unused_stages_are_not_there(void **state)
{
	struct network *wire = network_of(NETWORK_WIRE, plain, 1, false);
	struct network *hub = network_of(NETWORK_HUB, plain, 1, false);
	struct network *simple = network_of(NETWORK_SWITCH, plain, 1, false);
	struct network *full = network_of(NETWORK_SWITCH, mixed, 3, true);

	(void)state;
	assert_true(ingress_has(&wire->ports[0].stages, stage_wire));
	assert_false(ingress_has(&wire->ports[0].stages, stage_learn));
	assert_false(
		ingress_has(&hub->ports[0].stages, stage_learn) || ingress_has(&hub->ports[0].stages, stage_admit));
	assert_true(ingress_has(&hub->ports[0].stages, stage_flood));
	assert_true(ingress_has(&simple->ports[0].stages, stage_learn));
	assert_false(ingress_has(&simple->ports[0].stages, stage_member));
	assert_true(ingress_has(&simple->peer_stages, stage_member));
	assert_false(egress_has(&simple->ports[0].stages, stage_leave));
	assert_false(egress_has(&simple->peer_stages, stage_fit));
	assert_true(egress_has(&full->peer_stages, stage_fit) && egress_has(&full->peer_stages, stage_horizon));
	assert_true(egress_has(&full->ports[0].stages, stage_leave)); /* what an access port sends gains a tag there */
	assert_true(egress_has(&full->ports[0].stages, stage_reflect));
	assert_false(egress_has(&full->peer_stages, stage_reflect));
	network_free(wire);
	network_free(hub);
	network_free(simple);
	network_free(full);
}

static void the_order_is_that_of_the_rows(void **state)
{
	static stage_ingress *const rows[] = {
#define X(name, looks) stage_##name,
		STAGES_INGRESS(X)
#undef X
	};
	struct network *net = network_of(NETWORK_SWITCH, mixed, 3, true);
	uint32_t at = 0;

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		if (at < net->peer_stages.ingress_count && net->peer_stages.ingress[at] == rows[i])
			at++;
	assert_int_equal(at, net->peer_stages.ingress_count);
	assert_ptr_equal(net->peer_stages.ingress[at - 1], stage_nowhere);
	network_free(net);
}

/* A stage that looks at more than MACs and tag, at any port, ends the keeping of decisions on the whole network */
static void what_looks_deeper_is_asked_every_time(void **state)
{
	struct network *net = network_of(NETWORK_SWITCH, mixed, 3, true);
	const struct packet packet = { .network = net, .in = &net->ports[0] };

	(void)state;
	assert_true(forward_is_kept(&packet));
	assert_int_equal(net->looks, STAGE_LOOKS_DESTINATION | STAGE_LOOKS_SOURCE | STAGE_LOOKS_TAG);
	for (uint32_t bit = STAGE_LOOKS_L3; bit <= STAGE_LOOKS_ALL; bit <<= 1) {
		net->looks = STAGE_LOOKS_DESTINATION | bit;
		assert_false(forward_is_kept(&packet));
	}
	network_free(net);
}

static void outputs_stand_in_the_order_of_their_kinds(void **state)
{
	struct verdict verdict = { .outputs_count = 0 };
	const enum output_kind added[] = { OUTPUT_PEERS, OUTPUT_PORT, OUTPUT_TOO_BIG, OUTPUT_PORTS, OUTPUT_PEER,
		OUTPUT_PORT };

	(void)state;
	for (uint32_t i = 0; i < VERDICT_OUTPUTS_MAX; i++) {
		verdict_add(&verdict, (struct output){ .kind = (uint8_t)added[i], .number = i });
		assert_int_equal(verdict.outputs_count, i + 1);
		for (uint32_t k = 0; k < i; k++)
			assert_true(verdict.outputs[k].kind <= verdict.outputs[k + 1].kind);
	}
	assert_int_equal(verdict.outputs[0].number, 1); /* and of one kind, in the order that they came */
	assert_int_equal(verdict.outputs[1].number, 5);
}

static void too_big_is_answered_where_there_are_no_fragments(void **state)
{
	struct network *without = network_of(NETWORK_SWITCH, plain, 1, true);
	struct network *with = network_of(NETWORK_SWITCH, plain, 1, false);
	struct packet packet = { .bytes = 1514, .info = { .l2_bytes = 14, .ip_version = 4 } };
	const struct crossing crossing = { .packet = &packet };
	struct verdict verdict;

	(void)state;
	packet.network = with;
	packet.in = &with->ports[0];
	forward_piece(&crossing, 1400, &verdict);
	assert_int_equal(verdict.result, SWITCH_OK);
	packet.network = without;
	packet.in = &without->ports[0];
	forward_piece(&crossing, 1514, &verdict);
	assert_int_equal(verdict.result, SWITCH_OK);
	forward_piece(&crossing, 1513, &verdict);
	assert_int_equal(verdict.result, SWITCH_DROP_TOO_BIG);
	assert_int_equal(verdict.outputs_count, 1);
	assert_int_equal(verdict.outputs[0].kind, OUTPUT_TOO_BIG);
	assert_int_equal(verdict.outputs[0].number, 1499);
	/* below what IPv6 promises, it goes in fragments all the same */
	packet.info.ip_version = 6;
	forward_piece(&crossing, 14 + 1279, &verdict);
	assert_int_equal(verdict.result, SWITCH_OK);
	forward_piece(&crossing, 14 + 1280, &verdict);
	assert_int_equal(verdict.result, SWITCH_DROP_TOO_BIG);
	network_free(without);
	network_free(with);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(unused_stages_are_not_there),
		cmocka_unit_test(the_order_is_that_of_the_rows),
		cmocka_unit_test(what_looks_deeper_is_asked_every_time),
		cmocka_unit_test(outputs_stand_in_the_order_of_their_kinds),
		cmocka_unit_test(too_big_is_answered_where_there_are_no_fragments),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
