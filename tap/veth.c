/*
 * veth.c - a veth pair that we make: the inner end lies in a namespace under the name that the lab gives it, the outer end is
 * read as "packet:" does
 *
 * Theory of operation.  The pair is not a program's, as a TAP is: it outlives weftd, however that ends, and with it what the
 * container has set on its end, addresses above all.  It is found again by the outer end's name and alias, and goes when its port
 * leaves the topology, or with the namespace, and then is made anew as soon as there is one of that name.
 *
 * The inner end is the container's once it is made, up, with its MAC and the network's MTU: it can be seen from here, and not be
 * changed (base/netns.h).  What is amiss with it is told, with the command that mends it.  Nobody tells of what changes there, but
 * for its carrier: a port that is not well is looked at every few seconds.
 */
#include "tap/veth.h"

#include "base/error.h"
#include "base/hash.h"
#include "base/netlink.h"
#include "base/netns.h"
#include "lab/value.h"
#include "tap/kinds.h"
#include "tap/port_ops.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define KIND "veth"

struct pair {
	struct tap_port port;
	struct tap_port *packet; /* on the outer end; does all that moves frames */
	char space[NETNS_NAME_BYTES];
	char inner[ATTACH_NAME_BYTES];
};

static struct pair *pair_of(struct tap_port *port)
{
	return (struct pair *)port;
}

/* "NAMESPACE/INTERFACE", which attach_parse() has found to be right */
static void split(const char *target, char space[NETNS_NAME_BYTES], char inner[ATTACH_NAME_BYTES])
{
	const char *slash = strchr(target, '/');

	snprintf(space, NETNS_NAME_BYTES, "%.*s", (int)(slash - target), target);
	snprintf(inner, ATTACH_NAME_BYTES, "%s", slash + 1);
}

/* ---- the pair ---------------------------------------------------------------------------------------------- */

/* Of locally administered ones, the same for a port at every time */
static struct mac mac_of(const struct attach *spec)
{
	static const struct hash_seed seed = { 0x7765667420766574ULL, 0x6820706169722e2eULL };
	struct mac mac = spec->mac;
	uint64_t name[2] = { 0 }, hash;

	if (value_mac_given(&mac))
		return mac;
	memcpy(name, spec->device, strlen(spec->device));
	hash = hash_pair(seed, name[0], name[1]);
	memcpy(mac.bytes, &hash, MAC_BYTES);
	mac.bytes[0] = (uint8_t)((mac.bytes[0] & 0xfcU) | 0x02U);
	return mac;
}

/* One that died between making it and marking it has no alias yet */
static bool is_ours(const struct netlink_link *link, const struct attach *spec)
{
	return strcmp(link->kind, KIND) == 0 && (!link->alias[0] || strcmp(link->alias, spec->alias) == 0);
}

void veth_leave(const struct attach *spec)
{
	struct netlink_link link;

	if (netlink_link_get(spec->device, &link) == 0 && is_ours(&link, spec))
		(void)!netlink_link_delete(link.index);
}

static int explain_space(const char *name, int err, struct error *error)
{
	if (err == -ENOENT || err == -EINVAL)
		return error_fail(error, err,
			"there is no network namespace %s: make it (ip netns add %s), or name a container's (ip netns "
			"attach %s PID)",
			name, name, name);
	return error_fail(error, err, "cannot open the network namespace %s: %s", name, strerror(-err));
}

/* Return: whether the pair's inner end is where and what it should be; @outer and the other end, @number its namespace's */
static bool is_there(const struct netlink_link *outer, int number, const char *inner)
{
	struct netlink_link link;

	return outer->peer_space == number && netns_link_get_by_index(number, outer->peer, &link) == 0 &&
		strcmp(link.name, inner) == 0;
}

