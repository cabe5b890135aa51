/*
 * test_frame.c - frames of every kind, at every truncated length, and random ones
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "packet/frame.h"

#define MACS 0x52, 0x54, 0, 0, 0, 1, 0x52, 0x54, 0, 0, 0, 2
#define V4_ADDRESSES 10, 0, 0, 1, 10, 0, 0, 2
#define V6_ADDRESS 0xfd, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1
#define TCP 0x04, 0xd2, 0x14, 0x51, 0, 0, 0, 1, 0, 0, 0, 2, 0x50, 0x10, 1, 0, 0, 0, 0, 0
#define UDP_OF(n) 0x04, 0xd2, 0x14, 0x51, 0, (n), 0, 0

static const struct {
	const char *name;
	size_t bytes;
	uint8_t frame[160];
	struct frame_info want;
} frames[] = {
	{ "ARP", 20, { MACS, 0x08, 0x06, 1, 2, 3, 4, 5, 6 },
		{ .end_offset = 20, .ethertype = 0x0806, .l3_offset = 14, .l2_bytes = 14 } },
	{ "TCP over IPv4, two bytes of payload, then padding", 60,
		{ MACS, 0x08, 0x00, 0x45, 0, 0, 42, 0, 1, 0x40, 0, 64, 6, 0, 0, V4_ADDRESSES, TCP, 'h', 'i' },
		{ .end_offset = 56,
			.ethertype = 0x0800,
			.l3_offset = 14,
			.l4_offset = 34,
			.payload_offset = 54,
			.l2_bytes = 14,
			.ip_version = 4,
			.l4_protocol = 6 } },
	{ "UDP over IPv4 in 802.1ad and 802.1Q", 54,
		{ MACS, 0x88, 0xa8, 0x60, 0x0a, 0x81, 0x00, 0, 20, 0x08, 0x00, 0x45, 0, 0, 32, 0, 1, 0, 0, 64, 17, 0, 0,
			V4_ADDRESSES, UDP_OF(12), 1, 2, 3, 4 },
		{ .end_offset = 54,
			.ethertype = 0x0800,
			.tci = 0x600a,
			.l3_offset = 22,
			.l4_offset = 42,
			.payload_offset = 50,
			.l2_bytes = 22,
			.ip_version = 4,
			.l4_protocol = 17,
			.tagged = true } },
	{ "UDP whose length is not the packet's", 46,
		{ MACS, 0x08, 0x00, 0x45, 0, 0, 32, 0, 1, 0, 0, 64, 17, 0, 0, V4_ADDRESSES, UDP_OF(11) },
		{ .end_offset = 46,
			.ethertype = 0x0800,
			.l3_offset = 14,
			.l4_offset = 34,
			.l2_bytes = 14,
			.ip_version = 4,
			.l4_protocol = 17 } },
	{ "three tags are no IP", 60, { MACS, 0x81, 0x00, 0, 1, 0x81, 0x00, 0, 2, 0x81, 0x00, 0, 3, 0x08, 0x00, 0x45 },
		{ .end_offset = 60, .ethertype = 0x8100, .tci = 1, .l3_offset = 22, .l2_bytes = 22, .tagged = true } },
	{ "the first fragment", 54, { MACS, 0x08, 0x00, 0x45, 0, 0, 40, 0, 1, 0x20, 0, 64, 6, 0, 0, V4_ADDRESSES, TCP },
		{ .end_offset = 54,
			.ethertype = 0x0800,
			.l3_offset = 14,
			.l4_offset = 34,
			.l2_bytes = 14,
			.ip_version = 4,
			.l4_protocol = 6,
			.ip_fragment = true } },
	{ "a later fragment", 54, { MACS, 0x08, 0x00, 0x45, 0, 0, 40, 0, 1, 0, 9, 64, 6, 0, 0, V4_ADDRESSES, TCP },
		{ .end_offset = 54,
			.ethertype = 0x0800,
			.l3_offset = 14,
			.l2_bytes = 14,
			.ip_version = 4,
			.ip_fragment = true } },
	{ "router alert", 58,
		{ MACS, 0x08, 0x00, 0x46, 0, 0, 44, 0, 1, 0, 0, 64, 6, 0, 0, V4_ADDRESSES, 148, 4, 0, 0, TCP },
		{ .end_offset = 58,
			.ethertype = 0x0800,
			.l3_offset = 14,
			.l4_offset = 38,
			.payload_offset = 58,
			.l2_bytes = 14,
			.ip_version = 4,
			.l4_protocol = 6,
			.ip_options = true } },
	{ "a source route behind two NOPs", 62,
		{ MACS, 0x08, 0x00, 0x47, 0, 0, 48, 0, 1, 0, 0, 64, 6, 0, 0, V4_ADDRESSES, 1, 131, 7, 4, 9, 9, 9, 9,
			TCP },
		{ .end_offset = 62,
			.ethertype = 0x0800,
			.l3_offset = 14,
			.l4_offset = 42,
			.payload_offset = 62,
			.l2_bytes = 14,
			.ip_version = 4,
			.l4_protocol = 6,
			.ip_options = true,
			.source_routed = true } },
	{ "an IPv4 length of 0 is the frame's", 60,
		{ MACS, 0x08, 0x00, 0x45, 0, 0, 0, 0, 1, 0, 0, 64, 6, 0, 0, V4_ADDRESSES, TCP },
		{ .end_offset = 60,
			.ethertype = 0x0800,
			.l3_offset = 14,
			.l4_offset = 34,
			.payload_offset = 54,
			.l2_bytes = 14,
			.ip_version = 4,
			.l4_protocol = 6 } },
	{ "TCP with a header longer than the packet", 54,
		{ MACS, 0x08, 0x00, 0x45, 0, 0, 40, 0, 1, 0, 0, 64, 6, 0, 0, V4_ADDRESSES, 0, 1, 0, 2, 0, 0, 0, 1, 0, 0,
			0, 2, 0x60, 0x10 },
		{ .end_offset = 54,
			.ethertype = 0x0800,
			.l3_offset = 14,
			.l4_offset = 34,
			.l2_bytes = 14,
			.ip_version = 4,
			.l4_protocol = 6 } },
	{ "TCP over IPv6", 74, { MACS, 0x86, 0xdd, 0x60, 0, 0, 0, 0, 20, 6, 64, V6_ADDRESS, V6_ADDRESS, TCP },
		{ .end_offset = 74,
			.ethertype = 0x86dd,
			.l3_offset = 14,
			.l4_offset = 54,
			.payload_offset = 74,
			.l2_bytes = 14,
			.ip_version = 6,
			.l4_protocol = 6 } },
	{ "hop by hop, destination options, UDP", 86,
		{ MACS, 0x86, 0xdd, 0x60, 0, 0, 0, 0, 32, 0, 64, V6_ADDRESS, V6_ADDRESS, 60, 0, 1, 4, 0, 0, 0, 0, 17, 0,
			1, 4, 0, 0, 0, 0, UDP_OF(16) },
		{ .end_offset = 86,
			.ethertype = 0x86dd,
			.l3_offset = 14,
			.l4_offset = 70,
			.payload_offset = 78,
			.l2_bytes = 14,
			.ip_version = 6,
			.l4_protocol = 17,
			.ip_options = true } },
	{ "a routing header with a segment left", 98,
		{ MACS, 0x86, 0xdd, 0x60, 0, 0, 0, 0, 44, 43, 64, V6_ADDRESS, V6_ADDRESS, 6, 2, 4, 1, 0, 0, 0, 0,
			V6_ADDRESS, TCP },
		{ .end_offset = 98,
			.ethertype = 0x86dd,
			.l3_offset = 14,
			.l4_offset = 78,
			.payload_offset = 98,
			.l2_bytes = 14,
			.ip_version = 6,
			.l4_protocol = 6,
			.ip_options = true,
			.source_routed = true } },
	{ "a later fragment of IPv6", 70,
		{ MACS, 0x86, 0xdd, 0x60, 0, 0, 0, 0, 16, 44, 64, V6_ADDRESS, V6_ADDRESS, 17, 0, 5, 0x01, 0, 0, 0, 1 },
		{ .end_offset = 70,
			.ethertype = 0x86dd,
			.l3_offset = 14,
			.l2_bytes = 14,
			.ip_version = 6,
			.ip_fragment = true,
			.ip_options = true } },
	{ "an atomic fragment of IPv6", 70,
		{ MACS, 0x86, 0xdd, 0x60, 0, 0, 0, 0, 16, 44, 64, V6_ADDRESS, V6_ADDRESS, 17, 0, 0, 0, 0, 0, 0, 1,
			UDP_OF(8) },
		{ .end_offset = 70,
			.ethertype = 0x86dd,
			.l3_offset = 14,
			.l4_offset = 62,
			.l2_bytes = 14,
			.ip_version = 6,
			.l4_protocol = 17,
			.ip_fragment = true,
			.ip_options = true } },
	{ "ICMPv6", 58, { MACS, 0x86, 0xdd, 0x60, 0, 0, 0, 0, 4, 58, 64, V6_ADDRESS, V6_ADDRESS, 128 },
		{ .end_offset = 58,
			.ethertype = 0x86dd,
			.l3_offset = 14,
			.l4_offset = 54,
			.l2_bytes = 14,
			.ip_version = 6,
			.l4_protocol = 58 } },
	{ "IPv4's ethertype over IPv6's version", 60, { MACS, 0x08, 0x00, 0x60 },
		{ .end_offset = 60, .ethertype = 0x0800, .l3_offset = 14, .l2_bytes = 14 } },
	{ "an IPv4 length past the frame's end", 60,
		{ MACS, 0x08, 0x00, 0x45, 0, 0, 47, 0, 1, 0, 0, 64, 6, 0, 0, V4_ADDRESSES, TCP },
		{ .end_offset = 60, .ethertype = 0x0800, .l3_offset = 14, .l2_bytes = 14 } },
};

static void same(const struct frame_info *got, const struct frame_info *want)
{
	assert_int_equal(got->end_offset, want->end_offset);
	assert_int_equal(got->ethertype, want->ethertype);
	assert_int_equal(got->tci, want->tci);
	assert_int_equal(got->l3_offset, want->l3_offset);
	assert_int_equal(got->l4_offset, want->l4_offset);
	assert_int_equal(got->payload_offset, want->payload_offset);
	assert_int_equal(got->l2_bytes, want->l2_bytes);
	assert_int_equal(got->ip_version, want->ip_version);
	assert_int_equal(got->l4_protocol, want->l4_protocol);
	assert_int_equal(got->tagged, want->tagged);
	assert_int_equal(got->ip_fragment, want->ip_fragment);
	assert_int_equal(got->ip_options, want->ip_options);
	assert_int_equal(got->source_routed, want->source_routed);
}

static void says_what_is_there(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(frames) / sizeof(frames[0]); i++) {
		struct frame_info info;

		print_message("         %s\n", frames[i].name);
		assert_true(frame_parse(frames[i].frame, frames[i].bytes, &info));
		same(&info, &frames[i].want);
	}
}

/* What may be relied on, whatever the bytes */
static void holds_together(const struct frame_info *info, size_t len_bytes)
{
	assert_in_range(info->l2_bytes, 14, 22);
	assert_int_equal(info->l3_offset, info->l2_bytes);
	assert_in_range(info->end_offset, info->l3_offset, len_bytes);
	assert_true(info->ip_version == 0 || info->ip_version == 4 || info->ip_version == 6);
	assert_true(info->l4_offset == 0 || (info->ip_version != 0 && info->l4_offset > info->l3_offset));
	assert_true(info->l4_offset <= info->end_offset && info->payload_offset <= info->end_offset);
	assert_true(info->l4_offset != 0 || (info->l4_protocol == 0 && info->payload_offset == 0));
	if (info->payload_offset != 0) {
		assert_true(info->l4_protocol == FRAME_PROTOCOL_TCP || info->l4_protocol == FRAME_PROTOCOL_UDP);
		assert_true(info->payload_offset >= info->l4_offset + 8 && !info->ip_fragment);
	}
}

