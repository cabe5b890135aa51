/*
 * test_pmtu.c - the path MTU machine against simulated paths: every size, loss, shrinking, growing, outages, refusals
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "base/random.h"
#include "overlay/peer/pmtu.h"

#define HEADER_BYTES 28U
#define BASE_BYTES (PMTU_BASE_MTU - HEADER_BYTES)
#define RTT_MS 20U
#define TICK_MS 50U
#define ANSWER_MS 100U
#define IN_FLIGHT 64U

/* A path, and the caller that liveness.c is */
struct path {
	struct pmtu pmtu;
	struct instant now;
	uint32_t takes_bytes;   /* larger datagrams vanish */
	uint32_t refused_bytes; /* the kernel refuses from this size on; 0: none */
	uint32_t loss_percent;  /* of probes, and of answers */
	uint32_t rtt_ms;
	uint32_t answer_ms;
	uint32_t probes;
	struct {
		uint32_t bytes;
		struct instant at;
	} answers[IN_FLIGHT];
	uint32_t answers_count;
};

static void open_path(struct path *path, uint32_t route_mtu, uint32_t takes_bytes)
{
	memset(path, 0, sizeof(*path));
	path->now.ns = 1000000000;
	path->takes_bytes = takes_bytes;
	path->rtt_ms = RTT_MS;
	path->answer_ms = ANSWER_MS;
	pmtu_init(&path->pmtu, HEADER_BYTES, route_mtu, path->now);
}

static bool lost(const struct path *path)
{
	return random_u32() % 100 < path->loss_percent;
}

static void check(const struct path *path)
{
	assert_true(path->pmtu.works_bytes >= path->pmtu.base_bytes);
	assert_true(path->pmtu.works_bytes <= path->pmtu.limit_bytes);
	assert_true(path->pmtu.works_bytes < path->pmtu.fails_bytes);
}

static void send_probe(struct path *path, uint32_t bytes)
{
	assert_in_range(bytes, path->pmtu.base_bytes, path->pmtu.limit_bytes);
	path->probes++;
	if (path->refused_bytes && bytes >= path->refused_bytes) {
		pmtu_refused(&path->pmtu, bytes);
	} else if (bytes <= path->takes_bytes && !lost(path) && !lost(path)) {
		assert_true(path->answers_count < IN_FLIGHT);
		path->answers[path->answers_count].bytes = bytes;
		path->answers[path->answers_count++].at = instant_add_ms(path->now, path->rtt_ms);
	}
	check(path);
}

static void poll_once(struct path *path, bool busy)
{
	uint32_t bytes = pmtu_poll(&path->pmtu, busy, path->answer_ms, path->now);

	check(path);
	if (bytes)
		send_probe(path, bytes);
}

static void answer(struct path *path)
{
	for (uint32_t i = 0; i < path->answers_count;) {
		if (!instant_reached(path->now, path->answers[i].at)) {
			i++;
			continue;
		}
		pmtu_acked(&path->pmtu, path->answers[i].bytes, path->now);
		path->answers[i] = path->answers[--path->answers_count];
		check(path);
		poll_once(path, false);
	}
}

/* Return: the milliseconds until the search has ended, at most @ms */
static uint32_t run(struct path *path, uint32_t ms, bool busy, bool until_done)
{
	for (uint32_t at = 0; at < ms; at += 10) {
		answer(path);
		if (at % TICK_MS == 0)
			poll_once(path, busy);
		if (until_done && path->pmtu.state == PMTU_DONE && !path->pmtu.probe_bytes)
			return at;
		path->now = instant_add_ms(path->now, 10);
	}
	return ms;
}

static void assert_found(const struct path *path)
{
	uint32_t most = path->takes_bytes < path->pmtu.limit_bytes ? path->takes_bytes : path->pmtu.limit_bytes;

	assert_int_equal(path->pmtu.state, PMTU_DONE);
	assert_true(path->pmtu.works_bytes <= most);
	assert_true(path->pmtu.works_bytes + PMTU_STEP_BYTES > most);
}

