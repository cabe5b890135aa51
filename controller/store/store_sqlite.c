/*
 * store_sqlite.c - see store_sqlite.h
 *
 * Tables: kv is what is, change is what happened (the last STORE_KEPT_REVISIONS of it), state holds the
 * revision.  Every statement is prepared once, and nothing but bound values ever comes from outside.
 *
 * Threads: jobs go to a thread of the store's own over `todo`, and come back over `finished` with a byte of an eventfd that wakes
 * the loop.  The database is touched by whoever opens it until the thread starts, with the first job, and by the thread alone
 * from then until it has ended.  store_wait() sleeps for what is finished instead of for the loop.
 */
#include "controller/store/store_sqlite.h"

#include "base/log.h"

#include <assert.h>
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/stat.h>
#include <unistd.h>

#define APPLICATION_ID 0x77656674 /* "weft" */
#define SCHEMA_VERSION 1

/* name, SQL */
#define STATEMENTS(X)                                                                               \
	X(BEGIN, "BEGIN IMMEDIATE")                                                                 \
	X(COMMIT, "COMMIT")                                                                         \
	X(ROLLBACK, "ROLLBACK")                                                                     \
	X(GET, "SELECT value, rev FROM kv WHERE key = ?1")                                          \
	X(LIST, "SELECT key, value, rev FROM kv WHERE key >= ?1 AND key < ?2 ORDER BY key")         \
	X(PUT, "INSERT OR REPLACE INTO kv (key, value, rev) VALUES (?1, ?2, ?3)")                   \
	X(DELETE, "DELETE FROM kv WHERE key = ?1")                                                  \
	X(RECORD, "INSERT INTO change (rev, seq, key, value, deleted) VALUES (?1, ?2, ?3, ?4, ?5)") \
	X(CHANGES,                                                                                  \
		"SELECT key, value, rev, deleted FROM change "                                      \
		"WHERE rev > ?1 AND key >= ?2 AND key < ?3 ORDER BY rev, seq")                      \
	X(FORGET, "DELETE FROM change WHERE rev <= ?1")                                             \
	X(STATE, "UPDATE state SET rev = ?1")                                                       \
	X(READ_STATE, "SELECT rev FROM state")

enum statement {
#define X(name, sql) SQL_##name,
	STATEMENTS(X)
#undef X
		SQL_COUNT
};

static const char *const sql_text[SQL_COUNT] = {
#define X(name, sql) [SQL_##name] = sql,
	STATEMENTS(X)
#undef X
};

static const char schema[] =
	"BEGIN;"
	"CREATE TABLE kv (key TEXT PRIMARY KEY, value TEXT NOT NULL, rev INTEGER NOT NULL) WITHOUT ROWID;"
	"CREATE TABLE change (rev INTEGER, seq INTEGER, key TEXT NOT NULL, value TEXT NOT NULL,"
	" deleted INTEGER NOT NULL, PRIMARY KEY (rev, seq)) WITHOUT ROWID;"
	"CREATE TABLE state (only INTEGER PRIMARY KEY CHECK (only = 1), rev INTEGER NOT NULL);"
	"INSERT INTO state VALUES (1, 0);"
	"PRAGMA application_id = 2003134068;"
	"PRAGMA user_version = 1;"
	"COMMIT;";

struct sqlite_store {
	struct store store;
	sqlite3 *db; /* this and what follows: the thread's, while there is one */
	sqlite3_stmt *statements[SQL_COUNT];
	uint64_t rev;

	struct event *event; /* on the eventfd; NULL without a loop */
	int wake_fd;
	pthread_t thread;
	bool started;
	pthread_mutex_t mutex; /* of what follows */
	pthread_cond_t to_thread, to_owner;
	struct store_jobs todo, finished;
	bool ending;
};

static struct sqlite_store *ours(struct store *store)
{
	return (struct sqlite_store *)store;
}

static int failed(struct sqlite_store *s, const char *what)
{
	log_error("store: %s: %s", what, sqlite3_errmsg(s->db));
	return sqlite3_errcode(s->db) == SQLITE_NOMEM ? -ENOMEM : -EIO;
}

