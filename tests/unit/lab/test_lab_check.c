/*
 * test_lab_check.c - which labs can be applied, what is said of the others, and where
 */
#include "lab/lab_check.h"
#include "lab/lab_document.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* Hosts aws-1 and gcp-1 are there, old-1 is revoked; another lab has attached br-taken of aws-1 */
static json_t *all_hosts;

static enum lab_host host_state(void *ctx, const char *name)
{
	(void)ctx;
	if (!json_object_get(all_hosts, name))
		return LAB_HOST_UNKNOWN;
	return strcmp(name, "old-1") == 0 ? LAB_HOST_REVOKED : LAB_HOST_OK;
}

static const json_t *hosts(void *ctx)
{
	(void)ctx;
	return all_hosts;
}

static const char *attached_by(void *ctx, const char *host, const char *interface, const char *lab)
{
	(void)ctx;
	if (strcmp(host, "aws-1") == 0 && strcmp(interface, "br-taken") == 0 && strcmp(lab, "other") != 0)
		return "other/p";
	return NULL;
}

static const struct lab_world world = { .host = host_state, .hosts = hosts, .attached_by = attached_by };

/* Read and check: the canonical document, or NULL with the fault set */
static json_t *check_document(const json_t *in, const char *name, struct fault *fault)
{
	json_t *out = NULL;
	struct lab lab;

	memset(fault, 0, sizeof(*fault));
	if (!lab_decode(in, name, &lab, fault))
		return NULL;
	if (lab_check(&lab, &world, fault))
		out = lab_encode(&lab);
	lab_fini(&lab);
	return out;
}

static json_t *check(const char *text, const char *name, struct fault *fault)
{
	json_error_t error;
	json_t *in = json_loads(text, JSON_DECODE_ANY, &error), *out;

	if (!in)
		fail_msg("%s: %s", text, error.text);
	out = check_document(in, name, fault);
	json_decref(in);
	return out;
}

/* A lab of one network "n" and the port "p" on host aws-1, with these members more */
#define PORT(members) "{\"networks\":{\"n\":{}},\"ports\":{\"p\":{\"host\":\"aws-1\",\"network\":\"n\"," members "}}}"
#define NETWORK(members) "{\"networks\":{\"n\":{" members "}}}"
#define BRIDGE "\"attach\":\"bridge:br0\""
#define NAME63 "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"

