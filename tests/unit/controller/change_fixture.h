/*
 * change_fixture.h - changes of the model that are waited for, for the controller's tests
 */
#ifndef TESTS_CHANGE_FIXTURE_H
#define TESTS_CHANGE_FIXTURE_H

#include "controller/lab_put.h"
#include "controller/model.h"

#include <jansson.h>
#include <stdint.h>

/* One change that is prepared by a function, and waited for */
struct change_fixture {
	struct model_change change; /* first */
	json_t *(*prepare)(void *ctx, struct store_txn *txn, struct fault *fault);
	void *ctx;
	json_t *out;
	struct fault fault;
	uint64_t rev;
};

static inline bool change_fixture_prepare(struct model_change *change, struct store_txn *txn, struct fault *fault)
{
	struct change_fixture *c = (struct change_fixture *)change;

	c->out = c->prepare(c->ctx, txn, fault);
	return c->out != NULL;
}

static inline void change_fixture_done(struct model_change *change, uint64_t rev, const struct fault *fault)
{
	struct change_fixture *c = (struct change_fixture *)change;

	c->rev = rev;
	if (fault)
		c->fault = *fault;
}

/* Return: the answer with its `rev`, as the API gives it, or NULL with @fault set */
static inline json_t *change_fixture(struct model *model,
	json_t *(*prepare)(void *ctx, struct store_txn *txn, struct fault *fault), void *ctx, struct fault *fault)
{
	struct change_fixture c = { .change = { .prepare = change_fixture_prepare, .done = change_fixture_done },
		.prepare = prepare,
		.ctx = ctx };

	model_change(model, &c.change);
	store_wait(model_store(model));
	*fault = c.fault;
	if (c.fault.status) {
		json_decref(c.out);
		return NULL;
	}
	if (!json_object_get(c.out, "rev"))
		json_object_set_new(c.out, "rev", json_integer((json_int_t)c.rev));
	return c.out;
}

struct lab_fixture {
	struct model *model;
	const char *name;
	const json_t *in; /* NULL: delete it */
};

static inline json_t *lab_fixture_prepare(void *ctx, struct store_txn *txn, struct fault *fault)
{
	const struct lab_fixture *lab = ctx;

	return lab->in ? lab_put(lab->model, lab->name, lab->in, txn, fault)
		       : lab_delete(lab->model, lab->name, txn, fault);
}

/* PUT or, with @in NULL, DELETE /v1/labs/NAME, and its answer */
static inline json_t *lab_fixture(struct model *model, const char *name, const json_t *in, struct fault *fault)
{
	struct lab_fixture lab = { model, name, in };

	return change_fixture(model, lab_fixture_prepare, &lab, fault);
}

#endif /* TESTS_CHANGE_FIXTURE_H */
