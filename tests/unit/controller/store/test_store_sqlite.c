/*
 * test_store_sqlite.c - the SQLite store: as every store; on a loop; and kill -9 in mid-commit
 */
#include "controller/store/store_sqlite.h"

#include <errno.h>
#include <event2/event.h>
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

#include "tests/unit/controller/store/conformance.h"

#define KILLS 50
#define CRASH_KEYS 60

struct fixture {
	struct conformance conformance; /* first */
	struct event_base *base;
	char dir[64];
	char path[96];
};

static void open_store(struct fixture *f)
{
	struct store *store;

	assert_int_equal(store_sqlite_open(f->path, true, f->base, &store), 0);
	conformance_begin(&f->conformance, store);
}

static void conformance_reopen(struct conformance *f)
{
	store_close(f->store);
	open_store((struct fixture *)f);
}

static void conformance_step(struct conformance *f)
{
	event_base_loop(((struct fixture *)f)->base, EVLOOP_ONCE);
}

static int set_up_in(void **state, const char *folder)
{
	struct fixture *f = calloc(1, sizeof(*f));

	snprintf(f->dir, sizeof(f->dir), "%s/weft-store-XXXXXX", folder);
	assert_non_null(mkdtemp(f->dir));
	snprintf(f->path, sizeof(f->path), "%s/controller.db", f->dir);
	f->base = event_base_new();
	open_store(f);
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

	store_close(f->conformance.store);
	event_base_free(f->base);
	snprintf(wal, sizeof(wal), "%s-wal", f->path);
	unlink(wal);
	unlink(f->path);
	rmdir(f->dir);
	free(f);
	return 0;
}

/* What was reported, or handed in before the end, is there again */
static void closing_keeps(void **state)
{
	struct fixture *f = *state;
	struct naive want = { .now = 1 };
	struct job job;

	job_init(&job, &f->conformance, "7", STORE_ABSENT);
	store_commit(f->conformance.store, &job.txn, on_job, &job);
	store_close(f->conformance.store);
	assert_int_equal(job.place, 1);
	open_store(f);
	want.value[2] = 7;
	want.rev[2] = 1;
	check_equal(f->conformance.store, &want);
}

static void on_timer(evutil_socket_t fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	++*(int *)arg;
}

/* While the disk works the loop goes on: a commit of many keys, and a timer that runs meanwhile */
static void the_loop_does_not_wait(void **state)
{
	struct fixture *f = *state;
	const struct timeval tick = { 0, 1000 };
	struct job job = { .f = &f->conformance };
	struct event *timer;
	int ticks = 0;
	char key[32];

	store_subscribe(f->conformance.store, NULL, NULL);
	store_txn_init(&job.txn);
	for (int i = 0; i < 30000; i++) {
		snprintf(key, sizeof(key), "key/%d", i);
		store_txn_put(&job.txn, key, "a value that takes its room on the disk");
	}
	timer = event_new(f->base, -1, EV_PERSIST, on_timer, &ticks);
	event_add(timer, &tick);
	store_commit(f->conformance.store, &job.txn, on_job, &job);
	while (job.place == 0)
		event_base_loop(f->base, EVLOOP_ONCE);
	assert_int_equal(job.err, 0);
	assert_true(ticks >= 5);
	event_free(timer);
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

		_exit(store_sqlite_open(f->path, false, NULL, &second) == -EBUSY ? 0 : 1);
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
	assert_int_equal(store_sqlite_open(path, false, NULL, &store), -ENOENT);
	file = fopen(path, "w");
	for (int i = 0; i < 2000; i++)
		fputs("this is no database", file);
	fclose(file);
	assert_int_not_equal(store_sqlite_open(path, false, NULL, &store), 0);
	unlink(path);
}

/* Versions of CRASH_KEYS keys, each in one commit, until somebody kills us */
static void write_forever(const char *path, int last_version)
{
	struct store *store;

	if (store_sqlite_open(path, false, NULL, &store) < 0)
		_exit(3);
	for (int version = last_version + 1;; version++) {
		char key[32], value[64];
		struct store_txn txn;

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
		if (store_fixture_commit(store, &txn, NULL) < 0)
			_exit(4);
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
	long patience_ns = 3000000; /* longer while nothing comes of it: machines and sanitizers differ */
	int version = 0;

	srand((unsigned int)getpid());
	for (int i = 0; i < KILLS; i++) {
		const struct timespec wait = { 0, patience_ns + rand() % 20000000 };
		struct survey survey = { .version = -1 };
		int status;
		pid_t pid;

		store_close(f->conformance.store);
		f->conformance.store = NULL;
		pid = fork();
		if (pid == 0)
			write_forever(f->path, version);
		nanosleep(&wait, NULL);
		kill(pid, SIGKILL);
		assert_int_equal(waitpid(pid, &status, 0), pid);
		assert_true(WIFSIGNALED(status));
		assert_int_equal(store_sqlite_open(f->path, false, NULL, &f->conformance.store), 0);
		assert_int_equal(store_load(f->conformance.store, survey_one, &survey), 0);
		if (survey.count) {
			assert_int_equal(survey.count, CRASH_KEYS - survey.version % 10);
			assert_true(survey.version >= version);
			patience_ns = survey.version > version + 1 ? patience_ns : patience_ns * 2;
			version = survey.version;
		} else {
			patience_ns *= 2;
		}
		patience_ns = patience_ns > 900000000 ? 900000000 : patience_ns;
		assert_int_equal(store_rev(f->conformance.store), version);
	}
	assert_true(version > KILLS / 2);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		CONFORMANCE_TESTS(set_up, tear_down),
		cmocka_unit_test_setup_teardown(closing_keeps, set_up, tear_down),
		cmocka_unit_test_setup_teardown(the_loop_does_not_wait, set_up_on_disk, tear_down),
		cmocka_unit_test_setup_teardown(one_controller_only, set_up, tear_down),
		cmocka_unit_test_setup_teardown(strange_files_are_refused, set_up, tear_down),
		cmocka_unit_test_setup_teardown(kills_leave_commits_whole, set_up_on_disk, tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
