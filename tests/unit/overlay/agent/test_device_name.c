/*
 * test_device_name.c - names that stay, differ, and can name a device
 */
#include "overlay/agent/device_name.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define NAMES 4096U

static char names[NAMES][ATTACH_NAME_BYTES];

static void the_same_port_has_the_same_name(void **state)
{
	char again[ATTACH_NAME_BYTES];

	(void)state;
	assert_true(device_name("one fabric", "lab", "mgmt", "a-lan", names[0]));
	assert_true(device_name("one fabric", "lab", "mgmt", "a-lan", again));
	assert_string_equal(names[0], again);
	assert_string_equal(again, "wfchxrfm2h"); /* TAPs are not to be renamed by an update of weft */
}

static void another_fabric_lab_or_port_has_another(void **state)
{
	(void)state;
	assert_true(device_name("one fabric", "lab", "mgmt", "a-lan", names[0]));
	assert_true(device_name("another fabric", "lab", "mgmt", "a-lan", names[1]));
	assert_true(device_name("one fabric", "lab2", "mgmt", "a-lan", names[2]));
	assert_true(device_name("one fabric", "lab", "mgmt", "a-lan2", names[3]));
	assert_true(device_name("one fabric", "lab", "wire", "a-lan", names[4]));
	for (int i = 0; i < 5; i++)
		for (int j = 0; j < i; j++)
			assert_string_not_equal(names[i], names[j]);
}

static int compare(const void *left, const void *right)
{
	return strcmp(left, right);
}

static void many_are_all_different_and_good(void **state)
{
	(void)state;
	for (unsigned int i = 0; i < NAMES; i++) {
		char port[32];

		snprintf(port, sizeof(port), "p%u", i);
		assert_true(device_name("one fabric", "lab", "mgmt", port, names[i]));
		assert_true(attach_name_ok(names[i]));
	}
	qsort(names, NAMES, sizeof(names[0]), compare);
	for (unsigned int i = 1; i < NAMES; i++)
		assert_string_not_equal(names[i - 1], names[i]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_same_port_has_the_same_name),
		cmocka_unit_test(another_fabric_lab_or_port_has_another),
		cmocka_unit_test(many_are_all_different_and_good),
	};

	return cmocka_run_group_tests_name("device_name", tests, NULL, NULL);
}
