/*
 * client.h - an agent's way to the controller in a simulation: what overlay/agent/controller_client.h is above HTTP and TLS
 *
 * The same intervals: a watch that says nothing for 30 s is given up, attempts are repeated after 0.25 to 5 s, a report goes out
 * once the watch is there, and again whenever that is made anew.
 */
#ifndef TESTS_SIM_CLIENT_H
#define TESTS_SIM_CLIENT_H

#include "tests/sim/fabric.h"

#include <jansson.h>
#include <stdbool.h>

struct client;

struct client_config {
	struct world *world;
	struct fabric *fabric;
	struct seat_visitor self;
	const char *hash; /* of the document at hand, "": none */
	void (*on_topology)(void *ctx, const json_t *document);
	void (*on_told)(void *ctx, const json_t *offline, const json_t *online);
	void *ctx;
};

/* Begins to connect; @config is copied, what it points to is borrowed but for the hash */
struct client *client_new(const struct client_config *config);

/* NULL is fine */
void client_free(struct client *client);

/* Borrowed; replaces one that waits */
void client_report(struct client *client, const json_t *report);

bool client_connected(const struct client *client);

#endif /* TESTS_SIM_CLIENT_H */
