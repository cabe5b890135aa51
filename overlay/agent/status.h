/*
 * status.h - what `weft status` shows: how this host is, as one JSON document
 */
#ifndef OVERLAY_AGENT_STATUS_H
#define OVERLAY_AGENT_STATUS_H

#include "overlay/agent/core.h"

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

/* What the composition knows and the core does not.  Borrowed */
struct status_facts {
	const char *host, *fabric;
	const char *controller;        /* its address */
	const char *controller_wanted; /* the one that it is to be reached at, where that is another; may be NULL */
	bool connected;
	const char *controller_state; /* while it is not: why */
	uint32_t workers;
	uint16_t udp_port;
	const char *aead_backend;
	bool udp_gso, udp_gro, dual_stack;
	int receive_buffer_bytes, send_buffer_bytes;
	uint32_t busy_poll_us;
};

/* Reads, and changes nothing; core->now is the moment that it tells of.  Return: the caller's */
json_t *status_document(const struct core *core, const struct status_facts *facts);

#endif /* OVERLAY_AGENT_STATUS_H */
