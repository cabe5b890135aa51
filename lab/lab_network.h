/*
 * lab_network.h - a network of a lab: what it can be given, and itself
 *
 * A wire is a network of mode NETWORK_WIRE with two ports.  A new attribute is a row here, a paragraph in cli/weft-lab.5 and a
 * line in controller/API.md; attribute.h says what is made from it.
 */
#ifndef LAB_LAB_NETWORK_H
#define LAB_LAB_NETWORK_H

#include "lab/attribute.h"

/* name, member, type, what is taken, where it stands, column of `weft get`, as a lab file has it, in a few words */
#define NETWORK_ATTRIBUTES(X)                                                                                     \
	X("mode", mode, mode, ANY, IN_LAB | IN_AGENT, "MODE", "switch", "what kind of segment it is")             \
	X("mtu", mtu_bytes, number, BETWEEN(LAB_MTU_MIN, LAB_MTU_MAX, LAB_MTU_DEFAULT), IN_LAB | IN_AGENT, "MTU", \
		"1500", "of the guests' frames")                                                                  \
	X("fragment", fragment, flag, DEFAULT(true), IN_LAB | IN_AGENT, NULL, "false",                            \
		"send what does not fit the path in fragments, or refuse it")                                     \
	X("pass", pass, passes, ANY, IN_LAB | IN_AGENT, NULL, "[lldp]", "control protocols that a switch passes")

struct lab_network {
	char lab[LAB_NAME_BYTES];
	char name[LAB_NAME_BYTES];
	uint32_t id; /* the controller's; 0: none yet */
#define X(name, member, type, ...) VALUE_##type(member);
	NETWORK_ATTRIBUTES(X)
#undef X
};

extern const struct attributes network_attributes;

void lab_network_init(struct lab_network *network);
void lab_network_fini(struct lab_network *network);

/* Make it what every wire is: it passes every frame */
void lab_network_set_wire(struct lab_network *network);

/* All attributes are the same */
bool lab_network_equal(const struct lab_network *a, const struct lab_network *b);

/* Write the attributes that stand in @document into @out */
void lab_network_encode(const struct lab_network *network, unsigned int document, json_t *out);

/* As the API lists it: {"id", "lab", "name", attributes}, new */
json_t *lab_network_item(const struct lab_network *network);

#endif /* LAB_LAB_NETWORK_H */
