/*
 * test_packet.c - AF_PACKET ports, and super-frames from one kind of port to another through real devices
 *
 *   device port wf1 --- br0 --- v0 ==veth== v1 --- packet port
 */
#include "base/error.h"
#include "base/netlink.h"
#include "tap/port.h"
#include "tests/unit/netns.h"
#include "tests/unit/tap/frames.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <linux/if_packet.h>
#include <sys/socket.h>

#include <cmocka.h>

static struct test_frame sent, got;

static struct tap_port *open_port(const char *text, unsigned int queues)
{
	struct error error = { "" };
	struct tap_port *port = NULL;
	struct attach spec;

	assert_int_equal(attach_parse(text, &spec, &error), 0);
	snprintf(spec.device, sizeof(spec.device), "wf1");
	if (tap_port_open(&spec, queues, &port, &error))
		fail_msg("%s: %s", text, error.text);
	return port;
}

/*
 * A bridge that snoops speaks IGMP itself, which would come in between.  A port that is up forwards a moment later, when
 * the kernel has told the bridge of its carrier.
 */
static int lay_cables(void **state)
{
	(void)state;
	return netns_run("sysctl -qw net.ipv6.conf.default.disable_ipv6=1 &&"
			 "ip link add br0 type bridge mcast_snooping 0 && ip link set br0 up &&"
			 "ip link add v0 type veth peer name v1 && ip link set v0 master br0 up && ip link set v1 up &&"
			 "timeout 5 sh -c 'until bridge link show dev v0 | grep -q \"state forwarding\"; do :; done'");
}

static int take_cables(void **state)
{
	(void)state;
	return netns_run("ip link del v0; ip link del br0");
}

static void crosses(struct tap_port *from, struct tap_port *to)
{
	enum tap_result result;

	assert_int_equal(frame_write(from, 0, &sent), TAP_OK);
	assert_true(frame_wait(to, &got, &result) >= 0);
	assert_int_equal(result, TAP_OK);
	assert_int_equal(got.len_bytes, sent.len_bytes);
	assert_memory_equal(got.bytes, sent.bytes, sent.len_bytes);
	assert_true(got.offload.partial);
	assert_int_equal(got.offload.csum_start, sent.offload.csum_start);
	assert_int_equal(got.offload.csum_offset, sent.offload.csum_offset);
	assert_int_equal(got.offload.gso, sent.offload.gso);
	assert_int_equal(got.offload.gso_bytes, sent.offload.gso_bytes);
}

static void super_frames_cross_whole(void **state)
{
	struct tap_port *device = open_port("bridge:br0", 1), *packet = open_port("packet:v1", 1);
	static const size_t sizes[] = { 100, FRAME_MSS, 20000, 60000 };

	(void)state;
	assert_string_equal(tap_port_name(packet), "v1");
	assert_int_equal(netns_run("ip -d link show v1 | grep -q 'promiscuity [1-9]'"), 0);
	for (int vlan = 0; vlan <= 4094; vlan += 4094 / 2) {
		for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
			frame_build(&sent, vlan, sizes[i]);
			crosses(device, packet);
			crosses(packet, device);
		}
	}
	tap_port_close(packet);
	tap_port_close(device);
	assert_int_equal(netns_run("ip -d link show v1 | grep -q 'promiscuity 0'"), 0);
}

