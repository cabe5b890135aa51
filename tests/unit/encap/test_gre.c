/*
 * test_gre.c - the header's bytes, every truncated length, every bit of the flags
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "encap/gre.h"

static const uint8_t sealed[GRE_HEADER_BYTES] = {
	0x30,
	0x00,
	0x88,
	0xb5,
	0xab,
	0xcd,
	0xef,
	0x07,
	0x01,
	0x02,
	0x03,
	0x04,
};

static void encodes_as_the_rfc_draws_it(void **state)
{
	const struct gre gre = {
		.protocol = GRE_PROTOCOL_SEALED,
		.session = 0xabcdef,
		.lane = 7,
		.counter = 0x01020304,
	};
	uint8_t out[GRE_HEADER_BYTES];

	(void)state;
	gre_encode(&gre, out);
	assert_memory_equal(out, sealed, sizeof(sealed));
}

static void decodes_what_it_encodes(void **state)
{
	struct gre gre = { .protocol = GRE_PROTOCOL_HANDSHAKE, .session = 0, .lane = 0, .counter = 0 }, got;
	uint8_t out[GRE_HEADER_BYTES];

	(void)state;
	for (uint32_t i = 0; i < 100000; i++) {
		gre.session = i * 2654435761U >> 8;
		gre.lane = (uint8_t)(i * 31);
		gre.counter = i * 2246822519U;
		gre_encode(&gre, out);
		assert_int_equal(gre_decode(out, sizeof(out), &got), GRE_OK);
		assert_int_equal(got.protocol, gre.protocol);
		assert_int_equal(got.session, gre.session);
		assert_int_equal(got.lane, gre.lane);
		assert_int_equal(got.counter, gre.counter);
	}
}

static void every_truncated_length_is_short(void **state)
{
	struct gre gre;

	(void)state;
	for (size_t n = 0; n < sizeof(sealed); n++)
		assert_int_equal(gre_decode(sealed, n, &gre), GRE_DROP_SHORT);
	assert_int_equal(gre_decode(sealed, sizeof(sealed), &gre), GRE_OK);
}

static void only_key_and_sequence_pass(void **state)
{
	(void)state;
	for (uint32_t flags = 0; flags <= 0xffff; flags++) {
		uint8_t bytes[GRE_HEADER_BYTES];
		struct gre gre;

		memcpy(bytes, sealed, sizeof(bytes));
		bytes[0] = (uint8_t)(flags >> 8);
		bytes[1] = (uint8_t)flags;
		assert_int_equal(gre_decode(bytes, sizeof(bytes), &gre), flags == 0x3000 ? GRE_OK : GRE_DROP_FLAGS);
	}
}

static void only_our_protocols_pass(void **state)
{
	unsigned int passed = 0;

	(void)state;
	for (uint32_t protocol = 0; protocol <= 0xffff; protocol++) {
		uint8_t bytes[GRE_HEADER_BYTES];
		struct gre gre;
		enum gre_result result;

		memcpy(bytes, sealed, sizeof(bytes));
		bytes[2] = (uint8_t)(protocol >> 8);
		bytes[3] = (uint8_t)protocol;
		result = gre_decode(bytes, sizeof(bytes), &gre);
		assert_true(result == GRE_OK || result == GRE_DROP_PROTOCOL);
		passed += result == GRE_OK;
	}
	assert_int_equal(passed, 2);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(encodes_as_the_rfc_draws_it),
		cmocka_unit_test(decodes_what_it_encodes),
		cmocka_unit_test(every_truncated_length_is_short),
		cmocka_unit_test(only_key_and_sequence_pass),
		cmocka_unit_test(only_our_protocols_pass),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
