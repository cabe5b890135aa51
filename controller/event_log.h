/*
 * event_log.h - what happened in the fabric: the controller's own events, and those that agents report
 *
 * One table row an event (controller/events.h); the newest EVENT_LOG_MAX are kept, in memory only, each with a number of the
 * controller's.  Agents' reports repeat their latest events, so that none is lost with a report: they are known again by
 * their agent's numbers, which grow over its starts.  A gap in those is told as an event of its own.  The controller's thread.
 */
#ifndef CONTROLLER_EVENT_LOG_H
#define CONTROLLER_EVENT_LOG_H

#include "controller/events.h"
#include "controller/machine.h"
#include "controller/watch.h"

#include <jansson.h>
#include <stdint.h>

#define EVENT_LOG_MAX 4096U
#define EVENT_LOG_RUN (1ULL << 20) /* an agent's numbers that are further apart are of different starts */

struct event_log;

/* @machine: borrowed.  Return: NULL without memory */
struct event_log *event_log_new(const struct api_machine *machine);

/* NULL is fine */
void event_log_free(struct event_log *log);

/* Where they are told; borrowed */
void event_log_announce(struct event_log *log, struct watch_hub *hub);

/* Something has happened.  @host, @about: "" for none; @format: words in place of the row's, or NULL */
void event_log_add(struct event_log *log, enum controller_event event, const char *host, const char *about,
	const char *format, ...) __attribute__((format(printf, 5, 6)));

/**
 * event_log_take() - what @host's agent reports
 * @list:	borrowed; what in it is no event is skipped
 * @taken:	the agent's number of the last one that was taken, 0 at first; moved on
 */
void event_log_take(struct event_log *log, const char *host, const json_t *list, uint64_t *taken);

/* All there are, the oldest first, each {"seq", "at", "severity", "event", "host"?, "about"?, "text"?}.  Return: new */
json_t *event_log_list(const struct event_log *log);

#endif /* CONTROLLER_EVENT_LOG_H */
