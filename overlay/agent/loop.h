/*
 * loop.h - weftd's control thread: its loop, start and stop
 */
#ifndef OVERLAY_AGENT_LOOP_H
#define OVERLAY_AGENT_LOOP_H

#include "overlay/agent/config.h"

/* Run until SIGTERM or SIGINT.  Return: 0, or 1 after having said on stderr why it could not start */
int loop_run(const struct options *options);

#endif /* OVERLAY_AGENT_LOOP_H */
