/*
 * host.c - see host.h
 */
#include "tests/sim/host.h"

#include "base/base64.h"
#include "base/random.h"
#include "base/rcu.h"
#include "crypto/aead_registry.h"
#include "crypto/identity_issue.h"
#include "encap/gre.h"
#include "overlay/datapath/datapath.h"
#include "overlay/datapath/stats.h"
#include "tap/port_ops.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define FDB_CAPACITY 256U
#define FDB_LOCATIONS 2048U /* ports and peers of one host, of which no scenario has more */

struct closing {
	struct closing *next;
	struct host *host;
	struct tap_port *port;
	void *token;
	struct event_at done;
};

static void *must(void *memory)
{
	if (!memory)
		abort();
	return memory;
}

/* ---- time: whatever happened, the next moment may be another ------------------------------------------------ */

static void look_after(void *ctx)
{
	struct host *host = ctx;
	const struct instant now = world_now(host->world);
	struct instant core, peers;

	if (!host->core)
		return;
	core = core_tick(host->core, now);
	peers = overlay_poll(&host->overlay, now);
	if (core_has_news(host->core))
		core = core_tick(host->core, now);
	if (!core.ns || (peers.ns && peers.ns < core.ns))
		core = peers;
	if (core.ns)
		world_at(host->world, &host->wake, core, look_after, host);
	else
		world_cancel(host->world, &host->wake);
}

/* ---- what the overlay asks for ----------------------------------------------------------------------------- */

static int send_datagram(void *ctx, const struct endpoint *to, const void *bytes, size_t len_bytes)
{
	struct host *host = ctx;

	return net_send(host->node, to, bytes, len_bytes);
}

static void draw(void *ctx, void *out, size_t len_bytes)
{
	(void)ctx;
	random_fill(out, len_bytes);
}

static time_t wall_clock(void *ctx)
{
	const struct host *host = ctx;

	return world_wall(host->world) + host->clock_off_s;
}

static struct tai64n timestamp(void *ctx)
{
	const struct host *host = ctx;

	return tai64n_from_unix(wall_clock(ctx), (uint32_t)(world_now(host->world).ns % 1000000000U));
}

static uint32_t link_mtu(void *ctx, const struct endpoint *to)
{
	(void)to;
	return net_link(((struct host *)ctx)->node)->mtu_bytes;
}

static bool has_address(void *ctx, const uint8_t ip[IP_BYTES])
{
	const struct endpoint here = net_endpoint(((struct host *)ctx)->node);

	return memcmp(here.ip, ip, IP_BYTES) == 0;
}

static void receive(void *ctx, uint8_t *bytes, size_t len_bytes, const struct endpoint *from)
{
	struct host *host = ctx;
	struct gre header;

	if (!host->core || gre_decode(bytes, len_bytes, &header) != GRE_OK)
		return;
	if (header.protocol == GRE_PROTOCOL_HANDSHAKE)
		overlay_handshake_datagram(&host->overlay, bytes, len_bytes, from, world_now(host->world));
	else
		overlay_sealed_datagram(&host->overlay, bytes, len_bytes, from, world_now(host->world));
	look_after(host);
}

static void begin_overlay(struct host *host)
{
	static const struct overlay_ops ops = {
		.send = send_datagram,
		.random = draw,
		.timestamp = timestamp,
		.route_mtu = link_mtu,
		.device_mtu = link_mtu,
		.has_address = has_address,
	};
	struct overlay_config config = {
		.ops = &ops,
		.ctx = host,
		.self = &host->self,
		.sessions = host->sessions,
		.workers = 1,
		.time_scale = 1,
		.family = AF_INET6,
	};

	for (uint32_t cipher = 1; cipher <= OVERLAY_CIPHERS; cipher++)
		config.backends[cipher] = aead_backend_openssl();
	if (!overlay_init(&host->overlay, &config))
		abort();
}

/* ---- what the core asks for -------------------------------------------------------------------------------- */

static void on_published(void *ctx)
{
	static const struct attach_faults none;
	struct host *host = ctx;
	struct forwarding *superseded = host->forwarding;

	host->forwarding = host->coming;
	host->coming = NULL;
	core_published(host->core, &none, world_now(host->world)); /* it may publish the next one */
	forwarding_free(superseded);
	look_after(host);
}

static void publish(void *ctx, struct forwarding *forwarding)
{
	struct host *host = ctx;

	host->coming = forwarding;
	world_after_us(host->world, &host->published, HOST_PUBLISH_US, on_published, host);
}