static int make(const struct pair *pair, int space, int number, struct error *error)
{
	const struct attach *spec = &pair->port.spec;
	const struct mac mac = mac_of(spec);
	struct netlink_link link;
	int err;

	if (netns_link_get(number, pair->inner, &link) == 0)
		return error_fail(error, -EEXIST,
			"the namespace %s has an interface %s already, and weft did not make it for this port: delete it "
			"(ip -n %s link del %s), or choose another name",
			pair->space, pair->inner, pair->space, pair->inner);
	err = netns_veth_create(spec->device, space, pair->inner, &mac, spec->mtu_bytes);
	if (err)
		return error_fail(error, err, "cannot make a veth pair into the namespace %s: %s", pair->space,
			strerror(-err));
	return 0;
}

/* The outer end, as it should be in any case */
static int prepare(const struct attach *spec, struct error *error)
{
	struct netlink_link link;
	int err = netlink_link_get(spec->device, &link);

	if (!err && !link.alias[0] && spec->alias[0])
		err = netlink_link_set_alias(link.index, spec->alias);
	if (!err && link.mtu_bytes != spec->mtu_bytes)
		err = netlink_link_set_mtu(link.index, spec->mtu_bytes);
	if (!err && !link.up) {
		(void)!netlink_link_set_quiet(link.index); /* fails where the kernel has no IPv6 */
		err = netlink_link_set_up(link.index, true);
	}
	return err ? error_fail(error, err, "cannot set up the device %s: %s", spec->device, strerror(-err)) : 0;
}

/* Find the pair, or make it.  @space: the namespace's descriptor */
static int have(const struct pair *pair, int space, struct error *error)
{
	const struct attach *spec = &pair->port.spec;
	struct netlink_link outer;
	int number, err = netns_number(space, &number);

	if (err)
		return explain_space(pair->space, err, error);
	err = netlink_link_get(spec->device, &outer);
	if (err && err != -ENODEV)
		return error_fail(error, err, "cannot look up the device %s: %s", spec->device, strerror(-err));
	if (!err && !is_ours(&outer, spec))
		return error_fail(error, -EEXIST, "the device %s is there already, and not weft's: ip link del %s",
			spec->device, spec->device);
	if (!err && !is_there(&outer, number, pair->inner)) {
		(void)!netlink_link_delete(outer.index); /* of a namespace that was there before, or renamed */
		err = -ENODEV;
	}
	if (err)
		err = make(pair, space, number, error);
	return err ? err : prepare(spec, error);
}

/* ---- the port ---------------------------------------------------------------------------------------------- */

static void pair_close(struct tap_port *port)
{
	struct pair *pair = pair_of(port);

	if (port->kept)
		tap_port_leave_open(pair->packet);
	tap_port_close(pair->packet);
	if (port->leaves)
		veth_leave(&port->spec);
	free(pair);
}

/* Of the inner end, which nobody else looks at */
static enum tap_health check_inner(const struct pair *pair, const struct netlink_link *inner, struct error *error)
{
	const struct attach *spec = &pair->port.spec;
	const char *name = pair->inner, *space = pair->space;
	char mac[MAC_TEXT_BYTES];

	if (!inner->up)
		return (enum tap_health)error_fail(error, TAP_DOWN,
			"%s in the namespace %s was set down: ip -n %s link set %s up", name, space, space, name);
	if (inner->mtu_bytes < spec->mtu_bytes)
		return (enum tap_health)error_fail(error, TAP_LIMITED,
			"%s in the namespace %s has the MTU %u, and its network %u: ip -n %s link set %s mtu %u", name,
			space, inner->mtu_bytes, spec->mtu_bytes, space, name, spec->mtu_bytes);
	if (value_mac_given(&spec->mac) && !mac_equal(&inner->mac, &spec->mac)) {
		mac_format(&spec->mac, mac);
		return (enum tap_health)error_fail(error, TAP_LIMITED,
			"%s in the namespace %s has another MAC than its lab declares: ip -n %s link set %s address %s",
			name, space, space, name, mac);
	}
	return TAP_UP;
}

/* The other end, in the namespace that has the name now */
static enum tap_health check_space(const struct pair *pair, const struct netlink_link *outer, struct error *error)
{
	struct netlink_link inner;
	int number, space = netns_open(pair->space);
	int err = space < 0 ? space : netns_number(space, &number);

