/*
 * test_udp.c - two UDP underlays on the loopback of a namespace of the test's own: steering, trains, what is refused
 */
#include "underlay/udp.h"

#include <errno.h>
#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "tests/unit/netns.h"

#define WORKERS 3U
#define PORT_A 4754U
#define PORT_B 4755U
#define WAIT_MS 2000
#define DATAGRAM_BYTES 1400U
#define LANE_AT 7U

static struct underlay *a, *b;
static struct sockaddr_storage to_b;
static socklen_t to_b_bytes;
static struct endpoint at_b;

static int open_both(void **state)
{
	struct error error;

	(void)state;
	assert_int_equal(udp_open(PORT_A, WORKERS, &a, &error), 0);
	assert_int_equal(udp_open(PORT_B, WORKERS, &b, &error), 0);
	assert_true(endpoint_parse("127.0.0.1", PORT_B, &at_b));
	to_b_bytes = endpoint_to_sockaddr(&at_b, a->family, &to_b);
	return 0;
}

static int close_both(void **state)
{
	(void)state;
	underlay_close(a);
	underlay_close(b);
	underlay_close(NULL);
	return 0;
}

/* The start of a GRE header: flags, protocol, session, lane */
static void head(uint8_t *bytes, bool handshake, uint8_t lane)
{
	const uint8_t header[8] = { 0x30, 0, 0x88, handshake ? 0xb6 : 0xb5, 0, 0, 1, lane };

	memcpy(bytes, header, sizeof(header));
}

static bool waits(const struct underlay *underlay, uint32_t worker, int ms)
{
	struct pollfd ready = { .fd = underlay_descriptor(underlay, worker), .events = POLLIN };

	return poll(&ready, 1, ms) == 1;
}

static struct underlay_train train(const uint8_t *bytes, uint32_t len_bytes, uint32_t segment_bytes)
{
	return (struct underlay_train){
		.bytes = bytes,
		.len_bytes = len_bytes,
		.segment_bytes = segment_bytes,
		.to = (const struct sockaddr *)&to_b,
		.to_bytes = to_b_bytes,
	};
}

static uint16_t source_port(const struct underlay_message *message)
{
	struct endpoint from;

	assert_true(endpoint_from_sockaddr(message->from, message->from_bytes, &from));
	return from.port;
}

static void lanes_go_to_their_workers(void **state)
{
	(void)state;
	for (uint8_t lane = 0; lane < 2 * WORKERS; lane++) {
		struct underlay_message messages[UNDERLAY_RECEIVE_MAX];
		uint8_t bytes[100] = { 0 };
		struct underlay_train one = train(bytes, sizeof(bytes), sizeof(bytes));

		head(bytes, false, lane);
		underlay_send(a, 1, &one, 1);
		assert_int_equal(one.full + one.too_big + one.failed, 0);
		assert_true(waits(b, lane % WORKERS, WAIT_MS));
		assert_int_equal(underlay_receive(b, lane % WORKERS, messages, UNDERLAY_RECEIVE_MAX), 1);
		assert_int_equal(messages[0].len_bytes, sizeof(bytes));
		assert_int_equal(messages[0].segment_bytes, sizeof(bytes));
		assert_int_equal(messages[0].bytes[LANE_AT], lane);
		assert_false(messages[0].cut);
		assert_int_equal(source_port(&messages[0]), PORT_A);
		assert_int_equal(underlay_receive(b, lane % WORKERS, messages, UNDERLAY_RECEIVE_MAX), 0);
	}
}

static void handshakes_go_to_the_control_thread(void **state)
{
	uint8_t bytes[120] = { 0 }, got[200];
	struct endpoint from;

	(void)state;
	head(bytes, true, 2);
	assert_int_equal(underlay_control_receive(b, got, sizeof(got), &from), -EAGAIN);
	assert_int_equal(underlay_control_send(a, &at_b, bytes, sizeof(bytes)), 0);
	assert_true(waits(b, UNDERLAY_CONTROL, WAIT_MS));
	assert_false(waits(b, 2, 0));
	assert_int_equal(underlay_control_receive(b, got, sizeof(got), &from), sizeof(bytes));
	assert_memory_equal(got, bytes, sizeof(bytes));
	assert_int_equal(from.port, PORT_A);
}

