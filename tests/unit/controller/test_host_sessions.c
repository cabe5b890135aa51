/*
 * test_host_sessions.c - what agents are sent, and when: by the name of what they have
 */
#include "controller/host_sessions.h"

#include "controller/host_addresses.h"
#include "controller/presence.h"
#include "tests/unit/controller/core_fixture.h"

#define LAB_H1_H2                                                                                             \
	"{\"networks\":{\"n\":{}},\"ports\":{\"a\":{\"host\":\"h1\",\"network\":\"n\",\"attach\":\"tap:t\"}," \
	"\"b\":{\"host\":\"h2\",\"network\":\"n\",\"attach\":\"tap:t\"}}}"
#define LAB_H1(interface) \
	"{\"networks\":{\"n\":{}},\"ports\":{\"a\":{\"host\":\"h1\",\"network\":\"n\",\"attach\":\"tap:" interface "\"}}}"

#define LAB_ALL                                                                                               \
	"{\"networks\":{\"n\":{}},\"ports\":{\"a\":{\"host\":\"h1\",\"network\":\"n\",\"attach\":\"tap:t\"}," \
	"\"b\":{\"host\":\"h2\",\"network\":\"n\",\"attach\":\"tap:t\"},"                                     \
	"\"c\":{\"host\":\"h3\",\"network\":\"n\",\"attach\":\"tap:t\"}}}"

static int set_up(void **state)
{
	*state = calloc(1, sizeof(struct core_fixture));
	core_init(*state);
	return 0;
}

static int tear_down(void **state)
{
	core_fini(*state);
	free(*state);
	return 0;
}

static void watch(struct core_fixture *f, struct core_client *c, struct who_claim who, const char *have)
{
	char query[128];

	snprintf(query, sizeof(query), "watch=%s", have);
	*c = (struct core_client){ 0 };
	core_ask(f, c, who, API_GET, "/v1/agent/topology", query, NULL);
	assert_non_null(c->watcher);
}

static void put(struct core_fixture *f, const char *lab, const char *content)
{
	char path[64];

	snprintf(path, sizeof(path), "/v1/labs/%s", lab);
	assert_int_equal(core_call(f, CORE_OPERATOR, API_PUT, path, content, NULL), 200);
}

static void report(struct core_fixture *f, struct who_claim who, const char *applied)
{
	char body[128];

	snprintf(body, sizeof(body), "{\"applied\":\"%s\",\"rev\":1}", applied);
	assert_int_equal(core_call(f, who, API_PUT, "/v1/agent/report", body, NULL), 200);
}

/* The name of the one line that came, to be freed */
static char *take_name(struct core_client *c)
{
	json_t *line = core_line(c);
	char *name = strdup(core_text(line, "hash"));

	assert_int_equal(strlen(name), 64);
	assert_int_equal(json_array_size(c->lines), 0);
	json_decref(line);
	return name;
}

static json_t *item(struct core_fixture *f, const char *host)
{
	json_t *answer, *out = NULL, *each;
	size_t i;

	assert_int_equal(core_call(f, CORE_OPERATOR, API_GET, "/v1/hosts", NULL, &answer), 200);
	json_array_foreach(json_object_get(answer, "items"), i, each) {
		if (strcmp(core_text(each, "name"), host) == 0)
			out = json_incref(each);
	}
	json_decref(answer);
	return out;
}

static bool in_line(struct core_fixture *f, const char *host)
{
	json_t *host_item = item(f, host), *wanted = json_object_get(host_item, "wanted");
	bool out = wanted && json_equal(wanted, json_object_get(host_item, "applied"));

	json_decref(host_item);
	return out;
}

/* Of how many hosts it is known what they shall have */
static size_t known_wanted(struct core_fixture *f)
{
	json_t *answer, *each;
	size_t count = 0, i;

	assert_int_equal(core_call(f, CORE_OPERATOR, API_GET, "/v1/hosts", NULL, &answer), 200);
	json_array_foreach(json_object_get(answer, "items"), i, each)
		count += json_object_get(each, "wanted") != NULL;
	json_decref(answer);
	return count;
}

static void restart(struct core_fixture *f)
{
	core_stop(f);
	core_start(f);
}

