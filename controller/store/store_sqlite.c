/*
 * store_sqlite.c - see store_sqlite.h
 *
 * Tables: kv is what is, change is what happened (the last STORE_KEPT_REVISIONS of it), state holds the
 * revision.  Every statement is prepared once, and nothing but bound values ever comes from outside.
 */
#include "controller/store/store_sqlite.h"

#include "base/log.h"

#include <errno.h>
#include <sqlite3.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

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
	sqlite3 *db;
	sqlite3_stmt *statements[SQL_COUNT];
	uint64_t rev;
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

static uint64_t sqlite_rev(struct store *store)
{
	return ours(store)->rev;
}

static int sqlite_get(struct store *store, const char *key, char **value, uint64_t *rev)
{
	struct sqlite_store *s = ours(store);
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

static int sqlite_list(struct store *store, const char *prefix, store_change_cb *cb, void *ctx)
{
	struct sqlite_store *s = ours(store);
	int err = bind_prefix(s->statements[SQL_LIST], 1, prefix);

	return err ? err : each_row(s, s->statements[SQL_LIST], false, cb, ctx);
}

static int sqlite_changes(struct store *store, const char *prefix, uint64_t since, store_change_cb *cb, void *ctx)
{
	struct sqlite_store *s = ours(store);
	int err;

	if (since > s->rev || since + STORE_KEPT_REVISIONS < s->rev)
		return -ESTALE;
	err = bind_prefix(s->statements[SQL_CHANGES], 2, prefix);
	if (err)
		return err;
	sqlite3_bind_int64(s->statements[SQL_CHANGES], 1, (sqlite3_int64)since);
	return each_row(s, s->statements[SQL_CHANGES], true, cb, ctx);
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

static int put(struct sqlite_store *s, const struct store_op *op, uint64_t rev, size_t seq)
{
	sqlite3_stmt *statement = s->statements[SQL_PUT];
	int err;

	bind_text(statement, 1, op->key);
	bind_text(statement, 2, op->value);
	sqlite3_bind_int64(statement, 3, (sqlite3_int64)rev);
	err = run(s, SQL_PUT);
	return err ? err : record(s, rev, seq, op->key, op->value, false);
}

/* @was: what is deleted, allocated; NULL where there was nothing */
static int erase(struct sqlite_store *s, const struct store_op *op, uint64_t rev, size_t seq, char **was)
{
	int err = sqlite_get(&s->store, op->key, was, NULL);

	if (err)
		return err == -ENOENT ? 0 : err;
	bind_text(s->statements[SQL_DELETE], 1, op->key);
	err = run(s, SQL_DELETE);
	return err ? err : record(s, rev, seq, op->key, *was, true);
}

static int check_expectation(struct sqlite_store *s, const struct store_op *op)
{
	uint64_t rev = STORE_ABSENT;
	char *value = NULL;
	int err = sqlite_get(&s->store, op->key, &value, &rev);

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

/* All puts and deletes; @was[i] gets what operation i deleted; @changed: how many changed anything */
static int write_all(struct sqlite_store *s, const struct store_txn *txn, uint64_t rev, char **was, size_t *changed)
{
	int err = 0;

	for (size_t i = 0; i < txn->count && !err; i++) {
		const struct store_op *op = &txn->ops[i];

		if (op->kind == STORE_PUT) {
			err = put(s, op, rev, i);
			++*changed;
		} else if (op->kind == STORE_DELETE) {
			err = erase(s, op, rev, i, &was[i]);
			*changed += was[i] != NULL;
		}
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

static void tell(struct sqlite_store *s, const struct store_txn *txn, uint64_t rev, char *const *was)
{
	for (size_t i = 0; s->store.on_change && i < txn->count; i++) {
		const struct store_op *op = &txn->ops[i];
		struct store_change change = { .key = op->key, .value = op->value, .rev = rev };

		if (was[i]) {
			change.value = was[i];
			change.deleted = true;
		} else if (op->kind != STORE_PUT) {
			continue;
		}
		s->store.on_change(s->store.on_change_ctx, &change);
	}
}

static int sqlite_commit(struct store *store, const struct store_txn *txn, uint64_t *rev)
{
	struct sqlite_store *s = ours(store);
	char **was = calloc(txn->count + 1, sizeof(*was));
	uint64_t next = s->rev + 1;
	size_t changed = 0;
	int err;

	if (!was)
		return -ENOMEM;
	err = run(s, SQL_BEGIN);
	if (err)
		goto out;
	err = check_expectations(s, txn);
	if (!err)
		err = write_all(s, txn, next, was, &changed);
	if (!err && changed)
		err = advance(s, next);
	if (!err)
		err = run(s, changed ? SQL_COMMIT : SQL_ROLLBACK);
	if (err) {
		/* a failed COMMIT may have rolled back by itself */
		if (!sqlite3_get_autocommit(s->db) && run(s, SQL_ROLLBACK) < 0)
			log_error("store: could not roll back; restart the controller");
		goto out;
	}
	if (changed)
		s->rev = next;
	*rev = s->rev;
	tell(s, txn, next, was);
out:
	for (size_t i = 0; i < txn->count; i++)
		free(was[i]);
	free(was);
	return err;
}

static void sqlite_close(struct store *store)
{
	struct sqlite_store *s = ours(store);

	for (size_t i = 0; i < SQL_COUNT; i++)
		sqlite3_finalize(s->statements[i]);
	sqlite3_close(s->db);
	free(s);
}

static const struct store_ops sqlite_ops = {
	.rev = sqlite_rev,
	.get = sqlite_get,
	.list = sqlite_list,
	.changes = sqlite_changes,
	.commit = sqlite_commit,
	.close = sqlite_close,
};

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

int store_sqlite_open(const char *path, bool create, struct store **out)
{
	struct sqlite_store *s = calloc(1, sizeof(*s));
	mode_t mask;
	int err, opened;

	if (!s)
		return -ENOMEM;
	s->store.ops = &sqlite_ops;
	mask = umask(0077);
	opened = sqlite3_open_v2(path, &s->db, SQLITE_OPEN_READWRITE | (create ? SQLITE_OPEN_CREATE : 0), NULL);
	if (opened != SQLITE_OK) {
		err = !create && opened == SQLITE_CANTOPEN ? -ENOENT : -EIO;
	} else {
		err = set_up(s);
		if (!err)
			err = prepare(s);
	}
	umask(mask);
	if (err) {
		sqlite_close(&s->store);
		return err;
	}
	*out = &s->store;
	return 0;
}
