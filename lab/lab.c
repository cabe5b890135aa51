/*
 * lab.c - see lab.h
 */
#include "lab/lab.h"

#include "base/suggest.h"
#include "lab/lab_value.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define WIRE_MTU LAB_MTU_MAX              /* a wire passes every frame */
#define WIRE_NAME_MAX (LAB_NAME_MAX - 2U) /* its ports are NAME-1 and NAME-2 */

/* One lab_check() at work */
struct check {
	const char *lab;
	const struct lab_world *world;
	struct fault *fault;
	json_t *networks, *ports, *wires; /* canonical, growing */
	json_t *attached;                 /* "host/interface" -> the place that took it */
	json_t *macs;                     /* "network/vlan/mac" -> the port that declared it */
};

bool lab_name_ok(const char *name)
{
	size_t len = strlen(name);

	if (len == 0 || len > LAB_NAME_MAX || name[0] == '-' || name[len - 1] == '-')
		return false;
	return strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789-") == len;
}

const char *lab_attach_interface(const char *attach)
{
	return strchr(attach, ':') + 1;
}

static bool check_name(struct check *c, const char *kind, const char *name, size_t max)
{
	char where[LAB_WHERE_BYTES];

	if (lab_name_ok(name) && strlen(name) <= max)
		return true;
	lab_where(where, "%s.%.200s", kind, name);
	fault_set(c->fault, 400, where, "this name is not possible");
	fault_hint(c->fault, "lower-case letters, digits and '-' in between, at most %zu", max);
	return false;
}

static void hint_near(struct check *c, const char *typed, const json_t *names, const char *otherwise)
{
	size_t count = 0, room = json_object_size(names);
	const char **words = calloc(room + 1, sizeof(*words));
	const char *key, *near;
	json_t *value;

	json_object_foreach((json_t *)names, key, value) {
		if (words && count < room)
			words[count++] = key;
	}
	near = words ? suggest(typed, words, count) : NULL;
	if (near)
		fault_hint(c->fault, "did you mean \"%s\"?", near);
	else
		fault_hint(c->fault, "%s", otherwise);
	free(words);
}

/* The host of a port or wire end */
static json_t *check_host(struct check *c, const json_t *value, const char *parent)
{
	const char *name = json_string_value(value);
	char where[LAB_WHERE_BYTES];

	lab_where(where, "%s.host", parent);
	if (!name) {
		fault_set(c->fault, 400, where, "%s, must be a host's name", lab_value_kind(value));
		return NULL;
	}
	switch (c->world->host(c->world->ctx, name)) {
	case LAB_HOST_OK:
		return json_string(name);
	case LAB_HOST_REVOKED:
		fault_set(c->fault, 400, where, "host \"%s\" is revoked", name);
		fault_hint(c->fault, "let it join again with a new token, or use another host");
		return NULL;
	case LAB_HOST_UNKNOWN:
		break;
	}
	fault_set(c->fault, 400, where, "no host \"%.63s\" has joined", name);
	hint_near(c, name, c->world->hosts(c->world->ctx),
		"`weft token` makes a token with which `weft join` adds a host");
	return NULL;
}

/* May this interface be attached here?  Notes that it is. */
static bool take_interface(struct check *c, const char *host, const char *attach, const char *parent)
{
	const char *interface = lab_attach_interface(attach), *other;
	char key[2 * LAB_NAME_MAX], where[LAB_WHERE_BYTES];

	lab_where(where, "%s.attach", parent);
	snprintf(key, sizeof(key), "%s/%s", host, interface);
	other = json_string_value(json_object_get(c->attached, key));
	if (other) {
		fault_set(c->fault, 400, where, "%s of host %s is attached by %s already", interface, host, other);
		fault_hint(c->fault, "an interface can be attached once; give this one its own");
		return false;
	}
	other = c->world->attached_by(c->world->ctx, host, interface, c->lab);
	if (other) {
		fault_set(c->fault, 400, where, "%s of host %s is attached by another lab's port already: %s",
			interface, host, other);
		fault_hint(c->fault, "an interface can be attached once; use another, or delete that lab first");
		return false;
	}
	return json_object_set_new(c->attached, key, json_string(parent)) == 0;
}