/* After a restart whoever has what it shall have hears nothing, and is in line once it has said so */
static void nobody_gets_again_what_it_has(void **state)
{
	struct core_fixture *f = *state;
	struct core_client h1, h2, h3;
	char *h1_has, *h2_has;

	put(f, "l", LAB_H1_H2);
	watch(f, &h1, CORE_AGENT("h1"), "0");
	watch(f, &h2, CORE_AGENT("h2"), "0");
	h1_has = take_name(&h1);
	h2_has = take_name(&h2);
	assert_string_not_equal(h1_has, h2_has);
	core_client_fini(&h1);
	core_client_fini(&h2);
	restart(f);
	assert_false(in_line(f, "h1"));
	watch(f, &h1, CORE_AGENT("h1"), h1_has);
	watch(f, &h2, CORE_AGENT("h2"), h1_has);
	watch(f, &h3, CORE_AGENT("h3"), "");
	assert_int_equal(json_array_size(h1.lines), 0);
	assert_int_equal(json_array_size(h2.lines), 1);
	assert_int_equal(json_array_size(h3.lines), 1);
	assert_false(in_line(f, "h1"));
	report(f, CORE_AGENT("h1"), h1_has);
	assert_true(in_line(f, "h1"));
	/* and what changes then is sent */
	put(f, "m", LAB_H1("m"));
	assert_int_equal(json_array_size(h1.lines), 1);
	assert_false(in_line(f, "h1"));
	core_client_fini(&h1);
	core_client_fini(&h2);
	core_client_fini(&h3);
	free(h1_has);
	free(h2_has);
}

static void shows_revisions(struct core_fixture *f, const char *host, int wanted, int applied)
{
	json_t *host_item = item(f, host);

	assert_int_equal(json_integer_value(json_object_get(host_item, "wanted_rev")), wanted);
	assert_int_equal(json_integer_value(json_object_get(host_item, "applied_rev")), applied);
	json_decref(host_item);
}

/* The agent that is in line knows its document by the revision that it came with, and so do operators: over a restart, and where
 * the content went and came back while it was not looking */
static void one_document_has_one_revision(void **state)
{
	struct core_fixture *f = *state;
	struct core_client h1;
	json_t *document;
	char body[160];
	int rev;

	put(f, "l", LAB_H1("t"));
	watch(f, &h1, CORE_AGENT("h1"), "0");
	document = core_line(&h1);
	rev = (int)json_integer_value(json_object_get(document, "rev"));
	snprintf(body, sizeof(body), "{\"applied\":\"%s\",\"rev\":%d}", core_text(document, "hash"), rev);
	assert_int_equal(core_call(f, CORE_AGENT("h1"), API_PUT, "/v1/agent/report", body, NULL), 200);
	shows_revisions(f, "h1", rev, rev);
	h1.busy = true;
	put(f, "m", LAB_H1("m"));
	assert_int_equal(core_call(f, CORE_AGENT("h1"), API_GET, "/v1/agent/topology", NULL, NULL), 200);
	assert_int_equal(core_call(f, CORE_OPERATOR, API_DELETE, "/v1/labs/m", NULL, NULL), 200);
	h1.busy = false;
	h1.watcher->on_drained(h1.watcher);
	assert_int_equal(json_array_size(h1.lines), 0); /* it has it */
	assert_true(in_line(f, "h1"));
	shows_revisions(f, "h1", rev, rev);
	core_client_fini(&h1);
	restart(f);
	watch(f, &h1, CORE_AGENT("h1"), core_text(document, "hash"));
	assert_int_equal(core_call(f, CORE_AGENT("h1"), API_PUT, "/v1/agent/report", body, NULL), 200);
	assert_true(in_line(f, "h1"));
	shows_revisions(f, "h1", rev, rev);
	/* an agent that does not tell */
	snprintf(body, sizeof(body), "{\"applied\":\"%s\"}", core_text(document, "hash"));
	assert_int_equal(core_call(f, CORE_AGENT("h1"), API_PUT, "/v1/agent/report", body, NULL), 200);
	shows_revisions(f, "h1", (int)model_rev(f->model), (int)model_rev(f->model));
	core_client_fini(&h1);
	json_decref(document);
}