static const struct {
	const char *lab;
	const char *where;
	const char *hint; /* a part of it, or of the message; NULL: any or none */
} wrong[] = {
	{ "[]", "", NULL },
	{ "\"x\"", "", NULL },
	{ "{\"lab\":\"y\"}", "lab", NULL },
	{ "{\"lab\":7}", "lab", NULL },
	{ "{\"network\":{}}", "network", "did you mean \"networks\"?" },
	{ "{\"wirse\":{}}", "wirse", "did you mean \"wires\"?" },
	{ "{\"networks\":[]}", "networks", NULL },
	{ "{\"networks\":{\"Mgmt\":{}}}", "networks.Mgmt", "lower-case" },
	{ "{\"networks\":{\"-a\":{}}}", "networks.-a", NULL },
	{ "{\"networks\":{\"a-\":{}}}", "networks.a-", NULL },
	{ "{\"networks\":{\"\":{}}}", "networks.", NULL },
	{ "{\"networks\":{\"a/b\":{}}}", "networks.a/b", NULL },
	{ "{\"networks\":{\"" NAME63 "a\":{}}}", "networks." NAME63 "a", "63" },
	{ "{\"networks\":{\"n\":7}}", "networks.n", NULL },
	{ "{\"networks\":{\"n\":{\"mtu\":575}}}", "networks.n.mtu", "576 to 9216" },
	{ "{\"networks\":{\"n\":{\"mtu\":9217}}}", "networks.n.mtu", "576 to 9216" },
	{ "{\"networks\":{\"n\":{\"mtu\":\"1500\"}}}", "networks.n.mtu", NULL },
	{ "{\"networks\":{\"n\":{\"mtu\":1500.5}}}", "networks.n.mtu", NULL },
	{ "{\"networks\":{\"n\":{\"mtuu\":1500}}}", "networks.n.mtuu", "did you mean \"mtu\"?" },
	{ "{\"networks\":{\"n\":{\"mode\":\"bridge\"}}}", "networks.n.mode", "switch or hub" },
	{ "{\"networks\":{\"n\":{\"mode\":\"wire\"}}}", "networks.n.mode", "wires" },
	{ "{\"networks\":{\"n\":{\"mode\":1}}}", "networks.n.mode", NULL },
	{ NETWORK("\"fragment\":\"no\""), "networks.n.fragment", NULL },
	{ NETWORK("\"fragment\":0"), "networks.n.fragment", NULL },
	{ NETWORK("\"fragment\":null"), "networks.n.fragment", NULL },
	{ NETWORK("\"fragments\":false"), "networks.n.fragments", "did you mean \"fragment\"?" },
	{ NETWORK("\"pass\":\"lldp\""), "networks.n.pass", "[lldp]" },
	{ NETWORK("\"pass\":true"), "networks.n.pass", "[lldp]" },
	{ NETWORK("\"pass\":null"), "networks.n.pass", "[lldp]" },
	{ NETWORK("\"pass\":{\"lldp\":true}"), "networks.n.pass", "[lldp]" },
	{ NETWORK("\"pass\":[\"stp\",\"ldlp\"]"), "networks.n.pass[1]", "did you mean \"lldp\"?" },
	{ NETWORK("\"pass\":[\"LACP\"]"), "networks.n.pass[0]", "did you mean \"lacp\"?" },
	{ NETWORK("\"pass\":[\"eapol\"]"), "networks.n.pass[0]", "other for the rest" },
	{ NETWORK("\"pass\":[\"\"]"), "networks.n.pass[0]", "stp, pause, lacp, lldp" },
	{ NETWORK("\"pass\":[14]"), "networks.n.pass[0]", "stp, pause, lacp, lldp" },
	{ NETWORK("\"pass\":[[\"stp\"]]"), "networks.n.pass[0]", "stp, pause, lacp, lldp" },
	{ NETWORK("\"mode\":\"hub\",\"pass\":[\"lldp\"]"), "networks.n.pass", "leave it out" },
	{ NETWORK("\"mode\":\"hub\",\"pass\":[]"), "networks.n.pass", "leave it out" },
	{ "{\"wires\":{\"w\":[{\"host\":\"aws-1\",\"attach\":\"tap:a\",\"fragment\":false},{}]}}",
		"wires.w[0].fragment", NULL },
	{ "{\"ports\":{\"p\":[]}}", "ports.p", NULL },
	{ "{\"ports\":{\"p\":{}}}", "ports.p.host", "aws-1" },
	{ PORT("\"attach\":null"), "ports.p.attach", NULL },
	{ "{\"networks\":{\"n\":{}},\"ports\":{\"p\":{\"network\":\"n\"}}}", "ports.p.host", NULL },
	{ "{\"networks\":{\"n\":{}},\"ports\":{\"p\":{\"host\":\"aws-2\",\"network\":\"n\"," BRIDGE "}}}",
		"ports.p.host", "did you mean \"aws-1\"?" },
	{ "{\"networks\":{\"n\":{}},\"ports\":{\"p\":{\"host\":\"zzzzzzzz\",\"network\":\"n\"," BRIDGE "}}}",
		"ports.p.host", "weft token" },
	{ "{\"networks\":{\"n\":{}},\"ports\":{\"p\":{\"host\":\"old-1\",\"network\":\"n\"," BRIDGE "}}}",
		"ports.p.host", "join again" },
	{ "{\"networks\":{\"mgmt\":{}},\"ports\":{\"p\":{\"host\":\"aws-1\",\"network\":\"mgnt\"," BRIDGE "}}}",
		"ports.p.network", "did you mean \"mgmt\"?" },
	{ PORT("\"x\":1"), "ports.p.x", NULL },
	{ PORT("\"attahc\":\"bridge:a\""), "ports.p.attahc", "did you mean \"attach\"?" },
	{ PORT("\"mac\":\"52:54:00:00:00:01\""), "ports.p.attach", NULL },
	{ PORT("\"attach\":\"br0\""), "ports.p.attach", "bridge:NAME" },
	{ PORT("\"attach\":\"bridg:br0\""), "ports.p.attach", "did you mean \"bridge:br0\"?" },
	{ PORT("\"attach\":\"bridge:\""), "ports.p.attach", NULL },
	{ PORT("\"attach\":\"bridge:a b\""), "ports.p.attach", NULL },
	{ PORT("\"attach\":\"bridge:a/b\""), "ports.p.attach", NULL },
	{ PORT("\"attach\":\"bridge:..\""), "ports.p.attach", NULL },
	{ PORT("\"attach\":\"tap:-x\""), "ports.p.attach", NULL },
	{ PORT("\"attach\":\"tap:sixteencharacter\""), "ports.p.attach", "15" },
	{ PORT("\"attach\":\"tap:wf42\""), "ports.p.attach", NULL },
	{ PORT("\"attach\":7"), "ports.p.attach", NULL },
	{ PORT("\"attach\":\"bridge:br-taken\""), "ports.p.attach", "another" },
	{ PORT("\"attach\":\"tap:br-taken\""), "ports.p.attach", "another" },
	{ PORT("\"attach\":\"tap:x\",\"create\":true"), "ports.p.create", NULL },
	{ PORT(BRIDGE ",\"create\":\"yes\""), "ports.p.create", NULL },
	{ PORT(BRIDGE ",\"mac\":\"52:54:00:00:00\""), "ports.p.mac", "52:54:00:00:00:0b" },
	{ PORT(BRIDGE ",\"mac\":\"53:54:00:00:00:01\""), "ports.p.mac", "even" },
	{ PORT(BRIDGE ",\"mac\":\"00:00:00:00:00:00\""), "ports.p.mac", NULL },
	{ PORT(BRIDGE ",\"mac\":525400000001"), "ports.p.mac", NULL },
	{ PORT(BRIDGE ",\"ip\":\"10.0.0.256\""), "ports.p.ip", NULL },
	{ PORT(BRIDGE ",\"ip\":\"10.0.0.1/24\""), "ports.p.ip", "\"10.0.0.1\"" },
	{ PORT(BRIDGE ",\"ip\":[\"10.0.0.1\",\"fd00::g\"]"), "ports.p.ip[1]", NULL },
	{ PORT(BRIDGE ",\"ip\":[10]"), "ports.p.ip[0]", NULL },
	{ PORT(BRIDGE ",\"vlan\":10"), "ports.p.vlan", "access" },
	{ PORT(BRIDGE ",\"vlan\":{}"), "ports.p.vlan", NULL },
	{ PORT(BRIDGE ",\"vlan\":{\"trunk\":\"all\",\"access\":1}"), "ports.p.vlan", NULL },
	{ PORT(BRIDGE ",\"vlan\":{\"trnk\":\"all\"}"), "ports.p.vlan.trnk", "trunk" },
	{ PORT(BRIDGE ",\"vlan\":{\"trunk\":\"some\"}"), "ports.p.vlan.trunk", "all" },
	{ PORT(BRIDGE ",\"vlan\":{\"trunk\":[]}"), "ports.p.vlan.trunk", NULL },
	{ PORT(BRIDGE ",\"vlan\":{\"trunk\":[1,4095]}"), "ports.p.vlan.trunk[1]", "4094" },
	{ PORT(BRIDGE ",\"vlan\":{\"access\":0}"), "ports.p.vlan.access", "4094" },
	{ PORT(BRIDGE ",\"vlan\":{\"access\":\"10\"}"), "ports.p.vlan.access", NULL },
	{ "{\"networks\":{\"n\":{}},\"ports\":{"
	  "\"a\":{\"host\":\"aws-1\",\"network\":\"n\",\"attach\":\"bridge:br0\"},"
	  "\"b\":{\"host\":\"aws-1\",\"network\":\"n\",\"attach\":\"tap:br0\"}}}",
		"ports.b.attach", NULL },
	{ "{\"networks\":{\"n\":{}},\"ports\":{"
	  "\"a\":{\"host\":\"aws-1\",\"network\":\"n\",\"attach\":\"bridge:br0\",\"mac\":\"52:54:00:00:00:0B\"},"
	  "\"b\":{\"host\":\"gcp-1\",\"network\":\"n\",\"attach\":\"bridge:br0\",\"mac\":\"52-54-00-00-00-0b\"}}}",
		"ports.b.mac", NULL },
	{ "{\"wires\":{\"w\":{}}}", "wires.w", "write [" },
	{ "{\"wires\":{\"w\":[{\"host\":\"aws-1\",\"attach\":\"tap:a\"}]}}", "wires.w", NULL },
	{ "{\"wires\":{\"w\":[{\"host\":\"aws-1\",\"attach\":\"tap:a\"},{\"host\":\"gcp-1\",\"attach\":\"tpa:b\"}]}}",
		"wires.w[1].attach", "did you mean \"tap:b\"?" },
	{ "{\"wires\":{\"w\":[{\"host\":\"aws-1\",\"attach\":\"tap:a\"},{\"host\":\"gcp-9\",\"attach\":\"tap:b\"}]}}",
		"wires.w[1].host", "gcp-1" },
	{ "{\"wires\":{\"w\":[{\"host\":\"aws-1\",\"attach\":\"tap:a\",\"vlan\":{}},{}]}}", "wires.w[0].vlan", NULL },
	{ "{\"wires\":{\"w\":[{\"host\":\"aws-1\",\"attach\":\"tap:a\"},7]}}", "wires.w[1]", NULL },
	{ "{\"wires\":{\"w\":[{\"host\":\"aws-1\",\"attach\":\"tap:a\"},{\"host\":\"aws-1\",\"attach\":\"tap:a\"}]}}",
		"wires.w[1].attach", NULL },
	{ "{\"networks\":{\"w\":{}},\"wires\":{\"w\":[{\"host\":\"aws-1\",\"attach\":\"tap:a\"},{\"host\":\"gcp-1\",\"attach\":\"tap:b\"}]}}",
		"wires.w", "another name" },
	{ "{\"networks\":{\"n\":{}},\"ports\":{\"w-2\":{\"host\":\"aws-1\",\"network\":\"n\"," BRIDGE
	  "}},\"wires\":{\"w\":[{\"host\":\"aws-1\",\"attach\":\"tap:a\"},{\"host\":\"gcp-1\",\"attach\":\"tap:b\"}]}}",
		"wires.w", "another name" },
	{ "{\"networks\":{\"n\":{\"mode\":\"hub\"}},\"ports\":{\"p\":{\"host\":\"aws-1\",\"network\":\"n\"," BRIDGE
	  ",\"vlan\":{\"access\":7}}}}",
		"ports.p.vlan", "switch" },
	{ "{\"networks\":{\"n\":{}},\"wires\":{\"w\":[{\"host\":\"aws-1\",\"attach\":\"tap:a\"},{\"host\":\"gcp-1\",\"attach\":\"tap:b\"}]},\"ports\":{\"p\":{\"host\":\"aws-1\",\"network\":\"w\"," BRIDGE
	  "}}}",
		"ports.p.network", "`networks`" },
	{ PORT("\"attach\":\"memory\""), "ports.p.attach", "bridge:NAME" },
	{ "{\"wires\":{\"" NAME63 "\":[]}}", "wires." NAME63, "61" },
};

