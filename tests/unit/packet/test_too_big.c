/*
 * test_too_big.c - the answers' fields and checksums, and everything that must not be answered
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "packet/csum.h"
#include "packet/too_big.h"

static uint8_t frame[2048], out[TOO_BIG_MAX_BYTES];

/* A UDP packet with @tags VLAN tags */
static size_t make(int version, unsigned int tags, size_t packet_bytes)
{
	size_t at = 12;

	memset(frame, 0xab, sizeof(frame));
	memcpy(frame, "\x52\x54\x00\x00\x00\x0b\x52\x54\x00\x00\x00\x0a", 12);
	for (unsigned int i = 0; i < tags; i++, at += 4)
		memcpy(frame + at, "\x81\x00\x20\x07", 4);
	if (version == 4) {
		memcpy(frame + at,
			"\x08\x00\x45\x00\x00\x00\x12\x34\x40\x00\x40\x11\x00\x00\x0a\x00\x00\x01\x0a\x00\x00\x02", 22);
		frame_put16(frame + at + 4, (uint16_t)packet_bytes);
		frame_put16(frame + at + 2 + 24, (uint16_t)(packet_bytes - 20));
	} else {
		memcpy(frame + at, "\x86\xdd\x60\x00\x00\x00\x00\x00\x11\x40", 10);
		frame_put16(frame + at + 6, (uint16_t)(packet_bytes - 40));
		memcpy(frame + at + 10, "\xfd\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x01", 16);
		memcpy(frame + at + 26, "\xfd\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x02", 16);
		frame_put16(frame + at + 2 + 44, (uint16_t)(packet_bytes - 40));
	}
	return at + 2 + packet_bytes;
}

static size_t answer(size_t len, uint32_t mtu)
{
	struct frame_info info;

	assert_true(frame_parse(frame, len, &info));
	return too_big_create(frame, len, &info, mtu, out);
}

static void fields_and_checksums(void **state)
{
	(void)state;
	for (int version = 4; version <= 6; version += 2) {
		for (unsigned int tags = 0; tags <= 2; tags++) {
			size_t len = make(version, tags, 1400), got = answer(len, 1300), l3 = 14 + 4 * tags;
			const uint8_t *ip = out + l3, *icmp = ip + (version == 4 ? 20 : 40);
			size_t icmp_bytes = got - (size_t)(icmp - out);
			struct frame_info info;
			uint64_t sum = 0;

			assert_in_range(got, 100, TOO_BIG_MAX_BYTES);
			assert_true(frame_parse(out, got, &info));
			assert_int_equal(info.end_offset, got);
			assert_memory_equal(out, frame + 6, 6);
			assert_memory_equal(out + 6, frame, 6);
			assert_memory_equal(out + 12, frame + 12, l3 - 12);
			assert_int_equal(info.l4_protocol, version == 4 ? FRAME_PROTOCOL_ICMP : FRAME_PROTOCOL_ICMPV6);
			if (version == 4) {
				assert_true(csum_ipv4_header_ok(out, &info));
				assert_memory_equal(ip + 12, frame + l3 + 16, 4);
				assert_memory_equal(ip + 16, frame + l3 + 12, 4);
				assert_memory_equal(icmp, "\x03\x04", 2);
				assert_int_equal(frame_get16(icmp + 6), 1300);
			} else {
				sum = csum_pseudo(out, &info, (uint32_t)icmp_bytes);
				assert_memory_equal(ip + 8, frame + l3 + 24, 16);
				assert_memory_equal(ip + 24, frame + l3 + 8, 16);
				assert_memory_equal(icmp, "\x02\x00", 2);
				assert_int_equal(frame_get32(icmp + 4), 1300);
			}
			assert_int_equal(csum_fold(csum_add(sum, icmp, icmp_bytes)), 0xffff);
			assert_memory_equal(icmp + 8, frame + l3, icmp_bytes - 8);
		}
	}
}

static void what_must_not_be_answered(void **state)
{
	size_t len;

	(void)state;
	len = make(4, 0, 1400);
	frame[20] = 0; /* no DF */
	assert_int_equal(answer(len, 1300), 0);
	frame[20] = 0x40;
	frame[21] = 7; /* not the first fragment */
	assert_int_equal(answer(len, 1300), 0);
	len = make(4, 0, 1400);
	frame[30] = 239; /* to a group */
	assert_int_equal(answer(len, 1300), 0);
	len = make(4, 0, 1400);
	frame[6] |= 1;
	assert_int_equal(answer(len, 1300), 0);
	len = make(4, 0, 1400);
	frame[23] = FRAME_PROTOCOL_ICMP;
	for (int type = 0; type < 256; type++) {
		frame[34] = (uint8_t)type;
		assert_int_equal(answer(len, 1300) == 0,
			type == 3 || type == 4 || type == 5 || type == 11 || type == 12);
	}
	len = make(6, 0, 1400);
	assert_int_equal(answer(len, 1279), 0);
	frame[20] = FRAME_PROTOCOL_ICMPV6;
	for (int type = 0; type < 256; type++) {
		frame[54] = (uint8_t)type;
		assert_int_equal(answer(len, 1300) == 0, type < 128);
	}
	len = make(6, 0, 1400);
	memset(frame + 22, 0, 16); /* from nobody */
	assert_int_equal(answer(len, 1300), 0);
	len = make(4, 0, 1400);
	frame[12] = 0x88; /* not IP */
	assert_int_equal(answer(len, 1300), 0);
}

static void every_truncated_length(void **state)
{
	struct frame_info info;

	(void)state;
	for (int version = 4; version <= 6; version += 2) {
		size_t len = make(version, 1, 700);

		for (size_t cut = 0; cut < len; cut++)
			if (frame_parse(frame, cut, &info))
				assert_true(too_big_create(frame, cut, &info, 1300, out) <= TOO_BIG_MAX_BYTES);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(fields_and_checksums),
		cmocka_unit_test(what_must_not_be_answered),
		cmocka_unit_test(every_truncated_length),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
