/*
 * test_opening.c - ports that cannot be opened, break, and are tried again, each alone
 */
#include "tests/unit/overlay/agent/core_rig.h"

static void a_broken_port_is_retried_alone(void **state)
{
	const struct fdb_key claimed = { .network = 17, .mac = { { 0x52, 0x54, 0, 0, 0, 2 } } };
	struct vport *one;
	unsigned int publishes, opens;
	struct pin *pins;

	(void)state;
	snprintf(around.refused, sizeof(around.refused), "/p003");
	apply(three_ports(1));
	assert_true(is_up(1) && is_up(2) && !is_up(3));
	assert_string_equal(reported_of("p003"), "there is no weft lab/p003");
	assert_string_equal(reported("applied"), "abc001");
	one = port(1)->open;
	publishes = around.publishes;
	opens = around.opens;
	pins = core->pins.items;
	for (unsigned int i = 0; i < 60; i++) {
		later(1000);
		assert_int_equal(fdb_learn(fdb, &claimed, (struct fdb_location){ FDB_PEER, 2 }, around.now),
			FDB_STATIC);
	}
	assert_true(around.opens > opens + 8 && around.opens < opens + 20); /* 0.5, 1, 2, 4, 5, 5 ... seconds */
	assert_int_equal(around.publishes, publishes);
	assert_ptr_equal(core->pins.items, pins);
	assert_true(pinned(17, "52:54:00:00:00:03"));
	assert_ptr_equal(port(1)->open, one);
	assert_int_equal(around.closes, 0);

	around.refused[0] = '\0';
	later(5000);
	assert_int_equal(around.publishes, publishes + 1);
	all_turns();
	assert_true(is_up(3));
	assert_null(json_object_get(around.report, "errors"));
	assert_ptr_equal(port(1)->open, one);
	assert_ptr_equal(core->pins.items, pins);
}

static void a_lost_device_is_opened_anew(void **state)
{
	struct vport *two;

	(void)state;
	apply(three_ports(1));
	two = port(2)->open;
	around.lost = port(1)->open->tap;
	core_links_changed(core, around.now);
	assert_string_equal(reported_of("p001"), "the device was deleted");
	around.lost = NULL; /* the next may lie where it lay */
	later(0);
	assert_int_equal(around.opens, 3); /* it has to be closed first */
	all_turns();
	assert_int_equal(around.opens, 4);
	assert_true(is_up(1) && pinned(17, "52:54:00:00:00:01"));
	assert_ptr_equal(port(2)->open, two);
	assert_null(json_object_get(around.report, "errors"));
}

static void links_that_come_end_the_wait(void **state)
{
	(void)state;
	snprintf(around.refused, sizeof(around.refused), "/p003");
	apply(three_ports(1));
	for (int i = 0; i < 10; i++)
		later(5000);
	around.refused[0] = '\0';
	core_links_changed(core, around.now);
	all_turns();
	assert_true(is_up(3));
}

/* A port that cannot be opened may make and lose a device at each try, which the kernel tells of: it keeps to its intervals */
static void its_own_noise_is_no_reason_to_try(void **state)
{
	unsigned int opens;

	(void)state;
	snprintf(around.refused, sizeof(around.refused), "/p003");
	apply(three_ports(1));
	opens = around.opens;
	around.same_links = true;
	for (int i = 0; i < 10; i++)
		core_links_changed(core, around.now);
	assert_int_equal(around.opens, opens);
	later(CORE_RETRY_MAX_MS);
	assert_int_equal(around.opens, opens + 1);
	around.same_links = false;
	core_links_changed(core, around.now);
	assert_int_equal(around.opens, opens + 2);
}

static void an_mtu_that_cannot_be(void **state)
{
	json_t *document = three_ports(2);

	(void)state;
	apply(three_ports(1));
	json_object_set_new(json_array_get(json_object_get(document, "networks"), 0), "mtu", json_integer(9000));
	apply(document);
	assert_non_null(strstr(reported_of("p001"), "9000"));
	assert_false(is_up(1));
}

