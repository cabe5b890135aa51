/*
 * control.h - weftd's composition: the control thread's loop, start and stop, mail from the workers
 */
#ifndef OVERLAY_AGENT_CONTROL_H
#define OVERLAY_AGENT_CONTROL_H

#include "overlay/agent/agent.h"

/* Run until SIGTERM or SIGINT.  Return: 0, or 1 after having said on stderr why it could not start */
int agent_run(const struct options *options);

#endif /* OVERLAY_AGENT_CONTROL_H */
