/*
 * test_lab_file.c - the shape of lab files: what is accepted, and what each mistake is answered with
 */
#include "cli/lab_file.h"
#include "base/file.h"
#include "lab/lab_check.h"
#include "lab/lab_document.h"

#include <glob.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static const char *const good =
	"lab: two-sites\n"
	"networks:\n"
	"  mgmt:  { mtu: 1500, pass: [lldp, stp], fragment: true }\n"
	"  plain:\n"
	"  trunk: { mtu: 9000, mode: hub, fragment: false }\n"
	"ports:\n"
	"  a-lan: { host: aws-1, network: mgmt, attach: \"bridge:br-lab\", create: true }\n"
	"  b-lan: { host: gcp-1, network: mgmt, attach: bridge:br-lab, mac: \"52:54:00:00:00:0b\", ip: [10.0.0.11, \"fd00::11\"] }\n"
	"  esx1:  { host: aws-1, network: trunk, attach: \"tap:esx1-nic0\", vlan: { trunk: all } }\n"
	"  esx2:  { host: aws-1, network: trunk, attach: \"packet:eth1\", ip: 10.0.0.12, vlan: { trunk: [10, 20] } }\n"
	"  esx3:  { host: aws-1, network: trunk, attach: \"tap:esx3\", vlan: { access: 10 } }\n"
	"wires:\n"
	"  spine-leaf: [ { host: aws-1, attach: \"tap:spine-e1\" }, { host: gcp-1, attach: \"tap:leaf-e1\" } ]\n";

static void takes_a_whole_lab(void **state)
{
	struct faults faults = { .count = 0 };
	struct lab_file *lab = lab_file_parse(good, strlen(good), &faults);
	const json_t *mgmt, *ports;

	(void)state;
	assert_non_null(lab);
	assert_string_equal(lab_file_name(lab), "two-sites");
	mgmt = json_object_get(json_object_get(lab_file_json(lab), "networks"), "mgmt");
	assert_int_equal(json_array_size(json_object_get(mgmt, "pass")), 2);
	assert_true(json_is_true(json_object_get(mgmt, "fragment")));
	assert_int_equal(lab_file_line(lab, "networks.mgmt.pass[1]"), 3);
	ports = json_object_get(lab_file_json(lab), "ports");
	assert_int_equal(json_object_size(ports), 5);
	assert_true(json_is_true(json_object_get(json_object_get(ports, "a-lan"), "create")));
	assert_int_equal(lab_file_line(lab, "ports.esx2.vlan.trunk[1]"), 10);
	assert_int_equal(lab_file_line(lab, "wires.spine-leaf[1].attach"), 13);
	assert_int_equal(lab_file_line(lab, ""), 1);
	lab_file_free(lab);
}

static void takes_empty_sections(void **state)
{
	static const char *const text = "lab: a\nnetworks:\nports:\nwires:\n";
	struct faults faults = { .count = 0 };
	struct lab_file *lab = lab_file_parse(text, strlen(text), &faults);

	(void)state;
	assert_non_null(lab);
	assert_int_equal(json_object_size(lab_file_json(lab)), 1);
	assert_int_equal(lab_file_line(lab, "wires"), 4);
	lab_file_free(lab);
}

#define PORT "lab: a\nports:\n  p:\n    host: h\n    network: n\n    attach: tap:e1\n"
#define WIRE "lab: a\nwires:\n  w:\n    - { host: h, attach: tap:e1 }\n"
#define NAME_RULE "a name has 1 to 63 of a-z, 0-9 and \"-\", and begins and ends with no \"-\""

