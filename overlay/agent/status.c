/*
 * status.c - what `weft status` reads: GET /v1/status on DIR/weftd.sock
 *
 * JSON over HTTP on a local socket that only root may open.  Reads the control thread's own state and the workers'
 * counters; changes nothing.
 */
#include "overlay/agent/status.h"

#include "base/error.h"
#include "base/log.h"
#include "base/version.h"
#include "overlay/agent/agent.h"
#include "overlay/datapath/worker.h"

#include <errno.h>
#include <event2/buffer.h>
#include <event2/http.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#define SOCKET_FILE "weftd.sock"
#define REQUEST_MAX_BYTES 16384
#define MACS_MAX 8192U

static json_t *integer(uint64_t value)
{
	return json_integer((json_int_t)value);
}

static void set(json_t *object, const char *key, json_t *value)
{
	json_object_set_new(object, key, value);
}

uint64_t status_drop_count(const struct agent *agent, enum drop drop)
{
	uint64_t count = counter_read(&agent->overlay.drops.count[drop]);

	for (uint32_t i = 0; i < agent->datapath.workers_count; i++) {
		const struct worker *worker = agent->datapath.workers[i];

		count += counter_read(&worker->drops.count[drop]);
		if (drop >= DROP_FROM_FRAGMENT_OVERSIZE && drop <= DROP_FROM_FRAGMENT_EVICTED)
			count += counter_read(
				&worker->reassembler
					 .drops[FRAGMENT_DROP_OVERSIZE + (int)drop - DROP_FROM_FRAGMENT_OVERSIZE]);
	}
	return count;
}

static json_t *drops(const struct agent *agent)
{
	json_t *out = json_object();

	for (enum drop drop = 0; drop < DROPS; drop++) {
		uint64_t count = status_drop_count(agent, drop);

		if (count)
			set(out, drop_name(drop), integer(count));
	}
	return out;
}

static json_t *learning(const struct agent *agent)
{
	json_t *out = json_object();

	for (int event = FDB_OK + 1; event < FDB_RESULTS; event++) {
		uint64_t count = 0;

		for (uint32_t i = 0; i < agent->datapath.workers_count; i++)
			count += counter_read(&agent->datapath.workers[i]->fdb_events[event]);
		if (count)
			set(out, fdb_result_name((enum fdb_result)event), integer(count));
	}
	return out;
}

static json_t *datapath(const struct agent *agent)
{
	const struct datapath *dp = &agent->datapath;
	const struct underlay *underlay = dp->underlay;
	bool gso = true;
	json_t *out = json_object();

	for (uint32_t i = 0; i < dp->workers_count; i++)
		gso &= underlay_takes_trains(underlay, i);
	set(out, "workers", integer(dp->workers_count));
	set(out, "aead_backend", json_string(aead_backend_name(agent->backends[AEAD_AES_128_GCM])));
	set(out, "udp_gso", json_boolean(gso));
	set(out, "udp_gro", json_boolean(underlay->gives_trains));
	set(out, "underlay", json_string(underlay->family == AF_INET6 ? "dual" : "ipv4"));
	set(out, "receive_buffer_bytes", integer((uint64_t)underlay->receive_buffer_bytes));
	set(out, "send_buffer_bytes", integer((uint64_t)underlay->send_buffer_bytes));
	set(out, "busy_poll_us", integer(dp->busy_poll_us));
	set(out, "macs", integer(fdb_count(dp->fdb)));
	return out;
}

/* The way in use, first of the known ones */
static void path_status(const struct agent *agent, const struct peer *peer, json_t *out)
{
	char text[ENDPOINT_TEXT_BYTES];
	json_t *paths = json_array();

	if (peer->path) {
		endpoint_format(&peer->path->endpoint, text);
		set(out, "endpoint", json_string(text));
		set(out, "path_mtu", integer(peer->path->datagram_bytes + path_header_bytes(&peer->path->endpoint)));
	}
	for (uint32_t i = 0; i < peer->paths.count; i++) {
		const struct peer_path *path = &peer->paths.path[i];
		json_t *entry = json_object();

		endpoint_format(&path->endpoint, text);
		set(entry, "kind", json_string(path_kind_name(path->kind)));
		set(entry, "endpoint", json_string(text));
		set(entry, "state", json_string(path_state_name(path->state)));
		set(entry, "since_s", integer(instant_since_ms(agent->now, path->since) / 1000));
		set(entry, "loss_permille", integer(path->loss_permille));
		if (path->rtt_us)
			set(entry, "rtt_us", integer(path->rtt_us));
		json_array_append_new(paths, entry);
	}
	set(out, "paths", paths);
}

