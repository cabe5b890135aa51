/*
 * test_report.c - what the controller hears
 */
#include "tests/unit/overlay/agent/core_rig.h"
#include "overlay/agent/report.h"

static void all_errors_are_reported_not_the_last(void **state)
{
	json_t *document = three_ports(1), *status;
	const struct status_facts facts = { .host = "me",
		.fabric = "f",
		.controller = "",
		.controller_state = "",
		.aead_backend = "" };

	(void)state;
	document_add_port(document, 4, 17, "nonsense");
	document_add_port(document, 5, 17, "memory");
	snprintf(around.refused, sizeof(around.refused), "weft");
	apply(document);
	assert_int_equal(json_array_size(json_object_get(around.report, "errors")), 5);
	assert_non_null(reported_of("p001"));
	assert_non_null(reported_of("p002"));
	assert_non_null(reported_of("p003"));
	assert_non_null(strstr(reported_of("p004"), "nonsense"));
	assert_non_null(strstr(reported("error"), "port lab/p001: there is no weft lab/p001"));
	assert_non_null(strstr(reported("error"), "port lab/p003: there is no weft lab/p003"));
	status = status_document(core, &facts);
	for (size_t i = 0; i < 3; i++)
		assert_non_null(json_object_get(json_array_get(json_object_get(status, "ports"), i), "error"));
	json_decref(status);
}

static void it_reports_what_is_new_only(void **state)
{
	const struct fdb_key key = { .network = 17, .mac = { { 2, 0, 0, 0, 0, 9 } } };
	unsigned int reports;

	(void)state;
	apply(three_ports(1));
	reports = around.reports;
	for (int i = 0; i < 20; i++)
		later(1000);
	assert_true(around.reports <= reports + 1);
	reports = around.reports;
	(void)fdb_learn(fdb, &key, (struct fdb_location){ FDB_LOCAL, port(1)->slot }, around.now);
	later(CORE_REPORT_MS);
	assert_int_equal(around.reports, reports + 1);
	core_reloaded(core, around.now);
	assert_int_equal(around.reports, reports + 2);
}

static void assert_reported(const char *key, const char *want)
{
	char *text = json_dumps(json_object_get(around.report, key), JSON_COMPACT);

	assert_string_equal(text, want);
	free(text);
}

/* Not the loopback's, none of a link alone, and none on a port's device, which the tunnel would go through itself */
static void it_reports_its_own_addresses(void **state)
{
	json_t *document = three_ports(1);

	(void)state;
	apply(document);
	assert_reported("addresses", "[\"192.0.2.1:4754\",\"10.0.0.1:4754\",\"[2001:db8::1]:4754\"]");
	document = three_ports(2);
	document_add_port(document, 4, 17, "bridge:br-lab");
	apply(document);
	assert_reported("addresses", "[\"192.0.2.1:4754\",\"[2001:db8::1]:4754\"]");
}

/* A network with the first @hosts of the test's hosts */
static json_t *with_peers(int rev, unsigned int count)
{
	json_t *document = three_ports(rev);

	for (unsigned int i = 0; i < count; i++)
		document_add(document, "hosts", document_host(i));
	document_add_network(document, 18, "other", count);
	return document;
}

static const json_t *reported_peer(const char *name)
{
	const json_t *rows = json_object_get(json_object_get(around.report, "peers"), "not_up"), *row;
	size_t i;

	json_array_foreach(rows, i, row)
		if (strcmp(json_string_value(json_object_get(row, "host")), name) == 0)
			return row;
	return NULL;
}

static int reported_count(const char *of, const char *what)
{
	return (int)json_integer_value(json_object_get(json_object_get(around.report, of), what));
}

static struct contact *contact_of(const char *name)
{
	return &peers_named(&overlay.peers, name)->contact;
}

/* The overlay would note it at its next look */
static void comes_up(const char *name)
{
	const struct endpoint at = { .port = 9 };

	contact_answered(contact_of(name), &at, 100000, around.now);
	overlay.changes++;
}

static void goes(const char *name)
{
	contact_expired(contact_of(name), around.now);
	overlay.changes++;
}

static void peers_are_told_when_they_change(void **state)
{
	unsigned int reports;

	(void)state;
	apply(with_peers(1, 3));
	assert_int_equal(reported_count("peers", "count"), 3);
	assert_int_equal(reported_count("peers", "up"), 0);
	assert_string_equal(json_string_value(json_object_get(reported_peer("h0"), "state")), "connecting");
	later(0);
	later(CORE_PEERS_REPORT_MS);
	reports = around.reports;
	comes_up("h0");
	assert_true(core_has_news(core));
	later(1);
	assert_false(core_has_news(core));
	assert_int_equal(around.reports, reports);
	later(CORE_PEERS_SOON_MS);
	assert_int_equal(around.reports, reports + 1);
	assert_null(reported_peer("h0"));
	assert_int_equal(reported_count("peers", "up"), 1);
	/* the next one waits, the last one does not */
	comes_up("h1");
	later(1);
	later(CORE_PEERS_SOON_MS);
	assert_int_equal(around.reports, reports + 1);
	comes_up("h2");
	later(CORE_PEERS_REPORT_MS / 2);
	assert_int_equal(around.reports, reports + 1);
	later(CORE_PEERS_REPORT_MS / 2);
	assert_int_equal(around.reports, reports + 2);
	assert_int_equal(reported_count("peers", "up"), 3);
	goes("h1");
	later(1);
	later(CORE_PEERS_SOON_MS);
	later(CORE_PEERS_REPORT_MS);
	assert_int_equal(around.reports, reports + 3);
	comes_up("h1");
	later(1);
	later(CORE_PEERS_SOON_MS);
	assert_int_equal(around.reports, reports + 4);
	assert_int_equal(json_array_size(json_object_get(json_object_get(around.report, "peers"), "not_up")), 0);
}

