/*
 * test_meter.c - packets in, counts out: lanes, trains, handshakes, and what is passed over
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#include <pcap/dlt.h>

#include "measure/meter.h"
#include "packets.h"

enum { TABLE = 64 };

static struct packet packet;

static void feed(struct meter *meter, size_t expected, uint64_t at_ns)
{
	assert_int_equal(meter_packet(meter, packet.bytes, packet.len_bytes, (struct instant){ at_ns }), expected);
}

static struct lane *lane_at(struct meter *meter, size_t index, size_t expected_count)
{
	size_t count;
	struct lane *const *sorted = lanes_sorted(meter->lanes, &count);

	assert_int_equal(count, expected_count);
	return sorted[index];
}

static void counts_by_lane(void **state)
{
	struct meter meter;
	struct lane *lane;

	(void)state;
	assert_int_equal(meter_init(&meter, DLT_EN10MB, 4754, TABLE), 0);
	for (uint32_t i = 0; i < 100; i++) {
		if (i == 50)
			continue;
		packet_train(&packet, 7, 0, 1000 + i, 1, 0, 200);
		feed(&meter, 1, i + 1);
		packet_train(&packet, 7, 1, i, 1, 0, 100);
		feed(&meter, 1, i + 1);
	}
	lane = lane_at(&meter, 0, 2);
	assert_int_equal(lane->key.session, 7);
	assert_int_equal(lane->key.lane, 0);
	assert_int_equal(lane->total.datagrams, 99);
	assert_int_equal(lane->total.payload_bytes, 99 * 200);
	assert_int_equal(lane->total.bytes, 99 * 228);
	assert_int_equal(lane->total.sequence.lost, 1);
	assert_int_equal(lane->first.ns, 1);
	assert_int_equal(lane->last.ns, 100);
	assert_int_equal(lane_at(&meter, 1, 2)->total.bytes, 99 * 128);
	assert_int_equal(meter.counts.total.datagrams, 198);
	assert_int_equal(meter.counts.total.sequence.lost, 2);
	assert_int_equal(meter.counts.packets, 198);
	assert_int_equal(meter.counts.trains, 0);
	meter_fini(&meter);
}

/* Bytes of a train are those of its datagrams on the wire, each with headers of its own */
static void cuts_trains(void **state)
{
	struct meter meter;
	struct lane *lane;

	(void)state;
	assert_int_equal(meter_init(&meter, DLT_EN10MB, 4754, TABLE), 0);
	for (uint32_t i = 0; i < 10; i++) {
		packet_train(&packet, 7, 0, i * 44, 44, 1450, 1000);
		feed(&meter, 44, i + 1);
	}
	lane = lane_at(&meter, 0, 1);
	assert_int_equal(lane->total.datagrams, 440);
	assert_int_equal(lane->total.bytes, 10 * (43 * 1478 + 1028));
	assert_int_equal(lane->total.sequence.lost, 0);
	assert_int_equal(lane->total.sequence.duplicates, 0);
	assert_int_equal(meter.counts.trains, 10);
	assert_int_equal(meter.counts.assumed, 0);
	meter_fini(&meter);
}

/* With a small snaplen the tail is counted unseen, and what is lost between trains still shows */
static void cuts_trains_unseen(void **state)
{
	struct meter meter;

	(void)state;
	assert_int_equal(meter_init(&meter, DLT_EN10MB, 4754, TABLE), 0);
	for (uint32_t i = 0; i < 10; i++) {
		packet_train(&packet, 7, 0, i * 46, 44, 1450, 1000);
		packet.len_bytes = 2048;
		feed(&meter, 44, i + 1);
	}
	assert_int_equal(meter.counts.total.datagrams, 440);
	assert_int_equal(meter.counts.total.sequence.lost, 9 * 2);
	assert_int_equal(meter.counts.assumed, 10 * 42);
	meter_fini(&meter);
}

