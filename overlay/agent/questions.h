/*
 * questions.h - what this host can be asked, by `weft` on its local socket and by the controller for an operator elsewhere
 *
 * One table row a question; both ways ask the same ones.  An answer is a JSON object; {"error": {"message", "hint"}} where there is
 * none.
 *
 * Theory of operation.  asked -> answered, once, within questions_ask() or later; or forgotten by its asker, who is told nothing then.
 * At most QUESTIONS_WAITING_MAX wait, more are refused.  A question that answers later sees to it that it does, in less than the
 * controller's patience (10 s); what it waits with is freed before the questions are, and no reply is touched after that.
 * The control thread only.
 */
#ifndef OVERLAY_AGENT_QUESTIONS_H
#define OVERLAY_AGENT_QUESTIONS_H

#include "overlay/agent/core.h"
#include "overlay/agent/status.h"

#include <jansson.h>
#include <stdbool.h>

#define QUESTIONS_WAITING_MAX 64U
#define QUESTION_ID_BYTES 65U

/* name, what answers it */
#define QUESTIONS(X)                      \
	X("status", status_question)      \
	X("peers", status_question_peers) \
	X("events", events_question)      \
	X("ping", ping_question)          \
	X("doctor", doctor_question)

/* What questions are answered from; borrowed */
struct questions_source {
	struct core *core;
	void *ctx;
	/* What the composition knows; core->now is the present after it */
	void (*facts)(void *ctx, struct status_facts *out);
};

struct questions;
struct reply;

/* Who asks: told once, and @answer is borrowed */
struct asker {
	void *ctx;
	void (*answered)(void *ctx, const char *id, const json_t *answer);
	const char *id; /* handed back, at most QUESTION_ID_BYTES with its end; "" for none */
};

/* Each takes @reply, and answers it now or later.  @args: borrowed until it returns; an object */
#define X(name, function) void function(const struct questions_source *source, const json_t *args, struct reply *reply);
QUESTIONS(X)
#undef X

/* @source: copied.  Return: NULL without memory */
struct questions *questions_new(const struct questions_source *source);

/* Those that wait are forgotten.  NULL is fine */
void questions_free(struct questions *questions);

/* Ask @name; @args may be NULL.  Return: what waits, for reply_forget(); NULL where it is answered already */
struct reply *questions_ask(struct questions *questions, const char *name, const json_t *args,
	const struct asker *asker);

/* The asker is gone */
void reply_forget(struct reply *reply);

/* Answer; @answer is consumed, NULL is for want of memory, and @reply is gone after it */
void reply_send(struct reply *reply, json_t *answer);

/* Answer that it cannot be answered, and why */
void reply_fail(struct reply *reply, const char *format, ...) __attribute__((format(printf, 2, 3)));

#endif /* OVERLAY_AGENT_QUESTIONS_H */
