/*
 * test_own_filter.c - which datagrams the filter holds back, as the kernel runs it, on a pair of sockets
 */
#include "tap/own_filter.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stddef.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#define PORT 4754U

static uint8_t own[OWN_FILTER_ADDRESSES_MAX + 1][IP_BYTES];

static void own_is(size_t i, const char *text)
{
	struct endpoint endpoint;

	assert_true(endpoint_parse(text, 1, &endpoint));
	memcpy(own[i], endpoint.ip, IP_BYTES);
}

/* Does a frame pass? */
static bool frame_passes(size_t own_count, const uint8_t *frame, size_t bytes)
{
	struct sock_filter code[OWN_FILTER_CODE_MAX];
	const struct sock_fprog program = {
		.filter = code,
		.len = own_filter_make(false, PORT, own, own_count, code),
	};
	uint8_t got[256];
	int pair[2];
	bool passed;

	assert_int_equal(socketpair(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK, 0, pair), 0);
	assert_int_equal(setsockopt(pair[1], SOL_SOCKET, SO_ATTACH_FILTER, &program, sizeof(program)), 0);
	(void)!write(pair[0], frame, bytes);
	passed = read(pair[1], got, sizeof(got)) == (ssize_t)bytes;
	close(pair[0]);
	close(pair[1]);
	return passed;
}

/* Does a UDP packet pass?  Addresses of one family */
static bool passes(size_t own_count, const char *from, uint16_t from_port, const char *to, uint16_t to_port,
	uint8_t options)
{
	struct endpoint source, destination;
	uint8_t frame[128] = { 0 }, *ip = frame + 14, *udp;

	assert_true(endpoint_parse(from, 1, &source) && endpoint_parse(to, 1, &destination));
	if (endpoint_is_v4(&source)) {
		frame[12] = 8;
		ip[0] = (uint8_t)(0x45 + options);
		ip[9] = 17;
		memcpy(ip + 12, source.ip + 12, 4);
		memcpy(ip + 16, destination.ip + 12, 4);
		udp = ip + 20 + options * 4;
	} else {
		frame[12] = 0x86;
		frame[13] = 0xdd;
		ip[0] = 0x60;
		ip[6] = 17;
		memcpy(ip + 8, source.ip, 16);
		memcpy(ip + 24, destination.ip, 16);
		udp = ip + 40;
	}
	udp[0] = (uint8_t)(from_port >> 8);
	udp[1] = (uint8_t)from_port;
	udp[2] = (uint8_t)(to_port >> 8);
	udp[3] = (uint8_t)to_port;
	return frame_passes(own_count, frame, sizeof(frame));
}

static void own_datagrams_are_held_back(void **state)
{
	(void)state;
	own_is(0, "192.0.2.1");
	own_is(1, "2001:db8::1");
	own_is(2, "198.51.100.9");
	for (uint8_t options = 0; options <= 10; options += 5) {
		assert_false(passes(3, "192.0.2.1", PORT, "192.0.2.2", PORT, options));
		assert_false(passes(3, "192.0.2.2", 61000, "192.0.2.1", PORT, options));
		assert_false(passes(3, "198.51.100.9", PORT, "192.0.2.2", 9, options));
	}
	assert_false(passes(3, "2001:db8::1", PORT, "2001:db8::2", PORT, 0));
	assert_false(passes(3, "2001:db8::2", 5, "2001:db8::1", PORT, 0));
}

static void all_else_passes(void **state)
{
	(void)state;
	/* a guest's own weft */
	assert_true(passes(3, "10.0.0.1", PORT, "10.0.0.2", PORT, 0));
	assert_true(passes(3, "fd00::1", PORT, "fd00::2", PORT, 0));
	/* own addresses, and the port on the other side or another one */
	assert_true(passes(3, "192.0.2.1", 61000, "192.0.2.2", PORT, 0));
	assert_true(passes(3, "192.0.2.2", PORT, "192.0.2.1", 53, 0));
	assert_true(passes(3, "2001:db8::1", 53, "2001:db8::2", PORT, 0));
	assert_true(passes(3, "2001:db8:0:0:1::1", PORT, "2001:db8::2", PORT, 0));
	assert_true(passes(0, "192.0.2.1", PORT, "192.0.2.2", PORT, 0));
}

/* The last fragment of a datagram has no ports, and may be a single byte */
static void later_fragments_pass(void **state)
{
	uint8_t frame[64] = { [12] = 8, [14] = 0x45, [14 + 9] = 17 };

	(void)state;
	own_is(0, "192.0.2.1");
	memcpy(frame + 14 + 12, own[0] + 12, 4);
	memcpy(frame + 14 + 20, (uint8_t[]){ PORT >> 8, PORT & 0xff }, 2);
	assert_false(frame_passes(1, frame, sizeof(frame)));
	frame[14 + 6] = 0x20; /* the first of several */
	assert_false(frame_passes(1, frame, sizeof(frame)));
	frame[14 + 6] = 0;
	frame[14 + 7] = 185; /* the last of two, at 1480 */
	for (size_t payload = 1; payload <= 8; payload++)
		assert_true(frame_passes(1, frame, 34 + payload));
}

static void many_addresses(void **state)
{
	char text[32];

	(void)state;
	for (unsigned int i = 0; i <= OWN_FILTER_ADDRESSES_MAX; i++) {
		snprintf(text, sizeof(text), i % 2 ? "2001:db8::%x" : "10.1.1.%u", i + 1);
		own_is(i, text);
	}
	assert_false(passes(OWN_FILTER_ADDRESSES_MAX, "10.1.1.63", PORT, "10.9.9.9", 1, 0));
	assert_false(passes(OWN_FILTER_ADDRESSES_MAX, "10.9.9.9", 1, "10.1.1.63", PORT, 0));
	assert_false(passes(OWN_FILTER_ADDRESSES_MAX + 1, "2001:db8::40", PORT, "fd00::1", 1, 0));
	assert_false(passes(OWN_FILTER_ADDRESSES_MAX + 1, "fd00::1", 1, "2001:db8::40", PORT, 0));
	assert_true(passes(OWN_FILTER_ADDRESSES_MAX + 1, "10.1.1.66", PORT, "10.9.9.9", 1, 0));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(own_datagrams_are_held_back),
		cmocka_unit_test(all_else_passes),
		cmocka_unit_test(later_fragments_pass),
		cmocka_unit_test(many_addresses),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
