/*
 * operator.c - see operator.h
 */
#include "cli/operator.h"

#include "base/file.h"
#include "base/json.h"
#include "base/secret.h"
#include "cli/say.h"
#include "crypto/identity.h"
#include "lab/limits.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define OPERATOR_JSON_BYTES_MAX 65536U

static enum cli_exit open_socket(struct operator* out)
{
	struct client_target target = {
		.socket = out->path,
		.server_name = "the controller",
		.remedy = "is weft-controller running? (systemctl status weft-controller)",
	};

	out->client = client_new(&target);
	return out->client ? CLI_OK : CLI_UNREACHABLE;
}

static enum cli_exit open_credentials(struct operator* out)
{
	struct client_target target = {
		.address = out->address,
		.server_name = "the controller",
		.remedy = out->remedy,
	};
	struct json_in in = { .error = "" };
	char fingerprint[IDENTITY_FINGERPRINT_BYTES];
	struct server_address server;
	size_t len_bytes = 0;
	const char *address;
	json_error_t error;
	struct stat st;
	int err;

	snprintf(out->remedy, sizeof(out->remedy),
		"is weft-controller running there, and its TCP port open to this machine?  If it has another address now, write "
		"that into %.3000s",
		out->path);
	if (stat(out->path, &st) == 0 && st.st_mode & (S_IRGRP | S_IROTH))
		say_note("%s can be read by other users, and whoever reads it owns the fabric: chmod 600 it",
			out->path);
	err = file_read(out->path, OPERATOR_JSON_BYTES_MAX, &out->credentials, &len_bytes);
	if (err)
		return say_error(CLI_UNREACHABLE, "%s: %s", out->path, strerror(-err));
	out->json = json_loadb(out->credentials, len_bytes, 0, &error);
	secret_wipe(out->credentials, len_bytes);
	if (!json_is_object(out->json))
		return say_error(CLI_UNREACHABLE, "%s:%d: %s; copy it again from the controller's state folder",
			out->path, error.line, out->json ? "is no JSON object" : error.text);
	address = json_in_string(&in, "", out->json, "address");
	target.ca_pem = json_in_string(&in, "", out->json, "ca");
	target.bearer = json_in_string(&in, "", out->json, "token");
	if (json_in_ok(&in) && !server_address_parse(address, CONTROLLER_PORT_DEFAULT, &server))
		json_in_fail(&in, "", "address", "\"%.100s\" is no address", address);
	else if (json_in_ok(&in))
		server_address_format(&server, out->address);
	if (json_in_ok(&in) && !identity_fingerprint(target.ca_pem, fingerprint))
		json_in_fail(&in, "", "ca", "is no certificate");
	if (json_in_ok(&in) && strpbrk(target.bearer, "\r\n"))
		json_in_fail(&in, "", "token", "holds a line break");
	if (!json_in_ok(&in))
		return say_error(CLI_UNREACHABLE, "%s: %s; copy it again from the controller's state folder", out->path,
			in.error);
	out->client = client_new(&target);
	return out->client ? CLI_OK : CLI_UNREACHABLE;
}

/* Sets out->path to @folder/@name.  Return: whether that is there */
static bool is_there(struct operator* out, const char *folder, const char *name)
{
	if (snprintf(out->path, sizeof(out->path), "%s/%s", folder, name) >= (int)sizeof(out->path))
		return false;
	return access(out->path, F_OK) == 0;
}

enum cli_exit operator_open(const struct invocation *in, struct operator* out)
{
	const char *home = getenv("XDG_CONFIG_HOME");
	char folder[2048];

	memset(out, 0, sizeof(*out));
	if (is_there(out, in->state, "controller.sock") && access(out->path, W_OK) == 0)
		return open_socket(out);
	if (is_there(out, in->state, "operator.json"))
		return open_credentials(out);
	if (home && *home)
		snprintf(folder, sizeof(folder), "%s/weft", home);
	else
		snprintf(folder, sizeof(folder), "%s/.config/weft", getenv("HOME") ? getenv("HOME") : "");
	if (!invocation_has(in, OPTION_STATE) && is_there(out, folder, "operator.json"))
		return open_credentials(out);
	if (access(in->state, X_OK) < 0 && errno == EACCES)
		return say_error(CLI_UNREACHABLE,
			"%s may not be read by this user; run weft as root, or copy "
			"operator.json from there to %s",
			in->state, folder);
	if (is_there(out, in->state, "agent.json"))
		return say_error(CLI_UNREACHABLE,
			"%s is the state of a joined host, which may not change the fabric; run "
			"this on the controller's machine, or copy its operator.json here",
			in->state);
	return say_error(CLI_UNREACHABLE,
		"no controller is known here: %s has neither controller.sock nor operator.json; "
		"run this on the controller's machine, or copy its operator.json there or to %s",
		in->state, folder);
}

void operator_close(struct operator* operator)
{
	client_free(operator->client);
	json_decref(operator->json);
	free(operator->credentials);
	memset(operator, 0, sizeof(*operator));
}
