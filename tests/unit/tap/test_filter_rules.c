/*
 * test_filter_rules.c - rules as iptables-nft of Debian 12 writes them, and messages that make no sense
 *
 * What nft(8) writes is read from a real kernel by test_filter.c; this kernel lacks the matches of iptables.
 */
#include "tap/filter_rules.h"

#include <arpa/inet.h>
#include <libmnl/libmnl.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nf_tables_compat.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netfilter/xt_physdev.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static _Alignas(struct nlmsghdr) char buffer[4096];
static struct filter_rules rules;
static char where[FILTER_WHERE_BYTES];

static int done(void **state)
{
	(void)state;
	filter_rules_fini(&rules);
	return 0;
}

static struct nlmsghdr *begin(uint16_t message)
{
	struct nlmsghdr *header = mnl_nlmsg_put_header(buffer);
	struct nfgenmsg *generic;

	header->nlmsg_type = (uint16_t)(NFNL_SUBSYS_NFTABLES << 8 | message);
	generic = mnl_nlmsg_put_extra_header(header, sizeof(*generic));
	*generic = (struct nfgenmsg){ .nfgen_family = NFPROTO_IPV4 };
	return header;
}

static struct nlmsghdr *chain(const char *name, int hook, uint32_t policy)
{
	struct nlmsghdr *header = begin(NFT_MSG_NEWCHAIN);
	struct nlattr *nest;

	mnl_attr_put_strz(header, NFTA_CHAIN_TABLE, "filter");
	mnl_attr_put_strz(header, NFTA_CHAIN_NAME, name);
	if (hook < 0)
		return header;
	nest = mnl_attr_nest_start(header, NFTA_CHAIN_HOOK);
	mnl_attr_put_u32(header, NFTA_HOOK_HOOKNUM, htonl((uint32_t)hook));
	mnl_attr_put_u32(header, NFTA_HOOK_PRIORITY, 0);
	mnl_attr_nest_end(header, nest);
	mnl_attr_put_u32(header, NFTA_CHAIN_POLICY, htonl(policy));
	return header;
}

static struct nlattr *open_expression(struct nlmsghdr *header, const char *name, struct nlattr **element)
{
	*element = mnl_attr_nest_start(header, NFTA_LIST_ELEM);
	mnl_attr_put_strz(header, NFTA_EXPR_NAME, name);
	return mnl_attr_nest_start(header, NFTA_EXPR_DATA);
}

static void close_expression(struct nlmsghdr *header, struct nlattr *data, struct nlattr *element)
{
	mnl_attr_nest_end(header, data);
	mnl_attr_nest_end(header, element);
}

static void put_match(struct nlmsghdr *header, const char *name, const void *info, size_t bytes)
{
	struct nlattr *element, *data = open_expression(header, "match", &element);

	mnl_attr_put_strz(header, NFTA_MATCH_NAME, name);
	mnl_attr_put_u32(header, NFTA_MATCH_REV, 0);
	mnl_attr_put(header, NFTA_MATCH_INFO, bytes, info);
	close_expression(header, data, element);
}

static void put_target(struct nlmsghdr *header, const char *name)
{
	struct nlattr *element, *data = open_expression(header, "target", &element);

	mnl_attr_put_strz(header, NFTA_TARGET_NAME, name);
	close_expression(header, data, element);
}

static void put_verdict(struct nlmsghdr *header, int code, const char *target)
{
	struct nlattr *element, *data = open_expression(header, "immediate", &element), *value, *verdict;

	mnl_attr_put_u32(header, NFTA_IMMEDIATE_DREG, htonl(NFT_REG_VERDICT));
	value = mnl_attr_nest_start(header, NFTA_IMMEDIATE_DATA);
	verdict = mnl_attr_nest_start(header, NFTA_DATA_VERDICT);
	mnl_attr_put_u32(header, NFTA_VERDICT_CODE, htonl((uint32_t)code));
	if (target)
		mnl_attr_put_strz(header, NFTA_VERDICT_CHAIN, target);
	mnl_attr_nest_end(header, verdict);
	mnl_attr_nest_end(header, value);
	close_expression(header, data, element);
}

static struct nlattr *open_rule(struct nlmsghdr **header, const char *name)
{
	*header = begin(NFT_MSG_NEWRULE);
	mnl_attr_put_strz(*header, NFTA_RULE_TABLE, "filter");
	mnl_attr_put_strz(*header, NFTA_RULE_CHAIN, name);
	return mnl_attr_nest_start(*header, NFTA_RULE_EXPRESSIONS);
}

/* -m physdev --physdev-is-bridged -j ACCEPT, with what else its match asks */
static struct nlmsghdr *physdev_rule(uint8_t bits, uint8_t invert)
{
	const struct xt_physdev_info info = { .bitmask = bits, .invert = invert };
	struct nlmsghdr *header;
	struct nlattr *list = open_rule(&header, "FORWARD");

	put_match(header, "physdev", &info, sizeof(info));
	put_match(header, "comment", "for weft", 9);
	put_verdict(header, NF_ACCEPT, NULL);
	mnl_attr_nest_end(header, list);
	return header;
}

static struct nlmsghdr *plain_rule(const char *in, int code, const char *target)
{
	struct nlmsghdr *header;
	struct nlattr *list = open_rule(&header, in);

