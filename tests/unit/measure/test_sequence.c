/*
 * test_sequence.c - loss, reordering and duplicates against what the RFCs say, and against a naive model
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "measure/sequence.h"

static struct sequence_counts counted(const uint32_t *counters, size_t count)
{
	struct sequence sequence;
	struct sequence_counts counts = { 0 };

	sequence_init(&sequence);
	for (size_t i = 0; i < count; i++)
		sequence_note(&sequence, counters[i], &counts);
	return counts;
}

#define COUNTED(...) \
	counted((const uint32_t[]){ __VA_ARGS__ }, sizeof((const uint32_t[]){ __VA_ARGS__ }) / sizeof(uint32_t))

static void assert_counts(struct sequence_counts counts, int64_t lost, uint64_t reordered, uint64_t duplicates)
{
	assert_int_equal(counts.lost, lost);
	assert_int_equal(counts.reordered, reordered);
	assert_int_equal(counts.duplicates, duplicates);
	assert_int_equal(counts.restarts, 0);
}

static void begins_in_the_middle(void **state)
{
	(void)state;
	assert_counts(COUNTED(4000000000U, 4000000001U, 4000000002U), 0, 0, 0);
	assert_counts(COUNTED(0), 0, 0, 0);
	/* what is late from before the beginning is no loss and takes none back */
	assert_counts(COUNTED(100, 98, 101), 0, 1, 0);
	assert_counts(COUNTED(100, 98, 98, 101), 0, 1, 1);
	assert_counts(COUNTED(100, 102, 98), 1, 1, 0);
}

static void lost_and_late(void **state)
{
	struct sequence_counts counts;

	(void)state;
	assert_counts(COUNTED(1, 2, 5), 2, 0, 0);
	assert_counts(COUNTED(1, 2, 5, 3), 1, 1, 0);
	assert_counts(COUNTED(1, 2, 5, 3, 4, 6), 0, 2, 0);
	counts = COUNTED(1, 2, 9, 3, 8);
	assert_int_equal(counts.farthest, 6);
	/* RFC 4737 section 4.4's kind of example: 1 2 3 7 8 9 10 4 5 6 11: three are reordered, nothing is lost */
	assert_counts(COUNTED(1, 2, 3, 7, 8, 9, 10, 4, 5, 6, 11), 0, 3, 0);
}

static void duplicated(void **state)
{
	(void)state;
	assert_counts(COUNTED(1, 1, 2, 2, 2, 1), 0, 0, 4);
	assert_counts(COUNTED(1, 3, 2, 2), 0, 1, 1);
}

static void wraps(void **state)
{
	(void)state;
	assert_counts(COUNTED(0xfffffffeU, 0xffffffffU, 0, 1), 0, 0, 0);
	assert_counts(COUNTED(0xfffffffeU, 1, 0xffffffffU), 1, 1, 0);
	assert_counts(COUNTED(0xfffffffeU, 1, 0xffffffffU, 0, 0), 0, 2, 1);
}

static void one_that_is_far_off_changes_nothing(void **state)
{
	struct sequence_counts counts = COUNTED(10, 11, 3000000000U, 12, 900000U, 13);

	(void)state;
	assert_counts(counts, 0, 0, 0);
	assert_int_equal(counts.strays, 2);
	counts = COUNTED(10, 11, 900000U, 900000U, 900000U, 12); /* a copy confirms nothing */
	assert_counts(counts, 0, 0, 0);
	assert_int_equal(counts.strays, 3);
}

static void restarts(void **state)
{
	struct sequence_counts counts = COUNTED(3000000, 3000001, 0, 1, 2, 4);

	(void)state;
	assert_int_equal(counts.restarts, 1);
	assert_int_equal(counts.lost, 1);
	assert_int_equal(counts.strays, 0);
	counts = COUNTED(5, 6, 3000000000U, 3000000001U, 3000000002U);
	assert_int_equal(counts.restarts, 1);
	assert_int_equal(counts.lost, 0);
}

static void outage(void **state)
{
	struct sequence_counts counts = COUNTED(1, 2, 100002, 100003, 100001);

	(void)state;
	assert_int_equal(counts.lost, 99998); /* 3..100000 */
	assert_int_equal(counts.restarts, 0);
	assert_int_equal(counts.strays, 0);
	assert_int_equal(counts.reordered, 1);
	counts = COUNTED(1, 1 + SEQUENCE_WINDOW); /* the largest step that is believed at once */
	assert_int_equal(counts.lost, SEQUENCE_WINDOW - 1);
	counts = COUNTED(1, 2 + SEQUENCE_WINDOW);
	assert_int_equal(counts.strays, 1);
	counts = COUNTED(0, SEQUENCE_GAP_MAX, SEQUENCE_GAP_MAX + 1);
	assert_int_equal(counts.lost, SEQUENCE_GAP_MAX - 1);
	counts = COUNTED(0, SEQUENCE_GAP_MAX + 1, SEQUENCE_GAP_MAX + 2);
	assert_int_equal(counts.lost, 0);
	assert_int_equal(counts.restarts, 1);
}

/* A path with random loss, duplication and displacement below the window; the model remembers everything */
static void agrees_with_a_naive_model(void **state)
{
	enum { COUNTERS = 200000 };
	static uint8_t seen[COUNTERS];

	(void)state;
	for (unsigned int seed = 1; seed <= 4; seed++) {
		struct sequence sequence;
		struct sequence_counts counts = { 0 }, naive = { 0 };
		uint32_t start = seed == 2 ? 0xffff0000U : seed * 77, first = 0, newest = 0;
		bool any = false;

		srandom(seed);
		sequence_init(&sequence);
		memset(seen, 0, sizeof(seen));
		for (uint32_t sent = 9000; sent + 9000 < COUNTERS; sent++) {
			uint32_t counter = sent;

			if (random() % 100 < 5)
				continue;
			if (random() % 100 < 10) /* an older one: late, or a copy */
				counter = sent - (uint32_t)random() % (seed == 3 ? 8000 : 60);
			sequence_note(&sequence, start + counter, &counts);
			if (!any)
				first = newest = counter;
			if (seen[counter]) {
				naive.duplicates++;
			} else if (any && counter < newest) {
				naive.reordered++;
				if (newest - counter > naive.farthest)
					naive.farthest = newest - counter;
			}
			seen[counter] = 1;
			if (counter > newest)
				newest = counter;
			any = true;
		}
		for (uint32_t c = first; c <= newest; c++)
			naive.lost += !seen[c];
		assert_int_equal(counts.lost, naive.lost);
		assert_int_equal(counts.reordered, naive.reordered);
		assert_int_equal(counts.duplicates, naive.duplicates);
		assert_int_equal(counts.farthest, naive.farthest);
		assert_int_equal(counts.strays, 0);
		assert_int_equal(counts.restarts, 0);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(begins_in_the_middle),
		cmocka_unit_test(lost_and_late),
		cmocka_unit_test(duplicated),
		cmocka_unit_test(wraps),
		cmocka_unit_test(one_that_is_far_off_changes_nothing),
		cmocka_unit_test(restarts),
		cmocka_unit_test(outage),
		cmocka_unit_test(agrees_with_a_naive_model),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
