/*
 * filter_rules.c - see filter_rules.h
 */
#include "tap/filter_rules.h"

#include <libmnl/libmnl.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nf_tables_compat.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netfilter/xt_physdev.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define DEPTH_MAX 16U /* as the kernel: NFT_JUMP_STACK_SIZE */
#define TESTS_MAX 2U
#define NAME_REGISTER_BYTES 16U /* IFNAMSIZ */
#define NO_CHAIN UINT32_MAX

struct filter_chain {
	uint8_t family;
	bool forwards;         /* a base chain at the hook of that name */
	bool drops;            /* its policy */
	uint32_t first, count; /* its rules */
	char table[FILTER_NAME_BYTES], name[FILTER_NAME_BYTES];
};

/* An interface's name is, or is not, this: the in and the out interface are the same bridge here */
struct name_test {
	bool differs;
	uint8_t bytes;
	char name[NAME_REGISTER_BYTES];
};

enum end { END_NONE, END_ACCEPT, END_DROP, END_RETURN, END_JUMP, END_GOTO, END_UNKNOWN };

struct filter_rule {
	uint32_t target; /* a chain's number; NO_CHAIN: one that is not known */
	uint8_t end;     /* enum end */
	uint8_t tests_count;
	bool unknown; /* it has conditions that are not followed */
	bool never;
	bool pending; /* while it is read: the register holds an interface's name */
	struct name_test tests[TESTS_MAX];
};

void filter_rules_fini(struct filter_rules *rules)
{
	free(rules->chains);
	free(rules->rules);
	*rules = (struct filter_rules){ 0 };
}

/* ---- reading ------------------------------------------------------------------------------------------------- */

/* Attributes of one level by their number.  Numbers are big-endian in nf_tables */
#define ATTRIBUTES 16U

struct attributes {
	const struct nlattr *by[ATTRIBUTES];
};

static int note(const struct nlattr *attr, void *context)
{
	struct attributes *out = context;

	if (mnl_attr_get_type(attr) < ATTRIBUTES)
		out->by[mnl_attr_get_type(attr)] = attr;
	return MNL_CB_OK;
}

static struct attributes inside(const struct nlattr *nest)
{
	struct attributes out = { 0 };

	if (nest)
		(void)mnl_attr_parse_nested(nest, note, &out);
	return out;
}

static uint32_t number(const struct nlattr *attr, uint32_t otherwise)
{
	return attr && mnl_attr_get_payload_len(attr) == sizeof(uint32_t) ? __builtin_bswap32(mnl_attr_get_u32(attr))
									  : otherwise;
}

/* Return: false where there is none, or it is too long to be told from another */
static bool text(const struct nlattr *attr, char out[FILTER_NAME_BYTES])
{
	size_t len = attr ? strnlen(mnl_attr_get_payload(attr), mnl_attr_get_payload_len(attr)) : 0;

	if (len == 0 || len >= FILTER_NAME_BYTES)
		return false;
	memcpy(out, mnl_attr_get_payload(attr), len);
	out[len] = '\0';
	return true;
}

static bool is_text(const struct nlattr *attr, const char *wanted)
{
	char name[FILTER_NAME_BYTES];

	return text(attr, name) && strcmp(name, wanted) == 0;
}

/* Return: the family of a message of this kind, -1 where it is another or cut off; with its attributes */
static int open_message(const struct nlmsghdr *header, uint16_t message, struct attributes *out)
{
	const struct nfgenmsg *generic = mnl_nlmsg_get_payload(header);

	*out = (struct attributes){ 0 };
	if (header->nlmsg_type != (NFNL_SUBSYS_NFTABLES << 8 | message) ||
		header->nlmsg_len < MNL_NLMSG_HDRLEN + sizeof(*generic) || header->nlmsg_len % MNL_ALIGNTO)
		return -1; /* attributes are padded, which libmnl takes for granted */
	(void)mnl_attr_parse(header, sizeof(*generic), note, out);
	return generic->nfgen_family;
}

/* One more of @bytes each.  Return: NULL without memory or room */
static void *grow(void *items, uint32_t count, uint32_t max, size_t bytes)
{
	if (count >= max)
		return NULL;
	return count & (count - 1) ? items : realloc(items, (count ? 2 * (size_t)count : 1) * bytes);
}

