/*
 * stats.h - what the workers have counted, summed over them: the one place that reads their counters
 */
#ifndef OVERLAY_DATAPATH_STATS_H
#define OVERLAY_DATAPATH_STATS_H

#include "overlay/datapath/datapath.h"
#include "overlay/peer/drops.h"
#include "switch/fdb.h"

#include <stdbool.h>
#include <stdint.h>

/* Since the workers started */
struct stats {
	uint64_t drops[DROPS];
	uint64_t learning[FDB_RESULTS]; /* by enum fdb_result */
};

/* Of one slot, since its port was attached */
struct port_stats {
	uint64_t rx_frames, rx_bytes; /* out of the machine, into the fabric */
	uint64_t tx_frames, tx_bytes;
};

/* The control thread's; each counter is exact, their moments differ a little */
void stats_gather(const struct datapath *datapath, struct stats *out);
void stats_gather_port(const struct datapath *datapath, uint32_t slot, struct port_stats *out);

#endif /* OVERLAY_DATAPATH_STATS_H */