static void faults_say_where(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		struct fault fault;
		json_t *out = check(wrong[i].lab, "x", &fault);

		if (out)
			fail_msg("accepted: %s", wrong[i].lab);
		if (strcmp(fault.where, wrong[i].where) != 0)
			fail_msg("%s: at \"%s\", not \"%s\" (%s)", wrong[i].lab, fault.where, wrong[i].where,
				fault.message);
		assert_int_equal(fault.status, 400);
		assert_string_not_equal(fault.message, "");
		if (wrong[i].hint && !strstr(fault.hint, wrong[i].hint) && !strstr(fault.message, wrong[i].hint))
			fail_msg("%s: %s, and the hint is \"%s\"", wrong[i].lab, fault.message, fault.hint);
	}
}

static void lab_names(void **state)
{
	struct fault fault;

	(void)state;
	assert_null(check("{}", "a_b", &fault));
	assert_string_equal(fault.where, "lab");
	assert_null(check("{}", NAME63 "a", &fault));
	json_decref(check("{}", NAME63, &fault));
	assert_int_equal(fault.status, 0);
}

/* Different spellings of one lab have one canonical form */
static void spellings(void **state)
{
	static const char *const same[] = {
		"{\"networks\":{\"n\":{}},\"ports\":{\"p\":{\"host\":\"aws-1\",\"network\":\"n\",\"attach\":\"bridge:br0\","
		"\"mac\":\"52:54:00:AA:00:0b\",\"ip\":\"fd00:0::11\",\"vlan\":{\"trunk\":[20,10,20]}}}}",
		"{\"lab\":\"x\",\"wires\":{},\"networks\":{\"n\":{\"mtu\":1500,\"mode\":\"switch\"}},\"ports\":{\"p\":{"
		"\"vlan\":{\"trunk\":[10,20]},\"ip\":[\"fd00::11\"],\"create\":false,\"mac\":\"52-54-00-aa-00-0B\","
		"\"attach\":\"bridge:br0\",\"network\":\"n\",\"host\":\"aws-1\"}}}",
		"{\"lab\":\"x\",\"wires\":null,\"networks\":{\"n\":null},\"ports\":{\"p\":{"
		"\"vlan\":{\"trunk\":[10,20]},\"ip\":[\"fd00::11\"],\"mac\":\"52-54-00-aa-00-0B\","
		"\"attach\":\"bridge:br0\",\"network\":\"n\",\"host\":\"aws-1\"}}}",
	};
	struct fault fault;
	json_t *first = check(same[0], "x", &fault), *again;

	(void)state;
	assert_non_null(first);
	for (size_t i = 1; i < sizeof(same) / sizeof(same[0]); i++) {
		json_t *other = check(same[i], "x", &fault);

		assert_true(json_equal(first, other));
		json_decref(other);
	}
	again = check_document(first, "x", &fault);
	assert_true(json_equal(first, again));
	json_decref(again);
	json_decref(first);
}

