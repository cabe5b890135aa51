/*
 * health.c - see health.h
 */
#include "tap/health.h"

#include "lab/network_mode.h"
#include "tap/port_vlans.h"

#include <linux/if_bridge.h>
#include <linux/netfilter.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

/* What the checks look at */
struct scene {
	const struct attach *spec;
	const struct netlink_link *own;
	const struct netlink_link *bridge; /* that it is a port of; NULL: none */
	const struct tap_view *view;
	struct error *error;
};

typedef enum tap_health check(const struct scene *scene);

__attribute__((format(printf, 3, 4))) static enum tap_health found(enum tap_health health, struct error *error,
	const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vsnprintf(error->text, sizeof(error->text), format, args);
	va_end(args);
	return health;
}

/* ---- what carries nothing ---------------------------------------------------------------------------------- */

static enum tap_health check_up(const struct scene *scene)
{
	const char *name = scene->own->name;

	if (scene->own->up)
		return TAP_UP;
	return found(TAP_DOWN, scene->error, "the device %s was set down: ip link set %s up", name, name);
}

static enum tap_health check_bridge_up(const struct scene *scene)
{
	if (!scene->bridge || scene->bridge->up)
		return TAP_UP;
	return found(TAP_DOWN, scene->error, "the bridge %s is down: ip link set %s up", scene->bridge->name,
		scene->bridge->name);
}

static enum tap_health check_spanning_tree(const struct scene *scene)
{
	const struct netlink_bridge_port *port = &scene->own->bridge_port;
	const char *bridge = scene->bridge ? scene->bridge->name : "";

	if (!scene->bridge || !port->known)
		return TAP_UP;
	switch (port->state) {
	case BR_STATE_LISTENING:
	case BR_STATE_LEARNING:
		return found(TAP_DOWN, scene->error,
			"the bridge %s does spanning tree and lets nothing through %s yet, for up to %u s (its forward "
			"delay, twice): wait, or without loops 'ip link set %s type bridge stp_state 0'",
			bridge, scene->own->name, 2 * scene->bridge->bridge.forward_delay_ms / 1000, bridge);
	case BR_STATE_BLOCKING:
		return found(TAP_DOWN, scene->error,
			"the bridge %s does spanning tree and blocks %s, by which it sees a loop: take out the other "
			"way between the segments, or this port",
			bridge, scene->own->name);
	case BR_STATE_DISABLED:
		if (!scene->own->running)
			return found(TAP_DOWN, scene->error,
				"the device %s has no carrier, and the bridge %s forwards nothing to it: plug its cable in, "
				"or set up what is at its other end",
				scene->own->name, bridge);
		return found(TAP_DOWN, scene->error,
			"the bridge %s has disabled its port %s: bridge link set dev %s state 3", bridge,
			scene->own->name, scene->own->name);
	default:
		return TAP_UP;
	}
}

/* ---- filters ------------------------------------------------------------------------------------------------ */

static bool calls(const struct scene *scene, uint8_t family)
{
	const struct filter *filter = &scene->view->filter;
	const struct netlink_bridge *bridge = &scene->bridge->bridge;

	switch (family) {
	case NFPROTO_IPV4:
		return filter->calls_iptables || bridge->calls_iptables;
	case NFPROTO_IPV6:
		return filter->calls_ip6tables || bridge->calls_ip6tables;
	default:
		return true; /* a bridge's own rules */
	}
}

