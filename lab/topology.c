/*
 * topology.c - see topology.h
 */
#include "lab/topology.h"

#include "base/json.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* One topology_decode() at work */
struct reading {
	struct topology *topology;
	struct fault *fault;
	json_t *host_index; /* name -> its place in the topology's hosts */
};

/* A place in a list: "hosts[3]" */
struct place {
	char text[40];
};

static struct place place_in(const char *list, size_t i)
{
	struct place place;

	snprintf(place.text, sizeof(place.text), "%s[%zu]", list, i);
	return place;
}

static bool wrong(const struct reading *r, const char *where, const char *key, const char *text)
{
	return value_fault(&(struct value_in){ .parent = where, .key = key, .fault = r->fault }, "", "%s", text);
}

/* ---- single members -------------------------------------------------------------------------------------------- */

/* A member that may be absent, or null, which is the same */
static const json_t *member(const json_t *object, const char *key)
{
	const json_t *value = json_object_get(object, key);

	return json_is_null(value) ? NULL : value;
}

static bool read_name(const struct reading *r, const json_t *object, const char *where, const char *key,
	char out[LAB_NAME_BYTES])
{
	const struct value_in in = { .parent = where, .key = key, .fault = r->fault };
	const json_t *value = member(object, key);

	return value ? value_type_name.decode(&in, value, out) : value_fault(&in, "", "is missing");
}

static bool read_id(const struct reading *r, const json_t *object, const char *where, const char *key, uint32_t max,
	uint32_t *out)
{
	const struct value_in in = { .parent = where, .key = key, .range = BETWEEN(0, max, 0), .fault = r->fault };
	const json_t *value = member(object, key);

	return value ? value_type_number.decode(&in, value, out) : value_fault(&in, "", "is missing");
}

static bool read_text(const struct reading *r, const json_t *object, const char *where, const char *key, char **out)
{
	const char *text = json_text_of(object, key);

	if (!text)
		return wrong(r, where, key, "is missing, or no text");
	*out = strdup(text);
	return *out || fault_set(r->fault, 503, "", "out of memory");
}

/* The list under @key; NULL where it is absent or empty, or @max is passed, and the fault set.  @items: zeroed room */
static const json_t *read_list(const struct reading *r, const json_t *object, const char *where, const char *key,
	size_t max, void **items, size_t item_bytes)
{
	const struct value_in in = { .parent = where, .key = key, .fault = r->fault };
	const json_t *list = member(object, key);
	const size_t count = json_array_size(list);

	*items = NULL;
	if (list && !json_is_array(list))
		value_fault(&in, "", "%s, must be a list", value_kind(list));
	else if (count > max)
		value_fault(&in, "", "has %zu entries, at most %zu are served", count, max);
	else if (count > 0)
		*items = calloc(count, item_bytes);
	if (count > 0 && !*items)
		fault_set(r->fault, 503, "", "out of memory");
	return *items ? list : NULL;
}

/* ---- hosts ----------------------------------------------------------------------------------------------------- */

static bool read_endpoints(const struct reading *r, const json_t *item, const char *where, struct topology_host *out)
{
	const json_t *list = member(item, "endpoints");

	if (list && !json_is_array(list))
		return wrong(r, where, "endpoints", "must be a list");
	for (size_t i = 0; i < json_array_size(list) && out->endpoints_count < PEER_ENDPOINTS_MAX; i++) {
		const char *text = json_string_value(json_array_get(list, i));

		if (!text || !endpoint_parse(text, UDP_PORT_DEFAULT, &out->endpoints[out->endpoints_count]))
			return wrong(r, where, "endpoints", "has an entry that is no address");
		out->endpoints_count++;
	}
	return true;
}

static bool read_host(const struct reading *r, const json_t *item, const char *where, struct topology_host *out)
{
	json_t *index;

	if (!read_name(r, item, where, "name", out->name) || !read_endpoints(r, item, where, out) ||
		!read_text(r, item, where, "tunnel_key", &out->tunnel_key) ||
		!read_text(r, item, where, "tunnel_sig", &out->tunnel_sig) ||
		!read_text(r, item, where, "certificate", &out->certificate))
		return false;
	if (!lab_name_ok(out->name))
		return wrong(r, where, "name", "is no host name");
	if (json_object_get(r->host_index, out->name))
		return wrong(r, where, "name", "is there twice");
	if (strcmp(out->name, r->topology->host) == 0)
		return wrong(r, where, "name", "is this host itself");
	index = json_integer((json_int_t)(out - r->topology->hosts));
	return json_object_set_new(r->host_index, out->name, index) == 0 ||
		fault_set(r->fault, 503, "", "out of memory");
}

