/*
 * test_redirect.c - an interface by way of a TAP: the same frames as an AF_PACKET port's, and nothing left behind
 *
 *   device port wf1 --- br0 --- v0 ==veth== v1 --- redirected to wfpN, the port
 */
#include "tap/redirect.h"
#include "base/error.h"
#include "tests/unit/netns.h"
#include "tests/unit/tap/frames.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>

#include <cmocka.h>

static struct test_frame sent, got;

static int lay_cables(void **state)
{
	(void)state;
	return netns_run("sysctl -qw net.ipv6.conf.default.disable_ipv6=1 && ip link set lo up &&"
			 "ip link add br0 type bridge mcast_snooping 0 && ip link set br0 up &&"
			 "ip link add v0 type veth peer name v1 && ip link set v0 master br0 up && ip link set v1 up &&"
			 "timeout 5 sh -c 'until bridge link show dev v0 | grep -q \"state forwarding\"; do :; done'");
}

static int take_cables(void **state)
{
	(void)state;
	return netns_run("ip link del v0; ip link del br0");
}

static struct tap_port *open_device(void)
{
	struct attach spec = { .kind = ATTACH_BRIDGE, .target = "br0", .device = "wf1", .mtu_bytes = 1500 };
	struct error error = { "" };
	struct tap_port *port = NULL;

	if (tap_port_open(&spec, 1, &port, &error))
		fail_msg("%s", error.text);
	return port;
}

static const struct attach v1 = { .kind = ATTACH_PACKET, .target = "v1", .mtu_bytes = 1500 };

static struct tap_port *open_redirect(unsigned int queues, const struct tap_kept *kept)
{
	struct error error = { "" };
	struct tap_port *port = NULL;

	if (redirect_open(&v1, queues, kept, &port, &error))
		fail_msg("%s", error.text);
	return port;
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
	assert_int_equal(got.offload.gso, sent.offload.gso);
	assert_int_equal(got.offload.gso_bytes, sent.offload.gso_bytes);
}

/* The header has the word where TAPs have the offload: both came with Linux 6.2 */
static void the_probe_agrees_with_a_tap(void **state)
{
	struct tap_port *device = open_device();

	(void)state;
	assert_int_equal(redirect_needed(), !(tap_port_caps(device) & OFFLOAD_CAP_USO));
	tap_port_close(device);
}

static void frames_cross_both_ways(void **state)
{
	static const size_t sizes[] = { 100, FRAME_MSS, 20000, 60000 };
	struct tap_port *device = open_device(), *port = open_redirect(2, NULL);

	(void)state;
	assert_string_equal(tap_port_name(port), "v1");
	assert_non_null(tap_port_reads(port));
	assert_int_equal(netns_run("ip -d link show v1 | grep -q 'promiscuity [1-9]'"), 0);
	for (int vlan = 0; vlan <= 4094; vlan += 4094 / 2)
		for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
			frame_build(&sent, vlan, sizes[i]);
			crosses(device, port);
			crosses(port, device);
		}
	tap_port_close(port);
	tap_port_close(device);
	assert_int_equal(netns_run("! tc qdisc show dev v1 | grep -q clsact && ! ip link show | grep -q wfp &&"
				   "ip -d link show v1 | grep -q 'promiscuity 0'"),
		0);
}

static void a_qdisc_of_others_stays(void **state)
{
	struct tap_port *port;

	(void)state;
	assert_int_equal(netns_run("tc qdisc add dev v1 clsact"), 0);
	port = open_redirect(1, NULL);
	assert_int_equal(netns_run("tc filter show dev v1 ingress | grep -q mirred"), 0);
	tap_port_close(port);
	assert_int_equal(
		netns_run("tc qdisc show dev v1 | grep -q clsact && ! tc filter show dev v1 ingress | grep -q mirred &&"
			  "tc qdisc del dev v1 clsact"),
		0);
}

/* As after a kill: the filter leads to a device that is gone */
static void a_filter_that_was_left_is_replaced(void **state)
{
	struct tap_port *device = open_device(), *port;

	(void)state;
	assert_int_equal(
		netns_run(
			"ip link add gone type veth && tc qdisc add dev v1 clsact && tc filter add dev v1 ingress prio 4754 "
			"u32 match u8 0 0 action mirred egress redirect dev gone && ip link del gone"),
		0);
	port = open_redirect(1, NULL);
	frame_build(&sent, 0, 100);
	crosses(device, port);
	tap_port_close(port);
	tap_port_close(device);
	assert_int_equal(netns_run("tc qdisc del dev v1 clsact"), 0);
}

static void it_is_kept_and_taken(void **state)
{
	struct tap_port *device = open_device(), *port = open_redirect(2, NULL), *again;
	struct tap_kept kept;

	(void)state;
	assert_true(tap_port_keep(port, &kept));
	for (unsigned int q = 0; q < 2; q++)
		kept.fds[q] = dup(kept.fds[q]);
	tap_port_leave_open(port);
	tap_port_close(port);
	frame_build(&sent, 0, 100);
	assert_int_equal(frame_write(device, 0, &sent), TAP_OK); /* waits in the queue */
	again = open_redirect(2, &kept);
	assert_int_equal(frame_wait(again, &got, &(enum tap_result){ TAP_OK }) >= 0, 1);
	assert_memory_equal(got.bytes, sent.bytes, sent.len_bytes);
	assert_true(tap_port_keep(again, &kept));
	for (unsigned int q = 0; q < 2; q++)
		kept.fds[q] = dup(kept.fds[q]);
	tap_port_leave_open(again);
	tap_port_close(again);
	tap_port_close(tap_kept_port(&kept)); /* nobody wants it */
	assert_int_equal(netns_run("! tc filter show dev v1 ingress | grep -q mirred && ! ip link show | grep -q wfp"),
		0);
	tap_port_close(device);
}

static void what_is_missing_is_said(void **state)
{
	const struct attach missing = { .kind = ATTACH_PACKET, .target = "nowhere" };
	struct error error = { "" };
	struct tap_port *port = NULL;

	(void)state;
	assert_int_equal(redirect_open(&missing, 1, NULL, &port, &error), -ENODEV);
	assert_non_null(strstr(error.text, "nowhere"));
}

#define WITH_CABLES(test) cmocka_unit_test_setup_teardown(test, lay_cables, take_cables)

int main(void)
{
	const struct CMUnitTest tests[] = {
		WITH_CABLES(the_probe_agrees_with_a_tap),
		WITH_CABLES(frames_cross_both_ways),
		WITH_CABLES(a_qdisc_of_others_stays),
		WITH_CABLES(a_filter_that_was_left_is_replaced),
		WITH_CABLES(it_is_kept_and_taken),
		cmocka_unit_test(what_is_missing_is_said),
	};

	netns_enter();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
