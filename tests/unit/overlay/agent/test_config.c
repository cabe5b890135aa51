/*
 * test_config.c - what an agent makes of its state folder, and when it takes another for its own
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
#include <unistd.h>

#include "overlay/agent/config.h"

static char folder[] = "/tmp/weft-test-config-XXXXXX";

static void save(const char *host, uint8_t psk, uint8_t key, const char *ca)
{
	struct enrolment enrolment = {
		.fabric = "homelab",
		.controller = "192.0.2.1:4753",
		.port = 4754,
		.ca_pem = (char *)ca,
		.certificate_pem = (char *)"CERT\n",
		.key_pem = (char *)"KEY\n",
	};
	struct error error;

	snprintf(enrolment.host, sizeof(enrolment.host), "%s", host);
	memset(enrolment.psk, psk, sizeof(enrolment.psk));
	memset(enrolment.tunnel_key, key, sizeof(enrolment.tunnel_key));
	assert_int_equal(enrolment_save(folder, &enrolment, &error), 0);
}

static struct config load(void)
{
	struct config config;
	struct error error;

	assert_int_equal(config_load(folder, &config, &error), 0);
	return config;
}

static void keys_are_ready_for_handshakes(void **state)
{
	uint8_t private[32];
	struct config config;

	(void)state;
	save("aws-1", 1, 7, "CA\n");
	config = load();
	memset(private, 7, sizeof(private));
	assert_string_equal(config.enrolment.host, "aws-1");
	assert_memory_equal(config.self.psk.bytes, config.enrolment.psk, sizeof(config.self.psk.bytes));
	assert_memory_not_equal(config.self.static_key.public.bytes, private, sizeof(private));
	config_fini(&config);
	memset(private, 0, sizeof(private));
	assert_memory_equal(config.self.psk.bytes, private, sizeof(private)); /* wiped */
}

static void a_host_that_has_not_joined(void **state)
{
	struct config config;
	struct error error = { "" };

	(void)state;
	assert_int_equal(config_load("/nowhere", &config, &error), -ENOENT);
	assert_non_null(strstr(error.text, "weft join"));
}

/* The controller's address may change under a running agent; who it is, and whom it trusts, may not */
static void the_same_identity(void **state)
{
	static const struct {
		const char *host;
		uint8_t psk, key;
		const char *ca;
		bool same;
	} cases[] = {
		{ "aws-1", 1, 7, "CA\n", true },
		{ "aws-2", 1, 7, "CA\n", false },
		{ "aws-1", 2, 7, "CA\n", false },
		{ "aws-1", 1, 8, "CA\n", false },
		{ "aws-1", 1, 7, "other CA\n", false },
	};
	struct config before;

	(void)state;
	save("aws-1", 1, 7, "CA\n");
	before = load();
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct config after;

		save(cases[i].host, cases[i].psk, cases[i].key, cases[i].ca);
		after = load();
		assert_int_equal(config_same_identity(&before, &after), cases[i].same);
		config_fini(&after);
	}
	config_fini(&before);
}

static void a_path_that_is_too_long(void **state)
{
	char out[PATH_MAX], long_folder[PATH_MAX];

	(void)state;
	assert_true(config_path("/var/lib/weft", "topology.json", out));
	assert_string_equal(out, "/var/lib/weft/topology.json");
	memset(long_folder, 'x', sizeof(long_folder) - 1);
	long_folder[sizeof(long_folder) - 1] = '\0';
	assert_false(config_path(long_folder, "topology.json", out));
}

static int begin(void **state)
{
	(void)state;
	return mkdtemp(folder) ? 0 : -1;
}

static int end(void **state)
{
	static const char *const files[] = { "agent.json", "host.key", "host.crt", "tunnel.key" };
	char path[PATH_MAX];

	(void)state;
	for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++) {
		snprintf(path, sizeof(path), "%s/%s", folder, files[i]);
		unlink(path);
	}
	return rmdir(folder);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(keys_are_ready_for_handshakes),
		cmocka_unit_test(a_host_that_has_not_joined),
		cmocka_unit_test(the_same_identity),
		cmocka_unit_test(a_path_that_is_too_long),
	};

	return cmocka_run_group_tests(tests, begin, end);
}
