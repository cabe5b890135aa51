/*
 * lab_file.c - see lab_file.h
 */
#include "cli/lab_file.h"

#include "base/suggest.h"
#include "cli/yaml_doc.h"
#include "crypto/identity.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

struct lab_file {
	struct yaml_doc *doc;
};

enum value {
	VALUE_TEXT,
	VALUE_NUMBER,
	VALUE_TRUTH,
	VALUE_MAPPING,   /* looked into by its own code */
	VALUE_ADDRESSES, /* text, or a list of text */
	VALUE_TRUNK,     /* "all", or a list of numbers */
	VALUE_WORDS,     /* a list of text */
};

struct rule {
	const char *key;
	enum value value;
	bool required;
	const char *example; /* as it would be written */
};

static const struct rule lab_rules[] = {
	{ "lab", VALUE_TEXT, true, "lab: two-sites" },
	{ "networks", VALUE_MAPPING, false, "networks: { mgmt: { mtu: 1500 } }" },
	{ "ports", VALUE_MAPPING, false,
		"ports: { a-lan: { host: aws-1, network: mgmt, attach: \"bridge:br-lab\" } }" },
	{ "wires", VALUE_MAPPING, false,
		"wires: { w1: [ { host: a, attach: \"tap:e1\" }, { host: b, attach: \"tap:e1\" } ] }" },
};

static const struct rule network_rules[] = {
	{ "mode", VALUE_TEXT, false, "mode: switch" },
	{ "mtu", VALUE_NUMBER, false, "mtu: 1500" },
	{ "fragment", VALUE_TRUTH, false, "fragment: false" },
	{ "pass", VALUE_WORDS, false, "pass: [lldp]" },
};

static const struct rule port_rules[] = {
	{ "host", VALUE_TEXT, true, "host: aws-1" },
	{ "network", VALUE_TEXT, true, "network: mgmt" },
	{ "attach", VALUE_TEXT, true, "attach: \"bridge:br-lab\"" },
	{ "create", VALUE_TRUTH, false, "create: true" },
	{ "mac", VALUE_TEXT, false, "mac: \"52:54:00:00:00:0b\"" },
	{ "ip", VALUE_ADDRESSES, false, "ip: [10.0.0.11, \"fd00::11\"]" },
	{ "vlan", VALUE_MAPPING, false, "vlan: { access: 10 }" },
};

static const struct rule end_rules[] = {
	{ "host", VALUE_TEXT, true, "host: aws-1" },
	{ "attach", VALUE_TEXT, true, "attach: \"tap:e1\"" },
	{ "create", VALUE_TRUTH, false, "create: true" },
};

static const struct rule vlan_rules[] = {
	{ "trunk", VALUE_TRUNK, false, "trunk: all" },
	{ "access", VALUE_NUMBER, false, "access: 10" },
};

#define COUNT(rules) (sizeof(rules) / sizeof((rules)[0]))
#define RULES_MAX COUNT(port_rules)

static const char *kind_of(const struct yaml_node *node)
{
	switch (json_typeof(node->json)) {
	case JSON_OBJECT:
		return "a mapping";
	case JSON_ARRAY:
		return "a list";
	case JSON_INTEGER:
	case JSON_REAL:
		return "a number";
	case JSON_TRUE:
	case JSON_FALSE:
		return "true or false";
	case JSON_STRING:
		return "text";
	case JSON_NULL:
		break;
	}
	return "empty";
}

static void fault_at(struct faults *faults, const struct yaml_node *node, const char *text, const char *example)
{
	char path[YAML_DOC_PATH_BYTES];

	yaml_node_path(node, path);
	faults_add(faults, node->line, "%s%s%s%s%s", path, *path ? ": " : "", text, example ? "; write " : "",
		example ? example : "");
}

static void wrong_kind(struct faults *faults, const struct yaml_node *node, const char *must_be, const char *example)
{
	char text[FAULT_TEXT_BYTES], quoted[FAULT_TEXT_BYTES];

	if (json_is_null(node->json)) {
		fault_at(faults, node, "has no value", example);
		return;
	}
	/* text that YAML took for something else only lacks its quotes */
	if (node->text && !node->quoted && node->key && strcmp(must_be, "text") == 0) {
		snprintf(quoted, sizeof(quoted), "%.60s: \"%.60s\"", node->key, node->text);
		example = quoted;
	}
	snprintf(text, sizeof(text), "is %s, must be %s", kind_of(node), must_be);
	fault_at(faults, node, text, example);
}

