/*
 * apply.c - see apply.h
 *
 * Theory of operation.  A document is checked as a whole first (lab/topology.h); one that is wrong changes nothing.  Then what is
 * there no more, or is another thing now, leaves; what is new comes; what stays is not touched: its device, sessions, queues,
 * learnt and declared addresses go on.  A port that cannot be opened does not hold up the rest (opening.c).  What came of it
 * is put into force by publish.c.
 */
#include "overlay/agent/apply.h"

#include "base/log.h"
#include "overlay/agent/opening.h"
#include "overlay/agent/publish.h"
#include "overlay/peer/overlay.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- ports ------------------------------------------------------------------------------------------------- */

static bool same_port(const struct port *port, const struct lab_port *wanted)
{
	return port->wanted.network_id == wanted->network_id && strcmp(port->wanted.attach, wanted->attach) == 0 &&
		port->wanted.create == wanted->create;
}

static void remove_port(struct core *core, struct port *port)
{
	if (port->open)
		publish_leave_port(core, ports_idle(&core->ports, port));
	timers_clear(&core->retries, &port->retry);
	ports_remove(&core->ports, port);
}

static void remove_ports(struct core *core)
{
	for (uint32_t i = 0; i < core->topology.ports_count; i++) {
		const struct lab_port *wanted = &core->topology.ports[i];
		struct port *port = ports_lookup(&core->ports, wanted->id);

		if (port && same_port(port, wanted))
			port->seen = core->documents;
	}
	for (uint32_t slot = 0; slot < core->ports.slots_count; slot++) {
		struct port *port = ports_at(&core->ports, slot);

		if (!port || port->seen == core->documents)
			continue;
		if (port->open)
			tap_port_leaves(port->open->tap);
		remove_port(core, port);
	}
}

static struct port *add_port(struct core *core, const struct lab_port *wanted, uint32_t mtu_bytes)
{
	struct port *port = NULL;

	if (timers_reserve(&core->retries, core->ports.count + 1))
		port = ports_add(&core->ports, wanted, mtu_bytes);
	if (port) {
		port->seen = core->documents;
		return port;
	}
	core->wants_room = true;
	error_set(&core->shortfall, "port %s/%s: no room for it: this host has %u ports, at most %u are served",
		wanted->lab, wanted->name, core->ports.count, PORTS_MAX);
	return NULL;
}

static void add_ports(struct core *core)
{
	for (uint32_t i = 0; i < core->topology.ports_count; i++) {
		const struct lab_port *wanted = &core->topology.ports[i];
		const uint32_t mtu_bytes = topology_network(&core->topology, wanted->network_id)->network.mtu_bytes;
		struct port *port = ports_lookup(&core->ports, wanted->id);

		if (!port) {
			port = add_port(core, wanted, mtu_bytes);
			if (port)
				opening_try(core, port);
			continue;
		}
		ports_want(port, wanted);
		opening_set_mtu(core, port, mtu_bytes);
		opening_want(core, port);
	}
}

/* ---- peers ------------------------------------------------------------------------------------------------- */

static bool same_host(const struct peer *peer, const struct trust *host)
{
	return memcmp(host->key.bytes, peer->key.bytes, sizeof(peer->key.bytes)) == 0;
}

/* Those that stay are noted in host_peers */
static void remove_peers(struct core *core, bool *stays)
{
	struct peers *peers = &core->config.overlay->peers;
	struct peer *peer;

	for (uint32_t i = 0; i < core->topology.hosts_count; i++) {
		const struct trust *trust = &core->trust[i];

		peer = peers_named(peers, core->topology.hosts[i].name);
		if (!peer)
			continue;
		if (trust->refused[0]) {
			stays[peer->slot] = peer->contact.state == CONTACT_REFUSED;
		} else if (same_host(peer, trust)) {
			core->host_peers[i] = peer;
			stays[peer->slot] = true;
		}
	}
	for (uint32_t slot = 0; (peer = peers_next(peers, &slot)) != NULL;) {
		if (stays[peer->slot] || peers_named(peers, peer->name) != peer) /* it has left before */
			continue;
		log_info("peer %s: has left", peer->name);
		overlay_forget(core->config.overlay, peer, core->now);
		publish_leave_peer(core, peer);
	}
}

