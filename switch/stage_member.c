/*
 * stage_member.c - a peer sends only on networks that its host has a port on
 *
 * What the topology says about a host is what it may send; the AEAD has said that it is that host.
 */
#include "switch/network.h"
#include "switch/stage.h"

bool stage_member_used(const struct network *network, const struct network_port *port)
{
	(void)network;
	return !port;
}

enum stage_next stage_member(const struct crossing *crossing, struct verdict *verdict)
{
	if (network_has_peer(crossing->packet->network, crossing->packet->peer))
		return STAGE_GO_ON;
	verdict->result = SWITCH_DROP_NOT_MEMBER;
	return STAGE_DONE;
}