/* A heap block of the exact size lets the sanitizer see a byte too far */
static bool parse_exactly(const uint8_t *frame, size_t len_bytes, struct frame_info *info)
{
	uint8_t *copy = malloc(len_bytes ? len_bytes : 1);
	bool ok;

	assert_non_null(copy);
	memcpy(copy, frame, len_bytes);
	ok = frame_parse(copy, len_bytes, info);
	free(copy);
	return ok;
}

static void every_truncated_length_is_safe(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(frames) / sizeof(frames[0]); i++) {
		for (size_t n = 0; n <= frames[i].bytes; n++) {
			struct frame_info info;

			if (!parse_exactly(frames[i].frame, n, &info)) {
				assert_true(n < frames[i].want.l2_bytes);
				continue;
			}
			holds_together(&info, n);
			if (n < frames[i].want.end_offset && frame_get16(frames[i].frame + info.l3_offset + 2) != 0 &&
				info.ethertype == 0x0800)
				assert_int_equal(info.ip_version, 0);
		}
	}
}

static void random_changes_are_safe(void **state)
{
	uint32_t random = 1;

	(void)state;
	for (unsigned int round = 0; round < 200000; round++) {
		size_t i = round % (sizeof(frames) / sizeof(frames[0]));
		uint8_t frame[160];
		struct frame_info info;

		memcpy(frame, frames[i].frame, sizeof(frame));
		for (unsigned int k = 0; k < 4; k++) {
			random = random * 1664525 + 1013904223;
			frame[12 + (random >> 8) % 80] = (uint8_t)(random >> 24);
		}
		if (parse_exactly(frame, frames[i].bytes, &info))
			holds_together(&info, frames[i].bytes);
	}
}

