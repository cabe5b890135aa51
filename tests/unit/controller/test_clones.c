/*
 * test_clones.c - two machines are told from one that moves, and cost one revision
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "controller/clones.h"

static struct clones clones;
static time_t now;

static int begin(void **state)
{
	(void)state;
	clones = (struct clones){ 0 };
	now = 1700000000;
	return 0;
}

static struct endpoint address(uint8_t last, uint16_t port)
{
	struct endpoint endpoint = { .ip = { [10] = 0xff, [11] = 0xff, [12] = 192, [14] = 2, [15] = last },
		.port = port };

	return endpoint;
}

/* From a port that is another each time.  Return: whether it is news that there are two */
static bool watched(uint8_t last, bool taken)
{
	static uint16_t port = 30000;
	const struct endpoint from = address(last, port++);

	return clones_watched(&clones, &from, taken, now);
}

static bool may_learn(uint8_t last)
{
	const struct endpoint from = address(last, 4000);

	return clones_may_learn(&clones, &from, now);
}

static void back_and_forth_is_two_machines(void **state)
{
	char text[CLONES_TEXT_BYTES];

	(void)state;
	assert_false(watched(1, false));
	assert_false(watched(3, true));
	now += 3;
	assert_false(watched(1, true));
	assert_false(clones_shown(&clones, now));
	now += 3;
	assert_true(watched(3, true));
	assert_true(clones_shown(&clones, now));
	now += 3;
	assert_false(watched(1, true)); /* no news */
	clones_text(&clones, "h1", text);
	assert_string_equal(text,
		"two machines use h1's keys, at 192.0.2.3 and at 192.0.2.1: give one of them a name and keys of its own (weft "
		"token NAME, then weft join --force there)");
	assert_int_equal(clones.since, now - 3);
	now += CLONES_SHOWN_S;
	assert_false(clones_shown(&clones, now));
}

static void one_that_moves_or_reconnects_is_one(void **state)
{
	(void)state;
	for (int i = 0; i < 10; i++) {
		assert_false(watched(1, true)); /* from the same address, however often */
		now += 1;
	}
	for (int i = 0; i < 10; i++) {
		assert_false(watched((uint8_t)(1 + i % 2), false)); /* its own watch had ended */
		now += 1;
	}
	for (int i = 0; i < 10; i++) {
		assert_false(watched((uint8_t)(1 + i % 2), true)); /* a laptop between two networks, now and then */
		now += CLONES_WINDOW_S + 1;
	}
	assert_false(clones_shown(&clones, now));
}

static void an_address_is_not_learnt_back_and_forth(void **state)
{
	(void)state;
	assert_true(may_learn(1));
	assert_true(may_learn(3));
	for (int i = 0; i < CLONES_WINDOW_S; i++) {
		assert_false(may_learn(1));
		assert_true(may_learn(3));
		now++;
	}
	assert_true(may_learn(1)); /* it is back for good */
	assert_true(may_learn(7)); /* and goes elsewhere */
}

static void of_two_machines_none_is_learnt(void **state)
{
	(void)state;
	assert_true(may_learn(1));
	for (uint8_t i = 0; i < 4; i++)
		(void)!watched((uint8_t)(1 + i % 2), i > 0);
	assert_true(clones_shown(&clones, now));
	assert_false(may_learn(2));
	assert_true(may_learn(1));
	now += CLONES_SHOWN_S;
	assert_true(may_learn(2));
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup(name, begin)
	const struct CMUnitTest tests[] = {
		TEST(back_and_forth_is_two_machines),
		TEST(one_that_moves_or_reconnects_is_one),
		TEST(an_address_is_not_learnt_back_and_forth),
		TEST(of_two_machines_none_is_learnt),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
