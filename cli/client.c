/*
 * client.c - see client.h
 */
#include "cli/client.h"

#include "base/addr.h"
#include "base/secret.h"
#include "cli/say.h"

#include <curl/curl.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/un.h>

#define CONNECT_TIMEOUT_S 10L
#define CALL_TIMEOUT_S 30L
#define SILENCE_S 40L /* heartbeats come every 15 s */

struct client {
	CURL *curl;
	struct curl_slist *headers;
	struct client_target target;
	char base[ADDRESS_TEXT_BYTES + 16]; /* "https://203.0.113.5:4753" */
	char why[CURL_ERROR_SIZE];
};

/* What a response is gathered in, whole or line by line */
struct receiver {
	struct client *client;
	char *bytes;
	size_t used_bytes;
	size_t cap_bytes;
	size_t max_bytes;
	bool too_long;
	bool ended;
	client_line_fn *on_line; /* NULL: keep everything */
	void *ctx;
};

bool address_with_port(const char *text, uint16_t default_port, char out[ADDRESS_TEXT_BYTES])
{
	struct endpoint endpoint;
	const char *colon = strchr(text, ':');
	size_t name_bytes = colon ? (size_t)(colon - text) : strlen(text);
	unsigned long port = default_port;

	if (endpoint_parse(text, default_port, &endpoint)) {
		char numeric[ENDPOINT_TEXT_BYTES];

		endpoint_format(&endpoint, numeric);
		snprintf(out, ADDRESS_TEXT_BYTES, "%s", numeric);
		return true;
	}
	if (name_bytes == 0 || name_bytes > 253 || text[0] == '-' || text[0] == '.' ||
		strspn(text, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-.") != name_bytes ||
		strspn(text, "0123456789.") == name_bytes)
		return false;
	if (colon) {
		char *end;

		if (strspn(colon + 1, "0123456789") != strlen(colon + 1) || strlen(colon + 1) > 5)
			return false;
		port = strtoul(colon + 1, &end, 10);
	}
	if (port == 0 || port > 65535)
		return false;
	snprintf(out, ADDRESS_TEXT_BYTES, "%.*s:%lu", (int)name_bytes, text, port);
	return true;
}

static bool set_up_tls(struct client *client)
{
	const struct client_target *target = &client->target;
	CURL *curl = client->curl;
	CURLcode failed = 0;

	failed |= curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, "https");
	failed |= curl_easy_setopt(curl, CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_3);
	/* Debian's libcurl also trusts /etc/ssl/certs unless told not to */
	failed |= curl_easy_setopt(curl, CURLOPT_CAPATH, NULL);
	failed |= curl_easy_setopt(curl, CURLOPT_CAINFO, NULL);
	if (target->ca_pem) {
		struct curl_blob ca = { .data = (void *)target->ca_pem,
			.len = strlen(target->ca_pem),
			.flags = CURL_BLOB_COPY };

		failed |= curl_easy_setopt(curl, CURLOPT_CAINFO_BLOB, &ca);
	} else {
		failed |= curl_easy_setopt(curl, CURLOPT_SSL_VERIFYPEER, 0L);
		failed |= curl_easy_setopt(curl, CURLOPT_SSL_VERIFYHOST, 0L);
	}
	return !failed;
}

static bool set_up(struct client *client)
{
	const struct client_target *target = &client->target;
	CURL *curl = client->curl;
	struct curl_slist *headers = curl_slist_append(NULL, "Content-Type: application/json");
	CURLcode failed = 0;

	client->headers = headers;
	/* "Expect: 100-continue" would cost a round trip or a second */
	headers = headers ? curl_slist_append(headers, "Expect:") : NULL;
	if (headers && target->bearer) {
		char line[512];

		snprintf(line, sizeof(line), "Authorization: Bearer %s", target->bearer);
		headers = curl_slist_append(headers, line);
		secret_wipe(line, sizeof(line));
	}
	if (!headers)
		return false;
	failed |= curl_easy_setopt(curl, CURLOPT_HTTPHEADER, headers);
	failed |= curl_easy_setopt(curl, CURLOPT_ERRORBUFFER, client->why);
	failed |= curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
	failed |= curl_easy_setopt(curl, CURLOPT_PROXY, "");
	failed |= curl_easy_setopt(curl, CURLOPT_CONNECTTIMEOUT, CONNECT_TIMEOUT_S);
	if (!target->socket)
		return !failed && set_up_tls(client);
	failed |= curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, "http");
	failed |= curl_easy_setopt(curl, CURLOPT_UNIX_SOCKET_PATH, target->socket);
	return !failed;
}

