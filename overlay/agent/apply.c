/*
 * apply.c - makes a topology real: ports, peers and networks, and the fabric that the workers forward by
 *
 * Theory of operation.  A document is checked as a whole first (topology.h); one that is wrong changes nothing.  Then:
 *
 *	1. what is there no more, or is another thing now, leaves: a fabric without it is published, and once all workers work
 *	   with that, its ports are closed, its peers' sessions ended and what the switch learnt behind them is forgotten;
 *	2. what is new comes: ports are opened, peers made;
 *	3. the whole fabric is published.
 *
 * What stays is not touched: its sessions, queues and learnt addresses go on.  A port that cannot be opened does not
 * hold up the rest; it is told to the controller and in `weft status`, and is tried again when links change
 * and every few seconds.  A document is kept on disk before it is made real, so that an agent that is killed in
 * between starts with it.
 */
#include "overlay/agent/apply.h"

#include "base/error.h"
#include "base/file.h"
#include "base/log.h"
#include "overlay/agent/agent.h"
#include "overlay/datapath/datapath.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define TOPOLOGY_FILE "topology.json"
#define TOPOLOGY_MAX_BYTES (64U * 1024U * 1024U)

/* ---- what stays -------------------------------------------------------------------------------------------- */

/* A port that lost its device is another one, whatever the topology says */
static bool same_port(const struct vport *port, const struct topology_port *wanted)
{
	return !port->lost && port->id == wanted->id && port->network == wanted->network &&
		strcmp(port->attach, wanted->attach) == 0 && port->spec.create == wanted->create;
}

static const struct topology_network *network_of(const struct topology *topology, uint32_t id)
{
	for (uint32_t i = 0; i < topology->networks_count; i++)
		if (topology->networks[i].id == id)
			return &topology->networks[i];
	return NULL;
}

static const struct topology_port *wanted_port(const struct topology *topology, const struct vport *port)
{
	for (uint32_t i = 0; i < topology->ports_count; i++) {
		const struct topology_port *wanted = &topology->ports[i];

		if (same_port(port, wanted))
			return wanted;
	}
	return NULL;
}

static const struct topology_host *wanted_host(const struct topology *topology, const struct peer *peer)
{
	for (uint32_t i = 0; i < topology->hosts_count; i++) {
		const struct topology_host *host = &topology->hosts[i];

		if (!host->refused[0] && strcmp(host->name, peer->name) == 0 &&
			memcmp(host->key.bytes, peer->key.bytes, sizeof(peer->key.bytes)) == 0)
			return host;
	}
	return NULL;
}

static struct vport *port_with_id(struct agent *agent, uint32_t id)
{
	for (uint32_t slot = 0; slot < PORTS_MAX; slot++)
		if (agent->ports[slot] && agent->ports[slot]->id == id)
			return agent->ports[slot];
	return NULL;
}

/* ---- the fabric -------------------------------------------------------------------------------------------- */

static struct network *build_network(struct agent *agent, const struct topology *topology,
	const struct topology_network *wanted, struct network_port *ports, uint32_t *peers)
{
	struct network_spec spec = {
		.id = wanted->id,
		.mode = wanted->mode,
		.mtu_bytes = wanted->mtu_bytes,
		.pass = wanted->pass,
		.no_fragments = wanted->no_fragments,
		.lab = wanted->lab,
		.name = wanted->name,
		.ports = ports,
		.peers = peers,
	};
	struct network *network;
	int err;

	for (uint32_t i = 0; i < topology->ports_count; i++) {
		const struct topology_port *port = &topology->ports[i];
		const struct vport *vport = port->network == wanted->id ? port_with_id(agent, port->id) : NULL;

		if (vport && vport->tap)
			ports[spec.ports_count++] = (struct network_port){ .id = vport->slot, .vlan = port->vlan };
	}
	for (uint32_t i = 0; i < wanted->hosts_count; i++) {
		const struct peer *peer = peers_named(&agent->overlay.peers, topology->hosts[wanted->hosts[i]].name);

		if (peer)
			peers[spec.peers_count++] = peer->slot;
	}
	err = network_new(&spec, &network);
	if (!err)
		return network;
	error_set(&agent->apply_error, "network %s/%s: %s", wanted->lab, wanted->name, strerror(-err));
	log_error("%s", agent->apply_error.text);
	return NULL;
}

