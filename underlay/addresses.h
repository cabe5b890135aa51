/*
 * addresses.h - this machine's addresses, links and routes, watched
 *
 * The kernel tells of changes in flocks: the owner reads the notices as they come, waits until they have settled, and then looks
 * once whether the addresses are others than before.  Neighbours: route.h, whose answers end with any notice; overlay/agent,
 * whose peers hear from us where we are now.  The control thread only.
 */
#ifndef UNDERLAY_ADDRESSES_H
#define UNDERLAY_ADDRESSES_H

#include "base/addr.h"
#include "base/error.h"
#include "base/hash.h"

#include <net/if.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct addresses;

struct own_address {
	uint8_t ip[IP_BYTES]; /* as struct endpoint has it; first */
	char link[IF_NAMESIZE];
};

enum addresses_news {
	ADDRESSES_QUIET,
	ADDRESSES_ROUTES, /* only routes have changed */
	ADDRESSES_LINKS,  /* links or addresses, and routes perhaps */
};

/* Return: NULL, with a line for the operator */
struct addresses *addresses_new(struct hash_seed seed, struct error *error);

/* NULL is fine */
void addresses_free(struct addresses *addresses);

/* Return: what becomes readable when there is news */
int addresses_descriptor(const struct addresses *addresses);

/* Take the notices that wait.  Where the kernel had to drop some, anything may have changed */
enum addresses_news addresses_read(struct addresses *addresses);

/* Look.  Return: whether the addresses, or the MTUs of the links that have them, are others than at the last look */
bool addresses_moved(struct addresses *addresses);

/* Return: whether this machine had @ip, as struct endpoint has it, at the last look, on a link that was up */
bool addresses_has(const struct addresses *addresses, const uint8_t ip[IP_BYTES]);

/* Return: how many addresses this machine had then; they go to @out, borrowed until the next look */
size_t addresses_own(const struct addresses *addresses, const uint8_t (**out)[IP_BYTES]);

/* Return: what it had then with their links, sorted, borrowed until the next look */
const struct own_address *addresses_list(const struct addresses *addresses, size_t *count);

#endif /* UNDERLAY_ADDRESSES_H */
