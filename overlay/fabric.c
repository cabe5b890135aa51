/*
 * fabric.c - see fabric.h
 */
#include "overlay/fabric.h"

#include <stdlib.h>

struct fabric *fabric_new(uint32_t generation)
{
	struct fabric *fabric = calloc(1, sizeof(*fabric));

	if (fabric)
		fabric->generation = generation;
	return fabric;
}

void fabric_free(struct fabric *fabric)
{
	if (!fabric)
		return;
	for (uint32_t i = 0; i < FABRIC_BUCKETS; i++)
		network_free(fabric->buckets[i]);
	free(fabric);
}

bool fabric_add_network(struct fabric *fabric, struct network *network)
{
	if (fabric->networks_count >= NETWORKS_MAX || fabric_network(fabric, network->id))
		return false;
	for (uint32_t at = network->id * 2654435761U >> 8;; at++) {
		struct network **bucket = &fabric->buckets[at % FABRIC_BUCKETS];

		if (*bucket)
			continue;
		*bucket = network;
		fabric->networks_count++;
		return true;
	}
}
