/*
 * publish.h - what the workers forward by: built, put into force, and what leaves with it
 *
 * One snapshot is on its way at a time.  What leaves (a port's device, a peer) is noted with the first snapshot that lacks
 * it; once all workers forward by that one or a later one, nobody uses it any more, and it is closed or freed.
 */
#ifndef OVERLAY_AGENT_PUBLISH_H
#define OVERLAY_AGENT_PUBLISH_H

#include "overlay/agent/core.h"

/* Note room for @count more that leave.  Return: false without memory; nothing leaves then, and all goes on as before */
bool publish_reserve(struct core *core, uint32_t count) __attribute__((warn_unused_result));

/* They leave with the next snapshot; room was made.  Consumed: the port's device, the peer, which the overlay has forgotten */
void publish_leave_port(struct core *core, struct vport *port);
void publish_leave_peer(struct core *core, struct peer *peer);

/* Whether what leaves still has a device that @spec would open */
bool publish_holds(const struct core *core, const struct attach *spec);

/* Put what there is now into force, if it differs from what is and nothing is on its way */
void publish_settle(struct core *core);

/* Nothing is on its way, nor leaving */
bool publish_is_settled(const struct core *core);

/* The workers have taken up the last one */
void publish_done(struct core *core);

/* Return: false where @token is none of those that are being closed */
bool publish_closed(struct core *core, const void *token);

/* The workers have stopped: everything that leaves is closed now */
void publish_fini(struct core *core);

#endif /* OVERLAY_AGENT_PUBLISH_H */
