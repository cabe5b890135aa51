/*
 * test_attempts.c - what is made of libcurl's remarks about the addresses that it tries
 */
#include "client/attempts.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static void remark(struct attempts *attempts, const char *text)
{
	attempts_remark(attempts, text, strlen(text));
}

static void each_address_and_its_reason(void **state)
{
	struct attempts attempts = { 0 };
	char text[ATTEMPTS_TEXT_BYTES];

	(void)state;
	attempts_describe(&attempts, NULL, text);
	assert_string_equal(text, "");
	attempts_tried(&attempts, "192.0.2.1");
	attempts_tried(&attempts, "192.0.2.10");
	attempts_tried(&attempts, "2001:db8::1");
	attempts_tried(&attempts, "2001:db8::1:5");
	remark(&attempts, "  Trying 192.0.2.1:4753...\n");
	remark(&attempts, "connect to 192.0.2.10 port 4753 failed: Connection refused\n");
	remark(&attempts, "Immediate connect fail for 2001:db8::1: Network is unreachable\n");
	remark(&attempts, "connect to [2001:db8::1:5] port 4753 from :: port 0 failed: No route to host\n");
	attempts_describe(&attempts, NULL, text);
	assert_string_equal(text,
		"192.0.2.1: no answer; 192.0.2.10: Connection refused; "
		"2001:db8::1: Network is unreachable; 2001:db8::1:5: No route to host");
	/* tried once more: what was is forgotten */
	attempts_tried(&attempts, "192.0.2.10");
	attempts_describe(&attempts, "192.0.2.1", text);
	assert_memory_equal(text, "no answer; 192.0.2.10: no answer; ", 34);
}

static void many_and_long(void **state)
{
	struct attempts attempts = { 0 };
	char text[ATTEMPTS_TEXT_BYTES], address[64], line[1000];

	(void)state;
	for (unsigned int i = 0; i < 20; i++) {
		snprintf(address, sizeof(address), "2001:db8:1111:2222:3333:4444:5555:%u", 1000 + i);
		attempts_tried(&attempts, address);
		snprintf(line, sizeof(line), "connect to %s port 4753 failed: %0500d\n", address, 0);
		for (size_t len = 0; len <= strlen(line); len++)
			attempts_remark(&attempts, line, len);
	}
	assert_int_equal(attempts.count, 20);
	attempts_describe(&attempts, NULL, text);
	assert_true(strlen(text) < sizeof(text));
	assert_memory_equal(text, "2001:db8:1111:2222:3333:4444:5555:1000: 000", 43);
}

static void of_more_than_fit_the_rest_is_counted(void **state)
{
	struct attempts attempts = { 0 };
	char text[ATTEMPTS_TEXT_BYTES], address[16];

	(void)state;
	for (unsigned int i = 0; i < 10; i++) {
		snprintf(address, sizeof(address), "192.0.2.%u", i);
		attempts_tried(&attempts, address);
	}
	attempts_describe(&attempts, NULL, text);
	assert_non_null(strstr(text, "192.0.2.7: no answer; and 2 more"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_address_and_its_reason),
		cmocka_unit_test(many_and_long),
		cmocka_unit_test(of_more_than_fit_the_rest_is_counted),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
