/*
 * authority.c - see authority.h: reading the folder, and the small secrets
 */
#include "controller/ca/authority.h"

#include "base/base64.h"
#include "base/error.h"
#include "base/file.h"
#include "base/random.h"
#include "base/secret.h"

#include <errno.h>
#include <jansson.h>
#include <limits.h>
#include <openssl/evp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct authority_hash authority_hash(const char *text)
{
	unsigned char digest[32];
	struct authority_hash hash;

	if (!EVP_Digest(text, strlen(text), digest, NULL, EVP_sha256(), NULL))
		abort();
	for (size_t i = 0; i < sizeof(digest); i++)
		snprintf(&hash.text[2 * i], 3, "%02x", digest[i]);
	return hash;
}

void authority_base64url(const void *bytes, size_t len_bytes, char *out)
{
	base64_encode(bytes, len_bytes, out);
	for (char *at = out; *at; at++) {
		if (*at == '+')
			*at = '-';
		else if (*at == '/')
			*at = '_';
		else if (*at == '=')
			*at = '\0';
	}
}

struct authority_secret authority_secret(const uint8_t bytes[AUTHORITY_SECRET_BYTES])
{
	char text[BASE64_TEXT_BYTES(AUTHORITY_SECRET_BYTES)];
	struct authority_secret secret;

	authority_base64url(bytes, AUTHORITY_SECRET_BYTES, text);
	memcpy(secret.text, text, sizeof(secret.text));
	secret_wipe(text, sizeof(text));
	return secret;
}

static int read_pem(const char *dir, const char *name, char **out, struct error *error)
{
	char path[PATH_MAX];
	size_t len_bytes;
	int err;

	if (snprintf(path, sizeof(path), "%s/%s", dir, name) >= (int)sizeof(path))
		return -ENAMETOOLONG;
	err = file_read(path, IDENTITY_PEM_MAX_BYTES, out, &len_bytes);
	if (err)
		error_set(error, "%s/%s: %s", dir, name, strerror(-err));
	return err;
}

/* One that is no text is left out: they are a courtesy to agents.  Return: false where memory is short */
static bool read_former(const json_t *config, struct authority *out)
{
	const json_t *item;
	size_t i;

	json_array_foreach(json_object_get(config, "former"), i, item) {
		if (!json_is_string(item) || out->former_count == AUTHORITY_FORMER_MAX)
			continue;
		out->former[out->former_count] = strdup(json_string_value(item));
		if (!out->former[out->former_count])
			return false;
		out->former_count++;
	}
	return true;
}

static int read_config(const char *dir, struct authority *out, struct error *error)
{
	const char *name = NULL, *listen = NULL, *address = NULL;
	char path[PATH_MAX];
	json_t *config;
	json_error_t why;
	int err = -EINVAL;

	if (snprintf(path, sizeof(path), "%s/controller.json", dir) >= (int)sizeof(path))
		return -ENAMETOOLONG;
	config = json_load_file(path, JSON_REJECT_DUPLICATES, &why);
	if (!config && json_error_code(&why) == json_error_cannot_open_file) {
		error_set(error, "there is no controller in %s: make one with `weft init`", dir);
		return -ENOENT;
	}
	if (json_unpack_ex(config, &why, 0, "{s:s, s:s, s:s}", "fabric", &name, "listen", &listen, "address",
		    &address) < 0) {
		error_set(error, "%s/controller.json: line %d: %s", dir, why.line, why.text);
		goto out;
	}
	out->name = strdup(name);
	out->listen = strdup(listen);
	out->address = strdup(address);
	err = out->name && out->listen && out->address && read_former(config, out) ? 0 : -ENOMEM;
out:
	json_decref(config);
	return err;
}

int authority_load(const char *dir, struct authority *out, struct error *error)
{
	int err;

	*out = (struct authority){ 0 };
	error_set(error, "out of memory");
	err = read_config(dir, out, error);
	if (!err)
		err = read_pem(dir, "ca.crt", &out->ca_pem, error);
	if (!err)
		err = read_pem(dir, "tls.crt", &out->tls_pem, error);
	if (!err)
		err = read_pem(dir, "tls.key", &out->tls_key_pem, error);
	if (!err)
		err = read_pem(dir, "ca.key", &out->ca_key_pem, error);
	if (err == -ENOENT && out->tls_key_pem)
		err = 0;
	if (err)
		return err;
	if (!identity_fingerprint(out->ca_pem, out->fingerprint)) {
		error_set(error, "%s/ca.crt is no certificate", dir);
		return -EINVAL;
	}
	if (out->ca_key_pem && !identity_ca_check(out->ca_key_pem, out->ca_pem)) {
		error_set(error, "%s/ca.key does not belong to %s/ca.crt", dir, dir);
		return -EINVAL;
	}
	return 0;
}

static void free_secret(char *text)
{
	if (text)
		secret_wipe(text, strlen(text));
	free(text);
}

bool authority_same(const struct authority *a, const struct authority *b)
{
	return strcmp(a->name, b->name) == 0 && strcmp(a->fingerprint, b->fingerprint) == 0;
}

json_t *authority_news(const struct authority *authority)
{
	json_t *former = json_array();

	if (!authority->former_count) {
		json_decref(former);
		return NULL;
	}
	for (size_t i = 0; i < authority->former_count; i++)
		json_array_append_new(former, json_string(authority->former[i]));
	return json_pack("{s:s, s:o}", "controller", authority->address, "former", former);
}

void authority_fini(struct authority *authority)
{
	for (size_t i = 0; i < authority->former_count; i++)
		free(authority->former[i]);
	free(authority->name);
	free(authority->listen);
	free(authority->address);
	free(authority->ca_pem);
	free(authority->tls_pem);
	free_secret(authority->ca_key_pem);
	free_secret(authority->tls_key_pem);
	*authority = (struct authority){ 0 };
}
