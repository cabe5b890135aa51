/*
 * lab_document.c - see lab_document.h
 */
#include "lab/lab_document.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* One lab_decode() at work */
struct reading {
	struct lab *lab; /* its arrays have room for all that the document has */
	struct fault *fault;
};

static struct value_in at(const struct reading *r, const char *where)
{
	return (struct value_in){ .parent = where, .key = "", .fault = r->fault };
}

static bool read_name(const struct reading *r, const char *section, const char *name, size_t max, char *out)
{
	char where[VALUE_WHERE_BYTES];

	if (lab_name_ok(name) && strlen(name) <= max) {
		memcpy(out, name, strlen(name) + 1);
		return true;
	}
	snprintf(where, sizeof(where), "%s.%.200s", section, name);
	fault_set(r->fault, 400, where, "this name is not possible");
	fault_hint(r->fault, "lower-case letters, digits and '-' in between, at most %zu", max);
	return false;
}

static struct lab_network *next_network(const struct reading *r)
{
	struct lab_network *network = &r->lab->networks[r->lab->networks_count++];

	lab_network_init(network);
	memcpy(network->lab, r->lab->name, sizeof(network->lab));
	return network;
}

static struct lab_port *next_port(const struct reading *r)
{
	struct lab_port *port = &r->lab->ports[r->lab->ports_count++];

	lab_port_init(port);
	memcpy(port->lab, r->lab->name, sizeof(port->lab));
	return port;
}

static bool read_network(const struct reading *r, const char *name, const json_t *in)
{
	struct lab_network *network = next_network(r);
	char where[VALUE_WHERE_BYTES];
	struct value_in mode;

	if (!read_name(r, "networks", name, LAB_NAME_MAX, network->name))
		return false;
	snprintf(where, sizeof(where), "networks.%s", name);
	if (json_is_null(in)) /* "mgmt:" alone is a network with every default */
		return true;
	if (!json_is_object(in))
		return fault_set(r->fault, 400, where, "%s, must be an object, as in { mtu: 1500 }", value_kind(in));
	if (!attributes_decode(&network_attributes, in, IN_LAB, true, where, network, r->fault))
		return false;
	mode = at(r, where);
	mode.key = "mode";
	if (network->mode == NETWORK_WIRE) {
		value_fault(&mode, "", "a wire is no network of its own");
		fault_hint(r->fault, "write it under `wires`, with its two ends");
		return false;
	}
	if (network->mode == NETWORK_SWITCH || !json_object_get(in, "pass"))
		return true;
	mode.key = "pass";
	value_fault(&mode, "", "a hub passes every control protocol as it is");
	fault_hint(r->fault, "leave it out, or make the network a switch");
	return false;
}

static bool read_port(const struct reading *r, const char *name, const json_t *in)
{
	struct lab_port *port = next_port(r);
	char where[VALUE_WHERE_BYTES];

	if (!read_name(r, "ports", name, LAB_NAME_MAX, port->name))
		return false;
	snprintf(where, sizeof(where), "ports.%s", name);
	if (!json_is_object(in))
		return fault_set(r->fault, 400, where, "%s, must be an object with host, network and attach",
			value_kind(in));
	return attributes_decode(&port_attributes, in, IN_LAB, true, where, port, r->fault);
}

static bool read_wire(const struct reading *r, const char *name, const json_t *in)
{
	struct lab_network *network = next_network(r);
	char where[VALUE_WHERE_BYTES];

	if (!read_name(r, "wires", name, LAB_WIRE_NAME_MAX, network->name))
		return false;
	lab_network_set_wire(network);
	if (json_array_size(in) != 2) {
		snprintf(where, sizeof(where), "wires.%s", name);
		fault_set(r->fault, 400, where, "a wire is a list of exactly two ends");
		fault_hint(r->fault, "write [ { host: a, attach: \"packet:x\" }, { host: b, attach: \"packet:y\" } ]");
		return false;
	}
	for (unsigned int i = 0; i < 2; i++) {
		const json_t *end = json_array_get(in, i);
		struct lab_port *port = next_port(r);

		port->end = i + 1;
		snprintf(port->name, sizeof(port->name), "%.61s-%u", name, port->end);
		memcpy(port->network, network->name, sizeof(port->network));
		snprintf(where, sizeof(where), "wires.%s[%u]", name, i);
		if (!json_is_object(end))
			return fault_set(r->fault, 400, where, "%s, must be an object with host and attach",
				value_kind(end));
		if (!attributes_decode(&port_attributes, end, IN_END, true, where, port, r->fault))
			return false;
	}
	return true;
}

static bool read_section(const struct reading *r, const json_t *in, const char *section,
	bool (*read)(const struct reading *r, const char *name, const json_t *in))
{
	json_t *members = json_object_get(in, section), *value;
	const char *name;

	if (!members || json_is_null(members))
		return true;
	if (!json_is_object(members))
		return fault_set(r->fault, 400, section, "%s, must be an object of names", value_kind(members));
	json_object_foreach(members, name, value) {
		if (!read(r, name, value))
			return false;
	}
	return true;
}

static bool make_room(struct lab *lab, const json_t *in, struct fault *fault)
{
	const size_t wires = json_object_size(json_object_get(in, "wires"));
	const size_t networks = json_object_size(json_object_get(in, "networks")) + wires;
	const size_t ports = json_object_size(json_object_get(in, "ports")) + 2 * wires;

	lab->networks = calloc(networks + 1, sizeof(*lab->networks));
	lab->ports = calloc(ports + 1, sizeof(*lab->ports));
	return (lab->networks && lab->ports) || fault_set(fault, 503, "", "out of memory");
}