static void counts_handshakes_by_message(void **state)
{
	static const char *const names[] = { "other", "initiation", "response", "cookie", "other" };
	struct meter meter;
	struct lane *lane;

	(void)state;
	assert_int_equal(meter_init(&meter, DLT_EN10MB, 4754, TABLE), 0);
	for (uint8_t type = 0; type <= 4; type++) {
		uint8_t payload[100] = { 0 };
		struct wr datagram = wr_init(payload, sizeof(payload)), w = wr_init(packet.bytes, sizeof(packet.bytes));

		put_datagram(&datagram, 0x88b6, 0x1000U * type, 0, 0, 12);
		payload[12] = type;
		put_ethernet(&w, 0, 0x0800);
		put_ipv4(&w, 1, 2, 0, payload, sizeof(payload));
		packet.len_bytes = w.used_bytes;
		feed(&meter, 1, 1);
		feed(&meter, 1, 2);
	}
	for (size_t i = 0; i < 4; i++) {
		lane = lane_at(&meter, i, 4);
		assert_int_equal(lane->key.kind, LANE_HANDSHAKE);
		assert_string_equal(meter_handshake_name(lane->key.lane), names[i]);
		assert_int_equal(lane->total.datagrams, i == 0 ? 4 : 2);
		assert_int_equal(lane->total.sequence.duplicates, 0); /* they have no sequence */
	}
	meter_fini(&meter);
}

static void names_what_it_passes_over(void **state)
{
	struct meter meter;

	(void)state;
	assert_int_equal(meter_init(&meter, DLT_EN10MB, 4754, TABLE), 0);
	packet_train(&packet, 7, 0, 1, 1, 0, 100);
	packet.bytes[34] ^= 1; /* one of the two ports is enough */
	feed(&meter, 1, 1);
	packet.bytes[36] ^= 1;
	feed(&meter, 0, 1);
	assert_int_equal(meter.counts.other_port, 1);
	packet_train(&packet, 7, 0, 1, 1, 0, 100);
	packet.bytes[42] = 0x20;
	feed(&meter, 0, 1);
	assert_int_equal(meter.counts.not_weft[GRE_DROP_FLAGS], 1);
	packet_train(&packet, 7, 0, 1, 1, 0, 100);
	for (size_t len = 0; len < 54; len++) {
		packet.len_bytes = len;
		feed(&meter, 0, 1);
	}
	assert_int_equal(meter.counts.not_dissected[DISSECT_DROP_TRUNCATED], 42);
	assert_int_equal(meter.counts.not_weft[GRE_DROP_SHORT], 12);
	assert_int_equal(meter.counts.total.datagrams, 1);
	for (int i = 1; i < DISSECT_RESULTS; i++)
		assert_non_null(meter_dissect_name(i));
	for (int i = 1; i < GRE_RESULTS; i++)
		assert_non_null(meter_gre_name(i));
	meter_fini(&meter);
}

/* A flood of sessions: the table stays within its bound and the totals stay whole */
static void a_flood_is_bounded(void **state)
{
	struct meter meter;
	size_t count;

	(void)state;
	assert_int_equal(meter_init(&meter, DLT_EN10MB, 4754, TABLE), 0);
	for (uint32_t i = 0; i < 3 * TABLE; i++) {
		packet_train(&packet, i, 0, i, 1, 0, 60);
		feed(&meter, 1, i + 1);
	}
	(void)lanes_sorted(meter.lanes, &count);
	assert_int_equal(count, TABLE);
	assert_int_equal(lanes_evicted(meter.lanes), 2 * TABLE);
	assert_int_equal(lanes_gone(meter.lanes)->datagrams, 2 * TABLE);
	assert_int_equal(meter.counts.total.datagrams, 3 * TABLE);
	meter_fini(&meter);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(counts_by_lane),
		cmocka_unit_test(cuts_trains),
		cmocka_unit_test(cuts_trains_unseen),
		cmocka_unit_test(counts_handshakes_by_message),
		cmocka_unit_test(names_what_it_passes_over),
		cmocka_unit_test(a_flood_is_bounded),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
