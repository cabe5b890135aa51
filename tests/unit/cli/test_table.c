/*
 * test_table.c - tables line up, fit, and let no terminal escape through
 */
#include "cli/table.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static const struct table_column columns[] = {
	{ .title = "HOST" },
	{ .title = "RX", .right = true },
	{ .title = "ERROR", .shrinks = true },
};

static char *printed(struct table *table, size_t width)
{
	char *text = NULL;
	size_t len_bytes = 0;
	FILE *to = open_memstream(&text, &len_bytes);

	assert_non_null(to);
	table_print(table, to, width);
	fclose(to);
	return text;
}

static void lines_up(void **state)
{
	struct table *table = table_new(columns, 3);
	char *text;

	(void)state;
	table_add(table, "aws-1");
	table_addf(table, "%d", 7);
	table_add(table, NULL);
	table_add(table, "b");
	table_addf(table, "%d", 12345);
	table_add(table, "no route");
	assert_int_equal(table_rows(table), 2);
	text = printed(table, TABLE_WIDTH_UNLIMITED);
	assert_string_equal(text,
		"HOST      RX  ERROR\n"
		"aws-1      7  -\n"
		"b      12345  no route\n");
	free(text);
	table_free(table);
}

static void shrinks_only_what_may_shrink(void **state)
{
	struct table *table = table_new(columns, 3);
	char *text;

	(void)state;
	table_add(table, "a-host-with-a-long-name");
	table_add(table, "1");
	table_add(table, "the device is in use by another program");
	text = printed(table, 40);
	assert_string_equal(text,
		"HOST                     RX  ERROR\n"
		"a-host-with-a-long-name   1  the d…ogram\n");
	free(text);
	table_free(table);
	table = table_new(columns, 3);
	table_add(table, "a-host-with-a-long-name");
	table_add(table, "1");
	table_add(table, "the device is in use by another program");
	text = printed(table, 10); /* cannot be done: what must not shrink stays */
	assert_string_equal(text,
		"HOST                     RX  ERROR\n"
		"a-host-with-a-long-name   1  the …ram\n");
	free(text);
	table_free(table);
}

static void a_lab_s_name_is_cut_before_its_port_s(void **state)
{
	static const struct table_column of_ports[] = { { .title = "LAB", .shrinks = true, .first = true },
		{ .title = "PORT", .shrinks = true } };
	struct table *table = table_new(of_ports, 2);
	char *text;

	(void)state;
	table_add(table, "a-lab-of-the-autumn-term");
	table_add(table, "spine-01-to-leaf-17-uplink");
	text = printed(table, 40);
	assert_string_equal(text,
		"LAB           PORT\n"
		"a-lab-…-term  spine-01-to-leaf-17-uplink\n");
	free(text);
	table_free(table);
}

static void empty_columns_are_left_out(void **state)
{
	struct table *table = table_new(columns, 3);
	char *text;

	(void)state;
	table_omit_empty(table);
	table_add(table, "aws-1");
	table_add(table, NULL);
	table_add(table, NULL);
	table_add(table, "b");
	table_add(table, "");
	table_add(table, NULL);
	text = printed(table, TABLE_WIDTH_UNLIMITED);
	assert_string_equal(text, "HOST\naws-1\nb\n");
	free(text);
	table_free(table);
}

static void sentences_stand_below_in_full(void **state)
{
	struct table *table = table_new(columns, 3);
	char *text;

	(void)state;
	for (int i = 0; i < 3; i++)
		table_add(table, "x");
	table_note(table, "aws-1: port lab/a: there is %s", "no bridge br-lab\033; make it, or write create: true");
	text = printed(table, 40);
	assert_string_equal(text,
		"HOST  RX  ERROR\n"
		"x      x  x\n"
		"aws-1: port lab/a: there is no bridge\n"
		"    br-lab?; make it, or write create:\n"
		"    true\n");
	free(text);
	for (int i = 0; i < 3; i++)
		table_add(table, "y");
	table_note(table, "one");
	table_note(table, "two");
	text = printed(table, TABLE_WIDTH_UNLIMITED);
	assert_string_equal(text, "y      y  y\none\ntwo\n");
	free(text);
	table_note(table, "freed, though never printed");
	table_free(table);
}

