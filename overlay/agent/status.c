/*
 * status.c - see status.h
 *
 * What the core knows of its peers, ports and MACs, and what the workers have counted.
 */
#include "overlay/agent/status.h"

#include "base/version.h"
#include "overlay/agent/gather.h"
#include "overlay/agent/questions.h"
#include "overlay/datapath/stats.h"
#include "overlay/peer/overlay.h"

#include <stdio.h>
#include <string.h>

static json_t *integer(uint64_t value)
{
	return json_integer((json_int_t)value);
}

static void set(json_t *object, const char *key, json_t *value)
{
	json_object_set_new(object, key, value);
}

/* ---- peers ------------------------------------------------------------------------------------------------- */

/* The way in use, first of the known ones */
static void path_status(const struct core *core, const struct peer *peer, json_t *out)
{
	char text[ENDPOINT_TEXT_BYTES], local[ENDPOINT_TEXT_BYTES];
	json_t *paths = json_array();

	if (peer->path) {
		endpoint_format(&peer->path->endpoint, text);
		set(out, "endpoint", json_string(text));
	}
	if (peer->path && !peer_is_limited(peer)) /* of that it is only known that it is less */
		set(out, "path_mtu", integer(peer->path->datagram_bytes + path_header_bytes(&peer->path->endpoint)));
	for (uint32_t i = 0; i < peer->paths.count; i++) {
		const struct peer_path *path = &peer->paths.path[i];
		json_t *entry = json_object();

		endpoint_format(&path->endpoint, text);
		if (endpoint_has_local(&path->endpoint)) {
			endpoint_format_local(&path->endpoint, local);
			set(entry, "from", json_string(local));
		}
		set(entry, "kind", json_string(path_kind_name(path->kind)));
		set(entry, "endpoint", json_string(text));
		set(entry, "state", json_string(path_state_name(path->state)));
		set(entry, "since_s", integer(instant_since_ms(core->now, path->since) / 1000));
		set(entry, "loss_permille", integer(path->loss_permille));
		if (path->rtt_us)
			set(entry, "rtt_us", integer(path->rtt_us));
		json_array_append_new(paths, entry);
	}
	set(out, "paths", paths);
}

static void session_status(const struct core *core, const struct peer *peer, json_t *out)
{
	const struct session *session = peer->current;

	if (session) {
		set(out, "cipher", json_string(aead_cipher_name(session->cipher)));
		set(out, "session_age_s", integer(instant_since_ms(core->now, session->created) / 1000));
		set(out, "lanes", integer(session->rx_lanes));
	}
	if (session && peer->paths.count && peer->paths.path[peer->paths.in_use].rtt_us)
		set(out, "rtt_us", integer(peer->paths.path[peer->paths.in_use].rtt_us));
}

static json_t *peer_status(const struct core *core, const struct peer *peer)
{
	json_t *out = json_object();
	struct session_totals totals;
	char why[PATH_TEXT_BYTES], rival[RIVAL_TEXT_BYTES], trying[ENDPOINT_TEXT_BYTES];

	peer_totals(peer, &totals);
	set(out, "host", json_string(peer->name));
	set(out, "state", json_string(peer_state_name(peer)));
	set(out, "since_s", integer(instant_since_ms(core->now, peer_state_since(peer)) / 1000));
	set(out, "pace", json_string(contact_pace_name(peer->contact.pace)));
	if (peer->contact.attempts) {
		endpoint_format(&peer->contact.tried, trying);
		set(out, "trying", json_string(trying));
	}
	rival_text(peer, core->now, rival);
	peer_why(peer, why);
	if (rival[0] || why[0])
		set(out, "reason", json_string(rival[0] ? rival : why));
	path_status(core, peer, out);
	session_status(core, peer, out);
	if (totals.rx_last_ns)
		set(out, "last_rx_ms", integer(instant_since_ms(core->now, (struct instant){ totals.rx_last_ns })));
	set(out, "tx_packets", integer(totals.tx_datagrams));
	set(out, "rx_packets", integer(totals.rx_datagrams));
	set(out, "tx_bytes", integer(totals.tx_bytes));
	set(out, "rx_bytes", integer(totals.rx_bytes));
	set(out, "handshakes", integer(peer->sessions_count));
	set(out, "lost_packets", integer(totals.rx_lost));
	return out;
}

static json_t *peers(const struct core *core)
{
	json_t *out = json_array();
	const struct peer *peer;
	uint32_t slot = 0;

	while ((peer = peers_next(&core->config.overlay->peers, &slot)))
		if (!peer->contact.gone)
			json_array_append_new(out, peer_status(core, peer));
	return out;
}

/* ---- ports and MACs ---------------------------------------------------------------------------------------- */

/* As the workers know it.  Return: borrowed, NULL where they do not */
static const struct network *network_of(const struct core *core, uint32_t id)
{
	return core->forwarding ? forwarding_network(core->forwarding, id) : NULL;
}

