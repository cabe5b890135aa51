/*
 * test_memory.c - the port in memory: what goes in comes out, bounded, and from two threads
 */
#include "base/error.h"
#include "tap/memory.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
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

	return tap_queue_write(port, queue, offload, iov, 3);
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
	assert_int_equal(tap_port_check(port, &error), 0);
	assert_int_equal(tap_port_set_mtu(port, 9000), 0);
	assert_int_equal(tap_port_missed_pkts(port), 0);
	tap_port_close(port);
	tap_port_close(NULL);
	assert_int_equal(memory_port_open(0, 0, 1, &port), -EINVAL);
	assert_int_equal(memory_port_open(TAP_QUEUES_MAX + 1, 0, 1, &port), -EINVAL);
	assert_int_equal(memory_port_open(1, 0, 0, &port), -EINVAL);
}

static void frames_go_to_the_worker(void **state)
{
	struct tap_port *port = open_port(2, 0, 4);
	const struct offload partial = { .partial = true, .csum_start = 34, .csum_offset = 16 };
	static uint8_t in[TAP_READ_BYTES], memory[TAP_READ_HEADROOM_BYTES + TAP_READ_BYTES];
	uint8_t *out = memory + TAP_READ_HEADROOM_BYTES;
	struct offload offload;
	size_t len;

	(void)state;
	memset(in, 7, sizeof(in));
	assert_false(readable(port, 0, 0));
	assert_int_equal(tap_queue_read(port, 0, &offload, out, TAP_READ_BYTES, &len), TAP_EMPTY);
	for (size_t i = 0; i < 4; i++)
		assert_true(memory_port_inject(port, 0, &partial, in, 60 + i));
	assert_false(memory_port_inject(port, 0, &partial, in, 60)); /* full */
	assert_true(memory_port_inject(port, 1, &nothing, in, 13));
	assert_true(readable(port, 0, 0) && readable(port, 1, 0));
	for (size_t i = 0; i < 4; i++) {
		assert_true(readable(port, 0, 0));
		assert_int_equal(tap_queue_read(port, 0, &offload, out, TAP_READ_BYTES, &len), TAP_OK);
		assert_int_equal(len, 60 + i);
		assert_memory_equal(out, in, len);
		assert_true(offload.partial);
		assert_int_equal(offload.csum_start, 34);
	}
	assert_false(readable(port, 0, 0));
	assert_int_equal(tap_queue_read(port, 1, &offload, out, TAP_READ_BYTES, &len), TAP_DROP_SHORT);
	assert_true(memory_port_inject(port, 1, &nothing, in, 100));
	assert_int_equal(tap_queue_read(port, 1, &offload, out, 100, &len), TAP_DROP_TRUNCATED);
	assert_int_equal(tap_queue_read(port, 1, &offload, out, 100, &len), TAP_EMPTY);
	assert_false(memory_port_inject(port, 1, &nothing, in, TAP_READ_BYTES + 1));
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
	assert_false(memory_port_take(port, 0, NULL, out, TAP_READ_BYTES, &len));
	assert_int_equal(write_frame(port, 0, &offload, in, 61), TAP_OK);
	assert_int_equal(write_frame(port, 0, &nothing, in, 99), TAP_OK);
	assert_int_equal(write_frame(port, 0, &nothing, in, 99), TAP_DROP_FULL);
	memset(&offload, 0, sizeof(offload));
	assert_true(memory_port_take(port, 0, &offload, out, TAP_READ_BYTES, &len));
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
	uint8_t memory[TAP_READ_HEADROOM_BYTES + 200], *frame = memory + TAP_READ_HEADROOM_BYTES;
	unsigned int echoed = 0;

	while (echoed < MANY && readable(port, 0, WAIT_MS)) {
		struct offload offload;
		size_t len;

		while (tap_queue_read(port, 0, &offload, frame, 200, &len) == TAP_OK) {
			while (write_frame(port, 0, &offload, frame, len) == TAP_DROP_FULL)
				sched_yield();
			echoed++;
		}
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

static void names_are_there(void **state)
{
	(void)state;
	assert_string_equal(tap_result_name(TAP_DROP_FULL), "tap-full");
	for (int i = 0; i < TAP_RESULTS; i++)
		assert_string_not_equal(tap_result_name((enum tap_result)i), "?");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(opens_by_its_spec),
		cmocka_unit_test(frames_go_to_the_worker),
		cmocka_unit_test(frames_come_from_the_worker),
		cmocka_unit_test(only_what_the_port_can_do),
		cmocka_unit_test(a_pulled_cable),
		cmocka_unit_test(a_worker_on_the_other_side),
		cmocka_unit_test(names_are_there),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