static bool read_hosts(const struct reading *r, const json_t *document)
{
	const json_t *list = read_list(r, document, "", "hosts", PEERS_MAX, (void **)&r->topology->hosts,
		sizeof(*r->topology->hosts));

	for (size_t i = 0; i < json_array_size(list); i++) {
		const struct place place = place_in("hosts", i);

		r->topology->hosts_count++;
		if (!read_host(r, json_array_get(list, i), place.text, &r->topology->hosts[i]))
			return false;
	}
	return !r->fault->status;
}

static uint32_t host_index(const struct reading *r, const char *name)
{
	const json_t *index = name ? json_object_get(r->host_index, name) : NULL;

	return index ? (uint32_t)json_integer_value(index) : UINT32_MAX;
}

/* ---- networks -------------------------------------------------------------------------------------------------- */

static bool read_members(const struct reading *r, const json_t *item, const char *where, struct topology_network *out)
{
	const json_t *list = read_list(r, item, where, "hosts", PEERS_MAX, (void **)&out->hosts, sizeof(*out->hosts));

	for (size_t i = 0; i < json_array_size(list); i++) {
		uint32_t host = host_index(r, json_string_value(json_array_get(list, i)));

		if (host == UINT32_MAX)
			return wrong(r, where, "hosts", "names a host that the document does not have");
		out->hosts[out->hosts_count++] = host;
	}
	return !r->fault->status;
}

static bool read_network(const struct reading *r, const json_t *item, const char *where, struct topology_network *out)
{
	struct lab_network *network = &out->network;

	if (!read_id(r, item, where, "id", NETWORK_ID_MAX, &network->id) ||
		!read_name(r, item, where, "lab", network->lab) || !read_name(r, item, where, "name", network->name) ||
		!attributes_decode(&network_attributes, item, IN_AGENT, false, where, network, r->fault))
		return false;
	for (const struct topology_network *other = r->topology->networks; other < out; other++)
		if (other->network.id == network->id)
			return wrong(r, where, "id", "is there twice");
	return read_members(r, item, where, out);
}

static bool read_networks(const struct reading *r, const json_t *document)
{
	const json_t *list = read_list(r, document, "", "networks", NETWORKS_MAX, (void **)&r->topology->networks,
		sizeof(*r->topology->networks));

	for (size_t i = 0; i < json_array_size(list); i++) {
		const struct place place = place_in("networks", i);

		lab_network_init(&r->topology->networks[i].network);
		r->topology->networks_count++;
		if (!read_network(r, json_array_get(list, i), place.text, &r->topology->networks[i]))
			return false;
	}
	return !r->fault->status;
}

/* ---- ports ----------------------------------------------------------------------------------------------------- */

static bool read_port(const struct reading *r, const json_t *item, const char *where, unsigned int document,
	struct lab_port *out)
{
	const struct topology_network *network;

	if (!read_id(r, item, where, "id", UINT32_MAX, &out->id) ||
		!read_id(r, item, where, "network", NETWORK_ID_MAX, &out->network_id) ||
		!read_name(r, item, where, "lab", out->lab) || !read_name(r, item, where, "name", out->name) ||
		!attributes_decode(&port_attributes, item, document, false, where, out, r->fault))
		return false;
	network = topology_network(r->topology, out->network_id);
	if (!network)
		return wrong(r, where, "network", "is not one of the document's");
	memcpy(out->network, network->network.name, sizeof(out->network));
	return true;
}

static bool read_ports(const struct reading *r, const json_t *document)
{
	const json_t *list = read_list(r, document, "", "ports", PORTS_MAX, (void **)&r->topology->ports,
		sizeof(*r->topology->ports));

	for (size_t i = 0; i < json_array_size(list); i++) {
		struct lab_port *port = &r->topology->ports[i];
		const struct place place = place_in("ports", i);

		lab_port_init(port);
		r->topology->ports_count++;
		if (!read_port(r, json_array_get(list, i), place.text, IN_AGENT, port))
			return false;
		memcpy(port->host, r->topology->host, sizeof(port->host));
		for (const struct lab_port *other = r->topology->ports; other < port; other++)
			if (other->id == port->id)
				return wrong(r, place.text, "id", "is there twice");
	}
	return !r->fault->status;
}