/* Run a statement that yields no rows, whose values are bound */
static int run(struct sqlite_store *s, enum statement which)
{
	sqlite3_stmt *statement = s->statements[which];
	int err = 0;

	if (sqlite3_step(statement) != SQLITE_DONE)
		err = failed(s, sql_text[which]);
	sqlite3_reset(statement);
	sqlite3_clear_bindings(statement);
	return err;
}

static void bind_text(sqlite3_stmt *statement, int at, const char *text)
{
	sqlite3_bind_text(statement, at, text, -1, SQLITE_STATIC);
}

static const char *column_text(sqlite3_stmt *statement, int at)
{
	return (const char *)sqlite3_column_text(statement, at);
}

/* @value: allocated */
static int get_one(struct sqlite_store *s, const char *key, char **value, uint64_t *rev)
{
	sqlite3_stmt *get = s->statements[SQL_GET];
	int err = 0;

	bind_text(get, 1, key);
	switch (sqlite3_step(get)) {
	case SQLITE_ROW:
		*value = strdup(column_text(get, 0));
		if (!*value)
			err = -ENOMEM;
		else if (rev)
			*rev = (uint64_t)sqlite3_column_int64(get, 1);
		break;
	case SQLITE_DONE:
		err = -ENOENT;
		break;
	default:
		err = failed(s, "read");
	}
	sqlite3_reset(get);
	sqlite3_clear_bindings(get);
	return err;
}

/* Bind @at and @at + 1 to the range of keys that begin with @prefix.  Keys are ASCII, so 0x7f is above all of them. */
static int bind_prefix(sqlite3_stmt *statement, int at, const char *prefix)
{
	char *end = sqlite3_mprintf("%s\x7f", prefix);

	if (!end)
		return -ENOMEM;
	sqlite3_bind_text(statement, at, prefix, -1, SQLITE_TRANSIENT);
	sqlite3_bind_text(statement, at + 1, end, -1, sqlite3_free);
	return 0;
}

/* Hand all rows (key, value, rev[, deleted]) to @cb */
static int each_row(struct sqlite_store *s, sqlite3_stmt *statement, bool with_deleted, store_change_cb *cb, void *ctx)
{
	int err = 0, step = SQLITE_DONE;

	while (!err && (step = sqlite3_step(statement)) == SQLITE_ROW) {
		struct store_change change = {
			.key = column_text(statement, 0),
			.value = column_text(statement, 1),
			.rev = (uint64_t)sqlite3_column_int64(statement, 2),
			.deleted = with_deleted && sqlite3_column_int(statement, 3) != 0,
		};

		err = cb(ctx, &change);
	}
	if (!err && step != SQLITE_DONE)
		err = failed(s, "list");
	sqlite3_reset(statement);
	sqlite3_clear_bindings(statement);
	return err;
}

static int sqlite_load(struct store *store, store_change_cb *cb, void *ctx)
{
	struct sqlite_store *s = ours(store);
	int err;

	assert(!s->started);
	err = bind_prefix(s->statements[SQL_LIST], 1, "");
	return err ? err : each_row(s, s->statements[SQL_LIST], false, cb, ctx);
}

static int keep_change(void *ctx, const struct store_change *change)
{
	return store_changes_add(ctx, change);
}

static int read_history(struct sqlite_store *s, struct store_history *history)
{
	uint64_t since = history->since;
	int err;

	if (since > s->rev || since + STORE_KEPT_REVISIONS < s->rev)
		return -ESTALE;
	err = bind_prefix(s->statements[SQL_CHANGES], 2, history->prefix);
	if (err)
		return err;
	sqlite3_bind_int64(s->statements[SQL_CHANGES], 1, (sqlite3_int64)since);
	return each_row(s, s->statements[SQL_CHANGES], true, keep_change, &history->job.changes);
}

static int record(struct sqlite_store *s, uint64_t rev, size_t seq, const char *key, const char *value, bool deleted)
{
	sqlite3_stmt *statement = s->statements[SQL_RECORD];

	sqlite3_bind_int64(statement, 1, (sqlite3_int64)rev);
	sqlite3_bind_int64(statement, 2, (sqlite3_int64)seq);
	bind_text(statement, 3, key);
	bind_text(statement, 4, value);
	sqlite3_bind_int(statement, 5, deleted);
	return run(s, SQL_RECORD);
}

