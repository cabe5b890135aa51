/*
 * filter_rules.h - whether netfilter's rules let frames through that pass inside a bridge
 *
 * Theory of operation.  br_netfilter hands IP frames that a bridge forwards to the rules of the host's own FORWARD chains, and
 * what those drop is in no counter of the bridge's or of weft's.  Here the rules are followed for one frame about which nothing is
 * known but the bridge: to rules of the IP families it comes in and leaves by the bridge's name.  A condition is true, false or
 * unknown.  So
 *
 *	PASSES		it comes to an accept, or to the end of a chain whose policy is that.  Drops under conditions are what
 *			somebody wants: no alarm
 *	DROPS		it comes to a drop, and to no accept under a condition before
 *	MAY_DROP	it comes to a drop, and an accept under a condition may have spared it
 *
 * A pure decoder and judge of nf_tables' messages, those of iptables-nft included.  Bounded; what is over a bound is a condition
 * that is unknown.
 */
#ifndef TAP_FILTER_RULES_H
#define TAP_FILTER_RULES_H

#include <linux/netlink.h>
#include <stdbool.h>
#include <stdint.h>

#define FILTER_CHAINS_MAX 512U
#define FILTER_RULES_MAX 8192U
#define FILTER_NAME_BYTES 64U
#define FILTER_WHERE_BYTES (2U * FILTER_NAME_BYTES + 32U)

enum filter_fate {
	FILTER_PASSES,
	FILTER_MAY_DROP,
	FILTER_DROPS,
};

struct filter_chain;
struct filter_rule;

/* All zeros: no rules */
struct filter_rules {
	struct filter_chain *chains;
	struct filter_rule *rules; /* in the order of their chains */
	uint32_t chains_count, rules_count;
};

void filter_rules_fini(struct filter_rules *rules);

/*
 * Take in what the kernel lists: all chains first, then rules.  Return: false without memory, or where there is no room; a message of
 * another kind, or one that makes no sense, is passed over
 */
bool filter_rules_chain(struct filter_rules *rules, const struct nlmsghdr *header);
bool filter_rules_rule(struct filter_rules *rules, const struct nlmsghdr *header);

/* Return: whether any chain looks at what is forwarded: without, rules need not be listed */
bool filter_rules_forward(const struct filter_rules *rules);

/**
 * filter_rules_judge() - what becomes of a frame that @bridge forwards
 * @family:	NFPROTO_IPV4, NFPROTO_IPV6, or NFPROTO_BRIDGE for the rules of bridges themselves
 * @where:	out, but for FILTER_PASSES: "chain FORWARD of table ip filter"
 */
enum filter_fate filter_rules_judge(const struct filter_rules *rules, uint8_t family, const char *bridge,
	char where[FILTER_WHERE_BYTES]);

#endif /* TAP_FILTER_RULES_H */
