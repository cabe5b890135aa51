/*
 * test_coalesce.c - random bursts against the naive model, and each rule of joining by itself
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "tests/unit/packet/coalesce_scenario.h"

#define ALL_CAPS (OFFLOAD_CAP_CSUM | OFFLOAD_CAP_TSO4 | OFFLOAD_CAP_TSO6 | OFFLOAD_CAP_USO)

static void random_bursts_match_the_model(void **state)
{
	uint64_t random = 21;

	(void)state;
	for (unsigned int round = 0; round < 4000; round++) {
		uint8_t bytes[300];
		struct script script = { bytes, sizeof(bytes) };

		model_random_fill(&random, bytes, sizeof(bytes));
		if (round % 2)
			bytes[0] = 31;
		for (size_t i = 3; round % 3 && i < sizeof(bytes); i += 2)
			bytes[i] = bytes[3]; /* one flow, mostly */
		coalesce_scenario(&script);
	}
}

static struct coalesce_scenario scenario;
static const struct offload none;
static uint8_t buffer[MODEL_MAX_FRAME_BYTES];

static struct model_packet tcp_packet(uint32_t payload_bytes)
{
	return (struct model_packet){
		.tags = 1,
		.ip_version = 4,
		.protocol = FRAME_PROTOCOL_TCP,
		.tcp_option_bytes = 12,
		.ttl = 64,
		.dont_fragment = true,
		.ip_id = 100,
		.source_port = SCENARIO_PORT,
		.seq = 1,
		.tcp_flags = FRAME_TCP_ACK,
		.payload_bytes = payload_bytes,
	};
}

static void add(const struct model_packet *p, bool partial, uint16_t gso_bytes)
{
	scenario_add(&scenario, buffer, model_build(p, buffer), partial, gso_bytes);
}

static void advance(struct model_packet *p)
{
	p->seq += p->payload_bytes;
	p->ip_id++;
}

static void a_train_becomes_one_frame(void **state)
{
	struct model_packet p = tcp_packet(1388);

	(void)state;
	coalesce_scenario_init(&scenario, ALL_CAPS, 0);
	for (unsigned int i = 0; i < 46; i++, advance(&p))
		add(&p, true, 0);
	assert_int_equal(scenario.emitted, 0);
	p.payload_bytes = 100;
	add(&p, true, 0);
	assert_int_equal(scenario.emitted, 1); /* the shorter one was the last */
	coalesce_scenario_fini(&scenario);
	assert_int_equal(scenario.emitted, 1);
}

static void an_ip_packet_has_65535_bytes_at_most(void **state)
{
	struct model_packet p = tcp_packet(1388);

	(void)state;
	coalesce_scenario_init(&scenario, ALL_CAPS, 0);
	for (unsigned int i = 0; i < 48; i++, advance(&p))
		add(&p, true, 0);
	assert_int_equal(scenario.emitted, 1);
	coalesce_scenario_fini(&scenario);
	assert_int_equal(scenario.emitted, 2);
}

static void rows_have_a_longest_length(void **state)
{
	struct model_packet p = tcp_packet(10);

	(void)state;
	coalesce_scenario_init(&scenario, ALL_CAPS, 0);
	for (unsigned int i = 0; i < COALESCE_MAX_SEGMENTS + 1; i++, advance(&p))
		add(&p, true, 0);
	assert_int_equal(scenario.emitted, 1);
	coalesce_scenario_fini(&scenario);
	assert_int_equal(scenario.emitted, 2);
}

static void ports_without_offloads_get_packets(void **state)
{
	(void)state;
	for (unsigned int caps = 0; caps <= ALL_CAPS; caps++) {
		struct model_packet p = tcp_packet(1000);
		bool joins = (caps & OFFLOAD_CAP_CSUM) && (caps & OFFLOAD_CAP_TSO4);

		coalesce_scenario_init(&scenario, caps, 0);
		for (unsigned int i = 0; i < 10; i++, advance(&p))
			add(&p, true, 0);
		coalesce_scenario_fini(&scenario);
		assert_int_equal(scenario.emitted, joins ? 1 : 10);
	}
}

static void only_what_the_aead_vouches_for_joins(void **state)
{
	struct model_packet p = tcp_packet(1000);

	(void)state;
	coalesce_scenario_init(&scenario, ALL_CAPS, 0);
	for (unsigned int i = 0; i < 10; i++, advance(&p))
		add(&p, i != 4, 0);
	coalesce_scenario_fini(&scenario);
	assert_int_equal(scenario.emitted, 3);
}