/* Only another document can mend it */
static void nonsense_is_not_tried_again(void **state)
{
	json_t *document = three_ports(1), *mended = three_ports(2);

	(void)state;
	document_add_port(document, 4, 17, "nonsense");
	document_add_port(mended, 4, 17, "memory");
	apply(document);
	assert_non_null(strstr(reported_of("p004"), "nonsense"));
	for (int i = 0; i < 20; i++)
		later(CORE_RETRY_MAX_MS);
	assert_int_equal(around.opens, 3);
	assert_false(is_up(4));
	apply(mended);
	assert_true(is_up(4));
	assert_null(json_object_get(around.report, "errors"));
}

static void another_mtu_leaves_ports_open(void **state)
{
	json_t *document = three_ports(2);
	struct vport *one;

	(void)state;
	apply(three_ports(1));
	one = port(1)->open;
	assert_int_equal(port(1)->mtu_bytes, 1500);
	json_object_set_new(json_array_get(json_object_get(document, "networks"), 0), "mtu", json_integer(1400));
	apply(document);
	assert_int_equal(port(1)->mtu_bytes, 1400);
	assert_ptr_equal(port(1)->open, one);
	assert_int_equal(around.opens, 3);
	assert_int_equal(around.closes, 0);
}

/* Since when it fails, and not since when it failed last */
static void an_error_has_its_beginning(void **state)
{
	struct instant since;

	(void)state;
	snprintf(around.refused, sizeof(around.refused), "/p003");
	apply(three_ports(1));
	since = port(3)->error_since;
	assert_int_equal(since.ns, around.now.ns);
	for (int i = 0; i < 10; i++)
		later(CORE_RETRY_MAX_MS);
	assert_true(port(3)->failures > 5);
	assert_int_equal(port(3)->error_since.ns, since.ns);
	around.refused[0] = '\0';
	later(CORE_RETRY_MAX_MS);
	all_turns();
	assert_int_equal(port(3)->failures, 0);
	around.lost = port(3)->open->tap;
	core_links_changed(core, around.now);
	assert_int_equal(port(3)->error_since.ns, around.now.ns);
	around.lost = NULL;
	all_turns();
}

static enum port_state state_of(uint32_t id)
{
	return port_state(port(id), core->forwarding);
}

/* Open, and not well: it stays open, says why, and is up again when that is gone */
static void an_open_port_says_what_it_lacks(void **state)
{
	struct vport *one;

	(void)state;
	apply(three_ports(1));
	one = port(1)->open;
	assert_int_equal(state_of(1), PORT_UP);
	around.ailing = one->tap;
	around.health = TAP_DOWN;
	core_links_changed(core, around.now);
	assert_int_equal(state_of(1), PORT_DOWN);
	assert_string_equal(reported_of("p001"), "it is ill");
	assert_int_equal(port(1)->error_since.ns, around.now.ns);
	assert_int_equal(state_of(2), PORT_UP);
	around.health = TAP_LIMITED;
	core_links_changed(core, around.now);
	assert_int_equal(state_of(1), PORT_LIMITED);
	around.health = TAP_UP;
	core_links_changed(core, around.now);
	assert_int_equal(state_of(1), PORT_UP);
	assert_null(json_object_get(around.report, "errors"));
	assert_ptr_equal(port(1)->open, one);
	assert_int_equal(around.opens, 3);
}

/* Before it is said to be applied, and with one look for all */
static void a_new_port_is_looked_at_first(void **state)
{
	(void)state;
	give(three_ports(1));
	assert_int_equal(state_of(1), PORT_STARTING);
	assert_int_equal(around.looks, 1);
	all_turns();
	assert_int_equal(around.looks, 1);
}