static void check_same(const char *one, const char *other)
{
	struct fault fault;
	json_t *a = check(one, "x", &fault), *b = check(other, "x", &fault);

	assert_non_null(a);
	assert_non_null(b);
	if (!json_equal(a, b))
		fail_msg("%s is not %s", one, other);
	json_decref(a);
	json_decref(b);
}

/* Defaults are filled in, protocols stand in one order, and each option makes another lab */
static void network_options(void **state)
{
	static const char canonical[] = NETWORK(
		"\"mode\":\"switch\",\"mtu\":1500,\"fragment\":false,\"pass\":[\"stp\",\"pause\",\"lacp\",\"lldp\",\"other\"]");
	static const char shuffled[] =
		NETWORK("\"pass\":[\"other\",\"lldp\",\"stp\",\"lldp\",\"lacp\",\"pause\",\"stp\"],\"fragment\":false");
	json_t *want = json_loads(canonical, 0, NULL), *got;
	struct fault fault;

	(void)state;
	check_same(NETWORK(""), NETWORK("\"fragment\":true,\"pass\":[]"));
	check_same(NETWORK("\"mode\":\"hub\""), NETWORK("\"mode\":\"hub\",\"fragment\":true"));
	got = check(shuffled, "x", &fault);
	assert_true(json_equal(json_object_get(got, "networks"), json_object_get(want, "networks")));
	json_decref(got);
	json_decref(want);
	got = check(NETWORK("\"mode\":\"hub\",\"fragment\":false"), "x", &fault);
	want = json_pack("{s:s, s:i, s:b}", "mode", "hub", "mtu", 1500, "fragment", 0);
	assert_true(json_equal(json_object_get(json_object_get(got, "networks"), "n"), want));
	json_decref(got);
	json_decref(want);
}

