/*
 * opening.c - see opening.h
 */
#include "overlay/agent/opening.h"

#include "base/log.h"
#include "overlay/agent/device_name.h"
#include "overlay/agent/publish.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Why the port does not carry frames as it should */
static void broken(struct core *core, struct port *port, const struct error *error)
{
	const uint32_t shift = port->failures < 8 ? port->failures : 8;
	uint64_t wait_ms = (uint64_t)CORE_RETRY_MIN_MS << shift;

	if (strcmp(port->error.text, error->text) != 0) {
		log_error("port %s/%s: %s", port->wanted.lab, port->wanted.name, error->text);
		core->news = true;
	}
	if (!error_is_set(&port->error))
		port->error_since = core->now;
	port->error = *error;
	port->failures++;
	if (wait_ms > CORE_RETRY_MAX_MS)
		wait_ms = CORE_RETRY_MAX_MS;
	timers_set(&core->retries, &port->retry, instant_add_ms(core->now, wait_ms));
}

static void opened(struct core *core, struct port *port, struct vport *open)
{
	ports_opened(&core->ports, port, open);
	port->health = TAP_UP; /* until it is looked at, before it goes into force */
	core->unchecked = true;
	timers_clear(&core->retries, &port->retry);
	core->changed = true;
	log_info("port %s/%s: open on %s", port->wanted.lab, port->wanted.name, tap_port_name(open->tap));
}

static struct vport *new_vport(const struct port *port, const struct attach *spec)
{
	struct vport *open = calloc(1, sizeof(*open));

	if (!open)
		return NULL;
	open->slot = port->slot;
	open->id = port->wanted.id;
	open->network = port->wanted.network_id;
	open->spec = *spec;
	return open;
}

/* What is asked of the machine.  Return: false with @error: only another document can mend it */
static bool describe(const struct core *core, const struct port *port, struct attach *out, struct error *error)
{
	const struct lab_port *wanted = &port->wanted;
	const struct lab_network *network = &topology_network(&core->topology, wanted->network_id)->network;

	if (attach_parse(wanted->attach, out, error) < 0)
		return false;
	out->create = wanted->create;
	out->mtu_bytes = port->mtu_bytes;
	out->any_mtu = network->mode == NETWORK_WIRE;
	out->passes = network->mode == NETWORK_SWITCH ? network->pass : UINT_MAX;
	out->vlan = wanted->vlan;
	out->mac = wanted->mac;
	if (!device_name(core->config.ca_pem, wanted->lab, network->name, wanted->name, out->device))
		snprintf(out->device, sizeof(out->device), "wf%u", wanted->id);
	snprintf(out->alias, sizeof(out->alias), ATTACH_ALIAS_MARK "%s/%s", wanted->lab, wanted->name);
	return true;
}

void opening_try(struct core *core, struct port *port)
{
	struct error error = { "" };
	struct attach spec;
	struct vport *open;

	if (port->open)
		return;
	if (!describe(core, port, &spec, &error)) {
		broken(core, port, &error);
		timers_clear(&core->retries, &port->retry); /* only another document can mend it */
		return;
	}
	if (publish_holds(core, &spec))
		return;
	open = new_vport(port, &spec);
	if (!open)
		error_set(&error, "out of memory");
	else if (core->ops->port_open(core->ctx, &spec, &open->tap, &error) == 0) {
		opened(core, port, open);
		return;
	}
	free(open);
	broken(core, port, &error);
}

bool opening_break(struct core *core, struct port *port, const struct error *error)
{
	if (!publish_reserve(core, 1))
		return false;
	publish_leave_port(core, ports_idle(&core->ports, port));
	broken(core, port, error);
	return true;
}

void opening_set_mtu(struct core *core, struct port *port, uint32_t mtu_bytes)
{
	struct error error;
	int err;

	if (port->mtu_bytes == mtu_bytes)
		return;
	port->mtu_bytes = mtu_bytes;
	if (!port->open)
		return;
	err = core->ops->port_set_mtu(core->ctx, port->open->tap, mtu_bytes);
	if (!err)
		return;
	error_set(&error, "cannot set its MTU to %u: %s", mtu_bytes, strerror(-err));
	(void)opening_break(core, port, &error);
}

void opening_want(struct core *core, struct port *port)
{
	struct error error;
	struct attach spec;

	if (port->open && describe(core, port, &spec, &error))
		core->unchecked |= tap_port_want(port->open->tap, &spec);
}

void opening_try_waiting(struct core *core)
{
	struct port *after;

	for (struct port *port = core->ports.idle; port; port = after) {
		after = port->idle_after;
		if (!port->retry.place)
			opening_try(core, port);
	}
}