static const struct {
	const char *text;
	const char *faults; /* all of them, as they are printed */
} bad[] = {
	{ "just text\n", "f:1: is text, must be a mapping; write lab: two-sites\n" },
	{ "- a\n- b\n", "f:1: is a list, must be a mapping; write lab: two-sites\n" },
	{ "---\n...\n", "f:2: has no value; write lab: two-sites\n" },
	{ "ports: {}\n", "f:1: \"lab\" is missing; write lab: two-sites\n" },
	{ "lab: 5\n", "f:1: lab: is a number, must be text; write lab: \"5\"\n" },
	{ "lab:\n", "f:1: lab: has no value; write lab: two-sites\n" },
	{ "lab: [a]\n", "f:1: lab: is a list, must be text; write lab: two-sites\n" },
	{ "lab: Two_Sites\n", "f:1: lab: " NAME_RULE "\n" },
	{ "lab: a\nprots: {}\n", "f:2: prots: unknown key; did you mean \"ports\"?\n" },
	{ "lab: a\ncolour: red\n", "f:2: colour: unknown key; known here: lab, networks, ports, wires\n" },
	{ "lab: a\nnetworks: [mgmt]\n", "f:2: networks: is a list, must be a mapping from names\n" },
	{ "lab: a\nnetworks:\n  mgmt: 1500\n",
		"f:3: networks.mgmt: is a number, must be a mapping; write { mtu: 1500 }\n" },
	{ "lab: a\nnetworks:\n  mgmt: { mtu: \"1500\" }\n",
		"f:3: networks.mgmt.mtu: is text, must be a whole number; write mtu: 1500\n" },
	{ "lab: a\nnetworks:\n  mgmt: { fragment: no }\n",
		"f:3: networks.mgmt.fragment: is text, must be true or false; write fragment: false\n" },
	{ "lab: a\nnetworks:\n  mgmt: { pass: lldp }\n",
		"f:3: networks.mgmt.pass: is text, must be a list; write pass: [lldp]\n" },
	{ "lab: a\nnetworks:\n  mgmt:\n    pass:\n", "f:4: networks.mgmt.pass: has no value; write pass: [lldp]\n" },
	{ "lab: a\nnetworks:\n  mgmt:\n    pass:\n      - stp\n      - 14\n      - { lldp: true }\n",
		"f:6: networks.mgmt.pass[1]: is a number, must be text; write pass: [lldp]\n"
		"f:7: networks.mgmt.pass[2]: is a mapping, must be text; write pass: [lldp]\n" },
	{ "lab: a\nnetworks:\n  mgmt: { fragmnet: true }\n",
		"f:3: networks.mgmt.fragmnet: unknown key; did you mean \"fragment\"?\n" },
	{ "lab: a\nnetworks:\n  -x: {}\n", "f:3: networks.-x: " NAME_RULE "\n" },
	{ PORT "    atach: x\n", "f:7: ports.p.atach: unknown key; did you mean \"attach\"?\n" },
	{ PORT "    create: yes\n", "f:7: ports.p.create: is text, must be true or false; write create: true\n" },
	{ PORT "    mac: 525400000011\n",
		"f:7: ports.p.mac: is a number, must be text; write mac: \"525400000011\"\n" },
	{ PORT "    ip: [10.0.0.1, 5]\n",
		"f:7: ports.p.ip[1]: is a number, must be an address; write ip: [10.0.0.11, \"fd00::11\"]\n" },
	{ PORT "    ip: {}\n",
		"f:7: ports.p.ip: is a mapping, must be an address or a list of them; "
		"write ip: [10.0.0.11, \"fd00::11\"]\n" },
	{ PORT "    vlan: 10\n", "f:7: ports.p.vlan: is a number, must be a mapping; write vlan: { access: 10 }\n" },
	{ PORT "    vlan: {}\n",
		"f:7: ports.p.vlan: takes either \"trunk\" or \"access\"; write vlan: { access: 10 }\n" },
	{ PORT "    vlan: { trunk: all, access: 10 }\n",
		"f:7: ports.p.vlan: takes either \"trunk\" or \"access\"; write vlan: { access: 10 }\n" },
	{ PORT "    vlan: { trunk: some }\n",
		"f:7: ports.p.vlan.trunk: is text, must be \"all\" or a list of VLAN ids; "
		"write trunk: all, or trunk: [10, 20]\n" },
	{ PORT "    vlan: { trunk: [1, a] }\n",
		"f:7: ports.p.vlan.trunk[1]: is text, must be a VLAN id; write trunk: [10, 20]\n" },
	{ "lab: a\nports:\n  p:\n",
		"f:3: ports.p: has no value; write { host: aws-1, network: mgmt, attach: "
		"\"bridge:br-lab\" }\n" },
	{ "lab: a\nports:\n  p: { host: 7, atach: x }\n  q: {}\n",
		"f:3: ports.p.host: is a number, must be text; write host: \"7\"\n"
		"f:3: ports.p.atach: unknown key; did you mean \"attach\"?\n"
		"f:3: ports.p: \"network\" is missing; write network: mgmt\n"
		"f:3: ports.p: \"attach\" is missing; write attach: \"bridge:br-lab\"\n"
		"f:4: ports.q: \"host\" is missing; write host: aws-1\n"
		"f:4: ports.q: \"network\" is missing; write network: mgmt\n"
		"f:4: ports.q: \"attach\" is missing; write attach: \"bridge:br-lab\"\n" },
	{ WIRE,
		"f:3: wires.w: a wire has exactly two ends; write [ { host: a, attach: \"packet:e1\" }, "
		"{ host: b, attach: \"packet:e1\" } ]\n" },
	{ WIRE "    - { host: h }\n", "f:5: wires.w[1]: \"attach\" is missing; write attach: \"bridge:br-lab\"\n" },
	{ WIRE "    - h:e1\n",
		"f:5: wires.w[1]: is text, must be a mapping; write { host: a, attach: \"packet:e1\" }\n" },
	{ "lab: a\nwires:\n  w: {}\n",
		"f:3: wires.w: is a mapping, must be a list of two ends; write [ { host: a, "
		"attach: \"packet:e1\" }, { host: b, attach: \"packet:e1\" } ]\n" },
	/* of the right kind, but not possible: the first is told, as the controller would */
	{ "lab: a\nnetworks:\n  n: {}\n  m:\n    mtu: 575\n",
		"f:5: networks.m.mtu: 575 is not possible; 576 to 9216\n" },
	{ "lab: a\nnetworks:\n  n: { mode: swich }\n",
		"f:3: networks.n.mode: \"swich\" is no network's mode; did you mean \"switch\"?\n" },
	{ PORT "    vlan: { trunk: [1, 5000] }\n",
		"f:7: ports.p.vlan.trunk[1]: 5000 is no VLAN; VLANs are 1 to 4094\n" },
	{ PORT "    ip:\n    - 10.0.0.1\n    - 10.0.0.300\n",
		"f:9: ports.p.ip[1]: \"10.0.0.300\" is no IPv4 or IPv6 address\n" },
	{ "lab: a\nports:\n\tp: {}\n", "f:3: a tab; YAML is indented with spaces only\n" },
};