/* What ports and wire ends have in common: host, attach, create.  Return: a new object, or NULL */
static json_t *check_end(struct check *c, const json_t *in, const char *where)
{
	char attach_at[LAB_WHERE_BYTES], create_at[LAB_WHERE_BYTES];
	json_t *host = NULL, *attach = NULL, *create = NULL, *out = NULL;

	lab_where(attach_at, "%s.attach", where);
	lab_where(create_at, "%s.create", where);
	host = check_host(c, json_object_get(in, "host"), where);
	if (host)
		attach = lab_value_attach(json_object_get(in, "attach"), attach_at, c->fault);
	if (attach)
		create = lab_value_bool(json_object_get(in, "create"), create_at, c->fault);
	if (!create)
		goto out;
	if (json_is_true(create) && strncmp(json_string_value(attach), "bridge:", 7) != 0) {
		fault_set(c->fault, 400, create_at, "only a bridge can be created");
		fault_hint(c->fault, "leave it out: a TAP is always made, an interface for packet: must be there");
		goto out;
	}
	if (take_interface(c, json_string_value(host), json_string_value(attach), where))
		out = json_pack("{s:O, s:O, s:O}", "host", host, "attach", attach, "create", create);
out:
	json_decref(host);
	json_decref(attach);
	json_decref(create);
	return out;
}

/* A network's mode, borrowed; NULL with the fault set */
static const char *check_mode(struct check *c, const json_t *in, const char *parent)
{
	const json_t *value = json_object_get(in, "mode");
	const char *mode = value ? json_string_value(value) : "switch";
	char where[LAB_WHERE_BYTES];

	if (mode && (strcmp(mode, "switch") == 0 || strcmp(mode, "hub") == 0))
		return mode;
	lab_where(where, "%s.mode", parent);
	fault_set(c->fault, 400, where, "%s", "is not a network's mode");
	if (mode && strcmp(mode, "wire") == 0)
		fault_hint(c->fault, "write it under `wires`, with its two ends");
	else
		fault_hint(c->fault, "switch or hub");
	return NULL;
}

static json_t *check_fragment(struct check *c, const json_t *in, const char *parent)
{
	const json_t *value = json_object_get(in, "fragment");
	char where[LAB_WHERE_BYTES];

	lab_where(where, "%s.fragment", parent);
	return value ? lab_value_bool(value, where, c->fault) : json_true();
}

/* Control protocols to pass.  Only a switch holds any back, so only a switch is told. */
static bool check_pass(struct check *c, const json_t *in, json_t *network, const char *parent)
{
	const json_t *value = json_object_get(in, "pass");
	char where[LAB_WHERE_BYTES];

	lab_where(where, "%s.pass", parent);
	if (strcmp(json_string_value(json_object_get(network, "mode")), "switch") == 0)
		return json_object_set_new(network, "pass",
			       value ? lab_value_pass(value, where, c->fault) : json_array()) == 0;
	if (!value)
		return true;
	fault_set(c->fault, 400, where, "a hub passes every control protocol as it is");
	fault_hint(c->fault, "leave it out, or make the network a switch");
	return false;
}

static bool check_network(struct check *c, const char *name, const json_t *in)
{
	static const char *const keys[] = { "mode", "mtu", "fragment", "pass", NULL };
	char where[LAB_WHERE_BYTES], mtu_at[LAB_WHERE_BYTES];
	json_t *mtu = NULL, *fragment = NULL, *out = NULL;
	const char *mode;
	bool ok;

	if (!check_name(c, "networks", name, LAB_NAME_MAX))
		return false;
	lab_where(where, "networks.%s", name);
	lab_where(mtu_at, "%s.mtu", where);
	if (!json_is_null(in) && !json_is_object(in))
		return fault_set(c->fault, 400, where, "%s, must be an object, as in { mtu: 1500 }",
			lab_value_kind(in));
	if (!lab_value_keys(in, keys, where, c->fault))
		return false;
	mode = check_mode(c, in, where);
	if (mode)
		mtu = lab_value_mtu(json_object_get(in, "mtu"), mtu_at, c->fault);
	if (mtu)
		fragment = check_fragment(c, in, where);
	if (fragment)
		out = json_pack("{s:s, s:O, s:O}", "mode", mode, "mtu", mtu, "fragment", fragment);
	ok = out && check_pass(c, in, out, where) && json_object_set(c->networks, name, out) == 0;
	json_decref(mtu);
	json_decref(fragment);
	json_decref(out);
	return ok;
}

static json_t *check_network_name(struct check *c, const json_t *value, const char *parent)
{
	const char *name = json_string_value(value);
	char where[LAB_WHERE_BYTES];

	lab_where(where, "%s.network", parent);
	if (!name) {
		fault_set(c->fault, 400, where, "%s, must be a network's name", lab_value_kind(value));
		return NULL;
	}
	if (json_object_get(c->networks, name))
		return json_string(name);
	fault_set(c->fault, 400, where, "this lab has no network \"%.63s\"", name);
	hint_near(c, name, c->networks, "add it under `networks`");
	return NULL;
}

