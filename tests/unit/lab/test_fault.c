/*
 * test_fault.c - what people are told of a request: the first fault, readable whatever it quotes
 */
#include "lab/fault.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static void the_first_fault_stays(void **state)
{
	struct fault fault = { .status = 0 };

	(void)state;
	assert_false(fault_set(&fault, 400, "a.b", "is %d", 7));
	fault_hint(&fault, "write %s", "8");
	assert_false(fault_set(&fault, 503, "c", "too late"));
	fault_hint(&fault, "no");
	assert_int_equal(fault.status, 400);
	assert_string_equal(fault.where, "a.b");
	assert_string_equal(fault.message, "is 7");
	assert_string_equal(fault.hint, "write 8");
}

/* Terminals and jansson would choke on either */
static void no_control_characters_and_no_half_ones(void **state)
{
	struct fault fault = { .status = 0 };
	char text[1001];
	json_t *body;

	(void)state;
	fault_set(&fault, 400, "", "a\033[2J\nb\177");
	assert_string_equal(fault.message, "a [2J b ");
	for (size_t pad = 0; pad < 4; pad++) {
		fault.status = 0;
		for (size_t i = 0; i < sizeof(text) - 1; i++)
			text[i] = i < pad ? 'x' : "\xe2\x82\xac"[(i - pad) % 3];
		text[sizeof(text) - 1] = '\0';
		fault_set(&fault, 400, text, "%s", text);
		body = fault_body(&fault);
		assert_non_null(body);
		assert_non_null(json_object_get(json_object_get(body, "error"), "message"));
		assert_non_null(json_object_get(json_object_get(body, "error"), "where"));
		json_decref(body);
	}
}

static void the_stores_errors(void **state)
{
	struct fault conflict = { .status = 0 }, broken = { .status = 0 };
	json_t *body, *error;

	(void)state;
	assert_false(fault_store(&conflict, -EAGAIN));
	assert_false(fault_store(&broken, -EIO));
	assert_int_equal(conflict.status, 409);
	assert_int_equal(broken.status, 503);
	body = fault_body(&broken);
	error = json_object_get(body, "error");
	assert_null(json_object_get(error, "where"));
	assert_null(json_object_get(error, "hint"));
	assert_non_null(json_object_get(error, "message"));
	json_decref(body);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_first_fault_stays),
		cmocka_unit_test(no_control_characters_and_no_half_ones),
		cmocka_unit_test(the_stores_errors),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