static void nothing_is_wrong_where_nothing_is_seen(void **state)
{
	(void)state;
	around.blind = true;
	apply(three_ports(1));
	assert_int_equal(state_of(1), PORT_UP);
	around.ailing = port(1)->open->tap;
	around.health = TAP_DOWN;
	core_links_changed(core, around.now);
	assert_int_equal(state_of(1), PORT_UP);
	around.blind = false;
	later(1);
	assert_int_equal(state_of(1), PORT_DOWN);
}

static void what_nobody_tells_of_is_looked_for(void **state)
{
	(void)state;
	apply(three_ports(1));
	around.ailing = port(1)->open->tap;
	around.health = TAP_LIMITED;
	later(CORE_LOOK_MS);
	assert_int_equal(state_of(1), PORT_UP); /* nothing has changed as far as is known */
	around.quietly = true;
	later(CORE_LOOK_MS);
	assert_int_equal(state_of(1), PORT_LIMITED);
	around.health = TAP_UP;
	core_port_gone(core, port(1)->slot); /* a worker says so: it is looked at, and decided by what is seen */
	later(1);
	assert_int_equal(state_of(1), PORT_UP);
	core_port_gone(core, 400); /* mail of a port that has left since */
}

/* Lost again and again, it is opened at once only the first time */
static void a_device_that_is_always_lost_is_no_loop(void **state)
{
	unsigned int opens;

	(void)state;
	apply(three_ports(1));
	opens = around.opens;
	around.all_lost = true;
	core_port_gone(core, port(1)->slot);
	for (int i = 0; i < 1000; i++) {
		later(10);
		all_turns();
	}
	assert_true(around.opens - opens > 1);
	assert_true(around.opens - opens < 3 * 10);
}

/* It moved there, say, and its lab was not told */
static void a_declared_address_that_speaks_elsewhere(void **state)
{
	const struct fdb_key of_two = { .network = 17, .mac = { { 0x52, 0x54, 0, 0, 0, 2 } } },
			     of_nobody = { .network = 17, .mac = { { 0x52, 0x54, 0, 0, 0, 9 } } };

	(void)state;
	apply(three_ports(1));
	core_declared(core, port(1)->slot, &of_nobody, around.now);
	later(1);
	assert_int_equal(state_of(1), PORT_UP);
	core_declared(core, port(1)->slot, &of_two, around.now);
	later(1);
	assert_int_equal(state_of(1), PORT_LIMITED);
	assert_non_null(strstr(reported_of("p001"),
		"52:54:00:00:00:02 is declared on port lab/p002 of this host and speaks here"));
	assert_int_equal(state_of(2), PORT_UP);
	later(CORE_DECLARED_MS / 2);
	core_declared(core, port(1)->slot, &of_two, around.now); /* it goes on */
	later(CORE_DECLARED_MS / 2 + 1000);
	assert_int_equal(state_of(1), PORT_LIMITED);
	later(CORE_DECLARED_MS / 2);
	later(CORE_LOOK_MS);
	assert_int_equal(state_of(1), PORT_UP);
	assert_null(json_object_get(around.report, "errors"));
	core_declared(core, 400, &of_two, around.now); /* mail of a port that has left since */
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_broken_port_is_retried_alone),
		TEST(a_lost_device_is_opened_anew),
		TEST(links_that_come_end_the_wait),
		TEST(its_own_noise_is_no_reason_to_try),
		TEST(an_mtu_that_cannot_be),
		TEST(nonsense_is_not_tried_again),
		TEST(another_mtu_leaves_ports_open),
		TEST(an_error_has_its_beginning),
		TEST(an_open_port_says_what_it_lacks),
		TEST(a_new_port_is_looked_at_first),
		TEST(nothing_is_wrong_where_nothing_is_seen),
		TEST(what_nobody_tells_of_is_looked_for),
		TEST(a_device_that_is_always_lost_is_no_loop),
		TEST(a_declared_address_that_speaks_elsewhere),
	};

	return run_rigged("opening", tests, sizeof(tests) / sizeof(tests[0]));
}
