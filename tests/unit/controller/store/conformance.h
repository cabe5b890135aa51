/*
 * conformance.h - what every store does: against a naive model, its history, its expectations, its order
 *
 * A test program of an implementation includes it, gives it conformance_open() and conformance_step(), and runs
 * CONFORMANCE_TESTS among its own.
 */
#ifndef TESTS_STORE_CONFORMANCE_H
#define TESTS_STORE_CONFORMANCE_H

#include "controller/store/store.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tests/unit/controller/store_fixture.h"

#define KEYS 40
#define ROUNDS 3000

struct conformance;

/* As a controller finds it that starts again: what is stored is there, and nothing is under way */
static void conformance_reopen(struct conformance *f);
/* Let it work until something is reported, or for a moment */
static void conformance_step(struct conformance *f);

struct naive {
	int value[KEYS]; /* 0: absent */
	uint64_t rev[KEYS];
	uint64_t now;
};

struct conformance {
	struct store *store;
	struct naive heard; /* what the subscriber was told */
	int order;          /* of reports */
};

static int key_number(const char *key)
{
	return atoi(strrchr(key, '/') + 1);
}

static void hear(struct naive *heard, const struct store_change *change)
{
	int k = key_number(change->key);

	heard->value[k] = change->deleted ? 0 : atoi(change->value);
	heard->rev[k] = change->rev;
	heard->now = change->rev;
}

static void on_commit(void *ctx, const struct store_changes *changes, uint64_t rev)
{
	struct conformance *f = ctx;

	assert_true(changes->count > 0);
	for (size_t i = 0; i < changes->count; i++) {
		assert_int_equal(changes->list[i].rev, rev);
		hear(&f->heard, &changes->list[i]);
	}
	assert_int_equal(store_rev(f->store), rev);
}

static void conformance_begin(struct conformance *f, struct store *store)
{
	f->store = store;
	store_subscribe(store, on_commit, f);
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
	char last[32];
};

static int check_listed(void *ctx, const struct store_change *item)
{
	struct listed *listed = ctx;
	int k = key_number(item->key);

	assert_true(strcmp(item->key, listed->last) > 0);
	assert_int_equal(atoi(item->value), listed->naive->value[k]);
	assert_int_equal(item->rev, listed->naive->rev[k]);
	snprintf(listed->last, sizeof(listed->last), "%s", item->key);
	listed->count++;
	return 0;
}

static int stop_at_once(void *ctx, const struct store_change *change)
{
	(void)ctx;
	(void)change;
	return 42;
}

static void check_equal(struct store *store, const struct naive *naive)
{
	struct listed all = { .naive = naive };
	int total = 0;

	assert_int_equal(store_rev(store), naive->now);
	for (int k = 0; k < KEYS; k++)
		total += naive->value[k] != 0;
	assert_int_equal(store_load(store, check_listed, &all), 0);
	assert_int_equal(all.count, total);
	if (total)
		assert_int_equal(store_load(store, stop_at_once, NULL), 42);
}

static void naive_model_agrees(void **state)
{
	struct conformance *f = *state;
	struct naive naive = { .now = 0 };

	srand(7);
	for (int round = 0; round < ROUNDS; round++) {
		struct store_txn txn;
		uint64_t rev = 0;
		bool holds;

		store_txn_init(&txn);
		holds = random_txn(&txn, &naive);
		assert_int_equal(store_fixture_commit(f->store, &txn, &rev), holds ? 0 : -EAGAIN);
		if (holds)
			assert_int_equal(rev, naive.now);
		if (round % 500 == 0) {
			conformance_reopen(f);
			check_equal(f->store, &naive);
		}
	}
	conformance_reopen(f);
	check_equal(f->store, &naive);
	for (int k = 0; k < KEYS; k++)
		assert_int_equal(f->heard.value[k], naive.value[k]);
	assert_int_equal(f->heard.now, naive.now);
}

struct replay {
	struct naive now;
	const char *prefix;
	int err;
};

static void on_history(void *ctx, int err, const struct store_changes *changes)
{
	struct replay *replay = ctx;
	uint64_t last = 0;

	replay->err = err;
	for (size_t i = 0; !err && i < changes->count; i++) {
		const struct store_change *change = &changes->list[i];

		assert_true(change->rev >= last);
		assert_int_equal(strncmp(change->key, replay->prefix, strlen(replay->prefix)), 0);
		last = change->rev;
		hear(&replay->now, change);
	}
}

static int replay_since(struct store *store, const char *prefix, uint64_t since, struct replay *replay)
{
	struct store_history history;

	replay->prefix = prefix;
	replay->err = -EINPROGRESS;
	store_changes(store, &history, prefix, since, on_history, replay);
	assert_int_equal(replay->err, -EINPROGRESS);
	store_wait(store);
	return replay->err;
}