static void a_long_chain_of_extensions_ends(void **state)
{
	uint8_t frame[54 + 9 * 8 + 8] = { MACS, 0x86, 0xdd, 0x60, 0, 0, 0, 0, 9 * 8 + 8, 60 };
	struct frame_info info;

	(void)state;
	for (unsigned int i = 0; i < 9; i++)
		frame[54 + i * 8] = i == 8 ? 17 : 60;
	assert_true(frame_parse(frame, sizeof(frame), &info));
	assert_int_equal(info.ip_version, 6);
	assert_int_equal(info.l4_offset, 0);

	frame[20] = 17;
	assert_true(frame_parse(frame, sizeof(frame), &info));
	assert_int_equal(info.l4_offset, 54);
	assert_false(info.ip_options);
}

static void accessors(void **state)
{
	const uint8_t frame[18] = { MACS, 0x81, 0x00, 0xe1, 0x23, 0x12, 0x34 };
	const struct mac destination = { { 0x52, 0x54, 0, 0, 0, 1 } }, source = { { 0x52, 0x54, 0, 0, 0, 2 } };
	struct mac got;
	struct frame_info info;
	uint8_t words[6];

	(void)state;
	assert_true(frame_parse(frame, sizeof(frame), &info));
	assert_int_equal(info.tci & 0x0fff, 0x123);
	got = frame_destination(frame);
	assert_true(mac_equal(&got, &destination));
	got = frame_source(frame);
	assert_true(mac_equal(&got, &source));
	frame_put16(words, 0x1234);
	frame_put32(words + 2, 0x56789abc);
	assert_memory_equal(words, ((uint8_t[]){ 0x12, 0x34, 0x56, 0x78, 0x9a, 0xbc }), 6);
	assert_int_equal(frame_get16(words), 0x1234);
	assert_int_equal(frame_get32(words + 2), 0x56789abc);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(says_what_is_there),
		cmocka_unit_test(every_truncated_length_is_safe),
		cmocka_unit_test(random_changes_are_safe),
		cmocka_unit_test(a_long_chain_of_extensions_ends),
		cmocka_unit_test(accessors),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
