/*
 * test_attribute.c - the tables of attributes, and what people read of them: the manual, the API's description, the JSON Schema
 *
 * Run in the top folder, as all unit tests are.
 */
#include "base/file.h"
#include "lab/lab_document.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static char *read_file(const char *path)
{
	size_t len;
	char *text;

	if (file_read(path, 1U << 20, &text, &len) != 0)
		fail_msg("%s cannot be read", path);
	return text;
}

/* The part of the manual under the heading @from, up to @to */
static char *section(const char *manual, const char *from, const char *to)
{
	const char *start = strstr(manual, from), *end;

	if (!start)
		fail_msg("the manual has no %s", from);
	end = strstr(start, to);
	assert_non_null(end);
	return strndup(start, (size_t)(end - start));
}

static void documented(const struct attributes *table, unsigned int document, const char *text, const char *format)
{
	for (size_t i = 0; i < table->count; i++) {
		char mark[80];

		if (!(table->rows[i].in & document))
			continue;
		snprintf(mark, sizeof(mark), format, table->rows[i].name);
		if (!strstr(text, mark))
			fail_msg("%s is not described: no %s", table->rows[i].name, mark);
	}
}

static void the_manual_has_every_attribute(void **state)
{
	char *manual = read_file("cli/weft-lab.5");
	char *networks = section(manual, ".SS A network", ".SS A port"),
	     *ports = section(manual, ".SS A port", ".SS A wire"), *wires = section(manual, ".SS A wire", ".SH YAML");

	(void)state;
	documented(&network_attributes, IN_LAB, networks, "\n.TP\n.B %s\n");
	documented(&port_attributes, IN_LAB, ports, "\n.TP\n.B %s\n");
	documented(&port_attributes, IN_END, wires, "%s");
	free(networks);
	free(ports);
	free(wires);
	free(manual);
}

static void the_api_has_every_attribute(void **state)
{
	char *api = read_file("controller/API.md");

	(void)state;
	documented(&network_attributes, IN_LAB, api, "`%s`");
	documented(&port_attributes, IN_LAB, api, "| `ports.X.%s` |");
	free(api);
}

static void the_schema_in_docs_is_of_these_tables(void **state)
{
	char *text = read_file("docs/weft-lab.schema.json");
	json_t *is = json_loads(text, 0, NULL), *shall = lab_schema();

	(void)state;
	assert_non_null(is);
	assert_non_null(shall);
	if (!json_equal(is, shall))
		fail_msg("docs/weft-lab.schema.json is of other tables: run make schema");
	json_decref(is);
	json_decref(shall);
	free(text);
}

static void check_rows(const struct attributes *table)
{
	for (size_t i = 0; i < table->count; i++) {
		const struct attribute *row = &table->rows[i];
		json_t *schema = row->type->schema(&row->range);

		assert_true(row->in & IN_LAB);
		assert_string_not_equal(row->example, "");
		assert_string_not_equal(row->about, "");
		assert_true(row->range.min <= row->range.max);
		assert_true(row->type != &value_type_number ||
			(row->range.fallback >= row->range.min && row->range.fallback <= row->range.max));
		assert_true(json_is_object(schema));
		json_decref(schema);
		for (size_t k = 0; k < i; k++)
			assert_string_not_equal(row->name, table->rows[k].name);
	}
}

static void rows_are_in_order(void **state)
{
	(void)state;
	check_rows(&network_attributes);
	check_rows(&port_attributes);
}

/* Only the attributes of a document are in it, on the way in and out */
static void each_document_has_its_own(void **state)
{
	struct fault fault = { .status = 0 };
	json_t *end = json_pack("{s:s, s:s, s:s}", "host", "h1", "attach", "tap:a", "mac", "52:54:00:00:00:0b"), *out;
	struct lab_port port;

	(void)state;
	lab_port_init(&port);
	assert_false(attributes_decode(&port_attributes, end, IN_END, true, "wires.w[0]", &port, &fault));
	assert_string_equal(fault.where, "wires.w[0].mac");
	lab_port_fini(&port);
	fault.status = 0;
	assert_true(attributes_decode(&port_attributes, end, IN_END, false, "wires.w[0]", &port, &fault));
	assert_false(value_mac_given(&port.mac));
	assert_string_equal(port.host, "h1");
	out = json_object();
	attributes_encode(&port_attributes, &port, IN_END, out);
	assert_int_equal(json_object_size(out), 3); /* host, attach, create */
	json_decref(out);
	json_decref(end);
	lab_port_fini(&port);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(rows_are_in_order),
		cmocka_unit_test(each_document_has_its_own),
		cmocka_unit_test(the_manual_has_every_attribute),
		cmocka_unit_test(the_api_has_every_attribute),
		cmocka_unit_test(the_schema_in_docs_is_of_these_tables),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
