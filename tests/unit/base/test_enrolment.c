/*
 * test_enrolment.c - what was saved is loaded, with the right modes, and damage is said in words
 */
#include "base/enrolment.h"
#include "base/error.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

static const char *const files[] = { "agent.json", "host.key", "host.crt", "tunnel.key" };

#define FILES (sizeof(files) / sizeof(files[0]))

static struct enrolment sample(void)
{
	struct enrolment e = { .fabric = "homelab",
		.host = "aws-1",
		.controller = "[2001:db8::1]:4753",
		.port = 4755,
		.no_report_local = true,
		.ca_pem = strdup("CA\n"),
		.certificate_pem = strdup("CERT\n"),
		.key_pem = strdup("KEY\n") };

	for (int i = 0; i < 32; i++) {
		e.psk[i] = (uint8_t)i;
		e.tunnel_key[i] = (uint8_t)(255 - i);
	}
	return e;
}

static int make_folder(void **state)
{
	*state = strdup("/tmp/test_enrolment.XXXXXX");
	return *state && mkdtemp(*state) ? 0 : -1;
}

static void place(const char *folder, const char *file, char out[256])
{
	snprintf(out, 256, "%s/state/%s", folder, file);
}

static int remove_folder(void **state)
{
	char path[256];

	for (size_t i = 0; i < FILES; i++) {
		place(*state, files[i], path);
		unlink(path);
	}
	place(*state, "", path);
	rmdir(path);
	rmdir(*state);
	free(*state);
	return 0;
}

static void damage(const char *folder, const char *file, const char *text)
{
	char path[256];
	FILE *to;

	place(folder, file, path);
	to = fopen(path, "w");
	assert_non_null(to);
	fputs(text, to);
	fclose(to);
}

static void comes_back(void **state)
{
	struct error error = { "" };
	char dir[256];
	struct enrolment saved = sample(), loaded;
	struct stat st;

	place(*state, "", dir);
	assert_false(enrolment_present(dir));
	assert_int_equal(enrolment_load(dir, &loaded, &error), -ENOENT);
	assert_non_null(strstr(error.text, "has not joined"));
	enrolment_fini(&loaded);

	assert_int_equal(enrolment_save(dir, &saved, &error), 0);
	assert_true(enrolment_present(dir));
	assert_int_equal(stat(dir, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0700);
	for (size_t i = 0; i < FILES; i++) {
		char path[256];

		place(*state, files[i], path);
		assert_int_equal(stat(path, &st), 0);
		assert_int_equal(st.st_mode & 0777, 0600);
	}
	assert_int_equal(enrolment_load(dir, &loaded, &error), 0);
	assert_string_equal(loaded.fabric, saved.fabric);
	assert_string_equal(loaded.host, saved.host);
	assert_string_equal(loaded.controller, saved.controller);
	assert_int_equal(loaded.port, saved.port);
	assert_true(loaded.no_report_local);
	assert_memory_equal(loaded.psk, saved.psk, 32);
	assert_memory_equal(loaded.tunnel_key, saved.tunnel_key, 32);
	assert_string_equal(loaded.ca_pem, saved.ca_pem);
	assert_string_equal(loaded.certificate_pem, saved.certificate_pem);
	assert_string_equal(loaded.key_pem, saved.key_pem);
	enrolment_fini(&loaded);
	enrolment_fini(&saved);
}

static void damage_is_told(void **state)
{
	static const struct {
		const char *file, *text, *says;
	} cases[] = {
		{ "agent.json", "{", "line: 1: " },
		{ "agent.json", "[]", "no object" },
		{ "agent.json", "{\"fabric\": 5}", "fabric: is a whole number" },
		{ "agent.json", "{\"fabric\": \"f\"}", "host: missing" },
		{ "agent.json",
			"{\"fabric\":\"f\",\"host\":\"h\",\"controller\":\"c\",\"port\":0,\"psk\":\"\",\"ca\":\"\"}",
			"port" },
		{ "agent.json",
			"{\"fabric\":\"f\",\"host\":\"h\",\"controller\":\"c\",\"port\":1,\"psk\":\"AAA=\",\"ca\":\"\"}",
			"psk" },
		{ "agent.json",
			"{\"fabric\":\"f\",\"host\":\"h\",\"controller\":\"c\",\"port\":1,\"no_report_local\":1,"
			"\"psk\":\"\",\"ca\":\"\"}",
			"no_report_local: must be true or false" },
		{ "tunnel.key", "AAAA\n", "tunnel.key: is not the base64" },
	};
	struct error error;
	char dir[256];
	struct enrolment saved = sample(), loaded;

	place(*state, "", dir);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		assert_int_equal(enrolment_save(dir, &saved, &error), 0);
		damage(*state, cases[i].file, cases[i].text);
		assert_int_equal(enrolment_load(dir, &loaded, &error), -EINVAL);
		assert_non_null(strstr(error.text, cases[i].says));
		enrolment_fini(&loaded);
	}
	for (size_t i = 0; i < FILES; i++) {
		char path[256];

		assert_int_equal(enrolment_save(dir, &saved, &error), 0);
		place(*state, files[i], path);
		unlink(path);
		assert_int_equal(enrolment_load(dir, &loaded, &error), -ENOENT);
		assert_non_null(strstr(error.text, files[i]));
		enrolment_fini(&loaded);
	}
	enrolment_fini(&saved);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(comes_back, make_folder, remove_folder),
		cmocka_unit_test_setup_teardown(damage_is_told, make_folder, remove_folder),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
