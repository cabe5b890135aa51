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
	COMMAND_RUN(&run, &command_apply, answers, "apply", file);
	assert_int_equal(run.exit, CLI_OK);
	assert_string_equal(run.out.text, "lab one: revision 7, 1 network and 2 ports set, 1 port removed\n");
	assert_non_null(strstr(run.server.asked, "PUT /v1/labs/one HTTP/1.1\r\n"));
	assert_non_null(strstr(run.server.asked, "\"attach\":\"bridge:br0\""));
	COMMAND_RUN(&run, &command_apply, same, "apply", file);
	assert_string_equal(run.out.text, "lab one: revision 7, unchanged\n");
}

static void waiting_until_it_is_applied(void **state)
{
	static const char *const answers[] = {
		CANNED("200 OK", "{\"rev\": 7, \"hosts\": [\"h1\"], \"changes\": {\"ports\": {\"put\": 1}}}"),
		CANNED("200 OK", "{\"items\": [{\"name\": \"h1\", \"wanted\": \"b\", \"applied\": \"a\"}]}"),
		CANNED("200 OK", "{\"items\": [{\"name\": \"h1\", \"wanted\": \"b\", \"applied\": \"b\"}]}"),
	};
	static const char *const lagging[] = {
		CANNED("200 OK", "{\"rev\": 7, \"hosts\": [\"h1\"], \"changes\": {\"ports\": {\"put\": 1}}}"),
		CANNED("200 OK", "{\"items\": [{\"name\": \"h1\", \"wanted\": \"b\", \"applied\": \"a\"}]}"),
		CANNED("200 OK", "{\"items\": [{\"name\": \"h1\", \"wanted\": \"b\", \"applied\": \"a\"}]}"),
	};

	(void)state;
	write_lab(LAB);
	COMMAND_RUN(&run, &command_apply, answers, "apply", file, "--wait");
	assert_int_equal(run.exit, CLI_OK);
	assert_string_equal(run.out.text, "lab one: revision 7, 1 port set; applied by h1\n");
	COMMAND_RUN(&run, &command_apply, lagging, "apply", file, "--wait", "--timeout", "1ms");
	assert_int_equal(run.exit, CLI_TIMED_OUT);
	assert_string_equal(run.out.text, "");
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
	static const char *const answers[] = { CANNED("200 OK", "{\"rev\": 8, \"hosts\": [\"h1\"]}") };

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
		cmocka_unit_test_teardown(waiting_until_it_is_applied, remove_lab),
		cmocka_unit_test_teardown(objections_have_their_line, remove_lab),
		cmocka_unit_test_teardown(a_wrong_file_is_never_sent, remove_lab),
		cmocka_unit_test(taking_a_lab_away),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
