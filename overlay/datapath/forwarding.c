/*
 * forwarding.c - see forwarding.h
 */
#include "overlay/datapath/forwarding.h"

#include <stdlib.h>

struct forwarding *forwarding_new(uint32_t generation, uint32_t peers_capacity)
{
	struct forwarding *forwarding = calloc(1, sizeof(*forwarding));

	if (!forwarding)
		return NULL;
	forwarding->generation = generation;
	forwarding->peers_capacity = peers_capacity;
	forwarding->peers = calloc(peers_capacity + 1, sizeof(struct peer *));
	if (forwarding->peers)
		return forwarding;
	free(forwarding);
	return NULL;
}

void forwarding_free(struct forwarding *forwarding)
{
	if (!forwarding)
		return;
	for (uint32_t i = 0; i < FORWARDING_BUCKETS; i++)
		network_free(forwarding->buckets[i]);
	free(forwarding->peers);
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