/* With the ports and peers that the agent has now.  Return: NULL without memory */
static struct forwarding *build_fabric(struct agent *agent, const struct topology *topology)
{
	struct forwarding *forwarding = forwarding_new(++agent->generation);
	struct network_port *ports = calloc(PORTS_MAX, sizeof(*ports));
	uint32_t *peers = calloc(PEERS_MAX, sizeof(*peers));
	uint32_t slot_of_peer = 0;
	struct peer *peer;

	for (uint32_t i = 0; forwarding && ports && peers && i < topology->networks_count; i++) {
		struct network *network = build_network(agent, topology, &topology->networks[i], ports, peers);

		if (network && !forwarding_add_network(forwarding, network))
			network_free(network);
	}
	if (!ports || !peers) {
		forwarding_free(forwarding);
		forwarding = NULL;
	}
	free(ports);
	free(peers);
	if (!forwarding)
		return NULL;
	while ((peer = peers_next(&agent->overlay.peers, &slot_of_peer)))
		if (peer->contact.state != CONTACT_GONE)
			forwarding->peers[peer->slot] = peer;
	for (uint32_t slot = 0; slot < PORTS_MAX; slot++)
		if (agent->ports[slot] && agent->ports[slot]->tap)
			forwarding->ports[slot] = agent->ports[slot];
	return forwarding;
}

/* A network's number may come back as another's, also from one document to the next */
static bool same_network(const struct network *old, const struct network *new)
{
	return new &&strcmp(old->lab, new->lab) == 0 && strcmp(old->name, new->name) == 0;
}

/* A queue that no worker reads is the port's error; the next publication tries again */
static void note_faults(struct agent *agent, const struct attach_faults *faults)
{
	for (uint32_t i = 0; i < faults->count; i++) {
		struct vport *port = agent->ports[faults->faults[i].slot];

		if (!port)
			continue;
		attach_fault_tell(&faults->faults[i], &port->error);
		log_error("port %s/%s: %s", port->lab, port->name, port->error.text);
		error_set(&agent->apply_error, "port %s/%s: %s", port->lab, port->name, port->error.text);
	}
}

static bool publish(struct agent *agent, const struct topology *topology)
{
	struct forwarding *forwarding = build_fabric(agent, topology), *old;
	struct attach_faults faults;

	if (!forwarding) {
		error_set(&agent->apply_error, "out of memory");
		log_error("the topology could not be applied: out of memory");
		return false;
	}
	old = datapath_publish(&agent->datapath, forwarding, &faults);
	note_faults(agent, &faults);
	for (uint32_t i = 0; i < FORWARDING_BUCKETS; i++)
		if (old->buckets[i] &&
			!same_network(old->buckets[i], forwarding_network(forwarding, old->buckets[i]->id)))
			fdb_flush_network(agent->datapath.fdb, old->buckets[i]->id, NULL, true);
	forwarding_free(old);
	return true;
}

/* ---- leaving ----------------------------------------------------------------------------------------------- */

static void free_port(struct agent *agent, struct vport *port)
{
	fdb_flush_location(agent->datapath.fdb, (struct fdb_location){ .kind = FDB_LOCAL, .id = port->slot }, true);
	tap_port_close(port->tap);
	free(port);
}

/* Peers that have no session any more and that no worker can get */
static void free_gone(struct agent *agent)
{
	struct peer *peer;
	uint32_t slot = 0;

	while ((peer = peers_next(&agent->overlay.peers, &slot))) {
		if (peer->contact.state != CONTACT_GONE)
			continue;
		fdb_flush_location(agent->datapath.fdb, (struct fdb_location){ .kind = FDB_PEER, .id = peer->slot },
			true);
		overlay_free_peer(&agent->overlay, peer);
	}
}

/* Return: how many are gone, with those of before that workers might still have */
static uint32_t forget_gone(struct agent *agent, const struct topology *topology)
{
	uint32_t slot = 0, count = 0;
	struct peer *peer;

	while ((peer = peers_next(&agent->overlay.peers, &slot))) {
		if (peer->contact.state != CONTACT_GONE && wanted_host(topology, peer))
			continue;
		if (peer->contact.state != CONTACT_GONE)
			log_info("peer %s: has left", peer->name);
		overlay_forget(&agent->overlay, peer, agent->now);
		count++;
	}
	return count;
}

