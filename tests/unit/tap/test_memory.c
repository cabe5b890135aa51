/*
 * test_memory.c - the port in memory: what goes in comes out, bounded, and from two threads
 */
#include "base/error.h"
#include "tap/memory.h"
#include "tap/port_ops.h"
#include "tests/unit/tap/frames.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define WAIT_MS 10000
#define MANY 20000U

static const struct offload nothing;

static struct tap_port *open_port(unsigned int queues, unsigned int caps, unsigned int depth)
{
	struct tap_port *port = NULL;

	assert_int_equal(memory_port_open(queues, caps, depth, &port), 0);
	assert_non_null(port);
	return port;
}

static enum tap_result write_frame(struct tap_port *port, unsigned int queue, const struct offload *offload,
	const void *frame, size_t len)
{
	struct iovec iov[3] = {
		{ 0 },
		{ (void *)(uintptr_t)frame, len / 2 },
		{ (uint8_t *)(uintptr_t)frame + len / 2, len - len / 2 },
	};

	struct packet packet = { .frame = iov[1].iov_base,
		.bytes = (uint32_t)len,
		.offload = *offload,
		.pieces = iov,
		.pieces_count = 3 };
	struct packet *const packets[] = { &packet };
	enum tap_result why;
	unsigned int taken = tap_tx_burst(port, queue, packets, 1, &why);

	assert_int_equal(taken, why == TAP_OK);
	return why;
}

static bool readable(const struct tap_port *port, unsigned int queue, int timeout_ms)
{
	struct pollfd waiting = { .fd = tap_queue_fd(port, queue), .events = POLLIN };

	return poll(&waiting, 1, timeout_ms) == 1;
}

static void opens_by_its_spec(void **state)
{
	struct error error;
	struct tap_port *port;
	struct attach spec;

	(void)state;
	assert_int_equal(attach_parse("memory", &spec, &error), 0);
	assert_int_equal(tap_port_open(&spec, 3, &port, &error), 0);
	assert_string_equal(tap_port_name(port), "memory");
	assert_int_equal(tap_port_queues(port), 3);
	assert_int_equal(tap_port_caps(port), OFFLOAD_CAP_CSUM | OFFLOAD_CAP_TSO4 | OFFLOAD_CAP_TSO6 | OFFLOAD_CAP_USO);
	assert_int_equal(health_of(port, &error), TAP_UP);
	assert_int_equal(tap_port_set_mtu(port, 9000), 0);
	assert_int_equal(tap_port_missed_pkts(port), 0);
	tap_port_close(port);
	tap_port_close(NULL);
	assert_int_equal(memory_port_open(0, 0, 1, &port), -EINVAL);
	assert_int_equal(memory_port_open(TAP_QUEUES_MAX + 1, 0, 1, &port), -EINVAL);
	assert_int_equal(memory_port_open(1, 0, 0, &port), -EINVAL);
}

static uint8_t memory[PACKET_BURST_BYTES];
static struct packet_burst burst;

/* A burst into @bytes of memory behind the headroom */
static enum tap_result read_burst(struct tap_port *port, unsigned int queue, size_t bytes, unsigned int max)
{
	burst.memory = memory;
	burst.memory_bytes = PACKET_HEADROOM_BYTES + bytes;
	return tap_rx_burst(port, queue, &burst, max);
}

