/*
 * heartbeat.h - what the service manager hears of weftd: that it has started, how it is, and that it lives
 *
 * Theory of operation.  Every two seconds the control thread says how many ports and peers are up, where that is another number than
 * before.  Where the service manager wants a sign of life, it gets one four times in its patience, but only once all workers have
 * come by since the last: a thread that hangs, the control thread included, ends in a restart.  Without a service manager nothing
 * runs.  Threads: the control thread.
 */
#ifndef OVERLAY_AGENT_HEARTBEAT_H
#define OVERLAY_AGENT_HEARTBEAT_H

#include "overlay/agent/agent.h"

#include <stdbool.h>

/* weftd has started: say so, and begin.  Return: false without memory */
bool heartbeat_start(struct agent *agent) __attribute__((warn_unused_result));

void heartbeat_stop(struct agent *agent);

#endif /* OVERLAY_AGENT_HEARTBEAT_H */
