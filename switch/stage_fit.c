/*
 * stage_fit.c - on a network without fragments, what is over the path's size does not go, and its sender is told
 *
 * IPv6 promises 1280 bytes (RFC 8200 section 5), so below that its packets are fragmented on every network.
 */
#include "packet/too_big.h"
#include "switch/network.h"
#include "switch/stage.h"

bool stage_fit_used(const struct network *network, const struct network_port *port)
{
	return !port && network->no_fragments;
}

enum stage_next stage_fit(const struct crossing *crossing, uint16_t vlan, struct egress *egress)
{
	const struct packet *packet = crossing->packet;
	size_t room = egress->room_bytes;

	(void)vlan;
	if (room == 0 || packet->bytes <= room ||
		(packet->info.ip_version == 6 && room < packet->info.l2_bytes + (size_t)TOO_BIG_IPV6_MIN_MTU))
		return STAGE_GO_ON;
	egress->action = VLAN_DENY;
	egress->why = SWITCH_DROP_TOO_BIG;
	egress->too_big_mtu = (uint32_t)(room - packet->info.l2_bytes);
	return STAGE_DONE;
}
