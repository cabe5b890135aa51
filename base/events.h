/*
 * events.h - the last things that happened, for people: a bounded ring
 *
 * Each program has a table of its events, one row each (overlay/agent/events.h, controller/events.h): name, how bad, what it says.
 * Here is what keeps them: the newest EVENTS_MAX or fewer, each with a number that only grows, so that a reader who knows the last
 * one that it has seen gets what is new, and by a gap knows how many it has missed.  What is said may be of strangers: control
 * bytes are replaced.  No secrets.  Owned by one thread.
 */
#ifndef BASE_EVENTS_H
#define BASE_EVENTS_H

#include <jansson.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <time.h>

#define EVENTS_MAX 65536U
#define EVENT_NAME_BYTES 32U
#define EVENT_HOST_BYTES 64U
#define EVENT_ABOUT_BYTES 136U /* "lab/port", a host */
#define EVENT_TEXT_BYTES 320U

/* name, word */
#define EVENT_SEVERITIES(X)   \
	X(INFO, "info")       \
	X(WARNING, "warning") \
	X(ERROR, "error")

enum event_severity {
#define X(name, word) EVENT_##name,
	EVENT_SEVERITIES(X)
#undef X
		EVENT_SEVERITIES_COUNT
};

struct event {
	uint64_t seq;
	time_t at; /* Unix seconds */
	uint8_t severity;
	char host[EVENT_HOST_BYTES];   /* where; "": here */
	char name[EVENT_NAME_BYTES];   /* "port-down" */
	char about[EVENT_ABOUT_BYTES]; /* what it happened to; "": the whole */
	char text[EVENT_TEXT_BYTES];   /* words; "": the name says it all */
};

/* A row of a program's table */
struct event_row {
	const char *name, *words; /* what it says where no words are given */
	enum event_severity severity;
};

/* Write @row's name, severity and words into @out; @format, where it is not NULL, is said in place of the words */
void event_say(struct event *out, const struct event_row *row, const char *about, const char *format, va_list args)
	__attribute__((format(printf, 4, 0)));

struct events;

/* @capacity: 1 to EVENTS_MAX; @first: the first one's number.  Return: NULL without memory */
struct events *events_new(uint32_t capacity, uint64_t first);

/* NULL is fine */
void events_free(struct events *events);

/* @event is copied, and gets its number; the oldest makes room.  Return: as it is kept, until the next one is added */
const struct event *events_add(struct events *events, const struct event *event);

/* Return: the number that the next one gets */
uint64_t events_next_seq(const struct events *events);

/* Return: the first one with a number over @after that is still there, NULL behind the last; until one is added */
const struct event *events_after(const struct events *events, uint64_t after);

const char *event_severity_name(enum event_severity severity);

/* {"seq", "at", "severity", "event", "host"?, "about"?, "text"?}.  Return: new, NULL without memory */
json_t *event_json(const struct event *event);

/* All over @after, at most @max: the newest ones of them.  Return: a list, new */
json_t *events_json(const struct events *events, uint64_t after, uint32_t max);

/* What somebody else's event_json() made; strange texts are cut.  Return: false where it is none */
bool event_read(const json_t *in, struct event *out) __attribute__((warn_unused_result));

#endif /* BASE_EVENTS_H */