/* A store that was put back to a backup and went on from there: the revision is the same, the content is not */
static void an_equal_revision_is_not_equal_content(void **state)
{
	struct core_fixture *f = *state;
	struct core_client h1;
	json_t *first, *second;

	put(f, "l", LAB_H1("before"));
	watch(f, &h1, CORE_AGENT("h1"), "0");
	first = core_line(&h1);
	core_client_fini(&h1);
	core_stop(f);
	store_close(f->store);
	f->store = core_store();
	core_start(f);
	put(f, "l", LAB_H1("after"));
	watch(f, &h1, CORE_AGENT("h1"), core_text(first, "hash"));
	second = core_line(&h1);
	assert_non_null(second);
	assert_true(json_equal(json_object_get(first, "rev"), json_object_get(second, "rev")));
	assert_string_not_equal(core_text(first, "hash"), core_text(second, "hash"));
	core_client_fini(&h1);
	json_decref(first);
	json_decref(second);
}

/* There and back again: the name is the content's, whatever the revision */
static void the_name_follows_the_content(void **state)
{
	struct core_fixture *f = *state;
	struct core_client h1;
	char *empty, *full, *again;

	watch(f, &h1, CORE_AGENT("h1"), "0");
	empty = take_name(&h1);
	put(f, "l", LAB_H1("t"));
	full = take_name(&h1);
	assert_int_equal(core_call(f, CORE_OPERATOR, API_DELETE, "/v1/labs/l", NULL, NULL), 200);
	again = take_name(&h1);
	assert_string_equal(empty, again);
	assert_string_not_equal(empty, full);
	core_client_fini(&h1);
	free(empty);
	free(full);
	free(again);
}

/* Who does not listen has no document made, and what is wanted of it is not known; who was not touched stays in line */
static void nothing_is_made_for_nobody(void **state)
{
	struct core_fixture *f = *state;
	struct core_client h1, h2;
	char *h1_has, *h2_has;
	json_t *host;

	put(f, "l", LAB_H1_H2);
	watch(f, &h1, CORE_AGENT("h1"), "0");
	watch(f, &h2, CORE_AGENT("h2"), "0");
	h1_has = take_name(&h1);
	h2_has = take_name(&h2);
	report(f, CORE_AGENT("h1"), h1_has);
	report(f, CORE_AGENT("h2"), h2_has);
	core_client_fini(&h1);
	core_client_fini(&h2);
	assert_true(in_line(f, "h1") && in_line(f, "h2"));
	put(f, "m", LAB_H1("m"));
	assert_true(in_line(f, "h2"));
	host = item(f, "h1");
	assert_null(json_object_get(host, "wanted"));
	assert_string_equal(core_text(host, "applied"), h1_has);
	json_decref(host);
	/* touched, but with the same content in the end */
	assert_int_equal(core_call(f, CORE_OPERATOR, API_DELETE, "/v1/labs/m", NULL, NULL), 200);
	watch(f, &h1, CORE_AGENT("h1"), h1_has);
	assert_int_equal(json_array_size(h1.lines), 0);
	assert_true(in_line(f, "h1"));
	core_client_fini(&h1);
	free(h1_has);
	free(h2_has);
}

/* Who has not read what it was sent gets the newest once it has, and only that */
static void slow_readers_get_the_newest(void **state)
{
	struct core_fixture *f = *state;
	struct core_client h1;
	json_t *line, *document;

	watch(f, &h1, CORE_AGENT("h1"), "0");
	json_decref(core_line(&h1));
	h1.busy = true;
	put(f, "l", LAB_H1("one"));
	put(f, "l", LAB_H1("two"));
	assert_int_equal(json_array_size(h1.lines), 0);
	assert_false(in_line(f, "h1"));
	/* it asks meanwhile; the watch is owed the same all the same */
	assert_int_equal(core_call(f, CORE_AGENT("h1"), API_GET, "/v1/agent/topology", NULL, &document), 200);
	h1.busy = false;
	h1.watcher->on_drained(h1.watcher);
	line = core_line(&h1);
	assert_true(json_equal(line, document));
	h1.watcher->on_drained(h1.watcher);
	assert_int_equal(json_array_size(h1.lines), 0);
	json_decref(line);
	json_decref(document);
	core_client_fini(&h1);
}

/* Where many are touched, the change is answered, and their documents are made turn by turn */
static void many_take_turns(void **state)
{
	struct core_fixture *f = *state;
	struct core_client agents[3];
	size_t sent = 0;

	watch(f, &agents[0], CORE_AGENT("h1"), "0");
	watch(f, &agents[1], CORE_AGENT("h2"), "0");
	watch(f, &agents[2], CORE_AGENT("h3"), "0");
	for (int i = 0; i < 3; i++)
		json_decref(core_line(&agents[i]));
	f->tick_ms = HOST_SESSIONS_TURN_MS;
	put(f, "l", LAB_ALL);
	for (int turn = 1; turn <= 3; turn++) {
		sent = 0;
		for (int i = 0; i < 3; i++)
			sent += json_array_size(agents[i].lines);
		assert_int_equal(sent, turn);
		assert_int_equal(f->soon, turn < 3 ? turn : 2);
		/* what is not made yet is not known to be wanted, and nobody is taken to be in line */
		assert_int_equal(known_wanted(f), turn);
		api_turn(f->api);
	}
	for (int i = 0; i < 3; i++)
		core_client_fini(&agents[i]);
}

