/*
 * test_follow.c - which hosts follow their controller to another address, and until when the old one is kept
 */
#include "overlay/agent/follow.h"

#include "base/error.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

static char folder[64];

static struct enrolment sample(const char *controller)
{
	struct enrolment enrolment = { .fabric = "homelab",
		.host = "aws-1",
		.port = 4754,
		.ca_pem = (char *)"CA\n",
		.certificate_pem = (char *)"CERT\n",
		.key_pem = (char *)"KEY\n" };

	snprintf(enrolment.controller, sizeof(enrolment.controller), "%s", controller);
	return enrolment;
}

static void assert_kept(const char *controller, const char *before)
{
	struct enrolment kept;
	struct error error;

	assert_int_equal(enrolment_load(folder, &kept, &error), 0);
	assert_string_equal(kept.controller, controller);
	assert_string_equal(kept.before, before);
	enrolment_fini(&kept);
}

static bool news(struct enrolment *enrolment, const char *address, const char *former)
{
	json_t *list = former ? json_loads(former, 0, NULL) : NULL;
	const bool changed = follow_news(enrolment, folder, address, list);

	json_decref(list);
	return changed;
}

static int set_up(void **state)
{
	(void)state;
	snprintf(folder, sizeof(folder), "/tmp/weft-follow.XXXXXX");
	return mkdtemp(folder) ? 0 : -1;
}

static int tear_down(void **state)
{
	char command[128];

	(void)state;
	snprintf(command, sizeof(command), "rm -r %s", folder);
	return system(command);
}

static void it_follows_and_arrives(void **state)
{
	struct enrolment enrolment = sample("192.0.2.1");
	struct error error;

	(void)state;
	assert_int_equal(enrolment_save(folder, &enrolment, &error), 0);
	assert_true(news(&enrolment, "ctl.lab", "[\"203.0.113.1:4753\", \"192.0.2.1:4753\"]"));
	assert_string_equal(enrolment.controller, "ctl.lab:4753");
	assert_string_equal(enrolment.before, "192.0.2.1:4753");
	assert_kept("ctl.lab:4753", "192.0.2.1:4753");
	/* told again, it knows */
	assert_false(news(&enrolment, "ctl.lab:4753", "[\"192.0.2.1:4753\"]"));
	/* it answers where it was: that is still needed */
	follow_arrived(&enrolment, folder, "192.0.2.1:4753");
	assert_kept("ctl.lab:4753", "192.0.2.1:4753");
	follow_arrived(&enrolment, folder, "ctl.lab:4753");
	assert_string_equal(enrolment.before, "");
	assert_kept("ctl.lab:4753", "");
}

/* An address that somebody chose for this host, and what is no news at all */
static void it_stays(void **state)
{
	static const struct {
		const char *address, *former;
	} none[] = {
		{ "ctl.lab", "[\"192.0.2.1:4753\"]" },
		{ "ctl.lab", "[\"10.0.0.5:4754\"]" },
		{ "ctl.lab", "[]" },
		{ "ctl.lab", NULL },
		{ "ctl.lab", "[1, null, {}]" },
		{ "ctl.lab", "{\"10.0.0.5:4753\": 1}" },
		{ "a b", "[\"10.0.0.5:4753\"]" },
		{ "", "[\"10.0.0.5:4753\"]" },
		{ NULL, "[\"10.0.0.5:4753\"]" },
		{ "10.0.0.5", "[\"10.0.0.5:4753\"]" },
	};
	struct enrolment enrolment = sample("10.0.0.5:4753");

	(void)state;
	for (size_t i = 0; i < sizeof(none) / sizeof(none[0]); i++) {
		assert_false(news(&enrolment, none[i].address, none[i].former));
		assert_string_equal(enrolment.controller, "10.0.0.5:4753");
	}
	follow_arrived(&enrolment, folder, "10.0.0.5:4753");
	assert_int_not_equal(access(folder, F_OK), -1);
}

static void a_disk_that_cannot_be_written(void **state)
{
	struct enrolment enrolment = sample("192.0.2.1:4753");

	(void)state;
	snprintf(folder + strlen(folder), sizeof(folder) - strlen(folder), "/none");
	assert_true(news(&enrolment, "ctl.lab", "[\"192.0.2.1:4753\"]"));
	*strrchr(folder, '/') = '\0';
	assert_string_equal(enrolment.controller, "ctl.lab:4753");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(it_follows_and_arrives),
		cmocka_unit_test(it_stays),
		cmocka_unit_test(a_disk_that_cannot_be_written),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
