/*
 * test_policy.c - what a host's owner may allow, and that anything else in the file keeps ports closed
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "overlay/agent/policy.h"

static int parse(const char *text, struct policy *out, struct error *error)
{
	*error = (struct error){ "" };
	return policy_parse(text, strlen(text), "policy.json", out, error);
}

static void what_is_allowed(void **state)
{
	struct policy policy;
	struct error error;

	(void)state;
	assert_int_equal(parse("{}", &policy, &error), 0);
	assert_false(policy_allows_own_underlay(&policy, "eth0"));
	assert_int_equal(parse("{\"own_underlay\": []}", &policy, &error), 0);
	assert_int_equal(parse("{\"own_underlay\": [\"eth0\", \"br-lan\"]}", &policy, &error), 0);
	assert_true(policy_allows_own_underlay(&policy, "eth0"));
	assert_true(policy_allows_own_underlay(&policy, "br-lan"));
	assert_false(policy_allows_own_underlay(&policy, "eth"));
	assert_false(policy_allows_own_underlay(&policy, "eth01"));
}

static void what_is_refused(void **state)
{
	static const struct {
		const char *text, *said;
	} bad[] = {
		{ "", "policy.json:" },
		{ "[]", "must be an object" },
		{ "null", "policy.json" },
		{ "{} x", "policy.json:1" },
		{ "{\"own_underlay\": [\"eth0\"], \"own_underlay\": []}", "duplicate" },
		{ "{\"own-underlay\": [\"eth0\"]}", "'own-underlay' is not known" },
		{ "{\"own_underlay\": \"eth0\"}", "must be a list" },
		{ "{\"own_underlay\": true}", "must be a list" },
		{ "{\"own_underlay\": [1]}", "own_underlay[0]" },
		{ "{\"own_underlay\": [\"eth0\", \"\"]}", "own_underlay[1]" },
		{ "{\"own_underlay\": [\"a/b\"]}", "own_underlay[0]" },
		{ "{\"own_underlay\": [\"sixteen-bytes-xx\"]}", "own_underlay[0]" },
		{ "{\"own_underlay\": [\"*\\u0000\"]}", "policy.json:1" },
		{ "{\"own_underlay\": [\"eth0\"], \"more\": 1}", "'more' is not known" },
	};
	struct policy policy = { .own_underlay_count = 77 };
	struct error error;

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		assert_int_equal(parse(bad[i].text, &policy, &error), -EINVAL);
		if (!strstr(error.text, bad[i].said))
			fail_msg("%s: %s", bad[i].text, error.text);
		assert_int_equal(policy.own_underlay_count, 77); /* untouched */
	}
}

static void too_many_names(void **state)
{
	char text[2048] = "{\"own_underlay\": [\"e\"";
	struct policy policy;
	struct error error;

	(void)state;
	for (unsigned int i = 1; i < POLICY_NAMES_MAX; i++)
		strcat(text, ",\"e\"");
	strcat(text, "]}");
	assert_int_equal(parse(text, &policy, &error), 0);
	memcpy(strstr(text, "]}"), ",\"e\"]}", 7);
	assert_int_equal(parse(text, &policy, &error), -EINVAL);
}

static void every_truncated_length_is_refused(void **state)
{
	static const char text[] = "{\"own_underlay\": [\"eth0\", \"br-lan\"]}";
	struct policy policy;
	struct error error;

	(void)state;
	for (size_t length = 0; length < sizeof(text) - 1; length++) {
		char *copy = malloc(length + 1); /* so that a sanitizer sees what is read behind it */

		memcpy(copy, text, length);
		assert_int_equal(policy_parse(copy, length, "f", &policy, &error), -EINVAL);
		free(copy);
	}
}

static void write_file(const char *path, const char *text, mode_t mode)
{
	FILE *file = fopen(path, "w");

	assert_non_null(file);
	fputs(text, file);
	fclose(file);
	assert_int_equal(chmod(path, mode), 0);
}

static void the_file_is_its_owners(void **state)
{
	char folder[] = "/tmp/weft-test-policy-XXXXXX", path[64];
	struct policy policy;
	struct error error = { "" };

	(void)state;
	assert_non_null(mkdtemp(folder));
	snprintf(path, sizeof(path), "%s/policy.json", folder);
	assert_int_equal(policy_load(folder, &policy, &error), 0); /* none */
	assert_int_equal(policy.own_underlay_count, 0);
	write_file(path, "{\"own_underlay\": [\"eth0\"]}", 0644);
	assert_int_equal(policy_load(folder, &policy, &error), 0);
	assert_true(policy_allows_own_underlay(&policy, "eth0"));
	for (unsigned int bit = 0; bit < 2; bit++) {
		assert_int_equal(chmod(path, bit ? 0646 : 0664), 0);
		assert_int_equal(policy_load(folder, &policy, &error), -EPERM);
		assert_false(policy_allows_own_underlay(&policy, "eth0"));
		assert_non_null(strstr(error.text, "chmod go-w"));
	}
	write_file(path, "{", 0644);
	assert_int_equal(policy_load(folder, &policy, &error), -EINVAL);
	assert_non_null(strstr(error.text, path));
	assert_int_equal(unlink(path), 0);
	assert_int_equal(mkdir(path, 0755), 0); /* cannot be read */
	assert_true(policy_load(folder, &policy, &error) < 0);
	assert_int_equal(rmdir(path), 0);
	assert_int_equal(rmdir(folder), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_allowed),
		cmocka_unit_test(what_is_refused),
		cmocka_unit_test(too_many_names),
		cmocka_unit_test(every_truncated_length_is_refused),
		cmocka_unit_test(the_file_is_its_owners),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
