/*
 * test_core.c - a worker that cannot take up a queue, everything in any order, and rest when all is well
 */
#include "tests/unit/overlay/agent/core_rig.h"

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

/* What the controller says of peers has them probed or asked; whatever else it says is nothing */
static void who_has_come_or_gone_is_looked_for(void **state)
{
	json_t *names = json_pack("[i, s, n, s]", 7, "nobody", "h0"), *document = three_ports(1);
	const struct endpoint at = { .ip = { [15] = 1 }, .port = 4754 };
	struct peer *peer;

	(void)state;
	json_array_append_new(json_object_get(document, "hosts"), document_host(0));
	apply(document);
	peer = peers_named(&overlay.peers, "h0");
	contact_answered(&peer->contact, &at, 120000, around.now);
	peer->contact.probe_due = false;
	core_told(core, NULL, names, around.now);
	assert_int_equal(peer->contact.attempt_at.ns, 0);
	assert_false(peer->contact.probe_due);
	core_told(core, names, NULL, around.now);
	assert_true(peer->contact.probe_due);
	assert_int_equal(peer->contact.state, CONTACT_UP);
	contact_goodbye(&peer->contact, around.now, around.now);
	core_told(core, json_object_get(document, "hosts"), NULL, around.now);
	core_told(core, names, json_true(), around.now);
	assert_int_equal(peer->contact.state, CONTACT_GONE);
	assert_true(peer->contact.attempt_at.ns > around.now.ns);
	core_told(core, NULL, names, around.now);
	assert_int_equal(peer->contact.attempt_at.ns, around.now.ns);
	for (uint32_t i = 0; i < CORE_TOLD_MAX; i++)
		json_array_insert_new(names, 0, json_string("nobody"));
	peer->contact.attempt_at = instant_add_ms(around.now, 1000);
	core_told(core, NULL, names, around.now);
	assert_int_equal(peer->contact.attempt_at.ns, instant_add_ms(around.now, 1000).ns);
	json_decref(names);
}

static void it_sleeps_when_all_is_well(void **state)
{
	struct instant next;

	(void)state;
	apply(three_ports(1));
	later(0);
	later(AGENT_EVENTS_REPORT_MS); /* what happened is told */
	later(AGENT_EVENTS_NOTICE_MS);
	later(CORE_LOOK_MS);
	next = later(AGENT_EVENTS_NOTICE_MS);
	assert_true(next.ns >= instant_add_ms(around.now, 1000).ns);
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
		snprintf(around.refused, sizeof(around.refused), "%s", random_u32() % 3 ? "" : "/p002");
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
		TEST(a_queue_that_a_worker_cannot_take_up),
		TEST(who_has_come_or_gone_is_looked_for),
		TEST(it_sleeps_when_all_is_well),
		TEST(any_order),
	};

	return run_rigged("core", tests, sizeof(tests) / sizeof(tests[0]));
}
