/*
 * store_memory.c - see store_memory.h
 *
 * Keys are one list, sorted; the history is a list that only grows at its end and is cut at its beginning.
 */
#include "controller/store/store_memory.h"

#include "base/secret.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

struct memory_store {
	struct store store;
	struct store_changes now;  /* sorted by key; `rev`: of the last put */
	struct store_changes past; /* sorted by rev */
	uint64_t rev;
	struct store_jobs todo;
	void (*wake)(void *ctx);
	void *ctx;
};

static struct memory_store *ours(struct store *store)
{
	return (struct memory_store *)store;
}

static void forget(struct store_changes *list, size_t at, size_t count)
{
	if (count == 0)
		return;
	for (size_t i = at; i < at + count; i++) {
		secret_wipe((char *)list->list[i].value, strlen(list->list[i].value));
		free((char *)list->list[i].key);
		free((char *)list->list[i].value);
	}
	memmove(&list->list[at], &list->list[at + count], (list->count - at - count) * sizeof(list->list[0]));
	list->count -= count;
}

/* Return: is @key there?  *@at: where it is, or where it belongs */
static bool find(const struct store_changes *now, const char *key, size_t *at)
{
	size_t low = 0, high = now->count;

	while (low < high) {
		size_t middle = (low + high) / 2;
		int order = strcmp(now->list[middle].key, key);

		if (order == 0) {
			*at = middle;
			return true;
		}
		if (order < 0)
			low = middle + 1;
		else
			high = middle;
	}
	*at = low;
	return false;
}

static bool expectations_hold(const struct memory_store *m, const struct store_txn *txn)
{
	for (size_t i = 0; i < txn->count; i++) {
		const struct store_op *op = &txn->ops[i];
		size_t at;

		if (op->kind == STORE_EXPECT &&
			(find(&m->now, op->key, &at) ? m->now.list[at].rev : STORE_ABSENT) != op->rev)
			return false;
	}
	return true;
}

/* Put a copy of @change where it belongs */
static int insert(struct store_changes *now, const struct store_change *change)
{
	struct store_change added;
	size_t at;
	int err;

	if (find(now, change->key, &at))
		forget(now, at, 1);
	err = store_changes_add(now, change);
	if (err)
		return err;
	added = now->list[now->count - 1];
	memmove(&now->list[at + 1], &now->list[at], (now->count - 1 - at) * sizeof(added));
	now->list[at] = added;
	return 0;
}

static int write_one(struct memory_store *m, const struct store_op *op, struct store_changes *changes)
{
	struct store_change change = { .key = op->key, .value = op->value, .rev = m->rev + 1 };
	size_t at;
	int err;

	if (op->kind == STORE_PUT) {
		err = insert(&m->now, &change);
		return err ? err : store_changes_add(changes, &change);
	}
	if (op->kind == STORE_EXPECT || !find(&m->now, op->key, &at))
		return 0;
	change.value = m->now.list[at].value;
	change.deleted = true;
	err = store_changes_add(changes, &change);
	if (!err)
		forget(&m->now, at, 1);
	return err;
}

/* Memory that is short here ends the process: half a commit is worse, and nobody's work is in this store */
static void must(int err)
{
	if (err)
		abort();
}

static int commit(struct memory_store *m, struct store_txn *txn)
{
	struct store_changes *changes = &txn->job.changes;
	size_t old = 0;

	if (!expectations_hold(m, txn))
		return -EAGAIN;
	for (size_t i = 0; i < txn->count; i++)
		must(write_one(m, &txn->ops[i], changes));
	for (size_t i = 0; i < changes->count; i++)
		must(store_changes_add(&m->past, &changes->list[i]));
	m->rev += changes->count > 0;
	txn->job.rev = m->rev;
	while (old < m->past.count && m->past.list[old].rev + STORE_KEPT_REVISIONS <= m->rev)
		old++;
	forget(&m->past, 0, old);
	return 0;
}

static int read_history(struct memory_store *m, struct store_history *history)
{
	int err = 0;

	if (history->since > m->rev || history->since + STORE_KEPT_REVISIONS < m->rev)
		return -ESTALE;
	for (size_t i = 0; i < m->past.count && !err; i++) {
		const struct store_change *change = &m->past.list[i];

		if (change->rev > history->since && strncmp(change->key, history->prefix, strlen(history->prefix)) == 0)
			err = store_changes_add(&history->job.changes, change);
	}
	return err;
}

static int memory_load(struct store *store, store_change_cb *cb, void *ctx)
{
	struct memory_store *m = ours(store);
	int err = 0;

	for (size_t i = 0; i < m->now.count && !err; i++)
		err = cb(ctx, &m->now.list[i]);
	return err;
}

static void memory_hand_in(struct store *store, struct store_job *job)
{
	struct memory_store *m = ours(store);

	STAILQ_INSERT_TAIL(&m->todo, job, link);
	if (m->wake)
		m->wake(m->ctx);
}

bool store_memory_step(struct store *store)
{
	struct memory_store *m = ours(store);
	struct store_job *job = STAILQ_FIRST(&m->todo);

	if (!job)
		return false;
	STAILQ_REMOVE_HEAD(&m->todo, link);
	if (!job->err && job->kind == STORE_COMMIT)
		job->err = commit(m, (struct store_txn *)job);
	else if (!job->err)
		job->err = read_history(m, (struct store_history *)job);
	store_report(store, job);
	return true;
}

void store_memory_crash(struct store *store)
{
	struct store_job *job;

	STAILQ_FOREACH(job, &ours(store)->todo, link)
		job->err = -ECANCELED;
	store->closing = true;
	store_wait(store);
	store->closing = false;
}

static void memory_wait(struct store *store)
{
	(void)store_memory_step(store);
}

static void memory_close(struct store *store)
{
	struct memory_store *m = ours(store);

	forget(&m->now, 0, m->now.count);
	forget(&m->past, 0, m->past.count);
	free(m->now.list);
	free(m->past.list);
	free(m);
}

static const struct store_ops memory_ops = {
	.load = memory_load,
	.hand_in = memory_hand_in,
	.wait = memory_wait,
	.close = memory_close,
};

struct store *store_memory_new(void (*wake)(void *ctx), void *ctx)
{
	struct memory_store *m = calloc(1, sizeof(*m));

	if (!m)
		return NULL;
	m->store.ops = &memory_ops;
	m->wake = wake;
	m->ctx = ctx;
	STAILQ_INIT(&m->todo);
	return &m->store;
}
