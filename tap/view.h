/*
 * view.h - what ports depend on of this machine, looked at at one moment
 *
 * One question to the kernel for all links, however many ports are judged by it, one for their VLANs where a bridge filters by VLAN,
 * and the rules of netfilter only where they have changed.  Neighbours: health.h, which judges.
 */
#ifndef TAP_VIEW_H
#define TAP_VIEW_H

#include "base/bridge_vlans.h"
#include "base/netlink.h"
#include "tap/filter.h"

/* Of the calling thread's network namespace.  All zeros: nothing was looked at yet */
struct tap_view {
	struct netlink_links links;
	struct bridge_vlans_table vlans;
	struct filter filter;
	bool filter_known;
	bool differs; /* a look saw other links than the one before; cleared by whoever heeds it */
};

/* Look anew.  Return: 0, with @view to be ended by tap_view_fini(), or -errno and it is as before */
int tap_view_take(struct tap_view *view) __attribute__((warn_unused_result));

/* Whether something is another than in @view of which netlink tells nobody */
bool tap_view_has_changed(const struct tap_view *view);

/* All zeros are fine */
void tap_view_fini(struct tap_view *view);

#endif /* TAP_VIEW_H */
