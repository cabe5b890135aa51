/*
 * test_device.c - our own TAP, alone and in a bridge, in a network namespace of the test's own
 */
#include "base/error.h"
#include "base/netlink.h"
#include "tap/port.h"
#include "tests/unit/netns.h"
#include "tests/unit/tap/frames.h"

#include <errno.h>
#include <fcntl.h>
#include <net/if.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <linux/if_tun.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>

#include <cmocka.h>

static struct test_frame sent, got;

static struct attach spec_of(const char *text, const char *device, bool create)
{
	struct error error;
	struct attach spec;

	assert_int_equal(attach_parse(text, &spec, &error), 0);
	snprintf(spec.device, sizeof(spec.device), "%s", device);
	spec.create = create;
	return spec;
}

static struct tap_port *open_port(const char *text, const char *device, bool create, unsigned int queues)
{
	struct attach spec = spec_of(text, device, create);
	struct error error = { "" };
	struct tap_port *port = NULL;

	if (tap_port_open(&spec, queues, &port, &error))
		fail_msg("%s: %s", text, error.text);
	return port;
}

static void assert_refused(const char *text, const char *device, bool create, int err, const char *why)
{
	struct attach spec = spec_of(text, device, create);
	struct error error = { "" };
	struct tap_port *port = NULL;

	assert_int_equal(tap_port_open(&spec, 2, &port, &error), err);
	assert_null(port);
	if (!strstr(error.text, why))
		fail_msg("\"%s\" does not say \"%s\"", error.text, why);
}

static bool there(const char *name, struct netlink_link *link)
{
	return netlink_link_get(name, link) == 0;
}

static struct netlink_link look(const char *name)
{
	struct netlink_link link;

	assert_int_equal(netlink_link_get(name, &link), 0);
	return link;
}

/* What the host would send out by the device @name */
static void send_from_host(const char *name, const void *frame, size_t len)
{
	struct sockaddr_ll address = { .sll_family = AF_PACKET, .sll_ifindex = look(name).index };
	int fd = socket(AF_PACKET, SOCK_RAW, 0);

	assert_true(fd >= 0);
	assert_int_equal(bind(fd, (struct sockaddr *)&address, sizeof(address)), 0);
	assert_int_equal(send(fd, frame, len, 0), (ssize_t)len);
	close(fd);
}

static void a_tap_of_its_own(void **state)
{
	struct attach spec = spec_of("tap:nic0", "", false);
	struct error error = { "" };
	struct netlink_link link;
	struct tap_port *port;

	(void)state;
	spec.mtu_bytes = 9000;
	assert_int_equal(tap_port_open(&spec, 2, &port, &error), 0);
	assert_string_equal(tap_port_name(port), "nic0");
	assert_int_equal(tap_port_queues(port), 2);
	assert_int_equal(health_of(port, &error), TAP_UP);
	link = look("nic0");
	assert_string_equal(link.kind, "tun");
	assert_true(link.up);
	assert_int_equal(link.mtu_bytes, 9000);
	assert_int_equal(link.master, 0);
	assert_int_equal(netns_run("ip link show nic0 | grep -q 'qlen 1000'"), 0);
	assert_int_equal(tap_port_set_mtu(port, 1400), 0);
	assert_int_equal(look("nic0").mtu_bytes, 1400);
	assert_true(tap_port_set_mtu(port, 100000) < 0);
	tap_port_close(port);
	assert_false(there("nic0", &link));
}

static void the_host_is_silent_on_it(void **state)
{
	struct tap_port *port;

	(void)state;
	assert_int_equal(netns_run("test $(cat /proc/sys/net/ipv6/conf/default/disable_ipv6) = 0"), 0);
	port = open_port("tap:nic0", "", false, 1);
	assert_int_equal(netns_run("test $(cat /proc/sys/net/ipv6/conf/nic0/disable_ipv6) = 1"), 0);
	assert_int_equal(netns_run("test -z \"$(ip -6 addr show dev nic0)\""), 0);
	assert_int_equal(netns_run("ip -d link show nic0 | grep -q 'addrgenmode none'"), 0);
	assert_int_equal(frame_read(port, 0, &got), TAP_EMPTY);
	tap_port_close(port);
}