static void own_flows_have_ports_of_their_own_and_take_nothing(void **state)
{
	uint8_t bytes[100] = { 0 };
	uint16_t ports[WORKERS];

	(void)state;
	head(bytes, false, 0);
	for (uint32_t worker = 1; worker < WORKERS; worker++) {
		struct underlay_train one = train(bytes, sizeof(bytes), sizeof(bytes));
		struct underlay_message message;

		one.own_flow = true;
		underlay_send(a, worker, &one, 1);
		assert_true(waits(b, 0, WAIT_MS));
		assert_int_equal(underlay_receive(b, 0, &message, 1), 1);
		ports[worker] = source_port(&message);
		assert_int_not_equal(ports[worker], PORT_A);
	}
	assert_int_not_equal(ports[1], ports[2]);
}

static void assert_local(const uint8_t *ip, const char *text)
{
	struct endpoint expected;

	assert_non_null(ip);
	assert_true(endpoint_parse(text, 1, &expected));
	assert_memory_equal(ip, expected.ip, IP_BYTES);
}

/* a sends to @to of b from @from of its own: b is told the one, and sees the other; trains of one datagram and of three */
static void between(const char *from, const char *to)
{
	static uint8_t bytes[2 * DATAGRAM_BYTES + 100];
	struct endpoint there, here, seen;
	struct sockaddr_storage sa;

	assert_true(endpoint_parse(to, PORT_B, &there) && endpoint_parse(from, PORT_A, &here));
	for (uint32_t at = 0; at < sizeof(bytes); at += DATAGRAM_BYTES)
		head(bytes + at, false, 0);
	for (uint32_t i = 0; i < 4; i++) {
		const uint32_t len_bytes = i < 2 ? DATAGRAM_BYTES : sizeof(bytes);
		struct underlay_train one = train(bytes, len_bytes, DATAGRAM_BYTES);
		struct underlay_message message;

		one.to_bytes = endpoint_to_sockaddr(&there, a->family, &sa);
		one.to = (const struct sockaddr *)&sa;
		one.local_ip = here.ip;
		one.own_flow = i % 2;
		underlay_send(a, 1, &one, 1);
		assert_int_equal(one.full + one.too_big + one.failed, 0);
		for (uint32_t got = 0; got < len_bytes; got += message.len_bytes) {
			assert_true(waits(b, 0, WAIT_MS));
			assert_int_equal(underlay_receive(b, 0, &message, 1), 1);
			assert_local(message.local_ip, to);
			assert_true(endpoint_from_sockaddr(message.from, message.from_bytes, &seen));
			assert_memory_equal(seen.ip, here.ip, IP_BYTES);
		}
	}
	head(bytes, true, 0);
	memcpy(there.local_ip, here.ip, IP_BYTES);
	assert_int_equal(underlay_control_send(a, &there, bytes, 100), 0);
	assert_true(waits(b, UNDERLAY_CONTROL, WAIT_MS));
	assert_int_equal(underlay_control_receive(b, bytes, sizeof(bytes), &seen), 100);
	assert_true(endpoint_equal(&seen, &here));
	assert_local(seen.local_ip, to);
}

static void an_answer_leaves_from_where_the_question_came_to(void **state)
{
	(void)state;
	between("127.0.0.7", "127.0.0.9");
	assert_int_equal(
		netns_run("ip addr add 2001:db8::7/128 dev lo nodad && ip addr add 2001:db8::9/128 dev lo nodad"), 0);
	between("2001:db8::7", "2001:db8::9");
	between("2001:db8::9", "2001:db8::7");
}

