/*
 * view.h - what ports depend on of this machine, looked at at one moment
 *
 * One question to the kernel for all links, however many ports are judged by it.  Neighbours: health.h, which judges.
 */
#ifndef TAP_VIEW_H
#define TAP_VIEW_H

#include "base/netlink.h"

/* Of the calling thread's network namespace.  All zeros: nothing is there */
struct tap_view {
	struct netlink_links links;
};

/* Look.  Return: 0, with @view to be ended by tap_view_fini(), or -errno */
int tap_view_take(struct tap_view *view) __attribute__((warn_unused_result));

/* All zeros are fine */
void tap_view_fini(struct tap_view *view);

#endif /* TAP_VIEW_H */
