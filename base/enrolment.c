/*
 * enrolment.c - see enrolment.h
 */
#include "base/enrolment.h"

#include "base/base64.h"
#include "base/error.h"
#include "base/file.h"
#include "base/json.h"
#include "base/secret.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define FILE_BYTES_MAX 65536U

static int path_of(const char *dir, const char *name, char out[PATH_MAX])
{
	return snprintf(out, PATH_MAX, "%s/%s", dir, name) >= PATH_MAX ? -ENAMETOOLONG : 0;
}

static int read_part(const char *dir, const char *name, char **out, struct error *error)
{
	char path[PATH_MAX];
	size_t len_bytes;
	int err = path_of(dir, name, path);

	if (!err)
		err = file_read(path, FILE_BYTES_MAX, out, &len_bytes);
	if (err)
		error_set(error, "%.200s/%s: %s%s", dir, name, strerror(-err),
			err == -ENOENT ? "; this host has not joined a fabric: run weft join TOKEN" : "");
	return err;
}

static int write_part(const char *dir, const char *name, const char *text, struct error *error)
{
	char path[PATH_MAX];
	int err = path_of(dir, name, path);

	if (!err)
		err = file_write(path, text, strlen(text), 0600);
	if (err)
		error_set(error, "%.200s/%s: %s", dir, name, strerror(-err));
	return err;
}

static void take_text(struct json_in *in, const json_t *object, const char *key, char *out, size_t out_bytes)
{
	const char *text = json_in_string(in, "", object, key);

	if (strlen(text) >= out_bytes)
		json_in_fail(in, "", key, "is longer than %zu characters", out_bytes - 1);
	else
		snprintf(out, out_bytes, "%s", text);
}

/* Absent: false */
static void take_bool(struct json_in *in, const json_t *object, const char *key, bool *out)
{
	const json_t *value = json_object_get(object, key);

	if (value && !json_is_boolean(value))
		json_in_fail(in, "", key, "must be true or false");
	*out = json_is_true(value);
}

static void take_json(struct json_in *in, const json_t *object, struct enrolment *out)
{
	take_text(in, object, "fabric", out->fabric, sizeof(out->fabric));
	take_text(in, object, "host", out->host, sizeof(out->host));
	take_text(in, object, "controller", out->controller, sizeof(out->controller));
	if (json_object_get(object, "controller_before"))
		take_text(in, object, "controller_before", out->before, sizeof(out->before));
	out->port = (uint16_t)json_in_int(in, "", object, "port", 1, 65535);
	take_bool(in, object, "no_report_local", &out->no_report_local);
	if (!base64_decode(json_in_string(in, "", object, "psk"), out->psk, sizeof(out->psk)))
		json_in_fail(in, "", "psk", "is not the base64 of 32 bytes");
	out->ca_pem = strdup(json_in_string(in, "", object, "ca"));
	if (!out->ca_pem)
		json_in_fail(in, "", "ca", "no memory");
}

int enrolment_load(const char *dir, struct enrolment *out, struct error *error)
{
	struct json_in in = { .error = "" };
	char *text = NULL, *tunnel = NULL;
	json_error_t syntax;
	json_t *object = NULL;
	int err;

	memset(out, 0, sizeof(*out));
	err = read_part(dir, "agent.json", &text, error);
	if (!err)
		err = read_part(dir, "host.key", &out->key_pem, error);
	if (!err)
		err = read_part(dir, "host.crt", &out->certificate_pem, error);
	if (!err)
		err = read_part(dir, "tunnel.key", &tunnel, error);
	if (err)
		goto out;
	object = json_loads(text, 0, &syntax);
	if (json_is_object(object))
		take_json(&in, object, out);
	else
		json_in_fail(&in, "", "line", "%d: %s", object ? 1 : syntax.line, object ? "no object" : syntax.text);
	if (!json_in_ok(&in)) {
		error_set(error, "%.200s/agent.json: %.200s; join again with a new token and --force", dir, in.error);
		err = -EINVAL;
	} else if (!base64_decode(tunnel, out->tunnel_key, sizeof(out->tunnel_key))) {
		error_set(error,
			"%.200s/tunnel.key: is not the base64 of 32 bytes; join again with "
			"a new token and --force",
			dir);
		err = -EINVAL;
	}
out:
	json_decref(object);
	if (text)
		secret_wipe(text, strlen(text));
	if (tunnel)
		secret_wipe(tunnel, strlen(tunnel));
	free(text);
	free(tunnel);
	return err;
}

int enrolment_save_controller(const char *dir, const struct enrolment *enrolment, struct error *error)
{
	char psk[BASE64_TEXT_BYTES(32)];
	char *text = NULL;
	json_t *object;
	int err = -ENOMEM;

	base64_encode(enrolment->psk, 32, psk);
	object = json_pack("{s:s, s:s, s:s, s:s, s:s, s:i}", "fabric", enrolment->fabric, "host", enrolment->host,
		"controller", enrolment->controller, "ca", enrolment->ca_pem, "psk", psk, "port", (int)enrolment->port);
	if (object && enrolment->before[0])
		json_object_set_new(object, "controller_before", json_string(enrolment->before));
	if (object && enrolment->no_report_local)
		json_object_set_new(object, "no_report_local", json_true());
	if (object)
		text = json_dumps(object, JSON_INDENT(2));
	if (text) {
		err = write_part(dir, "agent.json", text, error);
		secret_wipe(text, strlen(text));
	} else {
		error_set(error, "%.200s/agent.json: %s", dir, strerror(ENOMEM));
	}
	secret_wipe(psk, sizeof(psk));
	free(text);
	json_decref(object);
	return err;
}

int enrolment_save(const char *dir, const struct enrolment *enrolment, struct error *error)
{
	char tunnel[BASE64_TEXT_BYTES(32) + 1];
	int err = file_make_dir(dir, 0700);

	if (err) {
		error_set(error, "%.200s: %s", dir, strerror(-err));
		return err;
	}
	base64_encode(enrolment->tunnel_key, 32, tunnel);
	strcat(tunnel, "\n");
	err = write_part(dir, "host.key", enrolment->key_pem, error);
	if (!err)
		err = write_part(dir, "tunnel.key", tunnel, error);
	if (!err)
		err = write_part(dir, "host.crt", enrolment->certificate_pem, error);
	if (!err)
		err = enrolment_save_controller(dir, enrolment, error);
	secret_wipe(tunnel, sizeof(tunnel));
	return err;
}

bool enrolment_present(const char *dir)
{
	char path[PATH_MAX];

	return path_of(dir, "agent.json", path) == 0 && access(path, F_OK) == 0;
}

void enrolment_fini(struct enrolment *enrolment)
{
	if (enrolment->key_pem)
		secret_wipe(enrolment->key_pem, strlen(enrolment->key_pem));
	free(enrolment->key_pem);
	free(enrolment->ca_pem);
	free(enrolment->certificate_pem);
	secret_wipe(enrolment, sizeof(*enrolment));
}
