/*
 * stage_reserved.c - link-local control protocols stop at a switch (IEEE 802.1Q section 8.6.3), but for the classes that the
 * network passes
 */
#include "packet/frame.h"
#include "switch/network.h"
#include "switch/stage.h"

#include <string.h>

#define ALL_CLASSES (NETWORK_PASS_STP | NETWORK_PASS_PAUSE | NETWORK_PASS_LACP | NETWORK_PASS_LLDP | NETWORK_PASS_OTHER)

bool stage_reserved_used(const struct network *network, const struct network_port *port)
{
	(void)port;
	return network->mode == NETWORK_SWITCH && (network->pass & ALL_CLASSES) != ALL_CLASSES;
}

/* Return: the class that lets the address pass, or 0 where it is not a reserved one */
static unsigned int class_of(const uint8_t *mac)
{
	static const uint8_t prefix[5] = { 0x01, 0x80, 0xc2, 0x00, 0x00 };

	if (memcmp(mac, prefix, sizeof(prefix)) != 0 || mac[5] > 0x0f)
		return 0;
	switch (mac[5]) {
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

enum stage_next stage_reserved(const struct crossing *crossing, struct verdict *verdict)
{
	unsigned int class = class_of(crossing->packet->frame);

	if (!class || (crossing->packet->network->pass & class))
		return STAGE_GO_ON;
	verdict->result = SWITCH_DROP_RESERVED;
	return STAGE_DONE;
}