static void frames_go_to_the_worker(void **state)
{
	struct tap_port *port = open_port(2, 0, 4);
	const struct offload partial = { .partial = true, .csum_start = 34, .csum_offset = 16 };
	static uint8_t in[PACKET_BYTES_MAX];

	(void)state;
	memset(in, 7, sizeof(in));
	assert_false(readable(port, 0, 0));
	assert_int_equal(read_burst(port, 0, PACKET_BYTES_MAX, 1), TAP_EMPTY);
	assert_int_equal(burst.count, 0);
	for (size_t i = 0; i < 4; i++)
		assert_true(memory_port_inject(port, 0, &partial, in, 60 + i));
	assert_false(memory_port_inject(port, 0, &partial, in, 60)); /* full */
	assert_true(memory_port_inject(port, 1, &nothing, in, 13));
	assert_true(readable(port, 0, 0) && readable(port, 1, 0));
	for (size_t i = 0; i < 4; i++) {
		assert_true(readable(port, 0, 0));
		assert_int_equal(read_burst(port, 0, PACKET_BYTES_MAX, 1), TAP_OK);
		assert_int_equal(burst.count, 1);
		assert_int_equal(burst.packets[0].bytes, 60 + i);
		assert_memory_equal(burst.packets[0].frame, in, 60 + i);
		assert_true(burst.packets[0].offload.partial);
		assert_int_equal(burst.packets[0].offload.csum_start, 34);
	}
	assert_false(readable(port, 0, 0));
	assert_int_equal(read_burst(port, 1, PACKET_BYTES_MAX, 1), TAP_DROP_SHORT);
	assert_true(memory_port_inject(port, 1, &nothing, in, 100));
	assert_int_equal(read_burst(port, 1, 100, 1), TAP_DROP_TRUNCATED);
	assert_int_equal(read_burst(port, 1, 100, 1), TAP_EMPTY);
	assert_false(memory_port_inject(port, 1, &nothing, in, PACKET_BYTES_MAX + 1));
	tap_port_close(port);
}

static void assert_whole(unsigned int i, uint8_t number, size_t len)
{
	const struct packet *packet = &burst.packets[i];

	assert_int_equal(packet->bytes, len);
	assert_int_equal(packet->headroom_bytes, PACKET_HEADROOM_BYTES);
	memset(packet->frame - PACKET_HEADROOM_BYTES, 0xee, PACKET_HEADROOM_BYTES); /* as who has it alone may */
	for (size_t k = 0; k < len; k++)
		assert_int_equal(packet->frame[k], number);
}

static void many_small_frames_or_few_large_ones_are_a_burst(void **state)
{
	struct tap_port *port = open_port(1, 0, 200);
	static uint8_t in[PACKET_BYTES_MAX];

	(void)state;
	for (uint8_t i = 0; i < 200; i++) {
		memset(in, i, sizeof(in));
		assert_true(memory_port_inject(port, 0, &nothing, in, i < 100 ? 60 + i % 8 : 9000));
	}
	for (uint8_t at = 0; at < 200; at += (uint8_t)burst.count) {
		assert_int_equal(read_burst(port, 0, PACKET_BURST_BYTES - PACKET_HEADROOM_BYTES, PACKET_BURST_MAX),
			TAP_OK);
		if (at < 36)
			assert_int_equal(burst.count, PACKET_BURST_MAX);
		if (at >= 100)
			assert_int_equal(burst.count, 1);
		for (uint8_t i = 0; i < burst.count; i++)
			assert_whole(i, (uint8_t)(at + i), at + i < 100 ? 60 + (at + i) % 8U : 9000);
	}
	/* what is there comes before the word that there is no more */
	assert_true(memory_port_inject(port, 0, &nothing, in, 60));
	assert_true(memory_port_inject(port, 0, &nothing, in, PACKET_BYTES_MAX - 1));
	assert_int_equal(read_burst(port, 0, PACKET_BURST_BYTES - PACKET_HEADROOM_BYTES, PACKET_BURST_MAX), TAP_OK);
	assert_int_equal(burst.count, 2);
	/* a drop ends a burst, and is told once */
	assert_true(memory_port_inject(port, 0, &nothing, in, 60));
	assert_true(memory_port_inject(port, 0, &nothing, in, 13));
	assert_true(memory_port_inject(port, 0, &nothing, in, 61));
	assert_int_equal(read_burst(port, 0, PACKET_BURST_BYTES - PACKET_HEADROOM_BYTES, PACKET_BURST_MAX),
		TAP_DROP_SHORT);
	assert_int_equal(burst.count, 1);
	assert_int_equal(read_burst(port, 0, PACKET_BURST_BYTES - PACKET_HEADROOM_BYTES, PACKET_BURST_MAX), TAP_EMPTY);
	assert_int_equal(burst.count, 1);
	assert_int_equal(burst.packets[0].bytes, 61);
	tap_port_close(port);
}