/* A declared MAC is one port's, within a network, or within a VLAN of it where the ports are access ports */
static bool take_mac(struct check *c, const char *port, const json_t *out)
{
	const char *mac = json_string_value(json_object_get(out, "mac"));
	json_int_t vlan = json_integer_value(json_object_get(json_object_get(out, "vlan"), "access"));
	char key[2 * LAB_NAME_MAX], where[LAB_WHERE_BYTES];
	const char *other;

	if (!mac)
		return true;
	snprintf(key, sizeof(key), "%s/%d/%s", json_string_value(json_object_get(out, "network")), (int)vlan, mac);
	other = json_string_value(json_object_get(c->macs, key));
	if (!other)
		return json_object_set_new(c->macs, key, json_string(port)) == 0;
	lab_where(where, "ports.%s.mac", port);
	fault_set(c->fault, 400, where, "port %s of the same network has this MAC already", other);
	fault_hint(c->fault, "every station of a network needs a MAC of its own");
	return false;
}

/* Set @key of @out to the canonical form of @in's, if it has one */
static bool copy_value(struct check *c, const json_t *in, json_t *out, const char *key, const char *parent,
	json_t *(*canonical)(const json_t *value, const char *where, struct fault *fault))
{
	const json_t *value = json_object_get(in, key);
	char where[LAB_WHERE_BYTES];

	if (!value || json_is_null(value))
		return true;
	lab_where(where, "%s.%s", parent, key);
	return json_object_set_new(out, key, canonical(value, where, c->fault)) == 0;
}

static bool check_port(struct check *c, const char *name, const json_t *in)
{
	static const char *const keys[] = { "host", "network", "attach", "create", "mac", "ip", "vlan", NULL };
	char where[LAB_WHERE_BYTES];
	json_t *out, *network;

	if (!check_name(c, "ports", name, LAB_NAME_MAX))
		return false;
	lab_where(where, "ports.%s", name);
	if (!json_is_object(in))
		return fault_set(c->fault, 400, where, "%s, must be an object with host, network and attach",
			lab_value_kind(in));
	if (!lab_value_keys(in, keys, where, c->fault))
		return false;
	network = check_network_name(c, json_object_get(in, "network"), where);
	out = network ? check_end(c, in, where) : NULL;
	if (!out) {
		json_decref(network);
		return false;
	}
	if (json_object_set_new(out, "network", network) < 0 || !copy_value(c, in, out, "mac", where, lab_value_mac) ||
		!copy_value(c, in, out, "ip", where, lab_value_ip) ||
		!copy_value(c, in, out, "vlan", where, lab_value_vlan) || !take_mac(c, name, out)) {
		json_decref(out);
		return false;
	}
	return json_object_set_new(c->ports, name, out) == 0;
}

static bool check_wire_names(struct check *c, const char *name)
{
	char where[LAB_WHERE_BYTES], port[LAB_NAME_MAX + 1];

	if (!check_name(c, "wires", name, WIRE_NAME_MAX))
		return false;
	lab_where(where, "wires.%s", name);
	if (json_object_get(c->networks, name)) {
		fault_set(c->fault, 400, where, "a network of this lab has the same name");
		fault_hint(c->fault, "a wire is a network of its own; give it another name");
		return false;
	}
	for (unsigned int i = 1; i <= 2; i++) {
		snprintf(port, sizeof(port), "%.61s-%u", name, i);
		if (!json_object_get(c->ports, port))
			continue;
		fault_set(c->fault, 400, where, "its ends are the ports %s-1 and %s-2, and there is a port %s", name,
			name, port);
		fault_hint(c->fault, "give the wire or the port another name");
		return false;
	}
	return true;
}

static bool check_wire(struct check *c, const char *name, const json_t *in)
{
	static const char *const keys[] = { "host", "attach", "create", NULL };
	char where[LAB_WHERE_BYTES];
	json_t *ends;

	if (!check_wire_names(c, name))
		return false;
	lab_where(where, "wires.%s", name);
	if (json_array_size(in) != 2) {
		fault_set(c->fault, 400, where, "a wire is a list of exactly two ends");
		fault_hint(c->fault, "write [ { host: a, attach: \"tap:x\" }, { host: b, attach: \"tap:y\" } ]");
		return false;
	}
	ends = json_array();
	for (size_t i = 0; i < 2; i++) {
		const json_t *end = json_array_get(in, i);

		lab_where(where, "wires.%s[%zu]", name, i);
		if (!json_is_object(end))
			fault_set(c->fault, 400, where, "%s, must be an object with host and attach",
				lab_value_kind(end));
		else if (lab_value_keys(end, keys, where, c->fault) &&
			json_array_append_new(ends, check_end(c, end, where)) == 0)
			continue;
		json_decref(ends);
		return false;
	}
	return json_object_set_new(c->wires, name, ends) == 0;
}