static void frames_pass_both_ways(void **state)
{
	struct tap_port *port = open_port("tap:nic0", "", false, 2);
	struct sockaddr_ll from = { .sll_family = AF_PACKET, .sll_protocol = htons(ETH_P_ALL) };
	const struct timeval patience = { .tv_sec = FRAME_WAIT_MS / 1000 };
	enum tap_result result;
	uint8_t bytes[2000];
	int fd;

	(void)state;
	assert_int_equal(tap_port_caps(port) & 7U, OFFLOAD_CAP_CSUM | OFFLOAD_CAP_TSO4 | OFFLOAD_CAP_TSO6);
	frame_build(&sent, 0, 500);
	send_from_host("nic0", sent.bytes, sent.len_bytes);
	assert_true(frame_wait(port, &got, &result) >= 0);
	assert_int_equal(result, TAP_OK);
	assert_int_equal(got.len_bytes, sent.len_bytes);
	assert_memory_equal(got.bytes, sent.bytes, sent.len_bytes);
	assert_false(got.offload.partial);
	from.sll_ifindex = look("nic0").index;
	fd = socket(AF_PACKET, SOCK_RAW, 0);
	assert_int_equal(setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience)), 0);
	assert_int_equal(bind(fd, (struct sockaddr *)&from, sizeof(from)), 0);
	for (unsigned int q = 0; q < 2; q++) {
		assert_int_equal(frame_write(port, q, &sent), TAP_OK);
		assert_int_equal(recv(fd, bytes, sizeof(bytes), 0), (ssize_t)sent.len_bytes);
		assert_memory_equal(bytes, sent.bytes, sent.len_bytes);
	}
	close(fd);
	tap_port_close(port);
}

static void what_is_wrong_has_a_name(void **state)
{
	struct tap_port *port = open_port("tap:nic0", "", false, 1);
	struct netlink_link link = look("nic0");
	enum tap_result result;

	(void)state;
	frame_build(&sent, 0, 500);
	send_from_host("nic0", sent.bytes, sent.len_bytes);
	while ((result = frame_read_within(port, 0, &got, 500)) == TAP_EMPTY)
		;
	assert_int_equal(result, TAP_DROP_TRUNCATED);
	sent.offload.csum_start = 60000; /* no such byte */
	assert_int_equal(frame_write(port, 0, &sent), TAP_DROP_REFUSED);
	frame_build(&sent, 0, 500);
	assert_int_equal(netlink_link_set_up(link.index, false), 0);
	assert_int_equal(frame_write(port, 0, &sent), TAP_DROP_DOWN);
	assert_int_equal(netlink_link_set_up(link.index, true), 0);
	assert_int_equal(frame_write(port, 0, &sent), TAP_OK);
	tap_port_close(port);
}

static void what_nobody_reads_is_counted(void **state)
{
	struct tap_port *port = open_port("tap:nic0", "", false, 1);

	(void)state;
	frame_build(&sent, 0, 20);
	assert_int_equal(tap_port_missed_pkts(port), 0);
	assert_int_equal(netns_run("ip link set nic0 txqueuelen 10"), 0);
	for (int i = 0; i < 30; i++)
		send_from_host("nic0", sent.bytes, sent.len_bytes);
	for (unsigned int i = 0; i < 10; i++)
		assert_int_equal(frame_read(port, 0, &got), TAP_OK);
	assert_int_equal(frame_read(port, 0, &got), TAP_EMPTY);
	assert_int_equal(tap_port_missed_pkts(port), 20);
	tap_port_close(port);
}