static size_t kernel_has_bytes;

/* An interface whose kernel joins more than 64 KiB (gro_max_size) gives all that there is room for */
static enum tap_result read_from_kernel(struct tap_port *port, unsigned int queue, struct packet *packet,
	size_t cap_bytes)
{
	(void)port;
	(void)queue;
	if (kernel_has_bytes == 0)
		return TAP_EMPTY;
	assert_true(kernel_has_bytes <= cap_bytes);
	packet->bytes = (uint32_t)kernel_has_bytes;
	packet->offload = nothing;
	kernel_has_bytes = 0;
	return TAP_OK;
}

static void no_packet_is_longer_than_a_packet_may_be(void **state)
{
	struct packet_burst lent = { .memory = malloc(PACKET_BURST_BYTES), .memory_bytes = PACKET_BURST_BYTES };
	struct tap_port *port = open_port(1, 0, 1);

	(void)state;
	kernel_has_bytes = PACKET_BYTES_MAX;
	assert_int_equal(tap_rx_each(port, 0, &lent, 2, read_from_kernel), TAP_OK);
	assert_int_equal(lent.count, 1);
	kernel_has_bytes = PACKET_BYTES_MAX + 1;
	assert_int_equal(tap_rx_each(port, 0, &lent, 2, read_from_kernel), TAP_DROP_TRUNCATED);
	assert_int_equal(lent.count, 0);
	tap_port_close(port);
	free(lent.memory);
}

static void a_burst_is_written_up_to_the_first_that_is_not_taken(void **state)
{
	struct tap_port *port = open_port(1, 0, 8);
	uint8_t frame[60] = { 0 };
	struct packet good = { .frame = frame, .bytes = 60 }, bad = { .frame = frame, .bytes = 13 };
	struct packet *const packets[] = { &good, &good, &bad, &good };
	enum tap_result why;
	size_t len;

	(void)state;
	assert_int_equal(tap_tx_burst(port, 0, packets, 4, &why), 2);
	assert_int_equal(why, TAP_DROP_REFUSED);
	assert_int_equal(tap_tx_burst(port, 0, packets + 3, 1, &why), 1);
	assert_int_equal(why, TAP_OK);
	for (int i = 0; i < 3; i++)
		assert_true(memory_port_take(port, 0, NULL, frame, sizeof(frame), &len));
	assert_false(memory_port_take(port, 0, NULL, frame, sizeof(frame), &len));
	tap_port_close(port);
}

static void frames_come_from_the_worker(void **state)
{
	struct tap_port *port = open_port(1, OFFLOAD_CAP_CSUM, 2);
	uint8_t in[100], out[100];
	struct offload offload = { .partial = true, .csum_start = 34, .csum_offset = 6 };
	size_t len;

	(void)state;
	for (size_t i = 0; i < sizeof(in); i++)
		in[i] = (uint8_t)i;
	assert_false(memory_port_take(port, 0, NULL, out, PACKET_BYTES_MAX, &len));
	assert_int_equal(write_frame(port, 0, &offload, in, 61), TAP_OK);
	assert_int_equal(write_frame(port, 0, &nothing, in, 99), TAP_OK);
	assert_int_equal(write_frame(port, 0, &nothing, in, 99), TAP_DROP_FULL);
	memset(&offload, 0, sizeof(offload));
	assert_true(memory_port_take(port, 0, &offload, out, PACKET_BYTES_MAX, &len));
	assert_int_equal(len, 61);
	assert_memory_equal(in, out, 61);
	assert_true(offload.partial);
	assert_true(memory_port_take(port, 0, NULL, out, 10, &len));
	assert_int_equal(len, 99);
	assert_int_equal(write_frame(port, 0, &nothing, in, 13), TAP_DROP_REFUSED);
	tap_port_close(port);
}

