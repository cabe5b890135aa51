/*
 * privileges.h - root's powers, and the few that weftd keeps
 */
#ifndef OVERLAY_AGENT_PRIVILEGES_H
#define OVERLAY_AGENT_PRIVILEGES_H

#include "base/error.h"

#include <stdbool.h>

/**
 * privileges_reduce() - keep CAP_NET_ADMIN, CAP_NET_RAW and CAP_NET_BIND_SERVICE, and give up all others for good
 *
 * Capabilities are a thread's own: before any other thread starts.
 *
 * Return: false with @error where weftd may not make network devices, or the kernel does not take the rest back
 */
bool privileges_reduce(struct error *error) __attribute__((warn_unused_result));

#endif /* OVERLAY_AGENT_PRIVILEGES_H */