/* ---- who has come or gone ---------------------------------------------------------------------------------- */

/* The names in a line's list, one after the other: "h1 h3" */
static const char *names(const json_t *line, const char *member)
{
	static char out[4096];
	const json_t *name;
	size_t i;

	out[0] = '\0';
	json_array_foreach(json_object_get(line, member), i, name) {
		strcat(out, i ? " " : "");
		strcat(out, json_string_value(name));
	}
	return out;
}

static void assert_told(struct core_client *c, const char *offline, const char *online)
{
	json_t *line = core_line(c);

	assert_non_null(line);
	assert_string_equal(names(line, "offline"), offline);
	assert_string_equal(names(line, "online"), online);
	assert_int_equal(json_object_size(line), (*offline != 0) + (*online != 0));
	assert_int_equal(json_array_size(c->lines), 0);
	json_decref(line);
}

static void forget_lines(struct core_client *c)
{
	json_array_clear(c->lines);
}

/* Those that share a network hear it with the next turn, in one line; others do not */
static void neighbours_hear_who_comes_and_goes(void **state)
{
	struct core_fixture *f = *state;
	struct core_client h1, h2, h3, other;

	put(f, "l", LAB_H1_H2);
	watch(f, &h1, CORE_AGENT("h1"), "0");
	watch(f, &h2, CORE_AGENT("h2"), "0");
	watch(f, &h3, CORE_AGENT("h3"), "0");
	api_turn(f->api);
	assert_int_equal(json_array_size(h1.lines) + json_array_size(h2.lines) + json_array_size(h3.lines), 3);
	assert_int_equal(f->soon, 0); /* the controller has started, and all come back */
	forget_lines(&h1);
	forget_lines(&h3);
	core_client_fini(&h2);
	assert_int_equal(json_array_size(h1.lines), 0);
	assert_int_equal(f->soon, 1);
	api_turn(f->api);
	assert_told(&h1, "h2", "");
	watch(f, &h2, CORE_AGENT("h2"), "");
	forget_lines(&h2);
	api_turn(f->api);
	assert_told(&h1, "", "h2");
	assert_int_equal(json_array_size(h2.lines), 0); /* not of itself */
	/* there again before the turn; and one takes the other's place, which is no news */
	core_client_fini(&h2);
	watch(f, &h2, CORE_AGENT("h2"), "");
	api_turn(f->api);
	assert_told(&h1, "", "h2");
	watch(f, &other, CORE_AGENT("h2"), "");
	core_client_fini(&h2);
	api_turn(f->api);
	assert_int_equal(json_array_size(h1.lines), 0);
	/* a network more: both in one line, and one that has something to read hears nothing */
	put(f, "l", LAB_ALL);
	forget_lines(&h1);
	core_client_fini(&other);
	core_client_fini(&h3);
	api_turn(f->api);
	assert_told(&h1, "h2 h3", "");
	watch(f, &h3, CORE_AGENT("h3"), "");
	h1.busy = true;
	api_turn(f->api);
	assert_int_equal(json_array_size(h1.lines), 0);
	core_client_fini(&h3);
	core_client_fini(&h1);
	api_turn(f->api);
}

/* A revoked host's agent is gone, too */
static void neighbours_hear_of_a_revoked_one(void **state)
{
	struct core_fixture *f = *state;
	struct core_client h1, h2;

	put(f, "l", LAB_H1_H2);
	watch(f, &h1, CORE_AGENT("h1"), "0");
	watch(f, &h2, CORE_AGENT("h2"), "0");
	assert_int_equal(core_call(f, CORE_OPERATOR, API_POST, "/v1/hosts/h2/revoke", NULL, NULL), 200);
	forget_lines(&h1);
	api_turn(f->api);
	assert_told(&h1, "h2", "");
	core_client_fini(&h1);
	core_client_fini(&h2);
}

