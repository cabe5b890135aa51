/*
 * test_doctor.c - facts are gathered at once, but for a name, which is asked for beside
 */
#include "tests/unit/overlay/agent/core_rig.h"

#include <unistd.h>

#include "overlay/agent/questions.h"

static json_t *heard;
static const char *controller;
static bool ticks = true;

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
	*out = (struct status_facts){ .host = "me",
		.fabric = "f",
		.controller = controller,
		.controller_state = "",
		.aead_backend = "",
		.workers = 2,
		.udp_port = 4755 };
	if (ticks)
		(void)core_tick(core, around.now);
}

static const struct asker asker = { .answered = answered, .id = "" };

static struct questions *ready(void)
{
	const struct questions_source source = { .core = core, .facts = facts };
	struct questions *questions = questions_new(&source);

	assert_non_null(questions);
	return questions;
}

/* Real time passes for the thread, and the core's for its patience */
static void wait_for_answer(uint64_t step_ms)
{
	for (int i = 0; i < 200 && !heard; i++) {
		usleep(10000);
		later(step_ms);
	}
	assert_non_null(heard);
}

static void everything_at_hand(void **state)
{
	struct questions *questions = ready();

	(void)state;
	controller = "[2001:db8::7]:4753";
	apply(three_ports(1));
	(void)questions_ask(questions, "doctor", NULL, &asker); /* answered at once, where the thread is quick */
	wait_for_answer(1);
	assert_int_equal(json_array_size(json_object_get(json_object_get(heard, "status"), "ports")), 3);
	assert_null(json_object_get(json_object_get(heard, "status"), "macs"));
	assert_int_equal(json_integer_value(json_object_get(heard, "udp_port")), 4755);
	assert_int_equal(json_integer_value(json_object_get(heard, "network_mtu")), 1500);
	assert_int_equal(json_integer_value(json_object_get(heard, "descriptors_needed")), 64 + (3 + 4) * 2);
	assert_non_null(json_object_get(json_object_get(heard, "machine"), "kernel"));
	assert_string_equal(json_string_value(json_object_get(json_object_get(heard, "resolved"), "name")),
		"2001:db8::7");
	assert_int_equal(core->doctors.count, 0);
	json_decref(heard);
	heard = NULL;
	questions_free(questions);
}

static void only_so_many(void **state)
{
	struct questions *questions = ready();

	(void)state;
	controller = "192.0.2.7:4753";
	ticks = false; /* however quick the threads are */
	for (unsigned int i = 0; i < DOCTORS_MAX; i++)
		assert_non_null(questions_ask(questions, "doctor", NULL, &asker));
	assert_null(questions_ask(questions, "doctor", NULL, &asker));
	assert_non_null(json_object_get(heard, "error"));
	questions_free(questions); /* what waits is freed with the core, and nobody is told */
	json_decref(heard);
	heard = NULL;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(everything_at_hand),
		TEST(only_so_many),
	};

	return run_rigged("doctor", tests, sizeof(tests) / sizeof(tests[0]));
}