/* Frames of IPv4 are what people have; without those of IPv6 alone, something is left */
static enum tap_health tell_filtered(const struct scene *scene, uint8_t family, enum filter_fate fate,
	const char *where)
{
	const char *six = family == NFPROTO_IPV6 ? "6" : "", *bridge = scene->bridge->name;
	const enum tap_health health = fate == FILTER_DROPS && family != NFPROTO_IPV6 ? TAP_DOWN : TAP_LIMITED;

	if (family == NFPROTO_BRIDGE)
		return found(health, scene->error, "%s %s what the bridge %s forwards: have it accept that", where,
			fate == FILTER_DROPS ? "drops" : "drops, unless a rule accepts it,", bridge);
	return found(health, scene->error,
		"IPv%s frames in the bridge %s go through this host's firewall (br_netfilter), where %s drops them%s: "
		"sysctl net.bridge.bridge-nf-call-ip%stables=0, or ip%stables -I FORWARD -m physdev "
		"--physdev-is-bridged -j ACCEPT",
		*six ? six : "4", bridge, where, fate == FILTER_DROPS ? "" : " unless a rule before accepts them", six,
		six);
}

static enum tap_health check_filters(const struct scene *scene)
{
	static const uint8_t families[] = { NFPROTO_IPV4, NFPROTO_BRIDGE, NFPROTO_IPV6 };
	enum tap_health worst = TAP_UP;

	for (size_t i = 0; scene->bridge && i < sizeof(families); i++) {
		char where[FILTER_WHERE_BYTES];
		struct error error = { "" };
		struct scene of_family = *scene;
		enum filter_fate fate = FILTER_PASSES;
		enum tap_health health;

		if (calls(scene, families[i]))
			fate = filter_rules_judge(&scene->view->filter.rules, families[i], scene->bridge->name, where);
		if (fate == FILTER_PASSES)
			continue;
		of_family.error = &error;
		health = tell_filtered(&of_family, families[i], fate, where);
		if (health <= worst)
			continue;
		worst = health;
		*scene->error = error;
	}
	return worst;
}

/* ---- what carries not all ---------------------------------------------------------------------------------- */

/* What guests count on */
static uint32_t needed_mtu(const struct scene *scene)
{
	return scene->spec->any_mtu ? 0 : scene->spec->mtu_bytes;
}

static enum tap_health check_mtu(const struct scene *scene)
{
	const uint32_t needed = needed_mtu(scene);
	const char *name = scene->own->name;

	if (scene->own->mtu_bytes >= needed)
		return TAP_UP;
	return found(TAP_LIMITED, scene->error,
		"the device %s has an MTU of %u and its network %u: frames above are lost; ip link set %s mtu %u, or "
		"a smaller mtu for the network",
		name, scene->own->mtu_bytes, needed, name, needed);
}

/* A bridge forwards nothing to a port that is above this one's MTU, and nobody is told */
static enum tap_health check_members(const struct scene *scene)
{
	const struct netlink_links *links = &scene->view->links;
	const uint32_t needed = needed_mtu(scene);

	for (uint32_t i = 0; scene->bridge && i < links->count; i++) {
		const struct netlink_link *link = &links->items[i];

		if (link->master != scene->bridge->index || link->mtu_bytes >= needed)
			continue;
		return found(TAP_LIMITED, scene->error,
			"%s in the bridge %s has an MTU of %u and the network %u: frames above are lost there; "
			"ip link set %s mtu %u, or a smaller mtu for the network",
			link->name, scene->bridge->name, link->mtu_bytes, needed, link->name, needed);
	}
	return TAP_UP;
}

static enum tap_health check_bridge_mtu(const struct scene *scene)
{
	const char *name = scene->bridge ? scene->bridge->name : "";
	const uint32_t needed = needed_mtu(scene);

	if (!scene->bridge || scene->bridge->mtu_bytes >= needed)
		return TAP_UP;
	return found(TAP_LIMITED, scene->error,
		"the bridge %s has an MTU of %u and the network %u: frames above neither leave nor reach this host itself; "
		"ip link set %s mtu %u, or a smaller mtu for the network",
		name, scene->bridge->mtu_bytes, needed, name, needed);
}

/* ---- reserved addresses and VLANs ---------------------------------------------------------------------------- */

uint16_t health_group_forward(unsigned int passes, const struct netlink_bridge *bridge)
{
	return (uint16_t)((passes & NETWORK_PASS_STP && bridge->stp ? 1U << 0 : 0) |
		(passes & NETWORK_PASS_LACP ? 1U << 2 : 0) | (passes & NETWORK_PASS_LLDP ? 1U << 14 : 0) |
		(passes & NETWORK_PASS_OTHER ? 0xbff8U : 0));
}

