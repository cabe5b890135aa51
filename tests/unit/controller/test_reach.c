/*
 * test_reach.c - paths and ports by what agents say, through the API: who counts, who is named, whose word is stale
 */
#include "controller/reach.h"

#include "controller/api.h"
#include "tests/unit/controller/core_fixture.h"

#define LAB                                                                                                            \
	"{\"networks\":{\"n\":{},\"m\":{}},\"ports\":{\"a\":{\"host\":\"h1\",\"network\":\"n\",\"attach\":\"tap:a\"}," \
	"\"b\":{\"host\":\"h2\",\"network\":\"n\",\"attach\":\"tap:b\"},"                                              \
	"\"c\":{\"host\":\"h3\",\"network\":\"m\",\"attach\":\"tap:c\"},"                                              \
	"\"d\":{\"host\":\"h2\",\"network\":\"m\",\"attach\":\"tap:d\"}}}"

static int set_up(void **state)
{
	struct core_fixture *f = calloc(1, sizeof(*f));

	core_init(f);
	*state = f;
	assert_int_equal(core_call(f, CORE_OPERATOR, API_PUT, "/v1/labs/l", LAB, NULL), 200);
	return 0;
}

static int tear_down(void **state)
{
	core_fini(*state);
	free(*state);
	return 0;
}

/* Its agent comes, and is told what is wanted.  @hash: 65 bytes */
static void comes(struct core_fixture *f, struct core_client *watch, struct who_claim claim, char *hash)
{
	json_t *line;

	core_ask(f, watch, claim, API_GET, "/v1/agent/topology", "watch=0", NULL);
	line = core_line(watch);
	snprintf(hash, 65, "%s", core_text(line, "hash"));
	json_decref(line);
}

/* @rest: members of the report behind `applied` */
static void reports(struct core_fixture *f, struct who_claim claim, const char *hash, const char *rest)
{
	char body[2048];

	snprintf(body, sizeof(body), "{\"applied\":\"%s\"%s}", hash, rest);
	assert_int_equal(core_call(f, claim, API_PUT, "/v1/agent/report", body, NULL), 200);
}

#define UP(count) ",\"peers\":{\"count\":" count ",\"up\":" count ",\"not_up\":[]},\"ports\":{\"count\":1,\"up\":1}"
#define NOT_UP(peer, state)                                                                                            \
	",\"peers\":{\"count\":1,\"up\":0,\"not_up\":[{\"host\":\"" peer "\",\"state\":\"" state "\",\"reason\":\"no " \
	"answer\",\"endpoint\":\"192.0.2.2:4754\"}]},\"ports\":{\"count\":1,\"up\":1}"

static json_t *state_of(struct core_fixture *f, const char *of)
{
	json_t *answer, *part;

	assert_int_equal(core_call(f, CORE_OPERATOR, API_GET, "/v1/labs/l/state", NULL, &answer), 200);
	part = json_incref(json_object_get(answer, of));
	json_decref(answer);
	return part;
}

/* Consumes @part */
static void counts(json_t *part, int count, int up, int named, int unnamed)
{
	assert_int_equal(json_integer_value(json_object_get(part, "count")), count);
	assert_int_equal(json_integer_value(json_object_get(part, "up")), up);
	assert_int_equal(json_array_size(json_object_get(part, "not_up")), named);
	if (json_object_get(part, "unnamed"))
		assert_int_equal(json_integer_value(json_object_get(part, "unnamed")), unnamed);
	else
		assert_int_equal(json_integer_value(json_object_get(part, "failed")), named);
	json_decref(part);
}

static void fabric_counts(struct core_fixture *f, int count, int up, int unknown)
{
	json_t *answer, *paths;

	assert_int_equal(core_call(f, CORE_OPERATOR, API_GET, "/v1/peers", NULL, &answer), 200);
	paths = json_object_get(answer, "paths");
	assert_int_equal(json_integer_value(json_object_get(paths, "count")), count);
	assert_int_equal(json_integer_value(json_object_get(paths, "up")), up);
	assert_int_equal(json_integer_value(json_object_get(paths, "unknown")), unknown);
	json_decref(answer);
}