static void note_no_room(struct core *core, const struct topology_host *host)
{
	core->wants_room = true;
	error_set(&core->shortfall, "host %s: no room for it: at most %u peers are served", host->name, PEERS_MAX);
}

static void refuse(struct core *core, const struct topology_host *host, const char *reason)
{
	const struct peer *before = peers_named(&core->config.overlay->peers, host->name);

	if (!before || strcmp(before->contact.why, reason) != 0)
		log_error("host %s: refused, %s", host->name, reason);
	core->refused_count++;
	if (!overlay_refuse(core->config.overlay, host->name, reason, core->now))
		note_no_room(core, host);
}

static void add_peers(struct core *core)
{
	struct overlay *overlay = core->config.overlay;

	core->refused_count = 0;
	for (uint32_t i = 0; i < core->topology.hosts_count; i++) {
		const struct topology_host *host = &core->topology.hosts[i];
		struct peer **peer = &core->host_peers[i];

		if (core->trust[i].refused[0]) {
			refuse(core, host, core->trust[i].refused);
			continue;
		}
		if (!*peer)
			*peer = overlay_add_peer(overlay, host->name, &core->trust[i].key, core->now);
		if (*peer)
			overlay_endpoints(overlay, *peer, host->endpoints, host->endpoints_count, core->now);
		else
			note_no_room(core, host);
	}
}

/* Who has the other end of a wire is watched more closely */
static void note_wires(struct core *core)
{
	const struct topology *topology = &core->topology;
	bool *wired = calloc(topology->hosts_count + 1, sizeof(*wired));

	if (!wired) {
		error_set(&core->shortfall,
			"wires: out of memory: a peer that ends is noticed later than it should be");
		return;
	}
	for (uint32_t i = 0; i < topology->networks_count; i++)
		for (uint32_t k = 0; k < topology->networks[i].hosts_count; k++)
			wired[topology->networks[i].hosts[k]] |= topology->networks[i].network.mode == NETWORK_WIRE;
	for (uint32_t i = 0; i < topology->hosts_count; i++)
		if (core->host_peers[i])
			overlay_wire(core->config.overlay, core->host_peers[i], wired[i], core->now);
	free(wired);
}

/* ---- declared MACs ----------------------------------------------------------------------------------------- */

static struct pin pin_of(const struct lab_port *port, enum fdb_location_kind kind, uint32_t slot)
{
	return (struct pin){ { port->network_id, vlan_policy_access(&port->vlan), port->mac }, { kind, slot } };
}

/* Return: how many MACs are declared, in @out */
static uint32_t gather_pins(const struct core *core, struct pin *out)
{
	uint32_t count = 0;

	for (uint32_t i = 0; i < core->topology.ports_count; i++) {
		const struct lab_port *declared = &core->topology.ports[i];
		const struct port *port =
			value_mac_given(&declared->mac) ? ports_lookup(&core->ports, declared->id) : NULL;

		if (port)
			out[count++] = pin_of(declared, FDB_LOCAL, port->slot);
	}
	for (uint32_t i = 0; i < core->topology.remotes_count; i++) {
		const struct lab_port *remote = &core->topology.remotes[i];
		const struct peer *peer =
			value_mac_given(&remote->mac) ? core->host_peers[core->topology.remote_hosts[i]] : NULL;

		if (peer)
			out[count++] = pin_of(remote, FDB_PEER, peer->slot);
	}
	return count;
}

