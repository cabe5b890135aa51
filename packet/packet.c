/*
 * packet.c - see packet.h
 */
#include "packet/packet.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

struct packet_pool_slot {
	struct packet packet; /* first, so that it leads back here */
	struct packet_pool_slot *next_free;
	uint8_t memory[PACKET_HEADROOM_BYTES + PACKET_BYTES_MAX];
};

/* Addresses, and the ports where there are some */
static uint32_t hash(const uint8_t *frame, const struct frame_info *info)
{
	const uint8_t *ip = frame + info->l3_offset;
	uint64_t mix = info->payload_offset ? frame_word32(frame + info->l4_offset) : info->l4_protocol;

	if (info->ip_version == 4)
		mix ^= frame_word64(ip + 12) * 0x9e3779b97f4a7c15ULL;
	else if (info->ip_version == 6)
		mix ^= (frame_word64(ip + 8) ^ frame_word64(ip + 16) * 3 ^ frame_word64(ip + 24) * 5 ^
			       frame_word64(ip + 32) * 7) *
			0x9e3779b97f4a7c15ULL;
	else
		mix ^= (frame_word64(frame) ^ frame_word32(frame + 8) * 3ULL) * 0x9e3779b97f4a7c15ULL;
	return (uint32_t)(mix ^ mix >> 32);
}

uint32_t packet_flow_hash(struct packet *packet)
{
	if (!packet->flow_hash)
		packet->flow_hash = hash(packet->frame, &packet->info) | 1;
	return packet->flow_hash;
}

int packet_pool_init(struct packet_pool *pool, unsigned int slots)
{
	*pool = (struct packet_pool){ .slots = calloc(slots, sizeof(*pool->slots)) };
	if (!pool->slots)
		return -ENOMEM;
	for (unsigned int i = 0; i < slots; i++)
		packet_pool_put(pool, &pool->slots[i].packet);
	return 0;
}

void packet_pool_fini(struct packet_pool *pool)
{
	free(pool->slots);
	*pool = (struct packet_pool){ 0 };
}

struct packet *packet_pool_copy(struct packet_pool *pool, const struct packet *packet)
{
	struct packet_pool_slot *slot = pool->free;

	assert(!packet->pieces && packet->bytes <= PACKET_BYTES_MAX);
	if (!slot)
		return NULL;
	pool->free = slot->next_free;
	pool->free_count--;
	slot->packet = *packet;
	slot->packet.frame = slot->memory + PACKET_HEADROOM_BYTES;
	slot->packet.headroom_bytes = PACKET_HEADROOM_BYTES;
	memcpy(slot->packet.frame, packet->frame, packet->bytes);
	return &slot->packet;
}

void packet_pool_put(struct packet_pool *pool, struct packet *packet)
{
	struct packet_pool_slot *slot = (struct packet_pool_slot *)packet;

	slot->next_free = pool->free;
	pool->free = slot;
	pool->free_count++;
}
