/*
 * test_questions.c - what a host answers, when, and to whom not any more
 */
#include "overlay/agent/questions.h"

#include "tests/unit/overlay/agent/core_rig.h"

static struct heard {
	unsigned int answers;
	char id[QUESTION_ID_BYTES];
	json_t *answer;
} heard;

static void facts(void *ctx, struct status_facts *out)
{
	(void)ctx;
	*out = (struct status_facts){ .host = "me",
		.fabric = "lab",
		.controller = "192.0.2.1:4753",
		.controller_state = "",
		.aead_backend = "openssl" };
}

static void answered(void *ctx, const char *id, const json_t *answer)
{
	struct heard *to = ctx;

	to->answers++;
	snprintf(to->id, sizeof(to->id), "%s", id);
	json_decref(to->answer);
	to->answer = json_deep_copy(answer);
}

static const struct asker asker = { .ctx = &heard, .answered = answered, .id = "7a" };

static struct questions *ready(void)
{
	const struct questions_source source = { .core = core, .facts = facts };
	struct questions *questions = questions_new(&source);

	assert_non_null(questions);
	heard = (struct heard){ 0 };
	return questions;
}

static const char *error_text(void)
{
	const json_t *error = json_object_get(heard.answer, "error");

	return json_string_value(json_object_get(error, "message"));
}

static void what_is_known_is_answered_at_once(void **state)
{
	struct questions *questions = ready();

	(void)state;
	apply(three_ports(1));
	assert_null(questions_ask(questions, "status", NULL, &asker));
	assert_int_equal(heard.answers, 1);
	assert_string_equal(heard.id, "7a");
	assert_int_equal(json_array_size(json_object_get(heard.answer, "ports")), 3);
	assert_null(questions_ask(questions, "peers", NULL, &asker));
	assert_int_equal(heard.answers, 2);
	assert_string_equal(json_string_value(json_object_get(heard.answer, "host")), "me");
	assert_true(json_is_array(json_object_get(heard.answer, "peers")));
	assert_null(json_object_get(heard.answer, "ports"));
	json_decref(heard.answer);
	questions_free(questions);
}

static void what_is_not_known_is_said(void **state)
{
	struct questions *questions = ready();

	(void)state;
	assert_null(questions_ask(questions, "peerz", NULL, &asker));
	assert_int_equal(heard.answers, 1);
	assert_non_null(strstr(error_text(), "did you mean peers?"));
	assert_null(questions_ask(questions, "", NULL, &asker));
	assert_int_equal(heard.answers, 2);
	assert_non_null(error_text());
	json_decref(heard.answer);
	questions_free(questions);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(what_is_known_is_answered_at_once),
		TEST(what_is_not_known_is_said),
	};

	return run_rigged("questions", tests, sizeof(tests) / sizeof(tests[0]));
}
