/*
 * agent_report.h - what an agent says of itself: PUT /v1/agent/report, checked
 *
 * An agent is believed only about itself: MACs on networks that its host has no port on are left out.
 */
#ifndef CONTROLLER_AGENT_REPORT_H
#define CONTROLLER_AGENT_REPORT_H

#include "controller/ca/authority.h"
#include "controller/model.h"
#include "lab/fault.h"

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#define REPORT_MACS_MAX 8192U
#define REPORT_DROPS_MAX 512U
#define REPORT_TEXT_MAX 2048U
#define REPORT_ERRORS_MAX 64U

struct agent_report {
	char applied[AUTHORITY_HASH_BYTES]; /* name of the newest document that it has gone through; "" for none */
	uint64_t rev;                       /* that document's, for people */
	json_t *about; /* {"error"?, "errors"?, "version"?, "underlay_mtu"?}: members of the host's item */
	json_t *macs;  /* {key: item of the list}; NULL where the report has none */
	json_t *drops; /* the same */
};

/* Return: false with @fault set; @out is to be given to agent_report_fini() in any case */
bool agent_report_check(const json_t *in, const struct model *model, const char *host, struct agent_report *out,
	struct fault *fault);

void agent_report_fini(struct agent_report *report);

#endif /* CONTROLLER_AGENT_REPORT_H */