static const char *group_names(uint16_t mask)
{
	return mask & 1U << 2 ? "LACP" : mask & 1U << 14 ? "LLDP" : mask & 1U ? "STP" : "802.1X's and other reserved";
}

/* What comes in by another port of the bridge; by ours, our own mask decides, and is set */
static enum tap_health check_groups(const struct scene *scene)
{
	const struct netlink_links *links = &scene->view->links;
	uint16_t needed, missing;

	if (!scene->bridge)
		return TAP_UP;
	needed = health_group_forward(scene->spec->passes, &scene->bridge->bridge);
	missing = needed & HEALTH_GROUP_FORWARD_BRIDGE & (uint16_t)~scene->bridge->bridge.group_forward_mask;
	for (uint32_t i = 0; i < links->count; i++) {
		const struct netlink_link *link = &links->items[i];
		const uint16_t mask = scene->bridge->bridge.group_forward_mask | link->bridge_port.group_forward_mask;
		const uint16_t lacks = needed & (uint16_t)~mask;

		if (link->master != scene->bridge->index || link == scene->own || !lacks)
			continue;
		if (lacks & HEALTH_GROUP_FORWARD_BRIDGE)
			break; /* for all of them together */
		return found(TAP_LIMITED, scene->error,
			"the bridge %s keeps %s frames that come in by %s, and the network would pass them: "
			"ip link set %s type bridge_slave group_fwd_mask 0x%x",
			scene->bridge->name, group_names(lacks), link->name, link->name,
			link->bridge_port.group_forward_mask | lacks);
	}
	if (!missing)
		return TAP_UP;
	return found(TAP_LIMITED, scene->error,
		"the bridge %s keeps %s frames to itself, and the network would pass them: ip link set %s type bridge "
		"group_fwd_mask 0x%x",
		scene->bridge->name, group_names(missing), scene->bridge->name,
		scene->bridge->bridge.group_forward_mask | missing);
}

/* Our own VLANs are ours to set.  They lead nowhere where nobody else is in one of them, this host, by the bridge's own, included */
static enum tap_health check_vlans(const struct scene *scene)
{
	const struct bridge_vlans_table *table = &scene->view->vlans;
	struct bridge_vlans wanted;
	bool others = false;

	if (!scene->bridge || !scene->bridge->bridge.vlan_filtering)
		return TAP_UP;
	port_vlans_wanted(&scene->spec->vlan, scene->bridge->bridge.default_pvid, &wanted);
	for (uint32_t i = 0; i < table->count; i++) {
		const struct netlink_link *link = netlink_links_at(&scene->view->links, table->entries[i].index);

		if (!link || link == scene->own || (link != scene->bridge && link->master != scene->bridge->index))
			continue;
		if (port_vlans_meet(&wanted, &table->entries[i].vlans))
			return TAP_UP;
		others |= link != scene->bridge;
	}
	if (!others)
		return TAP_UP;
	return found(TAP_DOWN, scene->error,
		"the bridge %s filters by VLAN, and none of its other ports is in a VLAN of this port: bridge vlan add "
		"dev PORT vid VLAN, or another vlan for the port",
		scene->bridge->name);
}

/* ---- in order ---------------------------------------------------------------------------------------------- */

static enum tap_health judge(const struct scene *scene)
{
	static check *const checks[] = { check_up, check_bridge_up, check_spanning_tree, check_vlans, check_filters,
		check_members, check_bridge_mtu, check_mtu, check_groups };
	enum tap_health health = TAP_UP;

	for (size_t i = 0; i < sizeof(checks) / sizeof(checks[0]) && health == TAP_UP; i++)
		health = checks[i](scene);
	return health;
}