	put_verdict(header, code, target);
	mnl_attr_nest_end(header, list);
	return header;
}

static struct nlmsghdr *target_rule(const char *name)
{
	struct nlmsghdr *header;
	struct nlattr *list = open_rule(&header, "FORWARD");

	put_target(header, name);
	mnl_attr_nest_end(header, list);
	return header;
}

static void begin_forward(uint32_t policy)
{
	filter_rules_fini(&rules);
	assert_true(filter_rules_chain(&rules, chain("FORWARD", NF_INET_FORWARD, policy)));
	assert_true(filter_rules_chain(&rules, chain("OTHER", -1, 0)));
}

static enum filter_fate judge(void)
{
	return filter_rules_judge(&rules, NFPROTO_IPV4, "br0", where);
}

static void bridged_frames_are_accepted(void **state)
{
	(void)state;
	begin_forward(NF_DROP);
	assert_int_equal(judge(), FILTER_DROPS);
	assert_true(filter_rules_rule(&rules, physdev_rule(XT_PHYSDEV_OP_BRIDGED, 0)));
	assert_int_equal(judge(), FILTER_PASSES);
	begin_forward(NF_DROP);
	assert_true(filter_rules_rule(&rules, physdev_rule(XT_PHYSDEV_OP_BRIDGED, XT_PHYSDEV_OP_BRIDGED)));
	assert_int_equal(judge(), FILTER_DROPS);
	begin_forward(NF_DROP);
	assert_true(filter_rules_rule(&rules, physdev_rule(XT_PHYSDEV_OP_BRIDGED | XT_PHYSDEV_OP_IN, 0)));
	assert_int_equal(judge(), FILTER_MAY_DROP);
}

static void targets_of_iptables(void **state)
{
	(void)state;
	begin_forward(NF_ACCEPT);
	assert_true(filter_rules_rule(&rules, target_rule("LOG")));
	assert_int_equal(judge(), FILTER_PASSES);
	assert_true(filter_rules_rule(&rules, target_rule("REJECT")));
	assert_int_equal(judge(), FILTER_DROPS);
	begin_forward(NF_DROP);
	assert_true(filter_rules_rule(&rules, target_rule("NFQUEUE")));
	assert_int_equal(judge(), FILTER_MAY_DROP);
}

static void chains_that_jump(void **state)
{
	(void)state;
	begin_forward(NF_DROP);
	assert_true(filter_rules_rule(&rules, plain_rule("FORWARD", NFT_JUMP, "OTHER")));
	assert_int_equal(judge(), FILTER_DROPS);
	assert_true(filter_rules_rule(&rules, plain_rule("OTHER", NF_ACCEPT, NULL)));
	assert_int_equal(judge(), FILTER_PASSES);
	begin_forward(NF_ACCEPT);
	assert_true(filter_rules_rule(&rules, plain_rule("FORWARD", NFT_GOTO, "OTHER")));
	assert_int_equal(judge(), FILTER_PASSES); /* the policy */
	begin_forward(NF_DROP);
	assert_true(filter_rules_rule(&rules, plain_rule("FORWARD", NFT_JUMP, "NOWHERE")));
	assert_int_equal(judge(), FILTER_MAY_DROP);
}

/* No kernel has them; they end all the same */
static void chains_that_go_round(void **state)
{
	(void)state;
	begin_forward(NF_DROP);
	for (int i = 0; i < 40; i++)
		assert_true(filter_rules_rule(&rules, plain_rule("FORWARD", NFT_JUMP, "OTHER")));
	for (int i = 0; i < 40; i++)
		assert_true(filter_rules_rule(&rules, plain_rule("OTHER", NFT_JUMP, "OTHER")));
	assert_int_equal(judge(), FILTER_MAY_DROP);
}

static void there_is_an_end_to_what_is_kept(void **state)
{
	uint32_t kept = 0;

	(void)state;
	begin_forward(NF_DROP);
	while (filter_rules_rule(&rules, plain_rule("FORWARD", NFT_CONTINUE, NULL)))
		assert_true(++kept <= FILTER_RULES_MAX);
	assert_int_equal(kept, FILTER_RULES_MAX);
	assert_int_equal(judge(), FILTER_DROPS);
}

static void every_length(void **state)
{
	(void)state;
	begin_forward(NF_DROP);
	for (int which = 0; which < 2; which++) {
		const uint32_t whole =
			(which ? physdev_rule(XT_PHYSDEV_OP_BRIDGED, 0) : chain("FORWARD", NF_INET_FORWARD, NF_DROP))
				->nlmsg_len;

		for (uint32_t bytes = sizeof(struct nlmsghdr); bytes <= whole; bytes++) {
			struct nlmsghdr *copy = malloc(bytes);

			memcpy(copy, buffer, bytes);
			copy->nlmsg_len = bytes;
			assert_true(which ? filter_rules_rule(&rules, copy) : filter_rules_chain(&rules, copy));
			free(copy);
		}
	}
	(void)judge();
}

#define TEST(name) cmocka_unit_test_teardown(name, done)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(bridged_frames_are_accepted),
		TEST(targets_of_iptables),
		TEST(chains_that_jump),
		TEST(chains_that_go_round),
		TEST(there_is_an_end_to_what_is_kept),
		TEST(every_length),
	};

	return cmocka_run_group_tests_name("filter_rules", tests, NULL, NULL);
}
