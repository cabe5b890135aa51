/*
 * test_veth.c - ports in a container's namespace, from a namespace of the test's own
 *
 *   packet port on v0 ==veth== (test's) wfpair ==veth== e1 (in SPACE)
 */
#include "base/netlink.h"
#include "base/netns.h"
#include "tap/kept.h"
#include "tests/unit/netns.h"
#include "tests/unit/tap/frames.h"

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#define SPACE "weft-test-veth"
#define IN_SPACE "ip -n " SPACE " "

static struct attach spec;

static struct tap_port *open_pair(unsigned int queues)
{
	struct error error = { "" };
	struct tap_port *port = NULL;

	if (tap_port_open(&spec, queues, &port, &error))
		fail_msg("%s", error.text);
	return port;
}

static void refuse(int err, const char *why)
{
	struct error error = { "" };
	struct tap_port *port = NULL;

	assert_int_equal(tap_port_open(&spec, 1, &port, &error), err);
	if (!strstr(error.text, why))
		fail_msg("\"%s\" does not say \"%s\"", error.text, why);
}

static void is_found(struct tap_port *port, enum tap_health health, const char *why)
{
	struct tap_view view = { 0 };
	struct error error = { "" };

	assert_int_equal(tap_view_take(&view), 0);
	assert_int_equal(tap_port_check(port, &view, &error), health);
	if (!strstr(error.text, why))
		fail_msg("\"%s\" does not say \"%s\"", error.text, why);
	tap_view_fini(&view);
}

static int outer_index(void)
{
	struct netlink_link link;

	return netlink_link_get("wfpair", &link) ? 0 : link.index;
}

static int begin(void **state)
{
	struct error error;

	(void)state;
	if (attach_parse("netns:" SPACE "/e1", &spec, &error) < 0)
		return -1;
	snprintf(spec.device, sizeof(spec.device), "wfpair");
	snprintf(spec.alias, sizeof(spec.alias), "weft lab/p1");
	return netns_run("ip netns add " SPACE);
}

static int end(void **state)
{
	(void)state;
	return netns_run("ip netns del " SPACE "; ip link del wfpair 2>/dev/null; true");
}

/* What the container sends comes out of the port, and the other way */
static void frames_cross(void **state)
{
	struct tap_port *port = open_pair(2);

	(void)state;
	assert_string_equal(tap_port_name(port), "wfpair");
	is_found(port, TAP_UP, "");
	assert_int_equal(netns_run(IN_SPACE "addr add 10.9.9.1/24 dev e1 && (ip netns exec " SPACE
					    " ping -c 1 -W 1 10.9.9.2 >/dev/null; true)"),
		0);
	for (unsigned int tries = 0;; tries++) {
		static struct test_frame got;
		enum tap_result result;

		assert_true(frame_wait(port, &got, &result) >= 0 && tries < 50);
		if (result == TAP_OK && got.bytes[12] == 8 && got.bytes[13] == 6) /* ARP: who has 10.9.9.2 */
			break;
	}
	tap_port_close(port);
}

/* Closing is no farewell: the container keeps its end and what it has set on it */
static void a_pair_is_found_again(void **state)
{
	struct tap_port *port = open_pair(1);
	const int index = outer_index();

	(void)state;
	assert_int_equal(netns_run(IN_SPACE "addr add 10.9.9.1/24 dev e1"), 0);
	tap_port_close(port);
	assert_int_equal(outer_index(), index);
	port = open_pair(2);
	assert_int_equal(outer_index(), index);
	is_found(port, TAP_UP, "");
	assert_int_equal(netns_run(IN_SPACE "addr show e1 | grep -q 10.9.9.1"), 0);
	tap_port_leaves(port);
	tap_port_close(port);
	assert_int_equal(outer_index(), 0);
	assert_int_equal(netns_run("! " IN_SPACE "link show e1 2>/dev/null"), 0);
}

static void kept_descriptors_are_taken(void **state)
{
	struct tap_port *port = open_pair(2), *unwanted;
	struct error error = { "" };
	struct tap_kept kept;

	(void)state;
	assert_true(tap_port_keep(port, &kept));
	for (unsigned int q = 0; q < kept.queues; q++)
		kept.fds[q] = fcntl(kept.fds[q], F_DUPFD_CLOEXEC, 100);
	tap_port_leave_open(port);
	tap_port_close(port);
	assert_int_equal(tap_port_take(&spec, 2, &kept, &port, &error), 0);
	is_found(port, TAP_UP, "");
	assert_true(tap_port_keep(port, &kept));
	for (unsigned int q = 0; q < kept.queues; q++)
		kept.fds[q] = fcntl(kept.fds[q], F_DUPFD_CLOEXEC, 100);
	tap_port_leave_open(port);
	tap_port_close(port);
	unwanted = tap_kept_port(&kept);
	tap_port_leaves(unwanted);
	tap_port_close(unwanted);
	assert_int_equal(outer_index(), 0);
}

