/*
 * forward.c - see forward.h
 */
#include "switch/forward.h"

#include <string.h>

const char *switch_result_name(enum switch_result result)
{
	switch (result) {
	case SWITCH_OK:
		return "ok";
#define X(name, text)            \
	case SWITCH_DROP_##name: \
		return text;
		SWITCH_DROPS(X)
#undef X
	case SWITCH_RESULTS:
		break;
	}
	return "?";
}

static void drop(struct verdict *out, enum switch_result why)
{
	out->kind = VERDICT_DROP;
	out->result = why;
}

static void to_port(struct verdict *out, const struct network_port *port)
{
	out->kind = VERDICT_PORT;
	out->port = port;
}

static void to_peer(struct verdict *out, uint32_t peer)
{
	out->kind = VERDICT_PEER;
	out->peer = peer;
}

/* @in is NULL where a peer sent the frame: split horizon then keeps it from the peers */
static void flood(const struct network *network, const struct network_port *in, struct verdict *out)
{
	uint32_t ports = network->ports_count - (in ? 1 : 0);
	uint32_t peers = in ? network->peers_count : 0;

	if (ports + peers == 0) {
		drop(out, SWITCH_DROP_NOWHERE);
		return;
	}
	out->kind = VERDICT_FLOOD;
	out->to_peers = peers > 0;
}

static void wire(const struct network *network, const struct network_port *in, struct verdict *out)
{
	for (uint32_t i = 0; i < network->ports_count; i++) {
		if (&network->ports[i] != in) {
			to_port(out, &network->ports[i]);
			return;
		}
	}
	if (in && network->peers_count > 0)
		to_peer(out, network->peers[0]);
	else
		drop(out, SWITCH_DROP_NOWHERE);
}

/* Return: the class that lets @mac pass, or 0 where it is not a reserved address */
static unsigned int reserved_class(const struct mac *mac)
{
	static const uint8_t prefix[5] = { 0x01, 0x80, 0xc2, 0x00, 0x00 };

	if (memcmp(mac->bytes, prefix, sizeof(prefix)) != 0 || mac->bytes[5] > 0x0f)
		return 0;
	switch (mac->bytes[5]) {
	case 0x00:
		return NETWORK_PASS_STP;
	case 0x01:
		return NETWORK_PASS_PAUSE;
	case 0x02:
		return NETWORK_PASS_LACP;
	case 0x0e:
		return NETWORK_PASS_LLDP;
	default:
		return NETWORK_PASS_OTHER;
	}
}

/* Hubs and wires: every frame passes as it is.  Return: whether @out is decided */
static bool transparent(const struct network *network, const struct network_port *in, const struct forward_frame *frame,
	struct verdict *out)
{
	if (network->mode == NETWORK_SWITCH)
		return false;
	out->vlan = vlan_form_id(frame->form);
	if (network->mode == NETWORK_WIRE)
		wire(network, in, out);
	else
		flood(network, in, out);
	return true;
}

/* What a switch never passes, before it learns.  Return: whether the frame may go on */
static bool acceptable(const struct network *network, const struct vlan_policy *policy,
	const struct forward_frame *frame, struct verdict *out)
{
	unsigned int class;

	if (mac_is_group(&frame->source)) {
		drop(out, SWITCH_DROP_GROUP_SOURCE);
		return false;
	}
	class = reserved_class(&frame->destination);
	if (class && !(network->pass & class)) {
		drop(out, SWITCH_DROP_RESERVED);
		return false;
	}
	if (!vlan_admit(policy, frame->form, &out->vlan)) {
		drop(out, SWITCH_DROP_VLAN_DENIED);
		return false;
	}
	return true;
}

static void learn(const struct network *network, struct fdb *fdb, struct fdb_location location,
	const struct forward_frame *frame, struct instant now, struct verdict *out)
{
	const struct fdb_key source = { .network = network->id, .vlan = out->vlan, .mac = frame->source };

	out->learned = fdb_learn(fdb, &source, location, now);
}

/* A known destination behind a local port */
static void unicast_local(const struct network_port *in, const struct network_port *to,
	const struct forward_frame *frame, struct verdict *out)
{
	if (to == in)
		drop(out, SWITCH_DROP_SELF);
	else if (in && in->isolated && to->isolated)
		drop(out, SWITCH_DROP_ISOLATED);
	else if (forward_egress(to, in, out->vlan, frame->form) == VLAN_DENY)
		drop(out, SWITCH_DROP_VLAN_DENIED);
	else
		to_port(out, to);
}

static void deliver(const struct network *network, struct fdb *fdb, const struct network_port *in,
	const struct forward_frame *frame, struct instant now, struct verdict *out)
{
	const struct fdb_key key = { .network = network->id, .vlan = out->vlan, .mac = frame->destination };
	const struct network_port *to;
	struct fdb_location where;

	if (mac_is_group(&frame->destination)) {
		flood(network, in, out);
		return;
	}
	if (fdb_lookup(fdb, &key, now, &where)) {
		to = where.kind == FDB_LOCAL ? network_port_lookup(network, where.id) : NULL;
		if (to) {
			unicast_local(in, to, frame, out);
			return;
		}
		if (where.kind == FDB_PEER && network_has_peer(network, where.id)) {
			if (in)
				to_peer(out, where.id);
			else
				drop(out, SWITCH_DROP_SPLIT_HORIZON);
			return;
		}
		/* a port or peer that has left the network: as if nothing were known */
	}
	out->unknown = true;
	flood(network, in, out);
}

void forward_from_port(const struct network *network, struct fdb *fdb, const struct network_port *in,
	const struct forward_frame *frame, struct instant now, struct verdict *out)
{
	*out = (struct verdict){ .result = SWITCH_OK };
	if (transparent(network, in, frame, out) || !acceptable(network, &in->vlan, frame, out))
		return;
	learn(network, fdb, (struct fdb_location){ FDB_LOCAL, in->id }, frame, now, out);
	deliver(network, fdb, in, frame, now, out);
}

void forward_from_peer(const struct network *network, struct fdb *fdb, uint32_t peer, const struct forward_frame *frame,
	struct instant now, struct verdict *out)
{
	static const struct vlan_policy any = { .mode = VLAN_TRUNK_ALL };

	*out = (struct verdict){ .result = SWITCH_OK };
	if (!network_has_peer(network, peer)) {
		drop(out, SWITCH_DROP_NOT_MEMBER);
		return;
	}
	if (transparent(network, NULL, frame, out) || !acceptable(network, &any, frame, out))
		return;
	learn(network, fdb, (struct fdb_location){ FDB_PEER, peer }, frame, now, out);
	deliver(network, fdb, NULL, frame, now, out);
}

enum vlan_action forward_egress(const struct network_port *to, const struct network_port *in, uint16_t vlan,
	struct vlan_form form)
{
	if (to == in || (in && in->isolated && to->isolated))
		return VLAN_DENY;
	return vlan_egress(&to->vlan, vlan, form);
}