bool filter_rules_chain(struct filter_rules *rules, const struct nlmsghdr *header)
{
	struct attributes attributes, hook;
	const int family = open_message(header, NFT_MSG_NEWCHAIN, &attributes);
	struct filter_chain chain = { .family = (uint8_t)family }, *more;

	if (family < 0 || !text(attributes.by[NFTA_CHAIN_TABLE], chain.table) ||
		!text(attributes.by[NFTA_CHAIN_NAME], chain.name))
		return true;
	hook = inside(attributes.by[NFTA_CHAIN_HOOK]);
	chain.forwards =
		number(hook.by[NFTA_HOOK_HOOKNUM], NF_INET_NUMHOOKS) == NF_INET_FORWARD; /* NF_BR_FORWARD too */
	chain.drops = number(attributes.by[NFTA_CHAIN_POLICY], NF_ACCEPT) == NF_DROP;
	more = grow(rules->chains, rules->chains_count, FILTER_CHAINS_MAX, sizeof(chain));
	if (!more)
		return false;
	rules->chains = more;
	rules->chains[rules->chains_count++] = chain;
	return true;
}

static uint32_t chain_named(const struct filter_rules *rules, uint8_t family, const char *table, const char *name)
{
	for (uint32_t i = 0; i < rules->chains_count; i++) {
		const struct filter_chain *chain = &rules->chains[i];

		if (chain->family == family && strcmp(chain->name, name) == 0 && strcmp(chain->table, table) == 0)
			return i;
	}
	return NO_CHAIN;
}

/* ---- reading a rule's expressions ------------------------------------------------------------------------------ */

struct reading {
	const struct filter_rules *rules;
	struct filter_chain *chain;
	struct filter_rule *rule;
};

static void read_meta(struct reading *reading, const struct nlattr *data)
{
	const struct attributes meta = inside(data);
	const uint32_t key = number(meta.by[NFTA_META_KEY], UINT32_MAX);

	if (!meta.by[NFTA_META_DREG])
		return; /* it sets something */
	reading->rule->pending = key == NFT_META_IIFNAME || key == NFT_META_OIFNAME;
}

static void read_cmp(struct reading *reading, const struct nlattr *data)
{
	const struct attributes cmp = inside(data), value = inside(cmp.by[NFTA_CMP_DATA]);
	const struct nlattr *name = value.by[NFTA_DATA_VALUE];
	struct filter_rule *rule = reading->rule;
	const uint32_t op = number(cmp.by[NFTA_CMP_OP], UINT32_MAX);
	struct name_test *test;

	if (!rule->pending || !name || mnl_attr_get_payload_len(name) > NAME_REGISTER_BYTES ||
		(op != NFT_CMP_EQ && op != NFT_CMP_NEQ) || rule->tests_count == TESTS_MAX) {
		rule->unknown = true;
		return;
	}
	test = &rule->tests[rule->tests_count++];
	test->differs = op == NFT_CMP_NEQ;
	test->bytes = (uint8_t)mnl_attr_get_payload_len(name);
	memcpy(test->name, mnl_attr_get_payload(name), test->bytes);
	rule->pending = false;
}

/* What iptables calls physdev knows whether a frame is bridged: it is */
static void read_match(struct reading *reading, const struct nlattr *data)
{
	const struct attributes match = inside(data);
	const struct nlattr *info = match.by[NFTA_MATCH_INFO];
	struct xt_physdev_info physdev;

	if (is_text(match.by[NFTA_MATCH_NAME], "comment"))
		return;
	if (!is_text(match.by[NFTA_MATCH_NAME], "physdev") || !info ||
		mnl_attr_get_payload_len(info) < sizeof(physdev)) {
		reading->rule->unknown = true;
		return;
	}
	memcpy(&physdev, mnl_attr_get_payload(info), sizeof(physdev));
	if (physdev.bitmask != XT_PHYSDEV_OP_BRIDGED)
		reading->rule->unknown = true;
	else if (physdev.invert & XT_PHYSDEV_OP_BRIDGED)
		reading->rule->never = true;
}

static void read_target(struct reading *reading, const struct nlattr *data)
{
	static const char *const harmless[] = { "LOG", "NFLOG", "MARK", "CONNMARK", "TCPMSS", "CT", "DSCP", "TTL", "HL",
		"CLASSIFY", "TRACE", "CHECKSUM" };
	const struct attributes target = inside(data);

	for (size_t i = 0; i < sizeof(harmless) / sizeof(harmless[0]); i++)
		if (is_text(target.by[NFTA_TARGET_NAME], harmless[i]))
			return;
	reading->rule->end = is_text(target.by[NFTA_TARGET_NAME], "REJECT") ? END_DROP : END_UNKNOWN;
}