/* A protocol that nobody on this host listens to is taken by the device, and dropped behind it */
static void what_the_kernel_drops_behind_it_is_counted(void **state)
{
	struct tap_port *port = open_port("tap:nic0", "", false, 1);

	(void)state;
	frame_build(&sent, 0, 50);
	sent.offload = (struct offload){ 0 };
	assert_int_equal(tap_port_refused_pkts(port), 0);
	sent.bytes[12] = 0x88; /* IEEE 802 local experimental 2: nobody's */
	sent.bytes[13] = 0xb6;
	for (int i = 0; i < 3; i++)
		assert_int_equal(frame_write(port, 0, &sent), TAP_OK);
	assert_int_equal(tap_port_refused_pkts(port), 3);
	tap_port_close(port);
}

static void a_deleted_device_is_noticed(void **state)
{
	struct tap_port *port = open_port("tap:nic0", "", false, 1);
	struct error error = { "" };

	(void)state;
	assert_int_equal(netlink_link_delete(look("nic0").index), 0);
	assert_int_equal(frame_read(port, 0, &got), TAP_GONE);
	frame_build(&sent, 0, 100);
	assert_int_equal(frame_write(port, 0, &sent), TAP_DROP_DOWN);
	assert_int_equal(health_of(port, &error), TAP_LOST);
	assert_non_null(strstr(error.text, "was deleted"));
	assert_int_equal(tap_port_set_mtu(port, 1400), -ENODEV);
	tap_port_close(port);
}

static void a_device_may_move_to_a_guest(void **state)
{
	struct tap_port *port = open_port("tap:nic0", "", false, 1);
	struct error error = { "" };
	int ready[2];
	pid_t guest;
	char byte;

	(void)state;
	assert_int_equal(pipe(ready), 0);
	guest = fork();
	if (guest == 0) {
		netns_enter();
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		_exit(write(ready[1], "x", 1) != 1 || pause());
	}
	assert_int_equal(read(ready[0], &byte, 1), 1);
	assert_int_equal(netns_run("ip link set nic0 netns %d", guest), 0);
	assert_int_equal(health_of(port, &error), TAP_DOWN); /* a device that moves is set down */
	assert_non_null(strstr(error.text, "in the network namespace that it was moved to"));
	assert_true(tap_port_elsewhere(port));
	assert_int_equal(netns_run("nsenter -t %d -n ip link set nic0 name eth0 up", guest), 0);
	assert_int_equal(health_of(port, &error), TAP_UP);
	assert_int_equal(netns_run("nsenter -t %d -n ip link set eth0 down", guest), 0);
	assert_int_equal(health_of(port, &error), TAP_DOWN);
	assert_non_null(strstr(error.text, "ip link set eth0 up"));
	assert_int_equal(tap_port_set_mtu(port, 1400), -ENODEV); /* not some other device of that number */
	while (frame_read(port, 0, &got) == TAP_OK)
		; /* what that namespace had to say */
	kill(guest, SIGKILL);
	waitpid(guest, NULL, 0);
	while (frame_read(port, 0, &got) != TAP_GONE)
		usleep(1000); /* the kernel takes its time for a namespace */
	assert_int_equal(health_of(port, &error), TAP_LOST);
	tap_port_close(port);
	close(ready[0]);
	close(ready[1]);
}

static void a_persistent_tap_stays(void **state)
{
	struct tap_port *port;
	struct netlink_link link;

	(void)state;
	assert_int_equal(netns_run(
				 "ip tuntap add keep mode tap multi_queue vnet_hdr && ip link set keep txqueuelen 33"),
		0);
	port = open_port("tap:keep", "", false, 2);
	assert_true(look("keep").up);
	assert_int_equal(look("keep").tun_queues, 2);
	/* somebody else's already */
	assert_refused("tap:keep", "", false, -EBUSY, "is another weftd running?");
	tap_port_close(port);
	assert_true(there("keep", &link));
	assert_int_equal(netns_run("ip link show keep | grep -q 'qlen 33'"), 0);
	assert_int_equal(netlink_link_delete(link.index), 0);
}

