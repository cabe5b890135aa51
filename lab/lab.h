/*
 * lab.h - one lab: the networks, ports and wires that somebody asked for
 *
 * A wire is a network of mode NETWORK_WIRE with the ports NAME-1 and NAME-2, its ends.  lab_document.h reads and writes a lab,
 * lab_check.h says whether it can be applied.
 */
#ifndef LAB_LAB_H
#define LAB_LAB_H

#include "lab/limits.h"
#include "lab/lab_network.h"
#include "lab/lab_port.h"

#include <stdbool.h>
#include <stdint.h>

#define LAB_WIRE_NAME_MAX (LAB_NAME_MAX - 2U) /* for its ends' names */

/* Owns both arrays and what is in them: lab_fini() */
struct lab {
	char name[LAB_NAME_BYTES];
	struct lab_network *networks; /* by name; a wire behind a network of the same name, which lab_check() refuses */
	uint32_t networks_count;
	struct lab_port *ports; /* by name; a wire's end behind a port of the same name */
	uint32_t ports_count;
};

void lab_fini(struct lab *lab);

/* By name; NULL where there is none.  Borrowed */
const struct lab_network *lab_network(const struct lab *lab, const char *name);
const struct lab_port *lab_port(const struct lab *lab, const char *name);

/* Both ask for the same */
bool lab_equal(const struct lab *a, const struct lab *b);

/* Names of the hosts that it mentions, sorted, each once: a new JSON list */
json_t *lab_hosts(const struct lab *lab);

/* The interface's name within a valid `attach`, borrowed from it */
const char *lab_attach_interface(const char *attach);

#endif /* LAB_LAB_H */
