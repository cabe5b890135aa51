/*
 * yaml_doc.c - see yaml_doc.h
 *
 * Built on libyaml's events, not on its document API, which has already resolved aliases and lost the order in which
 * things went wrong.
 */
#include "cli/yaml_doc.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <yaml.h>

struct yaml_doc {
	struct yaml_node **nodes; /* every node, the root first */
	size_t count;
	size_t cap;
};

struct builder {
	struct yaml_doc *doc;
	struct faults *faults;
	struct yaml_node *open; /* the list or mapping that takes the next node */
	unsigned int depth;
	unsigned int documents;
	char *key; /* read, and waiting for its value */
	unsigned int key_line;
};

void yaml_doc_free(struct yaml_doc *doc)
{
	if (!doc)
		return;
	if (doc->count)
		json_decref(doc->nodes[0]->json);
	for (size_t i = 0; i < doc->count; i++) {
		free(doc->nodes[i]->key);
		free(doc->nodes[i]->text);
		free(doc->nodes[i]);
	}
	free(doc->nodes);
	free(doc);
}

const struct yaml_node *yaml_doc_root(const struct yaml_doc *doc)
{
	return doc->nodes[0];
}

const struct yaml_node *yaml_node_member(const struct yaml_node *map, const char *key)
{
	for (const struct yaml_node *at = map->first; at; at = at->next)
		if (at->key && strcmp(at->key, key) == 0)
			return at;
	return NULL;
}

void yaml_node_path(const struct yaml_node *node, char out[YAML_DOC_PATH_BYTES])
{
	const struct yaml_node *way[YAML_DOC_DEPTH_MAX + 1];
	size_t used = 0, steps = 0;

	for (; node->parent && steps < YAML_DOC_DEPTH_MAX + 1; node = node->parent)
		way[steps++] = node;
	out[0] = '\0';
	while (steps-- > 0 && used < YAML_DOC_PATH_BYTES - 1) {
		int more;

		if (way[steps]->key)
			more = snprintf(out + used, YAML_DOC_PATH_BYTES - used, "%s%s", used ? "." : "",
				way[steps]->key);
		else
			more = snprintf(out + used, YAML_DOC_PATH_BYTES - used, "[%zu]", way[steps]->index);
		if (more < 0)
			return;
		used += (size_t)more;
	}
}

/* Length of the part of @path that names @node, 0 where it names another */
static size_t step_bytes(const struct yaml_node *node, const char *path)
{
	char number[32];
	size_t len;

	if (node->key) {
		len = strlen(node->key);
		if (strncmp(path, node->key, len) == 0 && (path[len] == '\0' || path[len] == '.' || path[len] == '['))
			return len;
		return 0;
	}
	len = (size_t)snprintf(number, sizeof(number), "%zu", node->index);
	if (strncmp(path, number, len) == 0 && (path[len] == '\0' || path[len] == '.' || path[len] == ']'))
		return len + (path[len] == ']');
	return 0;
}

unsigned int yaml_doc_line(const struct yaml_doc *doc, const char *path)
{
	const struct yaml_node *node = yaml_doc_root(doc);

	while (*path) {
		const struct yaml_node *child = node->first;
		size_t step = 0;

		path += *path == '.' || *path == '[';
		for (; child; child = child->next) {
			step = step_bytes(child, path);
			if (step)
				break;
		}
		if (!child)
			break;
		node = child;
		path += step;
	}
	return node->line;
}

