/*
 * lab_port.h - a port of a lab: what it can be given, and itself
 *
 * A new attribute is a row here, a paragraph in cli/weft-lab.5 and a line in controller/API.md; attribute.h says what is
 * made from it.
 */
#ifndef LAB_LAB_PORT_H
#define LAB_LAB_PORT_H

#include "lab/attribute.h"

/* name, member, type, what is taken, where it stands, column of `weft get`, as a lab file has it, in a few words */
#define PORT_ATTRIBUTES(X)                                                                                            \
	X("host", host, name, ANY, IN_LAB | IN_END | IN_REMOTE | REQUIRED, "HOST", "aws-1", "the host that it is on") \
	X("network", network, name, ANY, IN_LAB | REQUIRED, "NETWORK", "mgmt",                                        \
		"the network of this lab that it is on")                                                              \
	X("attach", attach, attach, ANY, IN_LAB | IN_END | IN_AGENT | REQUIRED, "ATTACH", "\"bridge:br-lab\"",        \
		"what it is connected to on the host")                                                                \
	X("create", create, flag, DEFAULT(false), IN_LAB | IN_END | IN_AGENT, NULL, "true",                           \
		"make the bridge if it is missing, and remove it afterwards")                                         \
	X("vlan", vlan, vlan, ANY, IN_LAB | IN_AGENT | IN_REMOTE, "VLAN", "{ access: 10 }",                           \
		"which VLANs it carries, and how")                                                                    \
	X("mac", mac, mac, ANY, IN_LAB | IN_AGENT | IN_REMOTE, "MAC", "\"52:54:00:00:00:0b\"",                        \
		"the one MAC address behind it")                                                                      \
	X("ip", ip, addresses, ANY, IN_LAB | IN_AGENT | IN_REMOTE, NULL, "[10.0.0.11, \"fd00::11\"]",                 \
		"its addresses, without prefix lengths")

/* Owns what its attributes own: lab_port_fini() */
struct lab_port {
	char lab[LAB_NAME_BYTES];
	char name[LAB_NAME_BYTES];
	uint32_t id;         /* the controller's; 0: none yet */
	uint32_t network_id; /* of the network of this name in this lab */
	unsigned int end;    /* of a wire: 1 or 2; 0 for a port that has a name of its own */
#define X(name, member, type, ...) VALUE_##type(member);
	PORT_ATTRIBUTES(X)
#undef X
};

extern const struct attributes port_attributes;

void lab_port_init(struct lab_port *port);
void lab_port_fini(struct lab_port *port);

/* All attributes are the same */
bool lab_port_equal(const struct lab_port *a, const struct lab_port *b);

/* As the API lists it: {"id", "lab", "name", "network_id", attributes}, new */
json_t *lab_port_item(const struct lab_port *port);

#endif /* LAB_LAB_PORT_H */
