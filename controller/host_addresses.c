/*
 * host_addresses.c - see host_addresses.h
 */
#include "controller/host_addresses.h"

#include "base/json.h"
#include "lab/limits.h"

#include <string.h>

/* An IP address or an endpoint, as one; false where it is none, or of no use to others */
static bool read_one(const json_t *host, const json_t *value, struct endpoint *out)
{
	const char *text = json_string_value(value);

	return text && endpoint_parse(text, (uint16_t)json_int_of(host, "port"), out) && !endpoint_unusable(out);
}

static void add(json_t *out, const json_t *host, const json_t *value, size_t max)
{
	char text[ENDPOINT_TEXT_BYTES];
	struct endpoint endpoint;
	json_t *item;
	size_t i;

	if (!value || json_array_size(out) >= max || !read_one(host, value, &endpoint))
		return;
	endpoint_format(&endpoint, text);
	json_array_foreach(out, i, item)
		if (strcmp(json_string_value(item), text) == 0)
			return;
	json_array_append_new(out, json_string(text));
}

/* The list @key, or the one that @before names, up to @max in all */
static void add_all(json_t *out, const json_t *host, const char *key, const char *before, size_t max)
{
	const json_t *list = json_object_get(host, key), *value;
	size_t i;

	if (!list && before)
		add(out, host, json_object_get(host, before), max);
	json_array_foreach(list, i, value)
		add(out, host, value, max);
}

json_t *host_addresses_of(const json_t *host)
{
	const size_t others = json_array_size(json_object_get(host, "witnessed")) + HOST_SEEN_MAX;
	json_t *out = json_array();

	add_all(out, host, "endpoints", "endpoint", PEER_ENDPOINTS_MAX);
	add_all(out, host, "addresses", NULL, PEER_ENDPOINTS_MAX - others);
	add_all(out, host, "seen", "address", PEER_ENDPOINTS_MAX);
	add_all(out, host, "witnessed", NULL, PEER_ENDPOINTS_MAX);
	return out;
}

bool host_addresses_declared(const json_t *host)
{
	return json_object_get(host, "endpoint") || json_array_size(json_object_get(host, "endpoints"));
}

/* ---- by people --------------------------------------------------------------------------------------------- */

/* A port with that address; borrowed, NULL where there is none */
static const json_t *port_with(const struct model *model, const struct endpoint *endpoint)
{
	const json_t *port, *ip;
	const char *key;
	size_t i;

	json_object_foreach((json_t *)model_all(model, MODEL_PORT), key, port) {
		json_array_foreach(json_object_get(port, "ip"), i, ip) {
			struct endpoint its;

			if (endpoint_parse(json_string_value(ip), 1, &its) &&
				memcmp(its.ip, endpoint->ip, IP_BYTES) == 0)
				return port;
		}
	}
	return NULL;
}

static bool check_one(const struct model *model, const char *text, const struct endpoint *endpoint, struct fault *fault)
{
	const char *why = endpoint_unusable(endpoint);
	const json_t *port = port_with(model, endpoint);

	if (why) {
		fault_set(fault, 400, "endpoints", "%s: %s, at which no other host reaches this one", text, why);
		fault_hint(fault, "give an address of the network between the hosts, or none: agents tell theirs");
		return false;
	}
	if (port) {
		fault_set(fault, 400, "endpoints",
			"%s: the address of port %s of lab %s, whose frames it would have to carry", text,
			json_text_of(port, "name"), json_text_of(port, "lab"));
		fault_hint(fault, "give an address of the network between the hosts, or none: agents tell theirs");
		return false;
	}
	return true;
}

bool host_addresses_declare(const json_t *list, const struct model *model, json_t *host, struct fault *fault)
{
	json_t *out = json_array();
	const json_t *value;
	bool good = true;
	size_t i;

	if (!json_is_array(list) || json_array_size(list) > PEER_ENDPOINTS_MAX)
		good = fault_set(fault, 400, "endpoints", "must be a list of at most %u addresses", PEER_ENDPOINTS_MAX);
	json_array_foreach(list, i, value) {
		const char *text = json_string_value(value);
		char canonical[ENDPOINT_TEXT_BYTES];
		struct endpoint endpoint;

		if (good && (!text || !endpoint_parse(text, (uint16_t)json_int_of(host, "port"), &endpoint))) {
			good = fault_set(fault, 400, "endpoints", "must be numeric addresses, with or without a port");
			fault_hint(fault, "as in 198.51.100.7 or [2001:db8::1]:4754");
		}
		good = good && check_one(model, text, &endpoint, fault);
		if (!good)
			break;
		endpoint_format(&endpoint, canonical);
		json_array_append_new(out, json_string(canonical));
	}
	if (good) {
		(void)json_object_del(host, "endpoint");
		json_object_set(host, "endpoints", out);
	}
	json_decref(out);
	return good;
}

/* ---- learnt ------------------------------------------------------------------------------------------------ */

json_t *host_addresses_reported(const json_t *list)
{
	json_t *out = json_array();
	const json_t *value;
	size_t i;

	json_array_foreach(list, i, value)
		add(out, NULL, value, PEER_ENDPOINTS_MAX);
	return out;
}

bool host_addresses_report(json_t *host, json_t *addresses)
{
	const json_t *known = json_object_get(host, "addresses");

	if (known ? json_equal(known, addresses) : json_array_size(addresses) == 0)
		return false;
	return json_object_set(host, "addresses", addresses) == 0;
}

/* Is @text in @list?  As it was given, or without its default port */
static bool has(const json_t *list, const char *text)
{
	const json_t *item;
	size_t i;

	json_array_foreach(list, i, item)
		if (strcmp(json_string_value(item), text) == 0)
			return true;
	return false;
}

/* @text before those that @host has at @key, of which HOST_SEEN_MAX stay in all */
static bool put_first(json_t *host, const char *key, const char *text)
{
	json_t *out = json_pack("[s]", text), *value;
	size_t i;

	json_array_foreach(json_object_get(host, key), i, value)
		if (json_array_size(out) < HOST_SEEN_MAX)
			json_array_append(out, value);
	return json_object_set_new(host, key, out) == 0;
}

bool host_addresses_seen(json_t *host, const struct endpoint *from)
{
	struct endpoint without_port = *from;
	char text[ENDPOINT_TEXT_BYTES];
	json_t *before = json_object_get(host, "address");

	if (host_addresses_declared(host) || endpoint_unusable(from))
		return false;
	memcpy(without_port.local_ip, from->ip, IP_BYTES);
	endpoint_format_local(&without_port, text);
	if (!json_object_get(host, "seen") && before)
		json_object_set_new(host, "seen", json_pack("[O]", before));
	if (has(json_object_get(host, "seen"), text))
		return false;
	(void)json_object_del(host, "address");
	return put_first(host, "seen", text);
}

bool host_addresses_witness(json_t *host, const char *endpoint)
{
	json_t *known = host_addresses_of(host);
	struct endpoint parsed;
	char text[ENDPOINT_TEXT_BYTES];
	bool is_new = endpoint_parse(endpoint, 0, &parsed) && !endpoint_unusable(&parsed);

	if (is_new) {
		endpoint_format(&parsed, text);
		is_new = !has(known, text) && !has(json_object_get(host, "witnessed"), text);
	}
	json_decref(known);
	return is_new && put_first(host, "witnessed", text);
}
