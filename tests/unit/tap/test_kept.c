/*
 * test_kept.c - ports whose descriptors another port goes on with, in a network namespace of the test's own
 *
 *   wf1 --- br0 --- v0 ==veth== v1 (packet)
 */
#include "base/netlink.h"
#include "tap/kept.h"
#include "tests/unit/netns.h"
#include "tests/unit/tap/frames.h"

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

static struct test_frame sent, got;

static struct attach spec_of(const char *text)
{
	struct attach spec;
	struct error error;

	assert_int_equal(attach_parse(text, &spec, &error), 0);
	if (spec.kind == ATTACH_BRIDGE)
		snprintf(spec.device, sizeof(spec.device), "wf1");
	return spec;
}

static struct tap_port *open_port(const struct attach *spec, unsigned int queues)
{
	struct error error = { "" };
	struct tap_port *port = NULL;

	if (tap_port_open(spec, queues, &port, &error))
		fail_msg("%s: %s", spec->target, error.text);
	return port;
}

static int index_of(const char *name)
{
	struct netlink_link link;

	return netlink_link_get(name, &link) ? 0 : link.index;
}

/* As a service manager does: the queues get other numbers, and stay open when the port is closed */
static struct tap_kept keep(struct tap_port *port)
{
	struct tap_kept kept;

	assert_true(tap_port_keep(port, &kept));
	for (unsigned int q = 0; q < kept.queues; q++)
		kept.fds[q] = fcntl(kept.fds[q], F_DUPFD_CLOEXEC, 100);
	tap_port_leave_open(port);
	tap_port_close(port);
	return kept;
}

static struct tap_port *take(const struct attach *spec, const struct tap_kept *kept)
{
	struct error error = { "" };
	struct tap_port *port = NULL;

	if (tap_port_take(spec, kept->queues, kept, &port, &error))
		fail_msg("%s: %s", spec->target, error.text);
	return port;
}

static void refuse(const struct attach *spec, unsigned int queues, const struct tap_kept *kept, const char *why)
{
	struct error error = { "" };
	struct tap_port *port = NULL;

	assert_true(tap_port_take(spec, queues, kept, &port, &error) < 0);
	if (!strstr(error.text, why))
		fail_msg("\"%s\" does not say \"%s\"", error.text, why);
	for (unsigned int q = 0; q < kept->queues; q++)
		assert_true(fcntl(kept->fds[q], F_GETFD) >= 0); /* still the caller's */
}

static void drop(const struct tap_kept *kept)
{
	struct tap_port *port = tap_kept_port(kept);

	assert_non_null(port);
	tap_port_close(port);
}

static void send_one(struct tap_port *from)
{
	frame_build(&sent, 0, 100);
	assert_int_equal(frame_write(from, 0, &sent), TAP_OK);
}

static void comes_out_of(struct tap_port *to)
{
	enum tap_result result;

	assert_true(frame_wait(to, &got, &result) >= 0);
	assert_int_equal(result, TAP_OK);
	assert_memory_equal(got.bytes, sent.bytes, sent.len_bytes);
}

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

/* The same device, still in its bridge, and what came meanwhile is there */
static void frames_cross_the_handover(void **state)
{
	const struct attach specs[2] = { spec_of("bridge:br0"), spec_of("packet:v1") };
	struct tap_port *ports[2] = { open_port(&specs[0], 2), open_port(&specs[1], 2) };
	const unsigned int caps[2] = { tap_port_caps(ports[0]), tap_port_caps(ports[1]) };
	const int index = index_of("wf1");

	(void)state;
	assert_int_equal(netns_run("timeout 5 sh -c 'until bridge link show dev wf1 | grep -q \"state forwarding\"; "
				   "do :; done'"),
		0);
	for (int side = 0; side < 2; side++) {
		struct tap_kept kept = keep(ports[side]);

		send_one(ports[!side]);
		assert_int_equal(index_of("wf1"), index);
		ports[side] = take(&specs[side], &kept);
		assert_int_equal(tap_port_caps(ports[side]), caps[side]);
		comes_out_of(ports[side]);
		send_one(ports[side]);
		comes_out_of(ports[!side]);
		assert_int_equal(tap_port_missed_pkts(ports[side]), 0);
	}
	assert_int_equal(netns_run("bridge link show dev wf1 | grep -q 'master br0'"), 0);
	tap_port_close(ports[1]);
	tap_port_close(ports[0]);
	assert_int_equal(index_of("wf1"), 0);
}

static void stale_frames_are_missed_not_delivered(void **state)
{
	const struct attach specs[2] = { spec_of("bridge:br0"), spec_of("packet:v1") };
	struct tap_port *ports[2] = { open_port(&specs[0], 1), open_port(&specs[1], 1) };

	(void)state;
	assert_int_equal(netns_run("timeout 5 sh -c 'until bridge link show dev wf1 | grep -q \"state forwarding\"; "
				   "do :; done'"),
		0);
	for (int side = 0; side < 2; side++) {
		struct tap_kept kept = keep(ports[side]);

		for (int i = 0; i < 3; i++)
			send_one(ports[!side]);
		kept.stale = true;
		ports[side] = take(&specs[side], &kept);
		assert_int_equal(tap_port_missed_pkts(ports[side]), 3);
		assert_int_equal(frame_read(ports[side], 0, &got), TAP_EMPTY);
		send_one(ports[!side]);
		comes_out_of(ports[side]);
	}
	tap_port_close(ports[1]);
	tap_port_close(ports[0]);
}

