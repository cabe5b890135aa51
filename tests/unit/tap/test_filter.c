/*
 * test_filter.c - this machine's rules, made by nft(8) in a namespace of the test's own, as they are read and judged
 */
#include "tap/filter.h"

#include <linux/netfilter.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "tests/unit/netns.h"

static struct filter filter;
static char where[FILTER_WHERE_BYTES];

static int fresh(void **state)
{
	(void)state;
	return netns_run("nft flush ruleset");
}

static int done(void **state)
{
	(void)state;
	filter_fini(&filter);
	return 0;
}

static void rules(const char *text)
{
	FILE *nft = popen("nft -f -", "w");

	assert_non_null(nft);
	fputs(text, nft);
	assert_int_equal(pclose(nft), 0);
	filter_fini(&filter);
	filter_take(&filter);
}

static enum filter_fate judge(uint8_t family)
{
	return filter_rules_judge(&filter.rules, family, "br-lab", where);
}

#define FORWARD(policy, body) \
	"table ip filter { chain FORWARD { type filter hook forward priority 0; policy " policy "; " body " }; }"

static void no_rules_pass(void **state)
{
	(void)state;
	rules("");
	assert_int_equal(judge(NFPROTO_IPV4), FILTER_PASSES);
	assert_int_equal(judge(NFPROTO_IPV6), FILTER_PASSES);
	assert_int_equal(judge(NFPROTO_BRIDGE), FILTER_PASSES);
}

static void a_policy_is_all_there_is(void **state)
{
	(void)state;
	rules(FORWARD("drop", ""));
	assert_int_equal(judge(NFPROTO_IPV4), FILTER_DROPS);
	assert_string_equal(where, "chain FORWARD of table ip filter");
	assert_int_equal(judge(NFPROTO_IPV6), FILTER_PASSES);
	assert_int_equal(judge(NFPROTO_BRIDGE), FILTER_PASSES);
	rules("add chain ip filter FORWARD { policy accept; }");
	assert_int_equal(judge(NFPROTO_IPV4), FILTER_PASSES);
}

/* A chain at another hook is nothing to bridges */
static void other_hooks_do_not_count(void **state)
{
	(void)state;
	rules("table ip filter { chain INPUT { type filter hook input priority 0; policy drop; }; }");
	assert_int_equal(judge(NFPROTO_IPV4), FILTER_PASSES);
}

static void inet_is_both(void **state)
{
	(void)state;
	rules("table inet t { chain c { type filter hook forward priority 0; policy drop; }; }");
	assert_int_equal(judge(NFPROTO_IPV4), FILTER_DROPS);
	assert_int_equal(judge(NFPROTO_IPV6), FILTER_DROPS);
	assert_string_equal(where, "chain c of table inet t");
}

static void an_accept_before_is_no_alarm(void **state)
{
	(void)state;
	rules(FORWARD("drop", "counter accept;"));
	assert_int_equal(judge(NFPROTO_IPV4), FILTER_PASSES);
	rules("flush ruleset; " FORWARD("drop", "iifname \"br-lab\" accept;"));
	assert_int_equal(judge(NFPROTO_IPV4), FILTER_PASSES);
	rules("flush ruleset; " FORWARD("drop", "iifname \"br-*\" oifname \"br-lab\" accept;"));
	assert_int_equal(judge(NFPROTO_IPV4), FILTER_PASSES);
	rules("flush ruleset; " FORWARD("drop", "oifname != \"docker0\" accept;"));
	assert_int_equal(judge(NFPROTO_IPV4), FILTER_PASSES);
}

static void an_accept_of_others_is_none(void **state)
{
	(void)state;
	rules(FORWARD("drop", "iifname \"br-la\" accept; iifname \"docker0\" accept; oifname != \"br-lab\" accept;"));
	assert_int_equal(judge(NFPROTO_IPV4), FILTER_DROPS);
}