static json_t *port_status(const struct core *core, const struct port *port)
{
	const struct network *network = network_of(core, port->wanted.network_id);
	json_t *out = json_object();
	struct port_stats stats;

	core->ops->port_stats(core->ctx, port->slot, &stats);
	set(out, "lab", json_string(port->wanted.lab));
	set(out, "name", json_string(port->wanted.name));
	set(out, "network", json_string(network ? network->name : ""));
	set(out, "network_id", integer(port->wanted.network_id));
	set(out, "device", json_string(port->open ? tap_port_name(port->open->tap) : ""));
	set(out, "attach", json_string(port->wanted.attach));
	set(out, "state", json_string(port_state_name(port_state(port, core->forwarding))));
	if (error_is_set(&port->error)) {
		set(out, "error", json_string(port->error.text));
		set(out, "error_s", integer(instant_since_ms(core->now, port->error_since) / 1000));
	}
	if (port->open && tap_port_reads(port->open->tap))
		set(out, "reads", json_string(tap_port_reads(port->open->tap)));
	if (port->open)
		set(out, "missed_frames", integer(tap_port_missed_pkts(port->open->tap)));
	set(out, "rx_frames", integer(stats.rx_frames));
	set(out, "tx_frames", integer(stats.tx_frames));
	set(out, "rx_bytes", integer(stats.rx_bytes));
	set(out, "tx_bytes", integer(stats.tx_bytes));
	return out;
}

static json_t *ports(const struct core *core)
{
	json_t *out = json_array();

	for (uint32_t slot = 0; slot < core->ports.slots_count; slot++)
		if (ports_at(&core->ports, slot))
			json_array_append_new(out, port_status(core, ports_at(&core->ports, slot)));
	return out;
}

static json_t *mac_status(const struct core *core, const struct fdb_entry *entry)
{
	const struct network *network = network_of(core, entry->key.network);
	const struct port *port = ports_at(&core->ports, entry->location.id);
	const struct peer *peer = peers_at(&core->config.overlay->peers, entry->location.id);
	char mac[MAC_TEXT_BYTES], where[NETWORK_NAME_BYTES + 8];
	json_t *out = json_object();

	mac_format(&entry->key.mac, mac);
	if (entry->location.kind == FDB_LOCAL)
		snprintf(where, sizeof(where), "port %s", port ? port->wanted.name : "?");
	else
		snprintf(where, sizeof(where), "host %s", peer ? peer->name : "?");
	set(out, "network_id", integer(entry->key.network));
	set(out, "lab", json_string(network ? network->lab : ""));
	set(out, "network", json_string(network ? network->name : ""));
	set(out, "vlan", integer(entry->key.vlan));
	set(out, "mac", json_string(mac));
	set(out, "where", json_string(where));
	set(out, "age_s", integer(entry->idle_ms / 1000));
	if (entry->pinned)
		set(out, "declared", json_true());
	return out;
}

/* ---- the whole --------------------------------------------------------------------------------------------- */

static json_t *learning(const struct stats *stats)
{
	json_t *out = json_object();

	for (int event = FDB_OK + 1; event < FDB_RESULTS; event++)
		if (stats->learning[event])
			set(out, fdb_result_name((enum fdb_result)event), integer(stats->learning[event]));
	return out;
}

static json_t *datapath(const struct core *core, const struct status_facts *facts)
{
	json_t *out = json_object();

	set(out, "workers", integer(facts->workers));
	set(out, "aead_backend", json_string(facts->aead_backend));
	set(out, "udp_gso", json_boolean(facts->udp_gso));
	set(out, "udp_gro", json_boolean(facts->udp_gro));
	set(out, "underlay", json_string(facts->dual_stack ? "dual" : "ipv4"));
	set(out, "receive_buffer_bytes", integer((uint64_t)facts->receive_buffer_bytes));
	set(out, "send_buffer_bytes", integer((uint64_t)facts->send_buffer_bytes));
	set(out, "busy_poll_us", integer(facts->busy_poll_us));
	set(out, "macs", integer(fdb_count(core->config.fdb)));
	return out;
}

static json_t *controller(const struct status_facts *facts)
{
	json_t *out = json_object();

	set(out, "address", json_string(facts->controller));
	set(out, "connected", json_boolean(facts->connected));
	set(out, "state", json_string(facts->connected ? "connected" : facts->controller_state));
	return out;
}

static json_t *topology(const struct core *core)
{
	json_t *errors = gather_errors(core), *out = json_object();
	char text[GATHER_TEXT_BYTES];

	set(out, "rev", integer(core->topology.rev));
	set(out, "applied", integer(gather_applied_rev(core)));
	gather_error_text(errors, text);
	if (text[0]) {
		set(out, "error", json_string(text));
		json_object_set(out, "errors", errors);
	}
	json_decref(errors);
	return out;
}

json_t *status_document(const struct core *core, const struct status_facts *facts)
{
	json_t *out = json_object();
	struct stats stats;

	core->ops->stats(core->ctx, &stats);
	set(out, "host", json_string(facts->host));
	set(out, "fabric", json_string(facts->fabric));
	set(out, "version", json_string(WEFT_VERSION));
	set(out, "uptime_s", integer(instant_since_ms(core->now, core->started) / 1000));
	set(out, "controller", controller(facts));
	set(out, "topology", topology(core));
	set(out, "datapath", datapath(core, facts));
	set(out, "peers", peers(core));
	set(out, "ports", ports(core));
	set(out, "macs", gather_macs(core, mac_status));
	set(out, "learning", learning(&stats));
	set(out, "drops", gather_drops(core, &stats));
	return out;
}

/* ---- as answers to questions ------------------------------------------------------------------------------- */

void status_question(const struct questions_source *source, const json_t *args, struct reply *reply)
{
	struct status_facts facts;

	(void)args;
	source->facts(source->ctx, &facts);
	reply_send(reply, status_document(source->core, &facts));
}

/* All peers in full: what does not fit a report */
void status_question_peers(const struct questions_source *source, const json_t *args, struct reply *reply)
{
	struct status_facts facts;

	(void)args;
	source->facts(source->ctx, &facts);
	reply_send(reply, json_pack("{s:s, s:o}", "host", facts.host, "peers", peers(source->core)));
}
