/*
 * host_addresses.c - see host_addresses.h
 */
#include "controller/host_addresses.h"

#include "base/json.h"
#include "base/server_address.h"
#include "lab/limits.h"

#include <ctype.h>
#include <stdlib.h>
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

/* What is declared; a name is told as what it stood for last */
static void add_declared(json_t *out, const json_t *host)
{
	const json_t *named = json_object_get(host, "named"), *value;
	size_t i;

	add_all(out, host, "endpoints", "endpoint", PEER_ENDPOINTS_MAX);
	json_array_foreach(json_object_get(host, "endpoints"), i, value)
		add_all(out, named, json_string_value(value), NULL, PEER_ENDPOINTS_MAX);
}

json_t *host_addresses_of(const json_t *host)
{
	const size_t others = json_array_size(json_object_get(host, "witnessed")) + HOST_SEEN_MAX;
	json_t *out = json_array();

	add_declared(out, host);
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

/* One form of a name: without capitals, with its port */
static bool canonical_name(const char *text, const json_t *host, char out[SERVER_ADDRESS_TEXT_BYTES])
{
	struct server_address address;

	if (!server_address_parse(text, (uint16_t)json_int_of(host, "port"), &address) || address.numeric)
		return false;
	for (char *at = address.host; *at; at++)
		*at = (char)tolower((unsigned char)*at);
	server_address_format(&address, out);
	return true;
}

/* One of what people say, an address or a name, as it is kept */
static bool declare_one(const char *text, const struct model *model, const json_t *host, json_t *out,
	struct fault *fault)
{
	char canonical[SERVER_ADDRESS_TEXT_BYTES];
	struct endpoint endpoint;

	if (text && endpoint_parse(text, (uint16_t)json_int_of(host, "port"), &endpoint)) {
		endpoint_format(&endpoint, canonical);
		if (!check_one(model, text, &endpoint, fault))
			return false;
	} else if (!text || !canonical_name(text, host, canonical)) {
		fault_set(fault, 400, "endpoints", "must be addresses or DNS names, with or without a port");
		fault_hint(fault, "as in 198.51.100.7, [2001:db8::1]:4754 or home.example.org");
		return false;
	}
	json_array_append_new(out, json_string(canonical));
	return true;
}

/* What is known of names that are not declared any more goes; the rest stays until name servers say something else */
static void keep_named(json_t *host)
{
	json_t *before = json_incref(json_object_get(host, "named")), *after = json_object(), *names = json_object(),
	       *of;
	const char *name;

	host_addresses_names(host, names);
	json_object_foreach(before, name, of)
		if (json_object_get(names, name))
			json_object_set(after, name, of);
	if (json_object_size(after))
		json_object_set(host, "named", after);
	else
		(void)json_object_del(host, "named");
	json_decref(names);
	json_decref(after);
	json_decref(before);
}

/* Not more names than name servers may be asked for */
static bool check_names(const json_t *list, struct fault *fault)
{
	json_t *names = json_object(), *host = json_pack("{s:O}", "endpoints", list);
	size_t count;

	host_addresses_names(host, names);
	count = json_object_size(names);
	json_decref(host);
	json_decref(names);
	return count <= HOST_NAMES_MAX ||
		fault_set(fault, 400, "endpoints", "must have at most %u DNS names", HOST_NAMES_MAX);
}

bool host_addresses_declare(const json_t *list, const struct model *model, json_t *host, struct fault *fault)
{
	json_t *out = json_array();
	const json_t *value;
	bool good = true;
	size_t i;

	if (!json_is_array(list) || json_array_size(list) > PEER_ENDPOINTS_MAX)
		good = fault_set(fault, 400, "endpoints", "must be a list of at most %u addresses", PEER_ENDPOINTS_MAX);
	json_array_foreach(list, i, value)
		good = good && declare_one(json_string_value(value), model, host, out, fault);
	good = good && check_names(out, fault);
	if (good) {
		(void)json_object_del(host, "endpoint");
		json_object_set(host, "endpoints", out);
		keep_named(host);
	}
	json_decref(out);
	return good;
}

/* ---- names ------------------------------------------------------------------------------------------------- */

void host_addresses_names(const json_t *host, json_t *out)
{
	const json_t *list = json_object_get(host, "endpoints"), *value;
	struct endpoint endpoint;
	size_t i;

	json_array_foreach(list, i, value)
		if (!endpoint_parse(json_string_value(value), UDP_PORT_DEFAULT, &endpoint))
			json_object_set_new(out, json_string_value(value), json_true());
}

static int by_text(const void *a, const void *b)
{
	return strcmp(json_string_value(*(json_t *const *)a), json_string_value(*(json_t *const *)b));
}

/* Return: new: the good ones of @list, the first PEER_ENDPOINTS_MAX in their order */
static json_t *good_ones(const struct model *model, const json_t *list)
{
	const size_t count = json_array_size(list);
	json_t **sorted = calloc(count + 1, sizeof(*sorted)), *out = json_array();

	for (size_t i = 0; sorted && i < count; i++)
		sorted[i] = json_array_get(list, i);
	if (sorted)
		qsort(sorted, count, sizeof(*sorted), by_text);
	for (size_t i = 0; sorted && i < count; i++) {
		struct endpoint endpoint;

		if (read_one(NULL, sorted[i], &endpoint) && !port_with(model, &endpoint))
			add(out, NULL, sorted[i], PEER_ENDPOINTS_MAX);
	}
	free(sorted);
	return out;
}

bool host_addresses_named(json_t *host, const struct model *model, const char *name, const json_t *list)
{
	json_t *names = json_object(), *addresses = good_ones(model, list), *named;
	bool is_new;

	host_addresses_names(host, names);
	is_new = json_object_get(names, name) && json_array_size(addresses) &&
		!json_equal(addresses, json_object_get(json_object_get(host, "named"), name));
	if (is_new) {
		/* the model's copy is shared */
		named = json_copy(json_object_get(host, "named"));
		named = named ? named : json_object();
		json_object_set(named, name, addresses);
		json_object_set_new(host, "named", named);
	}
	json_decref(names);
	json_decref(addresses);
	return is_new;
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