/* As QEMU opens it, before weftd: up or not, the error says what to attach instead */
static void a_vmms_tap_is_refused(void **state)
{
	struct ifreq request = { .ifr_name = "vmm0", .ifr_flags = IFF_TAP | IFF_NO_PI | IFF_VNET_HDR };
	int fd = open("/dev/net/tun", O_RDWR);
	struct netlink_link link;

	(void)state;
	assert_true(fd >= 0);
	assert_int_equal(ioctl(fd, TUNSETIFF, &request), 0);
	assert_refused("tap:vmm0", "", false, -EINVAL, "packet:vmm0");
	assert_int_equal(netns_run("ip link set vmm0 up"), 0);
	assert_refused("tap:vmm0", "", false, -EBUSY, "packet:vmm0");
	assert_true(there("vmm0", &link));
	tap_port_close(open_port("packet:vmm0", "", false, 1));
	close(fd);
}

static void in_a_bridge(void **state)
{
	struct netlink_link tap, link;
	struct tap_port *port;
	int bridge;
	struct error error = { "" };

	(void)state;
	assert_int_equal(netlink_bridge_create("br0", "", &bridge), 0);
	port = open_port("bridge:br0", "wf42", false, 2);
	assert_string_equal(tap_port_name(port), "wf42");
	tap = look("wf42");
	assert_true(tap.up);
	assert_int_equal(tap.master, bridge);
	assert_int_equal(tap.mac.bytes[0], 0xfe);
	assert_int_equal(health_of(port, &error), TAP_UP);
	/* taken out by somebody */
	assert_int_equal(netlink_link_set_master(tap.index, 0), 0);
	assert_int_equal(health_of(port, &error), TAP_LOST);
	assert_non_null(strstr(error.text, "no longer in the bridge br0"));
	assert_int_equal(netlink_link_set_master(tap.index, bridge), 0);
	assert_int_equal(health_of(port, &error), TAP_UP);
	/* the bridge made anew */
	assert_int_equal(netlink_link_delete(bridge), 0);
	assert_int_equal(health_of(port, &error), TAP_LOST);
	assert_int_equal(netlink_bridge_create("br0", "", &bridge), 0);
	assert_int_equal(health_of(port, &error), TAP_LOST);
	tap_port_close(port);
	assert_false(there("wf42", &link));
	assert_true(there("br0", &link)); /* not ours */
	assert_int_equal(netlink_link_delete(bridge), 0);
}

static void a_bridge_made_on_request(void **state)
{
	struct netlink_link link;
	struct tap_port *one, *two;

	(void)state;
	assert_refused("bridge:br0", "wf1", false, -ENODEV, "ip link add br0 type bridge");
	assert_false(there("wf1", &link));
	one = open_port("bridge:br0", "wf1", true, 1);
	assert_true(look("br0").up);
	assert_string_equal(look("br0").alias, "weft");
	two = open_port("bridge:br0", "wf2", true, 1);
	tap_port_close(one);
	assert_true(there("br0", &link));
	assert_int_equal(netns_run("ip link add v0 type veth peer name v1 && ip link set v0 master br0"), 0);
	tap_port_close(two);
	assert_true(there("br0", &link)); /* a VM is still in it */
	two = open_port("bridge:br0", "wf2", true, 1);
	assert_int_equal(netns_run("ip link del v0"), 0);
	tap_port_close(two);
	assert_false(there("br0", &link));
}

static void what_cannot_be_is_refused_whole(void **state)
{
	struct netlink_link link;
	struct tap_port *port;

	(void)state;
	assert_int_equal(netns_run("ip link add v0 type veth peer name v1"), 0);
	assert_refused("bridge:v0", "wf1", true, -EINVAL, "is no Linux bridge but veth");
	assert_refused("bridge:lo", "wf1", true, -EINVAL, "is no Linux bridge but an interface");
	assert_refused("tap:v0", "", false, -EINVAL, "is no TAP");
	assert_refused("bridge:br9", "v1", true, -EINVAL, "is no TAP");
	assert_int_equal(netns_run("ip tuntap add single mode tap"), 0);
	assert_refused("tap:single", "", false, -EINVAL, "multi_queue");
	port = open_port("bridge:br1", "wf1", true, 1);
	assert_refused("bridge:br9", "wf1", true, -EBUSY, "is another weftd running?");
	assert_refused("bridge:br1", "wf1", true, -EBUSY, "is another weftd running?");
	assert_true(there("wf1", &link) && there("br1", &link));
	assert_false(there("br9", &link));
	tap_port_close(port);
	assert_int_equal(netns_run("ip link del v0; ip link del single"), 0);
}

