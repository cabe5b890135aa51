/*
 * decide.c - see decide.h
 */
#include "overlay/datapath/decide.h"

#include "overlay/datapath/datapath.h"
#include "overlay/datapath/worker.h"
#include "switch/forward.h"

#include <string.h>

#define DECLARED_MS 1000U

static void read_key(const struct packet *packet, struct decision *out)
{
	uint32_t last;

	out->network = packet->network;
	out->in = packet->in;
	out->peer = packet->peer;
	out->tag = (uint32_t)packet->info.tagged << 16 | packet->info.tci;
	memcpy(&out->macs[0], packet->frame, sizeof(out->macs[0]));
	memcpy(&last, packet->frame + sizeof(out->macs[0]), sizeof(last));
	out->macs[1] = last;
}

static bool is_for(const struct decision *decision, const struct packet *packet)
{
	uint64_t first;
	uint32_t last;

	memcpy(&first, packet->frame, sizeof(first));
	memcpy(&last, packet->frame + sizeof(first), sizeof(last));
	return decision->network == packet->network && decision->macs[0] == first && decision->macs[1] == last &&
		decision->in == packet->in && decision->peer == packet->peer &&
		decision->tag == ((uint32_t)packet->info.tagged << 16 | packet->info.tci);
}

/* People are told, and one in a second is enough: it goes on while the address speaks */
static __attribute__((noinline)) void tell_declared(struct worker *worker, const struct packet *packet, uint16_t vlan)
{
	const struct mail mail = {
		.kind = MAIL_DECLARED,
		.port = packet->in->id,
		.network = packet->network->id,
		.vlan = vlan,
		.mac = frame_source(packet->frame),
	};

	if (instant_reached(worker->now, worker->declared_at) && worker_mail(worker, &mail))
		worker->declared_at = instant_add_ms(worker->now, DECLARED_MS);
}

const struct verdict *decide(struct worker *worker, struct packet *packet)
{
	struct decision *decision = &worker->decision;
	struct verdict *verdict = &decision->verdict;

	if (!is_for(decision, packet)) {
		const struct crossing crossing = { .packet = packet, .fdb = worker->datapath->fdb, .now = worker->now };

		read_key(packet, decision);
		forward(&crossing, verdict);
		if (!forward_is_kept(packet))
			decision->network = NULL;
		if (verdict->learned != FDB_OK)
			counter_add(&worker->fdb_events[verdict->learned], 1);
		if (verdict->learned == FDB_STATIC && packet->in)
			tell_declared(worker, packet, verdict->vlan);
	}
	packet->vlan = verdict->vlan;
	return verdict;
}
