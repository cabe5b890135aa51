/*
 * test_forward.c - forwarding decisions: rule by rule, then random frames against a naive switch
 */
#include "switch/forward.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static const struct instant now = { 1000000000ULL };
static const struct mac broadcast = { { 0xff, 0xff, 0xff, 0xff, 0xff, 0xff } };

static struct fdb *fdb_make(void)
{
	const struct fdb_config config = { 1024, 64, 1024, FDB_AGING_MS, { 3, 4 } };
	struct fdb *fdb = fdb_new(&config);

	assert_non_null(fdb);
	return fdb;
}

static struct network *network_make(enum network_mode mode, unsigned int pass, const struct network_port *ports,
	uint32_t ports_count, const uint32_t *peers, uint32_t peers_count)
{
	const struct network_spec spec = {
		.id = 9,
		.mode = mode,
		.mtu_bytes = 1500,
		.pass = pass,
		.lab = "lab",
		.name = "net",
		.ports = ports,
		.ports_count = ports_count,
		.peers = peers,
		.peers_count = peers_count,
	};
	struct network *network;

	assert_int_equal(network_new(&spec, &network), 0);
	return network;
}

static struct mac host(uint8_t number)
{
	return (struct mac){ { 0x52, 0x54, 0, 0, 0, number } };
}

/* A frame as far as the switch looks at it */
struct test_frame {
	uint8_t bytes[18];
	struct packet packet;
};

static void set_form(struct test_frame *frame, bool tagged, uint16_t tci)
{
	frame->packet.info =
		(struct frame_info){ .tagged = tagged, .tci = tagged ? tci : 0, .l2_bytes = tagged ? 18 : 14 };
}

static struct test_frame frame_of(struct mac source, struct mac destination)
{
	struct test_frame frame = { .packet = { .bytes = 60 } };

	memcpy(frame.bytes, destination.bytes, MAC_BYTES);
	memcpy(frame.bytes + MAC_BYTES, source.bytes, MAC_BYTES);
	set_form(&frame, false, 0);
	return frame;
}

static struct crossing crossing_of(const struct network *net, struct fdb *fdb, struct test_frame *frame,
	struct instant at)
{
	frame->packet.frame = frame->bytes;
	frame->packet.network = net;
	return (struct crossing){ .packet = &frame->packet, .fdb = fdb, .now = at };
}

static void forward_from_port(const struct network *net, struct fdb *fdb, const struct network_port *in,
	struct test_frame *frame, struct instant at, struct verdict *out)
{
	const struct crossing crossing = crossing_of(net, fdb, frame, at);

	frame->packet.in = in;
	forward(&crossing, out);
}

static void forward_from_peer(const struct network *net, struct fdb *fdb, uint32_t peer, struct test_frame *frame,
	struct instant at, struct verdict *out)
{
	const struct crossing crossing = crossing_of(net, fdb, frame, at);

	frame->packet.in = NULL;
	frame->packet.peer = peer;
	forward(&crossing, out);
}

static bool goes_to(const struct verdict *v, enum output_kind kind)
{
	for (uint32_t i = 0; i < v->outputs_count; i++)
		if (v->outputs[i].kind == kind)
			return true;
	return false;
}

/* To all ports, and with @peers to all peers too */
static void assert_flood(const struct verdict *v, bool peers)
{
	assert_int_equal(v->result, SWITCH_OK);
	assert_true(goes_to(v, OUTPUT_PORTS));
	assert_int_equal(goes_to(v, OUTPUT_PEERS), peers);
	assert_int_equal(v->outputs_count, 1 + peers);
}

static void assert_port(const struct verdict *v, const struct network_port *port)
{
	assert_int_equal(v->result, SWITCH_OK);
	assert_int_equal(v->outputs_count, 1);
	assert_int_equal(v->outputs[0].kind, OUTPUT_PORT);
	assert_ptr_equal(v->outputs[0].port, port);
}

static void assert_peer(const struct verdict *v, uint32_t peer)
{
	assert_int_equal(v->result, SWITCH_OK);
	assert_int_equal(v->outputs_count, 1);
	assert_int_equal(v->outputs[0].kind, OUTPUT_PEER);
	assert_int_equal(v->outputs[0].number, peer);
}

static void assert_drop(const struct verdict *v, enum switch_result why)
{
	assert_int_equal(v->outputs_count, 0);
	assert_int_equal(v->result, why);
}

