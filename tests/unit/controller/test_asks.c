/*
 * test_asks.c - questions to hosts, through the API: answered once, by whom they were put to, in time or not at all
 */
#include "controller/asks.h"

#include "controller/api.h"
#include "tests/unit/controller/core_fixture.h"

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

/* @name is online; what it was sent first is taken away */
static void online(struct core_fixture *f, struct core_client *watch, struct who_claim claim)
{
	core_ask(f, watch, claim, API_GET, "/v1/agent/topology", "watch=0", NULL);
	json_decref(core_line(watch));
}

/* An operator asks @host; the line that its agent gets is in @line */
static void ask(struct core_fixture *f, struct core_client *asker, const char *host, struct core_client *agent,
	json_t **line)
{
	char path[80];

	snprintf(path, sizeof(path), "/v1/hosts/%s/ask", host);
	core_ask(f, asker, CORE_OPERATOR, API_POST, path, NULL, "{\"question\":\"peers\",\"args\":{\"a\":1}}");
	*line = core_line(agent);
}

static int answer(struct core_fixture *f, struct who_claim claim, const json_t *line, const char *body)
{
	char path[96];

	snprintf(path, sizeof(path), "/v1/agent/answers/%s", core_text(line, "ask"));
	return core_call(f, claim, API_PUT, path, body, NULL);
}

static void an_answer_comes_back(void **state)
{
	struct core_fixture *f = *state;
	struct core_client agent = { 0 }, asker = { 0 };
	json_t *line;

	online(f, &agent, CORE_AGENT("h1"));
	ask(f, &asker, "h1", &agent, &line);
	assert_int_equal(asker.answers, 0);
	assert_string_equal(core_text(line, "question"), "peers");
	assert_int_equal(strlen(core_text(line, "ask")), 32);
	assert_int_equal(json_integer_value(json_object_get(json_object_get(line, "args"), "a")), 1);
	assert_int_equal(answer(f, CORE_AGENT("h2"), line, "{\"x\":1}"), 404);
	assert_int_equal(answer(f, CORE_AGENT("h1"), line, "[]"), 400);
	assert_int_equal(asker.answers, 0);
	assert_int_equal(answer(f, CORE_AGENT("h1"), line, "{\"peers\":[1,2]}"), 200);
	assert_int_equal(asker.status, 200);
	assert_int_equal(json_array_size(json_object_get(asker.body, "peers")), 2);
	assert_int_equal(answer(f, CORE_AGENT("h1"), line, "{\"peers\":[1,2]}"), 404);
	assert_int_equal(asker.answers, 1);
	json_decref(line);
	core_client_fini(&asker);
	core_client_fini(&agent);
}

static void an_agent_that_cannot_says_why(void **state)
{
	struct core_fixture *f = *state;
	struct core_client agent = { 0 }, asker = { 0 };
	json_t *line;

	online(f, &agent, CORE_AGENT("h1"));
	ask(f, &asker, "h1", &agent, &line);
	assert_int_equal(answer(f, CORE_AGENT("h1"), line, "{\"error\":{\"message\":\"no such \\u001bthing\"}}"), 200);
	assert_int_equal(asker.status, 400);
	assert_string_equal(core_text(json_object_get(asker.body, "error"), "message"), "h1: no such  thing");
	json_decref(line);
	core_client_fini(&asker);
	core_client_fini(&agent);
}

static void who_is_not_there_is_not_asked(void **state)
{
	struct core_fixture *f = *state;
	struct core_client agent = { 0 };
	static const char *const wrong[] = { "{}", "[]", "{\"question\":1}", "{\"question\":\"q\",\"args\":[]}" };
	char big[6000];

	assert_int_equal(core_call(f, CORE_OPERATOR, API_POST, "/v1/hosts/zz/ask", "{\"question\":\"q\"}", NULL), 404);
	assert_int_equal(core_call(f, CORE_OPERATOR, API_POST, "/v1/hosts/h1/ask", "{\"question\":\"q\"}", NULL), 503);
	online(f, &agent, CORE_AGENT("h1"));
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++)
		assert_int_equal(core_call(f, CORE_OPERATOR, API_POST, "/v1/hosts/h1/ask", wrong[i], NULL), 400);
	snprintf(big, sizeof(big), "{\"question\":\"q\",\"args\":{\"x\":\"%05000d\"}}", 0);
	assert_int_equal(core_call(f, CORE_OPERATOR, API_POST, "/v1/hosts/h1/ask", big, NULL), 400);
	assert_int_equal(core_call(f, CORE_AGENT("h1"), API_POST, "/v1/hosts/h1/ask", "{\"question\":\"q\"}", NULL),
		403);
	assert_int_equal(json_array_size(agent.lines), 0);
	core_client_fini(&agent);
}

