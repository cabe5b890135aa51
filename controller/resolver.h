/*
 * resolver.h - what the DNS names that hosts declared stand for, asked again and again
 *
 * Theory of operation.  Every RESOLVER_LOOK_MS the model's names are looked at: one that is new is asked for at once, any other
 * RESOLVER_EVERY_S after it was, RESOLVER_AT_ONCE at a time; one that several hosts declare is asked for once.  The answer goes to
 * the API, which keeps it.  Here is only when each name was asked for.
 *
 * The controller asks, and not the host that has the name, whose own network often has another answer to it (its own /etc/hosts, a
 * router that knows it by its address in the LAN), nor all its peers, of which each would need name servers and could see something else.
 *
 * Nothing here waits, and nothing fails for the rest: client/resolution.h.
 */
#ifndef CONTROLLER_RESOLVER_H
#define CONTROLLER_RESOLVER_H

#include "controller/api.h"
#include "controller/model.h"

#include <event2/event.h>

#define RESOLVER_LOOK_MS 2000U
#define RESOLVER_EVERY_S 30U
#define RESOLVER_AT_ONCE 8U

struct resolver;

/* All borrowed, and must outlive it.  Return: NULL where memory is short */
struct resolver *resolver_new(struct event_base *base, struct model *model, struct api *api);

/* Ask for all of them soon, whenever they were asked for last */
void resolver_again(struct resolver *resolver);

/* Whoever is still asked is not waited for.  NULL is fine */
void resolver_free(struct resolver *resolver);

#endif /* CONTROLLER_RESOLVER_H */
