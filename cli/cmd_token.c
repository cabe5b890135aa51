/*
 * cmd_token.c - `weft token`: one string that lets one host in, once
 */
#include "cli/commands.h"
#include "cli/duration.h"
#include "cli/operator.h"
#include "cli/say.h"

#include <stdio.h>
#include <unistd.h>

#define EXPIRES_DEFAULT_MS (3600ULL * 1000)
#define EXPIRES_MAX_MS (30ULL * 24 * 3600 * 1000)

static enum cli_exit ask(const struct invocation *in, struct operator* operator, uint64_t expires_ms)
{
	const char *host = in->args[0], *token;
	json_t *body = json_pack("{s:s, s:I}", "host", host, "expires_s", (json_int_t)((expires_ms + 999) / 1000));
	enum cli_exit result = body ? CLI_OK : say_error(CLI_FAILED, "token: the host's name is not UTF-8");
	struct answer answer = { .json = NULL };

	if (body)
		result = client_call(operator->client, "POST", "/v1/tokens", body, &answer);
	token = json_string_value(json_object_get(answer.json, "token"));
	if (result == CLI_OK && (!answer_good(&answer) || !token))
		result = answer_refused(&answer, "token");
	if (result == CLI_OK && invocation_has(in, OPTION_JSON)) {
		say_json(answer.json);
	} else if (result == CLI_OK) {
		char text[DURATION_TEXT_BYTES];

		duration_format(expires_ms, text);
		puts(token);
		if (isatty(STDOUT_FILENO))
			say_note("\nFor one use within %s; on %s: weft join TOKEN", text, host);
	}
	answer_fini(&answer);
	json_decref(body);
	return result;
}

static enum cli_exit run(const struct invocation *in)
{
	struct operator operator;
	enum cli_exit result;
	uint64_t expires_ms;

	if (!invocation_duration(in, OPTION_EXPIRES, EXPIRES_DEFAULT_MS, &expires_ms))
		return CLI_USAGE;
	if (expires_ms > EXPIRES_MAX_MS)
		return say_error(CLI_USAGE, "--expires %s: at most 30d; a token is there to be used soon",
			in->values[OPTION_EXPIRES]);
	result = operator_open(in, &operator);
	if (result == CLI_OK)
		result = ask(in, &operator, expires_ms);
	operator_close(&operator);
	return result;
}

const struct command command_token = {
	.name = "token",
	.arguments = "HOST",
	.summary = "Make a token with which HOST can join, once",
	.help = "The token names the controller and its CA, and holds a secret: pass it on as you\n"
		"would a password.  It is the only line on standard output:\n\n"
		"  weft token aws-1 | ssh aws-1 sudo weft join -\n\n"
		"A host that has joined before gets a new certificate; its old one ends.\n",
	.options = OPTION_BIT(EXPIRES),
	.args_min = 1,
	.args_max = 1,
	.run = run,
};
