/*
 * events.c - see events.h
 */
#include "overlay/agent/events.h"

#include "overlay/agent/core.h"
#include "overlay/agent/gather.h"
#include "overlay/agent/questions.h"
#include "overlay/peer/overlay.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SEQ_SHIFT 20 /* numbers go on growing over starts: a million events for each second between them */

struct told_peer {
	char name[PEER_NAME_BYTES]; /* "": nobody has been told of in this slot */
	uint8_t state;              /* enum contact_state */
	bool rival;                 /* another machine uses its keys */
};

struct told_port {
	uint32_t id;
	bool up, down; /* neither: it waits or starts */
	char text[ERROR_BYTES];
};

struct agent_events {
	struct events *ring;
	struct told_peer *peers;
	uint32_t peers_room;
	struct told_port ports[PORTS_MAX];
	char applied[80]; /* hash */
	char rejected[ERROR_BYTES];
	int64_t wall_ahead_s; /* of the monotonic clock */
	bool disowned;        /* another machine uses ours */
};

static const struct event_row table[AGENT_EVENTS_COUNT] = {
#define X(name, text, bad, words) [AGENT_EVENT_##name] = { text, words, EVENT_##bad },
	AGENT_EVENTS(X)
#undef X
};

static int64_t ahead_s(time_t wall, struct instant now)
{
	return (int64_t)wall - (int64_t)(now.ns / 1000000000ULL);
}

struct agent_events *agent_events_new(time_t wall, struct instant now)
{
	struct agent_events *events = calloc(1, sizeof(*events));

	if (!events)
		return NULL;
	events->ring = events_new(AGENT_EVENTS_MAX, wall > 0 ? (uint64_t)wall << SEQ_SHIFT : 1);
	events->wall_ahead_s = ahead_s(wall, now);
	if (events->ring)
		return events;
	free(events);
	return NULL;
}

void agent_events_free(struct agent_events *events)
{
	if (!events)
		return;
	events_free(events->ring);
	free(events->peers);
	free(events);
}

void agent_event(struct core *core, enum agent_event kind, const char *about, const char *format, ...)
{
	struct event event = { .at = core->ops->wall_clock(core->ctx) };
	va_list args;

	va_start(args, format);
	event_say(&event, &table[kind], about, format, args);
	va_end(args);
	(void)events_add(core->events->ring, &event);
}

/* ---- peers ------------------------------------------------------------------------------------------------- */

static bool make_room(struct agent_events *events, uint32_t peers)
{
	struct told_peer *more;

	if (peers <= events->peers_room)
		return true;
	more = realloc(events->peers, peers * sizeof(*more));
	if (!more)
		return false;
	memset(more + events->peers_room, 0, (peers - events->peers_room) * sizeof(*more));
	events->peers = more;
	events->peers_room = peers;
	return true;
}

static void tell_peer(struct core *core, const struct peer *peer, enum contact_state was)
{
	char why[CONTACT_WHY_BYTES], where[ENDPOINT_TEXT_BYTES] = "";

	contact_why(&peer->contact, why);
	switch (peer->contact.state) {
	case CONTACT_UP:
		if (peer->path)
			endpoint_format(&peer->path->endpoint, where);
		agent_event(core, AGENT_EVENT_PEER_UP, peer->name, where[0] ? "answers at %s" : "answers", where);
		return;
	case CONTACT_CONNECTING: /* how each begins is no news */
		if (was == CONTACT_UP || was == CONTACT_SILENT)
			agent_event(core, AGENT_EVENT_PEER_LOST, peer->name, why[0] ? "%s" : NULL, why);
		return;
	case CONTACT_SILENT:
		agent_event(core, AGENT_EVENT_PEER_SILENT, peer->name, why[0] ? "%s" : NULL, why);
		return;
	case CONTACT_UNREACHABLE:
		agent_event(core, AGENT_EVENT_PEER_UNREACHABLE, peer->name, why[0] ? "%s" : NULL, why);
		return;
	case CONTACT_REFUSED:
		agent_event(core, AGENT_EVENT_PEER_REFUSED, peer->name, why[0] ? "%s" : NULL, why);
		return;
	case CONTACT_GONE:
		agent_event(core, AGENT_EVENT_PEER_GONE, peer->name, why[0] ? "%s" : NULL, why);
		return;
	case CONTACT_STATES_COUNT:
		break;
	}
}

static void notice_rival(struct core *core, const struct peer *peer, struct told_peer *told)
{
	const bool shown = rival_is_shown(peer, core->now);
	char text[RIVAL_TEXT_BYTES];

	if (shown == told->rival)
		return;
	told->rival = shown;
	if (!shown)
		return;
	rival_text(peer, core->now, text);
	agent_event(core, AGENT_EVENT_PEER_CLONED, peer->name, "%s", text);
}

/* Of this host's own keys */
static void notice_clone(struct core *core)
{
	const bool disowned = overlay_is_disowned(core->config.overlay, core->now);

	if (disowned && !core->events->disowned)
		agent_event(core, AGENT_EVENT_CLONE, "", NULL);
	core->events->disowned = disowned;
}

