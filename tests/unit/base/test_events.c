/*
 * test_events.c - a ring of what happened: what is new, what is lost, what strangers say
 */
#include "base/events.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static void add(struct events *events, const char *name)
{
	struct event event = { .at = 1700000000, .severity = EVENT_WARNING };

	snprintf(event.name, sizeof(event.name), "%s", name);
	(void)events_add(events, &event);
}

static void what_is_new(void **state)
{
	struct events *events = events_new(4, 100);
	const struct event *event;

	(void)state;
	assert_null(events_after(events, 0));
	add(events, "a");
	add(events, "b");
	event = events_after(events, 0);
	assert_int_equal(event->seq, 100);
	assert_string_equal(event->name, "a");
	event = events_after(events, event->seq);
	assert_string_equal(event->name, "b");
	assert_null(events_after(events, event->seq));
	assert_null(events_after(events, UINT64_MAX));
	assert_int_equal(events_next_seq(events), 102);
	events_free(events);
}

/* Against a naive list: for every position, at every fill */
static void the_oldest_make_room(void **state)
{
	(void)state;
	for (uint32_t capacity = 1; capacity < 5; capacity++) {
		struct events *events = events_new(capacity, 1);

		for (uint64_t count = 0; count < 12; count++) {
			for (uint64_t after = 0; after < 14; after++) {
				const struct event *event = events_after(events, after);
				uint64_t oldest = count > capacity ? count - capacity + 1 : 1;
				uint64_t wanted = after + 1 > oldest ? after + 1 : oldest;

				if (wanted <= count)
					assert_int_equal(event->seq, wanted);
				else
					assert_null(event);
			}
			add(events, "x");
		}
		events_free(events);
	}
}

static void as_json_and_back(void **state)
{
	struct events *events = events_new(8, 1);
	struct event event = { .at = 5,
		.severity = EVENT_ERROR,
		.name = "port-down",
		.about = "lab/a",
		.text = "gone\033[2J\n" };
	struct event back;
	json_t *json;

	(void)state;
	(void)events_add(events, &event);
	json = event_json(events_after(events, 0));
	assert_string_equal(json_string_value(json_object_get(json, "severity")), "error");
	assert_true(event_read(json, &back));
	assert_memory_equal(&back, events_after(events, 0), sizeof(back));
	assert_string_equal(back.text, "gone [2J ");
	json_decref(json);
	for (int i = 0; i < 5; i++)
		add(events, "more");
	json = events_json(events, 0, 3);
	assert_int_equal(json_array_size(json), 3); /* the newest */
	assert_int_equal(json_integer_value(json_object_get(json_array_get(json, 0), "seq")), 4);
	json_decref(json);
	json = events_json(events, 5, 3);
	assert_int_equal(json_array_size(json), 1);
	json_decref(json);
	events_free(events);
}

static void what_is_no_event(void **state)
{
	static const char *const bad[] = { "[]", "{}", "7",
		"{\"seq\":0,\"at\":1,\"severity\":\"info\",\"event\":\"x\"}",
		"{\"seq\":1,\"at\":\"1\",\"severity\":\"info\",\"event\":\"x\"}",
		"{\"seq\":1,\"at\":1,\"event\":\"x\"}", "{\"seq\":1,\"at\":1,\"severity\":\"info\",\"event\":\"\"}",
		"{\"seq\":1,\"at\":1,\"severity\":\"info\"}",
		"{\"seq\":1,\"at\":-1,\"severity\":\"info\",\"event\":\"x\"}",
		"{\"seq\":1,\"at\":9223372036854775807,\"severity\":\"info\",\"event\":\"x\"}" };
	char text[2000], longest[1000];
	struct event event;
	json_t *json;

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		json = json_loads(bad[i], JSON_DECODE_ANY, NULL);
		assert_false(event_read(json, &event));
		json_decref(json);
	}
	memset(longest, 'y', sizeof(longest) - 1);
	longest[sizeof(longest) - 1] = '\0';
	snprintf(text, sizeof(text), "{\"seq\":1,\"at\":1,\"severity\":\"new\",\"event\":\"x\",\"text\":\"%s\"}",
		longest);
	json = json_loads(text, 0, NULL);
	assert_true(event_read(json, &event));
	assert_int_equal(strlen(event.text), EVENT_TEXT_BYTES - 1);
	assert_int_equal(event.severity, EVENT_INFO);
	json_decref(json);
}

/* Whatever it is cut in the middle of, what is left is text */
static void cut_texts_stay_text(void **state)
{
	static const char *const letters[] = { "x", "\u00e9", "\u20ac", "\U0001f600" };
	char name[200], text[801];
	struct event event;
	json_t *json, *out;

	(void)state;
	for (size_t i = 0; i < sizeof(letters) / sizeof(letters[0]); i++) {
		for (size_t before = 0; before < 5; before++) {
			struct events *events = events_new(1, 1);

			snprintf(name, sizeof(name), "%.*s", (int)before, "abcde");
			while (strlen(name) < 100)
				strcat(name, letters[i]);
			snprintf(text, sizeof(text), "%s%s%s%s", name, name, name, name);
			json = json_pack("{s:i, s:i, s:s, s:s, s:s, s:s}", "seq", 1, "at", 1, "severity", "info",
				"event", name, "about", name, "text", text);
			assert_true(event_read(json, &event));
			assert_true(strlen(event.name) > EVENT_NAME_BYTES - 5);
			out = event_json(events_add(events, &event));
			assert_non_null(json_object_get(out, "event"));
			assert_non_null(json_object_get(out, "about"));
			assert_non_null(json_object_get(out, "text"));
			json_decref(out);
			json_decref(json);
			events_free(events);
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_new),
		cmocka_unit_test(the_oldest_make_room),
		cmocka_unit_test(as_json_and_back),
		cmocka_unit_test(what_is_no_event),
		cmocka_unit_test(cut_texts_stay_text),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
