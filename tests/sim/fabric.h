/*
 * fabric.h - a controller in a simulation: the real core with its store in memory, behind lines instead of HTTP and TLS
 *
 * The store works by the world's clock: what is handed in is durable FABRIC_DISK_US later.  A watch beats every 15 s and is cut
 * where nothing could be delivered for 30 s, as controller/http/stream.c has it.
 */
#ifndef TESTS_SIM_FABRIC_H
#define TESTS_SIM_FABRIC_H

#include "controller/api.h"
#include "tests/sim/line.h"
#include "tests/sim/seat.h"

#include <jansson.h>

#define FABRIC_DISK_US 2000U

struct fabric;

/* With a CA of its own, at work */
struct fabric *fabric_new(struct world *world, struct net *net);
void fabric_free(struct fabric *fabric);

struct node *fabric_node(const struct fabric *fabric);
const char *fabric_ca(const struct fabric *fabric);

/* As a power cut: what was not durable is lost, and all lines with it */
void fabric_stop(struct fabric *fabric);
void fabric_start(struct fabric *fabric);

/**
 * fabric_ask() - as the operator, on the local socket; time goes on meanwhile
 * @body:	consumed; NULL: none
 * @status:	out; may be NULL, and then anything but 2xx ends the program
 *
 * Return: the answer's body, the caller's; NULL where it has none
 */
json_t *fabric_ask(struct fabric *fabric, enum api_method method, const char *path, const char *query, json_t *body,
	int *status);

/* The same as somebody whom nobody knows, from the network */
json_t *fabric_ask_stranger(struct fabric *fabric, enum api_method method, const char *path, json_t *body, int *status);

/**
 * fabric_connect() - a line to the controller, as the agent that the certificate is of
 * @ops, @ctx:	the agent's end takes struct post
 *
 * Return: the agent's end; NULL where nobody listens
 */
struct line_end *fabric_connect(struct fabric *fabric, const struct seat_visitor *visitor, const struct line_ops *ops,
	void *ctx);

/* How many topologies were sent to agents, and how many reports came from them */
uint64_t fabric_documents(const struct fabric *fabric);
uint64_t fabric_reports(const struct fabric *fabric);

#endif /* TESTS_SIM_FABRIC_H */