static void every_size_is_found(void **state)
{
	(void)state;
	for (uint32_t mtu = PMTU_BASE_MTU; mtu <= PMTU_MAX_MTU; mtu += mtu < 1600 ? 1 : 37) {
		struct path path;

		open_path(&path, PMTU_MAX_MTU, mtu - HEADER_BYTES);
		run(&path, 60000, true, true);
		assert_found(&path);
		assert_true(
			path.probes <= 3 * 14 + 2); /* halving 8000 bytes down to 8, thrice each, and two favourites */
		open_path(&path, mtu, PMTU_MAX_MTU);
		assert_true(run(&path, 60000, true, true) <= TICK_MS + RTT_MS);
		assert_found(&path);
		assert_true(path.probes <= 1);
	}
}

static void the_favourites_end_the_search_soon(void **state)
{
	struct path path;

	(void)state;
	open_path(&path, 9000, 1472);
	pmtu_hint(&path.pmtu, 1400, path.now); /* above what works: no news */
	run(&path, 900, true, false);
	assert_int_equal(path.pmtu.works_bytes, 1472);
}

static void never_above_the_limit_nor_below_the_base(void **state)
{
	struct path path;

	(void)state;
	for (uint32_t mtu = 0; mtu <= 70000; mtu += 1 + random_u32() % 97) {
		open_path(&path, mtu, 100000);
		assert_in_range(path.pmtu.limit_bytes, BASE_BYTES, PMTU_MAX_MTU - HEADER_BYTES);
		run(&path, 2000, true, true);
		assert_found(&path);
		pmtu_acked(&path.pmtu, 65000, path.now); /* nobody asked that */
		check(&path);
	}
}

static void a_shrunk_path_is_left_at_once_and_found_anew(void **state)
{
	(void)state;
	for (int round = 0; round < 300; round++) {
		struct path path;

		open_path(&path, 9000, BASE_BYTES + 50 + random_u32() % 7600);
		run(&path, 60000, true, true);
		assert_found(&path);
		run(&path, random_u32() % 3000, true, false);
		path.takes_bytes = BASE_BYTES + random_u32() % 40;
		/* the next confirmation, three times unanswered, a tick late each */
		run(&path, PMTU_CONFIRM_MS + PMTU_TRIES * (ANSWER_MS + TICK_MS) + TICK_MS, true, false);
		assert_true(path.pmtu.works_bytes <= path.takes_bytes);
		run(&path, 60000, true, true);
		assert_found(&path);
	}
}

static void a_path_that_shrinks_during_a_search_is_left_too(void **state)
{
	(void)state;
	for (int round = 0; round < 300; round++) {
		struct path path;

		open_path(&path, 9000, BASE_BYTES + 600 + random_u32() % 7000);
		run(&path, random_u32() % 5000, true, false);
		path.takes_bytes = BASE_BYTES + random_u32() % 40;
		/* a size that is being tried comes to its end, then the same as ever */
		run(&path, PMTU_CONFIRM_MS + 2 * PMTU_TRIES * (ANSWER_MS + TICK_MS) + TICK_MS, true, false);
		assert_true(path.pmtu.works_bytes <= path.takes_bytes);
		run(&path, 60000, true, true);
		assert_found(&path);
	}
}

static void a_grown_path_is_found_within_a_minute_of_it(void **state)
{
	(void)state;
	for (int round = 0; round < 300; round++) {
		struct path path;

		open_path(&path, 9000, BASE_BYTES + random_u32() % 3000);
		run(&path, 60000, true, true);
		assert_found(&path);
		path.takes_bytes += random_u32() % 6000;
		run(&path, PMTU_RAISE_MS + 10000, round % 2, false);
		run(&path, 10000, false, true);
		assert_found(&path);
	}
}

static void loss_does_not_bring_it_down_for_long(void **state)
{
	uint64_t low_ms = 0, all_ms = 0;

	(void)state;
	for (int round = 0; round < 20; round++) {
		struct path path;

		open_path(&path, 1500, 1472);
		path.loss_percent = 5;
		for (uint32_t ms = 0; ms < 120000; ms += 50, all_ms += 50) {
			run(&path, 50, true, false);
			low_ms += path.pmtu.works_bytes < 1472 - PMTU_STEP_BYTES ? 50 : 0;
		}
	}
	assert_true(low_ms * 50 < all_ms);
}

