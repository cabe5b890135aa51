/*
 * whereabouts.h - where peers were, kept on disk: so that after a restart we can call those that nobody can tell us of
 *
 * A peer behind NAT is reached only where it was last heard: a mapping that its NAT keeps open for half a minute or more.  A host that was
 * restarted, or killed, has forgotten it, and the peer, which hears nothing, takes its time to ask anew.  So the addresses of peers that are up and that are not
 * among those that the topology names are written beside the topology, at most each WHEREABOUTS_MS and only where one has changed, and once more at
 * the end.  With the next start they are where the first attempt goes.  Nothing is believed: who answers has to prove by the handshake
 * that it is the peer, so a wrong file costs one datagram a peer.
 */
#ifndef OVERLAY_AGENT_WHEREABOUTS_H
#define OVERLAY_AGENT_WHEREABOUTS_H

#include "overlay/agent/core.h"

#define WHEREABOUTS_MS 10000U

/* After core_start()'s document: ask peers where they were.  A file that cannot be read is none */
void whereabouts_recall(struct core *core);

/* Write them where they have changed and it is time to; @now: in any case */
void whereabouts_keep(struct core *core, bool now);

#endif /* OVERLAY_AGENT_WHEREABOUTS_H */
