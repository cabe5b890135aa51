/*
 * packet.h - a guest's frame on its way through weft
 *
 * Theory of operation.  A packet is a descriptor over memory that somebody lends: the worker's burst memory, a port's ring, a
 * datagram that was opened in place.  Whoever lends says until when, and never beyond the burst.  Who has the packet alone may
 * write to the frame and its headroom; who shares it with others, or wants it for longer, copies it into a pool first
 * (packet_pool_copy()), which is the only copy that is ever made.  There is no allocation and no reference count.
 *
 * A frame leaves things undone, in one of two forms.  From a port, `offload` is what the guest's kernel said.  Off the wire
 * (`from_wire`), it is what the record said: `offload.partial` is its P (TCP's or UDP's own checksum field means nothing yet),
 * `offload.gso_bytes` its G, and the rest is zero; coalesce.h makes the first form of it.
 *
 * Neighbours: tap/ and overlay/ make packets and lend, switch/ decides by them, all of packet/ works on them.
 */
#ifndef PACKET_PACKET_H
#define PACKET_PACKET_H

#include "packet/frame.h"
#include "packet/offload.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/uio.h>

#define PACKET_BYTES_MAX 65664U /* any frame, super-frames and VLAN tags included */
#define PACKET_READ_MAX \
	526336U /* what a port may read: a super-frame at Linux's largest gso_max_size, 524,280; see settle.h */
#define PACKET_HEADROOM_BYTES 64U /* for record headers, a VLAN tag and a port's own header */
#define PACKET_BURST_MAX 64U

struct network;
struct network_port;

struct packet {
	uint8_t *frame;
	uint32_t bytes;
	uint32_t headroom_bytes; /* in front of the frame; may be overwritten by who has the packet alone */
	struct offload offload;
	bool from_wire;
	uint16_t vlan;                 /* within its network, 0 for none; once the switch has admitted it */
	uint32_t flow_hash;            /* packet_flow_hash()'s; 0: not computed yet */
	uint32_t peer;                 /* slot; where `in` is NULL */
	struct frame_info info;        /* packet_parse()'s */
	const struct network *network; /* switch/'s */
	const struct network_port *in; /* where it came from; NULL: a peer */
	struct iovec *pieces; /* on its way into a port, the frame where it is not one run: pieces[0] is left free */
	int pieces_count;     /* with the free one */
};

/* Packets that a port gives at once */
struct packet_burst {
	uint8_t *memory; /* for a port that has none of its own: lent by the worker until it asks again */
	size_t memory_bytes;
	unsigned int count;
	struct packet packets[PACKET_BURST_MAX];
};

/*
 * What a burst's memory has to be, so that each port can read a super-frame behind some dozens of small frames.  Pages are the
 * kernel's until something is read into them: few machines ever use more than the first 18
 */
#define PACKET_BURST_SMALL_BYTES (8192U + 2U * PACKET_HEADROOM_BYTES)
#define PACKET_BURST_BYTES (PACKET_BURST_SMALL_BYTES + PACKET_READ_MAX)

/* @frame, of @bytes, with @headroom_bytes in front, out of a port; the rest is as of a packet that nobody looked at */
static inline void packet_init(struct packet *packet, uint8_t *frame, size_t bytes, size_t headroom_bytes)
{
	packet->frame = frame;
	packet->bytes = (uint32_t)bytes;
	packet->headroom_bytes = (uint32_t)headroom_bytes;
	packet->from_wire = false;
	packet->flow_hash = 0;
	packet->pieces = NULL;
}

/* Read the frame again: after it came, and after its tags were changed.  Return: false where it is no Ethernet frame */
__attribute__((warn_unused_result)) static inline bool packet_parse(struct packet *packet)
{
	return frame_parse(packet->frame, packet->bytes, &packet->info);
}

/* Return: a number that all packets of a TCP or UDP flow have in common, and few others; not against attackers */
uint32_t packet_flow_hash(struct packet *packet);

/* ---- keeping ------------------------------------------------------------------------------------------------- */

struct packet_pool_slot;

/* Bounded memory for packets that are kept; one owner thread.  The last one put back is the first to be taken, while it is warm */
struct packet_pool {
	struct packet_pool_slot *slots;
	struct packet_pool_slot *free;
	unsigned int free_count;
};

/* Return: 0 or -ENOMEM */
int packet_pool_init(struct packet_pool *pool, unsigned int slots) __attribute__((warn_unused_result));

/* All zeros are fine */
void packet_pool_fini(struct packet_pool *pool);

/**
 * packet_pool_copy() - keep a packet
 * @packet:	one run, not in pieces; at most PACKET_BYTES_MAX
 *
 * Return: a copy with PACKET_HEADROOM_BYTES in front, the caller's until packet_pool_put(); NULL where the pool is empty
 */
struct packet *packet_pool_copy(struct packet_pool *pool, const struct packet *packet)
	__attribute__((warn_unused_result));

/* Give it back; @packet is one of packet_pool_copy()'s */
void packet_pool_put(struct packet_pool *pool, struct packet *packet);

#endif /* PACKET_PACKET_H */