static void close_port(struct tap_port *port)
{
	free(port);
}

static enum tap_health check_port(struct tap_port *port, const struct tap_view *view, struct error *error)
{
	(void)port;
	(void)view;
	(void)error;
	return TAP_UP;
}

static const struct tap_ops port_ops = { .close = close_port, .check = check_port };

static int port_open(void *ctx, const struct attach *spec, struct tap_port **out, struct error *error)
{
	struct host *host = ctx;

	if (host->ports_broken) {
		error_set(error, "%s: broken, as the scenario wants it", spec->target);
		return -ENODEV;
	}
	*out = must(calloc(1, sizeof(**out)));
	(*out)->ops = &port_ops;
	(*out)->spec = *spec;
	(*out)->queues = 1;
	return 0;
}

static bool look(void *ctx)
{
	(void)ctx;
	return true;
}

static bool has_changed(void *ctx)
{
	(void)ctx;
	return false;
}

static bool links_differ(void *ctx)
{
	(void)ctx;
	return true;
}

static enum tap_health port_check(void *ctx, struct tap_port *port, struct error *error)
{
	(void)ctx;
	return port->ops->check(port, NULL, error);
}

static int port_set_mtu(void *ctx, struct tap_port *port, uint32_t mtu_bytes)
{
	(void)ctx;
	(void)port;
	(void)mtu_bytes;
	return 0;
}

static void on_port_closed(void *ctx)
{
	struct closing *closing = ctx, **at = &closing->host->closing;
	struct host *host = closing->host;

	while (*at != closing)
		at = &(*at)->next;
	*at = closing->next;
	closing->port->ops->close(closing->port);
	if (host->core) {
		core_port_closed(host->core, closing->token, world_now(host->world));
		look_after(host);
	}
	free(closing);
}

static bool port_close(void *ctx, struct tap_port *port, void *token)
{
	struct host *host = ctx;
	struct closing *closing = must(calloc(1, sizeof(*closing)));

	*closing = (struct closing){ .next = host->closing, .host = host, .port = port, .token = token };
	host->closing = closing;
	world_after_us(host->world, &closing->done, HOST_CLOSE_US, on_port_closed, closing);
	return true;
}

static int document_keep(void *ctx, const json_t *document)
{
	struct host *host = ctx;

	json_decref(host->kept);
	host->kept = json_incref((json_t *)document);
	return 0;
}

static json_t *document_kept(void *ctx)
{
	return json_incref(((struct host *)ctx)->kept);
}

static int places_keep(void *ctx, const json_t *whereabouts)
{
	struct host *host = ctx;

	json_decref(host->whereabouts);
	host->whereabouts = json_incref((json_t *)whereabouts);
	return 0;
}

static json_t *places_kept(void *ctx)
{
	return json_incref(((struct host *)ctx)->whereabouts);
}

static bool report(void *ctx, const json_t *report)
{
	struct host *host = ctx;
	json_t *told = json_copy((json_t *)report);

	if (host->address != HOST_REPORTED) /* or nobody stayed hidden for long */
		json_object_set_new(told, "seen", json_array());
	if (host->client)
		client_report(host->client, told);
	json_decref(told);
	return host->client != NULL;
}

static void stats(void *ctx, struct stats *out)
{
	(void)ctx;
	memset(out, 0, sizeof(*out));
}

static void port_stats(void *ctx, uint32_t slot, struct port_stats *out)
{
	(void)ctx;
	(void)slot;
	memset(out, 0, sizeof(*out));
}

/* Where it is by itself: behind a NAT, an address that others do not reach */
static void own_addresses(void *ctx, void (*each)(void *arg, const struct endpoint *address, const char *link),
	void *arg)
{
	const struct host *host = ctx;
	const struct endpoint here = net_endpoint(host->node);

	if (host->address == HOST_REPORTED)
		each(arg, &here, "eth0");
}

static void begin_core(struct host *host)
{
	static const struct core_ops ops = {
		.wall_clock = wall_clock,
		.publish = publish,
		.port_open = port_open,
		.look = look,
		.has_changed = has_changed,
		.links_differ = links_differ,
		.port_check = port_check,
		.port_set_mtu = port_set_mtu,
		.port_close = port_close,
		.document_keep = document_keep,
		.document_kept = document_kept,
		.whereabouts_keep = places_keep,
		.whereabouts_kept = places_kept,
		.report = report,
		.addresses = own_addresses,
		.stats = stats,
		.port_stats = port_stats,
	};
	const struct core_config config = {
		.host = host->name,
		.ca_pem = fabric_ca(host->fabric),
		.overlay = &host->overlay,
		.fdb = host->fdb,
	};

	host->core = must(core_new(&config, &ops, host, world_now(host->world)));
}