/* What a scalar without quotes means.  Return: NULL where it is a number that no computer holds */
static json_t *plain_value(const char *text)
{
	size_t sign = *text == '-' || *text == '+';
	size_t digits = strspn(text + sign, "0123456789");
	char *end;

	if (!*text || strcmp(text, "~") == 0 || strcmp(text, "null") == 0 || strcmp(text, "Null") == 0)
		return json_null();
	if (strcmp(text, "true") == 0 || strcmp(text, "True") == 0)
		return json_true();
	if (strcmp(text, "false") == 0 || strcmp(text, "False") == 0)
		return json_false();
	if (digits && text[sign + digits] == '\0') {
		long long value;

		errno = 0;
		value = strtoll(text, &end, 10);
		return errno ? NULL : json_integer(value);
	}
	if ((digits || text[sign] == '.') && strspn(text + sign, "0123456789.eE+-") == strlen(text + sign)) {
		double value = strtod(text, &end);

		if (*end == '\0' && end != text)
			return isfinite(value) ? json_real(value) : NULL;
	}
	return json_string(text);
}

static bool has_control(const char *text, size_t len_bytes)
{
	for (size_t i = 0; i < len_bytes; i++)
		if ((unsigned char)text[i] < 0x20 && text[i] != '\n')
			return true;
	return memchr(text, 0x7f, len_bytes) != NULL;
}

/* Room for one more node.  Return: NULL and a fault where there is none */
static struct yaml_node *node_new(struct builder *b, unsigned int line)
{
	struct yaml_doc *doc = b->doc;
	struct yaml_node *node;

	if (doc->count == YAML_DOC_NODES_MAX) {
		faults_add(b->faults, line, "over %u values; split the lab into several", YAML_DOC_NODES_MAX);
		return NULL;
	}
	if (doc->count == doc->cap) {
		size_t cap = doc->cap ? doc->cap * 2 : 64;
		struct yaml_node **nodes = reallocarray(doc->nodes, cap, sizeof(struct yaml_node *));

		if (!nodes)
			goto no_memory;
		doc->nodes = nodes;
		doc->cap = cap;
	}
	node = calloc(1, sizeof(*node));
	if (!node)
		goto no_memory;
	doc->nodes[doc->count++] = node;
	return node;
no_memory:
	faults_add(b->faults, line, "no memory");
	return NULL;
}

/* Hang @json (consumed) and its node where the next value goes */
static struct yaml_node *attach(struct builder *b, json_t *json, unsigned int line)
{
	struct yaml_node *node = node_new(b, line);
	struct yaml_node *parent = b->open;
	int failed = !json;

	if (!node) {
		json_decref(json);
		return NULL;
	}
	node->line = b->key ? b->key_line : line;
	node->key = b->key;
	node->parent = parent;
	node->json = json;
	b->key = NULL;
	if (!failed && parent && json_is_array(parent->json))
		failed = json_array_append_new(parent->json, json);
	else if (!failed && parent)
		failed = json_object_set_new_nocheck(parent->json, node->key, json);
	if (failed) {
		node->json = NULL;
		faults_add(b->faults, line, "no memory");
		return NULL;
	}
	if (!parent)
		return node;
	node->index = parent->last ? parent->last->index + 1 : 0;
	if (parent->last)
		parent->last->next = node;
	else
		parent->first = node;
	parent->last = node;
	return node;
}

static bool awaits_key(const struct builder *b)
{
	return b->open && json_is_object(b->open->json) && !b->key;
}

static bool take_key(struct builder *b, const char *text, size_t len_bytes, unsigned int line)
{
	char path[YAML_DOC_PATH_BYTES];

	if (len_bytes == 0 || len_bytes > YAML_DOC_KEY_BYTES_MAX || has_control(text, len_bytes) ||
		strlen(text) != len_bytes) {
		faults_add(b->faults, line, "a key must be 1 to %u printable characters", YAML_DOC_KEY_BYTES_MAX);
		return false;
	}
	if (strcmp(text, "<<") == 0) {
		faults_add(b->faults, line, "\"<<\" merges are not read here; write the keys out");
		return false;
	}
	if (json_object_get(b->open->json, text)) {
		yaml_node_path(b->open, path);
		faults_add(b->faults, line, "%s%s%s: is already on line %u; keep one of the two", path,
			*path ? "." : "", text, yaml_node_member(b->open, text)->line);
		return false;
	}
	b->key = strdup(text);
	b->key_line = line;
	if (!b->key)
		faults_add(b->faults, line, "no memory");
	return b->key != NULL;
}