/* Return: false where that could not be done: ports are as before, peers that are gone have no sessions */
static bool remove_gone(struct agent *agent, const struct topology *topology)
{
	struct vport *ports[PORTS_MAX];
	uint32_t ports_count = 0;

	for (uint32_t slot = 0; slot < PORTS_MAX; slot++) {
		if (!agent->ports[slot] || wanted_port(topology, agent->ports[slot]))
			continue;
		ports[ports_count++] = agent->ports[slot];
		agent->ports[slot] = NULL;
	}
	if (forget_gone(agent, topology) + ports_count == 0)
		return true;
	if (!publish(agent, topology)) {
		for (uint32_t i = 0; i < ports_count; i++)
			agent->ports[ports[i]->slot] = ports[i];
		return false;
	}
	for (uint32_t i = 0; i < ports_count; i++)
		free_port(agent, ports[i]);
	free_gone(agent);
	return true;
}

/* ---- coming ------------------------------------------------------------------------------------------------ */

static void note_port_error(struct agent *agent, const struct vport *port)
{
	error_set(&agent->apply_error, "port %s/%s: %s", port->lab, port->name, port->error.text);
}

static void open_port(struct agent *agent, struct vport *port)
{
	struct error before;
	struct attach spec;

	before = port->error;
	if (attach_parse(port->attach, &spec, &port->error) == 0) {
		spec.create = port->spec.create;
		spec.mtu_bytes = port->spec.mtu_bytes;
		memcpy(spec.device, port->spec.device, sizeof(spec.device));
		port->spec = spec;
		if (tap_port_open(&port->spec, agent->datapath.workers_count, &port->tap, &port->error) == 0) {
			port->error.text[0] = '\0';
			log_info("port %s/%s: open on %s", port->lab, port->name, tap_port_name(port->tap));
			return;
		}
	}
	port->tap = NULL;
	if (strcmp(before.text, port->error.text) != 0)
		log_error("port %s/%s: %s", port->lab, port->name, port->error.text);
}

/* Not open yet.  Return: NULL where there is no room for more */
static struct vport *add_port(struct agent *agent, const struct topology_port *wanted, uint32_t mtu_bytes)
{
	struct vport *port;
	uint32_t slot = 0;

	while (slot < PORTS_MAX && agent->ports[slot])
		slot++;
	port = slot < PORTS_MAX ? calloc(1, sizeof(*port)) : NULL;
	if (!port) {
		error_set(&agent->apply_error, "port %s/%s: no room for more ports", wanted->lab, wanted->name);
		return NULL;
	}
	port->slot = slot;
	port->id = wanted->id;
	port->network = wanted->network;
	memcpy(port->lab, wanted->lab, sizeof(port->lab));
	memcpy(port->name, wanted->name, sizeof(port->name));
	memcpy(port->attach, wanted->attach, sizeof(port->attach));
	port->spec.create = wanted->create;
	port->spec.mtu_bytes = mtu_bytes;
	snprintf(port->spec.device, sizeof(port->spec.device), "wf%u", wanted->id);
	agent->ports[slot] = port;
	return port;
}

static void change_mtu(struct agent *agent, struct vport *port, uint32_t mtu_bytes)
{
	int err = port->tap ? tap_port_set_mtu(port->tap, mtu_bytes) : 0;

	port->spec.mtu_bytes = mtu_bytes;
	if (err) {
		log_error("port %s/%s: MTU %u: %s", port->lab, port->name, mtu_bytes, strerror(-err));
		error_set(&agent->apply_error, "port %s/%s: MTU %u: %s", port->lab, port->name, mtu_bytes,
			strerror(-err));
	}
}

static void add_ports(struct agent *agent, const struct topology *topology)
{
	for (uint32_t i = 0; i < topology->ports_count; i++) {
		const struct topology_port *wanted = &topology->ports[i];
		struct vport *port = port_with_id(agent, wanted->id);

		const uint32_t mtu_bytes = network_of(topology, wanted->network)->mtu_bytes;

		if (!port)
			port = add_port(agent, wanted, mtu_bytes);
		if (port && port->spec.mtu_bytes != mtu_bytes)
			change_mtu(agent, port, mtu_bytes);
		if (port && !port->tap)
			open_port(agent, port);
		if (port && !port->tap)
			note_port_error(agent, port);
	}
}

