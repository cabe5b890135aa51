/*
 * status.h - the local socket, which tells how this host is
 */
#ifndef OVERLAY_AGENT_STATUS_H
#define OVERLAY_AGENT_STATUS_H

#include "base/error.h"
#include "overlay/agent/agent.h"
#include "overlay/peer/drops.h"

bool status_start(struct agent *agent, struct error *error);
void status_stop(struct agent *agent);

/* Sum of a drop over all threads */
uint64_t status_drop_count(const struct agent *agent, enum drop drop);

#endif /* OVERLAY_AGENT_STATUS_H */
