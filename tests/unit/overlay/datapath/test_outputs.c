/*
 * test_outputs.c - what a verdict names gets the packet, in the form that it wants
 */
#include "overlay/datapath/outputs.h"
#include "tests/unit/overlay/datapath/lone_worker.h"

/* ---- one worker ---------------------------------------------------------------------------------------------- */

static const struct verdict everybody = {
	.outputs_count = 2,
	.outputs = { { .kind = OUTPUT_PORTS }, { .kind = OUTPUT_PEERS, .action = VLAN_KEEP } },
};

static void a_flood_leaves_out_where_it_came_from(void **state)
{
	struct packet packet;
	struct lone lone;

	(void)state;
	lone_open(&lone);
	packet = lone_packet(&lone, 0, 1, 100);
	outputs_carry(lone.worker, &packet, &everybody);
	assert_int_equal(lone_take(&lone, 0), 0);
	assert_int_equal(lone_take(&lone, 1), packet.bytes);
	assert_memory_equal(frame_out, packet.frame, packet.bytes);
	assert_int_equal(lone_take(&lone, 1), 0);
	assert_int_equal(lone_take(&lone, 2), 0); /* another VLAN's */
	lone_close(&lone);
}

static void a_flood_out_of_an_access_port_gets_a_tag(void **state)
{
	struct packet packet;
	struct lone lone;

	(void)state;
	lone_open(&lone);
	packet = lone_packet(&lone, 2, 1, 100);
	packet.vlan = LONE_VLAN;
	outputs_carry(lone.worker, &packet, &everybody);
	for (uint32_t slot = 0; slot < 2; slot++) {
		assert_int_equal(lone_take(&lone, slot), packet.bytes + 4);
		assert_int_equal(frame_get16(frame_out + 12), FRAME_ETHERTYPE_8021Q);
		assert_int_equal(frame_get16(frame_out + 14), LONE_VLAN);
		assert_memory_equal(frame_out + 16, packet.frame + 12, packet.bytes - 12);
	}
	assert_int_equal(lone_take(&lone, 2), 0);
	lone_close(&lone);
}

static void a_flood_that_nobody_takes_is_counted(void **state)
{
	const struct verdict ports = { .outputs_count = 1, .outputs = { { .kind = OUTPUT_PORTS } } };
	const struct network_port members[2] = { { .id = 0, .vlan = { .mode = VLAN_TRUNK_ALL } },
		{ .id = 2, .vlan = { .mode = VLAN_ACCESS, .access = LONE_VLAN } } };
	const struct network_spec spec = { .id = 8,
		.mode = NETWORK_SWITCH,
		.mtu_bytes = 1500,
		.lab = "lab",
		.name = "two",
		.ports = members,
		.ports_count = 2 };
	struct network *network;
	struct packet packet;
	struct lone lone;

	(void)state;
	lone_open(&lone);
	assert_int_equal(network_new(&spec, &network), 0);
	packet = lone_packet(&lone, 0, 1, 100);
	packet.network = network;
	packet.in = network_port_lookup(network, 0);
	packet.vlan = LONE_VLAN;
	outputs_carry(lone.worker, &packet, &ports);
	assert_int_equal(lone_dropped(&lone, drop_switch(SWITCH_DROP_VLAN_NOBODY)), 0);
	packet.vlan = LONE_VLAN + 1;
	outputs_carry(lone.worker, &packet, &everybody); /* a peer may want it: not ours to say */
	assert_int_equal(lone_dropped(&lone, drop_switch(SWITCH_DROP_VLAN_NOBODY)), 0);
	outputs_carry(lone.worker, &packet, &ports);
	assert_int_equal(lone_dropped(&lone, drop_switch(SWITCH_DROP_VLAN_NOBODY)), 1);
	network_free(network);
	lone_close(&lone);
}

static void a_peer_that_is_gone_is_counted(void **state)
{
	struct verdict verdict = { .outputs_count = 1 };
	struct packet packet;
	struct lone lone;

	(void)state;
	lone_open(&lone);
	packet = lone_packet(&lone, 0, 1, 100);
	outputs_carry(lone.worker, &packet, &everybody);
	assert_int_equal(lone_dropped(&lone, DROP_PEER_GONE), 1);
	/* and one in a slot that this forwarding does not have */
	verdict.outputs[0] = (struct output){ .kind = OUTPUT_PEER, .action = VLAN_KEEP, .number = LONE_PEER + 1 };
	outputs_carry(lone.worker, &packet, &verdict);
	assert_int_equal(lone_dropped(&lone, DROP_PEER_GONE), 2);
	lone_close(&lone);
}

static void a_drop_is_counted_beside_the_outputs(void **state)
{
	struct verdict verdict = { .result = SWITCH_DROP_RESERVED };
	struct packet packet;
	struct lone lone;

	(void)state;
	lone_open(&lone);
	packet = lone_packet(&lone, 0, 1, 100);
	outputs_carry(lone.worker, &packet, &verdict);
	assert_int_equal(lone_dropped(&lone, drop_switch(SWITCH_DROP_RESERVED)), 1);
	assert_int_equal(lone_take(&lone, 1), 0);
	verdict.outputs[verdict.outputs_count++] = (struct output){ .kind = OUTPUT_PORT,
		.action = VLAN_KEEP,
		.port = network_port_lookup(lone.network, 1) };
	outputs_carry(lone.worker, &packet, &verdict);
	assert_int_equal(lone_dropped(&lone, drop_switch(SWITCH_DROP_RESERVED)), 2);
	assert_int_equal(lone_take(&lone, 1), packet.bytes);
	lone_close(&lone);
}

