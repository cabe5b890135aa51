/*
 * test_drops.c - every drop has a name of its own, and every module's results map to its own drops
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "overlay/peer/drops.h"

static void names_are_unique_and_plain(void **state)
{
	(void)state;
	for (int a = 0; a < DROPS; a++) {
		const char *name = drop_name((enum drop)a);

		assert_non_null(name);
		assert_true(strlen(name) > 3 && strlen(name) < 40);
		assert_int_equal(strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789-"), strlen(name));
		for (int b = 0; b < a; b++)
			assert_string_not_equal(name, drop_name((enum drop)b));
	}
	assert_string_equal(drop_name(DROPS), "?");
}

/* First, last and all between: the module's own list says which name belongs to which result */
#define CHECK(name, text, why) assert_string_equal(drop_name(MAP(RESULT(name))), text);

static void results_map_to_their_names(void **state)
{
	(void)state;
#define MAP drop_gre
#define RESULT(name) GRE_DROP_##name
	GRE_DROPS(CHECK)
#undef MAP
#undef RESULT
#define MAP drop_record
#define RESULT(name) RECORD_DROP_##name
	RECORD_DROPS(CHECK)
#undef MAP
#undef RESULT
#define MAP drop_replay
#define RESULT(name) REPLAY_DROP_##name
	REPLAY_DROPS(CHECK)
#undef MAP
#undef RESULT
#define MAP drop_segment
#define RESULT(name) SEGMENT_DROP_##name
	SEGMENT_DROPS(CHECK)
#undef MAP
#undef RESULT
#define MAP drop_coalesce
#define RESULT(name) COALESCE_DROP_##name
	COALESCE_DROPS(CHECK)
#undef MAP
#undef RESULT
#define MAP drop_fragment
#define RESULT(name) FRAGMENT_DROP_##name
	FRAGMENT_DROPS(CHECK)
#undef MAP
#undef RESULT
#define MAP drop_fdb
#define RESULT(name) FDB_##name
	FDB_DROPS(CHECK)
#undef MAP
#undef RESULT
#define MAP drop_switch
#define RESULT(name) SWITCH_DROP_##name
	SWITCH_DROPS(CHECK)
#undef MAP
#undef RESULT
#define MAP drop_tap
#define RESULT(name) TAP_DROP_##name
	TAP_DROPS(CHECK)
#undef MAP
#undef RESULT
#define MAP drop_handshake
#define RESULT(name) HANDSHAKE_DROP_##name
	HANDSHAKE_DROPS(CHECK)
#undef MAP
#undef RESULT
}

/* One module's numbers begin where the last one's end, and none is left over */
static void every_number_is_somebodys(void **state)
{
	int next = DROP_FIRST_GRE;

	(void)state;
#define M(module, MODULE)                                                          \
	assert_int_equal(DROP_FIRST_##MODULE, next);                               \
	assert_int_equal(drop_##module(MODULE##_RESULTS - 1), DROP_LAST_##MODULE); \
	next = DROP_LAST_##MODULE + 1;
	DROP_MODULES(M)
#undef M
	assert_int_equal(next, DROPS);
}

static void counting(void **state)
{
	static struct drops drops;

	(void)state;
	drops_count(&drops, DROP_UDP_FULL, 3);
	drops_count(&drops, DROP_UDP_FULL, 4);
	for (int drop = 0; drop < DROPS; drop++)
		assert_int_equal(counter_read(&drops.count[drop]), drop == DROP_UDP_FULL ? 7 : 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(names_are_unique_and_plain),
		cmocka_unit_test(results_map_to_their_names),
		cmocka_unit_test(every_number_is_somebodys),
		cmocka_unit_test(counting),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