static void read_immediate(struct reading *reading, const struct nlattr *data)
{
	const struct attributes immediate = inside(data), value = inside(immediate.by[NFTA_IMMEDIATE_DATA]),
				verdict = inside(value.by[NFTA_DATA_VERDICT]);
	struct filter_rule *rule = reading->rule;
	char target[FILTER_NAME_BYTES] = "";

	if (!value.by[NFTA_DATA_VERDICT])
		return; /* a value for a register */
	if (text(verdict.by[NFTA_VERDICT_CHAIN], target))
		rule->target = chain_named(reading->rules, reading->chain->family, reading->chain->table, target);
	switch ((int)number(verdict.by[NFTA_VERDICT_CODE], (uint32_t)NFT_CONTINUE)) {
	case NF_ACCEPT:
		rule->end = END_ACCEPT;
		break;
	case NF_DROP:
		rule->end = END_DROP;
		break;
	case NFT_RETURN:
		rule->end = END_RETURN;
		break;
	case NFT_JUMP:
		rule->end = END_JUMP;
		break;
	case NFT_GOTO:
		rule->end = END_GOTO;
		break;
	case NFT_CONTINUE:
	case NFT_BREAK:
		break;
	default:
		rule->end = END_UNKNOWN; /* a queue's program decides, or a newer kernel */
	}
}

static void read_reject(struct reading *reading, const struct nlattr *data)
{
	(void)data;
	reading->rule->end = END_DROP;
}

static void read_queue(struct reading *reading, const struct nlattr *data)
{
	(void)data;
	reading->rule->end = END_UNKNOWN;
}

/* A map may end the rule, any way */
static void read_lookup(struct reading *reading, const struct nlattr *data)
{
	const struct attributes lookup = inside(data);

	reading->rule->unknown = true;
	if (lookup.by[NFTA_LOOKUP_DREG])
		reading->rule->end = END_UNKNOWN;
}

static void read_nothing(struct reading *reading, const struct nlattr *data)
{
	(void)reading;
	(void)data;
}

static int read_expression(const struct nlattr *attr, void *context)
{
	static const struct {
		const char *name;
		void (*read)(struct reading *reading, const struct nlattr *data);
	} kinds[] = {
		{ "meta", read_meta },
		{ "cmp", read_cmp },
		{ "match", read_match },
		{ "target", read_target },
		{ "immediate", read_immediate },
		{ "reject", read_reject },
		{ "queue", read_queue },
		{ "lookup", read_lookup },
		{ "counter", read_nothing },
		{ "log", read_nothing },
		{ "last", read_nothing },
		{ "notrack", read_nothing },
		{ "flow_offload", read_nothing },
	};
	struct reading *reading = context;
	const struct attributes expression = inside(attr);

	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
		if (!is_text(expression.by[NFTA_EXPR_NAME], kinds[i].name))
			continue;
		kinds[i].read(reading, expression.by[NFTA_EXPR_DATA]);
		return MNL_CB_OK;
	}
	reading->rule->unknown = true;
	return MNL_CB_OK;
}

bool filter_rules_rule(struct filter_rules *rules, const struct nlmsghdr *header)
{
	struct attributes attributes;
	const int family = open_message(header, NFT_MSG_NEWRULE, &attributes);
	char table[FILTER_NAME_BYTES], name[FILTER_NAME_BYTES];
	struct filter_rule rule = { .target = NO_CHAIN }, *more;
	uint32_t chain;
	struct reading reading = { .rules = rules, .rule = &rule };

	if (family < 0 || !text(attributes.by[NFTA_RULE_TABLE], table) || !text(attributes.by[NFTA_RULE_CHAIN], name))
		return true;
	chain = chain_named(rules, (uint8_t)family, table, name);
	if (chain == NO_CHAIN)
		return true;
	reading.chain = &rules->chains[chain];
	if (attributes.by[NFTA_RULE_EXPRESSIONS])
		(void)mnl_attr_parse_nested(attributes.by[NFTA_RULE_EXPRESSIONS], read_expression, &reading);
	more = grow(rules->rules, rules->rules_count, FILTER_RULES_MAX, sizeof(rule));
	if (!more)
		return false;
	rules->rules = more;
	if (reading.chain->count++ == 0) /* the kernel lists a chain's rules in one run */
		reading.chain->first = rules->rules_count;
	rules->rules[rules->rules_count++] = rule;
	return true;
}

/* ---- following them -------------------------------------------------------------------------------------------- */

enum truth { FALSE, UNKNOWN, TRUE };

struct walk {
	const struct filter_rules *rules;
	const char *bridge; /* NULL: interfaces are the bridge's ports, whichever */
	bool may_be_accepted;
	uint32_t steps; /* left: chains that jump to each other many times are no trap */
};