static const struct network_port three[] = { { .id = 11 }, { .id = 22 }, { .id = 33 } };
static const uint32_t members[] = { 1, 4 };

static void a_switch_learns_and_forwards(void **state)
{
	struct network *net = network_make(NETWORK_SWITCH, 0, three, 3, members, 2);
	const struct network_port *ports = net->ports;
	struct test_frame a_to_b = frame_of(host(1), host(2)), b_to_a = frame_of(host(2), host(1));
	struct fdb *fdb = fdb_make();
	struct verdict v;

	(void)state;
	forward_from_port(net, fdb, &ports[0], &a_to_b, now, &v);
	assert_flood(&v, true);
	assert_int_equal(v.learned, FDB_LEARNED);
	forward_from_port(net, fdb, &ports[1], &b_to_a, now, &v);
	assert_port(&v, &ports[0]);
	forward_from_port(net, fdb, &ports[0], &a_to_b, now, &v);
	assert_port(&v, &ports[1]);
	assert_int_equal(v.learned, FDB_OK);
	/* b moves behind a peer */
	forward_from_peer(net, fdb, 4, &b_to_a, now, &v);
	assert_int_equal(v.learned, FDB_MOVED);
	assert_port(&v, &ports[0]);
	forward_from_port(net, fdb, &ports[0], &a_to_b, now, &v);
	assert_peer(&v, 4);
	/* too old: nothing is known again */
	forward_from_port(net, fdb, &ports[0], &a_to_b, instant_add_ms(now, FDB_AGING_MS), &v);
	assert_flood(&v, true);
	network_free(net);
	fdb_free(fdb);
}

static void what_came_from_a_peer_stays_here(void **state)
{
	struct network *net = network_make(NETWORK_SWITCH, 0, three, 3, members, 2);
	struct test_frame frame = frame_of(host(1), broadcast);
	struct fdb *fdb = fdb_make();
	struct verdict v;

	(void)state;
	forward_from_peer(net, fdb, 1, &frame, now, &v);
	assert_flood(&v, false);
	frame = frame_of(host(2), host(1));
	forward_from_peer(net, fdb, 4, &frame, now, &v);
	assert_drop(&v, SWITCH_DROP_SPLIT_HORIZON);
	forward_from_peer(net, fdb, 1, &frame, now, &v);
	assert_drop(&v, SWITCH_DROP_SPLIT_HORIZON);
	network_free(net);
	fdb_free(fdb);
}

static void a_stranger_teaches_nothing(void **state)
{
	struct network *net = network_make(NETWORK_SWITCH, 0, three, 3, members, 2);
	struct test_frame frame = frame_of(host(1), broadcast);
	struct fdb *fdb = fdb_make();
	struct verdict v;

	(void)state;
	for (uint32_t slot = 0; slot < 200; slot++) {
		if (slot == 1 || slot == 4)
			continue;
		forward_from_peer(net, fdb, slot, &frame, now, &v);
		assert_drop(&v, SWITCH_DROP_NOT_MEMBER);
	}
	assert_int_equal(fdb_count(fdb), 0);
	network_free(net);
	fdb_free(fdb);
}

static void a_station_behind_the_same_port_needs_no_help(void **state)
{
	struct network *net = network_make(NETWORK_SWITCH, 0, three, 3, members, 2);
	struct test_frame frame = frame_of(host(1), host(2));
	struct fdb *fdb = fdb_make();
	struct verdict v;

	(void)state;
	forward_from_port(net, fdb, &net->ports[0], &frame, now, &v);
	frame = frame_of(host(2), host(1));
	forward_from_port(net, fdb, &net->ports[0], &frame, now, &v);
	assert_drop(&v, SWITCH_DROP_SELF);
	network_free(net);
	fdb_free(fdb);
}

static void a_group_source_is_dropped_and_a_zero_source_not_learned(void **state)
{
	struct network *net = network_make(NETWORK_SWITCH, 0, three, 3, members, 2);
	struct test_frame frame = frame_of(broadcast, host(2));
	struct fdb *fdb = fdb_make();
	struct verdict v;

	(void)state;
	forward_from_port(net, fdb, &net->ports[0], &frame, now, &v);
	assert_drop(&v, SWITCH_DROP_GROUP_SOURCE);
	forward_from_peer(net, fdb, 1, &frame, now, &v);
	assert_drop(&v, SWITCH_DROP_GROUP_SOURCE);
	frame = frame_of((struct mac){ { 0 } }, host(2));
	forward_from_port(net, fdb, &net->ports[0], &frame, now, &v);
	assert_flood(&v, true);
	assert_int_equal(v.learned, FDB_UNLEARNABLE);
	assert_int_equal(fdb_count(fdb), 0);
	network_free(net);
	fdb_free(fdb);
}