static void an_outage_is_not_taken_for_a_small_path(void **state)
{
	(void)state;
	for (uint32_t outage_ms = 200; outage_ms <= 20000; outage_ms += 400) {
		struct path path;
		struct instant since;

		open_path(&path, 9000, 8000);
		run(&path, 60000, true, true);
		assert_found(&path);
		path.takes_bytes = 0;
		since = path.now;
		run(&path, outage_ms, true, false);
		path.takes_bytes = 8000;
		pmtu_revived(&path.pmtu, since, path.now);
		run(&path, 8000, true, false);
		run(&path, 8000, true, true);
		assert_found(&path);
	}
}

static void a_revival_without_failures_asks_nothing(void **state)
{
	struct path path;
	uint32_t probes;

	(void)state;
	open_path(&path, 9000, 1472);
	run(&path, 60000, true, true);
	path.now = instant_add_ms(path.now, 1000);
	probes = path.probes;
	pmtu_revived(&path.pmtu, path.now, path.now);
	run(&path, 5000, false, false);
	assert_int_equal(path.probes, probes);
}

/* The kernel's word costs no time: it says no before anything is sent */
static void refused_sizes_are_halved_too(void **state)
{
	(void)state;
	for (uint32_t refused = BASE_BYTES + 1; refused < 8972; refused += 1 + random_u32() % 50) {
		struct path path;

		open_path(&path, 9000, 100000);
		path.refused_bytes = refused;
		run(&path, 2000, true, true);
		assert_int_equal(path.pmtu.state, PMTU_DONE);
		assert_in_range(path.pmtu.works_bytes,
			refused > PMTU_STEP_BYTES + BASE_BYTES ? refused - PMTU_STEP_BYTES : BASE_BYTES, refused - 1);
		/* an interface whose MTU was lowered while data flows: a worker is told first */
		path.refused_bytes = BASE_BYTES + 1 + random_u32() % (refused - BASE_BYTES);
		pmtu_refused(&path.pmtu, path.pmtu.works_bytes);
		if (path.pmtu.works_bytes > path.refused_bytes)
			assert_int_equal(path.pmtu.works_bytes, BASE_BYTES);
		run(&path, 2000, true, true);
		assert_true(path.pmtu.works_bytes < path.refused_bytes);
	}
}

static void the_base_is_never_refused(void **state)
{
	struct path path;

	(void)state;
	open_path(&path, 1500, 1472);
	pmtu_refused(&path.pmtu, BASE_BYTES);
	pmtu_refused(&path.pmtu, 10);
	run(&path, 2000, true, true);
	assert_found(&path);
}

static void the_interface_changes(void **state)
{
	(void)state;
	for (int round = 0; round < 500; round++) {
		struct path path;
		uint32_t mtu;

		open_path(&path, 1280 + random_u32() % 8000, 100000);
		for (int change = 0; change < 10; change++) {
			run(&path, random_u32() % 3000, random_u32() % 2, false);
			mtu = 1200 + random_u32() % 9000;
			pmtu_route(&path.pmtu, mtu, path.now);
			check(&path);
		}
		run(&path, 60000, true, true);
		run(&path, 3000, true, true);
		assert_found(&path);
	}
}

static void a_hint_is_checked_and_tried(void **state)
{
	struct path path;
	uint32_t probes;

	(void)state;
	open_path(&path, 9000, 8972);
	run(&path, 60000, true, true);
	assert_int_equal(path.pmtu.works_bytes, 8972);
	probes = path.probes;
	pmtu_hint(&path.pmtu, 1400, path.now); /* a lie */
	run(&path, TICK_MS * 2, true, false);
	assert_int_equal(path.probes, probes + 1);
	assert_int_equal(path.pmtu.works_bytes, 8972);
	for (int i = 0; i < 100; i++) { /* a lie that is told again and again asks nothing more */
		pmtu_hint(&path.pmtu, 1400, path.now);
		path.now = instant_add_ms(path.now, 1);
		poll_once(&path, true);
	}
	assert_int_equal(path.probes, probes + 1);
	path.takes_bytes = 1333; /* the truth */
	pmtu_hint(&path.pmtu, 1333, path.now);
	run(&path, PMTU_TRIES * (ANSWER_MS + TICK_MS) * 2 + TICK_MS * 3, true, false);
	assert_int_equal(path.pmtu.works_bytes, 1333);
	assert_int_equal(path.pmtu.state, PMTU_DONE); /* it was right: no search for a little more */
	path.takes_bytes = 1430; /* but a raise does search, past the hint, confirming meanwhile what works */
	run(&path, PMTU_RAISE_MS + 10000, true, false);
	run(&path, 10000, false, true);
	assert_found(&path);
}