/* The control thread hears of it later: until then the kernel chooses, and nothing is lost */
static void an_address_that_is_gone_is_not_left_from(void **state)
{
	static uint8_t bytes[3 * DATAGRAM_BYTES];
	struct endpoint gone, seen, to = at_b;
	uint32_t got = 0;

	(void)state;
	assert_true(endpoint_parse("192.0.2.77", 1, &gone));
	for (uint32_t at = 0; at < sizeof(bytes); at += DATAGRAM_BYTES)
		head(bytes + at, false, 0);
	for (uint32_t datagrams = 1; datagrams <= 3; datagrams += 2) {
		struct underlay_train one = train(bytes, datagrams * DATAGRAM_BYTES, DATAGRAM_BYTES);

		one.local_ip = gone.ip;
		underlay_send(a, 1, &one, 1);
		assert_int_equal(one.full + one.too_big + one.failed, 0);
	}
	while (got < 4 * DATAGRAM_BYTES && waits(b, 0, WAIT_MS)) {
		struct underlay_message message;

		assert_int_equal(underlay_receive(b, 0, &message, 1), 1);
		got += message.len_bytes;
	}
	assert_int_equal(got, 4 * DATAGRAM_BYTES);
	assert_true(underlay_takes_trains(a, 1));
	memcpy(to.local_ip, gone.ip, IP_BYTES);
	head(bytes, true, 0);
	assert_int_equal(underlay_control_send(a, &to, bytes, 100), 0);
	assert_true(waits(b, UNDERLAY_CONTROL, WAIT_MS));
	assert_int_equal(underlay_control_receive(b, bytes, sizeof(bytes), &seen), 100);
}

/* Flows alternate, so that a burst is several system calls */
static void a_burst_arrives_in_order_whole(void **state)
{
	enum { TRAINS = 70, DATAGRAMS = 3, LAST = 500 };
	static uint8_t bytes[TRAINS][(DATAGRAMS - 1) * DATAGRAM_BYTES + LAST];
	struct underlay_train trains[TRAINS];
	uint32_t datagrams = 0, last[2] = { 0, 0 };

	(void)state;
	for (uint32_t i = 0; i < TRAINS; i++) {
		for (uint32_t at = 0; at < sizeof(bytes[i]); at += DATAGRAM_BYTES) {
			head(bytes[i] + at, false, 0);
			bytes[i][at + 8] = (uint8_t)i;
		}
		trains[i] = train(bytes[i], sizeof(bytes[i]), DATAGRAM_BYTES);
		trains[i].own_flow = i % 5 < 2;
	}
	assert_true(underlay_takes_trains(a, 2));
	underlay_send(a, 2, trains, TRAINS);
	while (waits(b, 0, datagrams < TRAINS * DATAGRAMS ? WAIT_MS : 0)) {
		struct underlay_message messages[UNDERLAY_RECEIVE_MAX];
		uint32_t got = underlay_receive(b, 0, messages, UNDERLAY_RECEIVE_MAX);

		for (uint32_t i = 0; i < got; i++)
			for (uint32_t at = 0; at < messages[i].len_bytes; at += messages[i].segment_bytes) {
				const bool main_flow = source_port(&messages[i]) == PORT_A;

				assert_true(messages[i].bytes[at + 8] >= last[main_flow]);
				last[main_flow] = messages[i].bytes[at + 8];
				datagrams++;
			}
	}
	assert_int_equal(datagrams, TRAINS * DATAGRAMS);
	for (uint32_t i = 0; i < TRAINS; i++)
		assert_int_equal(trains[i].full + trains[i].too_big + trains[i].failed, 0);
}

