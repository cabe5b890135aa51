/*
 * test_checks.c - what is judged how: facts in, findings out
 */
#include "cli/checks.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <string.h>

/* A host on which all is well, with two peers that were looked at */
static const char well[] =
	"{\"agent\": {\"status\": {\"host\": \"h1\", \"fabric\": \"f\", \"version\": \"1\","
	"  \"controller\": {\"address\": \"ctl.example.org:4753\", \"connected\": true, \"state\": \"connected\"},"
	"  \"topology\": {\"rev\": 1, \"applied\": 1}, \"datapath\": {\"udp_gso\": true, \"udp_gro\": true},"
	"  \"peers\": [{\"host\": \"h2\", \"state\": \"up\", \"endpoint\": \"192.0.2.2:4754\", \"path_mtu\": 1500, \"last_rx_ms\": 10},"
	"    {\"host\": \"h3\", \"state\": \"up\", \"endpoint\": \"192.0.2.3:4754\", \"path_mtu\": 1400, \"last_rx_ms\": 10}],"
	"  \"ports\": [{\"lab\": \"l\", \"name\": \"a\", \"attach\": \"bridge:br\", \"state\": \"up\"}]},"
	" \"machine\": {\"time\": 1700000000, \"kernel\": \"6.8.0-1\", \"tun\": true, \"nofile\": 65536, \"descriptors\": 40,"
	"  \"addresses\": [\"192.0.2.1\", \"2001:db8::1\"], \"may_filter\": true, \"filters\": [], \"sysctl\": {}},"
	" \"udp_port\": 4754, \"network_mtu\": 1300, \"descriptors_needed\": 100,"
	" \"resolved\": {\"name\": \"ctl.example.org\", \"addresses\": [\"192.0.2.100\"]}},"
	"\"controller\": {\"time\": 1700000001, \"host\": {\"name\": \"h1\", \"online\": true, \"revoked\": false}},"
	"\"pings\": {\"h2\": true, \"h3\": true}, \"looked_at\": 2,"
	"\"witness\": {\"h2\": {\"host\": \"h1\", \"state\": \"up\", \"endpoint\": \"192.0.2.1:4754\", \"last_rx_ms\": 5},"
	"  \"h3\": {\"host\": \"h1\", \"state\": \"up\", \"endpoint\": \"[2001:db8::1]:4754\", \"last_rx_ms\": 5}}}";

/* The facts above, but for what @change says: a path of members ("agent.status.peers.0.state") and its value; NULL: left out */
static json_t *facts_but(const char *path, const char *value)
{
	json_t *facts = json_loads(well, 0, NULL), *at = facts;
	char copy[200], *rest, *word, *next;

	assert_non_null(facts);
	snprintf(copy, sizeof(copy), "%s", path);
	for (word = strtok_r(copy, ".", &rest); (next = strtok_r(NULL, ".", &rest)); word = next)
		at = json_is_array(at) ? json_array_get(at, (size_t)(word[0] - '0')) : json_object_get(at, word);
	assert_non_null(at);
	if (value)
		assert_int_equal(json_object_set_new(at, word, json_loads(value, JSON_DECODE_ANY, NULL)), 0);
	else
		assert_int_equal(json_object_del(at, word), 0);
	return facts;
}

/* Return: the first finding of @check that is not OK, in @text; "" where all are */
static const char *trouble_of(json_t *facts, const char *check, char text[1024])
{
	json_t *findings = checks_judge(facts), *finding;
	size_t i;

	text[0] = '\0';
	json_array_foreach(findings, i, finding) {
		const char *result = json_string_value(json_object_get(finding, "result")),
			   *command = json_string_value(json_object_get(finding, "command"));

		assert_non_null(json_object_get(finding, "text"));
		if (strcmp(result, "ok") == 0)
			continue;
		assert_non_null(command); /* each says what to do */
		if (strcmp(json_string_value(json_object_get(finding, "check")), check) == 0 && !text[0])
			snprintf(text, 1024, "%s: %s | %s", result, json_string_value(json_object_get(finding, "text")),
				command);
		else
			fail_msg("%s is found besides: %s", json_string_value(json_object_get(finding, "check")),
				json_string_value(json_object_get(finding, "text")));
	}
	json_decref(findings);
	json_decref(facts);
	return text;
}

