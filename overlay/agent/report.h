/*
 * report.h - what the controller hears of this host
 */
#ifndef OVERLAY_AGENT_REPORT_H
#define OVERLAY_AGENT_REPORT_H

#include "overlay/agent/core.h"

#define REPORT_PEERS_MAX 64U

/* Tell the controller how things are, where that differs from what it was told */
void report_send(struct core *core);

/* Is every peer up? */
bool report_all_up(const struct core *core);

#endif /* OVERLAY_AGENT_REPORT_H */
