/*
 * lab_check.c - see lab_check.h
 */
#include "lab/lab_check.h"

#include "base/error.h"
#include "base/suggest.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* One lab_check() at work */
struct check {
	const struct lab *lab;
	const struct lab_world *world;
	struct fault *fault; /* of what is looked at */
	json_t *attached;    /* "host/interface" -> the place that took it */
	json_t *macs;        /* "network/vlan/mac" -> the port that declared it */
};

/* Long enough for a place */
struct place {
	char text[VALUE_WHERE_BYTES];
};

/* "ports.a-lan.host", "wires.spine-leaf[1].host" */
static struct place place_of(const struct lab_port *port, const char *key)
{
	struct place place;

	if (port->end)
		snprintf(place.text, sizeof(place.text), "wires.%s[%u]%s%s", port->network, port->end - 1,
			*key ? "." : "", key);
	else
		snprintf(place.text, sizeof(place.text), "ports.%s%s%s", port->name, *key ? "." : "", key);
	return place;
}

static bool fault_at(struct check *c, const struct lab_port *port, const char *key, const char *text)
{
	return fault_set(c->fault, 400, place_of(port, key).text, "%s", text);
}

/* Hint at the one of @words that was meant, or @otherwise.  Consumes @words */
static void hint_near(struct check *c, const char *typed, const char **words, size_t count, const char *otherwise)
{
	const char *near = words ? suggest(typed, words, count) : NULL;

	if (near)
		fault_hint(c->fault, "did you mean \"%s\"?", near);
	else
		fault_hint(c->fault, "%s", otherwise);
	free(words);
}

/* ---- its host, its network ------------------------------------------------------------------------------------ */

static void hint_host(struct check *c, const char *typed)
{
	json_t *hosts = (json_t *)c->world->hosts(c->world->ctx), *unused;
	size_t count = 0, room = json_object_size(hosts);
	const char **words = calloc(room + 1, sizeof(*words));
	const char *name;

	json_object_foreach(hosts, name, unused) {
		if (words && count < room)
			words[count++] = name;
	}
	hint_near(c, typed, words, count, "`weft token` makes a token with which `weft join` adds a host");
}

static bool check_host(struct check *c, const struct lab_port *port)
{
	const struct place place = place_of(port, "host");

	switch (c->world->host(c->world->ctx, port->host)) {
	case LAB_HOST_OK:
		return true;
	case LAB_HOST_REVOKED:
		fault_set(c->fault, 400, place.text, "host \"%s\" is revoked", port->host);
		fault_hint(c->fault, "let it join again with a new token, or use another host");
		return false;
	case LAB_HOST_UNKNOWN:
		break;
	}
	fault_set(c->fault, 400, place.text, "no host \"%s\" has joined", port->host);
	hint_host(c, port->host);
	return false;
}

/* Wires are networks, but nobody else's */
static bool open_to_ports(const struct lab_network *network)
{
	return network && network->mode != NETWORK_WIRE;
}

static bool check_network(struct check *c, const struct lab_port *port)
{
	size_t count = 0;
	const char **words;

	if (port->end || open_to_ports(lab_network(c->lab, port->network)))
		return true;
	fault_set(c->fault, 400, place_of(port, "network").text, "this lab has no network \"%s\"", port->network);
	words = calloc(c->lab->networks_count + 1, sizeof(*words));
	for (uint32_t i = 0; words && i < c->lab->networks_count; i++)
		if (open_to_ports(&c->lab->networks[i]))
			words[count++] = c->lab->networks[i].name;
	hint_near(c, port->network, words, count, "add it under `networks`");
	return false;
}

static bool check_vlan(struct check *c, const struct lab_port *port)
{
	const struct lab_network *network = lab_network(c->lab, port->network);

	if (port->vlan.mode == VLAN_TRUNK_ALL || network->mode == NETWORK_SWITCH)
		return true;
	fault_at(c, port, "vlan", "a hub passes every frame as it is");
	fault_hint(c->fault, "leave it out, or make the network a switch");
	return false;
}

