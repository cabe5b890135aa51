/*
 * store.h - what the controller remembers: revisioned keys and values, changed in transactions
 *
 * The controller's model (model.h) is the one user, and keeps all of it in memory; the store makes it survive.
 * The interface is what both SQLite (store_sqlite.h) and etcd can do: put, delete, list by prefix, changes since a
 * revision, and transactions that hold only if the keys they looked at have not changed since.  It knows nothing of
 * hosts and labs.
 *
 * Theory of operation.  The store has one revision, 0 when empty.  A commit that changes anything takes the next
 * one, and all its puts and deletes carry it.  After each commit the subscriber hears of every change, in the commit's
 * order; with a store that is shared it would hear of others' commits the same way.  The last STORE_KEPT_REVISIONS
 * revisions are kept for store_changes().
 *
 * Everything here belongs to the thread that opened the store.  Keys and values are text (values: JSON).
 */
#ifndef CONTROLLER_STORE_STORE_H
#define CONTROLLER_STORE_STORE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define STORE_KEPT_REVISIONS 10000U

/* Any key: for store_txn_expect() */
#define STORE_ABSENT 0U

struct store_change {
	const char *key;
	const char *value; /* of a deleted key: as it was */
	uint64_t rev;
	bool deleted;
};

/* Return: 0 to go on, anything else to stop, which the caller gets */
typedef int store_change_cb(void *ctx, const struct store_change *change);

/* One operation of a transaction */
struct store_op {
	enum { STORE_PUT, STORE_DELETE, STORE_EXPECT } kind;
	char *key;
	char *value;  /* put */
	uint64_t rev; /* expect */
};

struct store_txn {
	struct store_op *ops;
	size_t count;
	size_t room;
	bool out_of_memory; /* the commit says so */
};

struct store;

/* What an implementation provides; each as the function store_...() of that name says */
struct store_ops {
	uint64_t (*rev)(struct store *store);
	int (*get)(struct store *store, const char *key, char **value, uint64_t *rev);
	int (*list)(struct store *store, const char *prefix, store_change_cb *cb, void *ctx);
	int (*changes)(struct store *store, const char *prefix, uint64_t since, store_change_cb *cb, void *ctx);
	int (*commit)(struct store *store, const struct store_txn *txn, uint64_t *rev);
	void (*close)(struct store *store);
};

/* Embedded first in an implementation's own */
struct store {
	const struct store_ops *ops;
	void (*on_change)(void *ctx, const struct store_change *change);
	void *on_change_ctx;
};

/* Return: the revision of the last change */
uint64_t store_rev(struct store *store);

/**
 * store_get() - one key
 * @value:	allocated; the caller frees (and wipes, where it is a secret)
 * @rev:	at which it was last put; may be NULL
 *
 * Return: 0, -ENOENT, or -EIO or -ENOMEM
 */
int store_get(struct store *store, const char *key, char **value, uint64_t *rev) __attribute__((warn_unused_result));

/**
 * store_list() - all keys that begin with @prefix, in their order
 *
 * Return: 0, what @cb stopped with, or -EIO or -ENOMEM
 */
int store_list(struct store *store, const char *prefix, store_change_cb *cb, void *ctx)
	__attribute__((warn_unused_result));

/**
 * store_changes() - what happened to keys that begin with @prefix after revision @since, oldest first
 *
 * Return: 0, what @cb stopped with, -ESTALE where @since is not kept any more or lies ahead, or -EIO or -ENOMEM
 */
int store_changes(struct store *store, const char *prefix, uint64_t since, store_change_cb *cb, void *ctx)
	__attribute__((warn_unused_result));

/* Hear of every change, after its commit is durable.  One subscriber; it may read the store, not commit. */
void store_subscribe(struct store *store, void (*on_change)(void *ctx, const struct store_change *change), void *ctx);

void store_txn_init(struct store_txn *txn);
void store_txn_put(struct store_txn *txn, const char *key, const char *value);
void store_txn_delete(struct store_txn *txn, const char *key);

/* The commit fails unless @key was last put at @rev; STORE_ABSENT: unless there is no such key */
void store_txn_expect(struct store_txn *txn, const char *key, uint64_t rev);

/* Wipes what it held */
void store_txn_fini(struct store_txn *txn);

/**
 * store_commit() - all of it, durably, or nothing
 * @txn:	borrowed; one key may be put or deleted once.  Deleting what is not there changes nothing.
 * @rev:	the revision of these changes; the store's current one where nothing changed
 *
 * Return: 0; -EAGAIN where an expectation did not hold; -EIO or -ENOMEM
 */
int store_commit(struct store *store, const struct store_txn *txn, uint64_t *rev) __attribute__((warn_unused_result));

/* NULL is fine */
void store_close(struct store *store);

#endif /* CONTROLLER_STORE_STORE_H */