static unsigned int class_of(uint8_t last)
{
	return last == 0     ? NETWORK_PASS_STP
		: last == 1  ? NETWORK_PASS_PAUSE
		: last == 2  ? NETWORK_PASS_LACP
		: last == 14 ? NETWORK_PASS_LLDP
			     : NETWORK_PASS_OTHER;
}

static void reserved_addresses_pass_by_class(void **state)
{
	struct fdb *fdb = fdb_make();

	(void)state;
	for (unsigned int pass = 0; pass < 32; pass++) {
		struct network *net = network_make(NETWORK_SWITCH, pass, three, 3, members, 2);

		for (unsigned int last = 0; last < 32; last++) {
			struct mac reserved = { { 0x01, 0x80, 0xc2, 0, 0, (uint8_t)last } };
			struct test_frame frame = frame_of(host(1), reserved);
			bool passes = last > 15 || (pass & class_of((uint8_t)last));
			struct verdict port, peer;

			forward_from_port(net, fdb, &net->ports[0], &frame, now, &port);
			forward_from_peer(net, fdb, 1, &frame, now, &peer);
			if (passes) {
				assert_flood(&port, true);
				assert_flood(&peer, false);
			} else {
				assert_drop(&port, SWITCH_DROP_RESERVED);
				assert_drop(&peer, SWITCH_DROP_RESERVED);
			}
		}
		network_free(net);
	}
	fdb_free(fdb);
}

static void a_wire_passes_every_frame_to_its_other_end(void **state)
{
	struct network *near = network_make(NETWORK_WIRE, 0, three, 1, members, 1);
	struct network *both = network_make(NETWORK_WIRE, 0, three, 2, NULL, 0);
	struct network *alone = network_make(NETWORK_WIRE, 0, three, 1, NULL, 0);
	struct fdb *fdb = fdb_make();
	struct verdict v;

	(void)state;
	for (unsigned int last = 0; last < 16; last++) {
		struct test_frame frame = frame_of(broadcast, (struct mac){ { 1, 0x80, 0xc2, 0, 0, (uint8_t)last } });

		set_form(&frame, true, 4095);
		forward_from_port(near, fdb, &near->ports[0], &frame, now, &v);
		assert_peer(&v, 1);
		assert_int_equal(v.outputs[0].action, VLAN_KEEP);
		forward_from_peer(near, fdb, 1, &frame, now, &v);
		assert_port(&v, &near->ports[0]);
		assert_int_equal(v.outputs[0].action, VLAN_KEEP);
		forward_from_peer(near, fdb, 4, &frame, now, &v);
		assert_drop(&v, SWITCH_DROP_NOT_MEMBER);
		forward_from_port(both, fdb, &both->ports[0], &frame, now, &v);
		assert_port(&v, &both->ports[1]);
		forward_from_port(both, fdb, &both->ports[1], &frame, now, &v);
		assert_port(&v, &both->ports[0]);
		forward_from_port(alone, fdb, &alone->ports[0], &frame, now, &v);
		assert_drop(&v, SWITCH_DROP_NOWHERE);
	}
	assert_int_equal(fdb_count(fdb), 0);
	network_free(near);
	network_free(both);
	network_free(alone);
	fdb_free(fdb);
}

static void a_hub_floods_and_never_learns(void **state)
{
	struct network *net = network_make(NETWORK_HUB, 0, three, 3, members, 2);
	struct fdb *fdb = fdb_make();
	struct verdict v;

	(void)state;
	for (uint8_t i = 0; i < 50; i++) {
		struct test_frame frame =
			frame_of(host(i % 3), i % 7 ? host((i + 1) % 3) : (struct mac){ { 1, 0x80, 0xc2 } });

		forward_from_port(net, fdb, &net->ports[i % 3], &frame, now, &v);
		assert_flood(&v, true);
		forward_from_peer(net, fdb, 1, &frame, now, &v);
		assert_flood(&v, false);
	}
	assert_int_equal(fdb_count(fdb), 0);
	network_free(net);
	fdb_free(fdb);
}

