/*
 * answer.c - see answer.h
 */
#include "overlay/datapath/answer.h"

#include "overlay/datapath/datapath.h"
#include "overlay/datapath/deliver.h"
#include "overlay/datapath/worker.h"
#include "packet/too_big.h"
#include "switch/forward.h"

/* Answers to guests whose packets are too big (RFC 4443 section 2.4 (f)) */
static const struct ratelimit_rate too_big_rate = { .per_second = 100, .burst = 100 };

void answer_too_big(struct worker *worker, const struct packet *packet, uint32_t mtu_bytes)
{
	uint8_t memory[PACKET_HEADROOM_BYTES + TOO_BIG_MAX_BYTES];
	struct packet answer = { .network = packet->network, .vlan = packet->vlan };
	const struct crossing crossing = { .packet = &answer, .fdb = worker->datapath->fdb, .now = worker->now };
	enum vlan_action action;
	struct frame_info info;
	size_t bytes;

	/* a piece that was cut from a packet is not what that was */
	if (!packet->in || !frame_parse(packet->frame, packet->bytes, &info) ||
		!ratelimit_bucket_take(&worker->too_big_load, too_big_rate, worker->now))
		return;
	bytes = too_big_create(packet->frame, packet->bytes, &info, mtu_bytes, memory + PACKET_HEADROOM_BYTES);
	packet_init(&answer, memory + PACKET_HEADROOM_BYTES, bytes, PACKET_HEADROOM_BYTES);
	if (bytes == 0 || !packet_parse(&answer))
		return;
	action = forward_to_port(&crossing, packet->in, packet->vlan);
	if (action != VLAN_DENY)
		deliver_alone(worker, packet->in, &answer, action);
}
