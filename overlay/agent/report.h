/*
 * report.h - what the controller hears of this host
 */
#ifndef OVERLAY_AGENT_REPORT_H
#define OVERLAY_AGENT_REPORT_H

#include "overlay/agent/core.h"

#define REPORT_PEERS_MAX 64U
#define REPORT_SUMMARY_BYTES 96U
#define REPORT_SEEN_MAX 64U

/* Tell the controller how things are, where that differs from what it was told */
void report_send(struct core *core);

/* Is every peer up? */
bool report_all_up(const struct core *core);

/* How things are, in a line for people */
void report_summary(const struct core *core, char out[REPORT_SUMMARY_BYTES]);

#endif /* OVERLAY_AGENT_REPORT_H */
