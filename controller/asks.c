/*
 * asks.c - see asks.h
 */
#include "controller/asks.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void asks_init(struct asks *asks, const struct api_machine *machine)
{
	TAILQ_INIT(&asks->list);
	asks->count = 0;
	asks->machine = machine;
}

static struct instant now(const struct asks *asks)
{
	return asks->machine->now(asks->machine->ctx);
}

/* Have asks_turn() called when the first is due */
static void wake_for_first(const struct asks *asks)
{
	const struct ask *first = TAILQ_FIRST(&asks->list);

	if (first && asks->machine->later)
		asks->machine->later(asks->machine->ctx, first->due);
}

static void end(struct asks *asks, struct ask *ask, const json_t *answer, const struct fault *fault)
{
	TAILQ_REMOVE(&asks->list, ask, link);
	asks->count--;
	ask->answered(ask, answer, fault);
}

static bool has_room(const struct asks *asks, const char *host, struct fault *fault)
{
	const struct ask *ask;
	unsigned int of_host = 0;

	TAILQ_FOREACH(ask, &asks->list, link)
		of_host += strcmp(ask->host, host) == 0;
	if (of_host < ASKS_OF_HOST && asks->count < ASKS_MAX)
		return true;
	fault_hint(fault, "try again in some seconds");
	if (of_host < ASKS_OF_HOST)
		return fault_set(fault, 503, "", "%u questions wait for their answers already", asks->count);
	return fault_set(fault, 503, "", "%u questions wait for host %s already", of_host, host);
}

static void draw_id(const struct asks *asks, char out[ASK_ID_BYTES])
{
	uint8_t bytes[(ASK_ID_BYTES - 1) / 2];

	asks->machine->random(asks->machine->ctx, bytes, sizeof(bytes));
	for (size_t i = 0; i < sizeof(bytes); i++)
		snprintf(&out[2 * i], 3, "%02x", bytes[i]);
}

static bool check(const json_t *in, struct fault *fault)
{
	const json_t *args = json_object_get(in, "args");
	const char *question = json_string_value(json_object_get(in, "question"));
	bool fits = true;
	char *text;

	if (!question || strlen(question) > LAB_NAME_MAX)
		return fault_set(fault, 400, "question", "must be the name of a question");
	if (args && !json_is_object(args))
		return fault_set(fault, 400, "args", "must be an object");
	text = args ? json_dumps(args, JSON_COMPACT) : NULL;
	fits = !text || strlen(text) <= ASK_ARGS_BYTES;
	free(text);
	return fits || fault_set(fault, 400, "args", "may have %u bytes at most", ASK_ARGS_BYTES);
}

json_t *asks_add(struct asks *asks, struct ask *ask, const char *host, const json_t *in, struct fault *fault)
{
	json_t *args, *line;

	if (!check(in, fault) || !has_room(asks, host, fault))
		return NULL;
	snprintf(ask->host, sizeof(ask->host), "%s", host);
	draw_id(asks, ask->id);
	args = json_object_get(in, "args");
	line = json_pack("{s:s, s:O, s:o}", "ask", ask->id, "question", json_object_get(in, "question"), "args",
		args ? json_incref(args) : json_object());
	if (!line) {
		fault_set(fault, 503, "", "out of memory");
		return NULL;
	}
	ask->due = instant_add_ms(now(asks), ASKS_PATIENCE_MS);
	TAILQ_INSERT_TAIL(&asks->list, ask, link);
	asks->count++;
	wake_for_first(asks);
	return line;
}

bool asks_answer(struct asks *asks, const char *host, const char *id, const json_t *answer, struct fault *fault)
{
	struct ask *ask;

	if (!json_is_object(answer))
		return fault_set(fault, 400, "", "must be an object");
	TAILQ_FOREACH(ask, &asks->list, link) {
		if (strcmp(ask->id, id) != 0 || strcmp(ask->host, host) != 0)
			continue;
		end(asks, ask, answer, NULL);
		return true;
	}
	return fault_set(fault, 404, "", "nobody waits for this answer, or not any more");
}

void asks_gone(struct asks *asks, const char *host)
{
	struct ask *ask, *next;

	for (ask = TAILQ_FIRST(&asks->list); ask; ask = next) {
		struct fault fault = { 0 };

		next = TAILQ_NEXT(ask, link);
		if (host && strcmp(ask->host, host) != 0)
			continue;
		if (host)
			fault_set(&fault, 503, "", "host %s went offline before it answered", host);
		else
			fault_set(&fault, 503, "", "the controller is stopping");
		end(asks, ask, NULL, &fault);
	}
}

void asks_turn(struct asks *asks)
{
	struct instant at = now(asks);
	struct ask *ask;

	while ((ask = TAILQ_FIRST(&asks->list)) && instant_reached(at, ask->due)) {
		struct fault fault = { 0 };

		fault_set(&fault, 504, "", "host %s did not answer within %u s", ask->host, ASKS_PATIENCE_MS / 1000);
		fault_hint(&fault,
			"it is connected, but may be overloaded, or its weftd of a version before questions");
		end(asks, ask, NULL, &fault);
	}
	wake_for_first(asks);
}
