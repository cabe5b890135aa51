/*
 * addr.c - see addr.h
 */
#include "base/addr.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>

static const uint8_t v4_mapped[12] = { [10] = 0xff, [11] = 0xff };

static int hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	return -1;
}

bool mac_parse(const char *text, struct mac *out)
{
	struct mac mac;

	if (strlen(text) != MAC_TEXT_BYTES - 1)
		return false;
	for (size_t i = 0; i < MAC_BYTES; i++, text += 3) {
		int high = hex_digit(text[0]), low = hex_digit(text[1]);
		char separator = i + 1 < MAC_BYTES ? text[2] : ':';

		if (high < 0 || low < 0 || (separator != ':' && separator != '-'))
			return false;
		mac.bytes[i] = (uint8_t)(high << 4 | low);
	}
	*out = mac;
	return true;
}

void mac_format(const struct mac *mac, char out[MAC_TEXT_BYTES])
{
	const uint8_t *b = mac->bytes;

	snprintf(out, MAC_TEXT_BYTES, "%02x:%02x:%02x:%02x:%02x:%02x", b[0], b[1], b[2], b[3], b[4], b[5]);
}

bool endpoint_is_v4(const struct endpoint *endpoint)
{
	return memcmp(endpoint->ip, v4_mapped, sizeof(v4_mapped)) == 0;
}

bool endpoint_has_local(const struct endpoint *endpoint)
{
	static const uint8_t none[IP_BYTES];

	return memcmp(endpoint->local_ip, none, sizeof(none)) != 0;
}

static const char *unusable_v4(const uint8_t *ip)
{
	if (ip[0] == 0)
		return "no address";
	if (ip[0] == 127)
		return "the loopback's address";
	if (ip[0] == 169 && ip[1] == 254)
		return "a link-local address";
	if (ip[0] >= 224 && ip[0] < 240)
		return "a multicast address";
	return ip[0] >= 240 ? "a broadcast or reserved address" : NULL;
}

const char *endpoint_unusable(const struct endpoint *endpoint)
{
	static const uint8_t zeros[15];

	if (endpoint_is_v4(endpoint))
		return unusable_v4(endpoint->ip + sizeof(v4_mapped));
	if (memcmp(endpoint->ip, zeros, sizeof(zeros)) == 0 && endpoint->ip[15] <= 1)
		return endpoint->ip[15] ? "the loopback's address" : "no address";
	if (endpoint->ip[0] == 0xfe && (endpoint->ip[1] & 0xc0) == 0x80)
		return "a link-local address";
	return endpoint->ip[0] == 0xff ? "a multicast address" : NULL;
}

static bool port_parse(const char *text, uint16_t *out)
{
	char *end;
	unsigned long port;

	if (*text < '0' || *text > '9')
		return false;
	port = strtoul(text, &end, 10);
	if (*end || port == 0 || port > 65535)
		return false;
	*out = (uint16_t)port;
	return true;
}

static bool ip_parse(const char *text, struct endpoint *out)
{
	memset(out, 0, sizeof(*out));
	if (inet_pton(AF_INET, text, out->ip + 12) == 1) {
		memcpy(out->ip, v4_mapped, sizeof(v4_mapped));
		return true;
	}
	return inet_pton(AF_INET6, text, out->ip) == 1;
}

bool endpoint_parse(const char *text, uint16_t default_port, struct endpoint *out)
{
	char host[ENDPOINT_TEXT_BYTES];
	const char *colon = strrchr(text, ':');
	size_t len = strlen(text);
	struct endpoint endpoint;
	uint16_t port = default_port;

	if (len >= sizeof(host))
		return false;
	memcpy(host, text, len + 1);
	if (text[0] == '[') {
		char *close = strchr(host, ']');

		if (!close || (close[1] && (close[1] != ':' || !port_parse(close + 2, &port))))
			return false;
		*close = '\0';
		memmove(host, host + 1, (size_t)(close - host));
	} else if (colon && strchr(text, ':') == colon) { /* one colon: IPv4 and a port */
		host[colon - text] = '\0';
		if (!port_parse(colon + 1, &port))
			return false;
	}
	if (!ip_parse(host, &endpoint) || port == 0)
		return false;
	endpoint.port = port;
	*out = endpoint;
	return true;
}

static void ip_format(const uint8_t ip[IP_BYTES], char out[INET6_ADDRSTRLEN])
{
	if (memcmp(ip, v4_mapped, sizeof(v4_mapped)) == 0)
		inet_ntop(AF_INET, ip + sizeof(v4_mapped), out, INET6_ADDRSTRLEN);
	else
		inet_ntop(AF_INET6, ip, out, INET6_ADDRSTRLEN);
}

void endpoint_format(const struct endpoint *endpoint, char out[ENDPOINT_TEXT_BYTES])
{
	char ip[INET6_ADDRSTRLEN];

	ip_format(endpoint->ip, ip);
	snprintf(out, ENDPOINT_TEXT_BYTES, endpoint_is_v4(endpoint) ? "%s:%u" : "[%s]:%u", ip, endpoint->port);
}

void endpoint_format_local(const struct endpoint *endpoint, char out[ENDPOINT_TEXT_BYTES])
{
	out[0] = '\0';
	if (endpoint_has_local(endpoint))
		ip_format(endpoint->local_ip, out);
}

bool endpoint_from_sockaddr(const struct sockaddr *sa, socklen_t len_bytes, struct endpoint *out)
{
	memset(out, 0, sizeof(*out));
	if (sa->sa_family == AF_INET && len_bytes >= sizeof(struct sockaddr_in)) {
		const struct sockaddr_in *in = (const void *)sa;

		memcpy(out->ip, v4_mapped, sizeof(v4_mapped));
		memcpy(out->ip + 12, &in->sin_addr, 4);
		out->port = ntohs(in->sin_port);
		return true;
	}
	if (sa->sa_family == AF_INET6 && len_bytes >= sizeof(struct sockaddr_in6)) {
		const struct sockaddr_in6 *in6 = (const void *)sa;

		memcpy(out->ip, &in6->sin6_addr, 16);
		out->port = ntohs(in6->sin6_port);
		out->scope_id = in6->sin6_scope_id;
		return true;
	}
	return false;
}

socklen_t endpoint_to_sockaddr(const struct endpoint *endpoint, int family, struct sockaddr_storage *out)
{
	memset(out, 0, sizeof(*out));
	if (family == AF_INET) {
		struct sockaddr_in *in = (void *)out;

		if (!endpoint_is_v4(endpoint))
			return 0;
		in->sin_family = AF_INET;
		in->sin_port = htons(endpoint->port);
		memcpy(&in->sin_addr, endpoint->ip + 12, 4);
		return sizeof(*in);
	}
	if (family == AF_INET6) {
		struct sockaddr_in6 *in6 = (void *)out;

		in6->sin6_family = AF_INET6;
		in6->sin6_port = htons(endpoint->port);
		in6->sin6_scope_id = endpoint->scope_id;
		memcpy(&in6->sin6_addr, endpoint->ip, 16);
		return sizeof(*in6);
	}
	return 0;
}
