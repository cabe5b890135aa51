/*
 * test_operator.c - where the way to the controller is looked for, and what is said of credentials that are wrong
 */
#include "cli/operator.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <jansson.h>
#include <sys/stat.h>
#include <time.h>

#include "crypto/identity.h"
#include "crypto/identity_issue.h"

#include "tests/unit/cli/canned_server.h"
#include "tests/unit/said.h"

static char folder[64];
static char *good; /* credentials */
static char *wrong_token;

static char *credentials(const char *ca, const char *token)
{
	json_t *object = json_pack("{s:s, s:s, s:s}", "address", "192.0.2.1", "ca", ca, "token", token);
	char *text = json_dumps(object, 0);

	json_decref(object);
	return text;
}

static int set_up(void **state)
{
	char *key, *ca;

	(void)state;
	snprintf(folder, sizeof(folder), "/tmp/weft-operator.XXXXXX");
	if (!mkdtemp(folder) || setenv("XDG_CONFIG_HOME", folder, 1) != 0)
		return -1;
	if (good)
		return 0;
	if (identity_ca_create("homelab", time(NULL), &key, &ca) != 0)
		return -1;
	good = credentials(ca, "t");
	wrong_token = credentials(ca, "t\r\nHost: evil");
	identity_pem_free(key);
	identity_pem_free(ca);
	return 0;
}

static void in_folder(const char *name, char out[PATH_MAX])
{
	snprintf(out, PATH_MAX, "%s/%s", folder, name);
}

static void write_file(const char *name, const char *text, mode_t mode)
{
	char path[PATH_MAX];
	FILE *file;

	in_folder(name, path);
	file = fopen(path, "w");
	assert_non_null(file);
	assert_true(fputs(text, file) >= 0);
	assert_int_equal(fclose(file), 0);
	assert_int_equal(chmod(path, mode), 0);
}

static int tear_down(void **state)
{
	static const char *const names[] = { "operator.json", "agent.json", "weft/operator.json", "weft" };
	char path[PATH_MAX];

	(void)state;
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		in_folder(names[i], path);
		remove(path);
	}
	return rmdir(folder);
}

/* Opens with --state @state where @given, else with the default; what is said is in @said, where it led in @path */
static enum cli_exit open_at(const char *state, bool given, struct said *said, char path[PATH_MAX])
{
	struct invocation in = { .state = state };
	struct operator operator;
	enum cli_exit result;

	if (given)
		in.values[OPTION_STATE] = state;
	said_begin(said, 2);
	result = operator_open(&in, &operator);
	(void)said_end(said);
	snprintf(path, PATH_MAX, "%s", operator.path);
	operator_close(&operator);
	return result;
}

static void nothing_is_there(void **state)
{
	char path[PATH_MAX];
	struct said said;

	(void)state;
	assert_int_equal(open_at(folder, true, &said, path), CLI_UNREACHABLE);
	assert_non_null(strstr(said.text, "has neither controller.sock nor operator.json"));
	write_file("agent.json", "{}", 0600);
	assert_int_equal(open_at(folder, true, &said, path), CLI_UNREACHABLE);
	assert_non_null(strstr(said.text, "is the state of a joined host"));
}

static void credentials_and_who_may_read_them(void **state)
{
	char path[PATH_MAX], wanted[PATH_MAX];
	struct said said;

	(void)state;
	in_folder("operator.json", wanted);
	write_file("operator.json", good, 0600);
	assert_int_equal(open_at(folder, true, &said, path), CLI_OK);
	assert_string_equal(path, wanted);
	assert_string_equal(said.text, "");
	write_file("operator.json", good, 0644);
	assert_int_equal(open_at(folder, true, &said, path), CLI_OK);
	assert_non_null(strstr(said.text, "chmod 600 it"));
}

static void wrong_credentials(void **state)
{
	const struct {
		const char *text, *said;
	} wrong[] = {
		{ "", "operator.json:1: " },
		{ "[]", "is no JSON object" },
		{ "{\"address\": \"192.0.2.1\", \"token\": \"t\"}", "ca" },
		{ "{\"address\": \"a b\", \"ca\": \"x\", \"token\": \"t\"}", "\"a b\" is no address" },
		{ "{\"address\": \"192.0.2.1\", \"ca\": \"x\", \"token\": \"t\"}", "is no certificate" },
		{ wrong_token, "holds a line break" },
	};
	char path[PATH_MAX];
	struct said said;

	(void)state;
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		write_file("operator.json", wrong[i].text, 0600);
		assert_int_equal(open_at(folder, true, &said, path), CLI_UNREACHABLE);
		assert_non_null(strstr(said.text, wrong[i].said));
		assert_non_null(strstr(said.text, "copy it again"));
	}
}

/* The user's own folder is the last place, and only where no other was named */
static void the_users_own(void **state)
{
	char path[PATH_MAX], own[PATH_MAX];
	struct said said;

	(void)state;
	in_folder("weft", own);
	assert_int_equal(mkdir(own, 0700), 0);
	write_file("weft/operator.json", good, 0600);
	in_folder("weft/operator.json", own);
	assert_int_equal(open_at("/nowhere", false, &said, path), CLI_OK);
	assert_string_equal(path, own);
	assert_int_equal(open_at("/nowhere", true, &said, path), CLI_UNREACHABLE);
}

static void the_socket_before_all(void **state)
{
	char path[PATH_MAX], file[PATH_MAX];
	struct canned_server server;
	struct said said;
	FILE *credentials;

	(void)state;
	canned_begin(&server, NULL, 0);
	snprintf(file, sizeof(file), "%s/operator.json", server.folder);
	credentials = fopen(file, "w");
	assert_non_null(credentials);
	assert_true(fputs(good, credentials) >= 0);
	assert_int_equal(fclose(credentials), 0);
	assert_int_equal(open_at(server.folder, true, &said, path), CLI_OK);
	assert_string_equal(path, server.path);
	unlink(file);
	(void)canned_end(&server);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(nothing_is_there, set_up, tear_down),
		cmocka_unit_test_setup_teardown(credentials_and_who_may_read_them, set_up, tear_down),
		cmocka_unit_test_setup_teardown(wrong_credentials, set_up, tear_down),
		cmocka_unit_test_setup_teardown(the_users_own, set_up, tear_down),
		cmocka_unit_test_setup_teardown(the_socket_before_all, set_up, tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