/* ---- what it is attached to ------------------------------------------------------------------------------------- */

/* What the kernel takes as an interface's name, and no shell, log or path trips over */
static bool interface_ok(const char *name)
{
	for (const char *at = name; *at; at++)
		if (!isalnum((unsigned char)*at) && !strchr("-_.", *at))
			return false;
	return name[0] != '-';
}

/* A namespace and an interface: each as such a name */
static bool in_namespace_ok(const char *target)
{
	char space[ATTACH_TARGET_BYTES];
	const char *slash = strchr(target, '/');

	snprintf(space, sizeof(space), "%.*s", (int)(slash - target), target);
	return interface_ok(space) && interface_ok(slash + 1);
}

/* The agent names its own TAPs so */
static bool interface_reserved(const char *name)
{
	return strncmp(name, "wf", 2) == 0 && name[2] && name[2 + strspn(name + 2, "0123456789")] == '\0';
}

static void hint_attach(struct check *c, const char *text)
{
	const char *kinds[ATTACH_KINDS_COUNT];
	char forms[ATTACH_FORMS_BYTES];
	const char *colon = strchr(text, ':'), *near = NULL;
	char kind[16];

	if (colon && (size_t)(colon - text) < sizeof(kind)) {
		snprintf(kind, sizeof(kind), "%.*s", (int)(colon - text), text);
		near = suggest(kind, kinds, attach_prefixes(kinds));
	}
	if (near && strcmp(near, kind) != 0)
		fault_hint(c->fault, "did you mean \"%s%s\"?", near, colon);
	else
		fault_hint(c->fault, "write %s", attach_forms(forms));
}

static bool check_attach(struct check *c, const struct lab_port *port)
{
	const struct place place = place_of(port, "attach");
	struct attach attach;
	struct error error;

	if (attach_parse(port->attach, &attach, &error) < 0 || attach.kind == ATTACH_MEMORY) {
		fault_set(c->fault, 400, place.text, "%s",
			error_is_set(&error) ? error.text : "this attachment is for tests");
		hint_attach(c, port->attach);
		return false;
	}
	if (attach.kind == ATTACH_NETNS && !in_namespace_ok(attach.target)) {
		fault_set(c->fault, 400, place.text, "\"%s\" cannot be a namespace's and an interface's name",
			attach.target);
		fault_hint(c->fault, "each of letters, digits, '-', '_' and '.'");
		return false;
	}
	if (attach.kind != ATTACH_NETNS && !interface_ok(attach.target)) {
		fault_set(c->fault, 400, place.text, "\"%s\" cannot be an interface's name", attach.target);
		fault_hint(c->fault, "1 to %u letters, digits, '-', '_' and '.'", ATTACH_NAME_BYTES - 1);
		return false;
	}
	if (attach.kind != ATTACH_NETNS && interface_reserved(attach.target)) {
		fault_set(c->fault, 400, place.text, "\"%s\" is a name that the agent gives to its own interfaces",
			attach.target);
		fault_hint(c->fault, "any name but \"wf\" and digits");
		return false;
	}
	if (port->create && attach.kind != ATTACH_BRIDGE) {
		fault_at(c, port, "create", "only a bridge can be created");
		fault_hint(c->fault, "leave it out: a TAP is always made, an interface for packet: must be there");
		return false;
	}
	return true;
}