static void all_is_well(void **state)
{
	json_t *facts = json_loads(well, 0, NULL), *findings = checks_judge(facts), *finding;
	unsigned int checks = 0;
	size_t i;

	(void)state;
	json_array_foreach(findings, i, finding) {
		if (strcmp(json_string_value(json_object_get(finding, "result")), "ok") != 0)
			fail_msg("%s", json_string_value(json_object_get(finding, "text")));
		checks++;
	}
	assert_true(checks >= 12);
	json_decref(findings);
	json_decref(facts);
}

static void one_fault_is_one_finding(void **state)
{
	static const struct {
		const char *path, *value, *check, *result, *says, *command;
	} faults[] = {
		{ "controller.time", "1700000030", "clock", "warning", "30 s behind", "timedatectl set-ntp true" },
		{ "controller.time", "1699990000", "clock", "error", "10000 s ahead", "timedatectl set-ntp true" },
		{ "agent.resolved", "{\"name\": \"ctl.example.org\", \"error\": \"Name or service not known\"}", "name",
			"error", "does not resolve", "ctl.example.org' >>/etc/hosts" },
		{ "agent.resolved", NULL, "name", "error", "not resolved within", "resolvectl" },
		{ "agent.status.controller",
			"{\"address\": \"192.0.2.100:4753\", \"connected\": false, \"state\": \"Connection refused\"}",
			"controller", "error", "Connection refused", "weft-controller" },
		{ "controller.host.revoked", "true", "controller", "error", "revoked", "weft token" },
		{ "agent.status.topology.errors", "[{\"text\": \"the disk is full\"}]", "topology", "error",
			"disk is full", "journalctl" },
		{ "pings.h2", "false", "udp", "error", "h2 hears this host", "tcpdump" },
		{ "agent.status.peers.0.path_mtu", "1000", "path mtu", "error", "1000 bytes only", "ip link" },
		{ "agent.status.datapath.udp_gso", "false", "offloads", "warning", "segmentation", "ethtool" },
		{ "agent.status.ports.0",
			"{\"lab\": \"l\", \"name\": \"a\", \"state\": \"error\", \"error\": \"no bridge br\"}", "ports",
			"error", "no bridge br", "weft status ports" },
		{ "agent.machine.tun", "false", "kernel", "error", "/dev/net/tun", "modprobe tun" },
		{ "agent.machine.nofile", "90", "files", "error", "90 files", "LimitNOFILE" },
		{ "agent.machine.nofile", "110", "files", "warning", "110 files", "LimitNOFILE" },
		{ "witness.h2.endpoint", "\"198.51.100.7:1000\"", "", "", "", "" }, /* behind NAT is no fault */
	};
	char text[1024];

	(void)state;
	for (size_t i = 0; i < sizeof(faults) / sizeof(faults[0]); i++) {
		json_t *facts;

		if (strcmp(faults[i].path, "agent.status.ports.0") == 0) {
			facts = json_loads(well, 0, NULL);
			json_array_set_new(json_object_get(json_object_get(json_object_get(facts, "agent"), "status"),
						   "ports"),
				0, json_loads(faults[i].value, 0, NULL));
		} else {
			facts = facts_but(faults[i].path, faults[i].value);
		}
		(void)trouble_of(facts, faults[i].check, text);
		if (!strstr(text, faults[i].result) || !strstr(text, faults[i].says) ||
			!strstr(text, faults[i].command))
			fail_msg("%s = %s: %s", faults[i].path, faults[i].value ? faults[i].value : "nothing", text);
		if (!faults[i].check[0])
			assert_string_equal(text, "");
	}
}

/* Who hears whom says where it is blocked, and a filter at hand by which command it is let in */
static void which_direction_is_blocked(void **state)
{
	static const char filter[] =
		"[{\"family\": \"inet\", \"table\": \"fw\", \"chain\": \"in\", \"hook\": \"input\", \"policy\": "
		"\"accept\", \"uses\": 1}]";
	char text[1024];
	json_t *facts;

	(void)state;
	facts = facts_but("pings.h2", "false");
	json_object_set_new(json_object_get(json_object_get(facts, "agent"), "machine"), "filters",
		json_loads(filter, 0, NULL));
	(void)trouble_of(facts, "udp", text);
	assert_non_null(strstr(text, "blocked on the way in"));
	assert_non_null(strstr(text, "| nft insert rule inet fw in udp dport 4754 accept"));

	facts = facts_but("pings.h2", "false");
	json_object_set_new(json_object_get(json_object_get(facts, "witness"), "h2"), "last_rx_ms",
		json_integer(60000));
	(void)trouble_of(facts, "udp", text);
	assert_non_null(strstr(text, "h2 does not hear this host"));
	assert_non_null(strstr(text, "| weft doctor h2"));

	facts = facts_but("pings.h2", "false");
	json_object_del(json_object_get(json_object_get(facts, "witness"), "h2"), "last_rx_ms");
	json_object_set_new(json_array_get(json_object_get(json_object_get(json_object_get(facts, "agent"), "status"),
						   "peers"),
				    0),
		"last_rx_ms", json_integer(60000));
	(void)trouble_of(facts, "udp", text);
	assert_non_null(strstr(text, "do not hear each other"));

	facts = facts_but("pings.h2", "false");
	json_object_set_new(json_object_get(facts, "witness"), "h2", json_pack("{s:s}", "unknown", "it is offline"));
	(void)trouble_of(facts, "udp", text);
	assert_non_null(strstr(text, "it is offline"));
}

