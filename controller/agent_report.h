/*
 * agent_report.h - what an agent says of itself: PUT /v1/agent/report, checked
 *
 * An agent is believed only about itself: MACs on networks that its host has no port on are left out, and peers that are no hosts.
 */
#ifndef CONTROLLER_AGENT_REPORT_H
#define CONTROLLER_AGENT_REPORT_H

#include "base/clock.h"
#include "controller/ca/authority.h"
#include "controller/model.h"
#include "lab/fault.h"

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>
#include <time.h>

#define REPORT_MACS_MAX 8192U
#define REPORT_DROPS_MAX 512U
#define REPORT_RATE_MS 4000U /* reports come each 5 s, and when something happened */
#define REPORT_QUIET_S 15    /* without a report, a counter does not grow: agents report what has changed */
#define REPORT_TEXT_MAX 2048U
#define REPORT_ERRORS_MAX 64U
#define REPORT_PEERS_MAX 64U
#define REPORT_SEEN_MAX 64U
#define REPORT_COUNT_MAX 1000000
#define REPORT_EVENTS_MAX 64U

struct agent_report {
	char applied[AUTHORITY_HASH_BYTES]; /* name of the newest document that it has gone through; "" for none */
	uint64_t rev;                       /* that document's, for people */
	json_t *about; /* {"error"?, "errors"?, "version"?, "underlay_mtu"?, "peers"?, "ports"?}: members of the host's item */
	json_t *macs;      /* {key: item of the list}; NULL where the report has none */
	json_t *drops;     /* the same; agent_report_rate() adds to the items */
	json_t *addresses; /* ["IP:port"] of its own */
	json_t *seen;      /* [{"host", "endpoint"}]: where it hears others that share a network with it */
	json_t *peers;     /* the same, of those that are not up; NULL where the agent does not tell */

	/* Against these, rates are counted: {name: item}, as of then */
	json_t *drops_before;
	struct instant before;
};

/* Return: false with @fault set; @out is to be given to agent_report_fini() in any case */
bool agent_report_check(const json_t *in, const struct model *model, const char *host, struct agent_report *out,
	struct fault *fault);

/**
 * agent_report_rate() - say of @report's drops since when each is counted, when it last grew and how fast, by what was reported before
 * @was:	the report before; all zeros where there was none.  What is kept of it moves over
 * @wall:	Unix seconds
 *
 * A counter that fell is of another agent's start, and begins anew.  Rates are over at least REPORT_RATE_MS.
 */
void agent_report_rate(struct agent_report *report, struct agent_report *was, struct instant now, time_t wall);

/* Return: @drop as it is now: a rate that nobody has confirmed for a while is zero.  A new reference */
json_t *agent_report_drop_now(json_t *drop, time_t wall);

/* What stands in @report as it stood in @before is since then, all else since @now: the `since` of errors and peers */
void agent_report_date(struct agent_report *report, const struct agent_report *before, time_t now);

void agent_report_fini(struct agent_report *report);

#endif /* CONTROLLER_AGENT_REPORT_H */