/* One that comes and goes all the time is told of now and then */
static void a_flapping_host_is_not_told_each_time(void **state)
{
	struct core_fixture *f = *state;
	struct core_client h1, h2;
	size_t told = 0;

	put(f, "l", LAB_H1_H2);
	f->wall += 60; /* who comes first now was not here before */
	watch(f, &h1, CORE_AGENT("h1"), "0");
	api_turn(f->api);
	for (int i = 0; i < 100; i++) {
		forget_lines(&h1);
		watch(f, &h2, CORE_AGENT("h2"), "");
		api_turn(f->api);
		core_client_fini(&h2);
		api_turn(f->api);
		told += json_array_size(h1.lines);
	}
	assert_int_equal(told, PRESENCE_BURST);
	forget_lines(&h1);
	f->now = instant_add_ms(f->now, PRESENCE_REFILL_MS);
	watch(f, &h2, CORE_AGENT("h2"), "");
	api_turn(f->api);
	assert_told(&h1, "", "h2");
	core_client_fini(&h2);
	api_turn(f->api);
	assert_int_equal(json_array_size(h1.lines), 0);
	core_client_fini(&h1);
}

#define MANY 150

/* All at once: turn by turn, and no line has more names than the bound */
static void many_that_go_at_once(void **state)
{
	struct core_fixture *f = *state;
	struct core_client h1, others[MANY];
	struct store_txn txn;
	json_t *ports = json_pack("{s:{s:s, s:s, s:s}}", "a", "host", "h1", "network", "n", "attach", "tap:t"), *line;
	json_t *lab = json_pack("{s:{s:{}}, s:O}", "networks", "n", "ports", ports);
	char *text, name[MANY][16], fingerprint[MANY][16];
	size_t lines = 0;

	store_txn_init(&txn);
	for (int i = 0; i < MANY; i++) {
		snprintf(name[i], sizeof(name[i]), "m%03d", i);
		snprintf(fingerprint[i], sizeof(fingerprint[i]), "f-m%03d", i);
		core_put_host(&txn, name[i], 10 + i % 200);
		json_object_set_new(ports, name[i],
			json_pack("{s:s, s:s, s:s}", "host", name[i], "network", "n", "attach", "tap:t"));
	}
	assert_int_equal(store_fixture_commit(f->store, &txn, NULL), 0);
	text = json_dumps(lab, 0);
	put(f, "l", text);
	free(text);
	json_decref(lab);
	json_decref(ports);
	watch(f, &h1, CORE_AGENT("h1"), "0");
	for (int i = 0; i < MANY; i++)
		watch(f, &others[i], ((struct who_claim){ .host = name[i], .fingerprint = fingerprint[i] }), "0");
	forget_lines(&h1);
	for (int i = 0; i < MANY; i++)
		core_client_fini(&others[i]);
	api_turn(f->api);
	line = core_line(&h1);
	assert_int_equal(json_array_size(json_object_get(line, "offline")), PRESENCE_NAMES_MAX);
	json_decref(line);
	assert_int_equal(json_array_size(h1.lines), 0);
	for (int i = 0; i < 3; i++)
		watch(f, &others[i], ((struct who_claim){ .host = name[i], .fingerprint = fingerprint[i] }), "0");
	f->tick_ms = PRESENCE_TURN_MS;
	for (f->soon = 0; lines < 3; lines++) {
		api_turn(f->api);
		assert_int_equal(f->soon, lines < 2 ? lines + 1 : 2);
		assert_told(&h1, "", name[lines]);
	}
	for (int i = 0; i < 3; i++)
		core_client_fini(&others[i]);
	core_client_fini(&h1);
}

/* A watch ends with the certificate under which it was opened, and with the next one */
static void watches_end(void **state)
{
	struct core_fixture *f = *state;
	struct core_client first, second, other;

	put(f, "l", LAB_H1_H2);
	watch(f, &first, CORE_AGENT("h1"), "0");
	watch(f, &other, CORE_AGENT("h2"), "0");
	watch(f, &second, CORE_AGENT("h1"), "0");
	assert_int_equal(first.ended, 1);
	assert_int_equal(second.ended, 0);
	json_decref(core_line(&other));
	assert_int_equal(core_call(f, CORE_OPERATOR, API_POST, "/v1/hosts/h1/revoke", NULL, NULL), 200);
	assert_int_equal(second.ended, 1);
	assert_int_equal(other.ended, 0);
	assert_int_equal(json_array_size(other.lines), 1);
	assert_int_equal(core_call(f, CORE_AGENT("h1"), API_GET, "/v1/agent/topology", NULL, NULL), 403);
	core_client_fini(&first);
	core_client_fini(&second);
	core_client_fini(&other);
}