/* One thing is different in the third of five frames: it must not join */
static unsigned int emitted_with(void (*change)(struct model_packet *p))
{
	struct model_packet p = tcp_packet(1000);

	coalesce_scenario_init(&scenario, ALL_CAPS, 0);
	for (unsigned int i = 0; i < 5; i++, advance(&p)) {
		struct model_packet changed = p;

		if (i == 2)
			change(&changed);
		add(&changed, true, 0);
	}
	coalesce_scenario_fini(&scenario);
	return scenario.emitted;
}

#define CHANGE(name, what)                                \
	static void change_##name(struct model_packet *p) \
	{                                                 \
		(void)p;                                  \
		what;                                     \
	}
CHANGE(nothing, (void)0)
CHANGE(tos, p->tos = 1)
CHANGE(ttl, p->ttl = 63)
CHANGE(df, p->dont_fragment = false)
CHANGE(id, p->ip_id += 5)
CHANGE(ip_options, p->ip_option_bytes = 8)
CHANGE(seq, p->seq += 1)
CHANGE(ack, p->ack = 1)
CHANGE(window, p->window = 1)
CHANGE(options, p->tcp_option_bytes = 8)
CHANGE(longer, p->payload_bytes = 1001)
CHANGE(empty, p->payload_bytes = 0)
CHANGE(ece, p->tcp_flags |= FRAME_TCP_ECE)
CHANGE(cwr, p->tcp_flags |= FRAME_TCP_CWR)
CHANGE(urg, p->tcp_flags |= FRAME_TCP_URG)
CHANGE(rst, p->tcp_flags |= FRAME_TCP_RST)
CHANGE(psh, p->tcp_flags |= FRAME_TCP_PSH)
CHANGE(fin, p->tcp_flags |= FRAME_TCP_FIN)
CHANGE(shorter, p->payload_bytes = 999)
CHANGE(port, p->source_port = 999)

static void joins_only_what_a_nic_would(void **state)
{
	(void)state;
	assert_int_equal(emitted_with(change_nothing), 1);
	assert_int_equal(emitted_with(change_port), 3); /* another flow, and the gap that it leaves in this one */
	assert_int_equal(emitted_with(change_psh), 2);  /* ends its row */
	assert_int_equal(emitted_with(change_fin), 2);
	assert_int_equal(emitted_with(change_shorter), 2);
	assert_int_equal(emitted_with(change_cwr), 2); /* begins a row, which the next ones join */
	assert_int_equal(emitted_with(change_tos), 3);
	assert_int_equal(emitted_with(change_ttl), 3);
	assert_int_equal(emitted_with(change_df), 3);
	assert_int_equal(emitted_with(change_id), 3);
	assert_int_equal(emitted_with(change_ip_options), 3);
	assert_int_equal(emitted_with(change_seq), 3);
	assert_int_equal(emitted_with(change_ack), 3);
	assert_int_equal(emitted_with(change_window), 3);
	assert_int_equal(emitted_with(change_options), 3);
	assert_int_equal(emitted_with(change_longer), 3);
	assert_int_equal(emitted_with(change_empty), 3);
	assert_int_equal(emitted_with(change_ece), 3);
	assert_int_equal(emitted_with(change_urg), 3);
	assert_int_equal(emitted_with(change_rst), 3);
}

static void another_station_does_not_join(void **state)
{
	(void)state;
	for (unsigned int byte = 0; byte < 2 * MAC_BYTES; byte++) {
		struct model_packet p = tcp_packet(1000);

		coalesce_scenario_init(&scenario, ALL_CAPS, 0);
		for (unsigned int i = 0; i < 5; i++, advance(&p)) {
			size_t bytes = model_build(&p, buffer);

			buffer[byte] ^= i == 2;
			scenario_add(&scenario, buffer, bytes, true, 0);
		}
		coalesce_scenario_fini(&scenario);
		assert_int_equal(scenario.emitted, 3);
	}
}

static void another_protocol_is_another_flow(void **state)
{
	struct model_packet p = tcp_packet(1000), udp = p;

	(void)state;
	udp.protocol = FRAME_PROTOCOL_UDP;
	coalesce_scenario_init(&scenario, ALL_CAPS, 0);
	for (unsigned int i = 0; i < 5; i++, advance(&p)) {
		add(&p, true, 0);
		if (i == 2)
			add(&udp, true, 0);
	}
	coalesce_scenario_fini(&scenario);
	assert_int_equal(scenario.emitted, 2);
}