/* May this interface be attached here?  Notes that it is. */
static bool take_interface(struct check *c, const struct lab_port *port)
{
	const char *interface = lab_attach_interface(port->attach), *other;
	const struct place place = place_of(port, "attach");
	char key[LAB_NAME_BYTES + ATTACH_TEXT_BYTES];

	snprintf(key, sizeof(key), "%s/%s", port->host, interface);
	other = json_string_value(json_object_get(c->attached, key));
	if (other) {
		fault_set(c->fault, 400, place.text, "%s of host %s is attached by %s already", interface, port->host,
			other);
		fault_hint(c->fault, "an interface can be attached once; give this one its own");
		return false;
	}
	other = c->world->attached_by(c->world->ctx, port->host, interface, c->lab->name);
	if (other) {
		fault_set(c->fault, 400, place.text, "%s of host %s is attached by another lab's port already: %s",
			interface, port->host, other);
		fault_hint(c->fault, "an interface can be attached once; use another, or delete that lab first");
		return false;
	}
	return json_object_set_new(c->attached, key, json_string(place_of(port, "").text)) == 0 ||
		fault_set(c->fault, 503, "", "out of memory");
}

/* A declared MAC is one port's, within a network, or within a VLAN of it where the ports are access ports */
static bool take_mac(struct check *c, const struct lab_port *port)
{
	char key[LAB_NAME_BYTES + MAC_TEXT_BYTES + 8], mac[MAC_TEXT_BYTES];
	const char *other;

	if (!value_mac_given(&port->mac))
		return true;
	mac_format(&port->mac, mac);
	snprintf(key, sizeof(key), "%s/%u/%s", port->network, vlan_policy_access(&port->vlan), mac);
	other = json_string_value(json_object_get(c->macs, key));
	if (!other)
		return json_object_set_new(c->macs, key, json_string(port->name)) == 0 ||
			fault_set(c->fault, 503, "", "out of memory");
	fault_set(c->fault, 400, place_of(port, "mac").text, "port %s of the same network has this MAC already", other);
	fault_hint(c->fault, "every station of a network needs a MAC of its own");
	return false;
}

/* ---- all of it --------------------------------------------------------------------------------------------------- */

static bool check_port(struct check *c, const struct lab_port *port)
{
	return check_host(c, port) && check_network(c, port) && check_attach(c, port) && check_vlan(c, port) &&
		take_interface(c, port) && take_mac(c, port);
}

/* A wire has a network's name, and its ends have ports' */
static bool check_names(struct check *c)
{
	struct place place;

	for (uint32_t i = 1; i < c->lab->networks_count; i++) {
		const struct lab_network *network = &c->lab->networks[i];

		if (strcmp(network->name, network[-1].name) != 0)
			continue;
		snprintf(place.text, sizeof(place.text), "wires.%s", network->name);
		fault_set(c->fault, 400, place.text, "a network of this lab has the same name");
		fault_hint(c->fault, "a wire is a network of its own; give it another name");
		return false;
	}
	for (uint32_t i = 1; i < c->lab->ports_count; i++) {
		const struct lab_port *port = &c->lab->ports[i];

		if (strcmp(port->name, port[-1].name) != 0)
			continue;
		snprintf(place.text, sizeof(place.text), "wires.%s", port->network);
		fault_set(c->fault, 400, place.text, "its ends are the ports %s-1 and %s-2, and there is a port %s",
			port->network, port->network, port->name);
		fault_hint(c->fault, "give the wire or the port another name");
		return false;
	}
	return true;
}

/* Whether it is worth to look at more */
static bool goes_on(const struct fault *first)
{
	return !first->status || (first->all && json_array_size(first->all) < LAB_CHECK_FAULTS_MAX);
}

bool lab_check(const struct lab *lab, const struct lab_world *world, struct fault *first)
{
	struct fault fault = { 0 };
	struct check c = { .lab = lab,
		.world = world,
		.fault = &fault,
		.attached = json_object(),
		.macs = json_object() };

	if (!check_names(&c))
		fault_note(first, &fault);
	for (uint32_t i = 0; goes_on(first) && i < lab->ports_count; i++) {
		fault = (struct fault){ 0 };
		if (!check_port(&c, &lab->ports[i]))
			fault_note(first, &fault);
	}
	json_decref(c.attached);
	json_decref(c.macs);
	return !first->status;
}
