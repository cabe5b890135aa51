/*
 * test_store_sqlite.c - the SQLite store against a naive model, its history, its expectations, and kill -9 in mid-commit
 */
#include "controller/store/store_sqlite.h"

#include <errno.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#define KEYS 40
#define ROUNDS 3000
#define KILLS 50
#define CRASH_KEYS 60

struct naive {
	int value[KEYS]; /* 0: absent */
	uint64_t rev[KEYS];
	uint64_t now;
};

struct fixture {
	char dir[64];
	char path[96];
	struct store *store;
	struct naive heard; /* what the subscriber was told */
};

static int key_number(const char *key)
{
	return atoi(strrchr(key, '/') + 1);
}

static void on_change(void *ctx, const struct store_change *change)
{
	struct naive *heard = ctx;
	int k = key_number(change->key);

	heard->value[k] = change->deleted ? 0 : atoi(change->value);
	heard->rev[k] = change->rev;
	heard->now = change->rev;
}

static int set_up_in(void **state, const char *folder)
{
	struct fixture *f = calloc(1, sizeof(*f));

	snprintf(f->dir, sizeof(f->dir), "%s/weft-store-XXXXXX", folder);
	assert_non_null(mkdtemp(f->dir));
	snprintf(f->path, sizeof(f->path), "%s/controller.db", f->dir);
	assert_int_equal(store_sqlite_open(f->path, true, &f->store), 0);
	store_subscribe(f->store, on_change, &f->heard);
	*state = f;
	return 0;
}

