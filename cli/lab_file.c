/*
 * lab_file.c - see lab_file.h
 */
#include "cli/lab_file.h"

#include "base/suggest.h"
#include "cli/yaml_doc.h"
#include "lab/lab_document.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#define RULES_MAX 64U
#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

struct lab_file {
	struct yaml_doc *doc;
};

/* A key of some mapping */
struct rule {
	const char *key;
	enum value_shape shape;
	bool required;
	const char *example; /* of its value, as it would be written */
};

/* Of one kind of mapping */
struct rules {
	struct rule list[RULES_MAX];
	size_t count;
	const char *example; /* of the mapping */
};

static const struct rules lab_rules = {
	{ { "lab", VALUE_TEXT, true, "two-sites" }, { "networks", VALUE_MAPPING, false, "{ mgmt: { mtu: 1500 } }" },
		{ "ports", VALUE_MAPPING, false,
			"{ a-lan: { host: aws-1, network: mgmt, attach: \"bridge:br-lab\" } }" },
		{ "wires", VALUE_MAPPING, false,
			"{ w1: [ { host: a, attach: \"packet:e1\" }, { host: b, attach: \"packet:e1\" } ] }" } },
	4, "lab: two-sites"
};

static const struct rules vlan_rules = {
	{ { "trunk", VALUE_MAPPING, false, "all" }, { "access", VALUE_NUMBER, false, "10" } }, 2, "vlan: { access: 10 }"
};

/* What the table says of @document */
static struct rules rules_of(const struct attributes *table, unsigned int document, const char *example)
{
	struct rules rules = { .example = example };

	assert(table->count <= RULES_MAX);
	for (size_t i = 0; i < table->count; i++) {
		const struct attribute *row = &table->rows[i];

		if (row->in & document)
			rules.list[rules.count++] =
				(struct rule){ row->name, row->type->shape, row->in & REQUIRED, row->example };
	}
	return rules;
}

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
	char example[FAULT_TEXT_BYTES];

	snprintf(example, sizeof(example), "%s: %s", rule->key, rule->example);
	switch (rule->shape) {
	case VALUE_TEXT:
		if (!json_is_string(node->json))
			wrong_kind(faults, node, "text", example);
		break;
	case VALUE_NUMBER:
		if (!json_is_integer(node->json))
			wrong_kind(faults, node, "a whole number", example);
		break;
	case VALUE_TRUTH:
		if (!json_is_boolean(node->json))
			wrong_kind(faults, node, "true or false", example);
		break;
	case VALUE_MAPPING:
		break;
	case VALUE_ONE_OR_LIST:
		check_addresses(faults, node, example);
		break;
	case VALUE_LIST:
		check_words(faults, node, example);
		break;
	}
}

static void unknown_key(struct faults *faults, const struct yaml_node *node, const struct rules *rules)
{
	const char *words[RULES_MAX];
	char text[FAULT_TEXT_BYTES];
	const char *meant;
	size_t used;

	for (size_t i = 0; i < rules->count; i++)
		words[i] = rules->list[i].key;
	meant = suggest(node->key, words, rules->count);
	if (meant) {
		snprintf(text, sizeof(text), "unknown key; did you mean \"%s\"?", meant);
	} else {
		used = (size_t)snprintf(text, sizeof(text), "unknown key; known here: ");
		for (size_t i = 0; i < rules->count && used < sizeof(text); i++)
			used += (size_t)snprintf(text + used, sizeof(text) - used, "%s%s", i ? ", " : "", words[i]);
	}
	fault_at(faults, node, text, NULL);
}

/* The keys of one mapping.  Return: false where @map is none, and its members cannot be looked at */
static bool check_keys(struct faults *faults, const struct yaml_node *map, const struct rules *rules)
{
	if (!json_is_object(map->json)) {
		wrong_kind(faults, map, "a mapping", rules->example);
		return false;
	}
	for (const struct yaml_node *at = map->first; at; at = at->next) {
		size_t i = 0;

		while (i < rules->count && strcmp(rules->list[i].key, at->key) != 0)
			i++;
		if (i < rules->count)
			check_value(faults, at, &rules->list[i]);
		else
			unknown_key(faults, at, rules);
	}
	for (size_t i = 0; i < rules->count; i++) {
		const struct rule *rule = &rules->list[i];
		char text[FAULT_TEXT_BYTES];

		if (!rule->required || yaml_node_member(map, rule->key))
			continue;
		snprintf(text, sizeof(text), "\"%s\" is missing; write %s: %s", rule->key, rule->key, rule->example);
		fault_at(faults, map, text, NULL);
	}
	return true;
}

static void check_name(struct faults *faults, const struct yaml_node *node, const char *name)
{
	if (!lab_name_ok(name))
		fault_at(faults, node, "a name has 1 to 63 of a-z, 0-9 and \"-\", and begins and ends with no \"-\"",
			NULL);
}

static void check_vlan(struct faults *faults, const struct yaml_node *vlan)
{
	const struct yaml_node *trunk;

	if (!check_keys(faults, vlan, &vlan_rules))
		return;
	trunk = yaml_node_member(vlan, "trunk");
	if (trunk)
		check_trunk(faults, trunk);
	if (json_object_size(vlan->json) != 1)
		fault_at(faults, vlan, "takes either \"trunk\" or \"access\"", vlan_rules.example);
}

static void check_port(struct faults *faults, const struct yaml_node *port)
{
	const struct rules rules =
		rules_of(&port_attributes, IN_LAB, "{ host: aws-1, network: mgmt, attach: \"bridge:br-lab\" }");
	const struct yaml_node *vlan;

	if (!check_keys(faults, port, &rules))
		return;
	vlan = yaml_node_member(port, "vlan");
	if (vlan)
		check_vlan(faults, vlan);
}

static void check_wire(struct faults *faults, const struct yaml_node *wire)
{
	static const char example[] = "[ { host: a, attach: \"packet:e1\" }, { host: b, attach: \"packet:e1\" } ]";
	const struct rules rules = rules_of(&port_attributes, IN_END, "{ host: a, attach: \"packet:e1\" }");

	if (!json_is_array(wire->json)) {
		wrong_kind(faults, wire, "a list of two ends", example);
		return;
	}
	if (json_array_size(wire->json) != 2)
		fault_at(faults, wire, "a wire has exactly two ends", example);
	for (const struct yaml_node *end = wire->first; end; end = end->next)
		(void)check_keys(faults, end, &rules);
}

static void check_network(struct faults *faults, const struct yaml_node *network)
{
	const struct rules rules = rules_of(&network_attributes, IN_LAB, "{ mtu: 1500 }");

	/* "mgmt:" alone is a network with every default */
	if (!json_is_null(network->json))
		(void)check_keys(faults, network, &rules);
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

	if (!check_keys(faults, root, &lab_rules))
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

/* What each key has is of the right kind: is it a possible value too?  Only the first that is not is told */
static void check_values(struct faults *faults, const struct lab_file *file)
{
	struct fault fault = { .status = 0 };
	struct lab lab;

	if (lab_decode(lab_file_json(file), lab_file_name(file), &lab, &fault))
		lab_fini(&lab);
	else
		faults_add(faults, lab_file_line(file, fault.where), "%s: %s%s%s", fault.where, fault.message,
			*fault.hint ? "; " : "", fault.hint);
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
		check_values(faults, lab);
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
