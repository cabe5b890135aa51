/*
 * events.c - see events.h
 */
#include "base/events.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define AT_MAX 253402300799 /* the end of the year 9999: calendars have no later one */

struct events {
	uint64_t first, next; /* numbers: of the first one ever, and of the one to come */
	uint32_t capacity;
	struct event ring[]; /* by number modulo capacity */
};

static const char *const severities[EVENT_SEVERITIES_COUNT] = {
#define X(name, word) [EVENT_##name] = (word),
	EVENT_SEVERITIES(X)
#undef X
};

void event_say(struct event *out, const struct event_row *row, const char *about, const char *format, va_list args)
{
	out->severity = (uint8_t)row->severity;
	snprintf(out->name, sizeof(out->name), "%s", row->name);
	snprintf(out->about, sizeof(out->about), "%s", about);
	if (format)
		vsnprintf(out->text, sizeof(out->text), format, args);
	else
		snprintf(out->text, sizeof(out->text), "%s", row->words);
}

struct events *events_new(uint32_t capacity, uint64_t first)
{
	struct events *events;

	assert(capacity >= 1 && capacity <= EVENTS_MAX && first > 0);
	events = calloc(1, sizeof(*events) + capacity * sizeof(events->ring[0]));
	if (!events)
		return NULL;
	events->capacity = capacity;
	events->first = events->next = first;
	return events;
}

void events_free(struct events *events)
{
	free(events);
}

/* A cut may have gone through the middle of a UTF-8 character, and JSON takes no half ones */
static void mend_end(char *text)
{
	const size_t len = strlen(text);
	size_t tail = 0, wanted;
	unsigned char lead;

	while (tail < len && tail < 3 && (text[len - 1 - tail] & 0xc0) == 0x80)
		tail++;
	if (tail == len)
		return;
	lead = (unsigned char)text[len - 1 - tail];
	wanted = lead >= 0xf0 ? 3 : lead >= 0xe0 ? 2 : lead >= 0xc0 ? 1 : 0;
	if (tail < wanted)
		text[len - 1 - tail] = '\0';
}

static void clean(char *text)
{
	mend_end(text);
	for (; *text; text++)
		if ((unsigned char)*text < ' ' || *text == 0x7f)
			*text = ' ';
}

const struct event *events_add(struct events *events, const struct event *event)
{
	struct event *kept = &events->ring[events->next % events->capacity];

	*kept = *event;
	kept->seq = events->next++;
	clean(kept->name);
	clean(kept->host);
	clean(kept->about);
	clean(kept->text);
	return kept;
}

uint64_t events_next_seq(const struct events *events)
{
	return events->next;
}

const struct event *events_after(const struct events *events, uint64_t after)
{
	uint64_t oldest =
		events->next - events->first > events->capacity ? events->next - events->capacity : events->first;
	uint64_t seq = after + 1 > oldest ? after + 1 : oldest;

	return after != UINT64_MAX && seq < events->next ? &events->ring[seq % events->capacity] : NULL;
}

const char *event_severity_name(enum event_severity severity)
{
	return severity < EVENT_SEVERITIES_COUNT ? severities[severity] : "?";
}

json_t *event_json(const struct event *event)
{
	json_t *out = json_pack("{s:I, s:I, s:s, s:s}", "seq", (json_int_t)event->seq, "at", (json_int_t)event->at,
		"severity", event_severity_name(event->severity), "event", event->name);

	if (event->host[0])
		json_object_set_new(out, "host", json_string(event->host));
	if (event->about[0])
		json_object_set_new(out, "about", json_string(event->about));
	if (event->text[0])
		json_object_set_new(out, "text", json_string(event->text));
	return out;
}

json_t *events_json(const struct events *events, uint64_t after, uint32_t max)
{
	json_t *out = json_array();
	const struct event *event;

	if (events->next - events->first > max && after < events->next - 1 - max)
		after = events->next - 1 - max;
	while ((event = events_after(events, after))) {
		json_array_append_new(out, event_json(event));
		after = event->seq;
	}
	return out;
}

static bool read_text(const json_t *in, const char *key, char *out, size_t cap_bytes)
{
	const char *text = json_string_value(json_object_get(in, key));

	snprintf(out, cap_bytes, "%s", text ? text : "");
	clean(out);
	return text != NULL;
}

bool event_read(const json_t *in, struct event *out)
{
	const json_t *seq = json_object_get(in, "seq"), *at = json_object_get(in, "at");
	const char *severity = json_string_value(json_object_get(in, "severity"));
	uint8_t i = 0;

	memset(out, 0, sizeof(*out));
	if (!json_is_integer(seq) || json_integer_value(seq) <= 0 || !json_is_integer(at) ||
		json_integer_value(at) < 0 || json_integer_value(at) > AT_MAX || !severity ||
		!read_text(in, "event", out->name, sizeof(out->name)) || !out->name[0])
		return false;
	while (i < EVENT_SEVERITIES_COUNT && strcmp(severities[i], severity) != 0)
		i++;
	out->severity = i < EVENT_SEVERITIES_COUNT ? i : EVENT_INFO;
	out->seq = (uint64_t)json_integer_value(seq);
	out->at = (time_t)json_integer_value(at);
	(void)read_text(in, "host", out->host, sizeof(out->host));
	(void)read_text(in, "about", out->about, sizeof(out->about));
	(void)read_text(in, "text", out->text, sizeof(out->text));
	return true;
}