/* Its ports are in the way; then it goes with its stream and all that was known of it, and its certificate stays refused */
static void removed_hosts_are_forgotten(void **state)
{
	struct core_fixture *f = *state;
	struct core_client h1, hosts = { 0 }, drops = { 0 }, removal = { 0 };
	json_t *body, *line;

	put(f, "l", LAB_H1_H2);
	watch(f, &h1, CORE_AGENT("h1"), "0");
	core_ask(f, &hosts, CORE_OPERATOR, API_GET, "/v1/hosts", "watch=0", NULL);
	core_ask(f, &drops, CORE_OPERATOR, API_GET, "/v1/drops", "watch=0", NULL);
	assert_int_equal(core_call(f, CORE_AGENT("h1"), API_PUT, "/v1/agent/report",
				 "{\"applied\":\"\",\"drops\":{\"tap-down\":3}}", NULL),
		200);
	assert_int_equal(json_array_size(drops.lines), 1);
	assert_int_equal(core_call(f, CORE_OPERATOR, API_DELETE, "/v1/hosts/h1", NULL, &body), 409);
	assert_non_null(strstr(core_text(json_object_get(body, "error"), "message"), "l/a"));
	json_decref(body);
	assert_int_equal(h1.ended, 0);
	assert_int_equal(core_call(f, CORE_OPERATOR, API_DELETE, "/v1/labs/l", NULL, NULL), 200);
	assert_int_equal(core_call(f, CORE_OPERATOR, API_DELETE, "/v1/hosts/h1", NULL, NULL), 409);
	assert_int_equal(h1.ended, 0);
	json_array_clear(hosts.lines);
	core_ask(f, &removal, CORE_OPERATOR, API_DELETE, "/v1/hosts/h1", "revoke=1", NULL);
	store_wait(f->store);
	assert_int_equal(removal.status, 200);
	assert_int_equal(h1.ended, 1);
	line = core_line(&hosts);
	assert_string_equal(core_text(line, "op"), "delete");
	assert_string_equal(core_text(json_object_get(line, "item"), "name"), "h1");
	json_decref(line);
	json_decref(core_line(&drops));
	line = core_line(&drops);
	assert_string_equal(core_text(line, "op"), "delete");
	json_decref(line);
	assert_null(item(f, "h1"));
	assert_int_equal(core_call(f, CORE_AGENT("h1"), API_GET, "/v1/agent/topology", NULL, NULL), 403);
	assert_int_equal(core_call(f, CORE_OPERATOR, API_POST, "/v1/hosts/h1/ask", "{\"question\":\"q\"}", NULL), 404);
	assert_int_equal(core_call(f, CORE_OPERATOR, API_DELETE, "/v1/hosts/h1", NULL, NULL), 404);
	core_client_fini(&h1);
	core_client_fini(&hosts);
	core_client_fini(&drops);
	core_client_fini(&removal);
}

/* What was learnt of it while its removal was on the way to the disk is of nobody any more */
static void removed_while_it_is_learnt_of(void **state)
{
	struct core_fixture *f = *state;
	struct core_client removal = { 0 }, seen = { 0 };
	struct who_claim who = CORE_AGENT("h3");

	who.from_known = true;
	who.from = (struct endpoint){ .ip = { [10] = 0xff, [11] = 0xff, 203, 0, 113, 5 }, .port = 1234 };
	core_ask(f, &removal, CORE_OPERATOR, API_DELETE, "/v1/hosts/h3", "revoke=1", NULL);
	core_ask(f, &seen, who, API_PUT, "/v1/agent/report", "{\"applied\":\"\",\"addresses\":[\"203.0.113.5:4754\"]}",
		NULL);
	store_wait(f->store);
	assert_int_equal(removal.status, 200);
	assert_null(model_host(f->model, "h3"));
	assert_null(item(f, "h3"));
	core_client_fini(&removal);
	core_client_fini(&seen);
}