/* One that answers on a path that is too small is not up, and says why; once it is silent, that counts */
static void a_peer_on_a_small_path_is_limited(void **state)
{
	struct peer *peer;
	const json_t *row;

	(void)state;
	apply(with_peers(1, 2));
	comes_up("h0");
	comes_up("h1");
	later(1);
	later(CORE_PEERS_REPORT_MS);
	assert_int_equal(reported_count("peers", "up"), 2);
	peer = peers_named(&overlay.peers, "h0");
	peer->paths.count = 1;
	peer->paths.path[0].pmtu.too_small = true;
	peer->short_path = true;
	overlay.short_paths++;
	overlay.changes++;
	later(1);
	later(CORE_PEERS_REPORT_MS);
	row = reported_peer("h0");
	assert_int_equal(reported_count("peers", "up"), 1);
	assert_false(report_all_up(core));
	assert_string_equal(json_string_value(json_object_get(row, "state")), "limited");
	assert_non_null(strstr(json_string_value(json_object_get(row, "reason")), "is too small"));
	goes("h0");
	later(1);
	later(CORE_PEERS_REPORT_MS);
	assert_string_equal(json_string_value(json_object_get(reported_peer("h0"), "state")), "connecting");
	comes_up("h0");
	peer->short_path = false;
	overlay.short_paths--;
	later(1);
	later(CORE_PEERS_REPORT_MS);
	assert_int_equal(reported_count("peers", "up"), 2);
	assert_null(reported_peer("h0"));
	peer->paths.count = 0;
}

/* An address that is tried after another is no news, a state is */
static void what_changes_by_itself_is_not_told(void **state)
{
	struct contact *contact;
	unsigned int reports;
	char said[64];

	(void)state;
	apply(with_peers(1, 2));
	contact = contact_of("h0");
	for (int i = 0; i < 20; i++) {
		(void)!contact_poll(contact, 7, around.now).action;
		later(1000);
	}
	snprintf(said, sizeof(said), "%s", json_string_value(json_object_get(reported_peer("h0"), "endpoint")));
	reports = around.reports;
	for (uint16_t i = 0; i < 9; i++) {
		contact->tried.port = i;
		later(1000);
	}
	assert_int_equal(around.reports, reports);
	assert_string_equal(json_string_value(json_object_get(reported_peer("h0"), "endpoint")), said);
	later(CORE_PEERS_RENEW_MS);
	later(CORE_REPORT_MS);
	assert_int_equal(around.reports, reports + 1);
	assert_string_not_equal(json_string_value(json_object_get(reported_peer("h0"), "endpoint")), said);
}

static void ports_are_counted(void **state)
{
	(void)state;
	snprintf(around.refused, sizeof(around.refused), "/p002");
	apply(three_ports(1));
	assert_int_equal(reported_count("ports", "count"), 3);
	assert_int_equal(reported_count("ports", "up"), 2);
	around.refused[0] = '\0';
	core_links_changed(core, around.now);
	assert_int_equal(reported_count("ports", "up"), 2); /* it is starting */
	all_turns();
	assert_int_equal(reported_count("ports", "up"), 3); /* at once, not with the next report */
}

static void a_disk_that_is_full_is_an_error_until_it_is_not(void **state)
{
	(void)state;
	around.disk_full = true;
	apply(three_ports(1));
	assert_string_equal(reported("applied"), "abc001");
	assert_int_equal(around.keeps, 0);
	assert_non_null(strstr(reported("error"), "could not be kept on disk: No space left on device; make room"));
	later(CORE_KEEP_MS);
	assert_int_equal(json_array_size(json_object_get(around.report, "errors")), 1);
	around.disk_full = false;
	later(CORE_KEEP_MS);
	assert_int_equal(around.keeps, 1);
	assert_true(json_equal(around.kept, core->document));
	assert_null(json_object_get(around.report, "errors"));
	later(10 * CORE_KEEP_MS);
	assert_int_equal(around.keeps, 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(peers_are_told_when_they_change),
		TEST(a_peer_on_a_small_path_is_limited),
		TEST(what_changes_by_itself_is_not_told),
		TEST(ports_are_counted),
		TEST(a_disk_that_is_full_is_an_error_until_it_is_not),
		TEST(all_errors_are_reported_not_the_last),
		TEST(it_reports_what_is_new_only),
		TEST(it_reports_its_own_addresses),
	};

	return run_rigged("report", tests, sizeof(tests) / sizeof(tests[0]));
}
