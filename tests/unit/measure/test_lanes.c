/*
 * test_lanes.c - the bounded table against a naive model, at random
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "measure/lanes.h"

enum { MAX = 16, KEYS = 40 };

static struct lane_key key_of(unsigned int n)
{
	struct lane_key key = { .session = n / 8, .lane = (uint8_t)(n % 4), .kind = n % 8 / 4 };

	key.src.ip[15] = (uint8_t)(n / 20);
	key.dst.port = (uint16_t)(n % 3);
	return key;
}

/* The model: keys in use, oldest first, each with its count */
struct model {
	unsigned int keys[MAX];
	uint64_t datagrams[KEYS];
	size_t count;
	uint64_t gone;
	uint64_t evicted;
};

static void model_touch(struct model *model, unsigned int key)
{
	size_t at = 0;

	while (at < model->count && model->keys[at] != key)
		at++;
	if (at == model->count && model->count == MAX) {
		model->gone += model->datagrams[model->keys[0]];
		model->datagrams[model->keys[0]] = 0;
		model->evicted++;
		at = 0;
	}
	if (at == model->count) {
		model->count++;
	} else {
		memmove(&model->keys[at], &model->keys[at + 1], (model->count - at - 1) * sizeof(model->keys[0]));
	}
	model->keys[model->count - 1] = key;
	model->datagrams[key]++;
}

static void assert_agree(struct lanes *lanes, const struct model *model)
{
	struct lane *const *sorted;
	size_t count, found = 0;

	sorted = lanes_sorted(lanes, &count);
	assert_int_equal(count, model->count);
	assert_int_equal(lanes_evicted(lanes), model->evicted);
	assert_int_equal(lanes_gone(lanes)->datagrams, model->gone);
	for (size_t i = 0; i < count; i++) {
		for (size_t k = 0; k < model->count; k++) {
			struct lane_key key = key_of(model->keys[k]);

			if (memcmp(&key, &sorted[i]->key, sizeof(key)) == 0) {
				assert_int_equal(sorted[i]->total.datagrams, model->datagrams[model->keys[k]]);
				found++;
			}
		}
	}
	assert_int_equal(found, count);
}

static void agrees_with_a_naive_model(void **state)
{
	struct lanes *lanes = lanes_new(MAX);
	struct model model = { 0 };

	(void)state;
	assert_non_null(lanes);
	srandom(5);
	for (unsigned int i = 0; i < 20000; i++) {
		unsigned int n = (unsigned int)random() % (i % 1000 < 500 ? KEYS : MAX);
		struct lane_key key = key_of(n);
		struct lane *lane = lanes_touch(lanes, &key, (struct instant){ i + 1 });

		lane->total.datagrams++;
		assert_int_equal(lane->last.ns, i + 1);
		model_touch(&model, n);
		if (i % 97 == 0 || i < 200)
			assert_agree(lanes, &model);
	}
	lanes_free(lanes);
	lanes_free(NULL);
}

static void sorts_by_direction_then_session(void **state)
{
	struct lanes *lanes = lanes_new(MAX);
	struct lane *const *sorted;
	size_t count;

	(void)state;
	for (unsigned int n = MAX; n-- > 0;) {
		struct lane_key key = { .session = n % 4, .lane = (uint8_t)(n / 8) };

		key.src.port = n % 8 / 4 ? 2 : 1;
		(void)lanes_touch(lanes, &key, (struct instant){ 1 });
	}
	sorted = lanes_sorted(lanes, &count);
	assert_int_equal(count, MAX);
	for (size_t i = 0; i < count; i++) {
		assert_int_equal(sorted[i]->key.src.port, i < 8 ? 1 : 2);
		assert_int_equal(sorted[i]->key.session, i / 2 % 4);
		assert_int_equal(sorted[i]->key.lane, i % 2);
	}
	lanes_free(lanes);
}

static void marks_and_differences(void **state)
{
	struct lanes *lanes = lanes_new(MAX);
	struct lane_key key = key_of(1);
	struct lane *lane = lanes_touch(lanes, &key, (struct instant){ 1 });
	struct tally since, sum = { 0 };

	(void)state;
	lane->total = (struct tally){ .datagrams = 10,
		.bytes = 100,
		.payload_bytes = 90,
		.sequence = { .lost = 5, .reordered = 1, .duplicates = 2, .strays = 1, .restarts = 0, .farthest = 7 } };
	lanes_mark(lanes);
	lane->total.datagrams = 13;
	lane->total.sequence.lost = 3; /* two came late */
	lane->total.sequence.strays = 0;
	since = tally_since(&lane->total, &lane->mark);
	assert_int_equal(since.datagrams, 3);
	assert_int_equal(since.bytes, 0);
	assert_int_equal(since.sequence.lost, -2);
	assert_int_equal(since.sequence.strays, -1);
	tally_add(&sum, &lane->mark);
	tally_add(&sum, &since);
	assert_memory_equal(&sum, &lane->total, sizeof(sum));
	lanes_free(lanes);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(agrees_with_a_naive_model),
		cmocka_unit_test(sorts_by_direction_then_session),
		cmocka_unit_test(marks_and_differences),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