/* The same MAC in two access VLANs is two stations; the same interface name on two hosts is two interfaces */
static void what_is_no_clash(void **state)
{
	struct fault fault;
	json_t *lab = check("{\"networks\":{\"n\":{}},\"ports\":{"
			    "\"a\":{\"host\":\"aws-1\",\"network\":\"n\",\"attach\":\"bridge:br0\","
			    "\"mac\":\"52:54:00:00:00:01\",\"vlan\":{\"access\":1}},"
			    "\"b\":{\"host\":\"gcp-1\",\"network\":\"n\",\"attach\":\"bridge:br0\","
			    "\"mac\":\"52:54:00:00:00:01\",\"vlan\":{\"access\":2}},"
			    "\"c\":{\"host\":\"gcp-1\",\"network\":\"n\",\"attach\":\"bridge:br-taken\"}}}",
		"x", &fault);

	(void)state;
	assert_non_null(lab);
	json_decref(lab);
	lab = check("{\"networks\":{\"n\":{}},\"ports\":{\"c\":{\"host\":\"aws-1\",\"network\":\"n\","
		    "\"attach\":\"bridge:br-taken\"}}}",
		"other", &fault);
	assert_non_null(lab);
	json_decref(lab);
}

/* Each port's first, each once, the first of them as the fault itself */
static void all_that_is_wrong(void **state)
{
	json_t *in = json_loads("{\"networks\":{\"n\":{}},\"ports\":{"
				"\"a\":{\"host\":\"nobody\",\"network\":\"m\",\"attach\":\"tap:x\"},"
				"\"b\":{\"host\":\"aws-1\",\"network\":\"n\",\"attach\":\"tap:x\"},"
				"\"c\":{\"host\":\"aws-1\",\"network\":\"n\",\"attach\":\"tap:x\"},"
				"\"d\":{\"host\":\"aws-1\",\"network\":\"m\",\"attach\":\"tap:y\"}}}",
		0, NULL);
	struct fault fault = { .all = json_array() };
	json_t *all = fault.all, *body;
	struct lab lab;

	(void)state;
	assert_true(lab_decode(in, "l", &lab, &fault));
	assert_false(lab_check(&lab, &world, &fault));
	assert_string_equal(fault.where, "ports.a.host");
	assert_int_equal(json_array_size(all), 3);
	assert_string_equal(json_string_value(json_object_get(json_array_get(all, 1), "where")), "ports.c.attach");
	assert_string_equal(json_string_value(json_object_get(json_array_get(all, 2), "where")), "ports.d.network");
	body = fault_body(&fault);
	assert_true(json_equal(json_object_get(body, "error"), json_array_get(all, 0)));
	assert_true(json_equal(json_object_get(body, "errors"), all));
	json_decref(body);
	lab_fini(&lab);
	json_decref(all);
	json_decref(in);
}

