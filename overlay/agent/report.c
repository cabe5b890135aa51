/*
 * report.c - what an agent tells its controller: which topology it works with, the MACs that it learnt, its drops
 *
 * The shape is controller/API.md's PUT /v1/agent/report.  Sent when a topology was applied, and every few seconds where
 * something has changed since; client.c keeps the newest until it could be delivered.
 */
#include "overlay/agent/report.h"

#include "base/version.h"
#include "overlay/agent/agent.h"
#include "overlay/agent/status.h"

#include <string.h>

#define MACS_MAX 8192U

static json_t *learnt_macs(const struct agent *agent)
{
	json_t *out = json_array();
	struct fdb_entry entry;
	uint32_t cursor = 0;

	while (json_array_size(out) < MACS_MAX && fdb_next(agent->datapath.fdb, &cursor, agent->now, &entry)) {
		const struct vport *port = entry.location.id < PORTS_MAX ? agent->ports[entry.location.id] : NULL;
		char mac[MAC_TEXT_BYTES];

		if (entry.location.kind != FDB_LOCAL || !port)
			continue;
		mac_format(&entry.key.mac, mac);
		json_array_append_new(out,
			json_pack("{s:i, s:i, s:s, s:s}", "network", (int)entry.key.network, "vlan",
				(int)entry.key.vlan, "mac", mac, "port", port->name));
	}
	return out;
}

static json_t *drop_counts(const struct agent *agent)
{
	json_t *out = json_object();

	for (enum drop drop = 0; drop < DROPS; drop++) {
		uint64_t count = status_drop_count(agent, drop);

		if (count)
			json_object_set_new(out, drop_name(drop), json_integer((json_int_t)count));
	}
	return out;
}

void report_send(struct agent *agent)
{
	json_t *report;

	if (!agent->client)
		return;
	report =
		json_pack("{s:s, s:I, s:s, s:o, s:o}", "applied", agent->applied, "rev", (json_int_t)agent->applied_rev,
			"version", WEFT_VERSION, "macs", learnt_macs(agent), "drops", drop_counts(agent));
	if (!report)
		return;
	if (agent->apply_error.text[0])
		json_object_set_new(report, "error", json_string(agent->apply_error.text));
	if (json_equal(report, agent->reported)) {
		json_decref(report);
		return;
	}
	controller_client_report(agent->client, report);
	json_decref(agent->reported);
	agent->reported = report;
}