static enum truth test(const struct name_test *test, const char *bridge)
{
	char name[NAME_REGISTER_BYTES] = "";

	memcpy(name, bridge, strnlen(bridge, sizeof(name) - 1));
	return (memcmp(name, test->name, test->bytes) == 0) != test->differs ? TRUE : FALSE;
}

static enum truth holds(const struct walk *walk, const struct filter_rule *rule)
{
	enum truth all = rule->unknown ? UNKNOWN : TRUE;

	if (rule->never)
		return FALSE;
	for (uint32_t i = 0; i < rule->tests_count; i++) {
		const enum truth one = walk->bridge ? test(&rule->tests[i], walk->bridge) : UNKNOWN;

		if (one < all)
			all = one;
	}
	return all;
}

/* Return: END_ACCEPT, END_DROP, or END_NONE where its end was reached */
static enum end follow(struct walk *walk, uint32_t at, unsigned int depth);

/* What the rule, which holds, or may, makes of it; END_RETURN where the chain ends here */
static enum end carry_out(struct walk *walk, const struct filter_rule *rule, unsigned int depth)
{
	enum end end;

	switch ((enum end)rule->end) {
	case END_JUMP:
	case END_GOTO:
		end = follow(walk, rule->target, depth + 1);
		return end == END_NONE && rule->end == END_GOTO ? END_RETURN : end;
	case END_UNKNOWN:
		walk->may_be_accepted = true;
		return END_NONE;
	default:
		return (enum end)rule->end;
	}
}

static enum end follow(struct walk *walk, uint32_t at, unsigned int depth)
{
	const struct filter_rules *rules = walk->rules;
	const struct filter_chain *chain = at == NO_CHAIN ? NULL : &rules->chains[at];

	if (!chain || depth > DEPTH_MAX) {
		walk->may_be_accepted = true;
		return END_NONE;
	}
	for (uint32_t i = chain->first; i < chain->first + chain->count; i++) {
		const struct filter_rule *rule = &rules->rules[i];
		enum truth truth;
		enum end end;

		if (walk->steps == 0 || --walk->steps == 0) {
			walk->may_be_accepted = true;
			return END_NONE;
		}
		truth = holds(walk, rule);
		if (truth == FALSE)
			continue;
		end = carry_out(walk, rule, depth);
		if (truth == TRUE && end != END_NONE)
			return end == END_RETURN ? END_NONE : end;
		if (truth == UNKNOWN && (end == END_ACCEPT || end == END_RETURN))
			walk->may_be_accepted = true;
	}
	return END_NONE;
}

static bool concerns(const struct filter_chain *chain, uint8_t family)
{
	if (!chain->forwards)
		return false;
	return chain->family == family || (chain->family == NFPROTO_INET && family != NFPROTO_BRIDGE);
}

bool filter_rules_forward(const struct filter_rules *rules)
{
	for (uint32_t i = 0; i < rules->chains_count; i++)
		if (rules->chains[i].forwards)
			return true;
	return false;
}

static enum filter_fate judge_chain(const struct filter_rules *rules, uint32_t at, const char *bridge)
{
	struct walk walk = { .rules = rules, .bridge = bridge, .steps = 4 * FILTER_RULES_MAX };
	enum end end = follow(&walk, at, 0);

	if (end == END_ACCEPT || (end == END_NONE && !rules->chains[at].drops))
		return FILTER_PASSES;
	return walk.may_be_accepted ? FILTER_MAY_DROP : FILTER_DROPS;
}

enum filter_fate filter_rules_judge(const struct filter_rules *rules, uint8_t family, const char *bridge,
	char where[FILTER_WHERE_BYTES])
{
	enum filter_fate worst = FILTER_PASSES;

	where[0] = '\0';
	for (uint32_t i = 0; i < rules->chains_count; i++) {
		const struct filter_chain *chain = &rules->chains[i];
		enum filter_fate fate;

		if (!concerns(chain, family))
			continue;
		fate = judge_chain(rules, i, family == NFPROTO_BRIDGE ? NULL : bridge);
		if (fate <= worst)
			continue;
		worst = fate;
		snprintf(where, FILTER_WHERE_BYTES, "chain %s of table %s %s", chain->name,
			chain->family == NFPROTO_INET             ? "inet"
				: chain->family == NFPROTO_IPV6   ? "ip6"
				: chain->family == NFPROTO_BRIDGE ? "bridge"
								  : "ip",
			chain->table);
	}
	return worst;
}
