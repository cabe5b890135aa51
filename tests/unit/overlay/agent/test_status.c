/*
 * test_status.c - what `weft status` shows, of an agent in whose life things happen
 */
#include "tests/unit/overlay/agent/core_rig.h"

static const struct status_facts facts = {
	.host = "me",
	.fabric = "lab",
	.controller = "192.0.2.1:4753",
	.controller_state = "192.0.2.1:4753: connection refused",
	.workers = 2,
	.aead_backend = "openssl",
	.dual_stack = true,
};

static json_t *shown;

static void look(void)
{
	json_decref(shown);
	shown = status_document(core, &facts);
	assert_non_null(shown);
}

/* Return: the item of @list whose @key is @value; NULL where there is none */
static const json_t *item(const char *list, const char *key, const char *value)
{
	const json_t *found;
	size_t i;

	json_array_foreach(json_object_get(shown, list), i, found) {
		const char *text = json_string_value(json_object_get(found, key));

		if (text && strcmp(text, value) == 0)
			return found;
	}
	return NULL;
}

static const char *text_of(const json_t *object, const char *key)
{
	const char *text = json_string_value(json_object_get(object, key));

	return text ? text : "";
}

static void a_ports_whole_way(void **state)
{
	(void)state;
	snprintf(around.refused, sizeof(around.refused), "/p002");
	give(three_ports(1));
	look();
	assert_string_equal(text_of(item("ports", "name", "p001"), "state"), "starting");
	assert_string_equal(text_of(item("ports", "name", "p002"), "state"), "error");
	assert_string_equal(text_of(item("ports", "name", "p002"), "error"), "there is no weft lab/p002");
	all_turns();
	later(3000);
	look();
	assert_string_equal(text_of(item("ports", "name", "p001"), "state"), "up");
	assert_string_equal(text_of(item("ports", "name", "p001"), "network"), "net");
	assert_string_equal(text_of(item("ports", "name", "p001"), "device"), "memory");
	assert_null(json_object_get(item("ports", "name", "p001"), "error"));
	assert_int_equal(json_integer_value(json_object_get(item("ports", "name", "p002"), "error_s")), 3);
	assert_string_equal(text_of(json_object_get(shown, "topology"), "error"),
		"port lab/p002: there is no weft lab/p002");
	around.lost = port(3)->open->tap;
	core_links_changed(core, around.now);
	later(0);
	look();
	assert_string_equal(text_of(item("ports", "name", "p003"), "state"), "error");
	assert_string_equal(text_of(item("ports", "name", "p003"), "error"), "the device was deleted");
	json_decref(shown);
	shown = NULL;
}

static void a_port_that_waits_for_its_device(void **state)
{
	(void)state;
	apply(three_ports(1));
	give(document_begin(2));
	workers_turn();
	give(three_ports(3));
	look();
	assert_string_equal(text_of(item("ports", "name", "p001"), "state"), "waiting");
	assert_null(json_object_get(item("ports", "name", "p001"), "error"));
	assert_int_equal(json_integer_value(json_object_get(json_object_get(shown, "topology"), "rev")), 3);
	assert_int_equal(json_integer_value(json_object_get(json_object_get(shown, "topology"), "applied")), 1);
	json_decref(shown);
	shown = NULL;
}

static void peers_and_macs(void **state)
{
	const struct fdb_key key = { .network = 17, .mac = { { 2, 0, 0, 0, 0, 9 } } };
	json_t *document = three_ports(1), *forged = document_host(1);

	(void)state;
	document_add(document, "hosts", document_host(0));
	json_object_set_new(forged, "tunnel_sig", json_string(""));
	document_add(document, "hosts", forged);
	apply(document);
	(void)fdb_learn(fdb, &key, (struct fdb_location){ FDB_PEER, peers_named(&overlay.peers, "h0")->slot },
		around.now);
	look();
	assert_string_equal(text_of(item("peers", "host", "h0"), "state"), "connecting");
	assert_string_equal(text_of(item("peers", "host", "h1"), "state"), "refused");
	assert_non_null(strstr(text_of(item("peers", "host", "h1"), "reason"), "tunnel key"));
	assert_string_equal(text_of(item("macs", "mac", "02:00:00:00:00:09"), "where"), "host h0");
	assert_string_equal(text_of(item("macs", "mac", "52:54:00:00:00:01"), "where"), "port p001");
	assert_true(json_is_true(json_object_get(item("macs", "mac", "52:54:00:00:00:01"), "declared")));
	json_decref(shown);
	shown = NULL;
}

static void who_it_is(void **state)
{
	(void)state;
	later(2000);
	look();
	assert_string_equal(text_of(shown, "host"), "me");
	assert_string_equal(text_of(shown, "fabric"), "lab");
	assert_int_equal(json_integer_value(json_object_get(shown, "uptime_s")), 2);
	assert_string_equal(text_of(json_object_get(shown, "controller"), "state"), facts.controller_state);
	assert_int_equal(json_integer_value(json_object_get(json_object_get(shown, "datapath"), "workers")), 2);
	assert_null(json_object_get(json_object_get(shown, "topology"), "error"));
	json_decref(shown);
	shown = NULL;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_ports_whole_way),
		TEST(a_port_that_waits_for_its_device),
		TEST(peers_and_macs),
		TEST(who_it_is),
	};

	return run_rigged("status", tests, sizeof(tests) / sizeof(tests[0]));
}