static void refuse(struct agent *agent, const struct topology_host *host)
{
	bool known = false;

	for (uint32_t i = 0; i < agent->refused_count; i++)
		known |= strcmp(agent->refused[i].name, host->name) == 0 &&
			strcmp(agent->refused[i].refused, host->refused) == 0;
	if (!known)
		log_error("host %s: refused, %s", host->name, host->refused);
	error_set(&agent->apply_error, "host %s: refused, %s", host->name, host->refused);
}

static void add_peers(struct agent *agent, const struct topology *topology)
{
	for (uint32_t i = 0; i < topology->hosts_count; i++) {
		const struct topology_host *host = &topology->hosts[i];
		struct peer *peer = peers_named(&agent->overlay.peers, host->name);

		if (host->refused[0]) {
			refuse(agent, host);
			continue;
		}
		if (!peer)
			peer = overlay_add_peer(&agent->overlay, host->name, &host->key, agent->now);
		if (peer)
			overlay_endpoints(&agent->overlay, peer, host->endpoints, host->endpoints_count, agent->now);
		else
			error_set(&agent->apply_error, "host %s: no room for more peers", host->name);
	}
}

static void keep_refused(struct agent *agent, const struct topology *topology)
{
	free(agent->refused);
	agent->refused_count = 0;
	agent->refused = calloc(topology->hosts_count + 1, sizeof(*agent->refused));
	for (uint32_t i = 0; agent->refused && i < topology->hosts_count; i++)
		if (topology->hosts[i].refused[0])
			agent->refused[agent->refused_count++] = topology->hosts[i];
}

static void pin(struct agent *agent, const struct fdb_key *key, struct fdb_location location)
{
	if (fdb_pin(agent->datapath.fdb, key, location) == 0)
		agent->pins[agent->pins_count++] = *key;
}

/* Declared MACs: frames for them never flood, and nobody else can claim them */
static void pin_declared(struct agent *agent, const struct topology *topology)
{
	for (uint32_t i = 0; i < agent->pins_count; i++)
		(void)fdb_unpin(agent->datapath.fdb, &agent->pins[i]);
	free(agent->pins);
	agent->pins_count = 0;
	agent->pins = calloc((size_t)topology->ports_count + topology->remotes_count + 1, sizeof(*agent->pins));
	if (!agent->pins)
		return;
	for (uint32_t i = 0; i < topology->ports_count; i++) {
		const struct topology_port *declared = &topology->ports[i];
		const struct vport *port = declared->has_mac ? port_with_id(agent, declared->id) : NULL;
		const uint16_t vlan = declared->vlan.mode == VLAN_ACCESS ? declared->vlan.access : 0;

		if (port && port->tap)
			pin(agent, &(struct fdb_key){ declared->network, vlan, declared->mac },
				(struct fdb_location){ FDB_LOCAL, port->slot });
	}
	for (uint32_t i = 0; i < topology->remotes_count; i++) {
		const struct topology_remote *remote = &topology->remotes[i];
		const struct peer *peer = peers_named(&agent->overlay.peers, topology->hosts[remote->host].name);

		if (peer)
			pin(agent, &(struct fdb_key){ remote->network, remote->vlan, remote->mac },
				(struct fdb_location){ FDB_PEER, peer->slot });
	}
}

/* ---- a whole document -------------------------------------------------------------------------------------- */

/* Return: whether it was gone through */
static bool make_real(struct agent *agent, const struct topology *topology)
{
	agent->apply_error.text[0] = '\0';
	if (!remove_gone(agent, topology))
		return false;
	add_ports(agent, topology);
	add_peers(agent, topology);
	keep_refused(agent, topology);
	if (!publish(agent, topology))
		return false;
	pin_declared(agent, topology);
	agent->applied_rev = topology->rev;
	return true;
}

