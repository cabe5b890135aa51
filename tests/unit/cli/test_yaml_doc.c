/*
 * test_yaml_doc.c - YAML becomes JSON with lines, and what a lab file has no use for is refused with its line
 */
#include "cli/yaml_doc.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static const char *const sample = "# a comment\n"                     /* 1 */
				  "lab: two-sites\n"                  /* 2 */
				  "networks:\n"                       /* 3 */
				  "  mgmt:  { mtu: 1500 }\n"          /* 4 */
				  "ports:\n"                          /* 5 */
				  "  a-lan: { host: aws-1,\n"         /* 6 */
				  "    attach: \"bridge:br-lab\",\n"  /* 7 */
				  "    ip: [10.0.0.11, fd00::11] }\n" /* 8 */
				  "  b:\n"                            /* 9 */
				  "    mac: 52:54:00:00:00:0b\n"      /* 10 */
				  "    create: true\n"                /* 11 */
				  "    nothing:\n"                    /* 12 */
				  "wires:\n"                          /* 13 */
				  "  w1:\n"                           /* 14 */
				  "    - host: a\n"                   /* 15 */
				  "    - host: b\n"                   /* 16 */
				  "      attach: yes\n";              /* 17 */

static struct yaml_doc *parse(const char *text, struct faults *faults)
{
	memset(faults, 0, sizeof(*faults));
	return yaml_doc_parse(text, strlen(text), faults);
}

static void becomes_json(void **state)
{
	struct faults faults;
	struct yaml_doc *doc = parse(sample, &faults);
	json_t *want =
		json_pack("{s:s, s:{s:{s:i}}, s:{s:{s:s, s:s, s:[ss]}, s:{s:s, s:b, s:n}}, s:{s:[{s:s}{s:s, s:s}]}}",
			"lab", "two-sites", "networks", "mgmt", "mtu", 1500, "ports", "a-lan", "host", "aws-1",
			"attach", "bridge:br-lab", "ip", "10.0.0.11", "fd00::11", "b", "mac", "52:54:00:00:00:0b",
			"create", 1, "nothing", "wires", "w1", "host", "a", "host", "b", "attach", "yes");

	(void)state;
	assert_non_null(doc);
	assert_non_null(want);
	assert_true(json_equal(yaml_doc_root(doc)->json, want));
	json_decref(want);
	yaml_doc_free(doc);
}

static void knows_the_lines(void **state)
{
	static const struct {
		const char *path;
		unsigned int line;
	} cases[] = {
		{ "", 2 },
		{ "lab", 2 },
		{ "networks", 3 },
		{ "networks.mgmt", 4 },
		{ "networks.mgmt.mtu", 4 },
		{ "ports.a-lan.host", 6 },
		{ "ports.a-lan.attach", 7 },
		{ "ports.a-lan.ip", 8 },
		{ "ports.a-lan.ip[1]", 8 },
		{ "ports.b.create", 11 },
		{ "ports.b.absent", 9 },
		{ "ports.absent.host", 5 },
		{ "wires.w1[0].host", 15 },
		{ "wires.w1[1].host", 16 },
		{ "wires.w1.1.attach", 17 },
		{ "wires.w1[2]", 14 },
		{ "strange", 2 },
		{ "...", 2 },
		{ "[", 2 },
		{ "ports.", 5 },
	};
	struct faults faults;
	struct yaml_doc *doc = parse(sample, &faults);

	(void)state;
	assert_non_null(doc);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		assert_int_equal(yaml_doc_line(doc, cases[i].path), cases[i].line);
	yaml_doc_free(doc);
}

static void names_paths(void **state)
{
	char path[YAML_DOC_PATH_BYTES];
	struct faults faults;
	struct yaml_doc *doc = parse(sample, &faults);
	const struct yaml_node *wire;

	(void)state;
	assert_non_null(doc);
	wire = yaml_node_member(yaml_node_member(yaml_doc_root(doc), "wires"), "w1");
	yaml_node_path(wire->last->last, path);
	assert_string_equal(path, "wires.w1[1].attach");
	yaml_node_path(yaml_doc_root(doc), path);
	assert_string_equal(path, "");
	yaml_doc_free(doc);
}

static void reads_scalars_by_the_core_rules(void **state)
{
	static const struct {
		const char *text;
		json_type type;
	} cases[] = {
		{ "1500", JSON_INTEGER },
		{ "-1", JSON_INTEGER },
		{ "\"1500\"", JSON_STRING },
		{ "'true'", JSON_STRING },
		{ "1.5", JSON_REAL },
		{ "1e3", JSON_REAL },
		{ "true", JSON_TRUE },
		{ "false", JSON_FALSE },
		{ "yes", JSON_STRING },
		{ "off", JSON_STRING },
		{ "~", JSON_NULL },
		{ "null", JSON_NULL },
		{ "0x10", JSON_STRING },
		{ "10.0.0.1", JSON_STRING },
		{ "10:20:30", JSON_STRING },
		{ "2001:db8::1", JSON_STRING },
		{ "-", JSON_STRING },
		{ ".", JSON_STRING },
		{ "nan", JSON_STRING },
		{ "2024-01-01", JSON_STRING },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		char text[64];
		struct faults faults;
		struct yaml_doc *doc;

		snprintf(text, sizeof(text), "[%s, x]", cases[i].text);
		if (strcmp(cases[i].text, "-") == 0)
			strcpy(text, "['-', x]");
		doc = parse(text, &faults);
		assert_non_null(doc);
		assert_int_equal(json_typeof(yaml_doc_root(doc)->first->json), cases[i].type);
		yaml_doc_free(doc);
	}
}

