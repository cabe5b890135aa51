/*
 * test_decide.c - a decision serves the run of a flow, and nothing else
 */
#include "overlay/datapath/burst.h"
#include "overlay/datapath/decide.h"
#include "tests/unit/overlay/datapath/lone_worker.h"

/* From now on the switch knows where station 1 is: behind port 1 */
static void learn_station(struct lone *lone, uint32_t network, uint16_t vlan)
{
	const struct fdb_key key = { .network = network, .vlan = vlan, .mac = mac_of[1] };

	assert_int_equal(fdb_learn(lone->datapath.fdb, &key, (struct fdb_location){ FDB_LOCAL, 1 }, lone->worker->now),
		FDB_LEARNED);
}

static void assert_floods(struct lone *lone, struct packet *packet)
{
	const struct verdict *verdict = decide(lone->worker, packet);

	assert_int_equal(verdict->result, SWITCH_OK);
	assert_int_equal(verdict->outputs_count, 2);
	assert_int_equal(verdict->outputs[0].kind, OUTPUT_PORTS);
	assert_int_equal(verdict->outputs[1].kind, OUTPUT_PEERS);
}

static void assert_finds_station(struct lone *lone, struct packet *packet)
{
	const struct verdict *verdict = decide(lone->worker, packet);

	assert_int_equal(verdict->result, SWITCH_OK);
	assert_int_equal(verdict->outputs_count, 1);
	assert_int_equal(verdict->outputs[0].kind, OUTPUT_PORT);
	assert_int_equal(verdict->outputs[0].port->id, 1);
}

/* A flood was decided on for port 0's packet; what the table learned since shows who decides anew */
static void open_with_decision(struct lone *lone, struct packet *packet)
{
	lone_open(lone);
	*packet = lone_packet(lone, 0, 1, 100);
	assert_floods(lone, packet);
	learn_station(lone, NETWORK, 0);
}

static void a_run_of_a_flow_is_decided_once(void **state)
{
	struct packet packet;
	struct lone lone;

	(void)state;
	open_with_decision(&lone, &packet);
	assert_floods(&lone, &packet);
	packet = lone_packet(&lone, 0, 2, 700); /* other ports, another length */
	assert_floods(&lone, &packet);
	lone_close(&lone);
}

static void the_next_burst_decides_anew(void **state)
{
	struct packet packet;
	struct lone lone;

	(void)state;
	open_with_decision(&lone, &packet);
	burst_begin(lone.worker);
	assert_finds_station(&lone, &packet);
	burst_end(lone.worker);
	lone_close(&lone);
}

static void another_source_is_decided_anew(void **state)
{
	struct packet packet;
	struct lone lone;

	(void)state;
	open_with_decision(&lone, &packet);
	packet.frame[11] ^= 0x40; /* the last byte of it */
	assert_finds_station(&lone, &packet);
	packet.frame[11] ^= 0x40; /* only the last decision is kept */
	assert_finds_station(&lone, &packet);
	lone_close(&lone);
}

static void another_destination_is_decided_anew(void **state)
{
	struct packet packet;
	struct lone lone;

	(void)state;
	open_with_decision(&lone, &packet);
	packet.frame[5] ^= 0x40;
	assert_floods(&lone, &packet);
	packet.frame[5] ^= 0x40;
	assert_finds_station(&lone, &packet);
	lone_close(&lone);
}

static void another_tag_is_decided_anew(void **state)
{
	struct packet packet;
	struct lone lone;

	(void)state;
	open_with_decision(&lone, &packet);
	learn_station(&lone, NETWORK, 77);
	lone_tag(&packet, 77);
	assert_finds_station(&lone, &packet);
	assert_int_equal(packet.vlan, 77);
	frame_put16(packet.frame + 14, 78);
	assert_true(packet_parse(&packet));
	assert_floods(&lone, &packet);
	assert_int_equal(packet.vlan, 78);
	lone_close(&lone);
}

static void another_origin_is_decided_anew(void **state)
{
	struct packet packet;
	struct lone lone;

	(void)state;
	open_with_decision(&lone, &packet);
	packet.in = NULL;
	packet.peer = LONE_PEER;
	assert_finds_station(&lone, &packet);
	packet.peer = LONE_PEER + 1; /* not on the network */
	assert_int_equal(decide(lone.worker, &packet)->result, SWITCH_DROP_NOT_MEMBER);
	lone_close(&lone);
}

