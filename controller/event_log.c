/*
 * event_log.c - see event_log.h
 */
#include "controller/event_log.h"

#include "base/events.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

struct event_log {
	struct events *ring;
	const struct api_machine *machine;
	struct watch_hub *hub;
};

static const struct event_row table[CONTROLLER_EVENTS_COUNT] = {
#define X(name, text, bad, words) [CONTROLLER_EVENT_##name] = { text, words, EVENT_##bad },
	CONTROLLER_EVENTS(X)
#undef X
};

/* Numbers go on growing over starts, as agents' do: a reader who watches through one misses nothing */
struct event_log *event_log_new(const struct api_machine *machine)
{
	struct event_log *log = calloc(1, sizeof(*log));
	time_t wall = machine->wall(machine->ctx);

	if (!log)
		return NULL;
	log->machine = machine;
	log->ring = events_new(EVENT_LOG_MAX, wall > 0 ? (uint64_t)wall * EVENT_LOG_RUN : 1);
	if (log->ring)
		return log;
	free(log);
	return NULL;
}

void event_log_free(struct event_log *log)
{
	if (!log)
		return;
	events_free(log->ring);
	free(log);
}

void event_log_announce(struct event_log *log, struct watch_hub *hub)
{
	log->hub = hub;
}

static void keep(struct event_log *log, const struct event *event)
{
	const struct event *kept = events_add(log->ring, event);
	json_t *item;

	if (!log->hub || !watch_any(log->hub, WATCH_EVENTS))
		return;
	item = event_json(kept);
	if (item)
		watch_emit(log->hub, WATCH_EVENTS, item, false, kept->seq);
	json_decref(item);
}

void event_log_add(struct event_log *log, enum controller_event kind, const char *host, const char *about,
	const char *format, ...)
{
	struct event event = { .at = log->machine->wall(log->machine->ctx) };
	va_list args;

	snprintf(event.host, sizeof(event.host), "%s", host);
	va_start(args, format);
	event_say(&event, &table[kind], about, format, args);
	va_end(args);
	keep(log, &event);
}

/* Return: the number of the last event in @list, 0 where there is none */
static uint64_t last_of(const json_t *list)
{
	struct event event;

	for (size_t i = json_array_size(list); i > 0; i--)
		if (event_read(json_array_get(list, i - 1), &event))
			return event.seq;
	return 0;
}

void event_log_take(struct event_log *log, const char *host, const json_t *list, uint64_t *taken)
{
	const uint64_t last = last_of(list);
	const json_t *item;
	size_t i;

	if (last && last < *taken)
		*taken = 0; /* its clock was set back and it started again, or its disk was put back: all is new */
	json_array_foreach(list, i, item) {
		struct event event;

		if (!event_read(item, &event) || event.seq <= *taken)
			continue;
		if (*taken && event.seq > *taken + 1 && event.seq - *taken < EVENT_LOG_RUN)
			event_log_add(log, CONTROLLER_EVENT_EVENTS_LOST, host, "",
				"%" PRIu64 " events of this host were lost", event.seq - *taken - 1);
		*taken = event.seq;
		snprintf(event.host, sizeof(event.host), "%s", host);
		keep(log, &event);
	}
}

json_t *event_log_list(const struct event_log *log)
{
	return events_json(log->ring, 0, EVENT_LOG_MAX);
}
