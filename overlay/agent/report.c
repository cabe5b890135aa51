/*
 * report.c - what an agent tells its controller: which topology it works with, what is wrong, the MACs that it learnt, its drops,
 * and what has happened lately
 *
 * The shape is controller/API.md's PUT /v1/agent/report.  Sent when something happened that people wait for, and every few
 * seconds where something has changed since; controller_client.c keeps the newest until it could be delivered.
 *
 * Peers that are not up are named with the address that was tried and the reason, which change by themselves with every attempt:
 * while a peer's state stays, what was said of it stays, too, but for once in CORE_PEERS_RENEW_MS.
 */
#include "overlay/agent/report.h"

#include "base/version.h"
#include "overlay/agent/events.h"
#include "overlay/agent/gather.h"
#include "overlay/datapath/stats.h"
#include "overlay/peer/overlay.h"

#include <stdio.h>
#include <string.h>

/* Those behind own ports */
static json_t *learnt_mac(const struct core *core, const struct fdb_entry *entry)
{
	const struct port *port = entry->location.kind == FDB_LOCAL ? ports_at(&core->ports, entry->location.id) : NULL;
	char mac[MAC_TEXT_BYTES];

	if (!port)
		return NULL;
	mac_format(&entry->key.mac, mac);
	return json_pack("{s:i, s:i, s:s, s:s}", "network", (int)entry->key.network, "vlan", (int)entry->key.vlan,
		"mac", mac, "port", port->wanted.name);
}

/* ---- peers ------------------------------------------------------------------------------------------------- */

/* What is said of those that are not well: first what is worst.  Of those that are up, some are limited */
static const enum contact_state concerns[] = { CONTACT_REFUSED, CONTACT_SILENT, CONTACT_GONE, CONTACT_UNREACHABLE,
	CONTACT_CONNECTING, CONTACT_UP };

static bool is_well(const struct peer *peer)
{
	return peer->contact.state == CONTACT_UP && !peer_is_limited(peer);
}

/* Whom the document names.  Return: NULL after the last */
static const struct peer *next_named(const struct core *core, uint32_t *slot)
{
	const struct peer *peer;

	while ((peer = peers_next(&core->config.overlay->peers, slot)))
		if (!peer->contact.gone)
			return peer;
	return NULL;
}

/* What the controller was told of @name, where that still is the whole of it; borrowed */
static json_t *told_before(const struct core *core, const char *name, const char *state)
{
	const json_t *list = json_object_get(json_object_get(core->reported, "peers"), "not_up");
	json_t *row;
	size_t i;

	if (instant_reached(core->now, core->peers_renew_at))
		return NULL;
	json_array_foreach(list, i, row)
		if (strcmp(json_string_value(json_object_get(row, "host")), name) == 0)
			return strcmp(json_string_value(json_object_get(row, "state")), state) == 0 &&
					json_object_get(row, "reason")
				? row
				: NULL;
	return NULL;
}

static json_t *peer_row(const struct core *core, const struct peer *peer)
{
	const char *state = peer_state_name(peer);
	char endpoint[ENDPOINT_TEXT_BYTES], why[PATH_TEXT_BYTES];
	json_t *row = told_before(core, peer->name, state);

	if (row)
		return json_incref(row);
	row = json_pack("{s:s, s:s}", "host", peer->name, "state", state);
	peer_why(peer, why);
	if (why[0])
		json_object_set_new(row, "reason", json_string(why));
	if (peer->contact.attempted_at.ns || peer_is_limited(peer)) {
		endpoint_format(peer_is_limited(peer) ? &peer->contact.at : &peer->contact.tried, endpoint);
		json_object_set_new(row, "endpoint", json_string(endpoint));
	}
	return row;
}

static void add_rows(const struct core *core, enum contact_state state, json_t *out)
{
	const struct peer *peer;
	uint32_t slot = 0;

	while (json_array_size(out) < REPORT_PEERS_MAX && (peer = next_named(core, &slot)))
		if (peer->contact.state == state && !is_well(peer))
			json_array_append_new(out, peer_row(core, peer));
}

/* Return: how many there are; *@up: of these */
static uint32_t count_peers(const struct core *core, uint32_t *up)
{
	const struct peer *peer;
	uint32_t count = 0, slot = 0;

	*up = 0;
	while ((peer = next_named(core, &slot))) {
		count++;
		*up += is_well(peer);
	}
	return count;
}

bool report_all_up(const struct core *core)
{
	uint32_t up;

	return count_peers(core, &up) == up;
}

static json_t *peers(const struct core *core)
{
	json_t *rows = json_array();
	uint32_t up, count = count_peers(core, &up);

	for (size_t i = 0; count > up && i < sizeof(concerns) / sizeof(concerns[0]); i++)
		add_rows(core, concerns[i], rows);
	return json_pack("{s:i, s:i, s:o}", "count", (int)count, "up", (int)up, "not_up", rows);
}

/* ---- ports ------------------------------------------------------------------------------------------------- */