static void answers_mistakes(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		struct faults faults = { .count = 0 };
		struct lab_file *lab = lab_file_parse(bad[i].text, strlen(bad[i].text), &faults);
		char said[4096] = "";
		FILE *to = fmemopen(said, sizeof(said), "w");

		assert_null(lab);
		assert_non_null(to);
		faults_print(&faults, "f", to);
		fclose(to);
		assert_string_equal(said, bad[i].faults);
	}
}

static void keeps_the_first_faults_of_many(void **state)
{
	struct faults faults = { .count = 0 };
	char text[2048] = "lab: a\nnetworks:\n";
	char said[4096] = "";
	FILE *to = fmemopen(said, sizeof(said), "w");

	(void)state;
	for (int i = 0; i < 30; i++)
		snprintf(text + strlen(text), sizeof(text) - strlen(text), "  n%d: 7\n", i);
	assert_null(lab_file_parse(text, strlen(text), &faults));
	assert_int_equal(faults.count, FAULTS_MAX);
	assert_non_null(to);
	faults_print(&faults, "f", to);
	fclose(to);
	assert_non_null(strstr(said, "f: and 10 more\n"));
}

static enum lab_host any_host(void *ctx, const char *name)
{
	(void)ctx;
	(void)name;
	return LAB_HOST_OK;
}

static const char *nobody(void *ctx, const char *host, const char *interface, const char *lab)
{
	(void)ctx;
	(void)host;
	(void)interface;
	(void)lab;
	return NULL;
}

static void assert_can_be_applied(const char *file, const char *text, size_t len_bytes)
{
	static const struct lab_world world = { .host = any_host, .attached_by = nobody };
	struct faults faults = { .count = 0 };
	struct fault fault = { .status = 0 };
	struct lab_file *read = lab_file_parse(text, len_bytes, &faults);
	struct lab lab;

	if (!read) {
		faults_print(&faults, file, stderr);
		fail();
	}
	if (!lab_decode(lab_file_json(read), lab_file_name(read), &lab, &fault))
		fail_msg("%s: %s: %s", file, fault.where, fault.message);
	if (!lab_check(&lab, &world, &fault))
		fail_msg("%s: %s: %s", file, fault.where, fault.message);
	lab_fini(&lab);
	lab_file_free(read);
}

/* Return: how many labs stand in it */
static size_t assert_its_labs_can_be_applied(const char *file)
{
	static const char begin[] = "\n```yaml\nlab:", end[] = "\n```\n";
	char *text = NULL;
	size_t len_bytes = 0, labs = 0;

	assert_int_equal(file_read(file, 1 << 20, &text, &len_bytes), 0);
	for (const char *at = text; (at = strstr(at, begin)); labs++) {
		const char *lab = at + sizeof(begin) - sizeof("lab:");
		const char *stop = strstr(lab, end);

		assert_non_null(stop);
		assert_can_be_applied(file, lab, (size_t)(stop - lab) + 1);
		at = stop;
	}
	free(text);
	return labs;
}

/* Whoever copies a lab out of a page gets one that can be applied */
static void takes_what_the_documents_show(void **state)
{
	glob_t found;

	(void)state;
	assert_int_equal(glob("docs/vmm/[a-z]*.md", 0, NULL, &found), 0);
	for (size_t i = 0; i < found.gl_pathc; i++)
		if (assert_its_labs_can_be_applied(found.gl_pathv[i]) == 0)
			fail_msg("%s shows no lab", found.gl_pathv[i]);
	globfree(&found);
	assert_int_equal(assert_its_labs_can_be_applied("README.md"), 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(takes_a_whole_lab),
		cmocka_unit_test(takes_empty_sections),
		cmocka_unit_test(answers_mistakes),
		cmocka_unit_test(keeps_the_first_faults_of_many),
		cmocka_unit_test(takes_what_the_documents_show),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
