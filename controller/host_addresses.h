/*
 * host_addresses.h - where a host can be reached: what people declared, what it says itself, and what others saw
 *
 * Theory of operation.  A host's item in the store has
 *
 *	endpoints	declared by people, at joining or by `weft host set`; "endpoint", one of them, in stores of before.
 *			Addresses, and DNS names: "home.example.org:4754"
 *	named		{name: [addresses]}, what the name servers said last of each of those names (resolver.h)
 *	addresses	its own ones, as its agent reports them
 *	seen		where its agent's connection comes from: IP addresses, the newest first; "address", one of them, before
 *	witnessed	where its peers hear it in its sessions: behind a NAT, the only ones with the right port
 *
 * and its peers are told up to PEER_ENDPOINTS_MAX of them in this order, so that what a host did not declare itself comes last.  Of
 * `seen` and `witnessed` the last HOST_SEEN_MAX are kept, in the order in which they were learnt first: what alternates between two
 * (a cloned machine, two uplinks) is no change.  None of them may be an address at which no other host can reach it.
 *
 * Pure functions of the items.  Neighbours: host_topology.h, which tells peers; host_sessions.h, which hears; enrol.h.
 */
#ifndef CONTROLLER_HOST_ADDRESSES_H
#define CONTROLLER_HOST_ADDRESSES_H

#include "base/addr.h"
#include "controller/model.h"
#include "lab/fault.h"

#include <jansson.h>
#include <stdbool.h>

#define HOST_SEEN_MAX 2U
#define HOST_NAMES_MAX 4U

/* Return: a new list of "IP:port", the best first */
json_t *host_addresses_of(const json_t *host);

/* Has anybody declared one? */
bool host_addresses_declared(const json_t *host);

/**
 * host_addresses_declare() - put what people say into @host, in place of what was declared before
 * @list:	addresses and at most HOST_NAMES_MAX DNS names, with or without a port; empty: the fabric shall find out by itself
 * @model:	whose ports have addresses that none of these may be
 *
 * Return: false with @fault set, at "endpoints"
 */
bool host_addresses_declare(const json_t *list, const struct model *model, json_t *host, struct fault *fault);

/* Put @host's declared names into @out, {name: true} */
void host_addresses_names(const json_t *host, json_t *out);

/**
 * host_addresses_named() - put what a name stands for into @host
 * @list:	"IP:port", in any order: what is of no use is left out, and the rest sorted, so that name servers that turn their answers
 *		round change nothing
 *
 * Return: whether that is new; false where @host does not declare @name, and where nothing of @list is of use: what was known stays
 */
bool host_addresses_named(json_t *host, const struct model *model, const char *name, const json_t *list);

/* An agent's own, out of its report.  Return: a new list of those that are good, PEER_ENDPOINTS_MAX at most */
json_t *host_addresses_reported(const json_t *list);

/* Each: put what was learnt into @host.  Return: whether that is new */
bool host_addresses_report(json_t *host, json_t *addresses);
bool host_addresses_seen(json_t *host, const struct endpoint *from);
bool host_addresses_witness(json_t *host, const char *endpoint);

#endif /* CONTROLLER_HOST_ADDRESSES_H */
