/*
 * test_lab.c - a lab as C: what its wires stand for, who is on it, and what makes two labs the same
 */
#include "lab/lab.h"

#include "lab/lab_document.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static const char text[] = "{\"networks\":{\"n\":{\"mode\":\"hub\",\"mtu\":9000}},\"ports\":{\"p\":{\"host\":\"gcp-1\","
			   "\"network\":\"n\",\"attach\":\"packet:eth1\"}},\"wires\":{\"w\":[{\"host\":\"gcp-1\","
			   "\"attach\":\"tap:a\"},{\"host\":\"aws-1\",\"attach\":\"bridge:b\",\"create\":true}]}}";

static struct lab read_lab(const char *document)
{
	json_t *in = json_loads(document, 0, NULL);
	struct fault fault = { .status = 0 };
	struct lab lab;

	assert_non_null(in);
	if (!lab_decode(in, "x", &lab, &fault))
		fail_msg("%s: %s", fault.where, fault.message);
	json_decref(in);
	return lab;
}

/* @item, which is consumed, has the members of @want; others are attributes that were added since */
static void assert_item(json_t *item, const char *want)
{
	json_t *expected = json_loads(want, 0, NULL), *value;
	const char *key;

	assert_non_null(expected);
	json_object_foreach(expected, key, value) {
		if (!json_equal(json_object_get(item, key), value))
			fail_msg("%s of %s is another", key, want);
	}
	json_decref(expected);
	json_decref(item);
}

static void wires_are_networks_with_two_ports(void **state)
{
	struct lab lab = read_lab(text);
	json_t *hosts = lab_hosts(&lab), *want_hosts = json_pack("[s, s]", "aws-1", "gcp-1");

	(void)state;
	assert_int_equal(lab.networks_count, 2);
	assert_int_equal(lab.ports_count, 3);
	assert_item(lab_network_item(lab_network(&lab, "w")),
		"{\"id\": 0, \"lab\": \"x\", \"name\": \"w\", \"mode\": \"wire\", \"mtu\": 9216, \"fragment\": true}");
	assert_item(lab_port_item(lab_port(&lab, "w-2")),
		"{\"id\": 0, \"network_id\": 0, \"lab\": \"x\", \"name\": \"w-2\", \"network\": \"w\", \"host\": \"aws-1\","
		" \"attach\": \"bridge:b\", \"create\": true, \"vlan\": {\"trunk\": \"all\"}}");
	assert_int_equal(lab_port(&lab, "w-1")->end, 1);
	assert_int_equal(lab_port(&lab, "p")->end, 0);
	assert_null(lab_port(&lab, "w"));
	assert_null(lab_network(&lab, "m"));
	assert_true(json_equal(hosts, want_hosts));
	json_decref(hosts);
	json_decref(want_hosts);
	lab_fini(&lab);
}

static void order_makes_no_difference(void **state)
{
	struct lab a = read_lab("{\"networks\": {\"n\": {}, \"m\": {\"mtu\": 1500}, \"o\": null}}"),
		   b = read_lab("{\"networks\": {\"o\": {\"pass\": []}, \"m\": {}, \"n\": {\"mode\": \"switch\"}}}"),
		   c = read_lab("{\"networks\": {\"o\": {}, \"m\": {}}}");

	(void)state;
	assert_true(lab_equal(&a, &b));
	assert_false(lab_equal(&a, &c));
	lab_fini(&a);
	lab_fini(&b);
	lab_fini(&c);
	assert_int_equal(a.networks_count, 0);
	assert_true(lab_equal(&a, &b));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(wires_are_networks_with_two_ports),
		cmocka_unit_test(order_makes_no_difference),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
