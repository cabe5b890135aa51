/*
 * test_drop_help.c - every drop is explained, and the manual has the same words
 */
#include "cli/drop_help.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "tests/unit/said.h"

static struct invocation asked; /* without options */

static void each_says_what_it_means_and_what_to_do(void **state)
{
	size_t count;
	const struct drop_help *all = drop_help_all(&count);

	(void)state;
	assert_true(count > 60);
	for (size_t i = 0; i < count; i++) {
		const char *text = all[i].text, *first = strchr(text, '.');

		assert_in_range(strlen(text), 60, 400);
		assert_int_equal(text[strlen(text) - 1], '.');
		assert_non_null(first);
		assert_true(
			first[1] == ' ' || first[1] == '\0' || strchr(first + 1, '.')); /* two sentences, or 802.1Q */
		assert_null(strstr(text, "  "));
		assert_ptr_equal(drop_help_text(all[i].name), text);
		for (size_t k = 0; k < i; k++)
			assert_string_not_equal(all[i].name, all[k].name);
	}
	assert_null(drop_help_text("gre-"));
}

/* What a reader sees of the page's source: without escapes, one line */
static char *plain(char *page)
{
	char *to = page;

	for (const char *at = page; *at; at++) {
		if (*at == '\\' && at[1] == '-')
			continue;
		*to++ = *at == '\n' ? ' ' : *at;
	}
	*to = '\0';
	return page;
}

static void the_manual_has_the_same_words(void **state)
{
	size_t count, len;
	const struct drop_help *all = drop_help_all(&count);
	char *page;

	(void)state;
	assert_int_equal(file_read("cli/weft-drops.7", 1024 * 1024, &page, &len), 0);
	plain(page);
	for (size_t i = 0; i < count; i++) {
		char entry[1024];

		snprintf(entry, sizeof(entry), ".TP .B %s %s .", all[i].name, all[i].text);
		if (!strstr(page, entry))
			fail_msg("cli/weft-drops.7 has other words for %s: run make drops-manual", all[i].name);
	}
	for (char *at = page; (at = strstr(at, ".TP .B ")); at += 7)
		len = count--; /* as many entries as there are drops, and none that is gone */
	assert_int_equal(count, 0);
	assert_int_equal(len, 1);
	free(page);
}

static void one_of_them(void **state)
{
	struct said said;

	(void)state;
	said_begin(&said, 1);
	assert_int_equal(drop_help_run(&asked, "tap-down"), CLI_OK);
	assert_string_equal(said_end(&said),
		"tap-down\n    A frame for a device that is down. Set it up: ip link set DEV up.\n");
	said_begin(&said, 2);
	assert_int_equal(drop_help_run(&asked, "tap-dwn"), CLI_USAGE);
	assert_string_equal(said_end(&said), "weft: tap-dwn: no such drop; did you mean: weft help drop tap-down?\n");
	said_begin(&said, 2);
	assert_int_equal(drop_help_run(&asked, "zzzzzzzzzzzz"), CLI_USAGE);
	assert_string_equal(said_end(&said), "weft: zzzzzzzzzzzz: no such drop; `weft help drop` lists them\n");
}

static void all_of_them_at_80_columns(void **state)
{
	size_t count, names = 0;
	struct said said;

	(void)state;
	(void)drop_help_all(&count);
	said_begin(&said, 1);
	assert_int_equal(drop_help_run(&asked, NULL), CLI_OK);
	(void)said_end(&said);
	for (char *line = said.text, *end; (end = strchr(line, '\n')); line = end + 1) {
		assert_in_range(end - line, 1, 80);
		names += *line != ' ';
	}
	assert_int_equal(names, count);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_says_what_it_means_and_what_to_do),
		cmocka_unit_test(the_manual_has_the_same_words),
		cmocka_unit_test(one_of_them),
		cmocka_unit_test(all_of_them_at_80_columns),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
