/*
 * meter.c - see meter.h
 */
#include "measure/meter.h"

#include <errno.h>
#include <string.h>

#include "measure/split.h"

int meter_init(struct meter *meter, int link_type, uint16_t port, size_t lanes_max)
{
	memset(meter, 0, sizeof(*meter));
	meter->link_type = link_type;
	meter->port = port;
	meter->lanes = lanes_new(lanes_max);
	return meter->lanes ? 0 : -ENOMEM;
}

void meter_fini(struct meter *meter)
{
	lanes_free(meter->lanes);
	meter->lanes = NULL;
}

static void count_datagram(struct meter *meter, const struct dissected *packet, const struct split_datagram *datagram,
	struct instant at)
{
	bool sealed = datagram->gre.protocol == GRE_PROTOCOL_SEALED;
	uint8_t type = datagram->first_byte < METER_HANDSHAKES ? datagram->first_byte : METER_HANDSHAKE_OTHER;
	struct lane_key key = {
		.src = packet->src,
		.dst = packet->dst,
		.kind = sealed ? LANE_SEALED : LANE_HANDSHAKE,
		.session = sealed ? datagram->gre.session : 0,
		.lane = sealed ? datagram->gre.lane : type,
	};
	struct lane *lane = lanes_touch(meter->lanes, &key, at);
	struct tally one = {
		.datagrams = 1,
		.bytes = packet->header_bytes + datagram->len_bytes,
		.payload_bytes = datagram->len_bytes,
	};

	if (sealed)
		sequence_note(&lane->sequence, datagram->gre.counter, &one.sequence);
	tally_add(&lane->total, &one);
	tally_add(&meter->counts.total, &one);
	meter->counts.assumed += datagram->assumed;
}

size_t meter_packet(struct meter *meter, const uint8_t *bytes, size_t len_bytes, struct instant at)
{
	struct dissected packet;
	enum dissect_result result = dissect(meter->link_type, bytes, len_bytes, &packet);
	struct split_datagram datagram;
	struct split split;
	size_t datagrams = 0;

	if (result != DISSECT_OK) {
		meter->counts.not_dissected[result]++;
		return 0;
	}
	if (packet.src.port != meter->port && packet.dst.port != meter->port) {
		meter->counts.other_port++;
		return 0;
	}
	split_begin(&split, packet.payload, packet.captured_bytes, packet.payload_bytes);
	while (split_next(&split, &datagram)) {
		if (datagram.result == GRE_OK) {
			count_datagram(meter, &packet, &datagram, at);
			datagrams++;
		} else {
			meter->counts.not_weft[datagram.result]++;
		}
	}
	meter->counts.packets += datagrams > 0;
	meter->counts.trains += datagrams > 1;
	return datagrams;
}

void meter_mark(struct meter *meter)
{
	meter->mark = meter->counts.total;
	lanes_mark(meter->lanes);
}

const char *meter_dissect_name(enum dissect_result result)
{
	switch (result) {
#define X(name, text)             \
	case DISSECT_DROP_##name: \
		return text;
		DISSECT_DROPS(X)
#undef X
	default:
		return NULL;
	}
}

const char *meter_gre_name(enum gre_result result)
{
	switch (result) {
#define X(name, text, why)    \
	case GRE_DROP_##name: \
		return text;
		GRE_DROPS(X)
#undef X
	default:
		return NULL;
	}
}

const char *meter_handshake_name(uint8_t type)
{
	static const char *const names[METER_HANDSHAKES] = {
		[METER_HANDSHAKE_OTHER] = "other",
		[METER_HANDSHAKE_INITIATION] = "initiation",
		[METER_HANDSHAKE_RESPONSE] = "response",
		[METER_HANDSHAKE_COOKIE] = "cookie",
	};

	return names[type < METER_HANDSHAKES ? type : METER_HANDSHAKE_OTHER];
}