static void session_status(const struct agent *agent, const struct peer *peer, json_t *out)
{
	const struct session *session = peer->current;

	if (session) {
		set(out, "cipher", json_string(aead_cipher_name(session->cipher)));
		set(out, "session_age_s", integer(instant_since_ms(agent->now, session->created) / 1000));
		set(out, "lanes", integer(session->rx_lanes));
	}
	if (session && peer->paths.count && peer->paths.path[peer->paths.in_use].rtt_us)
		set(out, "rtt_us", integer(peer->paths.path[peer->paths.in_use].rtt_us));
}

static json_t *peer_status(const struct agent *agent, const struct peer *peer)
{
	json_t *out = json_object();
	struct session_totals totals;
	char why[CONTACT_WHY_BYTES];

	peer_totals(peer, &totals);
	set(out, "host", json_string(peer->name));
	set(out, "state", json_string(contact_state_name(peer->contact.state)));
	set(out, "since_s", integer(instant_since_ms(agent->now, peer->contact.since) / 1000));
	contact_why(&peer->contact, why);
	if (why[0])
		set(out, "reason", json_string(why));
	path_status(agent, peer, out);
	session_status(agent, peer, out);
	if (totals.rx_last_ns)
		set(out, "last_rx_ms", integer(instant_since_ms(agent->now, (struct instant){ totals.rx_last_ns })));
	set(out, "tx_packets", integer(totals.tx_datagrams));
	set(out, "rx_packets", integer(totals.rx_datagrams));
	set(out, "tx_bytes", integer(totals.tx_bytes));
	set(out, "rx_bytes", integer(totals.rx_bytes));
	set(out, "handshakes", integer(peer->sessions_count));
	set(out, "lost_packets", integer(totals.rx_lost));
	return out;
}

static json_t *peers(const struct agent *agent)
{
	json_t *out = json_array();
	const struct peer *peer;
	uint32_t slot = 0;

	while ((peer = peers_next(&agent->overlay.peers, &slot)))
		json_array_append_new(out, peer_status(agent, peer));
	for (uint32_t i = 0; i < agent->refused_count; i++) {
		json_t *refused = json_object();

		set(refused, "host", json_string(agent->refused[i].name));
		set(refused, "state", json_string("refused"));
		set(refused, "reason", json_string(agent->refused[i].refused));
		json_array_append_new(out, refused);
	}
	return out;
}

static const char *network_name(const struct agent *agent, uint32_t id)
{
	const struct network *network =
		agent->datapath.forwarding ? forwarding_network(agent->datapath.forwarding, id) : NULL;

	return network ? network->name : "";
}

static json_t *port_status(const struct agent *agent, const struct vport *port)
{
	uint64_t sums[4] = { 0 };
	json_t *out = json_object();

	for (uint32_t i = 0; i < agent->datapath.workers_count; i++) {
		const struct port_counters *counters = &agent->datapath.workers[i]->port_counters[port->slot];

		sums[0] += counter_read(&counters->rx_frames);
		sums[1] += counter_read(&counters->tx_frames);
		sums[2] += counter_read(&counters->rx_bytes);
		sums[3] += counter_read(&counters->tx_bytes);
	}
	set(out, "lab", json_string(port->lab));
	set(out, "name", json_string(port->name));
	set(out, "network", json_string(network_name(agent, port->network)));
	set(out, "network_id", integer(port->network));
	set(out, "device", json_string(port->tap ? tap_port_name(port->tap) : port->spec.device));
	set(out, "attach", json_string(port->attach));
	set(out, "state", json_string(port->tap ? "up" : "error"));
	if (!port->tap)
		set(out, "error", json_string(port->error.text));
	else
		set(out, "missed_frames", integer(tap_port_missed_pkts(port->tap)));
	set(out, "rx_frames", integer(sums[0]));
	set(out, "tx_frames", integer(sums[1]));
	set(out, "rx_bytes", integer(sums[2]));
	set(out, "tx_bytes", integer(sums[3]));
	return out;
}

static json_t *ports(const struct agent *agent)
{
	json_t *out = json_array();

	for (uint32_t slot = 0; slot < PORTS_MAX; slot++)
		if (agent->ports[slot])
			json_array_append_new(out, port_status(agent, agent->ports[slot]));
	return out;
}