/* Tests of many commits need no disk that takes its time over each */
static int set_up(void **state)
{
	return set_up_in(state, access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp");
}

static int set_up_on_disk(void **state)
{
	return set_up_in(state, "/tmp");
}

static int tear_down(void **state)
{
	struct fixture *f = *state;
	char wal[128];

	store_close(f->store);
	snprintf(wal, sizeof(wal), "%s-wal", f->path);
	unlink(wal);
	unlink(f->path);
	rmdir(f->dir);
	free(f);
	return 0;
}

static void reopen(struct fixture *f)
{
	store_close(f->store);
	assert_int_equal(store_sqlite_open(f->path, false, &f->store), 0);
	store_subscribe(f->store, on_change, &f->heard);
}

static void key_text(int k, char out[32])
{
	snprintf(out, 32, "%s/%d", k % 2 ? "odd" : "even", k);
}

/* A random transaction, put into both.  Return: does it hold? */
static bool random_txn(struct store_txn *txn, struct naive *naive)
{
	struct naive next = *naive;
	bool changed = false, holds = true;
	char key[32], value[16];
	int first = rand() % KEYS, count = 1 + rand() % 6;

	for (int i = 0; i < count; i++) {
		int k = (first + i) % KEYS;

		key_text(k, key);
		switch (rand() % 5) {
		case 0:
			store_txn_delete(txn, key);
			changed |= next.value[k] != 0;
			if (next.value[k])
				next.rev[k] = naive->now + 1;
			next.value[k] = 0;
			break;
		case 1: {
			uint64_t rev = naive->value[k] ? naive->rev[k] : STORE_ABSENT;

			if (rand() % 4 == 0)
				rev++;
			holds &= rev == (naive->value[k] ? naive->rev[k] : STORE_ABSENT);
			store_txn_expect(txn, key, rev);
			break;
		}
		default:
			next.value[k] = 1 + rand() % 1000;
			next.rev[k] = naive->now + 1;
			snprintf(value, sizeof(value), "%d", next.value[k]);
			store_txn_put(txn, key, value);
			changed = true;
		}
	}
	if (holds && changed) {
		next.now++;
		*naive = next;
	}
	return holds;
}

struct listed {
	const struct naive *naive;
	int count;
	const char *prefix;
	char last[32];
};

static int check_listed(void *ctx, const struct store_change *item)
{
	struct listed *listed = ctx;
	int k = key_number(item->key);

	assert_int_equal(strncmp(item->key, listed->prefix, strlen(listed->prefix)), 0);
	assert_true(strcmp(item->key, listed->last) > 0);
	assert_int_equal(atoi(item->value), listed->naive->value[k]);
	assert_int_equal(item->rev, listed->naive->rev[k]);
	snprintf(listed->last, sizeof(listed->last), "%s", item->key);
	listed->count++;
	return 0;
}

static void check_equal(struct store *store, const struct naive *naive)
{
	struct listed odd = { .naive = naive, .prefix = "odd/" }, all = { .naive = naive, .prefix = "" };
	int odds = 0, total = 0;
	char key[32], *value;
	uint64_t rev;

	assert_int_equal(store_rev(store), naive->now);
	for (int k = 0; k < KEYS; k++) {
		int err;

		key_text(k, key);
		err = store_get(store, key, &value, &rev);
		assert_int_equal(err, naive->value[k] ? 0 : -ENOENT);
		if (!err) {
			assert_int_equal(atoi(value), naive->value[k]);
			assert_int_equal(rev, naive->rev[k]);
			free(value);
		}
		total += naive->value[k] != 0;
		odds += k % 2 && naive->value[k];
	}
	assert_int_equal(store_list(store, "odd/", check_listed, &odd), 0);
	assert_int_equal(odd.count, odds);
	assert_int_equal(store_list(store, "", check_listed, &all), 0);
	assert_int_equal(all.count, total);
}

static void naive_model_agrees(void **state)
{
	struct fixture *f = *state;
	struct naive naive = { .now = 0 };

	srand(7);
	for (int round = 0; round < ROUNDS; round++) {
		struct store_txn txn;
		uint64_t rev = 0;
		bool holds;

		store_txn_init(&txn);
		holds = random_txn(&txn, &naive);
		assert_int_equal(store_commit(f->store, &txn, &rev), holds ? 0 : -EAGAIN);
		if (holds)
			assert_int_equal(rev, naive.now);
		store_txn_fini(&txn);
		if (round % 100 == 0) {
			if (round % 500 == 0)
				reopen(f);
			check_equal(f->store, &naive);
		}
	}
	check_equal(f->store, &naive);
	for (int k = 0; k < KEYS; k++)
		assert_int_equal(f->heard.value[k], naive.value[k]);
	assert_int_equal(f->heard.now, naive.now);
}

static int replay(void *ctx, const struct store_change *change)
{
	on_change(ctx, change);
	return 0;
}

static int stop_at_once(void *ctx, const struct store_change *change)
{
	(void)ctx;
	(void)change;
	return 42;
}

/* Whoever saw the state at any revision and replays the changes since gets to the state now */
static void history_replays(void **state)
{
	struct fixture *f = *state;
	struct naive naive = { .now = 0 }, at[200];

	srand(11);
	for (int i = 0; i < 200; i++) {
		struct store_txn txn;
		uint64_t rev;

		at[i] = naive;
		store_txn_init(&txn);
		random_txn(&txn, &naive);
		(void)!store_commit(f->store, &txn, &rev);
		store_txn_fini(&txn);
	}
	for (int i = 0; i < 200; i++) {
		struct naive replayed = at[i];

		assert_int_equal(store_changes(f->store, "", at[i].now, replay, &replayed), 0);
		assert_memory_equal(replayed.value, naive.value, sizeof(naive.value));
		assert_int_equal(replayed.now, naive.now);
	}
	assert_int_equal(store_changes(f->store, "", 0, stop_at_once, NULL), 42);
	assert_int_equal(store_changes(f->store, "", naive.now + 1, replay, &naive), -ESTALE);
}

static void old_history_is_forgotten(void **state)
{
	struct fixture *f = *state;
	struct naive replayed = { .now = 0 };
	uint64_t rev = 0;

	store_subscribe(f->store, NULL, NULL);
	for (unsigned int i = 0; i < STORE_KEPT_REVISIONS + 5; i++) {
		struct store_txn txn;

		store_txn_init(&txn);
		store_txn_put(&txn, "even/0", "1");
		assert_int_equal(store_commit(f->store, &txn, &rev), 0);
		store_txn_fini(&txn);
	}
	assert_int_equal(rev, STORE_KEPT_REVISIONS + 5);
	assert_int_equal(store_changes(f->store, "", 4, replay, &replayed), -ESTALE);
	assert_int_equal(store_changes(f->store, "", 5, replay, &replayed), 0);
}

static void one_controller_only(void **state)
{
	struct fixture *f = *state;
	struct stat st;
	int status;
	pid_t pid;

	assert_int_equal(stat(f->path, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0600);
	pid = fork();
	if (pid == 0) {
		struct store *second;

		_exit(store_sqlite_open(f->path, false, &second) == -EBUSY ? 0 : 1);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 0);
}

static void strange_files_are_refused(void **state)
{
	struct fixture *f = *state;
	char path[128];
	struct store *store;
	FILE *file;

	snprintf(path, sizeof(path), "%s/none.db", f->dir);
	assert_int_equal(store_sqlite_open(path, false, &store), -ENOENT);
	file = fopen(path, "w");
	for (int i = 0; i < 2000; i++)
		fputs("this is no database", file);
	fclose(file);
	assert_int_not_equal(store_sqlite_open(path, false, &store), 0);
	unlink(path);
}

/* Versions of CRASH_KEYS keys, each in one commit, until somebody kills us */
static void write_forever(const char *path, int last_version)
{
	struct store *store;

	if (store_sqlite_open(path, false, &store) < 0)
		_exit(3);
	for (int version = last_version + 1;; version++) {
		char key[32], value[64];
		struct store_txn txn;
		uint64_t rev;

		store_txn_init(&txn);
		/* how many keys there are depends on the version, so that deletes happen as well */
		for (int k = 0; k < CRASH_KEYS; k++) {
			snprintf(key, sizeof(key), "crash/%d", k);
			snprintf(value, sizeof(value), "%d", version);
			if (k < CRASH_KEYS - version % 10)
				store_txn_put(&txn, key, value);
			else
				store_txn_delete(&txn, key);
		}
		if (store_commit(store, &txn, &rev) < 0)
			_exit(4);
		store_txn_fini(&txn);
	}
}

struct survey {
	int version; /* -1: none seen yet */
	int count;
};

static int survey_one(void *ctx, const struct store_change *item)
{
	struct survey *survey = ctx;

	if (survey->count++ == 0)
		survey->version = atoi(item->value);
	assert_int_equal(atoi(item->value), survey->version);
	return 0;
}

static void kills_leave_commits_whole(void **state)
{
	struct fixture *f = *state;
	int version = 0;

	srand((unsigned int)getpid());
	for (int i = 0; i < KILLS; i++) {
		const struct timespec wait = { 0, 3000000 + rand() % 20000000 };
		struct survey survey = { .version = -1 };
		int status;
		pid_t pid;

		store_close(f->store);
		f->store = NULL;
		pid = fork();
		if (pid == 0)
			write_forever(f->path, version);
		nanosleep(&wait, NULL);
		kill(pid, SIGKILL);
		assert_int_equal(waitpid(pid, &status, 0), pid);
		assert_true(WIFSIGNALED(status));
		assert_int_equal(store_sqlite_open(f->path, false, &f->store), 0);
		assert_int_equal(store_list(f->store, "crash/", survey_one, &survey), 0);
		if (survey.count) {
			assert_int_equal(survey.count, CRASH_KEYS - survey.version % 10);
			assert_true(survey.version >= version);
			version = survey.version;
		}
		assert_int_equal(store_rev(f->store), version);
	}
	assert_true(version > KILLS / 2);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(naive_model_agrees, set_up, tear_down),
		cmocka_unit_test_setup_teardown(history_replays, set_up, tear_down),
		cmocka_unit_test_setup_teardown(old_history_is_forgotten, set_up, tear_down),
		cmocka_unit_test_setup_teardown(one_controller_only, set_up, tear_down),
		cmocka_unit_test_setup_teardown(strange_files_are_refused, set_up, tear_down),
		cmocka_unit_test_setup_teardown(kills_leave_commits_whole, set_up_on_disk, tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
