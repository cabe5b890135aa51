/*
 * test_train.c - random records and datagrams against the rules of UDP_SEGMENT: equal sizes, only the last shorter
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "encap/train.h"

static uint8_t memory[TRAIN_BYTES_MAX];

/* What the test knows of the datagrams that it put in */
struct model {
	uint32_t sizes[TRAIN_DATAGRAMS_MAX];
	uint32_t count;
	uint32_t total;
};

static void check(const struct train *train, const struct model *model)
{
	assert_int_equal(train->datagrams, model->count);
	assert_int_equal(train->used_bytes, model->total);
	for (uint32_t i = 0; i < model->count; i++) {
		assert_true(model->sizes[i] <= train->limit_bytes);
		if (i + 1 < model->count)
			assert_int_equal(model->sizes[i], train->segment_bytes);
		else
			assert_true(model->sizes[i] <= train->segment_bytes);
	}
}

static void note(struct model *model, uint32_t bytes)
{
	model->sizes[model->count++] = bytes;
	model->total += bytes;
}

static void close_open(struct train *train, struct model *model)
{
	uint32_t plain_bytes;
	uint8_t *datagram = train_open(train, &plain_bytes);

	if (!datagram)
		return;
	assert_ptr_equal(datagram, memory + model->total);
	train_close(train);
	note(model, plain_bytes + TRAIN_OVERHEAD_BYTES);
}

static void random_operations(void **state)
{
	(void)state;
	srand(4754);
	for (int round = 0; round < 2000; round++) {
		uint32_t limit = TRAIN_OVERHEAD_BYTES + 1 + (uint32_t)rand() % 9000;
		uint32_t datagrams = 1 + (uint32_t)rand() % TRAIN_DATAGRAMS_MAX;
		struct model model = { .count = 0 };
		struct train train;

		train_begin(&train, memory, limit, datagrams);
		for (int op = 0; op < 200; op++) {
			uint32_t most = limit - TRAIN_OVERHEAD_BYTES, bytes = 1 + (uint32_t)rand() % most;

			if (rand() % 4 == 0) {
				close_open(&train, &model);
				if (train_place(&train, bytes + TRAIN_OVERHEAD_BYTES))
					note(&model, bytes + TRAIN_OVERHEAD_BYTES);
			} else {
				uint8_t *at = train_record(&train, bytes / 8 + 1);

				if (at) {
					assert_true(at >= memory + model.total + TRAIN_HEADER_BYTES);
					memset(at, 0xa5, bytes / 8 + 1);
				} else {
					close_open(&train, &model);
				}
			}
			check(&train, &model);
			assert_true(model.count <= datagrams);
		}
		close_open(&train, &model);
		check(&train, &model);
		assert_true(model.total <= TRAIN_BYTES_MAX);
	}
}

static void a_bundle_is_filled_up_only_where_little_lacks(void **state)
{
	struct train train;
	uint32_t plain_bytes;
	uint8_t *datagram;

	(void)state;
	train_begin(&train, memory, 1472, 64);
	assert_non_null(train_place(&train, 1000));
	memset(memory, 0xff, sizeof(memory));
	assert_non_null(train_record(&train, 900));
	datagram = train_open(&train, &plain_bytes);
	assert_int_equal(plain_bytes + TRAIN_OVERHEAD_BYTES, 1000);
	for (uint32_t at = 900; at < plain_bytes; at++)
		assert_int_equal(datagram[TRAIN_HEADER_BYTES + at], 0);
	train_close(&train);
	assert_false(train.ended);
	assert_non_null(train_record(&train, 500));
	assert_non_null(train_open(&train, &plain_bytes));
	assert_int_equal(plain_bytes, 500);
	train_close(&train);
	assert_true(train.ended);
	assert_null(train_record(&train, 1));
	assert_null(train_place(&train, TRAIN_OVERHEAD_BYTES));
}

static bool is_empty(const struct train *train)
{
	return train->datagrams == 0 && train->open_bytes == 0;
}

static void what_could_not_be_sealed_leaves_no_trace(void **state)
{
	struct train train;
	uint32_t plain_bytes;

	(void)state;
	train_begin(&train, memory, 1472, 64);
	assert_true(is_empty(&train));
	assert_non_null(train_record(&train, 100));
	assert_false(is_empty(&train));
	assert_non_null(train_open(&train, &plain_bytes));
	train_abandon(&train);
	assert_true(is_empty(&train));
	assert_null(train_open(&train, &plain_bytes));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(random_operations),
		cmocka_unit_test(a_bundle_is_filled_up_only_where_little_lacks),
		cmocka_unit_test(what_could_not_be_sealed_leaves_no_trace),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