void opening_try_due(struct core *core)
{
	struct timer *timer;

	while ((timer = timers_take_due(&core->retries, core->now)) != NULL)
		opening_try(core, port_of_timer(timer));
}

void opening_try_broken(struct core *core)
{
	struct port *after;

	for (struct port *port = core->ports.idle; port; port = after) {
		after = port->idle_after;
		if (port->retry.place)
			opening_try(core, port);
	}
}

/* What was found of an open port.  @error is set but for TAP_UP */
static void note(struct core *core, struct port *port, enum tap_health health, const struct error *error)
{
	const struct lab_port *wanted = &port->wanted;

	port->failures = 0;
	port->health = health;
	if (strcmp(port->error.text, error->text) == 0)
		return;
	core->news = true;
	if (health == TAP_UP)
		log_info("port %s/%s: up", wanted->lab, wanted->name);
	else if (health == TAP_LIMITED)
		log_warning("port %s/%s: limited: %s", wanted->lab, wanted->name, error->text);
	else
		log_error("port %s/%s: down: %s", wanted->lab, wanted->name, error->text);
	if (!error_is_set(&port->error))
		port->error_since = core->now;
	port->error = *error;
}

/* ---- declared addresses ------------------------------------------------------------------------------------- */

static bool declares(const struct lab_port *port, const struct fdb_key *key)
{
	return port->network_id == key->network && vlan_policy_access(&port->vlan) == key->vlan &&
		value_mac_given(&port->mac) && mac_equal(&port->mac, &key->mac);
}

/* Where @key is declared, "port lab/name of host".  Return: false where it is not, any more */
static bool where_declared(const struct core *core, const struct fdb_key *key, const char *lab, char *out, size_t bytes)
{
	const struct topology *topology = &core->topology;

	for (uint32_t i = 0; i < topology->ports_count; i++)
		if (declares(&topology->ports[i], key)) {
			snprintf(out, bytes, "port %s/%s of this host", lab, topology->ports[i].name);
			return true;
		}
	for (uint32_t i = 0; i < topology->remotes_count; i++)
		if (declares(&topology->remotes[i], key)) {
			snprintf(out, bytes, "host %s", topology->hosts[topology->remote_hosts[i]].name);
			return true;
		}
	return false;
}

void opening_declared(struct core *core, uint32_t slot, const struct fdb_key *key)
{
	struct port *port = ports_at(&core->ports, slot);

	if (!port || !port->open || port->wanted.network_id != key->network)
		return;
	core->unchecked |= !port->declared_until.ns || memcmp(&port->declared.mac, &key->mac, MAC_BYTES) != 0;
	core->has_declared = true;
	port->declared = *key;
	port->declared_until = instant_add_ms(core->now, CORE_DECLARED_MS);
}

/* Return: @health, or limited where a declared address speaks at the wrong place, with @error */
static enum tap_health with_declared(struct core *core, struct port *port, enum tap_health health, struct error *error)
{
	char mac[MAC_TEXT_BYTES], where[2 * LAB_NAME_BYTES + 32];

	if (port->declared_until.ns &&
		(instant_reached(core->now, port->declared_until) ||
			!where_declared(core, &port->declared, port->wanted.lab, where, sizeof(where))))
		port->declared_until.ns = 0;
	if (!port->declared_until.ns)
		return health;
	core->has_declared = true;
	if (health != TAP_UP)
		return health;
	mac_format(&port->declared.mac, mac);
	error_set(error,
		"%s is declared on %s and speaks here: what is sent to it goes there; declare it (mac:) on the port where "
		"it is, or on none",
		mac, where);
	return TAP_LIMITED;
}

/* ---- looking after ports ------------------------------------------------------------------------------------- */

/* Opened again at once where it is lost for the first time; where that leads to nothing, at growing intervals */
static void check(struct core *core, struct port *port)
{
	struct error error = { "" };
	const enum tap_health health = core->ops->port_check(core->ctx, port->open->tap, &error);

	if (health != TAP_LOST)
		note(core, port, with_declared(core, port, health, &error), &error);
	else if (opening_break(core, port, &error) && port->failures == 1)
		timers_set(&core->retries, &port->retry, core->now);
	core->elsewhere |= port->open && tap_port_elsewhere(port->open->tap);
}

void opening_check(struct core *core)
{
	core->unchecked = !core->ops->look(core->ctx);
	if (core->unchecked)
		return; /* at the next turn */
	core->elsewhere = core->has_declared = false;
	for (uint32_t slot = 0; slot < core->ports.slots_count; slot++) {
		struct port *port = ports_at(&core->ports, slot);

		if (port && port->open)
			check(core, port);
	}
}
