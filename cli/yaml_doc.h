/*
 * yaml_doc.h - one YAML document as a tree that knows its lines, and as JSON
 *
 * Scalars are read by YAML 1.2's core rules: true and false, whole numbers, null; `yes`, `on` and 12:34:56 are text.
 * What a lab file has no use for is refused with its line: anchors and aliases (and with them alias bombs), tags,
 * several documents, control characters.  Knows nothing of labs: lab_file.h does.
 */
#ifndef CLI_YAML_DOC_H
#define CLI_YAML_DOC_H

#include "cli/faults.h"

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

#define YAML_DOC_BYTES_MAX (1U << 20)
#define YAML_DOC_DEPTH_MAX 16U
#define YAML_DOC_NODES_MAX 200000U
#define YAML_DOC_KEY_BYTES_MAX 128U
#define YAML_DOC_PATH_BYTES 256U

struct yaml_node {
	char *key;         /* of this member in its mapping; NULL in a list and at the root */
	size_t index;      /* in its list or mapping */
	unsigned int line; /* from 1: where the key stands, or the value where there is no key */
	bool quoted;       /* text in quotes */
	char *text;        /* of a scalar, as written; NULL otherwise */
	json_t *json;      /* the value; the root's reference holds all others */
	struct yaml_node *parent, *first, *last, *next;
};

struct yaml_doc;

/**
 * yaml_doc_parse() - read one document
 * @bytes:	@len_bytes of them, borrowed for the call
 * @faults:	told what is wrong; the first thing only, since what follows it cannot be trusted
 *
 * Return: the document, or NULL and at least one fault
 */
struct yaml_doc *yaml_doc_parse(const char *bytes, size_t len_bytes, struct faults *faults)
	__attribute__((warn_unused_result));

void yaml_doc_free(struct yaml_doc *doc);

/* Borrowed */
const struct yaml_node *yaml_doc_root(const struct yaml_doc *doc);

/**
 * yaml_doc_line() - where a path stands
 * @path:	"ports.a-lan.mac", "wires.w1[0].host" or "wires.w1.0.host"; "" is the root
 *
 * Return: its line, or that of the nearest part of @path which is there
 */
unsigned int yaml_doc_line(const struct yaml_doc *doc, const char *path);

/* "ports.a-lan.mac", "wires.w1[0].host"; "" for the root */
void yaml_node_path(const struct yaml_node *node, char out[YAML_DOC_PATH_BYTES]);

/* A mapping's member by its key, or NULL */
const struct yaml_node *yaml_node_member(const struct yaml_node *map, const char *key);

#endif /* CLI_YAML_DOC_H */
