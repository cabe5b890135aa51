/*
 * lab_file.h - a lab as people write it: YAML in, the controller's JSON out, and the way back to the line
 *
 * Checks which keys there are, which must be there, and what kind of value each takes, by lab/'s tables, and tells of every fault;
 * then reads the values as the controller will.  Whether a host exists or an address is free, the controller knows;
 * its answers come back as paths, which lab_file_line() turns into lines.
 */
#ifndef CLI_LAB_FILE_H
#define CLI_LAB_FILE_H

#include "cli/faults.h"

#include <jansson.h>
#include <stddef.h>

struct lab_file;

/**
 * lab_file_parse() - read and check
 * @bytes:	@len_bytes of YAML, borrowed for the call
 * @faults:	every fault found, with its line
 *
 * Return: the lab, or NULL and at least one fault
 */
struct lab_file *lab_file_parse(const char *bytes, size_t len_bytes, struct faults *faults)
	__attribute__((warn_unused_result));

void lab_file_free(struct lab_file *lab);

/* Borrowed; a valid name */
const char *lab_file_name(const struct lab_file *lab);

/* Borrowed; the body of PUT /v1/labs/NAME */
const json_t *lab_file_json(const struct lab_file *lab);

/* The line that "ports.a-lan.vlan.trunk[2]" stands on, or the nearest part of it that is in the file */
unsigned int lab_file_line(const struct lab_file *lab, const char *path);

#endif /* CLI_LAB_FILE_H */
