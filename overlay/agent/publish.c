/*
 * publish.c - see publish.h
 */
#include "overlay/agent/publish.h"

#include "base/log.h"
#include "overlay/peer/overlay.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#define AGAIN_MS 1000U /* without memory */

struct leaving {
	struct vport *port;
	struct peer *peer;
	uint32_t generation; /* the first without it; 0: not published yet */
	bool closing;
};

/* ---- what leaves ------------------------------------------------------------------------------------------- */

bool publish_reserve(struct core *core, uint32_t count)
{
	uint32_t wanted = core->leaving_count + count;
	struct leaving *more;

	if (wanted <= core->leaving_room)
		return true;
	more = realloc(core->leaving, wanted * sizeof(*more));
	if (!more)
		return false;
	core->leaving = more;
	core->leaving_room = wanted;
	return true;
}

static void leave(struct core *core, struct leaving what)
{
	assert(core->leaving_count < core->leaving_room);
	core->leaving[core->leaving_count++] = what;
	core->changed = true;
}

void publish_leave_port(struct core *core, struct vport *port)
{
	leave(core, (struct leaving){ .port = port });
}

void publish_leave_peer(struct core *core, struct peer *peer)
{
	leave(core, (struct leaving){ .peer = peer });
}

/* A TAP of ours has a name of its own, or is the target; a bridge may be deleted with its last port */
bool publish_holds(const struct core *core, const struct attach *spec)
{
	for (uint32_t i = 0; i < core->leaving_count; i++) {
		const struct attach *held = core->leaving[i].port ? &core->leaving[i].port->spec : NULL;

		if (!held || held->kind == ATTACH_MEMORY || spec->kind == ATTACH_MEMORY)
			continue;
		if (strcmp(held->target, spec->target) == 0 || strcmp(held->device, spec->device) == 0)
			return true;
	}
	return false;
}

static void flush(struct core *core, enum fdb_location_kind kind, uint32_t id)
{
	fdb_flush_location(core->config.fdb, (struct fdb_location){ .kind = kind, .id = id }, false);
}

static void remove_at(struct core *core, uint32_t at)
{
	if (core->leaving[at].port) {
		(void)ports_release(&core->ports, core->leaving[at].port->slot);
		free(core->leaving[at].port);
	}
	core->leaving[at] = core->leaving[--core->leaving_count];
	core->has_left = true;
}

/* Return: whether it is gone, and not only being closed */
static bool let_go(struct core *core, struct leaving *leaving)
{
	if (leaving->peer) {
		flush(core, FDB_PEER, leaving->peer->slot);
		overlay_free_peer(core->config.overlay, leaving->peer);
		return true;
	}
	flush(core, FDB_LOCAL, leaving->port->slot);
	leaving->closing = core->ops->port_close(core->ctx, leaving->port->tap, leaving->port);
	return !leaving->closing;
}

static void let_all_go(struct core *core)
{
	for (uint32_t i = 0; i < core->leaving_count;) {
		struct leaving *leaving = &core->leaving[i];

		if (!leaving->closing && leaving->generation && let_go(core, leaving))
			remove_at(core, i);
		else
			i++;
	}
}

bool publish_closed(struct core *core, const void *token)
{
	for (uint32_t i = 0; i < core->leaving_count; i++) {
		if (!core->leaving[i].closing || core->leaving[i].port != token)
			continue;
		remove_at(core, i);
		return true;
	}
	return false;
}

/* ---- snapshots --------------------------------------------------------------------------------------------- */

/* What a snapshot is built from: the open ports by network, and room for one network's */
struct workshop {
	struct port **ports;
	uint32_t ports_count;
	struct network_port *members;
	uint32_t *peers;
};

static int compare_networks(const void *left, const void *right)
{
	const struct port *const *a = left, *const *b = right;

	if ((*a)->wanted.network_id != (*b)->wanted.network_id)
		return (*a)->wanted.network_id < (*b)->wanted.network_id ? -1 : 1;
	return (*a)->slot < (*b)->slot ? -1 : (*a)->slot > (*b)->slot;
}

static void close_workshop(struct workshop *shop)
{
	free(shop->ports);
	free(shop->members);
	free(shop->peers);
}

/* Return: false without memory */
static bool open_workshop(const struct core *core, struct workshop *shop)
{
	*shop = (struct workshop){ 0 };
	shop->ports = calloc(core->ports.count + 1, sizeof(*shop->ports));
	shop->members = calloc(core->ports.count + 1, sizeof(*shop->members));
	shop->peers = calloc(core->topology.hosts_count + 1, sizeof(*shop->peers));
	if (!shop->ports || !shop->members || !shop->peers) {
		close_workshop(shop);
		return false;
	}
	for (uint32_t slot = 0; slot < core->ports.slots_count; slot++) {
		struct port *port = ports_at(&core->ports, slot);

		if (port && port->open)
			shop->ports[shop->ports_count++] = port;
	}
	qsort(shop->ports, shop->ports_count, sizeof(struct port *), compare_networks);
	return true;
}

