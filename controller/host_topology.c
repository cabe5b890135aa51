/*
 * host_topology.c - see host_topology.h
 */
#include "controller/host_topology.h"

#include "base/json.h"
#include "controller/host_addresses.h"
#include "lab/topology.h"

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

static int by_text(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* The keys of @hosts, sorted: a new list */
static json_t *names_of(json_t *hosts)
{
	const char **names = calloc(json_object_size(hosts) + 1, sizeof(*names)), *name;
	json_t *out = json_array(), *unused;
	size_t count = 0;

	json_object_foreach(hosts, name, unused) {
		if (names)
			names[count++] = name;
	}
	if (names)
		qsort(names, count, sizeof(*names), by_text);
	for (size_t i = 0; i < count; i++)
		json_array_append_new(out, json_string(names[i]));
	free(names);
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
			json_array_append_new(d->ports, topology_port_part(port, true));
		} else if (!revoked(host)) {
			json_array_append_new(d->remote_ports, topology_port_part(port, false));
			json_object_set(others, name, (json_t *)host);
			json_object_set(d->hosts, name, (json_t *)host);
		}
	}
}

static void add_network(struct document *d, uint32_t id)
{
	json_t *others = json_object();

	add_ports(d, id, others);
	json_array_append_new(d->networks, topology_network_part(model_network_by_id(d->model, id), names_of(others)));
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
		json_array_append_new(hosts, topology_host_part(value, host_addresses_of(value)));
	json_decref(d.hosts);
	return topology_document(json_text_of(model_fabric(model), "name"), host, hosts, d.networks, d.ports,
		d.remote_ports);
}

json_t *host_topology_neighbours(const struct model *model, const char *host)
{
	struct document d = { .model = model, .host = host };
	json_t *names;

	fill(&d);
	names = names_of(d.hosts);
	json_decref(d.networks);
	json_decref(d.ports);
	json_decref(d.remote_ports);
	json_decref(d.hosts);
	return names;
}