static void check_addresses(struct faults *faults, const struct yaml_node *node, const char *example)
{
	if (!json_is_array(node->json) && !json_is_string(node->json))
		wrong_kind(faults, node, "an address or a list of them", example);
	for (const struct yaml_node *at = node->first; json_is_array(node->json) && at; at = at->next)
		if (!json_is_string(at->json))
			wrong_kind(faults, at, "an address", example);
}

static void check_trunk(struct faults *faults, const struct yaml_node *node)
{
	if (!json_is_array(node->json) && !(node->text && strcmp(node->text, "all") == 0))
		wrong_kind(faults, node, "\"all\" or a list of VLAN ids", "trunk: all, or trunk: [10, 20]");
	for (const struct yaml_node *at = node->first; json_is_array(node->json) && at; at = at->next)
		if (!json_is_integer(at->json))
			wrong_kind(faults, at, "a VLAN id", "trunk: [10, 20]");
}

static void check_words(struct faults *faults, const struct yaml_node *node, const char *example)
{
	if (!json_is_array(node->json))
		wrong_kind(faults, node, "a list", example);
	for (const struct yaml_node *at = node->first; json_is_array(node->json) && at; at = at->next)
		if (!json_is_string(at->json))
			wrong_kind(faults, at, "text", example);
}

static void check_value(struct faults *faults, const struct yaml_node *node, const struct rule *rule)
{
	switch (rule->value) {
	case VALUE_TEXT:
		if (!json_is_string(node->json))
			wrong_kind(faults, node, "text", rule->example);
		break;
	case VALUE_NUMBER:
		if (!json_is_integer(node->json))
			wrong_kind(faults, node, "a whole number", rule->example);
		break;
	case VALUE_TRUTH:
		if (!json_is_boolean(node->json))
			wrong_kind(faults, node, "true or false", rule->example);
		break;
	case VALUE_MAPPING:
		break;
	case VALUE_ADDRESSES:
		check_addresses(faults, node, rule->example);
		break;
	case VALUE_TRUNK:
		check_trunk(faults, node);
		break;
	case VALUE_WORDS:
		check_words(faults, node, rule->example);
		break;
	}
}

static void unknown_key(struct faults *faults, const struct yaml_node *node, const struct rule *rules, size_t count)
{
	const char *words[RULES_MAX];
	char text[FAULT_TEXT_BYTES];
	const char *meant;
	size_t used;

	assert(count <= RULES_MAX);
	for (size_t i = 0; i < count; i++)
		words[i] = rules[i].key;
	meant = suggest(node->key, words, count);
	if (meant) {
		snprintf(text, sizeof(text), "unknown key; did you mean \"%s\"?", meant);
	} else {
		used = (size_t)snprintf(text, sizeof(text), "unknown key; known here: ");
		for (size_t i = 0; i < count; i++)
			used += (size_t)snprintf(text + used, sizeof(text) - used, "%s%s", i ? ", " : "", words[i]);
	}
	fault_at(faults, node, text, NULL);
}

/* The keys of one mapping.  Return: false where @map is none, and its members cannot be looked at */
static bool check_keys(struct faults *faults, const struct yaml_node *map, const struct rule *rules, size_t count,
	const char *example)
{
	if (!json_is_object(map->json)) {
		wrong_kind(faults, map, "a mapping", example);
		return false;
	}
	for (const struct yaml_node *at = map->first; at; at = at->next) {
		size_t i = 0;

		while (i < count && strcmp(rules[i].key, at->key) != 0)
			i++;
		if (i < count)
			check_value(faults, at, &rules[i]);
		else
			unknown_key(faults, at, rules, count);
	}
	for (size_t i = 0; i < count; i++) {
		char text[64];

		if (!rules[i].required || yaml_node_member(map, rules[i].key))
			continue;
		snprintf(text, sizeof(text), "\"%s\" is missing", rules[i].key);
		fault_at(faults, map, text, rules[i].example);
	}
	return true;
}

