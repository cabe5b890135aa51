/*
 * route.h - what the kernel's routes say about the way to an endpoint, remembered
 *
 * Theory of operation.  An answer holds until the kernel tells that links, addresses or routes have changed (addresses.h), upon
 * which the owner flushes the cache.  What ICMP says of a path's MTU the kernel tells nobody; so that part of an answer also
 * ages, and is asked for anew after ROUTE_FRESH_MS.  A question is one request on a route socket that stays open.
 *
 * At most ROUTE_SETS * ROUTE_WAYS destinations are remembered; the one of a set that was asked about longest ago makes room.
 * Neighbours: overlay/agent, whose peers ask.  The control thread only.
 */
#ifndef UNDERLAY_ROUTE_H
#define UNDERLAY_ROUTE_H

#include "base/addr.h"
#include "base/clock.h"
#include "base/error.h"
#include "base/hash.h"

#include <stdint.h>

#define ROUTE_SETS 512U
#define ROUTE_WAYS 4U
#define ROUTE_FRESH_MS 100U

struct route_cache;

/* Return: NULL, with a line for the operator */
struct route_cache *route_cache_new(struct hash_seed seed, struct error *error);

/* NULL is fine */
void route_cache_free(struct route_cache *cache);

/* Links, addresses or routes have changed */
void route_cache_flush(struct route_cache *cache);

/* Return: the MTU of the route to @to, less where ICMP, true or forged, says so; 0 where there is no route */
uint32_t route_mtu(struct route_cache *cache, const struct endpoint *to, struct instant now);

/* Return: the MTU of the interface that leads to @to, whatever ICMP says; 0 where it cannot be told */
uint32_t route_device_mtu(struct route_cache *cache, const struct endpoint *to, struct instant now);

/* Return: the index of the interface that leads to @to; 0 where there is none */
int route_device(struct route_cache *cache, const struct endpoint *to, struct instant now);

/* Return: how often the kernel was asked */
uint64_t route_questions(const struct route_cache *cache);

#endif /* UNDERLAY_ROUTE_H */
