/*
 * test_suggest.c - typing errors find their word, other words find none
 */
#include "base/suggest.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

static const char *const words[] = { "host", "network", "attach", "create", "mac", "ip", "vlan", "delete", "networks" };

#define WORDS (sizeof(words) / sizeof(words[0]))

static void finds_the_word(void **state)
{
	static const struct {
		const char *typed, *meant;
	} cases[] = {
		{ "atach", "attach" },
		{ "attahc", "attach" },
		{ "Attach", "attach" },
		{ "attatch", "attach" },
		{ "hosts", "host" },
		{ "hsot", "host" },
		{ "network", "network" },
		{ "netwroks", "networks" },
		{ "mca", "mac" },
		{ "ips", "ip" },
		{ "vlans", "vlan" },
		{ "crate", "create" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		const char *found = suggest(cases[i].typed, words, WORDS);

		assert_non_null(found);
		assert_string_equal(found, cases[i].meant);
	}
}

static void leaves_other_words_alone(void **state)
{
	static const char *const strange[] = { "", "x", "bridge", "zzzzzz", "mtu-of-it", "description",
		"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa" };

	(void)state;
	for (size_t i = 0; i < sizeof(strange) / sizeof(strange[0]); i++)
		assert_null(suggest(strange[i], words, WORDS));
	assert_null(suggest("host", words, 0));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(finds_the_word),
		cmocka_unit_test(leaves_other_words_alone),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
