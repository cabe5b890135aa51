/*
 * scene.h - the words that scenarios are written in: who there is, what happens, what is to be so by when
 *
 * A scene is a world with a network, a controller and hosts.  README.md shows how a scenario reads.  What is expected becomes a
 * line "ok" or "not ok" with the virtual time that it took.
 */
#ifndef TESTS_SIM_SCENE_H
#define TESTS_SIM_SCENE_H

#include "tests/sim/host.h"

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

struct scene {
	const char *name;
	struct world *world;
	struct net *net;
	struct fabric *fabric;
	struct host **hosts; /* "h0", "h1", ... */
	uint32_t hosts_count;
	json_t *lab;     /* as it was put last; NULL: none */
	uint8_t *shared; /* by pair of hosts: are they in one network? */
	uint32_t ports;  /* that were named so far */
	bool failed;
	struct instant began;
	uint64_t started_us; /* by the real clock */
};

/* A link as most have it: 5 ms, 2 ms of jitter, no loss, MTU 1500 */
extern const struct net_link scene_link;

void scene_begin(struct scene *scene, const char *name, uint64_t seed, FILE *trace);

/* Says what it took, and ends it.  Return: the trace's hash */
struct world_hash scene_end(struct scene *scene);

/* ---- who there is ---- */

/* @count more, which have joined and are at work */
void scene_hosts(struct scene *scene, uint32_t count, enum host_address address);

/* A lab of @networks, each of @least to @most different hosts drawn at random, a port each; replaces the one before */
void scene_lab(struct scene *scene, uint32_t networks, uint32_t least, uint32_t most);

/* One more network of the lab, with the hosts from @first to @last */
void scene_network(struct scene *scene, uint32_t first, uint32_t last);

/* Of what all send, from now on */
void scene_loss(struct scene *scene, uint32_t ppm);

/* The hosts from @first to @last; the controller and all others are in group 0 */
void scene_group(struct scene *scene, uint32_t first, uint32_t last, uint32_t group);

/* Of these, the wall clock jumps */
void scene_clock(struct scene *scene, uint32_t first, uint32_t last, int64_t seconds);

/* These lose their power, and have it again at once */
void scene_restart(struct scene *scene, uint32_t first, uint32_t last);

/* ---- time ---- */

void scene_run_s(struct scene *scene, uint32_t seconds);

/* ---- what is to be so ---- */

__attribute__((format(printf, 3, 4))) void scene_is(struct scene *scene, bool so, const char *format, ...);

/* @condition becomes true within @seconds, looked at ten times a second, and more closely at first */
void scene_within(struct scene *scene, uint32_t seconds, const char *text, bool (*condition)(struct scene *scene));

/* It stays true for @seconds */
void scene_stays(struct scene *scene, uint32_t seconds, const char *text, bool (*condition)(struct scene *scene));

/* The controller knows that each host has applied what is wanted of it, without an error */
bool scene_all_applied(struct scene *scene);

/* Each host that is on has all the peers that it shares networks with, and they are up */
bool scene_all_up(struct scene *scene);

/* The controller says that all paths and ports of the lab are up, as `weft apply` would */
bool scene_said_up(struct scene *scene);

/* The same of the paths alone */
bool scene_said_paths_up(struct scene *scene);

/* All hosts that are on are connected to the controller */
bool scene_all_connected(struct scene *scene);

/* ---- sums over all hosts ---- */

uint64_t scene_sessions(const struct scene *scene);
uint64_t scene_documents(const struct scene *scene);
uint32_t scene_pairs(const struct scene *scene);    /* of hosts that share a network */
uint32_t scene_pairs_up(const struct scene *scene); /* both sides of them */

/* A number of the lab's state, as the controller has it: "paths" or "ports", "count" or "up" */
uint32_t scene_said(struct scene *scene, const char *of, const char *what);

#endif /* TESTS_SIM_SCENE_H */
