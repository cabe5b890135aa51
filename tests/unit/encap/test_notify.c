/*
 * test_notify.c - the body's bytes and every truncated length
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "encap/notify.h"

static void a_goodbye_is_two_bytes_and_more_of_a_newer_version(void **state)
{
	static const uint8_t body[] = { 1, 1, 9, 9 };
	const struct notify goodbye = { .kind = NOTIFY_GOODBYE, .reason = NOTIFY_LEAVES };
	uint8_t out[NOTIFY_GOODBYE_BYTES];
	struct notify notify;

	(void)state;
	notify_encode(&goodbye, out);
	assert_memory_equal(out, body, sizeof(out));
	for (size_t n = 0; n < NOTIFY_GOODBYE_BYTES; n++)
		assert_false(notify_decode(body, n, &notify));
	for (size_t n = NOTIFY_GOODBYE_BYTES; n <= sizeof(body); n++) {
		assert_true(notify_decode(body, n, &notify));
		assert_int_equal(notify.kind, NOTIFY_GOODBYE);
		assert_int_equal(notify.reason, NOTIFY_LEAVES);
	}
}

static void another_kind_is_not_read(void **state)
{
	static const uint8_t body[] = { 77 };
	struct notify notify;

	(void)state;
	assert_true(notify_decode(body, 1, &notify));
	assert_int_equal(notify.kind, 77);
	assert_int_equal(notify.reason, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_goodbye_is_two_bytes_and_more_of_a_newer_version),
		cmocka_unit_test(another_kind_is_not_read),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