struct client *client_new(const struct client_target *target)
{
	struct client *client;
	struct sockaddr_un un;

	if (target->socket && strlen(target->socket) >= sizeof(un.sun_path)) {
		(void)say_error(CLI_UNREACHABLE,
			"%s: a socket's path may have %zu bytes at most; use a shorter --state", target->socket,
			sizeof(un.sun_path) - 1);
		return NULL;
	}
	client = calloc(1, sizeof(*client));
	if (!client)
		goto no_memory;
	client->target = *target;
	if (target->socket)
		snprintf(client->base, sizeof(client->base), "http://localhost");
	else
		snprintf(client->base, sizeof(client->base), "https://%s", target->address);
	client->curl = curl_easy_init();
	if (client->curl && set_up(client))
		return client;
no_memory:
	client_free(client);
	(void)say_error(CLI_UNREACHABLE, "libcurl could not be set up: no memory, or a libcurl without TLS 1.3");
	return NULL;
}

void client_free(struct client *client)
{
	if (!client)
		return;
	curl_easy_cleanup(client->curl);
	curl_slist_free_all(client->headers);
	free(client);
}

static bool is_heartbeat(const json_t *line)
{
	return json_is_object(line) && json_object_size(line) == 0;
}

/* Hand over the whole lines.  Return: false where the stream is to end */
static bool take_lines(struct receiver *receiver)
{
	char *at = receiver->bytes, *newline;
	size_t left = receiver->used_bytes;
	bool going = true;

	while (going && (newline = memchr(at, '\n', left))) {
		json_t *line = json_loadb(at, (size_t)(newline - at), 0, NULL);

		if (line && !is_heartbeat(line))
			going = receiver->on_line(receiver->ctx, line);
		json_decref(line);
		left -= (size_t)(newline + 1 - at);
		at = newline + 1;
	}
	memmove(receiver->bytes, at, left);
	receiver->used_bytes = left;
	return going;
}

static size_t on_bytes(char *bytes, size_t size, size_t count, void *ctx)
{
	struct receiver *receiver = ctx;
	size_t more = size * count;
	long status = 0;

	if (receiver->max_bytes - receiver->used_bytes < more) {
		receiver->too_long = true;
		return 0;
	}
	if (receiver->cap_bytes - receiver->used_bytes < more) {
		size_t cap = (receiver->used_bytes + more) * 2;
		char *grown = realloc(receiver->bytes, cap);

		if (!grown)
			return 0;
		receiver->bytes = grown;
		receiver->cap_bytes = cap;
	}
	memcpy(receiver->bytes + receiver->used_bytes, bytes, more);
	receiver->used_bytes += more;
	curl_easy_getinfo(receiver->client->curl, CURLINFO_RESPONSE_CODE, &status);
	if (receiver->on_line && status == 200 && !take_lines(receiver)) {
		receiver->ended = true;
		return 0;
	}
	return more;
}

static enum cli_exit unreachable(const struct client *client, const struct receiver *receiver, CURLcode code)
{
	const struct client_target *target = &client->target;
	const char *where = target->socket ? target->socket : target->address;
	const char *why = client->why[0] ? client->why : curl_easy_strerror(code);
	long err = 0;

	curl_easy_getinfo(client->curl, CURLINFO_OS_ERRNO, &err);
	if (code == CURLE_COULDNT_CONNECT && err)
		why = strerror((int)err); /* curl's own words speak of "localhost port 80" for a socket */
	if (receiver->too_long)
		return say_error(CLI_UNREACHABLE, "%s at %s sent more than fits; its version may be another one",
			target->server_name, where);
	if (code == CURLE_PEER_FAILED_VERIFICATION)
		return say_error(CLI_UNREACHABLE,
			"%s at %s does not show a certificate of this fabric's CA for that "
			"address: %s; somebody else answers there, it was set up anew or for another --address, or this "
			"machine's clock is wrong",
			target->server_name, where, why);
	return say_error(CLI_UNREACHABLE, "could not reach %s at %s: %s; %s", target->server_name, where, why,
		err == EACCES ? "run weft as root" : target->remedy);
}

