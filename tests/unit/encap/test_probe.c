/*
 * test_probe.c - the body's bytes and every truncated length
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "encap/probe.h"

static const uint8_t body[PROBE_BODY_BYTES + 2] = { 1, 1, 2, 3, 4, 5, 6, 7, 8, 0x05, 0xdc, 9, 9 };

static void encodes(void **state)
{
	const struct probe probe = {
		.flags = PROBE_FLAG_MTU,
		.token = 0x0102030405060708,
		.datagram_bytes = 1500,
	};
	uint8_t out[PROBE_BODY_BYTES];

	(void)state;
	probe_encode(&probe, out);
	assert_memory_equal(out, body, sizeof(out));
}

static void decodes_with_padding_behind(void **state)
{
	struct probe probe;

	(void)state;
	for (size_t n = 0; n < PROBE_BODY_BYTES; n++)
		assert_false(probe_decode(body, n, &probe));
	for (size_t n = PROBE_BODY_BYTES; n <= sizeof(body); n++) {
		assert_true(probe_decode(body, n, &probe));
		assert_int_equal(probe.flags, PROBE_FLAG_MTU);
		assert_true(probe.token == 0x0102030405060708);
		assert_int_equal(probe.datagram_bytes, 1500);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(encodes),
		cmocka_unit_test(decodes_with_padding_behind),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
