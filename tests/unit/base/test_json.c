/*
 * test_json.c - typed reading of JSON: values, absence, wrong types, and errors that say where
 */
#include "base/json.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

static json_t *object;

static int load(void **state)
{
	(void)state;
	object = json_loads(
		"{\"text\": \"abc\", \"empty\": \"\", \"number\": 42, \"negative\": -7, \"real\": 1.5, \"yes\": true,"
		"\"no\": false, \"nothing\": null, \"list\": [1], \"object\": {\"a\": 1}}",
		0, NULL);
	return object ? 0 : -1;
}

static int unload(void **state)
{
	(void)state;
	json_decref(object);
	return 0;
}

static void values_are_read(void **state)
{
	struct json_in in = { "" };

	(void)state;
	assert_string_equal(json_in_string(&in, "", object, "text"), "abc");
	assert_string_equal(json_in_string(&in, "", object, "empty"), "");
	assert_int_equal(json_in_int(&in, "", object, "number", 0, 42), 42);
	assert_int_equal(json_in_int(&in, "", object, "negative", -7, 0), -7);
	assert_int_equal(json_array_size(json_in_member_or(&in, "", object, "list", JSON_ARRAY)), 1);
	assert_int_equal(json_object_size(json_in_member_or(&in, "", object, "object", JSON_OBJECT)), 1);
	assert_true(json_in_ok(&in));
}

static void what_is_absent_or_null_has_its_fallback(void **state)
{
	static const char *const absent[] = { "missing", "nothing" };
	struct json_in in = { "" };

	(void)state;
	for (size_t i = 0; i < 2; i++) {
		assert_string_equal(json_in_string_or(&in, "", object, absent[i], "else"), "else");
		assert_null(json_in_string_or(&in, "", object, absent[i], NULL));
		assert_int_equal(json_in_int_or(&in, "", object, absent[i], 0, 10, 99), 99);
		assert_null(json_in_member_or(&in, "", object, absent[i], JSON_ARRAY));
	}
	assert_true(json_in_ok(&in));
}

static void errors_say_where(void **state)
{
	struct json_in in = { "" };

	(void)state;
	assert_string_equal(json_in_string(&in, "ports.a-lan", object, "host"), "");
	assert_string_equal(in.error, "ports.a-lan.host: missing");
	in = (struct json_in){ "" };
	assert_int_equal(json_in_int(&in, "", object, "mtu", 68, 9216), 68);
	assert_string_equal(in.error, "mtu: missing");
	in = (struct json_in){ "" };
	assert_int_equal(json_in_int(&in, "", object, "nothing", 68, 9216), 68);
	assert_string_equal(in.error, "nothing: missing");
	in = (struct json_in){ "" };
	assert_string_equal(json_in_string(&in, "a", object, "nothing"), "");
	assert_string_equal(in.error, "a.nothing: missing");
	in = (struct json_in){ "" };
	assert_string_equal(json_in_string(&in, "a", object, "number"), "");
	assert_string_equal(in.error, "a.number: is a whole number, must be a string");
	in = (struct json_in){ "" };
	assert_int_equal(json_in_int(&in, "a", object, "number", 50, 60), 50);
	assert_string_equal(in.error, "a.number: is 42, must be between 50 and 60");
	in = (struct json_in){ "" };
	json_in_fail(&in, "", "", "no object");
	assert_string_equal(in.error, ": no object");
}

static void wrong_types_are_told(void **state)
{
	static const struct {
		const char *key, *is;
	} wrong[] = {
		{ "text", "is a string" },
		{ "number", "is a whole number" },
		{ "real", "is a number" },
		{ "yes", "is true or false" },
		{ "list", "is a list" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		struct json_in in = { "" };

		assert_null(json_in_member_or(&in, "", object, wrong[i].key, JSON_OBJECT));
		assert_non_null(strstr(in.error, wrong[i].is));
		assert_non_null(strstr(in.error, "must be an object"));
	}
}

static void the_first_error_stays(void **state)
{
	struct json_in in = { "" };

	(void)state;
	json_in_string(&in, "", object, "first");
	assert_string_equal(json_in_string(&in, "", object, "text"), ""); /* everything reads as empty from now on */
	assert_int_equal(json_in_int(&in, "", object, "number", 0, 50), 0);
	assert_null(json_in_member_or(&in, "", object, "list", JSON_ARRAY));
	json_in_fail(&in, "", "last", "another");
	assert_string_equal(in.error, "first: missing");
}

static void a_long_error_is_cut(void **state)
{
	struct json_in in = { "" };
	char where[1000];

	(void)state;
	memset(where, 'w', sizeof(where) - 1);
	where[sizeof(where) - 1] = '\0';
	json_in_fail(&in, where, "key", "%s", where);
	assert_int_equal(strlen(in.error), sizeof(in.error) - 1);
	in = (struct json_in){ "" };
	json_in_fail(&in, "a", "b", "%s", where);
	assert_int_equal(strlen(in.error), sizeof(in.error) - 1);
}

static void what_is_not_there_reads_as_none(void **state)
{
	json_t *item = json_pack("{s:s, s:i}", "text", "a", "number", 7);

	(void)state;
	assert_string_equal(json_text_of(item, "text"), "a");
	assert_int_equal(json_int_of(item, "number"), 7);
	assert_null(json_text_of(item, "number"));
	assert_null(json_text_of(item, "none"));
	assert_null(json_text_of(NULL, "text"));
	assert_int_equal(json_int_of(item, "text"), 0);
	assert_int_equal(json_int_of(NULL, "number"), 0);
	json_decref(item);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(values_are_read),
		cmocka_unit_test(what_is_absent_or_null_has_its_fallback),
		cmocka_unit_test(errors_say_where),
		cmocka_unit_test(wrong_types_are_told),
		cmocka_unit_test(the_first_error_stays),
		cmocka_unit_test(a_long_error_is_cut),
		cmocka_unit_test(what_is_not_there_reads_as_none),
	};

	return cmocka_run_group_tests(tests, load, unload);
}
