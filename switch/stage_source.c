/*
 * stage_source.c - nobody sends from a group address (IEEE 802.3 section 3.2.3)
 */
#include "packet/frame.h"
#include "switch/network.h"
#include "switch/stage.h"

bool stage_source_used(const struct network *network, const struct network_port *port)
{
	(void)port;
	return network->mode == NETWORK_SWITCH;
}

enum stage_next stage_source(const struct crossing *crossing, struct verdict *verdict)
{
	const struct mac source = frame_source(crossing->packet->frame);

	if (!mac_is_group(&source))
		return STAGE_GO_ON;
	verdict->result = SWITCH_DROP_GROUP_SOURCE;
	return STAGE_DONE;
}
