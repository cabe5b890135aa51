/*
 * controller_client.h - the agent's end of the controller's API: topologies come in, reports go out
 *
 * Keeps one TLS 1.3 connection to the controller with the topology watch open on it, and a second one for
 * reports, which is kept as well, both on the caller's event loop; whom it takes for the controller says client/http_client.h.  What a topology
 * means, and keeping it on disk, is the caller's; the API is controller/API.md.
 *
 * Theory of operation.  Watch: idle -> connecting -> streaming -> (anything wrong) waiting -> connecting ...
 * Waiting takes 0.25 s at first and doubles up to 5 s, each time with jitter of a quarter up and down; it
 * starts over once a topology or a heartbeat has arrived.  A stream that is silent for 30 s is wrong, and one from an address
 * that this machine has lost at once.  The controller's name is looked up for each attempt, so that a resolver that does not work
 * yet, or another one, or another answer, is a matter of the next attempt.  Answers to what
 * the controller asks on the stream go out one by one, at most CONTROLLER_CLIENT_ANSWERS wait, and with the stream they are
 * forgotten.  Report: at most one is under way and one waits; a newer one replaces the one that waits.  A report that failed waits for the next connection
 * of the watch, and the last one that succeeded is sent again whenever the watch connects anew, since a restarted
 * controller has forgotten it.
 *
 * All functions and callbacks: the thread that runs the loop.  A callback may call controller_client_report() and _answer(), not _free().
 */
#ifndef OVERLAY_AGENT_CONTROLLER_CLIENT_H
#define OVERLAY_AGENT_CONTROLLER_CLIENT_H

#include "base/error.h"

#include <event2/event.h>
#include <jansson.h>
#include <stdbool.h>

#define CONTROLLER_CLIENT_ANSWERS 64U
#define CONTROLLER_CLIENT_ANSWER_BYTES (1U << 20)

/* All borrowed during controller_client_new() only */
struct controller_client_config {
	const char *controller; /* "203.0.113.5:4753", "[2001:db8::1]:4753", "controller.example.org" */
	const char *before;     /* where it was, tried in turn with that; NULL or "": nowhere else */
	const char *ca_pem;
	const char *certificate_pem;
	const char *key_pem;
	const char *
		topology; /* `hash` of the topology at hand, NULL or "" for none: it is sent again only if it differs */
};

struct controller_client_callbacks {
	/* @topology: a whole document, borrowed; its shape is not checked yet */
	void (*on_topology)(void *ctx, const json_t *topology);
	/* The controller asks: all borrowed, @args is an object or NULL.  controller_client_answer() with @id, now or later */
	void (*on_question)(void *ctx, const char *id, const char *name, const json_t *args);
	/* The controller says where it is reached, and where it was before: both borrowed, not checked, may be NULL */
	void (*on_moved)(void *ctx, const char *address, const json_t *former);
	/* The controller says whose agents have come or gone, among the neighbours: both borrowed, not checked, may be NULL */
	void (*on_told)(void *ctx, const json_t *offline, const json_t *online);
	/* The watch came up or went down; @text: for operators, why it is down, "" while up.  Told once per attempt. */
	void (*on_state)(void *ctx, bool connected, const char *text);
};

struct controller_client;

/**
 * controller_client_new() - start to connect
 * @base:	the loop; borrowed, must outlive the client
 * @callbacks:	copied; called from the loop only, never from within controller_client_new()
 * @ctx:	handed to them
 * @error:	on failure, words for the operator
 *
 * Return: 0; -EINVAL where an address, a certificate or the key cannot be used; -ENOMEM
 */
int controller_client_new(struct event_base *base, const struct controller_client_config *config,
	const struct controller_client_callbacks *callbacks, void *ctx, struct controller_client **out,
	struct error *error) __attribute__((warn_unused_result));

/* Send @report (a PUT /v1/agent/report body) as soon as possible; @report is borrowed, copied where it has to wait */
void controller_client_report(struct controller_client *client, const json_t *report);

/* Answer the question @id; @answer is borrowed.  One that is longer than the controller takes becomes an error that says so */
void controller_client_answer(struct controller_client *client, const char *id, const json_t *answer);

/* The machine's addresses have changed: a connection that has lost its own is dead, and where there is none it is time for one */
void controller_client_moved(struct controller_client *client);

/**
 * controller_client_move() - the controller is elsewhere: connect there; what waits to be sent is kept
 * @config:	as for controller_client_new(), but for the topology, which stays what it is
 *
 * Return: 0; -EINVAL with @error, and then nothing more than controller_client_free() may be called.  Not from a callback
 */
int controller_client_move(struct controller_client *client, const struct controller_client_config *config,
	struct error *error) __attribute__((warn_unused_result));

/* The address that is connected, or tried, in full; valid until the next call */
const char *controller_client_address(const struct controller_client *client);

/* Closes everything at once; no callback comes afterwards.  NULL is fine. */
void controller_client_free(struct controller_client *client);

#endif /* OVERLAY_AGENT_CONTROLLER_CLIENT_H */