static void alone_there_is_nowhere_to_go(void **state)
{
	struct network *one = network_make(NETWORK_SWITCH, 0, three, 1, NULL, 0);
	struct network *portless = network_make(NETWORK_SWITCH, 0, NULL, 0, members, 2);
	struct test_frame frame = frame_of(host(1), broadcast);
	struct fdb *fdb = fdb_make();
	struct verdict v;

	(void)state;
	forward_from_port(one, fdb, &one->ports[0], &frame, now, &v);
	assert_drop(&v, SWITCH_DROP_NOWHERE);
	forward_from_peer(portless, fdb, 1, &frame, now, &v);
	assert_drop(&v, SWITCH_DROP_NOWHERE);
	network_free(one);
	network_free(portless);
	fdb_free(fdb);
}

static void what_left_the_network_is_unknown_again(void **state)
{
	struct network *before = network_make(NETWORK_SWITCH, 0, three, 3, members, 2);
	struct network *after = network_make(NETWORK_SWITCH, 0, three, 2, members, 1);
	struct test_frame frame = frame_of(host(1), broadcast);
	struct fdb *fdb = fdb_make();
	struct verdict v;

	(void)state;
	forward_from_port(before, fdb, &before->ports[2], &frame, now, &v);
	frame = frame_of(host(2), broadcast);
	forward_from_peer(before, fdb, 4, &frame, now, &v);
	for (uint8_t i = 1; i <= 2; i++) {
		frame = frame_of(host(3), host(i));
		forward_from_port(after, fdb, &after->ports[0], &frame, now, &v);
		assert_int_equal(v.outputs_count, 2); /* to the one other port, and to all peers */
		assert_true(goes_to(&v, OUTPUT_PORT) && goes_to(&v, OUTPUT_PEERS));
	}
	network_free(before);
	network_free(after);
	fdb_free(fdb);
}

/* ---- random frames against a naive switch ------------------------------------------------------------------ */

#define PORTS 6U
#define PEERS 3U
#define STATIONS 12U
#define VLANS 4U
#define SOURCES (PORTS + PEERS) /* where a frame comes from: a port, or one of the peers */

static const uint16_t vlans[VLANS] = { 0, 10, 20, 30 };
static const uint32_t slots[PEERS] = { 2, 64, 130 };
static int where_is[VLANS][STATIONS]; /* source number, -1 unknown */

static void random_ports(struct network_port ports[PORTS])
{
	memset(ports, 0, PORTS * sizeof(*ports));
	for (uint32_t i = 0; i < PORTS; i++)
		ports[i].id = 1000 + i * 37;
	ports[1].vlan = (struct vlan_policy){ .mode = VLAN_ACCESS, .access = 10 };
	ports[2].vlan = (struct vlan_policy){ .mode = VLAN_ACCESS, .access = 10 };
	ports[3].vlan.mode = VLAN_TRUNK_LIST;
	vlan_policy_add(&ports[3].vlan, 0);
	vlan_policy_add(&ports[3].vlan, 20);
}

/* Return: index into vlans, or -1 where a frame with that tag may not come in there */
static int naive_admit(uint32_t source, int tag)
{
	if (source == 1 || source == 2)
		return tag == 0 ? 1 : -1;
	if (source == 3 && tag != 0 && tag != 2)
		return -1;
	return tag;
}

static bool naive_may_leave(uint32_t from, uint32_t to, int vlan)
{
	if (from == to || (from >= PORTS && to >= PORTS))
		return false;
	if (to == 1 || to == 2)
		return vlan == 1;
	return to != 3 || vlan == 0 || vlan == 2;
}

/* Bit per source to which a copy goes */
static unsigned int naive_switch(uint32_t from, uint8_t source, int destination, int tag)
{
	int vlan = naive_admit(from, tag), known;
	unsigned int copies = 0;

	if (vlan < 0)
		return 0;
	where_is[vlan][source] = (int)from;
	known = destination < 0 ? -1 : where_is[vlan][destination];
	for (uint32_t to = 0; to < SOURCES; to++)
		if ((known < 0 || known == (int)to) && naive_may_leave(from, to, vlan))
			copies |= 1U << to;
	return copies;
}

