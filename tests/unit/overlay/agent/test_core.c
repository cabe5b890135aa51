/*
 * test_core.c - when ports and snapshots come, fail, leave and are tried again
 */
#include "tests/unit/overlay/agent/core_rig.h"

static void applied_is_what_the_workers_have(void **state)
{
	(void)state;
	give(three_ports(1));
	assert_int_equal(around.opens, 3);
	assert_string_equal(reported("applied"), ""); /* published, not taken up yet */
	assert_false(is_up(1));
	workers_turn();
	assert_string_equal(reported("applied"), "abc001");
	assert_int_equal(json_integer_value(json_object_get(around.report, "rev")), 1);
	assert_null(json_object_get(around.report, "error"));
	assert_true(is_up(1) && is_up(2) && is_up(3));
}

static void a_queue_that_a_worker_cannot_take_up(void **state)
{
	(void)state;
	give(three_ports(1));
	around.faults.faults[0] = (struct attach_fault){ .slot = port(2)->slot, .worker = 1, .err = -ENOMEM };
	around.faults.count = 1;
	workers_turn();
	assert_string_equal(reported("applied"), ""); /* it is on its way out */
	assert_non_null(around.coming);
	all_turns();
	assert_string_equal(reported("applied"), "abc001");
	assert_non_null(strstr(reported_of("p002"), "worker 1"));
	assert_true(is_up(1) && !is_up(2) && is_up(3));
	assert_int_equal(around.closes, 1);
	later(CORE_RETRY_MIN_MS + 1);
	all_turns();
	assert_true(is_up(2));
	assert_null(json_object_get(around.report, "errors"));
	assert_int_equal(around.opens, 4);
}

static void what_leaves_is_closed_when_nobody_uses_it(void **state)
{
	json_t *document = document_begin(2);
	uint32_t slot;

	(void)state;
	apply(three_ports(1));
	slot = port(1)->slot;
	document_add_network(document, 17, "lab", 0);
	give(document);
	assert_int_equal(around.closing_count, 0); /* workers may still use them */
	assert_null(port(1));
	workers_turn();
	assert_int_equal(around.closing_count, 3);
	assert_string_equal(reported("applied"), "abc001");
	give(three_ports(3)); /* the same devices again, which are still being closed */
	assert_int_equal(around.opens, 3);
	assert_int_not_equal(port(1)->slot, slot);
	assert_string_equal(port(1)->error.text, "");
	close_one();
	assert_int_equal(around.opens, 4); /* the one whose device is free */
	all_turns();
	assert_true(is_up(1) && is_up(2) && is_up(3));
	assert_string_equal(reported("applied"), "abc003");
	assert_null(json_object_get(around.report, "errors"));
}

static void changes_wait_for_the_one_on_its_way(void **state)
{
	(void)state;
	for (int rev = 1; rev <= 5; rev++) {
		json_t *document = three_ports(rev);

		document_add_port(document, 10 + rev, 17, "memory");
		give(document);
	}
	assert_int_equal(around.publishes, 1);
	workers_turn();
	assert_int_equal(around.publishes, 2); /* all four at once */
	all_turns();
	assert_true(is_up(15) && !port(11));
	assert_string_equal(reported("applied"), "abc005");
}

static void a_broken_port_is_retried_alone(void **state)
{
	const struct fdb_key claimed = { .network = 17, .mac = { { 0x52, 0x54, 0, 0, 0, 2 } } };
	struct vport *one;
	unsigned int publishes, opens;
	struct pin *pins;

	(void)state;
	snprintf(around.refused, sizeof(around.refused), "wf3");
	apply(three_ports(1));
	assert_true(is_up(1) && is_up(2) && !is_up(3));
	assert_string_equal(reported_of("p003"), "there is no wf3");
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
	snprintf(around.refused, sizeof(around.refused), "wf3");
	apply(three_ports(1));
	for (int i = 0; i < 10; i++)
		later(5000);
	around.refused[0] = '\0';
	core_links_changed(core, around.now);
	all_turns();
	assert_true(is_up(3));
}

static void it_sleeps_when_all_is_well(void **state)
{
	struct instant next;

	(void)state;
	apply(three_ports(1));
	later(0);
	next = later(1);
	assert_true(next.ns >= instant_add_ms(around.now, CORE_REPORT_MS - 1000).ns);
}

static void any_order(void **state)
{
	(void)state;
	for (int rev = 1; rev <= 400; rev++) {
		uint32_t wanted = random_u32() % 64;
		json_t *document = document_begin(rev);

		document_add_network(document, 17, "lab", 0);
		document_add_network(document, 18, "lab", 0);
		for (int id = 0; id < 6; id++)
			if (wanted >> id & 1)
				document_add_port(document, id, 17 + (int)(random_u32() % 2),
					random_u32() % 2 ? "tap:one" : "memory");
		snprintf(around.refused, sizeof(around.refused), "%s", random_u32() % 3 ? "" : "wf2");
		give(document);
		for (uint32_t step = random_u32() % 6; step; step--) {
			struct port *some = port(random_u32() % 6);

			if (around.coming && random_u32() % 2) {
				if (some && around.coming->ports[some->slot] && random_u32() % 4 == 0) {
					around.faults.count = 1;
					around.faults.faults[0] = (struct attach_fault){ some->slot, 0, -ENOMEM };
				}
				workers_turn();
			} else if (around.closing_count && random_u32() % 2) {
				close_one();
			} else if (some && some->open && random_u32() % 4 == 0) {
				around.lost = some->open->tap;
				core_links_changed(core, around.now);
				around.lost = NULL;
			} else {
				later(random_u32() % 1000);
			}
		}
		if (rev % 5)
			continue;
		around.refused[0] = '\0';
		for (int i = 0; i < 4; i++) {
			all_turns();
			later(6000);
		}
		all_turns();
		assert_int_equal(core->leaving_count, 0);
		for (uint32_t id = 0; id < 6; id++)
			assert_int_equal(is_up(id), wanted >> id & 1);
		assert_null(json_object_get(around.report, "errors"));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(applied_is_what_the_workers_have),
		TEST(a_queue_that_a_worker_cannot_take_up),
		TEST(what_leaves_is_closed_when_nobody_uses_it),
		TEST(changes_wait_for_the_one_on_its_way),
		TEST(a_broken_port_is_retried_alone),
		TEST(a_lost_device_is_opened_anew),
		TEST(links_that_come_end_the_wait),
		TEST(it_sleeps_when_all_is_well),
		TEST(any_order),
	};

	return run_rigged("core", tests, sizeof(tests) / sizeof(tests[0]));
}