static void only_what_the_port_can_do(void **state)
{
	static const struct {
		uint8_t gso;
		unsigned int cap;
	} kinds[] = {
		{ OFFLOAD_GSO_TCP4, OFFLOAD_CAP_TSO4 },
		{ OFFLOAD_GSO_TCP6, OFFLOAD_CAP_TSO6 },
		{ OFFLOAD_GSO_UDP, OFFLOAD_CAP_USO },
	};
	uint8_t frame[60] = { 0 };

	(void)state;
	for (unsigned int caps = 0; caps < 16; caps++) {
		struct tap_port *port = open_port(1, caps, 8);
		struct offload offload = { .partial = true, .csum_start = 34, .csum_offset = 16 };

		assert_int_equal(tap_port_caps(port), caps);
		assert_int_equal(write_frame(port, 0, &offload, frame, 60),
			caps & OFFLOAD_CAP_CSUM ? TAP_OK : TAP_DROP_REFUSED);
		for (size_t i = 0; i < 3; i++) {
			unsigned int needed = kinds[i].cap | OFFLOAD_CAP_CSUM;

			offload.gso = kinds[i].gso;
			offload.gso_bytes = 1000;
			assert_int_equal(write_frame(port, 0, &offload, frame, 60),
				(caps & needed) == needed ? TAP_OK : TAP_DROP_REFUSED);
		}
		tap_port_close(port);
	}
}

static void a_pulled_cable(void **state)
{
	struct tap_port *port = open_port(1, 0, 2);
	uint8_t frame[60] = { 0 };

	(void)state;
	memory_port_set_up(port, false);
	assert_int_equal(write_frame(port, 0, &nothing, frame, 60), TAP_DROP_DOWN);
	assert_false(memory_port_inject(port, 0, &nothing, frame, 60));
	memory_port_set_up(port, true);
	assert_int_equal(write_frame(port, 0, &nothing, frame, 60), TAP_OK);
	tap_port_close(port);
}

/* The worker's side: sends every frame back */
static void *echo(void *argument)
{
	struct tap_port *port = argument;
	unsigned int echoed = 0;

	while (echoed < MANY && readable(port, 0, WAIT_MS)) {
		enum tap_result result;

		do {
			result = read_burst(port, 0, PACKET_BURST_BYTES - PACKET_HEADROOM_BYTES, 8);
			for (unsigned int i = 0; i < burst.count; i++, echoed++)
				while (write_frame(port, 0, &nothing, burst.packets[i].frame, burst.packets[i].bytes) ==
					TAP_DROP_FULL)
					sched_yield();
		} while (result == TAP_OK);
	}
	return NULL;
}

static void a_worker_on_the_other_side(void **state)
{
	struct tap_port *port = open_port(1, 0, 16);
	uint8_t frame[100] = { 0 }, back[100];
	unsigned int sent = 0, got = 0;
	pthread_t worker;

	(void)state;
	assert_int_equal(pthread_create(&worker, NULL, echo, port), 0);
	while (got < MANY) {
		size_t len;

		memcpy(frame, &sent, sizeof(sent));
		if (sent < MANY && memory_port_inject(port, 0, &nothing, frame, 60 + sent % 40))
			sent++;
		if (memory_port_take(port, 0, NULL, back, sizeof(back), &len)) {
			assert_memory_equal(back, &got, sizeof(got));
			assert_int_equal(len, 60 + got % 40);
			got++;
		}
	}
	pthread_join(worker, NULL);
	tap_port_close(port);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(opens_by_its_spec),
		cmocka_unit_test(frames_go_to_the_worker),
		cmocka_unit_test(frames_come_from_the_worker),
		cmocka_unit_test(many_small_frames_or_few_large_ones_are_a_burst),
		cmocka_unit_test(no_packet_is_longer_than_a_packet_may_be),
		cmocka_unit_test(a_burst_is_written_up_to_the_first_that_is_not_taken),
		cmocka_unit_test(only_what_the_port_can_do),
		cmocka_unit_test(a_pulled_cable),
		cmocka_unit_test(a_worker_on_the_other_side),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