static void nobody_waits_for_ever(void **state)
{
	struct core_fixture *f = *state;
	struct core_client agent = { 0 }, first = { 0 }, second = { 0 };
	json_t *line, *other;

	online(f, &agent, CORE_AGENT("h1"));
	ask(f, &first, "h1", &agent, &line);
	assert_int_equal(f->due.ns, instant_add_ms(f->now, ASKS_PATIENCE_MS).ns);
	f->now = instant_add_ms(f->now, 4000);
	ask(f, &second, "h1", &agent, &other);
	f->now = instant_add_ms(f->now, ASKS_PATIENCE_MS - 4000);
	api_turn(f->api);
	assert_int_equal(first.status, 504);
	assert_int_equal(second.answers, 0);
	assert_int_equal(f->due.ns, instant_add_ms(f->now, 4000).ns);
	assert_int_equal(answer(f, CORE_AGENT("h1"), line, "{}"), 404);
	assert_int_equal(answer(f, CORE_AGENT("h1"), other, "{}"), 200);
	assert_int_equal(second.status, 200);
	json_decref(line);
	json_decref(other);
	core_client_fini(&first);
	core_client_fini(&second);
	core_client_fini(&agent);
}

/* Whether it was read is not known: nobody may wait for it, whatever ended the stream */
static void a_stream_that_ends_takes_its_questions_along(void **state)
{
	struct core_fixture *f = *state;
	struct core_client agent = { 0 }, again = { 0 }, asker = { 0 };
	json_t *line;

	online(f, &agent, CORE_AGENT("h1"));
	ask(f, &asker, "h1", &agent, &line);
	json_decref(line);
	core_client_fini(&agent);
	assert_int_equal(asker.status, 503);
	core_client_fini(&asker);

	online(f, &agent, CORE_AGENT("h1"));
	ask(f, &asker, "h1", &agent, &line);
	json_decref(line);
	online(f, &again, CORE_AGENT("h1"));
	assert_int_equal(agent.ended, 1);
	assert_int_equal(asker.status, 503);
	core_client_fini(&asker);

	ask(f, &asker, "h1", &again, &line);
	json_decref(line);
	assert_int_equal(core_call(f, CORE_OPERATOR, API_POST, "/v1/hosts/h1/revoke", NULL, NULL), 200);
	assert_int_equal(asker.status, 503);
	core_client_fini(&asker);
	core_client_fini(&agent);
	core_client_fini(&again);
}

static void so_many_wait_and_no_more(void **state)
{
	struct core_fixture *f = *state;
	struct core_client agent = { 0 }, asker[ASKS_OF_HOST] = { { 0 } }, more = { 0 };
	json_t *line;

	online(f, &agent, CORE_AGENT("h1"));
	for (unsigned int i = 0; i < ASKS_OF_HOST; i++) {
		ask(f, &asker[i], "h1", &agent, &line);
		json_decref(line);
		assert_int_equal(asker[i].answers, 0);
	}
	ask(f, &more, "h1", &agent, &line);
	assert_null(line);
	assert_int_equal(more.status, 503);
	core_client_fini(&more);
	/* one whose asker is gone waits on, and nobody is told of its end */
	api_call_gone(asker[0].call);
	f->now = instant_add_ms(f->now, ASKS_PATIENCE_MS);
	api_turn(f->api);
	assert_int_equal(asker[0].answers, 0);
	assert_int_equal(asker[1].status, 504);
	for (unsigned int i = 0; i < ASKS_OF_HOST; i++)
		core_client_fini(&asker[i]);
	core_client_fini(&agent);
}

/* The fixture's end stops the API with one that waits */
static void a_controller_that_stops_says_so(void **state)
{
	struct core_fixture *f = *state;
	struct core_client agent = { 0 }, asker = { 0 };
	json_t *line;

	online(f, &agent, CORE_AGENT("h1"));
	ask(f, &asker, "h1", &agent, &line);
	json_decref(line);
	core_stop(f);
	assert_int_equal(asker.status, 503);
	core_client_fini(&asker);
	core_client_fini(&agent);
	core_start(f);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(an_answer_comes_back),
		TEST(an_agent_that_cannot_says_why),
		TEST(who_is_not_there_is_not_asked),
		TEST(nobody_waits_for_ever),
		TEST(a_stream_that_ends_takes_its_questions_along),
		TEST(so_many_wait_and_no_more),
		TEST(a_controller_that_stops_says_so),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