/* Whose coming was to be told to its neighbours in the next turn, which it has not any more */
static void removed_before_it_is_told_of(void **state)
{
	struct core_fixture *f = *state;
	struct core_client h1, h2;

	f->wall += 3600;
	watch(f, &h2, CORE_AGENT("h2"), "0");
	watch(f, &h1, CORE_AGENT("h1"), "0");
	core_client_fini(&h1);
	assert_int_equal(core_call(f, CORE_OPERATOR, API_POST, "/v1/hosts/h1/revoke", NULL, NULL), 200);
	assert_int_equal(core_call(f, CORE_OPERATOR, API_DELETE, "/v1/hosts/h1", NULL, NULL), 200);
	api_turn(f->api);
	assert_int_equal(json_array_size(h2.lines), 1); /* its document */
	core_client_fini(&h2);
}

static void agent_at(struct core_fixture *f, uint8_t last)
{
	struct who_claim who = CORE_AGENT("h3");

	who.from_known = true;
	who.from = (struct endpoint){ .ip = { [10] = 0xff, [11] = 0xff, 203, 0, 113, last }, .port = 1234 };
	report(f, who, "");
}

static void put_h3(struct core_fixture *f, uint64_t *rev)
{
	struct store_txn txn;

	store_txn_init(&txn);
	store_txn_put(&txn, "host/h3", "{\"name\":\"h3\",\"fingerprint\":\"f-h3\",\"enrolled_at\":1,\"port\":4754}");
	assert_int_equal(store_fixture_commit(f->store, &txn, rev), 0);
}

static const char *address_of_h3(struct core_fixture *f, size_t n)
{
	static char text[ENDPOINT_TEXT_BYTES];
	json_t *list = host_addresses_of(model_host(f->model, "h3"));
	const char *found = json_string_value(json_array_get(list, n));

	snprintf(text, sizeof(text), "%s", found ? found : "");
	json_decref(list);
	return text;
}

/* Where it is seen is where others find it; what alternates, as a cloned machine, is nothing new */
static void addresses_are_learnt(void **state)
{
	struct core_fixture *f = *state;
	struct store_txn txn;
	uint64_t rev;

	put_h3(f, &rev);
	agent_at(f, 1);
	assert_int_equal(model_rev(f->model), rev + 1);
	assert_string_equal(address_of_h3(f, 0), "203.0.113.1:4754");
	agent_at(f, 1);
	assert_int_equal(model_rev(f->model), rev + 1);
	agent_at(f, 2);
	assert_int_equal(model_rev(f->model), rev + 2);
	assert_string_equal(address_of_h3(f, 0), "203.0.113.2:4754");
	assert_string_equal(address_of_h3(f, 1), "203.0.113.1:4754");
	for (int i = 0; i < 100; i++) {
		f->wall++;
		agent_at(f, (uint8_t)(1 + i % 2));
	}
	assert_int_equal(model_rev(f->model), rev + 2);
	/* one with an endpoint of its own is not asked where it is */
	store_txn_init(&txn);
	core_put_host(&txn, "h3", 3);
	assert_int_equal(store_fixture_commit(f->store, &txn, &rev), 0);
	f->wall++;
	agent_at(f, 3);
	assert_int_equal(model_rev(f->model), rev);
}

/* A host that is always elsewhere costs the fabric a few revisions, and its last address is known in the end */
static void addresses_that_never_rest_wait(void **state)
{
	struct core_fixture *f = *state;
	uint64_t rev;

	put_h3(f, &rev);
	for (int s = 0; s < 300; s++) {
		f->wall++;
		agent_at(f, (uint8_t)(1 + s % 250));
	}
	assert_in_range(model_rev(f->model) - rev, 5, 5 + 300 / 30 + 1);
	f->wall += 30;
	agent_at(f, 99);
	assert_string_equal(address_of_h3(f, 0), "203.0.113.99:4754");
}

static json_t *item_of_h3(struct core_fixture *f)
{
	json_t *answer, *item;

	assert_int_equal(core_call(f, CORE_OPERATOR, API_GET, "/v1/hosts", NULL, &answer), 200);
	item = json_incref(json_array_get(json_object_get(answer, "items"), 2));
	assert_string_equal(core_text(item, "name"), "h3");
	json_decref(answer);
	return item;
}

static void answered(struct core_fixture *f, const char *name, const json_t *addresses, const char *failure)
{
	api_named(f->api, name, addresses, failure);
	store_wait(f->store);
}

