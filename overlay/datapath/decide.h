/*
 * decide.h - where a packet goes, asked of the switch once for each run of a flow
 *
 * Frames come in runs of one flow, and within a burst nothing that decides about them can change but what the MAC table learns
 * of others, so a run's first decision serves all of it: as long as MACs, tag and origin are the same, and no stage of the
 * network looks at more than these (switch/stage.h).
 */
#ifndef OVERLAY_DATAPATH_DECIDE_H
#define OVERLAY_DATAPATH_DECIDE_H

#include "packet/packet.h"
#include "switch/verdict.h"

#include <stdint.h>

struct worker;

/* The last decision; its worker's */
struct decision {
	const struct network *network; /* NULL: none of this burst */
	const struct network_port *in; /* NULL: came from a peer */
	uint32_t peer;                 /* slot, where it did */
	uint32_t tag;
	uint64_t macs[2];
	struct verdict verdict;
};

/**
 * decide() - the switch's verdict
 * @packet:	parsed, with its network and origin; its vlan is set
 *
 * Counts what was learned.  Return: borrowed until the next call
 */
const struct verdict *decide(struct worker *worker, struct packet *packet);

#endif /* OVERLAY_DATAPATH_DECIDE_H */