/* Frames for them never flood, and nobody else can claim them */
static void pin_declared(struct core *core)
{
	const struct topology *topology = &core->topology;
	struct pin *wanted = calloc((size_t)topology->ports_count + topology->remotes_count + 1, sizeof(*wanted));
	struct pins_change change;

	if (!wanted) {
		error_set(&core->shortfall, "declared MACs: out of memory");
		return;
	}
	change = pins_set(&core->pins, core->config.fdb, wanted, gather_pins(core, wanted));
	core->unchecked |= core->has_declared;
	if (change.refused)
		error_set(&core->shortfall, "%u declared MACs have no room in the MAC table: their frames flood",
			change.refused);
}

/* ---- a whole document -------------------------------------------------------------------------------------- */

/* Return: false without memory, with nothing changed */
static bool make_room(struct core *core, struct peer ***host_peers, bool **stays)
{
	const uint32_t hosts = core->topology.hosts_count;

	*host_peers = calloc(hosts + 1, sizeof(**host_peers));
	*stays = calloc(core->config.overlay->peers.capacity + 1, sizeof(**stays));
	if (*host_peers && *stays && publish_reserve(core, core->ports.count + core->config.overlay->peers.count))
		return true;
	free(*host_peers);
	free(*stays);
	return false;
}

/* Certificates are looked at again when one runs out, and while one was refused: the clock may have been wrong */
static void judge_later(struct core *core)
{
	const time_t expiry = trust_expiry(core->trust, core->topology.hosts_count);
	const time_t now = core->ops->wall_clock(core->ctx);
	uint64_t wait_ms = CORE_JUDGE_MAX_MS;

	core->judge_at.ns = 0;
	if (core->refused_count)
		wait_ms = CORE_JUDGE_MS;
	else if (!expiry)
		return;
	else if (expiry <= now)
		wait_ms = 0;
	else if ((uint64_t)(expiry - now) < CORE_JUDGE_MAX_MS / 1000)
		wait_ms = (uint64_t)(expiry - now) * 1000;
	core->judge_at = instant_add_ms(core->now, wait_ms);
}

/* The document has been read into core->topology */
static bool make_real(struct core *core)
{
	struct peer **host_peers;
	bool *stays;

	if (!make_room(core, &host_peers, &stays))
		return false;
	core->documents++;
	core->wants_room = core->has_left = false;
	core->shortfall.text[0] = '\0';
	free(core->host_peers);
	core->host_peers = host_peers;
	remove_ports(core);
	remove_peers(core, stays);
	add_ports(core);
	add_peers(core);
	note_wires(core);
	pin_declared(core);
	core->changed = true;
	core->news = true;
	judge_later(core);
	free(stays);
	return true;
}

void apply_rest(struct core *core)
{
	if (core->wants_room && core->has_left && core->leaving_count == 0)
		(void)make_real(core); /* without memory it is done at the next turn */
}

/* Put @fresh, and what was found of its hosts, in force; they are the callee's.  Return: false without memory, and nothing changed */
static bool take(struct core *core, struct topology *fresh, struct trust *trust)
{
	struct topology before = core->topology;
	struct trust *trust_before = core->trust;

	core->topology = *fresh;
	core->trust = trust;
	if (make_real(core)) {
		topology_fini(&before);
		free(trust_before);
		return true;
	}
	topology_fini(fresh);
	free(trust);
	core->topology = before;
	core->trust = trust_before;
	error_set(&core->rejected, "out of memory");
	log_error("the topology could not be applied: out of memory");
	return false;
}

static struct trust_before found_before(const struct core *core)
{
	return (struct trust_before){ core->trust ? &core->topology : NULL, core->trust };
}

/* Read it and judge its hosts.  Return: of each of them, the caller's, as @out is; NULL where it cannot be taken: noted */
static struct trust *read_document(struct core *core, const json_t *document, struct topology *out)
{
	struct trust *trust = NULL;
	struct error error;

	if (topology_decode(document, core->config.host, out, &error) == 0) {
		trust = trust_judge(out, core->config.ca_pem, core->ops->wall_clock(core->ctx), found_before(core));
		if (trust)
			return trust;
		topology_fini(out);
		error_set(&error, "out of memory");
	}
	log_error("%s; nothing was changed", error.text);
	core->rejected = error;
	core->news = true;
	return NULL;
}

