/*
 * store.h - what the controller remembers: revisioned keys and values, changed in transactions
 *
 * The controller's model (model.h) is the one user, and keeps all of it in memory; the store makes it survive.
 * The interface is what both SQLite (store_sqlite.h) and etcd can do: put, delete, load, changes since a revision, and
 * transactions that hold only if the keys they looked at have not changed since.  It knows nothing of hosts and labs.
 *
 * Theory of operation.  The store has one revision, 0 when empty.  A commit that changes anything takes the next one, and all
 * its puts and deletes carry it.  The last STORE_KEPT_REVISIONS revisions are kept for store_changes().
 *	What needs the disk is a job: handed in, carried out elsewhere, and reported later by its `done`, on the thread that
 * handed it in.  Jobs are carried out and reported one by one in the order in which they were handed in, so that a commit sees
 * all those before it, and store_changes() just these.  `done` is called exactly once and never from inside the call that
 * handed the job in.  Right before the `done` of a commit that changed anything the subscriber hears of all its changes; with a
 * store that is shared it would hear of others' commits the same way.  A job lives in its owner's memory (struct store_txn,
 * struct store_history), so that handing it in cannot fail.
 *
 * Everything here belongs to the thread that opened the store.  Keys and values are text (values: JSON).
 */
#ifndef CONTROLLER_STORE_STORE_H
#define CONTROLLER_STORE_STORE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/queue.h>

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

/* A list of changes; keys and values are its own */
struct store_changes {
	struct store_change *list;
	size_t count;
	size_t room;
};

/* @rev: of these changes; the store's as of then where nothing changed.  @err: 0, or nothing was changed and it is one of
 * -EAGAIN (an expectation did not hold), -EIO, -ENOMEM, -ECANCELED (the store is closing) */
typedef void store_txn_done(void *ctx, int err, uint64_t rev);

/* @changes: oldest first, good until it returns.  @err: 0, -ESTALE where the revision is not kept any more or lies ahead, -EIO,
 * -ENOMEM, -ECANCELED */
typedef void store_history_done(void *ctx, int err, const struct store_changes *changes);

/* What is under way: an implementation's own, between handing in and `done` */
struct store_job {
	STAILQ_ENTRY(store_job) link;
	enum { STORE_COMMIT, STORE_HISTORY } kind;
	int err;
	uint64_t rev;
	struct store_changes changes; /* what a commit changed, or what was asked for */
	void *ctx;
};

STAILQ_HEAD(store_jobs, store_job);

/* One operation of a transaction */
struct store_op {
	enum { STORE_PUT, STORE_DELETE, STORE_EXPECT } kind;
	char *key;
	char *value;  /* put */
	uint64_t rev; /* expect */
};

struct store_txn {
	struct store_job job; /* first */
	store_txn_done *done;
	struct store_op *ops;
	size_t count;
	size_t room;
	bool out_of_memory; /* the commit says so */
};

struct store_history {
	struct store_job job; /* first */
	store_history_done *done;
	const char *prefix; /* borrowed until `done` */
	uint64_t since;
};

struct store;

/* What an implementation provides */
struct store_ops {
	int (*load)(struct store *store, store_change_cb *cb, void *ctx);
	void (*hand_in)(struct store *store, struct store_job *job);
	void (*wait)(struct store *store);
	void (*close)(struct store *store);
};

/* Embedded first in an implementation's own */
struct store {
	const struct store_ops *ops;
	void (*on_commit)(void *ctx, const struct store_changes *changes, uint64_t rev);
	void *on_commit_ctx;
	uint64_t rev;   /* as of the last commit that was reported */
	size_t waiting; /* jobs */
	bool closing;
};

/* Return: the revision of the last change that was told */
uint64_t store_rev(const struct store *store);

/**
 * store_load() - all keys in their order; before anything is handed in, since it waits for the disk
 *
 * Return: 0, what @cb stopped with, or -EIO or -ENOMEM
 */
int store_load(struct store *store, store_change_cb *cb, void *ctx) __attribute__((warn_unused_result));

/* Hear of every commit, after it is durable.  One subscriber; NULL: none. */
void store_subscribe(struct store *store,
	void (*on_commit)(void *ctx, const struct store_changes *changes, uint64_t rev), void *ctx);

void store_txn_init(struct store_txn *txn);
void store_txn_put(struct store_txn *txn, const char *key, const char *value);
void store_txn_delete(struct store_txn *txn, const char *key);

/* The commit fails unless @key was last put at @rev; STORE_ABSENT: unless there is no such key */
void store_txn_expect(struct store_txn *txn, const char *key, uint64_t rev);

/* Wipes what it held; not while it is under way, but from within its `done` */
void store_txn_fini(struct store_txn *txn);

/**
 * store_commit() - all of it, durably, or nothing
 * @txn:	borrowed until @done; one key may be put or deleted once.  Deleting what is not there changes nothing.
 */
void store_commit(struct store *store, struct store_txn *txn, store_txn_done *done, void *ctx);

/**
 * store_changes() - what happened to keys that begin with @prefix after revision @since
 * @history:	the caller's memory for it, of any content; borrowed until @done, as @prefix is
 */
void store_changes(struct store *store, struct store_history *history, const char *prefix, uint64_t since,
	store_history_done *done, void *ctx);

/* Until everything that was handed in is reported, with what that handed in in turn: before the end, and for who has no loop */
void store_wait(struct store *store);

/* store_wait(), and then it is gone; what is handed in from now on is reported as -ECANCELED.  NULL is fine. */
void store_close(struct store *store);

/* ---- for implementations ---------------------------------------------------------------------------------- */

/* Note a change; keeps copies.  Return: 0 or -ENOMEM */
int store_changes_add(struct store_changes *changes, const struct store_change *change)
	__attribute__((warn_unused_result));

/* A job was carried out, with `err`, `rev` and `changes` set: tell the subscriber and its owner, on the owner's thread */
void store_report(struct store *store, struct store_job *job);

#endif /* CONTROLLER_STORE_STORE_H */