static void another_thing_is_not_taken(void **state)
{
	struct attach bridge = spec_of("bridge:br0"), packet = spec_of("packet:v1"), tap = spec_of("tap:t1");
	struct tap_kept of_tap, of_packet, of_bridge;

	(void)state;
	of_bridge = keep(open_port(&bridge, 2));
	of_packet = keep(open_port(&packet, 2));
	of_tap = keep(open_port(&tap, 2));
	refuse(&packet, 2, &of_bridge, "something else");
	refuse(&bridge, 1, &of_bridge, "2 queues instead of 1");
	/* the names are right, and what comes with them is not */
	of_bridge.spec = packet;
	refuse(&packet, 2, &of_bridge, "no group of sockets on v1");
	of_bridge.spec = tap;
	refuse(&tap, 2, &of_bridge, "no queue of t1");
	of_bridge.spec = bridge;
	of_packet.spec = tap;
	refuse(&tap, 2, &of_packet, "no queue of t1");
	of_packet.spec = packet;
	/* another interface of that name */
	assert_int_equal(
		netns_run(
			"ip link set v1 down name other && ip link add v1 type veth peer name v2 && ip link set v1 up"),
		0);
	refuse(&packet, 2, &of_packet, "no group of sockets on v1");
	assert_int_equal(netns_run("ip link del v1 && ip link set other name v1 up"), 0);
	drop(&of_bridge);
	drop(&of_packet);
	drop(&of_tap);
	assert_int_equal(index_of("wf1"), 0);
	assert_int_equal(index_of("t1"), 0);
	assert_true(index_of("br0") > 0);
}

static void sockets_of_two_groups_are_not_taken(void **state)
{
	struct attach packet = spec_of("packet:v1");
	struct tap_kept a = keep(open_port(&packet, 2)), b = keep(open_port(&packet, 2)), mixed = a;

	(void)state;
	mixed.fds[1] = b.fds[1];
	refuse(&packet, 2, &mixed, "no group of sockets");
	drop(&a);
	drop(&b);
}

static void a_bridge_that_we_made_goes_with_what_was_kept(void **state)
{
	struct attach spec = spec_of("bridge:br-made");
	struct tap_kept kept;

	(void)state;
	spec.create = true;
	kept = keep(open_port(&spec, 1));
	assert_true(index_of("br-made") > 0);
	tap_port_close(take(&spec, &kept));
	assert_int_equal(index_of("br-made"), 0);
	kept = keep(open_port(&spec, 1));
	drop(&kept);
	assert_int_equal(index_of("br-made"), 0);
}

/* Neither with us, nor by a restart */
static void a_bridge_of_others_keeps_its_mtu(void **state)
{
	struct attach spec = spec_of("bridge:br0");
	struct tap_view view = { .filter_known = false };
	struct netlink_link link;
	struct tap_port *port;
	struct tap_kept kept;
	struct error error;

	(void)state;
	spec.mtu_bytes = 1400;
	snprintf(spec.alias, sizeof(spec.alias), ATTACH_ALIAS_MARK "lab/port");
	assert_int_equal(netns_run("ip link add br0 type bridge && ip link set br0 up"), 0);
	kept = keep(open_port(&spec, 1));
	port = take(&spec, &kept);
	assert_int_equal(tap_view_take(&view), 0);
	(void)!tap_port_check(port, &view, &error);
	assert_int_equal(netlink_link_get("br0", &link), 0);
	assert_int_equal(link.mtu_bytes, 1500);
	tap_port_close(port);
	tap_view_fini(&view);
	assert_int_equal(netns_run("ip link del br0"), 0);
}

/* Moved into a container, it goes on there */
static void a_tap_in_another_namespace_is_taken(void **state)
{
	struct attach spec = spec_of("tap:t1");
	struct tap_port *port = open_port(&spec, 1);
	struct tap_kept kept;

	(void)state;
	assert_int_equal(netns_run("ip netns add weft-test-kept && ip link set t1 netns weft-test-kept"), 0);
	kept = keep(port);
	port = take(&spec, &kept);
	assert_int_equal(index_of("t1"), 0);
	assert_int_equal(netns_run("ip -n weft-test-kept link show t1 >/dev/null"), 0);
	tap_port_close(port);
	assert_int_equal(netns_run("ip netns del weft-test-kept"), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(frames_cross_the_handover, lay_cables, take_cables),
		cmocka_unit_test_setup_teardown(stale_frames_are_missed_not_delivered, lay_cables, take_cables),
		cmocka_unit_test_setup_teardown(another_thing_is_not_taken, lay_cables, take_cables),
		cmocka_unit_test_setup_teardown(sockets_of_two_groups_are_not_taken, lay_cables, take_cables),
		cmocka_unit_test(a_bridge_that_we_made_goes_with_what_was_kept),
		cmocka_unit_test(a_bridge_of_others_keeps_its_mtu),
		cmocka_unit_test(a_tap_in_another_namespace_is_taken),
	};

	netns_enter();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