static void a_path_is_up_when_both_say_so(void **state)
{
	struct core_fixture *f = *state;
	struct core_client h1 = { 0 }, h2 = { 0 }, h3 = { 0 };
	char one[65], two[65], three[65];
	json_t *paths;

	fabric_counts(f, 2, 0, 2);
	counts(state_of(f, "paths"), 2, 0, 0, 0);
	counts(state_of(f, "ports"), 4, 0, 0, 0);
	comes(f, &h1, CORE_AGENT("h1"), one);
	comes(f, &h2, CORE_AGENT("h2"), two);
	comes(f, &h3, CORE_AGENT("h3"), three);
	reports(f, CORE_AGENT("h1"), one, UP("1"));
	fabric_counts(f, 2, 1, 1);
	counts(state_of(f, "paths"), 2, 0, 0, 0);
	counts(state_of(f, "ports"), 4, 1, 0, 0);
	reports(f, CORE_AGENT("h2"), two, UP("2"));
	counts(state_of(f, "paths"), 2, 1, 0, 0);
	reports(f, CORE_AGENT("h3"), three, NOT_UP("h2", "connecting"));
	fabric_counts(f, 2, 1, 0);
	paths = state_of(f, "paths");
	assert_string_equal(core_text(json_array_get(json_object_get(paths, "not_up"), 0), "host"), "h3");
	assert_string_equal(core_text(json_array_get(json_object_get(paths, "not_up"), 0), "peer"), "h2");
	assert_string_equal(core_text(json_array_get(json_object_get(paths, "not_up"), 0), "reason"), "no answer");
	counts(paths, 2, 1, 1, 0);
	reports(f, CORE_AGENT("h3"), three, UP("1"));
	counts(state_of(f, "paths"), 2, 2, 0, 0);
	counts(state_of(f, "ports"), 4, 4, 0, 0);
	fabric_counts(f, 2, 2, 0);
	core_client_fini(&h1);
	core_client_fini(&h2);
	core_client_fini(&h3);
}

/* What was said before is not what is: of another document, or before the agent came back */
static void a_stale_word_does_not_count(void **state)
{
	struct core_fixture *f = *state;
	struct core_client h1 = { 0 }, h2 = { 0 }, h3 = { 0 };
	char one[65], two[65], three[65];

	comes(f, &h1, CORE_AGENT("h1"), one);
	comes(f, &h2, CORE_AGENT("h2"), two);
	comes(f, &h3, CORE_AGENT("h3"), three);
	reports(f, CORE_AGENT("h1"), one, UP("1"));
	reports(f, CORE_AGENT("h2"), two, UP("2"));
	reports(f, CORE_AGENT("h3"), three, UP("1"));
	counts(state_of(f, "paths"), 2, 2, 0, 0);
	reports(f, CORE_AGENT("h2"), "00", UP("2"));
	counts(state_of(f, "paths"), 2, 0, 0, 0);
	counts(state_of(f, "ports"), 4, 2, 0, 0);
	fabric_counts(f, 2, 2, 0);
	reports(f, CORE_AGENT("h2"), two, UP("2"));
	core_client_fini(&h1);
	counts(state_of(f, "paths"), 2, 1, 0, 0);
	comes(f, &h1, CORE_AGENT("h1"), one);
	counts(state_of(f, "paths"), 2, 1, 0, 0);
	counts(state_of(f, "ports"), 4, 3, 0, 0);
	reports(f, CORE_AGENT("h1"), one, UP("1"));
	counts(state_of(f, "paths"), 2, 2, 0, 0);
	/* an agent that says nothing of its peers has none that is known to be up */
	reports(f, CORE_AGENT("h1"), one, "");
	counts(state_of(f, "paths"), 2, 1, 0, 0);
	fabric_counts(f, 2, 2, 0);
	/* more than it could name */
	reports(f, CORE_AGENT("h1"), one,
		",\"peers\":{\"count\":90,\"up\":20,\"not_up\":[]},\"ports\":{\"count\":3,\"up\":1}");
	counts(state_of(f, "paths"), 2, 2, 0, 70);
	counts(state_of(f, "ports"), 4, 3, 0, 0);
	fabric_counts(f, 2, 2, 0);
	core_client_fini(&h2); /* who could vouch for the path is gone: it may be one of the 70 */
	fabric_counts(f, 2, 1, 1);
	core_client_fini(&h1);
	core_client_fini(&h3);
}

static void ports_have_the_state_that_their_host_says(void **state)
{
	struct core_fixture *f = *state;
	struct core_client h1 = { 0 }, watch = { 0 };
	json_t *answer, *item, *line;
	char one[65];
	size_t i;

	comes(f, &h1, CORE_AGENT("h1"), one);
	core_ask(f, &watch, CORE_OPERATOR, API_GET, "/v1/ports", "watch=1", NULL);
	for (i = 0; i < 4; i++)
		json_decref(core_line(&watch));
	reports(f, CORE_AGENT("h1"), one,
		",\"ports\":{\"count\":1,\"up\":0},\"errors\":[{\"lab\":\"l\",\"port\":\"a\",\"text\":\"is down\",\"state\":\"down\"},"
		"{\"lab\":\"l\",\"port\":\"b\",\"text\":\"not mine\"}]");
	line = core_line(&watch);
	assert_string_equal(core_text(json_object_get(line, "item"), "state"), "down");
	assert_null(core_line(&watch));
	json_decref(line);
	assert_int_equal(core_call(f, CORE_OPERATOR, API_GET, "/v1/ports", NULL, &answer), 200);
	json_array_foreach(json_object_get(answer, "items"), i, item) {
		const bool is_a = strcmp(core_text(item, "name"), "a") == 0;

		assert_string_equal(core_text(item, "state"), is_a ? "down" : "offline");
		assert_string_equal(core_text(item, "error"), is_a ? "is down" : "");
		assert_int_equal(json_integer_value(json_object_get(item, "since")), is_a ? f->wall : 0);
	}
	json_decref(answer);
	counts(state_of(f, "ports"), 4, 0, 1, 0);
	core_client_fini(&h1);
	line = core_line(&watch);
	assert_string_equal(core_text(json_object_get(line, "item"), "state"), "offline");
	json_decref(line);
	core_client_fini(&watch);
}

