/*
 * apply.h - topologies made real: peers, networks, ports and declared MACs, each by its difference
 */
#ifndef OVERLAY_AGENT_APPLY_H
#define OVERLAY_AGENT_APPLY_H

#include "overlay/agent/agent.h"

/* Read the topology that was kept on disk, and make it real.  No file is fine */
void apply_kept(struct agent *agent);

/* A new document from the controller: keep it on disk, then make it real */
void apply_document(struct agent *agent, const json_t *document);

/* Make the newest document real again: ports that failed are tried anew */
void apply_again(struct agent *agent);

/* Are there ports that could not be opened, or no longer are what they should be? */
bool apply_has_faults(struct agent *agent);

/* Close everything */
void apply_stop(struct agent *agent);

#endif /* OVERLAY_AGENT_APPLY_H */
