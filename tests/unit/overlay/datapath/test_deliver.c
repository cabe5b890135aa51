/*
 * test_deliver.c - packets come out of a port as it can take them, and what it refuses is counted
 */
#include "overlay/datapath/deliver.h"
#include "tests/unit/overlay/datapath/lone_worker.h"

static const struct network_port *port(const struct lone *lone, uint32_t slot)
{
	return network_port_lookup(lone->network, slot);
}

static void a_port_that_is_not_attached_is_counted(void **state)
{
	struct packet packet;
	struct lone lone;

	(void)state;
	lone_open(&lone);
	free(lone.worker->ports[1]);
	lone.worker->ports[1] = NULL;
	packet = lone_packet(&lone, 0, 1, 100);
	deliver_shared(lone.worker, port(&lone, 1), &packet, VLAN_KEEP);
	deliver_alone(lone.worker, port(&lone, 1), &packet, VLAN_KEEP);
	assert_int_equal(lone_dropped(&lone, DROP_PORT_CLOSED), 2);
	assert_int_equal(lone_take(&lone, 1), 0);
	lone_close(&lone);
}

static void what_others_want_too_stays_as_it_is(void **state)
{
	uint8_t before[200];
	struct packet packet;
	struct lone lone;

	(void)state;
	lone_open(&lone);
	packet = lone_packet(&lone, 0, 1, 100);
	lone_tag(&packet, LONE_VLAN);
	memcpy(before, packet.frame, packet.bytes);
	deliver_shared(lone.worker, port(&lone, 2), &packet, VLAN_POP);
	assert_int_equal(lone_take(&lone, 2), packet.bytes - 4);
	assert_memory_equal(frame_out, before, 12);
	assert_memory_equal(frame_out + 12, before + 16, packet.bytes - 16);
	assert_memory_equal(packet.frame, before, packet.bytes);
	assert_int_equal(lone.worker->pool.free_count, WORKER_POOL_PKTS);
	lone_close(&lone);
}

static void more_copies_than_there_is_memory_for_all_arrive(void **state)
{
	const uint32_t count = 3 * WORKER_POOL_PKTS + 1;
	bool seen[3 * WORKER_POOL_PKTS + 1] = { false };
	struct packet packet;
	struct lone lone;

	(void)state;
	lone_open(&lone);
	for (uint32_t n = 0; n < count; n++) {
		packet = lone_packet(&lone, 0, n, 100);
		packet.in = NULL;
		packet.from_wire = true;
		deliver_shared(lone.worker, port(&lone, 1), &packet, VLAN_KEEP);
	}
	deliver_flush(lone.worker);
	for (uint32_t n = 0; n < count; n++) {
		assert_int_equal(lone_take(&lone, 1), packet.bytes);
		uint32_t number = frame_get32(frame_out + 42);

		assert_in_range(number, 0, count - 1);
		assert_false(seen[number]);
		seen[number] = true;
	}
	assert_int_equal(lone_take(&lone, 1), 0);
	assert_int_equal(lone.worker->pool.free_count, WORKER_POOL_PKTS);
	lone_close(&lone);
}

static void what_a_full_port_refuses_is_counted(void **state)
{
	const struct port_counters *counters;
	struct packet packet;
	struct lone lone;

	(void)state;
	lone_open(&lone);
	packet = lone_packet(&lone, 0, 1, 100);
	for (uint32_t n = 0; n < LONE_DEPTH + 6; n++)
		deliver_shared(lone.worker, port(&lone, 1), &packet, VLAN_KEEP);
	counters = &lone.worker->port_counters[1];
	assert_int_equal(lone_dropped(&lone, drop_tap(TAP_DROP_FULL)), 6);
	assert_int_equal(counter_read(&counters->tx_frames), LONE_DEPTH);
	assert_int_equal(counter_read(&counters->tx_bytes), LONE_DEPTH * packet.bytes);
	lone_close(&lone);
}

/* TCP super-frames of @mss through ports with @caps: the stream arrives, and no segment is above the guest's size */
static void stream(unsigned int caps, uint16_t mss)
{
	const size_t total = 2000000;
	size_t received = 0, sent = 0;
	uint32_t largest = 0;
	struct pair pair;

	open_pair(&pair, false, AEAD_AES_128_GCM, caps);
	while (received < total) {
		struct offload offload;
		struct frame_info info;
		size_t len, payload;

		while (sent < total && sent < received + 200000) {
			payload = 1 + random_u32() % 64000;
			if (payload > total - sent)
				payload = total - sent;
			len = make_tcp(frame_in, 0, 77, (uint32_t)sent, payload, mss, &offload);
			if (payload <= mss)
				offload.gso = OFFLOAD_GSO_NONE;
			inject(&pair.side[0], 0, &offload, frame_in, len);
			sent += payload;
		}
		assert_true(take_within(&pair.side[1], &offload, frame_out, &len, WAIT_MS));
		assert_true(!offload.partial || (caps & OFFLOAD_CAP_CSUM));
		assert_true(offload.gso == OFFLOAD_GSO_NONE || (caps & OFFLOAD_CAP_TSO4));
		if (offload.gso != OFFLOAD_GSO_NONE)
			assert_true(offload.gso_bytes <= mss);
		settle(frame_out, len, &offload, &info);
		payload = len - info.payload_offset;
		if (offload.gso == OFFLOAD_GSO_NONE)
			assert_true(payload <= mss);
		if (payload > largest)
			largest = (uint32_t)payload;
		assert_int_equal(frame_get32(frame_out + 38), received);
		for (size_t i = 0; i < payload; i++)
			assert_int_equal(frame_out[info.payload_offset + i], pattern(77, received + i));
		received += payload;
	}
	assert_int_equal(received, total);
	if (caps & OFFLOAD_CAP_TSO4)
		assert_true(largest > mss); /* they were joined again */
	close_pair(&pair);
}

static void streams_join_again(void **state)
{
	(void)state;
	stream(PORT_CAPS, 1460);
	stream(PORT_CAPS, 536); /* cut larger than the guest's own segments, and never delivered so */
}

static void streams_into_ports_without_offloads(void **state)
{
	(void)state;
	stream(0, 1460);
	stream(0, 536);
	stream(OFFLOAD_CAP_CSUM, 1460);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_port_that_is_not_attached_is_counted),
		cmocka_unit_test(what_others_want_too_stays_as_it_is),
		cmocka_unit_test(more_copies_than_there_is_memory_for_all_arrive),
		cmocka_unit_test(what_a_full_port_refuses_is_counted),
		cmocka_unit_test(streams_join_again),
		cmocka_unit_test(streams_into_ports_without_offloads),
	};

	return cmocka_run_group_tests(tests, fixture_begin, fixture_end);
}
