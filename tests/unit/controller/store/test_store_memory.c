/*
 * test_store_memory.c - the store in memory: as every store; and that nothing happens but by its owner's steps
 */
#include "controller/store/store_memory.h"

#include "tests/unit/controller/store/conformance.h"

struct fixture {
	struct conformance conformance; /* first */
	int woken;
};

static void on_wake(void *ctx)
{
	struct fixture *f = ctx;

	f->woken++;
}

static void conformance_reopen(struct conformance *f)
{
	store_memory_crash(f->store);
}

static void conformance_step(struct conformance *f)
{
	assert_true(store_memory_step(f->store));
}

static int set_up(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));

	conformance_begin(&f->conformance, store_memory_new(on_wake, f));
	*state = f;
	return 0;
}

static int tear_down(void **state)
{
	struct fixture *f = *state;

	store_close(f->conformance.store);
	free(f);
	return 0;
}

/* One step, one report, and who waits is told that there is one to be made */
static void steps(void **state)
{
	struct fixture *f = *state;
	struct store *store = f->conformance.store;
	struct job first, second;

	assert_false(store_memory_step(store));
	job_init(&first, &f->conformance, "1", STORE_ABSENT);
	job_init(&second, &f->conformance, "2", 1);
	store_commit(store, &first.txn, on_job, &first);
	store_commit(store, &second.txn, on_job, &second);
	assert_int_equal(f->woken, 2);
	assert_int_equal(store_rev(store), 0);
	assert_true(store_memory_step(store));
	assert_int_equal(first.place, 1);
	assert_int_equal(second.place, 0);
	assert_int_equal(store_rev(store), 1);
	assert_true(store_memory_step(store));
	assert_int_equal(second.rev, 2);
	assert_false(store_memory_step(store));
}

/* What was under way is undone, also what a report hands in, and the rest is there */
static void crash(void **state)
{
	struct fixture *f = *state;
	struct store *store = f->conformance.store;
	struct job kept, lost, next;
	struct naive want = { .now = 1 };

	job_init(&kept, &f->conformance, "1", STORE_ABSENT);
	job_init(&lost, &f->conformance, "2", 1);
	job_init(&next, &f->conformance, "3", 1);
	lost.next = &next;
	store_commit(store, &kept.txn, on_job, &kept);
	assert_true(store_memory_step(store));
	store_commit(store, &lost.txn, on_job, &lost);
	store_memory_crash(store);
	assert_int_equal(lost.err, -ECANCELED);
	assert_int_equal(next.err, -ECANCELED);
	want.value[2] = 1;
	want.rev[2] = 1;
	check_equal(store, &want);
	job_init(&next, &f->conformance, "3", 1);
	store_commit(store, &next.txn, on_job, &next);
	store_wait(store);
	assert_int_equal(next.rev, 2);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		CONFORMANCE_TESTS(set_up, tear_down),
		cmocka_unit_test_setup_teardown(steps, set_up, tear_down),
		cmocka_unit_test_setup_teardown(crash, set_up, tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