/* What the document gave a name to stands before what a wire did */
static int by_network(const void *a, const void *b)
{
	const struct lab_network *x = a, *y = b;
	const int order = strcmp(x->name, y->name);

	return order ? order : (x->mode == NETWORK_WIRE) - (y->mode == NETWORK_WIRE);
}

static int by_port(const void *a, const void *b)
{
	const struct lab_port *x = a, *y = b;
	const int order = strcmp(x->name, y->name);

	return order ? order : (int)x->end - (int)y->end;
}

static bool read_all(const struct reading *r, const json_t *in, const char *name)
{
	static const char *const keys[] = { "lab", "networks", "ports", "wires" };
	const struct value_in top = at(r, "");
	const json_t *said = json_object_get(in, "lab");

	if (!json_is_object(in))
		return fault_set(r->fault, 400, "", "a lab is an object with networks, ports and wires");
	if (!lab_name_ok(name)) {
		fault_set(r->fault, 400, "lab", "\"%.80s\" cannot be a lab's name", name);
		fault_hint(r->fault, "lower-case letters, digits and '-' in between, at most %u", LAB_NAME_MAX);
		return false;
	}
	if (said && (!json_is_string(said) || strcmp(json_string_value(said), name) != 0))
		return fault_set(r->fault, 400, "lab", "is not \"%s\", the name under which it is applied", name);
	memcpy(r->lab->name, name, strlen(name) + 1);
	return value_keys_known(&top, in, keys, sizeof(keys) / sizeof(keys[0])) && make_room(r->lab, in, r->fault) &&
		read_section(r, in, "networks", read_network) && read_section(r, in, "ports", read_port) &&
		read_section(r, in, "wires", read_wire);
}

bool lab_decode(const json_t *in, const char *name, struct lab *out, struct fault *fault)
{
	const struct reading r = { out, fault };

	memset(out, 0, sizeof(*out));
	if (!read_all(&r, in, name)) {
		lab_fini(out);
		return false;
	}
	qsort(out->networks, out->networks_count, sizeof(*out->networks), by_network);
	qsort(out->ports, out->ports_count, sizeof(*out->ports), by_port);
	return true;
}

/* ---- out ---------------------------------------------------------------------------------------------------- */

static json_t *wire_json(const struct lab *lab, const struct lab_network *wire)
{
	json_t *ends = json_array();

	for (unsigned int i = 1; i <= 2; i++) {
		char name[LAB_NAME_BYTES];
		const struct lab_port *port;
		json_t *end = json_object();

		snprintf(name, sizeof(name), "%.61s-%u", wire->name, i);
		port = lab_port(lab, name);
		if (port)
			attributes_encode(&port_attributes, port, IN_END, end);
		json_array_append_new(ends, end);
	}
	return ends;
}

json_t *lab_encode(const struct lab *lab)
{
	json_t *networks = json_object(), *ports = json_object(), *wires = json_object();

	for (uint32_t i = 0; i < lab->networks_count; i++) {
		const struct lab_network *network = &lab->networks[i];
		json_t *one;

		if (network->mode == NETWORK_WIRE) {
			json_object_set_new(wires, network->name, wire_json(lab, network));
			continue;
		}
		one = json_object();
		lab_network_encode(network, IN_LAB, one);
		json_object_set_new(networks, network->name, one);
	}
	for (uint32_t i = 0; i < lab->ports_count; i++) {
		json_t *one = lab->ports[i].end ? NULL : json_object();

		if (!one)
			continue;
		attributes_encode(&port_attributes, &lab->ports[i], IN_LAB, one);
		json_object_set_new(ports, lab->ports[i].name, one);
	}
	return json_pack("{s:s, s:o, s:o, s:o}", "lab", lab->name, "networks", networks, "ports", ports, "wires",
		wires);
}

/* ---- described ---------------------------------------------------------------------------------------------- */

/* An object from names to what @each describes; consumes it */
static json_t *named(json_t *each, unsigned int name_max, const char *about)
{
	json_t *names = value_type_name.schema(&(struct value_range)ANY);

	json_object_set_new(names, "maxLength", json_integer(name_max));
	return json_pack("{s:s, s:o, s:o, s:[s, s], s:s}", "description", about, "propertyNames", names,
		"additionalProperties", each, "type", "object", "null", "$comment", "empty is the same as absent");
}

json_t *lab_schema(void)
{
	json_t *network = attributes_schema(&network_attributes, IN_LAB);
	json_t *wire = json_pack("{s:s, s:o, s:i, s:i}", "type", "array", "items",
		attributes_schema(&port_attributes, IN_END), "minItems", 2, "maxItems", 2);
	json_t *lab = value_type_name.schema(&(struct value_range)ANY);

	json_object_set_new(network, "type", json_pack("[s, s]", "object", "null"));
	json_object_set_new(lab, "description", json_string("the lab's name"));
	return json_pack("{s:s, s:s, s:s, s:{s:o, s:o, s:o, s:o}, s:[s], s:b}", "$schema",
		"https://json-schema.org/draft/2020-12/schema", "title", "weft lab file", "type", "object",
		"properties", "lab", lab, "networks", named(network, LAB_NAME_MAX, "networks by their names"), "ports",
		named(attributes_schema(&port_attributes, IN_LAB), LAB_NAME_MAX, "ports by their names"), "wires",
		named(wire, LAB_WIRE_NAME_MAX, "wires by their names: each two ends"), "required", "lab",
		"additionalProperties", 0);
}
