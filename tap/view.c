/*
 * view.c - see view.h
 */
#include "tap/view.h"

int tap_view_take(struct tap_view *view)
{
	return netlink_links_get(&view->links);
}

void tap_view_fini(struct tap_view *view)
{
	netlink_links_fini(&view->links);
}
