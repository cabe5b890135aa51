/*
 * tag.c - see tag.h
 */
#include "packet/tag.h"

#include <string.h>

#define MACS_BYTES (2U * MAC_BYTES)

/* The frame starts @by bytes further on (or back): so do the offsets into it, and the hint about headers says nothing now */
static bool moved(struct packet *packet, int by)
{
	packet->frame += by;
	packet->bytes -= (uint32_t)by;
	packet->headroom_bytes += (uint32_t)by;
	if (packet->offload.csum_start)
		packet->offload.csum_start = (uint16_t)(packet->offload.csum_start - by);
	packet->offload.header_bytes = 0;
	return packet_parse(packet);
}

bool packet_tag_push(struct packet *packet, uint16_t vlan)
{
	uint8_t *start = packet->frame - FRAME_TAG_BYTES;

	if (packet->headroom_bytes < FRAME_TAG_BYTES)
		return false;
	memmove(start, packet->frame, MACS_BYTES);
	frame_put16(start + MACS_BYTES, FRAME_ETHERTYPE_8021Q);
	frame_put16(start + MACS_BYTES + 2, vlan);
	return moved(packet, -(int)FRAME_TAG_BYTES);
}

bool packet_tag_pop(struct packet *packet)
{
	if (!packet->info.tagged)
		return false;
	memmove(packet->frame + FRAME_TAG_BYTES, packet->frame, MACS_BYTES);
	return moved(packet, (int)FRAME_TAG_BYTES);
}

bool packet_tag_set(struct packet *packet, uint16_t vlan)
{
	if (!packet->info.tagged)
		return false;
	packet->info.tci = (uint16_t)((packet->info.tci & 0xf000) | vlan);
	frame_put16(packet->frame + MACS_BYTES + 2, packet->info.tci);
	return true;
}
