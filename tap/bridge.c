/*
 * bridge.c - see bridge.h
 */
#include "tap/bridge.h"

#include "base/error.h"
#include "base/log.h"
#include "base/netlink.h"
#include "tap/port_ops.h"

#include <errno.h>
#include <string.h>

static int make(const char *name, struct bridge *out, struct error *error)
{
	int err = netlink_bridge_create(name, BRIDGE_MARK, &out->index);

	if (err)
		return error_fail(error, err, "cannot make the bridge %s: %s", name, strerror(-err));
	out->mtu_bytes = 0;
	return 0;
}

int bridge_need(const char *name, bool create, struct bridge *out, struct error *error)
{
	struct netlink_link link;
	int err = netlink_link_get(name, &link);

	if (err == -ENODEV && create)
		return make(name, out, error);
	if (err == -ENODEV)
		return error_fail(error, err,
			"there is no bridge %s: make it (ip link add %s type bridge; ip link set %s up), "
			"or let the port create it (create: true)",
			name, name, name);
	if (err)
		return error_fail(error, err, "cannot look up the bridge %s: %s", name, strerror(-err));
	if (!netlink_link_is_bridge(&link))
		return error_fail(error, -EINVAL,
			"%s is no Linux bridge but %s: name a bridge, or attach to it as packet:%s", name,
			link.kind[0] ? link.kind : "an interface", name);
	out->index = link.index;
	out->mtu_bytes = strcmp(link.alias, BRIDGE_MARK) == 0 ? 0 : link.mtu_bytes;
	return 0;
}

void bridge_leave(const char *name)
{
	struct netlink_link link;
	int err = netlink_link_get(name, &link);

	if (err || !netlink_link_is_bridge(&link) || strcmp(link.alias, BRIDGE_MARK) != 0)
		return;
	if (netlink_bridge_count_ports(link.index) != 0)
		return;
	err = netlink_link_delete(link.index);
	if (err && err != -ENODEV)
		log_warning("cannot delete the bridge %s that weft made: %s", name, strerror(-err));
}