/* Long round trips: as long as the caller waits for them, the path does not flap */
static void a_far_peer(void **state)
{
	struct path path;

	(void)state;
	open_path(&path, 1500, 1472);
	path.rtt_ms = 700;
	path.answer_ms = 1500;
	run(&path, 3000, true, true);
	assert_found(&path);
	for (int i = 0; i < 1000; i++) {
		run(&path, 50, true, false);
		assert_int_equal(path.pmtu.works_bytes, 1472);
	}
}

static void idle_paths_ask_nothing(void **state)
{
	struct path path;
	uint32_t probes;

	(void)state;
	open_path(&path, 1500, 1472);
	run(&path, 3000, true, true);
	probes = path.probes;
	run(&path, 300000, false, false);
	assert_int_equal(path.probes, probes);
	assert_false(pmtu_is_urgent(&path.pmtu));
}

/* As long as nothing is acknowledged */
static void polls(struct pmtu *pmtu, struct instant *at, uint64_t ms)
{
	const struct instant until = instant_add_ms(*at, ms);

	for (; at->ns < until.ns; *at = instant_add_ms(*at, 50))
		(void)!pmtu_poll(pmtu, false, 150, *at);
}

static void a_path_that_does_not_take_the_base_is_too_small_until_it_does(void **state)
{
	struct instant at = { 1000000000ULL };
	struct pmtu pmtu;

	(void)state;
	pmtu_init(&pmtu, 28, 1500, at);
	polls(&pmtu, &at, 6000);
	assert_true(pmtu.too_small);
	assert_int_equal(pmtu.works_bytes, PMTU_BASE_MTU - 28);
	polls(&pmtu, &at, 60000);
	assert_true(pmtu.too_small);
	pmtu_acked(&pmtu, PMTU_BASE_MTU - 28, at);
	assert_false(pmtu.too_small);
	pmtu_init(&pmtu, 28, 1200, at); /* the interface says so itself */
	assert_int_equal(pmtu_poll(&pmtu, false, 150, at), PMTU_BASE_MTU - 28);
	pmtu_refused(&pmtu, PMTU_BASE_MTU - 28);
	polls(&pmtu, &at, 1000);
	assert_true(pmtu.too_small);
	pmtu_init(&pmtu, 28, 1280, at); /* one that is just large enough */
	assert_int_equal(pmtu_poll(&pmtu, false, 150, at), PMTU_BASE_MTU - 28);
	pmtu_acked(&pmtu, PMTU_BASE_MTU - 28, at);
	polls(&pmtu, &at, 10000);
	assert_false(pmtu.too_small);
	assert_int_equal(pmtu.state, PMTU_DONE);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_path_that_does_not_take_the_base_is_too_small_until_it_does),
		cmocka_unit_test(every_size_is_found),
		cmocka_unit_test(the_favourites_end_the_search_soon),
		cmocka_unit_test(never_above_the_limit_nor_below_the_base),
		cmocka_unit_test(a_shrunk_path_is_left_at_once_and_found_anew),
		cmocka_unit_test(a_path_that_shrinks_during_a_search_is_left_too),
		cmocka_unit_test(a_grown_path_is_found_within_a_minute_of_it),
		cmocka_unit_test(loss_does_not_bring_it_down_for_long),
		cmocka_unit_test(an_outage_is_not_taken_for_a_small_path),
		cmocka_unit_test(a_revival_without_failures_asks_nothing),
		cmocka_unit_test(refused_sizes_are_halved_too),
		cmocka_unit_test(the_base_is_never_refused),
		cmocka_unit_test(the_interface_changes),
		cmocka_unit_test(a_hint_is_checked_and_tried),
		cmocka_unit_test(a_far_peer),
		cmocka_unit_test(idle_paths_ask_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
