/*
 * core.c - see core.h: what happens, one function each
 */
#include "overlay/agent/core.h"

#include "base/log.h"
#include "base/version.h"

#include "overlay/agent/apply.h"
#include "overlay/agent/events.h"
#include "overlay/agent/opening.h"
#include "overlay/agent/publish.h"
#include "overlay/agent/report.h"
#include "overlay/agent/whereabouts.h"
#include "overlay/peer/overlay.h"

#include <stdlib.h>
#include <string.h>

/* After anything that happened: what changed goes out, and what was waited for is told */
static void settle(struct core *core)
{
	apply_rest(core);
	if (core->unchecked)
		opening_check(core);
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
	core->events = agent_events_new(ops->wall_clock(ctx), now);
	if (core->config.host && core->config.ca_pem && core->network_errors && core->events)
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
	json_decref(core->whereabouts);
	json_decref(core->reported);
	doctors_fini(&core->doctors);
	agent_events_free(core->events);
	free((char *)core->config.host);
	free((char *)core->config.ca_pem);
	free(core);
}

void core_start(struct core *core, struct instant now)
{
	json_t *document = core->ops->document_kept(core->ctx);

	core->now = now;
	agent_event(core, AGENT_EVENT_STARTED, "", "weftd " WEFT_VERSION " begins");
	if (document)
		apply_document(core, document, false);
	json_decref(document);
	whereabouts_recall(core);
	settle(core);
}

void core_stopping(struct core *core, struct instant now)
{
	core->now = now;
	whereabouts_keep(core, true);
}

void core_document(struct core *core, const json_t *document, struct instant now)
{
	core->now = now;
	apply_document(core, document, true);
	settle(core);
}

static void take_names(struct core *core, const json_t *names, bool has_come)
{
	struct overlay *overlay = core->config.overlay;
	const json_t *name;
	size_t i;

	json_array_foreach(names, i, name) {
		const char *text = json_string_value(name);
		struct peer *peer = text ? peers_named(&overlay->peers, text) : NULL;

		if (i == CORE_TOLD_MAX)
			break;
		if (peer)
			overlay_told(overlay, peer, has_come, core->now);
	}
}

void core_told(struct core *core, const json_t *offline, const json_t *online, struct instant now)
{
	core->now = now;
	take_names(core, offline, false);
	take_names(core, online, true);
}

void core_published(struct core *core, const struct attach_faults *faults, struct instant now)
{
	core->now = now;
	core->news = true; /* ports are in force that were starting */
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
	/* a device that was made for a port that failed is told of, too, and is no reason to try that again */
	if (core->ops->links_differ(core->ctx))
		opening_try_broken(core);
	core->news = true; /* of our own addresses */
	settle(core);
}

void core_declared(struct core *core, uint32_t slot, const struct fdb_key *key, struct instant now)
{
	core->now = now;
	opening_declared(core, slot, key);
}

/* They come in flocks, and one look is enough for all: at the next tick */
void core_port_gone(struct core *core, uint32_t slot)
{
	const struct port *port = ports_at(&core->ports, slot);

	core->unchecked |= port && port->open;
}

void core_answered(struct core *core, const struct peer *peer, uint64_t token, struct instant now)
{
	if (core) /* which comes after the overlay */
		pings_answered(&core->pings, peer, token, now);
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

/* Look for what is to be told as an event, and tell the controller of it, though not one by one */
static void notice(struct core *core)
{
	core->notice_at = (struct instant){ 0 };
	if (core->noticed.ns && instant_since_ms(core->now, core->noticed) < AGENT_EVENTS_NOTICE_MS) {
		core->notice_at = instant_add_ms(core->noticed, AGENT_EVENTS_NOTICE_MS);
		return;
	}
	core->noticed = core->now;
	agent_events_notice(core);
	if (agent_events_newest(core->events) == core->reported_event)
		return;
	if (!core->reported || instant_since_ms(core->now, core->peers_reported_at) >= AGENT_EVENTS_REPORT_MS)
		report_send(core);
	else
		core->notice_at = instant_add_ms(core->peers_reported_at, AGENT_EVENTS_REPORT_MS);
}

struct instant core_tick(struct core *core, struct instant now)
{
	struct instant asked;

	core->now = now;
	look_at_peers(core);
	if (core->keep_at.ns && instant_reached(now, core->keep_at))
		apply_keep(core);
	opening_try_due(core);
	if (instant_reached(now, core->look_at)) {
		core->unchecked |= core->elsewhere || core->ops->has_changed(core->ctx) || core->has_declared;
		core->look_at = instant_add_ms(now, CORE_LOOK_MS);
	}
	if (core->judge_at.ns && instant_reached(now, core->judge_at))
		apply_judge(core);
	if (instant_reached(now, core->report_at)) {
		(void)fdb_age(core->config.fdb, now);
		core->report_at = instant_add_ms(now, CORE_REPORT_MS);
		whereabouts_keep(core, false);
		core->news = true;
	}
	settle(core);
	notice(core);
	asked = earlier(earlier(pings_tick(core), doctors_tick(core)), core->look_at);
	return earlier(earlier(earlier(earlier(timers_next(&core->retries), asked), core->judge_at), core->keep_at),
		earlier(earlier(core->publish_at, core->report_at), earlier(core->peers_at, core->notice_at)));
}