/* What must be in front of the payload at @to: the VLAN's tag, or none at an access port */
static void assert_form(enum vlan_action action, uint32_t to, struct vlan_form form, uint16_t vlan)
{
	bool tagged = action == VLAN_PUSH || (form.tagged && action != VLAN_POP);
	uint16_t id = action == VLAN_PUSH || action == VLAN_SET ? vlan : vlan_form_id(form);

	if (to == 1 || to == 2)
		assert_false(tagged);
	else
		assert_int_equal(tagged ? id : 0, vlan);
}

/* What becomes of the verdict's outputs, port by port */
static unsigned int copies_of(const struct crossing *crossing, const struct verdict *v)
{
	const struct network *net = crossing->packet->network;
	const struct frame_info *info = &crossing->packet->info;
	const struct vlan_form form = { .tagged = info->tagged, .tci = info->tci };
	unsigned int copies = 0;
	bool peers_began = false;

	for (uint32_t k = 0; k < v->outputs_count; k++) {
		const struct output *output = &v->outputs[k];
		const bool to_ports = output->kind <= OUTPUT_PORTS;

		assert_false(peers_began && to_ports);
		peers_began |= !to_ports;
		for (uint32_t i = 0; to_ports && i < PORTS; i++) {
			enum vlan_action action = forward_to_port(crossing, &net->ports[i], v->vlan);

			if (output->kind == OUTPUT_PORT && output->port != &net->ports[i])
				continue;
			if (output->kind == OUTPUT_PORT)
				assert_int_equal(action, output->action);
			if (action == VLAN_DENY)
				continue;
			assert_form(action, i, form, v->vlan);
			copies |= 1U << i;
		}
		for (uint32_t i = 0; !to_ports && i < PEERS; i++) {
			if (output->kind == OUTPUT_PEER && output->number != slots[i])
				continue;
			assert_form((enum vlan_action)output->action, PORTS + i, form, v->vlan);
			copies |= 1U << (PORTS + i);
		}
	}
	return copies;
}

static void random_frames_match_a_naive_switch(void **state)
{
	struct network_port ports[PORTS];
	struct fdb *fdb = fdb_make();
	struct network *net;

	(void)state;
	random_ports(ports);
	net = network_make(NETWORK_SWITCH, 0, ports, PORTS, slots, PEERS);
	memset(where_is, 0xff, sizeof(where_is));
	srand(11);
	for (int round = 0; round < 200000; round++) {
		uint32_t from = (uint32_t)rand() % SOURCES;
		uint8_t source = (uint8_t)((uint32_t)rand() % STATIONS);
		int destination = rand() % 5 ? rand() % (int)STATIONS : -1;
		int tag = rand() % (int)VLANS;
		const struct network_port *in = from < PORTS ? &net->ports[from] : NULL;
		struct test_frame frame =
			frame_of(host(source), destination < 0 ? broadcast : host((uint8_t)destination));
		unsigned int want = naive_switch(from, source, destination, tag), got;
		struct crossing crossing;
		struct verdict v;

		/* VLAN 0 comes without a tag and with a priority tag */
		set_form(&frame, tag != 0 || rand() % 2, vlans[tag]);
		if (in)
			forward_from_port(net, fdb, in, &frame, now, &v);
		else
			forward_from_peer(net, fdb, slots[from - PORTS], &frame, now, &v);
		crossing = crossing_of(net, fdb, &frame, now);
		got = copies_of(&crossing, &v);
		assert_int_equal(got, want);
		assert_int_equal(v.result != SWITCH_OK, v.outputs_count == 0);
	}
	network_free(net);
	fdb_free(fdb);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_switch_learns_and_forwards),
		cmocka_unit_test(what_came_from_a_peer_stays_here),
		cmocka_unit_test(a_stranger_teaches_nothing),
		cmocka_unit_test(a_station_behind_the_same_port_needs_no_help),
		cmocka_unit_test(a_group_source_is_dropped_and_a_zero_source_not_learned),
		cmocka_unit_test(reserved_addresses_pass_by_class),
		cmocka_unit_test(a_wire_passes_every_frame_to_its_other_end),
		cmocka_unit_test(a_hub_floods_and_never_learns),
		cmocka_unit_test(alone_there_is_nowhere_to_go),
		cmocka_unit_test(what_left_the_network_is_unknown_again),
		cmocka_unit_test(random_frames_match_a_naive_switch),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