static void a_fixed_id_joins_with_df_only(void **state)
{
	(void)state;
	for (unsigned int df = 0; df < 2; df++) {
		struct model_packet p = tcp_packet(1000);

		p.dont_fragment = df;
		coalesce_scenario_init(&scenario, ALL_CAPS, 0);
		for (unsigned int i = 0; i < 4; i++, p.seq += 1000)
			add(&p, true, 0);
		coalesce_scenario_fini(&scenario);
		assert_int_equal(scenario.emitted, df ? 1 : 4);
	}
}

/* A joined header would be right where the single one was wrong */
static void a_wrong_ipv4_header_does_not_join(void **state)
{
	static uint8_t wire[3][1100];
	struct model_packet p = tcp_packet(1000);

	(void)state;
	coalesce_scenario_init(&scenario, ALL_CAPS, 0);
	for (unsigned int i = 0; i < 3; i++, advance(&p)) {
		size_t bytes = model_build(&p, wire[i]);
		struct frame_info info;

		assert_true(frame_parse(wire[i], bytes, &info));
		if (i == 1)
			wire[i][info.l3_offset + 10] ^= 1;
		assert_int_equal(join_add(&scenario.coalescer, as_packet(wire[i], bytes, &info, &none), true, 0),
			COALESCE_OK);
		assert_int_equal(scenario.emitted, i == 0 ? 0 : 2);
	}
	coalesce_flush(&scenario.coalescer);
	assert_int_equal(scenario.emitted, 3);
	for (unsigned int i = 0; i < SCENARIO_LOGS; i++)
		free(scenario.got[i].bytes);
}

static void ecn_begins_a_row(void **state)
{
	struct model_packet p = tcp_packet(1000);

	(void)state;
	coalesce_scenario_init(&scenario, ALL_CAPS, 0);
	for (unsigned int i = 0; i < 5; i++, advance(&p)) {
		p.tcp_flags = FRAME_TCP_ACK | (i == 0 ? FRAME_TCP_CWR : 0);
		add(&p, true, 0);
	}
	coalesce_scenario_fini(&scenario);
	assert_int_equal(scenario.emitted, 1);
}

static void eight_flows_are_held_and_the_oldest_leaves(void **state)
{
	struct model_packet p[COALESCE_FLOWS + 1];

	(void)state;
	coalesce_scenario_init(&scenario, ALL_CAPS, 0);
	for (unsigned int i = 0; i < COALESCE_FLOWS; i++) {
		p[i] = tcp_packet(1000);
		p[i].source_port = (uint16_t)(SCENARIO_PORT + i);
	}
	for (unsigned int round = 0; round < 5; round++) {
		for (unsigned int i = 0; i < COALESCE_FLOWS; i++) {
			add(&p[i], true, 0);
			advance(&p[i]);
		}
	}
	assert_int_equal(scenario.emitted, 0);
	p[8] = tcp_packet(1000);
	p[8].source_port = SCENARIO_PORT + 8;
	add(&p[8], true, 0);
	assert_int_equal(scenario.emitted, 1);
	coalesce_scenario_fini(&scenario);
	assert_int_equal(scenario.emitted, 9);
}

static void an_ack_leaves_behind_its_own_flow_only(void **state)
{
	struct model_packet p = tcp_packet(1000), q = tcp_packet(1000);

	(void)state;
	coalesce_scenario_init(&scenario, ALL_CAPS, 0);
	q.source_port = SCENARIO_PORT + 1;
	add(&p, true, 0);
	add(&q, true, 0);
	advance(&p);
	p.payload_bytes = 0;
	add(&p, true, 0);
	assert_int_equal(scenario.emitted, 2);
	coalesce_scenario_fini(&scenario);
	assert_int_equal(scenario.emitted, 3);
}