static bool take_scalar(struct builder *b, const yaml_event_t *event, unsigned int line)
{
	const char *text = (const char *)event->data.scalar.value;
	size_t len_bytes = event->data.scalar.length;
	bool quoted = event->data.scalar.style != YAML_PLAIN_SCALAR_STYLE;
	struct yaml_node *node;
	json_t *json;

	if (awaits_key(b))
		return take_key(b, text, len_bytes, line);
	if (has_control(text, len_bytes)) {
		faults_add(b->faults, line, "a value holds a control character; remove it");
		return false;
	}
	json = quoted ? json_stringn(text, len_bytes) : plain_value(text);
	if (!json && !quoted) {
		faults_add(b->faults, line, "%.40s: the number is too large", text);
		return false;
	}
	node = attach(b, json, line);
	if (!node)
		return false;
	node->quoted = quoted;
	node->text = strdup(text);
	if (!node->text)
		faults_add(b->faults, line, "no memory");
	return node->text != NULL;
}

static bool take_container(struct builder *b, json_t *json, unsigned int line)
{
	struct yaml_node *node;

	if (awaits_key(b) || b->depth == YAML_DOC_DEPTH_MAX) {
		faults_add(b->faults, line, "%s",
			awaits_key(b) ? "a key must be a word, not a list or a mapping"
				      : "nested too deep for a lab file");
		json_decref(json);
		return false;
	}
	node = attach(b, json, line);
	if (!node)
		return false;
	b->open = node;
	b->depth++;
	return true;
}

static bool refuse_extras(struct builder *b, const yaml_char_t *anchor, const yaml_char_t *tag, unsigned int line)
{
	if (anchor)
		faults_add(b->faults, line, "anchors (&%.40s) and aliases are not read here; write the value out",
			(const char *)anchor);
	else if (tag)
		faults_add(b->faults, line, "tags (%.40s) are not read here; put text in quotes instead",
			(const char *)tag);
	return anchor || tag;
}

/* Return: false where parsing must stop: a fault was added */
static bool take_event(struct builder *b, const yaml_event_t *event)
{
	unsigned int line = (unsigned int)event->start_mark.line + 1;

	switch (event->type) {
	case YAML_DOCUMENT_START_EVENT:
		if (b->documents++ == 0)
			return true;
		faults_add(b->faults, line, "a second document begins here; one file holds one lab");
		return false;
	case YAML_ALIAS_EVENT:
		faults_add(b->faults, line, "aliases (*%.40s) are not read here; write the value out",
			(const char *)event->data.alias.anchor);
		return false;
	case YAML_SCALAR_EVENT:
		return !refuse_extras(b, event->data.scalar.anchor, event->data.scalar.tag, line) &&
			take_scalar(b, event, line);
	case YAML_SEQUENCE_START_EVENT:
		return !refuse_extras(b, event->data.sequence_start.anchor, event->data.sequence_start.tag, line) &&
			take_container(b, json_array(), line);
	case YAML_MAPPING_START_EVENT:
		return !refuse_extras(b, event->data.mapping_start.anchor, event->data.mapping_start.tag, line) &&
			take_container(b, json_object(), line);
	case YAML_SEQUENCE_END_EVENT:
	case YAML_MAPPING_END_EVENT:
		b->open = b->open->parent;
		b->depth--;
		return true;
	case YAML_NO_EVENT:
	case YAML_STREAM_START_EVENT:
	case YAML_STREAM_END_EVENT:
	case YAML_DOCUMENT_END_EVENT:
		break;
	}
	return true;
}

/* Whether line @line (from 1) is indented with a tab */
static bool indented_by_tab(const char *bytes, size_t len_bytes, unsigned int line)
{
	const char *end = bytes + len_bytes;

	for (; line > 1; line--) {
		bytes = memchr(bytes, '\n', (size_t)(end - bytes));
		if (!bytes)
			return false;
		bytes++;
	}
	while (bytes < end && *bytes == ' ')
		bytes++;
	return bytes < end && *bytes == '\t';
}

