/*
 * stats.c - see stats.h
 */
#include "overlay/datapath/stats.h"

#include "overlay/datapath/worker.h"

#include <string.h>

static void add_worker(const struct worker *worker, struct stats *out)
{
	for (enum drop drop = 0; drop < DROPS; drop++)
		out->drops[drop] += counter_read(&worker->drops.count[drop]);
	for (int result = FRAGMENT_DROP_OVERSIZE; result < FRAGMENT_RESULTS; result++)
		out->drops[drop_fragment((enum fragment_result)result)] +=
			counter_read(&worker->reassembler.drops[result]);
	for (int event = FDB_EVICTING; event < FDB_RESULTS; event++)
		out->drops[drop_fdb((enum fdb_result)event)] += counter_read(&worker->fdb_events[event]);
	for (int event = FDB_OK + 1; event < FDB_RESULTS; event++)
		out->learning[event] += counter_read(&worker->fdb_events[event]);
}

void stats_gather(const struct datapath *datapath, struct stats *out)
{
	memset(out, 0, sizeof(*out));
	for (uint32_t i = 0; i < datapath->workers_count; i++)
		add_worker(datapath->workers[i], out);
}

void stats_gather_port(const struct datapath *datapath, uint32_t slot, struct port_stats *out)
{
	memset(out, 0, sizeof(*out));
	for (uint32_t i = 0; i < datapath->workers_count; i++) {
		const struct port_counters *counters = &datapath->workers[i]->port_counters[slot];

		out->rx_frames += counter_read(&counters->rx_frames);
		out->rx_bytes += counter_read(&counters->rx_bytes);
		out->tx_frames += counter_read(&counters->tx_frames);
		out->tx_bytes += counter_read(&counters->tx_bytes);
	}
}