static void check_name(struct faults *faults, const struct yaml_node *node, const char *name)
{
	if (!identity_name_ok(name))
		fault_at(faults, node, "a name has 1 to 63 of a-z, 0-9 and \"-\", and begins and ends with no \"-\"",
			NULL);
}

static void check_port(struct faults *faults, const struct yaml_node *port)
{
	const struct yaml_node *vlan;

	if (!check_keys(faults, port, port_rules, COUNT(port_rules),
		    "{ host: aws-1, network: mgmt, attach: \"bridge:br-lab\" }"))
		return;
	vlan = yaml_node_member(port, "vlan");
	if (!vlan || !check_keys(faults, vlan, vlan_rules, COUNT(vlan_rules), "vlan: { access: 10 }"))
		return;
	if (json_object_size(vlan->json) != 1)
		fault_at(faults, vlan, "takes either \"trunk\" or \"access\"", "vlan: { access: 10 }");
}

static void check_wire(struct faults *faults, const struct yaml_node *wire)
{
	static const char example[] = "[ { host: a, attach: \"tap:e1\" }, { host: b, attach: \"tap:e1\" } ]";

	if (!json_is_array(wire->json)) {
		wrong_kind(faults, wire, "a list of two ends", example);
		return;
	}
	if (json_array_size(wire->json) != 2)
		fault_at(faults, wire, "a wire has exactly two ends", example);
	for (const struct yaml_node *end = wire->first; end; end = end->next)
		(void)check_keys(faults, end, end_rules, COUNT(end_rules), "{ host: a, attach: \"tap:e1\" }");
}

static void check_network(struct faults *faults, const struct yaml_node *network)
{
	/* "mgmt:" alone is a network with every default */
	if (!json_is_null(network->json))
		(void)check_keys(faults, network, network_rules, COUNT(network_rules), "{ mtu: 1500 }");
}

/* "networks", "ports" or "wires": names, each with a value that @check looks at */
static void check_section(struct faults *faults, const struct yaml_node *root, const char *key,
	void (*check)(struct faults *, const struct yaml_node *))
{
	const struct yaml_node *section = yaml_node_member(root, key);

	if (!section || json_is_null(section->json))
		return;
	if (!json_is_object(section->json)) {
		wrong_kind(faults, section, "a mapping from names", NULL);
		return;
	}
	for (const struct yaml_node *at = section->first; at; at = at->next) {
		check_name(faults, at, at->key);
		check(faults, at);
	}
}

static void check_lab(struct faults *faults, const struct yaml_node *root)
{
	static const char *const sections[] = { "networks", "ports", "wires" };
	const struct yaml_node *name;

	if (!check_keys(faults, root, lab_rules, COUNT(lab_rules), lab_rules[0].example))
		return;
	name = yaml_node_member(root, "lab");
	if (name && json_is_string(name->json))
		check_name(faults, name, name->text);
	check_section(faults, root, "networks", check_network);
	check_section(faults, root, "ports", check_port);
	check_section(faults, root, "wires", check_wire);
	/* "wires:" with nothing behind it is the same as no such line */
	for (size_t i = 0; i < COUNT(sections); i++)
		if (json_is_null(json_object_get(root->json, sections[i])))
			json_object_del(root->json, sections[i]);
}

struct lab_file *lab_file_parse(const char *bytes, size_t len_bytes, struct faults *faults)
{
	struct lab_file *lab = calloc(1, sizeof(*lab));

	if (!lab) {
		faults_add(faults, 0, "no memory");
		return NULL;
	}
	lab->doc = yaml_doc_parse(bytes, len_bytes, faults);
	if (lab->doc)
		check_lab(faults, yaml_doc_root(lab->doc));
	if (!faults_any(faults))
		return lab;
	lab_file_free(lab);
	return NULL;
}

void lab_file_free(struct lab_file *lab)
{
	if (!lab)
		return;
	yaml_doc_free(lab->doc);
	free(lab);
}

const char *lab_file_name(const struct lab_file *lab)
{
	return json_string_value(json_object_get(yaml_doc_root(lab->doc)->json, "lab"));
}

const json_t *lab_file_json(const struct lab_file *lab)
{
	return yaml_doc_root(lab->doc)->json;
}

unsigned int lab_file_line(const struct lab_file *lab, const char *path)
{
	return yaml_doc_line(lab->doc, path);
}
