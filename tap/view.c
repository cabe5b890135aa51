/*
 * view.c - see view.h
 */
#include "tap/view.h"

#include <string.h>

static bool filters_vlans(const struct netlink_links *links)
{
	for (uint32_t i = 0; i < links->count; i++)
		if (links->items[i].bridge.vlan_filtering)
			return true;
	return false;
}

static bool same_link(const struct netlink_link *a, const struct netlink_link *b)
{
	return a->index == b->index && a->master == b->master && a->mtu_bytes == b->mtu_bytes && a->up == b->up &&
		a->running == b->running && a->tun_queues == b->tun_queues && strcmp(a->name, b->name) == 0 &&
		strcmp(a->kind, b->kind) == 0;
}

static bool same_links(const struct netlink_links *a, const struct netlink_links *b)
{
	if (a->count != b->count)
		return false;
	for (uint32_t i = 0; i < a->count; i++)
		if (!same_link(&a->items[i], &b->items[i]))
			return false;
	return true;
}

int tap_view_take(struct tap_view *view)
{
	struct bridge_vlans_table vlans = { 0 };
	struct netlink_links links;
	int err = netlink_links_get(&links);

	if (!err && filters_vlans(&links))
		err = bridge_vlans_get(&vlans);
	if (err) {
		netlink_links_fini(&links);
		return err;
	}
	view->differs |= !same_links(&view->links, &links);
	netlink_links_fini(&view->links);
	bridge_vlans_fini(&view->vlans);
	view->links = links;
	view->vlans = vlans;
	if (!view->filter_known || filter_has_changed(&view->filter)) {
		filter_fini(&view->filter);
		filter_take(&view->filter);
		view->filter_known = true;
	}
	return 0;
}

bool tap_view_has_changed(const struct tap_view *view)
{
	return view->filter_known && filter_has_changed(&view->filter);
}

void tap_view_fini(struct tap_view *view)
{
	netlink_links_fini(&view->links);
	bridge_vlans_fini(&view->vlans);
	filter_fini(&view->filter);
	*view = (struct tap_view){ .filter_known = false };
}