static int put(struct sqlite_store *s, const struct store_change *change, size_t seq)
{
	sqlite3_stmt *statement = s->statements[SQL_PUT];
	int err;

	bind_text(statement, 1, change->key);
	bind_text(statement, 2, change->value);
	sqlite3_bind_int64(statement, 3, (sqlite3_int64)change->rev);
	err = run(s, SQL_PUT);
	return err ? err : record(s, change->rev, seq, change->key, change->value, false);
}

static int erase(struct sqlite_store *s, const struct store_change *change, size_t seq)
{
	int err;

	bind_text(s->statements[SQL_DELETE], 1, change->key);
	err = run(s, SQL_DELETE);
	return err ? err : record(s, change->rev, seq, change->key, change->value, true);
}

static int check_expectation(struct sqlite_store *s, const struct store_op *op)
{
	uint64_t rev = STORE_ABSENT;
	char *value = NULL;
	int err = get_one(s, op->key, &value, &rev);

	free(value);
	if (err && err != -ENOENT)
		return err;
	return rev == op->rev ? 0 : -EAGAIN;
}

static int check_expectations(struct sqlite_store *s, const struct store_txn *txn)
{
	int err = 0;

	for (size_t i = 0; i < txn->count && !err; i++) {
		if (txn->ops[i].kind == STORE_EXPECT)
			err = check_expectation(s, &txn->ops[i]);
	}
	return err;
}

/* One put or delete; what it changes goes to @changes */
static int write_one(struct sqlite_store *s, const struct store_op *op, uint64_t rev, size_t seq,
	struct store_changes *changes)
{
	struct store_change change = { .key = op->key, .value = op->value, .rev = rev };
	char *was = NULL;
	int err;

	if (op->kind == STORE_DELETE) {
		err = get_one(s, op->key, &was, NULL);
		if (err)
			return err == -ENOENT ? 0 : err;
		change.value = was;
		change.deleted = true;
	}
	err = change.deleted ? erase(s, &change, seq) : put(s, &change, seq);
	if (!err)
		err = store_changes_add(changes, &change);
	free(was);
	return err;
}

static int write_all(struct sqlite_store *s, const struct store_txn *txn, uint64_t rev, struct store_changes *changes)
{
	int err = 0;

	for (size_t i = 0; i < txn->count && !err; i++) {
		if (txn->ops[i].kind != STORE_EXPECT)
			err = write_one(s, &txn->ops[i], rev, i, changes);
	}
	return err;
}

static int advance(struct sqlite_store *s, uint64_t rev)
{
	int err;

	sqlite3_bind_int64(s->statements[SQL_STATE], 1, (sqlite3_int64)rev);
	err = run(s, SQL_STATE);
	if (err || rev <= STORE_KEPT_REVISIONS)
		return err;
	sqlite3_bind_int64(s->statements[SQL_FORGET], 1, (sqlite3_int64)(rev - STORE_KEPT_REVISIONS));
	return run(s, SQL_FORGET);
}

static int commit(struct sqlite_store *s, struct store_txn *txn)
{
	struct store_changes *changes = &txn->job.changes;
	uint64_t next = s->rev + 1;
	int err = run(s, SQL_BEGIN);

	if (err)
		return err;
	err = check_expectations(s, txn);
	if (!err)
		err = write_all(s, txn, next, changes);
	if (!err && changes->count)
		err = advance(s, next);
	if (!err)
		err = run(s, changes->count ? SQL_COMMIT : SQL_ROLLBACK);
	if (!err && changes->count)
		s->rev = next;
	/* a failed COMMIT may have rolled back by itself */
	if (err && !sqlite3_get_autocommit(s->db) && run(s, SQL_ROLLBACK) < 0)
		log_error("store: could not roll back; restart the controller");
	txn->job.rev = s->rev;
	return err;
}

static void carry_out(struct sqlite_store *s, struct store_job *job)
{
	if (job->err)
		return;
	if (job->kind == STORE_COMMIT)
		job->err = commit(s, (struct store_txn *)job);
	else
		job->err = read_history(s, (struct store_history *)job);
}