static void the_macs_are_stable_or_the_labs(void **state)
{
	struct netlink_link inner, again;
	int space = netns_open(SPACE), number;
	struct tap_port *port = open_pair(1);

	(void)state;
	assert_int_equal(netns_number(space, &number), 0);
	assert_int_equal(netns_link_get(number, "e1", &inner), 0);
	assert_int_equal(inner.mac.bytes[0] & 3, 2);
	tap_port_leaves(port);
	tap_port_close(port);
	port = open_pair(1);
	assert_int_equal(netns_link_get(number, "e1", &again), 0);
	assert_memory_equal(&inner.mac, &again.mac, sizeof(inner.mac));
	tap_port_leaves(port);
	tap_port_close(port);
	spec.mac = (struct mac){ { 0x52, 0x54, 0, 0, 0, 0x0b } };
	port = open_pair(1);
	assert_int_equal(netns_link_get(number, "e1", &again), 0);
	assert_memory_equal(&spec.mac, &again.mac, sizeof(again.mac));
	tap_port_close(port);
	close(space);
}

static void what_is_amiss_inside_is_told(void **state)
{
	struct tap_port *port;

	(void)state;
	spec.mac = (struct mac){ { 0x52, 0x54, 0, 0, 0, 0x0b } };
	port = open_pair(1);
	assert_int_equal(netns_run(IN_SPACE "link set e1 down"), 0);
	is_found(port, TAP_DOWN, "was set down: " IN_SPACE "link set e1 up");
	assert_true(tap_port_elsewhere(port));
	assert_int_equal(netns_run(IN_SPACE "link set e1 address 52:54:00:00:00:0c"), 0);
	assert_int_equal(netns_run(IN_SPACE "link set e1 up"), 0);
	is_found(port, TAP_LIMITED,
		"another MAC than its lab declares: " IN_SPACE "link set e1 address 52:54:00:00:00:0b");
	assert_int_equal(netns_run(IN_SPACE "link set e1 address 52:54:00:00:00:0b"), 0);
	is_found(port, TAP_UP, "");
	assert_false(tap_port_elsewhere(port));
	assert_int_equal(tap_port_set_mtu(port, 1600), 0);
	is_found(port, TAP_LIMITED, "has the MTU 1500, and its network 1600: " IN_SPACE "link set e1 mtu 1600");
	assert_int_equal(netns_run(IN_SPACE "link set e1 mtu 1600"), 0);
	is_found(port, TAP_UP, "");
	tap_port_close(port);
}

static void a_namespace_of_that_name_again_gets_a_pair_again(void **state)
{
	struct tap_port *port = open_pair(1);

	(void)state;
	assert_int_equal(netns_run("ip netns del " SPACE), 0);
	for (int tries = 0; outer_index() && tries < 500; tries++)
		usleep(10000); /* the kernel takes a namespace apart later */
	is_found(port, TAP_LOST, "was deleted");
	tap_port_close(port);
	refuse(-ENOENT, "there is no network namespace " SPACE ": make it (ip netns add " SPACE ")");
	assert_int_equal(netns_run("ip netns add " SPACE), 0);
	port = open_pair(1);
	is_found(port, TAP_UP, "");
	tap_port_close(port);
}

/* The namespace before lives on under another name, as a process's does */
static void another_namespace_of_that_name_is_another(void **state)
{
	struct tap_port *port = open_pair(1);

	(void)state;
	assert_int_equal(netns_run("touch " NETNS_FOLDER "/weft-test-old && mount --bind " NETNS_FOLDER "/" SPACE
				   " " NETNS_FOLDER "/weft-test-old && ip netns del " SPACE " && ip netns add " SPACE),
		0);
	is_found(port, TAP_LOST, "is another than before");
	tap_port_close(port);
	port = open_pair(1);
	is_found(port, TAP_UP, "");
	tap_port_close(port);
	assert_int_equal(netns_run("! ip -n weft-test-old link show e1 2>/dev/null"), 0);
	assert_int_equal(netns_run("ip netns del weft-test-old"), 0);
}

static void what_is_not_ours_stays(void **state)
{
	struct tap_port *port;

	(void)state;
	assert_int_equal(netns_run(IN_SPACE "link add e1 type veth peer name e2"), 0);
	refuse(-EEXIST,
		"has an interface e1 already, and weft did not make it for this port: delete it (" IN_SPACE
		"link del e1)");
	assert_int_equal(netns_run(IN_SPACE "link del e1"), 0);
	assert_int_equal(netns_run("ip link add wfpair type veth peer name vx && ip link set wfpair alias mine"), 0);
	refuse(-EEXIST, "the device wfpair is there already, and not weft's: ip link del wfpair");
	assert_int_equal(netns_run("ip link del wfpair"), 0);
	/* the container's end is called otherwise now: made anew under the lab's name */
	port = open_pair(1);
	assert_int_equal(netns_run(IN_SPACE "link set e1 down name other && " IN_SPACE "link set other up"), 0);
	is_found(port, TAP_LOST, "has no interface e1 any more");
	tap_port_close(port);
	port = open_pair(1);
	is_found(port, TAP_UP, "");
	tap_port_close(port);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(frames_cross, begin, end),
		cmocka_unit_test_setup_teardown(a_pair_is_found_again, begin, end),
		cmocka_unit_test_setup_teardown(kept_descriptors_are_taken, begin, end),
		cmocka_unit_test_setup_teardown(the_macs_are_stable_or_the_labs, begin, end),
		cmocka_unit_test_setup_teardown(what_is_amiss_inside_is_told, begin, end),
		cmocka_unit_test_setup_teardown(a_namespace_of_that_name_again_gets_a_pair_again, begin, end),
		cmocka_unit_test_setup_teardown(another_namespace_of_that_name_is_another, begin, end),
		cmocka_unit_test_setup_teardown(what_is_not_ours_stays, begin, end),
	};

	netns_enter();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