static const struct {
	const char *text;
	unsigned int line;
	const char *message; /* how it begins, or a part of it */
} bad[] = {
	{ "", 0, "is empty; a lab file begins with" },
	{ "# nothing\n\n", 0, "is empty" },
	{ "lab: a\nports:\n\ta: b\n", 3, "a tab; YAML is indented with spaces only" },
	{ "lab: a\nports:\n  x: 1\n  \ty: 2\n", 4, "a tab" },
	{ "lab: a\nlab: b\n", 2, "lab: is already on line 1" },
	{ "lab: a\nports:\n  x:\n    host: a\n    mac: b\n    host: c\n", 6, "ports.x.host: is already on line 4" },
	{ "a: &x 1\nb: *x\n", 1, "anchors (&x)" },
	{ "a: 1\nb: *x\n", 2, "aliases (*x)" },
	{ "a: 1\nb:\n  <<: c\n", 3, "merges are not read" },
	{ "a: !!str 1\n", 1, "tags (tag:yaml.org,2002:str)" },
	{ "a: !foo {}\n", 1, "tags (!foo)" },
	{ "a: 1\n---\nb: 2\n", 2, "a second document" },
	{ "a: b: c\n", 1, "mapping values are not allowed in this context; put text that holds" },
	{ "a: 1\n b: 2\n", 2, "mapping values are not allowed" },
	{ "a:\n    b: 1\n   c: 2\n", 3, "did not find expected key" },
	{ "a: [1, 2\nb: 3\n", 2, "did not find expected ',' or ']'" },
	{ "a: { b: 1\nc: [ }\n", 2, "" },
	{ "a: \"open\n", 2, "found unexpected end of stream, while scanning a quoted scalar that begins on line 1" },
	{ "a: 1\nb\nc: 2\n", 3, "could not find expected ':'" },
	{ "a: @x\n", 1, "found character that cannot start any token; put the text in quotes" },
	{ "a: 1\nb: \"\\x07\"\n", 2, "control character" },
	{ "a: 1\n\"b\\0c\": 2\n", 2, "a key must be" },
	{ "a: 1\n? [x]\n: 2\n", 2, "a key must be a word" },
	{ "a: 1\n\"\": 2\n", 2, "a key must be" },
	{ "a: 1\nb: 99999999999999999999\n", 2, "99999999999999999999: the number is too large" },
	{ "a: 1e999\n", 1, "1e999: the number is too large" },
	{ "a: 1\nb: \xff\n", 2, "not valid UTF-8" },
	{ "a: [[[[[[[[[[[[[[[[[[[[[[1]]]]]]]]]]]]]]]]]]]]]]\n", 1, "nested too deep" },
};

static void refuses_with_line_and_reason(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		struct faults faults;
		struct yaml_doc *doc = parse(bad[i].text, &faults);

		if (doc || faults.count != 1 || faults.entries[0].line != bad[i].line ||
			!strstr(faults.entries[0].text, bad[i].message))
			print_message("case %zu: %s-> %u: %s\n", i, bad[i].text, faults.entries[0].line,
				faults.entries[0].text);
		assert_null(doc);
		assert_int_equal(faults.count, 1);
		assert_int_equal(faults.entries[0].line, bad[i].line);
		assert_non_null(strstr(faults.entries[0].text, bad[i].message));
	}
}

static void survives_every_length(void **state)
{
	size_t len_bytes = strlen(sample);

	(void)state;
	for (size_t n = 0; n <= len_bytes; n++) {
		struct faults faults = { .count = 0 };
		char *copy = malloc(n ? n : 1); /* exact, so that ASan sees a read behind it */
		struct yaml_doc *doc;

		memcpy(copy, sample, n);
		doc = yaml_doc_parse(copy, n, &faults);
		assert_int_equal(!doc, faults_any(&faults));
		yaml_doc_free(doc);
		free(copy);
	}
}

static void is_bounded(void **state)
{
	size_t len_bytes = YAML_DOC_BYTES_MAX + 1;
	char *text = malloc(len_bytes);
	struct faults faults = { .count = 0 };

	(void)state;
	memset(text, ' ', len_bytes);
	assert_null(yaml_doc_parse(text, len_bytes, &faults));
	assert_non_null(strstr(faults.entries[0].text, "larger than 1024 KiB"));

	memset(&faults, 0, sizeof(faults));
	text[0] = '[';
	for (size_t i = 1; i + 1 < len_bytes; i += 2)
		memcpy(text + i, "1,", 2);
	assert_null(yaml_doc_parse(text, YAML_DOC_BYTES_MAX, &faults));
	assert_non_null(strstr(faults.entries[0].text, "over 200000 values"));

	memset(&faults, 0, sizeof(faults));
	memset(text, '[', YAML_DOC_BYTES_MAX);
	assert_null(yaml_doc_parse(text, YAML_DOC_BYTES_MAX, &faults));
	free(text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(becomes_json),
		cmocka_unit_test(knows_the_lines),
		cmocka_unit_test(names_paths),
		cmocka_unit_test(reads_scalars_by_the_core_rules),
		cmocka_unit_test(refuses_with_line_and_reason),
		cmocka_unit_test(survives_every_length),
		cmocka_unit_test(is_bounded),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
