/*
 * own_underlay.c - see own_underlay.h
 */
#include "overlay/agent/own_underlay.h"

#include "base/log.h"
#include "base/netlink.h"
#include "underlay/route.h"

#include <errno.h>
#include <string.h>

#define STAND_ON_MAX 4U /* a VLAN on a bond on ... */

void own_underlay_load(struct own_underlay *own, const char *state)
{
	struct error error = { "" };

	if (policy_load(state, &own->policy, &error) < 0) {
		own->policy = (struct policy){ 0 };
		log_error("%s; no port is opened until that is mended", error.text);
	}
	own->policy_error = error;
	own->stale = true;
}

/* ---- looking ------------------------------------------------------------------------------------------------ */

static bool has_link(const struct own_underlay *own, int index)
{
	for (uint32_t i = 0; i < own->links_count; i++)
		if (own->links[i] == index)
			return true;
	return false;
}

static void add_link(struct own_underlay *own, int index)
{
	if (index > 0 && own->links_count < OWN_UNDERLAY_LINKS_MAX && !has_link(own, index))
		own->links[own->links_count++] = index;
}

/* And what it stands on */
static void add_route(struct own_underlay *own, int index)
{
	struct netlink_link link;

	if (index <= 0 || has_link(own, index))
		return;
	for (unsigned int i = 0; i < STAND_ON_MAX && index > 0; i++) {
		if (netlink_link_get_by_index(index, &link) < 0 || link.loopback)
			return;
		add_link(own, index);
		index = link.lower;
	}
}

static void look_at_host(struct own_underlay *own, const struct topology_host *host, struct route_cache *routes,
	struct instant now)
{
	for (uint32_t i = 0; i < host->endpoints_count; i++)
		add_route(own, route_device(routes, &host->endpoints[i], now));
}

void own_underlay_look(struct own_underlay *own, const struct topology *topology, const char *controller,
	struct route_cache *routes, struct instant now)
{
	const struct own_underlay before = *own;
	struct endpoint endpoint;

	own->links_count = 0;
	own->stale = false;
	for (uint32_t i = 0; i < topology->hosts_count && i < OWN_UNDERLAY_HOSTS_MAX; i++)
		look_at_host(own, &topology->hosts[i], routes, now);
	if (endpoint_parse(controller, 1, &endpoint))
		add_route(own, route_device(routes, &endpoint, now));
	if (own->links_count != before.links_count ||
		memcmp(own->links, before.links, own->links_count * sizeof(own->links[0])) != 0)
		own->changed = true;
}

/* ---- judging ------------------------------------------------------------------------------------------------ */

/* Of @links, or asked for into @room.  Return: NULL where there is none */
static const struct netlink_link *link_at(const struct netlink_links *links, int index, struct netlink_link *room)
{
	if (links)
		return netlink_links_at(links, index);
	return netlink_link_get_by_index(index, room) == 0 ? room : NULL;
}

static const struct netlink_link *link_named(const struct netlink_links *links, const char *name,
	struct netlink_link *room)
{
	if (links)
		return netlink_links_named(links, name);
	return netlink_link_get(name, room) == 0 ? room : NULL;
}

/* Is one of ours a port of @bridge? */
static bool has_port_in(const struct own_underlay *own, int bridge, const struct netlink_links *links)
{
	struct netlink_link room;

	for (uint32_t i = 0; i < own->links_count; i++) {
		const struct netlink_link *link = link_at(links, own->links[i], &room);

		if (link && link->master == bridge)
			return true;
	}
	return false;
}

bool own_underlay_is(const struct own_underlay *own, const struct attach *spec, const struct netlink_links *links)
{
	const struct netlink_link *link;
	struct netlink_link room;

	if ((spec->kind != ATTACH_PACKET && spec->kind != ATTACH_BRIDGE) || !own->links_count)
		return false;
	link = link_named(links, spec->target, &room);
	if (!link)
		return false;
	return has_link(own, link->index) || (link->master && has_link(own, link->master)) ||
		has_port_in(own, link->index, links);
}

int own_underlay_judge(const struct own_underlay *own, const struct netlink_links *links, const char *state,
	const struct attach *spec, struct error *error)
{
	if (error_is_set(&own->policy_error))
		return error_fail(error, -EPERM, "no port is opened: %s", own->policy_error.text);
	if (policy_allows_own_underlay(&own->policy, spec->target) || !own_underlay_is(own, spec, links))
		return 0;
	return error_fail(error, -EPERM,
		"%s leads to the other hosts or the controller, and the fabric would carry its own datagrams: attach another "
		"interface; or, if that is meant, allow it in %s/" POLICY_FILE
		", {\"own_underlay\": [\"%s\"]}, and send weftd "
		"SIGHUP",
		spec->target, state, spec->target);
}
