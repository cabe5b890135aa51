/*
 * test_ping.c - a question that is answered when its probe comes back, or does not
 */
#include "tests/unit/overlay/agent/core_rig.h"

#include "overlay/agent/questions.h"

static json_t *heard;

static void answered(void *ctx, const char *id, const json_t *answer)
{
	(void)ctx;
	(void)id;
	json_decref(heard);
	heard = json_deep_copy(answer);
}

static void facts(void *ctx, struct status_facts *out)
{
	(void)ctx;
	*out = (struct status_facts){ .host = "me" };
	(void)core_tick(core, around.now);
}

static const struct asker asker = { .answered = answered, .id = "" };

/* Return: what waits */
static struct reply *ask(struct questions *questions, const char *to)
{
	json_t *args = json_pack("{s:s}", "to", to);
	struct reply *reply = questions_ask(questions, "ping", args, &asker);

	json_decref(args);
	return reply;
}

static struct questions *ready(void)
{
	const struct questions_source source = { .core = core, .facts = facts };
	struct questions *questions = questions_new(&source);
	json_t *document = document_begin(1);

	document_add_network(document, 17, "lab", 1);
	(void)document_add_port(document, 1, 17, "memory");
	document_add(document, "hosts", document_host(0));
	document_add(document, "remote_ports",
		json_pack("{s:i, s:s, s:s, s:i, s:s}", "id", 9, "lab", "lab", "name", "far", "network", 17, "host",
			"h0"));
	apply(document);
	assert_non_null(questions);
	return questions;
}

static const char *said(const char *key)
{
	const char *text = json_string_value(json_object_get(heard, key));

	return text ? text : "";
}

static void nobody_answers(void **state)
{
	struct questions *questions = ready();

	(void)state;
	assert_non_null(ask(questions, "lab/far"));
	later(PING_PATIENCE_MS - 1);
	assert_null(heard);
	later(1);
	assert_string_equal(said("to"), "h0");
	assert_string_equal(said("port"), "lab/far");
	assert_string_equal(said("state"), "connecting");
	assert_true(json_is_false(json_object_get(heard, "answered")));
	assert_true(json_is_false(json_object_get(heard, "sent")));
	assert_int_equal(core->pings.count, 0);
	json_decref(heard);
	heard = NULL;
	questions_free(questions);
}

static void a_probe_comes_back(void **state)
{
	struct questions *questions = ready();
	const struct peer *peer = peers_named(&overlay.peers, "h0");

	(void)state;
	assert_non_null(ask(questions, "h0"));
	assert_non_null(ask(questions, "far"));
	core->pings.ping[0].token = around.now.ns; /* as if there were a session */
	core->pings.ping[1].token = around.now.ns + 1;
	around.now = instant_add_ms(around.now, 3);
	core_answered(core, peer, around.now.ns, around.now); /* a probe that nobody asked for */
	later(0);
	assert_null(heard);
	core_answered(core, peer, core->pings.ping[0].token, around.now);
	later(0);
	assert_true(json_is_true(json_object_get(heard, "answered")));
	assert_int_equal(json_integer_value(json_object_get(heard, "rtt_us")), 3000);
	assert_int_equal(core->pings.count, 1);
	json_decref(heard);
	heard = NULL;
	questions_free(questions); /* the other waits, and is not told any more */
	core->pings.count = 0;
}

static void who_cannot_be_asked(void **state)
{
	struct questions *questions = ready();
	struct reply *last = NULL;

	(void)state;
	assert_null(ask(questions, "h00"));
	assert_non_null(strstr(json_string_value(json_object_get(json_object_get(heard, "error"), "message")),
		"did you mean h0?"));
	assert_null(ask(questions, "me"));
	assert_non_null(
		strstr(json_string_value(json_object_get(json_object_get(heard, "error"), "message")), "itself"));
	assert_null(questions_ask(questions, "ping", NULL, &asker));
	for (unsigned int i = 0; i < PINGS_MAX; i++)
		last = ask(questions, "h0");
	assert_non_null(last);
	assert_null(ask(questions, "h0"));
	reply_forget(last); /* it is still waited for, and then nobody is told */
	later(PING_PATIENCE_MS);
	assert_int_equal(core->pings.count, 0);
	json_decref(heard);
	heard = NULL;
	questions_free(questions);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(nobody_answers),
		TEST(a_probe_comes_back),
		TEST(who_cannot_be_asked),
	};

	return run_rigged("ping", tests, sizeof(tests) / sizeof(tests[0]));
}