static bool read_remotes(const struct reading *r, const json_t *document)
{
	const json_t *list = read_list(r, document, "", "remote_ports", REMOTE_PORTS_MAX,
		(void **)&r->topology->remotes, sizeof(*r->topology->remotes));

	if (list)
		r->topology->remote_hosts = calloc(json_array_size(list), sizeof(*r->topology->remote_hosts));
	if (list && !r->topology->remote_hosts)
		return fault_set(r->fault, 503, "", "out of memory");
	for (size_t i = 0; i < json_array_size(list); i++) {
		struct lab_port *port = &r->topology->remotes[i];
		const struct place place = place_in("remote_ports", i);

		lab_port_init(port);
		r->topology->remotes_count++;
		if (!read_port(r, json_array_get(list, i), place.text, IN_REMOTE, port))
			return false;
		r->topology->remote_hosts[i] = host_index(r, port->host);
		if (r->topology->remote_hosts[i] == UINT32_MAX)
			return wrong(r, place.text, "host", "is not one of the document's");
	}
	return !r->fault->status;
}

/* ---- a whole document -------------------------------------------------------------------------------------------- */

static bool read_hash(const struct reading *r, const json_t *document)
{
	const json_t *value = member(document, "hash");
	const char *text = json_string_value(value);

	if (!value)
		return true;
	if (!text || !*text || strlen(text) >= TOPOLOGY_HASH_BYTES || strspn(text, "0123456789abcdef") != strlen(text))
		return wrong(r, "", "hash", "is no hash");
	memcpy(r->topology->hash, text, strlen(text) + 1);
	return true;
}

static bool read_all(const struct reading *r, const json_t *document, const char *host)
{
	struct topology *t = r->topology;
	const json_t *rev = member(document, "rev");

	if (!json_is_object(document))
		return fault_set(r->fault, 400, "", "is not a JSON object");
	if (!json_is_integer(rev) || json_integer_value(rev) < 0)
		return wrong(r, "", "rev", "is missing, or no revision");
	t->rev = (uint64_t)json_integer_value(rev);
	if (!read_name(r, document, "", "host", t->host))
		return false;
	if (strcmp(t->host, host) != 0)
		return wrong(r, "", "host", "is another host's name");
	if (member(document, "fabric") && !read_name(r, document, "", "fabric", t->fabric))
		return false;
	return read_hash(r, document) && read_hosts(r, document) && read_networks(r, document) &&
		read_ports(r, document) && read_remotes(r, document);
}

int topology_decode(const json_t *document, const char *host, struct topology *out, struct error *error)
{
	struct fault fault = { .status = 0 };
	struct reading r = { out, &fault, json_object() };
	bool ok;

	memset(out, 0, sizeof(*out));
	ok = read_all(&r, document, host);
	json_decref(r.host_index);
	if (ok)
		return 0;
	topology_fini(out);
	error_set(error, "topology%s%s: %s%s%s", *fault.where ? ": " : "", fault.where, fault.message,
		*fault.hint ? "; " : "", fault.hint);
	return fault.status == 503 ? -ENOMEM : -EINVAL;
}

void topology_fini(struct topology *topology)
{
	for (uint32_t i = 0; i < topology->hosts_count; i++) {
		free(topology->hosts[i].tunnel_key);
		free(topology->hosts[i].tunnel_sig);
		free(topology->hosts[i].certificate);
	}
	for (uint32_t i = 0; i < topology->networks_count; i++) {
		lab_network_fini(&topology->networks[i].network);
		free(topology->networks[i].hosts);
	}
	for (uint32_t i = 0; i < topology->ports_count; i++)
		lab_port_fini(&topology->ports[i]);
	for (uint32_t i = 0; i < topology->remotes_count; i++)
		lab_port_fini(&topology->remotes[i]);
	free(topology->hosts);
	free(topology->networks);
	free(topology->ports);
	free(topology->remotes);
	free(topology->remote_hosts);
	memset(topology, 0, sizeof(*topology));
}

const struct topology_network *topology_network(const struct topology *topology, uint32_t id)
{
	for (uint32_t i = 0; i < topology->networks_count; i++)
		if (topology->networks[i].network.id == id)
			return &topology->networks[i];
	return NULL;
}

uint32_t topology_host(const struct topology *topology, const char *name)
{
	for (uint32_t i = 0; i < topology->hosts_count; i++)
		if (strcmp(topology->hosts[i].name, name) == 0)
			return i;
	return UINT32_MAX;
}

/* ---- out --------------------------------------------------------------------------------------------------------- */

