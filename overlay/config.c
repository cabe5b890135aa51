/*
 * config.c - see config.h
 */
#include "overlay/config.h"

#include "base/base64.h"
#include "base/file.h"
#include "base/json.h"
#include "base/secret.h"
#include "overlay/udp.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define FILE_MAX_BYTES (64U * 1024U)

bool config_path(const char *state, const char *name, char out[PATH_MAX])
{
	return snprintf(out, PATH_MAX, "%s/%s", state, name) < PATH_MAX;
}

static int read_file(const char *state, const char *name, char **out, char error[512])
{
	char path[PATH_MAX];
	size_t len;
	int err = config_path(state, name, path) ? file_read(path, FILE_MAX_BYTES, out, &len) : -ENAMETOOLONG;

	if (err == -ENOENT)
		snprintf(error, 512, "%s/%s is missing: enrol this host with `weft join TOKEN`", state, name);
	else if (err)
		snprintf(error, 512, "%s/%s: %s", state, name, strerror(-err));
	return err;
}

static void copy(char *out, size_t cap, const char *text)
{
	snprintf(out, cap, "%s", text);
}

static int read_agent(const char *state, struct config *config, char error[512])
{
	struct json_in in = { "" };
	json_error_t where;
	const char *ca, *psk;
	json_t *agent;
	char *text;
	int err = read_file(state, "agent.json", &text, error);

	if (err)
		return err;
	agent = json_loads(text, JSON_REJECT_DUPLICATES, &where);
	secret_wipe(text, strlen(text));
	free(text);
	if (!json_is_object(agent)) {
		snprintf(error, 512, "%s/agent.json:%d: %s; enrol this host again with `weft join --force TOKEN`", state,
			where.line, agent ? "not an object" : where.text);
		json_decref(agent);
		return -EINVAL;
	}
	copy(config->fabric, sizeof(config->fabric), json_in_string(&in, "", agent, "fabric"));
	copy(config->host, sizeof(config->host), json_in_string(&in, "", agent, "host"));
	copy(config->controller, sizeof(config->controller), json_in_string(&in, "", agent, "controller"));
	config->port = (uint16_t)json_in_int_or(&in, "", agent, "port", 1, 65535, UDP_PORT_DEFAULT);
	ca = json_in_string(&in, "", agent, "ca");
	psk = json_in_string(&in, "", agent, "psk");
	if (json_in_ok(&in) && !base64_decode(psk, config->self.psk.bytes, sizeof(config->self.psk.bytes)))
		json_in_fail(&in, "", "psk", "is not 32 bytes in base64");
	if (json_in_ok(&in)) {
		config->ca_pem = strdup(ca);
		err = config->ca_pem ? 0 : -ENOMEM;
	} else {
		snprintf(error, 512, "%s/agent.json: %s", state, in.error);
		err = -EINVAL;
	}
	json_decref(agent);
	return err;
}

static int read_tunnel_key(const char *state, struct config *config, char error[512])
{
	struct x25519_private private;
	char *text;
	int err = read_file(state, "tunnel.key", &text, error);

	if (err)
		return err;
	if (!base64_decode(text, private.bytes, sizeof(private.bytes)) ||
		!x25519_from_private(&private, &config->self.static_key)) {
		snprintf(error, 512, "%s/tunnel.key is not an X25519 key in base64: enrol this host again", state);
		err = -EINVAL;
	}
	secret_wipe(&private, sizeof(private));
	secret_wipe(text, strlen(text));
	free(text);
	return err;
}

int config_load(const char *state, struct config *out, char error[512])
{
	int err;

	memset(out, 0, sizeof(*out));
	err = read_agent(state, out, error);
	if (!err)
		err = read_tunnel_key(state, out, error);
	if (!err)
		err = read_file(state, "host.crt", &out->certificate_pem, error);
	if (!err)
		err = read_file(state, "host.key", &out->key_pem, error);
	if (err)
		config_fini(out);
	return err;
}

void config_fini(struct config *config)
{
	if (config->key_pem)
		secret_wipe(config->key_pem, strlen(config->key_pem));
	free(config->key_pem);
	free(config->certificate_pem);
	free(config->ca_pem);
	secret_wipe(config, sizeof(*config));
}
