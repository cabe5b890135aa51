/*
 * test_transmit.c - what a port is read of, and what becomes of frames that go nowhere
 */
#include "overlay/datapath/transmit.h"
#include "tests/unit/overlay/datapath/lone_worker.h"
#include "tests/unit/packet/settle_scenario.h"

#define TURN 64U /* frames that are read before others get their turn */

static void send_from(struct lone *lone, uint32_t slot, unsigned int count)
{
	const struct offload none = { 0 };

	for (unsigned int n = 0; n < count; n++) {
		struct packet packet = lone_packet(lone, slot, n, 100);

		assert_true(memory_port_inject(lone->ports[slot].tap, 0, &none, packet.frame, packet.bytes));
	}
}

static unsigned int read_by_one_turn(struct lone *lone, uint32_t slot)
{
	const struct counter *frames = &lone->worker->port_counters[slot].rx_frames;
	const uint64_t before = counter_read(frames);

	transmit_ready(-1, EV_READ, lone->worker->ports[slot]);
	return (unsigned int)(counter_read(frames) - before);
}

static void a_turn_is_bounded(void **state)
{
	struct lone lone;

	(void)state;
	lone_open(&lone);
	send_from(&lone, 0, TURN + 30);
	assert_int_equal(read_by_one_turn(&lone, 0), TURN);
	assert_int_equal(read_by_one_turn(&lone, 0), 30);
	assert_int_equal(read_by_one_turn(&lone, 0), 0);
	for (uint32_t n = 0; n < TURN + 30; n++) {
		assert_int_equal(lone_take(&lone, 1), 142);
		assert_int_equal(frame_get32(frame_out + 42), n); /* in order */
	}
	assert_int_equal(lone_take(&lone, 1), 0);
	assert_int_equal(counter_read(&lone.worker->port_counters[0].rx_bytes), (TURN + 30) * 142);
	lone_close(&lone);
}

static void it_remembers_whether_a_frame_came_alone(void **state)
{
	const struct worker_port *wport;
	struct lone lone;

	(void)state;
	lone_open(&lone);
	wport = lone.worker->ports[0];
	send_from(&lone, 0, 1);
	assert_int_equal(read_by_one_turn(&lone, 0), 1);
	assert_true(wport->lone);
	send_from(&lone, 0, 5); /* the first goes ahead, the others follow in the same turn */
	assert_int_equal(read_by_one_turn(&lone, 0), 5);
	assert_false(wport->lone);
	lone_close(&lone);
}

static void frames_of_a_port_without_network_are_counted(void **state)
{
	struct lone lone;

	(void)state;
	lone_open(&lone);
	lone.ports[0].network = NETWORK + 1;
	send_from(&lone, 0, 7);
	assert_int_equal(read_by_one_turn(&lone, 0), 7);
	assert_int_equal(lone_dropped(&lone, DROP_PORT_CLOSED), 7);
	assert_int_equal(lone_take(&lone, 1), 0);
	lone_close(&lone);
}

/* Out of port 0 a guest's IP in IP, which a veth leaves whole; into port 1 what the guest meant to send */
static void a_guests_tunnel_is_settled(void **state)
{
	static uint8_t frame[STACK_FRAME_MAX], want[STACK_FRAME_MAX];
	struct stack stack = { .gso_bytes = 1000, .payload_bytes = 3500 };
	struct stack_places places;
	struct offload offload = { .partial = true, .gso = OFFLOAD_GSO_TCP4, .gso_bytes = 1000, .csum_offset = 16 };
	struct lone lone;
	uint32_t bytes;

	(void)state;
	lone_open(&lone);
	stack_of(1, STACK_IPV4, &stack);
	stack.gso_bytes = 1000;
	stack.payload_bytes = 3500;
	bytes = stack_build(&stack, 0, true, frame, &places);
	offload.csum_start = (uint16_t)places.l4;
	memset(frame, 0xff, MAC_BYTES); /* to all */
	assert_true(memory_port_inject(lone.ports[0].tap, 0, &offload, frame, bytes));
	assert_int_equal(read_by_one_turn(&lone, 0), 1);
	for (uint32_t n = 0; n < 4; n++) {
		bytes = stack_build(&stack, n, false, want, &places);
		memset(want, 0xff, MAC_BYTES);
		assert_int_equal(lone_take(&lone, 1), bytes);
		assert_memory_equal(frame_out, want, bytes);
	}
	assert_int_equal(lone_take(&lone, 1), 0);
	offload.csum_start++; /* nothing is there */
	assert_true(memory_port_inject(lone.ports[0].tap, 0, &offload, frame, bytes));
	assert_int_equal(read_by_one_turn(&lone, 0), 1);
	assert_int_equal(lone_dropped(&lone, drop_segment(SEGMENT_DROP_HEADERS)), 1);
	lone_close(&lone);
}

