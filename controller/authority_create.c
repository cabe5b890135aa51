/*
 * authority_create.c - see authority_create.h
 *
 * Everything is made in memory first; then the files are written, controller.json last, so that a folder that has it is
 * whole.  After a failure those that were written are taken away again.
 */
#include "controller/authority_create.h"

#include "base/base64.h"
#include "base/file.h"
#include "base/random.h"
#include "base/secret.h"
#include "base/server_address.h"
#include "controller/ca/authority.h"
#include "controller/folder.h"
#include "controller/store/store_sqlite.h"
#include "crypto/identity_issue.h"
#include "lab/limits.h"

#include <errno.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

static const char *const made_files[] = { "controller.json", "operator.json", "ca.key", "ca.crt", "tls.key", "tls.crt",
	"controller.db", "controller.db-wal" };

#define MADE_FILES (sizeof(made_files) / sizeof(made_files[0]))

/* Where to listen, and how others get there, in full */
struct places {
	char listen[SERVER_ADDRESS_TEXT_BYTES];
	char address[SERVER_ADDRESS_TEXT_BYTES];
	char alt_names[2][SERVER_HOST_BYTES]; /* for the TLS certificate */
	size_t alt_name_count;
};

static int find_places(const struct authority_wish *wish, struct places *out, struct error *error)
{
	struct server_address listen, address;

	if (!server_address_parse(wish->listen, CONTROLLER_PORT_DEFAULT, &listen) || !listen.numeric) {
		error_set(error, "--listen %s: must be a numeric address, as in 203.0.113.5:%u", wish->listen,
			CONTROLLER_PORT_DEFAULT);
		return -EINVAL;
	}
	if (!wish->address && folder_listens_everywhere(&listen)) {
		error_set(error,
			"--listen %s: no host can connect to that; say with --address where this controller is reached",
			wish->listen);
		return -EINVAL;
	}
	if (!wish->address) {
		address = listen;
	} else if (!server_address_parse(wish->address, CONTROLLER_PORT_DEFAULT, &address)) {
		error_set(error, "--address %s: must be an address or a DNS name, with or without a port",
			wish->address);
		return -EINVAL;
	}
	server_address_format(&listen, out->listen);
	server_address_format(&address, out->address);
	snprintf(out->alt_names[out->alt_name_count++], SERVER_HOST_BYTES, "%s", address.host);
	if (!folder_listens_everywhere(&listen) && strcmp(out->address, out->listen) != 0)
		snprintf(out->alt_names[out->alt_name_count++], SERVER_HOST_BYTES, "%s", listen.host);
	return 0;
}

/* What is to be written */
struct parts {
	char *ca_key, *ca, *tls_key, *tls;
	struct authority_secret token;
	uint8_t psk[FABRIC_PSK_BYTES];
};

static int make_parts(const struct authority_wish *wish, const struct places *places, struct parts *out)
{
	const char *alt_names[] = { places->alt_names[0], places->alt_names[1] };
	uint8_t token[AUTHORITY_SECRET_BYTES];
	int err = identity_ca_create(wish->name, time(NULL), &out->ca_key, &out->ca);

	if (!err)
		err = identity_controller_issue(out->ca_key, out->ca, "weft-controller", alt_names,
			places->alt_name_count, time(NULL), &out->tls_key, &out->tls);
	random_fill(token, sizeof(token));
	out->token = authority_secret(token);
	secret_wipe(token, sizeof(token));
	random_fill(out->psk, sizeof(out->psk));
	return err;
}

static void parts_fini(struct parts *parts)
{
	identity_pem_free(parts->ca_key);
	identity_pem_free(parts->ca);
	identity_pem_free(parts->tls_key);
	identity_pem_free(parts->tls);
	secret_wipe(parts, sizeof(*parts));
}

/* Consumes @value */
static void put_json(struct store_txn *txn, const char *key, json_t *value)
{
	char *text = json_dumps(value, JSON_COMPACT);

	if (text)
		store_txn_put(txn, key, text);
	else
		txn->out_of_memory = true;
	if (text)
		secret_wipe(text, strlen(text));
	free(text);
	json_decref(value);
}

static void on_stored(void *ctx, int err, uint64_t rev)
{
	(void)rev;
	*(int *)ctx = err;
}

static int write_store(const struct authority_wish *wish, const struct parts *parts)
{
	char psk[BASE64_TEXT_BYTES(FABRIC_PSK_BYTES)];
	struct authority_hash hash = authority_hash(parts->token.text);
	struct store *store = NULL;
	struct store_txn txn;
	int err = store_sqlite_open(folder_path(wish->dir, "controller.db").text, true, NULL, &store);

	if (err)
		return err;
	store_txn_init(&txn);
	base64_encode(parts->psk, sizeof(parts->psk), psk);
	put_json(&txn, "fabric", json_pack("{s:s, s:s}", "name", wish->name, "psk", psk));
	put_json(&txn, "operator/default", json_pack("{s:s}", "sha256", hash.text));
	store_commit(store, &txn, on_stored, &err);
	store_close(store);
	store_txn_fini(&txn);
	secret_wipe(psk, sizeof(psk));
	return err;
}

static int write_files(const struct authority_wish *wish, const struct places *places, const struct parts *parts)
{
	int err = folder_write(wish->dir, "ca.key", parts->ca_key, 0600);

	if (!err)
		err = folder_write(wish->dir, "ca.crt", parts->ca, 0644);
	if (!err)
		err = folder_write(wish->dir, "tls.key", parts->tls_key, 0600);
	if (!err)
		err = folder_write(wish->dir, "tls.crt", parts->tls, 0644);
	if (!err)
		err = write_store(wish, parts);
	if (!err)
		err = folder_write_json(wish->dir, "operator.json",
			json_pack("{s:s, s:s, s:s, s:s}", "fabric", wish->name, "address", places->address, "ca",
				parts->ca, "token", parts->token.text),
			0600);
	if (!err)
		err = folder_write_json(wish->dir, "controller.json",
			json_pack("{s:s, s:s, s:s}", "fabric", wish->name, "listen", places->listen, "address",
				places->address),
			0644);
	return err;
}

static int check_free(const char *dir, struct error *error)
{
	for (size_t i = 0; i < MADE_FILES; i++) {
		struct folder_path path = folder_path(dir, made_files[i]);

		if (access(path.text, F_OK) < 0 && errno == ENOENT)
			continue;
		error_set(error, "%s/%s is there already: a fabric is never overwritten; choose another --state", dir,
			made_files[i]);
		return -EEXIST;
	}
	return 0;
}

int authority_create(const struct authority_wish *wish, struct error *error)
{
	struct places places = { .alt_name_count = 0 };
	struct parts parts = { 0 };
	int err;

	if (!identity_name_ok(wish->name)) {
		error_set(error, "--name %s: must be lower-case letters, digits and '-' in between, at most 63",
			wish->name);
		return -EINVAL;
	}
	err = find_places(wish, &places, error);
	if (err)
		return err;
	err = file_make_dir(wish->dir, 0700);
	if (err) {
		error_set(error, "%s: %s", wish->dir, strerror(-err));
		return err;
	}
	err = check_free(wish->dir, error);
	if (err)
		return err;
	err = make_parts(wish, &places, &parts);
	if (!err)
		err = write_files(wish, &places, &parts);
	if (err) {
		error_set(error, "%s: could not make the fabric: %s", wish->dir, strerror(-err));
		for (size_t i = 0; i < MADE_FILES; i++)
			unlink(folder_path(wish->dir, made_files[i]).text);
	}
	parts_fini(&parts);
	return err;
}