/* One frame, not one for each queue, and a flow's frames all by the same queue */
static void queues_share_the_frames(void **state)
{
	struct tap_port *device = open_port("bridge:br0", 1), *packet = open_port("packet:v1", 4);
	unsigned int used = 0;

	(void)state;
	for (unsigned int i = 0; i < 200; i++) {
		enum tap_result result;
		int queue;

		frame_build(&sent, 0, 100);
		sent.bytes[37] = (uint8_t)(i / 2); /* TCP's destination port */
		assert_int_equal(frame_write(device, 0, &sent), TAP_OK);
		queue = frame_wait(packet, &got, &result);
		assert_true(queue >= 0);
		assert_int_equal(result, TAP_OK);
		assert_memory_equal(got.bytes, sent.bytes, sent.len_bytes);
		if (i % 2)
			assert_true(used & 1U << queue);
		used |= 1U << queue;
		for (unsigned int q = 0; q < 4; q++)
			assert_int_equal(frame_read(packet, q, &got), TAP_EMPTY);
	}
	assert_true(used & (used - 1)); /* more than one */
	tap_port_close(packet);
	tap_port_close(device);
}

static void what_the_host_sends_is_not_seen(void **state)
{
	struct tap_port *device = open_port("bridge:br0", 1);

	(void)state;
	for (unsigned int queues = 1; queues <= 2; queues++) {
		struct tap_port *packet = open_port("packet:v1", queues), *beside = open_port("packet:v1", 1);
		enum tap_result result;

		frame_build(&sent, 0, 100);
		assert_int_equal(frame_write(beside, 0, &sent), TAP_OK); /* leaves by v1 as the host's would */
		assert_true(frame_wait(device, &got, &result) >= 0);
		for (unsigned int q = 0; q < queues; q++)
			assert_int_equal(frame_read(packet, q, &got), TAP_EMPTY);
		tap_port_close(beside);
		tap_port_close(packet);
	}
	tap_port_close(device);
}

static void what_cannot_leave_has_a_name(void **state)
{
	struct tap_port *packet = open_port("packet:v1", 1);
	struct netlink_link link;

	(void)state;
	frame_build(&sent, 0, FRAME_MSS);
	sent.len_bytes = 1519;
	assert_int_equal(frame_write(packet, 0, &sent), TAP_DROP_OVERSIZE);
	frame_build(&sent, 0, 100);
	sent.offload.csum_start = 60000;
	assert_int_equal(frame_write(packet, 0, &sent), TAP_DROP_REFUSED);
	frame_build(&sent, 0, 100);
	assert_int_equal(netlink_link_get("v1", &link), 0);
	assert_int_equal(netlink_link_set_up(link.index, false), 0);
	assert_int_equal(frame_write(packet, 0, &sent), TAP_DROP_DOWN);
	assert_int_equal(frame_read(packet, 0, &got), TAP_EMPTY); /* and not readable for ever */
	assert_int_equal(frame_read(packet, 0, &got), TAP_EMPTY);
	assert_int_equal(netlink_link_set_up(link.index, true), 0);
	tap_port_close(packet);
}

/* A bridge takes a moment to forward again: write until something is there */
static void assert_crosses_in_time(struct tap_port *from, struct tap_port *to, int patience_ms)
{
	struct pollfd waiting[TAP_QUEUES_MAX];
	unsigned int queues = tap_port_queues(to);

	for (unsigned int q = 0; q < queues; q++)
		waiting[q] = (struct pollfd){ .fd = tap_queue_fd(to, q), .events = POLLIN };
	for (int waited_ms = 0; waited_ms < patience_ms; waited_ms += 10) {
		assert_int_equal(frame_write(from, 0, &sent), TAP_OK);
		if (poll(waiting, queues, 10) <= 0)
			continue;
		for (unsigned int q = 0; q < queues; q++)
			if (frame_read(to, q, &got) == TAP_OK)
				return;
	}
	fail_msg("nothing came across");
}

static void an_interface_comes_up_again(void **state)
{
	struct tap_port *device = open_port("bridge:br0", 1), *packet = open_port("packet:v1", 3);

	(void)state;
	frame_build(&sent, 0, 100);
	for (int i = 0; i < 3; i++) {
		assert_int_equal(netns_run("ip link set v1 down && ip link set v1 up"), 0);
		assert_crosses_in_time(device, packet, FRAME_WAIT_MS);
		assert_crosses_in_time(packet, device, FRAME_WAIT_MS);
	}
	tap_port_close(packet);
	tap_port_close(device);
}

