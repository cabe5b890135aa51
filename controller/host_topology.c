/*
 * host_topology.c - see host_topology.h
 */
#include "controller/host_topology.h"

#include "base/addr.h"
#include "base/json.h"

#include <stdlib.h>
#include <string.h>

/* One document growing */
struct document {
	const struct model *model;
	const char *host;
	json_t *networks, *ports, *remote_ports;
	json_t *hosts; /* {name: host} that share a network */
	json_t *seen;  /* network ids that are in */
};

static int by_order(const void *a, const void *b)
{
	const json_t *x = *(const json_t *const *)a, *y = *(const json_t *const *)b;
	json_int_t x_id = json_int_of(x, "id"), y_id = json_int_of(y, "id");

	if (x_id != y_id)
		return x_id < y_id ? -1 : 1;
	if (json_is_string(x))
		return strcmp(json_string_value(x), json_string_value(y));
	return x_id ? 0 : strcmp(json_text_of(x, "name"), json_text_of(y, "name"));
}

/* By id where items have one, by name otherwise; texts as texts.  Consumes @list; NULL where memory is short. */
static json_t *sorted(json_t *list)
{
	size_t count = json_array_size(list);
	json_t **items = calloc(count + 1, sizeof(*items)), *out = json_array();

	for (size_t i = 0; items && i < count; i++)
		items[i] = json_array_get(list, i);
	if (items)
		qsort(items, count, sizeof(*items), by_order);
	for (size_t i = 0; items && i < count; i++)
		json_array_append(out, items[i]);
	free(items);
	json_decref(list);
	return out;
}

bool host_topology_endpoint(const json_t *host, char *out, size_t cap_bytes)
{
	const char *declared = json_text_of(host, "endpoint"), *seen = json_text_of(host, "address");
	char text[ENDPOINT_TEXT_BYTES];
	struct endpoint endpoint;

	if (!declared && !seen)
		return false;
	if (!endpoint_parse(declared ? declared : seen, (uint16_t)json_int_of(host, "port"), &endpoint))
		return false;
	endpoint_format(&endpoint, text);
	return (size_t)snprintf(out, cap_bytes, "%s", text) < cap_bytes;
}

static json_t *copy_members(const json_t *from, const char *const *keys)
{
	json_t *out = json_object();

	for (size_t i = 0; keys[i]; i++) {
		json_t *value = json_object_get(from, keys[i]);

		if (value)
			json_object_set(out, keys[i], value);
	}
	return out;
}

static json_t *port_item(const json_t *port, bool own)
{
	static const char *const own_keys[] = { "id", "lab", "name", "attach", "create", "mac", "ip", "vlan", NULL };
	static const char *const remote_keys[] = { "id", "lab", "name", "host", "mac", "ip", NULL };
	json_t *out = copy_members(port, own ? own_keys : remote_keys);

	json_object_set(out, "network", json_object_get(port, "network_id"));
	return out;
}

static json_t *host_item(const json_t *host)
{
	static const char *const keys[] = { "name", "tunnel_key", "tunnel_sig", "certificate", NULL };
	char endpoint[ENDPOINT_TEXT_BYTES];
	json_t *out = copy_members(host, keys), *endpoints = json_array();

	if (host_topology_endpoint(host, endpoint, sizeof(endpoint)))
		json_array_append_new(endpoints, json_string(endpoint));
	json_object_set_new(out, "endpoints", endpoints);
	return out;
}

static bool revoked(const json_t *host)
{
	return !host || json_is_true(json_object_get(host, "revoked"));
}

/* All ports of a network; @others: {name: true} of the other hosts on it */
static void add_ports(struct document *d, uint32_t network_id, json_t *others)
{
	const char *key;
	json_t *port;

	json_object_foreach((json_t *)model_network_ports(d->model, network_id), key, port) {
		const char *name = json_text_of(port, "host");
		const json_t *host = model_host(d->model, name);

		if (strcmp(name, d->host) == 0) {
			json_array_append_new(d->ports, port_item(port, true));
		} else if (!revoked(host)) {
			json_array_append_new(d->remote_ports, port_item(port, false));
			json_object_set(others, name, (json_t *)host);
			json_object_set(d->hosts, name, (json_t *)host);
		}
	}
}

static void add_network(struct document *d, uint32_t id)
{
	static const char *const keys[] = { "id", "lab", "name", "mode", "mtu", "fragment", "pass", NULL };
	json_t *others = json_object(), *names = json_array(), *host, *network;
	const char *name;

	add_ports(d, id, others);
	json_object_foreach(others, name, host)
		json_array_append_new(names, json_string(name));
	network = copy_members(model_network_by_id(d->model, id), keys);
	json_object_set_new(network, "hosts", sorted(names));
	json_array_append_new(d->networks, network);
	json_decref(others);
}

static void fill(struct document *d)
{
	const char *key;
	json_t *port;

	d->networks = json_array();
	d->ports = json_array();
	d->remote_ports = json_array();
	d->hosts = json_object();
	d->seen = json_object();
	json_object_foreach((json_t *)model_host_ports(d->model, d->host), key, port) {
		const char *network = json_text_of(port, "network"), *lab = json_text_of(port, "lab");
		char name[2 * LAB_NAME_MAX + 2];

		snprintf(name, sizeof(name), "%s/%s", lab, network);
		if (json_object_get(d->seen, name))
			continue;
		json_object_set_new(d->seen, name, json_true());
		add_network(d, (uint32_t)json_int_of(port, "network_id"));
	}
	json_decref(d->seen);
}

json_t *host_topology_of(const struct model *model, const char *host)
{
	struct document d = { .model = model, .host = host };
	json_t *hosts = json_array(), *value;
	const char *name;

	if (!model_host(model, host)) {
		json_decref(hosts);
		return NULL;
	}
	fill(&d);
	json_object_foreach(d.hosts, name, value)
		json_array_append_new(hosts, host_item(value));
	json_decref(d.hosts);
	return json_pack("{s:O, s:s, s:o, s:o, s:o, s:o}", "fabric", json_object_get(model_fabric(model), "name"),
		"host", host, "networks", sorted(d.networks), "ports", sorted(d.ports), "remote_ports",
		sorted(d.remote_ports), "hosts", sorted(hosts));
}

json_t *host_topology_neighbours(const struct model *model, const char *host)
{
	struct document d = { .model = model, .host = host };
	json_t *names = json_array(), *value;
	const char *name;

	fill(&d);
	json_object_foreach(d.hosts, name, value)
		json_array_append_new(names, json_string(name));
	json_decref(d.networks);
	json_decref(d.ports);
	json_decref(d.remote_ports);
	json_decref(d.hosts);
	return sorted(names);
}