/* ---- two agents ---------------------------------------------------------------------------------------------- */

/* Side 1 with a trunk port, and two access ports of VLAN 10 */
#define FLOOD_PORTS 3U

static void publish_flood_ports(struct side *side, struct vport ports[FLOOD_PORTS])
{
	struct network_port members[FLOOD_PORTS] = { { .id = 0 } };
	const struct network_spec spec = { .id = NETWORK,
		.mode = NETWORK_SWITCH,
		.mtu_bytes = 9216,
		.lab = "lab",
		.name = "net",
		.ports = members,
		.ports_count = FLOOD_PORTS,
		.peers = &side->peer->slot,
		.peers_count = 1 };
	struct forwarding *forwarding = forwarding_new(side->datapath.forwarding->generation + 1, side->peer->slot + 1);
	struct attach_faults faults;
	struct network *network;

	for (uint32_t i = 0; i < FLOOD_PORTS; i++) {
		members[i] = (struct network_port){ .id = i };
		if (i > 0)
			members[i].vlan = (struct vlan_policy){ .mode = VLAN_ACCESS, .access = 10 };
		ports[i] = i == 0 ? side->port : (struct vport){ .slot = i, .network = NETWORK };
		if (i > 0)
			assert_int_equal(memory_port_open(WORKERS, PORT_CAPS, 256, &ports[i].tap), 0);
		forwarding->ports[i] = &ports[i];
	}
	assert_int_equal(network_new(&spec, &network), 0);
	assert_true(forwarding_add_network(forwarding, network));
	forwarding->peers[side->peer->slot] = side->peer;
	forwarding_free(datapath_publish(&side->datapath, forwarding, &faults));
	assert_int_equal(faults.count, 0);
}

/* Take what comes out of @port until @payload_bytes of pattern(@seed) have: each frame whole, in VLAN @vlan (0: no tag) */
static void take_stream(struct vport *port, uint32_t seed, size_t payload_bytes, uint16_t vlan)
{
	struct side reader = { .port = *port };
	size_t got = 0;

	while (got < payload_bytes) {
		struct offload offload;
		struct frame_info info;
		size_t len;

		assert_true(take_within(&reader, &offload, frame_out, &len, WAIT_MS));
		settle(frame_out, len, &offload, &info);
		assert_int_equal(info.tagged, vlan != 0);
		assert_int_equal(info.tci, vlan);
		assert_int_equal(frame_get32(frame_out + info.l4_offset + 4), got);
		for (size_t i = 0; i < len - info.payload_offset; i++)
			assert_int_equal(frame_out[info.payload_offset + i], pattern(seed, got + i));
		got += len - info.payload_offset;
	}
	assert_int_equal(got, payload_bytes);
}

static size_t with_tag(uint8_t *frame, size_t len, uint16_t vlan, struct offload *offload)
{
	memmove(frame + 16, frame + 12, len - 12);
	frame_put16(frame + 12, FRAME_ETHERTYPE_8021Q);
	frame_put16(frame + 14, vlan);
	offload->csum_start = (uint16_t)(offload->csum_start + 4);
	offload->header_bytes = 0;
	return len + 4;
}

static void a_flood_reaches_each_port_in_its_form(void **state)
{
	static struct vport ports[FLOOD_PORTS];
	struct offload offload;
	struct pair pair;
	size_t len;

	(void)state;
	open_pair(&pair, false, AEAD_AES_128_GCM, PORT_CAPS);
	publish_flood_ports(&pair.side[1], ports);
	/* off the wire, a super-frame that was cut for the path, for a station that nobody knows */
	len = make_tcp(frame_in, 0, 5, 0, 30000, 1460, &offload);
	len = with_tag(frame_in, len, 10, &offload);
	inject(&pair.side[0], 0, &offload, frame_in, len);
	take_stream(&ports[0], 5, 30000, 10);
	take_stream(&ports[1], 5, 30000, 0);
	take_stream(&ports[2], 5, 30000, 0);
	/* out of an access port: to its like as it is, to the trunk and to the other host with a tag */
	len = make_tcp(frame_in, 1, 6, 0, 20000, 1460, &offload);
	frame_in[5] ^= 0x77; /* nobody's address */
	while (!memory_port_inject(ports[1].tap, 0, &offload, frame_in, len))
		usleep(50);
	take_stream(&ports[2], 6, 20000, 0);
	take_stream(&ports[0], 6, 20000, 10);
	take_stream(&pair.side[0].port, 6, 20000, 10);
	assert_false(memory_port_take(ports[1].tap, 0, &offload, frame_out, sizeof(frame_out), &len));
	for (enum drop drop = 0; drop < DROPS; drop++)
		assert_int_equal(dropped(&pair.side[1], drop), 0);
	datapath_stop(&pair.side[1].datapath);
	for (uint32_t i = 1; i < FLOOD_PORTS; i++)
		tap_port_close(ports[i].tap);
	close_pair(&pair);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_flood_leaves_out_where_it_came_from),
		cmocka_unit_test(a_flood_out_of_an_access_port_gets_a_tag),
		cmocka_unit_test(a_flood_that_nobody_takes_is_counted),
		cmocka_unit_test(a_peer_that_is_gone_is_counted),
		cmocka_unit_test(a_drop_is_counted_beside_the_outputs),
		cmocka_unit_test(a_flood_reaches_each_port_in_its_form),
	};

	return cmocka_run_group_tests(tests, fixture_begin, fixture_end);
}
