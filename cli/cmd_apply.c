/*
 * cmd_apply.c - `weft apply` and `weft delete`: what the controller shall make of a lab
 */
#include "cli/commands.h"
#include "cli/lab_file.h"
#include "cli/operator.h"
#include "cli/say.h"
#include "cli/wait.h"
#include "cli/yaml_doc.h"
#include "crypto/identity.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define TIMEOUT_DEFAULT_MS 30000U

/* Everything in @file, pipes included, up to one byte more than a lab may have.  Return: NULL after it has said why */
static char *read_file(const char *file, size_t *len_bytes)
{
	FILE *from = strcmp(file, "-") == 0 ? stdin : fopen(file, "re");
	char *bytes = malloc(YAML_DOC_BYTES_MAX + 1);
	int err = from ? 0 : errno;

	if (from && bytes) {
		errno = 0;
		*len_bytes = fread(bytes, 1, YAML_DOC_BYTES_MAX + 1, from);
		if (ferror(from))
			err = errno;
	}
	if (from && from != stdin)
		fclose(from);
	if (bytes && !err)
		return bytes;
	free(bytes);
	(void)say_error(CLI_FAILED, "%s: %s", file, strerror(err ? err : ENOMEM));
	return NULL;
}

static struct lab_file *load(const char *file, const char *shown)
{
	struct faults faults = { .count = 0 };
	size_t len_bytes = 0;
	char *bytes = read_file(file, &len_bytes);
	struct lab_file *lab = bytes ? lab_file_parse(bytes, len_bytes, &faults) : NULL;

	if (bytes && !lab)
		faults_print(&faults, shown, stderr);
	free(bytes);
	return lab;
}

/* The controller's objections, at the lines of the file that they are about */
static enum cli_exit refused(const struct answer *answer, const struct lab_file *lab, const char *shown)
{
	const json_t *error = json_object_get(answer->json, "error");
	const char *where = json_string_value(json_object_get(error, "where"));
	const char *message = json_string_value(json_object_get(error, "message"));
	const char *hint = json_string_value(json_object_get(error, "hint"));
	struct faults faults = { .count = 0 };

	if (!where || !message || answer->status == 401 || answer->status == 403)
		return answer_refused(answer, shown);
	faults_add(&faults, lab_file_line(lab, where), "%s%s%s%s%s", where, *where ? ": " : "", message,
		hint ? "; " : "", hint ? hint : "");
	faults_print(&faults, shown, stderr);
	return CLI_FAILED;
}

/* ", 2 networks and 3 ports set": what the controller counted as @op, nothing where that is none */
static void print_changes(const json_t *changes, const char *op, const char *done)
{
	static const char *const kinds[] = { "network", "port" };
	const char *between = ", ";

	for (size_t i = 0; i < 2; i++) {
		char members[16];
		long long count;

		snprintf(members, sizeof(members), "%ss", kinds[i]);
		count = json_integer_value(json_object_get(json_object_get(changes, members), op));
		if (count == 0)
			continue;
		printf("%s%lld %s%s", between, count, kinds[i], count == 1 ? "" : "s");
		between = " and ";
	}
	if (strcmp(between, ", ") != 0)
		printf(" %s", done);
}

static void print_hosts(const json_t *hosts)
{
	const json_t *host;
	size_t i;

	json_array_foreach(hosts, i, host)
		printf("%s%s", i ? ", " : "", json_string_value(host));
}

static void print_done(const struct invocation *in, const char *lab, const json_t *answer)
{
	const json_t *hosts = json_object_get(answer, "hosts"), *changes = json_object_get(answer, "changes");

	if (invocation_has(in, OPTION_JSON)) {
		say_json(answer);
		return;
	}
	printf("lab %s: revision %lld", lab, (long long)json_integer_value(json_object_get(answer, "rev")));
	if (json_is_false(json_object_get(answer, "changed")))
		printf(", unchanged");
	else if (!changes)
		printf(", deleted");
	print_changes(changes, "put", "set");
	print_changes(changes, "delete", "removed");
	if (invocation_has(in, OPTION_WAIT) && json_array_size(hosts) > 0) {
		printf("; applied by ");
		print_hosts(hosts);
	}
	putchar('\n');
}

