/*
 * test_whereabouts.c - what is written of where peers are, how often, and what a file makes of the next start
 */
#include "tests/unit/overlay/agent/core_rig.h"
#include "overlay/agent/whereabouts.h"

/* h0 is a host of it */
static json_t *with_h0(void)
{
	json_t *document = three_ports(1);

	json_array_append_new(json_object_get(document, "hosts"), document_host(0));
	return document;
}

static struct peer *peer_named(const char *name)
{
	struct peer *peer = peers_named(&overlay.peers, name);

	assert_non_null(peer);
	return peer;
}

/* As if the peer had a session, and were at @text */
static void be_at(struct peer *peer, const char *text)
{
	struct endpoint at;

	assert_true(endpoint_parse(text, 4754, &at));
	contact_confirmed(&peer->contact, 120000, around.now);
	assert_true(peer_set_path(peer, &at, 1252, AF_INET6));
}

static void pass(uint64_t ms)
{
	around.now = instant_add_ms(around.now, ms);
	core->now = around.now;
}

static void who_is_elsewhere_than_named_is_written_and_seldom(void **state)
{
	struct peer *peer;
	json_t *want;

	(void)state;
	apply(with_h0());
	peer = peer_named("h0");
	pass(WHEREABOUTS_MS);
	whereabouts_keep(core, false);
	assert_int_equal(around.whereabouts_keeps, 0); /* there is nothing to write */
	be_at(peer, "203.0.113.7:40000");
	pass(WHEREABOUTS_MS);
	whereabouts_keep(core, false);
	want = json_pack("{s:s}", "h0", "203.0.113.7:40000");
	assert_true(json_equal(around.whereabouts, want));
	json_decref(want);
	be_at(peer, "203.0.113.7:40001");
	pass(WHEREABOUTS_MS - 1);
	whereabouts_keep(core, false);
	assert_int_equal(around.whereabouts_keeps, 1); /* not yet */
	core_stopping(core, around.now);
	assert_int_equal(around.whereabouts_keeps, 2);
	pass(WHEREABOUTS_MS);
	whereabouts_keep(core, false);
	assert_int_equal(around.whereabouts_keeps, 2); /* nothing has changed */
}

static void a_full_disk_is_tried_again(void **state)
{
	(void)state;
	apply(with_h0());
	be_at(peer_named("h0"), "203.0.113.7:40000");
	around.disk_full = true;
	pass(WHEREABOUTS_MS);
	whereabouts_keep(core, false);
	assert_int_equal(around.whereabouts_keeps, 0);
	around.disk_full = false;
	pass(WHEREABOUTS_MS);
	whereabouts_keep(core, false);
	assert_int_equal(around.whereabouts_keeps, 1);
}

/* The first attempt goes there; what is wrong in the file changes nothing */
static void a_start_asks_where_peers_were(void **state)
{
	struct endpoint at;
	struct peer *peer;

	(void)state;
	apply(with_h0());
	peer = peer_named("h0");
	assert_true(endpoint_parse("203.0.113.7:40000", 4754, &at));
	json_decref(core->whereabouts);
	around.whereabouts =
		json_pack("{s:s, s:s, s:i, s:s}", "nobody", "203.0.113.9:1", "h0", "not an address", "h1", 7, "h2", "");
	whereabouts_recall(core);
	assert_false(peer->contact.has_at);
	json_decref(core->whereabouts);
	json_decref(around.whereabouts);
	around.whereabouts = json_pack("{s:s}", "h0", "203.0.113.7:40000");
	whereabouts_recall(core);
	assert_true(peer->contact.has_at && endpoint_equal(&peer->contact.at, &at));
	assert_int_equal(peer->contact.attempts, 0);
	assert_true(contact_poll(&peer->contact, 0, around.now).action == CONTACT_INITIATE);
	assert_true(endpoint_equal(&peer->contact.tried, &at));
	json_decref(core->whereabouts);
	json_decref(around.whereabouts);
	around.whereabouts = json_pack("{s:s}", "h0", "203.0.113.99:40000");
	whereabouts_recall(core); /* what is known is newer */
	assert_true(endpoint_equal(&peer->contact.at, &at));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(who_is_elsewhere_than_named_is_written_and_seldom),
		TEST(a_full_disk_is_tried_again),
		TEST(a_start_asks_where_peers_were),
	};

	return run_rigged("whereabouts", tests, sizeof(tests) / sizeof(tests[0]));
}
