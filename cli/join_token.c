/*
 * join_token.c - see join_token.h
 */
#include "cli/join_token.h"

#include "base/base64.h"
#include "base/json.h"
#include "base/secret.h"
#include "lab/limits.h"

#include <stdlib.h>
#include <string.h>

#define PREFIX "weft1."

/* base64url without padding to base64 with it.  Return: bytes that it stands for, 0 where it is none */
static size_t to_base64(const char *from, size_t len_bytes, char *to)
{
	size_t padding = (4 - len_bytes % 4) % 4;

	if (len_bytes == 0 || padding == 3)
		return 0;
	for (size_t i = 0; i < len_bytes; i++) {
		if (from[i] == '+' || from[i] == '/' || from[i] == '=')
			return 0;
		to[i] = from[i] == '-' ? '+' : from[i] == '_' ? '/' : from[i];
	}
	memset(to + len_bytes, '=', padding);
	to[len_bytes + padding] = '\0';
	return (len_bytes + padding) / 4 * 3 - padding;
}

static bool take(const json_t *object, const char *key, char *out, size_t out_bytes)
{
	const char *text = json_string_value(json_object_get(object, key));

	if (!text || !*text || strlen(text) >= out_bytes)
		return false;
	memcpy(out, text, strlen(text) + 1);
	return true;
}

static bool take_all(const json_t *object, struct join_token *out, const char **why)
{
	char controller[SERVER_ADDRESS_TEXT_BYTES];
	struct server_address address;

	*why = "it is not from this version of weft";
	if (!take(object, "c", controller, sizeof(controller)) ||
		!take(object, "f", out->fingerprint, sizeof(out->fingerprint)) ||
		!take(object, "s", out->secret, sizeof(out->secret)) ||
		!take(object, "h", out->host, sizeof(out->host)))
		return false;
	*why = "the host's name in it is none";
	if (!identity_name_ok(out->host))
		return false;
	*why = "the CA's fingerprint in it is none";
	if (strspn(out->fingerprint, "0123456789abcdef") != IDENTITY_FINGERPRINT_BYTES - 1)
		return false;
	*why = "the controller's address in it is none";
	if (!server_address_parse(controller, CONTROLLER_PORT_DEFAULT, &address))
		return false;
	server_address_format(&address, out->controller);
	return true;
}

bool join_token_decode(const char *text, struct join_token *out, const char **why)
{
	char base64[JOIN_TOKEN_BYTES_MAX + 4], bytes[JOIN_TOKEN_BYTES_MAX];
	size_t len_bytes, decoded_bytes;
	json_t *object = NULL;
	bool good = false;

	*why = "it begins with \"" PREFIX "\" and is one line";
	text += strspn(text, " \t\r\n");
	if (strncmp(text, PREFIX, strlen(PREFIX)) != 0)
		return false;
	text += strlen(PREFIX);
	len_bytes = strcspn(text, " \t\r\n");
	if (text[len_bytes + strspn(text + len_bytes, " \t\r\n")] != '\0' || len_bytes > JOIN_TOKEN_BYTES_MAX)
		return false;
	*why = "a part of it is missing or changed; copy all of it";
	decoded_bytes = to_base64(text, len_bytes, base64);
	if (decoded_bytes && base64_decode(base64, bytes, decoded_bytes))
		object = json_loadb(bytes, decoded_bytes, 0, NULL);
	if (json_is_object(object))
		good = take_all(object, out, why);
	json_decref(object);
	secret_wipe(base64, sizeof(base64));
	secret_wipe(bytes, sizeof(bytes));
	return good;
}

char *ca_pem_pin(const char *pem, const char *fingerprint)
{
	static const char begin[] = "-----BEGIN CERTIFICATE-----", end[] = "-----END CERTIFICATE-----";
	static const char inside[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/=\r\n";
	char have[IDENTITY_FINGERPRINT_BYTES];
	const char *from = strstr(pem, begin), *to;
	char *one;

	if (!from)
		return NULL;
	to = from + strlen(begin);
	to += strspn(to, inside);
	if (strncmp(to, end, strlen(end)) != 0)
		return NULL;
	to += strlen(end);
	one = malloc((size_t)(to - from) + 2);
	if (!one)
		return NULL;
	memcpy(one, from, (size_t)(to - from));
	memcpy(one + (to - from), "\n", 2);
	if (identity_fingerprint(one, have) && strcmp(have, fingerprint) == 0)
		return one;
	free(one);
	return NULL;
}
