/*
 * test_gather.c - what an agent has to say of itself: what is in force, drops, MACs, and all errors
 */
#include "tests/unit/overlay/agent/core_rig.h"
#include "overlay/agent/gather.h"
#include "overlay/peer/drops.h"

static void what_is_in_force(void **state)
{
	(void)state;
	assert_string_equal(gather_applied(core), "");
	assert_int_equal(gather_applied_rev(core), 0);
	give(three_ports(7));
	assert_int_equal(gather_applied_rev(core), 0); /* the workers do not have it yet */
	all_turns();
	assert_string_equal(gather_applied(core), "abc007");
	assert_int_equal(gather_applied_rev(core), 7);
}

/* The workers' and the control thread's own, added up; what did not happen is not in it */
static void drops_of_all_threads(void **state)
{
	struct stats stats = { .drops = { [DROP_UDP_FULL] = 3, [DROP_NO_SESSION] = 1 } };
	json_t *got, *want = json_pack("{s:i, s:i, s:i}", "udp-full", 3, "no-session", 6, "handshake-mac", 2);

	(void)state;
	drops_count(&overlay.drops, DROP_NO_SESSION, 5);
	drops_count(&overlay.drops, DROP_HANDSHAKE_MAC, 2);
	got = gather_drops(core, &stats);
	assert_true(json_equal(got, want));
	json_decref(got);
	json_decref(want);
}

static json_t *last_byte_unless_declared(const struct core *c, const struct fdb_entry *entry)
{
	assert_ptr_equal(c, core);
	return entry->pinned ? NULL : json_integer(entry->key.mac.bytes[5]);
}

static void macs_as_they_are_asked_for(void **state)
{
	const struct fdb_key key = { .network = 17, .mac = { { 2, 0, 0, 0, 0, 9 } } };
	json_t *got, *want = json_pack("[i]", 9);

	(void)state;
	apply(three_ports(1)); /* with three that are declared */
	(void)fdb_learn(fdb, &key, (struct fdb_location){ FDB_LOCAL, port(1)->slot }, around.now);
	got = gather_macs(core, last_byte_unless_declared);
	assert_true(json_equal(got, want));
	json_decref(got);
	json_decref(want);
}

/* The document's first, then ports', then hosts' */
static void errors_of_every_kind(void **state)
{
	json_t *document = three_ports(1), *forged = document_host(1), *bad = three_ports(2), *errors;
	char text[GATHER_TEXT_BYTES];

	(void)state;
	errors = gather_errors(core);
	assert_int_equal(json_array_size(errors), 0);
	gather_error_text(errors, text);
	assert_string_equal(text, "");
	json_decref(errors);

	snprintf(around.refused, sizeof(around.refused), "/p002");
	json_object_set_new(forged, "tunnel_sig", json_string(""));
	document_add(document, "hosts", forged);
	apply(document);
	document_add_port(bad, 9, 99, "memory");
	apply(bad);
	errors = gather_errors(core);
	assert_int_equal(json_array_size(errors), 3);
	assert_null(json_object_get(json_array_get(errors, 0), "port"));
	assert_string_equal(json_string_value(json_object_get(json_array_get(errors, 1), "port")), "p002");
	assert_string_equal(json_string_value(json_object_get(json_array_get(errors, 2), "host")), "h1");
	gather_error_text(errors, text);
	assert_non_null(strstr(text, "ports[3].network"));
	assert_non_null(strstr(text, "; port lab/p002: there is no weft lab/p002; host h1: refused, "));
	json_decref(errors);
}

static void errors_as_a_line(void **state)
{
	json_t *errors = json_pack("[{s:s}, {s:s, s:s, s:s}, {s:s, s:s, s:s}, {s:s, s:s}]", "text", "all is bad", "lab",
		"l", "port", "p", "text", "gone", "lab", "l", "network", "n", "text", "no memory", "host", "h", "text",
		"refused");
	char text[GATHER_TEXT_BYTES], long_text[300];

	(void)state;
	gather_error_text(errors, text);
	assert_string_equal(text, "all is bad; port l/p: gone; network l/n: no memory; host h: refused");
	memset(long_text, 'x', sizeof(long_text) - 1);
	long_text[sizeof(long_text) - 1] = '\0';
	for (int i = 0; i < 20; i++)
		json_array_append_new(errors, json_pack("{s:s}", "text", long_text));
	gather_error_text(errors, text);
	assert_int_equal(strlen(text), GATHER_TEXT_BYTES - 1);
	json_decref(errors);
}

static void a_list_of_errors_ends(void **state)
{
	json_t *document = document_begin(1), *errors;

	(void)state;
	document_add_network(document, 17, "lab", 0);
	for (int id = 1; id <= 200; id++)
		document_add_port(document, id, 17, "tap:x");
	snprintf(around.refused, sizeof(around.refused), "weft");
	apply(document);
	errors = json_object_get(around.report, "errors");
	assert_int_equal(json_array_size(errors), 64);
	assert_string_equal(json_string_value(json_object_get(json_array_get(errors, 63), "text")), "and 137 more");
	assert_true(strlen(reported("error")) <= 2048);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(what_is_in_force),
		TEST(drops_of_all_threads),
		TEST(macs_as_they_are_asked_for),
		TEST(errors_of_every_kind),
		TEST(errors_as_a_line),
		TEST(a_list_of_errors_ends),
	};

	return run_rigged("gather", tests, sizeof(tests) / sizeof(tests[0]));
}