static void notice_peers(struct core *core)
{
	struct agent_events *events = core->events;
	const struct peers *peers = &core->config.overlay->peers;
	const struct peer *peer;
	uint32_t slot = 0;

	if (!make_room(events, peers->capacity))
		return;
	while ((peer = peers_next(peers, &slot))) {
		struct told_peer *told = &events->peers[peer->slot];

		if (strcmp(told->name, peer->name) != 0) {
			snprintf(told->name, sizeof(told->name), "%s", peer->name);
			told->state = CONTACT_CONNECTING;
			told->rival = false;
		}
		notice_rival(core, peer, told);
		if (told->state == peer->contact.state)
			continue;
		tell_peer(core, peer, (enum contact_state)told->state);
		told->state = (uint8_t)peer->contact.state;
	}
}

/* ---- ports ------------------------------------------------------------------------------------------------- */

static void notice_port(struct core *core, const struct port *port, struct told_port *told)
{
	const bool down = error_is_set(&port->error);
	const bool up = !down && port->open && core->forwarding && core->forwarding->ports[port->slot] == port->open;
	char about[EVENT_ABOUT_BYTES];

	if (told->id != port->wanted.id)
		*told = (struct told_port){ .id = port->wanted.id };
	snprintf(about, sizeof(about), "%s/%s", port->wanted.lab, port->wanted.name);
	if (down && (!told->down || strcmp(told->text, port->error.text) != 0)) {
		agent_event(core, AGENT_EVENT_PORT_DOWN, about, "%s", port->error.text);
		snprintf(told->text, sizeof(told->text), "%s", port->error.text);
		told->down = true;
		told->up = false;
	} else if (up && !told->up) {
		agent_event(core, AGENT_EVENT_PORT_UP, about, NULL);
		told->down = false;
		told->up = true;
	}
}

static void notice_ports(struct core *core)
{
	for (uint32_t slot = 0; slot < PORTS_MAX; slot++) {
		const struct port *port = slot < core->ports.slots_count ? ports_at(&core->ports, slot) : NULL;

		if (port)
			notice_port(core, port, &core->events->ports[slot]);
		else if (core->events->ports[slot].id)
			core->events->ports[slot].id = 0;
	}
}

/* ---- the rest ---------------------------------------------------------------------------------------------- */

static void notice_topology(struct core *core)
{
	struct agent_events *events = core->events;
	const char *applied = gather_applied(core);

	if (applied[0] && strncmp(events->applied, applied, sizeof(events->applied) - 1) != 0) {
		snprintf(events->applied, sizeof(events->applied), "%s", applied);
		agent_event(core, AGENT_EVENT_TOPOLOGY_APPLIED, "", "revision %" PRIu64 " is applied",
			gather_applied_rev(core));
	}
	if (strcmp(events->rejected, core->rejected.text) == 0)
		return;
	snprintf(events->rejected, sizeof(events->rejected), "%s", core->rejected.text);
	if (events->rejected[0])
		agent_event(core, AGENT_EVENT_TOPOLOGY_REJECTED, "", "%s", events->rejected);
}

static void notice_clock(struct core *core)
{
	struct agent_events *events = core->events;
	int64_t ahead = ahead_s(core->ops->wall_clock(core->ctx), core->now), by = ahead - events->wall_ahead_s;

	if (by >= -AGENT_EVENTS_STEP_S && by <= AGENT_EVENTS_STEP_S)
		return; /* and its drift adds up until it is one */
	events->wall_ahead_s = ahead;
	agent_event(core, AGENT_EVENT_CLOCK_STEP, "", "the clock was set by %+" PRId64 " s", by);
}

void agent_events_notice(struct core *core)
{
	notice_clock(core);
	notice_topology(core);
	notice_ports(core);
	notice_peers(core);
	notice_clone(core);
}

/* ---- who wants to know --------------------------------------------------------------------------------------- */

uint64_t agent_events_newest(const struct agent_events *events)
{
	const struct event *event = events_after(events->ring, events_next_seq(events->ring) - 2);

	return event ? event->seq : 0;
}

json_t *agent_events_report(const struct agent_events *events, time_t wall)
{
	const uint64_t next = events_next_seq(events->ring);
	uint64_t after = next > AGENT_EVENTS_REPORTED ? next - 1 - AGENT_EVENTS_REPORTED : 0;
	const struct event *event;

	while ((event = events_after(events->ring, after)) && event->seq + AGENT_EVENTS_REPORTED_OLD < next &&
		event->at + AGENT_EVENTS_REPORTED_S < wall)
		after = event->seq;
	return events_json(events->ring, after, AGENT_EVENTS_REPORTED);
}

json_t *agent_events_list(const struct agent_events *events, uint64_t after)
{
	return events_json(events->ring, after, AGENT_EVENTS_MAX);
}

/* {"after": NUMBER}: {"host", "items", "next": what to ask after the next time} */
void events_question(const struct questions_source *source, const json_t *args, struct reply *reply)
{
	json_int_t after = json_integer_value(json_object_get(args, "after"));
	const struct core *core = source->core;

	reply_send(reply,
		json_pack("{s:s, s:I, s:o}", "host", core->config.host, "last",
			(json_int_t)agent_events_newest(core->events), "items",
			agent_events_list(core->events, after > 0 ? (uint64_t)after : 0)));
}