static CURLcode perform(struct client *client, const char *method, const char *path, const char *body,
	struct receiver *receiver, struct answer *out)
{
	CURL *curl = client->curl;
	char url[ADDRESS_TEXT_BYTES + 512];
	CURLcode code = 0;

	client->why[0] = '\0';
	snprintf(url, sizeof(url), "%s%s", client->base, path);
	code |= curl_easy_setopt(curl, CURLOPT_URL, url);
	code |= curl_easy_setopt(curl, CURLOPT_HTTPGET, 1L);
	if (body || strcmp(method, "POST") == 0) { /* a POST without a body still says that it has 0 bytes */
		body = body ? body : "";
		code |= curl_easy_setopt(curl, CURLOPT_POSTFIELDS, body);
		code |= curl_easy_setopt(curl, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)strlen(body));
	}
	code |= curl_easy_setopt(curl, CURLOPT_CUSTOMREQUEST, method);
	code |= curl_easy_setopt(curl, CURLOPT_TIMEOUT, receiver->on_line ? 0L : CALL_TIMEOUT_S);
	code |= curl_easy_setopt(curl, CURLOPT_LOW_SPEED_LIMIT, receiver->on_line ? 1L : 0L);
	code |= curl_easy_setopt(curl, CURLOPT_LOW_SPEED_TIME, receiver->on_line ? SILENCE_S : 0L);
	code |= curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, on_bytes);
	code |= curl_easy_setopt(curl, CURLOPT_WRITEDATA, receiver);
	if (code)
		return CURLE_FAILED_INIT;
	code = curl_easy_perform(curl);
	curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &out->status);
	return code;
}

enum cli_exit client_call(struct client *client, const char *method, const char *path, const json_t *body,
	struct answer *out)
{
	struct receiver receiver = { .client = client, .max_bytes = CLIENT_ANSWER_BYTES_MAX };
	char *text = body ? json_dumps(body, JSON_COMPACT) : NULL;
	enum cli_exit result = CLI_OK;
	CURLcode code;

	memset(out, 0, sizeof(*out));
	code = body && !text ? CURLE_OUT_OF_MEMORY : perform(client, method, path, text, &receiver, out);
	if (code)
		result = unreachable(client, &receiver, code);
	else
		out->json = json_loadb(receiver.bytes ? receiver.bytes : "", receiver.used_bytes, 0, NULL);
	/* tokens and keys go through here */
	if (text)
		secret_wipe(text, strlen(text));
	if (receiver.bytes)
		secret_wipe(receiver.bytes, receiver.cap_bytes);
	free(text);
	free(receiver.bytes);
	return result;
}

enum cli_exit client_watch(struct client *client, const char *path, client_line_fn *on_line, void *ctx,
	struct answer *out)
{
	struct receiver receiver = { .client = client,
		.max_bytes = CLIENT_LINE_BYTES_MAX,
		.on_line = on_line,
		.ctx = ctx };
	enum cli_exit result = CLI_OK;
	CURLcode code;

	memset(out, 0, sizeof(*out));
	code = perform(client, "GET", path, NULL, &receiver, out);
	if (code && !receiver.ended)
		result = unreachable(client, &receiver, code);
	else if (out->status != 200)
		out->json = json_loadb(receiver.bytes ? receiver.bytes : "", receiver.used_bytes, 0, NULL);
	free(receiver.bytes);
	return result;
}

enum cli_exit answer_refused(const struct answer *answer, const char *what)
{
	const json_t *error = json_object_get(answer->json, "error");
	const char *message = json_string_value(json_object_get(error, "message"));
	const char *hint = json_string_value(json_object_get(error, "hint"));
	const char *where = json_string_value(json_object_get(error, "where"));

	if (!message)
		return say_error(CLI_FAILED,
			"%s: the answer has status %ld and cannot be understood; "
			"compare `weft version` here and there",
			what, answer->status);
	return say_error(CLI_FAILED, "%s: %s%s%s%s%s", what, where ? where : "", where && *where ? ": " : "", message,
		hint ? "; " : "", hint ? hint : "");
}

void answer_fini(struct answer *answer)
{
	json_decref(answer->json);
	answer->json = NULL;
}