/* ---- the controller ---------------------------------------------------------------------------------------- */

static void on_topology(void *ctx, const json_t *document)
{
	struct host *host = ctx;

	host->counts.documents++;
	core_document(host->core, document, world_now(host->world));
	look_after(host);
}

static void on_told(void *ctx, const json_t *offline, const json_t *online)
{
	struct host *host = ctx;

	core_told(host->core, offline, online, world_now(host->world));
	look_after(host);
}

static void begin_client(struct host *host)
{
	const struct client_config config = {
		.world = host->world,
		.fabric = host->fabric,
		.self = {
			.node = host->node,
			.host = host->name,
			.fingerprint = host->fingerprint,
			.hidden = host->address == HOST_HIDDEN,
		},
		.hash = host->kept ? json_string_value(json_object_get(host->kept, "hash")) : "",
		.on_topology = on_topology,
		.on_told = on_told,
		.ctx = host,
	};

	host->client = client_new(&config);
}

/* ---- joining ----------------------------------------------------------------------------------------------- */

/* Decode the secret of a join token: base64url, of JSON */
static json_t *token_secret(const char *token)
{
	uint8_t bytes[1024];
	char text[1400];
	size_t len = (size_t)snprintf(text, sizeof(text), "%s", token + strlen("weft1."));
	json_t *content, *secret;

	for (char *at = text; *at; at++)
		*at = *at == '-' ? '+' : *at == '_' ? '/' : *at;
	while (len % 4)
		text[len++] = '=';
	text[len] = '\0';
	len = len / 4 * 3 - (text[len - 1] == '=') - (text[len - 2] == '=');
	if (!base64_decode(text, bytes, len))
		abort();
	content = must(json_loadb((const char *)bytes, len, 0, NULL));
	secret = json_incref(json_object_get(content, "s"));
	json_decref(content);
	return secret;
}

static json_t *new_token(struct host *host)
{
	json_t *answer =
		fabric_ask(host->fabric, API_POST, "/v1/tokens", NULL, json_pack("{s:s}", "host", host->name), NULL);
	json_t *secret = token_secret(json_string_value(json_object_get(answer, "token")));

	json_decref(answer);
	return secret;
}

static json_t *new_request(struct host *host)
{
	const struct endpoint endpoint = net_endpoint(host->node);
	char *csr, key[BASE64_TEXT_BYTES(X25519_BYTES)], sig[BASE64_TEXT_BYTES(IDENTITY_SIGNATURE_BYTES)];
	char endpoint_text[ENDPOINT_TEXT_BYTES];
	uint8_t signature[IDENTITY_SIGNATURE_BYTES];
	json_t *out;

	if (!x25519_generate(&host->self.static_key) || identity_key_create(&host->key_pem) < 0 ||
		identity_csr_create(host->key_pem, host->name, &csr) < 0 ||
		identity_tunnel_sign(host->key_pem, host->name, &host->self.static_key.public, signature) < 0)
		abort();
	base64_encode(host->self.static_key.public.bytes, X25519_BYTES, key);
	base64_encode(signature, sizeof(signature), sig);
	endpoint_format(&endpoint, endpoint_text);
	out = json_pack("{s:o, s:s, s:s, s:s, s:s*}", "token", new_token(host), "csr", csr, "tunnel_key", key,
		"tunnel_sig", sig, "endpoint", host->address == HOST_DECLARED ? endpoint_text : NULL);
	identity_pem_free(csr);
	return must(out);
}

static void join(struct host *host)
{
	json_t *answer = fabric_ask_stranger(host->fabric, API_POST, "/v1/enrol", new_request(host), NULL);

	host->certificate = must(strdup(json_string_value(json_object_get(answer, "certificate"))));
	if (!base64_decode(json_string_value(json_object_get(answer, "psk")), host->self.psk.bytes,
		    sizeof(host->self.psk.bytes)) ||
		!identity_fingerprint(host->certificate, host->fingerprint))
		abort();
	json_decref(answer);
}

/* ---- its life ---------------------------------------------------------------------------------------------- */

