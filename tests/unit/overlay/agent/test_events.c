/*
 * test_events.c - what happens to an agent is told once, and reports carry it
 */
#include "tests/unit/overlay/agent/core_rig.h"

/* Return: how many events of this name there are; @last: the last one's words */
static unsigned int told(const char *name, char *last, size_t cap_bytes)
{
	json_t *list = agent_events_list(core->events, 0), *event;
	unsigned int count = 0;
	size_t i;

	json_array_foreach(list, i, event) {
		const char *about = json_string_value(json_object_get(event, "about")),
			   *text = json_string_value(json_object_get(event, "text"));

		if (strcmp(json_string_value(json_object_get(event, "event")), name) != 0)
			continue;
		count++;
		snprintf(last, cap_bytes, "%s%s%s", about ? about : "", about ? ": " : "", text);
	}
	json_decref(list);
	return count;
}

static void wait_a_moment(void)
{
	for (int i = 0; i < 3; i++)
		later(AGENT_EVENTS_NOTICE_MS);
}

static void a_port_goes_and_comes(void **state)
{
	char text[400];

	(void)state;
	core_start(core, around.now);
	apply(three_ports(1));
	wait_a_moment();
	assert_int_equal(told("started", text, sizeof(text)), 1);
	assert_int_equal(told("topology-applied", text, sizeof(text)), 1);
	assert_string_equal(text, "revision 1 is applied");
	assert_int_equal(told("port-up", text, sizeof(text)), 3);
	wait_a_moment();
	assert_int_equal(told("port-up", text, sizeof(text)), 3);
	snprintf(around.refused, sizeof(around.refused), "wf");
	around.lost = port(2)->open->tap;
	core_links_changed(core, around.now);
	wait_a_moment();
	assert_int_equal(told("port-down", text, sizeof(text)), 1);
	assert_memory_equal(text, "lab/p002: ", 10);
	around.refused[0] = '\0';
	around.lost = NULL;
	later(CORE_RETRY_MAX_MS);
	all_turns();
	wait_a_moment();
	assert_int_equal(told("port-up", text, sizeof(text)), 4);
	assert_memory_equal(text, "lab/p002: ", 10);
}

static void a_peers_states(void **state)
{
	struct peer *peer;
	json_t *document;
	char text[400];

	(void)state;
	document = document_begin(1);
	document_add_network(document, 17, "lab", 1);
	(void)document_add_port(document, 1, 17, "memory");
	document_add(document, "hosts", document_host(0));
	apply(document);
	peer = peers_named(&overlay.peers, "h0");
	assert_non_null(peer);
	wait_a_moment();
	assert_int_equal(told("peer-up", text, sizeof(text)), 0);
	peer->contact.state = CONTACT_UP;
	wait_a_moment();
	assert_int_equal(told("peer-up", text, sizeof(text)), 1);
	peer->contact.state = CONTACT_SILENT;
	wait_a_moment();
	assert_int_equal(told("peer-silent", text, sizeof(text)), 1);
	assert_memory_equal(text, peer->name, strlen(peer->name));
	peer->contact.state = CONTACT_UP; /* and back within a moment: as if nothing had been */
	later(1);
	peer->contact.state = CONTACT_SILENT;
	wait_a_moment();
	assert_int_equal(told("peer-silent", text, sizeof(text)), 1);
	peer->contact.state = CONTACT_CONNECTING;
	wait_a_moment();
	assert_int_equal(told("peer-lost", text, sizeof(text)), 1);
	peer->contact.state = CONTACT_UNREACHABLE;
	wait_a_moment();
	assert_int_equal(told("peer-unreachable", text, sizeof(text)), 1);
}

static void a_document_that_is_refused(void **state)
{
	json_t *nonsense = json_pack("{s:i}", "rev", 7);
	char text[400];

	(void)state;
	apply(three_ports(1));
	core_document(core, nonsense, around.now);
	json_decref(nonsense);
	wait_a_moment();
	assert_int_equal(told("topology-rejected", text, sizeof(text)), 1);
	assert_true(strlen(text) > 10);
}

static void a_clock_that_is_set(void **state)
{
	char text[400];

	(void)state;
	wait_a_moment();
	around.wall += 3600;
	wait_a_moment();
	wait_a_moment();
	assert_int_equal(told("clock-step", text, sizeof(text)), 1);
	assert_string_equal(text, "the clock was set by +3600 s");
	around.wall -= 7200;
	wait_a_moment();
	assert_int_equal(told("clock-step", text, sizeof(text)), 2);
	assert_string_equal(text, "the clock was set by -7200 s");
}

static void reports_have_the_latest(void **state)
{
	json_t *events;
	unsigned int reports;

	(void)state;
	core_start(core, around.now);
	apply(three_ports(1));
	wait_a_moment();
	later(AGENT_EVENTS_REPORT_MS);
	events = json_object_get(around.report, "events");
	assert_int_equal(json_array_size(events), 5); /* started, applied, three ports */
	reports = around.reports;
	agent_event(core, AGENT_EVENT_CLONE, "", "at %s", "192.0.2.7");
	wait_a_moment();
	later(AGENT_EVENTS_REPORT_MS);
	assert_int_equal(around.reports, reports + 1);
	events = json_object_get(around.report, "events");
	assert_string_equal(json_string_value(json_object_get(json_array_get(events, 5), "text")), "at 192.0.2.7");
	for (unsigned int i = 0; i < 200; i++)
		agent_event(core, AGENT_EVENT_CLONE, "", "%u", i);
	wait_a_moment();
	later(AGENT_EVENTS_REPORT_MS);
	events = json_object_get(around.report, "events");
	assert_int_equal(json_array_size(events), AGENT_EVENTS_REPORTED);
	assert_string_equal(json_string_value(
				    json_object_get(json_array_get(events, AGENT_EVENTS_REPORTED - 1), "text")),
		"199");
	/* of old ones only so many */
	events = agent_events_report(core->events, WALL + 1000 + AGENT_EVENTS_REPORTED_S);
	assert_int_equal(json_array_size(events), AGENT_EVENTS_REPORTED_OLD);
	json_decref(events);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_port_goes_and_comes),
		TEST(a_peers_states),
		TEST(a_document_that_is_refused),
		TEST(a_clock_that_is_set),
		TEST(reports_have_the_latest),
	};

	return run_rigged("events", tests, sizeof(tests) / sizeof(tests[0]));
}