/* The middle one's datagrams are over the device's MTU but for the last, which some kernels send and some do not */
static void what_is_too_big_is_told_train_by_train(void **state)
{
	static uint8_t bytes[3 * DATAGRAM_BYTES + 100];
	struct underlay_train trains[3];
	uint32_t got = 0;

	(void)state;
	assert_int_equal(netns_run("ip link set lo mtu 1300"), 0);
	for (uint32_t at = 0; at < sizeof(bytes); at += DATAGRAM_BYTES)
		head(bytes + at, false, 0);
	trains[0] = train(bytes, 200, 200);
	trains[1] = train(bytes, sizeof(bytes), DATAGRAM_BYTES);
	trains[2] = train(bytes, 300, 300);
	underlay_send(a, 1, trains, 3);
	assert_int_equal(underlay_control_send(a, &at_b, bytes, DATAGRAM_BYTES), -EMSGSIZE);
	assert_int_equal(netns_run("ip link set lo mtu 65536"), 0);
	assert_in_range(trains[1].too_big, 3, 4);
	for (int i = 0; i < 3; i++)
		assert_int_equal(trains[i].full + trains[i].failed + (i == 1 ? 0 : trains[i].too_big), 0);
	while (waits(b, 0, got < 6 - trains[1].too_big ? WAIT_MS : 0)) {
		struct underlay_message messages[UNDERLAY_RECEIVE_MAX];

		got += underlay_receive(b, 0, messages, UNDERLAY_RECEIVE_MAX);
	}
	assert_int_equal(got, 6 - trains[1].too_big);
	assert_true(underlay_takes_trains(a, 1)); /* the device can do trains, only not of that size */
}

/* More than any buffer that the kernel grants: what does not fit is known by number */
static void what_nobody_reads_in_time_is_counted(void **state)
{
	static uint8_t bytes[60000];
	struct underlay_train one = train(bytes, sizeof(bytes), sizeof(bytes));
	struct underlay_message messages[UNDERLAY_RECEIVE_MAX];
	uint64_t sent = 0, read = 0;
	uint32_t got;

	(void)state;
	assert_int_equal(underlay_missed_pkts(b), 0);
	head(bytes, false, 0);
	for (; sent < 2000; sent++)
		underlay_send(a, 1, &one, 1);
	assert_int_equal(one.full + one.too_big + one.failed, 0);
	while ((got = underlay_receive(b, 0, messages, UNDERLAY_RECEIVE_MAX)) > 0)
		read += got;
	assert_in_range(read, 1, sent - 1);
	assert_int_equal(read + underlay_missed_pkts(b), sent);
}

static void what_cannot_be_sent_is_counted(void **state)
{
	struct endpoint nowhere;
	struct sockaddr_storage sa;
	uint8_t bytes[100] = { 0 };
	struct underlay_train one = train(bytes, sizeof(bytes), sizeof(bytes));

	(void)state;
	assert_true(endpoint_parse("192.0.2.1", PORT_B, &nowhere)); /* there is no route */
	one.to_bytes = endpoint_to_sockaddr(&nowhere, a->family, &sa);
	one.to = (const struct sockaddr *)&sa;
	underlay_send(a, 0, &one, 1);
	assert_int_equal(one.failed, 1);
	assert_int_equal(underlay_control_send(a, &nowhere, bytes, sizeof(bytes)), -ENETUNREACH);
}

static void a_port_in_use_is_refused_with_advice(void **state)
{
	struct underlay *other = NULL;
	struct error error;

	(void)state;
	assert_int_equal(udp_open(PORT_A, WORKERS, &other, &error), -EADDRINUSE);
	assert_null(other);
	assert_non_null(strstr(error.text, "--listen-port"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(lanes_go_to_their_workers),
		cmocka_unit_test(handshakes_go_to_the_control_thread),
		cmocka_unit_test(own_flows_have_ports_of_their_own_and_take_nothing),
		cmocka_unit_test(an_answer_leaves_from_where_the_question_came_to),
		cmocka_unit_test(an_address_that_is_gone_is_not_left_from),
		cmocka_unit_test(a_burst_arrives_in_order_whole),
		cmocka_unit_test(what_is_too_big_is_told_train_by_train),
		cmocka_unit_test(what_nobody_reads_in_time_is_counted),
		cmocka_unit_test(what_cannot_be_sent_is_counted),
		cmocka_unit_test(a_port_in_use_is_refused_with_advice),
	};

	netns_enter();
	if (netns_run("ip link set lo up") != 0)
		return 1;
	return cmocka_run_group_tests(tests, open_both, close_both);
}