/* Whether two documents differ in nothing but what they are called by */
static bool same_content(const json_t *a, const json_t *b)
{
	static const char *const names[] = { "rev", "hash" };
	json_t *left = json_copy((json_t *)a), *right = json_copy((json_t *)b);
	bool same;

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		json_object_del(left, names[i]);
		json_object_del(right, names[i]);
	}
	same = left && right && json_equal(left, right);
	json_decref(left);
	json_decref(right);
	return same;
}

/* It is in force all the same; that it would not outlive a restart is this host's error until it would */
static void keep(struct core *core, const json_t *document)
{
	const bool was_kept = !error_is_set(&core->unkept);
	int err = core->ops->document_keep(core->ctx, document);

	core->keep_at.ns = 0;
	core->unkept.text[0] = '\0';
	if (err) {
		error_set(&core->unkept,
			"the topology is applied but could not be kept on disk: %s; make room in weftd's state folder, or a "
			"restart without the controller brings back an older one",
			strerror(-err));
		core->keep_at = instant_add_ms(core->now, CORE_KEEP_MS);
	}
	core->news |= was_kept != !err;
	if (err && was_kept)
		log_error("%s", core->unkept.text);
	else if (!err && !was_kept)
		log_info("the topology is kept on disk now");
}

void apply_keep(struct core *core)
{
	keep(core, core->document);
}

void apply_document(struct core *core, const json_t *document, bool is_new)
{
	const bool same = core->document && same_content(core->document, document);
	json_t *copy = json_deep_copy(document);
	struct trust *trust = NULL;
	struct topology fresh;

	if (copy)
		trust = read_document(core, copy, &fresh);
	if (!trust) {
		json_decref(copy);
		return;
	}
	core->rejected.text[0] = '\0';
	if (same) {
		core->topology.rev = fresh.rev;
		memcpy(core->topology.hash, fresh.hash, sizeof(fresh.hash));
		topology_fini(&fresh);
		free(trust);
	} else {
		if (is_new)
			keep(core, copy);
		if (!take(core, &fresh, trust)) {
			json_decref(copy);
			return;
		}
		log_info("topology %llu: %u networks, %u ports, %u hosts", (unsigned long long)core->topology.rev,
			core->topology.networks_count, core->topology.ports_count, core->topology.hosts_count);
	}
	json_decref(core->document);
	core->document = copy;
}

/* Whether the same hosts may be peers */
static bool same_verdicts(const struct core *core, const struct trust *fresh)
{
	for (uint32_t i = 0; i < core->topology.hosts_count; i++)
		if (strcmp(core->trust[i].refused, fresh[i].refused) != 0)
			return false;
	return true;
}

void apply_judge(struct core *core)
{
	struct trust *before = core->trust, *fresh;

	if (!before)
		return;
	fresh = trust_judge(&core->topology, core->config.ca_pem, core->ops->wall_clock(core->ctx), found_before(core));
	if (fresh && !same_verdicts(core, fresh)) {
		core->trust = fresh;
		if (make_real(core))
			fresh = before;
		else
			core->trust = before;
	}
	free(fresh);
	judge_later(core);
}

void apply_fini(struct core *core)
{
	const uint32_t ports = core->ports.count;

	/* without memory the rest goes with the process */
	for (uint32_t slot = 0; publish_reserve(core, ports) && slot < core->ports.slots_count; slot++)
		if (ports_at(&core->ports, slot))
			remove_port(core, ports_at(&core->ports, slot));
	publish_fini(core);
	ports_fini(&core->ports);
	timers_fini(&core->retries);
	pins_fini(&core->pins);
	topology_fini(&core->topology);
	free(core->trust);
	json_decref(core->document);
	json_decref(core->in_force);
	free(core->host_peers);
}
