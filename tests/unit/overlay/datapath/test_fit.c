/*
 * test_fit.c - packets are made to fit the path: whole, cut, or in fragments
 */
#include "overlay/datapath/fit.h"
#include "tests/unit/overlay/datapath/lone_worker.h"

static uint32_t datagrams(struct lone *lone)
{
	const struct train *train = &dispatch_for(lone->worker, lone->peer)->train;

	return train->datagrams + (train->open_bytes > 0);
}

static void fragments_leave_the_frame_as_it_was(void **state)
{
	static uint8_t before[4000];
	struct packet packet;
	struct lone lone;

	(void)state;
	lone_open(&lone);
	lone_connect(&lone);
	packet = lone_packet(&lone, 0, 1, 3000);
	memcpy(before, packet.frame, packet.bytes);
	fit_to_peer(lone.worker, lone.peer, &packet);
	assert_int_equal(datagrams(&lone), packet.bytes / (DATAGRAM_BYTES - 100) + 1);
	assert_memory_equal(packet.frame, before, packet.bytes); /* the next peer gets it too */
	for (enum drop drop = 0; drop < DROPS; drop++)
		assert_int_equal(lone_dropped(&lone, drop), 0);
	lone_close(&lone);
}

static void a_super_frame_is_cut_to_the_path(void **state)
{
	struct offload offload;
	struct packet packet;
	struct lone lone;
	size_t len;

	(void)state;
	lone_open(&lone);
	lone_connect(&lone);
	packet = lone_packet(&lone, 0, 1, 4);
	len = make_tcp(packet.frame, 0, 7, 0, 20000, 1460, &offload);
	packet_init(&packet, packet.frame, len, PACKET_HEADROOM_BYTES);
	packet.offload = offload;
	assert_true(packet_parse(&packet));
	fit_to_peer(lone.worker, lone.peer, &packet);
	assert_in_range(datagrams(&lone), 20000 / DATAGRAM_BYTES, 20000 / (DATAGRAM_BYTES - 100) + 1);
	lone_close(&lone);
}

static void without_fragments_the_guest_is_told(void **state)
{
	const struct offload none = { 0 };
	struct offload offload;
	struct frame_info info;
	struct pair pair;
	size_t len;

	(void)state;
	no_fragments = true;
	open_pair(&pair, false, AEAD_AES_128_GCM, PORT_CAPS);
	no_fragments = false;
	len = make_udp(frame_in, 0, 1000, 1, 3000); /* with DF */
	inject(&pair.side[0], 0, &none, frame_in, len);
	assert_true(take_within(&pair.side[0], &offload, frame_out, &len, WAIT_MS));
	assert_true(frame_parse(frame_out, len, &info));
	assert_int_equal(info.l4_protocol, FRAME_PROTOCOL_ICMP);
	assert_memory_equal(frame_out, mac_of[0].bytes, MAC_BYTES);
	assert_memory_equal(frame_out + info.l4_offset, "\x03\x04", 2);
	/* the size that it names passes whole, one byte more does not */
	uint16_t mtu = frame_get16(frame_out + info.l4_offset + 6);

	len = make_udp(frame_in, 0, 1000, 2, mtu - 28U);
	inject(&pair.side[0], 0, &none, frame_in, len);
	assert_true(take_within(&pair.side[1], &offload, frame_out, &len, WAIT_MS));
	assert_int_equal(frame_get32(frame_out + 42), 2);
	len = make_udp(frame_in, 0, 1000, 3, mtu - 27U);
	inject(&pair.side[0], 0, &none, frame_in, len);
	assert_true(take_within(&pair.side[0], &offload, frame_out, &len, WAIT_MS));
	wait_dropped(&pair.side[0], drop_switch(SWITCH_DROP_TOO_BIG), 2);
	close_pair(&pair);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(fragments_leave_the_frame_as_it_was),
		cmocka_unit_test(a_super_frame_is_cut_to_the_path),
		cmocka_unit_test(without_fragments_the_guest_is_told),
	};

	return cmocka_run_group_tests(tests, fixture_begin, fixture_end);
}
