/*
 * store.c - see store.h: transactions, and the way to the implementation
 */
#include "controller/store/store.h"

#include "base/secret.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

uint64_t store_rev(struct store *store)
{
	return store->ops->rev(store);
}

int store_get(struct store *store, const char *key, char **value, uint64_t *rev)
{
	return store->ops->get(store, key, value, rev);
}

int store_list(struct store *store, const char *prefix, store_change_cb *cb, void *ctx)
{
	return store->ops->list(store, prefix, cb, ctx);
}

int store_changes(struct store *store, const char *prefix, uint64_t since, store_change_cb *cb, void *ctx)
{
	return store->ops->changes(store, prefix, since, cb, ctx);
}

void store_subscribe(struct store *store, void (*on_change)(void *ctx, const struct store_change *change), void *ctx)
{
	store->on_change = on_change;
	store->on_change_ctx = ctx;
}

int store_commit(struct store *store, const struct store_txn *txn, uint64_t *rev)
{
	return txn->out_of_memory ? -ENOMEM : store->ops->commit(store, txn, rev);
}

void store_close(struct store *store)
{
	if (store)
		store->ops->close(store);
}

void store_txn_init(struct store_txn *txn)
{
	*txn = (struct store_txn){ 0 };
}

static void free_text(char *text)
{
	if (text)
		secret_wipe(text, strlen(text));
	free(text);
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
