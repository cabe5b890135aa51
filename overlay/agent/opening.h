/*
 * opening.h - ports opened, looked after, given up and tried again, each alone
 */
#ifndef OVERLAY_AGENT_OPENING_H
#define OVERLAY_AGENT_OPENING_H

#include "overlay/agent/core.h"

/* Open an idle port; or it waits, while what leaves has its device; or it is broken, and has its next attempt */
void opening_try(struct core *core, struct port *port);

/* Give up what an open port has open, for @error.  It is tried again after a while.  Return: false without memory: it stays */
bool opening_break(struct core *core, struct port *port, const struct error *error);

/* The port's next one, upon its network's MTU or after ports_idle(): as if nothing had failed yet */
void opening_set_mtu(struct core *core, struct port *port, uint32_t mtu_bytes);

/* What an open port's network wants of it may be another now, but for the MTU */
void opening_want(struct core *core, struct port *port);

/* Something that a port may have waited for is gone */
void opening_try_waiting(struct core *core);

/* Try those that are due */
void opening_try_due(struct core *core);

/* Try those that are broken: what was missing may be there now */
void opening_try_broken(struct core *core);

/* An address that is declared elsewhere was heard behind the port in @slot */
void opening_declared(struct core *core, uint32_t slot, const struct fdb_key *key);

/* Look what open ports can do now, and whether they still are what they should be */
void opening_check(struct core *core);

#endif /* OVERLAY_AGENT_OPENING_H */
