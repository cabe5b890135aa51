/*
 * config.h - what an agent is told when it starts: its command line, and what `weft join` left in its state folder
 *
 * The files are base/enrolment.h's.  Read once, and again on SIGHUP.  Nothing here is ever logged.
 */
#ifndef OVERLAY_AGENT_CONFIG_H
#define OVERLAY_AGENT_CONFIG_H

#include "base/enrolment.h"
#include "base/error.h"
#include "crypto/handshake.h"

#include <limits.h>
#include <stdbool.h>
#include <stdint.h>

#define CONFIG_STATE_DEFAULT "/var/lib/weft"

/* The command line */
struct options {
	char **argv;           /* as it was started */
	const char *state;     /* folder */
	uint16_t port;         /* 0: as enrolled */
	uint32_t workers;      /* 0: as many as cores, at most 4 */
	const char *aead;      /* backend's name, NULL: the fastest */
	uint32_t time_scale;   /* divides session lifetimes; for tests */
	uint32_t keeper_s;     /* this is such a keeper; 0: it is weftd */
	uint32_t keep_s;       /* after SIGTERM, ports stay open so long for the next weftd (keeper.h); 0: not at all */
	uint32_t busy_poll_us; /* 0: workers sleep when there is nothing to do */
	bool no_report_local;  /* others are not told of this machine's own addresses */
};

struct config {
	struct enrolment enrolment;
	struct handshake_self self; /* the keys of it, ready for handshakes */
};

/**
 * config_load() - read and check the state folder
 * @error:	words for the operator, on failure
 *
 * Return: 0 or -errno; config_fini() is due only after 0
 */
int config_load(const char *state, struct config *out, struct error *error) __attribute__((warn_unused_result));

/* Whether both are the same host of the same fabric, with the same keys for its tunnels */
bool config_same_identity(const struct config *a, const struct config *b);

/* Wipes */
void config_fini(struct config *config);

/* "DIR/name" in @out.  Return: false where it is too long */
bool config_path(const char *state, const char *name, char out[PATH_MAX]) __attribute__((warn_unused_result));

#endif /* OVERLAY_AGENT_CONFIG_H */
