/*
 * test_publish.c - snapshots, one on its way at a time, and what leaves with them
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

static bool known(uint32_t network, const char *text)
{
	struct fdb_entry entry;
	uint32_t cursor = 0;
	struct mac mac;

	assert_true(mac_parse(text, &mac));
	while (fdb_next(fdb, &cursor, around.now, &entry))
		if (entry.key.network == network && mac_equal(&entry.key.mac, &mac))
			return true;
	return false;
}

/* Until then frames to it would go to a port that is no more, or to another network's */
static void what_was_learnt_goes_when_the_workers_have_the_next_one(void **state)
{
	const struct fdb_key of_one = { .network = 17, .mac = { { 2, 0, 0, 0, 0, 1 } } },
			     of_two = { .network = 17, .mac = { { 2, 0, 0, 0, 0, 2 } } };
	json_t *document = document_begin(2);

	(void)state;
	apply(three_ports(1));
	(void)fdb_learn(fdb, &of_one, (struct fdb_location){ FDB_LOCAL, port(1)->slot }, around.now);
	(void)fdb_learn(fdb, &of_two, (struct fdb_location){ FDB_LOCAL, port(2)->slot }, around.now);
	document_add_network(document, 17, "lab", 0);
	document_add_port(document, 2, 17, "tap:two");
	give(document);
	assert_true(known(17, "02:00:00:00:00:01"));
	workers_turn();
	assert_false(known(17, "02:00:00:00:00:01"));
	assert_true(known(17, "02:00:00:00:00:02"));
	all_turns();

	document = document_begin(3); /* the same number, another network; and nothing that leaves with it */
	document_add_network(document, 17, "other", 0);
	document_add_port(document, 2, 17, "tap:two");
	give(document);
	assert_true(known(17, "02:00:00:00:00:02"));
	all_turns();
	assert_false(known(17, "02:00:00:00:00:02"));
}

static void a_peer_stays_for_the_workers_that_have_it(void **state)
{
	json_t *document = document_begin(1);
	const struct peer *h0;

	(void)state;
	document_add(document, "hosts", document_host(0));
	document_add_network(document, 17, "lab", 1);
	apply(document);
	h0 = peers_named(&overlay.peers, "h0");
	assert_true(publish_is_settled(core));
	give(document_begin(2));
	assert_false(publish_is_settled(core));
	assert_null(peers_named(&overlay.peers, "h0"));
	assert_ptr_equal(around.forwarding->peers[h0->slot], h0);
	assert_null(around.coming->peers[h0->slot]);
	assert_ptr_equal(peers_at(&overlay.peers, h0->slot), h0);
	assert_int_equal(core->leaving_count, 1);
	workers_turn();
	assert_true(publish_is_settled(core));
	assert_int_equal(overlay.peers.count, 0);
}

/* By the name of a TAP of ours, or by what it is attached to; memory is nobody's */
static void a_device_is_held_until_it_is_closed(void **state)
{
	const struct attach same_target = { .kind = ATTACH_TAP, .target = "one", .device = "wf9" },
			    other = { .kind = ATTACH_TAP, .target = "four", .device = "wf4" },
			    memory = { .kind = ATTACH_MEMORY, .target = "one", .device = "wf1" };

	struct attach same_device = { .kind = ATTACH_BRIDGE, .target = "br0" };

	(void)state;
	apply(three_ports(1));
	memcpy(same_device.device, port(1)->open->spec.device, sizeof(same_device.device));
	assert_false(publish_holds(core, &same_target)); /* it does not leave */
	give(document_begin(2));
	for (int closed = 0; closed < 2; closed++) {
		assert_true(publish_holds(core, &same_target));
		assert_true(publish_holds(core, &same_device));
		assert_false(publish_holds(core, &other));
		assert_false(publish_holds(core, &memory));
		if (!closed)
			workers_turn(); /* it is being closed, and not yet closed */
	}
	assert_false(publish_closed(core, &around)); /* no token of its */
	all_turns();
	assert_false(publish_holds(core, &same_target) || publish_holds(core, &same_device));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(applied_is_what_the_workers_have),
		TEST(what_leaves_is_closed_when_nobody_uses_it),
		TEST(changes_wait_for_the_one_on_its_way),
		TEST(what_was_learnt_goes_when_the_workers_have_the_next_one),
		TEST(a_peer_stays_for_the_workers_that_have_it),
		TEST(a_device_is_held_until_it_is_closed),
	};

	return run_rigged("publish", tests, sizeof(tests) / sizeof(tests[0]));
}