/* Its name is what the controller compares; one without a name is never what is wanted */
static void note_applied(struct agent *agent, const json_t *document)
{
	const char *hash = json_string_value(json_object_get(document, "hash"));

	snprintf(agent->applied, sizeof(agent->applied), "%s", hash ? hash : "");
}

static void keep_on_disk(struct agent *agent, const json_t *document)
{
	char path[PATH_MAX];
	char *text = json_dumps(document, JSON_INDENT(1) | JSON_SORT_KEYS);
	int err = -ENOMEM;

	if (text && config_path(agent->options->state, TOPOLOGY_FILE, path))
		err = file_write(path, text, strlen(text), 0600);
	if (err)
		log_error("%s/" TOPOLOGY_FILE ": %s; after a restart without the controller this host has an older one",
			agent->options->state, strerror(-err));
	free(text);
}

/* Return: whether @document is one.  One that @is_new goes to disk first, and only where it is: what is there works */
static bool take(struct agent *agent, const json_t *document, const char *from, bool is_new)
{
	struct error error, before;
	const uint64_t rev_before = agent->applied_rev;
	struct topology topology;

	if (topology_parse(document, agent->config.enrolment.ca_pem, agent->config.enrolment.host, time(NULL),
		    &topology, &error) < 0) {
		log_error("%s: %s; nothing was changed", from, error.text);
		error_set(&agent->apply_error, "%s", error.text);
		return false;
	}
	if (is_new)
		keep_on_disk(agent, document);
	agent->rev = topology.rev;
	before = agent->apply_error;
	if (make_real(agent, &topology))
		note_applied(agent, document);
	if (agent->applied_rev != rev_before ||
		strcmp(before.text, agent->apply_error.text) != 0) /* not at every new try */
		log_info("topology %llu: %u networks, %u ports, %u hosts%s%s", (unsigned long long)topology.rev,
			topology.networks_count, topology.ports_count, topology.hosts_count,
			error_is_set(&agent->apply_error) ? "; " : "", agent->apply_error.text);
	topology_fini(&topology);
	return true;
}

void apply_kept(struct agent *agent)
{
	char path[PATH_MAX], *text;
	json_error_t where;
	json_t *document;
	size_t len;
	int err;

	if (!config_path(agent->options->state, TOPOLOGY_FILE, path))
		return;
	err = file_read(path, TOPOLOGY_MAX_BYTES, &text, &len);
	if (err) {
		if (err != -ENOENT)
			log_warning("%s: %s; waiting for the controller", path, strerror(-err));
		return;
	}
	document = json_loads(text, JSON_REJECT_DUPLICATES, &where);
	free(text);
	if (!document)
		log_warning("%s:%d: %s; waiting for the controller", path, where.line, where.text);
	else if (take(agent, document, path, false))
		agent->document = json_incref(document);
	json_decref(document);
}

void apply_document(struct agent *agent, const json_t *document)
{
	json_t *copy = json_deep_copy(document);

	if (!copy) {
		log_error("no memory for the controller's topology");
		return;
	}
	if (!take(agent, copy, "controller", !json_equal(copy, agent->document))) {
		json_decref(copy);
		return;
	}
	json_decref(agent->document);
	agent->document = copy;
}

void apply_again(struct agent *agent)
{
	struct error error;

	if (!agent->document)
		return;
	for (uint32_t slot = 0; slot < PORTS_MAX; slot++) {
		struct vport *port = agent->ports[slot];

		if (port && port->tap && tap_port_check(port->tap, &error) < 0) {
			log_warning("port %s/%s: %s", port->lab, port->name, error.text);
			port->lost = true;
		}
	}
	(void)take(agent, agent->document, "topology", false);
}

bool apply_has_faults(struct agent *agent)
{
	struct error error;

	for (uint32_t slot = 0; slot < PORTS_MAX; slot++) {
		struct vport *port = agent->ports[slot];

		if (port && (!port->tap || tap_port_check(port->tap, &error) < 0))
			return true;
	}
	return false;
}

void apply_stop(struct agent *agent)
{
	for (uint32_t slot = 0; slot < PORTS_MAX; slot++)
		if (agent->ports[slot])
			free_port(agent, agent->ports[slot]);
	memset(agent->ports, 0, sizeof(agent->ports));
	free(agent->refused);
	free(agent->pins);
	json_decref(agent->document);
}
