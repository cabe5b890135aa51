/*
 * stage_nowhere.c - the end of all stages: a packet that none of them decided about goes nowhere
 */
#include "switch/stage.h"

bool stage_nowhere_used(const struct network *network, const struct network_port *port)
{
	(void)network;
	(void)port;
	return true;
}

enum stage_next stage_nowhere(const struct crossing *crossing, struct verdict *verdict)
{
	(void)crossing;
	verdict->result = SWITCH_DROP_NOWHERE;
	return STAGE_DONE;
}