/* A list has an end, whatever is sent */
static void so_much_and_no_more(void **state)
{
	json_t *in = json_pack("{s:{s:{}}, s:{}}", "networks", "n", "ports"), *ports = json_object_get(in, "ports");
	struct fault fault = { .all = json_array() };
	struct lab lab;

	(void)state;
	for (int i = 0; i < 200; i++) {
		char name[16];

		snprintf(name, sizeof(name), "p%d", i);
		json_object_set_new(ports, name,
			json_pack("{s:s, s:s, s:s}", "host", "nobody", "network", "n", "attach", "tap:x"));
	}
	assert_true(lab_decode(in, "l", &lab, &fault));
	assert_false(lab_check(&lab, &world, &fault));
	assert_int_equal(json_array_size(fault.all), LAB_CHECK_FAULTS_MAX);
	lab_fini(&lab);
	json_decref(fault.all);
	json_decref(in);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(faults_say_where),
		cmocka_unit_test(lab_names),
		cmocka_unit_test(spellings),
		cmocka_unit_test(network_options),
		cmocka_unit_test(what_is_no_clash),
		cmocka_unit_test(all_that_is_wrong),
		cmocka_unit_test(so_much_and_no_more),
	};
	int failed;

	all_hosts = json_pack("{s:{}, s:{}, s:{}}", "aws-1", "gcp-1", "old-1");
	failed = cmocka_run_group_tests(tests, NULL, NULL);
	json_decref(all_hosts);
	return failed;
}
