/*
 * test_handover.c - a bag of ports from one weftd to the next
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include "overlay/agent/handover.h"

#define PORTS 500U
#define QUEUES 4U

static const struct instant then = { 5000000000ULL };
static struct handover got;

static struct tap_kept kept_of(const char *attach, const char *device, unsigned int queues)
{
	struct tap_kept kept = { .queues = queues };
	struct error error;

	assert_int_equal(attach_parse(attach, &kept.spec, &error), 0);
	snprintf(kept.spec.device, sizeof(kept.spec.device), "%s", device);
	for (unsigned int q = 0; q < queues; q++) {
		kept.fds[q] = open("/dev/null", O_RDONLY);
		assert_true(kept.fds[q] >= 0);
	}
	return kept;
}

static void close_queues(const struct tap_kept *kept)
{
	for (unsigned int q = 0; q < kept->queues; q++)
		assert_int_equal(close(kept->fds[q]), 0);
}

static unsigned int open_descriptors(void)
{
	unsigned int count = 0;

	for (int fd = 0; fd < 8192; fd++)
		count += fcntl(fd, F_GETFD) >= 0;
	return count;
}

static void all_ports_of_a_host_fit(void **state)
{
	static struct tap_kept kept[PORTS];
	const struct instant soon = instant_add_ms(then, 300);
	const unsigned int before = open_descriptors();
	int bag, witness;

	(void)state;
	for (uint32_t i = 0; i < PORTS; i++) {
		char device[16];

		snprintf(device, sizeof(device), "wf%u", i);
		kept[i] = kept_of(i % 2 ? "packet:eth0" : "bridge:br-lab", device, QUEUES);
	}
	bag = handover_pack(kept, PORTS, then, &witness);
	assert_true(bag >= 0);
	for (uint32_t i = 0; i < PORTS; i++)
		close_queues(&kept[i]);
	assert_int_equal(open_descriptors(), before + 2);
	handover_unpack(bag, soon, &got);
	assert_int_equal(got.count, PORTS);
	for (uint32_t i = 0; i < PORTS; i++) {
		assert_true(tap_kept_is_for(&got.kept[i], &kept[i].spec));
		assert_int_equal(got.kept[i].queues, QUEUES);
		assert_false(got.kept[i].stale);
		assert_int_equal(fcntl(got.kept[i].fds[0], F_GETFD), FD_CLOEXEC);
		close_queues(&got.kept[i]);
	}
	close(bag);
	close(witness);
	assert_int_equal(open_descriptors(), before);
}

static void the_end_of_the_bag_is_seen(void **state)
{
	struct tap_kept kept = kept_of("tap:t", "", 1);
	struct pollfd other = { .events = 0 };
	int bag = handover_pack(&kept, 1, then, &other.fd);

	(void)state;
	assert_int_equal(poll(&other, 1, 0), 0);
	close(bag);
	assert_int_equal(poll(&other, 1, 0), 1);
	assert_true(other.revents & POLLHUP);
	close(other.fd);
	close_queues(&kept);
}

static void what_waited_long_is_stale(void **state)
{
	struct tap_kept kept = kept_of("tap:t", "", 1);
	int witness, bag = handover_pack(&kept, 1, then, &witness);

	(void)state;
	handover_unpack(bag, instant_add_ms(then, HANDOVER_STALE_MS + 1), &got);
	assert_int_equal(got.count, 1);
	assert_true(got.kept[0].stale);
	close_queues(&got.kept[0]);
	close_queues(&kept);
	close(bag);
	close(witness);
}

static void a_port_is_found_once(void **state)
{
	struct tap_kept a = kept_of("bridge:br0", "wf1", 0), b = kept_of("bridge:br0", "wf2", 0);
	const struct tap_kept *found;

	(void)state;
	assert_null(handover_find(NULL, &a.spec));
	got.kept[0] = a;
	got.kept[1] = b;
	got.count = 2;
	found = handover_find(&got, &b.spec);
	assert_ptr_equal(found, &got.kept[1]);
	handover_remove(&got, handover_find(&got, &a.spec));
	found = handover_find(&got, &b.spec);
	assert_ptr_equal(found, &got.kept[0]);
	assert_null(handover_find(&got, &a.spec));
	b.spec.target[0] = 'x';
	assert_null(handover_find(&got, &b.spec));
}

static void texts_are_read_as_a_whole(void **state)
{
	static const char *const bad[] = { "", "{}", "[]", "{\"attach\":\"bridge:br0\"}", "{\"device\":\"wf1\"}",
		"{\"attach\":\"bridge:br0\",\"device\":\"wf1\"}",
		"{\"attach\":\"brdge:br0\",\"device\":\"wf1\",\"alias\":\"\"}",
		"{\"attach\":\"bridge:br0\",\"device\":\"a/b\",\"alias\":\"\"}",
		"{\"attach\":\"bridge:br0\",\"device\":\"sixteen-letters-\",\"alias\":\"\"}",
		"{\"attach\":1,\"device\":\"wf1\",\"alias\":\"\"}" };
	struct tap_kept kept = kept_of("bridge:br0", "wf1", 0), read;
	char text[HANDOVER_MESSAGE_BYTES];

	(void)state;
	snprintf(kept.spec.alias, sizeof(kept.spec.alias), "weft lab/p1");
	assert_int_equal(handover_port_encode(&kept, text), 0);
	assert_int_equal(handover_port_decode(text, strlen(text), &read), 0);
	assert_true(tap_kept_is_for(&read, &kept.spec));
	assert_string_equal(read.spec.alias, "weft lab/p1");
	for (size_t len = 0; len < strlen(text); len++)
		assert_int_equal(handover_port_decode(text, len, &read), -EINVAL);
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_int_equal(handover_port_decode(bad[i], strlen(bad[i]), &read), -EINVAL);
}

static void send_with(int to, const char *text, int fd)
{
	_Alignas(struct cmsghdr) char control[CMSG_SPACE(sizeof(fd))];
	struct iovec iov = { .iov_base = (void *)text, .iov_len = strlen(text) };
	struct msghdr message = { .msg_iov = &iov,
		.msg_iovlen = 1,
		.msg_control = control,
		.msg_controllen = sizeof(control) };

	*CMSG_FIRSTHDR(&message) =
		(struct cmsghdr){ .cmsg_len = CMSG_LEN(sizeof(fd)), .cmsg_level = SOL_SOCKET, .cmsg_type = SCM_RIGHTS };
	memcpy(CMSG_DATA(CMSG_FIRSTHDR(&message)), &fd, sizeof(fd));
	assert_true(sendmsg(to, &message, 0) >= 0);
}

/* Of another version, or with a message that says nothing: closed, and nothing is left open */
static void what_is_not_understood_is_closed(void **state)
{
	static const char *const first[] = { "{\"version\":2,\"stopped_ns\":5000000000}", "{}", "x",
		"{\"version\":1,\"stopped_ns\":-1}", "{\"version\":1,\"stopped_ns\":5000000000}" };
	const unsigned int before = open_descriptors();

	(void)state;
	for (size_t i = 0; i < sizeof(first) / sizeof(first[0]); i++) {
		int ends[2];

		assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET, 0, ends), 0);
		assert_true(send(ends[0], first[i], strlen(first[i]), 0) >= 0);
		send_with(ends[0], "nonsense", 0);
		send_with(ends[0], "{\"attach\":\"tap:t\",\"device\":\"\",\"alias\":\"\"}", 0);
		assert_true(send(ends[0], "{\"attach\":\"tap:u\",\"device\":\"\",\"alias\":\"\"}", 41, 0) >=
			0); /* without one */
		close(ends[0]);
		handover_unpack(ends[1], then, &got);
		assert_int_equal(got.count, i == 4);
		if (got.count)
			close_queues(&got.kept[0]);
		close(ends[1]);
		assert_int_equal(open_descriptors(), before);
	}
}