static void nat_by_what_peers_see(void **state)
{
	char text[1024];
	json_t *facts = facts_but("witness.h2.endpoint", "\"198.51.100.7:1000\"");

	(void)state;
	json_object_set_new(json_object_get(json_object_get(facts, "witness"), "h3"), "endpoint",
		json_string("198.51.100.7:1000"));
	(void)trouble_of(facts, "nat", text);
	assert_string_equal(text, "");
	facts = facts_but("witness.h2.endpoint", "\"198.51.100.7:1000\"");
	json_object_set_new(json_object_get(json_object_get(facts, "witness"), "h3"), "endpoint",
		json_string("198.51.100.7:1001"));
	(void)trouble_of(facts, "nat", text);
	assert_non_null(strstr(text, "different addresses"));
}

static void filters_of_bridges(void **state)
{
	char text[1024];
	json_t *facts = facts_but("agent.machine.sysctl", "{\"net.bridge.bridge-nf-call-iptables\": 1}");

	(void)state;
	(void)trouble_of(facts, "filters", text);
	assert_string_equal(text, ""); /* nothing is filtered */
	facts = facts_but("agent.machine.sysctl", "{\"net.bridge.bridge-nf-call-iptables\": 1}");
	json_object_set_new(json_object_get(json_object_get(facts, "agent"), "machine"), "filters",
		json_loads("[{\"hook\": \"forward\", \"policy\": \"drop\", \"uses\": 0}]", 0, NULL));
	(void)trouble_of(facts, "filters", text);
	assert_non_null(strstr(text, "sysctl -w net.bridge.bridge-nf-call-iptables=0"));
}

static void without_a_weftd(void **state)
{
	static const struct {
		const char *local, *command;
	} cases[] = {
		{ "{\"root\": true, \"joined\": false, \"running\": false}", "weft join TOKEN" },
		{ "{\"root\": true, \"joined\": true, \"running\": false}", "systemctl start weftd" },
		{ "{\"root\": false, \"joined\": false, \"running\": false}", "sudo weft doctor" },
	};
	char text[1024];

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		(void)trouble_of(json_pack("{s:o}", "local", json_loads(cases[i].local, 0, NULL)), "weftd", text);
		assert_non_null(strstr(text, cases[i].command));
	}
	json_decref(checks_judge(NULL));
}

/* Whatever is missing or of another kind, there is an end without a crash */
static void facts_of_any_shape(void **state)
{
	static const char *const members[] = { "agent", "agent.status", "agent.status.peers", "agent.status.ports",
		"agent.status.controller", "agent.machine", "agent.machine.filters", "agent.machine.addresses",
		"agent.resolved", "controller", "pings", "witness", "witness.h2", "agent.status.datapath",
		"agent.status.topology" };
	static const char *const values[] = { NULL, "null", "7", "\"x\"", "[]", "{}", "[7, {}, [], null]",
		"{\"h2\": 7}" };

	(void)state;
	for (size_t i = 0; i < sizeof(members) / sizeof(members[0]); i++)
		for (size_t k = 0; k < sizeof(values) / sizeof(values[0]); k++) {
			json_t *facts = facts_but(members[i], values[k]);

			json_decref(checks_judge(facts));
			json_decref(facts);
		}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(all_is_well),
		cmocka_unit_test(one_fault_is_one_finding),
		cmocka_unit_test(which_direction_is_blocked),
		cmocka_unit_test(nat_by_what_peers_see),
		cmocka_unit_test(filters_of_bridges),
		cmocka_unit_test(without_a_weftd),
		cmocka_unit_test(facts_of_any_shape),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
