/*
 * cmd_host.c - `weft host set`: where other hosts reach a host, changed without joining anew
 */
#include "cli/commands.h"
#include "cli/operator.h"
#include "cli/say.h"
#include "crypto/identity.h"

#include <stdio.h>
#include <string.h>

#define FIRST_ADDRESS 2

/* The body: what was typed, or nothing where the fabric shall find out; NULL without memory */
static json_t *body_of(const struct invocation *in)
{
	json_t *list = json_array();

	if (strcmp(in->args[FIRST_ADDRESS], "auto") != 0)
		for (int i = FIRST_ADDRESS; i < in->arg_count; i++)
			json_array_append_new(list, json_string(in->args[i]));
	return json_pack("{s:o}", "endpoints", list);
}

static void print_done(const char *host, const json_t *answer)
{
	const json_t *list = json_object_get(answer, "endpoints"), *item;
	size_t i;

	printf("host %s: ", host);
	if (json_array_size(list) == 0)
		printf("found by its own addresses and where it is seen");
	json_array_foreach(list, i, item)
		printf("%s%s", i ? ", " : "reached at ", json_string_value(item));
	printf(", revision %lld\n", (long long)json_integer_value(json_object_get(answer, "rev")));
}

static enum cli_exit check(const struct invocation *in)
{
	const char *host = in->args[1];

	if (strcmp(in->args[0], "set") != 0)
		return say_error(CLI_USAGE, "host: \"%s\" is nothing to do with one; write: weft host set HOST ADDR",
			in->args[0]);
	if (!identity_name_ok(host))
		return say_error(CLI_USAGE, "host set: \"%s\" is no host's name; `weft get hosts` lists them", host);
	if (strcmp(in->args[FIRST_ADDRESS], "auto") == 0 && in->arg_count > FIRST_ADDRESS + 1)
		return say_error(CLI_USAGE, "host set: \"auto\" stands alone; leave it out to declare addresses");
	return CLI_OK;
}

static enum cli_exit run(const struct invocation *in)
{
	struct operator operator= { .client = NULL };
	struct answer answer = { .json = NULL };
	char path[IDENTITY_NAME_BYTES + 32], what[IDENTITY_NAME_BYTES + 16];
	enum cli_exit result = check(in);
	json_t *body;

	if (result != CLI_OK)
		return result;
	snprintf(path, sizeof(path), "/v1/hosts/%s", in->args[1]);
	snprintf(what, sizeof(what), "host set %s", in->args[1]);
	body = body_of(in);
	result = operator_open(in, &operator);
	if (result == CLI_OK)
		result = client_call(operator.client, "PUT", path, body, &answer);
	if (result == CLI_OK && !answer_good(&answer))
		result = answer_refused(&answer, what);
	else if (result == CLI_OK && invocation_has(in, OPTION_JSON))
		say_json(answer.json);
	else if (result == CLI_OK)
		print_done(in->args[1], answer.json);
	json_decref(body);
	answer_fini(&answer);
	operator_close(&operator);
	return result;
}

const struct command command_host = {
	.name = "host",
	.arguments = "set HOST auto|ADDR[:PORT]...",
	.summary = "Say at which addresses other hosts reach a host, without joining anew",
	.help = "Up to eight addresses or DNS names, in place of what was declared before.  auto: none; hosts\n"
		"find each other by their own addresses and by where they are seen.\n",
	.args_min = FIRST_ADDRESS + 1,
	.args_max = FIRST_ADDRESS + 8,
	.run = run,
};
