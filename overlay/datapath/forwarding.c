/*
 * forwarding.c - see forwarding.h
 */
#include "overlay/datapath/forwarding.h"

#include <stdlib.h>

struct forwarding *forwarding_new(uint32_t generation)
{
	struct forwarding *forwarding = calloc(1, sizeof(*forwarding));

	if (forwarding)
		forwarding->generation = generation;
	return forwarding;
}

void forwarding_free(struct forwarding *forwarding)
{
	if (!forwarding)
		return;
	for (uint32_t i = 0; i < FORWARDING_BUCKETS; i++)
		network_free(forwarding->buckets[i]);
	free(forwarding);
}

bool forwarding_add_network(struct forwarding *forwarding, struct network *network)
{
	if (forwarding->networks_count >= NETWORKS_MAX || forwarding_network(forwarding, network->id))
		return false;
	for (uint32_t at = network->id * 2654435761U >> 8;; at++) {
		struct network **bucket = &forwarding->buckets[at % FORWARDING_BUCKETS];

		if (*bucket)
			continue;
		*bucket = network;
		forwarding->networks_count++;
		return true;
	}
}