static void a_fragment_leaves_behind_its_hosts_flows(void **state)
{
	struct model_packet p = tcp_packet(1000), other = tcp_packet(1000), piece = tcp_packet(100);
	struct frame_info info;
	size_t bytes;

	(void)state;
	coalesce_scenario_init(&scenario, ALL_CAPS, 0);
	other.host = 77;
	other.source_port = SCENARIO_PORT + 1;
	add(&p, true, 0);
	add(&other, true, 0);
	bytes = model_build(&piece, buffer);
	assert_true(frame_parse(buffer, bytes, &info));
	buffer[info.l3_offset + 7] = 9;
	scenario_add(&scenario, buffer, bytes, false, 0);
	assert_int_equal(scenario.emitted, 2);
	coalesce_scenario_fini(&scenario);
	assert_int_equal(scenario.emitted, 3);
}

static void udp_datagrams_join_for_uso(void **state)
{
	(void)state;
	for (unsigned int uso = 0; uso < 2; uso++) {
		struct model_packet p = tcp_packet(500);

		p.protocol = FRAME_PROTOCOL_UDP;
		p.ip_version = 6;
		coalesce_scenario_init(&scenario, uso ? ALL_CAPS : ALL_CAPS & ~OFFLOAD_CAP_USO, 0);
		for (unsigned int i = 0; i < 7; i++) {
			p.payload_bytes = i == 3 ? 400 : 500;
			add(&p, true, 0);
		}
		coalesce_scenario_fini(&scenario);
		assert_int_equal(scenario.emitted, uso ? 2 : 7);
	}
}

/* Frames larger than the guest's segments keep its size, joined or cut */
static void large_frames_keep_the_guests_size(void **state)
{
	(void)state;
	for (unsigned int tso = 0; tso < 2; tso++) {
		struct model_packet p = tcp_packet(8700);

		coalesce_scenario_init(&scenario, tso ? ALL_CAPS : OFFLOAD_CAP_CSUM, 0);
		scenario.flows[0].packet = p;
		scenario_make_large(&scenario, 0);
		for (unsigned int i = 0; i < 5; i++, advance(&p))
			add(&p, true, 1448);
		p.payload_bytes = 1448; /* the rest needs no G */
		add(&p, true, 0);
		assert_int_equal(scenario.emitted, tso ? 1 : 5 * 7 + 1);
		coalesce_scenario_fini(&scenario);
	}
}

static void sizes_of_different_guests_do_not_join(void **state)
{
	struct model_packet p = tcp_packet(4000);

	(void)state;
	coalesce_scenario_init(&scenario, ALL_CAPS, 0);
	scenario.flows[0].packet = p;
	scenario_make_large(&scenario, 0);
	add(&p, true, 1448);
	advance(&p);
	add(&p, true, 1400);
	advance(&p);
	add(&p, true, 0);
	assert_int_equal(scenario.emitted, 2);
	coalesce_scenario_fini(&scenario);
	assert_int_equal(scenario.emitted, 3);
}

static void marks_where_they_may_not_be_are_dropped(void **state)
{
	struct model_packet p = tcp_packet(4000), udp = p, syn = p;
	struct frame_info info;
	size_t bytes;

	(void)state;
	udp.protocol = FRAME_PROTOCOL_UDP;
	syn.tcp_flags = FRAME_TCP_SYN | FRAME_TCP_ACK;
	coalesce_scenario_init(&scenario, ALL_CAPS, 0);
#define RESULT(packet, partial, gso)                                                                          \
	(bytes = model_build(packet, buffer),                                                                 \
		frame_parse(buffer, bytes, &info)                                                             \
			? join_add(&scenario.coalescer, as_packet(buffer, bytes, &info, &none), partial, gso) \
			: COALESCE_RESULTS)
	assert_int_equal(RESULT(&p, false, 1448), COALESCE_DROP_GSO);
	assert_int_equal(RESULT(&p, true, SEGMENT_MIN_MSS - 1), COALESCE_DROP_GSO);
	assert_int_equal(RESULT(&udp, true, 1448), COALESCE_DROP_GSO);
	assert_int_equal(RESULT(&syn, true, 1448), COALESCE_DROP_GSO);
	bytes = model_build(&p, buffer);
	buffer[16] = 0x08;
	buffer[17] = 0x06;
	assert_true(frame_parse(buffer, bytes, &info));
	assert_int_equal(join_add(&scenario.coalescer, as_packet(buffer, bytes, &info, &none), true, 0),
		COALESCE_DROP_PARTIAL);
	assert_int_equal(scenario.emitted, 0);
	coalesce_scenario_fini(&scenario);
}

/* What the path cut comes out of the far port as the guest gave it */
struct round_trip {
	uint8_t frame[MODEL_MAX_FRAME_BYTES];
	size_t bytes;
	unsigned int emitted;
	struct offload offload;
};

