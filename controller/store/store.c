/*
 * store.c - see store.h: transactions, lists of changes, and the way to the implementation and back
 */
#include "controller/store/store.h"

#include "base/secret.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

static void free_text(char *text)
{
	if (text)
		secret_wipe(text, strlen(text));
	free(text);
}

uint64_t store_rev(const struct store *store)
{
	return store->rev;
}

int store_load(struct store *store, store_change_cb *cb, void *ctx)
{
	assert(store->waiting == 0);
	return store->ops->load(store, cb, ctx);
}

void store_subscribe(struct store *store,
	void (*on_commit)(void *ctx, const struct store_changes *changes, uint64_t rev), void *ctx)
{
	store->on_commit = on_commit;
	store->on_commit_ctx = ctx;
}

static void hand_in(struct store *store, struct store_job *job)
{
	job->changes = (struct store_changes){ 0 };
	job->rev = 0;
	if (store->closing)
		job->err = -ECANCELED;
	store->waiting++;
	store->ops->hand_in(store, job);
}

void store_commit(struct store *store, struct store_txn *txn, store_txn_done *done, void *ctx)
{
	txn->job.kind = STORE_COMMIT;
	txn->job.err = txn->out_of_memory ? -ENOMEM : 0;
	txn->job.ctx = ctx;
	txn->done = done;
	hand_in(store, &txn->job);
}

void store_changes(struct store *store, struct store_history *history, const char *prefix, uint64_t since,
	store_history_done *done, void *ctx)
{
	history->job.kind = STORE_HISTORY;
	history->job.err = 0;
	history->job.ctx = ctx;
	history->done = done;
	history->prefix = prefix;
	history->since = since;
	hand_in(store, &history->job);
}

void store_wait(struct store *store)
{
	while (store->waiting > 0)
		store->ops->wait(store);
}

void store_close(struct store *store)
{
	if (!store)
		return;
	store->closing = true;
	store_wait(store);
	store->ops->close(store);
}

/* ---- lists of changes ------------------------------------------------------------------------------------- */

static int make_room(struct store_changes *changes)
{
	size_t room = changes->room ? 2 * changes->room : 16;
	struct store_change *list;

	if (changes->count < changes->room)
		return 0;
	list = reallocarray(changes->list, room, sizeof(*list));
	if (!list)
		return -ENOMEM;
	changes->list = list;
	changes->room = room;
	return 0;
}

int store_changes_add(struct store_changes *changes, const struct store_change *change)
{
	int err = make_room(changes);
	struct store_change *copy;

	if (err)
		return err;
	copy = &changes->list[changes->count];
	*copy = *change;
	copy->key = strdup(change->key);
	copy->value = strdup(change->value);
	if (!copy->key || !copy->value) {
		free((char *)copy->key);
		free((char *)copy->value);
		return -ENOMEM;
	}
	changes->count++;
	return 0;
}

static void changes_fini(struct store_changes *changes)
{
	for (size_t i = 0; i < changes->count; i++) {
		free_text((char *)changes->list[i].key);
		free_text((char *)changes->list[i].value);
	}
	free(changes->list);
}

/* The job's owner may free it in `done` */
void store_report(struct store *store, struct store_job *job)
{
	struct store_changes changes = job->changes;

	if (job->kind == STORE_HISTORY) {
		((struct store_history *)job)->done(job->ctx, job->err, &changes);
	} else {
		if (!job->err && changes.count > 0) {
			store->rev = job->rev;
			if (store->on_commit)
				store->on_commit(store->on_commit_ctx, &changes, job->rev);
		}
		((struct store_txn *)job)->done(job->ctx, job->err, job->rev);
	}
	store->waiting--;
	changes_fini(&changes);
}

/* ---- transactions ----------------------------------------------------------------------------------------- */

void store_txn_init(struct store_txn *txn)
{
	*txn = (struct store_txn){ 0 };
}

static void add(struct store_txn *txn, int kind, const char *key, const char *value, uint64_t rev)
{
	struct store_op op = { .kind = kind, .rev = rev };

	if (txn->out_of_memory)
		return;
	if (txn->count == txn->room) {
		size_t room = txn->room ? 2 * txn->room : 16;
		struct store_op *ops = reallocarray(txn->ops, room, sizeof(*ops));

		if (!ops)
			goto out;
		txn->ops = ops;
		txn->room = room;
	}
	op.key = strdup(key);
	op.value = value ? strdup(value) : NULL;
	if (!op.key || (value && !op.value))
		goto out;
	txn->ops[txn->count++] = op;
	return;
out:
	free_text(op.key);
	free_text(op.value);
	txn->out_of_memory = true;
}

void store_txn_put(struct store_txn *txn, const char *key, const char *value)
{
	add(txn, STORE_PUT, key, value, 0);
}

void store_txn_delete(struct store_txn *txn, const char *key)
{
	add(txn, STORE_DELETE, key, NULL, 0);
}

void store_txn_expect(struct store_txn *txn, const char *key, uint64_t rev)
{
	add(txn, STORE_EXPECT, key, NULL, rev);
}

void store_txn_fini(struct store_txn *txn)
{
	for (size_t i = 0; i < txn->count; i++) {
		free_text(txn->ops[i].key);
		free_text(txn->ops[i].value);
	}
	free(txn->ops);
	store_txn_init(txn);
}
