/*
 * authority_move.c - see authority_move.h
 */
#include "controller/authority_move.h"

#include "base/addr.h"
#include "base/log.h"
#include "base/server_address.h"
#include "controller/ca/authority.h"
#include "controller/folder.h"
#include "crypto/identity_issue.h"
#include "lab/limits.h"

#include <errno.h>
#include <jansson.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define NAMES_MAX (AUTHORITY_FORMER_MAX + 2U)

/* What is to be written */
struct move {
	struct server_address address, listen;
	char address_text[SERVER_ADDRESS_TEXT_BYTES], listen_text[SERVER_ADDRESS_TEXT_BYTES];
	json_t *former;
	char names[NAMES_MAX][SERVER_HOST_BYTES]; /* in the certificate */
	size_t name_count;
};

/* Can this machine listen there?  Its port may well be in use: by us */
static int check_listen(const struct server_address *listen, struct error *error)
{
	struct sockaddr_storage at;
	struct endpoint endpoint;
	socklen_t len_bytes;
	int fd, err = 0;

	if (!endpoint_parse(listen->host, listen->port, &endpoint))
		return -EINVAL;
	endpoint.port = 0;
	len_bytes = endpoint_to_sockaddr(&endpoint, endpoint_is_v4(&endpoint) ? AF_INET : AF_INET6, &at);
	fd = socket(at.ss_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd >= 0 && bind(fd, (struct sockaddr *)&at, len_bytes) < 0 && errno == EADDRNOTAVAIL)
		err = -EADDRNOTAVAIL;
	if (fd >= 0)
		close(fd);
	if (err)
		error_set(error,
			"this machine has no address %s to listen on; say with --listen which of its own it shall be, or 0.0.0.0 "
			"for all",
			listen->host);
	return err;
}

static int find_places(const struct authority_place *place, const struct authority *authority, struct move *move,
	struct error *error)
{
	const char *listen = place->listen;

	if (!server_address_parse(place->address, CONTROLLER_PORT_DEFAULT, &move->address) ||
		folder_listens_everywhere(&move->address)) {
		error_set(error,
			"%.300s: must be an address or a DNS name that hosts can reach, with or without a port",
			place->address);
		return -EINVAL;
	}
	server_address_format(&move->address, move->address_text);
	if (!listen)
		listen = move->address.numeric && strcmp(authority->address, authority->listen) == 0
			? move->address_text
			: authority->listen;
	if (!server_address_parse(listen, CONTROLLER_PORT_DEFAULT, &move->listen) || !move->listen.numeric) {
		error_set(error, "--listen %.300s: must be a numeric address, as in 203.0.113.5:%u", listen,
			CONTROLLER_PORT_DEFAULT);
		return -EINVAL;
	}
	server_address_format(&move->listen, move->listen_text);
	return check_listen(&move->listen, error);
}

static void add_name(struct move *move, const char *host)
{
	for (size_t i = 0; i < move->name_count; i++)
		if (strcmp(move->names[i], host) == 0)
			return;
	if (move->name_count < NAMES_MAX)
		snprintf(move->names[move->name_count++], SERVER_HOST_BYTES, "%s", host);
}

static void add_former(struct move *move, const char *address)
{
	struct server_address parsed;
	const json_t *item;
	size_t i;

	json_array_foreach(move->former, i, item)
		if (strcmp(json_string_value(item), address) == 0)
			return;
	if (strcmp(address, move->address_text) == 0 || json_array_size(move->former) == AUTHORITY_FORMER_MAX ||
		!server_address_parse(address, CONTROLLER_PORT_DEFAULT, &parsed))
		return;
	json_array_append_new(move->former, json_string(address));
	add_name(move, parsed.host);
}

static int issue(const char *dir, const struct authority *authority, const struct move *move)
{
	const char *names[NAMES_MAX];
	char *certificate;
	int err;

	for (size_t i = 0; i < move->name_count; i++)
		names[i] = move->names[i];
	err = identity_controller_renew(authority->ca_key_pem, authority->ca_pem, authority->tls_key_pem,
		"weft-controller", names, move->name_count, time(NULL), &certificate);
	if (err)
		return err;
	err = folder_write(dir, "tls.crt", certificate, 0644);
	identity_pem_free(certificate);
	return err;
}

/* The operator may have taken it away from here */
static int write_operator(const char *dir, const char *address)
{
	json_t *credentials = json_load_file(folder_path(dir, "operator.json").text, JSON_REJECT_DUPLICATES, NULL);

	if (!json_is_object(credentials)) {
		json_decref(credentials);
		return 0;
	}
	json_object_set_new(credentials, "address", json_string(address));
	return folder_write_json(dir, "operator.json", credentials, 0600);
}

static int write_all(const char *dir, const struct authority *authority, struct move *move)
{
	int err = 0;

	if (authority->ca_key_pem)
		err = issue(dir, authority, move);
	else
		log_warning(
			"ca.key is not in %s: the certificate keeps its names, which only programs other than weft's look at",
			dir);
	if (!err)
		err = write_operator(dir, move->address_text);
	if (!err)
		err = folder_write_json(dir, "controller.json",
			json_pack("{s:s, s:s, s:s, s:O}", "fabric", authority->name, "listen", move->listen_text,
				"address", move->address_text, "former", move->former),
			0644);
	return err;
}

int authority_move(const struct authority_place *place, struct error *error)
{
	struct authority authority;
	struct move move = { .name_count = 0 };
	int err = authority_load(place->dir, &authority, error);

	if (!err)
		err = find_places(place, &authority, &move, error);
	if (err)
		goto out;
	move.former = json_array();
	add_name(&move, move.address.host);
	if (!folder_listens_everywhere(&move.listen))
		add_name(&move, move.listen.host);
	add_former(&move, authority.address);
	for (size_t i = 0; i < authority.former_count; i++)
		add_former(&move, authority.former[i]);
	err = write_all(place->dir, &authority, &move);
	if (err)
		error_set(error, "%.300s: could not be changed: %s; give the command again", place->dir,
			strerror(-err));
	json_decref(move.former);
out:
	authority_fini(&authority);
	return err;
}
