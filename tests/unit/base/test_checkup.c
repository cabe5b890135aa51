/*
 * test_checkup.c - facts about a machine: a namespace of the test's own, with a filter in it
 */
#include "base/checkup.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#include "tests/unit/netns.h"

static bool has_text(const json_t *list, const char *text)
{
	const json_t *item;
	size_t i;

	json_array_foreach(list, i, item)
		if (strcmp(json_string_value(item), text) == 0)
			return true;
	return false;
}

static void what_is_at_hand(void **state)
{
	json_t *machine;

	(void)state;
	assert_int_equal(netns_run("ip link add one type veth peer name two && ip addr add 192.0.2.7/24 dev one"
				   " && ip link set one up"),
		0);
	machine = checkup_machine();
	assert_in_range(json_integer_value(json_object_get(machine, "time")), time(NULL) - 5, time(NULL));
	assert_true(strlen(json_string_value(json_object_get(machine, "kernel"))) > 2);
	assert_true(has_text(json_object_get(machine, "addresses"), "192.0.2.7"));
	assert_false(has_text(json_object_get(machine, "addresses"), "127.0.0.1"));
	assert_true(json_integer_value(json_object_get(machine, "nofile")) > 10);
	assert_in_range(json_integer_value(json_object_get(machine, "descriptors")), 3, 100);
	assert_int_equal(json_array_size(json_object_get(machine, "filters")), 0);
	json_decref(machine);
}

static void filters_that_there_are(void **state)
{
	json_t *machine, *filters;

	(void)state;
	assert_int_equal(
		netns_run("nft 'table inet fw { chain in { type filter hook input priority 0; policy drop; "
			  "udp dport 9 accept; }; chain fw { type filter hook forward priority 0; }; chain none { }; "
			  "chain out { type filter hook output priority 0; }; }'"),
		0);
	machine = checkup_machine();
	assert_true(json_is_true(json_object_get(machine, "may_filter")));
	filters = json_object_get(machine, "filters");
	assert_int_equal(json_array_size(filters), 2);
	assert_string_equal(json_string_value(json_object_get(json_array_get(filters, 0), "table")), "fw");
	assert_string_equal(json_string_value(json_object_get(json_array_get(filters, 0), "chain")), "in");
	assert_string_equal(json_string_value(json_object_get(json_array_get(filters, 0), "family")), "inet");
	assert_string_equal(json_string_value(json_object_get(json_array_get(filters, 0), "hook")), "input");
	assert_string_equal(json_string_value(json_object_get(json_array_get(filters, 0), "policy")), "drop");
	assert_int_equal(json_integer_value(json_object_get(json_array_get(filters, 0), "uses")), 1);
	assert_string_equal(json_string_value(json_object_get(json_array_get(filters, 1), "hook")), "forward");
	assert_int_equal(json_integer_value(json_object_get(json_array_get(filters, 1), "uses")), 0);
	json_decref(machine);
}

static void names(void **state)
{
	json_t *resolved = checkup_resolve("192.0.2.9");

	(void)state;
	assert_string_equal(json_string_value(json_array_get(json_object_get(resolved, "addresses"), 0)), "192.0.2.9");
	json_decref(resolved);
	resolved = checkup_resolve("no such name"); /* which no name server is asked for */
	assert_null(json_object_get(resolved, "addresses"));
	assert_true(strlen(json_string_value(json_object_get(resolved, "error"))) > 5);
	json_decref(resolved);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_at_hand),
		cmocka_unit_test(filters_that_there_are),
		cmocka_unit_test(names),
	};

	netns_enter();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