/* Since when: it stays while the thing stays */
static void since_when(void **state)
{
	struct core_fixture *f = *state;
	struct core_client h1 = { 0 }, watch = { 0 };
	const time_t start = f->wall;
	json_t *answer, *line;
	char one[65];

	comes(f, &h1, CORE_AGENT("h1"), one);
	core_ask(f, &watch, CORE_OPERATOR, API_GET, "/v1/peers", "watch=0", NULL);
	reports(f, CORE_AGENT("h1"), one, NOT_UP("h2", "connecting") ",\"errors\":[{\"text\":\"x\"}]");
	f->wall += 10;
	reports(f, CORE_AGENT("h1"), one, NOT_UP("h2", "connecting") ",\"errors\":[{\"text\":\"y\"},{\"text\":\"x\"}]");
	assert_int_equal(core_call(f, CORE_OPERATOR, API_GET, "/v1/hosts", NULL, &answer), 200);
	line = json_object_get(json_array_get(json_object_get(answer, "items"), 0), "errors");
	assert_int_equal(json_integer_value(json_object_get(json_array_get(line, 0), "since")), start + 10);
	assert_int_equal(json_integer_value(json_object_get(json_array_get(line, 1), "since")), start);
	json_decref(answer);
	f->wall += 10;
	reports(f, CORE_AGENT("h1"), one, NOT_UP("h2", "unreachable"));
	reports(f, CORE_AGENT("h1"), one, UP("1"));
	for (int i = 0; i < 3; i++) {
		line = core_line(&watch);
		assert_string_equal(core_text(line, "op"), i < 2 ? "put" : "delete");
		assert_int_equal(json_integer_value(json_object_get(json_object_get(line, "item"), "since")),
			i == 0 ? start : start + 20);
		json_decref(line);
	}
	assert_null(core_line(&watch));
	core_client_fini(&h1);
	core_client_fini(&watch);
}

/* An offline host's word is taken back, and given again when it is back with the same */
static void watchers_hear_of_those_who_leave(void **state)
{
	struct core_fixture *f = *state;
	struct core_client h1 = { 0 }, watch = { 0 };
	const char *const ops[] = { "put", "delete", "put" };
	char one[65];

	core_ask(f, &watch, CORE_OPERATOR, API_GET, "/v1/peers", "watch=0", NULL);
	comes(f, &h1, CORE_AGENT("h1"), one);
	reports(f, CORE_AGENT("h1"), one, NOT_UP("h2", "silent"));
	core_client_fini(&h1);
	comes(f, &h1, CORE_AGENT("h1"), one);
	reports(f, CORE_AGENT("h1"), one, NOT_UP("h2", "silent"));
	for (size_t i = 0; i < 3; i++) {
		json_t *line = core_line(&watch);

		assert_string_equal(core_text(line, "op"), ops[i]);
		json_decref(line);
	}
	assert_null(core_line(&watch));
	core_client_fini(&h1);
	core_client_fini(&watch);
}

/* Many hosts: every pair once, whatever the networks that they share */
static void a_thousand_hosts(void **state)
{
	struct core_fixture *f = *state;
	json_t *lab = json_pack("{s:{s:{}, s:{}}, s:{}}", "networks", "n", "m", "ports"), *ports, *answer;
	struct store_txn txn;
	char *text;

	store_txn_init(&txn);
	ports = json_object_get(lab, "ports");
	for (int i = 0; i < 1000; i++) {
		char host[16], name[24];

		snprintf(host, sizeof(host), "x%d", i);
		core_put_host(&txn, host, i % 250);
		for (int k = 0; k < 2; k++) {
			snprintf(name, sizeof(name), "%s-%d", host, k);
			json_object_set_new(ports, name,
				json_pack("{s:s, s:s, s:s+}", "host", host, "network", k ? "n" : "m", "attach",
					"tap:", name));
		}
	}
	assert_int_equal(store_fixture_commit(f->store, &txn, NULL), 0);
	text = json_dumps(lab, 0);
	assert_int_equal(core_call(f, CORE_OPERATOR, API_PUT, "/v1/labs/big", text, NULL), 200);
	assert_int_equal(core_call(f, CORE_OPERATOR, API_GET, "/v1/labs/big/state", NULL, &answer), 200);
	counts(json_incref(json_object_get(answer, "paths")), 1000 * 999 / 2, 0, 0, 0);
	counts(json_incref(json_object_get(answer, "ports")), 2000, 0, 0, 0);
	json_decref(answer);
	fabric_counts(f, 2 + 1000 * 999 / 2, 0, 2 + 1000 * 999 / 2);
	free(text);
	json_decref(lab);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_path_is_up_when_both_say_so),
		TEST(a_stale_word_does_not_count),
		TEST(ports_have_the_state_that_their_host_says),
		TEST(since_when),
		TEST(watchers_hear_of_those_who_leave),
		TEST(a_thousand_hosts),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