json_t *topology_port_part(const json_t *item, bool own)
{
	json_t *out = json_object();

	json_object_set(out, "id", json_object_get(item, "id"));
	json_object_set(out, "lab", json_object_get(item, "lab"));
	json_object_set(out, "name", json_object_get(item, "name"));
	json_object_set(out, "network", json_object_get(item, "network_id"));
	attributes_copy(&port_attributes, item, own ? IN_AGENT : IN_REMOTE, out);
	return out;
}

json_t *topology_network_part(const json_t *item, json_t *hosts)
{
	json_t *out = json_object();

	json_object_set(out, "id", json_object_get(item, "id"));
	json_object_set(out, "lab", json_object_get(item, "lab"));
	json_object_set(out, "name", json_object_get(item, "name"));
	json_object_set_new(out, "hosts", hosts);
	attributes_copy(&network_attributes, item, IN_AGENT, out);
	return out;
}

json_t *topology_host_part(const json_t *item, json_t *endpoints)
{
	static const char *const keys[] = { "name", "tunnel_key", "tunnel_sig", "certificate" };
	json_t *out = json_object();

	for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++) {
		json_t *value = json_object_get(item, keys[i]);

		if (value)
			json_object_set(out, keys[i], value);
	}
	json_object_set_new(out, "endpoints", endpoints);
	return out;
}

static int by_order(const void *a, const void *b)
{
	const json_t *x = *(const json_t *const *)a, *y = *(const json_t *const *)b;
	json_int_t x_id = json_int_of(x, "id"), y_id = json_int_of(y, "id");

	if (x_id != y_id)
		return x_id < y_id ? -1 : 1;
	return x_id ? 0 : strcmp(json_text_of(x, "name"), json_text_of(y, "name"));
}

/* Consumes @list; NULL where memory is short */
static json_t *sorted(json_t *list)
{
	size_t count = json_array_size(list);
	json_t **items = calloc(count + 1, sizeof(*items)), *out = items ? json_array() : NULL;

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

json_t *topology_document(const char *fabric, const char *host, json_t *hosts, json_t *networks, json_t *ports,
	json_t *remotes)
{
	return json_pack("{s:s*, s:s, s:o, s:o, s:o, s:o}", "fabric", fabric, "host", host, "hosts", sorted(hosts),
		"networks", sorted(networks), "ports", sorted(ports), "remote_ports", sorted(remotes));
}

static json_t *host_part_of(const struct topology_host *host)
{
	json_t *endpoints = json_array(), *out;

	for (uint32_t i = 0; i < host->endpoints_count; i++) {
		char text[ENDPOINT_TEXT_BYTES];

		endpoint_format(&host->endpoints[i], text);
		json_array_append_new(endpoints, json_string(text));
	}
	out = json_pack("{s:s, s:s, s:s, s:s}", "name", host->name, "tunnel_key", host->tunnel_key, "tunnel_sig",
		host->tunnel_sig, "certificate", host->certificate);
	json_object_set_new(out, "endpoints", endpoints);
	return out;
}

static json_t *network_part_of(const struct topology *topology, const struct topology_network *network)
{
	json_t *item = lab_network_item(&network->network), *hosts = json_array(), *out;

	for (uint32_t i = 0; i < network->hosts_count; i++)
		json_array_append_new(hosts, json_string(topology->hosts[network->hosts[i]].name));
	out = topology_network_part(item, hosts);
	json_decref(item);
	return out;
}

static json_t *port_part_of(const struct lab_port *port, bool own)
{
	json_t *item = lab_port_item(port), *out = topology_port_part(item, own);

	json_decref(item);
	return out;
}

json_t *topology_encode(const struct topology *t)
{
	json_t *hosts = json_array(), *networks = json_array(), *ports = json_array(), *remotes = json_array(), *out;

	for (uint32_t i = 0; i < t->hosts_count; i++)
		json_array_append_new(hosts, host_part_of(&t->hosts[i]));
	for (uint32_t i = 0; i < t->networks_count; i++)
		json_array_append_new(networks, network_part_of(t, &t->networks[i]));
	for (uint32_t i = 0; i < t->ports_count; i++)
		json_array_append_new(ports, port_part_of(&t->ports[i], true));
	for (uint32_t i = 0; i < t->remotes_count; i++)
		json_array_append_new(remotes, port_part_of(&t->remotes[i], false));
	out = topology_document(*t->fabric ? t->fabric : NULL, t->host, hosts, networks, ports, remotes);
	if (out)
		json_object_set_new(out, "rev", json_integer((json_int_t)t->rev));
	if (out && *t->hash)
		json_object_set_new(out, "hash", json_string(t->hash));
	return out;
}