static void a_frame_over_the_buffer_is_counted(void **state)
{
	struct tap_port *device = open_port("bridge:br0", 1), *packet = open_port("packet:v1", 1);
	struct pollfd waiting = { .fd = tap_queue_fd(packet, 0), .events = POLLIN };

	(void)state;
	frame_build(&sent, 0, 1000);
	assert_int_equal(frame_write(device, 0, &sent), TAP_OK);
	assert_int_equal(poll(&waiting, 1, FRAME_WAIT_MS), 1);
	assert_int_equal(frame_read_within(packet, 0, &got, 1000), TAP_DROP_TRUNCATED);
	assert_int_equal(frame_read(packet, 0, &got), TAP_EMPTY);
	tap_port_close(packet);
	tap_port_close(device);
}

static void what_nobody_reads_is_counted(void **state)
{
	struct tap_port *device = open_port("bridge:br0", 1), *packet = open_port("packet:v1", 1);
	const int small = 1;
	uint64_t missed, read = 0;

	(void)state;
	assert_int_equal(setsockopt(tap_queue_fd(packet, 0), SOL_SOCKET, SO_RCVBUF, &small, sizeof(small)), 0);
	frame_build(&sent, 0, 1000);
	for (int i = 0; i < 100; i++)
		assert_int_equal(frame_write(device, 0, &sent), TAP_OK);
	missed = tap_port_missed_pkts(packet);
	while (frame_read(packet, 0, &got) == TAP_OK)
		read++;
	assert_in_range(missed, 1, 100);
	assert_int_equal(missed + read, 100);
	assert_int_equal(tap_port_missed_pkts(packet), missed);
	tap_port_close(packet);
	tap_port_close(device);
}

static void a_deleted_interface_is_noticed(void **state)
{
	struct tap_port *packet = open_port("packet:v1", 2);
	struct error error = { "" };

	(void)state;
	assert_int_equal(health_of(packet, &error), TAP_UP);
	assert_int_equal(netns_run("ip link del v1"), 0);
	assert_int_equal(health_of(packet, &error), TAP_LOST);
	assert_non_null(strstr(error.text, "v1 was deleted"));
	frame_build(&sent, 0, 100);
	assert_int_equal(frame_write(packet, 0, &sent), TAP_DROP_DOWN);
	assert_int_equal(frame_read(packet, 0, &got), TAP_EMPTY);
	assert_int_equal(frame_read(packet, 0, &got), TAP_EMPTY);
	tap_port_close(packet);
	assert_int_equal(netns_run("ip link del br0"), 0);
}

static void what_is_not_there_is_refused(void **state)
{
	struct error error = { "" };
	struct tap_port *port = NULL;
	struct attach spec;

	(void)state;
	assert_int_equal(attach_parse("packet:nothere", &spec, &error), 0);
	assert_int_equal(tap_port_open(&spec, 1, &port, &error), -ENODEV);
	assert_string_equal(error.text, "there is no interface nothere on this host");
	assert_null(port);
}

#define WITH_CABLES(test) cmocka_unit_test_setup_teardown(test, lay_cables, take_cables)

int main(void)
{
	const struct CMUnitTest tests[] = {
		WITH_CABLES(super_frames_cross_whole),
		WITH_CABLES(queues_share_the_frames),
		WITH_CABLES(what_the_host_sends_is_not_seen),
		WITH_CABLES(what_cannot_leave_has_a_name),
		WITH_CABLES(an_interface_comes_up_again),
		WITH_CABLES(a_frame_over_the_buffer_is_counted),
		WITH_CABLES(what_nobody_reads_is_counted),
		cmocka_unit_test_setup(a_deleted_interface_is_noticed, lay_cables),
		cmocka_unit_test(what_is_not_there_is_refused),
	};

	netns_enter();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
