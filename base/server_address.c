/*
 * server_address.c - see server_address.h
 */
#include "base/server_address.h"

#include "base/addr.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define DIGITS "0123456789"
#define NAME_CHARACTERS "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ" DIGITS "-."

/* The host part of endpoint_format()'s "203.0.113.5:4753" or "[2001:db8::1]:4753" */
static void host_of(const char *text, char out[SERVER_HOST_BYTES])
{
	size_t len_bytes = (size_t)(strrchr(text, ':') - text);

	if (text[0] == '[') {
		text++;
		len_bytes -= 2;
	}
	memcpy(out, text, len_bytes);
	out[len_bytes] = '\0';
}

static bool parse_port(const char *text, uint16_t *out)
{
	unsigned long port = strtoul(text, NULL, 10);

	*out = (uint16_t)port;
	return strlen(text) <= 5 && strspn(text, DIGITS) == strlen(text) && port >= 1 && port <= 65535;
}

bool server_address_parse(const char *text, uint16_t default_port, struct server_address *out)
{
	const char *colon = strchr(text, ':');
	size_t name_bytes = colon ? (size_t)(colon - text) : strlen(text);
	char numeric[ENDPOINT_TEXT_BYTES];
	struct endpoint endpoint;

	out->port = default_port;
	out->numeric = endpoint_parse(text, default_port, &endpoint);
	if (out->numeric) {
		endpoint_format(&endpoint, numeric);
		host_of(numeric, out->host);
		out->port = endpoint.port;
		return true;
	}
	/* digits and dots alone would be an address with something wrong about it */
	if (name_bytes == 0 || name_bytes >= SERVER_HOST_BYTES || text[0] == '-' || text[0] == '.' ||
		strspn(text, NAME_CHARACTERS) != name_bytes || strspn(text, DIGITS ".") == name_bytes)
		return false;
	memcpy(out->host, text, name_bytes);
	out->host[name_bytes] = '\0';
	return !colon || parse_port(colon + 1, &out->port);
}

void server_address_format(const struct server_address *address, char out[SERVER_ADDRESS_TEXT_BYTES])
{
	snprintf(out, SERVER_ADDRESS_TEXT_BYTES, strchr(address->host, ':') ? "[%s]:%u" : "%s:%u", address->host,
		address->port);
}
