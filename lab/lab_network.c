/*
 * lab_network.c - see lab_network.h
 */
#include "lab/lab_network.h"

#include <string.h>

static const struct attribute rows[] = {
#define X(name, member, type, range, ...) \
	{ name, &value_type_##type, offsetof(struct lab_network, member), range, __VA_ARGS__ },
	NETWORK_ATTRIBUTES(X)
#undef X
};

const struct attributes network_attributes = { rows, sizeof(rows) / sizeof(rows[0]) };

void lab_network_init(struct lab_network *network)
{
	memset(network, 0, sizeof(*network));
	attributes_init(&network_attributes, network);
}

void lab_network_fini(struct lab_network *network)
{
	attributes_fini(&network_attributes, network);
}

void lab_network_set_wire(struct lab_network *network)
{
	network->mode = NETWORK_WIRE;
	network->mtu_bytes = LAB_MTU_MAX;
}

bool lab_network_equal(const struct lab_network *a, const struct lab_network *b)
{
	return attributes_equal(&network_attributes, a, b);
}

void lab_network_encode(const struct lab_network *network, unsigned int document, json_t *out)
{
	attributes_encode(&network_attributes, network, document, out);
	/* hubs and wires hold nothing back */
	if (network->mode != NETWORK_SWITCH)
		json_object_del(out, "pass");
}

json_t *lab_network_item(const struct lab_network *network)
{
	json_t *out =
		json_pack("{s:I, s:s, s:s}", "id", (json_int_t)network->id, "lab", network->lab, "name", network->name);

	if (out)
		lab_network_encode(network, IN_LAB, out);
	return out;
}