/* Whoever saw the state at any revision and replays the changes since gets to the state now */
static void history_replays(void **state)
{
	struct conformance *f = *state;
	struct naive naive = { .now = 0 }, at[200];
	struct replay odd = { .err = 0 };

	srand(11);
	for (int i = 0; i < 200; i++) {
		struct store_txn txn;

		at[i] = naive;
		store_txn_init(&txn);
		random_txn(&txn, &naive);
		(void)store_fixture_commit(f->store, &txn, NULL);
		if (i == 100)
			conformance_reopen(f);
	}
	for (int i = 0; i < 200; i++) {
		struct replay replay = { .now = at[i] };

		assert_int_equal(replay_since(f->store, "", at[i].now, &replay), 0);
		assert_memory_equal(replay.now.value, naive.value, sizeof(naive.value));
		assert_int_equal(replay.now.now, naive.now);
	}
	assert_int_equal(replay_since(f->store, "odd/", 0, &odd), 0);
	for (int k = 0; k < KEYS; k++)
		assert_int_equal(odd.now.value[k], k % 2 ? naive.value[k] : 0);
	assert_int_equal(replay_since(f->store, "", naive.now + 1, &odd), -ESTALE);
}

static void old_history_is_forgotten(void **state)
{
	struct conformance *f = *state;
	struct replay replay = { .err = 0 };
	uint64_t rev = 0;

	store_subscribe(f->store, NULL, NULL);
	for (unsigned int i = 0; i < STORE_KEPT_REVISIONS + 5; i++) {
		struct store_txn txn;

		store_txn_init(&txn);
		store_txn_put(&txn, "even/0", "1");
		assert_int_equal(store_fixture_commit(f->store, &txn, &rev), 0);
	}
	assert_int_equal(rev, STORE_KEPT_REVISIONS + 5);
	assert_int_equal(replay_since(f->store, "", 4, &replay), -ESTALE);
	assert_int_equal(replay_since(f->store, "", 5, &replay), 0);
}

/* ---- order ------------------------------------------------------------------------------------------------- */

struct job {
	struct conformance *f;
	struct store_txn txn;
	struct store_history history;
	int place; /* among the reports, from 1; 0: not reported */
	int err;
	uint64_t rev;
	size_t changes;
	struct job *next; /* to be handed in when this one is reported */
};

static void on_job(void *ctx, int err, uint64_t rev)
{
	struct job *job = ctx;

	assert_int_equal(job->place, 0);
	job->place = ++job->f->order;
	job->err = err;
	job->rev = rev;
	store_txn_fini(&job->txn);
	if (job->next) {
		store_commit(job->f->store, &job->next->txn, on_job, job->next);
		assert_int_equal(job->next->place, 0);
	}
}

static void on_job_history(void *ctx, int err, const struct store_changes *changes)
{
	struct job *job = ctx;

	job->place = ++job->f->order;
	job->err = err;
	job->changes = changes->count;
}

static void job_init(struct job *job, struct conformance *f, const char *value, uint64_t expected)
{
	*job = (struct job){ .f = f };
	store_txn_init(&job->txn);
	store_txn_expect(&job->txn, "even/2", expected);
	store_txn_put(&job->txn, "even/2", value);
}

/* Nothing is reported from within the call; all is in the order in which it came; of two who expect the same one wins; and a
 * history has what came before it and nothing else */
static void order_is_kept(void **state)
{
	struct conformance *f = *state;
	struct job jobs[3], reader = { .f = f }, last;

	job_init(&jobs[0], f, "1", STORE_ABSENT);
	job_init(&jobs[1], f, "2", STORE_ABSENT);
	job_init(&jobs[2], f, "3", 1);
	job_init(&last, f, "4", 2);
	jobs[1].next = &last;
	store_commit(f->store, &jobs[0].txn, on_job, &jobs[0]);
	store_commit(f->store, &jobs[1].txn, on_job, &jobs[1]);
	store_changes(f->store, &reader.history, "", 0, on_job_history, &reader);
	store_commit(f->store, &jobs[2].txn, on_job, &jobs[2]);
	assert_int_equal(f->order, 0);
	while (f->order < 5)
		conformance_step(f);
	assert_int_equal(jobs[0].place, 1);
	assert_int_equal(jobs[0].err, 0);
	assert_int_equal(jobs[1].place, 2);
	assert_int_equal(jobs[1].err, -EAGAIN);
	assert_int_equal(reader.place, 3);
	assert_int_equal(reader.changes, 1);
	assert_int_equal(jobs[2].place, 4);
	assert_int_equal(jobs[2].rev, 2);
	assert_int_equal(last.place, 5);
	assert_int_equal(last.rev, 3);
	assert_int_equal(f->heard.value[2], 4);
}

/* What was handed in before the end is done, what comes after it is not, and both are reported */
static void closing_finishes(void **state)
{
	struct conformance *f = *state;
	struct job first, second;

	job_init(&first, f, "1", STORE_ABSENT);
	job_init(&second, f, "2", 1);
	first.next = &second;
	store_commit(f->store, &first.txn, on_job, &first);
	store_close(f->store);
	assert_int_equal(first.err, 0);
	assert_int_equal(second.err, -ECANCELED);
	f->store = NULL;
}

#define CONFORMANCE_TESTS(set_up, tear_down)                                                  \
	cmocka_unit_test_setup_teardown(naive_model_agrees, set_up, tear_down),               \
		cmocka_unit_test_setup_teardown(history_replays, set_up, tear_down),          \
		cmocka_unit_test_setup_teardown(old_history_is_forgotten, set_up, tear_down), \
		cmocka_unit_test_setup_teardown(order_is_kept, set_up, tear_down),            \
		cmocka_unit_test_setup_teardown(closing_finishes, set_up, tear_down)

#endif /* TESTS_STORE_CONFORMANCE_H */
