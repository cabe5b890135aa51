/*
 * lab_port.c - see lab_port.h
 */
#include "lab/lab_port.h"

#include <string.h>

static const struct attribute rows[] = {
#define X(name, member, type, range, ...) \
	{ name, &value_type_##type, offsetof(struct lab_port, member), range, __VA_ARGS__ },
	PORT_ATTRIBUTES(X)
#undef X
};

const struct attributes port_attributes = { rows, sizeof(rows) / sizeof(rows[0]) };

void lab_port_init(struct lab_port *port)
{
	memset(port, 0, sizeof(*port));
	attributes_init(&port_attributes, port);
}

void lab_port_fini(struct lab_port *port)
{
	attributes_fini(&port_attributes, port);
}

bool lab_port_equal(const struct lab_port *a, const struct lab_port *b)
{
	return attributes_equal(&port_attributes, a, b);
}

json_t *lab_port_item(const struct lab_port *port)
{
	json_t *out = json_pack("{s:I, s:s, s:s, s:I}", "id", (json_int_t)port->id, "lab", port->lab, "name",
		port->name, "network_id", (json_int_t)port->network_id);

	if (out)
		attributes_encode(&port_attributes, port, IN_LAB, out);
	return out;
}