static void keep(void *ctx, struct packet *const packets[], unsigned int count)
{
	struct round_trip *trip = ctx;

	for (unsigned int i = 0; i < count; i++) {
		assert_true(flatten(packets[i], trip->frame, sizeof(trip->frame)) > 0);
		trip->bytes = packets[i]->bytes;
		trip->offload = packets[i]->offload;
		trip->emitted++;
	}
}

static void cut_and_joined_is_the_original(void **state)
{
	static uint8_t wire[64][9216], memory[SEGMENT_HEADROOM_BYTES + MODEL_MAX_FRAME_BYTES];
	static struct round_trip trip;
	static struct coalescer c;
	uint8_t *frame = memory + SEGMENT_HEADROOM_BYTES;
	uint64_t random = 31;

	(void)state;
	for (unsigned int round = 0; round < 2000; round++) {
		struct model_packet p = tcp_packet(1 + (uint32_t)(model_random(&random) % 60000));
		size_t max_frame_bytes = round % 2 ? 1400 + model_random(&random) % 100 : 8000 + round % 1000;
		struct frame_info info;
		struct segmenter s;
		struct packet segment = { 0 };
		struct offload offload;
		size_t bytes, n = 0;

		p.ip_version = round % 3 ? 4 : 6;
		p.tcp_flags |= (uint8_t)(model_random(&random) & (FRAME_TCP_PSH | FRAME_TCP_FIN | FRAME_TCP_CWR));
		bytes = model_build(&p, frame);
		assert_true(frame_parse(frame, bytes, &info));
		offload = (struct offload){
			.partial = true,
			.gso = p.ip_version == 4 ? OFFLOAD_GSO_TCP4 : OFFLOAD_GSO_TCP6,
			.gso_bytes = 1448,
			.csum_start = info.l4_offset,
			.csum_offset = 16,
		};
		trip.emitted = 0;
		coalesce_init(&c, ALL_CAPS, keep, &trip);
		assert_int_equal(cut_begin(&s, as_packet(frame, bytes, &info, &offload), &offload, max_frame_bytes),
			SEGMENT_OK);
		for (; segment_next(&s, &segment); n++) {
			struct frame_info piece;

			memcpy(wire[n], segment.frame, segment.bytes);
			assert_true(frame_parse(wire[n], segment.bytes, &piece));
			assert_int_equal(join_add(&c, as_packet(wire[n], segment.bytes, &piece, &none),
						 segment.offload.partial, segment.offload.gso_bytes),
				COALESCE_OK);
		}
		coalesce_flush(&c);
		assert_int_equal(trip.emitted, 1);
		assert_int_equal(trip.bytes, bytes);
		if (trip.offload.gso != OFFLOAD_GSO_NONE && max_frame_bytes > 2000)
			assert_int_equal(trip.offload.gso_bytes, 1448);
		assert_true(csum_complete(trip.frame, trip.bytes, &trip.offload));
		assert_memory_equal(trip.frame, frame, bytes);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(random_bursts_match_the_model),
		cmocka_unit_test(a_train_becomes_one_frame),
		cmocka_unit_test(an_ip_packet_has_65535_bytes_at_most),
		cmocka_unit_test(rows_have_a_longest_length),
		cmocka_unit_test(ports_without_offloads_get_packets),
		cmocka_unit_test(only_what_the_aead_vouches_for_joins),
		cmocka_unit_test(joins_only_what_a_nic_would),
		cmocka_unit_test(another_station_does_not_join),
		cmocka_unit_test(another_protocol_is_another_flow),
		cmocka_unit_test(a_fixed_id_joins_with_df_only),
		cmocka_unit_test(a_wrong_ipv4_header_does_not_join),
		cmocka_unit_test(ecn_begins_a_row),
		cmocka_unit_test(eight_flows_are_held_and_the_oldest_leaves),
		cmocka_unit_test(an_ack_leaves_behind_its_own_flow_only),
		cmocka_unit_test(a_fragment_leaves_behind_its_hosts_flows),
		cmocka_unit_test(udp_datagrams_join_for_uso),
		cmocka_unit_test(large_frames_keep_the_guests_size),
		cmocka_unit_test(sizes_of_different_guests_do_not_join),
		cmocka_unit_test(marks_where_they_may_not_be_are_dropped),
		cmocka_unit_test(cut_and_joined_is_the_original),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