void host_start(struct host *host)
{
	const struct fdb_config fdb = {
		.capacity = FDB_CAPACITY,
		.locations = FDB_LOCATIONS,
		.location_limit = FDB_CAPACITY,
		.aging_ms = FDB_AGING_MS,
		.seed = hash_seed_random(),
	};

	world_trace(host->world, "%s starts", host->name);
	host->sessions = must(calloc(1, sizeof(*host->sessions)));
	host->fdb = must(fdb_new(&fdb));
	begin_overlay(host);
	begin_core(host);
	core_start(host->core, world_now(host->world));
	begin_client(host);
	net_power(host->node, true);
	look_after(host);
}

static void end(struct host *host)
{
	struct core *core = host->core;

	host->counts.sessions = host_sessions(host);
	client_free(host->client);
	host->client = NULL;
	host->core = NULL;
	core_free(core);
	world_cancel(host->world, &host->wake);
	world_cancel(host->world, &host->published);
	while (host->closing) {
		world_cancel(host->world, &host->closing->done);
		on_port_closed(host->closing);
	}
	overlay_fini(&host->overlay);
	forwarding_free(host->forwarding);
	host->forwarding = NULL;
	host->coming = NULL;
	fdb_free(host->fdb);
	rcu_drain();
	session_table_fini(host->sessions);
	free(host->sessions);
}

void host_stop(struct host *host)
{
	if (!host->core)
		return;
	world_trace(host->world, "%s stops", host->name);
	net_power(host->node, false);
	end(host);
}

void host_part(struct host *host)
{
	world_trace(host->world, "%s parts", host->name);
	overlay_part(&host->overlay, world_now(host->world));
	end(host);
}

void host_die(struct host *host)
{
	world_trace(host->world, "%s dies", host->name);
	net_power(host->node, false); /* no goodbyes */
	end(host);
	net_power(host->node, true);
}

void host_told(struct host *host, const char *peer, bool has_come)
{
	json_t *names = json_pack("[s]", peer);

	on_told(host, has_come ? NULL : names, has_come ? names : NULL);
	json_decref(names);
}

struct host *host_new(struct world *world, struct net *net, struct fabric *fabric, const char *name,
	enum host_address address)
{
	struct host *host = must(calloc(1, sizeof(*host)));

	host->world = world;
	host->fabric = fabric;
	snprintf(host->name, sizeof(host->name), "%s", name);
	host->address = address;
	host->node = net_join(net, name, receive, host);
	join(host);
	return host;
}

void host_free(struct host *host)
{
	if (!host)
		return;
	host_stop(host);
	json_decref(host->kept);
	json_decref(host->whereabouts);
	identity_pem_free(host->key_pem);
	free(host->certificate);
	free(host);
}

/* ---- what happens to it ------------------------------------------------------------------------------------ */

void host_move(struct host *host)
{
	net_move(host->node);
	overlay_moved(&host->overlay, world_now(host->world));
	look_after(host);
}

void host_wants(struct host *host, const char *peer)
{
	const struct peer *found = peers_named(&host->overlay.peers, peer);

	if (found)
		overlay_wanted(&host->overlay, found->slot, world_now(host->world));
	look_after(host);
}

void host_links(struct host *host)
{
	core_links_changed(host->core, world_now(host->world));
	look_after(host);
}

/* ---- how it is --------------------------------------------------------------------------------------------- */

uint32_t host_peers(const struct host *host)
{
	return host->core ? host->overlay.peers.count : 0;
}

enum contact_state host_peer_state(const struct host *host, const char *peer)
{
	const struct peer *found = host->core ? peers_named(&host->overlay.peers, peer) : NULL;

	return found ? found->contact.state : CONTACT_STATES_COUNT;
}

uint32_t host_peers_up(const struct host *host)
{
	const struct peer *peer;
	uint32_t up = 0;

	for (uint32_t slot = 0; host->core && (peer = peers_next(&host->overlay.peers, &slot));)
		up += peer->contact.state == CONTACT_UP;
	return up;
}

const char *host_applied(const struct host *host)
{
	const char *hash = host->core && host->core->in_force
		? json_string_value(json_object_get(host->core->in_force, "hash"))
		: NULL;

	return hash ? hash : "";
}

uint64_t host_sessions(const struct host *host)
{
	uint64_t count = host->counts.sessions;
	const struct peer *peer;

	for (uint32_t slot = 0; host->core && (peer = peers_next(&host->overlay.peers, &slot));)
		count += peer->sessions_count;
	return count;
}