	if (space >= 0)
		close(space);
	if (err) {
		explain_space(pair->space, err, error);
		return TAP_LOST;
	}
	if (outer->peer_space == number && netns_link_get_by_index(number, outer->peer, &inner) == 0 &&
		strcmp(inner.name, pair->inner) == 0)
		return check_inner(pair, &inner, error);
	error_set(error, "the namespace %s is another than before, or has no interface %s any more", pair->space,
		pair->inner);
	return TAP_LOST;
}

static enum tap_health pair_check(struct tap_port *port, const struct tap_view *view, struct error *error)
{
	struct pair *pair = pair_of(port);
	const struct netlink_link *outer = netlink_links_named(&view->links, port->name);
	enum tap_health health = pair->packet->ops->check(pair->packet, view, error);

	if (health == TAP_LOST)
		error_set(error, "the namespace %s, or its interface %s, was deleted", pair->space, pair->inner);
	else if (outer)
		health = check_space(pair, outer, error);
	port->elsewhere = health != TAP_UP;
	return health;
}

static int pair_set_mtu(struct tap_port *port, uint32_t mtu_bytes)
{
	struct netlink_link link;
	int err = netlink_link_get(port->name, &link);

	port->spec.mtu_bytes = mtu_bytes;
	return err ? err : netlink_link_set_mtu(link.index, mtu_bytes);
}

static uint64_t pair_refused_pkts(struct tap_port *port)
{
	return tap_port_refused_pkts(pair_of(port)->packet);
}

static uint64_t pair_missed_pkts(struct tap_port *port)
{
	return tap_port_missed_pkts(pair_of(port)->packet);
}

static enum tap_result pair_rx(struct tap_port *port, unsigned int queue, struct packet_burst *burst, unsigned int max)
{
	struct tap_port *packet = pair_of(port)->packet;

	return packet->ops->rx(packet, queue, burst, max);
}

static unsigned int pair_tx(struct tap_port *port, unsigned int queue, struct packet *const packets[],
	unsigned int count, enum tap_result *why)
{
	struct tap_port *packet = pair_of(port)->packet;

	return packet->ops->tx(packet, queue, packets, count, why);
}

static const struct tap_ops pair_ops = {
	.of_descriptors = true,
	.close = pair_close,
	.check = pair_check,
	.set_mtu = pair_set_mtu,
	.missed_pkts = pair_missed_pkts,
	.refused_pkts = pair_refused_pkts,
	.rx = pair_rx,
	.tx = pair_tx,
};

/* As "packet:" opens the outer end.  @kept: NULL, or of this kind */
static int open_outer(struct pair *pair, const struct tap_kept *kept, struct error *error)
{
	struct tap_port *port = &pair->port;
	struct attach outer = port->spec;
	int err;

	outer.kind = ATTACH_PACKET;
	memset(outer.target, 0, sizeof(outer.target));
	memcpy(outer.target, port->spec.device, sizeof(port->spec.device));
	err = packet_open(&outer, port->queues, kept, &pair->packet, error);
	if (err)
		return err;
	port->caps = pair->packet->caps;
	port->reads = pair->packet->reads;
	memcpy(port->fds, pair->packet->fds, sizeof(port->fds));
	return 0;
}

int veth_open(const struct attach *spec, unsigned int queues, const struct tap_kept *kept, struct tap_port **out,
	struct error *error)
{
	struct pair *pair = calloc(1, sizeof(*pair));
	int space, err;

	if (!pair)
		return error_fail(error, -ENOMEM, "out of memory");
	pair->port = (struct tap_port){ .ops = &pair_ops, .spec = *spec, .queues = queues };
	memcpy(pair->port.name, spec->device, ATTACH_NAME_BYTES);
	split(spec->target, pair->space, pair->inner);
	space = netns_open(pair->space);
	err = space < 0 ? explain_space(pair->space, space, error) : have(pair, space, error);
	if (space >= 0)
		close(space);
	if (!err)
		err = open_outer(pair, kept, error);
	if (err) {
		free(pair);
		return err;
	}
	*out = &pair->port;
	return 0;
}
