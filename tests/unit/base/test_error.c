/*
 * test_error.c - what is kept of an error's words
 */
#include "base/error.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <string.h>

static void words_and_result(void **state)
{
	struct error error = { "" };

	(void)state;
	assert_false(error_is_set(&error));
	error_set(&error, "%s: %d too many", "ports", 3);
	assert_true(error_is_set(&error));
	assert_string_equal(error.text, "ports: 3 too many");
	assert_int_equal(error_fail(&error, -ENODEV, "no %s", "br0"), -ENODEV);
	assert_string_equal(error.text, "no br0");
}

static void around_what_it_said_before(void **state)
{
	struct error error = { "" };

	(void)state;
	error_set(&error, "device or resource busy");
	error_set(&error, "port a-lan: %s; free it", error.text);
	assert_string_equal(error.text, "port a-lan: device or resource busy; free it");
	assert_int_equal(error_fail(&error, -1, "%s, twice: %s", error.text, error.text), -1);
	assert_string_equal(error.text,
		"port a-lan: device or resource busy; free it, twice: "
		"port a-lan: device or resource busy; free it");
}

static void cut_where_it_is_too_long(void **state)
{
	struct {
		struct error error;
		char fence[8];
	} on = { .fence = "fence" };
	char text[2 * ERROR_BYTES];

	(void)state;
	memset(text, 'y', sizeof(text) - 1);
	text[sizeof(text) - 1] = '\0';
	error_set(&on.error, "%s", text);
	assert_int_equal(strlen(on.error.text), ERROR_BYTES - 1);
	assert_string_equal(on.fence, "fence");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(words_and_result),
		cmocka_unit_test(around_what_it_said_before),
		cmocka_unit_test(cut_where_it_is_too_long),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
