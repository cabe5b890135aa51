/*
 * test_value.c - every type of attribute: read, written, compared, and what an absent value is
 */
#include "lab/attribute.h"
#include "lab/value.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define VALUE_BYTES_MAX 1024U

union room {
	char bytes[VALUE_BYTES_MAX];
	max_align_t align;
};

static const struct value_range range = BETWEEN(10, 20, 15);

static void absent(const struct value_type *type, union room *out)
{
	assert_true(type->bytes <= sizeof(*out));
	memset(out, 0, sizeof(*out));
	if (type->preset)
		type->preset(out, range.fallback);
}

static void done(const struct value_type *type, union room *value)
{
	if (type->fini)
		type->fini(value);
}

/* Read @text, which is JSON */
static bool read_value(const struct value_type *type, const char *text, union room *out, struct fault *fault)
{
	const struct value_in in = { .parent = "ports.p", .key = "x", .strict = true, .range = range, .fault = fault };
	json_t *value = json_loads(text, JSON_DECODE_ANY, NULL);
	bool ok;

	assert_non_null(value);
	memset(fault, 0, sizeof(*fault));
	absent(type, out);
	ok = type->decode(&in, value, out);
	json_decref(value);
	return ok;
}

static const struct {
	const struct value_type *type;
	const char *text;
	const char *canonical; /* NULL: nothing is written */
} good[] = {
	{ &value_type_name, "\"aws-1\"", "\"aws-1\"" },
	{ &value_type_attach, "\"bridge:br0\"", "\"bridge:br0\"" },
	{ &value_type_flag, "true", "true" },
	{ &value_type_flag, "false", "false" },
	{ &value_type_number, "10", "10" },
	{ &value_type_number, "20", "20" },
	{ &value_type_mode, "\"switch\"", "\"switch\"" },
	{ &value_type_mode, "\"wire\"", "\"wire\"" },
	{ &value_type_passes, "[]", "[]" },
	{ &value_type_passes, "[\"other\", \"stp\", \"other\"]", "[\"stp\", \"other\"]" },
	{ &value_type_mac, "\"52-54-00-AA-00-0B\"", "\"52:54:00:aa:00:0b\"" },
	{ &value_type_addresses, "\"10.0.0.1\"", "[\"10.0.0.1\"]" },
	{ &value_type_addresses, "[\"fd00:0:0::0001\", \"10.0.0.1\"]", "[\"fd00::1\", \"10.0.0.1\"]" },
	{ &value_type_addresses, "[]", NULL },
	{ &value_type_vlan, "{\"trunk\": \"all\"}", "{\"trunk\": \"all\"}" },
	{ &value_type_vlan, "{\"trunk\": [4094, 1, 4094]}", "{\"trunk\": [1, 4094]}" },
	{ &value_type_vlan, "{\"access\": 4094}", "{\"access\": 4094}" },
};

static void good_values_have_one_form(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
		json_t *want = good[i].canonical ? json_loads(good[i].canonical, JSON_DECODE_ANY, NULL) : NULL, *got;
		union room value, again;
		struct fault fault;

		if (!read_value(good[i].type, good[i].text, &value, &fault))
			fail_msg("%s: %s", good[i].text, fault.message);
		got = good[i].type->encode(&value);
		if (want ? !json_equal(got, want) : got != NULL)
			fail_msg("%s is not written as %s", good[i].text, good[i].canonical);
		if (good[i].canonical) {
			assert_true(read_value(good[i].type, good[i].canonical, &again, &fault));
			assert_true(good[i].type->equal(&value, &again));
			done(good[i].type, &again);
		}
		json_decref(want);
		json_decref(got);
		done(good[i].type, &value);
	}
}

