/*
 * cmd_host.c - `weft host`: where other hosts reach a host, changed without joining anew; and a host that is forgotten
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

static enum cli_exit check_set(const struct invocation *in)
{
	if (in->arg_count < FIRST_ADDRESS + 1)
		return say_error(CLI_USAGE, "host set: no address; write: weft host set HOST auto|ADDR[:PORT]...");
	if (invocation_has(in, OPTION_FORCE))
		return say_error(CLI_USAGE, "host set: takes no --force; it is of host rm");
	if (strcmp(in->args[FIRST_ADDRESS], "auto") == 0 && in->arg_count > FIRST_ADDRESS + 1)
		return say_error(CLI_USAGE, "host set: \"auto\" stands alone; leave it out to declare addresses");
	return CLI_OK;
}

static enum cli_exit check(const struct invocation *in, bool removes)
{
	const char *host = in->args[1];

	if (!removes && strcmp(in->args[0], "set") != 0)
		return say_error(CLI_USAGE,
			"host: \"%s\" is nothing to do with one; write: weft host set HOST ADDR, or weft host rm HOST",
			in->args[0]);
	if (!identity_name_ok(host))
		return say_error(CLI_USAGE, "host %s: \"%s\" is no host's name; `weft get hosts` lists them",
			in->args[0], host);
	if (!removes)
		return check_set(in);
	return in->arg_count == 2
		? CLI_OK
		: say_error(CLI_USAGE, "host rm: one host at a time; \"%s\" is too much", in->args[FIRST_ADDRESS]);
}

static enum cli_exit call(const struct invocation *in, struct client *client, bool removes, struct answer *out)
{
	const bool revokes = removes && invocation_has(in, OPTION_FORCE);
	json_t *body = removes ? NULL : body_of(in);
	char path[IDENTITY_NAME_BYTES + 32];
	enum cli_exit result;

	snprintf(path, sizeof(path), "/v1/hosts/%s%s", in->args[1], revokes ? "?revoke=1" : "");
	result = client_call(client, removes ? "DELETE" : "PUT", path, body, out);
	json_decref(body);
	return result;
}

static enum cli_exit run(const struct invocation *in)
{
	const bool removes = strcmp(in->args[0], "rm") == 0;
	struct operator operator= { .client = NULL };
	struct answer answer = { .json = NULL };
	char what[IDENTITY_NAME_BYTES + 16];
	enum cli_exit result = check(in, removes);

	if (result != CLI_OK)
		return result;
	snprintf(what, sizeof(what), "host %s %s", in->args[0], in->args[1]);
	result = operator_open(in, &operator);
	if (result == CLI_OK)
		result = call(in, operator.client, removes, &answer);
	if (result == CLI_OK && !answer_good(&answer))
		result = answer_refused(&answer, what);
	else if (result == CLI_OK && invocation_has(in, OPTION_JSON))
		say_json(answer.json);
	else if (result == CLI_OK && removes)
		printf("host %s: removed at revision %lld\n", in->args[1],
			(long long)json_integer_value(json_object_get(answer.json, "rev")));
	else if (result == CLI_OK)
		print_done(in->args[1], answer.json);
	answer_fini(&answer);
	operator_close(&operator);
	return result;
}

const struct command command_host = {
	.name = "host",
	.arguments = "set HOST auto|ADDR[:PORT]... | rm HOST",
	.summary = "Say at which addresses other hosts reach a host, or remove one",
	.help = "set: up to eight addresses or DNS names, in place of what was declared before.  auto:\n"
		"none; hosts find each other by their own addresses and by where they are seen.\n\n"
		"rm: the host leaves the lists, and its unused tokens end.  Its ports have to be out of\n"
		"all labs before, and it has to be revoked; --force does that, too.\n",
	.options = OPTION_BIT(FORCE),
	.args_min = 2,
	.args_max = FIRST_ADDRESS + 8,
	.run = run,
};
