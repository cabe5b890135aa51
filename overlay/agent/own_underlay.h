/*
 * own_underlay.h - keeps ports off the interfaces that the fabric itself goes by
 *
 * A port on such an interface would carry the fabric's own datagrams, and those in turn: a storm that is paid by the packet.  It is
 * refused, unless the host's owner allows it (policy.h); then, and on every packet: port, the kernel holds back what is our own
 * (tap_port_shun()).
 *
 * Ours are the interfaces by which the routes to the other hosts and to the controller leave, what they stand on (a VLAN's
 * device), and what they are ports of, or has them as ports (bridge, bond).  Looked at anew with each document and whenever
 * the kernel tells of links, addresses or routes.  A controller that is known by a name only is not looked for.
 *
 * The control thread only.  Neighbours: machine.c asks, loop.c tells.
 */
#ifndef OVERLAY_AGENT_OWN_UNDERLAY_H
#define OVERLAY_AGENT_OWN_UNDERLAY_H

#include "base/clock.h"
#include "base/error.h"
#include "base/netlink.h"
#include "lab/attach.h"
#include "lab/topology.h"
#include "overlay/agent/policy.h"

#include <stdbool.h>
#include <stdint.h>

#define OWN_UNDERLAY_LINKS_MAX 32U
#define OWN_UNDERLAY_HOSTS_MAX 128U /* of a larger fabric, the first: the others are reached by the same interfaces */

struct route_cache;

struct own_underlay {
	struct policy policy;
	struct error policy_error; /* why no port is opened; "": the file is well, or there is none */
	uint64_t documents;        /* the core's count, at the last look */
	bool stale;                /* the kernel told of something since then */
	bool changed;              /* the look before the last saw others: cleared by whoever has looked at all ports */
	uint32_t links_count;
	int links[OWN_UNDERLAY_LINKS_MAX];
};

/* Read the policy file, at start and on SIGHUP */
void own_underlay_load(struct own_underlay *own, const char *state);

/* By which interfaces do we reach the others?  @controller: "ADDR:PORT" */
void own_underlay_look(struct own_underlay *own, const struct topology *topology, const char *controller,
	struct route_cache *routes, struct instant now);

/*
 * Whether @spec's interface or bridge is one of them, as @links has it; NULL: as the kernel has it now, which is to be asked for each
 * link on its own
 */
bool own_underlay_is(const struct own_underlay *own, const struct attach *spec, const struct netlink_links *links);

/**
 * own_underlay_judge() - may a port be attached to @spec?
 * @links:	as own_underlay_is() has it
 * @state:	the state folder, for @error
 *
 * Return: 0, or -EPERM with @error
 */
int own_underlay_judge(const struct own_underlay *own, const struct netlink_links *links, const char *state,
	const struct attach *spec, struct error *error) __attribute__((warn_unused_result));

#endif /* OVERLAY_AGENT_OWN_UNDERLAY_H */
