/*
 * test_lab_document.c - labs read, written and read again; documents cut and spoilt everywhere
 */
#include "lab/lab_document.h"

#include "tests/unit/lab/random_document.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define SEEDS 300U

static struct lab read_lab(const json_t *document)
{
	struct fault fault = { .status = 0 };
	struct lab lab;

	if (!lab_decode(document, "x", &lab, &fault)) {
		char *text = json_dumps(document, 0);

		fail_msg("%s: %s in %s", fault.where, fault.message, text);
	}
	return lab;
}

static void what_is_written_reads_the_same(void **state)
{
	(void)state;
	for (unsigned int seed = 0; seed < SEEDS; seed++) {
		json_t *document, *canonical, *again;
		struct lab first, second;

		srand(seed);
		document = random_document();
		first = read_lab(document);
		canonical = lab_encode(&first);
		second = read_lab(canonical);
		again = lab_encode(&second);
		assert_true(lab_equal(&first, &second));
		assert_true(json_equal(canonical, again));
		json_decref(document);
		json_decref(canonical);
		json_decref(again);
		lab_fini(&first);
		lab_fini(&second);
	}
}

/* One attribute of one object changed is another lab, and the change survives */
static void each_attribute_makes_a_difference(void **state)
{
	(void)state;
	for (unsigned int seed = 0; seed < SEEDS; seed++) {
		json_t *document, *ports, *port, *value;
		const struct attribute *row;
		struct lab before, after;
		bool same;

		srand(seed);
		document = random_document();
		ports = json_object_get(document, "ports");
		port = json_object_get(ports, "p0");
		row = &port_attributes.rows[seed % port_attributes.count];
		value = random_value(row);
		before = read_lab(document);
		json_object_set(port, row->name, value);
		after = read_lab(document);
		same = row->type->equal((const char *)lab_port(&before, "p0") + row->offset,
			(const char *)lab_port(&after, "p0") + row->offset);
		assert_int_equal(lab_equal(&before, &after), same);
		lab_fini(&before);
		lab_fini(&after);
		json_decref(value);
		json_decref(document);
	}
}

static void every_cut_is_refused(void **state)
{
	json_t *document;
	char *text;

	(void)state;
	srand(7);
	document = random_document();
	text = json_dumps(document, JSON_COMPACT | JSON_SORT_KEYS);
	for (size_t len = 0; len < strlen(text); len++) {
		json_t *cut = json_loadb(text, len, JSON_DECODE_ANY, NULL);
		struct fault fault = { .status = 0 };
		struct lab lab;

		if (cut)
			assert_false(lab_decode(cut, "x", &lab, &fault));
		json_decref(cut);
	}
	free(text);
	json_decref(document);
}

/* The fault is at the value, or in it */
static void fault_is_at(void *ctx, const json_t *document, const char *where)
{
	struct fault fault = { .status = 0 };
	struct lab lab;

	(void)ctx;
	if (lab_decode(document, "x", &lab, &fault))
		fail_msg("%s is wrong, and was taken", where);
	if (strncmp(fault.where, where, strlen(where)) != 0)
		fail_msg("%s is wrong, the fault is at %s: %s", where, fault.where, fault.message);
	assert_int_equal(fault.status, 400);
	assert_string_not_equal(fault.message, "");
}

static void a_wrong_value_is_named_by_its_place(void **state)
{
	json_t *wrong = json_real(1.5);

	(void)state;
	for (unsigned int seed = 0; seed < 20; seed++) {
		json_t *document;

		srand(seed);
		document = random_document();
		each_value_wrong(document, document, "", wrong, fault_is_at, NULL);
		json_decref(document);
	}
	json_decref(wrong);
}

static void an_empty_lab(void **state)
{
	json_t *document = json_object(), *canonical;
	struct lab lab = read_lab(document);

	(void)state;
	canonical = lab_encode(&lab);
	assert_string_equal(lab.name, "x");
	assert_int_equal(lab.networks_count + lab.ports_count, 0);
	assert_int_equal(json_object_size(canonical), 4);
	json_decref(canonical);
	json_decref(document);
	lab_fini(&lab);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_written_reads_the_same),
		cmocka_unit_test(each_attribute_makes_a_difference),
		cmocka_unit_test(every_cut_is_refused),
		cmocka_unit_test(a_wrong_value_is_named_by_its_place),
		cmocka_unit_test(an_empty_lab),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