static json_t *mac_status(const struct agent *agent, const struct fdb_entry *entry)
{
	const struct network *network =
		agent->datapath.forwarding ? forwarding_network(agent->datapath.forwarding, entry->key.network) : NULL;
	const bool local = entry->location.kind == FDB_LOCAL;
	const uint32_t id = entry->location.id;
	const struct peer *peer = peers_at(&agent->overlay.peers, id);
	char mac[MAC_TEXT_BYTES], where[NETWORK_NAME_BYTES + 8];
	json_t *out = json_object();

	mac_format(&entry->key.mac, mac);
	if (local)
		snprintf(where, sizeof(where), "port %s",
			id < PORTS_MAX && agent->ports[id] ? agent->ports[id]->name : "?");
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

static json_t *macs(const struct agent *agent)
{
	json_t *out = json_array();
	struct fdb_entry entry;
	uint32_t cursor = 0;

	while (json_array_size(out) < MACS_MAX && fdb_next(agent->datapath.fdb, &cursor, agent->now, &entry))
		json_array_append_new(out, mac_status(agent, &entry));
	return out;
}

static json_t *status(const struct agent *agent)
{
	json_t *out = json_object(), *controller = json_object(), *topology = json_object();

	set(out, "host", json_string(agent->config.enrolment.host));
	set(out, "fabric", json_string(agent->config.enrolment.fabric));
	set(out, "version", json_string(WEFT_VERSION));
	set(out, "uptime_s", integer(instant_since_ms(agent->now, agent->started) / 1000));
	set(controller, "address", json_string(agent->config.enrolment.controller));
	set(controller, "connected", json_boolean(agent->connected));
	set(controller, "state", json_string(agent->connected ? "connected" : agent->controller_state));
	set(out, "controller", controller);
	set(topology, "rev", integer(agent->rev));
	set(topology, "applied", integer(agent->applied_rev));
	if (agent->apply_error.text[0])
		set(topology, "error", json_string(agent->apply_error.text));
	set(out, "topology", topology);
	set(out, "datapath", datapath(agent));
	set(out, "peers", peers(agent));
	set(out, "ports", ports(agent));
	set(out, "macs", macs(agent));
	set(out, "learning", learning(agent));
	set(out, "drops", drops(agent));
	return out;
}

/* ---- the socket -------------------------------------------------------------------------------------------- */

static void on_status(struct evhttp_request *request, void *arg)
{
	struct agent *agent = arg;
	struct evbuffer *body = evbuffer_new();
	char *text = NULL;
	json_t *document;

	agent->now = instant_now();
	document = status(agent);
	text = json_dumps(document, JSON_COMPACT);
	json_decref(document);
	if (!body || !text) {
		evhttp_send_error(request, HTTP_INTERNAL, "out of memory");
	} else {
		evhttp_add_header(evhttp_request_get_output_headers(request), "Content-Type", "application/json");
		evbuffer_add(body, text, strlen(text));
		evbuffer_add(body, "\n", 1);
		evhttp_send_reply(request, HTTP_OK, "OK", body);
	}
	free(text);
	if (body)
		evbuffer_free(body);
}

static void on_other(struct evhttp_request *request, void *arg)
{
	(void)arg;
	evhttp_send_error(request, HTTP_NOTFOUND, "only /v1/status is here");
}

static int listen_unix(const char *path)
{
	struct sockaddr_un sun = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	mode_t before;
	int err;

	if (fd < 0)
		return -errno;
	snprintf(sun.sun_path, sizeof(sun.sun_path), "%s", path);
	unlink(path); /* of an agent that was killed; a living one holds the UDP port, which we have by now */
	before = umask(0177);
	err = bind(fd, (const struct sockaddr *)&sun, sizeof(sun)) < 0 || listen(fd, 16) < 0 ? -errno : 0;
	umask(before);
	if (!err)
		return fd;
	close(fd);
	return err;
}

bool status_start(struct agent *agent, struct error *error)
{
	char path[PATH_MAX];
	int fd;

	if (!config_path(agent->options->state, SOCKET_FILE, path) || strlen(path) >= sizeof(agent->status_path)) {
		error_set(error, "the path of --state is too long for a socket in it");
		return false;
	}
	fd = listen_unix(path);
	if (fd < 0) {
		error_set(error, "%.200s: %s", path, strerror(-fd));
		return false;
	}
	memcpy(agent->status_path, path, strlen(path) + 1);
	agent->status_http = evhttp_new(agent->base);
	if (!agent->status_http || evhttp_accept_socket(agent->status_http, fd) < 0) {
		close(fd);
		error_set(error, "%.200s: out of memory", path);
		return false;
	}
	evhttp_set_allowed_methods(agent->status_http, EVHTTP_REQ_GET);
	evhttp_set_max_headers_size(agent->status_http, REQUEST_MAX_BYTES);
	evhttp_set_max_body_size(agent->status_http, REQUEST_MAX_BYTES);
	evhttp_set_timeout(agent->status_http, 10);
	evhttp_set_gencb(agent->status_http, on_other, NULL);
	return evhttp_set_cb(agent->status_http, "/v1/status", on_status, agent) == 0;
}

void status_stop(struct agent *agent)
{
	if (agent->status_http)
		evhttp_free(agent->status_http);
	if (agent->status_path[0])
		unlink(agent->status_path);
}
