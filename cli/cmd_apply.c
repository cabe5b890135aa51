/*
 * cmd_apply.c - `weft apply` and `weft delete`: what the controller shall make of a lab
 */
#include "base/json.h"
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

/* --json has what is wrong with the file, too */
static void print_faults_json(const struct faults *faults, const char *shown)
{
	json_t *errors = json_array(), *out = json_pack("{s:o}", "errors", errors);

	for (size_t i = 0; i < faults->count; i++)
		json_array_append_new(errors,
			json_pack("{s:s, s:i, s:s}", "file", shown, "line", (int)faults->entries[i].line, "text",
				faults->entries[i].text));
	say_json(out);
	json_decref(out);
}

static void tell_faults(const struct invocation *in, const struct faults *faults, const char *shown)
{
	faults_print(faults, shown, stderr);
	if (invocation_has(in, OPTION_JSON))
		print_faults_json(faults, shown);
}

static struct lab_file *load(const struct invocation *in, const char *file, const char *shown)
{
	struct faults faults = { .count = 0 };
	size_t len_bytes = 0;
	char *bytes = read_file(file, &len_bytes);
	struct lab_file *lab = bytes ? lab_file_parse(bytes, len_bytes, &faults) : NULL;

	if (bytes && !lab)
		tell_faults(in, &faults, shown);
	free(bytes);
	return lab;
}

static void add_objection(struct faults *faults, const json_t *error, const struct lab_file *lab)
{
	const char *where = json_text_of(error, "where"), *message = json_text_of(error, "message"),
		   *hint = json_text_of(error, "hint");

	faults_add(faults, where ? lab_file_line(lab, where) : 0, "%s%s%s%s%s", where ? where : "",
		where && *where ? ": " : "", message ? message : "?", hint ? "; " : "", hint ? hint : "");
}

/* The controller's objections, at the lines of the file that they are about */
static enum cli_exit refused(const struct invocation *in, const struct answer *answer, const struct lab_file *lab,
	const char *shown)
{
	const json_t *error = json_object_get(answer->json, "error"), *all = json_object_get(answer->json, "errors");
	struct faults faults = { .count = 0 };
	size_t i;

	if (!json_text_of(error, "where") || !json_text_of(error, "message") || answer->status == 401 ||
		answer->status == 403) {
		if (invocation_has(in, OPTION_JSON) && json_text_of(error, "message")) {
			add_objection(&faults, error, lab);
			print_faults_json(&faults, shown);
		}
		return answer_refused(answer, shown);
	}
	if (json_array_size(all) == 0)
		add_objection(&faults, error, lab);
	json_array_foreach(all, i, error)
		add_objection(&faults, error, lab);
	tell_faults(in, &faults, shown);
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

/* "all 10 paths up, 12 ports up", "8 of 10 paths up, 11 of 12 ports up"; nothing where nothing was waited for */
static void print_up(const json_t *paths, const json_t *ports)
{
	const struct {
		long long count, up;
		const char *what, *all;
	} parts[] = { { json_int_of(paths, "count"), json_int_of(paths, "up"), "path", "all " },
		{ json_int_of(ports, "count"), json_int_of(ports, "up"), "port", "" } };
	const char *between = "";

	for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++) {
		const char *more = parts[i].count == 1 ? "" : "s";

		if (parts[i].count == 0)
			continue;
		if (parts[i].up < parts[i].count)
			printf("%s%lld of %lld %s%s up", between, parts[i].up, parts[i].count, parts[i].what, more);
		else
			printf("%s%s%lld %s%s up", between, *more ? parts[i].all : "", parts[i].count, parts[i].what,
				more);
		between = ", ";
	}
	if (*between)
		putchar('\n');
}

static void print_done(const struct invocation *in, const char *lab, const json_t *answer)
{
	const json_t *changes = json_object_get(answer, "changes");

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
	putchar('\n');
	print_up(json_object_get(answer, "paths"), json_object_get(answer, "ports"));
}

/* @answer is a change that the controller accepted */
static enum cli_exit finish(const struct invocation *in, struct operator* operator, const char * lab,
	const struct answer *answer, uint64_t timeout_ms)
{
	const struct wait_change change = { .lab = lab,
		.deleted = in->command == &command_delete,
		.answer = answer->json,
		.timeout_ms = timeout_ms };
	json_t *out = json_copy(answer->json);
	enum cli_exit result = CLI_OK;

	if (!invocation_has(in, OPTION_NO_WAIT))
		result = wait_change(operator->client, &change, out);
	print_done(in, lab, out);
	json_decref(out);
	return result;
}

static bool options_fit(const struct invocation *in)
{
	if (!invocation_has(in, OPTION_NO_WAIT) ||
		(!invocation_has(in, OPTION_WAIT) && !invocation_has(in, OPTION_TIMEOUT)))
		return true;
	(void)say_error(CLI_USAGE, "%s: --no-wait goes neither with --wait nor with --timeout", in->command->name);
	return false;
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

	if (!options_fit(in) || !invocation_duration(in, OPTION_TIMEOUT, TIMEOUT_DEFAULT_MS, &timeout_ms))
		return CLI_USAGE;
	lab = load(in, in->args[0], shown);
	if (!lab)
		return CLI_FAILED;
	snprintf(path, sizeof(path), "/v1/labs/%s", lab_file_name(lab));
	result = operator_open(in, &operator);
	if (result == CLI_OK)
		result = client_call(operator.client, "PUT", path, lab_file_json(lab), &answer);
	if (result == CLI_OK && !answer_good(&answer))
		result = refused(in, &answer, lab, shown);
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

	if (!options_fit(in) || !invocation_duration(in, OPTION_TIMEOUT, TIMEOUT_DEFAULT_MS, &timeout_ms))
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
	.help = "The controller works out what changes, and the hosts follow.  The command returns\n"
		"when every host has applied it and all paths between them are up, or names each\n"
		"host, port and path that is not, and why.  Hosts that are offline are named and not\n"
		"waited for.  \"-\" reads standard input.  What a lab file holds is described in\n"
		"weft-lab(5).\n",
	.options = OPTION_BIT(WAIT) | OPTION_BIT(NO_WAIT) | OPTION_BIT(TIMEOUT),
	.args_min = 1,
	.args_max = 1,
	.run = run_apply,
};

const struct command command_delete = {
	.name = "delete",
	.arguments = "LAB",
	.summary = "Take a lab away: its networks, its ports and the devices made for them",
	.help = "The command returns when every host that is online has let go of it.\n",
	.options = OPTION_BIT(WAIT) | OPTION_BIT(NO_WAIT) | OPTION_BIT(TIMEOUT),
	.args_min = 1,
	.args_max = 1,
	.run = run_delete,
};
