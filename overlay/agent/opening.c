/*
 * opening.c - see opening.h
 */
#include "overlay/agent/opening.h"

#include "base/log.h"
#include "overlay/agent/publish.h"

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
	if (error_is_set(&port->error))
		core->news = true;
	port->error.text[0] = '\0';
	port->failures = 0;
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

void opening_try(struct core *core, struct port *port)
{
	struct error error = { "" };
	struct attach spec;
	struct vport *open;

	if (port->open)
		return;
	if (attach_parse(port->wanted.attach, &spec, &error) < 0) {
		broken(core, port, &error);
		timers_clear(&core->retries, &port->retry); /* only another document can mend it */
		return;
	}
	spec.create = port->wanted.create;
	spec.mtu_bytes = port->mtu_bytes;
	snprintf(spec.device, sizeof(spec.device), "wf%u", port->wanted.id);
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

void opening_check(struct core *core)
{
	for (uint32_t slot = 0; slot < core->ports.slots_count; slot++) {
		struct port *port = ports_at(&core->ports, slot);
		struct error error;

		if (port && port->open && core->ops->port_check(core->ctx, port->open->tap, &error) < 0 &&
			opening_break(core, port, &error))
			timers_set(&core->retries, &port->retry, core->now);
	}
}