static const struct netlink_link *bridge_of(const struct tap_view *view, const struct netlink_link *own)
{
	const struct netlink_link *master = own->master ? netlink_links_at(&view->links, own->master) : NULL;

	return master && netlink_link_is_bridge(master) ? master : NULL;
}

/* The device under that number here, if it is the one that the descriptor knows: numbers are another's in another namespace */
static const struct netlink_link *tap_here(const struct health_subject *subject, const struct tap_view *view)
{
	const struct netlink_link *own = netlink_links_at(&view->links, subject->index);

	return own && subject->name_now && strcmp(own->name, subject->name_now) == 0 && strcmp(own->kind, "tun") == 0
		? own
		: NULL;
}

bool health_tap_elsewhere(const struct health_subject *subject, const struct tap_view *view)
{
	return subject->name_now && !tap_here(subject, view);
}

static enum tap_health judge_elsewhere(const struct health_subject *subject, struct error *error)
{
	const char *name = subject->name_now;

	if (subject->spec->kind == ATTACH_BRIDGE)
		return found(TAP_LOST, error, "%s was moved to another network namespace, and out of the bridge %s",
			subject->name, subject->spec->target);
	if (subject->takes_frames)
		return TAP_UP;
	return found(TAP_DOWN, error,
		"the device %s is down in the network namespace that it was moved to: there, ip link set %s up", name,
		name);
}

enum tap_health health_of_tap(const struct health_subject *subject, const struct tap_view *view, struct error *error)
{
	const struct netlink_link *own = tap_here(subject, view), *named;
	struct scene scene = { .spec = subject->spec, .own = own, .view = view, .error = error };
	const char *target = subject->spec->target;

	if (!subject->name_now)
		return found(TAP_LOST, error, "the device %s was deleted", subject->name);
	if (!own)
		return judge_elsewhere(subject, error);
	if (strcmp(own->name, subject->name) != 0)
		return found(TAP_LOST, error, "the device %s was renamed to %s", subject->name, own->name);
	scene.bridge = bridge_of(view, own);
	if (subject->spec->kind == ATTACH_BRIDGE) {
		named = netlink_links_named(&view->links, target);
		if (!named)
			return found(TAP_LOST, error, "the bridge %s is gone", target);
		if (own->master != named->index)
			return found(TAP_LOST, error, "%s is no longer in the bridge %s", own->name, target);
	}
	return judge(&scene);
}

enum tap_health health_of_interface(const struct health_subject *subject, const struct tap_view *view,
	struct error *error)
{
	const struct netlink_link *own = netlink_links_at(&view->links, subject->index),
				  *named = netlink_links_named(&view->links, subject->spec->target);
	struct scene scene = { .spec = subject->spec, .own = own, .view = view, .error = error };

	if (!own)
		return found(TAP_LOST, error, "the interface %s was deleted, or moved to another network namespace",
			subject->name);
	if (named != own && named)
		return found(TAP_LOST, error, "another interface is called %s now; the one before is %s",
			subject->spec->target, own->name);
	if (named != own)
		return found(TAP_LOST, error, "the interface %s was renamed to %s", subject->spec->target, own->name);
	return judge(&scene);
}

/* ---- MTU --------------------------------------------------------------------------------------------------- */

static bool is_ours(const struct netlink_link *link)
{
	return strcmp(link->kind, "tun") == 0 &&
		strncmp(link->alias, ATTACH_ALIAS_MARK, strlen(ATTACH_ALIAS_MARK)) == 0;
}

uint32_t health_bridge_mtu(const struct tap_view *view, int bridge, uint32_t network_bytes, uint32_t alone_bytes)
{
	const struct netlink_links *links = &view->links;
	uint32_t least = 0;

	for (uint32_t i = 0; i < links->count; i++) {
		const struct netlink_link *link = &links->items[i];

		if (link->master == bridge && !is_ours(link) && (!least || link->mtu_bytes < least))
			least = link->mtu_bytes;
	}
	if (!least)
		least = alone_bytes;
	return least > network_bytes ? least : network_bytes;
}