/* libyaml's most frequent complaints, and what usually helps */
static const char *syntax_hint(const char *problem)
{
	static const struct {
		const char *problem, *hint;
	} hints[] = {
		{ "mapping values are not allowed", "put text that holds \": \" in quotes, and check the indentation" },
		{ "could not find expected ':'", "write \"key: value\", with a space after the colon" },
		{ "did not find expected key", "check the indentation: keys of one mapping begin in the same column" },
		{ "did not find expected ',' or '}'", "close the { with a }, and put commas between its members" },
		{ "did not find expected ',' or ']'", "close the [ with a ], and put commas between its members" },
		{ "did not find expected '-' indicator", "begin every member of the list with \"- \", in one column" },
		{ "cannot start any token", "put the text in quotes" },
		{ "unexpected end of stream", "close the quote" },
	};

	for (size_t i = 0; i < sizeof(hints) / sizeof(hints[0]); i++)
		if (strstr(problem, hints[i].problem))
			return hints[i].hint;
	return NULL;
}

static void syntax_fault(struct faults *faults, const yaml_parser_t *parser, const char *bytes, size_t len_bytes)
{
	unsigned int line = (unsigned int)parser->problem_mark.line + 1;
	unsigned int context_line = (unsigned int)parser->context_mark.line + 1;
	const char *problem = parser->problem ? parser->problem : "no memory";
	const char *hint = syntax_hint(problem);

	if (parser->error == YAML_READER_ERROR) {
		line = 1;
		for (size_t i = 0; i < parser->problem_offset && i < len_bytes; i++)
			line += bytes[i] == '\n';
		faults_add(faults, line, "not valid UTF-8 text (%s); save the file as UTF-8", problem);
	} else if (indented_by_tab(bytes, len_bytes, line)) {
		faults_add(faults, line, "a tab; YAML is indented with spaces only");
	} else if (parser->context && context_line < line) {
		faults_add(faults, line, "%s, %s that begins on line %u%s%s", problem, parser->context, context_line,
			hint ? "; " : "", hint ? hint : "");
	} else {
		faults_add(faults, line, "%s%s%s", problem, hint ? "; " : "", hint ? hint : "");
	}
}

static bool parse_all(struct builder *b, const char *bytes, size_t len_bytes)
{
	yaml_parser_t parser;
	bool going = true;

	if (!yaml_parser_initialize(&parser)) {
		faults_add(b->faults, 0, "no memory");
		return false;
	}
	yaml_parser_set_input_string(&parser, (const unsigned char *)bytes, len_bytes);
	while (going) {
		yaml_event_t event;

		if (!yaml_parser_parse(&parser, &event)) {
			syntax_fault(b->faults, &parser, bytes, len_bytes);
			going = false;
			break;
		}
		going = take_event(b, &event);
		if (event.type == YAML_STREAM_END_EVENT) {
			yaml_event_delete(&event);
			break;
		}
		yaml_event_delete(&event);
	}
	yaml_parser_delete(&parser);
	return going;
}

struct yaml_doc *yaml_doc_parse(const char *bytes, size_t len_bytes, struct faults *faults)
{
	struct builder b = { .doc = NULL, .faults = faults };

	if (len_bytes > YAML_DOC_BYTES_MAX) {
		faults_add(faults, 0, "larger than %u KiB; split the lab into several", YAML_DOC_BYTES_MAX / 1024);
		return NULL;
	}
	b.doc = calloc(1, sizeof(*b.doc));
	if (!b.doc) {
		faults_add(faults, 0, "no memory");
		return NULL;
	}
	if (parse_all(&b, bytes, len_bytes) && b.doc->count == 0)
		faults_add(faults, 0, "is empty; a lab file begins with \"lab: NAME\"");
	free(b.key);
	if (!faults_any(faults))
		return b.doc;
	yaml_doc_free(b.doc);
	return NULL;
}