/* ---- threads ---------------------------------------------------------------------------------------------- */

static void *work(void *arg)
{
	const uint64_t one = 1;
	struct sqlite_store *s = arg;
	struct store_job *job;

	pthread_mutex_lock(&s->mutex);
	while (!s->ending) {
		job = STAILQ_FIRST(&s->todo);
		if (!job) {
			pthread_cond_wait(&s->to_thread, &s->mutex);
			continue;
		}
		STAILQ_REMOVE_HEAD(&s->todo, link);
		pthread_mutex_unlock(&s->mutex);
		carry_out(s, job);
		pthread_mutex_lock(&s->mutex);
		STAILQ_INSERT_TAIL(&s->finished, job, link);
		pthread_cond_signal(&s->to_owner);
		/* its counter cannot overflow, and nothing else fails on an eventfd */
		if (s->wake_fd >= 0)
			(void)!write(s->wake_fd, &one, sizeof(one));
	}
	pthread_mutex_unlock(&s->mutex);
	return NULL;
}

/* Signals are the loop's */
static bool start_thread(struct sqlite_store *s)
{
	sigset_t all, before;

	if (s->started)
		return true;
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	s->started = pthread_create(&s->thread, NULL, work, s) == 0;
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	return s->started;
}

static void sqlite_hand_in(struct store *store, struct store_job *job)
{
	const uint64_t one = 1;
	struct sqlite_store *s = ours(store);
	bool thread = start_thread(s);

	pthread_mutex_lock(&s->mutex);
	if (thread) {
		STAILQ_INSERT_TAIL(&s->todo, job, link);
		pthread_cond_signal(&s->to_thread);
	} else {
		log_error("store: no thread can be started");
		job->err = -ENOMEM;
		STAILQ_INSERT_TAIL(&s->finished, job, link);
		if (s->wake_fd >= 0)
			(void)!write(s->wake_fd, &one, sizeof(one));
	}
	pthread_mutex_unlock(&s->mutex);
}

static struct store_job *next_finished(struct sqlite_store *s)
{
	struct store_job *job;

	pthread_mutex_lock(&s->mutex);
	job = STAILQ_FIRST(&s->finished);
	if (job)
		STAILQ_REMOVE_HEAD(&s->finished, link);
	pthread_mutex_unlock(&s->mutex);
	return job;
}

static void report_finished(struct sqlite_store *s)
{
	struct store_job *job;

	while ((job = next_finished(s)) != NULL)
		store_report(&s->store, job);
}

static void on_wake(evutil_socket_t fd, short what, void *arg)
{
	uint64_t count;

	(void)what;
	(void)!read(fd, &count, sizeof(count));
	report_finished(arg);
}

static void sqlite_wait(struct store *store)
{
	struct sqlite_store *s = ours(store);

	pthread_mutex_lock(&s->mutex);
	while (STAILQ_EMPTY(&s->finished))
		pthread_cond_wait(&s->to_owner, &s->mutex);
	pthread_mutex_unlock(&s->mutex);
	report_finished(s);
}

static void end_thread(struct sqlite_store *s)
{
	if (!s->started)
		return;
	pthread_mutex_lock(&s->mutex);
	s->ending = true;
	pthread_cond_signal(&s->to_thread);
	pthread_mutex_unlock(&s->mutex);
	pthread_join(s->thread, NULL);
}

static void sqlite_close(struct store *store)
{
	struct sqlite_store *s = ours(store);

	end_thread(s);
	if (s->event)
		event_free(s->event);
	if (s->wake_fd >= 0)
		close(s->wake_fd);
	for (size_t i = 0; i < SQL_COUNT; i++)
		sqlite3_finalize(s->statements[i]);
	sqlite3_close(s->db);
	pthread_cond_destroy(&s->to_thread);
	pthread_cond_destroy(&s->to_owner);
	pthread_mutex_destroy(&s->mutex);
	free(s);
}

static const struct store_ops sqlite_ops = {
	.load = sqlite_load,
	.hand_in = sqlite_hand_in,
	.wait = sqlite_wait,
	.close = sqlite_close,
};

