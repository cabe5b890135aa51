/*
 * report.c - what an agent tells its controller: which topology it works with, what is wrong, the MACs that it learnt, its drops
 *
 * The shape is controller/API.md's PUT /v1/agent/report.  Sent when something happened that people wait for, and every few
 * seconds where something has changed since; controller_client.c keeps the newest until it could be delivered.
 */
#include "overlay/agent/report.h"

#include "base/version.h"
#include "overlay/agent/gather.h"
#include "overlay/datapath/stats.h"

/* Those behind own ports */
static json_t *learnt_mac(const struct core *core, const struct fdb_entry *entry)
{
	const struct port *port = entry->location.kind == FDB_LOCAL ? ports_at(&core->ports, entry->location.id) : NULL;
	char mac[MAC_TEXT_BYTES];

	if (!port)
		return NULL;
	mac_format(&entry->key.mac, mac);
	return json_pack("{s:i, s:i, s:s, s:s}", "network", (int)entry->key.network, "vlan", (int)entry->key.vlan,
		"mac", mac, "port", port->wanted.name);
}

static json_t *new_report(const struct core *core)
{
	json_t *errors = gather_errors(core), *report;
	char text[GATHER_TEXT_BYTES];
	struct stats stats;

	core->ops->stats(core->ctx, &stats);
	report = json_pack("{s:s, s:I, s:s, s:o, s:o}", "applied", gather_applied(core), "rev",
		(json_int_t)gather_applied_rev(core), "version", WEFT_VERSION, "macs", gather_macs(core, learnt_mac),
		"drops", gather_drops(core, &stats));
	if (json_array_size(errors)) {
		gather_error_text(errors, text);
		json_object_set_new(report, "error", json_string(text));
		json_object_set(report, "errors", errors);
	}
	json_decref(errors);
	return report;
}

void report_send(struct core *core)
{
	json_t *report = new_report(core);

	if (report && !json_equal(report, core->reported) && core->ops->report(core->ctx, report)) {
		json_decref(core->reported);
		core->reported = json_incref(report);
	}
	json_decref(report);
}
