/*
 * closer.h - ports closed beside the control thread, which must not wait for the kernel
 *
 * Closing a packet socket waits for a grace period of the kernel's (31 ms and more), and deleting a TAP for the network lock.  A
 * crowd of threads does that; each port that is done comes back by its token.  At stop all that is left is closed at once, side by
 * side.  Threads: the control thread calls; the closer's own threads only close.
 */
#ifndef OVERLAY_AGENT_CLOSER_H
#define OVERLAY_AGENT_CLOSER_H

#include "tap/port.h"

#include <stdbool.h>

struct closer;

/* Return: NULL without memory or descriptors */
struct closer *closer_new(void);

/* Return: what becomes readable when ports are closed */
int closer_descriptor(const struct closer *closer);

/* Close @port, the closer's from now on.  Return: false where that was done here and now, without memory: no token comes back */
bool closer_close(struct closer *closer, struct tap_port *port, void *token);

/* Return: whether a port was closed that was not told of yet; its token in @token */
bool closer_take(struct closer *closer, void **token);

/**
 * closer_free() - wait until all is closed, and end the threads
 * @patience_ms: for all of it; what takes longer is left to the end of the process
 *
 * NULL is fine.  Return: whether all was closed; if not, it is still there, and this may be called again
 */
bool closer_free(struct closer *closer, unsigned int patience_ms);

#endif /* OVERLAY_AGENT_CLOSER_H */