static void without_a_service_manager_nothing_is_kept(void **state)
{
	struct tap_kept kept = kept_of("tap:t", "", 1);
	int witness, bag = handover_pack(&kept, 1, then, &witness);

	(void)state;
	assert_false(handover_give(bag, witness));
	assert_int_equal(handover_take(), -1);
	close(witness);
	close_queues(&kept);
}

static void a_bag_goes_as_a_whole(void **state)
{
	struct tap_kept kept = kept_of("tap:t", "", 2);
	int witness, bag = handover_pack(&kept, 1, then, &witness), ends[2], came = -1;

	(void)state;
	assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET, 0, ends), 0);
	assert_true(handover_send(ends[0], bag));
	close(bag);
	assert_true(handover_receive(ends[1], &came));
	handover_unpack(came, then, &got);
	assert_int_equal(got.count, 1);
	close_queues(&got.kept[0]);
	close_queues(&kept);
	close(came);
	close(witness);
	close(ends[0]);
	assert_false(handover_receive(ends[1], &came));
	close(ends[1]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(all_ports_of_a_host_fit),
		cmocka_unit_test(the_end_of_the_bag_is_seen),
		cmocka_unit_test(what_waited_long_is_stale),
		cmocka_unit_test(a_port_is_found_once),
		cmocka_unit_test(texts_are_read_as_a_whole),
		cmocka_unit_test(what_is_not_understood_is_closed),
		cmocka_unit_test(without_a_service_manager_nothing_is_kept),
		cmocka_unit_test(a_bag_goes_as_a_whole),
	};
	struct rlimit limit;

	getrlimit(RLIMIT_NOFILE, &limit);
	limit.rlim_cur = limit.rlim_max;
	setrlimit(RLIMIT_NOFILE, &limit);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
