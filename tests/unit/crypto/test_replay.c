/*
 * test_replay.c - the window against a naive model that remembers everything
 */
#include "crypto/replay.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#define MODEL_COUNTERS 100000U

struct model {
	bool seen[MODEL_COUNTERS];
	uint32_t next;
	struct replay_stats stats;
};

static enum replay_result model_check(const struct model *model, uint32_t counter)
{
	if (counter < model->next && model->next - counter > REPLAY_WINDOW)
		return REPLAY_DROP_OLD;
	return model->seen[counter] ? REPLAY_DROP_DUPLICATE : REPLAY_OK;
}

static void model_mark(struct model *model, uint32_t counter)
{
	model->seen[counter] = true;
	model->stats.received++;
	if (counter < model->next)
		model->stats.reordered++;
	else
		model->next = counter + 1;
	model->stats.lost = 0;
	for (uint32_t i = 0; i < model->next; i++)
		model->stats.lost += !model->seen[i];
}

static void assert_stats(const struct replay *replay, const struct replay_stats *wanted)
{
	struct replay_stats got = replay_stats(replay);

	assert_int_equal(got.received, wanted->received);
	assert_int_equal(got.lost, wanted->lost);
	assert_int_equal(got.reordered, wanted->reordered);
	assert_int_equal(got.duplicates, wanted->duplicates);
}

/* A step from the newest counter: mostly small, sometimes around the window's and the words' edges */
static int64_t random_step(void)
{
	static const int64_t edges[] = { 1, 63, 64, 65, 2047, 2048, 2049, -1, -63, -64, -65, -2046, -2047, -2048, -2049,
		4096, 1984, -1984 };

	switch (random() % 8) {
	case 0:
		return edges[random() % (long)(sizeof(edges) / sizeof(edges[0]))];
	case 1:
		return random() % 5000 - 2500;
	case 2:
	case 3:
		return -(random() % 70);
	default:
		return random() % 3;
	}
}

static void against_the_model(void **state)
{
	struct model *model = malloc(sizeof(*model));
	struct replay replay;

	(void)state;
	assert_non_null(model);
	for (unsigned seed = 0; seed < 60; seed++) {
		srandom(seed);
		memset(model, 0, sizeof(*model));
		replay_init(&replay);
		for (int step = 0; step < 3000; step++) {
			int64_t at = (int64_t)model->next + random_step() - (random() % 2);
			uint32_t counter = at < 0 ? 0 : (uint32_t)at;
			enum replay_result wanted;
			bool newest = false;

			if (counter >= MODEL_COUNTERS)
				break;
			wanted = model_check(model, counter);
			assert_int_equal(replay_check(&replay, counter), wanted);
			model->stats.duplicates += wanted == REPLAY_DROP_DUPLICATE;
			if (random() % 10 == 0) /* as if it had not opened */
				continue;
			assert_int_equal(replay_mark(&replay, counter, &newest), wanted);
			model->stats.duplicates += wanted == REPLAY_DROP_DUPLICATE;
			if (wanted != REPLAY_OK)
				continue;
			assert_int_equal(newest, counter >= model->next);
			if (step % 16 == 0 || counter < model->next) {
				model_mark(model, counter);
				assert_stats(&replay, &model->stats);
			} else {
				model_mark(model, counter);
			}
		}
	}
	free(model);
}

static void in_order_and_again(void **state)
{
	struct replay replay;
	bool newest;

	(void)state;
	replay_init(&replay);
	for (uint32_t i = 0; i < 3 * REPLAY_WINDOW; i++) {
		assert_int_equal(replay_check(&replay, i), REPLAY_OK);
		assert_int_equal(replay_mark(&replay, i, &newest), REPLAY_OK);
		assert_true(newest);
		assert_int_equal(replay_check(&replay, i), REPLAY_DROP_DUPLICATE);
	}
	for (uint32_t i = 0; i < 3 * REPLAY_WINDOW; i++)
		assert_int_equal(replay_mark(&replay, i, &newest),
			i < 2 * REPLAY_WINDOW ? REPLAY_DROP_OLD : REPLAY_DROP_DUPLICATE);
	assert_int_equal(replay_stats(&replay).lost, 0);
	assert_int_equal(replay_stats(&replay).reordered, 0);
}

static void window_edges(void **state)
{
	struct replay replay;
	bool newest;

	(void)state;
	replay_init(&replay);
	assert_int_equal(replay_mark(&replay, REPLAY_WINDOW, &newest), REPLAY_OK);
	assert_int_equal(replay_mark(&replay, 0, &newest), REPLAY_DROP_OLD);
	assert_int_equal(replay_mark(&replay, 1, &newest), REPLAY_OK);
	assert_false(newest);
	assert_int_equal(replay_stats(&replay).lost, REPLAY_WINDOW - 1);
}

static void end_of_the_counter(void **state)
{
	struct replay replay;
	bool newest;

	(void)state;
	replay_init(&replay);
	assert_int_equal(replay_mark(&replay, UINT32_MAX - 1, &newest), REPLAY_OK);
	assert_int_equal(replay_mark(&replay, UINT32_MAX, &newest), REPLAY_OK);
	assert_true(newest);
	assert_int_equal(replay_mark(&replay, UINT32_MAX, &newest), REPLAY_DROP_DUPLICATE);
	assert_int_equal(replay_check(&replay, 0), REPLAY_DROP_OLD);
	assert_int_equal(replay_check(&replay, UINT32_MAX - REPLAY_WINDOW), REPLAY_DROP_OLD);
	assert_int_equal(replay_check(&replay, UINT32_MAX - REPLAY_WINDOW + 1), REPLAY_OK);
	assert_int_equal(replay_stats(&replay).lost, (uint64_t)UINT32_MAX + 1 - 2);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(against_the_model),
		cmocka_unit_test(in_order_and_again),
		cmocka_unit_test(window_edges),
		cmocka_unit_test(end_of_the_counter),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