/* A bridge may have an MTU that no TAP can */
static void a_bridge_with_the_largest_mtu(void **state)
{
	struct attach spec = { .kind = ATTACH_BRIDGE, .target = "br-large", .device = "wf1", .mtu_bytes = 1500 };
	struct tap_view view = { .filter_known = false };
	struct tap_port *port = NULL;
	struct error error = { "" };

	(void)state;
	assert_int_equal(
		netns_run("ip link add br-large mtu 65535 up type bridge &&"
			  "ip link add v-large mtu 65535 up master br-large type veth peer name v-far mtu 65535 &&"
			  "ip link set v-far up"),
		0);
	if (tap_port_open(&spec, 1, &port, &error))
		fail_msg("%s", error.text);
	assert_int_equal(tap_view_take(&view), 0);
	if (tap_port_check(port, &view, &error) == TAP_LIMITED)
		fail_msg("%s", error.text);
	tap_port_close(port);
	tap_view_fini(&view);
	assert_int_equal(netns_run("ip link del v-large; ip link del br-large"), 0);
}

static void an_mtu_out_of_range_leaves_nothing(void **state)
{
	struct attach spec = spec_of("bridge:br0", "wf1", true);
	struct error error = { "" };
	struct tap_port *port = NULL;
	struct netlink_link link;

	(void)state;
	spec.mtu_bytes = 1000000;
	assert_true(tap_port_open(&spec, 1, &port, &error) < 0);
	assert_null(port);
	assert_non_null(strstr(error.text, "MTU of wf1 to 1000000"));
	assert_false(there("wf1", &link) || there("br0", &link));
}

static void a_killed_process_leaves_no_device(void **state)
{
	struct netlink_link link;
	int told[2], status;
	pid_t child;
	char byte;

	(void)state;
	assert_int_equal(pipe(told), 0);
	child = fork();
	if (child == 0) {
		open_port("bridge:br0", "wf7", true, 2);
		_exit(write(told[1], "x", 1) != 1 || pause());
	}
	assert_int_equal(read(told[0], &byte, 1), 1);
	assert_true(there("wf7", &link));
	kill(child, SIGKILL);
	waitpid(child, &status, 0);
	assert_false(there("wf7", &link));
	/* the bridge is left, and known again by its mark */
	assert_true(there("br0", &link));
	tap_port_close(open_port("bridge:br0", "wf7", false, 2));
	assert_false(there("br0", &link));
	close(told[0]);
	close(told[1]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_tap_of_its_own),
		cmocka_unit_test(the_host_is_silent_on_it),
		cmocka_unit_test(frames_pass_both_ways),
		cmocka_unit_test(what_is_wrong_has_a_name),
		cmocka_unit_test(what_nobody_reads_is_counted),
		cmocka_unit_test(what_the_kernel_drops_behind_it_is_counted),
		cmocka_unit_test(a_deleted_device_is_noticed),
		cmocka_unit_test(a_device_may_move_to_a_guest),
		cmocka_unit_test(a_persistent_tap_stays),
		cmocka_unit_test(a_vmms_tap_is_refused),
		cmocka_unit_test(in_a_bridge),
		cmocka_unit_test(a_bridge_made_on_request),
		cmocka_unit_test(what_cannot_be_is_refused_whole),
		cmocka_unit_test(a_bridge_with_the_largest_mtu),
		cmocka_unit_test(an_mtu_out_of_range_leaves_nothing),
		cmocka_unit_test(a_killed_process_leaves_no_device),
	};

	netns_enter();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