static bool check_section(struct check *c, const json_t *in, const char *section,
	bool (*check_one)(struct check *c, const char *name, const json_t *in))
{
	json_t *members = json_object_get(in, section), *value;
	const char *name;

	if (!members || json_is_null(members))
		return true;
	if (!json_is_object(members)) {
		fault_set(c->fault, 400, section, "%s, must be an object of names", lab_value_kind(members));
		return false;
	}
	json_object_foreach(members, name, value) {
		if (!check_one(c, name, value))
			return false;
	}
	return true;
}

static bool check_all(struct check *c, const json_t *in)
{
	static const char *const keys[] = { "lab", "networks", "ports", "wires", NULL };
	const json_t *name = json_object_get(in, "lab");

	if (!json_is_object(in))
		return fault_set(c->fault, 400, "", "a lab is an object with networks, ports and wires");
	if (!lab_name_ok(c->lab)) {
		fault_set(c->fault, 400, "lab", "\"%.80s\" cannot be a lab's name", c->lab);
		fault_hint(c->fault, "lower-case letters, digits and '-' in between, at most %u", LAB_NAME_MAX);
		return false;
	}
	if (name && (!json_is_string(name) || strcmp(json_string_value(name), c->lab) != 0))
		return fault_set(c->fault, 400, "lab", "is not \"%s\", the name under which it is applied", c->lab);
	return lab_value_keys(in, keys, "", c->fault) && check_section(c, in, "networks", check_network) &&
		check_section(c, in, "ports", check_port) && check_section(c, in, "wires", check_wire);
}

json_t *lab_check(const json_t *in, const char *name, const struct lab_world *world, struct fault *fault)
{
	struct check c = {
		.lab = name,
		.world = world,
		.fault = fault,
		.networks = json_object(),
		.ports = json_object(),
		.wires = json_object(),
		.attached = json_object(),
		.macs = json_object(),
	};
	json_t *out = NULL;

	if (check_all(&c, in))
		out = json_pack("{s:s, s:O, s:O, s:O}", "lab", name, "networks", c.networks, "ports", c.ports, "wires",
			c.wires);
	if (!out)
		fault_set(fault, 503, "", "out of memory");
	json_decref(c.networks);
	json_decref(c.ports);
	json_decref(c.wires);
	json_decref(c.attached);
	json_decref(c.macs);
	return out;
}

/* Put @lab and @name into a copy of @from */
static json_t *labelled(const json_t *from, const json_t *lab, const char *name)
{
	json_t *out = json_copy((json_t *)from);

	json_object_set(out, "lab", json_object_get(lab, "lab"));
	json_object_set_new(out, "name", json_string(name));
	return out;
}

json_t *lab_networks(const json_t *lab)
{
	json_t *out = json_object(), *value, *wire;
	const char *name;

	json_object_foreach(json_object_get(lab, "networks"), name, value)
		json_object_set_new(out, name, labelled(value, lab, name));
	json_object_foreach(json_object_get(lab, "wires"), name, value) {
		wire = json_pack("{s:s, s:i, s:b}", "mode", "wire", "mtu", WIRE_MTU, "fragment", 1);
		json_object_set_new(out, name, labelled(wire, lab, name));
		json_decref(wire);
	}
	return out;
}

json_t *lab_ports(const json_t *lab)
{
	json_t *out = json_object(), *value;
	const char *name;

	json_object_foreach(json_object_get(lab, "ports"), name, value)
		json_object_set_new(out, name, labelled(value, lab, name));
	json_object_foreach(json_object_get(lab, "wires"), name, value) {
		for (size_t i = 0; i < json_array_size(value); i++) {
			char port[LAB_NAME_MAX + 8];
			json_t *end;

			snprintf(port, sizeof(port), "%s-%zu", name, i + 1);
			end = labelled(json_array_get(value, i), lab, port);
			json_object_set_new(end, "network", json_string(name));
			json_object_set_new(out, port, end);
		}
	}
	return out;
}

static int by_text(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

json_t *lab_hosts(const json_t *lab)
{
	json_t *ports = lab_ports(lab), *out = json_array(), *value;
	const char **names = calloc(json_object_size(ports) + 1, sizeof(*names));
	const char *key;
	size_t count = 0;

	json_object_foreach(ports, key, value) {
		if (names)
			names[count++] = json_string_value(json_object_get(value, "host"));
	}
	if (names)
		qsort(names, count, sizeof(*names), by_text);
	for (size_t i = 0; i < count; i++) {
		if (i == 0 || strcmp(names[i], names[i - 1]) != 0)
			json_array_append_new(out, json_string(names[i]));
	}
	free(names);
	json_decref(ports);
	return out;
}