static void what_is_no_frame_is_counted(void **state)
{
	const struct offload none = { 0 };
	struct packet packet;
	struct lone lone;

	(void)state;
	lone_open(&lone);
	packet = lone_packet(&lone, 0, 1, 100);
	lone_tag(&packet, 77);
	for (size_t len = 1; len < 18; len++)
		assert_true(memory_port_inject(lone.ports[0].tap, 0, &none, packet.frame, len));
	assert_int_equal(read_by_one_turn(&lone, 0), 4);
	assert_int_equal(lone_dropped(&lone, drop_tap(TAP_DROP_SHORT)), 13); /* the port says so */
	assert_int_equal(lone_dropped(&lone, DROP_FRAME_SHORT), 4);          /* the tag is cut */
	assert_int_equal(lone_take(&lone, 1), 0);
	lone_close(&lone);
}

/* In a bridge, whose MTU is larger than the network's */
static void a_frame_over_the_networks_mtu(void **state)
{
	const struct offload none = { 0 };
	struct packet packet;
	struct lone lone;

	(void)state;
	lone_open(&lone);
	lone.network->mtu_bytes = 1500;
	lone.ports[0].spec.kind = ATTACH_TAP;
	packet = lone_packet(&lone, 0, 1, 1500 + 18 - 42);
	assert_int_equal(packet.bytes, 1518);
	assert_true(memory_port_inject(lone.ports[0].tap, 0, &none, packet.frame, packet.bytes));
	packet = lone_packet(&lone, 0, 1, 1500 + 19 - 42);
	assert_true(memory_port_inject(lone.ports[0].tap, 0, &none, packet.frame, packet.bytes));
	assert_int_equal(read_by_one_turn(&lone, 0), 2); /* elsewhere the device's MTU decides */
	assert_int_equal(lone_dropped(&lone, DROP_FRAME_OVERSIZE), 0);
	while (lone_take(&lone, 1))
		;
	lone.ports[0].spec.kind = ATTACH_BRIDGE;
	assert_true(memory_port_inject(lone.ports[0].tap, 0, &none, packet.frame, packet.bytes));
	assert_int_equal(read_by_one_turn(&lone, 0), 1);
	assert_int_equal(lone_dropped(&lone, DROP_FRAME_OVERSIZE), 1);
	assert_int_equal(lone_take(&lone, 1), 0);
	packet = lone_packet(&lone, 0, 1, 1500 + 18 - 42);
	assert_true(memory_port_inject(lone.ports[0].tap, 0, &none, packet.frame, packet.bytes));
	assert_int_equal(read_by_one_turn(&lone, 0), 1);
	assert_int_equal(lone_take(&lone, 1), 1518);
	lone_close(&lone);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_turn_is_bounded),
		cmocka_unit_test(it_remembers_whether_a_frame_came_alone),
		cmocka_unit_test(frames_of_a_port_without_network_are_counted),
		cmocka_unit_test(a_guests_tunnel_is_settled),
		cmocka_unit_test(what_is_no_frame_is_counted),
		cmocka_unit_test(a_frame_over_the_networks_mtu),
	};

	return cmocka_run_group_tests(tests, fixture_begin, fixture_end);
}
