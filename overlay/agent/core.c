/*
 * core.c - see core.h: what happens, one function each
 */
#include "overlay/agent/core.h"

#include "base/log.h"

#include "overlay/agent/apply.h"
#include "overlay/agent/opening.h"
#include "overlay/agent/publish.h"
#include "overlay/agent/report.h"
#include "overlay/peer/overlay.h"

#include <stdlib.h>
#include <string.h>

/* After anything that happened: what changed goes out, and what was waited for is told */
static void settle(struct core *core)
{
	apply_rest(core);
	publish_settle(core);
	if (publish_is_settled(core) && core->in_force != core->document) {
		json_decref(core->in_force);
		core->in_force = json_incref(core->document);
		core->news = true;
	}
	if (core->news)
		report_send(core);
	core->news = false;
}

struct core *core_new(const struct core_config *config, const struct core_ops *ops, void *ctx, struct instant now)
{
	struct core *core = calloc(1, sizeof(*core));

	if (!core)
		return NULL;
	core->config = *config;
	core->config.host = strdup(config->host);
	core->config.ca_pem = strdup(config->ca_pem);
	core->ops = ops;
	core->ctx = ctx;
	core->now = core->started = now;
	timers_init(&core->retries);
	core->network_errors = json_array();
	if (core->config.host && core->config.ca_pem && core->network_errors)
		return core;
	core_free(core);
	return NULL;
}

void core_free(struct core *core)
{
	if (!core)
		return;
	apply_fini(core);
	json_decref(core->network_errors);
	json_decref(core->reported);
	free((char *)core->config.host);
	free((char *)core->config.ca_pem);
	free(core);
}

void core_start(struct core *core, struct instant now)
{
	json_t *document = core->ops->document_kept(core->ctx);

	core->now = now;
	if (document)
		apply_document(core, document, false);
	json_decref(document);
	settle(core);
}

void core_document(struct core *core, const json_t *document, struct instant now)
{
	core->now = now;
	apply_document(core, document, true);
	settle(core);
}

void core_published(struct core *core, const struct attach_faults *faults, struct instant now)
{
	core->now = now;
	publish_done(core);
	if (faults->peers_error)
		log_error(
			"no memory for what workers keep of each peer: frames for some hosts are dropped (no-session)");
	for (uint32_t i = 0; i < faults->count; i++) {
		struct port *port = ports_at(&core->ports, faults->faults[i].slot);
		struct error error;

		attach_fault_tell(&faults->faults[i], &error);
		if (port && port->open)
			(void)opening_break(core, port, &error);
	}
	opening_try_waiting(core); /* for what could be closed at once */
	settle(core);
}

void core_port_closed(struct core *core, void *token, struct instant now)
{
	core->now = now;
	if (publish_closed(core, token))
		opening_try_waiting(core);
	settle(core);
}

void core_links_changed(struct core *core, struct instant now)
{
	core->now = now;
	opening_check(core);
	opening_try_broken(core);
	settle(core);
}

void core_reloaded(struct core *core, struct instant now)
{
	core->now = now;
	json_decref(core->reported);
	core->reported = NULL;
	core->news = true;
	apply_judge(core);
	opening_check(core);
	opening_try_broken(core);
	settle(core);
}

/* Return: the earlier of @a and @b, where 0 is never */
static struct instant earlier(struct instant a, struct instant b)
{
	return !b.ns || (a.ns && a.ns <= b.ns) ? a : b;
}

bool core_has_news(const struct core *core)
{
	return core->config.overlay->changes != core->peers_told && !core->peers_at.ns;
}

/* Is it time to tell of peers that have changed? */
static void look_at_peers(struct core *core)
{
	if (core_has_news(core))
		core->peers_at = instant_add_ms(core->now, CORE_PEERS_SOON_MS);
	if (!core->peers_at.ns || !instant_reached(core->now, core->peers_at))
		return;
	core->peers_at =
		report_all_up(core) ? core->now : instant_add_ms(core->peers_reported_at, CORE_PEERS_REPORT_MS);
	if (instant_reached(core->now, core->peers_at))
		core->news = true;
}

struct instant core_tick(struct core *core, struct instant now)
{
	core->now = now;
	look_at_peers(core);
	if (core->keep_at.ns && instant_reached(now, core->keep_at))
		apply_keep(core);
	opening_try_due(core);
	if (core->judge_at.ns && instant_reached(now, core->judge_at))
		apply_judge(core);
	if (instant_reached(now, core->report_at)) {
		(void)fdb_age(core->config.fdb, now);
		core->report_at = instant_add_ms(now, CORE_REPORT_MS);
		core->news = true;
	}
	settle(core);
	return earlier(earlier(earlier(timers_next(&core->retries), core->judge_at), core->keep_at),
		earlier(earlier(core->publish_at, core->report_at), core->peers_at));
}