/* Its peers follow what a name stands for; a name server that does not answer takes nothing away, and is told of */
static void names_are_followed(void **state)
{
	struct core_fixture *f = *state;
	json_t *first = json_pack("[s]", "203.0.113.1:4754"), *second = json_pack("[s]", "203.0.113.2:4754"), *host;
	uint64_t rev;

	assert_int_equal(core_call(f, CORE_OPERATOR, API_PUT, "/v1/hosts/h3", "{\"endpoints\":[\"h3.example.org\"]}",
				 NULL),
		200);
	rev = model_rev(f->model);
	answered(f, "h3.example.org:4754", first, "");
	assert_int_equal(model_rev(f->model), rev + 1);
	assert_string_equal(address_of_h3(f, 0), "203.0.113.1:4754");
	answered(f, "h3.example.org:4754", first, "");
	answered(f, "nobody.example.org:4754", second, "");
	answered(f, "h3.example.org:4754", NULL, "there is no such name");
	assert_int_equal(model_rev(f->model), rev + 1);
	host = item_of_h3(f);
	assert_non_null(strstr(core_text(host, "error"), "h3.example.org:4754: there is no such name"));
	json_decref(host);
	answered(f, "h3.example.org:4754", second, "");
	assert_int_equal(model_rev(f->model), rev + 2);
	assert_string_equal(address_of_h3(f, 0), "203.0.113.2:4754");
	host = item_of_h3(f);
	assert_null(json_object_get(host, "error"));
	json_decref(host);
	json_decref(first);
	json_decref(second);
}

/* Watches of hosts tell what agents bring about */
static void operators_hear(void **state)
{
	struct core_fixture *f = *state;
	struct core_client hosts = { 0 }, h1;
	json_t *line;

	core_ask(f, &hosts, CORE_OPERATOR, API_GET, "/v1/hosts", "watch=0", NULL);
	assert_int_equal(json_array_size(hosts.lines), 3);
	json_array_clear(hosts.lines);
	watch(f, &h1, CORE_AGENT("h1"), "0");
	line = core_line(&hosts);
	assert_true(json_is_true(json_object_get(json_object_get(line, "item"), "online")));
	json_decref(line);
	report(f, CORE_AGENT("h1"), "ab");
	line = core_line(&hosts);
	assert_string_equal(core_text(json_object_get(line, "item"), "applied"), "ab");
	json_decref(line);
	report(f, CORE_AGENT("h1"), "ab"); /* nothing new */
	assert_int_equal(json_array_size(hosts.lines), 0);
	core_client_fini(&h1);
	line = core_line(&hosts);
	assert_true(json_is_false(json_object_get(json_object_get(line, "item"), "online")));
	json_decref(line);
	core_client_fini(&hosts);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(nobody_gets_again_what_it_has, set_up, tear_down),
		cmocka_unit_test_setup_teardown(one_document_has_one_revision, set_up, tear_down),
		cmocka_unit_test_setup_teardown(an_equal_revision_is_not_equal_content, set_up, tear_down),
		cmocka_unit_test_setup_teardown(the_name_follows_the_content, set_up, tear_down),
		cmocka_unit_test_setup_teardown(nothing_is_made_for_nobody, set_up, tear_down),
		cmocka_unit_test_setup_teardown(slow_readers_get_the_newest, set_up, tear_down),
		cmocka_unit_test_setup_teardown(many_take_turns, set_up, tear_down),
		cmocka_unit_test_setup_teardown(neighbours_hear_who_comes_and_goes, set_up, tear_down),
		cmocka_unit_test_setup_teardown(neighbours_hear_of_a_revoked_one, set_up, tear_down),
		cmocka_unit_test_setup_teardown(a_flapping_host_is_not_told_each_time, set_up, tear_down),
		cmocka_unit_test_setup_teardown(many_that_go_at_once, set_up, tear_down),
		cmocka_unit_test_setup_teardown(watches_end, set_up, tear_down),
		cmocka_unit_test_setup_teardown(removed_hosts_are_forgotten, set_up, tear_down),
		cmocka_unit_test_setup_teardown(removed_before_it_is_told_of, set_up, tear_down),
		cmocka_unit_test_setup_teardown(removed_while_it_is_learnt_of, set_up, tear_down),
		cmocka_unit_test_setup_teardown(addresses_are_learnt, set_up, tear_down),
		cmocka_unit_test_setup_teardown(addresses_that_never_rest_wait, set_up, tear_down),
		cmocka_unit_test_setup_teardown(names_are_followed, set_up, tear_down),
		cmocka_unit_test_setup_teardown(operators_hear, set_up, tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