static int set_up_loop(struct sqlite_store *s, struct event_base *base)
{
	s->wake_fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
	if (s->wake_fd < 0)
		return -errno;
	s->event = event_new(base, s->wake_fd, EV_READ | EV_PERSIST, on_wake, s);
	return s->event && event_add(s->event, NULL) == 0 ? 0 : -ENOMEM;
}

/* ---- opening ---------------------------------------------------------------------------------------------- */

static int pragma_number(struct sqlite_store *s, const char *sql, int64_t *out)
{
	sqlite3_stmt *statement = NULL;
	int err = -EIO;

	if (sqlite3_prepare_v2(s->db, sql, -1, &statement, NULL) == SQLITE_OK &&
		sqlite3_step(statement) == SQLITE_ROW) {
		*out = sqlite3_column_int64(statement, 0);
		err = 0;
	}
	sqlite3_finalize(statement);
	return err;
}

static int set_up(struct sqlite_store *s)
{
	int64_t tables, id, version;

	/* exclusive before WAL: then there is no shared memory file, and a second controller is kept out */
	if (sqlite3_exec(s->db,
		    "PRAGMA locking_mode = EXCLUSIVE; PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL;"
		    "PRAGMA trusted_schema = OFF; PRAGMA wal_autocheckpoint = 1000; PRAGMA secure_delete = ON;",
		    NULL, NULL, NULL) != SQLITE_OK)
		return sqlite3_errcode(s->db) == SQLITE_BUSY ? -EBUSY : failed(s, "open");
	if (pragma_number(s, "SELECT count(*) FROM sqlite_schema", &tables) < 0)
		return sqlite3_errcode(s->db) == SQLITE_BUSY ? -EBUSY : failed(s, "open");
	if (tables == 0 && sqlite3_exec(s->db, schema, NULL, NULL, NULL) != SQLITE_OK)
		return failed(s, "create tables");
	if (pragma_number(s, "PRAGMA application_id", &id) < 0 || pragma_number(s, "PRAGMA user_version", &version) < 0)
		return failed(s, "open");
	return id == APPLICATION_ID && version == SCHEMA_VERSION ? 0 : -EPROTO;
}

static int prepare(struct sqlite_store *s)
{
	for (size_t i = 0; i < SQL_COUNT; i++) {
		if (sqlite3_prepare_v3(s->db, sql_text[i], -1, SQLITE_PREPARE_PERSISTENT, &s->statements[i], NULL) !=
			SQLITE_OK)
			return failed(s, sql_text[i]);
	}
	if (sqlite3_step(s->statements[SQL_READ_STATE]) != SQLITE_ROW)
		return failed(s, "read the revision");
	s->rev = (uint64_t)sqlite3_column_int64(s->statements[SQL_READ_STATE], 0);
	sqlite3_reset(s->statements[SQL_READ_STATE]);
	return 0;
}

static int open_database(struct sqlite_store *s, const char *path, bool create)
{
	mode_t mask = umask(0077);
	int opened = sqlite3_open_v2(path, &s->db, SQLITE_OPEN_READWRITE | (create ? SQLITE_OPEN_CREATE : 0), NULL);
	int err;

	if (opened != SQLITE_OK) {
		err = !create && opened == SQLITE_CANTOPEN ? -ENOENT : -EIO;
	} else {
		err = set_up(s);
		if (!err)
			err = prepare(s);
	}
	umask(mask);
	return err;
}

int store_sqlite_open(const char *path, bool create, struct event_base *base, struct store **out)
{
	struct sqlite_store *s = calloc(1, sizeof(*s));
	int err;

	if (!s)
		return -ENOMEM;
	s->store.ops = &sqlite_ops;
	s->wake_fd = -1;
	pthread_mutex_init(&s->mutex, NULL);
	pthread_cond_init(&s->to_thread, NULL);
	pthread_cond_init(&s->to_owner, NULL);
	STAILQ_INIT(&s->todo);
	STAILQ_INIT(&s->finished);
	err = open_database(s, path, create);
	if (!err && base)
		err = set_up_loop(s, base);
	if (err) {
		sqlite_close(&s->store);
		return err;
	}
	s->store.rev = s->rev;
	*out = &s->store;
	return 0;
}
