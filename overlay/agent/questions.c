/*
 * questions.c - see questions.h
 */
#include "overlay/agent/questions.h"

#include "base/error.h"
#include "base/suggest.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>

struct reply {
	LIST_ENTRY(reply) link;
	struct questions *questions;
	struct asker asker; /* `answered` is NULL once it was told or is gone */
	char id[QUESTION_ID_BYTES];
	bool entered; /* within questions_ask() */
};

struct questions {
	struct questions_source source;
	LIST_HEAD(reply_list, reply) waiting;
	unsigned int count;
};

static const struct {
	const char *name;
	void (*ask)(const struct questions_source *source, const json_t *args, struct reply *reply);
} table[] = {
#define X(name, function) { name, function },
	QUESTIONS(X)
#undef X
};
#define TABLE (sizeof(table) / sizeof(table[0]))

struct questions *questions_new(const struct questions_source *source)
{
	struct questions *questions = calloc(1, sizeof(*questions));

	if (!questions)
		return NULL;
	questions->source = *source;
	LIST_INIT(&questions->waiting);
	return questions;
}

static void let_go(struct reply *reply)
{
	LIST_REMOVE(reply, link);
	reply->questions->count--;
	free(reply);
}

void questions_free(struct questions *questions)
{
	struct reply *reply;

	if (!questions)
		return;
	while ((reply = LIST_FIRST(&questions->waiting)))
		let_go(reply);
	free(questions);
}

/* ---- answers ----------------------------------------------------------------------------------------------- */

static json_t *failure(const char *message)
{
	return json_pack("{s:{s:s}}", "error", "message", message);
}

static void tell(const struct asker *asker, const char *id, json_t *answer)
{
	json_t *told = answer ? answer : failure("out of memory");

	if (asker->answered)
		asker->answered(asker->ctx, id, told);
	json_decref(told);
}

void reply_forget(struct reply *reply)
{
	reply->asker.answered = NULL;
}

void reply_send(struct reply *reply, json_t *answer)
{
	const struct asker asker = reply->asker;
	char id[QUESTION_ID_BYTES];

	memcpy(id, reply->id, sizeof(id));
	if (reply->entered)
		reply->questions = NULL; /* questions_ask() lets go of it */
	else
		let_go(reply);
	tell(&asker, id, answer);
}

void reply_fail(struct reply *reply, const char *format, ...)
{
	struct error error;
	va_list args;

	va_start(args, format);
	vsnprintf(error.text, sizeof(error.text), format, args);
	va_end(args);
	reply_send(reply, failure(error.text));
}

/* ---- questions --------------------------------------------------------------------------------------------- */

/* Refused before there is a reply */
static struct reply *refuse(const struct asker *asker, const char *message)
{
	tell(asker, asker->id, failure(message));
	return NULL;
}

static struct reply *refuse_unknown(const struct asker *asker, const char *name)
{
	const char *words[TABLE];
	const char *meant;
	struct error error;

	for (size_t i = 0; i < TABLE; i++)
		words[i] = table[i].name;
	meant = suggest(name, words, TABLE);
	error_set(&error, "weftd here knows no question \"%.63s\"%s%s%s", name, meant ? "; did you mean " : "",
		meant ? meant : "", meant ? "?" : "");
	return refuse(asker, error.text);
}

static struct reply *reply_new(struct questions *questions, const struct asker *asker)
{
	struct reply *reply = calloc(1, sizeof(*reply));

	if (!reply)
		return NULL;
	reply->questions = questions;
	reply->asker = *asker;
	snprintf(reply->id, sizeof(reply->id), "%s", asker->id);
	reply->asker.id = reply->id;
	return reply;
}

struct reply *questions_ask(struct questions *questions, const char *name, const json_t *args,
	const struct asker *asker)
{
	struct reply *reply;
	size_t row = 0;
	json_t *none;

	while (row < TABLE && strcmp(table[row].name, name) != 0)
		row++;
	if (row == TABLE)
		return refuse_unknown(asker, name);
	if (questions->count >= QUESTIONS_WAITING_MAX)
		return refuse(asker, "too many questions wait for answers already; try again in some seconds");
	none = args ? NULL : json_object();
	reply = args || none ? reply_new(questions, asker) : NULL;
	if (!reply) {
		json_decref(none);
		return refuse(asker, "out of memory");
	}
	LIST_INSERT_HEAD(&questions->waiting, reply, link);
	questions->count++;
	reply->entered = true;
	table[row].ask(&questions->source, args ? args : none, reply);
	json_decref(none);
	reply->entered = false;
	if (reply->questions)
		return reply;
	reply->questions = questions;
	let_go(reply);
	return NULL;
}