static const struct {
	const struct value_type *type;
	const char *text;
	const char *where; /* behind "ports.p.x" */
} bad[] = {
	{ &value_type_name, "\"\"", "" },
	{ &value_type_name, "\"a b\"", "" },
	{ &value_type_name, "\"a\\u0007\"", "" },
	{ &value_type_name, "\"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\"", "" }, /* 64 */
	{ &value_type_name, "7", "" },
	{ &value_type_attach, "null", "" },
	{ &value_type_flag, "0", "" },
	{ &value_type_flag, "\"true\"", "" },
	{ &value_type_number, "9", "" },
	{ &value_type_number, "21", "" },
	{ &value_type_number, "15.0", "" },
	{ &value_type_number, "4294967306", "" },
	{ &value_type_mode, "\"Switch\"", "" },
	{ &value_type_mode, "1", "" },
	{ &value_type_passes, "\"stp\"", "" },
	{ &value_type_passes, "[\"stp\", \"pts\"]", "[1]" },
	{ &value_type_mac, "\"52:54:00:00:00\"", "" },
	{ &value_type_mac, "\"00:00:00:00:00:00\"", "" },
	{ &value_type_mac, "\"ff:ff:ff:ff:ff:ff\"", "" },
	{ &value_type_addresses, "\"10.0.0.1/8\"", "" },
	{ &value_type_addresses, "[\"10.0.0.1\", 7]", "[1]" },
	{ &value_type_addresses, "{}", "" },
	{ &value_type_vlan, "{}", "" },
	{ &value_type_vlan, "{\"trunk\": \"all\", \"access\": 1}", "" },
	{ &value_type_vlan, "{\"trunk\": []}", ".trunk" },
	{ &value_type_vlan, "{\"trunk\": [1, 0]}", ".trunk[1]" },
	{ &value_type_vlan, "{\"access\": 4095}", ".access" },
	{ &value_type_vlan, "{\"access\": 1, \"native\": 2}", ".native" },
};

static void bad_values_say_where(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		char where[64] = "ports.p.x";
		union room value;
		struct fault fault;

		strcat(where, bad[i].where);
		if (read_value(bad[i].type, bad[i].text, &value, &fault))
			fail_msg("%s was taken", bad[i].text);
		assert_string_equal(fault.where, where);
		assert_string_not_equal(fault.message, "");
		done(bad[i].type, &value);
	}
}

/* An absent value is equal to itself and nothing else that is given, and what is written of it reads as the same */
static void absent_values(void **state)
{
	static const struct value_type *const types[] = {
#define X(name) &value_type_##name,
		VALUE_TYPES(X)
#undef X
	};

	(void)state;
	for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++) {
		union room one, other;
		json_t *written;
		char *text;
		struct fault fault;

		absent(types[i], &one);
		absent(types[i], &other);
		assert_true(types[i]->equal(&one, &other));
		written = types[i]->encode(&one);
		if (written) {
			text = json_dumps(written, JSON_ENCODE_ANY);
			assert_true(read_value(types[i], text, &other, &fault));
			assert_true(types[i]->equal(&one, &other));
			free(text);
		}
		json_decref(written);
		done(types[i], &one);
	}
}

static void too_many_addresses(void **state)
{
	json_t *list = json_array();
	struct fault fault;
	union room value;
	char *text;

	(void)state;
	for (unsigned int i = 0; i <= LAB_IPS_MAX; i++) {
		text = json_dumps(list, 0);
		assert_true(read_value(&value_type_addresses, text, &value, &fault));
		done(&value_type_addresses, &value);
		free(text);
		json_array_append_new(list, json_string("10.0.0.1"));
	}
	text = json_dumps(list, 0);
	assert_false(read_value(&value_type_addresses, text, &value, &fault));
	done(&value_type_addresses, &value);
	free(text);
	json_decref(list);
}

static void names(void **state)
{
	(void)state;
	assert_true(lab_name_ok("a"));
	assert_true(lab_name_ok("a-1"));
	assert_false(lab_name_ok(""));
	assert_false(lab_name_ok("-a"));
	assert_false(lab_name_ok("a-"));
	assert_false(lab_name_ok("A"));
	assert_false(lab_name_ok("a_b"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(good_values_have_one_form),
		cmocka_unit_test(bad_values_say_where),
		cmocka_unit_test(absent_values),
		cmocka_unit_test(too_many_addresses),
		cmocka_unit_test(names),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
