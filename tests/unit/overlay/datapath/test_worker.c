/*
 * test_worker.c - ports and peers that come and go while workers run
 */
#include "overlay/datapath/stats.h"
#include "tests/unit/overlay/datapath/datapath_fixture.h"

static void ports_come_and_go_under_traffic(void **state)
{
	const struct offload none = { 0 };
	struct pair pair;
	size_t len;

	(void)state;
	open_pair(&pair, false, AEAD_AES_128_GCM, PORT_CAPS);
	for (uint32_t n = 0; n < 200; n++) {
		struct offload offload;

		len = make_udp(frame_in, 0, 1000, n, 4 + random_u32() % 3000);
		(void)!memory_port_inject(pair.side[0].port.tap, n % WORKERS, &none, frame_in, len);
		while (take(&pair.side[1], &offload, frame_out, &len))
			;
		if (n % 4 == 0)
			publish(&pair.side[n / 4 % 2], n % 8 ? NETWORK_HUB : NETWORK_SWITCH, NETWORK);
	}
	close_pair(&pair);
}

static void peers_have_as_many_slots_as_they_need(void **state)
{
	const struct offload none = { 0 };
	struct offload offload;
	struct pair pair;
	size_t len;

	(void)state;
	peer_slot = NETWORK_PEERS_MAX - 1;
	open_pair(&pair, false, AEAD_AES_128_GCM, PORT_CAPS);
	peer_slot = 3;
	for (uint32_t n = 0; n < 20; n++) {
		len = make_udp(frame_in, 0, 1000, n, 100 + 400 * n);
		inject(&pair.side[0], 0, &none, frame_in, len);
		assert_true(take_within(&pair.side[1], &offload, frame_out, &len, WAIT_MS));
		assert_int_equal(frame_get32(frame_out + 42), n);
	}
	close_pair(&pair);
}

static void publish_ports(struct datapath *datapath, struct vport *port)
{
	struct forwarding *forwarding = forwarding_new(datapath->forwarding->generation + 1, 0);
	struct attach_faults faults;

	assert_non_null(forwarding);
	if (port)
		forwarding->ports[port->slot] = port;
	forwarding_free(datapath_publish(datapath, forwarding, &faults));
	assert_int_equal(faults.count, 0);
}

static uint64_t frames_read(const struct datapath *datapath, uint32_t slot)
{
	struct port_stats stats;

	stats_gather_port(datapath, slot, &stats);
	return stats.rx_frames;
}

static void a_port_that_comes_into_a_slot_counts_from_zero(void **state)
{
	const struct offload none = { 0 };
	struct side side;
	size_t len = make_udp(frame_in, 0, 1000, 1, 100);

	(void)state;
	open_side(&side, PORT_CAPS);
	side.port.slot = 7;
	publish_ports(&side.datapath, &side.port);
	for (unsigned int queue = 0; queue < WORKERS; queue++)
		inject(&side, queue, &none, frame_in, len);
	wait_dropped(&side, DROP_PORT_CLOSED, WORKERS); /* no network has it */
	assert_int_equal(frames_read(&side.datapath, 7), WORKERS);
	publish_ports(&side.datapath, &side.port); /* it stays: so does what it counted */
	assert_int_equal(frames_read(&side.datapath, 7), WORKERS);
	publish_ports(&side.datapath, NULL);
	inject(&side, 0, &none, frame_in, len); /* nobody reads it now */
	publish_ports(&side.datapath, NULL);
	assert_int_equal(dropped(&side, DROP_PORT_CLOSED), WORKERS);
	publish_ports(&side.datapath, &side.port);
	wait_dropped(&side, DROP_PORT_CLOSED, WORKERS + 1);
	assert_int_equal(frames_read(&side.datapath, 7), 1);
	datapath_stop(&side.datapath);
	tap_port_close(side.port.tap);
	datapath_fini(&side.datapath);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(ports_come_and_go_under_traffic),
		cmocka_unit_test(peers_have_as_many_slots_as_they_need),
		cmocka_unit_test(a_port_that_comes_into_a_slot_counts_from_zero),
	};

	return cmocka_run_group_tests(tests, fixture_begin, fixture_end);
}
