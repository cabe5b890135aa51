/*
 * test_apply.c - what documents do, and what they leave alone
 */
#include "tests/unit/overlay/agent/core_rig.h"

static void the_same_again_is_nothing_to_do(void **state)
{
	json_t *later_rev = three_ports(7);
	unsigned int publishes, keeps;

	(void)state;
	apply(three_ports(1));
	publishes = around.publishes;
	keeps = around.keeps;
	json_object_set_new(later_rev, "hash", json_string("abc001"));
	apply(later_rev);
	assert_int_equal(around.publishes, publishes);
	assert_int_equal(around.keeps, keeps);
	assert_int_equal(around.opens, 3);
	assert_int_equal(json_integer_value(json_object_get(around.report, "rev")), 7);
	assert_string_equal(reported("applied"), "abc001");
}

static void a_wrong_document_changes_nothing(void **state)
{
	json_t *document = three_ports(2);
	unsigned int publishes;

	(void)state;
	apply(three_ports(1));
	publishes = around.publishes;
	document_add_port(document, 9, 99, "memory");
	apply(document);
	assert_non_null(strstr(reported("error"), "ports[3].network"));
	assert_string_equal(reported("applied"), "abc001");
	assert_int_equal(around.publishes, publishes);
	assert_int_equal(json_integer_value(json_object_get(around.kept, "rev")), 1);
	apply(three_ports(3));
	assert_string_equal(reported("error"), "");
}

static void the_kept_one_comes_back(void **state)
{
	json_t *document = three_ports(7);

	(void)state;
	document_add(document, "hosts", document_host(2));
	apply(document);
	end_core();
	begin_core();
	core_start(core, around.now);
	all_turns();
	assert_true(is_up(1));
	assert_non_null(peers_named(&overlay.peers, "h2"));
	assert_string_equal(reported("applied"), "abc007");
}

static void peers_come_change_and_leave(void **state)
{
	json_t *document = document_begin(1);
	struct x25519_keypair before = hosts.host[0].tunnel;
	struct peer *h0, *h1;

	(void)state;
	document_add(document, "hosts", document_host(0));
	document_add(document, "hosts", document_host(1));
	document_add_network(document, 17, "lab", 2);
	json_array_append_new(json_object_get(document, "remote_ports"),
		json_pack("{s:i, s:s, s:s, s:s, s:i, s:s}", "id", 9, "lab", "lab", "name", "remote", "host", "h1",
			"network", 17, "mac", "52:54:00:00:00:11"));
	apply(document);
	h0 = peers_named(&overlay.peers, "h0");
	h1 = peers_named(&overlay.peers, "h1");
	assert_true(h0 && h1 && pinned(17, "52:54:00:00:00:11"));
	assert_true(network_has_peer(forwarding_network(around.forwarding, 17), h1->slot));
	assert_ptr_equal(around.forwarding->peers[h0->slot], h0);

	assert_true(x25519_generate(&hosts.host[0].tunnel));
	document = document_begin(2);
	document_add(document, "hosts", document_host(0));
	document_add_network(document, 17, "lab", 1);
	give(document);
	assert_null(peers_named(&overlay.peers, "h1"));
	assert_ptr_equal(peers_at(&overlay.peers, h1->slot), h1); /* until the workers are done with it */
	assert_ptr_not_equal(peers_named(&overlay.peers, "h0"), h0);
	all_turns();
	assert_int_equal(overlay.peers.count, 1);
	assert_false(pinned(17, "52:54:00:00:00:11"));
	assert_string_equal(reported("error"), "");
	hosts.host[0].tunnel = before;
}

static json_t *as_many_ports_as_there_may_be(int rev, int first_id)
{
	json_t *document = document_begin(rev);

	document_add_network(document, 17, "lab", 0);
	for (int i = 0; i < (int)PORTS_MAX; i++)
		document_add_port(document, first_id + i, 17, "memory");
	return document;
}

