/*
 * lab.h - is this lab one that can be applied?
 *
 * Takes what an operator sent and yields the lab in its one canonical form, with defaults filled in, or the first
 * fault with its place.  Knows nothing of the store: what it has to know of hosts and of other labs it asks
 * through struct lab_world.  The shape is described in controller/API.md under PUT /v1/labs/NAME.
 *
 * Canonical form: {"lab", "networks": {name: {"mode", "mtu", "fragment", "pass"?: [..]}}, "ports": {name: {"host",
 * "network", "attach", "create", "mac"?, "ip"?: [..], "vlan"?}}, "wires": {name: [{"host", "attach", "create"} x 2]}}.
 * "pass" is there for switches.  Two spellings of the same lab are json_equal() in it.
 */
#ifndef LAB_LAB_H
#define LAB_LAB_H

#include "lab/fault.h"
#include "lab/limits.h"

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

enum lab_host {
	LAB_HOST_UNKNOWN,
	LAB_HOST_REVOKED,
	LAB_HOST_OK,
};

struct lab_world {
	void *ctx;
	enum lab_host (*host)(void *ctx, const char *name);
	/* The object whose keys are the names of all hosts, borrowed; for suggestions */
	const json_t *(*hosts)(void *ctx);
	/* Who of another lab than @lab has attached @interface of @host: "lab/port", or NULL */
	const char *(*attached_by)(void *ctx, const char *host, const char *interface, const char *lab);
};

/* [a-z0-9]([a-z0-9-]*[a-z0-9])?, at most LAB_NAME_MAX */
bool lab_name_ok(const char *name);

/* The interface's name within a valid `attach`, borrowed from it */
const char *lab_attach_interface(const char *attach);

/**
 * lab_check() - validate and bring into canonical form
 * @in:		borrowed
 * @name:	of the URL
 *
 * Return: the canonical lab, or NULL with @fault set
 */
json_t *lab_check(const json_t *in, const char *name, const struct lab_world *world, struct fault *fault);

/**
 * lab_networks() - the networks that a canonical lab stands for, its wires among them
 * @out:	{name: {"lab", "name", "mode", "mtu", "fragment", "pass"?}}; NULL where memory is short
 */
json_t *lab_networks(const json_t *lab);

/* The same for ports: {name: {"lab", "name", "host", "network", "attach", "create", "mac"?, "ip"?, "vlan"?}} */
json_t *lab_ports(const json_t *lab);

/* Names of the hosts that a canonical lab mentions, sorted, each once */
json_t *lab_hosts(const json_t *lab);

#endif /* LAB_LAB_H */
