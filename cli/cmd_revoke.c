/*
 * cmd_revoke.c - `weft revoke`: a host is out, everywhere, at once
 */
#include "cli/commands.h"
#include "cli/operator.h"
#include "cli/say.h"
#include "crypto/identity.h"

#include <stdio.h>

static void print_done(const char *host, const json_t *answer)
{
	const json_t *hosts = json_object_get(answer, "hosts"), *item;
	size_t i;

	printf("host %s: revoked at revision %lld", host,
		(long long)json_integer_value(json_object_get(answer, "rev")));
	json_array_foreach(hosts, i, item)
		printf("%s%s", i ? ", " : "; its sessions end on ", json_string_value(item));
	putchar('\n');
}

static enum cli_exit run(const struct invocation *in)
{
	struct operator operator= { .client = NULL };
	struct answer answer = { .json = NULL };
	char path[IDENTITY_NAME_BYTES + 32], what[IDENTITY_NAME_BYTES + 16];
	const char *host = in->args[0];
	enum cli_exit result;

	if (!identity_name_ok(host))
		return say_error(CLI_USAGE, "revoke: \"%s\" is no host's name; `weft get hosts` lists them", host);
	snprintf(path, sizeof(path), "/v1/hosts/%s/revoke", host);
	snprintf(what, sizeof(what), "revoke %s", host);
	result = operator_open(in, &operator);
	if (result == CLI_OK)
		result = client_call(operator.client, "POST", path, NULL, &answer);
	if (result == CLI_OK && !answer_good(&answer))
		result = answer_refused(&answer, what);
	else if (result == CLI_OK && invocation_has(in, OPTION_JSON))
		say_json(answer.json);
	else if (result == CLI_OK)
		print_done(host, answer.json);
	answer_fini(&answer);
	operator_close(&operator);
	return result;
}

const struct command command_revoke = {
	.name = "revoke",
	.arguments = "HOST",
	.summary = "Shut a host out: its certificate ends, and every other host drops its sessions",
	.help = "Its ports stay in their labs, without effect, until the labs change.  A new token\n"
		"(weft token HOST) and weft join --force there let it in again.\n",
	.args_min = 1,
	.args_max = 1,
	.run = run,
};