/* Return: how many there are; *@up: of these */
static uint32_t count_ports(const struct core *core, uint32_t *up)
{
	*up = 0;
	for (uint32_t slot = 0; slot < core->ports.slots_count; slot++) {
		const struct port *port = ports_at(&core->ports, slot);

		*up += port && port_state(port, core->forwarding) == PORT_UP;
	}
	return core->ports.count;
}

static json_t *ports(const struct core *core)
{
	uint32_t up, count = count_ports(core, &up);

	return json_pack("{s:i, s:i}", "count", (int)count, "up", (int)up);
}

void report_summary(const struct core *core, char out[REPORT_SUMMARY_BYTES])
{
	uint32_t ports_up, ports_count = count_ports(core, &ports_up), peers_up;
	uint32_t peers_count = count_peers(core, &peers_up);

	snprintf(out, REPORT_SUMMARY_BYTES, "%u of %u ports up, %u of %u peers up", ports_up, ports_count, peers_up,
		peers_count);
}

/* ---- where hosts are --------------------------------------------------------------------------------------- */

/* Is @link a port's device, or the bridge that a port is in?  What is sent there goes through the tunnel */
static bool is_of_a_port(const struct core *core, const char *link)
{
	for (uint32_t slot = 0; slot < core->ports.slots_count; slot++) {
		const struct port *port = ports_at(&core->ports, slot);
		const char *colon = port ? strchr(port->wanted.attach, ':') : NULL;

		if (colon && strcmp(colon + 1, link) == 0)
			return true;
		if (port && port->open && strcmp(tap_port_name(port->open->tap), link) == 0)
			return true;
	}
	return false;
}

struct own {
	const struct core *core;
	json_t *list;
};

static void add_own(void *arg, const struct endpoint *address, const char *link)
{
	struct own *own = arg;
	char text[ENDPOINT_TEXT_BYTES];

	if (json_array_size(own->list) >= PEER_ENDPOINTS_MAX || endpoint_unusable(address) ||
		is_of_a_port(own->core, link))
		return;
	endpoint_format(address, text);
	json_array_append_new(own->list, json_string(text));
}

static json_t *addresses(const struct core *core)
{
	struct own own = { .core = core, .list = json_array() };

	core->ops->addresses(core->ctx, add_own, &own);
	return own.list;
}

static bool is_told(const struct contact *contact, const struct endpoint *at)
{
	for (uint32_t i = 0; i < contact->endpoints_count; i++)
		if (endpoint_equal(&contact->endpoints[i], at))
			return true;
	return false;
}

/* Where peers are heard, authentic and answering, if that is none of the addresses that the topology has of them */
static json_t *seen(const struct core *core)
{
	json_t *list = json_array();
	const struct peer *peer;
	uint32_t slot = 0;

	while (json_array_size(list) < REPORT_SEEN_MAX && (peer = next_named(core, &slot))) {
		const struct contact *contact = &peer->contact;
		char text[ENDPOINT_TEXT_BYTES];

		if (contact->state != CONTACT_UP || !contact->has_at || is_told(contact, &contact->at) ||
			endpoint_unusable(&contact->at))
			continue;
		endpoint_format(&contact->at, text);
		json_array_append_new(list, json_pack("{s:s, s:s}", "host", peer->name, "endpoint", text));
	}
	return list;
}

/* ---- the whole --------------------------------------------------------------------------------------------- */

static json_t *new_report(const struct core *core)
{
	json_t *errors = gather_errors(core), *report;
	char text[GATHER_TEXT_BYTES];
	struct stats stats;

	core->ops->stats(core->ctx, &stats);
	report = json_pack("{s:s, s:I, s:s, s:o, s:o, s:o, s:o, s:o, s:o}", "applied", gather_applied(core), "rev",
		(json_int_t)gather_applied_rev(core), "version", WEFT_VERSION, "macs", gather_macs(core, learnt_mac),
		"drops", gather_drops(core, &stats), "peers", peers(core), "ports", ports(core), "addresses",
		addresses(core), "seen", seen(core));
	if (json_array_size(errors)) {
		gather_error_text(errors, text);
		json_object_set_new(report, "error", json_string(text));
		json_object_set(report, "errors", errors);
	}
	json_decref(errors);
	return report;
}

void report_send(struct core *core)
{
	const uint64_t newest = agent_events_newest(core->events);
	json_t *report = new_report(core), *whole;

	core->peers_at.ns = 0;
	core->peers_told = core->config.overlay->changes;
	core->peers_reported_at = core->now;
	if (instant_reached(core->now, core->peers_renew_at))
		core->peers_renew_at = instant_add_ms(core->now, CORE_PEERS_RENEW_MS);
	if (!report || (json_equal(report, core->reported) && newest == core->reported_event)) {
		json_decref(report);
		return;
	}
	whole = json_copy(report);
	json_object_set_new(whole, "events", agent_events_report(core->events, core->ops->wall_clock(core->ctx)));
	if (core->ops->report(core->ctx, whole)) {
		json_decref(core->reported);
		core->reported = json_incref(report);
		core->reported_event = newest;
	}
	json_decref(whole);
	json_decref(report);
}
