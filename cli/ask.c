/*
 * ask.c - see ask.h
 */
#include "cli/ask.h"

#include "cli/say.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define PATH_BYTES 4096U

static bool path_in(const char *folder, const char *name, char out[PATH_BYTES])
{
	return snprintf(out, PATH_BYTES, "%s/%s", folder, name) < (int)PATH_BYTES;
}

bool ask_is_here(const struct invocation *in)
{
	char path[PATH_BYTES];

	return path_in(in->state, "weftd.sock", path) && access(path, F_OK) == 0;
}

bool ask_knows_controller(const struct invocation *in)
{
	const char *config = getenv("XDG_CONFIG_HOME"), *home = getenv("HOME");
	char path[PATH_BYTES];

	if (path_in(in->state, "controller.sock", path) && access(path, W_OK) == 0)
		return true;
	if (path_in(in->state, "operator.json", path) && access(path, R_OK) == 0)
		return true;
	if (invocation_has(in, OPTION_STATE))
		return false;
	if (config && *config)
		return path_in(config, "weft/operator.json", path) && access(path, R_OK) == 0;
	return home && path_in(home, ".config/weft/operator.json", path) && access(path, R_OK) == 0;
}

static enum cli_exit ask(struct client *client, const char *path, const char *question, json_t *args,
	struct answer *out)
{
	json_t *body = json_pack("{s:s, s:o}", "question", question, "args", args ? args : json_object());
	enum cli_exit result = client_call(client, "POST", path, body, out);

	json_decref(body);
	if (result == CLI_OK && !answer_good(out))
		result = out->status == 504  ? (answer_refused(out, question), CLI_TIMED_OUT)
			: out->status == 503 ? (answer_refused(out, question), CLI_UNREACHABLE)
					     : answer_refused(out, question);
	return result;
}

enum cli_exit ask_here(const struct invocation *in, const char *question, json_t *args, struct answer *out)
{
	struct client_target target = { .server_name = "weftd", .remedy = "is it running? (systemctl status weftd)" };
	enum cli_exit result = CLI_UNREACHABLE;
	struct client *client;
	char path[PATH_BYTES];

	*out = (struct answer){ .json = NULL };
	if (!path_in(in->state, "weftd.sock", path)) {
		json_decref(args);
		return say_error(CLI_USAGE, "--state %s: too long", in->state);
	}
	target.socket = path;
	client = client_new(&target);
	if (client)
		result = ask(client, "/v1/ask", question, args, out);
	else
		json_decref(args);
	client_free(client);
	return result;
}

enum cli_exit ask_host(struct operator* operator, const char * host, const char *question, json_t *args,
	struct answer *out)
{
	char path[128];

	*out = (struct answer){ .json = NULL };
	if (snprintf(path, sizeof(path), "/v1/hosts/%s/ask", host) < (int)sizeof(path) && !strpbrk(host, "/?# %\\"))
		return ask(operator->client, path, question, args, out);
	json_decref(args);
	return say_error(CLI_USAGE, "%s: no host has such a name; `weft get hosts` lists them", host);
}