static void another_network_is_decided_anew(void **state)
{
	struct network *other = lone_network_new(NETWORK + 1);
	struct packet packet;
	struct lone lone;

	(void)state;
	open_with_decision(&lone, &packet);
	packet.in = NULL;
	packet.peer = LONE_PEER;
	assert_finds_station(&lone, &packet);
	packet.network = other; /* where nobody knows the station */
	assert_int_equal(decide(lone.worker, &packet)->outputs[0].kind, OUTPUT_PORTS);
	packet.network = lone.network;
	assert_finds_station(&lone, &packet);
	lone_close(&lone);
	network_free(other);
}

static void where_a_stage_looks_deeper_nothing_is_kept(void **state)
{
	const uint32_t looks[] = { STAGE_LOOKS_L3, STAGE_LOOKS_L4, STAGE_LOOKS_ALL };

	(void)state;
	for (size_t i = 0; i < sizeof(looks) / sizeof(looks[0]); i++) {
		struct packet packet;
		struct lone lone;

		lone_open(&lone);
		lone.network->looks |= looks[i];
		packet = lone_packet(&lone, 0, 1, 100);
		assert_floods(&lone, &packet);
		learn_station(&lone, NETWORK, 0);
		assert_finds_station(&lone, &packet);
		lone_close(&lone);
	}
}

static void what_is_learned_is_counted_once_a_run(void **state)
{
	struct counter *events;
	struct packet packet;
	struct lone lone;

	(void)state;
	lone_open(&lone);
	events = lone.worker->fdb_events;
	packet = lone_packet(&lone, 0, 1, 100);
	for (int i = 0; i < 5; i++)
		(void)decide(lone.worker, &packet);
	assert_int_equal(counter_read(&events[FDB_LEARNED]), 1);
	packet = lone_packet(&lone, 1, 1, 100); /* the station has moved */
	for (int i = 0; i < 5; i++)
		(void)decide(lone.worker, &packet);
	assert_int_equal(counter_read(&events[FDB_LEARNED]), 1);
	assert_int_equal(counter_read(&events[FDB_MOVED]), 1);
	lone_close(&lone);
}

/* Once a second, and for ports only: a peer's host tells of its own */
static void a_declared_address_is_told_of(void **state)
{
	struct packet packet;
	struct fdb_key key;
	struct lone lone;
	struct mail mail;

	(void)state;
	lone_open(&lone);
	packet = lone_packet(&lone, 0, 1, 100);
	key = (struct fdb_key){ .network = NETWORK, .mac = frame_source(packet.frame) };
	assert_int_equal(fdb_pin(lone.datapath.fdb, &key, (struct fdb_location){ FDB_LOCAL, 1 }), 0);
	for (int i = 0; i < 3; i++) {
		(void)decide(lone.worker, &packet);
		lone.worker->decision.network = NULL; /* another burst */
	}
	assert_true(mailbox_take(&lone.worker->mailbox, &mail));
	assert_int_equal(mail.kind, MAIL_DECLARED);
	assert_int_equal(mail.port, 0);
	assert_int_equal(mail.network, NETWORK);
	assert_true(mac_equal(&mail.mac, &key.mac));
	assert_false(mailbox_take(&lone.worker->mailbox, &mail));
	lone.worker->now = instant_add_ms(lone.worker->now, 1000);
	(void)decide(lone.worker, &packet);
	assert_true(mailbox_take(&lone.worker->mailbox, &mail));
	lone.worker->now = instant_add_ms(lone.worker->now, 1000);
	lone.worker->decision.network = NULL;
	packet.in = NULL;
	packet.peer = LONE_PEER;
	(void)decide(lone.worker, &packet);
	assert_false(mailbox_take(&lone.worker->mailbox, &mail));
	lone_close(&lone);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_run_of_a_flow_is_decided_once),
		cmocka_unit_test(the_next_burst_decides_anew),
		cmocka_unit_test(another_source_is_decided_anew),
		cmocka_unit_test(another_destination_is_decided_anew),
		cmocka_unit_test(another_tag_is_decided_anew),
		cmocka_unit_test(another_origin_is_decided_anew),
		cmocka_unit_test(another_network_is_decided_anew),
		cmocka_unit_test(where_a_stage_looks_deeper_nothing_is_kept),
		cmocka_unit_test(what_is_learned_is_counted_once_a_run),
		cmocka_unit_test(a_declared_address_is_told_of),
	};

	return cmocka_run_group_tests(tests, fixture_begin, fixture_end);
}