static uint32_t first_of(const struct workshop *shop, uint32_t network)
{
	uint32_t low = 0, high = shop->ports_count;

	while (low < high) {
		uint32_t middle = low + (high - low) / 2;

		if (shop->ports[middle]->wanted.network_id < network)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

static void note_network(struct core *core, const struct lab_network *wanted, int err)
{
	json_t *note = json_object();

	json_object_set_new(note, "lab", json_string(wanted->lab));
	json_object_set_new(note, "network", json_string(wanted->name));
	json_object_set_new(note, "text", json_string(strerror(-err)));
	json_array_append_new(core->network_errors, note);
	log_error("network %s/%s: %s", wanted->lab, wanted->name, strerror(-err));
}

/* Return: NULL where it cannot be: noted */
static struct network *build_network(struct core *core, const struct topology_network *wanted, struct workshop *shop)
{
	const struct lab_network *asked = &wanted->network;
	struct network_spec spec = {
		.id = asked->id,
		.mode = asked->mode,
		.mtu_bytes = asked->mtu_bytes,
		.pass = asked->pass,
		.no_fragments = !asked->fragment,
		.lab = asked->lab,
		.name = asked->name,
		.ports = shop->members,
		.peers = shop->peers,
	};
	struct network *network;
	int err;

	for (uint32_t i = first_of(shop, asked->id);
		i < shop->ports_count && shop->ports[i]->wanted.network_id == asked->id; i++)
		shop->members[spec.ports_count++] =
			(struct network_port){ .id = shop->ports[i]->slot, .vlan = shop->ports[i]->wanted.vlan };
	for (uint32_t i = 0; i < wanted->hosts_count; i++) {
		const struct peer *peer = core->host_peers[wanted->hosts[i]];

		if (peer)
			shop->peers[spec.peers_count++] = peer->slot;
	}
	err = network_new(&spec, &network);
	if (!err)
		return network;
	note_network(core, asked, err);
	return NULL;
}

/* With the ports and peers that there are now.  Return: NULL without memory */
static struct forwarding *build(struct core *core)
{
	struct forwarding *forwarding = forwarding_new(core->generation + 1, core->config.overlay->peers.capacity);
	struct workshop shop;

	if (!forwarding || !open_workshop(core, &shop)) {
		forwarding_free(forwarding);
		return NULL;
	}
	json_array_clear(core->network_errors);
	for (uint32_t i = 0; i < core->topology.networks_count; i++) {
		struct network *network = build_network(core, &core->topology.networks[i], &shop);

		if (network && !forwarding_add_network(forwarding, network))
			network_free(network);
	}
	for (uint32_t i = 0; i < shop.ports_count; i++)
		forwarding->ports[shop.ports[i]->slot] = shop.ports[i]->open;
	for (uint32_t i = 0; i < core->topology.hosts_count; i++)
		if (core->host_peers[i])
			forwarding->peers[core->host_peers[i]->slot] = core->host_peers[i];
	close_workshop(&shop);
	return forwarding;
}

void publish_settle(struct core *core)
{
	if (!core->changed || core->coming || !instant_reached(core->now, core->publish_at))
		return;
	core->coming = build(core);
	if (!core->coming) {
		log_error("the topology cannot be put into force: out of memory; it is tried again");
		core->publish_at = instant_add_ms(core->now, AGAIN_MS);
		return;
	}
	core->publish_at.ns = 0;
	core->changed = false;
	core->generation++;
	for (uint32_t i = 0; i < core->leaving_count; i++)
		if (!core->leaving[i].generation)
			core->leaving[i].generation = core->generation;
	core->ops->publish(core->ctx, core->coming);
}

bool publish_is_settled(const struct core *core)
{
	return !core->changed && !core->coming && core->leaving_count == 0;
}

/* A network's number may come back as another's, also from one document to the next */
static bool same_network(const struct network *old, const struct network *new)
{
	return new &&strcmp(old->lab, new->lab) == 0 && strcmp(old->name, new->name) == 0;
}

void publish_done(struct core *core)
{
	struct forwarding *old = core->forwarding;

	if (!core->coming)
		return;
	core->forwarding = core->coming;
	core->coming = NULL;
	for (uint32_t i = 0; old && i < FORWARDING_BUCKETS; i++)
		if (old->buckets[i] &&
			!same_network(old->buckets[i], forwarding_network(core->forwarding, old->buckets[i]->id)))
			fdb_flush_network(core->config.fdb, old->buckets[i]->id, NULL, false);
	let_all_go(core);
}

void publish_fini(struct core *core)
{
	for (uint32_t i = 0; i < core->leaving_count; i++) {
		struct leaving *leaving = &core->leaving[i];

		if (leaving->port && !leaving->closing)
			(void)core->ops->port_close(core->ctx, leaving->port->tap, NULL);
		free(leaving->port);
	}
	free(core->leaving);
}