static void a_condition_that_is_not_followed(void **state)
{
	(void)state;
	rules(FORWARD("drop", "ip saddr 10.0.0.0/8 accept;"));
	assert_int_equal(judge(NFPROTO_IPV4), FILTER_MAY_DROP);
	rules("flush ruleset; " FORWARD("drop", "ip saddr vmap { 10.0.0.1 : accept };"));
	assert_int_equal(judge(NFPROTO_IPV4), FILTER_MAY_DROP);
	rules("flush ruleset; " FORWARD("accept", "ip saddr 10.0.0.0/8 drop;"));
	assert_int_equal(judge(NFPROTO_IPV4), FILTER_PASSES); /* somebody wants that */
	rules("flush ruleset; " FORWARD("accept", "ip saddr 10.0.0.0/8 accept; counter drop;"));
	assert_int_equal(judge(NFPROTO_IPV4), FILTER_MAY_DROP);
	rules("flush ruleset; " FORWARD("accept", "counter log reject;"));
	assert_int_equal(judge(NFPROTO_IPV4), FILTER_DROPS);
}

/* What Docker leaves behind: everything that it accepts is of its own bridge */
static void docker_is_seen_through(void **state)
{
	static const char docker[] =
		"table ip filter {"
		"chain DOCKER { };"
		"chain STAGE2 { oifname \"docker0\" counter drop; counter return; };"
		"chain STAGE1 { iifname \"docker0\" oifname != \"docker0\" counter jump STAGE2; counter return; };"
		"chain USER { counter return; };"
		"chain FORWARD { type filter hook forward priority 0; policy drop;"
		"counter jump USER; counter jump STAGE1; oifname \"docker0\" ct state related,established counter accept;"
		"oifname \"docker0\" counter jump DOCKER; iifname \"docker0\" oifname != \"docker0\" counter accept; }; }";

	(void)state;
	rules(docker);
	assert_int_equal(judge(NFPROTO_IPV4), FILTER_DROPS);
	assert_int_equal(filter_rules_judge(&filter.rules, NFPROTO_IPV4, "docker0", where), FILTER_MAY_DROP);
	rules("insert rule ip filter USER iifname \"br-lab\" oifname \"br-lab\" accept");
	assert_int_equal(judge(NFPROTO_IPV4), FILTER_PASSES);
}

static void every_chain_has_its_say(void **state)
{
	(void)state;
	rules(FORWARD("accept",
		"accept;") "\ntable ip later { chain c { type filter hook forward priority 10; policy drop; }; }");
	assert_int_equal(judge(NFPROTO_IPV4), FILTER_DROPS);
	assert_string_equal(where, "chain c of table ip later");
}

static void bridges_have_rules_of_their_own(void **state)
{
	(void)state;
	rules("table bridge t { chain c { type filter hook forward priority 0; policy drop; }; }");
	assert_int_equal(judge(NFPROTO_BRIDGE), FILTER_DROPS);
	assert_int_equal(judge(NFPROTO_IPV4), FILTER_PASSES);
	rules("add rule bridge t c iifname \"vm0\" accept"); /* which ports there are is not looked at */
	assert_int_equal(judge(NFPROTO_BRIDGE), FILTER_MAY_DROP);
}

static void changes_are_noticed(void **state)
{
	(void)state;
	rules("");
	assert_false(filter_has_changed(&filter));
	assert_int_equal(netns_run("nft add table ip t"), 0);
	assert_true(filter_has_changed(&filter));
	rules("");
	assert_false(filter_has_changed(&filter));
	if (netns_run("test -e /proc/sys/net/bridge/bridge-nf-call-iptables"))
		return; /* no br_netfilter here */
	assert_int_equal(netns_run("echo 0 >/proc/sys/net/bridge/bridge-nf-call-iptables"), 0);
	filter_fini(&filter);
	filter_take(&filter);
	assert_false(filter.calls_iptables);
	assert_int_equal(netns_run("echo 1 >/proc/sys/net/bridge/bridge-nf-call-iptables"), 0);
	assert_true(filter_has_changed(&filter));
	filter_fini(&filter);
	filter_take(&filter);
	assert_true(filter.calls_iptables);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, fresh, done)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(no_rules_pass),
		TEST(a_policy_is_all_there_is),
		TEST(other_hooks_do_not_count),
		TEST(inet_is_both),
		TEST(an_accept_before_is_no_alarm),
		TEST(an_accept_of_others_is_none),
		TEST(a_condition_that_is_not_followed),
		TEST(docker_is_seen_through),
		TEST(every_chain_has_its_say),
		TEST(bridges_have_rules_of_their_own),
		TEST(changes_are_noticed),
	};

	netns_enter();
	return cmocka_run_group_tests_name("filter", tests, NULL, NULL);
}
