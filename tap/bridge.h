/*
 * bridge.h - Linux bridges as attachments use them; for tap/ only
 *
 * A bridge that we make carries the alias BRIDGE_MARK, so that it is known again after a crash and by the next agent.
 */
#ifndef TAP_BRIDGE_H
#define TAP_BRIDGE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"
#include "lab/attach.h"

#define BRIDGE_MARK "weft"

struct bridge {
	int index;
	uint32_t mtu_bytes; /* its user's; 0 where it is weft's, and has the one that its ports need */
};

/**
 * bridge_need() - find the bridge @name, or make it where @create says so
 * @out:	only on success
 *
 * Return: 0; -ENODEV where it is missing, -EINVAL where @name is something else, or -errno; with @error filled
 */
int bridge_need(const char *name, bool create, struct bridge *out, struct error *error)
	__attribute__((warn_unused_result));

/* Delete the bridge if it carries the mark and has no port left */
void bridge_leave(const char *name);

#endif /* TAP_BRIDGE_H */
