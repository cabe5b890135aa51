/*
 * test_mss.c - SYNs with every layout of options: clamped where it must be, checksums still right, bytes elsewhere untouched
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "packet/csum.h"
#include "packet/mss.h"

#define IP_AT 14U
#define TCP_AT 34U

/* A SYN over IPv4 with @options (a multiple of 4 long) and right checksums */
static size_t make_syn(uint8_t *frame, const uint8_t *options, size_t options_bytes, uint8_t flags)
{
	size_t len = TCP_AT + 20 + options_bytes;
	struct offload offload;
	struct frame_info info;

	memset(frame, 0, len);
	memcpy(frame, "\x52\x54\x00\x00\x00\x0b\x52\x54\x00\x00\x00\x0a\x08\x00", 14);
	memcpy(frame + IP_AT, "\x45\x00\x00\x00\x12\x34\x40\x00\x40\x06\x00\x00\x0a\x00\x00\x01\x0a\x00\x00\x02", 20);
	frame_put16(frame + IP_AT + 2, (uint16_t)(len - IP_AT));
	frame_put16(frame + TCP_AT, 12345);
	frame_put16(frame + TCP_AT + 2, 80);
	frame_put32(frame + TCP_AT + 4, 0xdeadbeef);
	frame[TCP_AT + 12] = (uint8_t)((20 + options_bytes) / 4 << 4);
	frame[TCP_AT + 13] = flags;
	frame_put16(frame + TCP_AT + 14, 64240);
	memcpy(frame + TCP_AT + 20, options, options_bytes);
	assert_true(frame_parse(frame, len, &info));
	csum_ipv4_header(frame, &info);
	assert_true(csum_prepare(frame, &info, &offload));
	assert_true(csum_complete(frame, len, &offload));
	assert_true(csum_verify(frame, &info));
	return len;
}

static void clamps_and_mends(void **state)
{
	/* MSS 1460 at even and odd offsets, alone and among others */
	static const uint8_t layouts[][12] = {
		{ 2, 4, 5, 180, 1, 1, 1, 1, 1, 1, 1, 1 },
		{ 1, 2, 4, 5, 180, 1, 1, 1, 1, 1, 1, 0 },
		{ 4, 2, 3, 3, 7, 2, 4, 5, 180, 1, 1, 0 },
		{ 1, 1, 4, 2, 1, 3, 3, 7, 2, 4, 5, 180 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(layouts) / sizeof(layouts[0]); i++) {
		uint8_t frame[128], before[128];
		struct frame_info info;
		size_t len = make_syn(frame, layouts[i], 12, FRAME_TCP_SYN), changed = 0;

		memcpy(before, frame, len);
		assert_true(frame_parse(frame, len, &info));
		assert_false(mss_clamp(frame, &info, false, 1514));
		assert_memory_equal(frame, before, len);
		assert_true(mss_clamp(frame, &info, false, 1414));
		assert_true(csum_verify(frame, &info));
		for (size_t at = 0; at < len; at++)
			changed += frame[at] != before[at];
		assert_in_range(changed, 1, 4); /* the value and the checksum */
		assert_false(mss_clamp(frame, &info, false, 1414));
		assert_true(mss_clamp(frame, &info, false, 100)); /* not below the minimum */
		assert_true(csum_verify(frame, &info));
		assert_false(mss_clamp(frame, &info, false, 0));
	}
}

static void leaves_alone(void **state)
{
	static const uint8_t good[4] = { 2, 4, 5, 180 };
	static const uint8_t bad[][4] = { { 2, 3, 5, 180 }, { 2, 5, 5, 180 }, { 2, 0, 5, 180 }, { 0, 2, 4, 5 },
		{ 1, 1, 1, 2 }, { 9, 9, 2, 4 } };
	uint8_t frame[128], before[128];
	struct frame_info info;
	size_t len;

	(void)state;
	len = make_syn(frame, good, 4, FRAME_TCP_ACK); /* no SYN */
	assert_true(frame_parse(frame, len, &info));
	assert_false(mss_clamp(frame, &info, false, 700));
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		len = make_syn(frame, bad[i], 4, FRAME_TCP_SYN);
		memcpy(before, frame, len);
		assert_true(frame_parse(frame, len, &info));
		assert_false(mss_clamp(frame, &info, false, 700));
		assert_memory_equal(frame, before, len);
	}
	len = make_syn(frame, good, 4, FRAME_TCP_SYN);
	for (size_t cut = 14; cut < len; cut++)
		if (frame_parse(frame, cut, &info))
			assert_false(mss_clamp(frame, &info, false, 700));
	assert_true(frame_parse(frame, len, &info));
	memcpy(before, frame, len);
	assert_true(mss_clamp(frame, &info, true, 700)); /* partial: the checksum field is not ours */
	assert_memory_equal(frame + TCP_AT + 16, before + TCP_AT + 16, 2);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(clamps_and_mends),
		cmocka_unit_test(leaves_alone),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