static void a_word_longer_than_the_line_is_broken(void **state)
{
	char *text = NULL;
	size_t len_bytes = 0;
	FILE *to = open_memstream(&text, &len_bytes);

	(void)state;
	table_text(to, "aaaaaaaaaaaa bb  cccccc", 0, 2, 8);
	fclose(to);
	assert_string_equal(text, "aaaaaaaa\n  aaaa\n  bb\n  cccccc\n");
	free(text);
}

static void goes_on_under_the_same_titles(void **state)
{
	struct table *table = table_new(columns, 3);
	char *text;

	(void)state;
	for (int i = 0; i < 3; i++)
		table_add(table, "long-enough");
	text = printed(table, TABLE_WIDTH_UNLIMITED);
	free(text);
	assert_int_equal(table_rows(table), 0);
	for (int i = 0; i < 3; i++)
		table_add(table, "b");
	text = printed(table, TABLE_WIDTH_UNLIMITED);
	assert_string_equal(text, "b                      b  b\n");
	free(text);
	table_free(table);
}

static void counts_characters_not_bytes(void **state)
{
	struct table *table = table_new(columns, 3);
	char *text;

	(void)state;
	table_add(table, "zürich");
	table_add(table, "1");
	table_add(table, "ääääääääääää");
	text = printed(table, 20);
	assert_string_equal(text,
		"HOST    RX  ERROR\n"
		"zürich   1  ääää…äää\n");
	free(text);
	table_free(table);
}

static void cleans_what_came_over_the_network(void **state)
{
	static const struct {
		const char *from, *to;
	} cases[] = {
		{ "plain text", "plain text" },
		{ "\033[2Jgone", "?[2Jgone" },
		{ "two\nlines\ttab", "two?lines?tab" },
		{ "\x7f", "?" },
		{ "\xc2\x9b"
		  "31m",
			"??31m" },
		{ "\xff\xfe", "??" },
		{ "\xe0\x82\x9b", "???" },
		{ "\xf0\x80\x80\x9b", "????" },
		{ "cut \xe2\x82", "cut ??" },
		{ "grüße €", "grüße €" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		char text[64];

		snprintf(text, sizeof(text), "%s", cases[i].from);
		table_clean(text);
		assert_string_equal(text, cases[i].to);
	}
}

static void shows_bytes_in_four_characters(void **state)
{
	static const struct {
		unsigned long long bytes;
		const char *text;
	} cases[] = {
		{ 0, "0" },
		{ 999, "999" },
		{ 1000, "1.0K" },
		{ 1024, "1.0K" },
		{ 1536, "1.5K" },
		{ 10240, "10K" },
		{ 1023 * 1024, "1.0M" },
		{ 5ULL << 30, "5.0G" },
		{ ~0ULL, "16E" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		char text[HUMAN_BYTES_TEXT];

		table_human_bytes(cases[i].bytes, text);
		assert_string_equal(text, cases[i].text);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(lines_up),
		cmocka_unit_test(shrinks_only_what_may_shrink),
		cmocka_unit_test(a_lab_s_name_is_cut_before_its_port_s),
		cmocka_unit_test(empty_columns_are_left_out),
		cmocka_unit_test(sentences_stand_below_in_full),
		cmocka_unit_test(a_word_longer_than_the_line_is_broken),
		cmocka_unit_test(goes_on_under_the_same_titles),
		cmocka_unit_test(counts_characters_not_bytes),
		cmocka_unit_test(cleans_what_came_over_the_network),
		cmocka_unit_test(shows_bytes_in_four_characters),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
