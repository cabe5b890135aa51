/*
 * lab_document.h - the lab document, both ways: what `weft apply` sends and the controller keeps
 *
 * {"lab", "networks": {name: {attributes}}, "ports": {name: {attributes}}, "wires": {name: [{attributes} x 2]}}, where the
 * attributes are those of lab_network.h and lab_port.h.  controller/API.md describes it under PUT /v1/labs/NAME.  What is written
 * has every default filled in, so that two spellings of one lab are json_equal() once they were read and written.
 */
#ifndef LAB_LAB_DOCUMENT_H
#define LAB_LAB_DOCUMENT_H

#include "lab/fault.h"
#include "lab/lab.h"

#include <jansson.h>
#include <stdbool.h>

/**
 * lab_decode() - shape and values; whether it can be applied says lab_check()
 * @name:	under which it is applied; the document may leave it out, but not have another
 * @out:	lab_fini() is due only after success
 *
 * Return: false with @fault set
 */
bool lab_decode(const json_t *in, const char *name, struct lab *out, struct fault *fault)
	__attribute__((warn_unused_result));

/* Return: new, canonical; NULL where memory is short */
json_t *lab_encode(const struct lab *lab);

/* The JSON Schema of the document, and so of a lab file: new */
json_t *lab_schema(void);

#endif /* LAB_LAB_DOCUMENT_H */