/* Those that come find no room before those that leave have left */
static void all_ports_are_replaced_at_once(void **state)
{
	(void)state;
	apply(as_many_ports_as_there_may_be(1, 1));
	assert_int_equal(core->ports.count, PORTS_MAX);
	apply(as_many_ports_as_there_may_be(2, 1001));
	assert_int_equal(core->ports.count, PORTS_MAX);
	assert_true(is_up(1001) && is_up(1000 + PORTS_MAX));
	assert_string_equal(reported("applied"), "abc002");
	assert_null(json_object_get(around.report, "errors"));
}

/* More than there may ever be: tried once more, and not again and again */
static void too_many_ports_are_told(void **state)
{
	json_t *document = as_many_ports_as_there_may_be(2, 1001);
	unsigned int publishes;

	(void)state;
	document_add_port(document, 3001, 17, "memory");
	apply(as_many_ports_as_there_may_be(1, 1));
	apply(document);
	assert_int_equal(core->ports.count, PORTS_MAX);
	assert_non_null(json_object_get(around.report, "errors"));
	publishes = around.publishes;
	(void)later(5000).ns;
	assert_int_equal(around.publishes, publishes);
	assert_null(around.coming);
}

static void hosts_are_judged_again(void **state)
{
	json_t *document = document_begin(1);
	const struct peer *refused;
	struct instant since;
	unsigned int keeps;

	(void)state;
	document_add(document, "hosts", document_host(0));
	document_add_network(document, 17, "lab", 1);
	around.wall = 1000;
	apply(document);
	keeps = around.keeps;
	refused = peers_named(&overlay.peers, "h0");
	assert_int_equal(refused->contact.state, CONTACT_REFUSED);
	since = refused->contact.since;
	assert_non_null(strstr(reported("error"), "host h0: refused, "));
	later(CORE_JUDGE_MS + 1);
	all_turns();
	assert_ptr_equal(peers_named(&overlay.peers, "h0"), refused);
	assert_int_equal(refused->contact.since.ns, since.ns);
	around.wall = WALL;
	later(CORE_JUDGE_MS + 1);
	all_turns();
	assert_int_equal(peers_named(&overlay.peers, "h0")->contact.state, CONTACT_CONNECTING);
	assert_int_equal(overlay.peers.count, 1);
	assert_string_equal(reported("error"), "");
	assert_int_equal(around.keeps, keeps);
}

/* A certificate that runs out ends the peer without a new document, and is not looked at before */
static void a_certificate_that_runs_out(void **state)
{
	json_t *document = document_begin(1);
	struct instant next;
	time_t expires;

	(void)state;
	document_add(document, "hosts", document_host(0));
	document_add_network(document, 17, "lab", 1);
	apply(document);
	expires = core->trust[0].expires;
	assert_true(expires > WALL + 86400);
	assert_int_equal(core->judge_at.ns, instant_add_ms(around.now, CORE_JUDGE_MAX_MS).ns);
	around.wall = expires - 10 - CORE_JUDGE_MAX_MS / 1000;
	next = later(CORE_JUDGE_MAX_MS);
	assert_non_null(peers_named(&overlay.peers, "h0"));
	assert_int_equal(core->judge_at.ns, instant_add_ms(around.now, 10000).ns);
	assert_true(next.ns <= core->judge_at.ns);
	later(10000);
	all_turns();
	assert_non_null(strstr(reported("error"), "host h0: refused, "));
	assert_int_equal(network_has_peer(forwarding_network(around.forwarding, 17), 0), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(the_same_again_is_nothing_to_do),
		TEST(a_wrong_document_changes_nothing),
		TEST(the_kept_one_comes_back),
		TEST(peers_come_change_and_leave),
		TEST(all_ports_are_replaced_at_once),
		TEST(too_many_ports_are_told),
		TEST(hosts_are_judged_again),
		TEST(a_certificate_that_runs_out),
	};

	return run_rigged("apply", tests, sizeof(tests) / sizeof(tests[0]));
}
