/*
 * test_paths.c - which path is in use, what is known of it, and which one makes room
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "overlay/peer/paths.h"

static struct paths paths;
static struct instant now;

static struct endpoint address(uint8_t last)
{
	struct endpoint endpoint;

	assert_true(endpoint_parse("192.0.2.1", 4754, &endpoint));
	endpoint.ip[15] = last;
	return endpoint;
}

static int begin(void **state)
{
	(void)state;
	memset(&paths, 0, sizeof(paths));
	now = (struct instant){ 1000000000ULL };
	return 0;
}

static struct peer_path *use(uint8_t last)
{
	struct endpoint endpoint = address(last);

	now = instant_add_ms(now, 1);
	return paths_use(&paths, PATH_DIRECT, &endpoint, 1500, now);
}

static bool knows(uint8_t last)
{
	struct endpoint endpoint = address(last);

	for (uint32_t i = 0; i < paths.count; i++)
		if (endpoint_equal(&paths.path[i].endpoint, &endpoint))
			return true;
	return false;
}

static void one_is_in_use(void **state)
{
	struct peer_path *first, *second;

	(void)state;
	assert_null(paths_in_use(&paths));
	first = use(1);
	assert_ptr_equal(paths_in_use(&paths), first);
	assert_int_equal(first->state, PATH_TRYING);
	assert_int_equal(first->pmtu.limit_bytes, 1500 - 28);
	second = use(2);
	assert_ptr_equal(paths_in_use(&paths), second);
	assert_int_equal(first->state, PATH_IDLE);
	assert_ptr_equal(use(1), first);
	assert_int_equal(paths.count, 2);
	assert_int_equal(second->state, PATH_IDLE);
	assert_int_equal(first->state, PATH_TRYING); /* it begins anew */
}

static void the_one_used_longest_ago_makes_room(void **state)
{
	(void)state;
	for (uint8_t last = 1; last <= PATHS_MAX; last++)
		use(last);
	use(1);
	use(9);
	assert_int_equal(paths.count, PATHS_MAX);
	assert_true(knows(1) && knows(9));
	assert_false(knows(2));
	for (uint8_t last = 20; last < 60; last++) {
		struct peer_path *in_use = use(last);

		assert_ptr_equal(paths_in_use(&paths), in_use);
		assert_true(knows((uint8_t)(last - 1)) || last == 20);
		assert_int_equal(paths.count, PATHS_MAX);
	}
}

static void answers_make_it_good_and_silence_lost(void **state)
{
	struct peer_path *path;
	struct instant sent;

	(void)state;
	path = use(1);
	assert_int_equal(path_answer_ms(path), PATHS_ANSWER_MAX_MS);
	sent = now;
	path_probed(path, now);
	now = instant_add_ms(now, 20);
	path_acked(path, sent, now);
	assert_int_equal(path->state, PATH_GOOD);
	assert_int_equal(path->since.ns, now.ns);
	assert_int_equal(path->rtt_us, 20000);
	assert_int_equal(path_answer_ms(path), PATHS_ANSWER_MIN_MS);
	assert_int_equal(path->loss_permille, 0);
	path_probed(path, now);
	assert_int_equal(path->state, PATH_GOOD);
	path_probed(path, instant_add_ms(now, 1000));
	assert_int_equal(path->state, PATH_LOST);
	assert_int_equal(path->loss_permille, 125);
	path_acked(path, sent, instant_add_ms(now, 1100)); /* an old one, late */
	assert_int_equal(path->state, PATH_GOOD);
	assert_int_not_equal(path->asked_at.ns, 0); /* the last is still out */
}

static void loss_is_an_average(void **state)
{
	struct peer_path *path;

	(void)state;
	path = use(1);
	for (int i = 0; i < 400; i++) {
		struct instant sent = now;

		path_probed(path, now);
		now = instant_add_ms(now, 1000);
		if (i % 4)
			path_acked(path, sent, instant_add_ms(sent, 40));
	}
	assert_in_range(path->loss_permille, 100, 400);
	assert_in_range(path->rtt_us, 39000, 41000);
}

static void a_token_of_the_future_is_not_believed(void **state)
{
	struct peer_path *path;

	(void)state;
	path = use(1);
	path_acked(path, instant_add_ms(now, 1), now);
	assert_int_equal(path->state, PATH_TRYING);
	assert_int_equal(path->rtt_us, 0);
}

static void names_are_there(void **state)
{
	(void)state;
	assert_string_equal(path_kind_name(PATH_DIRECT), "direct");
	assert_string_equal(path_state_name(PATH_LOST), "lost");
	assert_string_equal(path_state_name(PATH_STATES_COUNT), "?");
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup(name, begin)
	const struct CMUnitTest tests[] = {
		TEST(one_is_in_use),
		TEST(the_one_used_longest_ago_makes_room),
		TEST(answers_make_it_good_and_silence_lost),
		TEST(loss_is_an_average),
		TEST(a_token_of_the_future_is_not_believed),
		TEST(names_are_there),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
