/*
 * test_cmd_apply.c - what `weft apply` and `weft delete` send and say, and objections at the file's own lines
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "tests/unit/cli/command_run.h"

static struct command_run run;

#define LAB           \
	"lab: one\n"  \
	"networks:\n" \
	"  lan: {}\n" \
	"ports:\n"    \
	"  a: { host: h1, network: lan, attach: \"bridge:br0\" }\n"

static char file[64];

static void write_lab(const char *text)
{
	int fd;

	snprintf(file, sizeof(file), "/tmp/weft-lab.XXXXXX");
	fd = mkstemp(file);
	assert_true(fd >= 0);
	assert_int_equal(write(fd, text, strlen(text)), strlen(text));
	close(fd);
}

static int remove_lab(void **state)
{
	(void)state;
	unlink(file);
	return 0;
}

static void what_was_changed(void **state)
{
	static const char *const answers[] = { CANNED("200 OK",
		"{\"rev\": 7, \"hosts\": [\"h1\"], \"changes\": {\"networks\": {\"put\": 1}, \"ports\": {\"put\": 2, "
		"\"delete\": 1}}}") };
	static const char *const same[] = { CANNED("200 OK", "{\"rev\": 7, \"hosts\": [], \"changed\": false}") };

	(void)state;
	write_lab(LAB);
	COMMAND_RUN(&run, &command_apply, answers, "apply", file, "--no-wait");
	assert_int_equal(run.exit, CLI_OK);
	assert_string_equal(run.out.text, "lab one: revision 7, 1 network and 2 ports set, 1 port removed\n");
	assert_non_null(strstr(run.server.asked, "PUT /v1/labs/one HTTP/1.1\r\n"));
	assert_non_null(strstr(run.server.asked, "\"attach\":\"bridge:br0\""));
	COMMAND_RUN(&run, &command_apply, same, "apply", file, "--no-wait");
	assert_string_equal(run.out.text, "lab one: revision 7, unchanged\n");
}

#define SET CANNED("200 OK", "{\"rev\": 7, \"hosts\": [\"h1\"], \"changes\": {\"ports\": {\"put\": 1}}}")
#define H1(applied)                                                                                            \
	CANNED("200 OK",                                                                                       \
		"{\"items\": [{\"name\": \"h1\", \"online\": true, \"wanted\": \"b\", \"applied\": \"" applied \
		"\"}]}")
#define STATE(paths, up)                                               \
	CANNED("200 OK",                                               \
		"{\"paths\": {\"count\": " paths ", \"up\": " up       \
		", \"not_up\": [{\"host\": \"h1\", \"peer\": \"h2\", " \
		"\"state\": \"silent\"}]}, \"ports\": {\"count\": 2, \"up\": 2}}")

static void it_waits_until_all_is_up(void **state)
{
	static const char *const answers[] = { SET, H1("a"), H1("b"), STATE("3", "3") };
	static const char *const alone[] = { SET, H1("b"), STATE("0", "0") };
	static const char *const one[] = { SET, H1("b"), STATE("1", "1") };
	static const char *const lagging[] = { SET, H1("a"), H1("a") };
	static const char *const silent[] = { SET, H1("b"), STATE("3", "2"), H1("b"), STATE("3", "2") };

	(void)state;
	write_lab(LAB);
	COMMAND_RUN(&run, &command_apply, answers, "apply", file);
	assert_int_equal(run.exit, CLI_OK);
	assert_string_equal(run.out.text, "lab one: revision 7, 1 port set\nall 3 paths up, 2 ports up\n");
	assert_non_null(strstr(run.server.asked, "GET /v1/labs/one/state HTTP/1.1\r\n"));
	COMMAND_RUN(&run, &command_apply, alone, "apply", file, "--wait");
	assert_string_equal(run.out.text, "lab one: revision 7, 1 port set\n2 ports up\n");
	COMMAND_RUN(&run, &command_apply, one, "apply", file);
	assert_string_equal(run.out.text, "lab one: revision 7, 1 port set\n1 path up, 2 ports up\n");
	COMMAND_RUN(&run, &command_apply, lagging, "apply", file, "--timeout", "1ms");
	assert_int_equal(run.exit, CLI_TIMED_OUT);
	assert_string_equal(run.out.text, "lab one: revision 7, 1 port set\n");
	COMMAND_RUN(&run, &command_apply, silent, "apply", file, "--timeout", "1ms");
	assert_int_equal(run.exit, CLI_TIMED_OUT);
	assert_string_equal(run.out.text, "lab one: revision 7, 1 port set\n2 of 3 paths up, 2 ports up\n");
	assert_non_null(strstr(run.err.text, "weft: path h1 to h2: silent\n"));
	COMMAND_RUN(&run, &command_apply, silent, "apply", file, "--timeout", "1ms", "--json");
	assert_int_equal(run.exit, CLI_TIMED_OUT);
	assert_non_null(strstr(run.out.text, "\"errors\": []"));
	assert_non_null(strstr(run.out.text, "\"peer\": \"h2\""));
	COMMAND_RUN(&run, &command_apply, answers, "apply", file, "--no-wait", "--timeout", "1s");
	assert_int_equal(run.exit, CLI_USAGE);
	assert_string_equal(run.server.asked, "");
}

static void objections_have_their_line(void **state)
{
	static const char *const answers[] = { CANNED("422 Unprocessable",
		"{\"error\": {\"where\": \"ports.a.host\", \"message\": \"no host h1\", \"hint\": \"weft token h1\"}}") };
	char expected[128];

	(void)state;
	write_lab(LAB);
	COMMAND_RUN(&run, &command_apply, answers, "apply", file);
	assert_int_equal(run.exit, CLI_FAILED);
	snprintf(expected, sizeof(expected), "%s:5: ports.a.host: no host h1; weft token h1\n", file);
	assert_string_equal(run.err.text, expected);
	assert_string_equal(run.out.text, "");
}

static void all_objections_at_once(void **state)
{
	static const char *const answers[] = { CANNED("400 Bad Request",
		"{\"error\": {\"where\": \"ports.a.host\", \"message\": \"no host h1\"}, \"errors\": [{\"where\": "
		"\"ports.a.host\", \"message\": \"no host h1\"}, {\"where\": \"networks.lan.mtu\", \"message\": \"odd\", "
		"\"hint\": \"1500\"}]}") };
	char expected[256];

	(void)state;
	write_lab(LAB);
	COMMAND_RUN(&run, &command_apply, answers, "apply", file, "--json");
	assert_int_equal(run.exit, CLI_FAILED);
	snprintf(expected, sizeof(expected), "%s:3: networks.lan.mtu: odd; 1500\n%s:5: ports.a.host: no host h1\n",
		file, file);
	assert_string_equal(run.err.text, expected);
	assert_non_null(strstr(run.out.text, "\"line\": 3"));
	assert_non_null(strstr(run.out.text, "\"text\": \"ports.a.host: no host h1\""));
}

static void a_wrong_file_is_never_sent(void **state)
{
	static const char *const answers[] = { CANNED("200 OK", "{}") };

	(void)state;
	write_lab("lab: one\nports:\n  a: { hst: h1 }\n");
	COMMAND_RUN(&run, &command_apply, answers, "apply", file);
	assert_int_equal(run.exit, CLI_FAILED);
	assert_non_null(strstr(run.err.text, ":3: "));
	assert_string_equal(run.server.asked, "");
	COMMAND_RUN(&run, &command_apply, answers, "apply", "/nowhere/lab.yaml");
	assert_int_equal(run.exit, CLI_FAILED);
	assert_string_equal(run.err.text, "weft: /nowhere/lab.yaml: No such file or directory\n");
}

static void taking_a_lab_away(void **state)
{
	static const char *const answers[] = { CANNED("200 OK", "{\"rev\": 8, \"hosts\": [\"h1\"]}"), H1("b") };

	(void)state;
	COMMAND_RUN(&run, &command_delete, answers, "delete", "one");
	assert_int_equal(run.exit, CLI_OK);
	assert_string_equal(run.out.text, "lab one: revision 8, deleted\n");
	assert_non_null(strstr(run.server.asked, "DELETE /v1/labs/one HTTP/1.1\r\n"));
	COMMAND_RUN(&run, &command_delete, answers, "delete", "../hosts");
	assert_int_equal(run.exit, CLI_USAGE);
	assert_string_equal(run.server.asked, "");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_teardown(what_was_changed, remove_lab),
		cmocka_unit_test_teardown(it_waits_until_all_is_up, remove_lab),
		cmocka_unit_test_teardown(objections_have_their_line, remove_lab),
		cmocka_unit_test_teardown(all_objections_at_once, remove_lab),
		cmocka_unit_test_teardown(a_wrong_file_is_never_sent, remove_lab),
		cmocka_unit_test(taking_a_lab_away),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
