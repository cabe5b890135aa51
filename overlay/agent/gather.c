/*
 * gather.c - see gather.h
 */
#include "overlay/agent/gather.h"

#include "overlay/datapath/stats.h"
#include "overlay/peer/overlay.h"

#include <stdio.h>
#include <string.h>

const char *gather_applied(const struct core *core)
{
	const char *name = json_string_value(json_object_get(core->in_force, "hash"));

	return name ? name : "";
}

uint64_t gather_applied_rev(const struct core *core)
{
	return (uint64_t)json_integer_value(json_object_get(core->in_force, "rev"));
}

json_t *gather_drops(const struct core *core, const struct stats *stats)
{
	json_t *out = json_object();

	for (enum drop drop = 0; drop < DROPS; drop++) {
		uint64_t count = stats->drops[drop] + counter_read(&core->config.overlay->drops.count[drop]);

		if (count)
			json_object_set_new(out, drop_name(drop), json_integer((json_int_t)count));
	}
	return out;
}

json_t *gather_macs(const struct core *core, json_t *(*form)(const struct core *core, const struct fdb_entry *entry))
{
	json_t *out = json_array();
	struct fdb_entry entry;
	uint32_t cursor = 0;

	while (json_array_size(out) < GATHER_MACS_MAX && fdb_next(core->config.fdb, &cursor, core->now, &entry)) {
		json_t *item = form(core, &entry);

		if (item)
			json_array_append_new(out, item);
	}
	return out;
}

/* ---- errors ------------------------------------------------------------------------------------------------ */

struct errors {
	json_t *list;
	uint32_t count; /* of all, listed or not */
};

/* @item: consumed */
static void add(struct errors *errors, json_t *item)
{
	if (errors->count++ < GATHER_ERRORS_MAX - 1)
		json_array_append_new(errors->list, item);
	else
		json_decref(item);
}

static void add_ports(struct errors *errors, const struct core *core)
{
	for (uint32_t slot = 0; slot < core->ports.slots_count; slot++) {
		const struct port *port = ports_at(&core->ports, slot);

		if (port && error_is_set(&port->error))
			add(errors,
				json_pack("{s:s, s:s, s:s, s:s}", "lab", port->wanted.lab, "port", port->wanted.name,
					"state", port_state_name(port_state(port, core->forwarding)), "text",
					port->error.text));
	}
}

static void add_hosts(struct errors *errors, const struct core *core)
{
	char text[sizeof("refused, ") + CONTACT_WHY_BYTES];
	uint32_t left = core->refused_count, slot = 0;
	const struct peer *peer;

	while (left > 0 && (peer = peers_next(&core->config.overlay->peers, &slot))) {
		if (peer->contact.state != CONTACT_REFUSED)
			continue;
		left--;
		snprintf(text, sizeof(text), "refused, %s", peer->contact.why);
		add(errors, json_pack("{s:s, s:s}", "host", peer->name, "text", text));
	}
}

/* Machines with copied keys: this host's own, as peers say, and peers' */
static void add_rivals(struct errors *errors, const struct core *core)
{
	const struct overlay *overlay = core->config.overlay;
	char text[RIVAL_TEXT_BYTES];
	const struct peer *peer;
	uint32_t slot = 0;

	if (overlay_is_disowned(overlay, core->now)) {
		peer = peers_at(&overlay->peers, overlay->disowned_by);
		snprintf(text, sizeof(text),
			"two machines use this host's keys (%s): %s talks to the other one; give one of them a name and keys of its "
			"own (weft token NAME, then weft join --force there)",
			core->config.host, peer ? peer->name : "a peer");
		add(errors, json_pack("{s:s}", "text", text));
	}
	if (!overlay->rivals_until.ns || instant_reached(core->now, overlay->rivals_until))
		return;
	while ((peer = peers_next(&overlay->peers, &slot))) {
		rival_text(peer, core->now, text);
		if (text[0])
			add(errors, json_pack("{s:s, s:s}", "host", peer->name, "text", text));
	}
}

/* Peers that are up on a path that is too small */
static void add_paths(struct errors *errors, const struct core *core)
{
	uint32_t left = core->config.overlay->short_paths, slot = 0;
	char text[PATH_TEXT_BYTES];
	const struct peer *peer;

	while (left > 0 && (peer = peers_next(&core->config.overlay->peers, &slot))) {
		if (!peer->short_path)
			continue;
		left--;
		path_shortcoming(&peer->paths.path[peer->paths.in_use], text);
		add(errors, json_pack("{s:s, s:s}", "host", peer->name, "text", text));
	}
}

json_t *gather_errors(const struct core *core)
{
	struct errors errors = { .list = json_array() };
	json_t *network;
	size_t i;

	if (error_is_set(&core->rejected))
		add(&errors, json_pack("{s:s}", "text", core->rejected.text));
	if (error_is_set(&core->shortfall))
		add(&errors, json_pack("{s:s}", "text", core->shortfall.text));
	if (error_is_set(&core->unkept))
		add(&errors, json_pack("{s:s}", "text", core->unkept.text));
	json_array_foreach(core->network_errors, i, network)
		add(&errors, json_incref(network));
	add_ports(&errors, core);
	add_hosts(&errors, core);
	add_rivals(&errors, core);
	add_paths(&errors, core);
	if (errors.count > json_array_size(errors.list)) {
		char text[64];

		snprintf(text, sizeof(text), "and %u more", errors.count - (uint32_t)json_array_size(errors.list));
		json_array_append_new(errors.list, json_pack("{s:s}", "text", text));
	}
	return errors.list;
}

static const char *text_of(const json_t *item, const char *key)
{
	return json_string_value(json_object_get(item, key));
}

/* "port lab/name: what is wrong" */
static void form_error(const json_t *item, char *out, size_t cap_bytes)
{
	const char *lab = text_of(item, "lab"), *port = text_of(item, "port"), *network = text_of(item, "network"),
		   *host = text_of(item, "host"), *text = text_of(item, "text");

	if (lab && (port || network))
		snprintf(out, cap_bytes, "%s %s/%s: %s", port ? "port" : "network", lab, port ? port : network, text);
	else if (host)
		snprintf(out, cap_bytes, "host %s: %s", host, text);
	else
		snprintf(out, cap_bytes, "%s", text);
}

void gather_error_text(const json_t *errors, char out[GATHER_TEXT_BYTES])
{
	const json_t *item;
	size_t used = 0, i;

	out[0] = '\0';
	json_array_foreach(errors, i, item) {
		char one[ERROR_BYTES + 256];
		int wrote;

		form_error(item, one, sizeof(one));
		wrote = snprintf(out + used, GATHER_TEXT_BYTES - used, "%s%s", used ? "; " : "", one);
		if (wrote < 0 || (size_t)wrote >= GATHER_TEXT_BYTES - used)
			return; /* cut; the list has it all */
		used += (size_t)wrote;
	}
}
