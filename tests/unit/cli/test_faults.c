/*
 * test_faults.c - faults come out in the file's order, are bounded, and hold nobody's control bytes
 */
#include "cli/faults.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

static char *printed(const struct faults *faults)
{
	size_t len_bytes = 0;
	char *text = NULL;
	FILE *to = open_memstream(&text, &len_bytes);

	assert_non_null(to);
	faults_print(faults, "lab.yaml", to);
	assert_int_equal(fclose(to), 0);
	return text;
}

static void in_the_order_of_the_file(void **state)
{
	struct faults faults = { 0 };
	char *text;

	(void)state;
	assert_false(faults_any(&faults));
	faults_add(&faults, 9, "nine");
	faults_add(&faults, 2, "two, %s", "the first");
	faults_add(&faults, 2, "two, the second");
	faults_add(&faults, 0, "all of it");
	assert_true(faults_any(&faults));
	text = printed(&faults);
	assert_string_equal(text,
		"lab.yaml: all of it\nlab.yaml:2: two, the first\nlab.yaml:2: two, the second\n"
		"lab.yaml:9: nine\n");
	free(text);
}

static void some_are_only_counted(void **state)
{
	struct faults faults = { 0 };
	char *text;
	size_t lines = 0;

	(void)state;
	for (unsigned int i = 0; i < FAULTS_MAX + 3; i++)
		faults_add(&faults, i + 1, "fault");
	assert_int_equal(faults.count, FAULTS_MAX);
	text = printed(&faults);
	for (const char *at = text; (at = strchr(at, '\n')); at++)
		lines++;
	assert_int_equal(lines, FAULTS_MAX + 1);
	assert_non_null(strstr(text, "lab.yaml: and 3 more\n"));
	free(text);
}

static void without_control_bytes_and_cut(void **state)
{
	struct faults faults = { 0 };
	char longest[2 * FAULT_TEXT_BYTES];
	char *text;

	(void)state;
	faults_add(&faults, 1, "a\033]0;b\nc");
	text = printed(&faults);
	assert_null(strchr(text, '\033'));
	assert_ptr_equal(strchr(text, '\n'), text + strlen(text) - 1);
	free(text);
	memset(longest, 'z', sizeof(longest) - 1);
	longest[sizeof(longest) - 1] = '\0';
	faults_add(&faults, 2, "%s", longest);
	assert_int_equal(strlen(faults.entries[1].text), FAULT_TEXT_BYTES - 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(in_the_order_of_the_file),
		cmocka_unit_test(some_are_only_counted),
		cmocka_unit_test(without_control_bytes_and_cut),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