/* @answer is a change that the controller accepted */
static enum cli_exit finish(const struct invocation *in, struct operator* operator, const char * lab,
	const struct answer *answer, uint64_t timeout_ms)
{
	enum cli_exit result = CLI_OK;

	if (invocation_has(in, OPTION_WAIT))
		result = wait_applied(operator->client, lab, answer->json, timeout_ms);
	if (result == CLI_OK || invocation_has(in, OPTION_JSON))
		print_done(in, lab, answer->json);
	return result;
}

static enum cli_exit run_apply(const struct invocation *in)
{
	const char *shown = strcmp(in->args[0], "-") == 0 ? "stdin" : in->args[0];
	struct operator operator= { .client = NULL };
	struct answer answer = { .json = NULL };
	char path[IDENTITY_NAME_BYTES + 16];
	struct lab_file *lab;
	enum cli_exit result;
	uint64_t timeout_ms;

	if (!invocation_duration(in, OPTION_TIMEOUT, TIMEOUT_DEFAULT_MS, &timeout_ms))
		return CLI_USAGE;
	lab = load(in->args[0], shown);
	if (!lab)
		return CLI_FAILED;
	snprintf(path, sizeof(path), "/v1/labs/%s", lab_file_name(lab));
	result = operator_open(in, &operator);
	if (result == CLI_OK)
		result = client_call(operator.client, "PUT", path, lab_file_json(lab), &answer);
	if (result == CLI_OK && !answer_good(&answer))
		result = refused(&answer, lab, shown);
	else if (result == CLI_OK)
		result = finish(in, &operator, lab_file_name(lab), &answer, timeout_ms);
	answer_fini(&answer);
	operator_close(&operator);
	lab_file_free(lab);
	return result;
}

static enum cli_exit run_delete(const struct invocation *in)
{
	struct operator operator= { .client = NULL };
	struct answer answer = { .json = NULL };
	char path[IDENTITY_NAME_BYTES + 16], what[IDENTITY_NAME_BYTES + 16];
	const char *lab = in->args[0];
	enum cli_exit result;
	uint64_t timeout_ms;

	if (!invocation_duration(in, OPTION_TIMEOUT, TIMEOUT_DEFAULT_MS, &timeout_ms))
		return CLI_USAGE;
	if (!identity_name_ok(lab))
		return say_error(CLI_USAGE, "delete: \"%s\" is no lab's name; `weft get labs` lists them", lab);
	snprintf(path, sizeof(path), "/v1/labs/%s", lab);
	snprintf(what, sizeof(what), "delete %s", lab);
	result = operator_open(in, &operator);
	if (result == CLI_OK)
		result = client_call(operator.client, "DELETE", path, NULL, &answer);
	if (result == CLI_OK && !answer_good(&answer))
		result = answer_refused(&answer, what);
	else if (result == CLI_OK)
		result = finish(in, &operator, lab, &answer, timeout_ms);
	answer_fini(&answer);
	operator_close(&operator);
	return result;
}

const struct command command_apply = {
	.name = "apply",
	.arguments = "FILE.yaml",
	.summary = "Make the lab in FILE.yaml so, all of it or nothing",
	.help = "The controller works out what changes, and the hosts follow; with --wait the\n"
		"command returns when all of them have.  \"-\" reads standard input.  What a lab file\n"
		"holds is described in weft-lab(5).\n",
	.options = OPTION_BIT(WAIT) | OPTION_BIT(TIMEOUT),
	.args_min = 1,
	.args_max = 1,
	.run = run_apply,
};

const struct command command_delete = {
	.name = "delete",
	.arguments = "LAB",
	.summary = "Take a lab away: its networks, its ports and the devices made for them",
	.help = "",
	.options = OPTION_BIT(WAIT) | OPTION_BIT(TIMEOUT),
	.args_min = 1,
	.args_max = 1,
	.run = run_delete,
};
